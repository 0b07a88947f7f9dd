//! Closes days: usage items of the table into Parquet files, and old files away.
//!
//! The job looks at every day that is kept and over, and writes the archives that are missing, stale or
//! broken. It can run at any time, as often as one likes, twice at once, and be killed anywhere: see
//! [`history`] for why that never shows in an answer.

use chrono::Days;
use history::{Archived, History, HistoryError, Standing};
use report::{Day, Range};
use serde::Serialize;

/// Days that are left alone, today included: they are still being counted into.
const OPEN: u64 = 2;
/// Failed days after which a run gives up: the fault is not theirs.
const HOPELESS: u64 = 3;

metrics::figures! {
    /// What a run came to.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct Summary {
        /// Archives that were current.
        pub current: u64 => Gauge, Count;
        /// Archives written because there was none.
        pub new: u64 => Counter, Count;
        /// Archives written because their day was counted into again.
        pub renewed: u64 => Counter, Count;
        /// Archives written because what was there was lost or damaged.
        pub repaired: u64 => Counter, Count;
        /// Days without usage.
        pub empty: u64 => Gauge, Count;
        /// Days that were being counted into, and are left for the next run.
        pub busy: u64 => Counter, Count;
        /// Days whose archive has more messages than the table, which does not know it: left as they are.
        pub unknown: u64 => Gauge, Count;
        /// Days that failed.
        pub failed: u64 => Counter, Count;
        /// Days whose files were removed because they are no longer kept.
        pub removed: u64 => Counter, Count;
        /// Usage rows written.
        pub rows: u64 => Counter, Count;
        /// Messages in them.
        pub messages: u64 => Counter, Count;
        /// Bytes written.
        pub bytes: u64 => Counter, Bytes;
    }
}

impl Summary {
    fn add(&mut self, standing: &Standing, archived: Archived) {
        let Archived::Written { rows, messages, bytes } = archived else {
            *match archived {
                Archived::Empty => &mut self.empty,
                Archived::Unknown { .. } => &mut self.unknown,
                Archived::Busy | Archived::Written { .. } => &mut self.busy,
            } += 1;
            return;
        };
        *match standing {
            Standing::Missing => &mut self.new,
            Standing::Stale => &mut self.renewed,
            Standing::Broken(_) | Standing::Current => &mut self.repaired,
        } += 1;
        self.rows += rows;
        self.messages += messages;
        self.bytes += bytes;
    }
}

/// The days that are over on `today`, and kept.
#[must_use]
pub fn closed(today: Day) -> Range {
    let end = today.checked_sub_days(Days::new(OPEN)).unwrap_or(Day::MIN);
    Range { start: Range::kept(today).start, end }
}

/// Archives every closed day that has no current archive. `progress` is told of each day, done with.
///
/// A day that fails does not hold up the others. Gives the first error beside what was done; the next run
/// tries again.
pub async fn run(
    history: &History,
    today: Day,
    mut progress: impl FnMut(Day, &Result<Standing, HistoryError>),
) -> (Summary, Result<(), HistoryError>) {
    let (mut summary, mut first_error) = (Summary::default(), Ok(()));
    for day in closed(today).days() {
        let done = look_after(history, day, &mut summary).await;
        progress(day, &done);
        if let Err(error) = done {
            summary.failed += 1;
            first_error = first_error.and(Err(error));
            if summary.failed >= HOPELESS {
                break;
            }
        }
    }
    (summary, first_error)
}

async fn look_after(
    history: &History,
    day: Day,
    summary: &mut Summary,
) -> Result<Standing, HistoryError> {
    let standing = history.standing(day).await?;
    if standing == Standing::Current {
        summary.current += 1;
    } else {
        summary.add(&standing, history.archive(day).await?);
    }
    Ok(standing)
}

/// Removes the files of days that are no longer kept on `today`; gives how many days had any.
///
/// # Errors
/// The object store failed.
pub async fn remove_expired(history: &History, today: Day) -> Result<u64, HistoryError> {
    Ok(history.remove_before(Range::kept(today).start).await? as u64)
}
