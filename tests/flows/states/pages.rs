//! The dashboard's pages and flyouts.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use history::History;
use tests::app::{Answer, App, NOW};
use tests::fault;
use tests::issuer::Issuer;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{NAME, SCRIPT, State, hostile, hostile_senders, normal};

const HTML: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/// The pages of every service.
const PAGES: [(&str, &str); 15] = [
    ("overview.html", "/"),
    ("insight.html", "/insight"),
    ("tls-usage.html", "/reports/tls-usage"),
    ("sending-volume.html", "/reports/sending-volume"),
    ("mechanisms.html", "/reports/mechanisms"),
    ("tls-usage-details.html", "/reports/tls-usage/details?sort=sender"),
    ("sending-volume-details.html", "/reports/sending-volume/details?sort=sender"),
    ("report-requests.html", "/report-requests"),
    ("report-request-form.html", "/report-requests/new"),
    ("schedules.html", "/schedules"),
    ("schedule-form.html", "/schedules/new"),
    ("sources.html", "/sources"),
    ("alerts.html", "/alerts"),
    ("mutes.html", "/mutes"),
    ("notes.html", "/notes"),
];

/// Sends a form as a page of the service does.
async fn form(state: &State, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    form_from("same-origin", state, path, fields).await
}

async fn form_from(
    site: &str,
    state: &State,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Answer> {
    let request = Request::post(state.path(path))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", HTML)
        .header("sec-fetch-site", site);
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    state.app.ask(request.body(Body::from(body))?).await
}

#[tokio::test]
async fn of_a_service_with_mail() -> Result<()> {
    let mut state = normal().await?;
    state.keep_all(HTML, &PAGES).await?;
    let range = "start=2026-11-22&end=2026-11-24";
    let table = format!("/reports/tls-usage/details?{range}");
    state
        .keep_all(
            HTML,
            &[
                (
                    "tls-usage-of-domain.html",
                    &format!("/reports/tls-usage?{range}&domain=corp.test"),
                ),
                (
                    "sending-volume-older.html",
                    "/reports/sending-volume?start=2026-08-01&end=2026-08-28",
                ),
                ("sender.html", &format!("{table}&limit=1&open=user3@corp.test")),
                ("null-sender.html", &format!("{table}&limit=1&open=%3C%3E")),
                ("unknown-sender.html", &format!("{table}&limit=1&open=nobody@example.test")),
                ("tls-usage-details-searched.html", &format!("{table}&search=user1&sort=-legacy")),
                ("tls-usage-details-not-found.html", &format!("{table}&search=nobody")),
                (
                    "tls-usage-details-wrong.html",
                    "/reports/tls-usage/details?start=2026-11-24&end=2026-11-20&domain=corp.test&search=user",
                ),
                ("report-requests-newest.html", "/report-requests?limit=1"),
                ("report-request-sent.html", "/report-requests/{sent}"),
                ("report-request-nothing.html", "/report-requests/{nothing}"),
                ("report-request-failed.html", "/report-requests/{failed}"),
                ("report-request-delayed.html", "/report-requests/{delayed}"),
                ("report-request-pending.html", "/report-requests/{pending}"),
                (
                    "report-request-form-filled.html",
                    &format!("/report-requests/new?view=sending-volume&{range}&domain=corp.test"),
                ),
                ("schedules-done.html", "/schedules?done=created"),
                ("schedule-daily.html", "/schedules/{daily}"),
                ("schedule-weekly.html", "/schedules/{weekly}"),
                ("schedule-monthly.html", "/schedules/{monthly}"),
                ("schedule-delete.html", "/schedules/{weekly}/delete"),
            ],
        )
        .await?;
    let first = state.get(HTML, &format!("{table}&limit=3&sort=-messages")).await?;
    state.keep("tls-usage-details-page-1.html", &first);
    let first = first.text()?;
    let next = first.split_once("\" rel=\"next\"").context("a next page")?.0;
    let next = next.rsplit_once("href=\"").context("a link")?.1.replace("&#38;", "&");
    let second = state.get(HTML, &next).await?;
    state.keep("tls-usage-details-page-2.html", &second);
    state.held()
}

#[tokio::test]
async fn of_an_empty_service() -> Result<()> {
    let mut state = State::empty().await?;
    state.keep_all(HTML, &PAGES).await?;
    state
        .keep_all(HTML, &[("sender.html", "/reports/tls-usage/details?open=nobody@example.test")])
        .await?;
    state.held()
}

#[tokio::test]
async fn of_a_service_fed_by_somebody_who_means_harm() -> Result<()> {
    let mut state = hostile().await?;
    state.keep_all(HTML, &PAGES).await?;
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let table = "/reports/tls-usage/details?limit=1&sort=sender";
    let senders = hostile_senders();
    for (what, sender) in [
        ("sender-script.html", &senders[0]),
        ("sender-formula.html", &senders[2]),
        ("sender-turned.html", &senders[7]),
        ("sender-domain.html", &senders[14]),
    ] {
        let path = format!("{table}&open={}", encoded(sender));
        state.keep_all(HTML, &[(what, path.as_str())]).await?;
    }
    let script = encoded(SCRIPT);
    state
        .keep_all(
            HTML,
            &[
                ("tls-usage-details-searched.html", &format!("{table}&search={script}")),
                ("sender-unknown.html", &format!("{table}&open={script}")),
                ("tls-usage-wrong-domain.html", &format!("/reports/tls-usage?domain={script}")),
                (
                    "tls-usage-wrong-days.html",
                    &format!("/reports/tls-usage?start={script}&end={script}"),
                ),
                (
                    "tls-usage-details-wrong-sort.html",
                    &format!("/reports/tls-usage/details?sort={script}"),
                ),
                ("report-request-sent.html", "/report-requests/{sent}"),
                ("report-request-failed.html", "/report-requests/{failed}"),
                (
                    "report-request-form-filled.html",
                    &format!("/report-requests/new?view={script}&start={script}&domain={script}"),
                ),
                ("schedules-done.html", &format!("/schedules?done={script}")),
                ("schedule-named.html", "/schedules/{named}"),
                ("schedule-delete.html", "/schedules/{named}/delete"),
                ("not-found.html", "/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
            ],
        )
        .await?;
    let fields = [
        ("token", SCRIPT),
        ("view", SCRIPT),
        ("start", SCRIPT),
        ("end", SCRIPT),
        ("domain", SCRIPT),
        ("recipients", SCRIPT),
        ("name", NAME),
        ("frequency", SCRIPT),
        ("time", SCRIPT),
        ("zone", SCRIPT),
    ];
    let refused = form(&state, "/report-requests", &fields).await?;
    state.keep("report-request-form-wrong.html", &refused);
    let refused = form(&state, "/schedules", &fields).await?;
    state.keep("schedule-form-wrong.html", &refused);
    state.held()
}

#[tokio::test]
async fn forms_that_were_sent() -> Result<()> {
    let mut state = normal().await?;
    let request = [
        ("token", "one"),
        ("view", "tls-usage"),
        ("start", "2026-11-10"),
        ("end", "2026-11-20"),
        ("domain", "corp.test"),
        ("recipients", "ann@example.test\r\nbob@elsewhere.test"),
        ("name", "Both"),
    ];
    let refused = form(&state, "/report-requests", &request).await?;
    state.keep("report-request-form-wrong.html", &refused);
    let mut right = request;
    right[5].1 = "ann@example.test\r\nbob@corp.test";
    let asked = form(&state, "/report-requests", &right).await?;
    state.keep("report-request-form-sent", &asked);
    let schedule = [
        ("name", "Every month"),
        ("view", "sending-volume"),
        ("domain", ""),
        ("recipients", "ann@example.test"),
        ("frequency", "monthly"),
        ("weekday", "monday"),
        ("day", "31"),
        ("time", "25:00"),
        ("zone", "Europe/Berlin"),
        ("first_date", ""),
        ("expires", "2026-12-24"),
    ];
    for (what, path) in [
        ("schedule-form-wrong.html", "/schedules"),
        ("schedule-weekly-wrong.html", "/schedules/{weekly}"),
    ] {
        let refused = form(&state, path, &schedule).await?;
        state.keep(what, &refused);
    }
    let mut right = schedule;
    right[7].1 = "07:30";
    for (what, path) in [
        ("schedule-form-sent", "/schedules"),
        ("schedule-form-saved", "/schedules/{weekly}"),
        ("schedule-form-resumed", "/schedules/{weekly}/resume"),
        ("schedule-form-paused", "/schedules/{weekly}/pause"),
        ("schedule-form-deleted", "/schedules/{weekly}/delete"),
        ("schedule-form-gone.html", "/schedules/{weekly}/delete"),
    ] {
        let done = form(&state, path, &right).await?;
        state.keep(what, &done);
    }
    state.held()
}

#[tokio::test]
async fn where_there_is_nothing_to_see() -> Result<()> {
    let mut state = normal().await?;
    state
        .keep_all(
            HTML,
            &[
                ("not-found.html", "/nowhere"),
                ("not-found-view.html", "/reports/other"),
                ("not-found-report-request.html", "/report-requests/abc"),
                ("not-found-schedule.html", "/schedules/abc"),
                ("method-not-allowed.html", "/schedules/{daily}/pause"),
                ("wrong-cursor.html", "/report-requests?cursor=abc"),
            ],
        )
        .await?;
    let other = form_from("cross-site", &state, "/schedules/{daily}/delete", &[]).await?;
    state.keep("cross-site.html", &other);
    let store = fault::store_that_stops_reading(&state.app.engine, 0);
    let history = History::new(&store, Arc::clone(&state.app.objects));
    let (engine, objects) = (state.app.engine.clone(), Arc::clone(&state.app.objects));
    state.app = App::over(engine, &store, history, objects);
    state.keep_all(HTML, &[("unavailable.html", "/reports/tls-usage")]).await?;
    state.keep_all("application/json", &[("problem-unavailable", "/v1/insight")]).await?;
    state.held()
}

/// Opens a page as a browser does, with what shows who opens it.
async fn opened(app: &App, path: &str, token: Option<&str>) -> Result<Answer> {
    let mut request = Request::get(path)
        .header("accept", HTML)
        .header("sec-fetch-mode", "navigate")
        .header("host", "report.example.test");
    if let Some(token) = token {
        request = request.header("cookie", format!("__Host-session={token}"));
    }
    app.ask(request.body(Body::empty())?).await
}

#[tokio::test]
async fn for_those_who_sign_in() -> Result<()> {
    let issuer = Issuer::start(NOW).await?;
    let mut state = normal().await?;
    state.app = state.app.behind(&issuer)?;
    let (reader, manager, nobody) = {
        let mut claims = issuer.claims(&["managers"]);
        claims["email"] = serde_json::json!(format!("{SCRIPT}\u{202e}@example.test"));
        let token = |groups| issuer.token(&issuer.claims(&[groups]));
        (token("readers"), issuer.token(&claims), token("staff"))
    };
    for (what, path, token) in [
        ("way-in.html", "/reports/tls-usage?domain=corp.test", None),
        ("signed-out.html", "/signed-out", None),
        ("sign-in-failed.html", "/signed-in?code=c&state=x", None),
        ("overview-of-reader.html", "/", Some(&reader)),
        ("sending-volume-of-reader.html", "/reports/sending-volume", Some(&reader)),
        ("schedules-of-reader.html", "/schedules", Some(&reader)),
        ("report-requests-of-manager.html", "/report-requests?limit=1", Some(&manager)),
        ("overview-of-nobody.html", "/", Some(&nobody)),
        ("problem-unauthorized", "/v1/insight", None),
        ("problem-forbidden", "/v1/schedules", Some(&reader)),
    ] {
        let answer = match what.ends_with(".html") {
            true => opened(&state.app, path, token.map(String::as_str)).await?,
            false => {
                let bearer = format!("Bearer {}", token.map_or("", String::as_str));
                let request = Request::get(path).header("authorization", bearer);
                state.app.ask(request.body(Body::empty())?).await?
            }
        };
        let shown = state.shown(&answer);
        state.keep_text(what, &shown.replace(&issuer.url(), "https://issuer.example.test"));
    }
    state.held()
}
