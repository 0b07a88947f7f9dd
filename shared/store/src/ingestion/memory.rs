//! What ingestion may touch beside the counts.

use report::{Day, LongNames};

use crate::counting::position::{Positions, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::ingestion::carry_over::{self, CarryOver, Written};
use crate::ingestion::quarantine::{self, Rejected};
use crate::ingestion::repeats;
use crate::ingestion::zone;

/// Remembers how far log streams were read, tells what of, and keeps what could not be read. Touches carry-overs, the
/// list of logs, quarantine and the zone of the days, and nothing else.
#[derive(Clone, Debug)]
pub struct Ingestion(Table);

impl Ingestion {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["C#*", "O#*", "Q#*", "L#*", keys::META];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Says in which zone the days of this table are counted, the first time; later checks it. Gives the form in
    /// which the table marks long names: whoever counts must use it.
    ///
    /// # Errors
    /// [`StoreError::Zone`] if the table has another; its form is not known; or a request failed.
    pub async fn claim_zone(&self, zone: &str) -> Result<LongNames, StoreError> {
        zone::claim(&self.0, zone).await
    }

    /// Reads a log stream's carry-over, as of all writes so far.
    ///
    /// What is there and cannot be used is told by [`CarryOver::damaged`], and is no error: it must not stop the
    /// log stream.
    ///
    /// # Errors
    /// A request failed.
    pub async fn carry_over(&self, log_stream: &str) -> Result<CarryOver, StoreError> {
        carry_over::read(&self.0, log_stream).await
    }

    /// Finds a place in the list of logs for a state that is to be written, unless it has one or there is none.
    ///
    /// # Errors
    /// A request failed.
    pub async fn find_place(&self, carry_over: &mut CarryOver, now: i64) -> Result<(), StoreError> {
        carry_over.place(&self.0, now).await
    }

    /// Copies what is told of a log into the list once more: whoever wrote its state may have died before. Gives the
    /// write units.
    ///
    /// # Errors
    /// A request failed.
    pub async fn list_again(&self, carry_over: &CarryOver, now: i64) -> Result<f64, StoreError> {
        carry_over::list(&self.0, carry_over, now).await
    }

    /// Writes a log stream's carry-over after everything it stands for was counted, and what it tells into the list of
    /// logs.
    ///
    /// Condition **not overtaken** closes the race of two readers of one log stream: the slower must
    /// go on from the faster one's state.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put_carry_over(
        &self,
        log_stream: &str,
        carry_over: &CarryOver,
        now: i64,
    ) -> Result<Written, StoreError> {
        carry_over::put(&self.0, log_stream, carry_over, now).await
    }

    /// Keeps which events of a log stream were read, beside its state, for as long as they may be sent again and more.
    ///
    /// `until` is the latest time of these events in milliseconds since 1970; what has the same `id` is there already. Gives the
    /// write units.
    ///
    /// # Errors
    /// A request failed.
    pub async fn keep_repeats(
        &self,
        log_stream: &str,
        until: i64,
        id: &str,
        bytes: Vec<u8>,
        now: i64,
    ) -> Result<f64, StoreError> {
        repeats::keep(&self.0, log_stream, (until, id), bytes, now).await
    }

    /// What was [kept](Self::keep_repeats) of a log stream's events at `from` (milliseconds since 1970) and later.
    ///
    /// # Errors
    /// A request failed.
    pub async fn repeats(&self, log_stream: &str, from: i64) -> Result<Vec<Vec<u8>>, StoreError> {
        repeats::since(&self.0, log_stream, from).await
    }

    /// Writes two carry-overs or none, each under the condition **not overtaken**.
    ///
    /// For a log that goes on in another file: its state must never be in both, nor in neither.
    /// [`Written::Overtaken`] says that the second was there already.
    ///
    /// # Errors
    /// A request failed, or another process had the first one.
    pub async fn put_carry_overs(
        &self,
        both: [(&str, &CarryOver); 2],
        now: i64,
    ) -> Result<Written, StoreError> {
        carry_over::put_both(&self.0, both, now).await
    }

    /// Keeps what could not be read, under the day that `day_of` gives; the same again changes nothing. A day keeps so
    /// many bytes; what it has no room for is counted, once. Gives how many that were.
    ///
    /// Larger ones than an item holds take several, numbered from 0.
    ///
    /// # Errors
    /// A request failed.
    pub async fn quarantine(
        &self,
        rejected: &[Rejected],
        source: &Source,
        positions: &Positions,
        day_of: impl FnMut(&Rejected) -> Day,
    ) -> Result<u64, StoreError> {
        quarantine::keep(&self.0, rejected, source, positions, day_of).await
    }
}
