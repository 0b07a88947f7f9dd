//! Two looks, because counting goes on meanwhile.

use std::time::Duration;

use anyhow::Result;
use history::History;
use report::Range;
use store::Store;

use super::fault::{Fault, Found};
use super::sums::look;

/// How long to wait before a second look.
pub const PAUSE: Duration = Duration::from_secs(5);

/// Holds usage against rollups, names that were seen, and archives, for all days of a range.
///
/// Counting that begins before and ends after a look raises no revision in between, though sums differ for so long.
/// So a fault is one that is still the same at a second look, after a `pause`.
///
/// # Errors
/// The store does not answer at all.
pub async fn verify(
    store: &Store,
    history: &History,
    range: Range,
    pause: Duration,
) -> Result<Found> {
    let first = look(store, history, range).await?;
    if first.faults.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(pause).await;
    let mut found = look(store, history, range).await?;
    found.faults.retain(|fault| first.faults.contains(fault));
    Ok(found)
}

/// Looks whether every item of the table is found under its own key: takes as long as reading them one by one.
///
/// # Errors
/// The store does not answer.
pub async fn verify_places(store: &Store) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    store.whole().misplaced(|key| faults.push(Fault::Misplaced(key))).await?;
    Ok(faults)
}

/// Verifies what a service begins with, and says in the log what is wrong.
pub async fn verify_and_tell(store: Store, history: History, range: Range) {
    match verify(&store, &history, range, PAUSE).await {
        Ok(found) => {
            tracing::debug!(days = found.days, messages = found.messages, "the store was verified");
            for fault in &found.faults {
                tracing::error!(%fault, "the store is damaged, or counting was interrupted");
            }
        }
        Err(error) => tracing::error!(error = format!("{error:#}"), "cannot verify the store"),
    }
}
