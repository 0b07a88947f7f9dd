//! States that earlier versions have saved, each of which goes on where it was.
//!
//! `tests/golden` holds them, and tells how they were made.

use std::collections::BTreeSet;

use super::*;
use crate::saved;

#[test]
fn states_of_earlier_versions_are_restored() {
    let states: [&[u8]; 2] = [
        include_bytes!("../../../../tests/golden/states/logs-v1.bin"),
        include_bytes!("../../../../tests/golden/states/logs-v2-postfix-2.bin"),
    ];
    let rest = "
        Nov 23 11:00:09 mail postfix/qmgr[9]: 4AA0900003: from=<ann@example.org>, size=344, nrcpt=1 (queue active)
        Nov 23 11:00:10 mail postfix/submission/smtpd[201]: disconnect from c1.example.test[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
        Nov 23 11:00:11 mail postfix/smtpd[202]: disconnect from c2.example.test[192.0.2.2] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
        Nov 23 11:00:12 mail postfix/submission/smtpd[203]: disconnect from c4.example.test[192.0.2.4] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
    ";
    let expected = [
        "ann@example.org ann@example.org PLAIN TLS1.3 192.0.2.1 x1",
        "scan@example.org printer LOGIN none 192.0.2.2 x1",
        "cyd@example.org cyd@example.org PLAIN TLS1.1 192.0.2.4 x1",
    ];
    for state in states {
        let (mut stream, unreadable) = LogStream::restore(options(), state);
        assert_eq!(unreadable, []);
        assert_eq!(stream.load(), Load { sessions: 3, messages: 2, evicted: 0 });
        let mut collected = Collected::default();
        feed(&mut stream, rest, &mut collected);
        assert_eq!(collected.submissions, expected);
    }
}

/// The same, of the first version that kept sections.
#[test]
fn what_waited_for_the_end_of_its_session_goes_on_waiting() {
    let state = include_bytes!("../../../../tests/golden/states/logs-v2.bin");
    let restored = || {
        let (stream, unreadable) = LogStream::restore(options(), state);
        assert_eq!(unreadable, []);
        assert_eq!(stream.load(), Load { sessions: 4, messages: 3, evicted: 0 });
        stream
    };
    let (mut stream, mut collected) = (restored(), Collected::default());
    let rest = "
        Nov 23 11:00:01 mail postfix/qmgr[9]: 4AA0900001: from=<ann@example.org>, size=344, nrcpt=1 (queue active)
        Nov 23 11:00:02 mail postfix/qmgr[9]: 4AA0900004: from=<dan@example.org>, size=344, nrcpt=1 (queue active)
        Nov 23 11:00:03 mail postfix/smtpd[202]: disconnect from c2.example.test[192.0.2.2] ehlo=1 auth=1 mail=2 rcpt=2 data=2 quit=1 commands=8
        Nov 23 11:00:04 mail postfix/smtps/smtpd[203]: proxy-accept: END-OF-MESSAGE from c3.example.test[192.0.2.3]: 250 2.0.0 Ok; from=<cyd@example.org> to=<b@example.net> proto=ESMTP helo=<h>
        Nov 23 11:00:05 mail postfix/submission/smtpd[205]: 4AA0900005: client=c5.example.test[192.0.2.5], sasl_method=PLAIN, sasl_username=eve
        Nov 23 11:00:06 mail postfix/submission/smtpd[205]: disconnect from c5.example.test[192.0.2.5] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
    ";
    feed(&mut stream, rest, &mut collected);
    let expected = [
        "ann@example.org ann@example.org PLAIN TLS1.3 192.0.2.1 x1",
        "dan@example.org dan PLAIN TLS1.2 192.0.2.4 x1",
        "scan@example.org printer LOGIN none 192.0.2.2 x1",
        "scan@example.org printer LOGIN none 192.0.2.2 x1",
        "cyd@example.org cyd CRAM-MD5 TLS1.1 192.0.2.3 x1",
        "eve@example.org eve PLAIN none 192.0.2.5 x1",
    ];
    assert_eq!(collected.submissions, expected);

    let (mut stream, mut collected) = (restored(), Collected::default());
    feed(&mut stream, "Nov 23 11:02:00 mail CRON[7]: x", &mut collected);
    assert_eq!(collected.submissions, ["scan@example.org printer LOGIN unknown 192.0.2.2 x1"]);
}

/// Every server's sessions and messages at once, each in the first form of its section.
#[test]
fn what_every_server_left_open_goes_on() {
    let state = include_bytes!("../../../../tests/golden/states/logs-v2-servers.bin");
    let sections = saved::read(state).expect("sections");
    let named: BTreeSet<_> = sections.iter().map(|section| &*section.format).collect();
    let expected = [
        "courier",
        "dovecot",
        "exchange",
        "exim",
        "haraka",
        "kumomta",
        "lines",
        "maddy",
        "mox",
        "opensmtpd",
        "postfix",
        "relayed",
        "sendmail",
        "ses",
        "smtpcsreport",
        "stalwart",
    ];
    let expected = BTreeSet::from(expected);
    assert_eq!(named, expected);

    let (mut stream, unreadable) = LogStream::restore(options(), state);
    assert_eq!(unreadable, []);
    let mut collected = Collected::default();
    let rest = include_str!("../../../../tests/golden/states/logs-v2-servers.after.log");
    feed(&mut stream, rest, &mut collected);
    let expected = [
        "ann@postfix.test ann@postfix.test PLAIN TLS1.3 192.0.2.1 x1",
        "ann@exim.test ann PLAIN TLS1.3 192.0.2.1 x1",
        "bert@ses.test bert  TLS1.3 192.0.2.1 x1",
        "ann@smtpcsreport.test  BASIC TLS1.2 192.0.2.1 x3",
        r"ann@exchange.test corp\ann LOGIN TLS1.2 192.0.2.1 x1",
        r"bert@exchange.test corp\bert LOGIN TLS1.2 192.0.2.1 x1",
        "ann@mox.test ann@mox.test SCRAM-SHA-256 TLS1.3 192.0.2.1 x1",
        "bert@mox.test bert@mox.test PLAIN TLS1.2 192.0.2.2 x1",
        "ann@maddy.test ann@maddy.test  unknown 192.0.2.1 x1",
        "bert@kumomta.test ann  TLS1.3 192.0.2.1 x1",
        "ann@stalwart.test ann  TLS1.3 192.0.2.1 x1",
        "ann@haraka.test   TLS1.3 192.0.2.1 x1",
        "bert@haraka.test   none 192.0.2.2 x1",
        "ann@opensmtpd.test ann@opensmtpd.test  TLS1.3 192.0.2.1 x1",
        "bert@opensmtpd.test bert@opensmtpd.test  TLS1.2 192.0.2.2 x1",
        "ann@dovecot.test ann@dovecot.test PLAIN TLS1.3 192.0.2.1 x1",
        "ann@courier.test ann@courier.test  unknown 192.0.2.1 x1",
        "bert@sendmail.test bert@sendmail.test LOGIN TLS1.3 192.0.2.2 x1",
        "(unknown) bert@courier.test  unknown 192.0.2.2 x1",
        "cleo@dovecot.test cleo@dovecot.test  unknown 192.0.2.3 x1",
    ];
    assert_eq!(collected.submissions, expected);
    assert_eq!(collected.failures, ["eve@postfix.test 192.0.2.1"; 2]);
    assert_eq!(collected.rejected, [""; 0]);
}
