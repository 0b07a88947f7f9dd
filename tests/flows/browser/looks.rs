//! Every page in every look: accessible, light, and as a picture.
//!
//! `accessible` needs axe-core, at the path in `AXE_JS`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::{Browser, Look, Program};

use super::{WEEK, demo};

/// Every kind of page, with what makes it interesting.
async fn pages(program: &Program, browser: &Browser) -> Result<Vec<(&'static str, String)>> {
    browser.go("/report-requests/new").await?;
    browser.fill("#recipients", "you@harbor.test").await?;
    browser.click("form.sheet button").await?;
    browser.until("sent", async || Ok(browser.text(".status.good").await? == "Sent")).await?;
    let request = browser.place().await?;
    browser.go("/schedules/new").await?;
    browser.fill("#name", "Legacy clients").await?;
    browser.fill("#recipients", "you@harbor.test").await?;
    browser.press("Create schedule").await?;
    browser.find(".done").await?;
    let schedules = program.json("/v1/schedules").await?;
    let id = schedules["schedules"][0]["id"].as_str().context("an id")?;
    for about in ["client=198.51.100.201", "account=scanner%40harbor.test"] {
        browser.go(&format!("/notes/edit?{about}")).await?;
        browser.fill("#name", "Printer, 2nd floor").await?;
        browser.fill("#owner", "facilities@harbor.test").await?;
        browser.fill("#note", "Ask facilities before it is turned off.").await?;
        browser.click("form.sheet .main").await?;
        browser.find(".done").await?;
    }
    let quarter = "start=2026-08-27&end=2026-11-24";
    let sender = "open=printer-1%40office.harbor.test";
    let failed = program.json("/v1/failed-logins?limit=1").await?;
    let account = failed["rows"][0]["account"].as_str().context("an account")?;
    let alerts = program.json("/v1/alerts").await?;
    let alert = alerts["alerts"][0]["id"].as_str().context("an alert")?;
    Ok(vec![
        ("overview", "/".to_owned()),
        ("alerts", "/alerts".to_owned()),
        ("no-alerts", "/alerts?status=historic&account=nobody".to_owned()),
        ("alert", format!("/alerts/{alert}")),
        ("mutes", "/mutes".to_owned()),
        ("insight", "/insight".to_owned()),
        ("tls-usage", format!("/reports/tls-usage?{WEEK}")),
        ("tls-usage-90-days", format!("/reports/tls-usage?{quarter}")),
        ("sending-volume", format!("/reports/sending-volume?{quarter}")),
        ("mechanisms", format!("/reports/mechanisms?{quarter}")),
        ("tls-usage-table", format!("/reports/tls-usage/details?{WEEK}&sort=-legacy")),
        ("tls-usage-table-100", format!("/reports/tls-usage/details?{quarter}&limit=100")),
        ("sending-volume-table", format!("/reports/sending-volume/details?{WEEK}")),
        ("sender", format!("/reports/tls-usage/details?{quarter}&sort=-legacy&{sender}")),
        (
            "by-client",
            format!("/reports/tls-usage/details?{WEEK}&group=client&tls=TLS1.0&tls=none"),
        ),
        ("account", format!("/accounts?{WEEK}&account={account}")),
        ("client", format!("/clients?{quarter}&client=203.0.113.0%2F24")),
        ("failed-logins", format!("/failed-logins?{quarter}")),
        ("no-failed-logins", format!("/failed-logins?{WEEK}&client=192.0.2.250")),
        ("plan", format!("/plan?{WEEK}&off=TLS1.0,TLS1.1,none,basic")),
        ("plan-by-client", format!("/plan?{quarter}&off=TLS1.0&group=client&sort=-last")),
        ("plan-of-nobody", format!("/plan?{WEEK}&off=EXTERNAL")),
        ("notes", "/notes".to_owned()),
        ("note", "/notes/edit?client=198.51.100.201".to_owned()),
        ("note-delete", "/notes/delete?account=scanner%40harbor.test".to_owned()),
        ("search", "/search?search=printer".to_owned()),
        ("search-nothing", "/search?search=nobody-at-all".to_owned()),
        ("nobody", format!("/reports/tls-usage/details?{WEEK}&search=nobody-at-all")),
        ("no-messages", "/reports/tls-usage?domain=nobody.test".to_owned()),
        ("wrong-filters", "/reports/tls-usage?start=2026-11-24&end=2026-11-01".to_owned()),
        ("requests", "/report-requests".to_owned()),
        ("request", request),
        ("request-form", format!("/report-requests/new?view=tls-usage&{WEEK}")),
        ("schedules", "/schedules".to_owned()),
        ("schedule-form", format!("/schedules/{id}")),
        ("schedule-delete", format!("/schedules/{id}/delete")),
        ("sources", "/sources".to_owned()),
        ("not-found", "/nowhere".to_owned()),
    ])
}

const LOOKS: [Look; 4] = [
    Look { scripts: true, dark: false, width: 1280 },
    Look { scripts: true, dark: true, width: 1280 },
    Look { scripts: true, dark: false, width: 390 },
    Look { scripts: true, dark: true, width: 390 },
];

/// What axe-core finds on the page, and whether it is wider than the window.
async fn barriers(browser: &Browser, axe: &str, name: &str, look: Look) -> Result<Vec<String>> {
    let open = "document.querySelectorAll('details').forEach(part => part.open = true)";
    browser.run(open, vec![]).await?;
    browser.run(axe, vec![]).await?;
    let check = "return axe.run().then(found => found.violations.map(violation => [violation.id, \
        violation.nodes.slice(0, 3).map(node => node.target.join(' ') + ': ' + node.failureSummary)]))";
    let found = browser.run(check, vec![]).await?;
    let found = found.as_array().context("violations")?;
    // What lies in boxes that scroll, or is for screen readers, may reach beyond the window.
    let wide = "return [...document.querySelectorAll('body *')].filter(part => part.checkVisibility() \
        && !part.closest('.scroll, .top ul, .tip, .day, .skip, .unseen, .patterns') \
        && part.getBoundingClientRect().right > innerWidth + 1).map(part => part.outerHTML.slice(0, 80))";
    let wide = browser.run(wide, vec![]).await?;
    ensure!(wide == json!([]), "{name} {look:?} is too wide: {wide}");
    Ok(found.iter().map(|violation| format!("{name} {look:?}: {violation}")).collect())
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core"]
async fn accessible() -> Result<()> {
    let axe = std::env::var("AXE_JS").context("AXE_JS: the path of axe-core's axe.min.js")?;
    let axe = fs::read_to_string(axe)?;
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, Look::default()).await?;
    let pages = pages(&program, &browser).await?;
    let mut violations = Vec::new();
    let narrow = Look { width: 360, ..Look::default() };
    for look in LOOKS.into_iter().chain([narrow]) {
        browser.look(look).await?;
        for (name, path) in &pages {
            browser.go(path).await?;
            violations.extend(barriers(&browser, &axe, name, look).await?);
        }
        browser.go("/report-requests/new").await?;
        browser.fill("#recipients", "nobody").await?;
        browser.press("Request report").await?;
        browser.find("#recipients-fault").await?;
        violations.extend(barriers(&browser, &axe, "wrong-form", look).await?);
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    // What is wrong would be found.
    browser.run("document.body.append(document.createElement('input'))", vec![]).await?;
    let found =
        browser.run("return axe.run().then(found => found.violations.length)", vec![]).await?;
    assert!(found.as_u64() > Some(0), "{found}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn pages_are_light_and_ask_nobody_else() -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, Look::default()).await?;
    for (name, path) in pages(&program, &browser).await? {
        browser.tell("Network.clearBrowserCache", json!({})).await?;
        browser.go(&path).await?;
        let loaded = "return ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind)) \
            .map(entry => [entry.name, entry.decodedBodySize])";
        let loaded = browser.run(loaded, vec![]).await?;
        let loaded = loaded.as_array().context("what was loaded")?;
        let sizes = loaded.iter().filter_map(|entry| entry[1].as_u64());
        let size: u64 = sizes.sum();
        // A hundred rows, each with a picture of its days, are a kilobyte each.
        let most = if path.contains("limit=100") { 150_000 } else { 100_000 };
        assert!((5_000..most).contains(&size), "{name}: {size} bytes, {loaded:?}");
        for entry in loaded {
            let name = entry[0].as_str().unwrap_or_default();
            assert!(name.starts_with(&program.base), "{path} loads {name}");
        }
    }
    Ok(())
}

/// Pictures of every page, for people to look at: into the folder `PICTURES`, or `target/pictures`.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn pictures() -> Result<()> {
    let folder = std::env::var_os("PICTURES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pictures")),
        PathBuf::from,
    );
    fs::create_dir_all(&folder)?;
    let (_demo, program) = demo().await?;
    let browser = Browser::open(&program, Look::default()).await?;
    let pages = pages(&program, &browser).await?;
    for look in LOOKS {
        browser.look(look).await?;
        for (name, path) in &pages {
            browser.go(path).await?;
            // A flyout is as high as the window.
            let most = if browser.texts("#flyout").await?.is_empty() { 2400 } else { 900 };
            let picture = browser.picture(look.width, most).await?;
            ensure!(picture.starts_with(b"\x89PNG"), "{name}: no picture");
            let dark = if look.dark { "-dark" } else { "" };
            fs::write(folder.join(format!("{name}-{}{dark}.png", look.width)), picture)?;
        }
    }
    Ok(())
}
