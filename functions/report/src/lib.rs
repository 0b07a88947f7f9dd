//! Report requests and schedules: CSV by mail.
//!
//! [`Reporter::handle`] is the whole function. A new report request in the table's stream is worked on at
//! once; a tick makes requests of the schedules that are due, and looks after requests that wait or whose
//! worker died.
//!
//! # One mail for each request
//!
//! A worker claims a request, for [`LEASE`] seconds at a time, and renews the claim as long as it works. When
//! the mail is written, it makes sure once more that the claim is its own, hands the mail over, and records
//! that it was accepted, again and again if the table does not answer. So a mail goes out once more only if
//! the worker, or the whole table, dies between the moment in which the mail was accepted and the moment in
//! which that was recorded, or if the answer that it was accepted gets lost on its way. All of them have the
//! same `Message-ID` then (SES puts its own in its place); in an outbox folder the later replaces the earlier.
//! It is the only case, and none loses a mail: what is not recorded as ended is tried again.
//!
//! A mail is for all its recipients or none: if a relay refuses one of them, nobody gets it, and the request
//! fails with the relay's words.

mod chart;
mod detailed;
mod gather;
mod letter;
mod schedules;
mod spool;
mod trigger;
mod work;

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;
use history::History;
use mailer::Mailer;
use report::{Day, RecipientDomains};
use serde::Serialize;
use serde_json::Value;
use store::{Store, StoreError};
use thiserror::Error;

pub use trigger::{Trigger, UnknownEvent};
pub use work::{ATTEMPTS, LEASE};

/// Tells the present time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the function is told about its surroundings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone whose days are counted.
    pub zone: Tz,
    /// Where mail may go. What was asked for earlier is held against it once more.
    pub recipients: RecipientDomains,
    /// Where people find the dashboard, as in `https://mail.example.org`.
    pub dashboard: Option<String>,
    /// The day that is taken for the present one, where that is not the clock's: it decides which days are
    /// kept, and nothing else.
    pub as_of: Option<Day>,
}

/// Makes reports and mails them.
#[derive(Clone)]
pub struct Reporter {
    history: History,
    mailer: Mailer,
    settings: Settings,
    clock: Clock,
}

/// Why an invocation failed. Requests stay open, and are worked on at the next one.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The event is of no known kind.
    #[error(transparent)]
    Event(#[from] UnknownEvent),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

metrics::figures! {
    /// What an invocation came to.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct Summary {
        /// Requests made of schedules that were due.
        pub scheduled: u64 => Counter, Count;
        /// Reports sent.
        pub sent: u64 => Counter, Count;
        /// Reports sent that say that there was nothing.
        pub sent_empty: u64 => Counter, Count;
        /// Requests that failed for good.
        pub failed: u64 => Counter, Count;
        /// Requests that are to be tried again.
        pub put_off: u64 => Counter, Count;
        /// The earliest moment known at which there is something to do, in seconds since 1970.
        pub next: Option<i64>;
    }
}

impl Summary {
    fn look_again(&mut self, at: i64) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Reporter {
    /// Reports from `history`, by `mailer`.
    #[must_use]
    pub fn new(history: History, mailer: Mailer, settings: Settings, clock: Clock) -> Self {
        Self { history, mailer, settings, clock }
    }

    fn store(&self) -> &Store {
        self.history.store()
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Does what an event asks for: of the table's stream, or of a schedule's tick.
    ///
    /// # Errors
    /// The event is of another kind, or the table does not answer.
    pub async fn handle(&self, event: &Value) -> Result<Summary, ReportError> {
        match Trigger::read(event)? {
            Trigger::Requests(ids) => self.work_on(ids).await,
            Trigger::Tick => self.tick().await,
        }
    }

    /// Makes requests of schedules that are due, and works on every request that has not ended.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn tick(&self) -> Result<Summary, ReportError> {
        let due = self.make_due_requests().await;
        // What waits is worked on even if a schedule is in trouble.
        let open = self.store().open_requests().await?;
        let mut summary = self.work_on(open).await?;
        let (scheduled, next) = due?;
        summary.scheduled = scheduled;
        if let Some(next) = next {
            summary.look_again(next);
        }
        Ok(summary)
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("settings", &self.settings).finish_non_exhaustive()
    }
}
