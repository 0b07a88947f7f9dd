//! The connection to the table, and what may be done over it.

use aws_sdk_dynamodb::Client;

use crate::counting::count::Counting;
use crate::counting::days::Days;
use crate::counting::summaries::Summaries;
use crate::counting::usage::Usage;
use crate::dynamo::error::StoreError;
use crate::dynamo::table::{Table, Writing};
use crate::ingestion::files::Files;
use crate::ingestion::memory::Ingestion;
use crate::ingestion::quarantine::Quarantine;
use crate::mailing::report_requests::ReportRequests;
use crate::mailing::schedules::Schedules;

/// The connection to the table. What may be done over it is a handle for each set of partitions: whoever is
/// handed one can touch no others.
#[derive(Debug)]
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

    /// Makes the table if there is none: for engines on one machine. In AWS the template makes it.
    ///
    /// # Errors
    /// A request failed.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        self.table.create().await
    }

    /// Whether the table answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        self.table.answers().await
    }

    /// Counts: for the function that reads logs.
    #[must_use]
    pub fn counting(&self) -> Counting {
        self.counting.clone()
    }

    /// What was counted, in the finest grain.
    #[must_use]
    pub fn usage_handle(&self) -> Usage {
        Usage::new(self.table.clone())
    }

    /// What charts and the insight are made from.
    #[must_use]
    pub fn summaries(&self) -> Summaries {
        Summaries::new(self.table.clone())
    }

    /// The days as wholes, and their archives.
    #[must_use]
    pub fn days_handle(&self) -> Days {
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
    pub fn quarantine_handle(&self) -> Quarantine {
        Quarantine::new(self.table.clone())
    }

    /// The report requests.
    #[must_use]
    pub fn report_requests(&self) -> ReportRequests {
        ReportRequests::new(self.table.clone())
    }

    /// The schedules.
    #[must_use]
    pub fn schedules_handle(&self) -> Schedules {
        Schedules::new(self.table.clone())
    }
}
