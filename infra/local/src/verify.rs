//! Whether the store is whole: sums that must be the same are held against each other.
//!
//! SQLite notices a page that makes no sense, but not a digit that has become another. Every message is counted twice,
//! though: in usage, and in the rollups of its domain and of all domains. A digit that changes in one of them shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use anyhow::Result;
use report::{ALL_DOMAINS, Day, Range, TlsCounts, displayed, grouped};
use store::{DayState, Store, UsageFilter};

/// How long to wait before a second look.
pub const PAUSE: Duration = Duration::from_secs(5);

/// Sums that differ, or what cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Usage and the rollup of a domain, or of all ([`ALL_DOMAINS`]), differ on a day.
    Differs {
        /// The day.
        day: Day,
        /// The domain.
        domain: String,
        /// Messages in usage.
        usage: u64,
        /// Messages in the rollup.
        rollup: u64,
    },
    /// A day's usage cannot be read.
    Unreadable(Day, String),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Days that were looked at.
    pub days: u64,
    /// Messages in them.
    pub messages: u64,
    /// Days that were counted into meanwhile: nothing can be said of them.
    pub busy: BTreeSet<Day>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Messages by domain and day.
type Sums = HashMap<String, BTreeMap<Day, TlsCounts>>;

/// Holds usage against rollups, for all days of a range.
///
/// Counting that begins before and ends after a look raises no revision in between, though sums differ for so long.
/// So a fault is one that is still the same at a second look, after a `pause`.
///
/// # Errors
/// The store does not answer at all.
pub async fn verify(store: &Store, range: Range, pause: Duration) -> Result<Found> {
    let first = look(store, range).await?;
    if first.faults.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(pause).await;
    let mut found = look(store, range).await?;
    found.faults.retain(|fault| first.faults.contains(fault));
    Ok(found)
}

async fn look(store: &Store, range: Range) -> Result<Found> {
    let before = store.days().states(range).await?;
    let mut found = Found::default();
    let mut usage = Sums::from([(ALL_DOMAINS.to_owned(), BTreeMap::new())]);
    let mut unreadable = BTreeSet::new();
    for day in range.days() {
        let mut domains: HashMap<String, TlsCounts> = HashMap::new();
        let items = store.usage();
        let read = items.read(day, UsageFilter::default(), |key, messages| {
            for domain in [key.domain, ALL_DOMAINS] {
                match domains.get_mut(domain) {
                    Some(counts) => counts.add(key.tls, messages),
                    None => domains.entry(domain.to_owned()).or_default().add(key.tls, messages),
                }
            }
        });
        if let Err(error) = read.await {
            unreadable.insert(day);
            found.faults.push(Fault::Unreadable(day, error.to_string()));
            continue;
        }
        found.days += u64::from(!domains.is_empty());
        for (domain, counts) in domains {
            usage.entry(domain).or_default().insert(day, counts);
        }
    }
    found.messages = usage[ALL_DOMAINS].values().map(TlsCounts::total).sum();
    let mut domains = store.summaries().domains(range).await?;
    domains.extend(usage.keys().cloned());
    let mut differ = Vec::new();
    for domain in domains {
        let rollup = store.summaries().rollup(&domain, range).await?;
        let none = BTreeMap::new();
        let usage = usage.get(&domain).unwrap_or(&none);
        let days: BTreeSet<Day> = rollup.keys().chain(usage.keys()).copied().collect();
        for day in days.difference(&unreadable) {
            let [usage, rollup] =
                [usage, &rollup].map(|of| of.get(day).copied().unwrap_or_default());
            if usage != rollup {
                let (usage, rollup) = (usage.total(), rollup.total());
                differ.push(Fault::Differs { day: *day, domain: domain.clone(), usage, rollup });
            }
        }
    }
    let after = store.days().states(range).await?;
    let revision =
        |states: &BTreeMap<Day, DayState>, day: Day| states.get(&day).map(|one| one.revision);
    found.busy =
        range.days().filter(|day| revision(&before, *day) != revision(&after, *day)).collect();
    differ.retain(|fault| !matches!(fault, Fault::Differs { day, .. } if found.busy.contains(day)));
    found.faults.extend(differ);
    Ok(found)
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differs { day, domain, usage, rollup } => {
                let of = match domain.as_str() {
                    ALL_DOMAINS => "all domains".to_owned(),
                    domain => displayed(domain, 100),
                };
                let (usage, rollup) = (grouped(*usage), grouped(*rollup));
                write!(f, "{day}, {of}: {usage} messages in the tables, {rollup} in the charts")
            }
            Self::Unreadable(day, error) => write!(f, "{day}: {}", displayed(error, 200)),
        }
    }
}

/// Verifies what a service begins with, and says in the log what is wrong.
pub async fn verify_and_tell(store: Store, range: Range) {
    match verify(&store, range, PAUSE).await {
        Ok(found) => {
            tracing::debug!(days = found.days, messages = found.messages, "the store was verified");
            for fault in &found.faults {
                tracing::error!(%fault, "the store is damaged, or counting was interrupted");
            }
        }
        Err(error) => tracing::error!(error = format!("{error:#}"), "cannot verify the store"),
    }
}
