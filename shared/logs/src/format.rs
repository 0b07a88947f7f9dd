//! What a format is.

use crate::gate::ANY;
use crate::key::Key;
use crate::load::Load;
use crate::place::Arrival;
use crate::proofs::Sink;
use crate::reading::Proofs;
use crate::record::Record;
use crate::saved::StateError;
use crate::time::Timestamps;

/// What one mail server's log says.
///
/// Reading is deterministic: the same saved state and the same records give the same proofs in the same places.
pub(crate) trait LogFormat: Default {
    /// Its name, for `--format`, for `LOG_FORMAT` and for its section of a saved state. Never changes.
    const NAME: &'static str;
    /// What it is, in a few words, for the help of `--format`.
    const ABOUT: &'static str;
    /// What its log does not tell, or not exactly, in a sentence for people; empty if it tells all.
    const CANNOT_TELL: &'static str = "";
    /// The version of what [`save`](Self::save) writes. Raised whenever that changes; [`restore`](Self::restore) goes
    /// on reading what was written before.
    const STATE: u8 = 0;

    /// What the names of programs begin with whose records it may take, a byte each.
    const PROGRAMS_BEGIN: &'static [u8] = ANY;
    /// What the messages begin with that it may take whoever logged them, a byte each.
    const MESSAGES_BEGIN: &'static [u8] = ANY;

    /// Reads a record and hands on what it proves; false if the record is not of this server.
    ///
    /// Asked for every record that begins as it says and that no format before it in the list has taken, so saying no
    /// must be cheap.
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool;

    /// Whether a record's header says that it is this server's, whatever its message.
    ///
    /// What belongs to one server is never looked into for another's lines, even where only the other is asked for.
    fn owns(_record: &Record<'_>) -> bool {
        false
    }

    /// The time that a record of this server tells in its message, beside or instead of its header's.
    fn time_of(_record: &Record<'_>, _times: &mut Timestamps) -> Option<i64> {
        None
    }

    /// Why a line as it came cannot belong to a log that holds nothing but this format, if it cannot.
    fn refuses(_line: &[u8]) -> Option<&'static str> {
        None
    }

    /// Whether a log of this format also carries lines of other servers, wrapped.
    const CARRIES_OTHERS: bool = false;

    /// The log's time at which something that it remembers has waited long enough, or an earlier one; the end of time if
    /// nothing waits.
    fn due(&self) -> i64 {
        i64::MAX
    }

    /// Settles what has waited long enough by the time of another program's line: it may be all that comes for a long
    /// while. What is due may be told too early, so that nothing may be left of a line by which nothing was settled.
    fn settle_due<S: Sink>(&mut self, _time: i64, _arrival: Arrival, _sink: &mut S) {}

    /// The line of a server in front has counted the message that this one knows by a queue id, on this host or else on
    /// any: it must not count again. False if it is not open here.
    fn counted_in_front(&mut self, _key: Key<'_>) -> bool {
        false
    }

    /// Lines of sessions have come here that cannot be read: that there is none of a kind then proves nothing.
    fn lines_are_missing(&mut self) {}

    /// The log is over: settles, at `mark`, what no later line will.
    fn close(&mut self, _mark: u64, _sink: &mut impl Sink) {}

    /// Whether [`close`](Self::close) would settle anything.
    fn waits(&self) -> bool {
        self.load().sessions > 0
    }

    /// What must be remembered between batches, in the same bytes for the same memory; nothing if that is nothing.
    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on from what a version up to [`STATE`](Self::STATE) has saved.
    ///
    /// # Errors
    /// The version is a later one, or the bytes are not what was saved.
    fn restore(version: u8, _bytes: &[u8]) -> Result<Self, StateError> {
        Err(StateError::Version { found: version, known: Self::STATE })
    }

    /// About how many bytes [`save`](Self::save) would give, at no cost.
    fn weight(&self) -> usize {
        0
    }

    /// Gives up the oldest of what it remembers until its weight is at most `down_to`. What was accepted is counted
    /// at `mark` first.
    fn evict(&mut self, _down_to: usize, _mark: u64, _sink: &mut impl Sink) {}

    /// What is open at present.
    fn load(&self) -> Load {
        Load::default()
    }

    /// The latest time among the lines that were joined; 0 if there was none.
    fn clock(&self) -> i64 {
        0
    }
}
