//! The dashboard in a real browser, as people use it.
//!
//! Needs Debian's `chromium` and `chromium-driver`, and the program that was built beside the tests.

mod looks;
mod story;

use std::fs;

use anyhow::{Context as _, Result};
use fantoccini::key::Key;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::browser::{Browser, Look, Program};
use tests::mail::Letter;

/// The last day of the demo's mail.
const DEMO: [&str; 3] = ["demo", "--as-of", "2026-11-24"];
/// The demo's last week, as pages write it.
const WEEK: &str = "start=2026-11-18&end=2026-11-24";

async fn demo() -> Result<(TempDir, Program)> {
    let folder = tempfile::tempdir()?;
    let program = Program::start(&DEMO, folder.path()).await?;
    Ok((folder, program))
}

fn grouped(value: &Value) -> String {
    report::grouped(value.as_u64().unwrap_or(u64::MAX))
}

/// The senders that the interface lists.
async fn senders(program: &Program, query: &str) -> Result<Vec<String>> {
    let page = program.json(&format!("/v1/reports/tls-usage/details?limit=25&{query}")).await?;
    let rows = page["rows"].as_array().context("rows")?;
    Ok(rows.iter().filter_map(|row| Some(row["sender"].as_str()?.to_owned())).collect())
}

/// From the widget to the mail, by clicking only.
async fn journey(look: Look) -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, look).await?;
    let insight = program.json("/v1/insight").await?;

    browser.go("/").await?;
    let widget = browser.text(".widget").await?;
    for figure in ["accounts", "messages"] {
        assert!(widget.contains(&grouped(&insight[figure])), "{figure}: {widget}");
    }
    browser.click(".widget .go").await?;
    let flyout = browser.text("#flyout").await?;
    assert_eq!(browser.place().await?, "/insight");
    assert!(flyout.contains("SMTP AUTH in the last 7 days") && flyout.contains("failed logins"));
    if look.scripts {
        // It lies over the page, and Escape leads back to where it was opened.
        browser.key(Key::Escape).await?;
        browser.until("closed", async || Ok(browser.place().await? == "/")).await?;
        assert!(browser.texts("#flyout").await?.is_empty());
        let focused = browser.client.active_element().await?.attr("class").await?;
        assert_eq!(focused.as_deref(), Some("card widget"));
    } else {
        browser.press("Close").await?;
        assert_eq!(browser.place().await?, "/");
    }
    browser.click(".widget .go").await?;
    browser.press("View TLS usage report").await?;
    browser.until("report", async || Ok(browser.text("h1").await? == "TLS usage")).await?;
    assert_eq!(browser.place().await?, format!("/reports/tls-usage?{WEEK}"));

    let domain = "office.harbor.test";
    browser.find("#domain").await?.select_by_value(domain).await?;
    browser.press("Apply").await?;
    let narrowed = format!("{WEEK}&domain={domain}");
    let figures = program.json(&format!("/v1/reports/tls-usage?{narrowed}")).await?;
    let total = grouped(&figures["total"]);
    browser.until("filtered", async || Ok(browser.text(".figures dd").await? == total)).await?;
    let shares = browser.texts(".versions tbody td:last-child").await?;
    let expected = figures["tls"].as_array().context("shares")?;
    assert_eq!(
        shares,
        expected.iter().map(|share| grouped(&share["messages"])).collect::<Vec<_>>()
    );
    browser.press("30 days").await?;
    browser.until("30 days", async || Ok(browser.texts(".plot li").await?.len() == 30)).await?;
    browser.press("Sending volume").await?;
    browser.until("view", async || Ok(browser.text("h1").await? == "Sending volume")).await?;
    let month = "start=2026-10-26&end=2026-11-24";
    assert_eq!(browser.place().await?, format!("/reports/sending-volume?{month}&domain={domain}"));

    browser.go(&format!("/reports/tls-usage?{month}")).await?;
    browser.press("View details table").await?;
    let names = ".senders tbody th";
    let listed = async |query: &str| -> Result<()> {
        let expected = senders(&program, query).await?;
        browser.until(query, async || Ok(browser.texts(names).await? == expected)).await
    };
    listed(month).await?;
    browser.press("Most legacy first").await?;
    listed(&format!("{month}&sort=-legacy")).await?;
    browser.press("TLS1.2 %").await?;
    let sorted = format!("{month}&sort=-TLS1.2.percent");
    listed(&sorted).await?;
    assert_eq!(browser.texts("[aria-sort=descending]").await?.len(), 1);
    let next = program.json(&format!("/v1/reports/tls-usage/details?limit=25&{sorted}")).await?;
    let cursor = next["next"].as_str().context("a second page")?;
    browser.press("Next").await?;
    listed(&format!("{sorted}&cursor={cursor}")).await?;
    assert!(browser.text(".pages").await?.contains("26 to 50 of"));
    browser.press("Previous").await?;
    listed(&sorted).await?;
    browser.fill("#search", "printer-1").await?;
    browser.press("Search").await?;
    listed(&format!("{month}&search=printer-1")).await?;

    browser.click(".senders tbody th a").await?;
    let sender = "printer-1@office.harbor.test";
    browser.until("flyout", async || Ok(browser.text("#flyout h2").await? == sender)).await?;
    let path = format!("/v1/senders?sender={sender}&{month}");
    let details = program.json(&path).await?;
    let flyout = browser.text("#flyout").await?;
    assert!(flyout.contains(&format!("{} messages", grouped(&details["messages"]))), "{flyout}");
    for figure in ["accounts", "mechanisms", "clients"] {
        let name = details[figure][0]["name"].as_str().context("a name")?;
        assert!(flyout.contains(name), "{figure}: {flyout}");
    }
    assert_eq!(browser.texts("#flyout .plot li").await?.len(), 30);
    browser.press("Close").await?;
    browser.until("closed", async || Ok(browser.texts("#flyout").await?.is_empty())).await?;
    assert!(!browser.place().await?.contains("open="));

    browser.press("Request report").await?;
    let field =
        async |id: &str| Ok::<_, anyhow::Error>(browser.find(id).await?.prop("value").await?);
    browser.until("form", async || Ok(browser.text("h1").await? == "Request a report")).await?;
    assert_eq!(field("#start").await?.as_deref(), Some("2026-10-26"));
    assert_eq!(field("#end").await?.as_deref(), Some("2026-11-24"));
    browser.fill("#recipients", "you@harbor.test, somebody").await?;
    browser.click("form.sheet button").await?;
    let fault = browser.text("#recipients-fault").await?;
    assert!(fault.starts_with("Somebody is no mail address"), "{fault}");
    assert_eq!(field("#recipients").await?.as_deref(), Some("you@harbor.test, somebody"));
    browser.fill("#recipients", "you@harbor.test").await?;
    browser.fill("#name", "Legacy clients").await?;
    browser.click("form.sheet button").await?;
    browser.until("sent", async || Ok(browser.text(".status.good").await? == "Sent")).await?;
    let place = browser.place().await?;
    let id = place.strip_prefix("/report-requests/").context("where it can be watched")?;
    let letter = Letter::read(&fs::read(program.outbox.join(format!("{id}.eml")))?)?;
    assert_eq!(letter.to, ["you@harbor.test"]);
    assert!(letter.subject.starts_with("Legacy clients: "), "{}", letter.subject);
    let file = "tls-usage_2026-10-26_2026-11-24.csv";
    let csv = program.get(&format!("/v1/reports/tls-usage/details?{month}&format=csv")).await?;
    assert_eq!(letter.files.get(file), Some(&csv));
    browser.press("All report requests").await?;
    browser.until("list", async || Ok(browser.texts(".list tbody tr").await?.len() == 1)).await?;
    assert!(browser.text(".list tbody").await?.contains("Legacy clients"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn from_the_widget_to_a_mailed_report() -> Result<()> {
    journey(Look::default()).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn from_the_widget_to_a_mailed_report_without_javascript() -> Result<()> {
    journey(Look { scripts: false, ..Look::default() }).await
}

async fn schedules(look: Look) -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, look).await?;
    let all =
        async || Ok::<_, anyhow::Error>(program.json("/v1/schedules").await?["schedules"].clone());
    browser.go("/schedules").await?;
    browser.press("New schedule").await?;
    browser.fill("#name", "Every month").await?;
    browser.fill("#recipients", "you@harbor.test").await?;
    browser.click("[name=frequency][value=monthly]").await?;
    browser.find("#day").await?.select_by_value("last").await?;
    browser.find("#zone").await?.select_by_label("Europe/Berlin").await?;
    // In the past: it is refused, and nothing that was typed is lost.
    browser.run("document.getElementById('expires').value = '2020-01-01'", vec![]).await?;
    browser.press("Create schedule").await?;
    assert!(browser.text("#expires-fault").await?.contains("must not lie before today"));
    assert_eq!(all().await?, json!([]));
    browser.run("document.getElementById('expires').value = ''", vec![]).await?;
    browser.press("Create schedule").await?;
    assert_eq!(browser.text(".done").await?, "The schedule was created.");
    if look.scripts {
        // A reload does not tell it again.
        browser.until("told", async || Ok(browser.place().await? == "/schedules")).await?;
    }
    let made = all().await?[0].clone();
    assert_eq!((&made["frequency"], &made["day"]), (&json!("monthly"), &json!("last")));
    assert_eq!((&made["zone"], &made["weekday"]), (&json!("Europe/Berlin"), &Value::Null));
    let card = browser.text(".schedule").await?;
    assert!(card.contains("Last day of every month at 08:00, Europe/Berlin"), "{card}");
    assert!(card.contains("Never yet"), "{card}");

    browser.click(".schedule h2 a").await?;
    browser.fill("#name", "Every Friday").await?;
    browser.click("[name=frequency][value=weekly]").await?;
    browser.find("#weekday").await?.select_by_value("friday").await?;
    browser.press("Save schedule").await?;
    assert_eq!(browser.text(".done").await?, "The schedule was saved.");
    let saved = all().await?[0].clone();
    assert_eq!((&saved["id"], &saved["weekday"]), (&made["id"], &json!("friday")));
    assert_eq!(saved["name"], "Every Friday");
    browser.press("Pause Every Friday").await?;
    browser.until("paused", async || Ok(browser.text(".status.off").await? == "Paused")).await?;
    assert_eq!(all().await?[0]["state"], "paused");
    browser.press("Resume Every Friday").await?;
    browser.until("on", async || Ok(browser.texts(".status.off").await?.is_empty())).await?;
    assert_eq!(all().await?[0]["state"], "active");
    browser.press("Delete Every Friday").await?;
    assert_eq!(browser.text("h1").await?, "Delete Every Friday?");
    browser.press("Delete schedule").await?;
    assert_eq!(browser.text(".done").await?, "The schedule was deleted.");
    assert_eq!(all().await?, json!([]));
    assert!(browser.text(".nothing").await?.contains("No schedules"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn schedules_are_made_edited_paused_and_deleted() -> Result<()> {
    schedules(Look::default()).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn schedules_need_no_javascript() -> Result<()> {
    schedules(Look { scripts: false, ..Look::default() }).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_day_shows_its_number_to_pointer_and_keyboard() -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, Look::default()).await?;
    browser.go(&format!("/reports/sending-volume?{WEEK}")).await?;
    let volume = program.json(&format!("/v1/reports/sending-volume?{WEEK}")).await?;
    // The whole chart is one stop for the tab key; arrows go from day to day.
    let stops =
        "return [...document.querySelectorAll('.plot a')].filter(a => a.tabIndex === 0).length";
    assert_eq!(browser.run(stops, vec![]).await?, 1);
    browser.run("document.querySelector('.plot a[tabindex=\"0\"]').focus()", vec![]).await?;
    let shown = "return getComputedStyle(document.activeElement.querySelector('.tip')).opacity";
    for (key, day) in
        [(Key::Home, 0), (Key::Right, 1), (Key::Right, 2), (Key::Left, 1), (Key::End, 6)]
    {
        browser.key(key).await?;
        let messages = format!("{} messages", grouped(&volume["volume"][day]["messages"]));
        browser.until("shown", async || Ok(browser.run(shown, vec![]).await? == "1")).await?;
        let tip = browser.client.active_element().await?.text().await?;
        assert!(tip.contains(&messages), "{tip}: {messages}");
    }
    // A day leads to its senders.
    browser.key(Key::Enter).await?;
    browser.until("table", async || Ok(browser.text("h1").await?.ends_with("by sender"))).await?;
    let place = browser.place().await?;
    assert_eq!(place, "/reports/sending-volume/details?start=2026-11-24&end=2026-11-24");
    // Back, a flyout with the keyboard, and the focus is where it was.
    browser.run("document.querySelector('.senders tbody a').focus()", vec![]).await?;
    let sender = browser.client.active_element().await?.text().await?;
    browser.key(Key::Enter).await?;
    browser.until("flyout", async || Ok(browser.text("#flyout h2").await? == sender)).await?;
    let inside = "return document.getElementById('flyout').contains(document.activeElement)";
    for _ in 0..20 {
        browser.key(Key::Tab).await?;
        let outside = "return document.activeElement === document.body";
        let (inside, outside) =
            (browser.run(inside, vec![]).await?, browser.run(outside, vec![]).await?);
        // The browser's own controls come between the last and the first.
        assert!(inside == true || outside == true, "the focus leaves the flyout");
    }
    browser.client.back().await?;
    browser.until("closed", async || Ok(browser.texts("#flyout").await?.is_empty())).await?;
    assert_eq!(browser.place().await?, place);
    browser.client.forward().await?;
    browser.until("open", async || Ok(browser.text("#flyout h2").await? == sender)).await?;
    browser.client.back().await?;
    browser.until("closed", async || Ok(browser.texts("#flyout").await?.is_empty())).await?;
    let focused = browser.client.active_element().await?.text().await?;
    assert_eq!(focused, sender, "the focus is where it was");
    // A flyout that is opened by its address walks by single days too.
    browser.go("/insight").await?;
    browser
        .run("document.querySelector('#flyout .plot a[tabindex=\"0\"]').focus()", vec![])
        .await?;
    for day in ["Mon 23 Nov", "Sun 22 Nov"] {
        browser.key(Key::Left).await?;
        // The numbers fade in.
        let shown = async || Ok(browser.client.active_element().await?.text().await?.contains(day));
        browser.until(day, shown).await?;
    }
    // A press inside it is none beside it.
    browser.click("#flyout h3").await?;
    let blank = "const box = document.getElementById('flyout').getBoundingClientRect(); \
        return [Math.round(box.left) + 5, Math.round(box.bottom) - 5]";
    let blank = browser.run(blank, vec![]).await?;
    for (kind, place) in [("inside", &blank), ("beside", &json!([20, 500]))] {
        for event in ["mousePressed", "mouseReleased"] {
            let press = json!({"type": event, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            browser.tell("Input.dispatchMouseEvent", press).await?;
        }
        if kind == "inside" {
            // Whatever the press began has happened by the next turn.
            browser.run("return new Promise(done => setTimeout(done))", vec![]).await?;
            assert_eq!(browser.texts("#flyout").await?.len(), 1);
        }
    }
    browser.until("closed", async || Ok(browser.texts("#flyout").await?.is_empty())).await?;
    browser.until("the page below", async || Ok(browser.place().await? == "/")).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn without_javascript_the_keyboard_is_in_the_flyout() -> Result<()> {
    let (_folder, program) = demo().await?;
    let look = Look { scripts: false, width: 390, ..Look::default() };
    let browser = Browser::open(&program, look).await?;
    browser.go("/insight").await?;
    browser.key(Key::Tab).await?;
    assert_eq!(browser.client.active_element().await?.text().await?, "Close");
    Ok(())
}

/// Senders that would do harm if they could, and how they are shown.
fn hostile() -> Vec<(String, String)> {
    let script = "<script>hacked=1</script>@a.test";
    let image = "\"><img src=x onerror=hacked=1>@b.test";
    let turned = "moc.\u{202e}tset@c.test";
    let long = format!("{}@d.test", "x".repeat(300));
    let template = "{{7*7}}${7*7}@e.test";
    vec![
        (script.to_owned(), script.to_owned()),
        (image.to_owned(), image.to_owned()),
        (turned.to_owned(), "moc.\u{fffd}tset@c.test".to_owned()),
        // It is stored with a mark instead of what is too long.
        (long, "x".repeat(45) + "\u{2026}" + &"x".repeat(17) + "~"),
        (template.to_owned(), template.to_owned()),
        ("javascript:hacked=1".to_owned(), "javascript:hacked=1".to_owned()),
    ]
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn hostile_senders_are_shown_harmlessly() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("events.json");
    let events = hostile().into_iter().map(|(sender, _)| {
        let (account, time) = (sender.clone(), "2026-11-24T10:00:00Z");
        json!({"time": time, "sender": sender, "account": account, "tls": "TLS1.0"}).to_string()
    });
    fs::write(&log, events.collect::<Vec<_>>().join("\n") + "\n")?;
    let data = folder.path().join("data");
    let (data, log) = (data.to_string_lossy(), log.to_string_lossy());
    let serve = ["serve", "--data", &data, "--as-of", "2026-11-24", "--follow", &log];
    let program = Program::start(&serve, folder.path()).await?;
    let browser = Browser::open(&program, Look { width: 390, ..Look::default() }).await?;
    let names = ".senders tbody th";
    browser
        .until("counted", async || {
            browser.go("/reports/tls-usage/details?sort=sender").await?;
            Ok(browser.texts(names).await?.len() == hostile().len())
        })
        .await?;
    let mut shown: Vec<_> = hostile().into_iter().map(|(_, shown)| shown).collect();
    let cut = |name: String| name.find('~').map_or(name.clone(), |at| name[..=at].to_owned());
    let mut listed: Vec<_> = browser.texts(names).await?.into_iter().map(cut).collect();
    shown.sort();
    listed.sort();
    assert_eq!(listed, shown);
    let sane = async || -> Result<()> {
        assert_eq!(browser.run("return window.hacked ?? null", vec![]).await?, Value::Null);
        assert_eq!(browser.run("return document.scripts.length", vec![]).await?, 1);
        let wide = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.run(wide, vec![]).await?, true, "{}", browser.place().await?);
        Ok(())
    };
    sane().await?;
    for number in 1..=hostile().len() {
        browser.go("/reports/tls-usage/details?sort=sender").await?;
        browser.click(&format!(".senders tbody tr:nth-child({number}) a")).await?;
        let flyout = browser.text("#flyout").await?;
        assert!(flyout.contains("1 message, "), "{flyout}");
        sane().await?;
    }
    for path in
        ["/", "/insight", "/reports/sending-volume", "/report-requests/new", "/schedules/new"]
    {
        browser.go(path).await?;
        sane().await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn an_empty_store_tells_how_to_feed_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let program =
        Program::start(&["serve", "--data", &data.to_string_lossy()], folder.path()).await?;
    let browser = Browser::open(&program, Look::default()).await?;
    for path in ["/", "/reports/tls-usage", "/reports/sending-volume", "/reports/tls-usage/details"]
    {
        browser.go(path).await?;
        let told = browser.text(".nothing").await?;
        assert!(told.contains("No messages yet"), "{path}: {told}");
        assert!(told.contains("smtp-auth-report serve --follow"), "{path}: {told}");
    }
    Ok(())
}
