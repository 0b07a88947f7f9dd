//! One day of a tally.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use super::cap::{self, Denied, OTHER_NAMES, Owner, network};
use super::day::Day;
use super::failure_key::FailureKey;
use super::marks::Marks;
use super::tls::{TlsCounts, TlsVersion};
use super::usage::UsageKey;

/// The domain of the rollup over every domain; no sender has it.
pub const ALL_DOMAINS: &str = "";

/// A day's messages of one domain, or of all ([`ALL_DOMAINS`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupEntry<'a> {
    /// The day.
    pub day: Day,
    /// The domain.
    pub domain: &'a str,
    /// Messages per TLS version.
    pub counts: TlsCounts,
    /// Mark of the first message in it.
    pub first: u64,
    /// Mark of the last message in it.
    pub last: u64,
}

#[derive(Debug)]
pub(super) struct Usage {
    pub(super) key: Box<str>,
    pub(super) rollup: usize,
    pub(super) tls: TlsVersion,
    pub(super) marks: Marks,
}

#[derive(Debug)]
pub(super) struct Rollup {
    pub(super) domain: Box<str>,
    pub(super) counts: TlsCounts,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Rollup {
    pub(super) fn new(domain: &str) -> Self {
        Self { domain: domain.into(), counts: TlsCounts::default(), first: u64::MAX, last: 0 }
    }

    pub(super) fn add(&mut self, mark: u64, tls: TlsVersion, messages: u64) {
        self.counts.add(tls, messages);
        self.first = self.first.min(mark);
        self.last = self.last.max(mark);
    }
}

/// Position of the rollup over all domains among a day's rollups.
pub(super) const ALL: usize = 0;

#[derive(Debug)]
pub(super) struct DayTally {
    pub(super) day: Day,
    pub(super) index: HashTable<usize>,
    pub(super) usage: Vec<Usage>,
    pub(super) rollups: Vec<Rollup>,
    pub(super) domains: HashMap<Box<str>, usize, RandomState>,
    pub(super) failures: Counters,
    /// What else is counted of accounts.
    pub(super) finer: Counters,
}

/// Counts by the names under which they are stored.
pub(super) type Counters = HashMap<Box<str>, Marks, RandomState>;

/// What a thing counted takes beside its name: about.
pub(super) const ITEM: usize = 200;

/// What each part of a count takes: about.
pub(super) const PART: usize = 16;

/// Adds to the counter of this name.
pub(super) fn add_to(
    counters: &mut Counters,
    name: &str,
    mark: u64,
    count: u64,
    bytes: &mut usize,
) {
    match counters.get_mut(name) {
        Some(marks) => marks.add(mark, count),
        None => {
            *bytes += ITEM + name.len();
            counters.entry(name.into()).or_default().add(mark, count);
        }
    }
    *bytes += PART;
}

impl DayTally {
    pub(super) fn new(day: Day) -> Self {
        Self {
            day,
            index: HashTable::new(),
            usage: Vec::new(),
            rollups: vec![Rollup::new(ALL_DOMAINS)],
            domains: HashMap::default(),
            failures: HashMap::default(),
            finer: HashMap::default(),
        }
    }

    pub(super) fn rollups(&self) -> impl Iterator<Item = RollupEntry<'_>> {
        self.rollups.iter().filter(|rollup| rollup.first != u64::MAX).map(|rollup| RollupEntry {
            day: self.day,
            domain: &rollup.domain,
            counts: rollup.counts,
            first: rollup.first,
            last: rollup.last,
        })
    }

    /// Adds messages to the usage of a key, which stands in `text`.
    pub(super) fn add(
        &mut self,
        mark: u64,
        key: &UsageKey<'_>,
        text: &str,
        messages: u64,
        hasher: &RandomState,
        bytes: &mut usize,
    ) {
        let at = self.usage_at(key, text, hasher, bytes);
        let usage = &mut self.usage[at];
        usage.marks.add(mark, messages);
        self.rollups[usage.rollup].add(mark, key.tls, messages);
        self.rollups[ALL].add(mark, key.tls, messages);
        *bytes += PART;
    }

    pub(super) fn usage_at(
        &mut self,
        key: &UsageKey<'_>,
        text: &str,
        hasher: &RandomState,
        bytes: &mut usize,
    ) -> usize {
        let hash = hasher.hash_one(text);
        if let Some(at) = self.index.find(hash, |at| *self.usage[*at].key == *text) {
            return *at;
        }
        let rollup = self.rollup_at(key.domain);
        let at = self.usage.len();
        self.usage.push(Usage { key: text.into(), rollup, tls: key.tls, marks: Marks::default() });
        let usage = &self.usage;
        self.index.insert_unique(hash, at, |at| hasher.hash_one(&*usage[*at].key));
        *bytes += ITEM + text.len();
        at
    }

    pub(super) fn cap(&mut self, denied: &Denied, default_domain: &str, hasher: &RandomState) {
        let of = |owner: Owner| denied.get(&(self.day, owner));
        let mut text = String::new();
        let mut changed = false;
        for usage in &mut self.usage {
            let Some(key) = UsageKey::read(&usage.key) else { continue };
            let Some(denied) = of(Owner::Account(key.username.into())) else { continue };
            let is_denied = |claim| denied.contains(&claim);
            if let Some(capped) = cap::capped(&key, default_domain, is_denied) {
                capped.write(&mut text);
                usage.key = text.as_str().into();
                changed = true;
            }
        }
        let mut others = Counters::default();
        self.failures.retain(|key, marks| {
            let Some(FailureKey { account, client, hour }) = FailureKey::read(key) else {
                return true;
            };
            let network = network(client);
            let claim = cap::failure_claim(account, client);
            let other = FailureKey { account: OTHER_NAMES, client: &network, hour };
            other.write(&mut text);
            let keeps = of(Owner::Network(network)).is_none_or(|denied| !denied.contains(&claim));
            if !keeps {
                others.entry(text.as_str().into()).or_default().append(marks);
            }
            keeps
        });
        for (key, marks) in others {
            let all = self.failures.entry(key).or_default();
            all.append(&marks);
            all.settle();
        }
        if changed {
            self.join(hasher);
        }
    }

    /// Joins what has come to have the same key.
    fn join(&mut self, hasher: &RandomState) {
        let usage = std::mem::take(&mut self.usage);
        let failures = std::mem::take(&mut self.failures);
        let finer = std::mem::take(&mut self.finer);
        *self = Self { failures, finer, ..Self::new(self.day) };
        for Usage { key, tls, marks, .. } in usage {
            let Some(read) = UsageKey::read(&key) else { continue };
            let at = self.usage_at(&read, &key, hasher, &mut 0);
            let rollup = self.usage[at].rollup;
            for (mark, messages) in marks.parts_since(0) {
                self.rollups[rollup].add(mark, tls, messages);
                self.rollups[ALL].add(mark, tls, messages);
            }
            self.usage[at].marks.append(&marks);
        }
        self.usage.iter_mut().for_each(|usage| usage.marks.settle());
    }

    fn rollup_at(&mut self, domain: &str) -> usize {
        if let Some(at) = self.domains.get(domain) {
            return *at;
        }
        let at = self.rollups.len();
        self.rollups.push(Rollup::new(domain));
        self.domains.insert(domain.into(), at);
        at
    }
}
