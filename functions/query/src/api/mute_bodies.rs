//! Mutes as they are sent, and as they are answered.

use chrono::{DateTime, NaiveDate, Utc};
use detect::{Kind, Mute, Muted};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::alert_bodies::AlertKind;
use super::contents::instant;
use super::schemas;

/// Characters of a reason.
pub(crate) const REASON: usize = 200;

/// All mutes that have not ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Mutes {
    /// The newest first; 200 at most.
    pub(crate) mutes: Vec<MuteAnswer>,
}

/// What nobody wants to be told of for a while: one of account, kind, network and sender; the others are null.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Mute)]
pub(crate) struct MuteAnswer {
    /// Its id: that of the mute of the same, whenever it is muted.
    id: String,
    /// Alerts about this account.
    account: Option<String>,
    /// Alerts of this kind.
    kind: Option<AlertKind>,
    /// Alerts whose strange client addresses are all in this network, or in others that are muted.
    network: Option<String>,
    /// Alerts whose new senders are all this one, or others that are muted.
    sender: Option<String>,
    /// The last day on which it holds.
    until: NaiveDate,
    /// Why.
    reason: String,
    /// What whoever muted it is called.
    by: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<Mute> for MuteAnswer {
    fn from(mute: Mute) -> Self {
        let Mute { id, what, until, reason, by, at } = mute;
        let is = |field: &str| (what.field() == field).then(|| what.to_string());
        Self {
            id,
            account: is("account"),
            kind: match what {
                Muted::Kind(kind) => Some(AlertKind(kind)),
                _ => None,
            },
            network: is("network"),
            sender: is("sender"),
            until,
            reason,
            by,
            at: instant(at),
        }
    }
}

/// A mute as it is sent: of one thing, with a reason.
pub(crate) enum NewMute {}

impl PartialSchema for NewMute {
    fn schema() -> RefOr<Schema> {
        let one = Muted::FIELDS.into_iter().fold(OneOfBuilder::new(), |one, own| {
            let object = Muted::FIELDS.into_iter().fold(
                ObjectBuilder::new().title(Some(format!("mute of {own}"))),
                |object, field| match field == own {
                    true => object.property(field, of_field(field)),
                    false => object.property(field, schemas::null()),
                },
            );
            let object = object
                .property("until", schemas::date_or_null())
                .property("reason", schemas::some_line(REASON))
                .required(own)
                .required("reason")
                .additional_properties(Some(AdditionalProperties::FreeForm(false)));
            one.item(object.build())
        });
        let told = "What is to be muted, until when (included; by default for 30 days, at most for 365), and why.";
        Schema::from(one.description(Some(told)).build()).into()
    }
}

fn of_field(field: &str) -> Schema {
    match field {
        "kind" => schemas::word(Kind::ALL.map(Kind::name)).into(),
        "network" => schemas::client_network(),
        _ => schemas::some_line(Muted::NAME).into(),
    }
}

impl ToSchema for NewMute {}
