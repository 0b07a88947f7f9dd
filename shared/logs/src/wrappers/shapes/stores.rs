//! In shapes of stores.

use serde_json::json;

use super::*;

#[test]
fn of_stores() {
    let nanoseconds = "1795431600000000000";
    let time = "2026-11-23T11:00:00.123456789Z";
    each_is_the_line([
        // GELF, and Graylog's own.
        json!({"version": "1.1", "host": "mail", "short_message": "connect", "full_message": MESSAGE,
            "timestamp": 1_795_431_600.1, "level": 6, "_application_name": PROGRAM, "_process_id": 7}),
        json!({"source": "mail", "message": MESSAGE, "application_name": PROGRAM, "process_id": "7", "timestamp": time}),
        json!({"source": "mail", "message": MESSAGE, "full_message": SENT, "application_name": PROGRAM,
            "process_id": "7", "timestamp": "2026-11-23 11:00:00.123"}),
        // Elasticsearch: a hit of a dump, one with fields, an answer.
        json!({"_index": "i", "_id": "1", "_source": {"@timestamp": time, "message": WHOLE}}),
        json!({"_index": "i", "fields": {"@timestamp": [time], "message": [MESSAGE], "process.name": [PROGRAM],
            "process.pid": [7], "host.hostname": ["mail"]}}),
        json!({"took": 1, "hits": {"total": 1, "hits": [{"_source": {"message": WHOLE}}]}}),
        // Loki: logcli, an answer, a push, Grafana.
        json!({"labels": {"host": "mail", "app": PROGRAM, "pid": "7"}, "line": MESSAGE, "timestamp": time}),
        json!({"labels": {"host": "box", "app": "mail"}, "line": WHOLE, "timestamp": time}),
        json!({"status": "success", "data": {"resultType": "streams", "result": [
            {"stream": {"hostname": "mail"}, "values": [[nanoseconds, WHOLE]]}]}}),
        json!({"streams": [{"stream": {"host": "box"}, "values": [[nanoseconds, WHOLE, {}]]}]}),
        json!([{"line": WHOLE, "timestamp": nanoseconds, "fields": {"host": "box"}}]),
        // Google.
        json!({"textPayload": WHOLE, "resource": {"type": "gce_instance", "labels": {"instance_id": "1"}},
            "timestamp": time, "receiveTimestamp": time}),
        json!({"jsonPayload": {"message": MESSAGE, "ident": PROGRAM, "pid": "7", "host": "mail"}, "timestamp": time}),
        json!({"jsonPayload": {"message": MESSAGE, "ident": PROGRAM, "pid": "7"}, "timestamp": time,
            "labels": {"compute.googleapis.com/resource_name": "mail"}}),
        json!({"entries": [{"textPayload": WHOLE, "timestamp": time}]}),
        // Azure.
        json!({"TimeGenerated": "2026-11-23T11:00:09Z", "EventTime": "2026-11-23T11:00:00", "HostName": "mail",
            "Computer": "agent", "ProcessName": PROGRAM, "ProcessID": 7, "SyslogMessage": MESSAGE}),
        json!({"LogEntry": WHOLE, "LogEntrySource": "stdout", "TimeGenerated": time, "Computer": "node"}),
        json!({"LogMessage": WHOLE, "PodName": "p", "TimeGenerated": time}),
        json!({"records": [{"time": time, "category": "c", "properties": {"log": WHOLE, "pod": "p"}}]}),
        // Splunk: what goes in, as text and as an object, and what comes out.
        json!({"time": 1_795_431_600, "host": "mail", "source": "/var/log/mail.log", "event": WHOLE}),
        json!({"time": "1795431600.123", "host": "mail", "event": {"message": MESSAGE, "program": PROGRAM, "pid": 7}, "index": "main"}),
        json!({"preview": false, "result": {"_raw": WHOLE, "_time": "2026-11-23 11:00:00.000 UTC", "host": "mail"}}),
        json!({"results": [{"_raw": WHOLE, "_time": "2026-11-23T11:00:00.000+00:00"}]}),
        // VictoriaLogs, Papertrail.
        json!({"message": WHOLE, "time": time, "events": [{"message": "of something else"}]}),
        json!({"_msg": WHOLE, "_time": time, "_stream": "{}"}),
        json!({"events": [{"generated_at": time, "hostname": "mail", "program": PROGRAM, "message": WHOLE}]}),
    ]);
}

#[test]
fn of_datadog() {
    let time = "2026-11-23T11:00:00.123Z";
    let log = json!({"id": "AQ", "type": "log", "attributes": {"message": WHOLE, "timestamp": time, "host": "box",
        "service": "mail", "status": "info", "tags": ["a:b"], "attributes": {"message": "of something else"}}});
    each_is_the_line([
        // What its API answers, whole and one by one.
        json!({"data": [log], "meta": {"status": "done", "page": {"after": "x"}}}),
        json!({"data": [log], "links": {"next": "x"}}),
        log,
        // What its agent sends, and an archive.
        json!([{"ddsource": "postfix", "ddtags": "a:b", "hostname": "box", "message": WHOLE, "service": "mail"}]),
        json!([{"ddsource": "syslog", "ddtags": "a:b", "hostname": "mail", "message": WHOLE, "service": "mail",
            "status": "info", "timestamp": 1_795_431_600_123_u64}]),
        json!({"_id": "AQ", "date": time, "host": "box", "source": "postfix", "service": "mail", "status": "info",
            "message": WHOLE, "tags": ["a:b"], "attributes": {"message": "of something else"}}),
    ]);
    // The newest comes first.
    let at = |second: &str| {
        let (message, timestamp) = (
            WHOLE.replace("00 mail", &format!("{second} mail")),
            format!("2026-11-23T11:00:{second}Z"),
        );
        json!({"type": "log", "attributes": {"message": message, "timestamp": timestamp}})
    };
    let answer = json!({"data": [at("09"), at("01")], "meta": {}}).to_string();
    let times: Vec<_> = parts(&answer).into_iter().filter_map(|(time, ..)| time).collect();
    assert_eq!(times, [ELEVEN + 1, ELEVEN + 9]);
    // What anybody can send to a program that logs it.
    for line in [
        json!({"time": time, "data": [{"event": "submission", "time": 1, "sender": "a@x.test"}]}),
        json!({"time": time, "data": [{"type": "log", "attributes": {"message": WHOLE}}]}),
        json!({"time": time, "host": "web", "attributes": {"message": WHOLE, "type": "log"}}),
    ] {
        let line = line.to_string();
        assert_eq!(parts(&line), [(None, String::new(), String::new(), None, line.clone())]);
    }
}
