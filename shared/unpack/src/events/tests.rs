use super::*;
use crate::form::Packing;
use crate::testing::{Slowly, packed};
use crate::{Text, kpl, record};

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn gzip(text: &str) -> Vec<u8> {
    packed(Packing::Gzip, text.as_bytes())
}

/// The text of a file.
fn text(file: &str) -> String {
    let opened = Text::open(Cursor::new(file.to_owned()), 10).expect("text");
    let mut text = String::new();
    let Text { mut reader, .. } = opened;
    reader.read_to_string(&mut text).expect("read");
    text
}

/// The lines of a text that are not blank.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

const PAYLOAD: &str = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"mail","logStream":"mx1","logEvents":[{"id":"1","timestamp":1795435200000,"message":"Nov 23 12:00:00 mx1 postfix/smtpd[7]: connect"}]}"#;
const ONE: &str = "Nov 23 11:00:00 mx1 postfix/smtpd[7]: \"one\"";
const TWO: &str = "<22>Nov 23 11:00:01 mx1 postfix/smtpd[7]: two";
const ISO: &str = "2026-11-23T11:00:02Z mx1 postfix/smtpd[7]: three";

fn awslogs(payload: &str) -> String {
    format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, base64(&gzip(payload)))
}

fn kinesis(data: &[u8]) -> String {
    format!(
        r#"{{"kinesis":{{"partitionKey":"mx1","data":"{}","sequenceNumber":"495451","approximateArrivalTimestamp":1795431600.123}},"eventSource":"aws:kinesis"}}"#,
        base64(data)
    )
}

fn timed(time: &str, line: &str) -> String {
    format!("{{\"timestamp\":{time},\"message\":{}}}", serde_json::to_string(line).expect("text"))
}

#[test]
fn an_event_of_cloudwatch_logs_is_its_payload_however_it_is_laid_out() {
    let data = base64(&gzip(PAYLOAD));
    let other = PAYLOAD.replace("mx1", "mx2");
    for (event, payloads) in [
        (awslogs(PAYLOAD), 1),
        (
            format!(
                "\u{feff}{{\r\n  \"awslogs\": {{\r\n    \"data\": \"{data}\"\r\n  }}\r\n}}\r\n"
            ),
            1,
        ),
        (format!("{}\n{}\n", awslogs(PAYLOAD), awslogs(&other)), 2),
        (format!("[ {},\n{} ]", awslogs(PAYLOAD), awslogs(&other)), 2),
        (format!("{}{}", awslogs(PAYLOAD), awslogs(&other)), 2),
    ] {
        let text = text(&event);
        assert_eq!(
            lines(text.trim_start_matches('\u{feff}')),
            [PAYLOAD, &other][..payloads],
            "{event}"
        );
    }
}

#[test]
fn records_are_what_they_hold_with_the_time_at_which_they_came() {
    let several = [ONE, TWO, ISO].join("\n");
    let kpl = kpl::tests::packed(&[ONE.as_bytes(), &gzip(TWO), ISO.as_bytes()]);
    let [seconds, iso] = ["1795431600.123", "\"2026-11-23T11:00:00+00:00\""];
    for (time, event) in [
        (seconds, format!("{{\"Records\":[{}]}}", kinesis(several.as_bytes()))),
        (seconds, format!("{{\"Records\":[{}]}}", kinesis(&kpl))),
        (
            seconds,
            format!(
                "{{\"Records\" : [\n{},\n{} ]}}",
                kinesis(&gzip(ONE)),
                kinesis(format!("{TWO}\n{ISO}").as_bytes())
            ),
        ),
        (
            "1795431600123",
            format!(
                r#"{{"invocationId":"x","region":"eu","records":[{{"recordId":"1","approximateArrivalTimestamp":1795431600123,"data":"{}"}}]}}"#,
                base64(several.as_bytes())
            ),
        ),
        (
            iso,
            format!(
                r#"{{"Records":[{{"SequenceNumber":"4954","ApproximateArrivalTimestamp":{iso},"Data":"{}","PartitionKey":"a"}}],"NextShardIterator":"AAAA","MillisBehindLatest":0}}"#,
                base64(several.as_bytes())
            ),
        ),
    ] {
        let expected = [timed(time, ONE), timed(time, TWO), ISO.to_owned()];
        assert_eq!(lines(&text(&event)), expected, "{event}");
        // Laid out by people, and in UTF-16.
        let parsed: serde_json::Value = serde_json::from_str(&event).expect("JSON");
        let pretty = serde_json::to_string_pretty(&parsed).expect("JSON");
        assert_eq!(lines(&text(&pretty)), expected, "{pretty}");
        let units: Vec<u8> = pretty.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [&b"\xff\xfe"[..], &units].concat();
        let mut found = String::new();
        let mut opened = Text::open(Cursor::new(wide), 10).expect("text");
        opened.reader.read_to_string(&mut found).expect("read");
        assert_eq!(lines(&found), expected);
        // And in a record of a stream.
        let mut inflater = record::Inflater::default();
        let (packed, mut joined) = (gzip(&event), String::new());
        for data in [event.as_bytes(), &packed] {
            joined.clear();
            let text = inflater.inflate(data).expect("text").expect("held");
            joined.push_str(str::from_utf8(text).expect("text"));
            assert_eq!(lines(&joined), expected);
        }
    }
}

#[test]
fn it_is_the_same_text_however_the_bytes_come() {
    let mut event = format!("{{\"Records\":[{}", kinesis(&gzip(PAYLOAD)));
    for number in 0..100 {
        event.push_str(&format!(",\n{}", kinesis(format!("{ONE}{number}\n{ISO}").as_bytes())));
    }
    event.push_str(&format!("]}}\n{}\nNov 23 a line\n{{\"log\":\"x\"}}\n", awslogs(PAYLOAD)));
    let whole = text(&event);
    assert_eq!(lines(&whole).len(), 1 + 200 + 1 + 2);
    assert!(whole.ends_with("Nov 23 a line\n{\"log\":\"x\"}\n\n"));
    for step in [1, 7, 1000] {
        let mut text = String::new();
        let reader = Box::leak(event.clone().into_boxed_str()).as_bytes();
        Events::new(Box::new(Slowly(reader, step))).read_to_string(&mut text).expect("read");
        assert!(text == whole, "{step}");
    }
    // What was read of a text is the same when more has come.
    for cut in [event.len() / 3, event.len() / 2, event.len() - 40] {
        let mut text = Vec::new();
        let begin = event.as_bytes()[..cut].to_vec();
        // It may end within an event.
        let _ = Events::new(Box::new(Cursor::new(begin))).read_to_end(&mut text);
        assert!(whole.as_bytes().starts_with(&text), "{cut}");
    }
}

#[test]
fn events_stand_in_events_up_to_a_depth() {
    let within = |event: &str| format!("{{\"Records\":[{}]}}", kinesis(&gzip(event)));
    let mut event = awslogs(PAYLOAD);
    for _ in 0..DEEPEST {
        event = within(&event);
        assert_eq!(lines(&text(&event)), [PAYLOAD]);
    }
    let told = text(&within(&event));
    assert!(told.contains("\"undecoded\":\"events more than 3 deep"), "{told}");
}

#[test]
fn what_is_damaged_is_told_and_hides_no_other() {
    let mut damaged = gzip(PAYLOAD);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let not_base64 = kinesis(b"abc").replace(&base64(b"abc"), "a-b");
    for (bad, reason) in [
        (kinesis(&damaged), "damaged gzip data"),
        (not_base64, "data is no base64"),
        (kinesis(b"PAR1\x15\0\0"), "looks like Parquet"),
        (kinesis(b"a\0b"), "neither compressed nor text"),
        (kinesis(&PAYLOAD.as_bytes()[..60]), "no CloudWatch Logs payload"),
    ] {
        let event = format!(
            "{{\"Records\":[{},{bad},{}]}}",
            kinesis(ISO.as_bytes()),
            kinesis(ISO.as_bytes())
        );
        let text = text(&event);
        let [one, told, two] = lines(&text)[..] else { panic!("{text}") };
        assert_eq!([one, two], [ISO, ISO]);
        assert!(told.starts_with(&format!("{{\"undecoded\":\"{reason}")), "{told}");
        assert!(told.ends_with("\"record\":\"495451\"}"), "{told}");
    }
    let event =
        format!("{{\"Records\":[{},{}]}}", kinesis(ISO.as_bytes()), kinesis(ISO.as_bytes()));
    let mut opened =
        Text::open(Cursor::new(event[..event.len() - 20].to_owned()), 0).expect("text");
    let mut text = String::new();
    let error = opened.reader.read_to_string(&mut text).expect_err("cut");
    assert_eq!((error.kind(), lines(&text)), (ErrorKind::UnexpectedEof, vec![ISO]));
    assert!(error.to_string().contains("ends early"), "{error}");
}

#[test]
fn a_small_event_cannot_take_much_memory_or_time() {
    let bomb = kinesis(&packed(Packing::Gzip, &vec![b'x'; INFLATED + 1]));
    let told = text(&format!("{{\"Records\":[{bomb},{}]}}", kinesis(ISO.as_bytes())));
    assert!(told.contains("inflates to more than"), "{told}");
    assert_eq!(lines(&told).last(), Some(&ISO));
    // Many that are no bombs by themselves, in one record.
    let part = kinesis(&packed(Packing::Gzip, &vec![b'x'; INFLATED / 3]));
    let inner = format!("{{\"Records\":[{}]}}", vec![part; 100].join(","));
    let event = format!("{{\"Records\":[{}]}}", kinesis(&gzip(&inner)));
    let mut events = Events::new(Box::new(Cursor::new(event)));
    let (mut bytes, mut length, mut told) = (vec![0; CHUNK], 0, 0);
    loop {
        let read = events.read(&mut bytes).expect("read");
        if read == 0 {
            break;
        }
        length += read;
        told += memchr::memmem::find_iter(&bytes[..read], b"undecoded").count();
    }
    assert!(length < INFLATED + 100 * 200 && told > 80, "{length} {told}");
}

#[test]
fn other_json_is_left_as_it_stands() {
    for other in [
        "{\"log\":\"Nov 23 \\\"awslogs\\\"\"}\n".to_owned(),
        r#"{"Records":[{"s3":{"object":{"key":"a"}}}]}"#.to_owned(),
        PAYLOAD.to_owned(),
        "[core] a line\n".to_owned(),
    ] {
        let opened = Text::open(Cursor::new(other.clone()), 10).expect("text");
        assert!(!opened.is_unpacked, "{other}");
        assert_eq!(text(&other), other);
    }
    // It seemed to be one, and is none.
    let like = "{\"records\":[{\"recordId\":\"1\",\"message\":\"x\"},{\"data\":1}],\"a\":[1]}\nNov 23 a line\n";
    assert_eq!(lines(&text(like)), lines(like));
}
