//! The zone in which the days of a table are counted: one for ever.

use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Condition;
use crate::dynamo::writes::Answer;

const ZONE: &str = "zone";

/// Says which zone it is, the first time; later checks it.
///
/// Condition **first** closes the race of two processes that begin with an empty table.
pub(crate) async fn claim(table: &Table, zone: &str) -> Result<(), StoreError> {
    let mut item = keys::zone();
    item.insert(ZONE.to_owned(), items::of_text(zone));
    let stored = match table.put_if(item, Condition::no_item()).await? {
        Answer::Done(_) => return Ok(()),
        Answer::Refused(stored, _) => stored,
    };
    match stored.as_ref().and_then(|item| items::text(item, ZONE)) {
        Some(stored) if stored == zone => Ok(()),
        stored => Err(StoreError::Zone {
            stored: stored.unwrap_or("?").to_owned(),
            asked: zone.to_owned(),
        }),
    }
}
