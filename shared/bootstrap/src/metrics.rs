//! Figures as CloudWatch reads them from a log.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Value, json};

/// `METRICS_NAMESPACE`: that of all metrics. Several services can share an account.
static NAMESPACE: LazyLock<String> = LazyLock::new(|| {
    let named = std::env::var("METRICS_NAMESPACE").ok().filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "smtp-auth-report".to_owned())
});

/// One line in CloudWatch's Embedded Metric Format: `figures` by name, with the units of those that are
/// metrics, of one function.
///
/// `now` is in seconds since 1970.
#[must_use]
pub fn metrics(
    function: &str,
    figures: &impl Serialize,
    units: &[(&str, &str)],
    now: i64,
) -> Value {
    let mut line = serde_json::to_value(figures).unwrap_or_default();
    let metrics: Vec<_> =
        units.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit})).collect();
    line["_aws"] = json!({
        "Timestamp": now.saturating_mul(1000),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE.as_str(),
            "Dimensions": [["function"]],
            "Metrics": metrics,
        }],
    });
    line["function"] = json!(function);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_beside_their_description() {
        let line = metrics("ingest", &json!({"lines": 7}), &[("lines", "Count")], 1_795_521_600);
        assert_eq!((&line["lines"], &line["function"]), (&json!(7), &json!("ingest")));
        assert_eq!(line["_aws"]["Timestamp"], 1_795_521_600_000_i64);
        let metric = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0];
        assert_eq!(metric, &json!({"Name": "lines", "Unit": "Count"}));
    }
}
