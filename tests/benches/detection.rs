//! How well accounts in strange hands are told from others, and how fast: over organisations that nothing was tuned with.
//!
//! `SEEDS` chooses how many of each style, `ACCOUNTS` how many accounts each has.

use std::time::{Duration, Instant};

use detect::{Sensitivity, Watch};
use tests::judged::{Judged, judge};
use tests::organisation::{Style, live};

/// The first of the seeds that nothing was tuned with; those before are for that.
const FIRST: u64 = 100;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn main() {
    let (seeds, accounts) = (setting("SEEDS", 10), setting("ACCOUNTS", 2_000));
    let accounts = usize::try_from(accounts).unwrap_or(usize::MAX);
    for style in Style::ALL {
        let mut sum = Judged::default();
        for seed in FIRST..FIRST + seeds {
            sum += judge(style, accounts, seed);
        }
        let [all, high] = sum.false_alarms_per_thousand();
        println!(
            "{:<8} loud {:.3}, all {:.3} at {all:.2} false alarms in 1,000 account-weeks; high {:.3} at {high:.2}",
            format!("{style:?}"),
            sum.loud(),
            sum.all(),
            sum.high()
        );
        for (abuse, [thefts, raised, high]) in &sum.thefts {
            println!(
                "    {:<12}{raised:>5} of {thefts}, {high} of them high",
                format!("{abuse:?}")
            );
        }
    }
    let large = usize::try_from(setting("LARGE", 100_000)).unwrap_or(usize::MAX);
    let (mut watch, mut last) = (Watch::new(Sensitivity::Normal), None);
    let mut took = Duration::ZERO;
    live(Style::Campus, large, FIRST, |day, traffic| {
        last = Some((day, traffic.clone()));
        let begun = Instant::now();
        watch.close(day, traffic);
        took += begun.elapsed();
    });
    println!("{large} accounts over 90 days are folded in {took:.1?}");
    if let Some((day, traffic)) = last {
        let begun = Instant::now();
        watch.judge(day, &traffic);
        println!("one more run over the last day takes {:.1?}", begun.elapsed());
    }
}
