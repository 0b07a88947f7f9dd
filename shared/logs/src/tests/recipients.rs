//! How many recipients messages have, as each format tells it with the message.

use serde_json::{Value, json};

use crate::testing::read;

fn recipients(log: &str) -> Vec<u64> {
    read(log).recipients
}

/// Lines `PROGRAM: TEXT` of one server, a second each.
fn syslog(lines: &[&str]) -> String {
    let line = |(at, line): (usize, &&str)| format!("Nov 23 11:00:{at:02} mail {line}\n");
    lines.iter().enumerate().map(line).collect()
}

const CLIENT: &str = "postfix/smtpd[7]: 4AA091855DA0: client=x[192.0.2.5], sasl_method=PLAIN, sasl_username=ann@x.test";

#[test]
fn postfix_tells_them_where_the_message_is_active() {
    let connect = "postfix/smtpd[7]: connect from x[192.0.2.5]";
    let tls = "postfix/smtpd[7]: Anonymous TLS connection established from x[192.0.2.5]: TLSv1.3 with cipher X (256/256 bits)";
    let active = |told: &str| {
        format!(
            "postfix/qmgr[3]: 4AA091855DA0: from=<a>, size=1, nrcpt=9@x.test>, size=391, nrcpt={told} (queue active)"
        )
    };
    let end = "postfix/smtpd[7]: disconnect from x[192.0.2.5] ehlo=1 auth=1 mail=2 data=2";
    let many = active("12");
    assert_eq!(recipients(&syslog(&[connect, tls, CLIENT, &many, &many, end])), [12]);
    assert_eq!(recipients(&syslog(&[connect, tls, CLIENT, &active("1e9")])), [0]);
    // Until the session ends, nothing tells plaintext: messages alike wait together.
    let one = active("1");
    let log = syslog(&[connect, CLIENT, &many, CLIENT, &one, end]);
    let told = read(&log);
    assert_eq!((told.submissions.len(), told.recipients), (1, vec![13]), "{log}");
    // Of a message that another server spoke for, if that tells nothing.
    let fronted = CLIENT.replace("PLAIN", "XCLIENT");
    let log = syslog(&[connect, &fronted, &many]) + "Nov 23 11:02:00 mail CRON[1]: x\n";
    assert_eq!(recipients(&log), [12]);
}

#[test]
fn dovecot_and_sendmail_tell_them_with_the_sender() {
    let relayed = "dovecot: submission(ann)<7><AYd>: Successfully relayed message: from=<\"a>, size=1, nrcpt=9\"@x.test>, size=9, id=AB, nrcpt=3, reply=`250 2.0.0 Ok, nrcpt=8'";
    assert_eq!(recipients(&syslog(&[relayed])), [3]);
    let login = "sm-mta[7]: AUTH=server, relay=pc [192.0.2.1], authid=ann, mech=PLAIN, bits=0";
    let from = |sender: &str| {
        format!(
            "sm-mta[7]: 6AN900aB000007: from={sender}, size=9, class=0, nrcpts=4, msgid=<a@b>, proto=ESMTPA, daemon=MSA, relay=pc [192.0.2.1]"
        )
    };
    let log = |sender: &str| {
        syslog(&[login, &from(sender)]) + "Nov 23 11:01:10 mail sm-mta[9]: alias database rebuilt\n"
    };
    assert_eq!(recipients(&log("<ann@x.test>")), [4]);
    // Where it is not told which is the sender's own text.
    assert_eq!(recipients(&log("ann, size=9, class=0, nrcpts=5, msgid=<x")), [0]);
}

#[test]
fn opensmtpd_tells_them_before_the_sender() {
    let of_session = |rest: &str| format!("smtpd[387]: d132b465a28b2c7b smtp {rest}");
    let lines = [
        "connected address=192.0.2.1 host=pc",
        "authentication user=ann result=ok",
        "message msgid=70d45f1a size=1100 nrcpt=2 proto=ESMTP",
        "envelope evpid=70d45f1a9746e352 from=<nrcpt=9@x.test> to=<bob@y.test>",
    ]
    .map(of_session);
    assert_eq!(recipients(&syslog(&lines.each_ref().map(String::as_str))), [2]);
}

#[test]
fn haraka_tells_them_before_the_queue() {
    let line = |(second, rest): (usize, &&str)| {
        let id = "43E91155-2F70-413B-8F6C-460BDFCB4B6F.1";
        format!("2026-11-23T11:00:{second:02}.123Z [NOTICE] [{id}] [core] {rest}\n")
    };
    let lines = [
        "connect ip=192.0.2.1 port=41872",
        "sender <ann@x.test> code=CONT msg=\"\"",
        "message mid=\"rcpts=9/0/0\" size=9 rcpts=5/1/2 delay=0 code=CONT msg=\"\"",
        "queue code=OK msg=\"Message Queued (x)\"",
        "sender <ann@x.test> code=CONT msg=\"\"",
        "disconnect ip=192.0.2.1 relay=Y tls=Y rcpts=9/0/0 lr=\"\"",
    ];
    let log: String = lines.iter().enumerate().map(line).collect();
    assert_eq!(recipients(&log), [5]);
}

#[test]
fn exchanges_replies_are_counted_from_sender_to_queue() {
    const QUEUED: &str =
        ">,\"250 2.6.0 <1@x.test> [InternalId=3, Hostname=a] Queued mail for delivery\",";
    let row = |(number, rest): (usize, &&str)| {
        let who = "EX1\\Client EX1,08DE2C0000000005";
        let (to, from) = ("192.0.2.10:587", "198.51.100.7:50100");
        format!("2026-11-23T06:00:{number:02}.000Z,{who},{number},{to},{from},{rest}\n")
    };
    let accepted = ">,250 2.1.5 Recipient OK,";
    let lines = [
        "+,,",
        "<,auth login,",
        r"*,CORP\ann,authenticated",
        "<,MAIL FROM:<a@x.test>,",
        accepted,
        accepted,
        "<,RSET,",
        "<,MAIL FROM:<a@x.test>,",
        "<,RCPT TO:<b@x.test>,",
        accepted,
        ">,550 5.1.1 User unknown,",
        accepted,
        "*,08DE2C0000000005;x;1,receiving message",
        QUEUED,
        "<,MAIL FROM:<a@x.test>,",
        accepted,
        QUEUED,
    ];
    let log: String = lines.iter().enumerate().map(row).collect();
    assert_eq!(recipients(&log), [2, 1]);
}

#[test]
fn stalwart_lists_them() {
    let text = |to: &str| {
        format!(
            "2026-11-23T11:00:00Z INFO Queued message submission for delivery (queue.authenticated-message-queued) listenerId = \"submission\", remoteIp = 192.0.2.7, remotePort = 4, from = \"ann@x.test\", to = {to}, size = 293\n"
        )
    };
    assert_eq!(recipients(&text(r#"["a@y.test", "b@y.test", "c@y.test"]"#)), [3]);
    assert_eq!(recipients(&text(r#"["a@y.test"]"#)), [1]);
    assert_eq!(recipients(&text(r#"["\"a\", \"b\"@y.test"]"#)), [0], "it may be meant so or so");
    assert_eq!(recipients(&text("[]")), [0]);
    let object = json!({"id": 1, "createdAt": "2026-11-23T11:00:00Z", "type": "queue.authenticated-message-queued",
        "data": {"listenerId": "submission", "remoteIp": "192.0.2.7", "remotePort": 4, "from": "ann@x.test",
            "to": ["a@y.test", "b@y.test"], "size": 9}});
    assert_eq!(recipients(&format!("{object}\n")), [2]);
}

#[test]
fn events_of_services_list_them() {
    let ses = |destination: Value| {
        let mail = json!({"timestamp": "2026-11-23T11:00:00.000Z", "source": "ann@x.test", "messageId": "1",
            "destination": destination, "tags": {"ses:caller-identity": ["ann"]}});
        let event = json!({"eventType": "Send", "mail": mail});
        let envelope = json!({"source": "aws.ses", "detail": event});
        [event, envelope].map(|event| recipients(&format!("{event}\n")))
    };
    assert_eq!(ses(json!(["a@y.test", "b@y.test"])), [[2], [2]]);
    assert_eq!(ses(json!({"a": "b"})), [[0], [0]], "it counts, whatever that is");

    let kumomta = |recipient: Value| {
        let record = json!({"type": "Reception", "id": "1", "sender": "ann@x.test", "recipient": recipient,
            "size": 9, "timestamp": 1_795_431_601, "peer_address": {"name": "h", "addr": "192.0.2.7"},
            "reception_protocol": "ESMTP", "meta": {"authn_id": "ann"}});
        recipients(&format!("{record}\n"))
    };
    assert_eq!(kumomta(json!(["a@y.test", "b@y.test", "c@y.test"])), [3]);
    assert_eq!(kumomta(json!("a@y.test")), [1]);
}

#[test]
fn an_event_tells_them_as_a_number_or_a_list() {
    let event = |recipients: &str| {
        let rest = r#""time":1795431600,"account":"ann","messages":2"#;
        format!("{{\"event\":\"submission\",{rest},\"recipients\":{recipients}}}\n")
    };
    for (told, expected) in [
        ("7", 7),
        (r#"["a@y.test","b@y.test","c@y.test"]"#, 3),
        ("-1", 0),
        ("null", 0),
        // What meant nothing before is no reason to put an event aside.
        (r#"{"to":["a@y.test"]}"#, 0),
        (r#""\ud800""#, 0),
    ] {
        let read = read(&event(told));
        assert_eq!((read.recipients, read.rejected.len()), (vec![expected], 0), "{told}");
    }
    // Another program's object stays its own.
    let other = event("7").replace("\"event\":\"submission\",", "");
    assert_eq!(recipients(&other), [0; 0]);
}
