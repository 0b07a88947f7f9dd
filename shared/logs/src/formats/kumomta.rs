//! KumoMTA: one JSON object a line, of each thing that happens to a message.
//!
//! A message with several recipients is several receptions, one for each, before version 2025.12: they are told from
//! other messages by what they have in common.

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
use crate::recipients::Told;
use crate::record::Record;
use crate::time::Timestamps;

/// For how long a message is remembered, in seconds of the log's own time.
const REMEMBERED: i64 = 3600;
/// The most bytes that messages may take: about 700 of them.
const ROOM: usize = 100_000;

/// KumoMTA's records, and which messages were counted already.
#[derive(Clone, Debug, Default)]
pub(crate) struct KumoMta(Memory<(), Counted<REMEMBERED>>);

impl LogFormat for KumoMta {
    const NAME: &'static str = "kumomta";
    const ABOUT: &'static str = "KumoMTA's log records, in JSON";
    const PROGRAMS_BEGIN: &'static [u8] = b"k";
    const MESSAGES_BEGIN: &'static [u8] = b"{";
    const CANNOT_TELL: &'static str = "nothing counts unless the logger lists authn_id in meta; mechanism and the account of failed logins are never told; equal messages within one second of a session count once";

    remembers!(1);

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(log) = read(record) else { return false };
        match &*log.kind {
            "Reception" => self.reception(&log, record, proofs).is_some(),
            "Rejection" => rejection(&log, proofs).is_some(),
            kind => KINDS.contains(&kind),
        }
    }

    fn owns(record: &Record<'_>) -> bool {
        record.program == PROGRAM
    }

    fn time_of(record: &Record<'_>, _times: &mut Timestamps) -> Option<i64> {
        read(record)?.timestamp
    }
}

const PROGRAM: &[u8] = b"kumod";

/// Records that tell neither of a reception nor of a login.
const KINDS: [&str; 13] = [
    "Delivery",
    "Bounce",
    "TransientFailure",
    "Expiration",
    "AdminBounce",
    "OOB",
    "Feedback",
    "Delay",
    "Delayed",
    "DeferredInjectionRebind",
    "AdminRebind",
    "XferOut",
    "XferIn",
];

#[derive(Deserialize)]
struct LogRecord<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    /// The message's; not read, but always there.
    #[serde(borrow, rename = "id")]
    _id: Cow<'a, str>,
    /// In seconds since 1970, as the next one.
    timestamp: Option<i64>,
    created: Option<i64>,
    #[serde(borrow)]
    sender: Option<Cow<'a, str>>,
    size: Option<u64>,
    response: Option<Response>,
    #[serde(borrow)]
    peer_address: Option<Peer<'a>>,
    #[serde(borrow)]
    reception_protocol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tls_protocol_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nodeid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Response {
    code: u16,
}

#[derive(Deserialize)]
struct Peer<'a> {
    /// What the client says of itself.
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    addr: Option<Cow<'a, str>>,
}

/// What the logger was told to write: `authn_id` is who logged in, `authz_id` as whom.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    authn_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    authz_id: Option<Cow<'a, str>>,
}

/// Reads a record; none if the message is something else.
fn read<'a>(record: &Record<'a>) -> Option<LogRecord<'a>> {
    static MARKS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| ["\"peer_address\"", "\"reception_protocol\""].map(Finder::new));
    let text = record.message;
    if text.first() != Some(&b'{') || (record.is_named() && record.program != PROGRAM) {
        return None;
    }
    MARKS.iter().any(|mark| mark.find(text).is_some()).then(|| serde_json::from_slice(text).ok())?
}

impl LogRecord<'_> {
    fn client(&self) -> &[u8] {
        let addr = self.peer_address.as_ref().and_then(|peer| peer.addr.as_deref());
        addr.unwrap_or_default().as_bytes()
    }

    fn name(&self) -> Name<'_> {
        let name = self.peer_address.as_ref().and_then(|peer| peer.name.as_deref());
        name.map_or(Name::Untold, |name| Name::Claimed(name.as_bytes()))
    }

    /// Who logged in; none if nobody did, or the logger does not write it.
    fn account(&self) -> Option<&str> {
        let meta = self.meta.as_ref()?;
        let names = [meta.authn_id.as_deref(), meta.authz_id.as_deref()];
        names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

impl KumoMta {
    /// Counts a message that was received after a login; none if it is not what is known of such records.
    fn reception<S: Sink>(
        &mut self,
        log: &LogRecord<'_>,
        record: &Record<'_>,
        proofs: &mut Proofs<'_, S>,
    ) -> Option<()> {
        let (sender, protocol) = (log.sender.as_deref()?, log.reception_protocol.as_deref()?);
        let Some(account) = log.account().filter(|_| protocol == "ESMTP") else { return Some(()) };
        let (logged, size) = (log.timestamp?, log.size?);
        let time = log.created.unwrap_or(logged);
        let session = log.session_id.as_deref().unwrap_or_default();
        let client = log.client();
        // Without a session, all of a client's are taken for one.
        let from =
            if session.is_empty() { String::from_utf8_lossy(client) } else { session.into() };
        let id = format!("{from} {time} {size} {sender}");
        let host = log.nodeid.as_ref().map_or(record.host, |node| node.as_bytes());
        let (key, mark) = (Key { host, id: id.as_bytes() }, proofs.arrival.mark);
        self.0.advance(logged, proofs.arrival, proofs.sink);
        if self.0.is_first(key, logged, ROOM, mark, proofs.sink) {
            let tls = log.tls_protocol_version.as_deref().unwrap_or_default();
            let account = account.as_bytes();
            proofs.submission(&Proof {
                time,
                sender: Sender::Logged(sender.as_bytes()),
                login: Login::Logged { account, mechanism: b"", client, name: log.name() },
                tls: TlsVersion::from_label(tls.as_bytes()),
                messages: 1,
                recipients: recipients(record.message),
            });
        }
        Some(())
    }
}

/// How many recipients a record tells: those of a batch. They are read for themselves: nothing in them may keep a message
/// from being counted.
fn recipients(text: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Recipients {
        #[serde(default)]
        recipient: Told,
    }
    serde_json::from_slice::<Recipients>(text).map_or(0, |told| told.recipient.0)
}

/// Counts a login that failed. The command that the record holds is the client's secret, and is not read.
fn rejection<S: Sink>(log: &LogRecord<'_>, proofs: &mut Proofs<'_, S>) -> Option<()> {
    if log.response.as_ref()?.code == 535 {
        proofs.auth_failure(log.timestamp?, b"", log.client());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::LogStream;
    use crate::testing::{Collected, feed, options, read};

    fn reception(recipient: Value) -> Value {
        json!({"type": "Reception", "id": "1d98076abbbc11ed940250ebf67f93bd", "sender": "ann@example.org",
            "recipient": recipient, "queue": "example.net", "site": "", "size": 1047,
            "response": {"code": 250, "enhanced_code": null, "content": "", "command": null},
            "peer_address": {"name": "h", "addr": "192.0.2.7"}, "timestamp": 1_795_431_601,
            "created": 1_795_431_600, "event_time": "2026-11-23T11:00:01.5Z", "num_attempts": 0,
            "reception_protocol": "ESMTP", "nodeid": "n1", "tls_protocol_version": "TLSv1.3",
            "session_id": "s1", "headers": {"Subject": "boss@example.org"},
            "meta": {"authn_id": "ann", "authz_id": "boss", "tenant": 7}})
    }

    fn with(field: &str, value: Value) -> Value {
        let mut record = reception(json!("x@example.net"));
        record[field] = value;
        record
    }

    fn lines(records: &[Value]) -> String {
        records.iter().map(|record| format!("{record}\n")).collect()
    }

    const COUNTED: &str = "ann@example.org ann  TLS1.3 192.0.2.7 x1";

    #[test]
    fn a_message_counts_once_for_all_its_recipients() {
        let both = lines(&[
            reception(json!("x@example.net")),
            reception(json!("y@example.net")),
            reception(json!(["x@example.net", "z@example.net"])),
        ]);
        assert_eq!(read(&both).submissions, [COUNTED]);
        for other in [
            with("session_id", json!("s2")),
            with("created", json!(1_795_431_601)),
            with("size", json!(9)),
            with("nodeid", json!("n2")),
        ] {
            let log = lines(&[reception(json!("x@example.net")), other]);
            assert_eq!(read(&log).submissions, [COUNTED, COUNTED], "{log}");
        }
        let log = lines(&[with("sender", json!(""))]);
        assert_eq!(read(&log).submissions, ["<> ann  TLS1.3 192.0.2.7 x1"]);
        let mut old = reception(json!("x@example.net"));
        for field in ["session_id", "tls_protocol_version", "nodeid", "created", "event_time"] {
            old.as_object_mut().map(|record| record.remove(field));
        }
        let log = lines(&[old.clone(), old]);
        assert_eq!(read(&log).submissions, ["ann@example.org ann  unknown 192.0.2.7 x1"]);
    }

    #[test]
    fn it_is_read_where_shippers_have_put_it() {
        let record = reception(json!("x@example.net"));
        for log in [
            json!({"log": format!("{record}\n"), "stream": "stdout"}),
            json!([record]),
            json!({"messageType": "DATA_MESSAGE", "logStream": "s", "logEvents": [
                {"id": "1", "timestamp": 1_795_431_600_000_u64, "message": record.to_string()}]}),
        ] {
            assert_eq!(read(&log.to_string()).submissions, [COUNTED], "{log}");
        }
        assert_eq!(read(&format!("{record}{record}")).submissions, [COUNTED]);
        let syslog = format!("Nov 23 11:00:01 h kumod[7]: {record}");
        assert_eq!(read(&syslog).submissions, [COUNTED]);
        let other = format!("Nov 23 11:00:01 h app[7]: {record}");
        assert_eq!(read(&other).submissions, [""; 0]);
    }

    #[test]
    fn what_proves_no_submission_is_understood() {
        let mut records: Vec<_> = KINDS.iter().map(|kind| with("type", json!(kind))).collect();
        records.push(with("reception_protocol", json!("HTTP")));
        records.push(with("meta", json!({})));
        records.push(with("meta", json!({"authn_id": null, "authz_id": ""})));
        let log = lines(&records);
        let (mut told, mut stream) = (Collected::default(), LogStream::new(options()));
        feed(&mut stream, &log, &mut told);
        let understanding = stream.understanding();
        assert_eq!(told, Collected::default());
        assert_eq!(understanding.of_servers(), records.len() as u64);
    }

    #[test]
    fn failed_logins_count_without_what_the_client_sent() {
        let refused = |code: u16| {
            let mut record = with("type", json!("Rejection"));
            record["response"] =
                json!({"code": code, "content": "AUTH invalid", "command": "AGFubgBzZWNyZXQ="});
            record
        };
        let told = read(&lines(&[refused(535), refused(550), refused(451)]));
        assert_eq!((told.failures, told.submissions.len()), (vec![" 192.0.2.7".to_owned()], 0));
    }

    #[test]
    fn a_line_that_does_not_fit_is_not_understood() {
        for record in [
            with("type", json!("Receptions")),
            with("sender", json!(null)),
            with("size", json!("9")),
            with("meta", json!({"authn_id": ["ann"]})),
            with("timestamp", json!("now")),
            with("id", json!(1)),
            with("reception_protocol", json!(null)),
        ] {
            let (mut told, mut stream) = (Collected::default(), LogStream::new(options()));
            feed(&mut stream, &record.to_string(), &mut told);
            assert_eq!(told.submissions, [""; 0], "{record}");
            assert_eq!(stream.understanding().not_understood, 1, "{record}");
        }
    }
}
