//! Amazon SES: the events that it publishes of each message, as they are or in EventBridge's envelope.
//!
//! SNS, CloudWatch Logs and Firehose put them into what wrappers and framing take off.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use report::TlsVersion;
use serde::Deserialize;

use crate::client_name::Name;
use crate::counted::Counted;
use crate::format::LogFormat;
use crate::key::Key;
use crate::memory::{Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::recipients;
use crate::record::Record;
use crate::time::Timestamps;

/// For how long a message's id is remembered, in seconds of the log's own time: events are delivered at least once.
const REMEMBERED: i64 = 3600;
/// The most bytes that ids may take: about 2,800 of them.
const ROOM: usize = 120_000;
/// Digits of a message id, two of which become a byte.
const DIGITS: usize = 54;

/// Amazon SES's events, and which messages were counted already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ses(Memory<(), Counted<REMEMBERED>>);

impl LogFormat for Ses {
    const NAME: &'static str = "ses";
    const ABOUT: &'static str = "Amazon SES's event publishing, in JSON";
    const PROGRAMS_BEGIN: &'static [u8] = b"";
    const MESSAGES_BEGIN: &'static [u8] = b"{";
    const CANNOT_TELL: &'static str = "SES tells neither mechanism nor failed logins, and mail through its API is not counted; that events of mail through SMTP name no API operation is not verified: send one message and look";

    remembers!(1);

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        match read(record) {
            Some(Told::Event(kind, mail)) if kind == "Send" => {
                self.sent(&mail, record, proofs).is_some()
            }
            Some(Told::Event(kind, _)) => KINDS.contains(&&*kind),
            Some(Told::Notification(kind)) => NOTIFICATIONS.contains(&&*kind),
            Some(Told::Other) => true,
            None => false,
        }
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        match read(record)? {
            Told::Event(_, mail) => mail.time(times),
            Told::Notification(_) | Told::Other => None,
        }
    }
}

/// Kinds of events that prove no submission: what becomes of a message that was sent, and mail that SES refused.
const KINDS: [&str; 9] = [
    "Delivery",
    "Bounce",
    "Complaint",
    "Reject",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
];

/// Kinds of notifications about an identity, which tell of no sending.
const NOTIFICATIONS: [&str; 3] = ["Bounce", "Complaint", "Delivery"];

/// An event, or EventBridge's envelope of one.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, rename = "eventType")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "notificationType")]
    notification: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mail: Option<Mail<'a>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    detail: Option<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "eventType")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "notificationType")]
    notification: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mail: Option<Mail<'a>>,
}

#[derive(Deserialize)]
struct Mail<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "messageId")]
    id: Cow<'a, str>,
    /// Only where a configuration set publishes events.
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

/// What SES itself tells of a message. Names of tags that senders choose hold no colon.
#[derive(Default, Deserialize)]
struct Tags<'a> {
    #[serde(borrow, default, rename = "ses:operation")]
    operation: Vec<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ses:caller-identity")]
    caller: Vec<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ses:source-ip")]
    client: Vec<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ses:source-tls-version")]
    tls: Vec<Cow<'a, str>>,
}

fn may_be(text: &[u8]) -> bool {
    static MARKS: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["\"eventType\"", "\"notificationType\"", "\"aws.ses\""].map(Finder::new));
    MARKS.iter().any(|mark| mark.find(text).is_some())
}

/// What an object tells of.
enum Told<'a> {
    /// What happened to a message, in SES's word for it.
    Event(Cow<'a, str>, Mail<'a>),
    /// What a notification about an identity says of a message.
    Notification(Cow<'a, str>),
    /// Something of SES's that is not about a message, such as advice about an account.
    Other,
}

/// Reads an object; none if it is not SES's beyond doubt.
fn read<'a>(record: &Record<'a>) -> Option<Told<'a>> {
    let text = record.message;
    if text.first() != Some(&b'{') || record.is_named() || !may_be(text) {
        return None;
    }
    let Object { kind, notification, mail, source, detail } = serde_json::from_slice(text).ok()?;
    let own = Event { kind, notification, mail };
    match detail {
        None => own.told(),
        Some(detail) if own.is_nothing() && source.as_deref() == Some("aws.ses") => {
            if detail.is_nothing() { Some(Told::Other) } else { detail.told() }
        }
        Some(_) => None,
    }
}

impl<'a> Event<'a> {
    fn is_nothing(&self) -> bool {
        self.kind.is_none() && self.notification.is_none() && self.mail.is_none()
    }

    fn told(self) -> Option<Told<'a>> {
        match self {
            Self { kind: Some(kind), notification: None, mail: Some(mail) } => {
                Some(Told::Event(kind, mail))
            }
            Self { kind: None, notification: Some(kind), mail: Some(_) } => {
                Some(Told::Notification(kind))
            }
            _ => None,
        }
    }
}

impl Mail<'_> {
    /// When SES took the message.
    fn time(&self, times: &mut Timestamps) -> Option<i64> {
        let text = self.timestamp.as_bytes();
        let (time, end) = times.rfc3339(text)?;
        (end == text.len() && text.last() == Some(&b'Z')).then_some(time)
    }
}

impl Ses {
    /// Counts what was sent through SMTP, once; none if it is not what is known of such events.
    fn sent<S: Sink>(
        &mut self,
        mail: &Mail<'_>,
        record: &Record<'_>,
        proofs: &mut Proofs<'_, S>,
    ) -> Option<()> {
        let time = mail.time(proofs.times).or(record.time)?;
        if mail.id.is_empty() || mail.source.is_empty() {
            return None;
        }
        if !is_smtp(&mail.tags.operation)? {
            return Some(());
        }
        let mark = proofs.arrival.mark;
        self.0.advance(time, proofs.arrival, proofs.sink);
        let packed = packed(&mail.id);
        let key = match &packed {
            Some(id) => Key { host: b"", id },
            None => Key { host: b"id", id: mail.id.as_bytes() },
        };
        if !self.0.is_first(key, time, ROOM, mark, proofs.sink) {
            return Some(());
        }
        let Tags { caller, client, tls, .. } = &mail.tags;
        let sender = address(&mail.source);
        proofs.submission(&Proof {
            time,
            sender: sender.map_or(Sender::Unknown, |sender| Sender::Logged(sender.as_bytes())),
            login: Login::Logged {
                account: one(caller),
                mechanism: b"",
                client: one(client),
                name: Name::Untold,
            },
            tls: TlsVersion::from_label(one(tls)),
            messages: 1,
            recipients: destinations(record.message),
        });
        Some(())
    }
}

/// How many recipients a message has. They are read for themselves: nothing in them may keep it from being counted.
fn destinations(text: &[u8]) -> u64 {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Object {
        mail: Option<Mail>,
        detail: Option<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        mail: Option<Mail>,
    }
    #[derive(Deserialize)]
    struct Mail {
        #[serde(default)]
        destination: recipients::Told,
    }
    let Object { mail, detail } = serde_json::from_slice(text).unwrap_or_default();
    let mail = mail.or(detail.and_then(|detail| detail.mail));
    mail.map_or(0, |mail| mail.destination.0)
}

/// A tag's value, if it has one; with several nobody knows which.
fn one<'a>(values: &'a [Cow<'_, str>]) -> &'a [u8] {
    match values {
        [value] => value.as_bytes(),
        _ => b"",
    }
}

/// Whether a message came through SMTP, or else through the API; none if that cannot be told.
fn is_smtp(operation: &[Cow<'_, str>]) -> Option<bool> {
    match operation {
        [] => Some(true),
        [one] if one.to_ascii_lowercase().contains("smtp") => Some(true),
        [one] if one.starts_with("Send") => Some(false),
        _ => None,
    }
}

/// A message id as bytes, if it is written as SES writes them: 16 digits, a UUID, and 6 digits, in lower case.
fn packed(id: &str) -> Option<[u8; DIGITS / 2]> {
    const DASHES: [usize; 6] = [16, 25, 30, 35, 40, 53];
    let mut packed = [0; DIGITS / 2];
    let mut digits = 0;
    for (at, byte) in id.bytes().enumerate() {
        let digit = match byte {
            b'-' if DASHES.contains(&at) => continue,
            _ if DASHES.contains(&at) || digits == DIGITS => return None,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        packed[digits / 2] = (packed[digits / 2] << 4) | digit;
        digits += 1;
    }
    (digits == DIGITS).then_some(packed)
}

/// The address of `Name <address>`, or of an address alone; none if it can be meant in several ways.
///
/// The name is the sender's own text.
fn address(source: &str) -> Option<&str> {
    let source = source.trim_matches(' ');
    let (mut quoted, mut escaped, mut begins) = (false, false, None);
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' if begins.is_none() => begins = Some(at + 1),
            b'>' if begins.is_some() && at + 1 == source.len() => {}
            b'<' | b'>' => return None,
            _ => {}
        }
    }
    let address = match begins {
        Some(begins) => source.get(begins..)?.strip_suffix('>')?,
        None => source,
    };
    let is_one = address.contains('"') || !address.contains([' ', ',', ';']);
    (!quoted && !escaped && is_one && !address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::formats::Format;
    use crate::testing::{Collected, feed, options, read};
    use crate::{LogStream, Understanding};

    const ID: &str = "0102019abcdef012-5b7a1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d-000000";

    fn event(kind: &str, id: &str, tags: &Value) -> Value {
        json!({"eventType": kind, "mail": {"timestamp": "2026-11-23T11:00:00.123Z",
            "source": "Ann Lee <Ann@example.org>", "sendingAccountId": "111122223333", "messageId": id,
            "destination": ["x@example.net", "y@example.net"], "headersTruncated": false,
            "headers": [{"name": "Subject", "value": "\"eventType\":\"Send\""}],
            "commonHeaders": {"from": ["Boss <boss@example.org>"]}, "tags": tags}, "send": {}})
    }

    fn smtp() -> Value {
        json!({"ses:configuration-set": ["c"], "ses:source-ip": ["192.0.2.7"], "campaign": ["x"],
            "ses:source-tls-version": ["TLSv1.2"], "ses:caller-identity": ["ses-smtp-user.1"]})
    }

    fn api(operation: &str) -> Value {
        let mut tags = smtp();
        tags["ses:operation"] = json!([operation]);
        tags
    }

    const COUNTED: &str = "ann@example.org ses-smtp-user.1  TLS1.2 192.0.2.7 x1";

    fn understood(format: Format, log: &str) -> (Collected, Understanding) {
        let mut told = Collected::default();
        let mut stream = LogStream::new(crate::Options { format, ..options() });
        feed(&mut stream, log, &mut told);
        (told, stream.understanding())
    }

    #[test]
    fn a_message_counts_once_however_its_events_come() {
        let send = event("Send", ID, &smtp());
        let bridge = json!({"version": "0", "id": "e", "detail-type": "Email Sent", "source": "aws.ses",
            "account": "111122223333", "time": "2026-11-23T11:00:01Z", "region": "eu-west-1", "resources": [],
            "detail": send});
        let sns = json!({"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
            "Subject": "Amazon SES Email Event Notification", "Message": format!("{send}\n"),
            "Timestamp": "2026-11-23T11:00:02.000Z", "SignatureVersion": "1", "Signature": "x"});
        let docker =
            json!({"log": format!("{send}\n"), "stream": "stdout", "time": "2026-11-23T11:00:03Z"});
        let watch = json!({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
            "logEvents": [{"id": "1", "timestamp": 1_795_431_600_000_u64, "message": bridge.to_string()}]});
        let splunk = json!({"time": 1_795_431_600, "host": "h", "source": "s", "event": send});
        let delivery = event("Delivery", ID, &smtp());
        for form in [
            &send,
            &bridge,
            &sns,
            &docker,
            &watch,
            &splunk,
            &json!([send]),
            &json!({"Records": [send]}),
        ] {
            for log in [
                form.to_string(),
                format!("{delivery}{form}{form}{delivery}"),
                serde_json::to_string_pretty(form).expect("JSON"),
            ] {
                assert_eq!(read(&log).submissions, [COUNTED], "{log}");
                let (told, understanding) = understood(Format::Ses, &log);
                assert_eq!(told.submissions, [COUNTED], "{log}");
                // A bracket on a line of its own is nothing.
                let brackets = understanding.not_understood * u64::from(log.starts_with("[\n"));
                let not_understood = understanding.not_understood - brackets;
                assert_eq!((not_understood, told.rejected.len()), (0, 0), "{log}");
            }
        }
        let all = [&sns, &bridge, &send, &watch, &docker].map(Value::to_string).join("\n");
        assert_eq!(read(&all).submissions, [COUNTED]);
        let other = ID.replace("000000", "000001");
        let two = format!("{send}\n{}\n{send}", event("Send", &other, &smtp()));
        assert_eq!(read(&two).submissions, [COUNTED, COUNTED]);
        let odd = format!("{0}{0}{send}", event("Send", "odd", &smtp()));
        assert_eq!(read(&odd).submissions, [COUNTED, COUNTED]);
    }

    #[test]
    fn what_proves_no_submission_is_understood() {
        let lines = KINDS.map(|kind| event(kind, ID, &smtp()));
        let api = ["SendEmail", "SendRawEmail", "SendBulkEmail"]
            .map(|name| event("Send", ID, &api(name)));
        let notification =
            json!({"notificationType": "Bounce", "mail": event("Bounce", ID, &smtp())["mail"]});
        let advice = json!({"source": "aws.ses", "detail-type": "Advisor Recommendation Status Open", "detail": {}});
        let lines = lines.iter().chain(&api).chain([&notification, &advice]);
        let log: String = lines.map(|line| format!("{line}\n")).collect();
        let (told, understanding) = understood(Format::Auto, &log);
        assert_eq!(told, Collected::default());
        assert_eq!((understanding.not_understood, understanding.of_servers()), (0, 14));
    }

    #[test]
    fn a_line_that_does_not_fit_is_not_understood() {
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut event = event("Send", ID, &smtp());
            change(&mut event);
            event.to_string()
        };
        for line in [
            event("Sent", ID, &smtp()).to_string(),
            event("Send", "", &smtp()).to_string(),
            event("Send", ID, &api("Receive")).to_string(),
            event("Send", ID, &json!({"ses:operation": ["SendEmail", "SendRawEmail"]})).to_string(),
            event("Send", ID, &json!({"ses:caller-identity": "ann"})).to_string(),
            changed(&|event| event["mail"]["source"] = json!("")),
            changed(&|event| event["mail"]["timestamp"] = json!("2026-11-23 11:00")),
            changed(&|event| event["notificationType"] = json!("Bounce")),
            changed(&|event| event["detail"] = json!({"eventType": "Send"})),
            changed(&|event| drop(event.as_object_mut().map(|event| event.remove("mail")))),
            json!({"source": "other", "detail": event("Send", ID, &smtp())}).to_string(),
            format!("{{\"eventType\":\"Open\",{}", &event("Send", ID, &smtp()).to_string()[1..]),
        ] {
            let (told, understanding) = understood(Format::Auto, &line);
            assert_eq!(told.submissions, [""; 0], "{line}");
            assert_eq!(understanding.not_understood, 1, "{line}");
        }
        // What a program that its header names has logged is the program's.
        let named = format!("Nov 23 11:00:00 h app[1]: {}", event("Send", ID, &smtp()));
        assert_eq!(read(&named), Collected::default());
    }

    #[test]
    fn what_is_not_told_once_is_not_known() {
        let tags = json!({"ses:caller-identity": ["a", "b"], "ses:source-ip": [], "ses:source-tls-version": ["TLSv1.9"]});
        let log = event("Send", ID, &tags).to_string();
        assert_eq!(read(&log).submissions, ["ann@example.org   unknown  x1"]);
    }

    #[test]
    fn a_sender_is_an_address_and_never_a_name() {
        for (source, expected) in [
            ("ann@example.org", Some("ann@example.org")),
            ("<ann@example.org>", Some("ann@example.org")),
            ("Ann <ann@example.org>", Some("ann@example.org")),
            (r#""Ann <boss@example.org>" <ann@example.org>"#, Some("ann@example.org")),
            (r#""Ann \"<boss@example.org>" <ann@example.org>"#, Some("ann@example.org")),
            ("=?utf-8?q?=C3=84nn?= <ann@example.org>", Some("ann@example.org")),
            (r#""a b"@example.org"#, Some(r#""a b"@example.org"#)),
            (r#"Ann <"a>b"@example.org>"#, Some(r#""a>b"@example.org"#)),
            ("Ann <boss@example.org> <ann@example.org>", None),
            ("boss@example.org, Ann <ann@example.org>, c <d>", None),
            ("boss@example.org ann@example.org", None),
            ("Ann <ann@example.org", None),
            ("ann@example.org>", None),
            (r#"Ann" <ann@example.org>"#, None),
            ("<>", None),
            (" ", None),
        ] {
            assert_eq!(address(source), expected, "{source}");
        }
    }

    #[test]
    fn ids_of_the_known_form_are_packed_without_loss() {
        let packed_id = packed(ID).expect("its form");
        assert_eq!((packed_id[0], packed_id[7], packed_id[26]), (0x01, 0x12, 0x00));
        for id in [
            "",
            "x",
            &ID[1..],
            &format!("{ID}0"),
            &ID.replace("5b7a1c2d-", "5b7a1c2d0"),
            &ID.replace('a', "A"),
            &ID.replace('-', "0"),
        ] {
            assert_eq!(packed(id), None, "{id}");
        }
        assert_ne!(packed(&ID.replace("000000", "000001")), Some(packed_id));
    }
}
