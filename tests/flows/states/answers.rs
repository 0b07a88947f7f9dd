//! The answers of the HTTP interface.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::app::Answer;

use super::text::{pretty, visible};
use super::{NAME, SCRIPT, State, hostile, normal, schedule, with};
use crate::reports::asked;

const JSON: &str = "application/json";

/// What can be asked of every service.
const QUESTIONS: [(&str, &str); 21] = [
    ("healthz", "/healthz"),
    ("insight", "/v1/insight"),
    ("insight-details", "/v1/insight/details"),
    ("domains", "/v1/domains"),
    ("sending-volume", "/v1/reports/sending-volume"),
    ("tls-usage", "/v1/reports/tls-usage"),
    ("mechanisms", "/v1/reports/mechanisms"),
    ("sending-volume-details", "/v1/reports/sending-volume/details"),
    ("tls-usage-details", "/v1/reports/tls-usage/details"),
    ("sending-volume-details.csv", "/v1/reports/sending-volume/details?format=csv&sort=sender"),
    ("tls-usage-details.csv", "/v1/reports/tls-usage/details?format=csv&sort=sender"),
    ("detailed.csv", "/v1/reports/detailed?start=2026-11-23&end=2026-11-24"),
    ("report-requests", "/v1/report-requests"),
    ("schedules", "/v1/schedules"),
    ("sources", "/v1/sources"),
    ("alerts", "/v1/alerts"),
    ("alerts.csv", "/v1/alerts?format=csv"),
    ("mutes", "/v1/mutes"),
    ("channels", "/v1/channels"),
    ("notes", "/v1/notes"),
    ("notes.csv", "/v1/notes?format=csv"),
];

/// The problem details that questions come to, one after another.
async fn problems(state: &State, paths: &[&str]) -> Result<String> {
    let mut shown = String::new();
    for path in paths {
        let answer = state.get(JSON, path).await?;
        write!(shown, "GET {path}\n{}\n\n", state.shown(&answer))?;
    }
    Ok(shown)
}

/// What bodies come to, one after another.
async fn bodies(state: &State, method: &str, path: &str, bodies: &[Value]) -> Result<String> {
    let mut shown = String::new();
    for body in bodies {
        let answer = state.app.send(method, &state.path(path), body).await?;
        write!(shown, "{method} {path} {body}\n{}\n\n", state.shown(&answer))?;
    }
    Ok(visible(&shown))
}

/// Sends a body that may not be JSON, or not say so.
async fn sent(
    state: &State,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Result<Answer> {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    state.app.ask(request.body(body.into())?).await
}

#[tokio::test]
async fn of_a_service_with_mail() -> Result<()> {
    let mut state = normal().await?;
    state.keep_all(JSON, &QUESTIONS).await?;
    let range = "start=2026-11-20&end=2026-11-24";
    state
        .keep_all(
            JSON,
            &[
                (
                    "sending-volume-of-domain",
                    &format!("/v1/reports/sending-volume?{range}&domain=corp.test"),
                ),
                ("tls-usage-of-domain", &format!("/v1/reports/tls-usage?{range}&domain=Corp.Test")),
                (
                    "tls-usage-details-searched",
                    "/v1/reports/tls-usage/details?search=USER1&sort=sender&limit=2",
                ),
                (
                    "detailed-of-sender.csv",
                    &format!("/v1/reports/detailed?{range}&sender=User3@Corp.test"),
                ),
                ("sender", &format!("/v1/senders?sender=User3%40corp.test&{range}")),
                ("null-sender", "/v1/senders?sender=%3C%3E"),
                ("bare-sender", "/v1/senders?sender=printer"),
                ("report-requests-newest", "/v1/report-requests?limit=2"),
                ("report-request-sent", "/v1/report-requests/{sent}"),
                ("report-request-nothing", "/v1/report-requests/{nothing}"),
                ("report-request-failed", "/v1/report-requests/{failed}"),
                ("report-request-delayed", "/v1/report-requests/{delayed}"),
                ("report-request-pending", "/v1/report-requests/{pending}"),
                ("schedule-daily", "/v1/schedules/{daily}"),
                ("schedule-expired", "/v1/schedules/{expired}"),
                ("schedule-weekly", "/v1/schedules/{weekly}"),
                ("schedule-monthly", "/v1/schedules/{monthly}"),
            ],
        )
        .await?;
    let table = "/v1/reports/tls-usage/details?sort=-legacy&limit=4";
    let first = state.get(JSON, table).await?;
    state.keep("tls-usage-details-page-1", &first);
    let cursor = first.ok()?["next"].as_str().context("a cursor")?.to_owned();
    let second = state.get(JSON, &format!("{table}&cursor={cursor}")).await?;
    state.keep("tls-usage-details-page-2", &second);
    let csv = state.get("text/csv, application/json;q=0.5", table).await?;
    state.keep("tls-usage-details-legacy.csv", &csv);
    state.held()
}

#[tokio::test]
async fn of_an_empty_service() -> Result<()> {
    let mut state = State::empty().await?;
    state.keep_all(JSON, &QUESTIONS).await?;
    state
        .keep_all(
            JSON,
            &[
                ("tls-usage-of-domain", "/v1/reports/tls-usage?domain=example.test"),
                ("sender", "/v1/senders?sender=nobody@example.test"),
            ],
        )
        .await?;
    state.held()
}

#[tokio::test]
async fn of_a_service_fed_by_somebody_who_means_harm() -> Result<()> {
    let mut state = hostile().await?;
    state.keep_all(JSON, &QUESTIONS).await?;
    state
        .keep_all(
            JSON,
            &[
                ("sender", "/v1/senders?sender=%3Cscript%3Ealert(1)%3C%2Fscript%3E@a.test"),
                (
                    "formula.csv",
                    "/v1/reports/detailed?sender=%3Dcmd%7C%27%2Fc%20calc%27%21a1%40c.test",
                ),
                ("report-request-sent", "/v1/report-requests/{sent}"),
                ("report-request-failed", "/v1/report-requests/{failed}"),
                ("schedule-named", "/v1/schedules/{named}"),
            ],
        )
        .await?;
    let domain: String = url::form_urlencoded::byte_serialize(SCRIPT.as_bytes()).collect();
    let (question, path) = (
        format!("/v1/reports/tls-usage?domain={domain}"),
        "/v1/report-requests/%3Cscript%3Ealert(1)",
    );
    let unknown = format!("/v1/reports/tls-usage?{domain}={domain}");
    let long = format!("/v1/reports/tls-usage?domain={}", "x".repeat(300));
    let found = problems(&state, &[&question, path, &unknown, &long, "/v1/%ff%00"]).await?;
    state.keep_text("problems", &found);
    let recipients = json!({"recipients": [SCRIPT]});
    let named = json!({"name": format!("{NAME}{}", "x".repeat(100))});
    let asked = [with(asked("tls-usage"), &recipients), with(asked("tls-usage"), &named), {
        let mut body = asked("tls-usage");
        body[SCRIPT] = json!(SCRIPT);
        body
    }];
    let found = bodies(&state, "POST", "/v1/report-requests", &asked).await?;
    state.keep_text("report-request-problems", &found);
    state.held()
}

#[tokio::test]
async fn what_is_written_is_told() -> Result<()> {
    let mut state = normal().await?;
    let body = with(asked("tls-usage"), &json!({"name": "Now", "domain": "Corp.Test"}));
    let made = state.app.send("POST", "/v1/report-requests", &body).await?;
    state.keep("report-request-made", &made);
    let body = schedule(&json!({"name": "New", "frequency": "monthly", "day": 31}));
    let made = state.app.send("POST", "/v1/schedules", &body).await?;
    state.keep("schedule-made", &made);
    let weekly = state.path("/v1/schedules/{weekly}");
    let body = schedule(&json!({"name": "Edited", "paused": false}));
    let edited = state.app.send("PUT", &weekly, &body).await?;
    state.keep("schedule-edited", &edited);
    let deleted = state.app.send("DELETE", &weekly, &json!({})).await?;
    state.keep("schedule-deleted", &deleted);
    let gone = state.get(JSON, &weekly).await?;
    state.keep("schedule-gone", &gone);
    state.held()
}

#[tokio::test]
async fn wrong_questions() -> Result<()> {
    let mut state = normal().await?;
    let found = problems(
        &state,
        &[
            "/v1/insight?start=2026-11-31",
            "/v1/insight?end=yesterday",
            "/v1/insight?start=2026-11-24&end=2026-11-23",
            "/v1/insight?end=2026-11-25",
            "/v1/insight?start=2026-08-26",
            "/v1/insight?end=2026-08-01",
            "/v1/insight?domain=example.test",
            "/v1/insight/details?limit=1",
            "/v1/domains?start=2026-11-20",
            "/v1/reports/sending-volume?limit=5",
            "/v1/reports/tls-usage?start=2026-11-20&start=2026-11-21",
            "/v1/reports/tls-usage?domain=a%20b",
            "/v1/reports/tls-usage?domain=%ff",
            "/v1/reports/tls-usage/details?limit=0",
            "/v1/reports/tls-usage/details?limit=1001",
            "/v1/reports/tls-usage/details?sort=size",
            "/v1/reports/tls-usage/details?cursor=abc",
            "/v1/reports/tls-usage/details?format=xml",
            "/v1/reports/tls-usage/details?sender=ann@example.test",
            "/v1/senders?sender=ann@example.test&limit=1",
            "/v1/senders",
            "/v1/senders?sender=",
            "/v1/senders?sender=ann@example.test&sender=bob@example.test",
            "/v1/reports/detailed?search=a",
            "/v1/reports/detailed?format=json",
            "/v1/report-requests?limit=x",
            "/v1/report-requests?cursor=abc",
            "/v1/report-requests?start=2026-11-20",
            "/v1/report-requests/abc",
            "/v1/report-requests/01991000-0000-7000-8000-00000000000a",
            "/v1/report-requests/{sent}?start=2026-11-20",
            "/v1/schedules?limit=1",
            "/v1/schedules/abc",
            "/v1/schedules/{daily}?limit=1",
            "/v1/nothing",
            "/v1/reports/other",
            "/v1/reports/other/details",
            "/v1/reports/tls-usage/details/ann@example.test",
        ],
    )
    .await?;
    state.keep_text("problems", &found);
    let first = state.get(JSON, "/v1/reports/tls-usage/details?limit=1").await?.ok()?;
    let cursor = first["next"].as_str().context("a cursor")?;
    let other = format!("/v1/reports/tls-usage/details?limit=1&sort=sender&cursor={cursor}");
    let other = state.get(JSON, &other).await?;
    let problem = other.problem(400)?;
    let told = problem.to_string().replace(cursor, "{cursor}");
    state.keep_text("problem-cursor-of-another-question", &pretty(&told));
    let post = state.app.send("POST", "/v1/insight", &json!({})).await?;
    state.keep("problem-method", &post);
    state.held()
}

#[tokio::test]
async fn wrong_bodies() -> Result<()> {
    let mut state = normal().await?;
    let requests = "/v1/report-requests";
    let wrong = |fields: Value| with(asked("tls-usage"), &fields);
    let fields = [
        json!({}),
        json!([]),
        json!({"view": "tls-usage"}),
        wrong(json!({"view": "volume"})),
        wrong(json!({"view": 7})),
        wrong(json!({"recipients": []})),
        wrong(json!({"recipients": "ann@example.test"})),
        wrong(json!({"recipients": ["ann"]})),
        wrong(json!({"recipients": ["ann@elsewhere.test"]})),
        wrong(json!({"recipients": vec!["ann@example.test"; 51]})),
        wrong(json!({"domain": "a b"})),
        wrong(json!({"name": "two\nlines"})),
        wrong(json!({"start": "2026-11-24", "end": "2026-11-20"})),
        wrong(json!({"end": "2026-11-25"})),
        wrong(json!({"schedule": "daily"})),
    ];
    let found = bodies(&state, "POST", requests, &fields).await?;
    state.keep_text("report-request-problems", &found);
    let wrong = |fields: Value| schedule(&fields);
    let fields = [
        wrong(json!({"name": ""})),
        wrong(json!({"frequency": "hourly"})),
        wrong(json!({"frequency": "weekly"})),
        wrong(json!({"weekday": "monday"})),
        wrong(json!({"frequency": "monthly", "day": 32})),
        wrong(json!({"day": 1})),
        wrong(json!({"time": "8:00"})),
        wrong(json!({"zone": "Berlin"})),
        wrong(json!({"first_date": "2026-02-29"})),
        wrong(json!({"expires": "2026-11-23"})),
        wrong(json!({"frequency": "monthly", "day": 30, "expires": "2026-11-29"})),
        wrong(json!({"paused": "yes"})),
        wrong(json!({"start": "2026-11-01"})),
    ];
    let found = bodies(&state, "POST", "/v1/schedules", &fields).await?;
    state.keep_text("schedule-problems", &found);
    let found = bodies(&state, "PUT", "/v1/schedules/{daily}", &fields[..2]).await?;
    state.keep_text("schedule-edit-problems", &found);

    let (json, key) = (("content-type", JSON), ("idempotency-key", "one"));
    let body = asked("tls-usage").to_string();
    for (what, headers, body) in [
        ("problem-no-json", vec![json], "{".to_owned()),
        ("problem-media-type", vec![("content-type", "text/plain")], body.clone()),
        ("problem-no-media-type", vec![], body.clone()),
        ("problem-too-large", vec![json], format!("\"{}\"", "x".repeat(1 << 20))),
        ("problem-key", vec![json, ("idempotency-key", "")], body.clone()),
        ("report-request-with-key", vec![json, key], body.clone()),
        ("problem-key-reused", vec![json, key], asked("sending-volume").to_string()),
    ] {
        let answer = sent(&state, requests, &headers, body).await?;
        state.keep(what, &answer);
    }
    let mailing = query::Mailing { requests_per_day: 1, ..tests::app::mailing() };
    state.app = state.app.with_mailing(mailing);
    let limited = sent(&state, requests, &[json], body).await?;
    state.keep("problem-no-more-today", &limited);
    state.held()
}
