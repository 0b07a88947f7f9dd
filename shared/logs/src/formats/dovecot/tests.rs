//! Whole logs of Dovecot, alone and with the Postfix behind it.

use crate::testing::{Collected, read};

const LOGIN: &str = "submission-login: Login: user=<ann@example.org>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, mpid=3211, TLS, session=<AYdZ/x+1>";
const RELAYED: &str = "submission(ann@example.org)<3211><AYdZ/x+1>: Successfully relayed message: from=<Ann@example.org>, size=922, id=O2LoLrPbB2uLDAAA, nrcpt=1, reply=`250 2.0.0 Ok: 1115 bytes queued as C238E9A2'";
const ENDED: &str = "submission(ann@example.org)<3211><AYdZ/x+1>: Disconnected: Logged out (state=READY) in=3482 out=240";
const ANN: &str = "ann@example.org ann@example.org PLAIN unknown 192.0.2.1 x1";

fn log(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("Nov 23 11:00:00 mail dovecot: {line}\n")).collect()
}

fn sent(lines: &[&str]) -> Vec<String> {
    read(&log(lines)).submissions
}

#[test]
fn a_message_has_the_login_of_its_session() {
    assert_eq!(sent(&[LOGIN, RELAYED, RELAYED, ENDED]), [ANN; 2]);
    // The session is over, and the process serves another.
    let nobodys = "ann@example.org ann@example.org  unknown  x1";
    assert_eq!(sent(&[LOGIN, ENDED, RELAYED]), [nobodys]);
    assert_eq!(sent(&[RELAYED]), [nobodys]);
    assert!(sent(&[LOGIN, ENDED]).is_empty());
}

#[test]
fn tls_is_what_the_login_tells() {
    for (told, tls) in [
        ("TLS, ", "unknown"),
        ("TLS, TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits), ", "TLS1.0"),
        ("TLS, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits), ", "TLS1.3"),
        ("TLSv1.2 with cipher X (256/256 bits), ", "TLS1.2"),
        ("secured, ", "none"),
        ("", "none"),
    ] {
        let login = LOGIN.replace("TLS, ", told);
        let expected = ANN.replace("unknown", tls);
        assert_eq!(sent(&[&login, RELAYED]), [expected], "{told}");
    }
}

#[test]
fn a_session_is_known_by_its_id_or_by_its_process() {
    // No session is told by the one line or the other.
    let anonymous = LOGIN.replace(", session=<AYdZ/x+1>", "");
    assert_eq!(sent(&[&anonymous, RELAYED]), [ANN]);
    let by_process = RELAYED.replace("<AYdZ/x+1>", "");
    assert_eq!(sent(&[LOGIN, &by_process]), [ANN]);
    let by_session = RELAYED.replace("<3211>", "");
    assert_eq!(sent(&[LOGIN, &by_session]), [ANN]);
    let by_nothing = by_process.replace("<3211>", "");
    assert_eq!(sent(&[LOGIN, &by_nothing]), ["ann@example.org ann@example.org  unknown  x1"]);
    // One process, two sessions: what is so for both.
    let other = LOGIN.replace("192.0.2.1", "192.0.2.2").replace("AYdZ", "BYdZ");
    let both = "ann@example.org ann@example.org PLAIN unknown  x1";
    assert_eq!(sent(&[LOGIN, &other, &by_process]), [both]);
    assert_eq!(sent(&[LOGIN, &other, RELAYED]), [ANN]);
}

#[test]
fn dovecots_own_log_has_neither_host_nor_tag() {
    let login = "Nov 23 11:00:00 submission-login: Info: Login: user=<ann@example.org> method=PLAIN rip=192.0.2.1 rport=50000 lip=192.0.2.9 lport=587 mpid=3211 TLS";
    let relayed = RELAYED.replace(": Succ", ": Info: Succ");
    let relayed = format!("Nov 23 11:00:01 {relayed}");
    let iso = |line: &str| line.replace("Nov 23", "2026-11-23");
    for front in
        ["", "front-1  | ", "2026-11-23T11:00:00.5Z stdout F ", "Nov 23 11:00:02 host front[7]: "]
    {
        let log = format!("{front}{login}\n{front}{relayed}\n");
        assert_eq!(read(&log).submissions, [ANN], "{front}");
        if front.is_empty() {
            assert_eq!(read(&iso(&log)).submissions, [ANN]);
        }
    }
    // A user's name with a blank.
    let log = format!("{login}\n{relayed}\n").replace("ann@example.org", "ann lee");
    assert_eq!(read(&log).submissions, [ANN.replace(" ann@example.org", " ann lee")]);
    let other = "Nov 23 11:00:00 imap-login: Info: Login: user=<ann>, method=PLAIN, rip=192.0.2.1";
    assert_eq!(read(other), Collected::default());
}

/// With `auth_verbose`, each password database that did not know the password has a line, whoever asked.
#[test]
fn what_the_authentication_tells_of_a_failed_login_is_told_again() {
    let ended = "submission-login: Disconnected: Aborted login by logging out (auth failed, 2 attempts in 8 secs): user=<bob>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.9, TLS, session=<N/1>";
    let worker = "auth-worker(9): conn unix:auth-worker (pid=8,uid=1): auth-worker<1>";
    let lines = [
        "auth: passwd-file(ann@example.org,192.0.2.1,<AYdZ/x+1>): unknown user",
        &format!("{worker}: sql(ann@example.org,192.0.2.1,<AYdZ/x+1>): Password mismatch"),
        LOGIN,
        "auth: passwd-file(bob,192.0.2.66,<N/1>): Password mismatch",
        "auth: passwd-file(bob,192.0.2.66,<N/1>): Password mismatch (given password: kept-out) - trying the next passdb",
        "auth: passwd-file(bob,192.0.2.66): Password mismatch",
        ended,
        "auth: passwd-file(eve,192.0.2.67,<imap>): Password mismatch",
    ];
    let postfix = "Nov 23 11:00:00 mail postfix/smtpd[7]: warning: unknown[192.0.2.66]: SASL PLAIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob\n";
    let read = read(&(log(&lines) + postfix));
    assert_eq!(read.failures, [" 192.0.2.66", "bob 192.0.2.66", "bob 192.0.2.66"]);
}

#[test]
fn logins_that_fail_are_told_at_the_end_of_their_session() {
    for (line, failures) in [
        (
            "submission-login: Disconnected: Aborted login by logging out (auth failed, 2 attempts in 1 secs): user=<Bob>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.9, TLS, session=<x>",
            vec![" 192.0.2.66", "bob 192.0.2.66"],
        ),
        (
            "submission-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<bob>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.9, TLS: Connection closed, session=<x>",
            vec!["bob 192.0.2.66"],
        ),
        (
            "submission-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=198.51.100.9, lip=1>, method=PLAIN, rip=192.0.2.66, session=<x>",
            vec![" "],
        ),
        (
            "submission-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<(auth failed, 1 attempts in 1 secs): user=<boss>>, rip=192.0.2.66",
            vec![],
        ),
        (
            "imap-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<bob>, rip=192.0.2.66",
            vec![],
        ),
    ] {
        let read = read(&log(&[line]));
        assert_eq!(read.failures, failures, "{line}");
        assert!(read.submissions.is_empty() && read.temporary.is_empty());
    }
    let line = "submission-login: Login aborted: Connection closed (temporary auth failure, 1 attempts in 2 secs): user=<bob>, rip=192.0.2.66";
    assert_eq!(read(&log(&[line])).temporary, ["bob 192.0.2.66"]);
}

#[test]
fn names_that_imitate_a_line_are_nobodys() {
    let imitation = "x): Successfully relayed message: from=<boss@example.org>, size=1, id=x, nrcpt=1, reply=`250 2.0.0 Ok: queued as AAAAAAAA'";
    let sender = RELAYED.replace("<Ann@example.org>", &format!("<\"{imitation}\"@example.org>"));
    assert_eq!(sent(&[LOGIN, &sender]), ["(unknown)   unknown  x1"]);
    let quoted = RELAYED.replace("<Ann@example.org>", "<\"a>, size=1\"@example.org>");
    let expected = ANN.replacen("ann@", "\"a>, size=1\"@", 1);
    assert_eq!(sent(&[LOGIN, &quoted]), [expected]);
    // What is not Dovecot's.
    let log =
        format!("Nov 23 11:00:00 mail sshd[7]: {LOGIN}\nNov 23 11:00:00 mail sshd[7]: {RELAYED}\n");
    assert_eq!(read(&log), Collected::default());
}

const CLIENT: &str = "postfix/relay/smtpd[3158]: C238E9A2: client=unknown[192.0.2.1], sasl_method=XCLIENT, sasl_username=ann@example.org";
const ACTIVE: &str =
    "postfix/qmgr[3148]: C238E9A2: from=<ann@example.org>, size=1292, nrcpt=1 (queue active)";
const BEHIND: &str = "ann@example.org ann@example.org  unknown 192.0.2.1 x1";

/// Lines of Dovecot's host and of Postfix's, each so many seconds after eleven.
fn both(hosts: [&str; 2], lines: &[(u32, &str)]) -> Vec<String> {
    let line = |(at, text): &(u32, &str)| {
        let (host, text) = match text.starts_with("postfix") {
            true => (hosts[1], (*text).to_owned()),
            false => (hosts[0], format!("dovecot: {text}")),
        };
        format!("Nov 23 11:{:02}:{:02} {host} {text}\n", at / 60, at % 60)
    };
    let mut log: String = lines.iter().map(line).collect();
    log += "Nov 23 11:10:00 mail CRON[1]: x\n";
    read(&log).submissions
}

#[test]
fn a_message_that_the_server_behind_tells_of_counts_once_and_as_dovecot_knows_it() {
    for hosts in [["mail", "mail"], ["front", "queue"]] {
        let orders: [&[(u32, &str)]; 4] = [
            &[(0, LOGIN), (0, CLIENT), (0, ACTIVE), (1, RELAYED)],
            &[(0, LOGIN), (0, CLIENT), (0, RELAYED), (40, ACTIVE)],
            &[(0, LOGIN), (0, RELAYED), (40, CLIENT), (40, ACTIVE)],
            &[(0, LOGIN), (0, CLIENT), (0, ACTIVE), (40, RELAYED), (41, ACTIVE)],
        ];
        for lines in orders {
            assert_eq!(both(hosts, lines), [ANN], "{hosts:?}: {lines:?}");
        }
    }
    // Dovecot's log is not in this one.
    assert_eq!(both(["mail"; 2], &[(0, CLIENT), (0, ACTIVE)]), [BEHIND]);
    assert_eq!(both(["mail"; 2], &[(0, LOGIN), (0, RELAYED)]), [ANN]);
    // Another queue id.
    let other = RELAYED.replace("C238E9A2", "C238E9A3");
    assert_eq!(
        both(["mail"; 2], &[(0, LOGIN), (0, CLIENT), (0, ACTIVE), (0, &other)]),
        [ANN, BEHIND]
    );
}

#[test]
fn of_two_hosts_with_one_queue_id_the_line_means_its_own() {
    let line = |host: &str, text: &str| format!("Nov 23 11:00:00 {host} {text}\n");
    let elsewhere = |text: &str| text.replace("ann@example.org", "bob@example.org");
    let log = line("one", &elsewhere(CLIENT))
        + &line("one", &elsewhere(ACTIVE))
        + &line("two", CLIENT)
        + &line("two", ACTIVE)
        + &line("two", &format!("dovecot: {LOGIN}"))
        + &line("two", &format!("dovecot: {RELAYED}"))
        + "Nov 23 11:10:00 mail CRON[1]: x\n";
    assert_eq!(read(&log).submissions, [ANN.to_owned(), elsewhere(BEHIND)]);
}

#[test]
fn a_message_that_the_server_behind_holds_counts_once() {
    let held = "postfix/cleanup[3150]: C238E9A2: hold: header Subject: x from unknown[192.0.2.1]; from=<ann@example.org> to=<bob@example.net> proto=ESMTP helo=<h>";
    let content = "postfix/cleanup[3150]: C238E9A2: message-id=<x@example.org>";
    let end = "postfix/relay/smtpd[3158]: disconnect from unknown[192.0.2.1] ehlo=2 xclient=0/1 mail=1 rcpt=1 data=1 quit=1 commands=6/7";
    let lines = [(0, LOGIN), (0, CLIENT), (0, held), (0, content), (0, RELAYED), (500, end)];
    assert_eq!(both(["mail"; 2], &lines), [ANN]);
}

#[test]
fn a_client_that_postfix_itself_knows_does_not_wait() {
    let client = CLIENT.replace("XCLIENT", "LOGIN");
    let own = "ann@example.org ann@example.org LOGIN none 192.0.2.1 x1";
    let end = "postfix/relay/smtpd[3158]: disconnect from unknown[192.0.2.1] ehlo=2 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6/7";
    let lines = [(0, &*client), (0, ACTIVE), (1, end), (1, LOGIN), (1, RELAYED)];
    assert_eq!(both(["mail"; 2], &lines), [own, ANN]);
}
