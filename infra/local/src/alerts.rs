//! Accounts in strange hands, for people and for scripts.

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches};
use detect::{Alert, Case, Mute, Severity, Status, WARM_UP, Watch, is_muted};
use report::{Day, date, displayed, grouped};
use serde::Serialize;

use crate::tell::line;

const JSON: &str = "json";
const ALL: &str = "all";
/// Characters of a name.
const NAME: usize = 80;

/// How alerts are shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    json: bool,
    /// Whether those of before are shown too.
    all: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    as_of: Day,
    began: Option<Day>,
    accounts: usize,
    alerts: Vec<&'a Case>,
}

impl Shown {
    pub(crate) fn args() -> [Arg; 2] {
        [
            Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).help("As one object in JSON"),
            Arg::new(ALL)
                .long(ALL)
                .action(ArgAction::SetTrue)
                .help("Those too that are resolved or muted, or were over before they were found"),
        ]
    }

    pub(crate) fn read(matches: &ArgMatches) -> Self {
        Self { json: matches.get_flag(JSON), all: matches.get_flag(ALL) }
    }

    /// Tells of alerts as of a day; gives how many need attention.
    pub(crate) fn tell(
        self,
        watch: &Watch,
        (cases, mutes): (&[Case], &[Mute]),
        today: Day,
    ) -> Result<usize> {
        let is_muted = |case: &Case| is_muted(case, mutes, today);
        let is_open = |case: &&Case| case.status.needs_attention() && !is_muted(case);
        let mut shown: Vec<_> = cases.iter().filter(|case| self.all || is_open(case)).collect();
        // What is surest, then what is newest.
        shown.sort_by_key(|case| {
            let Alert { severity, last_day, account, .. } = &case.alert;
            std::cmp::Reverse((is_open(case), *severity, *last_day, account))
        });
        let open = cases.iter().filter(is_open).count();
        if self.json {
            let (began, accounts) = (watch.began(), watch.accounts());
            let told = Told { as_of: today, began, accounts, alerts: shown };
            line(serde_json::to_string_pretty(&told)?);
            return Ok(open);
        }
        line(heading(watch, today, open));
        for case in shown {
            line("");
            line(of(case, is_muted(case)));
            line(format_args!("  {}", case.alert.reason));
        }
        Ok(open)
    }
}

fn heading(watch: &Watch, today: Day, open: usize) -> String {
    let Some(began) = watch.began() else {
        return "Nothing was counted yet: ingest logs first".to_owned();
    };
    let warm = began + chrono::TimeDelta::days(i64::from(WARM_UP));
    if today < warm {
        return format!(
            "Habits are still being learned: the first messages are of {}, and nothing is raised before {}",
            date(began),
            date(warm)
        );
    }
    let accounts = match watch.accounts() {
        1 => "1 account is".to_owned(),
        more => format!("{} accounts are", grouped(more as u64)),
    };
    let watched = format!("{accounts} watched, from {} to {}", date(began), date(today));
    match open {
        0 => format!("Nothing needs attention: {watched}"),
        1 => format!("1 alert needs attention: {watched}"),
        open => format!("{open} alerts need attention: {watched}"),
    }
}

fn of(case: &Case, muted: bool) -> String {
    let alert = &case.alert;
    let severity = match alert.severity {
        Severity::High => "HIGH  ",
        Severity::Medium => "medium",
    };
    let days = if alert.day == alert.last_day {
        date(alert.day)
    } else {
        format!("{} to {}", date(alert.day), date(alert.last_day))
    };
    let status = match (case.status, case.resolution) {
        (Status::Open, _) if !muted => String::new(),
        (Status::Historic, _) => " (before)".to_owned(),
        (status, None) if muted => format!(" ({}, muted)", status.name()),
        (status, None) => format!(" ({})", status.name()),
        (status, Some(resolution)) => format!(" ({}: {})", status.name(), resolution.name()),
    };
    let account = displayed(&alert.account, NAME);
    format!("{severity}  {account}  {}  {days}{status}", alert.kind.name())
}
