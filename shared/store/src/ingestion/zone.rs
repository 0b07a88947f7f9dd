//! What is decided once for a table: the zone in which its days are counted, and how it marks long names.

use report::LongNames;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Condition;
use crate::dynamo::writes::Answer;

const ZONE: &str = "zone";
/// The number of the form of long names. Tables of before there were several have none.
const LONG_NAMES: &str = "names";

/// Decides, the first time; later checks the zone. Gives the form of long names.
///
/// Condition **first** closes the race of two processes that begin with an empty table.
pub(crate) async fn claim(table: &Table, zone: &str) -> Result<LongNames, StoreError> {
    let long_names = LongNames::default();
    let mut item = keys::zone();
    item.insert(ZONE.to_owned(), items::of_text(zone));
    item.insert(LONG_NAMES.to_owned(), items::of_number(long_names.number()));
    match table.put_if(item, Condition::no_item()).await? {
        Answer::Done(_) => Ok(long_names),
        Answer::Refused(decided, _) => check(&decided.unwrap_or_default(), zone),
    }
}

/// Whether the table is as old as the first form of long names. Its counters may be, too: of names that it counted then,
/// nothing tells which were admitted.
pub(crate) async fn is_old(table: &Table) -> Result<bool, StoreError> {
    let decided = table.get(keys::zone()).await?;
    Ok(decided.is_some_and(|decided| {
        let known = items::number(&decided, LONG_NAMES).and_then(LongNames::from_number);
        known.is_none_or(|known| known == LongNames::Foldhash)
    }))
}

fn check(decided: &Item, zone: &str) -> Result<LongNames, StoreError> {
    let stored = items::text(decided, ZONE).unwrap_or("?");
    if stored != zone {
        return Err(StoreError::Zone { stored: stored.to_owned(), asked: zone.to_owned() });
    }
    if !decided.contains_key(LONG_NAMES) {
        return Ok(LongNames::Foldhash);
    }
    let known = items::number(decided, LONG_NAMES).and_then(LongNames::from_number);
    // Counting with names of another form would count twice what comes again.
    known.ok_or_else(|| StoreError::Item {
        key: "META zone".to_owned(),
        expected: "a form of long names that this version knows",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_form_of_long_names() {
        let mut decided = Item::from([(ZONE.to_owned(), items::of_text("UTC"))]);
        assert!(matches!(check(&decided, "UTC"), Ok(LongNames::Foldhash)));
        for form in LongNames::ALL {
            decided.insert(LONG_NAMES.to_owned(), items::of_number(form.number()));
            assert!(matches!(check(&decided, "UTC"), Ok(found) if found == form));
        }
        decided.insert(LONG_NAMES.to_owned(), items::of_number(3));
        assert!(matches!(check(&decided, "UTC"), Err(StoreError::Item { .. })));
        assert!(matches!(check(&decided, "Europe/Berlin"), Err(StoreError::Zone { .. })));
    }
}
