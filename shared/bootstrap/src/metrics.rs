//! Figures as CloudWatch reads them from a log.

use std::sync::LazyLock;

use metrics::Figures;

/// `METRICS_NAMESPACE`: that of all metrics. Several services can share an account.
static NAMESPACE: LazyLock<String> = LazyLock::new(|| {
    let named = std::env::var("METRICS_NAMESPACE").ok().filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "smtp-auth-report".to_owned())
});

/// Tells a function's figures, at `now` in seconds since 1970, where CloudWatch takes them.
pub fn tell(function: &str, figures: &impl Figures, now: i64) {
    println!("{}", metrics::emf(&NAMESPACE, function, figures, now));
}
