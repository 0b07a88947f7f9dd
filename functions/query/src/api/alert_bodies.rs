//! Alerts as they are answered, and decisions as they are sent.

use chrono::{DateTime, NaiveDate, Utc};
use detect::{Case, Kind, Resolution, Severity, Status};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::contents::instant;
use super::schemas;

/// The fields of a decision.
pub(crate) const FIELDS: &[&str] = &["status", "resolution", "note"];

/// Characters of a note about a decision.
pub(crate) const NOTE: usize = 1000;

/// A page of alerts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertsPage {
    /// First day.
    pub(crate) start: NaiveDate,
    /// Last day, included.
    pub(crate) end: NaiveDate,
    /// The newest signs first.
    pub(crate) alerts: Vec<AlertAnswer>,
    /// The cursor of the next page; null on the last.
    pub(crate) next: Option<String>,
}

/// One of some words, as it is answered.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident($of:ty) = $schema:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $of);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Schema::from($schema).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

words! {
    /// What an alert, or a sign of one, is about.
    AlertKind(Kind) = schemas::word(Kind::ALL.map(Kind::name));
    /// How sure an alert is.
    AlertSeverity(Severity) = schemas::word(Severity::ALL.map(Severity::name));
    /// How an alert stands.
    AlertStatus(Status) = schemas::word(Status::ALL.map(Status::name));
    /// What an alert was.
    AlertResolution(Resolution) = schemas::word(Resolution::ALL.map(Resolution::name));
}

/// Somebody's account seems to be in strange hands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertAnswer {
    /// Its id.
    id: String,
    /// The kind of its strongest sign.
    kind: AlertKind,
    /// Whose.
    account: String,
    /// The sender domain of most of the account's mail.
    domain: String,
    /// How sure it is.
    severity: AlertSeverity,
    /// The highest score of its days, in decimal logarithms of odds.
    score: f64,
    /// How it stands.
    status: AlertStatus,
    /// What it was; null unless it is resolved.
    resolution: Option<AlertResolution>,
    /// The first odd day.
    day: NaiveDate,
    /// The last odd day.
    last_day: NaiveDate,
    /// The day whose counts sufficed.
    raised_day: NaiveDate,
    /// When it was raised.
    raised_at: DateTime<Utc>,
    /// Why, in one sentence.
    reason: String,
    /// Every sign, the strongest first.
    signals: Vec<SignalAnswer>,
    /// What it rests on.
    evidence: EvidenceAnswer,
    /// The last decision about it; null if there was none.
    decision: Option<DecisionAnswer>,
    /// Who was told of it.
    told: Vec<NoticeAnswer>,
    /// Whether it would need attention, but is muted today.
    muted: bool,
}

/// A sign of an alert.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Signal)]
struct SignalAnswer {
    /// What it is about.
    signal: AlertKind,
    /// What it weighs, in decimal logarithms of odds.
    weight: f64,
    /// The same in words.
    text: String,
}

/// What an alert rests on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Evidence)]
struct EvidenceAnswer {
    /// Messages of its oddest day.
    messages: u64,
    /// Messages on a usual day of the account's.
    usual_messages: f64,
    /// Strange client addresses; at most 20.
    clients: Vec<String>,
    /// Senders that it had not used before; at most 20.
    senders: Vec<String>,
    /// Failed logins before.
    failures: u64,
    /// Messages between 23:00 and 06:00, if they are odd.
    night_messages: u64,
    /// Recipients of its messages, if they are odd.
    recipients: u64,
}

/// Who decided what about an alert, and when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Decision)]
struct DecisionAnswer {
    /// When.
    at: DateTime<Utc>,
    /// What whoever it was is called; empty if the alert ended by itself.
    by: String,
    /// What they noted; may be empty.
    note: String,
}

/// That a channel was told of an alert.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Notice)]
struct NoticeAnswer {
    /// Its name; `mail` is mail.
    channel: String,
    /// When it was last.
    at: DateTime<Utc>,
}

impl AlertAnswer {
    /// A case as it is answered.
    pub(crate) fn new(case: Case, muted: bool) -> Self {
        let Case { alert, status, resolution, raised_at, decision, notices, .. } = case;
        let signals = alert.signals.into_iter().map(|one| SignalAnswer {
            signal: AlertKind(one.signal),
            weight: one.weight,
            text: one.text,
        });
        let evidence = alert.evidence;
        Self {
            id: alert.id,
            kind: AlertKind(alert.kind),
            account: alert.account,
            domain: alert.domain,
            severity: AlertSeverity(alert.severity),
            score: alert.score,
            status: AlertStatus(status),
            resolution: resolution.map(AlertResolution),
            day: alert.day,
            last_day: alert.last_day,
            raised_day: alert.raised_day,
            raised_at: instant(raised_at),
            reason: alert.reason,
            signals: signals.collect(),
            evidence: EvidenceAnswer {
                messages: evidence.messages,
                usual_messages: evidence.usual_messages,
                clients: evidence.clients,
                senders: evidence.senders,
                failures: evidence.failures,
                night_messages: evidence.night_messages,
                recipients: evidence.recipients,
            },
            decision: decision.map(|decision| DecisionAnswer {
                at: instant(decision.at),
                by: decision.by,
                note: decision.note,
            }),
            told: notices
                .into_iter()
                .map(|(channel, notice)| NoticeAnswer { channel, at: instant(notice.at) })
                .collect(),
            muted,
        }
    }
}

/// A decision as it is sent: that an alert is open or looked into, or what it was.
pub(crate) enum NewStatus {}

impl PartialSchema for NewStatus {
    fn schema() -> RefOr<Schema> {
        let closed = || Some(AdditionalProperties::FreeForm(false));
        let goes_on = ObjectBuilder::new()
            .title(Some("goes on"))
            .property("status", schemas::word(["open", "acknowledged"]))
            .property("resolution", schemas::null())
            .property("note", schemas::line_or_null(NOTE))
            .required("status")
            .additional_properties(closed());
        let ends = ObjectBuilder::new()
            .title(Some("ends"))
            .property("status", schemas::word(["resolved"]))
            .property("resolution", schemas::word(Resolution::ALL.map(Resolution::name)))
            .property("note", schemas::line_or_null(NOTE))
            .required("status")
            .required("resolution")
            .additional_properties(closed());
        let told = "What is decided; a note may say why.";
        let either = OneOfBuilder::new().item(goes_on.build()).item(ends.build());
        Schema::from(either.description(Some(told)).build()).into()
    }
}

impl ToSchema for NewStatus {}
