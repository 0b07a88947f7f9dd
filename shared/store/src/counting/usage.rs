//! The finest grain of what is counted.

use futures_util::StreamExt as _;
use report::{Day, UsageKey};

use crate::counting::counter_names;
use crate::counting::counter_pages::counters;
use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Which usage is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter<'a> {
    /// Only this domain's.
    pub domain: Option<&'a str>,
    /// Only this sender's.
    pub sender: Option<&'a str>,
}

/// Reads usage. Touches nothing else.
#[derive(Clone, Debug)]
pub struct Usage(Table);

impl Usage {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["U#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Hands every usage counter of a day to `each`, domain by domain, in no order within one. What was
    /// counted of one key may come in parts.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn read(
        &self,
        day: Day,
        filter: UsageFilter<'_>,
        mut each: impl FnMut(UsageKey<'_>, u64),
    ) -> Result<(), StoreError> {
        let partition = keys::usage(day);
        let mut buffer = String::new();
        let mut pages = match filter.domain {
            Some(domain) => self.0.pages_beginning(&partition, &format!("{domain}\t")),
            None => self.0.pages(&partition),
        };
        while let Some(page) = pages.next().await {
            for item in page? {
                let wrong = || StoreError::Item { key: partition.clone(), expected: "usage" };
                let domain = items::text(&item, "sk").and_then(|sk| sk.split_once('\t'));
                let (domain, _) = domain.ok_or_else(wrong)?;
                for (name, messages) in counters(&item) {
                    let key = counter_names::read(domain, name, &mut buffer).ok_or_else(wrong)?;
                    let messages = messages.ok_or_else(wrong)?;
                    if filter.sender.is_none_or(|sender| sender == key.sender) {
                        each(key, messages);
                    }
                }
            }
        }
        Ok(())
    }
}
