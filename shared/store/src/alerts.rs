//! Alerts about accounts, what became of them, and which are muted. They expire with the days that they are about.
//!
//! All of them are in one partition, with a revision that every write raises in the same transaction, and names as a
//! condition: whoever decides by what was read writes nothing if somebody else wrote meanwhile, and reads again. So two
//! that judge at once, or one that judges while a person decides, never undo each other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use detect::{Case, Mute, Severity, Spent};
use futures_util::StreamExt as _;
use report::Day;
use serde::{Deserialize, Serialize};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys::{self, ALERTS};
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{TRANSACTION, Transacted, Write};
use crate::mutes::{self, MUTE};

/// How often a write is tried while others write.
const TRIES: u32 = 10;
const REVISION: &str = "revision";
const CASE: &str = "case";
/// What names of attributes begin with that tell how a channel works.
const CHANNEL: &str = "channel#";

/// The alerts. Touches them and nothing else. Clones keep what they have read together.
#[derive(Clone, Debug)]
pub struct Alerts {
    table: Table,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// What was read last, with its revision.
type Kept = (u64, Read);

/// What was read at a revision.
#[derive(Clone, Debug)]
struct Read {
    cases: Arc<[Case]>,
    mutes: Arc<[Mute]>,
    /// The ids of cases that cannot be read: a later version wrote them.
    unreadable: Arc<BTreeSet<String>>,
}

/// Who is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// How many accounts.
    pub accounts: u64,
    /// The day of the first message that is kept; none if there is none.
    pub began: Option<Day>,
    /// When they were last judged, in seconds since 1970.
    pub at: i64,
}

/// A channel by which somebody is told of alerts, and how it works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// By which it is known.
    pub name: String,
    /// What is at its end, as in `slack`.
    pub form: String,
    /// Of what is less sure it is not told.
    pub least: Severity,
    /// When it was last told something, in seconds since 1970.
    pub told_at: Option<i64>,
    /// Since when it takes nothing, in seconds since 1970; none if it took what it was told last.
    pub failing_since: Option<i64>,
    /// When it was last tried in vain, in seconds since 1970; none if it took what it was told last.
    pub failed_at: Option<i64>,
    /// Why it took nothing; empty otherwise.
    pub error: String,
    /// What it was told on the last day on which it was told something.
    pub spent: Option<Spent>,
}

/// Seconds between two tries, at most.
const PAUSE: i64 = 3600;

impl ChannelState {
    /// One of which nothing is known.
    #[must_use]
    pub fn new(name: &str, form: &str, least: Severity) -> Self {
        let (name, form) = (name.to_owned(), form.to_owned());
        let (told_at, failing_since, failed_at, spent) = (None, None, None, None);
        Self { name, form, least, told_at, failing_since, failed_at, error: String::new(), spent }
    }

    /// How one works, by what is known of all; its form and what it is not told may have changed.
    #[must_use]
    pub fn of(known: &[Self], name: &str, form: &str, least: Severity) -> Self {
        let new = Self::new(name, form, least);
        match known.iter().find(|state| state.name == name).cloned() {
            Some(own) => Self { form: new.form, least, ..own },
            None => new,
        }
    }

    /// The same after it was told something at a moment, or was not for a reason.
    #[must_use]
    pub fn after(self, now: i64, error: Option<String>) -> Self {
        match error {
            None => Self {
                told_at: Some(now),
                failing_since: None,
                failed_at: None,
                error: String::new(),
                ..self
            },
            Some(error) => {
                let failing_since = self.failing_since.or(Some(now));
                Self { failing_since, failed_at: Some(now), error, ..self }
            }
        }
    }

    /// Whether it is not to be tried yet: the longer it takes nothing, the longer the pauses, up to an hour.
    #[must_use]
    pub fn rests(&self, now: i64) -> bool {
        let Some((since, last)) = self.failing_since.zip(self.failed_at) else { return false };
        now - last < (last - since).min(PAUSE)
    }
}

/// What there is at one moment.
#[derive(Clone, Debug, Default)]
pub struct KnownAlerts {
    revision: u64,
    /// Who is watched; none if nobody was judged yet.
    pub watched: Option<Watched>,
    /// Every case, in no order.
    pub cases: Arc<[Case]>,
    /// Who is told, by their names.
    pub channels: Vec<ChannelState>,
    /// Every mute, the newest first; some may have ended.
    pub mutes: Arc<[Mute]>,
    unreadable: Arc<BTreeSet<String>>,
}

impl KnownAlerts {
    /// Whether somebody would have to do something about a case, if it were not muted on this day.
    #[must_use]
    pub fn is_muted(&self, case: &Case, today: Day) -> bool {
        detect::is_muted(case, &self.mutes, today)
    }

    /// The cases that somebody has to do something about on this day, the surest first.
    #[must_use]
    pub fn attention(&self, today: Day) -> Vec<&Case> {
        let needs = |case: &&Case| case.status.needs_attention() && !self.is_muted(case, today);
        let mut cases: Vec<_> = self.cases.iter().filter(needs).collect();
        cases.sort_by(|one, other| {
            let (one, other) = (&one.alert, &other.alert);
            let surer = other.severity.cmp(&one.severity);
            surer.then(other.score.total_cmp(&one.score)).then_with(|| one.id.cmp(&other.id))
        });
        cases
    }
}

impl Alerts {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &[ALERTS];

    pub(crate) fn new(table: Table) -> Self {
        Self { table, kept: Arc::default() }
    }

    /// All that there is, as of all writes so far. Where nothing was written since it was last read, this is one small
    /// request.
    ///
    /// # Errors
    /// A request failed.
    pub async fn all(&self) -> Result<KnownAlerts, StoreError> {
        let first = self.table.get(keys::revision_of_alerts()).await?.unwrap_or_default();
        let (watched, channels) = (watched(&first), channels(&first));
        // Before the cases: what is written meanwhile has another revision, and is read again.
        let revision = items::number(&first, REVISION).unwrap_or(0);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Read { cases, mutes, unreadable } = match kept.filter(|(known, _)| *known == revision) {
            Some((_, read)) => read,
            None => {
                let read = self.read().await?;
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = Some((revision, read.clone()));
                read
            }
        };
        Ok(KnownAlerts { revision, watched, cases, channels, mutes, unreadable })
    }

    /// Every case and every mute. One that cannot be read is logged and left out: it must not hold up the others.
    async fn read(&self) -> Result<Read, StoreError> {
        let (mut cases, mut mutes, mut unreadable) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut pages = self.table.pages(ALERTS);
        while let Some(page) = pages.next().await {
            for item in &page? {
                if item.contains_key(MUTE) {
                    match items::json(item, MUTE, (ALERTS, "a mute")) {
                        Ok(mute) => mutes.push(mute),
                        Err(error) => tracing::error!(%error, "mute left out"),
                    }
                } else if item.contains_key(CASE) {
                    match items::json(item, CASE, (ALERTS, "an alert")) {
                        Ok(case) => cases.push(case),
                        Err(error) => {
                            tracing::error!(%error, "alert left out");
                            unreadable.extend(items::text(item, "sk").map(str::to_owned));
                        }
                    }
                }
            }
        }
        mutes.sort_by(|one: &Mute, other| (other.at, &one.id).cmp(&(one.at, &other.id)));
        let unreadable = Arc::new(unreadable);
        Ok(Read { cases: cases.into(), mutes: mutes.into(), unreadable })
    }

    /// Writes what `decide` makes of all that there is, and gives it; nothing where it gives nothing. It is asked again
    /// if others write meanwhile.
    ///
    /// A crash may leave some of it unwritten: then `decide` is to find it again.
    ///
    /// # Errors
    /// A request failed, or others write all the time.
    pub async fn decide(
        &self,
        mut decide: impl FnMut(&[Case]) -> Vec<Case>,
    ) -> Result<Vec<Case>, StoreError> {
        self.write(|known| {
            let mut cases = decide(&known.cases);
            // What was decided there is not to be written over.
            cases.retain(|case| !known.unreadable.contains(&case.alert.id));
            let writes: Result<_, _> =
                cases.iter().map(|case| change(case).map(Write::Change)).collect();
            Ok((writes?, cases))
        })
        .await
    }

    /// Writes a mute in the place of the one of the same; false if there are `most` others that hold on this day.
    ///
    /// # Errors
    /// A request failed, or others write all the time.
    pub async fn mute(&self, mute: &Mute, most: usize, today: Day) -> Result<bool, StoreError> {
        self.write(|known| {
            let is_other = |one: &&Mute| one.id != mute.id && one.holds(today);
            if known.mutes.iter().filter(is_other).count() >= most {
                return Ok((Vec::new(), false));
            }
            Ok((vec![mutes::written(mute)?], true))
        })
        .await
    }

    /// Removes a mute that holds on this day, and gives it; none if there is none.
    ///
    /// # Errors
    /// A request failed, or others write all the time.
    pub async fn unmute(&self, id: &str, today: Day) -> Result<Option<Mute>, StoreError> {
        self.write(|known| {
            let found = known.mutes.iter().find(|mute| mute.id == id && mute.holds(today));
            Ok((found.map(|mute| mutes::removed(&mute.id)).into_iter().collect(), found.cloned()))
        })
        .await
    }

    /// Makes the writes that `plan` finds for all that there is, and gives what it gives beside them. It is asked again if others
    /// write meanwhile.
    async fn write<T>(
        &self,
        mut plan: impl FnMut(&KnownAlerts) -> Result<(Vec<Write>, T), StoreError>,
    ) -> Result<T, StoreError> {
        for attempt in 0..TRIES {
            let known = self.all().await?;
            let (writes, planned) = plan(&known)?;
            if self.put(known.revision, &writes).await? {
                return Ok(planned);
            }
            // Others write: they are through in a moment.
            tokio::time::sleep(Duration::from_millis(20 << attempt.min(5))).await;
        }
        let detail = "too many alerts are written at once".to_owned();
        Err(StoreError::Request { operation: "TransactWriteItems", detail })
    }

    /// Makes writes after what was read at a revision; false if others wrote since.
    async fn put(&self, mut revision: u64, writes: &[Write]) -> Result<bool, StoreError> {
        // A transaction also raises the revision.
        for part in writes.chunks(TRANSACTION - 1) {
            let raised = Write::Change(raised(revision));
            match self.table.transact([part, &[raised]].concat()).await? {
                Transacted::Done(_) => revision += 1,
                Transacted::Refused(_) | Transacted::Contended => return Ok(false),
            }
        }
        Ok(true)
    }

    /// How the channels work.
    ///
    /// # Errors
    /// A request failed.
    pub async fn channels(&self) -> Result<Vec<ChannelState>, StoreError> {
        let item = self.table.get(keys::revision_of_alerts()).await?.unwrap_or_default();
        Ok(channels(&item))
    }

    /// Notes how channels work, and that others are gone, by their names. Of two that note the same at once the last one is
    /// believed: the next notice corrects it.
    ///
    /// # Errors
    /// A request failed.
    pub async fn note_channels(
        &self,
        changed: &[ChannelState],
        gone: &[&str],
    ) -> Result<(), StoreError> {
        let mut change = Change::of(keys::revision_of_alerts());
        for state in changed {
            let text = serde_json::to_string(state).unwrap_or_default();
            change = change.set(format!("{CHANNEL}{}", state.name), items::of_text(text));
        }
        for name in gone {
            change = change.remove(format!("{CHANNEL}{name}"));
        }
        self.table.update(change).await.map(|_| ())
    }

    /// Notes who is watched.
    ///
    /// # Errors
    /// A request failed.
    pub async fn watch(&self, watched: Watched) -> Result<(), StoreError> {
        let Watched { accounts, began, at } = watched;
        let change = Change::of(keys::revision_of_alerts())
            .set("accounts", items::of_number(accounts))
            .set("at", items::of_number(at));
        let change = match began {
            Some(day) => change.set("began", items::of_text(day.to_string())),
            None => change.remove("began"),
        };
        self.table.update(change).await.map(|_| ())
    }
}

/// Condition **as it was read**: closes the race of all who decide by what they read.
fn raised(revision: u64) -> Change {
    let was = match revision {
        0 => Condition::new("attribute_not_exists(#revision)"),
        known => Condition::new("#revision = :was").value(":was", items::of_number(known)),
    };
    let change = Change::of(keys::revision_of_alerts()).add(REVISION, items::of_number(1));
    change.only_if(was.name("#revision", REVISION))
}

fn change(case: &Case) -> Result<Change, StoreError> {
    let text = items::of_json(ALERTS, &case.alert.id, case)?;
    let change = Change::of(keys::alert(&case.alert.id)).set(CASE, text);
    Ok(change.set(EXPIRES, items::expiry(case.alert.last_day)))
}

/// One that cannot be read is as good as none: it is noted again.
fn channels(item: &Item) -> Vec<ChannelState> {
    let mut names: Vec<_> = item.keys().filter(|name| name.starts_with(CHANNEL)).collect();
    names.sort_unstable();
    let read = |name: &String| serde_json::from_str(items::text(item, name)?).ok();
    names.into_iter().filter_map(read).collect()
}

fn watched(item: &Item) -> Option<Watched> {
    let began = items::text(item, "began").and_then(|day| day.parse().ok());
    Some(Watched {
        accounts: items::number(item, "accounts")?,
        began,
        at: items::instant(item, "at")?,
    })
}
