//! The same line in every shape in which a shipper, a store or a tool writes it.

mod stores;

use serde_json::json;

use super::Wrappers;
use crate::record::Record;
use crate::text::trimmed;
use crate::time::Timestamps;
use crate::wrapper::Unwrapped;

const REFERENCE: i64 = 1_795_521_600; // 2026-11-24T12:00Z
const ELEVEN: i64 = 1_795_431_600; // 2026-11-23T11:00Z
const PROGRAM: &str = "postfix/submission/smtpd";
const TAG: &str = "postfix/submission/smtpd[7]:";
const MESSAGE: &str = "connect from unknown[192.0.2.1]";
/// A line with its own header.
const WHOLE: &str =
    "Nov 23 11:00:00 mail postfix/submission/smtpd[7]: connect from unknown[192.0.2.1]";
/// The same behind what syslog sends.
const SENT: &str =
    "<22>Nov 23 11:00:00 mail postfix/submission/smtpd[7]: connect from unknown[192.0.2.1]";

/// Time, host, program, process and message of a record.
type Parts = (Option<i64>, String, String, Option<u32>, String);

/// Takes everything off a record.
fn unwrap(wrappers: &mut Wrappers, record: &Record<'_>, found: &mut Vec<Parts>) {
    let mut times = Timestamps::new(chrono_tz::UTC);
    let reference = record.time.unwrap_or(REFERENCE);
    match wrappers.unwrap(record, reference, &mut times).0 {
        Unwrapped::Not => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let Record { time, host, program, pid, message } = record;
            found.push((*time, text(host), text(program), *pid, text(message)));
        }
        Unwrapped::Record(inner) => unwrap(wrappers, &inner, found),
        Unwrapped::Owned(inner) => unwrap(wrappers, &inner.as_record(), found),
        Unwrapped::Several(records) => {
            records.iter().for_each(|inner| unwrap(wrappers, inner, found));
        }
        Unwrapped::Broken(reason) => panic!("{reason}"),
        Unwrapped::Unfinished(..) => panic!("more should follow"),
    }
}

fn parts(lines: &str) -> Vec<Parts> {
    let mut wrappers = Wrappers::default();
    let mut found = Vec::new();
    for line in lines.lines() {
        unwrap(&mut wrappers, &Record::of(trimmed(line.as_bytes())), &mut found);
    }
    found
}

fn expected(host: &str) -> Parts {
    (Some(ELEVEN), host.to_owned(), PROGRAM.to_owned(), Some(7), MESSAGE.to_owned())
}

#[track_caller]
fn each_is_the_line(shapes: impl IntoIterator<Item = serde_json::Value>) {
    for shape in shapes {
        let shape = shape.to_string();
        assert_eq!(parts(&shape), [expected("mail")], "{shape}");
    }
}

#[test]
fn of_the_journal() {
    let entry = json!({"_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": PROGRAM, "SYSLOG_PID": "7", "_PID": "8",
        "_COMM": "smtpd", "__REALTIME_TIMESTAMP": "1795431600000000", "MESSAGE": MESSAGE});
    let with = |field: &str, value: serde_json::Value| {
        let mut entry = entry.clone();
        entry[field] = value;
        entry
    };
    each_is_the_line([
        entry.clone(),
        with("MESSAGE", MESSAGE.bytes().collect::<Vec<_>>().into()),
        with("MESSAGE", json!([MESSAGE, "again"])),
        with("SYSLOG_IDENTIFIER", json!([PROGRAM, "other"])),
        with("_SOURCE_REALTIME_TIMESTAMP", json!("1795431600999999")),
        json!({"_HOSTNAME": "mail", "_COMM": PROGRAM, "_PID": "7", "__REALTIME_TIMESTAMP": "1795431600000000",
            "MESSAGE": MESSAGE}),
        // Fluent Bit, as it is and stripped of underscores; fluentd, in small letters; Vector; Filebeat.
        json!({"date": 1_795_431_600.1, "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": PROGRAM, "_PID": "7",
            "MESSAGE": MESSAGE}),
        json!({"HOSTNAME": "mail", "SYSLOG_IDENTIFIER": PROGRAM, "PID": "7", "MESSAGE": MESSAGE,
            "SOURCE_REALTIME_TIMESTAMP": "1795431600000000"}),
        json!({"hostname": "mail", "syslog_identifier": PROGRAM, "pid": "7", "message": MESSAGE,
            "source_realtime_timestamp": "1795431600000000"}),
        json!({"SYSLOG_IDENTIFIER": PROGRAM, "_PID": "7", "host": "mail", "message": MESSAGE,
            "source_type": "journald", "timestamp": "2026-11-23T11:00:00.5Z"}),
        json!({"syslog": {"identifier": PROGRAM, "pid": 7}, "process": {"name": "smtpd", "pid": 8},
            "host": {"hostname": "mail"}, "message": MESSAGE, "@timestamp": "2026-11-23T11:00:00.5Z"}),
    ]);
    for line in [format!("\u{1e}{entry}"), format!("data: {entry}"), format!("data:{entry}")] {
        assert_eq!(parts(&line), [expected("mail")], "{line}");
    }
}

#[test]
fn of_containers() {
    let time = "2026-11-23T11:30:00.123456789Z";
    each_is_the_line([
        json!({"log": format!("{WHOLE}\n"), "stream": "stdout", "time": time}),
        json!({"log": WHOLE, "kubernetes": {"host": "node", "labels": {"app": "mail"}}, "@timestamp": time}),
        json!({"container_name": "/mail", "source": "stdout", "log": WHOLE}),
        // Docker's journal driver names the container; so does Vector.
        json!({"MESSAGE": WHOLE, "SYSLOG_IDENTIFIER": "4f2a91c07be3", "CONTAINER_NAME": "mail-1", "_PID": "811",
            "_COMM": "dockerd", "_HOSTNAME": "box", "__REALTIME_TIMESTAMP": "1795431700000000"}),
        json!({"container_name": "mail", "host": "box", "message": WHOLE, "stream": "stdout", "timestamp": time}),
        // A container that logs JSON.
        json!({"time": time, "log": json!({"time": "2026-11-23T11:00:00Z", "hostname": "mail", "program": PROGRAM,
            "pid": "7", "message": MESSAGE}).to_string()}),
        json!({"log": {"@timestamp": "2026-11-23T11:00:00Z", "hostname": "mail", "program": PROGRAM, "pid": "7",
            "message": MESSAGE}}),
    ]);
    let exim = "2026-11-23 11:00:00 1xVWoN-0001PO-2u Completed";
    let entry = json!({"MESSAGE": exim, "SYSLOG_IDENTIFIER": "4f2a91c07be3", "CONTAINER_NAME": "exim", "_PID": "8",
        "_HOSTNAME": "box"});
    let [(time, _, program, ..)] = &parts(&entry.to_string())[..] else { panic!("one line") };
    assert_eq!((*time, program.as_str()), (Some(ELEVEN), ""));
}

#[test]
fn of_syslog_daemons() {
    let leading = format!(" {MESSAGE}");
    each_is_the_line([
        // rsyslog: %jsonmesg%, templates of one's own, boky/postfix.
        json!({"msg": leading, "rawmsg": SENT, "timereported": "2026-11-23T11:00:00.5+00:00", "hostname": "mail",
            "syslogtag": TAG, "fromhost": "relay", "timegenerated": "2026-11-23T11:00:09+00:00",
            "programname": "postfix", "app-name": "postfix", "procid": "7", "msgid": "-"}),
        json!({"msg": leading, "timereported": "Nov 23 11:00:00", "hostname": "mail", "programname": PROGRAM,
            "procid": "7"}),
        json!({"@timestamp": "2026-11-23T11:00:00+00:00", "tag": TAG, "hostname": "mail", "program": "postfix",
            "message": leading}),
        json!({"msg": leading, "rawmsg": SENT, "hostname": "mail", "programname": "postfix", "procid": "7"}),
        // syslog-ng.
        json!({"PROGRAM": PROGRAM, "PID": "7", "HOST": "mail", "MESSAGE": MESSAGE, "DATE": "Nov 23 11:00:00"}),
        json!({"PROGRAM": PROGRAM, "PID": "7", "HOST": "mail", "MESSAGE": MESSAGE,
            "ISODATE": "2026-11-23T12:00:00+01:00", "DATE": "Nov 23 12:00:00"}),
        json!({"LEGACY_MSGHDR": format!("{TAG} "), "HOST": "mail", "MESSAGE": MESSAGE, "ISODATE": "2026-11-23T11:00:00Z"}),
        // Amazon Kinesis Agent.
        json!({"timestamp": "Nov 23 11:00:00", "hostname": "mail", "program": PROGRAM, "processid": "7",
            "message": MESSAGE}),
    ]);
}

#[test]
fn of_shippers() {
    let time = "2026-11-23T11:00:00.123Z";
    each_is_the_line([
        json!({"appname": PROGRAM, "host": "relay", "hostname": "mail", "message": MESSAGE, "procid": 7,
            "source_type": "syslog", "timestamp": time}),
        json!({"file": "/var/log/mail.log", "host": "mail", "message": WHOLE, "source_type": "file", "timestamp": time}),
        json!({"date": 1_795_439_999.5, "time": "Nov 23 11:00:00", "host": "mail", "ident": PROGRAM, "pid": "7",
            "message": MESSAGE}),
        json!({"time": 1_795_431_600.25, "host": "mail", "ident": PROGRAM, "pid": "7", "message": MESSAGE}),
        json!({"time": "2026-11-23 11:00:00 +0000", "host": "mail", "ident": PROGRAM, "pid": "7", "message": MESSAGE}),
        json!({"date": "2026-11-23 11:00:00.123456", "host": "mail", "ident": PROGRAM, "pid": "7", "message": MESSAGE}),
        json!({"date": 1_795_431_700, "log": WHOLE}),
        // Filebeat's module and its syslog input; the same with dots; an agent's host.
        json!({"@timestamp": time, "event": {"dataset": "system.syslog", "original": WHOLE},
            "host": {"hostname": "mail", "name": "agent"}, "process": {"name": PROGRAM, "pid": 7}, "message": MESSAGE}),
        json!({"@timestamp": time, "hostname": "mail", "process": {"program": PROGRAM, "pid": 7}, "message": MESSAGE}),
        json!({"@timestamp": time, "process.name": PROGRAM, "process.pid": 7, "host.name": "mail", "message": MESSAGE}),
        json!({"@timestamp": time, "log": {"syslog": {"appname": PROGRAM, "procid": "7", "hostname": "mail"}},
            "message": MESSAGE}),
        json!({"@timestamp": time, "log": {"file": {"path": "/var/log/mail.log"}}, "agent": {"name": "x"},
            "message": WHOLE}),
        json!({"@timestamp": time, "log": {"offset": 1}, "event": {"original": SENT}}),
        // Logstash, before and after ECS, and with the fields of its manual's example.
        json!({"@timestamp": time, "logsource": "mail", "host": "192.0.2.250", "program": PROGRAM, "pid": "7",
            "message": MESSAGE}),
        json!({"@timestamp": time, "host": {"hostname": "mail", "ip": "192.0.2.250"}, "event": {"original": SENT},
            "process": {"name": PROGRAM, "pid": 7}, "message": [SENT, MESSAGE]}),
        json!({"syslog_timestamp": "Nov 23 11:00:00", "syslog_hostname": "mail", "syslog_program": PROGRAM,
            "syslog_pid": "7", "syslog_message": MESSAGE, "message": WHOLE, "@timestamp": "2026-11-23T12:00:00Z"}),
        // OpenTelemetry's collector.
        json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [
            {"timeUnixNano": "0", "observedTimeUnixNano": "1795431600000000000", "body": {"stringValue": WHOLE}}]}]}]}),
    ]);
}

#[test]
fn of_cloudwatch() {
    each_is_the_line([
        json!({"logStreamName": "i-1", "timestamp": 1_795_431_600_123_u64, "message": WHOLE, "ingestionTime": 9}),
        json!({"logStreamName": "mail", "timestamp": 1_795_431_600_123_u64, "message":
            format!("{{\"program\":\"{PROGRAM}\",\"pid\":7,\"message\":\"{MESSAGE}\"}}")}),
        json!({"events": [{"timestamp": 1_795_431_600_123_u64, "message": WHOLE}], "nextToken": "x"}),
        json!({"@timestamp": "2026-11-23 11:00:00.000", "@message": WHOLE, "@logStream": "i-1"}),
        json!([{"field": "@timestamp", "value": "2026-11-23 11:00:00.000"}, {"field": "@message", "value": WHOLE},
            {"field": "@ptr", "value": "x"}]),
        json!({"results": [[{"field": "@message", "value": WHOLE}]], "status": "Complete"}),
        json!({"owner": "123456789012", "logGroup": "mail", "logStream": "i-1", "messageType": "DATA_MESSAGE",
            "logEvents": [{"id": "1", "timestamp": 1_795_431_600_123_u64, "message": WHOLE}]}),
    ]);
    let event = |time: u64| {
        json!({"id": "1", "timestamp": time, "message":
        json!({"program": PROGRAM, "pid": 7, "message": MESSAGE}).to_string()})
    };
    let payload = json!({"messageType": "DATA_MESSAGE", "logStream": "mail",
        "logEvents": [event(1_795_431_600_000), event(1_795_431_600_999)]});
    assert_eq!(parts(&payload.to_string()), [expected("mail"), expected("mail")]);
    let check = json!({"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": WHOLE}]});
    assert_eq!(parts(&check.to_string()), []);
}

#[test]
fn of_exports() {
    let quoted = WHOLE.replace('"', "\"\"");
    for (header, row) in [
        (
            "\"timestamp\",\"source\",\"message\"",
            format!("\"2026-11-23T11:00:00.123Z\",\"mail\",\"{quoted}\""),
        ),
        ("@timestamp,@message", format!("2026-11-23 11:00:00.000,{WHOLE}")),
        (
            "\"@timestamp\";\"host.hostname\";\"process.name\";\"process.pid\";message",
            format!("\"Nov 23, 2026 @ 11:00:00.123\";mail;{PROGRAM};7;{MESSAGE}"),
        ),
        (
            "\"TimeGenerated [UTC]\",HostName,ProcessName,ProcessID,SyslogMessage,Type",
            format!("\"11/23/2026, 11:00:00.123 AM\",mail,{PROGRAM},7,\"{MESSAGE}\","),
        ),
        ("\"_raw\",\"_time\",host", format!("\"{quoted}\",\"2026-11-23T11:00:00.000+0000\",mail")),
        ("timestamp,jsonPayload.message,x", format!("2026-11-23T11:00:00Z,\"{quoted}\",1")),
        ("@message", format!("\"{quoted}\"")),
        ("Date,Host,Service,Content", format!("2026-11-23T11:00:00.000Z,mail,{PROGRAM},{WHOLE}")),
        ("time\tmessage", format!("1795431600\t{WHOLE}")),
        (
            "time,message",
            format!(
                "1795431600,\"{}\"",
                json!({"hostname": "mail", "program": PROGRAM, "pid": 7,
            "message": MESSAGE})
                .to_string()
                .replace('"', "\"\"")
            ),
        ),
    ] {
        let log = format!("{header}\n{row}\n{row}");
        assert_eq!(parts(&log), [expected("mail"), expected("mail")], "{log}");
    }
}

#[test]
fn times_of_their_own_count_before_those_of_the_way() {
    let at = |line: serde_json::Value| parts(&line.to_string())[0].0;
    assert_eq!(
        at(json!({"time": "yesterday", "timestamp": 1_795_431_600, "message": "x"})),
        Some(ELEVEN)
    );
    assert_eq!(at(json!({"@timestamp": "2026-11-23T11:00:00", "message": "x"})), Some(ELEVEN));
    assert_eq!(
        at(json!({"receiveTimestamp": "2026-11-23T11:00:00Z", "message": "x"})),
        Some(ELEVEN)
    );
    assert_eq!(at(json!({"time": null, "message": "x"})), None);
    assert_eq!(at(json!({"time": 0, "message": "x"})), None);
}

#[test]
fn what_a_sloppy_writer_leaves_is_read_all_the_same() {
    let mut line = Vec::from(format!("{{\"program\":\"{PROGRAM}\",\"pid\":\"7\",\"message\":\""));
    line.extend_from_slice(b"a\xffb\tc\\ud800\"}");
    let mut found = Vec::new();
    unwrap(&mut Wrappers::default(), &Record::of(&line), &mut found);
    let [(_, _, program, Some(7), message)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(program, PROGRAM);
    assert!(message.starts_with("a\u{fffd}b c"), "{message}");
}

#[test]
fn an_object_without_a_line_is_nothing() {
    for line in [
        "{}",
        "{\"message\":null}",
        "{\"message\":5}",
        "{\"message\":true,\"log\":[]}",
        "{\"MESSAGE\":[[]]}",
        "{\"host\":{\"name\":\"x\"},\"process\":7}",
        "{\"messages\":{\"message\":\"x\"}}",
        "[[[[[[[[]]]]]]]]",
        "[[\"1795431600000000000\",7]]",
        "{\"events\":{}}",
        "{\"data\":{\"result\":7}}",
        "{\"events\":[\"mail\",7]}",
        "[\"mail\",\"mail\"]",
        "[\"17954316000000000\u{20ac}\",\"mail\"]",
        // What programs call so is their clients'.
        r#"{"event":"postfix/smtpd[7]: mail","time":1795431600}"#,
        r#"{"event":{"message":"postfix/smtpd[7]: mail"},"level":"info"}"#,
        r#"{"result":"postfix/smtpd[7]: mail","preview":false}"#,
        r#"{"properties":{"message":"postfix/smtpd[7]: mail"},"time":1795431600}"#,
        r#"{"body":"postfix/smtpd[7]: mail","text":"postfix/smtpd[7]: mail","data":[{"message":"mail"}]}"#,
    ] {
        let found = parts(line);
        assert!(
            found.iter().all(|(.., message)| message == line || !message.contains("mail")),
            "{line}: {found:?}"
        );
        assert!(found.iter().all(|(_, host, program, ..)| host.is_empty() && program.is_empty()));
    }
}

#[test]
fn the_newest_line_may_stand_first() {
    let line = |time: i64| json!({"time": time, "message": time.to_string()});
    let value = |time: i64| json!([format!("{time}000000000"), time.to_string()]);
    for log in [
        json!([line(ELEVEN + 2), line(ELEVEN + 1), line(ELEVEN + 1), line(ELEVEN)]),
        json!({"events": [line(ELEVEN + 2), line(ELEVEN + 1), line(ELEVEN + 1), line(ELEVEN)]}),
        json!({"streams": [{"values": [value(ELEVEN + 2), value(ELEVEN + 1), value(ELEVEN + 1), value(ELEVEN)]}]}),
        json!([line(ELEVEN), line(ELEVEN + 1), line(ELEVEN + 1), line(ELEVEN + 2)]),
    ] {
        let times: Vec<_> =
            parts(&log.to_string()).into_iter().filter_map(|(time, ..)| time).collect();
        assert_eq!(times, [ELEVEN, ELEVEN + 1, ELEVEN + 1, ELEVEN + 2], "{log}");
    }
}
