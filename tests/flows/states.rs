//! Every answer and every page as scripts and people get them, kept as snapshots in three states: of a service with
//! mail, of an empty one, and of one that is fed and asked by somebody who means harm.
//!
//! Ids, cursors and versions of files are replaced, for they are random or opaque. `INSTA_UPDATE=always` takes over
//! what has changed.

mod answers;
mod pages;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use mailer::SendError;
use reporter::Reporter;
use serde_json::{Value, json};
use tests::app::{Answer, App, NOW};
use tests::mail::Post;

use crate::reports::{app_with_mail, ask, asked, inserted};

use text::{lines, pretty, redacted, visible};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A service, with what was asked of it by name, and the snapshots that it did not match.
struct State {
    name: &'static str,
    app: App,
    /// Report requests and schedules: name by id.
    ids: BTreeMap<String, &'static str>,
    changed: Vec<String>,
}

impl State {
    fn new(name: &'static str, app: App) -> Self {
        Self { name, app, ids: BTreeMap::new(), changed: Vec::new() }
    }

    async fn empty() -> Result<Self> {
        Ok(Self::new("empty", App::new().await?))
    }

    /// The id of what was given this name.
    fn id(&self, name: &str) -> &str {
        let found = self.ids.iter().find(|(_, known)| **known == name);
        found.map_or("", |(id, _)| id.as_str())
    }

    /// Holds an answer to its snapshot.
    fn keep(&mut self, what: &str, answer: &Answer) {
        self.keep_text(what, &self.shown(answer));
    }

    fn keep_text(&mut self, what: &str, text: &str) {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(format!("snapshots/{}", self.name));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        // One that does not match must not hide the others.
        let same = catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(what, text));
        }));
        if same.is_err() {
            self.changed.push(what.to_owned());
        }
    }

    /// Keeps what comes to each of some questions.
    async fn keep_all(&mut self, accept: &str, questions: &[(&str, &str)]) -> Result<()> {
        for (what, path) in questions {
            let answer = self.get(accept, path).await?;
            self.keep(what, &answer);
        }
        Ok(())
    }

    /// Asks for a path, in which names in braces stand for ids.
    async fn get(&self, accept: &str, path: &str) -> Result<Answer> {
        let request = Request::get(self.path(path)).header("accept", accept);
        self.app.ask(request.body(Body::empty())?).await
    }

    fn path(&self, path: &str) -> String {
        self.ids
            .iter()
            .fold(path.to_owned(), |path, (id, name)| path.replace(&format!("{{{name}}}"), id))
    }

    /// That every snapshot was matched.
    fn held(self) -> Result<()> {
        ensure!(self.changed.is_empty(), "{}: {} changed", self.name, self.changed.join(", "));
        Ok(())
    }

    /// An answer as it is kept: status, headers, and a body that can be read line by line.
    fn shown(&self, answer: &Answer) -> String {
        let mut shown = format!("{}\n", answer.status);
        for (name, value) in &answer.headers {
            // These are the same everywhere, and looked at by other flows; or go with what is replaced below.
            let left_out = [
                "content-length",
                "content-security-policy",
                "referrer-policy",
                "vary",
                "x-content-type-options",
            ];
            if !left_out.contains(&name.as_str()) {
                let _ = writeln!(shown, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
            }
        }
        let body = String::from_utf8_lossy(&answer.body);
        let body = match answer.headers.get("content-type").map(|value| value.as_bytes()) {
            Some(kind) if kind.ends_with(b"json") => pretty(&body),
            Some(kind) if kind.starts_with(b"text/html") => lines(&body),
            _ => body.replace("\r\n", "\n"),
        };
        redacted(&visible(&format!("{shown}\n{body}")), &self.ids)
    }
}

/// What is done to a service before it is looked at, at times before the present.
struct Past {
    state: State,
    post: Post,
    reporter: Reporter,
}

impl Past {
    fn of(state: State) -> Result<Self> {
        let post = Post::default();
        let reporter = state.app.reporter(Arc::new(post.clone()))?;
        Ok(Self { state, post, reporter })
    }

    /// Goes to a moment before the present.
    fn at(&mut self, before: i64) -> &mut Self {
        self.state.app.clock().set(NOW - before);
        self
    }

    /// Asks for a report and makes it, which the mail server may refuse.
    async fn report(
        &mut self,
        name: &'static str,
        body: &Value,
        refused: Option<SendError>,
    ) -> Result<()> {
        if let Some(error) = refused {
            self.post.refuse_once(error);
        }
        self.pending(name, body).await?;
        self.reporter.handle(&inserted(self.state.id(name))).await?;
        Ok(())
    }

    /// Asks for a report that is not made yet.
    async fn pending(&mut self, name: &'static str, body: &Value) -> Result<()> {
        let id = ask(&self.state.app, body).await?;
        self.state.ids.insert(id, name);
        Ok(())
    }

    async fn schedule(&mut self, name: &'static str, body: &Value) -> Result<()> {
        let made = self.state.app.send("POST", "/v1/schedules", body).await?.ok()?;
        let id = made["id"].as_str().context("an id")?.to_owned();
        self.state.ids.insert(id, name);
        Ok(())
    }

    /// Sends what is due.
    async fn tick(&self) -> Result<()> {
        self.reporter.tick().await?;
        Ok(())
    }

    fn now(mut self) -> State {
        self.at(0);
        self.state
    }
}

fn with(mut body: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

/// A daily schedule at 13:00, an hour after the present.
fn schedule(fields: &Value) -> Value {
    let daily = json!({"name": "Every day", "view": "tls-usage", "recipients": ["ann@example.test"],
        "frequency": "daily", "time": "13:00"});
    with(daily, fields)
}

/// Mail of every TLS version and of none, failed logins, and reports in every state.
async fn normal() -> Result<State> {
    let app = app_with_mail().await?;
    let mut log = String::new();
    for event in [
        json!({"event": "auth_failure", "time": "2026-11-24T07:00:00Z", "account": "account1",
            "client": "192.0.2.1"}),
        json!({"event": "auth_failure", "time": "2026-11-20T07:00:00Z", "client": "192.0.2.99"}),
        json!({"time": "2026-11-24T09:00:00Z", "sender": "", "account": "account1", "tls": "TLS1.1",
            "mechanism": "LOGIN", "client": "2001:db8::1", "messages": 1200}),
        json!({"time": "2026-11-23T09:00:00Z", "sender": "printer", "account": "printer",
            "messages": 3}),
        json!({"time": "2026-11-23T09:00:00Z", "sender": "user3@corp.test", "account": "printer",
            "tls": "TLS1.1", "mechanism": "CRAM-MD5", "client": "2001:db8::1", "messages": 2}),
    ] {
        let _ = writeln!(log, "{event}");
    }
    app.log("more", &log).await?;
    let mut past = Past::of(State::new("normal", app))?;
    past.at(10 * DAY);
    past.schedule("daily", &schedule(&json!({}))).await?;
    let ended = json!({"name": "Of old", "time": "12:30", "expires": "2026-11-14"});
    past.schedule("expired", &schedule(&ended)).await?;
    for before in [10, 1] {
        past.at(before * DAY - HOUR).tick().await?;
    }
    past.at(DAY / 2);
    let weekly = json!({"name": "Every week", "frequency": "weekly", "weekday": "monday",
        "zone": "Europe/Berlin", "domain": "corp.test", "paused": true});
    past.schedule("weekly", &schedule(&weekly)).await?;
    let monthly = json!({"name": "Every month", "frequency": "monthly", "day": "last",
        "view": "sending-volume", "time": "07:30", "zone": "Asia/Tokyo",
        "recipients": ["ann@example.test", "bob@corp.test", "eve@corp.test"]});
    past.schedule("monthly", &schedule(&monthly)).await?;

    let several = json!({"name": "Who sends", "recipients": ["ann@example.test", "bob@corp.test"]});
    past.at(600).report("sent", &with(asked("sending-volume"), &several), None).await?;
    let nobody = json!({"domain": "nobody.test", "start": "2026-11-20", "end": "2026-11-20"});
    past.at(500).report("nothing", &with(asked("tls-usage"), &nobody), None).await?;
    let refused = SendError::Permanent("the relay answered 550 5.7.1 no relaying".to_owned());
    past.at(400).report("failed", &asked("tls-usage"), Some(refused)).await?;
    let later = SendError::Temporary("the relay answered 451 4.3.0 try later".to_owned());
    past.at(300).report("delayed", &asked("tls-usage"), Some(later)).await?;
    past.at(200).pending("pending", &asked("sending-volume")).await?;
    Ok(past.now())
}

/// Text that would do harm if it were taken for more than text.
const SCRIPT: &str = "\"><script>alert(1)</script>";
const NAME: &str = "=1+1 <img src=x onerror=alert(1)> & \u{202e}gpj.exe \"'{{7*7}}";

/// Senders, accounts and names that would do harm if they could.
fn hostile_senders() -> Vec<String> {
    let mut senders: Vec<_> = [
        "<script>alert(1)</script>@a.test",
        "\"><img src=x onerror=alert(1)>@b.test",
        "=cmd|'/c calc'!a1@c.test",
        "+1+1@c.test",
        "-1+1@c.test",
        "@sum(1)@c.test",
        "\t=1+1@c.test",
        "moc.\u{202e}tset@d.test",
        "zero\u{200b}width\u{feff}@d.test",
        "{{7*7}}${7*7}@e.test",
        "javascript:alert(1)",
        "\"a\"\r\nbcc: eve@f.test",
        "nul\u{0}bell\u{7}@f.test",
        "a,b;c@f.test",
        "x@\"><b>.test",
        "../../etc/passwd?a=b&c=d#e@g.test",
    ]
    .map(str::to_owned)
    .into();
    senders.push(format!("{}@long.test", "x".repeat(300)));
    senders
}

async fn hostile() -> Result<State> {
    let app = App::new().await?;
    let mut log = String::new();
    for (number, sender) in hostile_senders().into_iter().enumerate() {
        let tls = ["TLS1.0", "TLS1.3", "none"][number % 3];
        let event = json!({"time": "2026-11-24T08:00:00Z", "sender": sender, "account": sender,
            "tls": tls, "mechanism": SCRIPT, "client": "192.0.2.66",
            "messages": number + 1});
        let failure = json!({"event": "auth_failure", "time": "2026-11-24T08:00:00Z",
            "account": sender, "client": "192.0.2.66"});
        let _ = write!(log, "{event}\n{failure}\n");
    }
    app.log("hostile", &log).await?;
    let name = format!("{SCRIPT}{NAME}\u{202e}{}", "x".repeat(300));
    app.log(&name, &format!("{SCRIPT}\n{{\"log\": \"{NAME}\n")).await?;
    let mut past = Past::of(State::new("hostile", app))?;
    let named = json!({"name": NAME, "recipients": ["o'neil&co@example.test"]});
    past.at(DAY).schedule("named", &schedule(&named)).await?;
    past.at(DAY - HOUR).tick().await?;
    past.at(600).report("sent", &with(asked("tls-usage"), &named), None).await?;
    let reason = format!("the relay answered 550 {SCRIPT} \u{202e}=1+1");
    let refused = SendError::Permanent(reason);
    past.at(500).report("failed", &with(asked("tls-usage"), &named), Some(refused)).await?;
    Ok(past.now())
}
