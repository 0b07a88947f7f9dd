//! What waits for later lines: one piece for every format that joins lines.

use std::hash::Hash;

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};

/// Something that takes room while it waits.
pub(crate) trait Weigh {
    /// About how many bytes it takes when it is saved.
    fn weight(&self) -> usize;
}

/// One thing that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting<V> {
    /// Which one it was to come: tells it from others that had its key.
    pub(crate) serial: u64,
    /// When a line last spoke of it, in the log's own time.
    pub(crate) seen: i64,
    /// The last moment, in the log's own time, at which it still waits.
    pub(crate) until: i64,
    pub(crate) value: V,
}

/// Things that wait for later lines, each under a key.
///
/// Whatever is asked for many at once comes in an order that the log alone decides, never in that of a hash table:
/// the same lines must lead to the same counts and to the same saved bytes.
#[derive(Clone, Debug)]
pub(crate) struct Pending<K, V> {
    waiting: HashMap<K, Waiting<V>, RandomState>,
    serial: u64,
    weight: usize,
}

impl<K, V> Default for Pending<K, V> {
    fn default() -> Self {
        Self { waiting: HashMap::default(), serial: 0, weight: 0 }
    }
}

impl<K: Clone + Eq + Hash + Ord, V: Weigh> Pending<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// About how many bytes all of it takes when it is saved.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// The serial number that was given out last.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&Waiting<V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.waiting.get(key)
    }

    /// Lets something wait until a moment, in the place of whatever had its key; its serial number.
    pub(crate) fn insert(&mut self, key: K, value: V, seen: i64, until: i64) -> u64 {
        self.serial += 1;
        let serial = self.serial;
        self.put(key, Waiting { serial, seen, until, value });
        serial
    }

    /// Goes on with serial numbers behind one that was given out, and may be forgotten.
    pub(crate) fn go_on_behind(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// Puts something back as it was saved, or as it was before it was removed.
    pub(crate) fn put(&mut self, key: K, waiting: Waiting<V>) {
        self.serial = self.serial.max(waiting.serial);
        self.weight += waiting.value.weight();
        if let Some(replaced) = self.waiting.insert(key, waiting) {
            self.weight = self.weight.saturating_sub(replaced.value.weight());
        }
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<Waiting<V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let removed = self.waiting.remove(key)?;
        self.weight = self.weight.saturating_sub(removed.value.weight());
        Some(removed)
    }

    /// Changes something that waits: this and the two that touch it are the only ways to it, and keep what all weigh
    /// right.
    pub(crate) fn change<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        let waiting = self.waiting.get_mut(key)?;
        Some(reweighed(&mut self.weight, &mut waiting.value, change))
    }

    /// Changes something that waits, of which a line speaks now, and which now waits until the moment that the change
    /// tells. Gives both.
    pub(crate) fn touch_known<Q, T>(
        &mut self,
        key: &Q,
        seen: i64,
        change: impl FnOnce(&mut V) -> (T, i64),
    ) -> Option<(T, i64)>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let waiting = self.waiting.get_mut(key)?;
        let (changed, until) = reweighed(&mut self.weight, &mut waiting.value, change);
        (waiting.seen, waiting.until) = (seen, until);
        Some((changed, until))
    }

    /// Changes something of which a line speaks now, and which now waits until another moment; it begins to wait if
    /// it is new. The change is told its serial number.
    pub(crate) fn touch<T>(
        &mut self,
        key: K,
        (seen, until): (i64, i64),
        new: impl FnOnce() -> V,
        change: impl FnOnce(u64, &mut V) -> T,
    ) -> T {
        let waiting = self.waiting.entry(key).or_insert_with(|| {
            self.serial += 1;
            let value = new();
            self.weight += value.weight();
            Waiting { serial: self.serial, seen, until, value }
        });
        (waiting.seen, waiting.until) = (seen, until);
        let serial = waiting.serial;
        reweighed(&mut self.weight, &mut waiting.value, |value| change(serial, value))
    }

    /// The keys of what waits no longer at `now`, in the order in which they came.
    pub(crate) fn expired(&self, now: i64) -> Vec<K> {
        let expired = self.waiting.iter().filter(|(_, waiting)| waiting.until < now);
        let mut expired: Vec<_> =
            expired.map(|(key, waiting)| (waiting.serial, key.clone())).collect();
        expired.sort_unstable();
        expired.into_iter().map(|(_, key)| key).collect()
    }

    /// The earliest moment until which something waits.
    pub(crate) fn first_until(&self) -> Option<i64> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }

    /// The keys of those for which this is so, in the order in which they came.
    pub(crate) fn keys_of(&self, is: impl Fn(&V) -> bool) -> Vec<K> {
        let keys = self.waiting.iter().filter(|(_, waiting)| is(&waiting.value));
        let mut keys: Vec<_> = keys.map(|(key, waiting)| (waiting.serial, key.clone())).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// The key of the first that came of those for which this is so.
    pub(crate) fn first_key(&self, is: impl Fn(&K, &V) -> bool) -> Option<K> {
        let keys = self.waiting.iter().filter(|(key, waiting)| is(key, &waiting.value));
        keys.min_by_key(|(key, waiting)| (waiting.serial, *key)).map(|(key, _)| key.clone())
    }

    /// All keys, those that no line spoke of for the longest time first: the order in which room is made.
    pub(crate) fn oldest_first(&self) -> Vec<K> {
        let keys = self.waiting.iter();
        let mut oldest: Vec<_> =
            keys.map(|(key, waiting)| (waiting.seen, waiting.serial, key.clone())).collect();
        oldest.sort_unstable();
        oldest.into_iter().map(|(_, _, key)| key).collect()
    }

    /// All that waits, in the order in which it came: what is saved.
    pub(crate) fn in_order(&self) -> Vec<(&K, &Waiting<V>)> {
        let mut all: Vec<_> = self.waiting.iter().collect();
        all.sort_unstable_by(|(one, this), (two, that)| {
            (this.serial, *one).cmp(&(that.serial, *two))
        });
        all
    }
}

/// Makes a change, and corrects what all weigh by what it changes.
fn reweighed<V: Weigh, T>(
    weight: &mut usize,
    value: &mut V,
    change: impl FnOnce(&mut V) -> T,
) -> T {
    let before = value.weight();
    let changed = change(value);
    *weight = (*weight + value.weight()).saturating_sub(before);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weigh for &str {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn what_waits_is_told_in_an_order_that_the_log_decides() {
        let mut pending = Pending::default();
        for (key, seen) in [(3, 10), (1, 30), (2, 20), (4, 10)] {
            pending.insert(key, "xx", seen, seen + 5);
        }
        assert_eq!(pending.oldest_first(), [3, 4, 2, 1]);
        assert_eq!(pending.expired(26), [3, 2, 4]);
        let order: Vec<_> = pending.in_order().into_iter().map(|(key, _)| *key).collect();
        assert_eq!(order, [3, 1, 2, 4]);
        pending.touch(
            3,
            (40, 50),
            || "new",
            |serial, value| assert_eq!((serial, *value), (1, "xx")),
        );
        assert_eq!(pending.expired(26), [2, 4]);
    }

    #[test]
    fn the_weight_is_that_of_what_waits() {
        let mut pending = Pending::default();
        pending.insert(1, "four", 0, 0);
        pending.insert(1, "seven..", 0, 0);
        pending.insert(2, "two", 0, 0);
        pending.change(&2, |value| *value = "longer");
        assert_eq!((pending.weight(), pending.len()), (13, 2));
        pending.touch(3, (0, 0), || "new", |_, value| *value = "newer");
        assert_eq!(pending.weight(), 18);
        pending.remove(&3);
        let removed = pending.remove(&1).expect("it waits");
        assert_eq!((removed.serial, pending.weight()), (2, 6));
        pending.put(1, removed);
        assert_eq!((pending.serial(), pending.weight()), (4, 13));
    }
}
