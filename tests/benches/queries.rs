//! How fast each view answers over 2,000 senders and 90 days in the embedded engine: in a process that has
//! computed nothing yet, with closed days archived.

use std::sync::LazyLock;

use divan::{Bencher, Divan};
use tests::app::{App, NOW};
use tests::generate::{self, Plan, Shape};
use tokio::runtime::Runtime;

/// One sender that surely has messages.
const SENDER: &str = "user00000@d00.example.test";

/// What its account did in the last seven days.
const ACCOUNT: &str = "/v1/accounts";

static SERVICE: LazyLock<(Runtime, App)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let app = runtime.block_on(async {
        let app = App::new().await.expect("an app");
        let mut log = Vec::new();
        let begins = NOW - 89 * 86_400;
        let plan = Plan { messages: 900_000, senders: 2_000, days: 90, begins, seed: 2 };
        generate::write(Shape::Exim, plan, &mut log).expect("in memory");
        app.log("log", std::str::from_utf8(&log).expect("text")).await.expect("ingested");
        let today = report::Days::new(chrono_tz::UTC).day_of(NOW);
        archive::run(&app.history, today, |_, _| {}).await.1.expect("archived");
        app
    });
    (runtime, app)
});

fn main() {
    LazyLock::force(&SERVICE);
    Divan::from_args().main();
}

#[divan::bench(sample_count = 10, sample_size = 1, args = [
    "/",
    "/insight",
    "/reports/tls-usage?start=2026-08-27",
    "/reports/tls-usage/details?start=2026-08-27&sort=-legacy",
    "/v1/insight",
    "/v1/insight/details",
    "/v1/domains",
    "/v1/reports/sending-volume?start=2026-08-27",
    "/v1/reports/tls-usage?start=2026-08-27",
    "/v1/reports/sending-volume/details",
    "/v1/reports/tls-usage/details",
    "/v1/reports/tls-usage/details?start=2026-08-27",
    "/v1/reports/tls-usage/details?start=2026-08-27&domain=d07.example.test",
    "/v1/reports/tls-usage/details?start=2026-08-27&format=csv",
    "/v1/reports/mechanisms?start=2026-08-27",
    "/v1/failed-logins?start=2026-08-27",
    "/v1/plan?off=TLS1.0,TLS1.1,none",
    ACCOUNT,
    SENDER,
])]
fn get(bencher: Bencher, path: &str) {
    let (runtime, app) = &*SERVICE;
    let path = match path {
        SENDER => format!("/v1/senders?sender={SENDER}&start=2026-08-27"),
        ACCOUNT => format!("/v1/accounts?account={SENDER}"),
        path => path.to_owned(),
    };
    let cold =
        || App::over(app.engine.clone(), &app.store, app.history.clone(), app.objects.clone());
    bencher.with_inputs(cold).bench_values(|app| {
        let answer = runtime.block_on(app.get(&path)).expect("an answer");
        assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.body.len()
    });
}
