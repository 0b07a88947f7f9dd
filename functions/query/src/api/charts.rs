//! Charts: messages per day, TLS versions, and kinds of mechanisms.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use report::views::{self, KindCounts, MechanismUsage, SendingVolume, TlsUsage};
use report::{Range, View};
use store::Rollup;

use super::params::{ChartParams, FilterParams, Given};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters};
use crate::service::Query;

/// Messages per day and TLS version of what passes.
pub(crate) async fn days(
    query: &Query,
    filter: &FilterParams,
    range: Range,
) -> Result<Rollup, Problem> {
    Ok(query.data.days(&filter.filter(), range).await?)
}

/// Messages per day and kind of mechanism of what passes.
pub(crate) async fn kinds(
    query: &Query,
    filter: &FilterParams,
    range: Range,
) -> Result<KindCounts, Problem> {
    Ok(query.data.kinds(&filter.filter(), range).await?)
}

/// Messages per day.
#[utoipa::path(get, path = "/v1/reports/sending-volume", operation_id = "sending_volume_chart",
    params(ChartParams), responses(
    (status = 200, description = "The messages of each day", body = SendingVolume),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn sending_volume(query: Query, given: Given) -> Result<Response, Problem> {
    answer(View::SendingVolume, &query, &given).await
}

/// The share of each TLS version, over the range and per day.
#[utoipa::path(get, path = "/v1/reports/tls-usage", operation_id = "tls_usage_chart",
    params(ChartParams), responses(
    (status = 200, description = "The TLS versions of the range and of each day", body = TlsUsage),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn tls_usage(query: Query, given: Given) -> Result<Response, Problem> {
    answer(View::TlsUsage, &query, &given).await
}

/// The share of each kind of mechanism, over the range and per day.
#[utoipa::path(get, path = "/v1/reports/mechanisms", operation_id = "mechanisms_chart",
    params(ChartParams), responses(
    (status = 200, description = "The kinds of mechanisms of the range and of each day", body = MechanismUsage),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn mechanisms(query: Query, given: Given) -> Result<Response, Problem> {
    let ChartParams { days, filter } = given.read(query.today())?;
    let kinds = kinds(&query, &filter, days.range()).await?;
    let domain = filter.domain().map(str::to_owned);
    Ok(Json(views::mechanism_usage(days.range(), domain, &kinds)).into_response())
}

/// The chart of a view, as it is asked for.
async fn answer(view: View, query: &Query, given: &Given) -> Result<Response, Problem> {
    let ChartParams { days, filter } = given.read(query.today())?;
    let range = days.range();
    let days = self::days(query, &filter, range).await?;
    let domain = filter.domain().map(str::to_owned);
    Ok(match view {
        View::SendingVolume => Json(views::sending_volume(range, domain, &days)).into_response(),
        View::TlsUsage => Json(views::tls_usage(range, domain, &days)).into_response(),
    })
}
