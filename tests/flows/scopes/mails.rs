//! Reports by mail within a scope: what they hold, and who sees and changes what was asked for.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use query::{Mailing, Visitor};
use report::Scope;
use serde_json::{Value, json};
use tests::app::{Answer, App, NOW, mailing};
use tests::mail::{Letter, Post};

use super::{bound, of};
use crate::reports::{app_with_mail, inserted};
use crate::schedules::daily;

const REQUESTS: &str = "/v1/report-requests";
const SCHEDULES: &str = "/v1/schedules";

fn request(recipient: &str) -> Value {
    json!({"view": "tls-usage", "recipients": [recipient]})
}

fn id(made: &Value) -> Result<String> {
    Ok(made["id"].as_str().context("an id")?.to_owned())
}

/// How many of them a visitor sees.
async fn seen(app: &App, visitor: &Visitor, list: &str, name: &str) -> Result<usize> {
    let page = app.get_as(visitor, list).await?.ok()?;
    Ok(page[name].as_array().context("a list")?.len())
}

async fn placed(app: &App, visitor: &Visitor, key: &str, body: &Value) -> Result<Answer> {
    let request = Request::post(REQUESTS).extension(visitor.clone());
    let request = request.header("content-type", "application/json").header("idempotency-key", key);
    app.ask(request.body(Body::from(body.to_string()))?).await
}

/// The domains of a mail's detailed file, and its messages.
fn held(letter: &Letter) -> Result<(Vec<String>, u64)> {
    let rows = letter.rows("detailed")?;
    let domain = |sender: &str| sender.rsplit('@').next().unwrap_or_default().to_owned();
    let mut domains: Vec<_> = rows.iter().map(|row| domain(&row[1])).collect();
    domains.sort();
    domains.dedup();
    assert_eq!(letter.messages("detailed")?, letter.messages("tls-usage")?);
    Ok((domains, letter.messages("detailed")?))
}

#[tokio::test]
async fn a_mail_holds_what_lies_in_the_scope_of_who_asked_for_it() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let own = bound(of(&["corp.test", "nobody.test"]));
    let chart = app.get_as(&own, "/v1/reports/tls-usage").await?.ok()?;
    let mut asked = vec![(request("bob@corp.test"), 1)];
    for (domain, held) in [("corp.test", 1), ("example.test", 0), ("nobody.test", 0)] {
        let mut body = request("bob@corp.test");
        body["domain"] = json!(domain);
        asked.push((body, held));
    }
    for (body, domains) in asked {
        let made = app.send_as(&own, "POST", REQUESTS, &body).await?.ok()?;
        assert_eq!(made["scope"], json!(["corp.test", "nobody.test"]));
        reporter.handle(&inserted(&id(&made)?)).await?;
        let letter = Letter::read(&post.taken().pop().context("a mail")?.bytes)?;
        let expected = if domains == 1 { chart["total"].as_u64().context("a total")? } else { 0 };
        let held = held(&letter)?;
        assert_eq!((held.0.len(), held.1), (domains, expected), "{body}");
        assert!(held.0.iter().all(|domain| domain == "corp.test"), "{body}");
        for text in [&letter.text, &letter.html] {
            assert!(!text.contains("@example.test") && !text.contains("all sender domains"));
        }
        let status = if domains == 1 { "sent" } else { "sent_empty" };
        let made = app.get_as(&own, &format!("{REQUESTS}/{}", id(&made)?)).await?.ok()?;
        assert_eq!(made["status"], status);
    }
    Ok(())
}

#[tokio::test]
async fn a_request_is_seen_by_those_whose_scope_it_lies_in() -> Result<()> {
    let app = App::new().await?;
    let (one, two) = (bound(of(&["corp.test"])), bound(of(&["example.test"])));
    let (both, free) = (bound(of(&["corp.test", "example.test"])), bound(Scope::All));
    let ann = request("ann@example.test");
    for _ in 0..3 {
        app.send_as(&free, "POST", REQUESTS, &ann).await?.ok()?;
        app.send_as(&two, "POST", REQUESTS, &ann).await?.ok()?;
    }
    let made = app.send_as(&one, "POST", REQUESTS, &request("bob@corp.test")).await?.ok()?;
    app.send_as(&both, "POST", REQUESTS, &ann).await?.ok()?;
    for (visitor, expected) in [(&one, 1), (&two, 3), (&both, 5), (&free, 8)] {
        assert_eq!(seen(&app, visitor, REQUESTS, "requests").await?, expected);
        // Page by page it is the same.
        let (mut path, mut paged) = (format!("{REQUESTS}?limit=1"), 0);
        loop {
            let page = app.get_as(visitor, &path).await?.ok()?;
            paged += page["requests"].as_array().context("requests")?.len();
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{REQUESTS}?limit=1&cursor={next}");
        }
        assert_eq!(paged, expected);
    }
    let path = format!("{REQUESTS}/{}", id(&made)?);
    for (visitor, status) in [(&one, 200), (&two, 404), (&both, 200), (&free, 200)] {
        assert_eq!(app.get_as(visitor, &path).await?.status.as_u16(), status);
        let page = path.trim_start_matches("/v1");
        assert_eq!(app.get_as(visitor, page).await?.status.as_u16(), status);
    }
    assert_eq!(app.get_as(&free, &path).await?.ok()?["scope"], json!(["corp.test"]));
    Ok(())
}

#[tokio::test]
async fn recipients_keys_and_limits_are_a_scopes_own() -> Result<()> {
    let app = App::new().await?.with_mailing(Mailing { requests_per_day: 2, ..mailing() });
    let (one, two, free) =
        (bound(of(&["corp.test"])), bound(of(&["example.test"])), bound(Scope::All));
    // Where else reports may go, nobody is told.
    let known = app.send_as(&one, "POST", REQUESTS, &request("ann@example.test")).await?;
    let known = known.problem(400)?.to_string();
    let strange = app.send_as(&one, "POST", REQUESTS, &request("ann@nobody.test")).await?;
    let strange = strange.problem(400)?.to_string();
    assert_eq!(known.replace("example.test", "nobody.test"), strange);
    let nothing = bound(Scope::NOTHING);
    app.send_as(&nothing, "POST", REQUESTS, &request("ann@example.test")).await?.problem(400)?;
    // The same key is another's.
    let bob = request("bob@corp.test");
    let made = placed(&app, &one, "key", &bob).await?.ok()?;
    assert_eq!(placed(&app, &one, "key", &bob).await?.ok()?["id"], made["id"]);
    placed(&app, &one, "key", &request("ben@corp.test")).await?.problem(422)?;
    for visitor in [&two, &free] {
        let other = placed(&app, visitor, "key", &request("ann@example.test")).await?.ok()?;
        assert_ne!(other["id"], made["id"]);
    }
    // So is a day's number.
    placed(&app, &one, "second", &bob).await?.ok()?;
    placed(&app, &one, "third", &bob).await?.problem(429)?;
    for visitor in [&two, &free] {
        app.send_as(visitor, "POST", REQUESTS, &request("ann@example.test")).await?.ok()?;
        app.send_as(visitor, "POST", REQUESTS, &request("ann@example.test")).await?.problem(429)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_schedule_keeps_the_scope_of_who_made_it() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let (one, two) = (bound(of(&["corp.test"])), bound(of(&["example.test"])));
    let free = bound(Scope::All);
    let mut body = daily("13:00");
    body["recipients"] = json!(["bob@corp.test"]);
    let made = app.send_as(&one, "POST", SCHEDULES, &body).await?.ok()?;
    assert_eq!(made["scope"], json!(["corp.test"]));
    let free_made = app.send_as(&free, "POST", SCHEDULES, &daily("14:00")).await?.ok()?;
    assert_eq!(free_made["scope"], Value::Null);
    let path = format!("{SCHEDULES}/{}", id(&made)?);
    for (visitor, expected) in [(&one, 1), (&two, 0), (&free, 2)] {
        assert_eq!(seen(&app, visitor, SCHEDULES, "schedules").await?, expected);
    }
    // For others it is as if there were none.
    let page = path.trim_start_matches("/v1").to_owned();
    let gone = format!("{SCHEDULES}/{}", super::NOBODY);
    for strange in [&path, &format!("{SCHEDULES}/{}", id(&free_made)?)] {
        let stranger = if *strange == path { &two } else { &one };
        for method in ["GET", "PUT", "DELETE"] {
            let told = async |path: &str| {
                let answer = app.send_as(stranger, method, path, &daily("15:00")).await?;
                Ok::<_, anyhow::Error>((answer.status, String::from_utf8(answer.body)?))
            };
            let mut expected = told(&gone).await?;
            expected.1 = expected.1.replace(&gone, strange);
            // Of a method with a body, that is looked at after the schedule.
            assert_eq!(told(strange).await?, expected, "{method}");
        }
        assert_eq!(app.get_as(&two, &page).await?.status, 404);
    }
    // An edit by somebody who may know of more does not widen it.
    let edited = app.send_as(&free, "PUT", &path, &daily("13:00")).await?.ok()?;
    assert_eq!(edited["scope"], json!(["corp.test"]));
    app.clock().set(NOW + 3600);
    assert_eq!(reporter.tick().await?.sent, 1);
    let letter = Letter::read(&post.taken().pop().context("a mail")?.bytes)?;
    assert_eq!(held(&letter)?.0, ["corp.test"]);
    let shown = app.get_as(&one, &path).await?.ok()?;
    assert_eq!(shown["last_run"]["status"], "sent");
    assert_eq!(seen(&app, &one, REQUESTS, "requests").await?, 1);
    assert_eq!(seen(&app, &two, REQUESTS, "requests").await?, 0);
    assert_eq!(app.send_as(&one, "DELETE", &path, &json!({})).await?.status, 204);
    assert_eq!(seen(&app, &free, SCHEDULES, "schedules").await?, 1);
    Ok(())
}
