//! Which names are told apart where somebody has very many: see [`report::Owner`].
//!
//! One item per owner and day holds the claims that are admitted, as a set: claims are added until it holds as many
//! as there may be, and none is ever taken out. So there are two kinds of decision, and both are for ever:
//! a claim in the set is admitted, and any other is denied once the set is full.
//!
//! A tally is capped by these decisions before anything of it is counted. Whoever brings its records again, in
//! whatever batches and after whatever crash, finds the same decisions: so they meet the same counters. What is
//! admitted for a batch that dies before it counts takes a place, and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::StreamExt as _;
use report::{Claims, Day, Denied, Owner, Tally};

use crate::counting::outcome::Outcome;
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::{Table, Writing};
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{Answer, TRANSACTION, Transacted, Write, gathered};

/// The set of admitted claims.
const ADMITTED: &str = "n";
/// Claims added at once: they have to fit into a request.
const ADDED: usize = 1000;
/// Claims remembered: about 16 MB.
const REMEMBERED: usize = 500_000;
/// Owners asked for at once.
const CONCURRENCY: usize = 16;

/// How many claims of an owner and day are admitted.
///
/// Other limits would take back what was denied on days that are full: they go with another partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An account's senders, and each with each of its clients.
    pub account: usize,
    /// User names that were tried from a client's network.
    pub network: usize,
}

impl Default for Limits {
    /// Far above what people and their programs reach. A full item takes 32 KB.
    fn default() -> Self {
        Self { account: 4000, network: 1000 }
    }
}

impl Limits {
    const fn of(self, owner: &Owner) -> usize {
        match owner {
            Owner::Account(_) => self.account,
            Owner::Network(_) => self.network,
        }
    }
}

/// Claims that are known to be admitted; others may be as well.
type Known = HashMap<(Day, Owner), HashSet<u64>>;

/// Decides which claims are admitted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    limits: Limits,
    known: Arc<Mutex<Known>>,
}

/// An owner with claims that are not decided yet.
struct Undecided {
    owner: (Day, Owner),
    claims: Vec<u64>,
}

impl Admission {
    pub(crate) fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has every claim of a tally decided, and counts what is denied under the names for all others.
    pub(crate) async fn cap(
        &self,
        table: &Table,
        tally: &mut Tally,
    ) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        let mut denied = Denied::new();
        let mut undecided = self.begin(tally.claims());
        loop {
            undecided.retain_mut(|one| self.decide(one, &mut denied));
            if undecided.is_empty() {
                break;
            }
            outcome.add(&self.ask(table, &undecided).await?);
        }
        if !denied.is_empty() {
            tally.cap(&denied);
        }
        Ok(outcome)
    }

    /// Forgets everything if it has grown too much: at a batch's begin. Another that is under way then asks the store
    /// again.
    fn begin(&self, claims: Claims) -> Vec<Undecided> {
        let mut known = self.known();
        if known.values().map(|claims| claims.len() + 8).sum::<usize>() > REMEMBERED {
            known.clear();
        }
        claims.into_iter().map(|(owner, claims)| Undecided { owner, claims }).collect()
    }

    /// Decides what can be; false if that is all.
    fn decide(&self, one: &mut Undecided, denied: &mut Denied) -> bool {
        let known = self.known();
        let Some(admitted) = known.get(&one.owner) else { return true };
        one.claims.retain(|claim| !admitted.contains(claim));
        if admitted.len() >= self.limits.of(&one.owner.1) && !one.claims.is_empty() {
            let claims = std::mem::take(&mut one.claims);
            denied.entry(one.owner.clone()).or_default().extend(claims);
        }
        !one.claims.is_empty()
    }

    /// The next claims of an owner that are to be added, and the update that does.
    fn adding(&self, one: &Undecided) -> (HashSet<u64>, Change) {
        let limit = self.limits.of(&one.owner.1);
        let room = {
            let known = self.known();
            limit.saturating_sub(known.get(&one.owner).map_or(0, HashSet::len))
        };
        let mut claims = HashSet::new();
        // In their order: whether a sender is told apart is decided before its clients are.
        for claim in &one.claims {
            if claims.len() >= room.clamp(1, ADDED) {
                break;
            }
            claims.insert(*claim);
        }
        let most = limit.saturating_sub(claims.len());
        // Condition **room**: closes the race of two writers who fill the set. It must never hold too many.
        let room = Condition::new(format!(
            "attribute_not_exists({ADMITTED}) OR size({ADMITTED}) <= :most"
        ))
        .value(":most", items::of_number(most));
        let set = claims.iter().map(|claim| Blob::new(claim.to_be_bytes())).collect();
        let (day, owner) = &one.owner;
        let change = Change::of(key(*day, owner))
            .add(ADMITTED, AttributeValue::Bs(set))
            .expires(items::expiry(*day))
            .only_if(room);
        (claims, change)
    }

    async fn ask(&self, table: &Table, undecided: &[Undecided]) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        let at_once = match table.writing {
            Writing::Single { .. } => CONCURRENCY,
            Writing::Transactions => TRANSACTION,
        };
        for chunk in undecided.chunks(at_once) {
            let adding: Vec<_> = chunk.iter().map(|one| self.adding(one)).collect();
            if let Writing::Transactions = table.writing {
                let writes = adding.iter().map(|(_, change)| Write::Change(change.clone()));
                if let Transacted::Done(units) = table.transact(writes.collect()).await? {
                    outcome.items += chunk.len() as u64;
                    outcome.write_units += units;
                    for (one, (claims, _)) in chunk.iter().zip(adding) {
                        self.known().entry(one.owner.clone()).or_default().extend(claims);
                    }
                    continue;
                }
            }
            let asked = chunk.iter().zip(adding);
            let asked = asked.map(|(one, adding)| self.ask_for(table, &one.owner, adding));
            let asked = asked.map(futures_util::FutureExt::boxed).collect();
            for one in gathered(asked, CONCURRENCY).await? {
                outcome.add(&one);
            }
        }
        Ok(outcome)
    }

    async fn ask_for(
        &self,
        table: &Table,
        owner: &(Day, Owner),
        (claims, change): (HashSet<u64>, Change),
    ) -> Result<Outcome, StoreError> {
        let (items, write_units) = match table.update(change).await? {
            Answer::Done(units) => {
                self.known().entry(owner.clone()).or_default().extend(claims);
                (1, units)
            }
            Answer::Refused(old, units) => {
                let admitted = old.as_ref().map(admitted).unwrap_or_default();
                self.known().insert(owner.clone(), admitted);
                (0, units)
            }
        };
        Ok(Outcome { items, write_units, ..Outcome::default() })
    }
}

/// All claims of a day that are admitted, by what their owner's item is found under.
pub(crate) struct Admitted(HashMap<String, HashSet<u64>>);

impl Admitted {
    pub(crate) async fn read(table: &Table, day: Day) -> Result<Self, StoreError> {
        let mut all = HashMap::new();
        let partition = keys::admitted(day);
        let mut pages = table.pages(&partition);
        while let Some(page) = pages.next().await {
            for item in page? {
                let owner = items::text(&item, "sk").unwrap_or_default();
                all.insert(owner.to_owned(), admitted(&item));
            }
        }
        Ok(Self(all))
    }

    pub(crate) fn has(&self, owner: &Owner, claim: u64) -> bool {
        self.0.get(&name_of(owner)).is_some_and(|claims| claims.contains(&claim))
    }
}

fn key(day: Day, owner: &Owner) -> Item {
    keys::key(&keys::admitted(day), &name_of(owner))
}

fn name_of(owner: &Owner) -> String {
    match owner {
        Owner::Account(name) => format!("account\t{name}"),
        Owner::Network(name) => format!("network\t{name}"),
    }
}

fn admitted(item: &Item) -> HashSet<u64> {
    let claims = item.get(ADMITTED).and_then(|claims| claims.as_bs().ok());
    let claims = claims.into_iter().flatten();
    claims.filter_map(|claim| claim.as_ref().try_into().ok().map(u64::from_be_bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_names_are_told_apart_and_no_more() {
        let usual = Limits { account: 4000, network: 1000 };
        assert_eq!(Limits::default(), usual);
        assert_eq!(Admission::default().limits, usual);
    }

    #[test]
    fn what_is_remembered_of_claims_is_forgotten_once_it_is_too_much() {
        let admission = Admission::default();
        let remember = |account: usize, claims: usize| {
            let owner = Owner::Account(account.to_string().into());
            admission.known().insert((Day::default(), owner), (0..claims as u64).collect());
        };
        let left = || {
            let undecided = admission.begin(Claims::new());
            assert!(undecided.is_empty());
            admission.known().len()
        };
        remember(1, 100);
        assert_eq!(left(), 1);
        remember(2, REMEMBERED);
        assert_eq!(left(), 0);
        // Owners take room, too.
        (0..REMEMBERED / 8).for_each(|account| remember(account, 1));
        assert_eq!(left(), 0);
    }
}
