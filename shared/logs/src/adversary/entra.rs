//! What a client can do to sign-ins of Microsoft Entra ID, which are JSON: Microsoft escapes what strangers chose.

use fastrand::Rng;
use serde_json::{Value, json};

use super::grammar::{SEEDS, counted, read, text};

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\",\"status\":{\"errorCode\":50126},\"x\":\"",
    "\",\"userPrincipalName\":\"boss@x.test",
    "\"clientAppUsed\":\"Authenticated SMTP\"",
    "\"clientAppUsed\"",
    "Authenticated SMTP",
    "{\"createdDateTime\":\"2026-11-23T11:00:05Z\",\"userPrincipalName\":\"boss@x.test\",\"clientAppUsed\":\"Authenticated SMTP\",\"status\":{\"errorCode\":50126}}",
    "{\"properties\":",
    "{\"event\":\"auth_failure\",\"time\":1795431600,\"account\":\"boss@x.test\"}",
    "\n",
    "\u{0}",
    "}",
    "]",
    "boss@x.test",
    " ",
    "x",
    "@x.test",
];

/// A sign-in with all that a client can say in it.
fn sign_in(rng: &mut Rng, name: &str, app: &str, code: i64) -> Value {
    json!({"id": "b1c5e3a0-0000-4000-8000-00000000000a", "createdDateTime": "2026-11-23T11:00:05Z",
        "userDisplayName": text(rng, PIECES), "userPrincipalName": name, "signInIdentifier": text(rng, PIECES),
        "appDisplayName": "Office 365 Exchange Online", "clientAppUsed": app, "userAgent": text(rng, PIECES),
        "ipAddress": "192.0.2.1", "status": {"errorCode": code, "failureReason": text(rng, PIECES)},
        "deviceDetail": {"displayName": text(rng, PIECES), "browser": text(rng, PIECES)},
        "location": {"city": text(rng, PIECES)}, "authenticationDetails": [{"x": text(rng, PIECES)}]})
}

/// A sign-in on one of the ways on which it comes.
fn sent_on(rng: &mut Rng, sign_in: Value) -> Value {
    match rng.u8(0..4) {
        0 => {
            json!({"time": "2026-11-23T11:00:07Z", "resourceId": "/tenants/x", "operationName": "Sign-in activity",
            "category": "NonInteractiveUserSignInLogs", "identity": text(rng, PIECES), "properties": sign_in})
        }
        1 => json!({"log": format!("{sign_in}\n"), "stream": "stdout"}),
        _ => sign_in,
    }
}

#[test]
fn every_refused_login_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS / 4 {
        let rng = &mut Rng::with_seed(seed);
        let (mut log, mut refused) = (String::new(), Vec::new());
        for _ in 0..rng.usize(1..5) {
            let name = text(rng, PIECES);
            // Of another protocol, successful, and stopped for what is no password.
            let (app, code) = *rng
                .choice(&[
                    ("Authenticated SMTP", 50_126),
                    ("Authenticated SMTP", 50_034),
                    ("Authenticated SMTP", 0),
                    ("Authenticated SMTP", 50_076),
                    ("IMAP4", 50_126),
                ])
                .expect("five");
            let sign_in = sign_in(rng, &name, app, code);
            log += &sent_on(rng, sign_in).to_string();
            log.push('\n');
            if app == "Authenticated SMTP" && [50_126, 50_034].contains(&code) {
                refused.push((counted(&name), "192.0.2.1".to_owned()));
            }
        }
        let read = read(&log);
        assert_eq!(read.failures, refused, "seed {seed}\n{log}");
        assert_eq!((read.submissions.len(), read.rejected), (0, 0), "seed {seed}\n{log}");
    }
}
