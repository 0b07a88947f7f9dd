//! What the dashboard's forms do, and what comes of it.

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tests::app::{Answer, App};
use url::form_urlencoded::Serializer;

use super::{between, page};
use crate::reports::app_with_mail;

/// Sends a form as a page of the service does.
async fn send(app: &App, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    send_from(app, path, fields, &[("sec-fetch-site", "same-origin")]).await
}

async fn send_from(
    app: &App,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Result<Answer> {
    let mut request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("host", "127.0.0.1:8025");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    app.ask(request.body(Body::from(body))?).await
}

fn location(answer: &Answer) -> Result<String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", String::from_utf8_lossy(&answer.body));
    Ok(answer.headers.get("location").context("a place")?.to_str()?.to_owned())
}

async fn requests(app: &App) -> Result<Value> {
    Ok(app.get("/v1/report-requests").await?.ok()?["requests"].clone())
}

async fn schedules(app: &App) -> Result<Value> {
    Ok(app.get("/v1/schedules").await?.ok()?["schedules"].clone())
}

const REQUEST: [(&str, &str); 7] = [
    ("token", "one"),
    ("view", "tls-usage"),
    ("start", "2026-11-10"),
    ("end", "2026-11-20"),
    ("domain", ""),
    ("recipients", "ann@example.test\r\nbob@corp.test"),
    ("name", ""),
];

#[tokio::test]
async fn forms_of_other_sites_do_nothing() -> Result<()> {
    let app = App::new().await?;
    let kept = json!({"name": "Weekly", "view": "tls-usage", "frequency": "daily", "time": "08:00",
        "recipients": ["ann@example.test"]});
    let schedule = app.send("POST", "/v1/schedules", &kept).await?.ok()?;
    let id = schedule["id"].as_str().context("an id")?;
    let before = schedules(&app).await?;
    let paths = [
        "/report-requests".to_owned(),
        "/schedules".to_owned(),
        format!("/schedules/{id}"),
        format!("/schedules/{id}/pause"),
        format!("/schedules/{id}/resume"),
        format!("/schedules/{id}/delete"),
    ];
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8025")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        for path in &paths {
            let answer = send_from(&app, path, &REQUEST, headers).await?;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(String::from_utf8_lossy(&answer.body).contains("another site"));
        }
    }
    assert_eq!((requests(&app).await?, schedules(&app).await?), (json!([]), before));
    let own = send_from(&app, &paths[3], &[], &[("origin", "http://127.0.0.1:8025")]).await?;
    assert_eq!(location(&own)?, "/schedules?done=paused");
    Ok(())
}

#[tokio::test]
async fn a_form_sent_twice_asks_once() -> Result<()> {
    let app = App::new().await?;
    let first = location(&send(&app, "/report-requests", &REQUEST).await?)?;
    let again = location(&send(&app, "/report-requests", &REQUEST).await?)?;
    assert_eq!(first, again);
    let asked = requests(&app).await?;
    assert_eq!(asked.as_array().map(Vec::len), Some(1));
    assert_eq!(asked[0]["recipients"], json!(["ann@example.test", "bob@corp.test"]));
    assert_eq!((&asked[0]["start"], &asked[0]["domain"]), (&json!("2026-11-10"), &Value::Null));
    assert!(page(&app, &first).await?.text()?.contains("data-live"), "it can still change");
    // Gone back, changed, and sent from the same page.
    let mut changed = REQUEST;
    changed[6].1 = "Another";
    assert_ne!(location(&send(&app, "/report-requests", &changed).await?)?, first);
    assert_eq!(requests(&app).await?.as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn a_form_keeps_what_was_typed_and_tells_what_is_wrong() -> Result<()> {
    let app = App::new().await?;
    let evil = "\"><script>alert(1)</script>";
    for (field, value, told) in [
        ("view", "volume", "It must be sending-volume or tls-usage."),
        ("start", "2026-11-21", "Start 2026-11-21 lies after end 2026-11-20"),
        ("start", "yesterday", "It must be a date as in 2026-11-23."),
        ("end", "2026-12-24", "lies in the future"),
        ("recipients", "", "There must be at least one."),
        ("recipients", "ann@elsewhere.test", "is not in a domain that reports may be sent to"),
        ("recipients", evil, "is no mail address"),
        ("domain", evil, "It must be a domain"),
        ("name", &"x".repeat(101), "at most 100 characters"),
    ] {
        let mut fields = REQUEST;
        for (name, typed) in &mut fields {
            if *name == field {
                *typed = value;
            }
        }
        let answer = send(&app, "/report-requests", &fields).await?;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}={value}");
        let text = String::from_utf8(answer.body)?;
        assert!(text.contains(told), "{field}={value}: {told}\n{text}");
        assert!(text.contains(&format!("id=\"{field}-fault\"")), "{field}");
        assert!(!text.contains("<script>"), "{field}");
        for (name, typed) in
            fields.iter().filter(|(name, _)| !["view", "recipients"].contains(name))
        {
            let typed = typed.replace('"', "&#34;").replace('<', "&#60;").replace('>', "&#62;");
            let kept = text.contains(&format!("value=\"{typed}\""));
            // A domain that cannot be is none to choose.
            assert!(kept || *name == "domain", "{field}: {name}={typed}\n{text}");
        }
    }
    assert_eq!(requests(&app).await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_daily_schedule_ignores_the_days_that_it_does_not_need() -> Result<()> {
    let app = App::new().await?;
    let mut fields = vec![
        ("name", "Every morning"),
        ("view", "sending-volume"),
        ("domain", "example.test"),
        ("recipients", "ann@example.test"),
        ("frequency", "daily"),
        ("weekday", "monday"),
        ("day", "31"),
        ("time", "07:30"),
        ("zone", "Asia/Tokyo"),
        ("first_date", ""),
        ("expires", ""),
    ];
    assert_eq!(location(&send(&app, "/schedules", &fields).await?)?, "/schedules?done=created");
    let made = schedules(&app).await?[0].clone();
    assert_eq!(
        (&made["frequency"], &made["weekday"], &made["day"]),
        (&json!("daily"), &Value::Null, &Value::Null)
    );
    let text = page(&app, "/schedules").await?.text()?;
    assert!(text.contains("Every day at 07:30, Asia/Tokyo"), "{text}");
    // An edit keeps whether it is paused, and what the form leaves out.
    let place = format!("/schedules/{}", made["id"].as_str().context("an id")?);
    location(&send(&app, &format!("{place}/pause"), &[]).await?)?;
    fields[4].1 = "monthly";
    assert_eq!(location(&send(&app, &place, &fields).await?)?, "/schedules?done=saved");
    let edited = schedules(&app).await?[0].clone();
    assert_eq!((&edited["day"], &edited["paused"]), (&json!(31), &json!(true)));
    assert_eq!(edited["expires"], made["expires"]);
    let form = page(&app, &place).await?.text()?;
    assert!(form.contains("<option value=\"31\" selected>") && form.contains("value=\"07:30\""));
    location(&send(&app, &format!("{place}/delete"), &[]).await?)?;
    for gone in [place.clone(), format!("{place}/delete")] {
        assert_eq!(page(&app, &gone).await?.status, StatusCode::NOT_FOUND);
        assert_eq!(send(&app, &gone, &fields).await?.status, StatusCode::NOT_FOUND);
    }
    Ok(())
}

#[tokio::test]
async fn a_schedule_sent_twice_is_made_once() -> Result<()> {
    let app = App::new().await?;
    let form = page(&app, "/schedules/new?view=tls-usage").await?.text()?;
    let token = between(&form, "name=\"token\" value=\"", "\"").next().context("a token")?;
    let mut fields = vec![
        ("token", token),
        ("name", "Every morning"),
        ("view", "tls-usage"),
        ("recipients", "ann@example.test"),
        ("frequency", "daily"),
        ("time", "08:00"),
    ];
    let sent = (0..4).map(|_| send(&app, "/schedules", &fields));
    for answer in futures_util::future::try_join_all(sent).await? {
        assert_eq!(location(&answer)?, "/schedules?done=created");
    }
    location(&send(&app, "/schedules", &fields).await?)?;
    assert_eq!(schedules(&app).await?.as_array().map(Vec::len), Some(1));
    // Gone back, changed and sent: that is another one.
    fields[1].1 = "Every morning, too";
    location(&send(&app, "/schedules", &fields).await?)?;
    assert_eq!(schedules(&app).await?.as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn what_is_gone_is_not_linked_to() -> Result<()> {
    let app = App::new().await?;
    let place = location(&send(&app, "/report-requests", &REQUEST).await?)?;
    let view = "href=\"/reports/tls-usage?start=2026-11-10&#38;end=2026-11-20\"";
    assert!(page(&app, &place).await?.text()?.contains(view));
    let day = 86_400;
    app.clock().set(tests::app::NOW + 80 * day);
    let text = page(&app, &place).await?.text()?;
    assert!(text.contains("start=2026-11-15&#38;end=2026-11-20"), "{text}");
    app.clock().set(tests::app::NOW + 87 * day);
    let text = page(&app, &place).await?.text()?;
    assert!(!text.contains("View report"), "{text}");
    let again = between(&text, "class=\"button\" href=\"", "\"").next().context("again")?;
    let form = page(&app, &again.replace("&#38;", "&")).await?.text()?;
    assert!(form.contains("name=\"end\" value=\"2027-02-19\""), "{form}");
    Ok(())
}

#[tokio::test]
async fn forms_carry_table_and_filters_of_the_page_that_they_were_opened_from() -> Result<()> {
    let app = app_with_mail().await?;
    let asked = "group=account&tls=TLS1.0&tls=none&off=LOGIN&off=basic&country=DE&domain=corp.test";
    let page = app.get(&format!("/reports/tls-usage/details?{asked}")).await?.text()?;
    let opened = "/schedules/new?view=tls-usage&#38;group=account&#38;domain=corp.test&#38;tls=TLS1.0&#38;\
                  tls=none&#38;country=DE&#38;off=LOGIN%2Cbasic";
    assert!(page.contains(opened), "{page}");
    let form = app.get(&opened.replace("&#38;", "&")).await?.text()?;
    for field in [
        "value=\"account\" selected",
        "name=\"tls\" value=\"TLS1.0\" checked",
        "name=\"tls\" value=\"none\" checked",
        "name=\"off\" value=\"LOGIN\" checked",
        "name=\"off\" value=\"basic\" checked",
        "name=\"country\" value=\"DE\" checked",
        "Refused without: basic",
    ] {
        assert!(form.contains(field), "{field}: {form}");
    }
    // One is unticked.
    let sent = [
        ("name", "Legacy"),
        ("view", "tls-usage"),
        ("group", "account"),
        ("tls", "TLS1.0"),
        ("tls", "none"),
        ("off", "LOGIN"),
        ("off", "basic"),
        ("recipients", "ann@example.test"),
        ("frequency", "daily"),
        ("time", "08:00"),
    ];
    assert_eq!(send(&app, "/schedules", &sent).await?.status, StatusCode::SEE_OTHER);
    let made = &schedules(&app).await?[0];
    let filter = json!({"tls": ["TLS1.0", "none"], "off": ["LOGIN", "basic"]});
    assert_eq!((&made["group"], &made["filter"]), (&json!("account"), &filter));
    let list = app.get("/schedules").await?.text()?;
    assert!(
        list.contains("by account; Refused without LOGIN, basic; TLS version TLS1.0, none"),
        "{list}"
    );
    // What it is narrowed to is in the form that edits it.
    let path = format!("/schedules/{}", made["id"].as_str().context("an id")?);
    let form = app.get(&path).await?.text()?;
    assert!(form.contains("name=\"tls\" value=\"none\" checked"), "{form}");
    let wrong = sent.map(|(name, value)| (name, value.replace("TLS1.0", "TLS9")));
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    let wrong = send(&app, "/schedules", &wrong).await?;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let told = String::from_utf8(wrong.body)?;
    assert!(told.contains("TLS version: TLS9") && told.contains("must be one of"), "{told}");
    Ok(())
}
