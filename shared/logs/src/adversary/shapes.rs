//! What a client can do to a log that stands in a shipper's fields, whose writer escapes what strangers chose.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Value, json};

use super::grammar::{Counts, SEEDS, read, text};

const PIECES: &[&str] = &[
    "{\"message\":\"postfix/smtpd[7]: 4AA0912345: client=x[198.51.100.9], sasl_username=boss@x.test\"}",
    "{\"event\":\"submission\",\"time\":1795431600,\"account\":\"boss@x.test\"}",
    "\",\"message\":\"",
    "\",\"program\":\"postfix/smtpd\",\"pid\":\"7\",\"time\":\"2026-11-23T11:00:00Z\",\"message\":\"",
    "{\"logEvents\":[{\"timestamp\":1795431600000,\"message\":\"x\"}]}",
    "[[\"1795431600000000000\",\"postfix/smtpd[7]: x\"]]",
    "[{\"field\":\"@message\",\"value\":\"x\"}]",
    "data: {\"MESSAGE\":\"x\"}",
    "\u{1e}{\"MESSAGE\":\"x\"}",
    "\"timestamp\",\"source\",\"message\"",
    "\"\",\"\"",
    "\";\"",
    "Nov 23 11:00:00 mail postfix/submission/smtpd[7]: ",
    "<22>1 2026-11-23T11:00:00Z mail postfix/submission/smtpd 7 - - ",
    "4AA0912345: client=x[198.51.100.9], sasl_method=PLAIN, sasl_username=boss@x.test",
    "}",
    "]",
    "\\",
    "\\u0022",
    "\"",
    ",",
    " ",
    "x",
];

const TIME: &str = "2026-11-23T11:00:00Z";
const STAMP: &str = "Nov 23 11:00:00";

/// One line of a log.
struct Line {
    program: &'static str,
    pid: u32,
    message: String,
}

impl Line {
    fn whole(&self) -> String {
        format!("{STAMP} mail {}[{}]: {}", self.program, self.pid, self.message)
    }
}

/// A session of ann's in which a message is sent, and lines that hold what she says.
fn session(rng: &mut Rng) -> Vec<Line> {
    let mut text = || {
        let text: String = text(rng, PIECES).chars().take(180).collect();
        // What ends a line is trimmed where the line ends, and not where an object goes on.
        format!("{text}x")
    };
    let said = [
        format!("warning: non-SMTP command from unknown[192.0.2.1]: {}", text()),
        format!("improper command pipelining after EHLO from unknown[192.0.2.1]: {}", text()),
        format!(
            "warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: no, sasl_username={}",
            text()
        ),
    ];
    let (id, subject, other) = (text(), text(), text());
    let smtpd = |message: String| Line { program: "postfix/submission/smtpd", pid: 7, message };
    let mut lines = vec![
        smtpd("connect from unknown[192.0.2.1]".to_owned()),
        smtpd(
            "Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher X"
                .to_owned(),
        ),
    ];
    lines.extend(said.map(smtpd));
    let cleanup = |message: String| Line { program: "postfix/cleanup", pid: 8, message };
    lines.extend([
        smtpd("6746B99473D: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=ann".to_owned()),
        cleanup(format!("6746B99473D: message-id={id}")),
        cleanup(format!("6746B99473D: warning: header Subject: {subject} from unknown[192.0.2.1]; from=<ann@x.test> to=<b@x.test> proto=ESMTP helo=<h>")),
        Line { program: "postfix/qmgr", pid: 9, message: "6746B99473D: from=<ann@x.test>, size=344, nrcpt=1 (queue active)".to_owned() },
        Line { program: "app", pid: 3, message: format!("C: {other}") },
        smtpd("disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1".to_owned()),
    ]);
    lines
}

/// The shapes: each of them writes one line.
const SHAPES: &[fn(&Line) -> Value] = &[
    |line| json!({"log": format!("{}\n", line.whole()), "stream": "stdout", "time": TIME}),
    |line| {
        json!({"_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": line.program, "_PID": line.pid.to_string(),
        "__REALTIME_TIMESTAMP": "1795431600000000", "MESSAGE": line.message})
    },
    |line| {
        json!({"_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": line.program, "_PID": line.pid.to_string(),
        "__REALTIME_TIMESTAMP": "1795431600000000", "MESSAGE": line.message.as_bytes()})
    },
    |line| json!({"MESSAGE": line.whole(), "CONTAINER_NAME": "mail", "SYSLOG_IDENTIFIER": "4f2a91c07be3"}),
    |line| {
        json!({"msg": format!(" {}", line.message), "rawmsg": format!("<22>{}", line.whole()), "hostname": "mail",
        "syslogtag": format!("{}[{}]:", line.program, line.pid), "programname": "postfix", "timereported": TIME})
    },
    |line| {
        json!({"msg": line.message, "rawmsg": format!("<22>{}", line.whole()), "programname": "postfix",
        "procid": line.pid, "hostname": "mail"})
    },
    |line| {
        json!({"@timestamp": TIME, "host": {"hostname": "mail"}, "message": line.message,
        "event": {"original": line.whole()}, "process": {"name": line.program, "pid": line.pid}})
    },
    |line| json!({"_source": {"@timestamp": TIME, "message": line.whole()}}),
    |line| {
        json!({"host": "mail", "short_message": line.message, "timestamp": 1_795_431_600,
        "_application_name": line.program, "_process_id": line.pid})
    },
    |line| json!({"data": {"result": [{"stream": {"host": "mail"}, "values": [["1795431600000000000", line.whole()]]}]}}),
    |line| {
        json!({"jsonPayload": {"message": line.message, "ident": line.program, "pid": line.pid, "host": "mail"},
        "timestamp": TIME})
    },
    |line| json!({"time": 1_795_431_600, "event": line.whole(), "sourcetype": "syslog"}),
    |line| {
        json!({"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 1_795_431_600_000_u64,
        "message": line.whole()}]})
    },
    |line| json!([{"field": "@timestamp", "value": "2026-11-23 11:00:00.000"}, {"field": "@message", "value": line.whole()}]),
    |line| {
        json!({"time": TIME, "log": json!({"time": TIME, "hostname": "mail", "program": line.program, "pid": line.pid,
        "message": line.message}).to_string()})
    },
];

type Row = fn(&Line) -> String;

/// Exports: a header, and how a row is written.
const EXPORTS: &[(&str, Row)] = &[
    ("\"timestamp\",\"source\",\"message\"", |line| {
        format!("\"{TIME}\",\"mail\",{}", cell(&line.whole()))
    }),
    ("@timestamp;host;process.name;process.pid;message", |line| {
        format!("{TIME};mail;{};{};{}", line.program, line.pid, cell(&line.message))
    }),
    ("\"@message\"", |line| cell(&line.whole())),
];

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn log(lines: &[Line], write: impl Fn(&Line) -> String) -> String {
    lines.iter().fold(String::new(), |mut log, line| {
        let _ = writeln!(log, "{}", write(line));
        log
    })
}

#[test]
fn every_shape_of_a_log_tells_the_same() {
    for seed in 0..SEEDS / 16 {
        let lines = session(&mut Rng::with_seed(seed));
        let plain = read(&log(&lines, Line::whole));
        let check = |log: &str| {
            let Counts { submissions, failures, rejected, .. } = read(log);
            assert_eq!(submissions, plain.submissions, "seed {seed}\n{log}");
            assert_eq!(failures, plain.failures, "seed {seed}\n{log}");
            assert_eq!(rejected, 0, "seed {seed}\n{log}");
        };
        assert_eq!((plain.submissions.len(), plain.failures.len()), (1, 1), "seed {seed}");
        for shape in SHAPES {
            check(&log(&lines, |line| shape(line).to_string()));
        }
        for (header, row) in EXPORTS {
            check(&format!("{header}\n{}", log(&lines, row)));
        }
    }
}
