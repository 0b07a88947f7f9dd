//! The plan: who would be refused if something were turned off, and how that falls or rises.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::change;
use super::csv::{PAST, past, safe, writer};
use super::details::NamedMessages;
use super::group::{Group, RowName};
use super::labels::{Labels, Noted};
use super::off::Off;
use super::row::Past;
use super::sort::Sort;
use super::story::{More, RowOf};
use super::table::Table;
use super::uses;
use crate::counting::day::{Day, RETENTION_DAYS, Range};
use crate::counting::field::Field;
use crate::counting::kind::Kinds;
use crate::counting::origin::Origin;
use crate::counting::tls::{TlsVersion, percent};
use crate::counting::usage::UsageKey;

/// Days as bits: the first day that is kept is the lowest.
type DayBits = u128;
const _: () = assert!(RETENTION_DAYS <= 128, "each day has its bit");

/// Adds up what would be refused in the days that are kept: only what would be is handed in.
#[derive(Clone, Debug)]
pub struct Refused {
    kept: Range,
    range: Range,
    /// On which days each account would have been refused.
    accounts: HashMap<String, DayBits>,
    /// Who else in the range.
    senders: HashMap<String, DayBits>,
    clients: HashMap<String, DayBits>,
    days: BTreeMap<Day, u64>,
}

impl Refused {
    /// Nothing, yet, of a range among the days that are kept.
    #[must_use]
    pub fn new(range: Range, kept: Range) -> Self {
        let (accounts, senders, clients) = Default::default();
        Self { kept, range, accounts, senders, clients, days: BTreeMap::new() }
    }

    /// Adds messages that would be refused.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        let Some(bit) = self.bit(day) else { return };
        *self.days.entry(day).or_default() += messages;
        mark(&mut self.accounts, key.account().name(), bit);
        if self.range.contains(day) {
            mark(&mut self.senders, key.sender, bit);
            mark(&mut self.clients, key.client, bit);
        }
    }

    fn bit(&self, day: Day) -> Option<DayBits> {
        let at = u32::try_from((day - self.kept.start).num_days()).ok()?;
        1_u128.checked_shl(at)
    }

    /// Adds what another one has added up.
    pub fn merge(&mut self, other: Self) {
        for (day, messages) in other.days {
            *self.days.entry(day).or_default() += messages;
        }
        let all = [
            (&mut self.accounts, other.accounts),
            (&mut self.senders, other.senders),
            (&mut self.clients, other.clients),
        ];
        for (mine, theirs) in all {
            for (name, bits) in theirs {
                *mine.entry(name).or_default() |= bits;
            }
        }
    }

    /// The plan, beside everybody who sent in the range.
    #[must_use]
    pub fn plan(&self, off: &[Off], all: &Everybody<'_>, kinds: &Kinds) -> Plan {
        let Self { range, kept, .. } = *self;
        let sum = |days: Range| {
            let of_days = self.days.iter().filter(|(day, _)| days.contains(**day));
            of_days.map(|(_, messages)| messages).sum::<u64>()
        };
        let in_range = range.days().filter_map(|day| self.bit(day)).fold(0, |all, bit| all | bit);
        let accounts = self.accounts.values().filter(|bits| **bits & in_range != 0).count();
        let some = |refused: usize, table: &Table| Affected {
            refused: refused as u64,
            all: (table.len() as u64).max(refused as u64),
        };
        let (refused, before) = (sum(range), range.before());
        let before = (before.start >= kept.start).then(|| sum(before));
        let messages = all.mechanisms.total().total().max(refused);
        let unknown = all.untold(off, kinds);
        let day = |date: NaiveDate| {
            let bit = self.bit(date).unwrap_or(0);
            let accounts = self.accounts.values().filter(|bits| **bits & bit != 0).count() as u64;
            DayRefused { date, accounts, messages: self.days.get(&date).copied().unwrap_or(0) }
        };
        Plan {
            start: range.start,
            end: range.end,
            off: off.iter().map(Off::to_string).collect(),
            messages,
            refused,
            percent: percent(refused, messages),
            unknown,
            unknown_percent: percent(unknown, messages),
            accounts: some(accounts, all.accounts),
            senders: some(self.senders.len(), all.senders),
            clients: some(self.clients.len(), all.clients),
            before,
            change: before.and_then(|before| change(before, refused)),
            last: self.days.iter().rev().find(|(_, messages)| **messages > 0).map(|(day, _)| *day),
            days: kept.days().map(day).collect(),
        }
    }
}

fn mark(names: &mut HashMap<String, DayBits>, name: &str, bit: DayBits) {
    match names.get_mut(name) {
        Some(bits) => *bits |= bit,
        None => _ = names.insert(name.to_owned(), bit),
    }
}

/// All messages of the range, whatever they used.
#[derive(Clone, Copy, Debug)]
pub struct Everybody<'t> {
    /// By account.
    pub accounts: &'t Table,
    /// By envelope sender.
    pub senders: &'t Table,
    /// By client address.
    pub clients: &'t Table,
    /// By mechanism.
    pub mechanisms: &'t Table,
}

impl Everybody<'_> {
    /// Messages that would not be refused as far as is known, of which the log does not tell what they used.
    fn untold(&self, off: &[Off], kinds: &Kinds) -> u64 {
        let mut untold = 0;
        for row in self.mechanisms.rows(Sort::MOST_MESSAGES, "") {
            for version in TlsVersion::ALL {
                let told = |off: &Off| match off.field() {
                    Field::Tls => version.name(),
                    _ => row.name,
                };
                let is_refused = off.iter().any(|off| off.refuses(told(off), kinds));
                if !is_refused && off.iter().any(|off| off.is_untold(told(off), kinds)) {
                    untold += row.counts.get(version);
                }
            }
        }
        untold
    }
}

/// How many of some would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Affected {
    /// Those that sent in the range what would be refused.
    pub refused: u64,
    /// All that sent in the range.
    pub all: u64,
}

/// What would be refused on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayRefused {
    /// The day.
    pub date: NaiveDate,
    /// Accounts that sent it.
    pub accounts: u64,
    /// Messages.
    pub messages: u64,
}

/// Who would be refused if something were turned off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// What is turned off.
    pub off: Vec<String>,
    /// All messages of the range.
    pub messages: u64,
    /// Those that would have been refused.
    pub refused: u64,
    /// These in percent of all.
    pub percent: f64,
    /// Messages of which the log does not tell whether they would have been refused: they are not among the refused.
    pub unknown: u64,
    /// These in percent of all.
    pub unknown_percent: f64,
    /// Accounts.
    pub accounts: Affected,
    /// Sender addresses.
    pub senders: Affected,
    /// Client addresses.
    pub clients: Affected,
    /// Messages of as many days before that would have been refused; null if not all of them are kept.
    pub before: Option<u64>,
    /// The refused against those of before, in percent; null if there were none, or they are not known.
    pub change: Option<f64>,
    /// The last day, of all that are kept, with messages that would have been refused; null if there is none.
    pub last: Option<NaiveDate>,
    /// How it falls or rises: every day that is kept.
    pub days: Vec<DayRefused>,
}

/// Whose messages would be refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanRow {
    /// Whose.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Messages that would have been refused.
    pub messages: u64,
    /// All messages of the range.
    pub all: u64,
    /// The refused in percent of all.
    pub percent: f64,
    /// What is known of those that would have been refused.
    #[serde(flatten)]
    pub more: More,
    /// The client addresses that most of them came from.
    pub clients: Vec<PlanClient>,
    /// How many more there are.
    pub more_clients: u64,
}

/// A client whose messages would be refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanClient {
    /// Its address, and how many.
    #[serde(flatten)]
    pub of: NamedMessages,
    /// What is known of it.
    #[serde(flatten)]
    pub labels: Labels,
}

impl PlanRow {
    /// A row of the table of what would be refused, beside the table of everything.
    #[must_use]
    pub fn new(RowOf { group, row, mut story, labels }: RowOf<'_>, all: &Table) -> Self {
        let messages = row.counts.total();
        let all = all.get(row.name).map_or(0, |row| row.counts.total()).max(messages);
        let (name, origin) = (RowName::of(group, row.name), group.origin(row.name));
        let (percent, clients) = (percent(messages, all), story.take_clients());
        let more_clients = clients.len().saturating_sub(NAMED) as u64;
        let client = |of| PlanClient { of, labels: Labels::default() };
        let clients = clients.into_iter().take(NAMED).map(client).collect();
        let more = More::new(&row, story, labels);
        Self { name, origin, messages, all, percent, more, clients, more_clients }
    }
}

/// Client addresses that a row names.
const NAMED: usize = 5;

/// Writes everybody whose messages would be refused: a header, then one line for each row, ended by CR LF.
///
/// # Errors
/// Writing failed.
pub fn csv(
    to: impl Write,
    group: Group,
    rows: impl IntoIterator<Item = PlanRow>,
) -> io::Result<()> {
    let mut writer = writer(to);
    let [before, change, first, last] = PAST;
    writer.write_record([
        group.label(),
        "Refused messages",
        "All messages",
        "Share %",
        before,
        change,
        first,
        last,
        "Mechanisms",
        "Client addresses",
        "Client name",
        "Noted name",
        "Owner",
    ])?;
    for row in rows {
        let More { before, change, first, last, ref mechanisms, .. } = row.more;
        let [before, change, first, last] = past(Past { before, first, last }, change);
        let mechanisms = uses::cell(mechanisms.iter().map(|one| one.name.as_str()));
        let clients: Vec<_> = row.clients.iter().map(|one| one.of.name.as_str()).collect();
        let more = Some(row.more_clients).filter(|more| *more > 0);
        let more = more.map_or(String::new(), |more| format!(" and {more} more"));
        let Labels { client_name, noted, .. } = &row.more.labels;
        let noted =
            |text: fn(&Noted) -> &String| noted.as_ref().map(text).map_or("", String::as_str);
        writer.write_record([
            &*safe(row.name.text()),
            &row.messages.to_string(),
            &row.all.to_string(),
            &format!("{:.2}", row.percent),
            &before,
            &change,
            &first,
            &last,
            &*safe(&mechanisms),
            &*safe(&(clients.join(" ") + &more)),
            &*safe(client_name.as_deref().unwrap_or_default()),
            &*safe(noted(|noted| &noted.name)),
            &*safe(noted(|noted| &noted.owner)),
        ])?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::table::TableBuilder;

    fn day(ahead: u64) -> Day {
        Day::from_ymd_opt(2026, 9, 1).expect("a date") + chrono::Days::new(ahead)
    }

    const USED: [(u64, &str, &str, TlsVersion, u64); 7] = [
        (2, "printer", "LOGIN", TlsVersion::Tls10, 9),
        (7, "printer", "LOGIN", TlsVersion::Tls10, 4),
        (8, "printer", "LOGIN", TlsVersion::Tls13, 6),
        (8, "ann", "PLAIN", TlsVersion::Tls11, 1),
        (8, "bob", "", TlsVersion::Tls12, 3),
        (8, "bob", "", TlsVersion::Unknown, 2),
        (8, "eve", "XOAUTH2", TlsVersion::Tls13, 5),
    ];

    fn plan(off: &[&str]) -> Plan {
        let off: Vec<_> = off.iter().filter_map(|text| Off::read(text)).collect();
        let (range, kept) =
            (Range { start: day(7), end: day(8) }, Range { start: day(0), end: day(9) });
        let kinds = Kinds::default();
        let mut parts = [(); 2].map(|()| Refused::new(range, kept));
        let mut tables = [Group::Account, Group::Sender, Group::Client, Group::Mechanism]
            .map(|group| TableBuilder::new(group, range, kept));
        for (at, (ahead, username, mechanism, tls, messages)) in USED.into_iter().enumerate() {
            let key = UsageKey {
                domain: "example.test",
                sender: if username == "bob" { "team@example.test" } else { "a@example.test" },
                username,
                mechanism,
                tls,
                client: if tls == TlsVersion::Tls10 { "192.0.2.1" } else { "192.0.2.2" },
            };
            tables.iter_mut().for_each(|table| table.add(day(ahead), &key, messages));
            if off.iter().any(|off| off.refuses(key.get(off.field()), &kinds)) {
                parts[at % 2].add(day(ahead), &key, messages);
            }
        }
        let [mut one, two] = parts;
        one.merge(two);
        let [accounts, senders, clients, mechanisms] = &tables.map(TableBuilder::finish);
        one.plan(&off, &Everybody { accounts, senders, clients, mechanisms }, &kinds)
    }

    #[test]
    fn what_is_turned_off_refuses_those_who_used_it() {
        let plan = plan(&["TLS1.0", "TLS1.1"]);
        assert_eq!((plan.messages, plan.refused, plan.unknown), (21, 5, 2));
        assert_eq!(plan.accounts, Affected { refused: 2, all: 4 });
        assert_eq!(plan.senders, Affected { refused: 1, all: 2 });
        assert_eq!(plan.clients, Affected { refused: 2, all: 2 });
        assert_eq!((plan.before, plan.change, plan.last), (Some(0), None, Some(day(8))));
        let days: Vec<_> = plan.days.iter().map(|day| (day.accounts, day.messages)).collect();
        let none = (0, 0);
        assert_eq!(days, [none, none, (1, 9), none, none, none, none, (1, 4), (1, 1), none]);
        assert_eq!(plan.off, ["TLS1.0", "TLS1.1"]);
    }

    #[test]
    fn what_the_log_does_not_tell_is_never_hidden() {
        let told = |off: &[&str]| {
            let plan = plan(off);
            (plan.refused, plan.unknown, plan.accounts.refused)
        };
        assert_eq!(told(&["basic"]), (11, 5, 2));
        assert_eq!(told(&["LOGIN"]), (10, 5, 1));
        assert_eq!(told(&["unknown"]), (2, 0, 1));
        assert_eq!(told(&["oauth", "TLS1.1"]), (6, 5, 2));
        assert_eq!(told(&[]), (0, 0, 0));
        assert_eq!(plan(&["TLS1.0"]).last, Some(day(7)));
        assert_eq!(plan(&["EXTERNAL"]).last, None);
    }
}
