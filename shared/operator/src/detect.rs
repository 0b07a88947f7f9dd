//! Accounts in strange hands, told from the days that are kept.

use std::ops::ControlFlow;

use anyhow::Result;
use bootstrap::progress;
use detect::{DayTraffic, Sensitivity, Watch};
use history::{Gather, History, blocking};
use report::{Day, Filter, Finer, Kinds, Range, UsageKey};
use store::Store;

/// Takes a day's rows.
struct Taken(DayTraffic);

impl Gather for Taken {
    fn row(&mut self, _: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        self.0.add(key, messages);
        ControlFlow::Continue(())
    }
}

/// Watches all days that are kept, in order, as if they were lived: each is judged by what was known on it. The last one may
/// go on. The kinds tell passwords from tokens.
///
/// Memory: a day's usage, and some hundred bytes an account.
///
/// # Errors
/// The table did not answer, or an archive broke off.
pub async fn watch(
    store: &Store,
    history: &History,
    today: Day,
    sensitivity: Sensitivity,
    kinds: &Kinds,
) -> Result<Watch> {
    let kept = Range::kept(today);
    let bar = progress::days("judging", kept.days().count() as u64);
    let mut watch = Watch::new(sensitivity);
    for day in kept.days() {
        let one = Range { start: day, end: day };
        let state = history.state(one).await?;
        let taken = Taken(DayTraffic::new(kinds));
        let (Taken(mut traffic), walked) = history.walk(&state, &Filter::default(), taken).await;
        walked?;
        for row in store.summaries().failures(one).await? {
            traffic.failed(&row.account, &row.client, row.failures);
        }
        for row in store.summaries().finer(one).await? {
            match row.of {
                Finer::Night => traffic.night(&row.account, row.count),
                Finer::Recipients => traffic.recipients(&row.account, row.count),
            }
        }
        watch = blocking(move || {
            let mut watch = watch;
            if day < today {
                watch.close(day, traffic);
            } else {
                watch.judge(day, &traffic);
            }
            watch
        })
        .await;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(watch)
}
