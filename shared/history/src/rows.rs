//! One day's usage in memory, in the order of its archive.

use std::ops::ControlFlow;

use bytes::Bytes;
use report::{Day, Filter, TlsVersion, UsageKey};
use store::Usage;

use crate::blocking::blocking;
use crate::error::{HistoryError, Unusable};
use crate::read;
use crate::wanted::{self, Reading};

/// A day's usage rows: about a hundred bytes each.
#[derive(Debug, Default)]
pub struct DayRows {
    /// Every row's fields, joined with tabs, which sort before anything a field can hold.
    text: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    begins: usize,
    length: usize,
    messages: u64,
}

impl DayRows {
    /// Reads those of a day's items that pass, as of all writes so far, and sorts them.
    ///
    /// # Errors
    /// The table did not answer, or an item is not what this program writes.
    pub async fn read(usage: &Usage, day: Day, filter: &Filter) -> Result<Self, HistoryError> {
        let mut rows = Self::default();
        let each = |key: UsageKey<'_>, messages| {
            if filter.passes(|field| key.get(field)) {
                rows.push(&key, messages);
            }
        };
        usage.read(day, wanted::of_store(filter), each).await?;
        Ok(blocking(move || {
            rows.sort();
            rows
        })
        .await)
    }

    /// All rows of a usage file, in its order.
    pub(crate) fn of(file: Bytes) -> Result<Self, Unusable> {
        let mut rows = Self::default();
        read::rows(file, &Reading::whole(&Filter::default()), |key, messages| {
            rows.push(&key, messages);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// Adds a row.
    pub fn push(&mut self, key: &UsageKey<'_>, messages: u64) {
        let begins = self.text.len();
        for field in [key.sender, key.domain, key.username, key.mechanism, key.tls.name()] {
            self.text.push_str(field);
            self.text.push('\t');
        }
        self.text.push_str(key.client);
        self.rows.push(Row { begins, length: self.text.len() - begins, messages });
    }

    /// Sorts the rows by all fields, in the order of the archive's columns, and joins those that are equal.
    pub fn sort(&mut self) {
        let text = &self.text;
        self.rows.sort_unstable_by(|one, other| one.text(text).cmp(other.text(text)));
        self.rows.dedup_by(|later, earlier| {
            let same = later.text(text) == earlier.text(text);
            if same {
                earlier.messages = earlier.messages.saturating_add(later.messages);
            }
            same
        });
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every row.
    pub fn iter(&self) -> impl Iterator<Item = (UsageKey<'_>, u64)> {
        self.rows.iter().filter_map(|row| {
            let mut fields = row.text(&self.text).split('\t');
            let (sender, domain) = (fields.next()?, fields.next()?);
            let (username, mechanism) = (fields.next()?, fields.next()?);
            let (tls, client) = (TlsVersion::from_name(fields.next()?)?, fields.next()?);
            Some((UsageKey { domain, sender, username, mechanism, tls, client }, row.messages))
        })
    }
}

impl Row {
    fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.begins..self.begins + self.length]
    }
}
