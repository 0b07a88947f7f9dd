//! What a client can do to Courier's log.

use fastrand::Rng;
use report::UNKNOWN_SENDER;

use super::grammar::{BOSS, SEEDS, counted, escaped, read, shipped, text};

const PIECES: &[&str] = &[
    ", auth=boss@x.test: dns; ",
    ": dns; x ([::ffff:198.51.100.9])",
    "newmsg,id=0000000000000001.000000006B07DD1E.00000001, auth=boss@x.test",
    "started,id=0000000000000001.000000006B07DD1E.00000001,from=<boss@x.test>",
    ",from=<boss@x.test>",
    ">,module=esmtp,host=x,addr=<",
    "error,relay=198.51.100.9,port=4",
    ",msg=\"535 Authentication failed.\",cmd: AUTH LOGIN boss@x.test",
    "([198.51.100.9])",
    "boss@x.test",
    "\"",
    "\\",
    "<",
    ">",
    ": ",
    ",",
    " ",
    "x",
    "@x.test",
];

const ID: &str = "000000000000098B.000000006B07DD1E.0000038E";

/// A log as a tool shows it. Where another program's header stands in front, that one's lines they are: Courier's own tag
/// has no process.
fn shown(rng: &mut Rng, log: &str) -> String {
    let shown = shipped(rng, log);
    let named = ["Nov 23 11:00:00 box ", "2026-11-23T11:00:00.123000+00:00 mail.log "];
    if named.iter().any(|front| shown.starts_with(front)) { log.to_owned() } else { shown }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let (helo, said, recipient) = (text(rng, PIECES), text(rng, PIECES), text(rng, PIECES));
        let sender = match rng.u8(0..3) {
            0 => format!("\"{}\"@x.test", escaped(&said)),
            1 => format!("a.\"{}\".b@x.test", escaped(&said)),
            _ => "ann@x.test".to_owned(),
        };
        let logged_in = rng.bool();
        let auth = if logged_in { ", auth=ann@x.test" } else { "" };
        let lines = [
            format!(
                "courieresmtpd: error,relay=::ffff:192.0.2.1,port=4,from=<{sender}>,to=<{said}>: 550 User <{said}> unknown"
            ),
            format!("courierd: newmsg,id={ID}{auth}: dns; {helo} (pc.x.test [::ffff:192.0.2.1])"),
            format!(
                "courierd: started,id={ID},from=<{sender}>,module=esmtp,host=x.test,addr=<{recipient}@x.test>"
            ),
            format!("courieresmtp: id={ID},from=<{sender}>,addr=<{recipient}>: 250 {said}"),
            format!(
                "courierd: started,id={ID},from=<{sender}>,module=esmtp,host=x.test,addr=<r@x.test>"
            ),
        ];
        let log: String =
            lines.iter().map(|line| format!("Nov 23 11:00:00 mail {line}\n")).collect();
        let log = shown(rng, &log);
        let counts = read(&log);
        assert_eq!(
            counts.submissions.len(),
            usize::from(logged_in),
            "seed {seed}: {counts:?}\n{log}"
        );
        for (who, account, client, messages) in &counts.submissions {
            assert_eq!((account.as_str(), *messages), ("ann@x.test", 1), "seed {seed}\n{log}");
            assert_eq!(client, "192.0.2.1", "seed {seed}\n{log}");
            assert!(who == UNKNOWN_SENDER || *who == counted(&sender), "seed {seed}: {who}\n{log}");
        }
        assert!(counts.failures.is_empty(), "seed {seed}: {counts:?}\n{log}");
    }
}

#[test]
fn a_failed_login_is_where_it_came_from() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let user = text(rng, PIECES);
        let response = if rng.bool() { " AGFubkBleGFtcGxlLm9y" } else { "" };
        let line = format!(
            "Nov 23 11:00:00 mail courieresmtpd: error,relay=::ffff:192.0.2.1,port=4,msg=\"535 Authentication failed.\",cmd: AUTH PLAIN{response} {user}"
        );
        let line = shown(rng, &line);
        let [(account, client)] = &read(&line).failures[..] else {
            panic!("seed {seed}: not one failure\n{line}");
        };
        assert_eq!(client, "192.0.2.1", "seed {seed}\n{line}");
        assert!(account != BOSS || user.contains(BOSS), "seed {seed}: {account}\n{line}");
    }
}
