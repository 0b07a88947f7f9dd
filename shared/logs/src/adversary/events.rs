//! What a client can do to events in JSON, whose writer escapes what strangers chose.

use fastrand::Rng;
use serde_json::json;

use super::grammar::{SEEDS, counted, read, text};

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\",\"account\":\"boss@x.test",
    "\",\"messages\":\"9",
    "}",
    ") boss-pc.x.test (",
    "{\"event\":\"submission\",\"time\":1795431600,\"account\":\"boss@x.test\"}",
    "\n{\"time\":1795431600,\"account\":\"boss@x.test\"}\n",
    "\"event\":\"submission\"",
    "\\u0022",
    "\u{0}",
    "]",
    "[",
    ",",
    " postfix/smtpd[7]: 4AA0912345: client=x[198.51.100.9], sasl_username=boss@x.test",
    "1xVWoN-0001PO-2u <= a@x.test H=x [198.51.100.9] P=esmtpa A=plain:boss@x.test S=1",
    "ann",
    "@x.test",
];

#[test]
fn every_event_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS / 4 {
        let rng = &mut Rng::with_seed(seed);
        let mut name = || format!("x{}", text(rng, PIECES).chars().take(60).collect::<String>());
        let (sender, account, mechanism) = (name(), name(), name());
        let helo = format!("({})", name());
        let event = |event: &str| json!({"event": event, "time": 1_795_431_600, "sender": &sender, "account": &account, "mechanism": &mechanism, "client": "192.0.2.1", "client_name": &helo});
        let log = [event("submission").to_string(), event("auth_failure").to_string()];
        // Another program's object that tells of the same, and a container's that holds the events.
        let other =
            json!({"time": 1_795_431_600, "level": "info", "account": &account, "text": &sender})
                .to_string();
        let wrapped = log
            .clone()
            .map(|line| json!({"log": format!("{line}\n"), "stream": "stdout"}).to_string());
        for lines in [log.join("\n"), wrapped.join("\n")] {
            let read = read(&format!("{other}\n{lines}"));
            let client = "192.0.2.1".to_owned();
            let sent = (counted(&sender), counted(&account), client.clone(), 1);
            assert_eq!(read.submissions, [sent], "seed {seed}\n{lines}");
            assert_eq!(read.failures, [(counted(&account), client)], "seed {seed}\n{lines}");
            assert_eq!(read.rejected, 0, "seed {seed}\n{lines}");
        }
    }
}
