//! Everything about one sender, account or client: as a flyout, or as a page.

use report::views::{Details, FailedName, Labels, NamedMessages, Used};
use report::{Day, Group, OTHER_CLIENTS, Origin, UNKNOWN_SENDER, date, grouped};

use super::address::Shown;
use super::columns::Chart;
use super::shares::Shares;
use super::wording;

/// Names that a list holds.
const LISTED: usize = 10;

/// What is known about one of them.
pub(super) struct About {
    /// What it is, in a sentence: `sender`.
    pub(super) noun: &'static str,
    pub(super) messages: String,
    pub(super) nothing: bool,
    /// What the name means, if it is no ordinary one.
    pub(super) note: Option<&'static str>,
    /// What a log called a client, and where it is.
    pub(super) known: Vec<String>,
    pub(super) shares: Shares,
    pub(super) chart: Chart,
    pub(super) lists: Vec<List>,
    pub(super) uses: Vec<Vec<String>>,
    pub(super) more_uses: Option<String>,
    pub(super) failed: Option<Failed>,
    /// Where all of it is, as CSV.
    pub(super) detailed: String,
}

/// Names with their messages.
pub(super) struct List {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Named>,
    pub(super) more: Option<String>,
}

pub(super) struct Named {
    pub(super) name: String,
    pub(super) href: Option<String>,
    pub(super) messages: String,
}

/// Failed logins.
pub(super) struct Failed {
    /// As in `352 failed logins`.
    pub(super) told: String,
    /// The head of the names' column.
    pub(super) head: &'static str,
    pub(super) rows: Vec<FailedRow>,
    pub(super) more: Option<String>,
}

pub(super) struct FailedRow {
    pub(super) name: String,
    pub(super) href: Option<String>,
    pub(super) failures: String,
    pub(super) last: String,
    /// The day on which it was let in.
    pub(super) succeeded: Option<String>,
}

impl About {
    /// `shown` is the table of what this belongs to.
    pub(super) fn new(details: &Details, group: Group, shown: &Shown, today: Day) -> Self {
        let name = details.name.text();
        let own = shown.table_of(group, name);
        let lists = [
            ("Senders", Group::Sender, &details.senders),
            ("Accounts", Group::Account, &details.accounts),
            ("Mechanisms", Group::Mechanism, &details.mechanisms),
            ("Client addresses", Group::Client, &details.clients),
        ];
        let others = lists.into_iter().filter(|(_, listed, names)| {
            // One's own name is the title.
            *listed != group || names.len() > 1
        });
        Self {
            noun: group.noun(),
            messages: wording::counted(details.messages, "message", "messages"),
            nothing: details.messages == 0,
            note: wording::note(name).or_else(|| details.origin.map(wording::origin)),
            known: wording::labels(&Labels { noted: None, ..details.labels.clone() }),
            shares: Shares::versions(&details.tls),
            chart: Chart::tls(&details.days, today, |day| match group {
                Group::Sender => shown.on(day).with_open(Some(name)).href(),
                _ => own.on(day).href(),
            }),
            lists: others.map(|(title, group, names)| list(title, group, names, shown)).collect(),
            uses: details.uses.iter().take(LISTED).map(of_use).collect(),
            more_uses: more(details.uses.len() as u64, LISTED),
            failed: failed(details, group, shown),
            detailed: own.detailed(),
        }
    }
}

fn list(title: &'static str, group: Group, names: &[NamedMessages], shown: &Shown) -> List {
    let row = |one: &NamedMessages| Named {
        name: named(&one.name),
        href: href(group, &one.name, shown),
        messages: grouped(one.messages),
    };
    let rows = names.iter().take(LISTED).map(row).collect();
    List { title, rows, more: more(names.len() as u64, LISTED) }
}

/// Where the page of a name is; none if it names nobody.
pub(super) fn href(group: Group, name: &str, shown: &Shown) -> Option<String> {
    let is_somebody = !name.is_empty() && ![OTHER_CLIENTS, UNKNOWN_SENDER].contains(&name);
    match group {
        Group::Account | Group::Client => is_somebody.then(|| shown.page_of(group, name)),
        _ => Some(shown.table_of(group, name).href()),
    }
}

fn failed(details: &Details, group: Group, shown: &Shown) -> Option<Failed> {
    let found = &details.failed_logins;
    let (head, others) = match group {
        Group::Client => ("Account", Group::Account),
        _ => ("Client address", Group::Client),
    };
    let row = |one: &FailedName| FailedRow {
        name: named(&one.name),
        href: href(others, &one.name, shown),
        failures: grouped(one.failures),
        last: wording::hour(one.last, one.last_hour),
        succeeded: one.succeeded.map(date),
    };
    let all = found.names.len() as u64 + found.more;
    (found.failures > 0).then(|| Failed {
        told: wording::counted(found.failures, "failed login", "failed logins"),
        head,
        rows: found.names.iter().take(2 * LISTED).map(row).collect(),
        more: more(all, 2 * LISTED),
    })
}

/// A name, or that there is none.
pub(super) fn named(name: &str) -> String {
    if name.is_empty() { "not in the log".to_owned() } else { wording::address(name) }
}

fn of_use(used: &Used) -> Vec<String> {
    let version = used.version.label().to_owned();
    vec![named(&used.account), named(&used.mechanism), version, grouped(used.messages)]
}

/// How many are not listed, for people.
fn more(all: u64, listed: usize) -> Option<String> {
    let more = all.checked_sub(listed as u64).filter(|more| *more > 0)?;
    Some(format!("{} more", grouped(more)))
}

/// What a row's name means where it stands in a table, in a few words.
pub(super) const fn remark(origin: Origin) -> &'static str {
    match origin {
        Origin::Machine => "this machine itself",
        Origin::Private => "a private network",
        Origin::HealthCheck => "a health check of the server",
    }
}
