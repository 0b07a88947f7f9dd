//! Which alerts.

use detect::{Case, Kind, Severity, Status};
use report::{Day, Range};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::filter::{domain, may_have};
use super::given::{Given, Parameters, range};
use crate::api::problem::Problem;
use crate::api::schemas;

/// Days that are looked at if nothing else is asked.
const DAYS: u64 = 30;
const ALL: &str = "all";
const ATTENTION: &str = "attention";
const MUTED: &str = "muted";

/// Alerts by how they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Open or acknowledged, and not muted.
    Attention,
    /// What would be one of these, if it were not muted.
    Muted,
    One(Status),
    All,
}

impl Standing {
    /// The name in parameters.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Attention => ATTENTION,
            Self::Muted => MUTED,
            Self::One(status) => status.name(),
            Self::All => ALL,
        }
    }

    fn has(self, status: Status, muted: bool) -> bool {
        match self {
            Self::Attention => status.needs_attention() && !muted,
            Self::Muted => muted,
            Self::One(one) => status == one && !muted,
            Self::All => true,
        }
    }
}

/// Which alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlertFilter {
    pub(crate) range: Range,
    pub(crate) standing: Standing,
    pub(crate) severity: Option<Severity>,
    pub(crate) kind: Option<Kind>,
    /// In lower case.
    pub(crate) account: Option<String>,
    /// In lower case.
    pub(crate) domain: Option<String>,
}

impl AlertFilter {
    /// Whether a case is asked for, which may be muted.
    pub(crate) fn passes(&self, case: &Case, muted: bool) -> bool {
        let alert = &case.alert;
        let is = |wanted: &Option<String>, own: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == own.to_lowercase())
        };
        alert.day <= self.range.end
            && alert.last_day >= self.range.start
            && self.standing.has(case.status, muted)
            && self.severity.is_none_or(|severity| severity == alert.severity)
            && self.kind.is_none_or(|kind| kind == alert.kind)
            && is(&self.account, &alert.account)
            && is(&self.domain, &alert.domain)
    }
}

fn words() -> [&'static str; 7] {
    let [a, b, c, d] = Status::ALL.map(Status::name);
    [ATTENTION, a, b, c, d, MUTED, ALL]
}

impl IntoParams for AlertFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let start = "First day, as in 2026-11-17; by default 29 days before the last";
        let standing = "How they stand; by default attention, which is open or acknowledged. What is muted is none of these but muted; all are all";
        vec![
            may_have("start", start, schemas::date()),
            may_have("end", "Last day, included; by default today", schemas::date()),
            may_have("status", standing, schemas::word(words())),
            may_have(
                "severity",
                "How sure they are",
                schemas::word(Severity::ALL.map(Severity::name)),
            ),
            may_have("kind", "What they are about", schemas::word(Kind::ALL.map(Kind::name))),
            may_have("account", "Whose, whole", schemas::some_text()),
            may_have(
                "domain",
                "The sender domain of most of the account's mail",
                schemas::domain(),
            ),
        ]
    }
}

/// One of some words.
fn one<T: Copy>(
    given: &Given,
    name: &str,
    all: &[T],
    named: fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = given.get(name) else { return Ok(None) };
    let found = all.iter().copied().find(|one| named(*one) == text);
    let allowed = || {
        let names: Vec<_> = all.iter().map(|one| named(*one)).collect();
        format!("it must be one of {}", names.join(", "))
    };
    found.map(Some).ok_or_else(|| Problem::parameter(name, text, allowed()))
}

impl Parameters for AlertFilter {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        let (start, end) = (given.day("start")?, given.day("end")?);
        let days = match start {
            Some(_) => range(start, end, today)?,
            None => {
                let end = range(None, end, today)?.end;
                let last = Range::last(end, DAYS);
                Range { start: last.start.max(Range::kept(today).start), ..last }
            }
        };
        let standings = [Standing::Attention, Standing::Muted, Standing::All].into_iter();
        let standings: Vec<_> = standings.chain(Status::ALL.map(Standing::One)).collect();
        let text = |name: &'static str| match given.get(name) {
            Some("") => Err(Problem::parameter(name, "", "it must say which")),
            found => Ok(found.map(str::to_lowercase)),
        };
        Ok(Self {
            range: days,
            standing: one(given, "status", &standings, Standing::name)?
                .unwrap_or(Standing::Attention),
            severity: one(given, "severity", &Severity::ALL, Severity::name)?,
            kind: one(given, "kind", &Kind::ALL, Kind::name)?,
            account: text("account")?,
            domain: given.filled("domain").map(domain).transpose()?,
        })
    }
}
