//! The service in one process: an engine in memory, ingestion, and the HTTP interface.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use channels::Channels;
use chrono_tz::Tz;
use history::{DayRows, History};
use ingest::{FileIngest, Ingest, IngestedLine, Settings, Summary};
use local::engine::Engine;
use mailer::{Mailer, Transport};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use query::sign_in::SignIn;
use query::{Mailing, Query, Visitor};
use report::{Day, Finer, FinerKey, Known, LongNames, Range, RecipientDomains};
use reporter::Reporter;
use serde_json::Value;
use store::{KnownFile, Store, Writing};
use tower::ServiceExt as _;

pub use crate::answer::Answer;
pub use crate::clock::{Clock, NOW};
use crate::issuer::{self, Issuer};
use crate::traffic::{self, Key};

/// Where the service would be found, if it had a name.
pub const BASE: &str = "https://report.example.test";

/// A store, what fills it and what answers from it.
#[derive(Debug)]
pub struct App {
    /// The engine behind the store.
    pub engine: Engine,
    /// The store.
    pub store: Store,
    /// Ingestion into it.
    pub ingest: Ingest,
    /// The store with its archives.
    pub history: History,
    /// Where the archives are.
    pub objects: Arc<dyn ObjectStore>,
    clock: Clock,
    channels: Channels,
    router: Router,
}

/// Every usage item of a range.
///
/// # Errors
/// The store failed.
pub async fn usage(store: &Store, range: Range) -> Result<BTreeMap<Key, u64>> {
    let mut usage = BTreeMap::new();
    for day in range.days() {
        let rows = DayRows::read(&store.usage(), day, &report::Filter::default()).await?;
        usage.extend(rows.iter().map(|(key, messages)| (traffic::key(day, &key), messages)));
    }
    Ok(usage)
}

/// Every finer counter of a range.
///
/// # Errors
/// The store failed.
pub async fn finer(store: &Store, range: Range) -> Result<BTreeMap<(Day, String, Finer), u64>> {
    let mut counters = BTreeMap::new();
    for day in range.days() {
        let each = |key: &FinerKey<'_>, count| {
            *counters.entry((day, key.account.to_owned(), key.of)).or_default() += count;
        };
        store.finer_counters().read(day, each).await?;
    }
    Ok(counters)
}

/// How days are counted and logs read, unless a test says otherwise.
#[must_use]
pub fn settings(zone: Tz) -> Settings {
    let logs = logs::Options { format: logs::Format::Auto, zone };
    Settings { logs, zone, default_domain: "(none)".into(), long_names: LongNames::default() }
}

fn router(store: &Store, history: &History, zone: Tz, mailing: Mailing, clock: &Clock) -> Router {
    let clock = clock.clone();
    let query = Query::new(store, history.clone(), zone, mailing, Arc::new(move || clock.now()));
    query::router(query)
}

/// What reports by mail are held to, unless a test says otherwise.
#[must_use]
pub fn mailing() -> Mailing {
    let recipients =
        RecipientDomains::read("example.test, corp.test").unwrap_or(RecipientDomains::Any);
    Mailing { recipients, requests_per_day: report::REQUESTS_PER_DAY }
}

impl App {
    /// An empty service whose days are those of UTC.
    ///
    /// # Errors
    /// The engine does not start.
    pub async fn new() -> Result<Self> {
        Self::in_zone(Tz::UTC).await
    }

    /// An empty service whose days are those of a zone.
    ///
    /// # Errors
    /// The engine does not start.
    pub async fn in_zone(zone: Tz) -> Result<Self> {
        let engine = Engine::in_memory()?;
        let store = Store::new(engine.client(), "table", Writing::Transactions);
        store.create_table().await?;
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let history = History::new(&store, Arc::clone(&objects));
        Ok(Self::of(engine, store, history, objects, zone))
    }

    /// The service in a new process, over what an earlier one left; its days are those of UTC.
    #[must_use]
    pub fn over(
        engine: Engine,
        store: &Store,
        history: History,
        objects: Arc<dyn ObjectStore>,
    ) -> Self {
        Self::of(engine, store.clone(), history, objects, Tz::UTC)
    }

    fn of(
        engine: Engine,
        store: Store,
        history: History,
        objects: Arc<dyn ObjectStore>,
        zone: Tz,
    ) -> Self {
        let ingest = Ingest::new(&store, settings(zone));
        let clock = Clock::default();
        let router = router(&store, &history, zone, mailing(), &clock);
        Self {
            engine,
            store,
            ingest,
            history,
            objects,
            clock,
            channels: Channels::default(),
            router,
        }
    }

    /// The same service with other rules for reports by mail.
    #[must_use]
    pub fn with_mailing(self, mailing: Mailing) -> Self {
        Self { router: router(&self.store, &self.history, Tz::UTC, mailing, &self.clock), ..self }
    }

    /// The same service, which knows this beside the logs.
    #[must_use]
    pub fn knowing(self, known: Known) -> Self {
        Self { router: query::router(self.query().knowing(known)), ..self }
    }

    /// The same service, which can test these channels of alerts.
    #[must_use]
    pub fn telling(self, channels: Channels) -> Self {
        let app = Self { channels, ..self };
        Self { router: query::router(app.query()), ..app }
    }

    fn query(&self) -> Query {
        let clock = self.clock.clone();
        let (history, clock) = (self.history.clone(), Arc::new(move || clock.now()));
        let query = Query::new(&self.store, history, Tz::UTC, mailing(), clock);
        query.telling(self.channels.clone())
    }

    /// The same service for a table that marks long names in this form.
    #[must_use]
    pub fn with_long_names(self, long_names: LongNames) -> Self {
        let settings = Settings { long_names, ..self.ingest.settings().clone() };
        Self { ingest: Ingest::new(&self.store, settings), ..self }
    }

    /// The same service for logs of one format.
    #[must_use]
    pub fn reading(self, format: logs::Format) -> Self {
        let mut settings = settings(Tz::UTC);
        settings.logs.format = format;
        Self { ingest: Ingest::new(&self.store, settings), ..self }
    }

    /// The same service for those whom an issuer's tokens show.
    ///
    /// # Errors
    /// This machine has no certificates.
    pub fn behind(self, issuer: &Issuer) -> Result<Self> {
        self.behind_with(issuer, &[])
    }

    /// The same where these claims tell which sender domains somebody may know of.
    ///
    /// # Errors
    /// This machine has no certificates.
    pub fn behind_with(self, issuer: &Issuer, domain_claims: &[&str]) -> Result<Self> {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let oidc = bootstrap::Oidc {
            issuer: issuer.url(),
            client_id: issuer::CLIENT.to_owned(),
            client_secret: None,
            audiences: list(&["scripts"]),
            role_claims: list(&["cognito:groups", "scope"]),
            readers: list(&["readers", "smtp-auth-report/read"]),
            managers: list(&["managers", "smtp-auth-report/manage"]),
            domain_claims: list(domain_claims),
        };
        let http = bootstrap::http(std::time::Duration::from_secs(5))?;
        let clock = self.clock.clone();
        let sign_in = SignIn::new(oidc, BASE, http, Arc::new(move || clock.now()));
        Ok(Self { router: query::router_behind(sign_in, self.query()), ..self })
    }

    /// Its HTTP interface.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What the service takes for the present; its reader of logs stays at [`NOW`].
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The report function over this store, with days of UTC.
    ///
    /// # Errors
    /// Never: the sender is one.
    pub fn reporter(&self, transport: Arc<dyn Transport>) -> Result<Reporter> {
        self.reporter_over(&self.store, self.history.clone(), transport)
    }

    /// The report function in a process of its own, over another connection to the same store.
    ///
    /// # Errors
    /// Never: the sender is one.
    pub fn reporter_over(
        &self,
        store: &Store,
        history: History,
        transport: Arc<dyn Transport>,
    ) -> Result<Reporter> {
        let mailer = Mailer::new("SMTP AUTH report <reports@example.test>", transport)?;
        let settings = reporter::Settings {
            zone: Tz::UTC,
            recipients: mailing().recipients,
            dashboard: Some("https://mail.example.test".to_owned()),
            as_of: None,
            known: Known::default(),
        };
        let clock = self.clock.clone();
        Ok(Reporter::new(store, history, mailer, settings, Arc::new(move || clock.now())))
    }

    /// Asks with a JSON body.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string()))?).await
    }

    /// Ingests a log as a file with this name, line by line.
    ///
    /// # Errors
    /// The store failed.
    pub async fn log(&self, name: &str, log: &str) -> Result<Summary> {
        let file = KnownFile { source: format!("file:{name}"), known: false };
        let mut reading = FileIngest::resume(&self.ingest, &file, NOW).await?;
        reading.call(name, false);
        let mut begins = 0;
        for line in log.split_inclusive('\n') {
            let ends = begins + line.len() as u64;
            if begins >= reading.offset() {
                let place = IngestedLine {
                    begins,
                    ends,
                    reference: NOW,
                    is_ended: true,
                    is_continued: false,
                };
                reading.line(line.trim_end().as_bytes(), place);
            }
            begins = ends;
        }
        Ok(reading.flush().await?)
    }

    /// Asks for a path.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Request::get(path).body(Body::empty())?).await
    }

    /// Asks for a path as somebody who signed in.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn get_as(&self, visitor: &Visitor, path: &str) -> Result<Answer> {
        let request = Request::get(path).extension(visitor.clone());
        self.ask(request.body(Body::empty())?).await
    }

    /// Asks with a JSON body as somebody who signed in.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn send_as(
        &self,
        visitor: &Visitor,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer> {
        let request = Request::builder().method(method).uri(path).extension(visitor.clone());
        let request = request.header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string()))?).await
    }

    /// Asks with a request of one's own.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn ask(&self, request: Request<Body>) -> Result<Answer> {
        let asked = format!("{} {}", request.method(), request.uri());
        let response = self.router.clone().oneshot(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        Ok(Answer::new(asked, status, headers, body.to_vec()))
    }
}
