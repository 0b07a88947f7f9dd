//! Accounts in strange hands: how many are told from others, and that it is told the same however it is asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use chrono::Datelike as _;
use detect::{Alert, DayTraffic, Kind, Sensitivity, Severity, Watch};
use local::demo;
use report::{Day, Kinds, UsageKey};
use tests::app::{App, NOW};
use tests::judged::{Judged, explains, judge};
use tests::organisation::{History, Style, history, history_of, usual_name};

/// Seeds that nothing was tuned with.
const SEEDS: std::ops::Range<u64> = 100..103;

#[test]
fn thieves_are_seen_and_hardly_anybody_else() {
    let mut means = [0.0; 5];
    for style in Style::ALL {
        let mut sum = Judged::default();
        for seed in SEEDS {
            sum += judge(style, 2_000, seed);
        }
        let [all, high] = sum.false_alarms_per_thousand();
        println!("{style:?}: {sum:?}");
        for (mean, figure) in means.iter_mut().zip([sum.loud(), sum.all(), sum.high(), all, high]) {
            *mean += figure / 3.0;
        }
    }
    let [loud, all, high, alarms, high_alarms] = means;
    println!("loud {loud:.3}, all {all:.3}, high {high:.3} at {alarms:.2} and {high_alarms:.2}");
    assert!(loud >= 0.97 && all >= 0.85 && alarms <= 1.0);
    assert!(high >= 0.65 && high_alarms <= 0.15);
}

fn watched(days: impl IntoIterator<Item = (Day, DayTraffic)>) -> Vec<Alert> {
    let mut watch = Watch::new(Sensitivity::Normal);
    for (day, traffic) in days {
        watch.close(day, traffic);
    }
    watch.alerts().to_vec()
}

#[test]
fn a_day_that_is_judged_every_hour_raises_what_it_raises_once() {
    let History { days, .. } = history(Style::Office, 400, 1);
    let once = watched(days.clone());
    let mut watch = Watch::new(Sensitivity::Normal);
    for (day, traffic) in days {
        for _ in 0..24 {
            watch.judge(day, &traffic);
        }
        watch.close(day, traffic);
    }
    assert!(once.len() > 10, "{}", once.len());
    assert_eq!(watch.alerts(), once);
}

#[test]
fn silence_and_its_end_raise_nothing() {
    let History { mut days, thefts } = history(Style::Hoster, 1_000, 2);
    let holiday = 52;
    days[holiday].1 = DayTraffic::default();
    let (silent, next) = (days[holiday].0, days[holiday + 1].0);
    let alerts = watched(days);
    let of = |day: Day| {
        let raised = alerts.iter().filter(move |alert| alert.raised_day == day);
        raised.filter(|alert| !thefts.iter().any(|theft| explains(theft, alert))).count()
    };
    assert_eq!((of(silent), of(next)), (0, 0));
    assert!(alerts.iter().all(|alert| alert.raised_day != silent), "whoever was robbed before");
}

#[test]
fn a_day_on_which_everybody_sends_twice_as_much_raises_nothing_more() {
    let History { days, .. } = history(Style::Office, 1_000, 3);
    let accounts = |alerts: Vec<Alert>, day: Day| -> BTreeSet<String> {
        let raised = alerts.into_iter().filter(|alert| alert.raised_day == day);
        raised.map(|alert| alert.account).collect()
    };
    let busy = days[60].0;
    let before = accounts(watched(days.clone()), busy);
    let mut twice = days;
    let again = twice[60].1.clone();
    twice[60].1.merge(again);
    let after = accounts(watched(twice), busy);
    let more: Vec<_> = after.difference(&before).collect();
    assert!(more.len() <= 1, "{more:?}");
}

#[test]
fn names_change_nothing() {
    // In another order, and of another length.
    fn other_name(number: usize) -> String {
        format!("person{:05}", 99_999 - number)
    }
    let told = |alerts: Vec<Alert>| -> BTreeSet<String> {
        let told = alerts.into_iter().map(|alert| {
            let Alert { account, kind, severity, score, day, last_day, raised_day, .. } = alert;
            format!("{account} {kind:?} {severity:?} {score} {day} {last_day} {raised_day}")
        });
        told.collect()
    };
    for style in Style::ALL {
        let before = watched(history(style, 600, 4).days);
        let names: BTreeMap<String, String> =
            (0..600).map(|number| (other_name(number), usual_name(number))).collect();
        let mut after = watched(history_of(style, 600, 4, other_name).days);
        for alert in &mut after {
            let (local, domain) = alert.account.split_once('@').unwrap_or_default();
            if let Some(name) = names.get(local) {
                alert.account = format!("{name}@{domain}");
            }
        }
        assert!(before.len() > 10, "{}", before.len());
        assert_eq!(told(before), told(after));
    }
}

/// Thirty ordinary days of ten people, and then what is given.
fn office(then: &[(i64, UsageKey<'_>, u64)], failed: &[(i64, &str, &str, u64)]) -> Vec<Alert> {
    let start = Day::from_ymd_opt(2026, 9, 28).unwrap_or_default();
    let days = (0..40).map(|number| {
        let day = start + chrono::TimeDelta::days(number);
        let mut traffic = DayTraffic::default();
        for person in 0..10 {
            let name = format!("p{person}@example.test");
            let is_gone = name == "p9@example.test" && number > 8;
            if number < 39 && day.weekday().number_from_monday() < 6 && !is_gone {
                let client = format!("192.0.2.{}", 10 + person);
                let key = key(&name, &name, &client);
                traffic.add(&key, 4 + person % 3);
            }
        }
        for (_, key, messages) in then.iter().filter(|(on, ..)| *on == number) {
            traffic.add(key, *messages);
        }
        for (_, account, client, failures) in failed.iter().filter(|(on, ..)| *on == number) {
            traffic.failed(account, client, *failures);
        }
        (day, traffic)
    });
    watched(days)
}

fn key<'k>(username: &'k str, sender: &'k str, client: &'k str) -> UsageKey<'k> {
    let tls = report::TlsVersion::Tls13;
    UsageKey { domain: "example.test", sender, username, mechanism: "PLAIN", tls, client }
}

#[test]
fn each_kind_says_what_was_seen() {
    let strange = UsageKey {
        mechanism: "LOGIN",
        tls: report::TlsVersion::Tls12,
        ..key("p1@example.test", "p1@example.test", "198.51.100.7")
    };
    assert_eq!(office(&[], &[]), []);
    let told = |alerts: &[Alert]| -> (String, String) {
        let [alert] = alerts else { panic!("{alerts:?}") };
        (alert.kind.name().to_owned(), alert.reason.clone())
    };
    let (kind, reason) = told(&office(&[(36, strange, 60)], &[]));
    assert_eq!(
        (kind.as_str(), reason.as_str()),
        (
            "new_place",
            "p1@example.test sent 60 messages from 198.51.100.7, a network nobody else here uses, and sent 60 \
             messages from there, where 5 a day are usual and 5 were the most in 90 days, with LOGIN over TLS1.2, \
             which it never used."
        )
    );
    let tries =
        [(36, "p1@example.test", "198.51.100.7", 30), (36, "p2@example.test", "198.51.100.7", 9)];
    let (kind, reason) = told(&office(&[(36, strange, 2)], &tries));
    assert_eq!(kind, "guessed_password");
    assert!(
        reason.starts_with(
            "p1@example.test sent from 198.51.100.7, which had failed 39 logins at 2 accounts"
        ),
        "{reason}"
    );
    let weak = UsageKey {
        tls: report::TlsVersion::Tls10,
        ..key("p3@example.test", "p3@example.test", "192.0.2.13")
    };
    let (kind, reason) = told(&office(&[(36, weak, 1)], &[]));
    assert_eq!(
        (kind.as_str(), reason.as_str()),
        (
            "downgrade",
            "p3@example.test sent 1 message over TLS1.0, weaker than anything it used in 36 days."
        )
    );
    let again = key("p9@example.test", "p9@example.test", "198.51.100.7");
    let (_, reason) = told(&office(&[(36, again, 5)], &[]));
    assert!(reason.contains("after 28 days of silence"), "{reason}");
    let test = key("test@example.test", "test@example.test", "198.51.100.7");
    let (kind, reason) = told(&office(&[(36, test, 40)], &[]));
    assert_eq!(kind, "new_account");
    assert!(
        reason.starts_with("test@example.test was used for the first time, from a network"),
        "{reason}"
    );
    let names: Vec<_> = (0..6).map(|number| format!("ceo{number}@bank.example.net")).collect();
    let many: Vec<_> =
        names.iter().map(|name| (36, key("p4@example.test", name, "192.0.2.14"), 2)).collect();
    let (kind, reason) = told(&office(&many, &[]));
    assert_eq!(kind, "identities");
    assert!(
        reason.contains("sent as 6 senders that it never used, such as ceo0@bank.example.net"),
        "{reason}"
    );
}

#[test]
fn somebody_who_gets_in_at_many_accounts_is_no_new_office_line() {
    let names: Vec<_> = (0..6).map(|person| format!("p{person}@example.test")).collect();
    let sent: Vec<_> = names.iter().map(|name| (36, key(name, name, "198.51.100.7"), 30)).collect();
    assert_eq!(office(&sent, &[]), [], "they moved together");
    let tries: Vec<_> = names.iter().map(|name| (36, name.as_str(), "198.51.100.7", 5)).collect();
    let alerts = office(&sent, &tries);
    assert_eq!(alerts.len(), 6, "{alerts:?}");
    assert!(alerts.iter().all(|alert| alert.kind.name() == "guessed_password"));
}

#[tokio::test]
async fn the_demo_tells_of_the_stolen_account_first_and_of_no_printer() -> Result<()> {
    let app = App::new().await?;
    let today = report::Days::new(chrono_tz::UTC).day_of(NOW);
    let long_names = app.store.ingestion().claim_zone("UTC").await?;
    let ingest = ingest::Ingest::new(&app.store, demo::settings(chrono_tz::UTC, long_names));
    demo::fill(&ingest, today, NOW).await?;
    let judged = async || {
        let days = detector::Days::new(&app.store, app.history.clone(), Kinds::default());
        let watch = days.watch(today, Watch::new(Sensitivity::Normal), |_| {}).await?;
        anyhow::Ok(watch.alerts().to_vec())
    };
    let alerts = judged().await?;
    let stolen = alerts.iter().max_by(|one, other| one.score.total_cmp(&other.score));
    let stolen = stolen.context("an alert")?;
    assert_eq!(
        (stolen.account.as_str(), stolen.severity),
        ("finn.brandt@harbor.test", Severity::High)
    );
    // Nobody else but who woke up in somebody else's hands: no printer, and no newsletter.
    let accounts: BTreeSet<_> = alerts.iter().map(|alert| alert.account.as_str()).collect();
    assert_eq!(
        accounts,
        BTreeSet::from(["finn.brandt@harbor.test", "jonas.ahlers@harbor.test"]),
        "{alerts:#?}"
    );
    let woken = alerts.iter().find(|alert| alert.account.starts_with("jonas"));
    let kinds: Vec<_> = woken.context("an alert")?.signals.iter().map(|one| one.signal).collect();
    ensure!(kinds.contains(&Kind::Dormant) && kinds.contains(&Kind::GuessedPassword), "{kinds:?}");
    // From archives the same.
    archive::run(&app.history, today, |_, _| {}).await.1?;
    assert_eq!(judged().await?, alerts);
    Ok(())
}
