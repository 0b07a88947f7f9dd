//! One look at what must be the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use history::{Agreement, History};
use report::{ALL_DOMAINS, Day, IdentityKind, Range, TlsCounts, UsageKey};
use store::{DayState, Store, UsageFilter};

use super::fault::{Fault, Found};

/// Messages by domain and day.
type Sums = HashMap<String, BTreeMap<Day, TlsCounts>>;

/// The days of a range on which names were seen, a bit each.
#[derive(Default)]
struct Names(HashMap<(IdentityKind, String), u128>);

impl Names {
    fn add(&mut self, range: Range, kind: IdentityKind, name: &str, day: Day) {
        let days = (day - range.start).num_days();
        let Some(bit) = u32::try_from(days).ok().and_then(|days| 1_u128.checked_shl(days)) else {
            return;
        };
        if name.is_empty() {
            return;
        }
        *self.0.entry((kind, name.to_owned())).or_default() |= bit;
    }

    fn add_usage(&mut self, range: Range, key: &UsageKey<'_>, day: Day) {
        self.add(range, IdentityKind::Account, key.account().name(), day);
        self.add(range, IdentityKind::Sender, key.sender, day);
        self.add(range, IdentityKind::Domain, key.domain, day);
    }

    /// Names that others lack, by day.
    fn beyond(&self, others: &Self, range: Range) -> impl Iterator<Item = (Day, &str)> {
        self.0.iter().flat_map(move |(name, days)| {
            let more = days & !others.0.get(name).copied().unwrap_or(0);
            let more = range.days().enumerate().filter(move |(bit, _)| more >> bit & 1 == 1);
            more.map(|(_, day)| (day, name.1.as_str()))
        })
    }
}

/// What usage holds.
struct Used {
    sums: Sums,
    names: Names,
    unreadable: BTreeSet<Day>,
}

async fn used(store: &Store, range: Range, found: &mut Found) -> Used {
    let mut used = Used {
        sums: Sums::from([(ALL_DOMAINS.to_owned(), BTreeMap::new())]),
        names: Names::default(),
        unreadable: BTreeSet::new(),
    };
    for day in range.days() {
        let mut domains: HashMap<String, TlsCounts> = HashMap::new();
        let items = store.usage();
        let read = items.read(day, UsageFilter::default(), |key, messages| {
            used.names.add_usage(range, &key, day);
            for domain in [key.domain, ALL_DOMAINS] {
                match domains.get_mut(domain) {
                    Some(counts) => counts.add(key.tls, messages),
                    None => domains.entry(domain.to_owned()).or_default().add(key.tls, messages),
                }
            }
        });
        if let Err(error) = read.await {
            used.unreadable.insert(day);
            found.faults.push(Fault::Unreadable(day, error.to_string()));
            continue;
        }
        found.days += u64::from(!domains.is_empty());
        for (domain, counts) in domains {
            used.sums.entry(domain).or_default().insert(day, counts);
        }
    }
    found.messages = used.sums[ALL_DOMAINS].values().map(TlsCounts::total).sum();
    used
}

/// Looks at all of it once.
pub(super) async fn look(store: &Store, history: &History, range: Range) -> Result<Found> {
    let before = store.days().states(range).await?;
    let mut found = Found::default();
    let used = used(store, range, &mut found).await;
    let mut differ = rollups(store, range, &used).await?;
    let mut seen = Names::default();
    store.summaries().days_seen(range, |kind, name, day| seen.add(range, kind, name, day)).await?;
    for (names, others, in_usage) in [(&used.names, &seen, true), (&seen, &used.names, false)] {
        let faults = names.beyond(others, range);
        differ.extend(
            faults.map(|(day, name)| (day, Fault::Name { day, name: name.to_owned(), in_usage })),
        );
    }
    differ.retain(|(day, _)| !used.unreadable.contains(day));
    for day in range.days().filter(|day| !used.unreadable.contains(day)) {
        match history.agrees(day).await {
            Ok(Agreement::Same) => {}
            Ok(Agreement::Differs) => differ.push((day, Fault::Archive(day))),
            Ok(Agreement::None) => {
                if before.contains_key(&day) {
                    found.unprotected.insert(day);
                }
            }
            Err(error) => differ.push((day, Fault::Unreadable(day, error.to_string()))),
        }
    }
    for day in &found.unprotected {
        let counters = store.whole();
        let each = |counter| differ.push((*day, Fault::Stray(*day, counter)));
        if let Err(error) = counters.strays(*day, each).await {
            differ.push((*day, Fault::Unreadable(*day, error.to_string())));
        }
    }
    let after = store.days().states(range).await?;
    let revision =
        |states: &BTreeMap<Day, DayState>, day: Day| states.get(&day).map(|one| one.revision);
    found.busy =
        range.days().filter(|day| revision(&before, *day) != revision(&after, *day)).collect();
    let at_rest = differ.into_iter().filter(|(day, _)| !found.busy.contains(day));
    found.faults.extend(at_rest.map(|(_, fault)| fault));
    Ok(found)
}

/// Rollups that are not the sums of usage.
async fn rollups(store: &Store, range: Range, used: &Used) -> Result<Vec<(Day, Fault)>> {
    let mut domains = store.summaries().domains(range).await?;
    domains.extend(used.sums.keys().cloned());
    let mut differ = Vec::new();
    for domain in domains {
        let rollup = store.summaries().rollup(&domain, range).await?;
        let none = BTreeMap::new();
        let usage = used.sums.get(&domain).unwrap_or(&none);
        let days: BTreeSet<Day> = rollup.keys().chain(usage.keys()).copied().collect();
        for day in days {
            let [usage, rollup] =
                [usage, &rollup].map(|of| of.get(&day).copied().unwrap_or_default());
            if usage != rollup {
                let (usage, rollup) = (usage.total(), rollup.total());
                differ.push((day, Fault::Differs { day, domain: domain.clone(), usage, rollup }));
            }
        }
    }
    Ok(differ)
}
