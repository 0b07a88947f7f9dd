//! Judging again and again, and keeping the alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use detect::{Alert, Case, Due, Sensitivity, Verdicts, Watch, after, brought_up, due, unmuted};
use history::{History, RangeState, blocking};
use report::{Day, Kinds, Range};
use serde::Serialize;
use store::{Alerts, Store, Watched};

use crate::days::{Days, DetectError};
use crate::letter::ByMail;

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
        /// Alerts that were raised, or became high, or began again.
        pub raised: u64 => Counter, Count;
        /// Alerts that need attention.
        pub open: u64 => Gauge, Count;
        /// Mails that told people of alerts.
        pub mailed: u64 => Counter, Count;
        /// Mails that could not be sent, and are tried again.
        pub not_mailed: u64 => Counter, Count;
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
    /// Who is told by mail; nobody, if there is none.
    pub mail: Option<ByMail>,
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
        let (summary, cases) = self.judge(today, now).await?;
        let Some(mail) = &self.settings.mail else { return Ok(summary) };
        let hour = report::Days::new(self.settings.zone).hour_of(now);
        let cases = unmuted(&cases, &self.alerts.all().await?.mutes, today);
        let Some(due) = due(&cases, today, hour) else { return Ok(summary) };
        match mail.send(&due, now).await {
            Ok(()) => {
                self.note(&due, today, now).await?;
                Ok(Summary { mailed: 1, ..summary })
            }
            // The next run tries again.
            Err(error) => {
                tracing::error!(%error, "people cannot be told of alerts by mail");
                Ok(Summary { not_mailed: 1, ..summary })
            }
        }
    }

    /// Notes that people were told. Who dies before tells them again, by a mail with the same id.
    async fn note(&self, due: &Due, today: Day, now: i64) -> Result<(), DetectError> {
        let told = due.told(now, today);
        let noted = |known: &[Case]| {
            // Somebody may have decided meanwhile.
            let now = |case: &Case| known.iter().find(|one| one.alert.id == case.alert.id).cloned();
            let noted =
                told.iter().filter_map(|case| Some(Case { notice: case.notice, ..now(case)? }));
            noted.collect()
        };
        self.alerts.decide(noted).await?;
        Ok(())
    }

    /// Judges, if there is anything new; gives all cases as they are then.
    async fn judge(&mut self, today: Day, now: i64) -> Result<(Summary, Arc<[Case]>), DetectError> {
        let known = self.alerts.all().await?.cases;
        let verdicts = Verdicts::of(&known);
        let state = self.days.state(Range::kept(today)).await?;
        if let Some(last) = &self.last
            && (last.today, &last.state, &last.verdicts) == (today, &state, &verdicts)
        {
            return Ok((summary(last.accounts, 0, &known), known));
        }
        let (watch, is_current) = self.judged(today, now, &state, &verdicts).await?;
        let accounts = watch.accounts() as u64;
        self.alerts.watch(Watched { accounts, began: watch.began(), at: now }).await?;
        let start = Range::kept(today).start;
        let found: Vec<_> =
            watch.alerts().iter().filter(|alert| alert.last_day >= start).cloned().collect();
        // Of each try: a part of one may be written.
        let (mut news, mut all) = (BTreeMap::new(), Vec::new());
        let decide = |known: &[Case]| {
            let changed = brought_up(known, &found, today, now);
            let before = |case: &Case| known.iter().find(|one| one.alert.id == case.alert.id);
            let new = changed.iter().filter(|case| case.is_news(before(case)));
            news.extend(new.map(|case| (case.alert.id.clone(), case.alert.clone())));
            all = after(known, &changed);
            changed
        };
        let decided = self.alerts.decide(decide).await;
        for Alert { id, kind, severity, reason, .. } in news.values() {
            let (kind, severity) = (kind.name(), severity.name());
            tracing::warn!(target: "alerts", id, kind, severity, reason, "needs attention");
        }
        decided?;
        self.last = is_current.then_some(Last { today, state, verdicts, accounts });
        Ok((summary(accounts, news.len() as u64, &all), all.into()))
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

fn summary(accounts: u64, raised: u64, cases: &[Case]) -> Summary {
    let open = cases.iter().filter(|case| case.status.needs_attention()).count() as u64;
    Summary { accounts, raised, open, mailed: 0, not_mailed: 0 }
}
