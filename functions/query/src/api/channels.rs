//! The channels by which people and machines are told of alerts.

use axum::Json;
use axum::extract::Path;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::ChannelState;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::alert_bodies::AlertSeverity;
use super::body::Fields;
use super::contents::instant;
use super::params::Given;
use super::problem::Problem;
use super::responses::{AsksStore, Finds, ReadsBody, ReadsParameters};
use crate::service::Query;

/// The channels.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChannelList {
    /// By their names.
    channels: Vec<ChannelAnswer>,
}

/// A channel by which somebody is told of alerts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelAnswer {
    /// Its name.
    name: String,
    /// What is at its end, as in `slack`.
    form: String,
    /// Of what is less sure it is not told.
    least: AlertSeverity,
    /// When it was last told something; null if it never was.
    told_at: Option<DateTime<Utc>>,
    /// Since when it takes nothing; null if it took what it was told last.
    failing_since: Option<DateTime<Utc>>,
    /// Why it took nothing; null if it did.
    error: Option<String>,
}

impl From<ChannelState> for ChannelAnswer {
    fn from(state: ChannelState) -> Self {
        let ChannelState { name, form, least, told_at, failing_since, error, .. } = state;
        Self {
            name,
            form,
            least: AlertSeverity(least),
            told_at: told_at.map(instant),
            failing_since: failing_since.map(instant),
            error: Some(error).filter(|error| !error.is_empty()),
        }
    }
}

/// The channel that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ChannelPath {
    /// Its name
    #[param(min_length = 1)]
    name: String,
}

/// An empty object: pages of other sites cannot send one.
pub(crate) enum Nothing {}

impl PartialSchema for Nothing {
    fn schema() -> RefOr<Schema> {
        let closed = Some(AdditionalProperties::FreeForm(false));
        Schema::from(ObjectBuilder::new().additional_properties(closed).build()).into()
    }
}

impl ToSchema for Nothing {}

/// Where alerts go, and whether they arrive.
#[utoipa::path(get, path = "/v1/channels", operation_id = "channels", responses(
    (status = 200, description = "The channels", body = ChannelList),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<ChannelList>, Problem> {
    given.refuse()?;
    let channels = query.data.alerts().await?.channels;
    Ok(Json(ChannelList { channels: channels.into_iter().map(ChannelAnswer::from).collect() }))
}

/// Tells a channel a test. The channels of a deployment on AWS are tested by its function: none is found here.
#[utoipa::path(post, path = "/v1/channels/{name}/test", operation_id = "test_channel", params(ChannelPath),
    request_body = Nothing, responses(
    (status = 200, description = "How the channel works now: its error is null if it took the test", body = ChannelAnswer),
    ReadsBody, Finds, AsksStore,
))]
pub(crate) async fn test(
    query: Query,
    Path(ChannelPath { name }): Path<ChannelPath>,
    given: Given,
    fields: Fields,
) -> Result<Json<ChannelAnswer>, Problem> {
    given.refuse()?;
    fields.only(&[])?;
    Ok(Json(tested(&query, &name).await?.into()))
}

/// How a channel works, now that it was told a test.
pub(crate) async fn tested(query: &Query, name: &str) -> Result<ChannelState, Problem> {
    let unknown = || Problem::not_found("/v1/channels", name);
    if !query.data.sees_alerts() {
        return Err(unknown());
    }
    let channel = query.channels().named(name).ok_or_else(unknown)?;
    query.audit("channel tested", name);
    let now = query.now();
    let tested = query.channels().test(channel, query.today(), now).await;
    let error = tested.err().map(|error| error.to_string());
    Ok(query.data.note_channel(channel, now, error).await?)
}
