//! What the table says about each day as a whole: how often it was counted into, and its archive.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::StreamExt as _;
use report::{Day, Range, Tally};

use crate::dynamo::keys::{self, EXPIRES};
use crate::dynamo::update::Change;
use crate::{Outcome, Store, StoreError};

/// How often the day was counted into.
const REVISION: &str = "r";
/// The manifest of the day's archive, as its writer wrote it.
const ARCHIVE: &str = "m";

/// A day as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayState {
    /// Raised by every batch that counted something into this day, after all of it was written. As long
    /// as it stays the same, no batch was finished.
    pub revision: u64,
    /// The manifest of the day's archive, if it has one.
    pub archive: Option<String>,
}

impl Store {
    /// Raises the revision of every day that a tally touches. Called after everything else of the tally
    /// was written; calling it again for the same records raises it once more, which is harmless.
    pub(crate) async fn raise_revisions(&self, tally: &Tally) -> Result<Outcome, StoreError> {
        let changes = tally.days().map(|day| {
            let key = keys::key(keys::DAYS, &day.to_string());
            Change::add(key, [(REVISION, keys::of_number(1))], keys::expiry(day))
        });
        self.change_all(changes.collect()).await
    }

    /// The state of every day of a range that has one, as of all writes so far.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn days(&self, range: Range) -> Result<BTreeMap<Day, DayState>, StoreError> {
        let mut days = BTreeMap::new();
        let mut pages = self.pages_between(keys::DAYS, range);
        while let Some(page) = pages.next().await {
            for item in page? {
                let day = keys::text(&item, "sk").and_then(|day| day.parse().ok());
                let day: Day = day.ok_or_else(|| StoreError::Item {
                    key: keys::DAYS.to_owned(),
                    expected: "a day's state",
                })?;
                let revision = keys::number(&item, REVISION).unwrap_or(0);
                let archive = keys::text(&item, ARCHIVE).map(str::to_owned);
                days.insert(day, DayState { revision, archive });
            }
        }
        Ok(days)
    }

    /// Puts the manifest of a day's archive in the place of `before`; false if that is not, or no
    /// longer, the one that stands there.
    ///
    /// Condition **not replaced** closes the race of two archivers: the one that read the older state
    /// must begin again.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put_archive(
        &self,
        day: Day,
        before: Option<&str>,
        manifest: String,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::key(keys::DAYS, &day.to_string())))
            .update_expression(format!("SET {ARCHIVE} = :manifest, {EXPIRES} = :expires"))
            .expression_attribute_values(":manifest", AttributeValue::S(manifest))
            .expression_attribute_values(":expires", keys::expiry(day));
        request = match before {
            Some(before) => request
                .condition_expression(format!("{ARCHIVE} = :before"))
                .expression_attribute_values(":before", AttributeValue::S(before.to_owned())),
            None => request.condition_expression(format!("attribute_not_exists({ARCHIVE})")),
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::request("UpdateItem", &error)),
        }
    }
}
