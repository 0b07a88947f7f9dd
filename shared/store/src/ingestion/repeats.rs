//! Which events of a log stream were read, so far as its state has no room for them.

use futures_util::StreamExt as _;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Condition;
use crate::dynamo::writes::Answer;

/// Seconds that they are kept: CloudWatch Logs tries a delivery again for a day.
const LIFE: i64 = 2 * 86_400;
const EVENTS: &str = "events";

pub(crate) async fn keep(
    table: &Table,
    log_stream: &str,
    (until, id): (i64, &str),
    bytes: Vec<u8>,
    now: i64,
) -> Result<f64, StoreError> {
    let mut item = keys::key(&keys::of_log_stream(log_stream), &keys::repeats(until, id));
    item.insert(EVENTS.to_owned(), items::of_bytes(bytes));
    item.insert(EXPIRES.to_owned(), items::of_number(now + LIFE));
    match table.put_if(item, Condition::no_item()).await? {
        Answer::Done(units) | Answer::Refused(_, units) => Ok(units),
    }
}

pub(crate) async fn since(
    table: &Table,
    log_stream: &str,
    from: i64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let partition = keys::of_log_stream(log_stream);
    let (from, to) = (keys::repeats(from, ""), keys::repeats(i64::MAX, "~"));
    let mut pages = table.pages_within(&partition, &from, &to);
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found
            .extend(page?.iter().filter_map(|item| items::bytes(item, EVENTS).map(<[u8]>::to_vec)));
    }
    Ok(found)
}
