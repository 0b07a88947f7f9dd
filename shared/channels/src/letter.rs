//! What is told, in words.

use askama::Template;
use detect::{Case, Severity};
use report::{date, displayed, grouped};

/// Characters of a sentence: more than it has.
const SENTENCE: usize = 400;
/// Characters of an account in a title.
const ACCOUNT: usize = 80;
/// Alerts in a letter, at most.
pub(crate) const LISTED: usize = 50;

/// What is told at once.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// What it is about: at least one, the surest first.
    pub cases: &'a [Case],
    /// Whether it is the morning's, of several.
    pub is_digest: bool,
    /// Whether it only shows that it arrives.
    pub is_test: bool,
    /// When it is told, in seconds since 1970.
    pub at: i64,
    /// Where the dashboard is, as in `https://mail.example.org`.
    pub dashboard: Option<&'a str>,
}

/// An alert in a letter.
#[derive(Debug)]
pub struct Line {
    /// As in `high`.
    pub severity: &'static str,
    /// Why, in one sentence.
    pub reason: String,
    /// Its first day.
    pub since: String,
    /// Where it can be looked at; none if nobody knows.
    pub href: Option<String>,
}

impl Line {
    /// A case, which can be looked at in a dashboard.
    #[must_use]
    pub fn new(case: &Case, dashboard: Option<&str>) -> Self {
        let alert = &case.alert;
        Self {
            severity: alert.severity.name(),
            reason: displayed(&alert.reason, SENTENCE),
            since: date(alert.day),
            href: dashboard.map(|base| format!("{base}/alerts/{}", alert.id)),
        }
    }
}

/// How many alerts need attention, as a sentence without its full stop.
#[must_use]
pub fn attention(alerts: usize) -> String {
    match alerts {
        0 => "Nothing needs attention".to_owned(),
        1 => "1 alert needs attention".to_owned(),
        more => format!("{} alerts need attention", grouped(more as u64)),
    }
}

/// A letter in words, which are harmless wherever they are shown as text.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
    /// How many alerts are not listed.
    pub(crate) more: usize,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Html<'t> {
    words: &'t Words,
}

#[derive(Template)]
#[template(path = "alerts.txt")]
struct Text<'t> {
    words: &'t Words,
}

impl Letter<'_> {
    /// It in words, with so many alerts at most.
    pub(crate) fn words(&self, most: usize) -> Words {
        let title = match self.cases {
            _ if self.is_test => "A test of alerts".to_owned(),
            [only] if !self.is_digest => {
                format!("{} needs attention", displayed(&only.alert.account, ACCOUNT))
            }
            [_] => "An alert needs attention".to_owned(),
            all => format!("{} alerts need attention", all.len()),
        };
        let lines =
            self.cases.iter().take(most).map(|case| Line::new(case, self.shown_in())).collect();
        Words { title, lines, more: self.cases.len().saturating_sub(most) }
    }

    /// Where an alert can be looked at; none if nobody knows, or there is nothing to look at.
    pub(crate) fn link(&self, case: &Case) -> Option<String> {
        Line::new(case, self.shown_in()).href
    }

    /// The dashboard, if there is anything to look at.
    fn shown_in(&self) -> Option<&str> {
        self.dashboard.filter(|_| !self.is_test)
    }

    /// How sure the surest of its cases is.
    pub(crate) fn severity(&self) -> Severity {
        let severities = self.cases.iter().map(|case| case.alert.severity);
        severities.max().unwrap_or(Severity::Medium)
    }

    /// What is told again, because nobody knows whether it arrived, has the same key.
    pub(crate) fn key(&self) -> String {
        let first = self.cases.first().map(|case| self.key_of(case));
        format!("alert-{}-{}", first.unwrap_or_default(), self.cases.len())
    }

    /// The key of one of its cases: which it is, how sure, and what was decided before: it may have begun again.
    pub(crate) fn key_of(&self, case: &Case) -> String {
        if self.is_test {
            return format!("test-{}", self.at);
        }
        let decided = case.decision.as_ref().map_or(0, |decision| decision.at);
        format!("{}-{}-{decided}", case.alert.id, case.alert.severity.name())
    }
}

impl Words {
    /// As plain text.
    pub(crate) fn text(&self) -> Result<String, askama::Error> {
        Text { words: self }.render()
    }

    /// As a page.
    pub(crate) fn html(&self) -> Result<String, askama::Error> {
        Html { words: self }.render()
    }
}
