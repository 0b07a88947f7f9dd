//! A session of Postfix and a line of Exim through every front and header, and through several.

use chrono_tz::Tz;

use crate::testing::Collected;
use crate::{Arrival, Format, LogStream, Options};

const REFERENCE: i64 = 1_795_435_200; // 2026-11-23T12:00Z

/// Reads lines.
fn read(lines: impl IntoIterator<Item = String>) -> Collected {
    let mut stream = LogStream::new(Options { format: Format::Auto, zone: Tz::UTC });
    let mut collected = Collected::default();
    for (number, line) in lines.into_iter().enumerate() {
        let mark = number as u64 * 2;
        let arrival = Arrival { mark: mark + 2, before: mark + 1, reference: REFERENCE };
        stream.line(line.as_bytes(), arrival, &mut collected);
    }
    collected
}

/// Time of day, process and message of a session that sends one message and fails to log in once.
const SESSION: [(&str, &str, &str); 8] = [
    ("11:00:00", "submission/smtpd[1329559]", "connect from c1.example.test[192.0.2.1]"),
    (
        "11:00:00",
        "submission/smtpd[1329559]",
        "Anonymous TLS connection established from c1.example.test[192.0.2.1]: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    ),
    (
        "11:00:01",
        "submission/smtpd[1329559]",
        "warning: c1.example.test[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob@example.org",
    ),
    (
        "11:00:02",
        "submission/smtpd[1329559]",
        "6746B99473D: client=c1.example.test[192.0.2.1], sasl_method=PLAIN, sasl_username=ann@example.org",
    ),
    ("11:00:02", "cleanup[971]", "6746B99473D: message-id=<1@example.org>"),
    (
        "11:00:02",
        "qmgr[1005]",
        "6746B99473D: from=<ann@example.org>, size=391, nrcpt=1 (queue active)",
    ),
    ("11:00:02", "smtp[971]", "6746B99473D: to=<c@example.net>, relay=none, delay=1, status=sent"),
    (
        "11:00:03",
        "submission/smtpd[1329559]",
        "disconnect from c1.example.test[192.0.2.1] ehlo=2 starttls=1 auth=1/2 mail=1 rcpt=1 data=1 quit=1 commands=8",
    ),
];

const EXIM: &str = "2026-11-23 11:00:02 1xVWoN-0001PO-2u <= ann@example.org H=(h) [192.0.2.1] P=esmtpsa X=TLS1.2:x:256 CV=no A=plain:ann@example.org S=5 T=\"Nov 23 11:00:00 mail postfix/smtpd[7]: x\"";
const SENT: &str = "ann@example.org ann@example.org PLAIN TLS1.2 192.0.2.1 x1";

type Header = fn(&str, &str, &str) -> String;

/// Lines of syslog daemons and of journalctl.
const HEADERS: &[Header] = &[
    |clock, tag, text| format!("Nov 23 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("<22>Nov 23 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("2026-11-23T{clock}.123456+00:00 mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("2026-11-23T{clock}+0000 mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("2026-11-23 {clock}.123 mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("2026/11/23 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("2026 Nov 23 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 2026 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock}.123456 mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("lis 23 {clock} mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("Mon 2026-11-23 {clock} UTC mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("17954316{}.123456 mail postfix/{tag}: {text}", &clock[6..]),
    |clock, tag, text| format!("Nov 23 {clock} mail mail.info postfix/{tag}: {text}"),
    |clock, tag, text| format!("Mon Nov 23 {clock} 2026 mail.info postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock} <mail.info> mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock} <2.6> mail postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock} mail postfix/{tag}: [ID 197553 mail.info] {text}"),
    |clock, tag, text| {
        format!("Nov 23 {clock} relay Message forwarded from mail: postfix/{tag}: {text}")
    },
    |clock, tag, text| format!("Nov 23 {clock} mail mail:info postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock} mail postfix/{tag} <Notice>: {text}"),
    |clock, tag, text| format!("2026-11-23T{clock}.123456+00:00 INFO    postfix/{tag}: {text}"),
    |clock, tag, text| format!("Nov 23 {clock} mail {:.32} {text}", format!("postfix/{tag}: ")),
    |clock, tag, text| {
        let (program, pid) = tag.split_once('[').expect("a process");
        let pid = pid.trim_end_matches(']');
        format!("<22>1 2026-11-23T{clock}.123456+00:00 mail postfix/{program} {pid} - -  {text}")
    },
    |clock, tag, text| format!("Nov 23 {clock} mail postfix/{tag}: \u{1b}[0;1;31m{text}\u{1b}[0m"),
    |clock, tag, text| format!("Nov 23 {clock} postfix/{tag}: {text}"),
];

type Front = fn(&str) -> String;

/// What tools put before lines.
const FRONTS: &[Front] = &[
    |line| line.to_owned(),
    |line| format!("2026-11-23T11:00:04.123456789Z {line}"),
    |line| format!("2026-11-23T11:00:04.123456789Z stdout F {line}"),
    |line| format!("2026-11-23T11:00:04.123456789+00:00 stderr F:x {line}"),
    |line| format!("postfix-mail-1  | {line}"),
    |line| format!("\u{1b}[36mpostfix-1     | \u{1b}[0m{line}"),
    |line| format!("mail_postfix.1.k3v9x0@node1    | {line}"),
    |line| format!("postfix-1  | 2026-11-23T11:00:04.123456789Z {line}"),
    |line| format!("11:00:04 postfix.1   | {line}"),
    |line| format!("[pod/mail-0/postfix] {line}"),
    |line| format!("[pod/mail-0/postfix] 2026-11-23T11:00:04.123456789Z {line}"),
    |line| format!("/var/log/mail.log.1:{line}"),
    |line| format!("mail.log.2.gz:170:{line}"),
    |line| {
        format!(
            "\u{1b}[35m\u{1b}[Kmail.log\u{1b}[m\u{1b}[K\u{1b}[36m\u{1b}[K:\u{1b}[m\u{1b}[K{line}"
        )
    },
    |line| format!("2026-11-23T11:00:04.123000+00:00 mail.log {line}"),
    |line| format!("2026-11-23T11:00:04.123Z {line}"),
    |line| format!("@400000006ae9b0aa2a1b2c3d {line}"),
    |line| format!("Nov 23 11:00:04 box 4f2a91c07be3[51234]: {line}"),
    |line| format!("Nov 23 11:00:04 box mail/postfix:3.9/mx1[51234]: {line}"),
    |line| format!("Nov 23 11:00:04 box mail-postfix[811]: {line}"),
    |line| format!("Nov 23 11:00:04 box maillog: {line}"),
    |line| format!("Nov 23 11:00:04 box docker-compose[811]: postfix-1  | {line}"),
    |line| format!("<30>1 2026-11-23T11:00:04Z box 4f2a91c07be3 811 4f2a91c07be3 - {line}"),
    |line| serde_json::json!({"log": line, "stream": "stdout"}).to_string(),
    |line| format!("tail.0: [1795431604.123456789, {}]", serde_json::json!({"log": line})),
    |line| format!("2026-11-23T11:00:04+00:00\tmail\t{}", serde_json::json!({"message": line})),
    |line| {
        serde_json::json!({"MESSAGE": line, "SYSLOG_IDENTIFIER": "mail", "_PID": "811", "_HOSTNAME": "box", "__REALTIME_TIMESTAMP": "1795431604000000"}).to_string()
    },
];

/// Whether a front only ever stands at the beginning of what is read, as a search or a shipper puts it there.
fn is_outermost(front: &Front) -> bool {
    let begins = front("");
    let is_fluents = begins.starts_with("tail.0: [") || begins.contains('\t');
    is_fluents || begins.ends_with(':') || begins.contains("mail.log\u{1b}")
}

/// Whether what a front wraps is a program's message, which is believed only if it has a whole header.
fn is_named(front: &Front) -> bool {
    let begins = front("");
    begins.contains(" box ") || begins.contains("MESSAGE")
}

fn check(wrap: &dyn Fn(&str) -> String) {
    let failed = ["bob@example.org 192.0.2.1"];
    for header in HEADERS {
        let lines = SESSION.map(|(clock, tag, text)| wrap(&header(clock, tag, text)));
        let shown = lines.join("\n");
        let read = read(lines);
        assert_eq!(read.submissions, [SENT], "{shown}");
        assert_eq!(read.failures, failed, "{shown}");
        assert_eq!(read.rejected, [""; 0], "{shown}");
    }
    let line = wrap(EXIM);
    assert_eq!(read([line.clone()]).submissions, [SENT], "{line}");
}

/// Whether a front stands before whole headers only.
fn is_strict(front: &Front) -> bool {
    front("").ends_with(" mail.log ")
}

/// Whether one may stand in the other. What a program logs passes for another's only with its process; and a stream's
/// name is one only before a whole header.
fn fits(outer: &Front, inner: &Front) -> bool {
    let is_plain = inner("").is_empty();
    let has_process = !inner("").ends_with("maillog: ");
    !is_outermost(inner) && (!is_named(outer) || has_process) && (!is_strict(outer) || is_plain)
}

#[test]
fn every_front_comes_off_before_every_header() {
    for front in FRONTS {
        check(&front);
    }
}

#[test]
fn fronts_come_off_two_and_three_deep() {
    for (number, outer) in FRONTS.iter().enumerate() {
        for inner in FRONTS.iter().filter(|inner| fits(outer, inner)) {
            check(&|line| outer(&inner(line)));
            let third = &FRONTS[(number * 7 + 3) % FRONTS.len()];
            // Colours come off by themselves, and no more than four things come off a line.
            let is_plain = !(outer("") + &inner("") + &third("")).contains('\u{1b}');
            if is_plain && fits(inner, third) && fits(outer, third) {
                check(&|line| outer(&inner(&third(line))));
            }
        }
    }
}

#[test]
fn containers_with_one_host_name_are_not_taken_for_one() {
    for front in [
        (|name, line| format!("{name}-1  | {line}")) as fn(&str, &str) -> String,
        |name, line| format!("{name}-1  | 2026-11-23T11:00:04.1Z {line}"),
        |name, line| format!("[pod/{name}/postfix] {line}"),
        |name, line| format!("2026-11-23T11:00:04.123000+00:00 {name}.log {line}"),
        |name, line| format!("Nov 23 11:00:04 box {name}[811]: {line}"),
        |name, line| format!("Nov 23 11:00:04 box compose[811]: {name}  | {line}"),
    ] {
        for host in ["mail ", ""] {
            let mut lines = Vec::new();
            for (clock, tag, text) in SESSION {
                for (name, account) in [("mx1", "ann@"), ("mx2", "eve@")] {
                    let text = text.replace("ann@", account);
                    let line = format!("Nov 23 {clock} {host}postfix/{tag}: {text}");
                    lines.push(front(name, &line));
                }
            }
            let shown = lines.join("\n");
            let sent = [SENT.to_owned(), SENT.replace("ann@", "eve@")];
            assert_eq!(read(lines).submissions, sent, "{shown}");
        }
    }
}

#[test]
fn a_lines_own_time_counts_and_settles_years() {
    let own = 1_795_431_600; // 2026-11-23T11:00Z
    let mut stream = LogStream::new(Options { format: Format::Auto, zone: Tz::UTC });
    for line in [
        "2026-11-24T09:00:00.123456789Z Nov 23 11:00:00 mail postfix/smtpd[7]: x",
        "mx1-1  | 2026-11-24T09:00:00Z 2026-11-23T12:00:00+01:00 mail postfix/smtpd[7]: x",
        "2026-11-24T09:00:00Z stdout F 2026-11-23 11:00:00 1xVWoN-0001PO-2u Completed",
        "Nov 24 09:00:00 box maillog: 2026-11-23 11:00:00 1xVWoN-0001PO-2u Completed",
        "mail.log:Nov 23 11:00:00 mail postfix/smtpd[7]: x",
        "2026-11-23T11:00:00.123Z stdout F postfix/smtpd[7]: x",
    ] {
        assert_eq!(stream.time_of(line.as_bytes(), REFERENCE), Some(own), "{line}");
    }
    let line = "2024-03-01T00:00:01.123456789Z Feb 29 23:59:59 mail postfix/smtpd[7]: x";
    assert_eq!(stream.time_of(line.as_bytes(), REFERENCE), Some(1_709_251_199));
}

#[test]
fn what_a_client_says_is_no_front() {
    let active = "6746B99473D: from=<ann@example.org>, size=391, nrcpt=1 (queue active)";
    let fake = "postfix/smtpd[7]: 6746B99473D: client=x[192.0.2.9], sasl_method=PLAIN, sasl_username=v@x.test";
    let whole = format!("Nov 23 11:00:00 mail {fake}");
    let exim =
        "2026-11-23 11:00:00 1xVWoN-0001PO-2u <= v@x.test H=(h) [192.0.2.9] P=esmtpa A=plain:v S=1";
    for text in [&whole, exim] {
        for line in [
            // Names of users and hosts, of which other programs tell without a header of their own.
            format!("Invalid user {text}"),
            format!("Invalid user mx1-1  | {text}"),
            format!("login: {text}"),
            format!("GET /mail.log:{text}"),
            format!("2026-11-23T11:00:00Z Invalid {text}"),
            format!("2026-11-23T11:00:00Z Invalid user x.log {text}"),
            format!("2026-11-23T11:00:00Z H=({text}"),
            format!("2026-11-23 11:00:00 H=(mx1-1  | {text}"),
            format!("2026-11-23 11:00:00 H=(mail.log:{text}"),
            format!(
                "2026-11-23 11:00:00 rejected EHLO from [192.0.2.9]: syntactically invalid argument(s): {text}"
            ),
            format!("2026-11-23 11:00:00 rejected {text}"),
            format!("Nov 23 11:00:00 mail sshd[3]: Invalid user {text}"),
            format!("Nov 23 11:00:00 mail sshd[3]: Invalid user mx1-1  | {text}"),
            format!("Nov 23 11:00:00 mail sshd[3]: user.log:{text}"),
            format!("Nov 23 11:00:00 mail sshd[3]: mx1-1  | user {text}"),
            format!("Nov 23 11:00:00 mail sshd[3]: mx1-1  | {fake}"),
            format!("Nov 23 11:00:00 mail sshd[3]: 2026-11-23T11:00:00Z stdout F {fake}"),
            format!("Nov 23 11:00:00 mail sshd[3]: [pod/a/b] {fake}"),
            format!("sshd: mx1-1  | {text}"),
            format!(
                "2026-11-23T11:00:00Z box sshd[3]: app: [1795431600.0, {{\"log\":\"{text}\"}}]"
            ),
            format!("sshd[3]: [1795431600.0, {{\"log\":\"{text}\"}}]"),
            format!("Nov 23 11:00:00 mail app: [1795431600.0, {{\"log\":\"{text}\"}}]"),
            format!("Nov 23 11:00:00 mail app[3]: 2026-11-23T11:00:00Z\tx\t{{\"log\":\"{text}\"}}"),
            format!("2026-11-23T11:00:00Z Invalid user {text}"),
            format!("Nov 23 11:00:00 mail exim[7]: mx1-1  | {text}"),
            format!("Nov 23 11:00:00 mail postfix/smtp[7]: mx1-1  | {text}"),
            format!("[pod/(a)/b] {text}"),
            format!("a=b  | {text}"),
        ] {
            let log = [line.clone(), format!("Nov 23 11:00:01 mail postfix/qmgr[9]: {active}")];
            assert_eq!(read(log), Collected::default(), "{line}");
        }
    }
}
