//! Exim: one line of the main log proves a submission.
//!
//! `arrival` reads that line, by the words of `fields`; `host` tells the client's address from what the client said.
//! `chunks` joins what syslog has of a long line, `copies` leaves out what it has twice; in both, lines are `waiting`.

mod arrival;
mod chunks;
mod copies;
mod fields;
mod host;
mod waiting;

use memchr::{memchr, memmem, memrchr};
use serde::de::DeserializeOwned;

use self::arrival::{Arrival, Login};
use self::chunks::{Chunks, Part};
use self::copies::Copies;
use crate::format::LogFormat;
use crate::proofs::{self, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::record::Record;
use crate::saved::StateError;
use crate::text::alphanumeric_and;
use crate::time::Timestamps;

/// Exim's main log, alone or through syslog.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exim {
    chunks: Chunks,
    copies: Copies,
}

impl LogFormat for Exim {
    const NAME: &'static str = "exim";
    const ABOUT: &'static str = "Exim's main log";
    const STATE: u8 = 2;

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(whose) = Whose::of(record) else { return false };
        let outer = record.time.unwrap_or(proofs.arrival.reference);
        match whose {
            Whose::Exims => {
                let is_copy = |time, text: &[u8]| self.copies.has(record, time, text);
                match self.chunks.part(record) {
                    Part::Whole(message) => _ = whole(message, outer, is_copy, proofs),
                    Part::Last(message) => _ = whole(&message, outer, is_copy, proofs),
                    Part::Some => {}
                }
                true
            }
            // In the main log itself there are no copies.
            Whose::Unknown => {
                let (time, text) = stamped(record.message, proofs.times);
                line(text, time.unwrap_or(outer), |_, _| false, proofs)
                    || (time.is_some() && is_own(text))
            }
        }
    }

    fn owns(record: &Record<'_>) -> bool {
        matches!(Whose::of(record), Some(Whose::Exims))
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        let message = match Whose::of(record)? {
            Whose::Unknown => record.message,
            // What seems to be a time in another chunk than the first may be a client's.
            Whose::Exims => match chunks::chunk(record.message) {
                Some((1, _, text)) => text,
                Some(_) => return None,
                None => record.message,
            },
        };
        stamp(after_pid(message), times).map(|(time, _)| time)
    }

    fn save(&self) -> Vec<u8> {
        if self.chunks.is_empty() && self.copies.is_empty() {
            return Vec::new();
        }
        // Writing to memory cannot fail.
        postcard::to_extend(&(&self.chunks, &self.copies), Vec::new()).unwrap_or_default()
    }

    fn restore(version: u8, bytes: &[u8]) -> Result<Self, StateError> {
        fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StateError> {
            postcard::from_bytes(bytes).map_err(|_| StateError::Damaged)
        }
        let (chunks, copies): (Chunks, _) = match version {
            // There were no copies.
            1 => (read(bytes)?, Copies::default()),
            Self::STATE => read(bytes)?,
            found => return Err(StateError::Version { found, known: Self::STATE }),
        };
        let is_sound = chunks.is_sound() && copies.is_sound();
        is_sound.then_some(Self { chunks, copies }).ok_or(StateError::Damaged)
    }

    #[inline]
    fn weight(&self) -> usize {
        self.chunks.weight() + self.copies.weight()
    }

    fn evict(&mut self, down_to: usize, _mark: u64, _sink: &mut impl Sink) {
        // A copy that is counted costs less than a line that is lost.
        self.copies.evict(down_to.saturating_sub(self.chunks.weight()));
        self.chunks.evict(down_to);
    }
}

/// Whose a record is, by its header.
enum Whose {
    Exims,
    /// No program is named, as in the main log itself: the message must tell.
    Unknown,
}

impl Whose {
    fn of(record: &Record<'_>) -> Option<Self> {
        if !record.is_named() {
            return Some(Self::Unknown);
        }
        let program = record.program;
        let name = program.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        program[name..].starts_with(b"exim").then_some(Self::Exims)
    }
}

/// Whether what stands behind the time of a line, of which no program is named, begins as only Exim's lines without a
/// message id do: they prove nothing.
fn is_own(text: &[u8]) -> bool {
    const BEGIN: [&[u8]; 15] = [
        b"H=",
        b"SMTP connection from ",
        b"SMTP call from ",
        b"SMTP command timeout on ",
        b"SMTP data timeout ",
        b"SMTP protocol ",
        b"SMTP syntax error in ",
        b"unexpected disconnection while reading SMTP command from ",
        b"no host name found for IP address ",
        b"no IP address found for host ",
        b"TLS error on connection ",
        b"Start queue run: pid=",
        b"End queue run: pid=",
        b"exim user lost privilege for using ",
        b"exim 4.",
    ];
    BEGIN.iter().any(|begin| text.starts_with(begin))
}

/// What a line of the main log begins with, before Exim's own text.
///
/// Gives the line's time and the rest behind `[pid]`; none if the line has no timestamp.
fn stamp<'a>(text: &'a [u8], times: &mut Timestamps) -> Option<(i64, &'a [u8])> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (time, end) = times.exim(text)?;
    Some((time, after_pid(text[end..].strip_prefix(b" ")?)))
}

/// Skips `[1234] `.
fn after_pid(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"[") else { return text };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match rest[digits..].strip_prefix(b"] ") {
        Some(after) if digits > 0 => after,
        _ => text,
    }
}

/// Reads one whole line, from its timestamp on, if it has one; false if it is none that is known.
#[inline]
fn whole<S: Sink>(
    message: &[u8],
    outer: i64,
    is_copy: impl FnOnce(i64, &[u8]) -> bool,
    proofs: &mut Proofs<'_, S>,
) -> bool {
    let (time, text) = stamped(message, proofs.times);
    line(text, time.unwrap_or(outer), is_copy, proofs)
}

/// The time that a line begins with, if it has one, and what follows it.
fn stamped<'a>(message: &'a [u8], times: &mut Timestamps) -> (Option<i64>, &'a [u8]) {
    let message = after_pid(message);
    stamp(message, times).map_or((None, message), |(time, text)| (Some(time), text))
}

/// Reads one line of the main log, from its message id on; false if it is none that is known.
fn line<S: Sink>(
    text: &[u8],
    time: i64,
    is_copy: impl FnOnce(i64, &[u8]) -> bool,
    proofs: &mut Proofs<'_, S>,
) -> bool {
    match message_id(text) {
        Some(rest) => {
            if let Some(arrival) = rest.strip_prefix(b"<= ") {
                accepted(arrival, time, proofs);
            }
            true
        }
        None => failed(text, time, is_copy, proofs).is_some(),
    }
}

/// Skips a message id: `1xVWoN-0001PO-2u`, or `1xA6ol-000000037ku-33mU` since 4.97.
fn message_id(text: &[u8]) -> Option<&[u8]> {
    let stands = |byte: u8, at: usize| text.get(at) == Some(&byte);
    if !stands(b'-', 6) {
        None
    } else if stands(b'-', 13) && stands(b' ', 16) {
        behind_id::<16>(text)
    } else if stands(b'-', 18) && stands(b' ', 23) {
        behind_id::<23>(text)
    } else {
        None
    }
}

/// What follows a message id of a known length, and the blank behind it.
fn behind_id<const LENGTH: usize>(text: &[u8]) -> Option<&[u8]> {
    let (id, rest) = text.split_first_chunk::<LENGTH>()?;
    const FITS: [bool; 256] = alphanumeric_and(b"-");
    // Every byte is looked at, fit or not: so few take longer to decide about than to look at.
    id.iter().fold(true, |all, byte| all & FITS[usize::from(*byte)]).then(|| &rest[1..])
}

fn accepted<S: Sink>(text: &[u8], time: i64, proofs: &mut Proofs<'_, S>) {
    let Some(Arrival { sender, login, tls, recipients }) = arrival::read(text) else { return };
    let Login { account, mechanism, client, name } = login;
    let account = &*fields::unescaped(account);
    let sender = Sender::Logged(if sender == b"<>" { b"" } else { sender });
    let login = proofs::Login::Logged { account, mechanism, client, name };
    proofs.submission(&Proof { time, sender, login, tls, messages: 1, recipients });
}

/// `NAME authenticator failed for HOST [address]: 535 Incorrect authentication data (set_id=user)`.
///
/// None if it is no such line. The HELO argument, the ident and the id are the client's: where two replies can be meant,
/// the login failed, and nothing tells whose it was.
fn failed<S: Sink>(
    text: &[u8],
    time: i64,
    is_copy: impl FnOnce(i64, &[u8]) -> bool,
    proofs: &mut Proofs<'_, S>,
) -> Option<()> {
    let rest = text.get(memchr(b' ', text)?..)?;
    let rest = rest.strip_prefix(b" authenticator failed for ")?;
    if is_copy(time, text) {
        return Some(());
    }
    let mut replies = Reply::all(rest);
    let Some(first) = replies.next() else { return Some(()) };
    let mut others = false;
    let mut meant = None;
    for reply in std::iter::once(first).chain(replies) {
        if host::is_whole(&rest[..reply.at]) {
            others |= meant.is_some();
            meant.get_or_insert(reply);
        }
    }
    if others {
        proofs.auth_failure(time, b"", b"");
        return Some(());
    }
    let Reply { at, refused } = meant.unwrap_or(first);
    let (host, reply) = rest.split_at(at);
    let account = memmem::find(reply, b"(set_id=").map_or(&b""[..], |at| {
        let id = &reply[at + 8..];
        &id[..memrchr(b')', id).unwrap_or(id.len())]
    });
    let (account, (client, _)) = (fields::unescaped(account), host::client(host));
    if refused {
        proofs.auth_failure(time, &account, client);
    } else {
        proofs.temporary_failure(time, &account, client);
    }
    Some(())
}

/// A reply to a login that failed, as a line tells it; other replies than these are no guesses at passwords, and no
/// trouble of the server's.
#[derive(Clone, Copy)]
struct Reply {
    /// Where it stands.
    at: usize,
    /// The credentials are wrong (535; RFC 4954, section 6), or they could not be judged (435, 454).
    refused: bool,
}

impl Reply {
    /// Whatever may be one, from the left.
    fn all(text: &[u8]) -> impl Iterator<Item = Self> {
        memmem::find_iter(text, b": ").filter_map(|at| match text.get(at + 2..at + 6)? {
            b"535 " => Some(Self { at, refused: true }),
            b"435 " | b"454 " => Some(Self { at, refused: false }),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Arrival;
    use crate::relayed::Relayed;
    use crate::testing::Collected;

    fn read(text: &str) -> Collected {
        let mut collected = Collected::default();
        let mut times = Timestamps::new(chrono_tz::UTC);
        let arrival = Arrival::in_record(0, 0);
        line(
            text.as_bytes(),
            0,
            |_, _| false,
            &mut Proofs {
                arrival,
                times: &mut times,
                sink: &mut collected,
                time: None,
                failure: None,
                relayed: &mut Relayed::default(),
                relayed_as: None,
            },
        );
        collected
    }

    #[test]
    fn every_form_of_an_arrival() {
        for (text, expected) in [
            (
                "1xVWoN-0001PO-2u <= Carol@example.test H=(host0.lan) [127.0.0.1] P=esmtpsa X=TLS1.2:ECDHE_X25519:256 CV=no A=cram:carol@example.test S=322",
                "carol@example.test carol@example.test CRAM TLS1.2 127.0.0.1 x1",
            ),
            (
                "1xA6ol-000000037ku-33mU <= <> H=a.test ([10.0.0.1]) [192.0.2.1]:55900 I=[127.0.0.1]:465 P=esmtpsa X=TLS1:X:256* CV=no SNI=\"x A=plain:fake y\" A=plain:ann:ann@example.test S=6",
                "<>  PLAIN TLS1.0 192.0.2.1 x1",
            ),
            (
                "1xVWoN-0001PO-2u <= a@x.test H=x [192.0.2.1] P=esmtpsa X=TLS1.3:x:256 SNI=\"a\"b\" A=plain:ann S=1",
                "a@x.test ann PLAIN TLS1.3 192.0.2.1 x1",
            ),
            (
                "1xVWoN-0001PO-2u <= \"a b\"@x.test H=[2001:db8::1] P=esmtpa A=login:bob S=1",
                "\"a b\"@x.test bob LOGIN none 2001:db8::1 x1",
            ),
            (
                "1xVWoN-0001PO-2u <= a@x.test H=(A=plain:fake@x.test) [192.0.2.1] P=esmtpsa A=tls S=1 T=\"b A=plain:fake\"",
                "a@x.test  TLS unknown 192.0.2.1 x1",
            ),
            (
                "1xVWoN-0001PO-2u <= a@x.test H=(x) [1.2.3.4] P=esmtpsa X=TLS1.0:A:1 A=plain:fake@evil.test S=1 (y) [192.0.2.1] P=esmtpa A=plain:ann S=5 id=a@x.test T=\"[1.2.3.4] A=plain:fake S=1\"",
                "a@x.test ann PLAIN none 192.0.2.1 x1",
            ),
        ] {
            assert_eq!(read(text).submissions, [expected], "{text}");
        }
    }

    #[test]
    fn recipients_are_those_that_are_listed_at_the_end() {
        let recipients = |behind: &str| {
            let line = "1xVWoN-0001PO-2u <= a@x.test H=x [192.0.2.1] P=esmtpsa A=plain:ann S=5";
            read(&format!("{line}{behind}")).recipients
        };
        assert_eq!(recipients(" id=1@x.test"), [0]);
        assert_eq!(recipients(" T=\"for a b\" from <a@x.test> for a@y.test \"b c\"@y.test d"), [3]);
        // What can be meant in several ways, or is not Exim's, tells none.
        assert_eq!(recipients(" T=\" S=1\" for a@y.test b@y.test"), [0]);
        assert_eq!(recipients(" x for a@y.test b@y.test"), [0]);
    }

    #[test]
    fn what_is_no_arrival_of_an_authenticated_client() {
        for text in [
            "1xVWoN-0001PO-2u <= a@x.test H=x [192.0.2.1] P=esmtps X=TLS1.3:x:256 S=1 T=\" A=plain:fake \"",
            "1xVWoN-0001PO-2u (= a@x.test H=x [192.0.2.1] P=esmtpsa A=plain:ann S=1",
            "1xVWoN-0001PO-2u => b@x.test R=smart T=smtp H=x [192.0.2.1] X=TLS1.3:x:256 A=plain C=\"250\"",
            "1xVWoN-0001PO-2u <= <> R=1xVWoN-0001PO-2u U=Debian-exim P=local S=1",
            "H=(x) [192.0.2.1] F=<a@x.test> A=plain:ann rejected RCPT <b@x.test>: no",
            "1xVWoN-0001PO-2u <=  H=x [192.0.2.1] P=esmtpsa A=plain:ann S=1",
            "1xVWoN-0001PO-2u Completed",
            "1xVWoN-0001PO-2u",
            "",
        ] {
            assert_eq!(read(text), Collected::default(), "{text}");
        }
    }

    #[test]
    fn lines_that_only_exim_writes_are_its_own() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let mut is_own = |line: &str| {
            let (time, text) = stamped(line.as_bytes(), &mut times);
            time.is_some() && super::is_own(text)
        };
        for text in [
            "exim user lost privilege for using -C option",
            "exim 4.96 daemon started: pid=4881, -q30m",
            "Start queue run: pid=4887",
            "H=(x) [192.0.2.1] F=<a@x.test> rejected RCPT <b@x.test>: no",
            "[12] SMTP connection from [192.0.2.1] lost",
        ] {
            assert!(is_own(&format!("2026-11-23 16:22:34 {text}")), "{text}");
            assert!(is_own(&format!("2026-11-23 16:22:34.123 +0100 {text}")), "{text}");
            assert!(!is_own(text), "it begins with a time");
        }
        for text in ["connect from x", "mail postfix/smtpd[1]: x", "exim", ""] {
            assert!(!is_own(&format!("2026-11-23 16:22:34 {text}")), "{text}");
        }
    }

    #[test]
    fn failed_logins() {
        let text = "plain_server authenticator failed for (h [9.9.9.9]) [192.0.2.1]:5 I=[127.0.0.1]:25: 535 Incorrect authentication data (set_id=Ann]: 535)";
        let read_failures = read(text).failures;
        assert_eq!(
            read_failures,
            ["ann]: 535 192.0.2.1"],
            "the interface address is not the client's"
        );
        let given_up =
            "login authenticator failed for (h) [192.0.2.1]: 501 Authentication cancelled";
        assert_eq!(read(given_up), Collected::default());
        let escaped = r"plain authenticator failed for (h) [192.0.2.1]: 535 Incorrect authentication data (set_id=J\303\266rg)";
        assert_eq!(read(escaped).failures, ["jörg 192.0.2.1"]);
    }

    #[test]
    fn a_login_that_was_not_judged_is_no_failed_one() {
        for reply in
            ["435 Unable to authenticate at present", "454 Temporary authentication failure"]
        {
            let text = format!(
                "plain authenticator failed for (h) [192.0.2.1]: {reply} (set_id=ann): no server"
            );
            let read = read(&text);
            assert_eq!(
                (read.temporary, read.failures),
                (vec!["ann 192.0.2.1".to_owned()], Vec::new())
            );
        }
        // What the client says hides no refusal, and puts none on another.
        for text in [
            "plain authenticator failed for (h) [198.51.100.9]: 435 x) [192.0.2.1]: 535 Incorrect authentication data (set_id=ann)",
            "plain authenticator failed for (h) [192.0.2.1]: 435 Unable (set_id=x) [198.51.100.9]: 535 y)",
        ] {
            let read = read(text);
            assert_eq!(
                (read.temporary, read.failures),
                (Vec::new(), vec![" ".to_owned()]),
                "{text}"
            );
        }
    }

    #[test]
    fn what_syslog_has_twice_counts_once() {
        let failed = |second: u32, pid: u32, text: &str| {
            format!(
                "<22>Nov 23 10:00:{second:02} mail exim[{pid}]: 2026-11-23 10:00:{second:02} {text}\n"
            )
        };
        let ann = "plain authenticator failed for (h) [192.0.2.1]: 535 Incorrect authentication data (set_id=ann)";
        let bob = ann.replace("set_id=ann", "set_id=bob");
        let [one, two, later] = [failed(1, 7, ann), failed(1, 8, &bob), failed(2, 7, ann)];
        let count = |lines: &[&str]| crate::testing::read(&lines.concat()).failures.len();
        assert_eq!(count(&[&one, &one]), 1);
        assert_eq!(count(&[&one, &one.replace("<22>", "<21>")]), 1);
        assert_eq!(count(&[&one, &two, &one, &two]), 2, "two processes at once");
        assert_eq!(count(&[&one, &one, &one, &one]), 2, "it failed again at once");
        assert_eq!(count(&[&one, &one, &later, &later]), 2);
        assert_eq!(count(&[&one, &failed(1, 8, ann)]), 2, "two connections");
        // Without a time of Exim's own, and longer than is remembered.
        let short = one.replace("2026-11-23 10:00:01 plain", "plain");
        assert_eq!(count(&[&short, &short]), 1);
        let long = one.replace("=ann", &format!("={}", "x".repeat(400)));
        assert_eq!(count(&[&long, &long, &long.replace("x)", "xx)")]), 2);
        // The main log has each once, and tells no process.
        let main = format!("2026-11-23 10:00:01 {ann}\n");
        assert_eq!(count(&[&main, &main]), 2);
        // No more are remembered than there is room for.
        let many: Vec<_> = (0..100).map(|pid| failed(1, pid, ann)).collect();
        let both: Vec<_> = many.iter().chain(&many).map(String::as_str).collect();
        assert_eq!(count(&both), 200);
        let state = Exim::restore(1, &[0]).expect("a state without copies");
        assert!(state.save().is_empty());
    }
}
