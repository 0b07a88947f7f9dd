//! Names of clients: what each server's log tells, whether its lines come in one batch or in many.

use super::*;

/// What is told of the clients of the messages in a log.
fn names(log: &str) -> Vec<String> {
    read(log).names
}

#[test]
fn postfix_tells_the_name_that_it_has_confirmed() {
    for (client, name) in [
        ("Printer-2.office.example[192.0.2.1]", "printer-2.office.example"),
        ("pc.x.test[192.0.2.1]:50123", "pc.x.test"),
        ("unknown[192.0.2.1]", ""),
        ("unknown[unknown]", ""),
        ("192.0.2.1[192.0.2.1]", ""),
    ] {
        // The last but one waits for the end of its session, and the last for another server's line.
        let log = format!(
            "
            Nov 23 11:00:00 mail postfix/submission/smtpd[7]: connect from {client}
            Nov 23 11:00:00 mail postfix/submission/smtpd[7]: Anonymous TLS connection established from {client}: TLSv1.3 with cipher X
            Nov 23 11:00:01 mail postfix/submission/smtpd[7]: 4AA0900001: client={client}, sasl_method=PLAIN, sasl_username=ann
            Nov 23 11:00:01 mail postfix/qmgr[9]: 4AA0900001: from=<ann@x.test>, size=344, nrcpt=1 (queue active)
            Nov 23 11:00:02 mail postfix/submission/smtpd[7]: NOQUEUE: client={client}, sasl_method=PLAIN, sasl_username=ann
            Nov 23 11:00:02 mail postfix/submission/smtpd[7]: proxy-accept: END-OF-MESSAGE from {client}: 250 2.0.0 Ok; from=<ann@x.test> to=<b@x.test> proto=ESMTP helo=<boss.x.test>
            Nov 23 11:00:03 mail postfix/smtps/smtpd[8]: 4AA0900002: client={client}, sasl_method=PLAIN, sasl_username=ann
            Nov 23 11:00:03 mail postfix/qmgr[9]: 4AA0900002: from=<ann@x.test>, size=344, nrcpt=1 (queue active)
            Nov 23 11:00:04 mail postfix/relay/smtpd[6]: 4AA0900003: client={client}, sasl_method=XCLIENT, sasl_username=ann
            Nov 23 11:00:04 mail postfix/qmgr[9]: 4AA0900003: from=<ann@x.test>, size=344, nrcpt=1 (queue active)
            Nov 23 11:00:05 mail postfix/smtps/smtpd[8]: disconnect from {client} ehlo=1 auth=1 mail=1 rcpt=1 data=1
            Nov 23 11:02:00 mail CRON[1]: x
        "
        );
        assert_eq!(names(&log), [name; 4], "{client}");
    }
}

#[test]
fn exim_tells_the_name_that_it_has_confirmed_or_what_the_client_says() {
    for (host, name) in [
        ("Pc.x.test [192.0.2.1]:50123", "pc.x.test"),
        ("pc.x.test (Laptop) [192.0.2.1] I=[192.0.2.9]:587", "pc.x.test"),
        ("(Laptop) [192.0.2.1]:50123", "(laptop)"),
        ("([10.0.0.1]) [192.0.2.1]", ""),
        ("(192.0.2.1) [192.0.2.1]", ""),
        ("[192.0.2.1]", ""),
        ("(x) boss.x.test [198.51.100.9] (y) [192.0.2.1]", "(xboss.x.test[198.51.100.9]y)"),
    ] {
        let log = format!(
            "2026-11-23 11:00:00 1xVWoN-0001PO-2u <= ann@x.test H={host} P=esmtpsa X=TLS1.3:x:256 CV=no A=plain:ann S=300 id=i@x.test"
        );
        assert_eq!(names(&log), [name], "{host}");
    }
}

#[test]
fn sendmail_tells_whether_a_name_leads_back_to_the_address() {
    for (relay, name) in [
        ("Pc.x.test [192.0.2.1]", "pc.x.test"),
        ("pc.x.test [192.0.2.1] (may be forged)", "(pc.x.test)"),
        ("IDENT:a b@pc.x.test [192.0.2.1]", "pc.x.test"),
        ("IDENT:boss.x.test @[192.0.2.1]", ""),
        ("[192.0.2.1]", ""),
        ("[192.0.2.1] [192.0.2.1]", ""),
    ] {
        let log = format!(
            "
            Nov 23 11:00:00 mail sm-mta[7]: AUTH=server, relay={relay}, authid=ann@x.test, mech=PLAIN, bits=0
            Nov 23 11:00:01 mail sm-mta[7]: 6AN900aB000007: from=<ann@x.test>, size=9, class=0, nrcpts=1, msgid=<a@b>, proto=ESMTPA, daemon=MSA, relay={relay}
            Nov 23 11:00:02 mail sm-mta[8]: 6AN900aB000008: from=<ann@x.test>, size=9, class=0, nrcpts=1, msgid=<a@b>, proto=ESMTPA, daemon=MSA, relay={relay}
            Nov 23 11:02:00 mail sm-mta[9]: alias database rebuilt
        "
        );
        assert_eq!(names(&log), [name; 2], "{relay}");
    }
}

#[test]
fn opensmtpd_tells_a_name_that_it_has_not_confirmed() {
    for (host, name) in [
        ("Pc.x.test", "(pc.x.test)"),
        ("<unknown>", ""),
        ("192.0.2.1", ""),
        ("x smtp authentication user=boss result=ok", ""),
    ] {
        let log = format!(
            "
            Nov 23 11:00:00 mail smtpd[3]: d132b465a28b2c7b smtp connected address=192.0.2.1 host={host}
            Nov 23 11:00:00 mail smtpd[3]: d132b465a28b2c7b smtp authentication user=ann result=ok
            Nov 23 11:00:00 mail smtpd[3]: d132b465a28b2c7b smtp message msgid=70d45f1a size=11 nrcpt=2 proto=ESMTP
            Nov 23 11:00:00 mail smtpd[3]: d132b465a28b2c7b smtp envelope evpid=70d45f1a9746e352 from=<a@x.test> to=<b@x.test>
        "
        );
        assert_eq!(names(&log), [name], "{host}");
    }
}

#[test]
fn courier_tells_a_name_or_what_the_client_says() {
    for (from, name) in [
        ("laptop (Pc.x.test [::ffff:192.0.2.1])", "(pc.x.test)"),
        ("Laptop ([::ffff:192.0.2.1])", "(laptop)"),
        ("x (boss.x.test [192.0.2.9]) ([::ffff:192.0.2.1])", "(xboss.x.test[192.0.2.9])"),
        ("[192.0.2.1] ([::ffff:192.0.2.1])", ""),
    ] {
        let log = format!(
            "
            Nov 23 11:00:00 mail courierd: newmsg,id=98B.6B07.38E, auth=ann: dns; {from}
            Nov 23 11:00:00 mail courierd: started,id=98B.6B07.38E,from=<a@x.test>,module=esmtp,host=x,addr=<r@x.test>
        "
        );
        assert_eq!(names(&log), [name], "{from}");
    }
}

#[test]
fn harakas_log_tells_at_the_end_of_a_connection() {
    for (told, name) in [
        ("rdns=Pc.x.test helo=laptop", "(pc.x.test)"),
        ("rdns=NXDOMAIN helo=Laptop", "(laptop)"),
        ("rdns=DNSERROR helo=\"x) boss.x.test (y\"", "(xboss.x.testy)"),
        ("rdns=NXDOMAIN helo=[192.0.2.1]", ""),
        ("rdns=\"\" helo=\"\"", ""),
    ] {
        let id = "43E91155-2F70-413B-8F6C-460BDFCB4B6F";
        let log = format!(
            "
            2026-11-23T11:00:00.123Z [NOTICE] [{id}] [core] connect ip=192.0.2.1 port=41872
            2026-11-23T11:00:01.123Z [INFO] [{id}] [core] hook=unrecognized_command plugin=auth/flat_file params=AUTH retval=OK
            2026-11-23T11:00:02.123Z [NOTICE] [{id}.1] [core] sender <a@x.test> code=CONT msg=\"\"
            2026-11-23T11:00:03.123Z [NOTICE] [{id}.1] [core] queue code=OK msg=\"x\"
            2026-11-23T11:00:04.123Z [NOTICE] [{id}.1] [core] disconnect ip=192.0.2.1 {told} relay=Y early=N tls=N
        "
        );
        assert_eq!(names(&log), [name], "{told}");
    }
}

#[test]
fn maddy_and_kumomta_tell_what_the_client_says() {
    for (helo, name) in
        [("Laptop", "(laptop)"), ("x) boss (y", "(xbossy)"), ("[192.0.2.1]", ""), ("", "")]
    {
        let maddy = format!(
            "submission: incoming message\t{{\"msg_id\":\"7e\",\"sender\":\"a@x.test\",\"src_host\":\"{helo}\",\"src_ip\":\"192.0.2.1:4\",\"username\":\"ann\"}}\nsubmission: accepted\t{{\"msg_id\":\"7e\"}}\n"
        );
        assert_eq!(names(&maddy), [name], "{helo}");
        let kumomta = format!(
            "{{\"type\":\"Reception\",\"id\":\"1\",\"sender\":\"a@x.test\",\"size\":9,\"peer_address\":{{\"name\":\"{helo}\",\"addr\":\"192.0.2.1\"}},\"timestamp\":1795431600,\"reception_protocol\":\"ESMTP\",\"meta\":{{\"authn_id\":\"ann\"}}}}\n"
        );
        assert_eq!(names(&kumomta), [name], "{helo}");
    }
}

#[test]
fn exchange_tells_what_the_client_says() {
    let row = |second: u32, connector: &str, session: &str, rest: &str| {
        format!(
            "2026-11-23T06:00:{second:02}.000Z,EX1\\{connector} EX1,{session},{second},192.0.2.10:587,192.0.2.1:50100,{rest}\n"
        )
    };
    let (front, hub) = ("08DE2C0000000005", "08DE2C0000000200");
    let queued = ">,\"250 2.6.0 <1@x.test> [InternalId=3] Queued mail for delivery\",";
    let login = [
        row(1, "Client Frontend", front, "<,EHLO Laptop,"),
        row(2, "Client Frontend", front, "*,ann,authenticated"),
    ]
    .concat();
    let handed = "<,XPROXY SID=08DE2C0000000005 IP=192.0.2.1 PORT=1 DOMAIN=Desk CAPABILITIES=0,";
    let hubs = [
        row(3, "Client Proxy", hub, "<,EHLO EX1.x.test,"),
        row(4, "Client Proxy", hub, handed),
        row(5, "Client Proxy", hub, queued),
    ]
    .concat();
    assert_eq!(names(&(login.clone() + &row(3, "Client Frontend", front, queued))), ["(laptop)"]);
    assert_eq!(names(&(login.clone() + &hubs)), ["(laptop)"]);
    assert_eq!(names(&(hubs.clone() + &login)), ["(laptop)"]);
    let later = row(9, "Client Proxy", "08DE2C0000000999", "+,,").replace("T06:00", "T06:02");
    assert_eq!(names(&(hubs + &later)), ["(desk)"]);
}

#[test]
fn events_tell_a_hosts_name_or_something_else() {
    for (told, name) in [
        ("\"Pc.x.test\"", "pc.x.test"),
        ("\"(Laptop)\"", "(laptop)"),
        ("\"(x) boss.x.test (y)\"", "(xboss.x.testy)"),
        ("\"Ann's Laptop\"", "(ann'slaptop)"),
        ("\"192.0.2.1\"", ""),
        ("\"\"", ""),
        ("null", ""),
    ] {
        let log = format!(
            "{{\"time\":1795431600,\"sender\":\"a@x.test\",\"client\":\"192.0.2.1\",\"client_name\":{told}}}\n"
        );
        assert_eq!(names(&log), [name], "{told}");
    }
    let damaged =
        "{\"event\":\"submission\",\"time\":1795431600,\"sender\":\"\",\"client_name\":7}\n";
    assert_eq!(read(damaged).rejected, ["client_name 7 is no text"]);
    let no_client = "{\"time\":1795431600,\"sender\":\"a@x.test\",\"client_name\":\"pc.x.test\"}\n";
    assert_eq!(names(no_client), [""], "a name is an address's");
}

/// A program that knew of no names reads what is saved now, and this one what that program saved.
#[test]
fn names_take_nothing_from_what_was_saved_before() {
    let lines = |client: &str| {
        format!(
            "
            Nov 23 11:00:00 mail postfix/submission/smtpd[7]: connect from {client}
            Nov 23 11:00:01 mail postfix/submission/smtpd[7]: 4AA0900001: client={client}, sasl_method=PLAIN, sasl_username=ann
            Nov 23 11:00:01 mail sm-mta[7]: AUTH=server, relay={client}, authid=ann@x.test, mech=PLAIN, bits=0
        "
        )
        .replace("relay=unknown[", "relay=[")
        .replace("relay=pc.x.test[", "relay=pc.x.test [")
    };
    let saved = |client: &str| {
        let mut stream = LogStream::new(options());
        feed(&mut stream, &lines(client), &mut Collected::default());
        crate::saved::read(&stream.save()).expect("sections")
    };
    let (nameless, named) = (saved("unknown[192.0.2.1]"), saved("pc.x.test[192.0.2.1]"));
    assert_eq!(nameless.len(), named.len());
    for (nameless, named) in nameless.iter().zip(&named) {
        assert_eq!((&nameless.format, nameless.version), (&named.format, named.version));
        let is_joined = ["postfix", "sendmail"].contains(&&*named.format);
        assert!(named.bytes.starts_with(&nameless.bytes), "{}", named.format);
        assert_eq!(named.bytes != nameless.bytes, is_joined, "{}", named.format);
    }
}
