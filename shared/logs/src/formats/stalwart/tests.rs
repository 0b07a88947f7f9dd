use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::LogStream;
use crate::testing::{Collected, feed, options, read};

const SPAN: &str =
    r#"listenerId = "submissions", localPort = 465, remoteIp = 192.0.2.7, remotePort = 46466"#;

fn line(what: &str, span: &str, keys: &str) -> String {
    format!("2026-11-23T11:00:00Z INFO Something happened ({what}) {span}, {keys}\n")
}

fn handshake() -> String {
    let keys =
        r#"listenerId = "submissions", version = "TLSv1_3", details = "TLS13_AES_128_GCM_SHA256""#;
    line("tls.handshake", SPAN, keys)
}

fn login(account: &str) -> String {
    line("auth.success", SPAN, &format!("accountName = \"{account}\", accountId = 7"))
}

fn queued(sender: &str) -> String {
    let keys = format!(
        r#"queueId = 217000000000001, from = "{sender}", to = ["x@example.net", "y@example.net"], size = 1234, nextRetry = 2026-11-23T11:00:01Z"#
    );
    line("queue.authenticated-message-queued", SPAN, &keys)
}

const COUNTED: &str = "ann@example.org ann  TLS1.3 192.0.2.7 x1";

#[test]
fn a_message_is_joined_with_its_connection() {
    let log = handshake() + &login("Ann") + &queued("ann@example.org") + &queued("<>");
    assert_eq!(read(&log).submissions, [COUNTED, "<> ann  TLS1.3 192.0.2.7 x1"]);
    let old = log.replace("authenticated-message-queued", "queue-message-authenticated");
    assert_eq!(read(&old).submissions.len(), 2);
    let starttls =
        log.replace("submissions", "submission").replace("465", "587").replace("v1_3", "v1_2");
    assert_eq!(read(&starttls).submissions[0], COUNTED.replace("1.3", "1.2"));
    // Nobody else's message, and no delivery's.
    let others = log.replace("authenticated-message-queued", "message-queued");
    assert_eq!(read(&others), Collected::default());
}

#[test]
fn what_is_not_logged_is_not_known() {
    let message = queued("ann@example.org");
    assert_eq!(read(&message).submissions, ["ann@example.org   unknown 192.0.2.7 x1"]);
    let log = login("ann") + &message;
    assert_eq!(read(&log).submissions, ["ann@example.org ann  unknown 192.0.2.7 x1"]);
    // Another connection of the same address and port, of which less is logged.
    let log = handshake() + &login("ann") + &login("bob") + &message;
    assert_eq!(read(&log).submissions, ["ann@example.org bob  unknown 192.0.2.7 x1"]);
    let log = handshake() + &login("ann") + &handshake() + &message;
    assert_eq!(read(&log).submissions, ["ann@example.org   TLS1.3 192.0.2.7 x1"]);
    for kind in ["smtp.connection-start", "smtp.connection-end"] {
        let log = handshake() + &login("ann") + &line(kind, SPAN, "elapsed = 0ms") + &message;
        assert_eq!(read(&log).submissions, ["ann@example.org   unknown 192.0.2.7 x1"], "{kind}");
    }
    // A connection of another port, and of long ago.
    let log = (handshake() + &login("ann")).replace("46466", "46467") + &message;
    assert_eq!(read(&log).submissions, ["ann@example.org   unknown 192.0.2.7 x1"]);
    let log = handshake() + &login("ann") + &message.replace("11:00:00Z", "12:00:00Z");
    assert_eq!(read(&log).submissions, ["ann@example.org   unknown 192.0.2.7 x1"]);
}

#[test]
fn who_logs_in_before_starttls_stays_logged_in() {
    let log = login("ann") + &queued("ann@example.org") + &handshake() + &queued("ann@example.org");
    let clear = COUNTED.replace("TLS1.3", "unknown");
    assert_eq!(read(&log).submissions, [&*clear, COUNTED]);
}

#[test]
fn one_port_of_a_client_is_two_connections_at_two_ports_of_the_server() {
    let other = |line: String| line.replace("submissions", "submission").replace("= 465", "= 587");
    let log = handshake() + &login("ann") + &other(login("bob")) + &queued("ann@example.org");
    let log = log + &other(queued("bob@example.org"));
    let bobs = "bob@example.org bob  unknown 192.0.2.7 x1";
    assert_eq!(read(&log).submissions, [COUNTED, bobs]);
}

#[test]
fn a_sender_that_can_be_meant_in_two_ways_is_unknown() {
    for sender in [
        r#"\"a b\"@example.org"#,
        r#"boss@example.org", to = ["a"@example.org"#,
        r#"boss@example.org\", to = [\"a"#,
        r#""x"@example.org"#,
        r#"a", remoteIp = 198.51.100.9, from = "boss@example.org"#,
        "",
    ] {
        let log = handshake() + &login("ann") + &queued(sender);
        assert_eq!(read(&log).submissions, ["(unknown) ann  TLS1.3 192.0.2.7 x1"], "{log}");
    }
}

#[test]
fn submissions_through_jmap_are_none_and_unknown_services_are_not_understood() {
    let log = handshake() + &login("ann") + &queued("ann@example.org");
    for (listener, port, understood) in [
        ("https", 443, true),
        ("http", 8080, true),
        ("x", 443, true),
        ("x", 10465, false),
        ("smtp-http", 25, false),
    ] {
        let log = log
            .replace("\"submissions\"", &format!("\"{listener}\""))
            .replace("localPort = 465", &format!("localPort = {port}"));
        let (mut told, mut stream) = (Collected::default(), LogStream::new(options()));
        feed(&mut stream, &log, &mut told);
        assert_eq!(told, Collected::default(), "{log}");
        let not_understood = u64::from(!understood);
        assert_eq!(stream.understanding().not_understood, not_understood, "{log}");
    }
}

#[test]
fn a_line_that_does_not_fit_is_not_understood() {
    for log in [
        queued("ann@example.org").replace("remotePort = 46466", "remotePort = 99999"),
        queued("ann@example.org").replace("remoteIp = 192.0.2.7, ", ""),
        queued("ann@example.org").replace("queue.auth", "queues.auth"),
        queued("ann@example.org").replace(SPAN, ""),
        queued("ann@example.org").replace("INFO", "NOTE"),
    ] {
        let (mut told, mut stream) = (Collected::default(), LogStream::new(options()));
        feed(&mut stream, &log, &mut told);
        assert_eq!(told.submissions, [""; 0], "{log}");
        let understanding = stream.understanding();
        assert_eq!(understanding.not_understood + understanding.others, 1, "{log}");
    }
}

#[test]
fn failed_logins_are_those_of_smtp() {
    let failed = line("auth.failed", SPAN, "accountName = \"ann\", accountId = 7");
    let unknown = line("auth.failed", SPAN, "id = \"x\"");
    let imap = failed.replace("submissions", "imaptls").replace("465", "993");
    let told = read(&(failed + &unknown + &imap));
    assert_eq!(told.failures, ["ann 192.0.2.7", " 192.0.2.7"]);
}

#[test]
fn it_is_read_where_shippers_have_put_it() {
    let log = handshake() + &login("ann") + &queued("ann@example.org");
    let each = |wrap: &dyn Fn(&str) -> String| -> String {
        log.lines().fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "{}", wrap(line));
            all
        })
    };
    for log in [
        each(&|line| json!({"log": format!("{line}\n"), "stream": "stdout"}).to_string()),
        each(&|line| format!("stalwart-1  | {line}")),
        each(&|line| format!("2026-11-23T11:00:00.123456789Z stdout F {line}")),
        each(&|line| format!("2026-11-23T11:00:00.123456789Z {line}")),
        each(&|line| format!("Nov 23 11:00:00 mail stalwart[7]: {line}")),
        each(&|line| format!("Nov 23 11:00:00 mail stalwart[7]: {}", &line[21..])),
        each(&|line| format!("Nov 23 11:00:00 box 4f2a91c07be3[51234]: {line}")),
        each(&|line| {
            json!({"MESSAGE": line, "_COMM": "stalwart-mail", "_PID": "7", "_HOSTNAME": "h"})
                .to_string()
        }),
    ] {
        assert_eq!(read(&log).submissions, [COUNTED], "{log}");
    }
    let other = each(&|line| format!("Nov 23 11:00:00 mail app[7]: {}", &line[21..]));
    assert_eq!(read(&other).submissions, [""; 0]);
}

fn object(what: &str, keys: &Value) -> Value {
    let mut data = json!({"listenerId": "submission", "localPort": 587, "remoteIp": "192.0.2.7", "remotePort": 46466});
    for (key, value) in keys.as_object().expect("an object") {
        data[key] = value.clone();
    }
    json!({"id": "1", "createdAt": "2026-11-23T11:00:00Z", "type": what, "data": data})
}

#[test]
fn events_in_json_are_the_same_and_count_once() {
    let handshake = object("tls.handshake", &json!({"version": "TLSv1_3"}));
    let login = object("auth.success", &json!({"accountName": "ann", "accountId": 7}));
    let queued = object(
        "queue.authenticated-message-queued",
        &json!({"queueId": 217_000_000_000_001_u64, "from": "ann@example.org", "to": ["x\", to = [\""], "size": 7}),
    );
    let hook = json!({"events": [handshake, login, queued]});
    for log in [
        format!("{handshake}\n{login}\n{queued}\n{queued}\n"),
        hook.to_string(),
        format!("{hook}\n{hook}\n"),
        serde_json::to_string_pretty(&hook).expect("JSON"),
        json!({"log": format!("{hook}\n"), "stream": "stdout"}).to_string(),
    ] {
        assert_eq!(read(&log).submissions, [COUNTED], "{log}");
    }
    let forged = queued.to_string().replace("ann@example.org", r#"boss@example.org\", to = [\"a"#);
    let log = format!("{handshake}\n{login}\n{forged}\n");
    assert_eq!(read(&log).submissions, [r#"boss@example.org", to = ["a ann  TLS1.3 192.0.2.7 x1"#]);
}

#[test]
fn a_connection_with_a_number_is_told_by_it_alone() {
    let of = |span: u64, what: &str, keys: Value| {
        let mut object = object(what, &keys);
        object["data"]["spanId"] = span.into();
        format!("{object}\n")
    };
    let handshake = |span, version: &str| of(span, "tls.handshake", json!({"version": version}));
    let login = |span, who: &str| of(span, "auth.success", json!({"accountName": who}));
    let queued = |span, number: u64| {
        let keys = json!({"queueId": number, "from": "x@example.org", "to": ["y@example.net"]});
        of(span, "queue.authenticated-message-queued", keys)
    };
    // Two connections of one address and port after each other, whose events came mixed, and in part again.
    let end = of(1, "smtp.connection-end", json!({}));
    let log = [
        handshake(1, "TLSv1_3") + &login(1, "ann") + &queued(1, 7),
        end + &handshake(2, "TLSv1_2") + &login(2, "bob"),
        handshake(1, "TLSv1_3") + &login(1, "ann") + &queued(1, 7) + &queued(1, 8),
        login(2, "bob") + &queued(2, 9),
    ];
    let (anns, bobs) = ("x@example.org ann  TLS1.3", "x@example.org bob  TLS1.2");
    let counted = [anns, anns, bobs].map(|who| format!("{who} 192.0.2.7 x1"));
    assert_eq!(read(&log.concat()).submissions, counted);
}
