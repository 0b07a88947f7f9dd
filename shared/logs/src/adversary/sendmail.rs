//! What a client can do to Sendmail's log.

use fastrand::Rng;
use report::UNKNOWN_SENDER;

use super::grammar::{BOSS, SEEDS, counted, escaped, read, shipped, text};

const PIECES: &[&str] = &[
    "from=<boss@x.test>, size=1, class=0, nrcpts=1, msgid=<x>, proto=ESMTPSA, daemon=MSA, relay=x [198.51.100.9]",
    ", size=1, class=0, nrcpts=1",
    ", msgid=<x>",
    ", bodytype=8BITMIME",
    ", proto=ESMTPSA",
    ", proto=ESMTP",
    ", daemon=MSA",
    ", relay=x [198.51.100.9]",
    "], reject=550 5.7.1 no",
    "6AN900aB000007: ",
    "6AN900aC000007: from=<",
    "STARTTLS=server, relay=x [198.51.100.9], version=TLSv1",
    "AUTH=server, relay=x [192.0.2.1], authid=boss@x.test, mech=PLAIN, bits=0",
    "AUTH failure (PLAIN): x (-13) x, user=boss@x.test, relay=x [198.51.100.9]",
    ", user=boss@x.test",
    "message size (9) exceeds maximum (1)",
    "Milter: data, reject=550",
    "to=<x>, delay=0, pri=1, stat=x",
    ", mailer=esmtp",
    "boss@x.test",
    "... User unknown",
    "[198.51.100.9]",
    "\"",
    "\\",
    "<",
    ">",
    ": ",
    ", ",
    " ",
    "x",
    "@x.test",
];

const RELAY: &str = "pc.example.test [192.0.2.1]";

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepted,
    Discarded,
    TooLarge,
    Rejected,
    Abandoned,
}

/// An address that holds a text.
fn address(rng: &mut Rng, text: &str) -> String {
    match rng.u8(0..3) {
        0 => format!("<\"{}\"@x.test>", escaped(text)),
        1 => format!("<a.\"{}\".b@x.test>", escaped(text)),
        _ => format!("<ann{}@x.test>", rng.u8(..)),
    }
}

/// The transactions of one process, as Sendmail logs them; the senders of those that were accepted are added.
fn transactions(
    rng: &mut Rng,
    pid: u32,
    protocol: &str,
    accepted: &mut Vec<String>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0..rng.usize(1..=3) {
        let id = format!("6AN900aB{number}{pid:05}");
        let (sender, spoken) = (text(rng, PIECES), text(rng, PIECES));
        let sender = address(rng, &sender);
        if rng.bool() {
            lines.push(format!("{id}: {spoken}... User unknown"));
        }
        if rng.bool() {
            lines.push(format!(
                "{id}: ruleset=check_rcpt, arg1={spoken}, relay={RELAY}, reject=550 5.7.1 {spoken}... no"
            ));
        }
        let end = *rng
            .choice(&[End::Accepted, End::Discarded, End::TooLarge, End::Rejected, End::Abandoned])
            .expect("five");
        // Sendmail cuts what it logs of both.
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let message_id = match end {
            End::Abandoned => String::new(),
            _ => format!(", msgid={}", cut(&text(rng, PIECES), 100)),
        };
        let body = if rng.bool() { ", bodytype=8BITMIME" } else { "" };
        lines.push(format!(
            "{id}: from={}, size=9, class=0, nrcpts=1{message_id}{body}, proto={protocol}, daemon=MSA, relay={RELAY}",
            cut(&sender, 200)
        ));
        match end {
            End::Accepted => accepted.push(sender),
            End::Discarded => {
                accepted.push(sender);
                lines.push(format!("{id}: Milter: data, discard"));
            }
            End::TooLarge => lines.push(format!("{id}: message size (9) exceeds maximum (1)")),
            End::Rejected => lines.push(format!("{id}: Milter: data, reject=550 5.7.1 no")),
            End::Abandoned => {}
        }
        if matches!(end, End::TooLarge | End::Rejected) {
            lines.push(format!("{id}: to=<r@x.test>, delay=00:00:00, pri=9, stat=no"));
        }
    }
    lines
}

/// Puts the lines of processes between each other's.
fn mixed(rng: &mut Rng, mut of: Vec<(u32, Vec<String>)>) -> String {
    let mut log = String::new();
    while !of.is_empty() {
        let which = rng.usize(..of.len());
        let (pid, lines) = &mut of[which];
        if lines.is_empty() {
            of.swap_remove(which);
            continue;
        }
        let line = lines.remove(0);
        log += &format!("Nov 23 11:00:00 mail sm-mta[{pid}]: {line}\n");
    }
    log
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let (mut accepted, mut others) = (Vec::new(), Vec::new());
        let mut own = vec![
            format!(
                "STARTTLS=server, relay={RELAY}, version=TLSv1.3, verify=NO, cipher=X, bits=1/1"
            ),
            format!("AUTH=server, relay={RELAY}, authid=ann@x.test, mech=PLAIN, bits=0"),
        ];
        own.extend(transactions(rng, 7, "ESMTPSA", &mut accepted));
        let other = transactions(rng, 8, "ESMTP", &mut others);
        let log = mixed(rng, vec![(7, own), (8, other)]);
        let log = shipped(rng, &log);
        let counts = read(&log);
        assert_eq!(counts.submissions.len(), accepted.len(), "seed {seed}: {counts:?}\n{log}");
        for (sender, account, client, messages) in &counts.submissions {
            assert_eq!((account.as_str(), *messages), ("ann@x.test", 1), "seed {seed}\n{log}");
            assert_eq!(client, "192.0.2.1", "seed {seed}\n{log}");
            let is_hers = |own: &String| counted(own.trim_matches(['<', '>'])) == *sender;
            assert!(
                sender == UNKNOWN_SENDER || accepted.iter().any(is_hers),
                "seed {seed}: {sender}\n{log}"
            );
        }
        assert!(counts.names.iter().all(|name| name == "pc.example.test"), "seed {seed}\n{log}");
        assert!(counts.failures.is_empty(), "seed {seed}: {counts:?}\n{log}");
    }
}

#[test]
fn a_failed_login_is_where_it_came_from() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let user = text(rng, PIECES);
        // The library may repeat the name.
        let detail = if rng.bool() { "checkpass failed" } else { user.as_str() };
        let line = format!(
            "Nov 23 11:00:00 mail sm-mta[7]: 6AN900aB000007: AUTH failure (PLAIN): authentication failure (-13) SASL(-13): authentication failure: {detail}, user={user}, relay={RELAY}"
        );
        let line = shipped(rng, &line);
        let [(account, client)] = &read(&line).failures[..] else {
            panic!("seed {seed}: not one failure\n{line}");
        };
        assert_eq!(client, "192.0.2.1", "seed {seed}\n{line}");
        assert!(account.is_empty() || *account == counted(&user), "seed {seed}: {account}\n{line}");
        assert!(account != BOSS || user == BOSS, "seed {seed}\n{line}");
    }
}
