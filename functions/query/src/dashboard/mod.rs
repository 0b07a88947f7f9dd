//! The dashboard: every view of the report as a page.
//!
//! Pages are written here, whole: they work without JavaScript, and every state has an address of its own. They
//! show what the answers of the interface show, from the same functions. `assets/dashboard.js` only opens
//! flyouts without leaving the page, lets arrow keys walk through charts, and keeps a waiting report's status
//! fresh.

mod address;
mod assets;
mod charts;
mod columns;
mod form;
mod overview;
mod problem_page;
mod report_requests;
mod schedules;
mod shares;
#[cfg(feature = "sign-in")]
mod signed_out;
mod table;
mod wording;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::Html;
use axum::routing::{get, post};
use report::displayed;

use crate::Query;
use crate::api::problem::{self, Problem};

#[cfg(feature = "sign-in")]
pub(crate) use problem_page::wants_page;
pub(crate) use problem_page::{Failed, method_not_allowed, not_found, shown as shown_problem};
#[cfg(feature = "sign-in")]
pub(crate) use signed_out::{SignedOut, WayIn};

/// What browsers may do with a page: nothing from elsewhere, and no code or style but the two files.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The dashboard's paths for everybody.
pub(crate) fn routes() -> Router<Query> {
    Router::new()
        .route("/", get(overview::front))
        .route("/insight", get(overview::insight))
        .route("/reports/{view}", get(charts::page))
        .route("/reports/{view}/details", get(table::page))
        .route("/assets/{name}", get(assets::serve))
}

/// The paths that only managers may go to.
pub(crate) fn managed() -> Router<Query> {
    Router::new()
        .route("/report-requests", get(report_requests::list).post(report_requests::create))
        .route("/report-requests/new", get(report_requests::blank))
        .route("/report-requests/{id}", get(report_requests::one))
        .route("/schedules", get(schedules::list).post(schedules::create))
        .route("/schedules/new", get(schedules::blank))
        .route("/schedules/{id}", get(schedules::one).post(schedules::save))
        .route("/schedules/{id}/pause", post(schedules::pause))
        .route("/schedules/{id}/resume", post(schedules::resume))
        .route("/schedules/{id}/delete", get(schedules::confirm).post(schedules::delete))
}

/// What stands around every page.
struct Frame {
    title: String,
    /// The part of the dashboard that the page belongs to.
    part: Part,
    /// What whoever looks at it is called, if they signed in.
    visitor: Option<String>,
    /// Whether they may ask for reports by mail.
    manages: bool,
    /// The zone whose days are counted; empty where a page does not know.
    zone: &'static str,
    /// The version of the files that go with the page.
    assets: &'static str,
}

/// The parts of the dashboard, as the navigation lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Overview,
    Report,
    Requests,
    Schedules,
    Elsewhere,
}

impl Part {
    /// All that can be gone to: path and label.
    const LISTED: [(Self, &'static str, &'static str); 4] = [
        (Self::Overview, "/", "Overview"),
        (Self::Report, "/reports/tls-usage", "Report"),
        (Self::Requests, "/report-requests", "Report requests"),
        (Self::Schedules, "/schedules", "Schedules"),
    ];
}

impl Frame {
    fn new(query: &Query, part: Part, title: impl Into<String>) -> Self {
        Self {
            visitor: query.visitor.as_ref().map(|visitor| displayed(&visitor.name, wording::SHOWN)),
            manages: query.may_manage(),
            zone: query.zone.name(),
            ..Self::of(part, title)
        }
    }

    /// A frame for pages that know neither of a zone nor of a visitor.
    fn of(part: Part, title: impl Into<String>) -> Self {
        let (visitor, assets) = (None, assets::version());
        Self { title: title.into(), part, visitor, manages: true, zone: "", assets }
    }

    fn links(&self) -> impl Iterator<Item = Choice> {
        let listed = Part::LISTED.into_iter();
        let listed = listed
            .filter(|(part, ..)| self.manages || !matches!(part, Part::Requests | Part::Schedules));
        listed.map(|(part, href, label)| Choice {
            label: label.to_owned(),
            value: href.to_owned(),
            chosen: part == self.part,
        })
    }
}

/// A name in a path.
struct At(String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|name| Self(name.0)).map_err(|_| Failed(problem::not_found(&parts.uri)))
    }
}

/// One of several things to choose from: a link or an option.
struct Choice {
    label: String,
    /// Where it leads, or what it stands for in a form.
    value: String,
    chosen: bool,
}

/// Writes a page.
pub(crate) fn html(page: &impl Template) -> Result<Html<String>, Problem> {
    page.render().map(Html).map_err(|error| {
        tracing::error!(%error, "cannot write a page");
        Problem::Unavailable
    })
}
