//! Events of a log stream that were read, so that none counts twice, whenever and in whatever payload it comes again.
//!
//! CloudWatch Logs tries a delivery again for up to 24 hours. The ids of events tell repeats apart: numbers that begin with
//! the event's time, and within one put grow, by one where no filter left something out. Kept are runs of them.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// Runs that stay in a log stream's state: they are written with it each time.
const KEPT: usize = 40;
/// Runs in a state from which on the older ones are moved out of it, together.
const FULL: usize = 112;
/// The most runs in a state: of a batch whose events are all runs of their own.
const MOST: usize = 12_000;
/// How much the ids within one put grow at most: by bytes, where they count bytes.
const STEP: u64 = 1 << 16;

/// Events of one put, or a part of it. None of another put has both its time and its id between theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The earliest and latest time, in milliseconds since 1970.
    from: i64,
    to: i64,
    /// What stands for the first and last id.
    first: u64,
    last: u64,
}

/// What is known of events that were read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub(crate) struct Repeats {
    /// Those that were added to last stand last.
    runs: Vec<Run>,
    /// So many of the first were there when the state was read.
    stored: usize,
    /// The latest time in runs that were moved out of the state.
    moved_until: Option<i64>,
    /// Of these, the runs that may hold what is read.
    moved: Vec<Run>,
    /// How far the ids that are read now can go on in the last run before another one begins.
    clear: Option<u64>,
    /// The run of the event before, if that was a repeat.
    within: Option<Run>,
}

/// Runs that leave the state.
#[derive(Debug, PartialEq)]
pub(crate) struct Moved {
    /// The latest time in them, in milliseconds since 1970.
    pub(crate) until: i64,
    /// How many they are.
    pub(crate) runs: usize,
    /// For [`Repeats::know`].
    pub(crate) bytes: Vec<u8>,
}

impl Run {
    fn has(&self, id: u64, time: i64) -> bool {
        id.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)
            && (self.from..=self.to).contains(&time)
    }
}

impl Repeats {
    /// The payload ends: ids of the next one have nothing to do with those of this.
    pub(crate) fn end_payload(&mut self) {
        (self.clear, self.within) = (None, None);
    }

    /// Notes an event; false if it was read before. One without an id is always new.
    pub(crate) fn is_new(&mut self, id: &str, time: i64) -> bool {
        if id.is_empty() {
            return true;
        }
        let id = key(id);
        if self.goes_on(id, time) {
            return true;
        }
        if self.within.is_some_and(|run| run.has(id, time)) {
            return false;
        }
        let known = || self.runs.iter().chain(&self.moved);
        self.within = known().find(|run| run.has(id, time)).copied();
        if self.within.is_some() {
            self.clear = None;
            return false;
        }
        let ahead = known().map(|run| run.first.wrapping_sub(id)).filter(|ahead| *ahead > 0).min();
        let next_to = self.runs.iter().rposition(|run| {
            let is_behind = id == run.last.wrapping_add(1) && time >= run.to;
            is_behind || (id.wrapping_add(1) == run.first && time <= run.from)
        });
        let mut run = Run { from: time, to: time, first: id, last: id };
        if let Some(at) = next_to {
            let before = self.runs.remove(at);
            self.stored -= usize::from(at < self.stored);
            let (from, to) = (before.from.min(time), before.to.max(time));
            run = match id == before.last.wrapping_add(1) {
                true => Run { from, to, first: before.first, last: id },
                false => Run { from, to, first: id, last: before.last },
            };
        }
        // In front of a run, what follows is a repeat.
        self.clear =
            (run.last == id).then(|| ahead.map_or(u64::MAX, |ahead| id.wrapping_add(ahead)));
        self.runs.push(run);
        true
    }

    /// Adds an event that goes on with the one before.
    fn goes_on(&mut self, id: u64, time: i64) -> bool {
        let (Some(clear), Some(run)) = (self.clear, self.runs.last_mut()) else { return false };
        let step = id.wrapping_sub(run.last);
        let room = clear.wrapping_sub(run.last);
        let goes_on = (1..=STEP).contains(&step) && step < room && time >= run.to;
        if goes_on {
            (run.last, run.to) = (id, time);
        }
        goes_on
    }

    /// Whether an event of this time (milliseconds since 1970) may be in what was moved out of the state.
    pub(crate) fn may_be_moved(&self, time: i64) -> bool {
        self.moved_until.is_some_and(|until| time <= until)
    }

    /// Looks at what was moved out of the state as well; false if the bytes are damaged.
    pub(crate) fn know(&mut self, moved: &[u8]) -> bool {
        let read = postcard::from_bytes::<Packed>(moved);
        let is_read = read.is_ok();
        self.moved.extend(read.map(|packed| Self::from(packed).runs).unwrap_or_default());
        is_read
    }

    /// Takes old runs out of the state that is to be written, if it has too many, and says how many it must forget.
    ///
    /// Only what stood in the state before may leave it: whoever reads the batch again, after a crash, must not find
    /// its events.
    pub(crate) fn shrink(&mut self) -> (Option<Moved>, u64) {
        let count = self.stored.min(self.runs.len().saturating_sub(KEPT));
        let is_worth_it = self.runs.len() > FULL && count >= FULL - KEPT;
        let moved = is_worth_it.then(|| self.move_out(count)).flatten();
        let too_many = self.runs.len().saturating_sub(MOST);
        self.runs.drain(..too_many);
        (moved, too_many as u64)
    }

    fn move_out(&mut self, count: usize) -> Option<Moved> {
        let runs: Vec<_> = self.runs.drain(..count).collect();
        self.stored -= count;
        let until = runs.iter().map(|run| run.to).max()?;
        self.moved_until = self.moved_until.max(Some(until));
        let packed = Packed::from(Self { runs, ..Self::default() });
        // Writing to memory cannot fail.
        let bytes = postcard::to_extend(&packed, Vec::new()).unwrap_or_default();
        Some(Moved { until, runs: count, bytes })
    }
}

/// What stands for an id: of a number, what is left of it when 2 to the power of 64 is taken away as often as it goes; of
/// another text, the number at its end more than the checksum of what stands before that. It is stored, so it may never change.
fn key(id: &str) -> u64 {
    let digits = id.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (name, number) = id.split_at(id.len() - digits);
    let number = number
        .bytes()
        .fold(0u64, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    if name.is_empty() {
        return number;
    }
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    hasher.finish().wrapping_add(number)
}

/// [`Repeats`] as they are stored.
#[derive(Clone, Serialize, Deserialize)]
struct Packed {
    moved_until: Option<i64>,
    runs: Vec<PackedRun>,
}

/// A run: how much later it begins than the one before, how long it takes, its first id, and how much more the last is.
#[derive(Clone, Serialize, Deserialize)]
struct PackedRun(i64, u64, [u8; 8], u64);

impl From<Repeats> for Packed {
    fn from(Repeats { runs, moved_until, .. }: Repeats) -> Self {
        let mut before = 0;
        let pack = |run: Run| {
            let later = run.from.wrapping_sub(std::mem::replace(&mut before, run.from));
            let takes = run.to.wrapping_sub(run.from).cast_unsigned();
            PackedRun(later, takes, run.first.to_le_bytes(), run.last.wrapping_sub(run.first))
        };
        Self { moved_until, runs: runs.into_iter().map(pack).collect() }
    }
}

impl From<Packed> for Repeats {
    fn from(Packed { moved_until, runs }: Packed) -> Self {
        let mut from = 0i64;
        let unpack = |PackedRun(later, takes, first, more): PackedRun| {
            from = from.wrapping_add(later);
            let first = u64::from_le_bytes(first);
            let to = from.wrapping_add(takes.cast_signed());
            Run { from, to, first, last: first.wrapping_add(more) }
        };
        let runs: Vec<_> = runs.into_iter().map(unpack).collect();
        Self { stored: runs.len(), runs, moved_until, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// An id as CloudWatch Logs makes them: the time, and 144 bits of the put and of the place in it.
    fn id(time: i64, put: u64, place: u64) -> String {
        // (time * 2^144 + put * 2^64 + place * 1), in decimal, by schoolbook arithmetic on 32-bit limbs.
        let mut limbs = [0u64; 6];
        let place = put.wrapping_mul(0x9e37_79b9_7f4a_7c15) / 7 * 65_536 + place;
        limbs[0] = place & 0xffff_ffff;
        limbs[1] = place >> 32;
        limbs[2] = put & 0xffff_ffff;
        limbs[3] = put >> 32 & 0xffff_ffff;
        limbs[4] = (time.cast_unsigned() << 16) & 0xffff_ffff;
        limbs[5] = time.cast_unsigned() >> 16;
        let mut digits = Vec::new();
        while limbs.iter().any(|limb| *limb > 0) {
            let mut rest = 0;
            for limb in limbs.iter_mut().rev() {
                let value = rest << 32 | *limb;
                (*limb, rest) = (value / 10, value % 10);
            }
            digits.push(char::from(b'0' + u8::try_from(rest).expect("a digit")));
        }
        digits.iter().rev().collect()
    }

    fn written(repeats: Repeats) -> (Repeats, usize) {
        let bytes = postcard::to_extend(&repeats, Vec::new()).expect("bytes");
        (postcard::from_bytes(&bytes).expect("the same"), bytes.len())
    }

    #[test]
    fn an_id_begins_with_its_time() {
        let known = "31953106606966983378809025079804211143289615424298221568";
        assert_eq!(key(known).wrapping_add(1), key(&known.replace("568", "569")));
        assert_eq!(id(1_432_826_855_000, 7, 0).len(), 56);
        assert!(id(1_432_826_855_000, 7, 0).starts_with("31953106606"));
        assert_eq!(key("eventId9").wrapping_add(1), key("eventId10"));
        assert_ne!(key("eventId9"), key("event9"));
    }

    #[test]
    fn every_event_is_new_once_in_whatever_payloads_it_comes() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (mut repeats, mut moved, mut seen) =
                (Repeats::default(), Vec::new(), HashSet::new());
            let mut events = Vec::new();
            for put in 0..rng.u64(1..300) {
                let mut time = 1_795_435_200_000 + put.cast_signed() * 900 - rng.i64(0..5000);
                let is_filtered = rng.bool();
                for place in 0..rng.u64(1..30) {
                    time += rng.i64(0..40);
                    if !is_filtered || rng.bool() {
                        events.push((id(time, put, place), time));
                    }
                }
            }
            for _ in 0..rng.usize(1..400) {
                // A payload holds some events one behind the other, and mostly comes in its turn.
                let from = rng.usize(0..events.len());
                let payload = &events[from..events.len().min(from + rng.usize(1..60))];
                for (id, time) in payload {
                    if repeats.may_be_moved(*time) && repeats.moved.is_empty() {
                        moved.iter().for_each(|bytes: &Vec<u8>| assert!(repeats.know(bytes)));
                    }
                    assert_eq!(repeats.is_new(id, *time), seen.insert(id.clone()), "seed {seed}");
                }
                repeats.end_payload();
                if rng.bool() {
                    let (out, forgotten) = repeats.shrink();
                    assert_eq!(forgotten, 0);
                    moved.extend(out.map(|moved| moved.bytes));
                    (repeats, _) = written(repeats);
                }
            }
        }
    }

    #[test]
    fn a_day_of_payloads_stays_small_in_the_state() {
        let mut repeats = Repeats::default();
        let (mut most, mut moved) = (0, 0);
        for put in 0..17_280 {
            let time = 1_795_435_200_000 + put * 5_000;
            for place in 0..50 {
                assert!(repeats.is_new(
                    &id(time + place, put.cast_unsigned(), place.cast_unsigned()),
                    time + place
                ));
            }
            repeats.end_payload();
            let (out, forgotten) = repeats.shrink();
            assert_eq!(forgotten, 0);
            moved += out.map_or(0, |moved| moved.bytes.len());
            let bytes;
            (repeats, bytes) = written(repeats);
            most = most.max(bytes);
        }
        assert!(most < 1_700 && moved < 17_280 * 15, "{most} and {moved} bytes");
    }

    #[test]
    fn what_there_is_no_room_for_is_told() {
        let mut repeats = Repeats::default();
        for number in 0..13_000 {
            assert!(repeats.is_new(&format!("{}", number * 1_000_003), 0));
            repeats.end_payload();
        }
        // Nothing of it was in the state before.
        assert_eq!(repeats.shrink(), (None, 1_000));
        assert!(!repeats.is_new(&format!("{}", 1_000 * 1_000_003), 0));
        assert!(repeats.is_new("0", 0));
    }
}
