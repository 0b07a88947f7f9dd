//! One channel, and what it is told.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use detect::{Alert, Case, Due, Evidence, Kind, Listener, Pace, Severity, Spent};
use report::Day;
use thiserror::Error;

use crate::letter::Letter;

/// How long a channel is told one after the other: what is left is told in its next turn.
const TURN: Duration = Duration::from_secs(20);

/// Why a channel was not told. Its text names no secret.
#[derive(Debug, Error)]
pub enum Untold {
    /// Nobody answered.
    #[error("cannot be reached: {0}")]
    Unreached(String),
    /// Somebody answered that it is not taken.
    #[error("refused: {0}")]
    Refused(String),
}

/// How a channel is told.
#[async_trait]
pub trait Way: fmt::Debug + Send + Sync {
    /// Hands a letter over, or gives up before others have waited for long.
    ///
    /// # Errors
    /// It was not taken, or nobody knows.
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold>;
}

/// Where alerts go.
#[derive(Clone, Debug)]
pub struct Channel {
    /// By which it is known: of several no two have the same.
    pub name: String,
    /// What is at its end, as in `slack`.
    pub form: &'static str,
    /// How it is told.
    pub pace: Pace,
    /// Whether it is told of each case by itself.
    pub each: bool,
    /// Of what is less sure it is not told.
    pub least: Severity,
    /// What hands letters over.
    pub way: Arc<dyn Way>,
}

/// What came of telling a channel.
#[derive(Debug)]
pub struct Told {
    /// What it took.
    pub due: Due,
    /// Why it did not take the rest.
    pub error: Option<Untold>,
}

/// All channels, and what leads from them to the alerts.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// In the order in which they are told.
    pub all: Vec<Channel>,
    /// Where the dashboard is, as in `https://mail.example.org`.
    pub dashboard: Option<String>,
}

impl Channels {
    /// Tells a channel what is due, at `now` in seconds since 1970. If it is told one by one, then until one is not taken, or
    /// its turn is over: others wait.
    pub async fn tell(&self, channel: &Channel, mut due: Due, now: i64) -> Told {
        let letter = |cases| Letter {
            cases,
            is_digest: due.is_digest,
            is_test: false,
            at: now,
            dashboard: self.dashboard.as_deref(),
        };
        let (begun, mut told, mut error) = (Instant::now(), 0, None);
        let at_once = if channel.each { 1 } else { due.cases.len().max(1) };
        for cases in due.cases.chunks(at_once) {
            if begun.elapsed() > TURN {
                break;
            }
            if let Err(failed) = channel.way.tell(&letter(cases)).await {
                error = Some(failed);
                break;
            }
            told += cases.len();
        }
        due.cases.truncate(told);
        Told { due, error }
    }

    /// Tells a channel something that says of itself that it is a test, on a day and at `now` in seconds since 1970.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn test(&self, channel: &Channel, day: Day, now: i64) -> Result<(), Untold> {
        let case = [sample(day, now)];
        let dashboard = self.dashboard.as_deref();
        let letter = Letter { cases: &case, is_digest: false, is_test: true, at: now, dashboard };
        channel.way.tell(&letter).await
    }

    /// The channel of this name; none if there is none.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Channel> {
        self.all.iter().find(|channel| channel.name == name)
    }
}

impl Channel {
    /// Who is told by it, who was told so much on their last day.
    #[must_use]
    pub fn listener(&self, spent: Option<Spent>) -> Listener<'_> {
        Listener { name: &self.name, pace: self.pace, least: self.least, spent }
    }
}

/// An alert about nobody.
fn sample(day: Day, now: i64) -> Case {
    let alert = Alert {
        id: "test".to_owned(),
        kind: Kind::NewPlace,
        account: "test@example.org".to_owned(),
        domain: "example.org".to_owned(),
        severity: Severity::Medium,
        score: 0.0,
        day,
        last_day: day,
        raised_day: day,
        reason: "This is a test: alerts will come like this, and nothing has happened.".to_owned(),
        signals: Vec::new(),
        evidence: Evidence::default(),
    };
    Case::raised(alert, now)
}
