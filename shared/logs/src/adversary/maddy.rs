//! What a client can do to maddy's log.

use std::fmt::Write as _;

use fastrand::Rng;

use super::grammar::{SEEDS, counted, read, shipped_bare, text};

const PIECES: &[&str] = &[
    "submission: accepted\t{\"msg_id\":\"7e3f7780\"}",
    "submission: incoming message\t{\"msg_id\":\"7e3f7780\",\"sender\":\"boss@x.test\",\"username\":\"boss@x.test\"}",
    "\",\"username\":\"boss@x.test",
    "\",\"msg_id\":\"0badcafe",
    "authentication failed\t{",
    "\"",
    "\\",
    "{",
    "}",
    "\t",
    " ",
    ": ",
    "x",
    "@x.test",
];

/// An object as maddy writes one: its fields in the order of their names.
fn line(log: &mut String, who: &str, says: &str, fields: &[(&str, &str)]) {
    let text = |text: &str| serde_json::to_string(text).expect("text");
    let fields: Vec<_> = fields.iter().map(|(k, v)| format!("\"{k}\":{}", text(v))).collect();
    let _ = writeln!(log, "{who}: {says}\t{{{}}}", fields.join(","));
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let (mut log, mut senders, mut failures) = (String::new(), Vec::new(), Vec::new());
        for number in 0..rng.usize(1..4) {
            let id = format!("7e3f778{number}");
            let (sender, host) = (text(rng, PIECES), text(rng, PIECES));
            let is_login = rng.bool();
            let mut fields = vec![
                ("msg_id", &*id),
                ("sender", &*sender),
                ("src_host", &*host),
                ("src_ip", "192.0.2.1:4000"),
            ];
            if is_login {
                fields.push(("username", "ann@x.test"));
            }
            line(&mut log, "submission", "incoming message", &fields);
            let recipient = text(rng, PIECES);
            line(&mut log, "submission", "RCPT ok", &[("msg_id", &id), ("rcpt", &recipient)]);
            let name = text(rng, PIECES);
            let failed = [("reason", "x"), ("src_ip", "192.0.2.1:4001"), ("username", &*name)];
            if rng.bool() {
                line(&mut log, "submission/sasl", "authentication failed", &failed);
                failures.push((counted(&name), "192.0.2.1".to_owned()));
            }
            let (says, reason) = match rng.u8(0..4) {
                0 => ("aborted", None),
                1 => ("DATA error", Some(text(rng, PIECES))),
                _ => ("accepted", None),
            };
            let mut fields = vec![("msg_id", &*id)];
            fields.extend(reason.as_deref().map(|reason| ("reason", reason)));
            line(&mut log, "submission", says, &fields);
            if is_login && says == "accepted" {
                senders.push(counted(&sender));
            }
        }
        let log = shipped_bare(rng, &log);
        let read = read(&log);
        let told: Vec<_> = read.submissions.iter().map(|(sender, ..)| sender.clone()).collect();
        assert_eq!(told, senders, "seed {seed}\n{log}");
        for (_, account, client, messages) in &read.submissions {
            let of = (&**account, &**client, *messages);
            assert_eq!(of, ("ann@x.test", "192.0.2.1", 1), "seed {seed}\n{log}");
        }
        assert_eq!(read.failures, failures, "seed {seed}\n{log}");
    }
}
