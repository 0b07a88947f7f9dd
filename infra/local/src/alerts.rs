//! Accounts in strange hands, for people and for scripts.

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};
use detect::{Alert, Sensitivity, Severity, WARM_UP, Watch};
use report::{Day, date, displayed, grouped};
use serde::Serialize;

use crate::tell::line;

const JSON: &str = "json";
const ALL: &str = "all";
const SENSITIVITY: &str = "sensitivity";
/// For how many days after its last sign an alert stands open.
const OPEN: i64 = 14;
/// Characters of a name.
const NAME: usize = 80;

/// How alerts are shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    json: bool,
    /// Whether those of before are shown too.
    all: bool,
    pub(crate) sensitivity: Sensitivity,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    as_of: Day,
    began: Option<Day>,
    accounts: usize,
    alerts: Vec<ToldAlert<'a>>,
}

#[derive(Serialize)]
struct ToldAlert<'a> {
    status: &'static str,
    #[serde(flatten)]
    alert: &'a Alert,
}

impl Shown {
    pub(crate) fn args() -> [Arg; 3] {
        let steps = [
            PossibleValue::new("low").help("half as many, and some are missed"),
            PossibleValue::new("normal"),
            PossibleValue::new("high").help("twice as many"),
        ];
        [
            Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).help("As one object in JSON"),
            Arg::new(ALL)
                .long(ALL)
                .action(ArgAction::SetTrue)
                .help("Those too of which nothing was seen for 14 days"),
            Arg::new(SENSITIVITY)
                .long(SENSITIVITY)
                .value_name("STEP")
                .default_value("normal")
                .value_parser(PossibleValuesParser::new(steps))
                .help("How much is raised"),
        ]
    }

    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let sensitivity = match matches.get_one::<String>(SENSITIVITY).map(String::as_str) {
            Some("low") => Sensitivity::Low,
            Some("high") => Sensitivity::High,
            _ => Sensitivity::Normal,
        };
        Self { json: matches.get_flag(JSON), all: matches.get_flag(ALL), sensitivity }
    }

    /// Tells of alerts as of a day; gives how many stand open.
    pub(crate) fn tell(self, watch: &Watch, today: Day) -> Result<usize> {
        let is_open = |alert: &&Alert| (today - alert.last_day).num_days() <= OPEN;
        let mut alerts: Vec<_> =
            watch.alerts().iter().filter(|alert| self.all || is_open(alert)).collect();
        // What is surest, then what is newest.
        alerts.sort_by_key(|alert| {
            std::cmp::Reverse((is_open(alert), alert.severity, alert.last_day))
        });
        let open = alerts.iter().filter(|alert| is_open(alert)).count();
        if self.json {
            let told = alerts.into_iter().map(|alert| ToldAlert {
                status: if is_open(&alert) { "open" } else { "historic" },
                alert,
            });
            let (began, accounts) = (watch.began(), watch.accounts());
            let told = Told { as_of: today, began, accounts, alerts: told.collect() };
            line(serde_json::to_string_pretty(&told)?);
            return Ok(open);
        }
        line(heading(watch, today, open));
        for alert in alerts {
            line("");
            line(of(alert, is_open(&alert)));
            line(format_args!("  {}", alert.reason));
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
        1 => format!("1 account needs attention: {watched}"),
        open => format!("{open} alerts need attention: {watched}"),
    }
}

fn of(alert: &Alert, is_open: bool) -> String {
    let severity = match alert.severity {
        Severity::High => "HIGH  ",
        Severity::Medium => "medium",
    };
    let days = if alert.day == alert.last_day {
        date(alert.day)
    } else {
        format!("{} to {}", date(alert.day), date(alert.last_day))
    };
    let before = if is_open { "" } else { " (before)" };
    let account = displayed(&alert.account, NAME);
    format!("{severity}  {account}  {}  {days}{before}", alert.kind.name())
}
