//! What a format that joins lines remembers: sessions and messages, under the ids that its log gives them.
//!
//! A format says what it keeps ([`Kept`]), and delegates the rest of [`LogFormat`](crate::format::LogFormat) with
//! `remembers!`.

mod remembers;

use hashbrown::Equivalent;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::client_name::{self, HasNames, Named};
use crate::key::Key;
use crate::load::Load;
use crate::pending::{Pending, Waiting, Weigh};
use crate::place::Arrival;
use crate::proofs::Sink;
use crate::recipients::{self, HasRecipients};

pub(crate) use self::remembers::remembers;

/// What has waited long enough is looked for once in so many seconds of the log's own time.
const STEP: i64 = 8;
/// About how many bytes an entry takes when it is saved, besides its key's and its value's.
const ENTRY: usize = 16;

/// A session or a message that waits for later lines.
pub(crate) trait Kept: Clone + Serialize + DeserializeOwned {
    /// Whether it is open. Otherwise it only says what was: forgetting it counts nothing, and nothing is lost with it.
    const WAITS: bool = true;

    /// For how many seconds of the log's own time it waits for another line that speaks of it.
    fn life(&self) -> i64;

    /// About how many bytes it takes when it is saved.
    fn weight(&self) -> usize;

    /// Shows all in it that may have a client's name: these are saved behind everything else.
    fn names(&mut self, _each: &mut dyn FnMut(&mut dyn Named)) {}

    /// Shows the recipients of all messages in it that its log tells: these are saved behind everything else, too.
    fn recipients(&mut self, _each: &mut dyn FnMut(&mut u64)) {}

    /// No later line will speak of it, or there is no room for it: what was accepted is counted at `mark`.
    fn settle(self, _mark: u64, _sink: &mut impl Sink) {}
}

/// Nothing is kept.
impl Kept for () {
    const WAITS: bool = false;

    fn life(&self) -> i64 {
        0
    }

    fn weight(&self) -> usize {
        0
    }
}

/// A [`Key`] that is kept. Its hash is that of the key, field by field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct KeptKey {
    host: Box<[u8]>,
    id: Box<[u8]>,
}

impl Key<'_> {
    fn kept(self) -> KeptKey {
        KeptKey { host: self.host.into(), id: self.id.into() }
    }
}

impl Equivalent<KeptKey> for Key<'_> {
    fn equivalent(&self, kept: &KeptKey) -> bool {
        *self.host == *kept.host && *self.id == *kept.id
    }
}

/// A value, and what its key takes.
#[derive(Clone, Debug)]
struct Entry<V> {
    value: V,
    key: usize,
}

impl<V: Kept> Weigh for Entry<V> {
    fn weight(&self) -> usize {
        ENTRY + self.key + self.value.weight()
    }
}

/// What waits under one kind of id.
#[derive(Clone, Debug)]
pub(crate) struct Table<V> {
    waiting: Pending<KeptKey, Entry<V>>,
    /// Nothing has waited long enough before this moment.
    due: i64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { waiting: Pending::default(), due: i64::MAX }
    }
}

/// One entry as it is saved: key, serial number, when a line last spoke of it, until when it waits, and the value.
type Saved<V> = (KeptKey, u64, i64, i64, V);

impl<V: Kept> Table<V> {
    /// What waits under a key.
    pub(crate) fn get(&self, key: Key<'_>) -> Option<&V> {
        self.waiting.get(&key).map(|waiting| &waiting.value.value)
    }

    /// Changes what waits under a key, of which a line of this time speaks; none if nothing does.
    pub(crate) fn change<T>(
        &mut self,
        key: Key<'_>,
        time: i64,
        change: impl FnOnce(&mut V) -> T,
    ) -> Option<T> {
        let (changed, until) = self.waiting.touch_known(&key, time, |entry| {
            let changed = change(&mut entry.value);
            (changed, until(time, &entry.value))
        })?;
        self.due = self.due.min(until);
        Some(changed)
    }

    /// As [`change`](Self::change); it begins to wait if nothing does.
    pub(crate) fn touch<T>(
        &mut self,
        key: Key<'_>,
        time: i64,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> T,
    ) -> Option<T> {
        if self.get(key).is_none() {
            self.put(key, time, new());
        }
        self.change(key, time, change)
    }

    /// Lets something wait, in the place of what had its key.
    pub(crate) fn put(&mut self, key: Key<'_>, time: i64, value: V) {
        let until = until(time, &value);
        self.due = self.due.min(until);
        let entry = Entry { value, key: key.host.len() + key.id.len() };
        self.waiting.insert(key.kept(), entry, time, until);
    }

    /// What waited under a key waits no longer.
    pub(crate) fn take(&mut self, key: Key<'_>) -> Option<V> {
        self.waiting.remove(&key).map(|waiting| waiting.value.value)
    }

    /// The same, or else what waited first under its id on another host.
    pub(crate) fn take_anywhere(&mut self, key: Key<'_>) -> Option<V> {
        let here = self.take(key);
        if here.is_some() || self.is_empty() {
            return here;
        }
        let other = self.waiting.first_key(|kept, _| *kept.id == *key.id)?;
        self.waiting.remove(&other).map(|waiting| waiting.value.value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.len() == 0
    }

    /// About how many bytes it takes when it is saved.
    pub(crate) fn weight(&self) -> usize {
        self.waiting.weight()
    }

    /// Settles what has waited long enough at this moment; whether there was any.
    fn expire(&mut self, clock: i64, mark: u64, sink: &mut impl Sink) -> bool {
        let expired = self.waiting.expired(clock);
        for key in &expired {
            self.settle(key, mark, sink);
        }
        self.due = self.waiting.first_until().unwrap_or(i64::MAX);
        !expired.is_empty()
    }

    fn settle(&mut self, key: &KeptKey, mark: u64, sink: &mut impl Sink) {
        if let Some(waiting) = self.waiting.remove(key) {
            waiting.value.value.settle(mark, sink);
        }
    }

    fn saved(&self) -> Vec<Saved<V>> {
        let all = self.waiting.in_order().into_iter();
        let saved = |(key, waiting): (&KeptKey, &Waiting<Entry<V>>)| {
            let Waiting { serial, seen, until, value } = waiting;
            (key.clone(), *serial, *seen, *until, value.value.clone())
        };
        all.map(saved).collect()
    }

    fn restored(saved: Vec<Saved<V>>) -> Option<Self> {
        let mut table = Self::default();
        for (key, serial, seen, until, value) in saved {
            // Numbers beyond it could not be counted on from; nothing that was ever saved has such.
            (serial < u64::MAX / 2).then_some(())?;
            table.due = table.due.min(until);
            let entry = Entry { value, key: key.host.len() + key.id.len() };
            table.waiting.put(key, Waiting { serial, seen, until, value: entry });
        }
        Some(table)
    }
}

/// Until when a value waits of which a line of this time speaks.
fn until(time: i64, value: &impl Kept) -> i64 {
    let until = time.saturating_add(value.life());
    until.div_euclid(STEP).saturating_add(1).saturating_mul(STEP)
}

/// What one format remembers: `S` of a session, `M` of a message.
///
/// Deterministic: the same lines lead to the same memory, and to the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct Memory<S, M> {
    /// The latest time among the lines that were joined.
    clock: i64,
    /// The mark of the line that was read last; not saved, for no line is read in two batches.
    line: u64,
    /// Forgotten for lack of room.
    evicted: u64,
    pub(crate) sessions: Table<S>,
    pub(crate) messages: Table<M>,
}

impl<S, M> Default for Memory<S, M> {
    fn default() -> Self {
        let (sessions, messages) = (Table::default(), Table::default());
        Self { clock: 0, line: 0, evicted: 0, sessions, messages }
    }
}

/// A memory's bytes.
#[derive(Serialize, Deserialize)]
struct SavedMemory<S, M> {
    clock: i64,
    evicted: u64,
    /// The serial numbers that were given out last.
    serials: (u64, u64),
    sessions: Vec<Saved<S>>,
    messages: Vec<Saved<M>>,
}

impl<S: Kept, M: Kept> HasNames for SavedMemory<S, M> {
    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        self.sessions.iter_mut().for_each(|(.., session)| session.names(each));
        self.messages.iter_mut().for_each(|(.., message)| message.names(each));
    }
}

impl<S: Kept, M: Kept> HasRecipients for SavedMemory<S, M> {
    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        self.sessions.iter_mut().for_each(|(.., session)| session.recipients(each));
        self.messages.iter_mut().for_each(|(.., message)| message.recipients(each));
    }
}

impl<S: Kept, M: Kept> Memory<S, M> {
    /// Moves the log's clock on, for a line of this time that is about to be read, and settles what has waited long
    /// enough by it.
    #[inline]
    pub(crate) fn advance(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        let before = arrival.behind(self.line);
        self.line = arrival.mark;
        if time > self.clock && !arrival.is_outrun(time) {
            self.clock = time;
            if self.sessions.due.min(self.messages.due) < time {
                self.sessions.expire(time, before, sink);
                self.messages.expire(time, before, sink);
            }
        }
    }

    /// See [`LogFormat::settle_due`](crate::format::LogFormat::settle_due).
    ///
    /// Where all that was due was taken meanwhile, nothing remains of the call, the clock least of all: a memory that was
    /// restored knows only what waits, and would not have been called.
    pub(crate) fn settle_due(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        if self.due() < time && !arrival.is_outrun(time) {
            let before = arrival.behind(self.line);
            let sessions = S::WAITS && self.sessions.expire(time, before, sink);
            let messages = M::WAITS && self.messages.expire(time, before, sink);
            if sessions || messages {
                self.line = arrival.mark;
            }
        }
    }

    /// The log time at which something has waited long enough, or an earlier one; the end of time if nothing waits.
    #[inline]
    pub(crate) fn due(&self) -> i64 {
        let due = |waits: bool, due: i64| if waits { due } else { i64::MAX };
        due(S::WAITS, self.sessions.due).min(due(M::WAITS, self.messages.due))
    }

    /// See [`LogFormat::clock`](crate::format::LogFormat::clock).
    pub(crate) fn clock(&self) -> i64 {
        self.clock
    }

    /// See [`LogFormat::weight`](crate::format::LogFormat::weight).
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        self.sessions.weight() + self.messages.weight()
    }

    /// See [`LogFormat::load`](crate::format::LogFormat::load).
    pub(crate) fn load(&self) -> Load {
        let open = |waits: bool, all: usize| if waits { all } else { 0 };
        let sessions = open(S::WAITS, self.sessions.waiting.len());
        let messages = open(M::WAITS, self.messages.waiting.len());
        Load { sessions, messages, evicted: self.evicted }
    }

    /// See [`LogFormat::close`](crate::format::LogFormat::close).
    pub(crate) fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        self.sessions.expire(i64::MAX, mark, sink);
        self.messages.expire(i64::MAX, mark, sink);
    }

    /// See [`LogFormat::evict`](crate::format::LogFormat::evict).
    pub(crate) fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
        for key in self.sessions.waiting.oldest_first() {
            if self.weight() <= down_to {
                return;
            }
            self.evicted += u64::from(S::WAITS);
            self.sessions.settle(&key, mark, sink);
        }
        self.evict_messages(down_to, mark, sink);
    }

    /// The same, of messages only.
    pub(crate) fn evict_messages(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
        for key in self.messages.waiting.oldest_first() {
            if self.weight() <= down_to {
                return;
            }
            self.evicted += u64::from(M::WAITS);
            self.messages.settle(&key, mark, sink);
        }
    }

    /// See [`LogFormat::save`](crate::format::LogFormat::save).
    pub(crate) fn save(&self) -> Vec<u8> {
        // The clock must go on even where nothing waits: a late line would be the latest in the next batch.
        let holds = !self.sessions.is_empty() || !self.messages.is_empty();
        if self.clock == 0 && self.evicted == 0 && !holds {
            return Vec::new();
        }
        let mut saved = SavedMemory {
            clock: self.clock,
            evicted: self.evicted,
            serials: (self.sessions.waiting.serial(), self.messages.waiting.serial()),
            sessions: self.sessions.saved(),
            messages: self.messages.saved(),
        };
        // Writing to memory cannot fail.
        let bytes = postcard::to_allocvec(&saved).unwrap_or_default();
        recipients::append(client_name::append(bytes, &mut saved), &mut saved)
    }

    /// What [`save`](Self::save) wrote; none if it is something else, or contradicts itself.
    pub(crate) fn restore(bytes: &[u8]) -> Option<Self> {
        let (mut saved, behind) = postcard::take_from_bytes::<SavedMemory<S, M>>(bytes).ok()?;
        recipients::give(client_name::give(behind, &mut saved), &mut saved);
        let SavedMemory { clock, evicted, serials, sessions, messages } = saved;
        (serials.0.max(serials.1) < u64::MAX / 2).then_some(())?;
        let (mut sessions, mut messages) = (Table::restored(sessions)?, Table::restored(messages)?);
        sessions.waiting.go_on_behind(serials.0);
        messages.waiting.go_on_behind(serials.1);
        Some(Self { clock, line: 0, evicted, sessions, messages })
    }
}

#[cfg(test)]
mod tests {
    use report::TlsVersion;

    use super::*;
    use crate::kept::KeptLogin;
    use crate::place::AHEAD;
    use crate::proofs::{Login, Proof, Sender, submit};
    use crate::testing::Collected;

    /// Waits for a minute, and is counted then.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Message(String);

    impl Kept for Message {
        fn life(&self) -> i64 {
            60
        }

        fn weight(&self) -> usize {
            self.0.len()
        }

        fn settle(self, mark: u64, sink: &mut impl Sink) {
            let login = KeptLogin::new(self.0.as_bytes(), b"", b"");
            let (sender, login) = (Sender::Unknown, Login::Kept(&login));
            let tls = TlsVersion::Unknown;
            submit(sink, mark, &Proof { time: 0, sender, login, tls, messages: 1, recipients: 0 });
        }
    }

    const HOST: &[u8] = b"mail";

    fn key(id: &str) -> Key<'_> {
        Key { host: HOST, id: id.as_bytes() }
    }

    fn at(mark: u64, reference: i64) -> Arrival {
        Arrival { mark, before: mark - 1, reference }
    }

    fn counted(collected: &Collected) -> Vec<&str> {
        collected.submissions.iter().filter_map(|line| line.split(' ').nth(1)).collect()
    }

    #[test]
    fn what_has_waited_long_enough_is_settled_in_the_order_in_which_it_came() {
        let (mut memory, mut told) = (Memory::<(), Message>::default(), Collected::default());
        assert_eq!(memory.due(), i64::MAX);
        for (time, id) in [(1000, "b"), (1001, "a"), (1040, "c"), (1002, "d")] {
            memory.advance(time, at(2, 1000), &mut told);
            memory.messages.put(key(id), time, Message(id.to_owned()));
        }
        assert_eq!(memory.messages.take(key("d")), Some(Message("d".to_owned())));
        memory.advance(memory.due(), at(4, 1000), &mut told);
        assert_eq!(counted(&told), [""; 0]);
        memory.advance(memory.due() + 1, at(6, 1000), &mut told);
        assert_eq!(counted(&told), ["b", "a"]);
        // A line from the future.
        memory.advance(2000 + AHEAD, at(8, 1000), &mut told);
        assert_eq!(counted(&told).len(), 2);
        memory.close(9, &mut told);
        assert_eq!(
            (counted(&told), memory.weight(), memory.due()),
            (vec!["b", "a", "c"], 0, i64::MAX)
        );
    }

    #[test]
    fn a_line_that_speaks_of_it_keeps_it_waiting() {
        let (mut memory, mut told) = (Memory::<Message, ()>::default(), Collected::default());
        let append = |message: &mut Message| message.0.push('x');
        memory.sessions.touch(key("1"), 1000, || Message("a".to_owned()), append);
        assert_eq!(memory.sessions.change(key("1"), 1050, append), Some(()));
        assert_eq!(memory.sessions.change(key("2"), 1050, append), None);
        memory.advance(1100, at(2, 1000), &mut told);
        assert_eq!(memory.sessions.get(key("1")), Some(&Message("axx".to_owned())));
        memory.advance(1200, at(4, 1000), &mut told);
        assert_eq!(counted(&told), ["axx"]);
    }

    #[test]
    fn what_was_due_and_is_taken_leaves_nothing_to_another_programs_line() {
        let read = |is_restored: bool| {
            let (mut memory, mut told) = (Memory::<(), Message>::default(), Collected::default());
            memory.advance(1000, at(2, 1000), &mut told);
            memory.messages.put(key("taken"), 1000, Message("a".to_owned()));
            memory.messages.take(key("taken"));
            memory.messages.put(key("left"), 1040, Message("b".to_owned()));
            if is_restored {
                memory = Memory::restore(&memory.save()).expect("its own");
            }
            // Of a reader that asks first, as the formats' does: a line of another program, then one of its own.
            if memory.due() <= 1100 {
                memory.settle_due(1100, at(4, 1000), &mut told);
            }
            memory.advance(1050, at(6, 1000), &mut told);
            let clock = memory.clock();
            memory.settle_due(2000, at(8, 1000), &mut told);
            assert_eq!(counted(&told), ["b"]);
            (clock, memory.save())
        };
        assert_eq!(read(false), read(true));
        assert_eq!(read(false).0, 1050);
    }

    #[test]
    fn what_is_saved_goes_on_where_it_was() {
        let (mut memory, mut told) = (Memory::<(), Message>::default(), Collected::default());
        assert!(memory.save().is_empty());
        memory.advance(1000, at(2, 1000), &mut told);
        for id in ["b", "a"] {
            memory.messages.put(key(id), 1000, Message(id.to_owned()));
        }
        let saved = memory.save();
        let mut restored = Memory::<(), Message>::restore(&saved).expect("its own");
        assert_eq!(restored.save(), saved);
        assert_eq!((restored.due(), restored.weight()), (memory.due(), memory.weight()));
        restored.evict(memory.weight() / 2, 4, &mut told);
        assert_eq!((counted(&told), restored.load().evicted), (vec!["b"], 1));
        // Even where nothing else is left.
        let forgetful = Memory::<(), Message> { evicted: 3, ..Memory::default() };
        let restored = Memory::<(), Message>::restore(&forgetful.save()).expect("its own");
        assert_eq!(restored.load().evicted, 3);
        assert!(Memory::<(), Message>::restore(b"\xff").is_none());
    }
}
