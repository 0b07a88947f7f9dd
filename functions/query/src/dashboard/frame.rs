//! What stands around every page.

use askama::Template;
use axum::response::Html;
use report::displayed;

use super::assets;
use super::wording::SHOWN;
use crate::api::problem::Problem;
use crate::service::Query;

/// What stands around every page.
pub(super) struct Frame {
    pub(super) title: String,
    /// The part of the dashboard that the page belongs to.
    part: Part,
    /// What whoever looks at it is called, if they signed in.
    pub(super) visitor: Option<String>,
    /// Whether they may ask for reports by mail.
    pub(super) manages: bool,
    /// The zone whose days are counted; empty where a page does not know.
    pub(super) zone: &'static str,
    /// The version of the files that go with the page.
    pub(super) assets: &'static str,
}

/// The parts of the dashboard, as the navigation lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Views,
    FailedLogins,
    Plan,
    Notes,
    ReportRequests,
    Schedules,
    Elsewhere,
}

impl Part {
    /// All that can be gone to: path and label.
    const LISTED: [(Self, &'static str, &'static str); 7] = [
        (Self::Overview, "/", "Overview"),
        (Self::Views, "/reports/tls-usage", "Report"),
        (Self::FailedLogins, "/failed-logins", "Failed logins"),
        (Self::Plan, "/plan", "Plan"),
        (Self::Notes, "/notes", "Notes"),
        (Self::ReportRequests, "/report-requests", "Report requests"),
        (Self::Schedules, "/schedules", "Schedules"),
    ];
}

impl Frame {
    pub(super) fn new(query: &Query, part: Part, title: impl Into<String>) -> Self {
        Self {
            visitor: query.visitor.as_ref().map(|visitor| displayed(&visitor.name, SHOWN)),
            manages: query.may_manage(),
            zone: query.zone.name(),
            ..Self::of(part, title)
        }
    }

    /// A frame for pages that know neither of a zone nor of a visitor.
    pub(super) fn of(part: Part, title: impl Into<String>) -> Self {
        let (visitor, assets) = (None, assets::version());
        Self { title: title.into(), part, visitor, manages: true, zone: "", assets }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = Choice> {
        let mailed = |part: &Part| matches!(part, Part::ReportRequests | Part::Schedules);
        let listed = Part::LISTED.into_iter();
        let listed = listed.filter(move |(part, ..)| self.manages || !mailed(part));
        listed.map(|(part, href, label)| Choice {
            label: label.to_owned(),
            value: href.to_owned(),
            chosen: part == self.part,
        })
    }
}

/// One of several things to choose from: a link or an option.
pub(super) struct Choice {
    pub(super) label: String,
    /// Where it leads, or what it stands for in a form.
    pub(super) value: String,
    pub(super) chosen: bool,
}

/// Writes a page.
pub(crate) fn html(page: &impl Template) -> Result<Html<String>, Problem> {
    page.render().map(Html).map_err(|error| {
        tracing::error!(%error, "cannot write a page");
        Problem::Unavailable
    })
}
