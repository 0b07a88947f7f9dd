//! Mutes: what they silence, for whom they are, and that what they silenced is back.

use anyhow::{Context as _, Result, ensure};
use axum::http::StatusCode;
use detect::{Mute, Muted};
use detector::{Detector, Settings};
use query::{Role, Visitor};
use report::Scope;
use serde_json::{Value, json};
use tests::app::{App, NOW};
use tests::audit::audited;
use tests::fault;
use tests::mail::Letter;

use super::{DAY, PATH, STOLEN, alerts, by_mail, judged, page, send, stolen, today};
use crate::scopes::{bound, of};

const MUTES: &str = "/v1/mutes";

/// Mutes the stolen account, and gives the mute's id.
async fn mute(app: &App, more: &Value) -> Result<String> {
    let mut body = json!({"account": STOLEN, "reason": "he <b>travels</b>"});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let made = app.send("POST", MUTES, &body).await?;
    assert_eq!(made.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&made.body));
    Ok(made.ok()?["id"].as_str().context("an id")?.to_owned())
}

async fn mutes(app: &App) -> Result<Vec<Value>> {
    Ok(app.get(MUTES).await?.ok()?["mutes"].as_array().context("mutes")?.clone())
}

/// Whether the stolen account's alert is told of: on the overview, in its title and the navigation, and to scripts.
async fn is_told(app: &App) -> Result<bool> {
    let (id, alert) = stolen(app).await?;
    let reason = alert["reason"].as_str().context("a reason")?;
    let open = alerts(app, "").await?;
    let is_listed = |listed: &[Value]| listed.iter().any(|one| one["id"] == id.as_str());
    let told = is_listed(&open);
    let overview = page(app, "/").await?;
    ensure!(overview.contains(&format!("<title>({}) Overview", open.len())), "{overview}");
    let need = match open.len() {
        1 => "1 alert needs attention".to_owned(),
        more => format!("{more} alerts need attention"),
    };
    ensure!(overview.contains(&need), "{overview}");
    assert_eq!(overview.contains(reason), told, "{overview}");
    assert_eq!(overview.contains("1 alert is muted"), !told, "{overview}");
    assert_eq!(is_listed(&alerts(app, "status=open").await?), told);
    assert_eq!(is_listed(&alerts(app, "status=muted").await?), !told);
    assert_eq!((&alert["muted"], &alert["status"]), (&json!(!told), &json!("open")));
    for (path, shown) in [("/alerts", told), ("/alerts?status=muted", !told)] {
        assert_eq!(page(app, path).await?.contains(reason), shown, "{path}");
    }
    let csv = app.get(&format!("{PATH}?format=csv&status=all&account={STOLEN}")).await?.text()?;
    ensure!(csv.lines().nth(1).context("a line")?.ends_with(if told { "no" } else { "yes" }));
    Ok(told)
}

#[tokio::test]
async fn what_is_muted_needs_no_attention_until_the_mute_is_removed_or_has_ended() -> Result<()> {
    let app = judged().await?;
    ensure!(page(&app, "/mutes").await?.contains("Nothing is muted"));
    ensure!(is_told(&app).await?);
    let id = mute(&app, &json!({})).await?;
    ensure!(!is_told(&app).await?);
    let [listed] = mutes(&app).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    assert_eq!(
        (&listed["account"], &listed["kind"], &listed["until"]),
        (&json!(STOLEN), &Value::Null, &json!(today() + chrono::Days::new(30)))
    );
    // Resolved it is over, and open again as muted as before.
    let path = format!("{PATH}/{}/status", stolen(&app).await?.0);
    let resolved = json!({"status": "resolved", "resolution": "unclear"});
    assert_eq!(app.send("POST", &path, &resolved).await?.ok()?["muted"], false);
    assert_eq!(alerts(&app, "status=resolved").await?.len(), 1);
    assert_eq!(app.send("POST", &path, &json!({"status": "open"})).await?.ok()?["muted"], true);
    // Judged again, it stays so.
    super::detector(&app, &app.store).run(today(), NOW + 60).await?;
    ensure!(!is_told(&app).await?);
    let gone = app.send("DELETE", &format!("{MUTES}/{id}"), &Value::Null).await?;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    app.send("DELETE", &format!("{MUTES}/{id}"), &Value::Null).await?.problem(404)?;
    ensure!(is_told(&app).await?);
    // Of one thing there is one mute: the last that was said of it.
    mute(&app, &json!({"until": today() + chrono::Days::new(3)})).await?;
    let ends_today = json!({"until": today(), "account": STOLEN.to_uppercase()});
    let id = mute(&app, &ends_today).await?;
    assert_eq!(mutes(&app).await?.len(), 1);
    ensure!(!is_told(&app).await?);
    app.clock().set(NOW + DAY);
    assert_eq!(mutes(&app).await?, Vec::<Value>::new());
    app.send("DELETE", &format!("{MUTES}/{id}"), &Value::Null).await?.problem(404)?;
    ensure!(is_told(&app).await?, "it has ended");
    Ok(())
}

#[tokio::test]
async fn a_kind_a_network_and_a_sender_are_muted_where_they_are_all_there_is() -> Result<()> {
    let app = judged().await?;
    let (id, alert) = stolen(&app).await?;
    let case = app.store.alerts().all().await?;
    let case = case.cases.iter().find(|case| case.alert.id == id).context("the case")?;
    for field in Muted::FIELDS {
        let all = Muted::of(case).into_iter().filter(|what| what.field() == field);
        let mut made = Vec::new();
        for what in all {
            let body = json!({field: what.to_string(), "reason": "all of these"});
            made.push(app.send("POST", MUTES, &body).await?.ok()?["id"].clone());
        }
        let one = app.get(&format!("{PATH}/{id}")).await?.ok()?;
        let is_there = match field {
            "network" => alert["evidence"]["clients"].as_array(),
            _ => None,
        };
        // Whoever sends from a strange address may send as anybody.
        let is_there = field != "sender" && is_there.is_none_or(|all| (1..20).contains(&all.len()));
        assert_eq!(one["muted"], json!(is_there), "{field}: {one}");
        for id in made {
            let path = format!("{MUTES}/{}", id.as_str().context("an id")?);
            app.send("DELETE", &path, &Value::Null).await?;
        }
        assert_eq!(app.get(&format!("{PATH}/{id}")).await?.ok()?["muted"], false);
    }
    Ok(())
}

#[tokio::test]
async fn an_alert_is_muted_and_unmuted_on_its_page() -> Result<()> {
    let app = judged().await?;
    let (id, _) = stolen(&app).await?;
    let (own, form) = (format!("/alerts/{id}"), format!("/alerts/{id}/mute"));
    let account = Muted::read("account", STOLEN).map_err(anyhow::Error::msg)?.id();
    let text = page(&app, &own).await?;
    ensure!(text.contains(&format!("<option value=\"{account}\">Account: {STOLEN}")), "{text}");
    ensure!(!text.contains("is muted until"), "{text}");
    let until = (today() + chrono::Days::new(30)).to_string();
    ensure!(text.contains(&format!("value=\"{until}\" required")), "{text}");
    for (what, until, reason, fault) in [
        (account.as_str(), until.as_str(), "", "reason"),
        (&account, "2026-11-23", "why", "until"),
        (&account, "2028-11-23", "why", "until"),
        ("none", &until, "why", "what"),
    ] {
        let fields = [("what", what), ("until", until), ("reason", reason)];
        let refused = send(&app, &form, &fields).await?;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let again = String::from_utf8(refused.body)?;
        ensure!(again.contains(&format!("id=\"{fault}-fault\"")), "{fault}: {again}");
        ensure!(again.contains(&format!("name=\"reason\" value=\"{reason}\"")), "{again}");
    }
    assert_eq!(mutes(&app).await?, Vec::<Value>::new());
    let fields = [("what", account.as_str()), ("until", &until), ("reason", "he <b>travels</b>")];
    let gone = send(&app, &form, &fields).await?;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    ensure!(!is_told(&app).await?);
    let text = page(&app, &format!("{own}?done=muted")).await?;
    for told in ["Open, muted", "is muted until 24 Dec 2026 by <bdi>a manager</bdi>", "Unmute"] {
        ensure!(text.contains(told), "{told}: {text}");
    }
    let list = page(&app, "/mutes").await?;
    ensure!(list.contains("24 Dec 2026") && list.contains("travels"), "{list}");
    for text in [&text, &list] {
        ensure!(!text.contains("<b>travels"), "{text}");
    }
    // The page leads back to where its button was.
    let end = format!("/mutes/{account}/end");
    for (from, to) in
        [(id.as_str(), format!("{own}?done=unmuted")), ("//x", "/mutes?done=ended".to_owned())]
    {
        let gone = send(&app, &end, &[("alert", from)]).await?;
        assert_eq!(gone.headers["location"].to_str()?, to);
        ensure!(is_told(&app).await?);
        page(&app, &to).await?;
        mute(&app, &json!({})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_muted_is_told() -> Result<()> {
    let app = App::new().await?;
    for (body, field) in [
        (json!({"reason": "why"}), "account"),
        (json!({"account": "ann"}), "reason"),
        (json!({"account": "ann", "reason": " "}), "reason"),
        (json!({"account": "ann", "reason": "two\nlines"}), "reason"),
        (json!({"account": "ann", "reason": "x".repeat(201)}), "reason"),
        (json!({"account": " ", "reason": "why"}), "account"),
        (json!({"account": 7, "reason": "why"}), "account"),
        (json!({"account": "ann", "sender": "ann", "reason": "why"}), "sender"),
        (json!({"kind": "x", "reason": "why"}), "kind"),
        (json!({"network": "here", "reason": "why"}), "network"),
        (json!({"network": "203.0.113.0/33", "reason": "why"}), "network"),
        (json!({"account": "ann", "reason": "why", "until": "tomorrow"}), "until"),
        (json!({"account": "ann", "reason": "why", "until": "2026-11-23"}), "until"),
        (json!({"account": "ann", "reason": "why", "until": "2027-11-25"}), "until"),
        (json!({"account": "ann", "reason": "why", "by": "me"}), "by"),
    ] {
        let problem = app.send("POST", MUTES, &body).await?.problem(400)?;
        assert_eq!(problem["parameter"], field, "{body}");
    }
    app.get(&format!("{MUTES}?limit=1")).await?.problem(400)?;
    app.send("DELETE", &format!("{MUTES}/none"), &Value::Null).await?.problem(404)?;
    let alerts = app.store.alerts();
    for number in 0..199 {
        alerts.mute(&of_account(&format!("a{number}")), 200, today()).await?;
    }
    let body = |account: &str| json!({"account": account, "reason": "why", "until": "2027-11-24"});
    app.send("POST", MUTES, &body("one")).await?.ok()?;
    let problem = app.send("POST", MUTES, &body("more")).await?.problem(409)?;
    assert_eq!(problem["type"], "urn:smtp-auth-report:problem:too-many-mutes");
    app.send("POST", MUTES, &body("ONE")).await?.ok()?;
    assert_eq!(mutes(&app).await?.len(), 200);
    Ok(())
}

/// A mute of an account until tomorrow.
fn of_account(name: &str) -> Mute {
    let what = Muted::Account(name.to_owned());
    let (reason, by) = ("why".to_owned(), "ann".to_owned());
    Mute { id: what.id(), what, until: today() + chrono::Days::new(1), reason, by, at: NOW }
}

#[tokio::test]
async fn those_who_mute_judge_and_decide_at_once_undo_nothing_of_each_other() -> Result<()> {
    let app = super::unjudged().await?;
    let (one, other) = (app.store.alerts(), app.store.alerts());
    // Both know what there is before either writes.
    one.all().await?;
    other.all().await?;
    let mut detector = super::detector(&app, &app.store);
    let (mutes_of_one, mutes_of_other) = (of_account("one"), of_account("other"));
    let more = json!({});
    let (first, second, third, judged) = tokio::join!(
        one.mute(&mutes_of_one, 200, today()),
        other.mute(&mutes_of_other, 200, today()),
        mute(&app, &more),
        detector.run(today(), NOW),
    );
    ensure!(first? && second?, "both are written");
    third?;
    judged?;
    assert_eq!(mutes(&app).await?.len(), 3);
    ensure!(!is_told(&app).await?);
    let (first, second) = tokio::join!(
        one.unmute(&mutes_of_one.id, today()),
        other.unmute(&mutes_of_one.id, today())
    );
    assert_eq!([first?, second?].iter().flatten().count(), 1, "one of them is told so");
    assert_eq!(mutes(&app).await?.len(), 2);
    // Whoever dies has muted or has not.
    let store = fault::store_that_dies(&app.engine, store::Writing::Transactions, 0);
    ensure!(store.alerts().mute(&mutes_of_one, 200, today()).await.is_err(), "it dies");
    ensure!(mutes(&app).await?.len() >= 2);
    Ok(())
}

#[tokio::test]
async fn readers_see_mutes_managers_make_them_and_who_is_bound_learns_nothing() -> Result<()> {
    let app = judged().await?;
    let (id, _) = stolen(&app).await?;
    let manager = bound(Scope::All);
    let reader = Visitor { role: Role::Reader, ..manager.clone() };
    let own = bound(of(&["harbor.test"]));
    let body = json!({"account": STOLEN, "reason": "why"});
    app.send_as(&reader, "POST", MUTES, &body).await?.problem(403)?;
    let (refused, told) = audited(app.send_as(&own, "POST", MUTES, &body)).await?;
    refused.problem(403)?;
    ensure!(told.is_empty(), "{told:?}");
    let (made, told) = audited(app.send_as(&manager, "POST", MUTES, &body)).await?;
    let made = made.ok()?;
    assert_eq!(made["by"], "ann");
    let [told] = told.try_into().map_err(|told| anyhow::anyhow!("{told:?}"))?;
    let expected = (json!("alerts muted"), json!(format!("account {STOLEN}")));
    assert_eq!((&told["action"], &told["id"]), (&expected.0, &expected.1));
    let path = format!("{MUTES}/{}", made["id"].as_str().context("an id")?);
    app.send_as(&reader, "DELETE", &path, &Value::Null).await?.problem(403)?;
    app.send_as(&own, "DELETE", &path, &Value::Null).await?.problem(404)?;
    assert_eq!(app.get_as(&reader, MUTES).await?.ok()?["mutes"], json!([made]));
    assert_eq!(app.get_as(&own, MUTES).await?.ok()?["mutes"], json!([]));
    let shown = async |visitor, path: &str| app.get_as(visitor, path).await?.text();
    for path in ["/mutes".to_owned(), format!("/alerts/{id}")] {
        let text = shown(&reader, &path).await?;
        ensure!(text.contains("24 Dec 2026") && !text.contains("/end\""), "{path}: {text}");
        ensure!(shown(&manager, &path).await?.contains("/end\""), "{path}");
    }
    let text = shown(&own, "/mutes").await?;
    ensure!(text.contains("Nothing is muted") && !text.contains(STOLEN), "{text}");
    let (gone, told) = audited(app.send_as(&manager, "DELETE", &path, &Value::Null)).await?;
    assert_eq!(
        (gone.status, &told[0]["action"]),
        (StatusCode::NO_CONTENT, &json!("alerts unmuted"))
    );
    Ok(())
}

#[tokio::test]
async fn nobody_is_mailed_of_what_is_muted_and_everybody_once_it_is_back() -> Result<()> {
    let app = judged().await?;
    let outbox = tempfile::tempdir()?;
    let settings = Settings { channels: Some(by_mail(outbox.path())?), ..Settings::default() };
    let mut detector = Detector::new(&app.store, app.history.clone(), settings);
    let told = || -> Result<usize> {
        let mut told = 0;
        for file in std::fs::read_dir(outbox.path())? {
            let letter = Letter::read(&std::fs::read(file?.path())?)?;
            told += usize::from(letter.text.contains(STOLEN));
        }
        Ok(told)
    };
    let id = mute(&app, &json!({})).await?;
    for minute in 0..3 {
        detector.run(today(), NOW + 60 * minute).await?;
    }
    assert_eq!(told()?, 0);
    app.send("DELETE", &format!("{MUTES}/{id}"), &Value::Null).await?;
    for minute in 3..6 {
        detector.run(today(), NOW + 60 * minute).await?;
    }
    assert_eq!(told()?, 1);
    Ok(())
}
