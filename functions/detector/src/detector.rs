//! Judging again and again, and keeping the alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::Channels;
use chrono_tz::Tz;
use detect::{Alert, Case, Moment, Mute, Sensitivity, Verdicts, Watch, after, brought_up};
use history::{History, RangeState, blocking};
use report::{Day, Kinds, Range};
use serde::Serialize;
use store::{Alerts, KnownAlerts, Store, Watched};

use crate::days::{Days, DetectError};
use crate::telling::{Spread, Telling};

/// Days at the end that are folded anew each time: late lines come for these.
const FRESH: u64 = 2;
/// Seconds between two foldings of all days, if lines come for days that lie further back.
const WHOLE: i64 = 3600;

metrics::figures! {
    /// What a run came to.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct Summary {
        /// Accounts that are watched.
        pub accounts: u64 => Gauge, Count;
        /// Alerts that were raised, or became high, or began again, and are not muted.
        pub raised: u64 => Counter, Count;
        /// Alerts that need attention: none that is muted.
        pub open: u64 => Gauge, Count;
        /// Alerts that channels were told of, each channel by itself.
        pub told: u64 => Counter, Count;
        /// Channels that do not take what they are told; it is tried again.
        pub failing_channels: u64 => Gauge, Count;
    }
}

impl Summary {
    fn add(&mut self, spread: &Spread) {
        self.told += spread.told;
        self.failing_channels = spread.failing;
    }
}

/// How accounts are judged, and who is told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The zone by whose clock the morning comes.
    pub zone: Tz,
    /// How much is raised.
    pub sensitivity: Sensitivity,
    /// Which mechanisms are of which kind.
    pub kinds: Kinds,
    /// Who is told; none where nobody is, and what is known of channels stays as it is.
    pub channels: Option<Channels>,
}

/// What was folded already, on this day: the next one begins with other days.
struct Folded {
    watch: Watch,
    verdicts: Verdicts,
    today: Day,
    /// When, in seconds since 1970.
    at: i64,
    /// The days that were read for it, with their revisions.
    state: RangeState,
}

/// By what was judged last: by the same it would come to the same.
struct Last {
    today: Day,
    state: RangeState,
    verdicts: Verdicts,
    mutes: Arc<[Mute]>,
    accounts: u64,
}

/// Judges accounts, and keeps the alerts.
///
/// Memory: some hundred bytes an account, twice.
pub struct Detector {
    days: Days,
    alerts: Alerts,
    settings: Settings,
    folded: Option<Folded>,
    last: Option<Last>,
}

impl Detector {
    /// Nobody is judged yet.
    #[must_use]
    pub fn new(store: &Store, history: History, settings: Settings) -> Self {
        let days = Days::new(store, history, settings.kinds.clone());
        Self { days, alerts: store.alerts(), settings, folded: None, last: None }
    }

    /// Judges what is there on `today`, writes what is new about it at `now`, in seconds since 1970, and tells people. Judges
    /// nobody if nothing was counted and decided since it was asked last.
    ///
    /// # Errors
    /// A day cannot be read, or an alert not be written.
    pub async fn run(&mut self, today: Day, now: i64) -> Result<Summary, DetectError> {
        let mut summary = Summary::default();
        self.run_into(today, now, &mut summary).await.map(|()| summary)
    }

    /// The same, and `summary` tells what was done also if not everything was.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_into(
        &mut self,
        today: Day,
        now: i64,
        summary: &mut Summary,
    ) -> Result<(), DetectError> {
        let known = self.judge(today, now, summary).await?;
        summary.open = known.attention(today).len() as u64;
        let Some(telling) = self.telling() else { return Ok(()) };
        let mut spread = Spread::default();
        let told = telling.tell(&known, self.moment(today, now), &mut spread).await;
        summary.add(&spread);
        Ok(told?)
    }

    /// Tells each channel something that says of itself that it is a test. `summary` tells what came of it.
    ///
    /// # Errors
    /// How they work cannot be noted.
    pub async fn test(
        &self,
        today: Day,
        now: i64,
        summary: &mut Summary,
    ) -> Result<(), DetectError> {
        let Some(telling) = self.telling() else { return Ok(()) };
        let mut spread = Spread::default();
        let told = telling.test(self.moment(today, now), &mut spread).await;
        summary.add(&spread);
        Ok(told?)
    }

    fn telling(&self) -> Option<Telling<'_>> {
        let channels = self.settings.channels.as_ref()?;
        Some(Telling { alerts: &self.alerts, channels })
    }

    fn moment(&self, today: Day, now: i64) -> Moment {
        Moment { now, today, hour: report::Days::new(self.settings.zone).hour_of(now) }
    }

    /// Judges, if there is anything new. Gives the alerts as they are then.
    async fn judge(
        &mut self,
        today: Day,
        now: i64,
        summary: &mut Summary,
    ) -> Result<KnownAlerts, DetectError> {
        let mut known = self.alerts.all().await?;
        let verdicts = Verdicts::of(&known.cases);
        let state = self.days.state(Range::kept(today)).await?;
        if let Some(last) = &self.last
            && (last.today, &last.state, &last.verdicts) == (today, &state, &verdicts)
            && last.mutes == known.mutes
        {
            summary.accounts = last.accounts;
            return Ok(known);
        }
        let (watch, is_current) = self.judged(today, now, &state, &verdicts).await?;
        let accounts = watch.accounts() as u64;
        summary.accounts = accounts;
        self.alerts.watch(Watched { accounts, began: watch.began(), at: now }).await?;
        let start = Range::kept(today).start;
        let found: Vec<_> =
            watch.alerts().iter().filter(|alert| alert.last_day >= start).cloned().collect();
        // Of each try: a part of one may be written.
        let (mut news, mut all) = (BTreeMap::new(), Vec::new());
        let mutes = Arc::clone(&known.mutes);
        let decide = |known: &[Case]| {
            let changed = brought_up(known, &found, &mutes, (today, now));
            let before = |case: &Case| known.iter().find(|one| one.alert.id == case.alert.id);
            let is_new = |case: &&Case| case.is_news(before(case));
            let new = changed.iter().filter(is_new);
            news.extend(new.map(|case| (case.alert.id.clone(), case.alert.clone())));
            all = after(known, &changed);
            changed
        };
        let decided = self.alerts.decide(decide).await;
        for Alert { id, kind, severity, reason, .. } in news.values() {
            let (kind, severity) = (kind.name(), severity.name());
            tracing::warn!(target: "alerts", id, kind, severity, reason, "needs attention");
        }
        // An alarm looks at it. What was written is no news to the next run.
        summary.raised = news.len() as u64;
        decided?;
        self.last = is_current.then_some(Last { today, state, verdicts, mutes, accounts });
        known.cases = all.into();
        Ok(known)
    }

    /// All days until `today`, judged; and whether by all that is there.
    async fn judged(
        &mut self,
        today: Day,
        now: i64,
        state: &RangeState,
        verdicts: &Verdicts,
    ) -> Result<(Watch, bool), DetectError> {
        let kept = Range::kept(today);
        let fresh = Range::last(today, FRESH);
        let older = Range { end: fresh.start.pred_opt().unwrap_or(kept.start), ..kept };
        let known = self.folded.take();
        let known = known.filter(|known| (known.today, &known.verdicts) == (today, verdicts));
        // Lines that come late, one after the other, must not have all days read each time.
        let known = known.filter(|known| {
            state.has_same(&known.state, older) || (0..WHOLE).contains(&(now - known.at))
        });
        let folded = match known {
            Some(known) => known,
            None => {
                let watch = Watch::new(self.settings.sensitivity).told(verdicts.clone());
                let watch = self.days.close(state, older, watch, |_| {}).await?;
                let (verdicts, state) = (verdicts.clone(), state.clone());
                Folded { watch, verdicts, today, at: now, state }
            }
        };
        let is_current = state.has_same(&folded.state, older);
        let (folded, watch) = blocking(move || {
            let watch = folded.watch.clone();
            (folded, watch)
        })
        .await;
        self.folded = Some(folded);
        let over = Range { end: today.pred_opt().unwrap_or(today), ..fresh };
        let watch = self.days.close(state, over, watch, |_| {}).await?;
        Ok((self.days.judge(state, today, watch).await?, is_current))
    }
}
