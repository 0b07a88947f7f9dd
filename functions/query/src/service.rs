//! What every query needs: the data, the clock, who asks.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use channels::Channels;
use chrono::NaiveTime;
use chrono_tz::Tz;
use history::History;
use report::{Day, Known, Range, RecipientDomains, Scope, day_in, local_to_unix};
use store::{Health, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::scoped::Scoped;
use crate::spool::Spools;
use crate::visitor::{Role, Visitor};

/// Exports and tables written as CSV at once: each takes a thread, and an export a day in memory.
const EXPORTS: usize = 4;
/// How long a turn at writing one is waited for.
const TURN: Duration = Duration::from_secs(10);

/// Tells the present time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What reports by mail are held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailing {
    /// Where they may go.
    pub recipients: RecipientDomains,
    /// How many may be asked for each day; at least one.
    pub requests_per_day: u32,
}

/// What every query needs.
#[derive(Clone)]
pub struct Query {
    /// What there is, as far as whoever asks may know of it.
    pub(crate) data: Scoped,
    pub(crate) health: Health,
    clock: Clock,
    as_of: Option<Day>,
    pub(crate) zone: Tz,
    known: Known,
    channels: Arc<Channels>,
    pub(crate) mailing: Mailing,
    /// Ids that this process makes in one moment are in order.
    ids: Arc<Mutex<ContextV7>>,
    /// Turns at writing exports and tables as CSV.
    exports: Arc<Semaphore>,
    /// Where long answers wait for whoever reads them.
    pub(crate) spools: Arc<Spools>,
    /// How many alerts need attention, where a page is asked for.
    pub(crate) attention: usize,
    /// Who asks; none where nobody has to sign in.
    pub(crate) visitor: Option<Visitor>,
}

impl Query {
    /// Queries of a store and its history, whose days are counted in `zone`.
    #[must_use]
    pub fn new(store: &Store, history: History, zone: Tz, mailing: Mailing, clock: Clock) -> Self {
        Self {
            data: Scoped::all(store, history),
            health: store.health(),
            clock,
            as_of: None,
            zone,
            known: Known::default(),
            channels: Arc::default(),
            mailing,
            ids: Arc::new(Mutex::new(ContextV7::new())),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            spools: Arc::new(Spools::new(std::env::temp_dir())),
            attention: 0,
            visitor: None,
        }
    }

    /// The same for whoever may know only what lies in a scope.
    fn within(&self, scope: &Scope) -> Self {
        let Mailing { recipients, requests_per_day } = &self.mailing;
        let (recipients, requests_per_day) = (recipients.within(scope), *requests_per_day);
        let mailing = Mailing { recipients, requests_per_day };
        Self { data: self.data.within(scope), mailing, ..self.clone() }
    }

    /// Takes this day for the present one, whatever the clock says: the views' ranges count from it.
    #[must_use]
    pub fn as_of(self, day: Option<Day>) -> Self {
        Self { as_of: day, ..self }
    }

    /// Knows what names in logs mean.
    #[must_use]
    pub fn knowing(self, known: Known) -> Self {
        Self { known, ..self }
    }

    /// What is known of names beside the logs.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// Can test these channels of alerts.
    #[must_use]
    pub fn telling(self, channels: Channels) -> Self {
        Self { channels: Arc::new(channels), ..self }
    }

    /// The channels of alerts that can be tested from here.
    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Keeps long answers in this folder until they are read, not in the system's for temporary files. They have no
    /// names there, and do not outlive the process.
    #[must_use]
    pub fn spooling_in(self, folder: PathBuf) -> Self {
        Self { spools: Arc::new(Spools::new(folder)), ..self }
    }

    /// A turn at writing CSV; none if others take too long.
    pub(crate) async fn turn_at_writing(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.exports).acquire_owned();
        tokio::time::timeout(TURN, turn).await.ok().and_then(Result::ok)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn today(&self) -> Day {
        self.as_of.unwrap_or_else(|| self.clocks_day())
    }

    /// The days that are kept.
    pub(crate) fn kept(&self) -> Range {
        Range::kept(self.today())
    }

    /// The moment up to which logs were read: now, or the end of the day that is taken for the present one.
    pub(crate) fn moment(&self) -> i64 {
        let next = self.as_of.and_then(|day| day.succ_opt());
        let ends = next.map(|next| local_to_unix(self.zone, next.and_time(NaiveTime::MIN)) - 1);
        ends.unwrap_or_else(|| self.now())
    }

    /// The present day, whatever day is taken for it.
    pub(crate) fn clocks_day(&self) -> Day {
        day_in(self.zone, self.now())
    }

    /// A new id: ids are in the order of time.
    pub(crate) fn next_id(&self) -> String {
        let seconds = u64::try_from(self.now()).unwrap_or(0);
        let context = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, 0)).to_string()
    }

    /// Whether reports by mail may be asked for, and notes written. Where nobody signs in, whoever is let in may do everything.
    pub(crate) fn may_manage(&self) -> bool {
        self.visitor.as_ref().is_none_or(|visitor| visitor.role >= Role::Manager)
    }

    /// What whoever asks is called, where it is kept beside what they decided.
    pub(crate) fn called(&self) -> &str {
        self.visitor.as_ref().map_or("a manager", |visitor| visitor.name.as_str())
    }

    /// Logs who changed what, for those who look into it later.
    pub(crate) fn audit(&self, action: &'static str, id: &str) {
        let (subject, name) = match &self.visitor {
            Some(visitor) => (visitor.subject.as_str(), visitor.name.as_str()),
            None => ("", "not signed in"),
        };
        tracing::info!(target: "audit", action, id, subject, name);
    }
}

/// What queries are made from. Handlers are not given it, but a [`Query`] of whoever asks.
#[derive(Clone)]
pub(crate) struct Service {
    query: Query,
    /// What somebody may know of who did not sign in.
    others: Scope,
}

impl Service {
    /// For everybody who can reach it.
    pub(crate) const fn for_everybody(query: Query) -> Self {
        Self { query, others: Scope::All }
    }

    /// What is known of names beside the logs, whoever asks.
    pub(crate) const fn known(&self) -> &Known {
        &self.query.known
    }

    /// For those who sign in.
    #[cfg(feature = "sign-in")]
    pub(crate) const fn for_visitors(query: Query) -> Self {
        Self { query, others: Scope::NOTHING }
    }
}

impl FromRequestParts<Service> for Query {
    type Rejection = Infallible;

    /// The queries, as whoever sent the request may make them.
    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Infallible> {
        let visitor: Option<Visitor> = parts.extensions.get().cloned();
        let scope = visitor.as_ref().map_or(&service.others, |visitor| &visitor.scope);
        let query = service.query.within(scope);
        // Every page tells it; where the store does not answer, the page says so itself.
        let attention = match parts.uri.path() {
            path if path.starts_with("/v1/") || path == "/healthz" => 0,
            _ => query.data.attention(query.today()).await.unwrap_or(0),
        };
        Ok(Self { attention, visitor, ..query })
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("zone", &self.zone).finish_non_exhaustive()
    }
}
