//! Single Postfix lines. Everything is read from the left, because clients can put text of their
//! choice behind a fixed beginning.

use std::hash::{Hash, Hasher};

use memchr::{memchr, memchr2, memmem, memrchr};
use report::{TlsVersion, client_address};
use serde::{Deserialize, Serialize};

use crate::client_name::Name;
use crate::kept::KeptLogin;
use crate::text::{alphanumeric_and, leading_number, near, near_of, number, places};

/// A queue id, short or long. Postfix's own are at most 20 characters.
///
/// Its characters, padded with zeros, as three numbers: quick to compare and to hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct QueueId([u64; 3]);

impl Hash for QueueId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As three numbers: an array is hashed like a text of any length.
        self.0.iter().for_each(|word| state.write_u64(*word));
    }
}

impl QueueId {
    /// Reads a queue id that stands alone.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let fits = (5..25).contains(&text.len()) && text.iter().all(u8::is_ascii_alphanumeric);
        fits.then(|| Self::padded(text))
    }

    /// Of at most 24 characters.
    #[inline]
    fn padded(text: &[u8]) -> Self {
        let mut padded = [0; 24];
        padded[..text.len()].copy_from_slice(text);
        let (words, _) = padded.as_chunks::<8>();
        Self([0, 1, 2].map(|at| u64::from_le_bytes(words[at])))
    }
}

/// `QUEUEID: rest`.
#[inline]
pub(super) fn queue_id(message: &[u8]) -> Option<(QueueId, &[u8])> {
    const FITS: [bool; 256] = alphanumeric_and(b"");
    let head = &message[..message.len().min(25)];
    let length = head.iter().position(|byte| !FITS[usize::from(*byte)])?;
    (length >= 5).then_some(())?;
    let (text, rest) = message.split_at(length);
    Some((QueueId::padded(text), rest.strip_prefix(b": ")?))
}

/// A client's address as it was logged, padded with zeros: as cheap to keep as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peer([u64; 5]);

impl Peer {
    /// Whom `connect from NAME[ADDRESS]` tells, behind its first two words; nobody if that is no address.
    pub(super) fn of(text: &[u8]) -> Self {
        Self::new(client(text).map_or(&b""[..], |(address, _)| address))
    }

    fn new(address: &[u8]) -> Self {
        let mut padded = [0; 40];
        if let Some(place) = padded.get_mut(..address.len()) {
            place.copy_from_slice(address);
        }
        let (words, _) = padded.as_chunks::<8>();
        Self([0, 1, 2, 3, 4].map(|at| u64::from_le_bytes(words[at])))
    }

    /// Whether this is a client's address, as it is counted.
    pub(super) fn is(&self, client: &str) -> bool {
        !client.is_empty() && self.is_same(client)
    }

    /// The same, or both are of nobody who is known.
    pub(super) fn is_same(&self, client: &str) -> bool {
        let bytes = self.0.map(u64::to_le_bytes);
        let text = bytes.as_flattened();
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        // Nearly every address is logged as it is counted.
        text[..end] == *client.as_bytes() || *client_address(&text[..end]) == *client
    }
}

/// `name[address]`, as Postfix names a client: the address, and what follows the bracket (and port).
#[inline]
fn client(text: &[u8]) -> Option<(&[u8], &[u8])> {
    named_client(text).map(|(_, address, rest)| (address, rest))
}

/// The same, behind the name.
#[inline]
fn named_client(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    // What a client sent as a command, and Postfix tells of it, may look like the rest of a line: no name has a blank.
    let open = near_of(b'[', b' ', text)?;
    (text[open] == b'[').then_some(())?;
    let close = open + near(b']', &text[open..])?;
    let mut rest = &text[close + 1..];
    if let Some(port) = rest.strip_prefix(b":") {
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            rest = &port[digits..];
        }
    }
    Some((&text[..open], &text[open + 1..close], rest))
}

/// The login of a client, as its `client=` line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authenticated {
    pub(super) login: KeptLogin,
    /// Another server took the login and told of it with `XCLIENT`: that is no mechanism, and TLS ended there.
    pub(super) fronted: bool,
}

/// What follows `client=`: the login, if the client authenticated and is no re-injecting filter.
pub(super) fn login(text: &[u8]) -> Option<Authenticated> {
    let (name, address, rest) = named_client(text)?;
    let (mechanism, rest) = match rest.strip_prefix(b", sasl_method=") {
        Some(rest) => rest.split_at(near(b',', rest).unwrap_or(rest.len())),
        None => (&b""[..], rest),
    };
    let account = rest.strip_prefix(b", sasl_username=")?;
    let account = match memchr(b',', account) {
        Some(_) => before_attributes(account)?,
        None => account,
    };
    let fronted = mechanism.eq_ignore_ascii_case(b"XCLIENT");
    let mechanism = if fronted { b"" } else { mechanism };
    // Without a name that leads back to the address, it is `unknown`.
    let login = KeptLogin::named(account, mechanism, address, Name::Confirmed(name));
    Some(Authenticated { login, fronted })
}

/// Cuts off the attributes that may follow an account; none if a filter re-injects the message.
fn before_attributes(account: &[u8]) -> Option<&[u8]> {
    let attributes = [AUTHOR, ORIGINAL, b", orig_client="];
    let found = attributes.map(|name| memmem::find(account, name).unwrap_or(account.len()));
    let end = found.into_iter().min()?;
    let rest = &account[end..];
    // An author holds a blank only within quotes or angle brackets: what stands behind one of these is the client's.
    let original = match rest.strip_prefix(AUTHOR) {
        Some(author) => {
            let end = memmem::find(author, b", ").unwrap_or(author.len());
            let plain = memchr2(b'"', b'<', &author[..end]).is_none();
            plain && author[end..].starts_with(ORIGINAL)
        }
        None => rest.starts_with(ORIGINAL),
    };
    (!original).then_some(&account[..end])
}

/// The author of a message, as a client names it with the `AUTH` parameter of `MAIL` (RFC 4954, section 5).
const AUTHOR: &[u8] = b", sasl_sender=";
/// The queue id that a message had before a filter.
const ORIGINAL: &[u8] = b", orig_queue_id=";

/// `Anonymous TLS connection established from NAME[ADDRESS]: TLSv1.3 with cipher …`: the client, and the version.
pub(super) fn tls_version(message: &[u8]) -> Option<(Peer, TlsVersion)> {
    let space = memchr(b' ', message)?;
    let trust = &message[..space];
    if !matches!(trust, b"Anonymous" | b"Untrusted" | b"Trusted" | b"Verified") {
        return None;
    }
    let rest = message[space..].strip_prefix(b" TLS connection ")?;
    let rest =
        rest.strip_prefix(b"established from ").or_else(|| rest.strip_prefix(b"reused from "))?;
    let (address, rest) = client(rest)?;
    // ` to NAME` stands between if the client asked for a name (SNI).
    let version = match rest.strip_prefix(b": ") {
        Some(version) => version,
        None => &rest[memmem::find(rest, b": ")? + 2..],
    };
    Some((Peer::new(address), TlsVersion::from_label(&version[..near(b' ', version)?])))
}

/// What the counts at the end of a `disconnect from` line say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Commands {
    /// Successful `STARTTLS`.
    pub(super) starttls: u32,
    /// At most so many messages had their content accepted.
    ///
    /// Successful `DATA`s and `BDAT`s, of which a message may take several, but never more than
    /// successful `MAIL`s.
    pub(super) data: u32,
    /// Whether another server spoke for the client (`XCLIENT`): TLS then ended there. Its count tells of no success.
    pub(super) xclient: bool,
}

/// Reads the counts behind `disconnect from `, and whose they are; none if the server does not log them (before 3.0).
pub(super) fn commands(text: &[u8]) -> Option<(Peer, Commands)> {
    let (address, rest) = client(text)?;
    let mut commands = Commands::default();
    let (mut mail, mut is_counted) = (None, false);
    for equals in places(b'=', rest) {
        is_counted = true;
        let (before, value) = (&rest[..equals], &rest[equals + 1..]);
        let successes = || leading_number(value).map_or(0, |(count, _)| count);
        let is = |name: &[u8]| before.ends_with(name);
        match before.last_chunk() {
            Some(b"ttls") if is(b" starttls") => commands.starttls = successes(),
            Some(b"mail") if is(b" mail") => mail = Some(successes()),
            Some(b"ient") if is(b" xclient") => commands.xclient = true,
            Some(b"data" | b"bdat") if is(b" data") || is(b" bdat") => {
                commands.data = commands.data.saturating_add(successes());
            }
            _ => {}
        }
    }
    is_counted.then_some(())?;
    commands.data = commands.data.min(mail.unwrap_or(u32::MAX));
    Some((Peer::new(address), commands))
}

/// What the queue manager tells of a message that it takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Active<'a> {
    pub(super) sender: &'a [u8],
    /// As many as there are behind its aliases.
    pub(super) recipients: u64,
}

/// `from=<sender>, size=…, nrcpt=… (queue active)`.
///
/// A sender may hold `>, size=`; what Postfix wrote itself is the last.
pub(super) fn queue_active(rest: &[u8]) -> Option<Active<'_>> {
    let from = rest.strip_prefix(b"from=<")?;
    let end = memrchr(b'>', from)?;
    let ours = from[end..].strip_prefix(b">, size=")?.strip_suffix(b"(queue active)")?;
    let told = ours.strip_suffix(b" ").and_then(|told| told.rsplit(|byte| *byte == b'=').next());
    let recipients = told.and_then(number).map_or(0, u64::from);
    Some(Active { sender: &from[..end], recipients })
}

/// An action after which the queue manager never sees the message, though the client is told that
/// it was accepted.
pub(super) fn is_kept_from_queue(rest: &[u8]) -> bool {
    [&b"hold: "[..], b"discard: ", b"milter-hold: ", b"milter-discard: "]
        .into_iter()
        .any(|action| rest.starts_with(action))
}

/// Whether it is one after which nothing is left.
pub(super) fn is_discarded(rest: &[u8]) -> bool {
    rest.starts_with(b"discard: ") || rest.starts_with(b"milter-discard: ")
}

/// Whether an action is one upon the content, or upon the whole message: then there is content.
pub(super) fn is_of_content(rest: &[u8]) -> bool {
    let Some(colon) = near(b':', rest) else { return false };
    let subjects =
        [&b" header "[..], b" body ", b" content ", b" mime-error ", b" END-OF-MESSAGE "];
    subjects.into_iter().any(|subject| rest[colon + 1..].starts_with(subject))
}

/// Whether the client was told that a message as a whole was not accepted, or nothing was left of it.
pub(super) fn is_refused(rest: &[u8]) -> bool {
    let refused = rest.starts_with(b"reject: ") || rest.starts_with(b"milter-reject: ");
    (refused && is_of_content(rest)) || matches!(rest, b"canceled" | b"discarded")
}

/// Whether Postfix was started, or read its configuration anew: `reload -- version …`.
pub(super) fn is_new_configuration(message: &[u8]) -> bool {
    message.starts_with(b"reload -- ") || message.starts_with(b"daemon started -- ")
}

/// Why a login failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The credentials were refused.
    Refused,
    /// The server could not judge them: it answers 454 (RFC 4954, section 6).
    Temporary,
    /// The mechanism is not offered: there were none.
    NotTried,
}

/// A login that failed: the client's address, the account if it is told, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailedLogin<'a> {
    pub(super) client: &'a [u8],
    pub(super) account: Option<&'a [u8]>,
    pub(super) why: Failure,
}

/// `warning: name[address]: SASL LOGIN authentication failed: …`.
pub(super) fn auth_failure(warning: &[u8]) -> Option<FailedLogin<'_>> {
    let (client, rest) = client(warning)?;
    let rest = rest.strip_prefix(b": SASL ")?;
    let failed = b" authentication failed";
    let (mechanism, reason) = rest.split_at(memmem::find(rest, failed)?);
    let reason = &reason[failed.len()..];
    // The mechanism is as the client wrote it, in several words if it put quotes around them.
    if near(b' ', mechanism).is_some() || memmem::find(reason, failed).is_some() {
        // None that a server offers has several words.
        return Some(FailedLogin { client, account: None, why: Failure::Refused });
    }
    let account = memmem::find(reason, b", sasl_username=").map(|at| &reason[at + 16..]);
    let account = account.filter(|account| *account != b"(unavailable)");
    Some(FailedLogin { client, account, why: why(reason) })
}

/// Why a login failed, in the words of Postfix and of the SASL implementations behind it.
fn why(reason: &[u8]) -> Failure {
    const TEMPORARY: [&[u8]; 4] = [
        b"connection lost to authentication server",
        b"temporary ",
        b"internal authentication failure",
        b"454 ",
    ];
    const NOT_TRIED: [&[u8]; 2] = [b"invalid authentication mechanism", b"no mechanism available"];
    let reason = reason.strip_prefix(b": ").unwrap_or(reason);
    let begins = |text: &&[u8]| {
        reason.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text))
    };
    if TEMPORARY.iter().any(begins) {
        Failure::Temporary
    } else if NOT_TRIED.iter().any(begins) {
        Failure::NotTried
    } else {
        Failure::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_read_in_every_form() {
        for (text, expected) in [
            (
                "unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=Ann@Example.test",
                ("ann@example.test", "PLAIN", "192.0.2.1"),
            ),
            (
                "h.example.test[2001:db8::15c8], sasl_method=login, sasl_username=ann",
                ("ann", "LOGIN", "2001:db8::15c8"),
            ),
            (
                "h[192.0.2.1]:50123, sasl_method=PLAIN, sasl_username=ann, sasl_sender=x",
                ("ann", "PLAIN", "192.0.2.1"),
            ),
            ("unknown[unknown], sasl_username=ann", ("ann", "", "")),
            (
                "h[192.0.2.1], sasl_method=PLAIN, sasl_username=ann, sasl_sender=\"x, orig_queue_id=4AA09\"",
                ("ann", "PLAIN", "192.0.2.1"),
            ),
            (
                "h[192.0.2.1], sasl_method=PLAIN, sasl_username=ann, sasl_sender=<x, orig_queue_id=4AA09>",
                ("ann", "PLAIN", "192.0.2.1"),
            ),
            (
                "h[192.0.2.1], sasl_method=PLAIN, sasl_username=ann, sasl_sender=\"x, orig_queue_id=4AA09",
                ("ann", "PLAIN", "192.0.2.1"),
            ),
            (
                "h[192.0.2.1], sasl_method=PLAIN, sasl_username=ann, sasl_sender=x,+20orig_queue_id+3D4AA09",
                ("ann", "PLAIN", "192.0.2.1"),
            ),
        ] {
            let read = login(text.as_bytes()).expect(text);
            assert_eq!((read.login.parts(), read.fronted), (expected, false), "{text}");
        }
        let fronted = login(b"unknown[192.0.2.1], sasl_method=XClient, sasl_username=ann");
        let expected = KeptLogin::new(b"ann", b"", b"192.0.2.1");
        assert_eq!(fronted, Some(Authenticated { login: expected, fronted: true }));
        for text in [
            "unknown[192.0.2.1]",
            "localhost[127.0.0.1], orig_queue_id=4AA09, orig_client=h[192.0.2.1]",
            "localhost[127.0.0.1], sasl_method=PLAIN, sasl_username=f, orig_queue_id=4AA09",
            "localhost[127.0.0.1], sasl_method=PLAIN, sasl_username=f, sasl_sender=x, orig_queue_id=4AA09",
            "h[192.0.2.1], sasl_sender=\"x, sasl_username=boss\"",
            "evil, sasl_username=x",
            "",
        ] {
            assert_eq!(login(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn tls_lines_of_the_server_side_only() {
        let peer = Peer::new(b"192.0.2.1");
        let line = "Anonymous TLS connection established from h[192.0.2.1]: TLSv1.2 with cipher X";
        assert_eq!(tls_version(line.as_bytes()), Some((peer, TlsVersion::Tls12)));
        let sni =
            "Trusted TLS connection reused from h[192.0.2.1] to mail.example.test: TLSv1 with";
        assert_eq!(tls_version(sni.as_bytes()), Some((peer, TlsVersion::Tls10)));
        let outbound =
            "Verified TLS connection established to h[192.0.2.1]:25: TLSv1.3 with cipher";
        assert_eq!(tls_version(outbound.as_bytes()), None);
    }

    #[test]
    fn senders_may_look_like_the_rest_of_the_line() {
        let line = br#"from=<"a>, size=1, nrcpt=1 (queue active)"@x.test>, size=344, nrcpt=1 (queue active)"#;
        assert_eq!(
            queue_active(line).map(|active| active.sender),
            Some(&br#""a>, size=1, nrcpt=1 (queue active)"@x.test"#[..])
        );
        for (told, recipients) in [("7", 7), ("x", 0), ("4294967296", 0)] {
            let line = format!("from=<>, size=1, nrcpt={told} (queue active)");
            let expected = Some(Active { sender: b"", recipients });
            assert_eq!(queue_active(line.as_bytes()), expected);
        }
        assert_eq!(queue_active(b"from=<a@x.test>, status=expired, returned to sender"), None);
        assert_eq!(queue_active(b"removed"), None);
    }

    #[test]
    fn counts_of_commands_are_successes() {
        let text =
            b"unknown[192.0.2.1] ehlo=2 starttls=1 auth=1/2 mail=4 rcpt=3 data=1/2 bdat=2 quit=1";
        let counted = |text: &[u8]| commands(text).map(|(_, commands)| commands);
        assert_eq!(counted(text), Some(Commands { starttls: 1, data: 3, xclient: false }));
        let chunks = b"unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 bdat=7 quit=1";
        assert_eq!(counted(chunks), Some(Commands { starttls: 1, data: 1, xclient: false }));
        let fronted = counted(b"h[192.0.2.1] ehlo=2 xclient=0/1 mail=1 rcpt=1 data=1 quit=1");
        assert_eq!(fronted, Some(Commands { starttls: 0, data: 1, xclient: true }));
        assert_eq!(counted(b"unknown[192.0.2.1]"), None);
        assert_eq!(commands(text).map(|(peer, _)| peer), Some(Peer::new(b"192.0.2.1")));
    }

    /// Why a login failed, and whose it was.
    fn failed(reason: &str) -> Option<(Failure, Option<&str>)> {
        let read = auth_failure(reason.as_bytes())?;
        assert_eq!(read.client, b"192.0.2.1", "{reason}");
        Some((read.why, read.account.map(|account| std::str::from_utf8(account).expect("text"))))
    }

    #[test]
    fn failed_logins_with_and_without_a_name() {
        for (reason, why, account) in [
            (
                "CRAM-MD5 authentication failed: no, sasl_username=Ann",
                Failure::Refused,
                Some("Ann"),
            ),
            ("LOGIN authentication failed: UGFzc3dvcmQ6", Failure::Refused, None),
            (
                "LOGIN authentication failed: Connection lost to authentication server",
                Failure::Temporary,
                None,
            ),
            (
                "LOGIN authentication failed: temporary authentication failure, sasl_username=ann",
                Failure::Temporary,
                Some("ann"),
            ),
            (
                "CRAM-MD5 authentication failed: Invalid authentication mechanism",
                Failure::NotTried,
                None,
            ),
            (
                "X authentication failed: Invalid authentication mechanism: 'X'",
                Failure::NotTried,
                None,
            ),
            (
                "X authentication failed: no mechanism available, sasl_username=(unavailable)",
                Failure::NotTried,
                None,
            ),
            // What a client may choose is nowhere near.
            (
                "PLAIN authentication failed: no, sasl_username=: Connection lost to authentication server",
                Failure::Refused,
                Some(": Connection lost to authentication server"),
            ),
        ] {
            let line = format!("unknown[192.0.2.1]: SASL {reason}");
            assert_eq!(failed(&line), Some((why, account)), "{line}");
        }
        assert_eq!(failed("SASL authentication failure: incorrect digest response"), None);
        let given_up = "unknown[192.0.2.1]: SASL PLAIN authentication aborted";
        assert_eq!(failed(given_up), None, "the client's own choice");
    }

    #[test]
    fn a_failed_login_is_nobody_elses() {
        for (line, expected) in [
            (
                "h[192.0.2.1]: SASL PLAIN authentication failed: no, sasl_username=ann, sasl_username=boss",
                Some(Some("ann, sasl_username=boss")),
            ),
            (
                "h[192.0.2.1]: SASL \"x authentication failed: y, sasl_username=boss\" authentication failed: no",
                Some(None),
            ),
            ("h[192.0.2.1]: SASL x y authentication failed: no, sasl_username=boss", Some(None)),
            (
                "non-SMTP command from h[192.0.2.1]: SASL : LOGIN authentication failed: x, sasl_username=boss",
                None,
            ),
        ] {
            assert_eq!(failed(line).map(|(_, account)| account), expected, "{line}");
        }
    }

    #[test]
    fn an_address_is_kept_as_it_is_counted() {
        for (text, client, is) in [
            ("h[192.0.2.1]", "192.0.2.1", true),
            ("h[192.0.2.1]:4711", "192.0.2.1", true),
            ("h[2001:DB8:0:0:0:0:0:1]", "2001:db8::1", true),
            ("h[192.0.2.1]", "192.0.2.10", false),
            ("unknown[unknown]", "", false),
            ("h[192.0.2.1", "192.0.2.1", false),
        ] {
            assert_eq!(Peer::of(text.as_bytes()).is(client), is, "{text}");
            assert_eq!(
                Peer::of(text.as_bytes()).is_same(client),
                is || client.is_empty(),
                "{text}"
            );
        }
        assert!(!Peer::of(&[b'['; 90]).is(""));
    }

    #[test]
    fn queue_ids_short_and_long() {
        assert!(queue_id(b"6746B99473D: client=").is_some());
        assert!(queue_id(b"4PbCZy4PWKz3tBr: from=").is_some());
        assert!(queue_id(b"NOQUEUE reject").is_none());
        assert!(queue_id(b"warn: x").is_none());
        assert!(queue_id(&[b'A'; 300]).is_none());
    }
}
