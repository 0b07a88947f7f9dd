//! Whole logs of Postfix: what proves a message's TLS, and which lines belong together.

use chrono_tz::Tz;
use report::{AuthFailure, Submission};

use crate::{Arrival, Format, LogStream, Options, Sink};

/// What was told, each with its place.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// Sender, account, mechanism, TLS and how many.
    submissions: Vec<(u64, String)>,
    failures: Vec<(u64, String)>,
    temporary: Vec<(u64, String)>,
}

impl Sink for Told {
    fn submission(&mut self, mark: u64, s: &Submission<'_>) {
        let Submission { sender, account, mechanism, tls, messages, .. } = s;
        let tls = tls.name();
        self.submissions.push((mark, format!("{sender} {account} {mechanism} {tls} x{messages}")));
    }

    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        self.failures.push((mark, format!("{} {}", failure.account, failure.client)));
    }

    fn temporary_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        self.temporary.push((mark, format!("{} {}", failure.account, failure.client)));
    }

    fn rejected(&mut self, _: u64, line: &[u8], reason: &str) {
        panic!("{}: {reason}", String::from_utf8_lossy(line));
    }
}

const OPTIONS: Options = Options { format: Format::Auto, zone: Tz::UTC };

fn feed(stream: &mut LogStream, number: usize, line: &str, told: &mut Told) {
    let mark = number as u64 * 2;
    let arrival = Arrival { mark: mark + 2, before: mark + 1, reference: 1_795_435_200 };
    stream.line(line.as_bytes(), arrival, told);
}

/// Reads a log twice, the second time with its state saved and restored before every line: both tell the same in the
/// same places, and remember the same.
fn read(log: &[String]) -> (LogStream, Told) {
    let (mut whole, mut told) = (LogStream::new(OPTIONS), Told::default());
    let (mut state, mut told_in_parts) = (Vec::new(), Told::default());
    for (number, line) in log.iter().enumerate() {
        feed(&mut whole, number, line, &mut told);
        let (mut part, unreadable) = LogStream::restore(OPTIONS, &state);
        assert_eq!(unreadable, []);
        feed(&mut part, number, line, &mut told_in_parts);
        state = part.save();
        assert_eq!(state, whole.save(), "behind line {number}: {line}");
    }
    assert_eq!(told, told_in_parts);
    (whole, told)
}

/// What was sent, while the log is still open.
fn sent(log: &[String]) -> Vec<String> {
    read(log).1.submissions.into_iter().map(|(_, sent)| sent).collect()
}

/// What was sent, with what the end of the log settles.
fn sent_at_end(log: &[String]) -> Vec<String> {
    let (mut stream, mut told) = read(log);
    stream.close(u64::MAX, &mut told);
    told.submissions.into_iter().map(|(_, sent)| sent).collect()
}

/// A line, so many seconds after eleven o'clock.
fn line(second: u32, tag: &str, text: &str) -> String {
    let (hour, minute, second) = (11 + second / 3600, second / 60 % 60, second % 60);
    format!("Nov 23 {hour:02}:{minute:02}:{second:02} mail {tag}: {text}")
}

fn connect(at: u32, tag: &str) -> String {
    line(at, tag, "connect from unknown[192.0.2.5]")
}

fn tls(at: u32, tag: &str) -> String {
    line(
        at,
        tag,
        "Anonymous TLS connection established from unknown[192.0.2.5]: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    )
}

fn client(at: u32, tag: &str, id: &str) -> String {
    let text = format!(
        "{id}: client=unknown[192.0.2.5], sasl_method=PLAIN, sasl_username=ann@example.org"
    );
    line(at, tag, &text)
}

fn active(at: u32, tag: &str, id: &str) -> String {
    line(at, tag, &format!("{id}: from=<ann@example.org>, size=391, nrcpt=1 (queue active)"))
}

fn disconnect(at: u32, tag: &str, counts: &str) -> String {
    line(at, tag, &format!("disconnect from unknown[192.0.2.5] {counts}"))
}

fn ann(tls: &str) -> String {
    format!("ann@example.org ann@example.org PLAIN {tls} x1")
}

#[test]
fn what_was_due_and_is_counted_leaves_nothing_to_another_programs_line() {
    let tag = "postfix/smtpd[7]";
    let mut log = vec![
        client(0, tag, "4AA0912345"),
        active(1, "postfix/qmgr[2]", "4AA0912345"),
        disconnect(2, tag, "ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6"),
    ];
    log.extend([900, 1].map(|second| line(second, "courierd", "Waiting.")));
    assert_eq!(sent(&log).len(), 1);
}

const SMTPD: &str = "postfix/submission/smtpd[101]";
const QMGR: &str = "postfix/qmgr[103]";
const CRON: &str = "CRON[999]";
const PLAIN: &str = "ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6";
const STARTTLS: &str = "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8";

/// A session of another process, for which a TLS line is logged.
fn with_tls(at: u32, tag: &str) -> [String; 3] {
    [connect(at, tag), tls(at, tag), disconnect(at, tag, "ehlo=2 starttls=1 quit=1 commands=4")]
}

#[test]
fn an_open_session_is_counted_within_two_minutes_of_log_time() {
    let begin =
        [connect(0, SMTPD), client(1, SMTPD, "4AA091855DA0"), active(1, QMGR, "4AA091855DA0")];
    for other in [CRON, "postfix/anvil[7]", "postfix/smtpd[102]"] {
        let early = [&begin[..], &[line(50, other, "something else")]].concat();
        assert_eq!(sent(&early), [""; 0], "{other}");
        let late = [&begin[..], &[line(121, other, "something else")]].concat();
        let (_, told) = read(&late);
        assert_eq!(
            told.submissions,
            [(7, ann("unknown"))],
            "before the line that comes then: {other}"
        );
    }
}

#[test]
fn every_message_of_a_session_that_stays_open_is_counted_once() {
    let mut log = vec![connect(0, SMTPD)];
    for number in 0..500 {
        let id = format!("{number:05X}1855DA0");
        log.push(client(number * 7, SMTPD, &id));
        log.push(active(number * 7, QMGR, &id));
    }
    let (mut stream, mut told) = read(&log);
    let counted = |told: &Told| {
        let messages = |(_, sent): &(u64, String)| sent.rsplit('x').next().map(str::parse::<u32>);
        told.submissions.iter().filter_map(messages).flatten().sum::<u32>()
    };
    // All but those of the last two minutes.
    assert!((482..500).contains(&counted(&told)), "{}", counted(&told));
    let end = disconnect(3600, SMTPD, "ehlo=1 auth=1 mail=500 rcpt=500 data=500 quit=1");
    feed(&mut stream, 9999, &end, &mut told);
    assert_eq!(counted(&told), 500);
    stream.close(u64::MAX, &mut told);
    assert_eq!(counted(&told), 500);
}

#[test]
fn what_a_session_proves_at_its_end_holds_if_it_ends_in_time() {
    let log = |end, counts| {
        [
            connect(0, SMTPD),
            client(1, SMTPD, "4AA091855DA0"),
            active(1, QMGR, "4AA091855DA0"),
            disconnect(end, SMTPD, counts),
        ]
    };
    assert_eq!(sent(&log(40, PLAIN)), [ann("none")]);
    assert_eq!(sent(&log(40, STARTTLS)), [ann("unknown")]);
    assert_eq!(sent(&log(140, PLAIN)), [ann("unknown")]);
}

#[test]
fn no_tls_line_proves_plaintext_where_they_are_logged() {
    let other = "postfix/submission/smtpd[90]";
    let session =
        [connect(10, SMTPD), client(11, SMTPD, "4AA091855DA0"), active(11, QMGR, "4AA091855DA0")];
    // At once, if all lines came in order.
    let log = [&with_tls(0, other)[..], &session].concat();
    assert_eq!(sent(&log), [ann("none")]);
    // After a while, if lines come late.
    let late = [line(9, "postfix/anvil[7]", "statistics: x"), line(3, CRON, "x")];
    let log = [
        &with_tls(0, other)[..],
        &[connect(9, "postfix/smtpd[3]"), tls(8, other)],
        &session,
        &late,
    ]
    .concat();
    assert_eq!(sent(&log), [""; 0]);
    assert_eq!(sent(&[&log[..], &[line(100, CRON, "x")]].concat()), [ann("none")]);
    assert_eq!(sent_at_end(&log), [ann("none")]);
    // The TLS line of this very session was late.
    let log = [&log[..], &[tls(10, SMTPD)]].concat();
    assert_eq!(sent(&log), [ann("TLS1.2")]);
    // Not for a service that is not known to log them, nor for one that begins with TLS, nor for one that is not told.
    for (known, unknown) in [
        (other, "postfix/smtpd[101]"),
        ("postfix/smtps/smtpd[90]", "postfix/smtps/smtpd[101]"),
        ("postfix-smtps/smtpd[90]", "postfix-smtps/smtpd[101]"),
        ("192.0.2.9.465/smtpd[90]", "192.0.2.9.465/smtpd[101]"),
        ("postfix[90]", "postfix[101]"),
    ] {
        let session = [
            connect(10, unknown),
            client(11, unknown, "4AA091855DA0"),
            active(11, QMGR, "4AA091855DA0"),
        ];
        let log = [&with_tls(0, known)[..], &session].concat();
        assert_eq!(sent(&log), [""; 0], "{unknown}");
        assert_eq!(sent_at_end(&log), [ann("unknown")], "{unknown}");
    }
}

#[test]
fn a_session_whose_beginning_is_not_known_is_not_plaintext_for_want_of_a_tls_line() {
    let session = [client(11, SMTPD, "4AA091855DA0"), active(11, QMGR, "4AA091855DA0")];
    let log = [&with_tls(0, "postfix/submission/smtpd[90]")[..], &session].concat();
    assert_eq!(sent(&[&log[..], &[line(100, CRON, "x")]].concat()), [ann("unknown")]);
    // Its beginning comes late.
    let log = [&log[..], &[connect(10, SMTPD), line(100, CRON, "x")]].concat();
    assert_eq!(sent(&log), [ann("none")]);
    // Its beginning comes behind its TLS line.
    let log = [
        tls(0, SMTPD),
        connect(0, SMTPD),
        client(1, SMTPD, "4AA091855DA0"),
        active(1, QMGR, "4AA091855DA0"),
    ];
    assert_eq!(sent(&log), [ann("TLS1.2")]);
}

#[test]
fn a_service_may_cease_to_log_tls_lines() {
    let known = with_tls(0, "postfix/submission/smtpd[90]");
    let session =
        [connect(30, SMTPD), client(31, SMTPD, "4AA091855DA0"), active(31, QMGR, "4AA091855DA0")];
    for change in [
        vec![line(20, "postfix/master[2]", "reload -- version 3.7.11, configuration /etc/postfix")],
        vec![line(
            20,
            "postfix/master[2]",
            "daemon started -- version 3.7.11, configuration /etc/postfix",
        )],
        vec![connect(20, SMTPD), disconnect(21, SMTPD, "ehlo=2 starttls=1 quit=1 commands=4")],
    ] {
        let log = [&known[..], &change, &session].concat();
        assert_eq!(sent(&log), [""; 0], "{change:?}");
        assert_eq!(sent_at_end(&log), [ann("unknown")], "{change:?}");
    }
}

#[test]
fn a_process_that_was_killed_and_lines_that_were_left_out_lose_nothing() {
    let killed = [
        connect(0, "postfix/smtps/smtpd[101]"),
        client(1, "postfix/smtps/smtpd[101]", "4AA091855DA0"),
        active(1, QMGR, "4AA091855DA0"),
        line(
            2,
            "postfix/master[90]",
            "warning: process /usr/lib/postfix/sbin/smtpd pid 101 killed by signal 9",
        ),
        connect(110, "postfix/smtps/smtpd[108]"),
    ];
    assert_eq!(sent(&killed), [ann("unknown")]);
    let mut filtered = Vec::new();
    for number in 0..5 {
        let (at, id) = (number * 10, format!("4AA091855DA{number}"));
        let tag = format!("postfix/submission/smtpd[{}]", 100 + number % 2);
        filtered.extend([
            client(at, &tag, &id),
            active(at, QMGR, &id),
            line(at, QMGR, &format!("{id}: removed")),
        ]);
    }
    filtered.push(line(160, QMGR, "4AA091855DA9: removed"));
    assert_eq!(sent(&filtered), vec![ann("unknown"); 5]);
}

#[test]
fn a_clock_that_went_back_keeps_nobody_waiting() {
    let log = [
        connect(3600, CRON),
        connect(3600, "postfix/smtpd[5]"),
        connect(0, SMTPD),
        client(1, SMTPD, "4AA091855DA0"),
        active(1, QMGR, "4AA091855DA0"),
        line(121, QMGR, "4AA091855DA0: removed"),
    ];
    assert_eq!(sent(&log), [ann("unknown")]);
}

#[test]
fn what_another_server_says_for_a_client_proves_no_mechanism_and_no_plaintext() {
    let front = "postfix/relay/smtpd[9]";
    let login = |method: &str| {
        line(
            1,
            front,
            &format!(
                "B61D20A4F7C2: client=unknown[192.0.2.44], sasl_method={method}, sasl_username=ann@example.org"
            ),
        )
    };
    let end = disconnect(3, front, "ehlo=2 xclient=0/1 mail=1 rcpt=1 data=1 quit=1 commands=6/7");
    let unknown = "ann@example.org ann@example.org  unknown x1".to_owned();
    for begin in [vec![connect(0, front)], vec![connect(0, front), tls(0, front)]] {
        let log = [&begin[..], &[login("XCLIENT"), active(2, QMGR, "B61D20A4F7C2"), end.clone()]]
            .concat();
        // The other server may tell of it, but not for longer than a minute.
        assert_eq!(sent(&log), [""; 0], "{begin:?}");
        let log = [&log[..], &[line(62, CRON, "x")]].concat();
        assert_eq!(sent(&log), [unknown.as_str()], "{begin:?}");
    }
    // A login that a proxy leaves to Postfix, of a client that is not who connected.
    let log = [connect(0, front), login("PLAIN"), active(2, QMGR, "B61D20A4F7C2"), end];
    assert_eq!(sent(&log), [ann("unknown")]);
    let log = [&with_tls(0, "postfix/relay/smtpd[8]")[..], &log[..3]].concat();
    assert_eq!(sent_at_end(&log), [ann("unknown")]);
}

#[test]
fn daemons_of_one_instance_may_have_several_names() {
    for (smtpd, qmgr) in [
        ("postfix-submission/smtpd[101]", "postfix/qmgr[103]"),
        ("submission/smtpd[101]", "postfix/qmgr[103]"),
        ("postfix_smtps/smtpd[101]", "postfix/oqmgr[103]"),
        ("192.0.2.9/smtpd[101]", "postfix/nqmgr[103]"),
        ("postfix/submission/smtpd[101]", "queue/qmgr[103]"),
        ("postfix/submission/smtpd[101]", "postfix-out/qmgr[103]"),
        ("postfix[101]", "postfix[103]"),
        ("postfix-submission[101]", "postfix[103]"),
        ("postfix@-.service[101]", "postfix@-.service[103]"),
    ] {
        let log = [
            connect(0, smtpd),
            tls(0, smtpd),
            client(1, smtpd, "4AA091855DA0"),
            active(1, qmgr, "4AA091855DA0"),
            active(9, qmgr, "4AA091855DA0"),
            disconnect(10, smtpd, STARTTLS),
            active(900, qmgr, "4AA091855DA0"),
        ];
        assert_eq!(sent(&log), [ann("TLS1.2")], "{smtpd} {qmgr}");
    }
}

#[test]
fn instances_that_have_a_queue_id_by_chance_keep_their_messages() {
    let [one, two] = ["postfix/smtpd[101]", "postfix-out/smtpd[201]"];
    let bob = line(
        3,
        two,
        "4AA0912345: client=unknown[192.0.2.5], sasl_method=PLAIN, sasl_username=bob@example.org",
    );
    let bobs = line(
        4,
        "postfix-out/qmgr[9]",
        "4AA0912345: from=<bob@example.org>, size=391, nrcpt=1 (queue active)",
    );
    let sent_bob = "bob@example.org bob@example.org PLAIN TLS1.2 x1".to_owned();
    let begin =
        [connect(0, one), tls(0, one), connect(0, two), tls(0, two), client(1, one, "4AA0912345")];
    let anns = active(5, QMGR, "4AA0912345");
    let log = [&begin[..], &[bob.clone(), bobs.clone(), anns.clone()]].concat();
    assert_eq!(sent(&log), [sent_bob.clone(), ann("TLS1.2")]);
    let log = [&begin[..], &[bob, anns.clone(), bobs.clone()]].concat();
    assert_eq!(sent(&log), [ann("TLS1.2"), sent_bob]);
    // Of one who did not log in.
    let stranger = line(3, two, "4AA0912345: client=mx.example.net[192.0.2.7]");
    let log = [&begin[..], &[stranger, bobs, anns]].concat();
    assert_eq!(sent(&log), [ann("TLS1.2")]);
}

#[test]
fn a_queue_id_that_another_service_uses_again_is_not_who_gave_it_up() {
    let submission = "submission/smtpd[101]";
    let given_up =
        [connect(0, submission), tls(0, submission), client(1, submission, "4AA0912345")];
    for other in [
        line(2, "postfix/smtpd[8]", "4AA0912345: client=mx.example.net[192.0.2.7]"),
        line(2, "postfix/pickup[8]", "4AA0912345: uid=0 from=<root>"),
    ] {
        let log = [
            &given_up[..],
            &[other, active(3, QMGR, "4AA0912345"), active(900, QMGR, "4AA0912345")],
        ]
        .concat();
        assert_eq!(sent_at_end(&log), [""; 0], "{log:?}");
    }
    let refused = line(
        2,
        "postfix/cleanup[8]",
        "4AA0912345: milter-reject: END-OF-MESSAGE from unknown[192.0.2.5]: 5.7.1 no; from=<a@example.org>",
    );
    let log = [&given_up[..], &[refused, active(3, QMGR, "4AA0912345")]].concat();
    assert_eq!(sent_at_end(&log), [""; 0]);
}

#[test]
fn tags_that_were_cut_tell_no_service_and_all_else() {
    let (smtpd, cleanup, pickup, qmgr) =
        ("postfix[101]", "postfix[102]", "postfix[104]", "postfix[103]");
    let session = |counts| {
        [
            connect(0, smtpd),
            client(1, smtpd, "4AA0912345"),
            line(1, cleanup, "4AA0912345: message-id=<1@example.org>"),
            active(2, qmgr, "4AA0912345"),
            disconnect(3, smtpd, counts),
        ]
    };
    assert_eq!(sent(&session(PLAIN)), [ann("unknown")], "it may have been smtps");
    let (_, told) = read(&[
        line(
            0,
            smtpd,
            "warning: unknown[192.0.2.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        ),
        line(
            0,
            "postfix-policyd[7]",
            "4AA0912345: client=unknown[192.0.2.5], sasl_method=PLAIN, sasl_username=boss@example.org",
        ),
        line(
            0,
            "postfixadmin[7]",
            "4AA0912345: client=unknown[192.0.2.5], sasl_method=PLAIN, sasl_username=boss@example.org",
        ),
        active(2, qmgr, "4AA0912345"),
    ]);
    assert_eq!(told.failures, [(2, " 192.0.2.5".to_owned())]);
    assert_eq!(told.submissions, []);
    let held = line(
        2,
        cleanup,
        "4AA0912345: hold: header Subject: x from unknown[192.0.2.5]; from=<ann@example.org> to=<b@example.net> proto=ESMTP helo=<h>",
    );
    let begin = [connect(0, smtpd), tls(0, smtpd), client(1, smtpd, "4AA0912345")];
    let log = [&begin[..], &[held, disconnect(3, smtpd, STARTTLS)]].concat();
    assert_eq!(sent(&log), [ann("TLS1.2")]);
    for other in [
        line(
            2,
            cleanup,
            "4AA0912345: reject: header Subject: x from unknown[192.0.2.5]; from=<ann@example.org>",
        ),
        line(
            2,
            cleanup,
            "4AA0912345: milter-reject: END-OF-MESSAGE from unknown[192.0.2.5]: no; from=<ann@example.org>",
        ),
        line(2, cleanup, "4AA0912345: canceled"),
        line(2, pickup, "4AA0912345: uid=0 from=<root>"),
    ] {
        let log = [&begin[..], &[other, active(3, qmgr, "4AA0912345")]].concat();
        assert_eq!(sent_at_end(&log), [""; 0], "{log:?}");
    }
    let recipient = line(
        2,
        smtpd,
        "4AA0912345: reject: RCPT from unknown[192.0.2.5]: 550 no; from=<ann@example.org>",
    );
    let log = [&begin[..], &[recipient, active(3, qmgr, "4AA0912345")]].concat();
    assert_eq!(sent(&log), [ann("TLS1.2")], "one recipient of several");
}

#[test]
fn a_message_refused_as_a_whole_is_not_counted_though_cleanup_holds_it() {
    let hold = |id: &str| {
        line(
            2,
            "postfix/cleanup[102]",
            &format!(
                "{id}: hold: header Subject: x from unknown[192.0.2.5]; from=<ann@example.org> to=<r@example.net> proto=ESMTP helo=<h>"
            ),
        )
    };
    let refuse = line(
        2,
        SMTPD,
        "5AA5B9EA488: reject: END-OF-MESSAGE from unknown[192.0.2.5]: 554 5.7.1 <ann@example.org>: Sender address rejected: no; from=<ann@example.org> to=<r@example.net> proto=ESMTP helo=<h>",
    );
    let end = disconnect(3, SMTPD, "ehlo=1 auth=1 mail=2 rcpt=2 data=1/2 quit=1 commands=7/8");
    for order in [[refuse.clone(), hold("5AA5B9EA488")], [hold("5AA5B9EA488"), refuse]] {
        let begin = [
            connect(0, SMTPD),
            client(1, SMTPD, "5A6C09EA487"),
            hold("5A6C09EA487"),
            client(2, SMTPD, "5AA5B9EA488"),
        ];
        let log = [&begin[..], &order, std::slice::from_ref(&end)].concat();
        assert_eq!(sent(&log), [ann("none")], "{order:?}");
    }
}

#[test]
fn discarded_messages_count_beside_transactions_that_were_given_up() {
    let envelope =
        |sender: &str| format!("; from=<{sender}> to=<x@example.net> proto=ESMTP helo=<h>");
    let discard = |id: &str, sender: &str| {
        line(
            2,
            SMTPD,
            &format!(
                "{id}: discard: RCPT from unknown[192.0.2.5]: <x@example.net>: Recipient address triggers DISCARD action{}",
                envelope(sender)
            ),
        )
    };
    let content =
        |id: &str| line(3, "postfix/cleanup[102]", &format!("{id}: message-id=<1@example.org>"));
    let end = |data| {
        disconnect(
            4,
            SMTPD,
            &format!("ehlo=1 auth=1 mail=3 rcpt=7 data={data} rset=1 quit=1 commands=15"),
        )
    };
    let [a, b, c] = ["834129E8240", "854089E8240", "856869E8240"];
    let sent_to = |log: Vec<String>| sent(&[vec![connect(0, SMTPD)], log].concat());
    // One given up, one discarded, one in the queue.
    let log = vec![
        client(1, SMTPD, a),
        client(2, SMTPD, b),
        discard(b, "ann@example.org"),
        client(3, SMTPD, c),
        content(c),
        active(3, QMGR, c),
        end(2),
    ];
    assert_eq!(sent_to(log.clone()), [ann("none"), ann("none")]);
    // The queue manager is late.
    let mut late = log.clone();
    late.remove(5);
    late.push(active(5, QMGR, c));
    assert_eq!(sent_to(late), [ann("none"), ann("none")]);
    // It was the discarded one that was given up.
    let given_up = [&log[..6], &[end(1)]].concat();
    assert_eq!(sent_to(given_up), [ann("none")]);
    // One of two: which, is not told.
    for (sender, expected) in
        [("ann@example.org", "ann@example.org"), ("bob@example.org", "(unknown)")]
    {
        let two = [
            client(1, SMTPD, a),
            discard(a, "ann@example.org"),
            client(2, SMTPD, b),
            discard(b, sender),
            content("7777777777"),
            end(1),
        ];
        assert_eq!(sent_to(two.to_vec()), [ann("none").replacen("ann@example.org", expected, 1)]);
    }
}

#[test]
fn content_that_the_connection_was_lost_in_is_not_counted_though_cleanup_holds_it() {
    let hold = |id: &str| {
        line(
            2,
            "postfix/cleanup[102]",
            &format!(
                "{id}: hold: header Subject: x from unknown[192.0.2.5]; from=<ann@example.org> to=<r@example.net> proto=ESMTP helo=<h>"
            ),
        )
    };
    let [a, b] = ["834129E8240", "854089E8240"];
    let log = [
        connect(0, SMTPD),
        client(1, SMTPD, a),
        hold(a),
        client(2, SMTPD, b),
        hold(b),
        line(3, SMTPD, "lost connection after DATA from unknown[192.0.2.5]"),
        disconnect(3, SMTPD, "ehlo=1 auth=1 mail=2 rcpt=2 data=1/2 commands=6/7"),
    ];
    assert_eq!(sent(&log), [ann("none")]);
}

#[test]
fn nobody_appears_under_a_name_as_typed_and_as_completed() {
    let hold = line(
        1,
        SMTPD,
        "NOQUEUE: hold: RCPT from unknown[192.0.2.5]: <b@example.net>: Recipient address triggers HOLD action; from=<scanner> to=<b@example.net> proto=ESMTP helo=<h>",
    );
    let log = [
        connect(0, SMTPD),
        tls(0, SMTPD),
        hold,
        client(1, SMTPD, "4AA0912345"),
        line(1, "postfix/cleanup[102]", "4AA0912345: message-id=<1@example.org>"),
        client(2, SMTPD, "4AA0912346"),
        line(
            2,
            QMGR,
            "4AA0912346: from=<scanner@mail.example.org>, size=391, nrcpt=1 (queue active)",
        ),
        disconnect(3, SMTPD, "ehlo=2 starttls=1 auth=1 mail=2 rcpt=2 data=2 quit=1"),
    ];
    let expected = ["(unknown)", "scanner@mail.example.org"]
        .map(|sender| format!("{sender} ann@example.org PLAIN TLS1.2 x1"));
    assert_eq!(sent(&log), expected);
}

#[test]
fn logins_that_nobody_judged_are_no_failed_ones() {
    let failed = |reason: &str| {
        line(
            0,
            SMTPD,
            &format!("warning: unknown[192.0.2.5]: SASL LOGIN authentication failed: {reason}"),
        )
    };
    let (_, told) = read(&[
        failed("Connection lost to authentication server"),
        failed("Temporary authentication failure, sasl_username=ann"),
        failed("Invalid authentication mechanism"),
        failed("Invalid authentication mechanism: 'LOGIN'"),
        failed("UGFzc3dvcmQ6"),
    ]);
    assert_eq!(told.temporary, [(2, " 192.0.2.5".to_owned()), (4, "ann 192.0.2.5".to_owned())]);
    assert_eq!(told.failures, [(10, " 192.0.2.5".to_owned())]);
}

#[test]
fn held_messages_of_a_session_that_stays_open_are_counted_once() {
    let hold = |at, id: &str| {
        line(
            at,
            "postfix/cleanup[102]",
            &format!(
                "{id}: hold: header Subject: x from unknown[192.0.2.5]; from=<ann@example.org> to=<r@example.net> proto=ESMTP helo=<h>"
            ),
        )
    };
    let log = [
        connect(0, SMTPD),
        tls(0, SMTPD),
        client(1, SMTPD, "4AA0912345"),
        hold(1, "4AA0912345"),
        client(9, SMTPD, "4AA0912346"),
        active(9, QMGR, "4AA0912346"),
    ];
    assert_eq!(sent(&log), vec![ann("TLS1.2"); 2]);
    let end = disconnect(10, SMTPD, "ehlo=2 starttls=1 auth=1 mail=2 rcpt=2 data=2 quit=1");
    let log = [&log[..], &[end, active(99, QMGR, "4AA0912345")]].concat();
    assert_eq!(sent_at_end(&log), vec![ann("TLS1.2"); 2], "nor is what is released");
}

#[test]
fn an_address_with_a_port_may_be_a_services_name() {
    for (smtpd, tls_version) in
        [("192.0.2.9:587/smtpd[101]", "none"), ("192.0.2.9:465/smtpd[101]", "unknown")]
    {
        let log = [
            connect(0, smtpd),
            client(1, smtpd, "4AA0912345"),
            active(2, QMGR, "4AA0912345"),
            disconnect(3, smtpd, PLAIN),
        ];
        assert_eq!(sent(&log), [ann(tls_version)], "{smtpd}");
    }
}

#[test]
fn places_grow_within_a_line_of_several_records() {
    let record = |second: i64, program: &str, message: &str| {
        serde_json::json!({
            "__REALTIME_TIMESTAMP": ((1_795_431_600 + second) * 1_000_000).to_string(),
            "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": program, "_PID": "7", "MESSAGE": message,
        })
    };
    let smtpd = "postfix/smtpd";
    let failed = "warning: unknown[192.0.2.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6";
    let login =
        "4AA0912345: client=unknown[192.0.2.5], sasl_method=PLAIN, sasl_username=ann@example.org";
    let active = "4AA0912345: from=<ann@example.org>, size=391, nrcpt=1 (queue active)";
    let records = [
        record(0, smtpd, "connect from unknown[192.0.2.5]"),
        record(1, smtpd, failed),
        record(1, smtpd, login),
        record(1, "postfix/qmgr", active),
        record(200, smtpd, failed),
    ];
    let (_, told) = read(&[serde_json::Value::from(records.to_vec()).to_string()]);
    assert_eq!(told.submissions, [(2, ann("unknown"))]);
    assert_eq!(told.failures.iter().map(|(mark, _)| *mark).collect::<Vec<_>>(), [2, 2]);
}

/// Lines of another client's than the one of the other helpers, whose TLS is of another version.
fn other(at: u32, tag: &str, text: &str) -> String {
    line(at, tag, &text.replace("CLIENT", "unknown[192.0.2.66]"))
}

#[test]
fn tls_of_another_client_of_what_seems_to_be_one_process_is_nobody_elses() {
    let theirs = "Anonymous TLS connection established from CLIENT: TLSv1 with cipher X";
    let counts = "ehlo=1 auth=1 quit=1 commands=3";
    for tag in ["postfix/submissions/smtpd[411376", "postfix-submission-in/smtpd[1183"] {
        let cut = |line: String| line.replacen(&format!("{tag}: "), &format!("{tag} "), 1);
        let begin = [connect(0, tag), tls(0, tag)];
        let connected = other(1, tag, "connect from CLIENT");
        let secured = other(1, tag, theirs);
        let left = other(4, tag, &format!("disconnect from CLIENT {counts}"));
        let message = [client(2, tag, "4AA091855DA0"), active(3, QMGR, "4AA091855DA0")];
        let late = [client(2, tag, "4AA091855DA0"), left.clone(), active(5, QMGR, "4AA091855DA0")];
        for (between, expected) in [
            (vec![], "TLS1.2"),
            (vec![connected.clone(), secured.clone()], "unknown"),
            (vec![secured.clone()], "unknown"),
            (vec![connected.clone()], "unknown"),
            (vec![left.clone()], "unknown"),
            (vec![connected.clone(), left.clone()], "unknown"),
        ] {
            for message in [&message[..], &late] {
                let log: Vec<_> = [&begin[..], &between, message].concat();
                let mut log: Vec<_> = log.into_iter().map(cut).collect();
                assert_eq!(sent_at_end(&log), [ann(expected)], "{log:?}");
                // The same, from the middle of a session on.
                log.remove(0);
                assert_eq!(sent_at_end(&log), [ann(expected)], "{log:?}");
                log.push(cut(disconnect(6, tag, STARTTLS)));
                assert_eq!(sent_at_end(&log), [ann(expected)], "{log:?}");
            }
        }
    }
}

#[test]
fn tls_with_a_server_in_front_is_not_the_clients() {
    for begin in [vec![connect(0, SMTPD), tls(0, SMTPD)], vec![tls(0, SMTPD)]] {
        let begun = other(
            1,
            SMTPD,
            "4AA091855DA0: client=CLIENT, sasl_method=PLAIN, sasl_username=ann@example.org",
        );
        let log = [&begin[..], &[begun, active(2, QMGR, "4AA091855DA0")]].concat();
        assert_eq!(sent(&log), [ann("unknown")], "{log:?}");
        let begun = other(
            1,
            SMTPD,
            "NOQUEUE: client=CLIENT, sasl_method=PLAIN, sasl_username=ann@example.org",
        );
        let accepted = other(
            2,
            SMTPD,
            "proxy-accept: END-OF-MESSAGE from CLIENT: 250 ok; from=<ann@example.org> to=<b@example.net> proto=ESMTP helo=<h>",
        );
        let log = [&begin[..], &[begun, accepted]].concat();
        assert_eq!(sent(&log), [ann("unknown")], "{log:?}");
    }
}

#[test]
fn the_counts_of_another_client_give_no_message_up() {
    // `disconnect from` of another process, whose tag is cut alike.
    let theirs = other(2, SMTPD, "disconnect from CLIENT ehlo=1 quit=1 commands=2");
    for begin in [
        vec![connect(0, SMTPD), client(1, SMTPD, "4AA091855DA0")],
        vec![client(1, SMTPD, "4AA091855DA0")],
        vec![other(0, SMTPD, "connect from CLIENT"), client(1, SMTPD, "4AA091855DA0")],
    ] {
        let log = [&begin[..], &[theirs.clone(), active(3, QMGR, "4AA091855DA0")]].concat();
        assert_eq!(sent_at_end(&log), [ann("unknown")], "{log:?}");
    }
}

#[test]
fn sessions_from_one_address_that_a_cut_process_number_mixes_have_unknown_tls() {
    let counts = "ehlo=1 auth=1 quit=1 commands=3";
    for (tag, expected) in [
        ("postfix/submissions/smtpd[411376", "unknown"),
        ("postfix/submission/smtpd[4113760", "TLS1.2"),
        ("postfix-submission-in/smtpd[1183", "unknown"),
    ] {
        let cut = |line: String| line.replacen(&format!("{tag}: "), &format!("{tag} "), 1);
        let message = [client(7, tag, "4AA091855DA0"), active(8, QMGR, "4AA091855DA0")];
        let begin = [connect(0, tag), tls(0, tag)];
        let again = [connect(1, tag), tls(1, tag)];
        let gone = [disconnect(2, tag, counts)];
        let third = [connect(3, tag), tls(3, tag)];
        for (log, expected) in [
            ([&begin[..], &message].concat(), "TLS1.2"),
            ([&begin[..], &gone, &third, &message].concat(), "TLS1.2"),
            ([&begin[..], &again, &message].concat(), expected),
            // The second is still there when the third begins.
            ([&begin[..], &again, &gone, &third, &message].concat(), expected),
        ] {
            let log: Vec<_> = log.into_iter().map(cut).collect();
            assert_eq!(sent_at_end(&log), [ann(expected)], "{log:?}");
        }
    }
}

#[test]
fn of_tags_that_were_cut_within_a_name_messages_and_failed_logins_count() {
    for tag in [
        "postfix-customers/submission/smt",
        "postfix/submission-for-some/smtp",
        "postfix-customers-of-example/sub",
    ] {
        let cut = |line: String| line.replacen(&format!("{tag}: "), &format!("{tag} "), 1);
        let failed = "warning: unknown[192.0.2.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6";
        let log = [
            connect(0, tag),
            tls(0, tag),
            line(1, tag, failed),
            client(1, tag, "4AA0912345"),
            line(1, "postfix/cleanup[102]", "4AA0912345: message-id=<1@example.org>"),
            active(2, QMGR, "4AA0912345"),
            line(2, QMGR, "4AA0912345: removed"),
            disconnect(3, tag, STARTTLS),
        ];
        let (_, told) = read(&log.map(cut));
        let sent: Vec<_> = told.submissions.into_iter().map(|(_, sent)| sent).collect();
        assert_eq!(sent, [ann("unknown")], "{tag}");
        assert_eq!(told.failures.len(), 1, "{tag}");
    }
    // Whole, or another program's.
    for tag in ["postfix-of-example-orgs/my-smtpd[7]", "notpostfix-customers/submiss/smt"] {
        let cut = |line: String| line.replacen(&format!("{tag}: "), &format!("{tag} "), 1);
        let log = [client(1, tag, "4AA0912345"), active(2, QMGR, "4AA0912345")];
        assert_eq!(sent_at_end(&log.map(cut)), [""; 0], "{tag}");
    }
}
