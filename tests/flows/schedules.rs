//! Schedules: made and changed over HTTP, due by the clock, sent once.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::app::{App, NOW};
use tests::mail::{Letter, Post};

use crate::reports::app_with_mail;

const SCHEDULES: &str = "/v1/schedules";
const DAY: i64 = 86_400;

/// A daily report at a time of day.
pub(crate) fn daily(time: &str) -> Value {
    json!({"name": "Every day", "view": "tls-usage", "recipients": ["ann@example.test"],
        "frequency": "daily", "time": time})
}

fn with(mut body: Value, fields: &[(&str, Value)]) -> Value {
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    body
}

async fn make(app: &App, body: &Value) -> Result<Value> {
    let answer = app.send("POST", SCHEDULES, body).await?;
    let made = answer.ok()?;
    ensure!(answer.status == 201, "{}", answer.status);
    let id = made["id"].as_str().unwrap_or_default();
    ensure!(answer.headers["location"] == format!("{SCHEDULES}/{id}"));
    Ok(made)
}

fn path(schedule: &Value) -> String {
    format!("{SCHEDULES}/{}", schedule["id"].as_str().unwrap_or_default())
}

/// The ranges of all requests, oldest first.
async fn ranges(app: &App) -> Result<Vec<String>> {
    let page = app.get("/v1/report-requests").await?.ok()?;
    let requests = page["requests"].as_array().into_iter().flatten().rev();
    let range =
        |request: &Value| format!("{} {}", request["start"], request["end"]).replace('"', "");
    Ok(requests.map(range).collect())
}

#[tokio::test]
async fn a_schedule_sends_by_itself_and_tells_of_it() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let made = make(&app, &daily("13:00")).await?;
    assert_eq!((&made["state"], &made["zone"]), (&json!("active"), &json!("UTC")));
    assert_eq!(made["next_run"], "2026-11-24T13:00:00Z");
    assert_eq!(
        (&made["first_date"], &made["expires"]),
        (&json!("2026-11-24"), &json!("2027-11-24"))
    );
    assert_eq!(reporter.tick().await?.next, Some(NOW + 3600));
    app.clock().set(NOW + 3600);
    let summary = reporter.tick().await?;
    assert_eq!((summary.scheduled, summary.sent), (1, 1));
    let letter = Letter::read(&post.taken()[0].bytes)?;
    assert!(letter.subject.starts_with("Every day: "), "{}", letter.subject);
    assert!(letter.text.contains("sent on schedule"), "{}", letter.text);
    assert!(letter.files.contains_key("tls-usage_2026-11-23_2026-11-23.csv"), "yesterday");

    let list = app.get(SCHEDULES).await?.ok()?;
    let listed = &list["schedules"][0];
    assert_eq!(listed["next_run"], "2026-11-25T13:00:00Z");
    let run = &listed["last_run"];
    assert_eq!((&run["due"], &run["status"]), (&json!("2026-11-24T13:00:00Z"), &json!("sent")));
    let request = run["request"].as_str().context("a request")?;
    let request = app.get(&format!("/v1/report-requests/{request}")).await?.ok()?;
    assert_eq!(request["schedule"], listed["id"]);
    Ok(())
}

#[tokio::test]
async fn ticks_that_come_twice_late_and_in_parallel_send_once() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    make(&app, &daily("13:00")).await?;
    let reporters = (0..5).map(|_| app.reporter(Arc::new(post.clone())));
    let reporters: Vec<_> = reporters.collect::<Result<_>>()?;
    for late in [3600, 3601, 4500, 20_000] {
        app.clock().set(NOW + late);
        let ticks = reporters.iter().map(|reporter| reporter.tick());
        futures_util::future::try_join_all(ticks).await?;
    }
    assert_eq!(post.taken().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_doubted_makes_nothing_due() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let reporter = reporter.with_schedules_if(Arc::new(|now| now < NOW + 7 * DAY));
    make(&app, &daily("13:00")).await?;
    app.clock().set(NOW + 300 * DAY);
    reporter.tick().await?;
    assert_eq!(post.taken().len(), 0);
    app.clock().set(NOW + 3600);
    reporter.tick().await?;
    assert_eq!(post.taken().len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_ran_by_a_wrong_clock_gives_way_to_what_runs_by_the_right_one() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    make(&app, &daily("13:00")).await?;
    for (time, ran) in [(NOW + 300 * DAY, "2027-09-19"), (NOW + 3600, "2026-11-24")] {
        app.clock().set(time);
        reporter.tick().await?;
        let list = app.get(SCHEDULES).await?.ok()?;
        let due = list["schedules"][0]["last_run"]["due"].as_str().context("it ran")?;
        ensure!(due.starts_with(ran), "{due}");
    }
    assert_eq!(post.taken().len(), 2);
    Ok(())
}

#[tokio::test]
async fn after_an_outage_there_is_one_report_a_schedule() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    make(&app, &daily("13:00")).await?;
    make(&app, &with(daily("06:00"), &[("name", json!("Other"))])).await?;
    app.clock().set(NOW + 3600);
    reporter.tick().await?;
    assert_eq!(post.taken().len(), 1);
    app.clock().set(NOW + 20 * DAY);
    reporter.tick().await?;
    assert_eq!(post.taken().len(), 3);
    let ranges = ranges(&app).await?;
    assert_eq!(ranges[1..], ["2026-12-12 2026-12-12", "2026-12-13 2026-12-13"]);
    Ok(())
}

#[tokio::test]
async fn weekly_and_monthly_reports_cover_the_full_period_before() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let weekly = [("frequency", json!("weekly")), ("weekday", json!("thursday"))];
    let made = make(&app, &with(daily("07:30"), &weekly)).await?;
    assert_eq!(
        (&made["weekday"], &made["next_run"]),
        (&json!("thursday"), &json!("2026-11-26T07:30:00Z"))
    );
    let monthly = [("frequency", json!("monthly")), ("day", json!(31))];
    let made = make(&app, &with(daily("07:30"), &monthly)).await?;
    assert_eq!((&made["day"], &made["next_run"]), (&json!(31), &json!("2026-11-30T07:30:00Z")));
    let last =
        [("frequency", json!("monthly")), ("day", json!("last")), ("zone", json!("Asia/Tokyo"))];
    let made = make(&app, &with(daily("07:30"), &last)).await?;
    assert_eq!((&made["day"], &made["next_run"]), (&json!("last"), &json!("2026-11-30T00:00:00Z")));
    app.clock().set(NOW + 7 * DAY - 3600 * 12);
    reporter.tick().await?;
    let october = "2026-10-01 2026-10-31";
    assert_eq!(ranges(&app).await?, ["2026-11-19 2026-11-25", october, october]);
    Ok(())
}

#[tokio::test]
async fn schedules_are_edited_paused_and_deleted() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let made = make(&app, &with(daily("13:00"), &[("zone", json!("Europe/Berlin"))])).await?;
    let path = path(&made);
    assert_eq!(made["next_run"], "2026-11-25T12:00:00Z", "13:00 in Berlin is now, and over");

    // Other recipients and no zone: what was there stays.
    let edited = with(daily("13:00"), &[("recipients", json!(["bob@corp.test"]))]);
    let edited = app.send("PUT", &path, &edited).await?.ok()?;
    assert_eq!((&edited["zone"], &edited["created"]), (&made["zone"], &made["created"]));
    assert_eq!(edited["recipients"], json!(["bob@corp.test"]));

    let paused = with(daily("13:00"), &[("paused", json!(true))]);
    let paused = app.send("PUT", &path, &paused).await?.ok()?;
    assert_eq!((&paused["state"], &paused["next_run"]), (&json!("paused"), &Value::Null));
    app.clock().set(NOW + DAY + 60);
    assert_eq!(reporter.tick().await?.scheduled, 0);

    let resumed =
        app.send("PUT", &path, &with(daily("13:00"), &[("paused", json!(false))])).await?.ok()?;
    assert_eq!(resumed["next_run"], "2026-11-26T12:00:00Z");
    assert_eq!(reporter.tick().await?.scheduled, 0, "what was missed is not caught up on");
    app.clock().set(NOW + 2 * DAY);
    assert_eq!(reporter.tick().await?.scheduled, 1);
    let edited = app.send("PUT", &path, &daily("13:00")).await?.ok()?;
    let status = &edited["last_run"]["status"];
    assert_eq!(status, "sent_empty", "an edit does not forget the last run");

    let deleted = app.send("DELETE", &path, &json!({})).await?;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    app.get(&path).await?.problem(404)?;
    app.send("DELETE", &path, &json!({})).await?.problem(404)?;
    app.send("PUT", &path, &daily("13:00")).await?.problem(404)?;
    app.clock().set(NOW + 3 * DAY);
    assert_eq!(reporter.tick().await?.scheduled, 0);
    assert_eq!(app.get(SCHEDULES).await?.ok()?, json!({"schedules": []}));
    Ok(())
}

#[tokio::test]
async fn a_schedule_ends_on_its_last_day() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let made = make(&app, &with(daily("13:00"), &[("expires", json!("2026-11-25"))])).await?;
    for day in 0..4 {
        app.clock().set(NOW + 3600 + day * DAY);
        reporter.tick().await?;
    }
    assert_eq!(post.taken().len(), 2, "on the 24th and, included, the 25th");
    let expired = app.get(&path(&made)).await?.ok()?;
    assert_eq!((&expired["state"], &expired["next_run"]), (&json!("expired"), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn one_schedule_that_cannot_be_sent_does_not_hold_up_others() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    make(&app, &daily("13:00")).await?;
    make(&app, &with(daily("13:00"), &[("name", json!("Other"))])).await?;
    post.refuse_once(mailer::SendError::Permanent("SES answered MessageRejected".into()));
    app.clock().set(NOW + 3600);
    let summary = reporter.tick().await?;
    assert_eq!((summary.scheduled, summary.sent, summary.failed), (2, 1, 1));
    let list = app.get(SCHEDULES).await?.ok()?;
    let schedules = list["schedules"].as_array().context("schedules")?;
    let failed = schedules.iter().find(|one| one["last_run"]["status"] == "failed");
    let failed = failed.context("one that failed")?;
    assert_eq!(failed["last_run"]["reason"], "SES answered MessageRejected");
    Ok(())
}

#[tokio::test]
async fn wrong_schedules_are_told_what_is_wrong() -> Result<()> {
    let app = App::new().await?;
    for (field, fields, told) in [
        ("name", vec![("name", json!(""))], "needs a name"),
        ("view", vec![("view", json!("x"))], "sending-volume or tls-usage"),
        ("recipients", vec![("recipients", json!(["a@other.test"]))], "a@other.test"),
        ("frequency", vec![("frequency", json!("hourly"))], "daily, weekly or monthly"),
        ("frequency", vec![("frequency", Value::Null)], "daily, weekly or monthly"),
        ("weekday", vec![("frequency", json!("weekly"))], "monday to sunday"),
        ("weekday", vec![("frequency", json!("weekly")), ("weekday", json!("Mon"))], "monday to"),
        ("weekday", vec![("weekday", json!("monday"))], "only weekly"),
        ("day", vec![("frequency", json!("monthly"))], "1 to 31, or last"),
        ("day", vec![("frequency", json!("monthly")), ("day", json!(32))], "1 to 31, or last"),
        ("day", vec![("frequency", json!("monthly")), ("day", json!(1.5))], "1 to 31, or last"),
        ("day", vec![("day", json!(1))], "only monthly"),
        ("time", vec![("time", json!("8:00"))], "as in 08:00"),
        ("time", vec![("time", json!("24:00"))], "as in 08:00"),
        ("time", vec![("time", Value::Null)], "as in 08:00"),
        ("zone", vec![("zone", json!("Berlin"))], "Europe/Berlin"),
        ("first_date", vec![("first_date", json!("2026-02-29"))], "a date as in"),
        ("expires", vec![("expires", json!("2026-11-23"))], "before today"),
        (
            "expires",
            vec![("first_date", json!("2027-01-02")), ("expires", json!("2027-01-01"))],
            "first_date (2027-01-02)",
        ),
        (
            "expires",
            vec![
                ("frequency", json!("monthly")),
                ("day", json!(30)),
                ("expires", json!("2026-11-29")),
            ],
            "never be sent",
        ),
        ("paused", vec![("paused", json!("yes"))], "true or false"),
        ("start", vec![("start", json!("2026-11-01"))], "the fields here are name,"),
    ] {
        let problem =
            app.send("POST", SCHEDULES, &with(daily("08:00"), &fields)).await?.problem(400)?;
        assert_eq!(problem["parameter"], field, "{problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(told), "{field}: {detail}");
    }
    assert_eq!(app.get(SCHEDULES).await?.ok()?, json!({"schedules": []}));
    Ok(())
}

#[tokio::test]
async fn there_can_be_only_so_many() -> Result<()> {
    let app = App::new().await?;
    for _ in 0..250 {
        make(&app, &daily("08:00")).await?;
    }
    let problem = app.send("POST", SCHEDULES, &daily("08:00")).await?.problem(409)?;
    assert_eq!(problem["type"], "urn:smtp-auth-report:problem:too-many-schedules");
    Ok(())
}
