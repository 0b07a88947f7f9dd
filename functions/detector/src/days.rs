//! The days that are kept, one after the other.

use std::ops::ControlFlow;

use detect::{DayTraffic, Watch};
use history::{Gather, History, HistoryError, RangeState, blocking};
use report::{Day, Filter, Finer, Kinds, Range, UsageKey};
use store::{Failures, FinerCounters, Store, StoreError};
use thiserror::Error;

/// Why nobody can be judged.
#[derive(Debug, Error)]
pub enum DetectError {
    /// The usage of a day cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a day's rows.
struct Taken(DayTraffic);

impl Gather for Taken {
    fn row(&mut self, _: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        self.0.add(key, messages);
        ControlFlow::Continue(())
    }
}

/// Reads what accounts did, day by day.
///
/// Memory: a day's usage.
#[derive(Clone, Debug)]
pub struct Days {
    history: History,
    failures: Failures,
    finer: FinerCounters,
    kinds: Kinds,
}

impl Days {
    /// The days of a store and its history; the kinds tell passwords from tokens.
    #[must_use]
    pub fn new(store: &Store, history: History, kinds: Kinds) -> Self {
        Self { history, failures: store.failures(), finer: store.finer_counters(), kinds }
    }

    /// The present state of a range's days.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn state(&self, range: Range) -> Result<RangeState, DetectError> {
        Ok(self.history.state(range).await?)
    }

    /// What happened on a day.
    async fn day(&self, state: &RangeState, day: Day) -> Result<DayTraffic, DetectError> {
        let taken = Taken(DayTraffic::new(&self.kinds));
        let walked = self.history.walk(&state.of_day(day), &Filter::default(), taken).await;
        let (Taken(mut traffic), read) = walked;
        read?;
        self.failures
            .read(day, |key, failures| traffic.failed(key.account, key.client, failures))
            .await?;
        self.finer
            .read(day, |key, count| match key.of {
                Finer::Night => traffic.night(key.account, count),
                Finer::Recipients => traffic.recipients(key.account, count),
            })
            .await?;
        Ok(traffic)
    }

    /// Judges whole days, and learns of each. `done` is told of each day.
    ///
    /// # Errors
    /// A day cannot be read.
    pub async fn close(
        &self,
        state: &RangeState,
        days: Range,
        mut watch: Watch,
        mut done: impl FnMut(Day),
    ) -> Result<Watch, DetectError> {
        for day in days.days() {
            let traffic = self.day(state, day).await?;
            watch = blocking(move || {
                watch.close(day, traffic);
                watch
            })
            .await;
            done(day);
        }
        Ok(watch)
    }

    /// Judges what is there of a day that goes on.
    ///
    /// # Errors
    /// The day cannot be read.
    pub async fn judge(
        &self,
        state: &RangeState,
        day: Day,
        mut watch: Watch,
    ) -> Result<Watch, DetectError> {
        let traffic = self.day(state, day).await?;
        Ok(blocking(move || {
            watch.judge(day, &traffic);
            watch
        })
        .await)
    }

    /// Watches all days that are kept on `today`, which may go on. `done` is told of each day.
    ///
    /// # Errors
    /// A day cannot be read.
    pub async fn watch(
        &self,
        today: Day,
        watch: Watch,
        mut done: impl FnMut(Day),
    ) -> Result<Watch, DetectError> {
        let kept = Range::kept(today);
        let state = self.state(kept).await?;
        let over = Range { end: today.pred_opt().unwrap_or(today), ..kept };
        let watch = self.close(&state, over, watch, &mut done).await?;
        let watch = self.judge(&state, today, watch).await?;
        done(today);
        Ok(watch)
    }
}
