//! Units that are not lines, folded messages, and what is told of all of them.

use super::*;

/// Session, submission and failed login of one client, plain.
fn small_log() -> String {
    let failure = "warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x";
    [smtpd(CONNECT), smtpd(TLS13), smtpd(CLIENT), qmgr(ACTIVE), smtpd(failure)].concat()
}

/// A line as the text of a JSON string.
fn quoted(line: &str) -> String {
    serde_json::Value::from(line).to_string()
}

#[test]
fn units_that_are_not_lines_prove_the_same() {
    let log = small_log();
    let plain = read(&log);
    assert_eq!((plain.submissions.len(), plain.failures.len()), (1, 1));
    let each = |text: &dyn Fn(&str) -> String| log.lines().map(text).collect::<Vec<_>>();
    let pretty =
        |line: &str| format!("  {{\n    \"message\" : {},\n    \"id\": \"7\"\n  }}", quoted(line));
    let export = |line: &str| {
        format!(
            "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795431600000000\n_HOSTNAME=host\n\
             SYSLOG_IDENTIFIER=docker\nMESSAGE={line}\n\n"
        )
    };
    let cri = |line: &str| {
        let (one, two) = line.split_at(line.len() / 2);
        let head = "2026-11-23T11:00:00.123456789Z";
        format!("{head} stdout P {one}\n{head} stderr F noise\n{head} stdout F {two}\n")
    };
    for text in [
        each(&cri).concat(),
        format!("[\n{}\n]\n", each(&pretty).join(",\n")),
        format!("{{\n\"events\": [\n{}\n],\n\"next\": null\n}}", each(&pretty).join(",\n")),
        each(&|line| format!("{{\"message\":{}}}", quoted(line))).concat(),
        format!(
            "{{\"hits\":{{\"hits\":[{}]}}}}",
            each(&|line| format!("{{\"message\":{}}}", quoted(line))).join(",")
        ),
        each(&export).concat(),
    ] {
        assert_eq!(read(&text), plain, "{text}");
    }
}

#[test]
fn folded_messages_count_as_often_as_they_came() {
    let failure = "warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x";
    let folded = smtpd(&format!("message repeated 7 times: [ {failure}]"));
    let counted = read(&[smtpd(CONNECT), smtpd(failure), folded].concat());
    assert_eq!(counted.failures.len(), 8);
    let by_number = "Nov 23 11:00:09 mail last message repeated 3 times\n".to_owned();
    let counted = read(&[smtpd(failure), by_number.clone(), by_number.clone()].concat());
    assert_eq!(counted.failures.len(), 7);
    let counted = read(&[smtpd(failure), smtpd(CONNECT), by_number].concat());
    assert_eq!(counted.failures.len(), 1, "another line came between");
    let forged = smtpd("warning: last message repeated 9 times");
    assert_eq!(read(&[smtpd(failure), forged].concat()).failures.len(), 1);
}

#[test]
fn what_was_understood_is_told() {
    let mut stream = LogStream::new(options());
    let log = [
        small_log(),
        "Nov 23 11:00:00 mail systemd[1]: Started.\n".to_owned(),
        "192.0.2.1 - - [23/Nov/2026:11:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n\n".to_owned(),
        "AUTH PLAIN AGFubgBzZWNyZXQ=\n".to_owned(),
    ];
    feed(&mut stream, &log.concat(), &mut Collected::default());
    let told = stream.understanding();
    assert_eq!(told.servers().collect::<Vec<_>>(), [("postfix", 5)]);
    assert_eq!((told.units, told.others, told.not_understood), (8, 1, 2));
    let first = told.first.expect("one");
    assert_eq!(first.nearest, "looks like a web server's access log");
    let mut stream = LogStream::new(options());
    feed(&mut stream, &log[3], &mut Collected::default());
    let told = stream.understanding();
    assert!(told.is_nothing());
    let text = told.first.expect("one").text;
    assert_eq!(text, "AUTH PLAIN (left out)");
}

#[test]
fn what_a_client_sent_and_a_program_logs_in_an_object_of_its_own_is_no_event() {
    let event = r#"{"event":"submission","time":1795431600,"sender":"a@x.test","account":"boss"}"#;
    let line = smtpd(CLIENT).trim_end().to_owned();
    for inner in [event.to_owned(), serde_json::json!({"message": line}).to_string()] {
        for object in [
            format!(
                r#"{{"time":"2026-11-23T11:00:00Z","level":"info","request":{{"items":[{inner}]}}}}"#
            ),
            format!(r#"{{"level":"info","msg":"request","items":[{inner}],"events":[{inner}]}}"#),
            format!(r#"{{"level":"info","text":"{{}}","body":[{inner}]}}"#),
        ] {
            let log = format!("{object}\n{}", qmgr(ACTIVE));
            assert_eq!(read(&log), Collected::default(), "{log}");
        }
    }
}

#[test]
fn json_that_is_over_needs_no_line_end() {
    let (mut stream, mut collected) = (LogStream::new(options()), Collected::default());
    for (text, is_whole) in [
        ("{\"a\":1}", true),
        ("[{\"a\":1}]", true),
        ("[{\"a\":1}", false),
        ("{\"a\":\"1}", false),
        ("Nov 23 11:00:00 mail x[1]: {}", false),
    ] {
        assert_eq!(stream.is_whole(text.as_bytes()), is_whole, "{text}");
    }
    feed(&mut stream, "{\n\"message\": \"x\"", &mut collected);
    assert!(stream.is_whole(b"}") && !stream.is_whole(b","));
}

#[test]
fn a_cell_of_csv_may_have_line_ends() {
    let log = small_log();
    let plain = read(&log);
    let rows = |cells: &dyn Fn(&str) -> String| log.lines().map(cells).collect::<String>();
    let forged = log.replace("ann", "eve").replace("192.0.2.66", "192.0.2.99");
    let time = "2026-11-23T11:00:00Z";
    let within = |text: &str| format!("say \"\"\n{text}\n\n");
    // In the message itself, what may tell of sessions would leave their TLS version unknown.
    let tells = |line: &&str| !line.contains("connect from") && !line.contains(" TLS connection ");
    let messages: Vec<_> = forged.lines().filter(tells).collect();
    let messages = messages.join("\n");
    for text in [
        // What stands in a cell is no line of its own, whatever it looks like.
        format!(
            "time,message,note\n{}",
            rows(&|line| format!("{time},\"{line}\",\"{}\"\n", within(&forged)))
        ),
        format!(
            "\"time\";\"host\";\"message\"\n{}",
            rows(&|line| format!(
                "\"{time}\";\"app\";\"Trace:\r\n{messages}\"\r\n\"{time}\";\"mail\";\"{line}\"\r\n"
            ))
        ),
        // The time comes behind it.
        format!(
            "\"note\",\"message\",\"time\"\n{}",
            rows(&|line| format!("\"{}\",\"{line}\",\"{time}\"\n", within(&forged)))
        ),
    ] {
        assert_eq!(read(&text), plain, "{text}");
    }
}

#[test]
fn where_a_cell_of_csv_has_no_end_each_line_is_itself() {
    let read = |text: &str| {
        let (mut stream, mut collected) = (LogStream::new(options()), Collected::default());
        feed(&mut stream, text, &mut collected);
        stream.close(0, &mut collected);
        collected
    };
    let log = small_log();
    let plain = read(&log);
    assert_eq!((plain.submissions.len(), plain.failures.len()), (1, 1));
    let filler = "Nov 23 11:00:00 mail sshd[3]: some other line\n".repeat(200);
    for text in [
        format!("time,message\n2026-11-23T11:00:00Z,\"never closed\n{log}"),
        format!("time,message\n2026-11-23T11:00:00Z,\"never closed\n{log}{filler}{filler}"),
        format!(
            "time,message\n2026-11-23T11:00:00Z,\"never closed\n{}\n{log}",
            "x".repeat(1 << 17)
        ),
    ] {
        assert_eq!(read(&text), plain, "{}", text.len());
    }
}

#[test]
fn a_row_waits_from_one_batch_to_the_next() {
    let mut collected = Collected::default();
    let failure = smtpd("warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x");
    let row = format!("2026-11-23T11:00:00Z,\"{}\",\"a\n\"", failure.trim_end());
    let mut state = Vec::new();
    for line in "time,message,note".lines().chain(row.lines()) {
        let (mut stream, lost) = LogStream::restore(options(), &state);
        assert_eq!(lost, []);
        feed(&mut stream, line, &mut collected);
        state = stream.save();
        assert_eq!(LogStream::restore(options(), &state).0.save(), state);
    }
    assert_eq!(collected.failures, [" 192.0.2.66"]);
}

#[test]
fn of_several_lines_in_one_field_the_first_is_read_and_the_rest_is_told() {
    let several = |lines: &[String]| format!("{{\"log\":{}}}\n", quoted(lines.concat().trim_end()));
    let (mut stream, mut collected) = (LogStream::new(options()), Collected::default());
    let log = [
        smtpd(CONNECT),
        smtpd(TLS13),
        // An account ends where its line does, and what follows it is nobody's.
        several(&[smtpd(CLIENT), smtpd(&CLIENT.replace("ann@", "eve@"))]),
        several(&[qmgr(ACTIVE), "x\n".to_owned(), qmgr(ACTIVE)]),
        several(&[smtpd(CONNECT)]),
    ];
    feed(&mut stream, &log.concat(), &mut collected);
    assert_eq!(collected.submissions, [SENT]);
    let told = stream.understanding();
    assert_eq!((told.of_servers(), told.not_understood, told.units), (5, 2, 7));
    assert!(told.first.expect("one").nearest.contains("multi-line"));
    // What stood there about TLS is not known to be missing by anything else.
    let end = "disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 quit=1 commands=5";
    for several in [several(&[smtpd(CONNECT), smtpd(TLS13)]), several(&[smtpd("x"), smtpd(TLS13)])]
    {
        let before = [smtpd(CONNECT), smtpd(TLS13), smtpd(end), smtpd(CONNECT)];
        let behind = [several, smtpd(CLIENT), qmgr(ACTIVE)];
        let log = [before.concat(), behind.concat()].concat();
        assert_eq!(read(&log).submissions, [SENT.replace("TLS1.3", "unknown")], "{log}");
    }
    // Fields of events stay as they are, and so do objects that are laid out for people.
    let event = "{\n \"event\": \"submission\", \"time\": 1795431600, \"account\": \"a\\nb\"\n}";
    for log in [event.replace('\n', " "), format!("{{\"message\":{}}}", quoted(event))] {
        let read = read(&log);
        assert_eq!(read.submissions.len(), 1, "{log}");
        let mut stream = LogStream::new(options());
        feed(&mut stream, &log, &mut Collected::default());
        assert_eq!(stream.understanding().not_understood, 0, "{log}");
    }
}
