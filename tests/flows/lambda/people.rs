//! People and scripts that come in through a real OpenID Connect provider, to the real function behind API Gateway.

use std::sync::Arc;

use anyhow::{Result, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use tests::browser::{Browser, Look};
use tests::gateway;
use tests::lambda::Function;
use tests::oidc::Provider;
use tests::stage::{PATIENCE, Stage, ask};

use super::event;

/// A dashboard and its provider.
struct Site {
    stage: Stage,
    provider: Provider,
    query: Arc<Function>,
    base: String,
}

impl Site {
    async fn new() -> Result<Self> {
        let stage = Stage::new().await?;
        stage.ingest()?.invoke(&event(1, 3, 7)).await?.answer()?;
        let (listener, base) = gateway::listen().await?;
        let provider = Provider::start(&base).await?;
        let query = Self::query(&stage, &provider, &base)?;
        gateway::serve(listener, Arc::clone(&query));
        Ok(Self { stage, provider, query, base })
    }

    fn query(stage: &Stage, provider: &Provider, base: &str) -> Result<Arc<Function>> {
        let environment = [
            ("OIDC_ISSUER", provider.issuer.as_str()),
            ("OIDC_CLIENT_ID", "dashboard"),
            ("OIDC_AUDIENCES", "report"),
            ("OIDC_ROLE_CLAIMS", "groups,scope"),
            ("DASHBOARD_URL", base),
        ];
        Ok(Arc::new(stage.function("query", &environment, PATIENCE)?))
    }

    /// Opens a page as somebody who has to sign in first.
    async fn open_as(&self, name: &str, path: &str, scripts: bool) -> Result<Browser> {
        let browser = Browser::open_at(&self.base, Look { scripts, ..Look::default() }).await?;
        browser.go(path).await?;
        // The provider's own pages: whoever one is, and whether this service may know.
        browser.fill("input[name=login]", name).await?;
        browser.fill("input[name=password]", "anything").await?;
        browser.click("button[type=submit]").await?;
        browser.find("input[name=prompt][value=consent]").await?;
        browser.click("button[type=submit]").await?;
        browser.find("header.top").await?;
        Ok(browser)
    }
}

/// Waits until an element has this text in it: a page may still be on its way to the next one.
async fn shows(browser: &Browser, css: &str, text: &str) -> Result<()> {
    let shown = async || Ok(browser.text(css).await?.contains(text));
    browser.until(&format!("'{text}' in {css}"), shown).await
}

#[tokio::test]
#[ignore = "needs the programs, Chromium and npm's oidc-provider (OIDC_MODULES)"]
async fn a_manager_signs_in_works_and_signs_out() -> Result<()> {
    let site = Site::new().await?;
    let page = "/reports/tls-usage/details?sort=-messages";
    for scripts in [true, false] {
        let browser = site.open_as("ann", page, scripts).await?;
        assert_eq!(browser.place().await?, page);
        shows(&browser, ".who bdi", "ann@example.test").await?;
        assert_eq!(browser.text(".who bdi").await?, "ann@example.test");
        // The session is out of scripts' reach, and nothing but it is kept.
        let cookies = browser.client.get_all_cookies().await?;
        let ours: Vec<_> =
            cookies.iter().filter(|cookie| cookie.name().starts_with("__Host-")).collect();
        ensure!(ours.len() == 1, "{ours:?}");
        assert_eq!(ours[0].name(), "__Host-session");
        assert_eq!((ours[0].http_only(), ours[0].secure()), (Some(true), Some(true)));
        // When the session has ended, a filter leads to the provider, which knows them still, and back.
        browser.client.delete_cookie("__Host-session").await?;
        browser.fill("#search", "s1-0").await?;
        browser.press("Search").await?;
        browser
            .until("back with a session", async || {
                let place = browser.place().await?;
                Ok(place.starts_with("/reports/") && place.contains("search=s1-0"))
            })
            .await?;
        browser.find(".who").await?;
        // A form of the service's own is taken.
        browser.go("/schedules/new").await?;
        browser.fill("[name=name]", "Weekly").await?;
        browser.fill("[name=recipients]", "ann@example.test").await?;
        browser.click("main form .main").await?;
        shows(&browser, "main", "The schedule was created.").await?;
        browser.press("Sign out").await?;
        shows(&browser, "h1", "You are signed out").await?;
        assert_eq!(browser.text("h1").await?, "You are signed out");
        // The provider still knows them, until they sign out there too.
        browser.press("Sign in").await?;
        browser.find(".who").await?;
        browser.press("Sign out").await?;
        browser.press("Sign out of the provider").await?;
        browser.click("button[name=logout], button[type=submit]").await?;
        browser
            .until("back from the provider", async || {
                Ok(browser.place().await?.starts_with("/signed-out"))
            })
            .await?;
        browser.go("/").await?;
        browser.find("input[name=login]").await?;
    }
    // Who did what stands in the log; what lets them in does not.
    let log = site.query.told();
    let made = |line: &&String| line.contains("\"audit\"") && line.contains("schedule made");
    assert_eq!(log.iter().filter(made).count(), 2, "{}", log.join("\n"));
    ensure!(log.iter().filter(made).all(|line| line.contains("ann@example.test")));
    for secret in ["eyJ", "code=", "secret-of", "token-of"] {
        ensure!(!log.iter().any(|line| line.contains(secret)), "{secret} is in the log");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs, Chromium and npm's oidc-provider (OIDC_MODULES)"]
async fn a_reader_sees_views_and_a_stranger_nothing() -> Result<()> {
    let site = Site::new().await?;
    let browser = site.open_as("bob", "/", true).await?;
    ensure!(browser.text(".widget").await?.contains("21"));
    assert_eq!(
        browser.texts("nav[aria-label=Main] a").await?,
        ["Overview", "Alerts", "Report", "Failed logins", "Plan", "Notes"]
    );
    browser.go("/schedules/new").await?;
    ensure!(browser.text("main").await?.contains("role manager"));
    drop(browser);
    let browser = site.open_as("eve", "/", true).await?;
    ensure!(browser.text("main").await?.contains("role reader"));
    let picture = browser.picture(1280, 900).await?;
    keep("no-role", &picture)?;
    Ok(())
}

/// Keeps a picture for somebody to look at.
fn keep(name: &str, picture: &[u8]) -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures");
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(format!("{name}.png")), picture)?)
}

#[tokio::test]
#[ignore = "needs the programs and npm's oidc-provider (OIDC_MODULES)"]
async fn scripts_come_with_tokens_of_the_provider() -> Result<()> {
    let mut site = Site::new().await?;
    let report = "urn:example:report";
    let reader = site.provider.script_token(report, "smtp-auth-report/read").await?;
    let manager = site.provider.script_token(report, "smtp-auth-report/manage").await?;
    let other = site.provider.script_token("urn:example:other", "smtp-auth-report/manage").await?;
    let volume = "/v1/reports/sending-volume";
    assert_eq!(ask(&site.query, volume, &reader).await?.ok()?["total"], 21);
    ask(&site.query, "/v1/schedules", &reader).await?.problem(403)?;
    ask(&site.query, "/v1/schedules", &manager).await?.ok()?;
    ask(&site.query, volume, &other).await?.problem(401)?;
    let body = json!({"view": "tls-usage", "recipients": ["ann@example.test"]}).to_string();
    let request = Request::post("/v1/report-requests")
        .header("authorization", format!("Bearer {manager}"))
        .header("content-type", "application/json");
    let asked = gateway::ask(&site.query, request.body(Body::from(body))?).await?;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    let told = site.query.told();
    ensure!(told.iter().any(|line| line.contains("report requested") && line.contains("scripts")));
    // Other keys: what was signed with those of before is worth nothing any more.
    site.provider = site.provider.again(&site.base).await?;
    let fresh = site.provider.script_token(report, "smtp-auth-report/read").await?;
    let query = Site::query(&site.stage, &site.provider, &site.base)?;
    ask(&query, volume, &fresh).await?.ok()?;
    ask(&query, volume, &reader).await?.problem(401)?;
    Ok(())
}
