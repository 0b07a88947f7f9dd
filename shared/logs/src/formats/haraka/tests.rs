use crate::testing::{Collected, read};

const ID: &str = "43E91155-2F70-413B-8F6C-460BDFCB4B6F";

/// A line as each of the forms has it: level, number of the transaction, origin, message and fields.
type Told<'a> = (&'a str, u32, &'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A log in the default form, as pairs, and as objects.
fn forms(lines: &[Told<'_>]) -> [String; 3] {
    let mut logs = [const { String::new() }; 3];
    for (second, (level, number, origin, message, fields)) in lines.iter().enumerate() {
        let time = format!("2026-11-23T11:00:{second:02}.123Z");
        let id = if *number == 0 { ID.to_owned() } else { format!("{ID}.{number}") };
        let quoted = |text: &str| {
            if text.is_empty() || text.contains([' ', '=', '"', '\\']) {
                format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
            } else {
                text.to_owned()
            }
        };
        let pairs: String = fields.iter().map(|(k, v)| format!(" {k}={}", quoted(v))).collect();
        logs[0] += &format!("{time} [{level}] [{id}] [{origin}] {message}{pairs}\n");
        let message_pair = quoted(message);
        logs[1] += &format!(
            "{time} level={level} uuid={id} origin={origin} message={message_pair}{pairs}\n"
        );
        let text = |text: &str| serde_json::to_string(text).expect("text");
        let pairs: String = fields.iter().map(|(k, v)| format!(",\"{k}\":{}", text(v))).collect();
        logs[2] += &format!(
            "{time} {{\"level\":\"{level}\",\"uuid\":\"{id}\",\"origin\":\"{origin}\",\"message\":{}{pairs}}}\n",
            text(message)
        );
    }
    logs
}

fn told(lines: &[Told<'_>]) -> Collected {
    let [first, second, third] = forms(lines).map(|log| read(&log));
    assert_eq!(first, second);
    assert_eq!(first, third);
    first
}

const CONNECT: Told<'_> =
    ("NOTICE", 0, "core", "connect", &[("ip", "192.0.2.1"), ("port", "41872")]);
const SECURED: Told<'_> = (
    "INFO",
    0,
    "tls",
    "secured: cipher=TLS_AES_256_GCM_SHA384 version=TLSv1.3 verified=false",
    &[],
);
const AUTH: Told<'_> = step("AUTH");
const REFUSED: Told<'_> = ("NOTICE", 0, "auth/flat_file", "delaying for 1 seconds", &[]);
const SENDER: Told<'_> =
    ("NOTICE", 1, "core", "sender <Ann@x.test>", &[("code", "CONT"), ("msg", "")]);
const QUEUEING: Told<'_> =
    ("NOTICE", 1, "core", "queue", &[("code", "CONT"), ("msg", "Message Queued (x)")]);
const QUEUED: Told<'_> =
    ("NOTICE", 1, "core", "queue", &[("code", "OK"), ("msg", "Message Queued (x)")]);
const INBOUND: Told<'_> =
    ("INFO", 1, "core", "", &[("hook", "queue"), ("plugin", "x"), ("retval", "OK")]);
const OUTBOUND: Told<'_> =
    ("INFO", 1, "core", "", &[("hook", "queue_outbound"), ("plugin", "x"), ("retval", "OK")]);

const fn step(params: &'static str) -> Told<'static> {
    match params.as_bytes() {
        b"AUTH" => (
            "INFO",
            0,
            "core",
            "",
            &[
                ("hook", "unrecognized_command"),
                ("plugin", "auth/flat_file"),
                ("params", "AUTH"),
                ("retval", "OK"),
            ],
        ),
        _ => (
            "INFO",
            0,
            "core",
            "",
            &[
                ("hook", "unrecognized_command"),
                ("plugin", "auth/flat_file"),
                ("params", "cHc="),
                ("retval", "OK"),
            ],
        ),
    }
}

const STEP: Told<'_> = step("");

const fn end(fields: &'static [(&'static str, &'static str)]) -> Told<'static> {
    ("NOTICE", 1, "core", "disconnect", fields)
}

const END: Told<'_> = end(&[("ip", "192.0.2.1"), ("relay", "Y"), ("tls", "Y"), ("lr", "")]);
const PLAIN_END: Told<'_> = end(&[("ip", "192.0.2.1"), ("relay", "Y"), ("tls", "N"), ("lr", "")]);
const END_OF_STRANGER: Told<'_> =
    end(&[("ip", "192.0.2.1"), ("relay", "N"), ("tls", "Y"), ("lr", "")]);
const REFUSED_END: Told<'_> = end(&[
    ("ip", "192.0.2.1"),
    ("relay", "N"),
    ("tls", "Y"),
    ("lr", "535 5.7.8 Authentication failed"),
]);

#[test]
fn a_message_counts_for_who_may_send_to_everybody() {
    let read = told(&[CONNECT, SECURED, AUTH, STEP, STEP, SENDER, QUEUEING, QUEUED, END]);
    assert_eq!(read.submissions, ["ann@x.test   TLS1.3 192.0.2.1 x1"]);
    let read = told(&[CONNECT, AUTH, SENDER, OUTBOUND, QUEUED, END]);
    assert_eq!(read.submissions, ["ann@x.test   unknown 192.0.2.1 x1"]);
    // A log of notices alone, with TLS from the beginning and without any.
    let read = told(&[CONNECT, SENDER, QUEUED, END]);
    assert_eq!(read.submissions, ["ann@x.test   unknown 192.0.2.1 x1"]);
    let read = told(&[CONNECT, SENDER, QUEUED, PLAIN_END]);
    assert_eq!(read.submissions, ["ann@x.test   none 192.0.2.1 x1"]);
}

#[test]
fn strangers_mail_does_not_count() {
    for lines in [
        // A login is begun, and not ended.
        &[CONNECT, SECURED, AUTH, SENDER, INBOUND, QUEUED, END_OF_STRANGER][..],
        &[CONNECT, SECURED, AUTH, SENDER, QUEUED, END_OF_STRANGER],
        // A host that may send without a login.
        &[CONNECT, SECURED, SENDER, QUEUEING, QUEUED, END],
        // Before the login.
        &[CONNECT, SECURED, SENDER, INBOUND, QUEUED, AUTH, END],
        &[CONNECT, SENDER, QUEUEING, END],
    ] {
        assert_eq!(told(lines).submissions, [""; 0], "{lines:?}");
    }
}

#[test]
fn a_refused_password_is_one_failed_login() {
    let read = told(&[CONNECT, SECURED, AUTH, STEP, REFUSED, STEP, SENDER, QUEUED, REFUSED_END]);
    assert_eq!((read.failures, read.submissions), (vec![" 192.0.2.1".to_owned()], vec![]));
    // In the same line as the command.
    let read = told(&[CONNECT, SECURED, REFUSED, AUTH, AUTH, SENDER, QUEUEING, QUEUED, END]);
    assert_eq!((read.failures.len(), read.submissions.len()), (1, 1));
    // Of a plugin that does not tell.
    let read = told(&[CONNECT, SECURED, AUTH, REFUSED_END]);
    assert_eq!(read.failures, [" 192.0.2.1"]);
}

#[test]
fn a_message_waits_a_minute_for_the_end_of_its_connection() {
    for (before, counted) in [(&[QUEUEING][..], 1), (&[], 0)] {
        let lines = [&[CONNECT, SECURED, AUTH, SENDER][..], before, &[QUEUED]].concat();
        for log in forms(&lines) {
            let (_, own) =
                log.lines().next().and_then(|line| line.split_once(' ')).expect("a time");
            let log = format!("{log}2026-11-23T11:02:00.000Z {own}\n");
            assert_eq!(read(&log).submissions.len(), counted, "{log}");
        }
    }
}

#[test]
fn a_sender_is_what_the_servers_own_fields_stand_behind() {
    for sender in
        ["", "a b@x.test", "boss@x.test> code=CONT msg=\"\" x@x.test", "\"a\\\" b\"@x.test"]
    {
        let message = format!("sender <{sender}>");
        let mail = ("NOTICE", 1, "core", &*message, SENDER.4);
        let read = told(&[CONNECT, SECURED, AUTH, mail, QUEUEING, QUEUED, END]);
        let sender = if sender.is_empty() { "<>".to_owned() } else { sender.to_lowercase() };
        assert_eq!(read.submissions, [format!("{sender}   TLS1.3 192.0.2.1 x1")]);
    }
}

#[test]
fn deliveries_and_other_programs_lines_count_nothing() {
    let lines = [CONNECT, SECURED, AUTH, SENDER, QUEUEING, QUEUED, END];
    for log in forms(&lines) {
        let named = |name: &str| {
            log.lines()
                .map(|line| format!("Nov 23 11:00:00 mail {name}[7]: {line}\n"))
                .collect::<String>()
        };
        for name in ["haraka", "node"] {
            assert_eq!(read(&named(name)).submissions.len(), 1, "{name}");
        }
        assert_eq!(read(&named("sshd")).submissions, [""; 0]);
        let delivery = log.replace(ID, &format!("{ID}.1.1"));
        assert_eq!(read(&delivery).submissions, [""; 0]);
        assert_eq!(read(&log.replace("core", "outbound")).submissions, [""; 0]);
    }
}
