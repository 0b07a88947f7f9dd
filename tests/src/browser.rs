//! A real browser (Chromium, through its WebDriver), and the program as a process of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::http::send;
use crate::process::{built, line_with};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program, serving; it ends when this is dropped.
#[derive(Debug)]
pub struct Program {
    _process: Child,
    /// Where it serves, as in `http://127.0.0.1:40123`.
    pub base: String,
    /// Where it puts mails.
    pub outbox: PathBuf,
}

impl Program {
    /// Starts it with a command and a folder of its own, on a free port.
    ///
    /// # Errors
    /// It was not built, or does not start.
    pub async fn start(command: &[&str], folder: &Path) -> Result<Self> {
        let outbox = folder.join("outbox");
        let mut process = Command::new(built("smtp-auth-report")?)
            .args(command)
            .args(["--listen", "127.0.0.1:0", "--outbox"])
            .arg(&outbox)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("its output")?;
        let base = line_with(output, "Listening on ").await?;
        Ok(Self { _process: process, base, outbox })
    }

    /// The body of an answer of its interface.
    ///
    /// # Errors
    /// It does not answer, or not with a success.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let request = Request::get(format!("{}{path}", self.base)).body(Body::empty())?;
        let (status, body) = send(request).await?;
        ensure!(status.is_success(), "{path}: {status}");
        Ok(body.to_vec())
    }

    /// The JSON of an answer of its interface.
    ///
    /// # Errors
    /// It does not answer, or not with JSON.
    pub async fn json(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.get(path).await?)?)
    }
}

/// How pages are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether JavaScript is on.
    pub scripts: bool,
    /// Whether the user likes dark pages.
    pub dark: bool,
    /// Pixels from left to right.
    pub width: u32,
}

impl Default for Look {
    fn default() -> Self {
        Self { scripts: true, dark: false, width: 1280 }
    }
}

/// A browser window; the browser ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    _driver: Child,
    /// The WebDriver session.
    pub client: Client,
    base: String,
    /// Where the driver listens, and the session's name there.
    session: (SocketAddr, String),
}

impl Drop for Browser {
    /// Ends the session: a driver that is killed leaves its browser behind.
    fn drop(&mut self) {
        let (address, session) = &self.session;
        let end = || -> std::io::Result<()> {
            let mut stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(
                stream,
                "DELETE /session/{session} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
            )?;
            // The answer comes when the browser is gone.
            stream.read(&mut [0; 1]).map(drop)
        };
        if let Err(error) = end() {
            eprintln!("cannot end the browser: {error}");
        }
    }
}

/// A command of Chromium's own, beside WebDriver's.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        let body = json!({"cmd": self.0, "params": self.1});
        (axum::http::Method::POST, Some(body.to_string()))
    }
}

impl Browser {
    /// Opens a window on a program's pages.
    ///
    /// # Errors
    /// Chromium or its driver is not installed (Debian: `chromium`, `chromium-driver`).
    pub async fn open(program: &Program, look: Look) -> Result<Self> {
        Self::open_at(&program.base, look).await
    }

    /// Opens a window on the pages at an address, as in `http://localhost:8025`.
    ///
    /// # Errors
    /// Chromium or its driver is not installed (Debian: `chromium`, `chromium-driver`).
    pub async fn open_at(base: &str, look: Look) -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver: apt-get install chromium chromium-driver")?;
        let output = driver.stdout.take().context("its output")?;
        let port = line_with(output, "started successfully on port ").await?;
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ];
        let capabilities: Capabilities = serde_json::from_value(json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
        }))?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        let session = client.session_id().await?.context("a session")?;
        let session = (SocketAddr::from(([127, 0, 0, 1], port.parse()?)), session);
        let browser = Self { _driver: driver, client, base: base.to_owned(), session };
        browser.look(look).await?;
        Ok(browser)
    }

    /// Looks at pages in another way.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn look(&self, look: Look) -> Result<()> {
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        let size =
            json!({"width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.tell("Emulation.setEmulatedMedia", media).await?;
        self.tell("Emulation.setDeviceMetricsOverride", size).await?;
        self.tell("Emulation.setScriptExecutionDisabled", json!({"value": !look.scripts})).await?;
        Ok(())
    }

    /// Gives a command of Chromium's DevTools.
    ///
    /// # Errors
    /// The browser refuses it.
    pub async fn tell(&self, command: &'static str, parameters: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(DevTools(command, parameters)).await?)
    }

    /// Goes to a path.
    ///
    /// # Errors
    /// The browser cannot.
    pub async fn go(&self, path: &str) -> Result<()> {
        Ok(self.client.goto(&format!("{}{path}", self.base)).await?)
    }

    /// Where it is: path and query.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn place(&self) -> Result<String> {
        let url = self.client.current_url().await?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{query}", url.path()))
    }

    /// The first element that a CSS selector finds, as soon as it is there.
    ///
    /// # Errors
    /// It does not appear.
    pub async fn find(&self, css: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(20));
        wait.for_element(Locator::Css(css)).await.with_context(|| css.to_owned())
    }

    /// The text of an element as people see it.
    ///
    /// # Errors
    /// It does not appear.
    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// The texts of all elements that a selector finds now.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn texts(&self, css: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await? {
            texts.push(element.text().await?);
        }
        Ok(texts)
    }

    /// Clicks on an element.
    ///
    /// # Errors
    /// It does not appear, or cannot be clicked.
    pub async fn click(&self, css: &str) -> Result<()> {
        self.find(css).await?.click().await.with_context(|| css.to_owned())
    }

    /// Clicks on the link or button with this text.
    ///
    /// # Errors
    /// There is none.
    pub async fn press(&self, text: &str) -> Result<()> {
        let path = format!(
            "//*[self::a or self::button][normalize-space(translate(., '\u{a0}', ' '))='{text}']"
        );
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(20));
        let found = wait.for_element(Locator::XPath(&path)).await;
        found.with_context(|| text.to_owned())?.click().await.with_context(|| text.to_owned())
    }

    /// Types into a field that was emptied.
    ///
    /// # Errors
    /// It does not appear.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let field = self.find(css).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Presses a key where the focus is.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn key(&self, key: fantoccini::key::Key) -> Result<()> {
        let key = char::from(key).to_string();
        Ok(self.client.active_element().await?.send_keys(&key).await?)
    }

    /// Waits until something on the page is so.
    ///
    /// # Errors
    /// It does not become so.
    pub async fn until(
        &self,
        what: &str,
        mut holds: impl AsyncFnMut() -> Result<bool>,
    ) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let waited = tokio::time::timeout(PATIENCE, async {
            // An element may go away while it is looked at.
            while !holds().await.unwrap_or(false) {
                ticks.tick().await;
            }
        });
        let place = self.place().await?;
        waited.await.with_context(|| format!("{what} does not hold at {place}"))
    }

    /// Runs a script in the page, whether the page may have any or not.
    ///
    /// # Errors
    /// It throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// The browser does not answer.
    pub async fn picture(&self, width: u32, most: u64) -> Result<Vec<u8>> {
        let height = self.run("return document.documentElement.scrollHeight", vec![]).await?;
        let height = height.as_u64().unwrap_or(0).clamp(300, most);
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let asked = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.tell("Page.captureScreenshot", asked).await?;
        let data = picture["data"].as_str().context("a picture")?;
        Ok(base64_simd::STANDARD.decode_to_vec(data)?)
    }
}
