//! What a sender can do to Amazon SES's events, which are JSON: SES escapes what strangers chose.

use fastrand::Rng;
use report::UNKNOWN_SENDER;
use serde_json::{Value, json};

use super::grammar::{BOSS, SEEDS, counted, read, text};

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\",\"eventType\":\"Send\",\"mail\":{\"messageId\":\"",
    "{\"eventType\":\"Send\",\"mail\":{\"timestamp\":\"2026-11-23T11:00:00Z\",\"source\":\"boss@x.test\",\"messageId\":\"9\"}}",
    "\"ses:caller-identity\":[\"boss@x.test\"]",
    "ses:operation",
    "}}",
    "]",
    "\n",
    "<boss@x.test>",
    " <boss@x.test> ",
    "boss@x.test",
    "<",
    ">",
    "Ann ",
    ", ",
    "x",
    "@x.test",
];

/// The source of a message: an address, with a name of the sender's choice before it or without one.
fn source(rng: &mut Rng) -> (String, &'static str) {
    let name: String = text(rng, PIECES).chars().take(120).collect();
    let source = match rng.u8(0..4) {
        0 => "ann@x.test".to_owned(),
        1 => format!("\"{}\" <ann@x.test>", name.replace('\\', r"\\").replace('"', "\\\"")),
        2 => format!("{} <ann@x.test>", name.replace(['"', '\\', '<', '>'], "")),
        // No sane server writes that.
        _ => format!("{name} <ann@x.test>"),
    };
    (source, "ann@x.test")
}

fn event(rng: &mut Rng, kind: &str, number: u64, source: &str, operation: Option<&str>) -> Value {
    let mut tags = json!({"ses:caller-identity": ["ann"], "ses:source-ip": ["192.0.2.1"],
        "ses:source-tls-version": ["TLSv1.3"]});
    // Names of tags are letters, digits, dashes and underscores.
    let name = text(rng, PIECES).replace(|next: char| !next.is_ascii_alphanumeric(), "_");
    tags[format!("x{name}")] = json!([text(rng, PIECES)]);
    if let Some(operation) = operation {
        tags["ses:operation"] = json!([operation]);
    }
    json!({"eventType": kind, "mail": {"timestamp": "2026-11-23T11:00:00.000Z", "source": source,
        "messageId": format!("0102019abcdef012-5b7a1c2d-3e4f-4a5b-8c6d-{number:012x}-000000"),
        "destination": [text(rng, PIECES)], "headers": [{"name": text(rng, PIECES), "value": text(rng, PIECES)}],
        "commonHeaders": {"subject": text(rng, PIECES), "from": [text(rng, PIECES)]}, "tags": tags},
        "send": {}, "failure": {"errorMessage": text(rng, PIECES)}})
}

/// An event on one of the ways on which it comes.
fn sent_on(rng: &mut Rng, event: &Value) -> String {
    match rng.u8(0..5) {
        0 => json!({"source": "aws.ses", "detail-type": "Email Sent", "detail": event, "resources": []}).to_string(),
        1 => json!({"Type": "Notification", "Message": event.to_string(), "Timestamp": "2026-11-23T11:00:01Z",
            "Subject": text(rng, PIECES)}).to_string(),
        2 => json!({"log": format!("{event}\n"), "stream": "stdout"}).to_string(),
        3 => json!({"messageType": "DATA_MESSAGE", "logStream": "s", "logEvents": [
            {"id": "1", "timestamp": 1_795_431_600_000_u64, "message": event.to_string()}]}).to_string(),
        _ => event.to_string(),
    }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS / 8 {
        let rng = &mut Rng::with_seed(seed);
        let (mut log, mut sources) = (String::new(), Vec::new());
        for number in 0..rng.u64(1..4) {
            let (source, address) = source(rng);
            let through_api = rng.u8(0..4) == 0;
            let operation = through_api.then_some("SendRawEmail");
            let send = event(rng, "Send", number, &source, operation);
            if !through_api {
                sources.push((source.clone(), address));
            }
            // Events come at least once, in any order.
            for kind in ["Send", "Delivery", "Send", "Open"] {
                let other = event(rng, kind, number, &source, operation);
                let event = if kind == "Send" { &send } else { &other };
                log += &sent_on(rng, event);
                if rng.bool() {
                    log.push('\n');
                }
            }
        }
        let read = read(&log);
        assert_eq!(read.submissions.len(), sources.len(), "seed {seed}\n{log}");
        assert_eq!((read.rejected, read.failures.len()), (0, 0), "seed {seed}\n{log}");
        for ((sender, account, client, messages), (source, address)) in
            read.submissions.iter().zip(&sources)
        {
            assert_eq!(
                (account.as_str(), client.as_str(), *messages),
                ("ann", "192.0.2.1", 1),
                "seed {seed}\n{log}"
            );
            let is_hers = *sender == counted(address);
            assert!(
                is_hers || (sender == UNKNOWN_SENDER && sender != BOSS),
                "seed {seed}: {sender}\n{source}"
            );
        }
    }
}
