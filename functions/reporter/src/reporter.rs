//! What the function is made of, is told, and tells.

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;
use history::History;
use mailer::Mailer;
use report::{Day, Known, RecipientDomains};
use serde::Serialize;
use store::{Alerts, ReportRequests, Schedules, Store, StoreError};
use thiserror::Error;

use crate::trigger::UnknownEvent;

/// Tells the present time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Tells whether a time can be the present one.
pub type Believes = Arc<dyn Fn(i64) -> bool + Send + Sync>;

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
    /// What names in logs mean, beside the logs.
    pub known: Known,
}

/// Makes reports and mails them.
#[derive(Clone)]
pub struct Reporter {
    pub(crate) requests: ReportRequests,
    pub(crate) schedules: Schedules,
    pub(crate) history: History,
    pub(crate) alerts: Alerts,
    pub(crate) mailer: Mailer,
    pub(crate) settings: Settings,
    pub(crate) believes: Believes,
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
    pub(crate) fn look_again(&mut self, at: i64) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Reporter {
    /// Reports that were asked for in `store`, from `history`, by `mailer`.
    #[must_use]
    pub fn new(
        store: &Store,
        history: History,
        mailer: Mailer,
        settings: Settings,
        clock: Clock,
    ) -> Self {
        let (requests, schedules) = (store.report_requests(), store.schedules());
        let (alerts, believes): (_, Believes) = (store.alerts(), Arc::new(|_| true));
        Self { requests, schedules, history, alerts, mailer, settings, believes, clock }
    }

    /// Makes requests of schedules only while the clock is believed; what is due by then stays due.
    #[must_use]
    pub fn with_schedules_if(self, believes: Believes) -> Self {
        Self { believes, ..self }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("settings", &self.settings).finish_non_exhaustive()
    }
}
