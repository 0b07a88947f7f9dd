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
    /// How many alerts need attention.
    pub(super) attention: usize,
    /// The version of the files that go with the page.
    pub(super) assets: &'static str,
}

/// The parts of the dashboard, as the navigation lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Alerts,
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
    const LISTED: [(Self, &'static str, &'static str); 8] = [
        (Self::Overview, "/", "Overview"),
        (Self::Alerts, "/alerts", "Alerts"),
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
            attention: query.attention,
            ..Self::of(part, title)
        }
    }

    /// A frame for pages that know neither of a zone nor of a visitor.
    pub(super) fn of(part: Part, title: impl Into<String>) -> Self {
        let (visitor, assets) = (None, assets::version());
        Self { title: title.into(), part, visitor, manages: true, zone: "", attention: 0, assets }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = Link> {
        let mailed = |part: &Part| matches!(part, Part::ReportRequests | Part::Schedules);
        let listed = Part::LISTED.into_iter();
        let listed = listed.filter(move |(part, ..)| self.manages || !mailed(part));
        listed.map(|(part, value, label)| Link {
            label,
            value,
            chosen: part == self.part,
            count: if part == Part::Alerts { self.attention } else { 0 },
        })
    }
}

/// A part of the dashboard, in the navigation.
pub(super) struct Link {
    pub(super) label: &'static str,
    pub(super) value: &'static str,
    pub(super) chosen: bool,
    /// How many there need attention.
    pub(super) count: usize,
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
