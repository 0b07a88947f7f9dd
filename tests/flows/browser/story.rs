//! What the demo has to tell, found by clicking: whose account is in strange hands, and which devices use old TLS.

use anyhow::{Context as _, Result, ensure};
use tests::browser::{Browser, Look};

use super::demo;

const FIRST: &str = ".senders tbody tr:first-child th a";

/// From the overview to the account that was taken over, in two clicks, and on to the address that did it.
async fn stolen(look: Look) -> Result<()> {
    let (_folder, program) = demo().await?;
    let failed = program.json("/v1/failed-logins?limit=1").await?;
    let account = failed["rows"][0]["account"].as_str().context("who failed and then sent")?;
    ensure!(failed["rows"][0]["succeeded"].as_u64() > Some(0), "{failed}");
    let browser = Browser::open(&program, look).await?;
    browser.go("/").await?;
    browser.press("Failed logins").await?;
    browser
        .until("failed logins", async || Ok(browser.text("h1").await? == "Failed logins"))
        .await?;
    browser.click(FIRST).await?;
    browser.until("the account", async || Ok(browser.text("h1").await? == account)).await?;
    let details = program.json(&format!("/v1/accounts?account={account}")).await?;
    let text = browser.text("main").await?;
    let senders = details["senders"].as_array().context("senders")?;
    ensure!(senders.len() == 5, "all five senders: {senders:?}");
    for sender in senders {
        let name = sender["name"].as_str().context("a name")?;
        ensure!(text.contains(name), "{name}: {text}");
    }
    let address = details["clients"][0]["name"].as_str().context("an address")?;
    let tried = &details["failed_logins"]["names"][0];
    ensure!(tried["name"] == address && tried["succeeded"].is_string(), "{tried}");
    ensure!(text.contains("failed logins at this account") && text.contains(address), "{text}");
    browser.press(address).await?;
    browser.until("the address", async || Ok(browser.text("h1").await? == address)).await?;
    let text = browser.text("main").await?;
    ensure!(
        text.contains("failed logins from this client address") && text.contains(account),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_stolen_account_is_two_clicks_away() -> Result<()> {
    stolen(Look::default()).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_stolen_account_is_two_clicks_away_without_scripts() -> Result<()> {
    stolen(Look { scripts: false, ..Look::default() }).await
}

/// The devices that use old TLS stand in a table of their own, and a filter can be taken away again.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn devices_with_old_tls_are_found_by_their_addresses() -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, Look::default()).await?;
    browser.go("/reports/tls-usage/details").await?;
    browser.press("Client address").await?;
    browser.press("Most legacy first").await?;
    let table = "/v1/reports/tls-usage/details?group=client&sort=-legacy&limit=25";
    let found = program.json(table).await?;
    let rows = found["rows"].as_array().context("rows")?;
    let expected: Vec<_> = rows.iter().filter_map(|row| row["client"].as_str()).collect();
    browser
        .until("the clients", async || Ok(browser.texts(".senders tbody th a").await? == expected))
        .await?;
    browser.press("TLS version").await?;
    browser.press("TLS1.0").await?;
    let only = "the senders of one version";
    browser.until(only, async || Ok(browser.text(".chips").await?.contains("TLS1.0"))).await?;
    let senders = program.json("/v1/reports/tls-usage/details?tls=TLS1.0&limit=25").await?;
    let senders = senders["rows"].as_array().context("rows")?.len();
    ensure!(browser.texts(".senders tbody tr").await?.len() == senders.min(25));
    browser.click(".chips a").await?;
    browser.until("all", async || Ok(browser.texts(".chips").await?.is_empty())).await?;
    Ok(())
}

/// Who would be refused without old TLS is one click away, and a printer's page one more.
async fn planned(look: Look) -> Result<()> {
    let (_folder, program) = demo().await?;
    let plan = program.json("/v1/plan?limit=25").await?;
    let expected: Vec<_> = plan["rows"].as_array().context("rows")?.iter().collect();
    let browser = Browser::open(&program, look).await?;
    browser.go("/").await?;
    browser.press("Plan").await?;
    browser.until("the plan", async || Ok(browser.text("h1").await?.starts_with("Plan"))).await?;
    let shown = browser.texts(".senders tbody th a").await?;
    let names: Vec<_> = expected.iter().filter_map(|row| row["account"].as_str()).collect();
    ensure!(shown == names, "{shown:?} {names:?}");
    ensure!(names.iter().any(|name| name.starts_with("printer")), "{names:?}");
    // Basic authentication as well: more are affected, and the page says how many.
    browser.click("input[name=off][value=basic]").await?;
    browser.press("Show who breaks").await?;
    let more = program.json("/v1/plan?off=TLS1.0,TLS1.1,none,basic").await?;
    let affected = format!("{} of {}", more["accounts"]["refused"], more["accounts"]["all"]);
    browser.until("more", async || Ok(browser.text(".figures").await?.contains(&affected))).await?;
    browser.press(names[0]).await?;
    browser.until("the account", async || Ok(browser.text("h1").await? == names[0])).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_breaks_is_a_click_away() -> Result<()> {
    planned(Look::default()).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_breaks_is_a_click_away_without_scripts() -> Result<()> {
    planned(Look { scripts: false, ..Look::default() }).await
}

/// One search, on every page, finds an address.
#[tokio::test]
#[ignore = "needs Chromium"]
async fn an_address_is_found_from_any_page() -> Result<()> {
    let (_folder, program) = demo().await?;
    let failed = program.json("/v1/failed-logins?group=client&limit=1").await?;
    let address = failed["rows"][0]["client"].as_str().context("an address")?;
    let browser = Browser::open(&program, Look::default()).await?;
    browser.go("/schedules").await?;
    browser.fill("#find", address).await?;
    browser.click(".find button").await?;
    browser.until("found", async || Ok(browser.text("h1").await? == "Search")).await?;
    browser.press(address).await?;
    browser.until("the address", async || Ok(browser.text("h1").await? == address)).await?;
    Ok(())
}

/// From the overview's sentence to *resolved*.
async fn decided(look: Look) -> Result<()> {
    let (_folder, program) = demo().await?;
    let browser = Browser::open(&program, look).await?;
    browser.go("/").await?;
    let alerts = program.json("/v1/alerts").await?;
    let alert = &alerts["alerts"][0];
    let (reason, account) = (alert["reason"].as_str(), alert["account"].as_str());
    let (reason, account) = reason.zip(account).context("an alert")?;
    ensure!(browser.text("main section").await?.contains(reason), "it is the first thing");
    let open = alerts["alerts"].as_array().context("alerts")?.len();
    ensure!(browser.text("nav .count").await?.starts_with(&open.to_string()), "it is counted");
    browser.press(reason).await?;
    browser.until("the alert", async || Ok(browser.text("h1").await? == account)).await?;
    browser.press("I look into it").await?;
    let done = async || Ok(browser.text(".done").await.is_ok_and(|told| told == "Acknowledged."));
    browser.until("it is acknowledged", done).await?;
    browser.click("input[value=real]").await?;
    browser.press("Resolve").await?;
    let done =
        async || Ok(browser.text(".done").await.is_ok_and(|told| told.contains("strange hands")));
    browser.until("it is resolved", done).await?;
    browser.press("Overview").await?;
    let calm = async || {
        let told = browser.text("main").await?;
        Ok(told.contains("attention") && !told.contains(reason))
    };
    browser.until("it is gone", calm).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_stolen_account_is_resolved_from_the_overviews_sentence_on() -> Result<()> {
    decided(Look::default()).await
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_stolen_account_is_resolved_without_scripts() -> Result<()> {
    decided(Look { scripts: false, ..Look::default() }).await
}
