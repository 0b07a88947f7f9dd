//! What a client can do to Stalwart's log: as text whose quotes are escaped, as text whose quotes are not, and as JSON.

use std::fmt::Write as _;

use fastrand::Rng;
use report::{TlsVersion, UNKNOWN_SENDER};
use serde_json::{Map, Value, json};

use super::grammar::{BOSS, SEEDS, counted, read, text};

const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\", to = [\"",
    "\", accountName = \"boss@x.test",
    "\", remoteIp = 198.51.100.9, remotePort = 7",
    "\", version = \"TLSv1_2",
    "from = \"boss@x.test\", to = [\"x",
    " (queue.authenticated-message-queued) ",
    "2026-11-23T11:00:00Z INFO x (auth.success) ",
    "listenerId = \"smtp\", localPort = 25, remoteIp = 192.0.2.1, remotePort = 7",
    "{\"createdAt\":\"2026-11-23T11:00:00Z\",\"type\":\"auth.success\",\"data\":{",
    "<>",
    "]",
    ", ",
    "\n",
    " ",
    "boss@x.test",
    "x",
    "@x.test",
];

/// What tools put before all lines, or nothing.
const FRONTS: &[&str] = &[
    "",
    "",
    "2026-11-23T11:00:00.123456789Z ",
    "2026-11-23T11:00:00.123456789Z stdout F ",
    "stalwart-1  | ",
    "Nov 23 11:00:00 box 4f2a91c07be3[51234]: ",
    "Nov 23 11:00:00 mail stalwart[7]: ",
];

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Escaped,
    /// Line ends and backslashes are escaped, but no quotes.
    Raw,
    Json,
}

/// A value of a key: a text, or what the server writes without quotes.
enum Said<'a> {
    Text(&'a str),
    Texts(Vec<String>),
    Number(u64),
    Plain(&'static str),
}

/// The connection of ann's.
fn span() -> Vec<(&'static str, Said<'static>)> {
    vec![
        ("listenerId", Said::Text("submission")),
        ("localPort", Said::Number(587)),
        ("remoteIp", Said::Plain("192.0.2.1")),
        ("remotePort", Said::Number(50_123)),
    ]
}

fn quoted(text: &str, form: Form) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if form == Form::Escaped {
        format!("\"{}\"", text.replace('"', "\\\""))
    } else {
        format!("\"{text}\"")
    }
}

fn line(form: Form, kind: &str, keys: Vec<(&str, Said<'_>)>) -> String {
    let keys: Vec<_> = span().into_iter().chain(keys).collect();
    if form == Form::Json {
        let mut data = Map::new();
        for (key, said) in keys {
            data.insert(
                key.to_owned(),
                match said {
                    Said::Text(text) => text.into(),
                    Said::Texts(texts) => texts.into(),
                    Said::Number(number) => number.into(),
                    Said::Plain(plain) => plain.into(),
                },
            );
        }
        let data = Value::Object(data);
        return json!({"id": "1", "createdAt": "2026-11-23T11:00:00Z", "type": kind, "data": data})
            .to_string()
            + "\n";
    }
    let mut line = format!("2026-11-23T11:00:00Z INFO What happened ({kind}) ");
    for (number, (key, said)) in keys.into_iter().enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        let value = match said {
            Said::Text(text) => quoted(text, form),
            Said::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| quoted(text, form)).collect();
                format!("[{}]", texts.join(", "))
            }
            Said::Number(number) => number.to_string(),
            Said::Plain(plain) => plain.to_owned(),
        };
        let _ = write!(line, "{comma}{key} = {value}");
    }
    line + "\n"
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    let mut unknown = 0;
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let form = *rng.choice(&[Form::Escaped, Form::Raw, Form::Json]).expect("three");
        let mut log = line(form, "tls.handshake", vec![("version", Said::Text("TLSv1_3"))]);
        let mut failed = Vec::new();
        let mut noise = |rng: &mut Rng, log: &mut String| {
            for _ in 0..rng.usize(0..3) {
                let said = text(rng, PIECES);
                match rng.u8(0..3) {
                    0 => *log += &line(form, "smtp.ehlo", vec![("domain", Said::Text(&said))]),
                    1 => {
                        *log += &line(
                            form,
                            "smtp.rcpt-to",
                            vec![("to", Said::Text(&said)), ("from", Said::Text(&said))],
                        )
                    }
                    _ => {
                        *log +=
                            &line(form, "auth.failed", vec![("accountName", Said::Text(&said))]);
                        failed.push(said);
                    }
                }
            }
        };
        noise(rng, &mut log);
        log += &line(
            form,
            "auth.success",
            vec![("accountName", Said::Text("ann")), ("accountId", Said::Number(7))],
        );
        noise(rng, &mut log);
        let sender = match rng.u8(0..4) {
            0 => "ann@x.test".to_owned(),
            _ => format!("\"{}\"@x.test", text(rng, PIECES).replace('\n', " ")),
        };
        let sender = if rng.bool() { sender } else { text(rng, PIECES) };
        let recipients = (0..rng.usize(1..3)).map(|_| text(rng, PIECES)).collect();
        log += &line(
            form,
            "queue.authenticated-message-queued",
            vec![
                ("queueId", Said::Number(217_000_000_000_001)),
                ("from", Said::Text(&sender)),
                ("to", Said::Texts(recipients)),
                ("size", Said::Number(7)),
            ],
        );
        noise(rng, &mut log);
        let front = rng.choice(FRONTS).expect("fronts");
        if form != Form::Json {
            log = log.lines().map(|line| format!("{front}{line}\n")).collect();
        }
        let read = read(&log);
        let [(counts, account, client, 1)] = &read.submissions[..] else {
            panic!("seed {seed}: {:?}\n{log}", read.submissions);
        };
        assert_eq!((account.as_str(), client.as_str()), ("ann", "192.0.2.1"), "seed {seed}\n{log}");
        assert_eq!(read.tls, [TlsVersion::Tls13], "seed {seed}\n{log}");
        let is_hers = *counts == counted(&sender) || (sender == "<>" && counts == "<>");
        assert!(is_hers || counts == UNKNOWN_SENDER, "seed {seed}: {counts}\n{log}");
        unknown += u64::from(!is_hers);
        assert_eq!(read.failures.len(), failed.len(), "seed {seed}\n{log}");
        for ((account, client), tried) in read.failures.iter().zip(&failed) {
            assert!(
                account.is_empty() || *account == counted(tried),
                "seed {seed}: {account}\n{log}"
            );
            assert!(account != BOSS || tried == BOSS, "seed {seed}\n{log}");
            assert_eq!(client, "192.0.2.1", "seed {seed}\n{log}");
        }
        assert_eq!(read.rejected, 0, "seed {seed}\n{log}");
    }
    assert!(unknown < SEEDS / 4 * 3, "{unknown} of {SEEDS}");
}
