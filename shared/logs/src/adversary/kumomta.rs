//! What a client can do to KumoMTA's records, which are JSON: the server escapes what strangers chose.

use fastrand::Rng;
use serde_json::{Value, json};

use super::grammar::{SEEDS, counted, read, text};

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\",\"meta\":{\"authn_id\":\"boss@x.test\"},\"x\":\"",
    "{\"type\":\"Reception\",\"id\":\"9\",\"timestamp\":1795431600,\"sender\":\"boss@x.test\",\"size\":1,",
    "\"peer_address\":{\"addr\":\"198.51.100.9\"},\"reception_protocol\":\"ESMTP\",",
    "\"meta\":{\"authn_id\":\"boss@x.test\"}}",
    "authn_id",
    "}",
    "]",
    "\n",
    "\u{0}",
    "boss@x.test",
    " ",
    "1795431600",
    "x",
    "@x.test",
];

/// One client's message, in the records of some of its recipients.
struct Message {
    sender: String,
    records: Vec<Value>,
}

fn message(
    rng: &mut Rng,
    session: u64,
    number: u64,
    account: Option<&str>,
    protocol: &str,
) -> Message {
    let sender = if rng.bool() { text(rng, PIECES) } else { "ann@x.test".to_owned() };
    let record = |rng: &mut Rng, kind: &str| {
        json!({"type": kind, "id": format!("{:032x}", rng.u64(..)), "sender": sender,
            "recipient": text(rng, PIECES), "queue": text(rng, PIECES), "size": 500,
            "peer_address": {"name": text(rng, PIECES), "addr": "192.0.2.1"},
            "response": {"code": 250, "content": text(rng, PIECES), "command": text(rng, PIECES)},
            "timestamp": 1_795_431_600 + number, "created": 1_795_431_600 + number,
            "reception_protocol": protocol, "tls_protocol_version": "TLSv1.3", "session_id": format!("s{session}"),
            "headers": {"Subject": text(rng, PIECES), "X": {"authn_id": "boss@x.test"}},
            "meta": {"authn_id": account, "x": text(rng, PIECES)}})
    };
    let mut records = Vec::new();
    for _ in 0..rng.usize(1..4) {
        records.push(record(rng, "Reception"));
        let kind = *rng.choice(&["Delivery", "Bounce", "Delay"]).expect("three");
        records.push(record(rng, kind));
    }
    Message { sender, records }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS / 8 {
        let rng = &mut Rng::with_seed(seed);
        let (mut log, mut sent) = (String::new(), Vec::new());
        for number in 0..rng.u64(1..4) {
            let account = rng.bool().then_some("ann");
            let protocol = if rng.u8(0..4) == 0 { "HTTP" } else { "ESMTP" };
            let message = message(rng, rng.clone().u64(0..3), number, account, protocol);
            for record in &message.records {
                log += &match rng.u8(0..3) {
                    0 => json!({"log": format!("{record}\n"), "stream": "stdout"}).to_string(),
                    _ => record.to_string(),
                };
                log.push('\n');
            }
            if account.is_some() && protocol == "ESMTP" {
                let sender = if message.sender.is_empty() { "<>" } else { &message.sender };
                sent.push((counted(sender), "ann".to_owned(), "192.0.2.1".to_owned(), 1));
            }
        }
        let read = read(&log);
        assert_eq!(read.submissions, sent, "seed {seed}\n{log}");
        assert_eq!((read.rejected, read.failures.len()), (0, 0), "seed {seed}\n{log}");
    }
}
