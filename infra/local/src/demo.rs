//! Ninety days of mail of an invented organisation, as its Postfix would have logged them.
//!
//! The log goes through the same reader as any other, so the demo shows nothing that real logs
//! cannot. It is the same every time for the same last day.

use std::fmt::{Display, Write as _};

use anyhow::Result;
use bootstrap::progress;
use chrono::{DateTime, Datelike as _, Weekday};
use chrono_tz::Tz;
use fastrand::Rng;
use ingest::{FileIngest, Ingest, IngestedLine, Settings, Summary};
use report::{Day, LongNames, Range};
use samples::postfix::{self, Client, Commands, Delays};
use store::KnownFile;

/// The people of the office, beside machines.
const PEOPLE: usize = 240;
const GIVEN: [&str; 24] = [
    "ada", "ben", "cleo", "dario", "edda", "finn", "gaia", "hugo", "ines", "jonas", "kira", "levi",
    "mila", "nils", "oda", "paul", "quinn", "rosa", "sami", "tilda", "udo", "vera", "wim", "zoe",
];
const FAMILY: [&str; 10] =
    ["ahlers", "brandt", "castell", "drews", "ekman", "faber", "gruber", "holm", "ivers", "jansen"];
/// How the day's hours are busy, in parts.
const OFFICE: [u32; 24] =
    [0, 0, 0, 0, 0, 1, 3, 9, 14, 16, 15, 12, 8, 13, 15, 14, 11, 7, 3, 2, 1, 1, 0, 0];
const ROUND_THE_CLOCK: [u32; 24] = [1; 24];

/// Someone or something that sends mail.
struct Sender {
    account: String,
    /// Envelope senders, the usual one first.
    senders: Vec<String>,
    client: String,
    service: &'static str,
    /// As Postfix prints it; empty is plaintext.
    tls: &'static str,
    mechanism: &'static str,
    per_day: f64,
    weekend: f64,
    hours: &'static [u32; 24],
    /// The only day of the week on which it sends, if there is one.
    only: Option<Weekday>,
    /// Logins that fail in the night of each of its days, and of the one before.
    guesses: u32,
    /// First and last day of activity, counted back from the last day of the demo.
    days: (i64, i64),
}

/// A message, or a failed login, at a second of its day.
struct Happening<'a> {
    second: u32,
    sender: &'a Sender,
    failed_login: bool,
}

/// How the demo's log is read, into a store that marks long names in this form.
#[must_use]
pub fn settings(zone: Tz, long_names: LongNames) -> Settings {
    let logs = logs::Options { format: logs::Format::Postfix, zone };
    Settings { logs, zone, default_domain: "(none)".into(), long_names }
}

/// Fills the store with the days up to `today`. Calling it again adds nothing.
///
/// # Errors
/// The store failed.
pub async fn fill(ingest: &Ingest, today: Day, now: i64) -> Result<Summary> {
    let source = format!("demo:{today}");
    let file = KnownFile { source, known: false };
    let mut reading = FileIngest::resume(ingest, &file, now).await?;
    reading.call("an invented organisation's mail.log", true);
    let progress = progress::days("filling", report::RETENTION_DAYS);
    let mut rng = Rng::with_seed(587);
    let senders = organisation(&mut rng);
    let (mut summary, mut offset, mut log) = (Summary::default(), 0, String::new());
    for day in Range::kept(today).days() {
        log.clear();
        write_day(&mut log, day, (today - day).num_days(), &senders, &mut rng);
        for line in log.split_inclusive('\n') {
            let (begins, ends) = (offset, offset + line.len() as u64);
            offset = ends;
            if begins >= reading.offset() {
                let place = IngestedLine {
                    begins,
                    ends,
                    reference: now,
                    is_ended: true,
                    is_continued: false,
                };
                reading.line(line.trim_end().as_bytes(), place);
            }
        }
        if reading.is_full() {
            summary.add(&reading.flush().await?);
        }
        progress.inc(1);
    }
    if summary.lines > 0 || reading.offset() > 0 {
        summary.add(&reading.flush().await?);
    }
    progress.finish_and_clear();
    Ok(summary)
}

fn organisation(rng: &mut Rng) -> Vec<Sender> {
    let always = (report::RETENTION_DAYS.cast_signed(), 0);
    let mut all: Vec<_> = (0..PEOPLE).map(|number| person(number, rng)).collect();
    for floor in 1..=9 {
        let address = format!("printer-{floor}@office.harbor.test");
        all.push(Sender {
            senders: vec![address.clone()],
            account: address,
            client: format!("198.51.100.{}", 200 + floor),
            service: "submission",
            tls: ["TLSv1", "TLSv1", "TLSv1.1"][floor % 3],
            mechanism: "LOGIN",
            per_day: 14.0,
            weekend: 0.05,
            hours: &OFFICE,
            only: None,
            guesses: 0,
            // Two floors have new printers by now, and one has just got an old one.
            days: match floor {
                3 => (always.0, 31),
                6 => (always.0, 17),
                8 => (9, 0),
                _ => always,
            },
        });
    }
    for (name, domain, tls, service, mechanism, per_day) in [
        ("crm", "harbor.test", "TLSv1.3", "submission", "PLAIN", 320.0),
        ("shop", "shop.harbor.test", "TLSv1.3", "submission", "PLAIN", 210.0),
        ("backup", "harbor.test", "TLSv1.2", "smtps", "LOGIN", 24.0),
        ("monitoring", "harbor.test", "TLSv1.2", "submission", "PLAIN", 41.0),
        ("erp", "warehouse.harbor.test", "", "submission", "LOGIN", 63.0),
        ("scale", "warehouse.harbor.test", "TLSv1", "submission", "CRAM-MD5", 18.0),
    ] {
        let account = format!("{name}@{domain}");
        // Replies to the shop's orders must not come back to it.
        let bounces = (name == "shop").then(String::new);
        all.push(Sender {
            senders: [account.clone()].into_iter().chain(bounces).collect(),
            account,
            client: format!("198.51.100.{}", 10 + name.len()),
            service,
            tls,
            mechanism,
            per_day,
            weekend: 0.8,
            hours: &ROUND_THE_CLOCK,
            only: None,
            guesses: 0,
            days: always,
        });
    }
    all.push(newsletter());
    all.push(compromised(&all));
    all.push(woken(&all));
    all
}

fn person(number: usize, rng: &mut Rng) -> Sender {
    let name = format!("{}.{}", GIVEN[number % 24], FAMILY[number / 24]);
    let address = match number % 8 {
        7 => format!("{name}@warehouse.harbor.test"),
        _ => format!("{name}@harbor.test"),
    };
    let senders = match number % 15 {
        0 => vec![address.clone(), "sales@harbor.test".to_owned()],
        1 => vec![address.clone(), "support@shop.harbor.test".to_owned()],
        _ => vec![address.clone()],
    };
    let tls = match rng.u32(0..100) {
        0..62 => "TLSv1.3",
        62..97 => "TLSv1.2",
        97..99 => "TLSv1.1",
        _ => "TLSv1",
    };
    let begins = if number % 11 == 5 { rng.i64(5..80) } else { 90 };
    Sender {
        senders,
        account: address,
        client: format!("198.51.100.{}", 20 + number % 160),
        service: if number.is_multiple_of(3) { "smtps" } else { "submission" },
        tls,
        mechanism: if rng.u32(0..10) == 0 { "LOGIN" } else { "PLAIN" },
        per_day: 1.0 + 9.0 * rng.f64() * rng.f64(),
        weekend: 0.08,
        hours: &OFFICE,
        only: None,
        guesses: 0,
        days: (begins, if number % 37 == 9 { 40 } else { 0 }),
    }
}

/// Somebody has the password of one of the people, and sends from elsewhere what brings money.
fn compromised(all: &[Sender]) -> Sender {
    let forged =
        ["billing", "invoice", "account", "service"].map(|name| format!("{name}@harbor.test"));
    Sender {
        account: all[29].account.clone(),
        senders: [all[29].account.clone()].into_iter().chain(forged).collect(),
        client: "203.0.113.66".to_owned(),
        service: "submission",
        tls: "TLSv1.2",
        mechanism: "LOGIN",
        per_day: 2600.0,
        weekend: 1.0,
        hours: &ROUND_THE_CLOCK,
        only: None,
        guesses: 90,
        days: (3, 2),
    }
}

/// Somebody left 40 days ago, and somebody else has guessed the password.
fn woken(all: &[Sender]) -> Sender {
    let account = all[9].account.clone();
    Sender {
        senders: vec![account.clone()],
        account,
        client: "192.0.2.77".to_owned(),
        service: "submission",
        tls: "TLSv1.2",
        mechanism: "LOGIN",
        per_day: 16.0,
        weekend: 1.0,
        hours: &ROUND_THE_CLOCK,
        only: None,
        guesses: 60,
        days: (1, 1),
    }
}

/// Is silent all week, and then writes to hundreds.
fn newsletter() -> Sender {
    let account = "news@harbor.test".to_owned();
    Sender {
        senders: vec![account.clone()],
        account,
        client: "198.51.100.19".to_owned(),
        service: "submission",
        tls: "TLSv1.3",
        mechanism: "PLAIN",
        per_day: 400.0,
        weekend: 0.0,
        hours: &OFFICE,
        only: Some(Weekday::Tue),
        guesses: 0,
        days: (report::RETENTION_DAYS.cast_signed(), 0),
    }
}

fn write_day(log: &mut String, day: Day, back: i64, senders: &[Sender], rng: &mut Rng) {
    let mut happenings = Vec::new();
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    // One day more: passwords are guessed before they are used.
    let around = |sender: &&Sender| (sender.days.1..=sender.days.0 + 1).contains(&back);
    for sender in senders.iter().filter(around) {
        for _ in 0..sender.guesses {
            let second = rng.u32(0..18_000);
            happenings.push(Happening { second, sender, failed_login: true });
        }
        let is_active =
            back <= sender.days.0 && sender.only.is_none_or(|only| only == day.weekday());
        if !is_active {
            continue;
        }
        let mean = sender.per_day * if weekend { sender.weekend } else { 1.0 };
        for _ in 0..about(mean, rng) {
            let second = second_of_day(sender.hours, rng);
            happenings.push(Happening { second, sender, failed_login: rng.u32(0..200) == 0 });
        }
    }
    happenings.sort_by_key(|happening| happening.second);
    for (number, happening) in happenings.iter().enumerate() {
        write_session(log, day, number, happening, rng);
    }
}

/// Roughly `mean`, never negative: more often less, sometimes much more.
fn about(mean: f64, rng: &mut Rng) -> u32 {
    let spread = 0.5 + rng.f64() * 0.7 + rng.f64() * rng.f64() * 0.6;
    let wanted = mean * spread;
    let whole = wanted.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let count = whole as u32;
    count + u32::from(rng.f64() < wanted - whole)
}

fn second_of_day(hours: &[u32; 24], rng: &mut Rng) -> u32 {
    let mut part = rng.u32(0..hours.iter().sum());
    let hour = hours.iter().position(|weight| {
        let found = part < *weight;
        part = part.saturating_sub(*weight);
        found
    });
    let hour = u32::try_from(hour.unwrap_or(0)).unwrap_or(0);
    hour * 3600 + rng.u32(0..3600)
}

fn write_session(
    log: &mut String,
    day: Day,
    number: usize,
    happening: &Happening<'_>,
    rng: &mut Rng,
) {
    let Happening { second, sender, failed_login } = *happening;
    let begins = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + i64::from(second);
    let at = DateTime::from_timestamp(begins, 0).unwrap_or_default();
    let stamp = at.format("%Y-%m-%dT%H:%M:%SZ");
    let pid = 2000 + number as u64 % 700;
    let Sender { account, client, service, tls, mechanism, .. } = sender;
    let mut line = |program: &str, pid: u64, text: &dyn Display| {
        let _ = writeln!(log, "{}", postfix::line(&stamp, "mx1", program, pid, text));
    };
    let smtpd = format!("{service}/smtpd");
    let client = Client { address: client, account, mechanism };
    line(&smtpd, pid, &client.connects());
    if !tls.is_empty() {
        let cipher = "ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)";
        line(&smtpd, pid, &client.begins_tls(tls, cipher));
    }
    let starttls = !tls.is_empty() && *service != "smtps";
    if failed_login {
        line(&smtpd, pid, &client.fails_to_log_in());
        let commands = Commands { starttls, logins: [0, 1], ..Commands::default() };
        return line(&smtpd, pid, &client.disconnects(commands));
    }
    let which = if rng.u32(0..5) == 0 { rng.usize(0..sender.senders.len()) } else { 0 };
    let from = &sender.senders[which];
    let id = format!("{:05X}{:06X}", rng.u32(0..1 << 20), 0x10_0000 + number);
    line(&smtpd, pid, &client.begins_mail(&id));
    let message_id = format!("{id}.{begins}@harbor.test");
    line("cleanup", 1900, &postfix::named(&id, message_id));
    let size = u64::from(rng.u32(800..90_000));
    line("qmgr", 1042, &postfix::active(&id, from, size));
    let (delays, reply) = (Delays { all: "1.2", stages: "0.1/0/0.4/0.7" }, "250 2.0.0 Ok");
    line("smtp", 1950, &postfix::delivered(&id, "someone@elsewhere.test", delays, reply));
    line("qmgr", 1042, &postfix::removed(&id));
    let commands = Commands { starttls, logins: [1, 0], mail: 1, data: 1, quit: true };
    line(&smtpd, pid, &client.disconnects(commands));
}
