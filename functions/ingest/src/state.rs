//! What ingestion remembers of a log stream, around the reader's own state; and what is done when it cannot be read.

use std::hash::Hasher as _;

use logs::{LogStream, StateError, Unreadable};
use report::Day;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use store::{CarryOver, Ingestion, Positions, Rejected, Source, StoreError};

use crate::landmarks::Landmarks;
use crate::repeats::Repeats;
use unpack::cloudwatch::Payload;

/// The version of what [`StreamState::write`] writes, which stands in its first byte.
const VERSION: u8 = 5;
/// The version that knew payloads, not events.
const WITHOUT_REPEATS: u8 = 4;
/// The version without a cursor.
const WITHOUT_CURSOR: u8 = 3;
/// The version without landmarks.
const WITHOUT_LANDMARKS: u8 = 2;
/// The form before there were versions began with the flag [`StreamState::closing`].
const UNVERSIONED: [u8; 2] = [0, 1];

/// The carried-over state of one log stream.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// The log's end is being settled: [`logs::LogStream::close`] was decided on, and must be done
    /// before anything else is read.
    pub(crate) closing: bool,
    /// Checksums of payloads that an earlier version has read, and may be sent again.
    pub(crate) payloads: Vec<u64>,
    /// [`logs::LogStream::save`].
    pub(crate) log: Vec<u8>,
    /// Lines of the file, if it is one.
    pub(crate) landmarks: Landmarks,
    /// The last entry that was read, if it is a journal: its `__CURSOR`.
    pub(crate) cursor: String,
    /// Events that were read, if it is a log stream of CloudWatch Logs.
    pub(crate) repeats: Repeats,
}

/// The form before events were known by their ids.
#[derive(Deserialize)]
struct WithoutRepeats {
    closing: bool,
    payloads: Vec<u64>,
    log: Vec<u8>,
    landmarks: Landmarks,
    cursor: String,
}

impl From<WithoutRepeats> for StreamState {
    fn from(WithoutRepeats { closing, payloads, log, landmarks, cursor }: WithoutRepeats) -> Self {
        Self { closing, payloads, log, landmarks, cursor, repeats: Repeats::default() }
    }
}

/// The form before journals were read by themselves.
#[derive(Deserialize)]
struct WithoutCursor {
    closing: bool,
    payloads: Vec<u64>,
    log: Vec<u8>,
    landmarks: Landmarks,
}

impl From<WithoutCursor> for StreamState {
    fn from(WithoutCursor { closing, payloads, log, landmarks }: WithoutCursor) -> Self {
        Self { closing, payloads, log, landmarks, ..Self::default() }
    }
}

/// The form before files had landmarks.
#[derive(Deserialize)]
struct WithoutLandmarks {
    closing: bool,
    payloads: Vec<u64>,
    log: Vec<u8>,
}

impl From<WithoutLandmarks> for StreamState {
    fn from(WithoutLandmarks { closing, payloads, log }: WithoutLandmarks) -> Self {
        Self { closing, payloads, log, ..Self::default() }
    }
}

/// A log stream that goes on from its carried-over state.
pub(crate) struct Restored {
    pub(crate) state: StreamState,
    pub(crate) stream: LogStream,
    /// What of the state could not be used; see [`put_aside`].
    pub(crate) unreadable: Vec<Unreadable>,
}

impl StreamState {
    /// Nothing is stored for a new log stream.
    fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let state = match bytes {
            [] => return Ok(Self::default()),
            [VERSION, state @ ..] => postcard::from_bytes(state),
            [WITHOUT_REPEATS, state @ ..] => {
                postcard::from_bytes::<WithoutRepeats>(state).map(Self::from)
            }
            [WITHOUT_CURSOR, state @ ..] => {
                postcard::from_bytes::<WithoutCursor>(state).map(Self::from)
            }
            [WITHOUT_LANDMARKS, state @ ..] => {
                postcard::from_bytes::<WithoutLandmarks>(state).map(Self::from)
            }
            [first, ..] if UNVERSIONED.contains(first) => {
                postcard::from_bytes::<WithoutLandmarks>(bytes).map(Self::from)
            }
            [found, ..] => return Err(StateError::Version { found: *found, known: VERSION }),
        };
        state.map_err(|_| StateError::Damaged)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        // Writing to memory cannot fail.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Whether an earlier version has read this payload. With each that it has not, the oldest of those is forgotten.
    pub(crate) fn has_payload(&mut self, payload: &Payload<'_>) -> bool {
        if self.payloads.is_empty() {
            return false;
        }
        let Some(checksum) = checksum(payload) else { return false };
        let is_known = self.payloads.contains(&checksum);
        if !is_known {
            self.payloads.remove(0);
        }
        is_known
    }
}

/// Goes on from a carried-over state of any version up to this; what cannot be used is left out and handed back.
pub(crate) fn restore(options: logs::Options, carried: &CarryOver) -> Restored {
    let (state, mut unreadable) = match StreamState::read(&carried.state) {
        Ok(state) => (state, Vec::new()),
        Err(reason) => {
            let bytes = carried.state.clone();
            (StreamState::default(), vec![Unreadable { section: None, reason, bytes }])
        }
    };
    let (stream, lost) = LogStream::restore(options, &state.log);
    unreadable.extend(lost);
    Restored { state, stream, unreadable }
}

/// Puts into quarantine what could not be used of a log stream's state, and says what may be missing.
///
/// Counting goes on without it, for files and for streams alike: a state that a later version wrote, or that is damaged, must neither
/// block what comes nor be lost. How many parts it were.
///
/// # Errors
/// A request to the table failed.
pub(crate) async fn put_aside(
    ingestion: &Ingestion,
    log_stream: &str,
    carried: &CarryOver,
    unreadable: &[Unreadable],
    day: Day,
) -> Result<u64, StoreError> {
    let parts = unreadable.iter().map(|lost| (lost.to_string(), &lost.bytes));
    let whole = carried.damaged().map(|damaged| {
        (
            format!("the item of the log stream's state cannot be used: {}", damaged.reason),
            &damaged.bytes,
        )
    });
    let mut rejected = Vec::new();
    for (number, (reason, bytes)) in whole.into_iter().chain(parts).enumerate() {
        tracing::warn!(
            log_stream,
            reason,
            "kept in quarantine; of messages that were on their way when it was written, some may not be counted, or with an unknown TLS version"
        );
        // A version of a state is read until the next is written: put aside again, it is the same entry.
        let (mark, number) = (carried.version(), number as u64);
        rejected.push(Rejected { mark, number, raw: bytes.clone(), reason });
    }
    let source = Source::state_of(log_stream);
    ingestion.quarantine(&rejected, &source, &Positions::Offsets, |_| day).await?;
    Ok(rejected.len() as u64)
}

/// The checksum by which an earlier version knew a payload that is sent twice; none without event ids.
///
/// SipHash-1-3 without a key, over the first and the last event's id, each ended by a byte that no UTF-8 text has, and the number
/// of events as 64 bits, little-endian: it is stored, so it may never change.
fn checksum(payload: &Payload<'_>) -> Option<u64> {
    let (first, last) = (payload.events.first()?, payload.events.last()?);
    if first.id.is_empty() || last.id.is_empty() {
        return None;
    }
    let mut hasher = SipHasher13::new();
    for id in [&first.id, &last.id] {
        hasher.write(id.as_bytes());
        hasher.write(&[0xff]);
    }
    hasher.write(&(payload.events.len() as u64).to_le_bytes());
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unpack::cloudwatch::LogEvent;

    /// Written by the program before states had versions.
    const UNVERSIONED: &[u8] = include_bytes!("../../../tests/golden/states/ingest-v0.bin");

    #[test]
    fn states_of_every_version_are_read() {
        let old = StreamState::read(UNVERSIONED).expect("the form without a version");
        assert_eq!((old.closing, old.payloads.len(), old.log.len()), (false, 0, 353));
        let mut state = StreamState { closing: true, payloads: vec![7, 8], ..Default::default() };
        state.log = vec![1, 2];
        // Version 2 ends before the landmarks, version 3 before the cursor, and version 4 before the repeats.
        let written = state.write();
        let without = [&[WITHOUT_LANDMARKS], &written[1..written.len() - 4]].concat();
        assert_eq!(StreamState::read(&without).as_ref(), Ok(&state));
        state.landmarks.note(b"a line", 7);
        let written = state.write();
        let without = [&[WITHOUT_CURSOR], &written[1..written.len() - 3]].concat();
        assert_eq!(StreamState::read(&without).as_ref(), Ok(&state));
        state.cursor = "s=1;i=2".to_owned();
        let written = state.write();
        let without = [&[WITHOUT_REPEATS], &written[1..written.len() - 2]].concat();
        assert_eq!(StreamState::read(&without).as_ref(), Ok(&state));
        assert_eq!(StreamState::read(&state.write()), Ok(state));
        assert_eq!(StreamState::read(&[]), Ok(StreamState::default()));
        let later = StateError::Version { found: 6, known: VERSION };
        assert_eq!(StreamState::read(&[6, 0]), Err(later));
        assert_eq!(StreamState::read(&[VERSION, 9]), Err(StateError::Damaged));
    }

    #[test]
    fn the_checksum_of_a_payload_is_the_one_that_was_always_stored() {
        let event = |id: &str| LogEvent {
            id: id.to_owned().into(),
            timestamp: 0,
            message: "x".to_owned().into(),
        };
        let id = "36946843087264820937";
        let mut payload = Payload {
            log_stream: "cw:1:mail:mx1".to_owned(),
            events: vec![
                event(&format!("{id}1")),
                event(&format!("{id}2")),
                event(&format!("{id}3")),
            ],
        };
        assert_eq!(checksum(&payload), Some(CHECKSUM));
        payload.events.pop();
        assert_ne!(checksum(&payload), Some(CHECKSUM));
        payload.events[0].id = "".into();
        assert_eq!(checksum(&payload), None);
    }

    /// Made by the program before the hash was written down: Rust's own, of the tuple of both ids and the number.
    const CHECKSUM: u64 = 0x9ef6_ce7d_3d14_d9ee;
}
