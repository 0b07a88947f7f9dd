//! Whole logs, line by line: each test is named after what the log shows.

use super::testing::{Collected, REFERENCE, feed, options, read};
use super::*;

mod golden;
mod names;
mod recipients;
mod units;

fn smtpd(text: &str) -> String {
    format!("Nov 23 11:00:00 mail postfix/submission/smtpd[7]: {text}\n")
}

fn qmgr(text: &str) -> String {
    format!("Nov 23 11:00:01 mail postfix/qmgr[9]: {text}\n")
}

fn cleanup(text: &str) -> String {
    format!("Nov 23 11:00:01 mail postfix/cleanup[8]: {text}\n")
}

const CONNECT: &str = "connect from unknown[192.0.2.1]";
const TLS13: &str = "Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";
const CLIENT: &str =
    "6746B99473D: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=ann@example.test";
const ACTIVE: &str = "6746B99473D: from=<ann@example.test>, size=344, nrcpt=1 (queue active)";
const SENT: &str = "ann@example.test ann@example.test PLAIN TLS1.3 192.0.2.1 x1";

#[test]
fn an_object_behind_a_front_is_one_for_the_format_of_objects_too() {
    let event = r#"{"event":"submission","time":"2026-11-23T10:00:00Z","account":"ann@x.test","sender":"ann@x.test"}"#;
    let options = Options { format: Format::Events, ..options() };
    for front in [
        "",
        "mail-1  | ",
        "2026-11-23T10:00:00.1Z ",
        "2026-11-23T10:00:00.1Z stdout F ",
        "<134>1 2026-11-23T10:00:00Z mail haraka 7 - - ",
    ] {
        let mut collected = Collected::default();
        let line = format!("{front}{event}\n");
        feed(&mut LogStream::new(options), &line, &mut collected);
        assert_eq!(collected.rejected, Vec::<String>::new(), "{line}");
        assert_eq!(collected.submissions.len(), 1, "{line}");
    }
    let mut collected = Collected::default();
    feed(&mut LogStream::new(options), "a line\n", &mut collected);
    assert_eq!(collected.rejected, ["not a JSON object"]);
}

#[test]
fn retries_of_deferred_mail_are_not_counted_again() {
    let log = [
        smtpd(CONNECT),
        smtpd(TLS13),
        smtpd(CLIENT),
        qmgr(ACTIVE),
        smtpd("disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1"),
        qmgr(ACTIVE),
        qmgr(ACTIVE),
    ];
    assert_eq!(read(&log.concat()).submissions, [SENT]);
}

#[test]
fn the_queue_manager_may_come_after_the_disconnect() {
    let log = [
        smtpd(TLS13),
        smtpd(CLIENT),
        smtpd("disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1"),
        qmgr(ACTIVE),
    ];
    assert_eq!(read(&log.concat()).submissions, [SENT]);
}

#[test]
fn a_transaction_given_up_is_not_counted_when_its_queue_id_is_used_again() {
    let log = [
        smtpd(TLS13),
        smtpd(CLIENT),
        smtpd("disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 quit=1"),
        qmgr(ACTIVE),
    ];
    assert_eq!(read(&log.concat()), Collected::default());
    let other_owner = [
        smtpd(TLS13),
        smtpd(CLIENT),
        "Nov 23 11:00:02 mail postfix/pickup[3]: 6746B99473D: uid=0 from=<root>\n".to_owned(),
        qmgr(ACTIVE),
    ];
    assert_eq!(read(&other_owner.concat()), Collected::default());
    let other_client = [
        smtpd(TLS13),
        smtpd(CLIENT),
        "Nov 23 11:00:02 mail postfix/smtpd[3]: 6746B99473D: client=mx[192.0.2.9]\n".to_owned(),
        qmgr(ACTIVE),
    ];
    assert_eq!(read(&other_client.concat()), Collected::default());
}

#[test]
fn without_a_tls_line_the_disconnect_tells_plaintext_from_unknown() {
    for (program, end, tls) in [
        ("postfix/smtpd", " ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1", "none"),
        ("postfix/smtpd", " ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1", "unknown"),
        ("postfix/smtps/smtpd", " ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1", "unknown"),
        ("postfix/submissions/smtpd", " ehlo=1 auth=1 data=1 quit=1", "unknown"),
        ("postfix/smtpd", "", "unknown"),
    ] {
        let line = |text: &str| format!("Nov 23 11:00:00 mail {program}[7]: {text}\n");
        let end = line(&format!("disconnect from unknown[192.0.2.1]{end}"));
        let log = [line(CONNECT), line(CLIENT), qmgr(ACTIVE), end].concat();
        let expected = format!("ann@example.test ann@example.test PLAIN {tls} 192.0.2.1 x1");
        assert_eq!(read(&log).submissions, [expected], "{log}");
    }
}

#[test]
fn mail_sent_before_starttls_was_plaintext() {
    let log = [smtpd(CONNECT), smtpd(CLIENT), qmgr(ACTIVE), smtpd(TLS13)].concat();
    assert_eq!(read(&log).submissions, [SENT.replace("TLS1.3", "none")]);
}

#[test]
fn a_session_that_never_ends_is_settled_by_the_next_of_its_process() {
    let log = [smtpd(CONNECT), smtpd(CLIENT), qmgr(ACTIVE), smtpd(CONNECT)].concat();
    assert_eq!(read(&log).submissions, [SENT.replace("TLS1.3", "unknown")]);
}

#[test]
fn a_silent_session_ends_by_the_logs_own_time() {
    let late = "Nov 23 12:30:00 mail postfix/smtpd[5]: connect from unknown[192.0.2.2]\n";
    let early = |line: String| line.replace("Nov 23 11", "Nov 22 11");
    let log = [early(smtpd(CONNECT)), early(smtpd(CLIENT)), early(qmgr(ACTIVE)), late.to_owned()];
    assert_eq!(read(&log.concat()).submissions, [SENT.replace("TLS1.3", "unknown")]);
}

#[test]
fn the_end_of_a_log_settles_what_waits() {
    let mut stream = LogStream::new(options());
    let mut collected = Collected::default();
    let log = [smtpd(CONNECT), smtpd(CLIENT), qmgr(ACTIVE)].concat();
    feed(&mut stream, &log, &mut collected);
    assert_eq!(collected, Collected::default());
    stream.close(99, &mut collected);
    assert_eq!(collected.submissions, [SENT.replace("TLS1.3", "unknown")]);
    assert_eq!(stream.load(), Load::default());
}

#[test]
fn held_mail_counts_when_it_is_held_and_not_again_when_released() {
    let hold = "6746B99473D: hold: header Subject: x from unknown[192.0.2.1]; from=<Ann@example.test> to=<b@x.test> proto=ESMTP helo=<h>: y";
    let end = "disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1";
    let log = [smtpd(TLS13), smtpd(CLIENT), cleanup(hold), smtpd(end), qmgr(ACTIVE)].concat();
    assert_eq!(read(&log).submissions, [SENT]);
}

#[test]
fn mail_held_before_its_content_counts_only_with_content() {
    let hold = "6746B99473D: hold: RCPT from unknown[192.0.2.1]: <b@x.test>: y; from=<ann@example.test> to=<b@x.test> proto=ESMTP helo=<h>";
    let end =
        |data| format!("disconnect from unknown[192.0.2.1] ehlo=2 auth=1 mail=2 rcpt=2{data}");
    let given_up = [smtpd(TLS13), smtpd(CLIENT), smtpd(hold), smtpd(&end(""))].concat();
    assert_eq!(read(&given_up), Collected::default());
    let second = CLIENT.replace("6746B", "6746C");
    let replaced = [
        smtpd(TLS13),
        smtpd(CLIENT),
        smtpd(hold),
        smtpd(&second),
        smtpd(&end(" data=1")),
        qmgr(&ACTIVE.replace("6746B", "6746C")),
    ];
    assert_eq!(read(&replaced.concat()).submissions, [SENT]);
    let content = cleanup("6746B99473D: message-id=<x@example.test>");
    let kept = [smtpd(TLS13), smtpd(CLIENT), smtpd(hold), content, smtpd(&end(" data=1"))];
    assert_eq!(read(&kept.concat()).submissions, [SENT]);
}

#[test]
fn mail_held_or_discarded_at_its_first_recipient_counts_once_it_was_accepted() {
    for action in ["hold", "discard"] {
        let early = format!(
            "NOQUEUE: {action}: RCPT from unknown[192.0.2.1]: <b@x.test>: y; from=<ann@example.test> to=<b@x.test> proto=ESMTP helo=<h>"
        );
        let end = |data| format!("disconnect from unknown[192.0.2.1] ehlo=2 mail=1 rcpt=1{data}");
        let given_up = [smtpd(TLS13), smtpd(&early), smtpd(CLIENT), smtpd(&end(""))].concat();
        assert_eq!(read(&given_up), Collected::default());
        let sent = [smtpd(TLS13), smtpd(&early), smtpd(CLIENT), smtpd(&end(" data=1"))].concat();
        assert_eq!(read(&sent).submissions, [SENT]);
    }
}

#[test]
fn a_before_queue_proxy_accepts_by_itself() {
    let client =
        "NOQUEUE: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=ann@example.test";
    let accept = "NOQUEUE: proxy-accept: END-OF-MESSAGE from unknown[192.0.2.1]: 250 2.0.0 Ok: queued as 7AB12; from=<ann@example.test> to=<b@x.test> proto=ESMTP helo=<h>";
    let inner = "Nov 23 11:00:00 mail postfix/10025/smtpd[8]: 7AB12: client=localhost[127.0.0.1], orig_client=unknown[192.0.2.1]\n";
    let active = qmgr("7AB12: from=<ann@example.test>, size=344, nrcpt=1 (queue active)");
    let log = [
        smtpd(TLS13),
        smtpd(client),
        inner.to_owned(),
        active,
        smtpd(accept),
        smtpd(&accept.replace("proxy-accept", "proxy-reject")),
        smtpd(client),
        smtpd(&accept.replacen("NOQUEUE: ", "", 1)),
    ];
    assert_eq!(read(&log.concat()).submissions, [SENT, SENT]);
}

#[test]
fn an_author_that_a_client_names_is_no_re_injection() {
    let client = format!("{CLIENT}, sasl_sender=\"x, orig_queue_id=4AA0912345\"");
    let log = [smtpd(TLS13), smtpd(&client), qmgr(ACTIVE)].concat();
    assert_eq!(read(&log).submissions, [SENT]);
}

#[test]
fn a_sender_that_imitates_anothers_envelope_is_never_that_other() {
    let end = "disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1";
    let others = SENT.replacen("ann@example.test", "boss@example.test", 1);
    for forged in [
        "boss@example.test> proto=ESMTP helo=<h> x@x.test",
        "boss@example.test> proto=ESMTP helo=<h",
        "boss@example.test> to=<z@x.test> proto=ESMTP helo=<h> x@x.test",
        "boss@example.test> to=<z@x.test",
        "the boss@example.test> proto=ESMTP helo=<h> x@x.test",
    ] {
        let tail = "proto=ESMTP helo=<h>";
        let discard = format!(
            "NOQUEUE: discard: MAIL from unknown[192.0.2.1]: <x>: Sender address triggers DISCARD action; from=<{forged}> {tail}"
        );
        let discarded = [smtpd(TLS13), smtpd(&discard), smtpd(CLIENT), smtpd(end)].concat();
        let client = CLIENT.replace("6746B99473D", "NOQUEUE");
        let accept = format!(
            "NOQUEUE: proxy-accept: END-OF-MESSAGE from unknown[192.0.2.1]: 250 2.0.0 Ok; from=<{forged}> to=<b@x.test> {tail}"
        );
        let proxied = [smtpd(TLS13), smtpd(&client), smtpd(&accept)].concat();
        for log in [discarded, proxied] {
            // It counts for nobody, or for all that the client wrote.
            let [sent] = &read(&log).submissions[..] else { panic!("one message: {log}") };
            assert!(*sent != others && !sent.ends_with(&format!(" {others}")), "{log}");
            let whole = forged.to_lowercase();
            assert!(sent.starts_with("(unknown) ") || sent.starts_with(&whole), "{sent} {log}");
        }
    }
}

#[test]
fn held_and_proxied_mail_is_never_in_the_name_of_who_it_is_not_from() {
    let end = "disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1";
    let quoted = r#""; from=<boss@x.test> to=<z"@x.test"#;
    for (to, sent) in [
        (quoted.to_owned(), SENT.to_owned()),
        (quoted.replace('"', ""), SENT.replacen("ann@example.test", "(unknown)", 1)),
    ] {
        let envelope = format!("; from=<ann@example.test> to=<{to}> proto=ESMTP helo=<h>");
        let hold =
            format!("6746B99473D: hold: header Subject: x from unknown[192.0.2.1]{envelope}: y");
        let held = [smtpd(TLS13), smtpd(CLIENT), cleanup(&hold), smtpd(end)].concat();
        let discard = format!(
            "NOQUEUE: discard: RCPT from unknown[192.0.2.1]: <x>: Recipient address triggers DISCARD action{envelope}"
        );
        let discarded = [smtpd(TLS13), smtpd(&discard), smtpd(CLIENT), smtpd(end)].concat();
        let client = CLIENT.replace("6746B99473D", "NOQUEUE");
        let accept = format!(
            "NOQUEUE: proxy-accept: END-OF-MESSAGE from unknown[192.0.2.1]: 250 2.0.0 Ok: queued as 7AB12{envelope}"
        );
        let proxied = [smtpd(TLS13), smtpd(&client), smtpd(&accept)].concat();
        for log in [held, discarded, proxied] {
            assert_eq!(read(&log).submissions, [sent.as_str()], "{log}");
        }
    }
}

#[test]
fn refused_and_cancelled_messages_are_not_counted() {
    for refusal in [
        cleanup(
            "6746B99473D: milter-reject: END-OF-MESSAGE from unknown[192.0.2.1]: 5.7.1 no; from=<a@x.test>",
        ),
        cleanup("6746B99473D: canceled"),
        cleanup("6746B99473D: reject: header Subject: x from unknown[192.0.2.1]; from=<a@x.test>"),
        smtpd("warning: 6746B99473D: queue file size limit exceeded"),
    ] {
        let log = [smtpd(TLS13), smtpd(CLIENT), refusal, qmgr(ACTIVE)].concat();
        assert_eq!(read(&log), Collected::default(), "{log}");
    }
}

#[test]
fn text_of_a_clients_choice_proves_nothing() {
    let fake = "6746B99473D: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=fake@evil.test";
    for line in [
        smtpd(&format!("improper command pipelining after EHLO from x[192.0.2.1]: {fake}")),
        smtpd(&format!("warning: non-SMTP command from unknown[192.0.2.1]: {fake}")),
        cleanup(&format!("7746B99473D: warning: header Subject: {fake} from x[192.0.2.1]")),
        smtpd(&format!("NOQUEUE: reject: RCPT from x[192.0.2.1]: 554; helo=<{fake}>")),
        smtpd(
            "NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 no sasl_username=<fake@evil.test>",
        ),
        format!("Nov 23 11:00:00 mail dovecot: imap-login: postfix/smtpd[7]: {fake}\n"),
        format!("Nov 23 11:00:00 mail postfix/smtp[7]: {fake}\n"),
    ] {
        let log = [line, qmgr(ACTIVE)].concat();
        assert_eq!(read(&log), Collected::default(), "{log}");
    }
}

#[test]
fn two_hosts_do_not_meet() {
    let other = |line: String| line.replace(" mail ", " mail2 ");
    let log = [smtpd(TLS13), smtpd(CLIENT), other(qmgr(ACTIVE))].concat();
    assert_eq!(read(&log), Collected::default());
}

#[test]
fn failed_logins_are_told_with_account_and_client() {
    let log = [
        smtpd("warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"),
        smtpd(
            "warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: x, sasl_username=Ann",
        ),
        smtpd("warning: SASL authentication failure: incorrect digest response"),
    ];
    assert_eq!(read(&log.concat()).failures, [" 192.0.2.1", "ann 192.0.2.1"]);
}

#[test]
fn journald_and_docker_wrap_the_same_lines() {
    let journal = |program: &str, message: &str| {
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1795431600000000\",\"_HOSTNAME\":\"mail\",\"SYSLOG_IDENTIFIER\":\"{program}\",\"_PID\":\"7\",\"MESSAGE\":\"{message}\"}}\n"
        )
    };
    let log = [
        journal("postfix/smtpd", TLS13),
        journal("postfix/smtpd", CLIENT),
        journal("postfix/qmgr", ACTIVE),
    ];
    assert_eq!(read(&log.concat()).submissions, [SENT]);

    let shipped = |message: &str| format!("{{\"log\":\"{}\"}}\n", message.trim_end());
    let log = [smtpd(TLS13), smtpd(CLIENT), qmgr(ACTIVE)].map(|line| shipped(&line));
    assert_eq!(read(&log.concat()).submissions, [SENT]);

    let bytes = r#"{"MESSAGE":[99,111],"SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":7}"#;
    assert_eq!(read(bytes), Collected::default());
}

#[test]
fn a_message_without_process_id_has_no_known_tls_version() {
    let line = |program: &str, message: &str| {
        format!("{{\"time\":1795431600,\"program\":\"{program}\",\"message\":\"{message}\"}}\n")
    };
    let log =
        [line("postfix/smtpd", TLS13), line("postfix/smtpd", CLIENT), line("postfix/qmgr", ACTIVE)];
    assert_eq!(read(&log.concat()).submissions, [SENT.replace("TLS1.3", "unknown")]);
}

#[test]
fn headers_may_be_stripped_or_exported_with_commas() {
    for header in ["", "mail ", "2026-11-23 11:00:00 mail ", "<22>Nov 23 11:00:00 mail "] {
        let line = |text: &str| format!("{header}postfix/smtpd[7]: {text},,,,,\n");
        let log = [line(TLS13), line(CLIENT), format!("{header}postfix/qmgr[9] {ACTIVE},,,\n")];
        assert_eq!(read(&log.concat()).submissions, [SENT], "{header:?}");
    }
}

#[test]
fn exim_through_syslog_and_alone() {
    let line = "1xVWoN-0001PO-2u <= ann@example.test H=(h) [192.0.2.1] P=esmtpsa X=TLS1.3:x:256 A=plain:ann@example.test S=1";
    for header in [
        "2026-11-23 11:00:00 ",
        "2026-11-23 11:00:00.123 +0100 [77] ",
        "Nov 23 11:00:00 mail exim[77]: ",
        "Nov 23 11:00:00 mail exim[77]: 2026-11-23 11:00:00 ",
        "2026-11-23T11:00:00+01:00 mail exim4[8003]: [8003] ",
        "",
    ] {
        let log = format!("{header}{line}");
        assert_eq!(read(&log).submissions, [SENT], "{log}");
    }
    let failed = "2026-11-23 11:00:00 plain authenticator failed for (h) [192.0.2.1]: 535 Incorrect authentication data (set_id=ann)";
    assert_eq!(read(failed).failures, ["ann 192.0.2.1"]);
}

#[test]
fn events_need_only_a_time_and_a_name() {
    let log = r#"
        {"time":"2026-11-23T11:00:00Z","sender":"Ann@example.test"}
        {"time":1795431600,"account":"ann","tls":"TLSv1.2","mechanism":"login","client":"192.0.2.1","messages":3}
        {"time":1795431600.5,"sender":"","account":"ann@example.test","tls":"none"}
        {"event":"auth_failure","time":"2026-11-23T12:00:00+01:00","account":"Ann"}
        [{"time":1795431600,"sender":"a@x.test"},{"time":1795431600,"sender":"b@x.test"}]
        [
        {"time":1795431600,"sender":"c@x.test"},
        {"time":1795431600,"sender":"d@x.test"}]
        {"level":"info","msg":"some other program"}
    "#;
    let read = read(log);
    assert_eq!(
        read.submissions,
        [
            "ann@example.test   unknown  x1",
            "(unknown) ann LOGIN TLS1.2 192.0.2.1 x3",
            "<> ann@example.test  none  x1",
            "a@x.test   unknown  x1",
            "b@x.test   unknown  x1",
            "c@x.test   unknown  x1",
            "d@x.test   unknown  x1",
        ]
    );
    assert_eq!(read.failures, ["ann "]);
    assert_eq!(read.rejected, [""; 0]);
}

#[test]
fn bad_events_are_rejected_with_a_reason() {
    for (line, reason) in [
        (r#"{"time":"yesterday","sender":"a@x.test"}"#, "time \"yesterday\" is neither"),
        (r#"{"time":"2026-11-23T11:00:00","sender":"a@x.test"}"#, "RFC 3339 with an offset"),
        (r#"{"event":"submission","sender":"a@x.test"}"#, "time is missing"),
        (r#"{"event":"submission","time":1795431600}"#, "neither sender nor account"),
        (r#"{"time":1795431600,"sender":"a@x.test","messages":0}"#, "messages 0 is no"),
        (r#"{"time":1795431600,"sender":"a@x.test","tls":"TLS9"}"#, "tls \"tls9\" is none of"),
        (r#"{"time":1795431600,"sender":"a@x.test","client":"home"}"#, "is no IP address"),
        (r#"{"time":1795431600,"sender":7}"#, "sender 7 is no text"),
        (r#"{"time":1795431600,"sender":"a@x.t"#, "not a JSON object"),
    ] {
        let read = read(line);
        assert!(read.rejected[0].contains(reason), "{line}: {:?}", read.rejected);
        assert!(read.submissions.is_empty());
    }
}

#[test]
fn memory_is_bounded_and_what_was_accepted_is_not_lost() {
    let mut stream = LogStream::new(options());
    let mut collected = Collected::default();
    let sessions = 20_000;
    for pid in 0..sessions {
        let log = [
            format!("mail postfix/smtpd[{pid}]: {CONNECT}\n"),
            format!(
                "mail postfix/smtpd[{pid}]: {}\n",
                CLIENT.replace("6746B", &format!("{pid:05X}"))
            ),
            format!("mail postfix/qmgr[1]: {}\n", ACTIVE.replace("6746B", &format!("{pid:05X}"))),
            format!("host{pid} postfix/smtpd[{pid}]: {CONNECT}\n"),
        ];
        feed(&mut stream, &log.concat(), &mut collected);
    }
    assert!(stream.load().evicted > 0);
    assert!(stream.save().len() < 400_000, "{}", stream.save().len());
    stream.close(0, &mut collected);
    assert_eq!(collected.submissions.len(), sessions);
}

#[test]
fn what_cannot_be_used_of_a_state_is_handed_back_and_reading_goes_on() {
    let mut stream = LogStream::new(options());
    feed(&mut stream, &[smtpd(TLS13), smtpd(CLIENT)].concat(), &mut Collected::default());
    let state = stream.save();
    assert_eq!(LogStream::restore(options(), &state).1, []);
    for cut in 1..state.len() {
        let (mut stream, unreadable) = LogStream::restore(options(), &state[..cut]);
        assert_eq!(unreadable[0].bytes, &state[..cut], "cut at {cut}");
        feed(
            &mut stream,
            &[smtpd(CONNECT), smtpd(CLIENT), qmgr(ACTIVE)].concat(),
            &mut Collected::default(),
        );
        assert_eq!(stream.load().sessions, 1);
    }
    for at in 0..state.len() {
        let mut state = state.clone();
        state[at] ^= 0x55;
        let (mut stream, _) = LogStream::restore(options(), &state);
        feed(&mut stream, &qmgr(ACTIVE), &mut Collected::default());
        stream.close(0, &mut Collected::default());
    }
    let unreadable = LogStream::restore(options(), &[9, 9]).1;
    let words = "what was remembered of all formats cannot be used: it has version 9, and this program reads up to 2";
    assert_eq!(unreadable[0].to_string(), words);
}

#[test]
fn sections_of_formats_of_a_later_version_are_kept_and_take_room() {
    let section = |format: &str, version, length| saved::Section {
        format: format.to_owned(),
        version,
        bytes: vec![7; length],
    };
    let later = section("later", 3, 200_000);
    let state = saved::write(&[later.clone(), section("postfix", 200, 5)]);
    let (mut stream, unreadable) = LogStream::restore(options(), &state);
    let lost: Vec<_> = unreadable.iter().map(|lost| lost.section.as_deref()).collect();
    assert_eq!(lost, [Some("postfix")], "a section that this format cannot read is no one's");
    for pid in 0..3000 {
        let log = format!("mail postfix/smtpd[{pid}]: {CONNECT}\n");
        feed(&mut stream, &log, &mut Collected::default());
    }
    assert!(stream.load().evicted > 0, "both share one budget");
    let state = stream.save();
    assert!(state.len() < 310_000, "{}", state.len());
    let sections = saved::read(&state).expect("its own state");
    assert!(sections.contains(&later));
}

/// Accepted messages wait for later lines in other formats than Postfix's, without a session that is open.
#[test]
fn what_the_end_of_a_log_settles_is_known_before() {
    let fronted = "6746B99473D: client=unknown[192.0.2.1], sasl_method=XCLIENT, sasl_username=ann";
    let end = "disconnect from x[192.0.2.9] ehlo=1 xclient=1 mail=1 rcpt=1 data=1 quit=1";
    let id = "000000000000098B.000000006B07DD1E.0000038E";
    for (log, messages) in [
        (
            format!(
                "Nov 23 11:00:00 mail courierd: newmsg,id={id}, auth=ann: dns; x ([192.0.2.1])"
            ),
            1,
        ),
        (smtpd(fronted) + &qmgr(ACTIVE) + &smtpd(end), 1),
        (smtpd(CONNECT) + &smtpd(CLIENT) + &qmgr(ACTIVE), 1),
        (smtpd(CONNECT) + &smtpd(TLS13) + &smtpd(CLIENT), 0),
    ] {
        let (mut stream, mut collected) = (LogStream::new(options()), Collected::default());
        feed(&mut stream, &log, &mut collected);
        assert!(stream.waits_for_end() && collected.submissions.is_empty(), "{log}");
        stream.close(99, &mut collected);
        assert!(!stream.waits_for_end(), "{log}");
        assert_eq!(collected.submissions.len(), messages, "{log}");
    }
    let (mut stream, mut collected) = (LogStream::new(options()), Collected::default());
    feed(&mut stream, &(smtpd(fronted) + &smtpd(end)), &mut collected);
    assert!(!stream.waits_for_end(), "a message that was not accepted waits for no end");
}

#[test]
fn an_object_is_an_event_only_by_its_own_mark() {
    for line in [
        r#"{"account":"123456789012"}"#,
        r#"{"event":"startup","account":"ann","time":1795431600}"#,
        r#"{"event":"startup"}"#,
        r#"{"event":7,"sender":"a@x.test","time":1795431600}"#,
        r#"{"time":1795431600,"account":"ann","level":"info"}"#,
        r#"{"sender":"a@x.test"}"#,
    ] {
        assert_eq!(read(line), Collected::default(), "{line}");
    }
    let wrapped = |line: String| {
        format!("{}\n", serde_json::json!({"account": "123456789012", "message": line.trim_end()}))
    };
    let log = [smtpd(TLS13), smtpd(CLIENT), qmgr(ACTIVE)].map(wrapped);
    assert_eq!(read(&log.concat()).submissions, [SENT]);
    let marked = r#"{"event":"submission","time":1795431600,"sender":"a@x.test","queue":"x"}"#;
    assert_eq!(read(marked).submissions, ["a@x.test   unknown  x1"]);
}

#[test]
fn an_event_that_a_clients_bytes_have_damaged_is_put_aside() {
    for line in [
        &b"{\"event\":\"submission\",\"time\":1795431600,\"account\":\"ann\",\"sender\":\"b\xff@x.test\"}"[..],
        br#"{"event":"submission","time":1795431600,"account":"ann","sender":"b\ud800@x.test"}"#,
        br#"{"event":"submission","time":1795431600,"account":"ann","account":"bob"}"#,
        br#"{"event":"submission","time":1795431600,"account":"ann","messages":1e999}"#,
        b"{\"time\":1795431600,\"account\":\"ann\",\"sender\":\"b\xff@x.test\"}",
        br#"{"time":1795431600,"account":"ann","account":"bob"}"#,
    ] {
        let mut collected = Collected::default();
        let arrival = Arrival::in_record(0, REFERENCE);
        LogStream::new(options()).line(line, arrival, &mut collected);
        let line = String::from_utf8_lossy(line);
        assert!(collected.rejected[0].starts_with("not a JSON object: "), "{line}: {collected:?}");
        assert!(collected.submissions.is_empty(), "{line}");
    }
}

#[test]
fn a_record_that_could_not_be_decoded_is_put_aside_with_the_reason() {
    let line = r#"{"undecoded":"damaged gzip data","record":"4954"}"#;
    let collected = read(line);
    assert_eq!(collected.rejected, ["damaged gzip data"]);
    for other in [format!("Nov 23 11:00:00 mail app[7]: {line}"), line.replace('4', "") + "}"] {
        assert_eq!(read(&other).rejected.len(), usize::from(other.starts_with('{')), "{other}");
    }
}

#[test]
fn a_helo_argument_in_exims_log_does_not_become_a_header() {
    let client =
        "6746B99473D: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=v@example.test";
    let arrival = "1xVWoN-0001PO-2u <= v@example.test H=(h) [192.0.2.9] P=esmtpsa A=plain:v S=1";
    for line in [
        format!("2026-11-23 11:00:00 H=(x/smtpd[7]: {client}"),
        format!("2026-11-23 11:00:00 H=(a postfix/smtpd[7]: {client}"),
        format!("2026-11-23 11:00:00 H=mx.evil.test (a/smtpd[7]: {client}"),
        format!("2026-11-23 11:00:00 H=(x/exim: {arrival}"),
        format!(
            "2026-11-23 11:00:00 H=(x: <22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 - - {client}"
        ),
        format!("2026-11-23 11:00:00 H=(x: <22>1 2026-11-23T12:00:00Z mail exim 12 - - {arrival}"),
        format!("Nov 23 11:00:00 mail exim[7]: 2026-11-23 11:00:00 H=(x/smtpd[7]: {client}"),
    ] {
        let log = format!("{line}\n{}", qmgr(ACTIVE));
        for format in Format::ALL {
            let mut stream = LogStream::new(Options { format: *format, ..options() });
            let mut collected = Collected::default();
            feed(&mut stream, &log, &mut collected);
            assert_eq!(collected.submissions, [""; 0], "{format}: {log}");
        }
    }
}

#[test]
fn wrappings_come_off_in_any_depth_and_order() {
    let event = r#"{"event":"submission","time":1795431600,"sender":"ann@example.test","account":"ann@example.test","mechanism":"PLAIN","tls":"TLS1.3","client":"192.0.2.1"}"#;
    let docker = |text: &str| {
        serde_json::json!({"log": text, "stream": "stdout", "time": "2026-11-23T11:00:00.5Z"})
            .to_string()
    };
    let journald = |text: &str| {
        serde_json::json!({"MESSAGE": text, "SYSLOG_IDENTIFIER": "app", "_PID": "3",
            "__REALTIME_TIMESTAMP": "1795431600000000", "_HOSTNAME": "box"})
        .to_string()
    };
    let rfc3164 = |text: &str| format!("Nov 23 11:00:00 box app[3]: {text}");
    let rfc5424 = |text: &str| format!("<22>1 2026-11-23T11:00:00Z box app 3 - - {text}");
    let wrappings: [&dyn Fn(&str) -> String; 4] = [&docker, &journald, &rfc3164, &rfc5424];
    for outer in wrappings {
        assert_eq!(read(&outer(event)).submissions, [SENT], "{}", outer(event));
        for inner in wrappings {
            let line = outer(&inner(event));
            assert_eq!(read(&line).submissions, [SENT], "{line}");
            let log = [smtpd(TLS13), smtpd(CLIENT), qmgr(ACTIVE)];
            let log = log.map(|line| outer(&inner(line.trim_end())) + "\n").concat();
            assert_eq!(read(&log).submissions, [SENT], "{log}");
        }
    }
    let deep = (0..9).fold(event.to_owned(), |text, _| docker(&text));
    assert_eq!(read(&deep), Collected::default(), "too deep is nothing");
}

#[test]
fn what_another_program_logs_does_not_pass_for_a_mail_servers_line() {
    let fake = "postfix/smtpd[7]: 6746B99473D: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=fake@evil.test";
    let whole = format!("Nov 23 11:00:00 {fake}");
    let json = serde_json::json!({"program": "postfix/smtpd", "message": CLIENT}).to_string();
    let unmarked = r#"{"time":1795431600,"account":"victim","messages":1000000000}"#;
    for log in [format!("C: {whole}"), format!("app[3]: {json}"), format!("C: {unmarked}")] {
        assert_eq!(read(&format!("{log}\n{}", qmgr(ACTIVE))), Collected::default(), "{log}");
    }
    for header in ["mail app[3]: ", "Nov 23 11:00:00 mail app[3]: ", "Nov 23 11:00:00 mail app: "] {
        for text in
            [fake.to_owned(), format!("mail {fake}"), serde_json::json!({"log": fake}).to_string()]
        {
            let log = format!("{header}{text}\n{}", qmgr(ACTIVE));
            assert_eq!(read(&log), Collected::default(), "{log}");
        }
    }
}

#[test]
fn what_a_transport_wraps_keeps_the_transports_host_where_it_names_none() {
    let behind = |host: &str, line: &str| {
        format!("Nov 23 11:00:00 {host} dockerd[9]: {}", line.replace(" mail ", " "))
    };
    let one = [smtpd(CONNECT), smtpd(TLS13), smtpd(CLIENT)].map(|line| behind("h1", &line));
    let other = [smtpd(CONNECT)].map(|line| behind("h2", &line));
    let log = [one.concat(), other.concat(), behind("h1", &qmgr(ACTIVE))].concat();
    assert_eq!(read(&log).submissions, [SENT]);
}

#[test]
fn every_format_tells_the_time_of_its_lines() {
    let expected = 1_795_431_600; // 2026-11-23T11:00Z
    for line in [
        "Nov 23 11:00:00 mail postfix/smtpd[7]: connect from unknown[192.0.2.1]",
        "2026-11-23 11:00:00 1xVWoN-0001PO-2u <= ann@example.test H=(h) [192.0.2.1] P=esmtpsa S=1",
        "Nov 23 11:07:00 mail exim[77]: 2026-11-23 11:00:00 1xVWoN-0001PO-2u Completed",
        r#"{"time":"2026-11-23T11:00:00Z","sender":"ann@example.test"}"#,
        r#"[{"event":"auth_failure","time":1795431600}]"#,
        r#"{"log":"Nov 23 11:00:00 mail postfix/smtpd[7]: x\n","time":"2026-11-24T09:00:00Z"}"#,
        r#"{"log":"{\"event\":\"submission\",\"time\":1795431600}","time":"2026-11-24T09:00:00Z"}"#,
        r#"{"log":"postfix/smtpd[7]: x","time":"2026-11-23T11:00:00Z"}"#,
    ] {
        let mut stream = LogStream::new(options());
        assert_eq!(stream.time_of(line.as_bytes(), REFERENCE), Some(expected), "{line}");
    }
    let mut stream = LogStream::new(options());
    assert_eq!(stream.time_of(b"no time at all", REFERENCE), None);
}

#[test]
fn names_of_formats_are_read_as_they_are_written() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(*format));
    }
    let error = "sendmial".parse::<Format>().expect_err("no format");
    assert_eq!(
        error.to_string(),
        format!("\"sendmial\" is no log format: it must be {}", Format::list())
    );
}
