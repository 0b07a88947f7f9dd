//! The connection to the table, and what may be done over it.

use aws_sdk_dynamodb::Client;

use crate::alerts::Alerts;
use crate::counting::admission::Limits;
use crate::counting::client_names::NamesOfClients;
use crate::counting::count::Counting;
use crate::counting::days::Days;
use crate::counting::failures::Failures;
use crate::counting::finer::FinerCounters;
use crate::counting::summaries::Summaries;
use crate::counting::usage::Usage;
use crate::dynamo::error::StoreError;
use crate::dynamo::table::{Table, Writing};
use crate::health::Health;
use crate::ingestion::files::Files;
use crate::ingestion::listed::Sources;
use crate::ingestion::memory::Ingestion;
use crate::ingestion::quarantine::Quarantine;
use crate::ingestion::samples::Samples;
use crate::mailing::report_requests::ReportRequests;
use crate::mailing::schedules::Schedules;
use crate::notes::Notes;
use crate::whole::Whole;

/// The connection to the table. What may be done over it is a handle for each set of partitions: whoever is
/// handed one can touch no others.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table,
    counting: Counting,
}

impl Store {
    /// The table of this name, reached through `client`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, writing: Writing) -> Self {
        let table = Table::new(client, &table.into(), writing);
        Self { counting: Counting::new(table.clone()), table }
    }

    /// Lets pages of counters take so many bytes, and not one write unit's worth: small ones show sooner
    /// what becomes of full pages.
    #[must_use]
    pub fn with_pages_of(self, bytes: usize) -> Self {
        Self { counting: self.counting.with_pages_of(bytes), ..self }
    }

    /// Tells so many names of an account or network apart, and not as many as is usual: few show sooner what
    /// becomes of the others.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { counting: self.counting.within(limits), ..self }
    }

    /// Makes the table if there is none: for engines on one machine. In AWS the template makes it.
    ///
    /// # Errors
    /// A request failed.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        self.table.create().await
    }

    /// Whether the table answers.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::new(self.table.clone())
    }

    /// Every item, whatever it is.
    #[must_use]
    pub fn whole(&self) -> Whole {
        Whole::new(self.table.clone())
    }

    /// Counts: for the function that reads logs.
    #[must_use]
    pub fn counting(&self) -> Counting {
        self.counting.clone()
    }

    /// What was counted, in the finest grain.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage::new(self.table.clone())
    }

    /// Failed logins, day by day.
    #[must_use]
    pub fn failures(&self) -> Failures {
        Failures::new(self.table.clone())
    }

    /// What is counted of accounts besides their messages, day by day.
    #[must_use]
    pub fn finer_counters(&self) -> FinerCounters {
        FinerCounters::new(self.table.clone())
    }

    /// What clients are called.
    #[must_use]
    pub fn names_of_clients(&self) -> NamesOfClients {
        NamesOfClients::new(self.table.clone())
    }

    /// What charts and the insight are made from.
    #[must_use]
    pub fn summaries(&self) -> Summaries {
        Summaries::new(self.table.clone())
    }

    /// The days as wholes, and their archives.
    #[must_use]
    pub fn days(&self) -> Days {
        Days::new(self.table.clone())
    }

    /// What ingestion remembers.
    #[must_use]
    pub fn ingestion(&self) -> Ingestion {
        Ingestion::new(self.table.clone())
    }

    /// Files known by their beginnings.
    #[must_use]
    pub fn files(&self) -> Files {
        Files::new(self.table.clone())
    }

    /// What could not be read.
    #[must_use]
    pub fn quarantine(&self) -> Quarantine {
        Quarantine::new(self.table.clone())
    }

    /// Samples of lines.
    #[must_use]
    pub fn samples(&self) -> Samples {
        Samples::new(self.table.clone())
    }

    /// The logs that were read.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources::new(self.table.clone())
    }

    /// The report requests.
    #[must_use]
    pub fn report_requests(&self) -> ReportRequests {
        ReportRequests::new(self.table.clone())
    }

    /// The schedules.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        Schedules::new(self.table.clone())
    }

    /// The alerts, and what became of them. Clones of a handle keep them together.
    #[must_use]
    pub fn alerts(&self) -> Alerts {
        Alerts::new(self.table.clone())
    }

    /// The notes about accounts and clients. Clones of a handle keep them together.
    #[must_use]
    pub fn notes(&self) -> Notes {
        Notes::new(self.table.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use report::Day;

    use super::*;
    use crate::dynamo::items;
    use crate::dynamo::keys;
    use crate::whole::is_ours;

    const TEMPLATE: &str = include_str!("../../../infra/aws/template.yaml");

    /// The partitions that a role of the template may touch.
    fn leading_keys(role: &str) -> BTreeSet<&str> {
        let begins = format!("\n  {role}:\n");
        let (_, behind) = TEMPLATE.split_once(&begins).expect("a role");
        let of_role = |line: &&str| line.is_empty() || line.starts_with("   ");
        let lines = behind.lines().take_while(of_role);
        let lists = lines.filter_map(|line| line.split_once("dynamodb:LeadingKeys: ["));
        let keys = lists.flat_map(|(_, list)| list.trim_end_matches(']').split(", "));
        keys.map(|key| key.trim_matches('"')).collect()
    }

    #[test]
    fn a_role_may_touch_what_the_handles_of_its_function_touch() {
        let history = [Usage::PARTITIONS, Days::PARTITIONS].concat();
        let mail = [ReportRequests::PARTITIONS, Schedules::PARTITIONS].concat();
        let shown = [
            Summaries::PARTITIONS,
            NamesOfClients::PARTITIONS,
            Sources::PARTITIONS,
            Health::PARTITIONS,
        ];
        let shown = [&shown.concat()[..], Notes::PARTITIONS, Alerts::PARTITIONS].concat();
        let ingest = [Counting::PARTITIONS, Ingestion::PARTITIONS].concat();
        // What schedules ask for has no idempotency key; and mails begin with what needs attention.
        let report = [&history[..], &mail, Alerts::PARTITIONS].concat().into_iter();
        let report = report.filter(|one| *one != "I#*");
        let archive = [&history[..], Failures::PARTITIONS, FinerCounters::PARTITIONS].concat();
        for (role, touched) in [
            ("IngestRole", ingest),
            ("ArchiveRole", archive.clone()),
            ("DetectRole", [&archive[..], Alerts::PARTITIONS].concat()),
            ("QueryRole", [&history[..], &mail, &shown].concat()),
            ("ReportRole", report.collect()),
        ] {
            assert_eq!(leading_keys(role), touched.into_iter().collect(), "{role}");
        }
    }

    #[test]
    fn every_partition_belongs_to_a_handle() {
        let day = Day::default();
        let whole = [
            keys::day(day),
            keys::carry_over("log"),
            keys::idempotency("", "key"),
            keys::left_out(day),
            keys::zone(),
            keys::client_name("192.0.2.1"),
            keys::open_work("requests"),
            keys::placed_work("requests", day, ""),
            keys::placed_work("requests", day, "of some"),
        ];
        let whole = whole.iter().filter_map(|key| items::text(key, "pk").map(str::to_owned));
        let named = [
            keys::usage(day),
            keys::rollup("example.org"),
            keys::failures(day),
            keys::finer(day),
            keys::seen(true, day),
            keys::admitted(day),
            keys::known_files("checksum"),
            keys::samples(day),
            keys::sources("2026-11"),
            keys::quarantine(day),
            keys::REPORT_REQUESTS.to_owned(),
            keys::SCHEDULES.to_owned(),
            keys::NOTES.to_owned(),
            keys::ALERTS.to_owned(),
        ];
        let handles = [
            Counting::PARTITIONS,
            Ingestion::PARTITIONS,
            Files::PARTITIONS,
            Samples::PARTITIONS,
            ReportRequests::PARTITIONS,
            Schedules::PARTITIONS,
            Notes::PARTITIONS,
            Alerts::PARTITIONS,
        ];
        for partition in whole.chain(named) {
            let fits = |pattern: &&str| match pattern.strip_suffix('*') {
                Some(beginning) => partition.starts_with(beginning),
                None => partition == *pattern,
            };
            let writers = handles.iter().filter(|patterns| patterns.iter().any(fits));
            // Of what there is once, everyone has an item of its own.
            let most = if partition == keys::META { 2 } else { 1 };
            assert_eq!(writers.count(), most, "{partition}");
            assert!(is_ours(&partition), "{partition} would be taken for damaged");
        }
    }
}
