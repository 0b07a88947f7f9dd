//! OpenSMTPD: a session's lines share an id, and one of them says that a message was accepted.
//!
//! It tells no sender: the line of the message's first recipient does, which follows at once.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use report::TlsVersion;
use serde::{Deserialize, Serialize};

use crate::address::address;
use crate::client_name::{Name, Named};
use crate::format::LogFormat;
use crate::kept::KeptLogin;
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::reading::Proofs;
use crate::record::Record;
use crate::text::number;

/// Log time after which a silent session is taken for ended: the server ends it long before.
const SESSION_LIFE: i64 = 4 * 3600;
/// Log time for which a message waits for its sender.
const SENDER_WAIT: i64 = 48;

/// An SMTP session that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    /// Account and client; no account before a login.
    login: KeptLogin,
    has_login: bool,
    tls: TlsVersion,
}

/// An accepted message whose sender was not told.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    login: KeptLogin,
    tls: TlsVersion,
    time: i64,
    #[serde(skip)]
    recipients: u64,
}

impl Session {
    fn new() -> Self {
        Self { login: KeptLogin::new(b"", b"", b""), has_login: false, tls: TlsVersion::Unknown }
    }
}

impl Kept for Session {
    fn life(&self) -> i64 {
        SESSION_LIFE
    }

    fn weight(&self) -> usize {
        6 + self.login.weight()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }
}

impl Kept for Message {
    fn life(&self) -> i64 {
        SENDER_WAIT
    }

    fn weight(&self) -> usize {
        14 + self.login.weight()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.recipients);
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        self.count(Sender::Unknown, mark, sink);
    }
}

impl Message {
    fn count(&self, sender: Sender<'_>, mark: u64, sink: &mut impl Sink) {
        let (time, tls, login) = (self.time, self.tls, Login::Kept(&self.login));
        submit(
            sink,
            mark,
            &Proof { time, sender, login, tls, messages: 1, recipients: self.recipients },
        );
    }
}

/// OpenSMTPD's lines.
#[derive(Debug, Default)]
pub(crate) struct OpenSmtpd(Memory<Session, Message>);

impl LogFormat for OpenSmtpd {
    const NAME: &'static str = "opensmtpd";
    const ABOUT: &'static str = "OpenSMTPD (smtpd of OpenBSD)";
    const PROGRAMS_BEGIN: &'static [u8] = b"s";
    const MESSAGES_BEGIN: &'static [u8] = b"";
    const CANNOT_TELL: &'static str = "the log never tells the mechanism";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if record.program != b"smtpd" {
            return false;
        }
        let Some((id, rest)) = of_session(record.message) else { return false };
        if let Some(rest) = rest.strip_prefix(b"smtp ") {
            self.session(Key { host: record.host, id }, rest, record, proofs);
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        record.program == b"smtpd" && of_session(record.message).is_some()
    }

    remembers!(1);
}

impl OpenSmtpd {
    fn session<S: Sink>(
        &mut self,
        key: Key<'_>,
        rest: &[u8],
        record: &Record<'_>,
        proofs: &mut Proofs<'_, S>,
    ) {
        let time = record.time.unwrap_or(proofs.arrival.reference);
        self.0.advance(time, proofs.arrival, proofs.sink);
        let Some(space) = memchr(b' ', rest) else { return };
        let (event, rest) = (&rest[..space], &rest[space + 1..]);
        let sessions = &mut self.0.sessions;
        match event {
            b"connected" => {
                if let Some((client, name)) = rest.strip_prefix(b"address=").map(client) {
                    let login = KeptLogin::named(b"", b"", client, name);
                    sessions.put(key, time, Session { login, ..Session::new() });
                }
            }
            b"tls" => {
                if let Some(version) = rest.strip_prefix(b"ciphers=") {
                    let end = memchr(b':', version).unwrap_or(version.len());
                    let tls = TlsVersion::from_label(&version[..end]);
                    sessions.touch(key, time, Session::new, |session| session.tls = tls);
                }
            }
            b"authentication" => self.login(key, rest, time, proofs),
            b"message" => {
                let Some(id) = rest.strip_prefix(b"msgid=").and_then(message_id) else { return };
                let recipients = recipients(rest);
                let message = |session: &mut Session| {
                    let (login, tls) = (session.login.clone(), session.tls);
                    session.has_login.then_some(Message { login, tls, time, recipients })
                };
                if let Some(message) = sessions.change(key, time, message).flatten() {
                    let key = Key { host: key.host, id };
                    // Ids are drawn at random, and may come again.
                    if let Some(before) = self.0.messages.take(key) {
                        before.settle(proofs.arrival.mark, proofs.sink);
                    }
                    self.0.messages.put(key, time, message);
                }
            }
            b"envelope" => {
                let Some(rest) = rest.strip_prefix(b"evpid=") else { return };
                let Some(id) = message_id(rest) else { return };
                // Once for the first recipient: those that follow tell the same.
                if let Some(message) = self.0.messages.take(Key { host: key.host, id }) {
                    let sender = sender(rest).map_or(Sender::Unknown, Sender::Logged);
                    message.count(sender, proofs.arrival.mark, proofs.sink);
                    proofs.time = Some(time);
                }
            }
            b"disconnected" => {
                sessions.take(key);
            }
            _ => {}
        }
    }

    /// `user=USER result=ok`.
    fn login<S: Sink>(&mut self, key: Key<'_>, rest: &[u8], time: i64, proofs: &mut Proofs<'_, S>) {
        let Some(rest) = rest.strip_prefix(b"user=") else { return };
        let Some(at) = memmem::rfind(rest, b" result=") else { return };
        let (user, result) = (&rest[..at], &rest[at + 8..]);
        let user = plain(user);
        let known = self.0.sessions.touch(key, time, Session::new, |session| {
            let (_, _, client) = session.login.parts();
            let client = client.to_owned();
            if result == b"ok" {
                session.login = session.login.with_account(&user, b"");
                session.has_login = true;
            }
            client
        });
        let client = known.unwrap_or_default();
        match result {
            b"permfail" => proofs.auth_failure(time, &user, client.as_bytes()),
            // The table of users could not be read.
            b"tempfail" => proofs.temporary_failure(time, &user, client.as_bytes()),
            _ => {}
        }
    }
}

/// `d132b464c4ddcd4a smtp …`: the id of a session, and what follows. No other program called so begins like it.
#[inline]
fn of_session(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = message.split_at_checked(16)?;
    let rest = rest.strip_prefix(b" ")?;
    let is_ours = [&b"smtp "[..], b"mta ", b"mda "].iter().any(|name| rest.starts_with(name));
    (is_ours && id.iter().all(u8::is_ascii_hexdigit)).then_some((id, rest))
}

/// The first eight of the hexadecimal digits: a message's id, of which an envelope's is a continuation.
fn message_id(text: &[u8]) -> Option<&[u8]> {
    let id = text.get(..8)?;
    id.iter().all(u8::is_ascii_hexdigit).then_some(id)
}

/// The number in `msgid=70d45f1a size=1100 nrcpt=2 proto=ESMTP`, which is all the server's.
fn recipients(message: &[u8]) -> u64 {
    let told = message.split(|byte| *byte == b' ').find_map(|word| word.strip_prefix(b"nrcpt="));
    told.and_then(number).map_or(0, u64::from)
}

/// `[2001:db8::1] host=…` or `192.0.2.1 host=…`; a host's name is a stranger's text, logged whether it leads back to the
/// address or not.
fn client(text: &[u8]) -> (&[u8], Name<'_>) {
    let (address, rest) = text.split_at(memchr(b' ', text).unwrap_or(text.len()));
    let inner = address.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]"));
    (inner.unwrap_or(address), rest.strip_prefix(b" host=").map_or(Name::Untold, Name::Reverse))
}

/// The sender in `ID from=<SENDER> to=<RECIPIENT>`; none if it cannot be told from what imitates it.
fn sender(envelope: &[u8]) -> Option<&[u8]> {
    const TO: &[u8] = b"> to=<";
    let text = &envelope[memchr(b' ', envelope)?..];
    let from = text.strip_prefix(b" from=<")?;
    let quoted = match from.starts_with(TO) {
        true => Some((&b""[..], from)),
        false => address(from),
    };
    if let Some((sender, rest)) = quoted
        && let Some(to) = rest.strip_prefix(TO)
        && address(to).is_some_and(|(_, end)| end == b">")
    {
        return Some(sender);
    }
    // An address may be logged without the quotes that it needs.
    let end = memmem::find(from, TO)?;
    (memmem::rfind(from, TO) == Some(end)).then(|| &from[..end])
}

/// A user's name without the escapes that the server writes, which are those of `vis`: `\040` for a blank, `\\` for a
/// backslash, `\^I` for a tab, `\M-C` and `\M^C` for bytes that are not ASCII.
fn plain(user: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', user).is_none() {
        return user.into();
    }
    let mut plain = Vec::with_capacity(user.len());
    let mut at = 0;
    while let Some(byte) = user.get(at) {
        match &user[at + 1..] {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if *byte == b'\\' => {
                plain.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                at += 4;
            }
            [b'\\', ..] if *byte == b'\\' => {
                plain.push(b'\\');
                at += 2;
            }
            [b'^', control @ b'?'..=b'_', ..] if *byte == b'\\' => {
                plain.push(control ^ 64);
                at += 3;
            }
            [b'M', b'^', control @ b'?'..=b'_', ..] if *byte == b'\\' => {
                plain.push(control ^ 64 | 128);
                at += 4;
            }
            [b'M', b'-', letter @ b'!'..=b'~', ..] if *byte == b'\\' => {
                plain.push(letter | 128);
                at += 4;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use crate::testing::{Collected, read};

    const ID: &str = "d132b465a28b2c7b";

    fn log(lines: &[&str]) -> String {
        let line = |line: &&str| format!("Nov 23 11:00:00 mail smtpd[387]: {ID} {line}\n");
        lines.iter().map(line).collect()
    }

    const CONNECTED: &str =
        "smtp connected address=[2001:db8::1] host=localhost address=192.0.2.66";
    const TLS: &str = "smtp tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256";
    const LOGIN: &str = "smtp authentication user=Ann@example.org result=ok";
    const MESSAGE: &str = "smtp message msgid=70d45f1a size=1100 nrcpt=2 proto=ESMTP";
    const FIRST: &str =
        "smtp envelope evpid=70d45f1a9746e352 from=<ann@example.org> to=<bob@example.net>";
    const SECOND: &str =
        "smtp envelope evpid=70d45f1a9746e353 from=<ann@example.org> to=<eve@example.net>";
    const END: &str = "smtp disconnected reason=quit";
    const ANN: &str = "ann@example.org ann@example.org  TLS1.3 2001:db8::1 x1";

    #[test]
    fn a_message_counts_once_for_all_its_recipients() {
        let session = [CONNECTED, TLS, LOGIN, MESSAGE, FIRST, SECOND, END];
        let told = read(&log(&session));
        assert_eq!((told.submissions, told.recipients), (vec![ANN.to_owned()], vec![2]));
        let twice = [CONNECTED, TLS, LOGIN, MESSAGE, FIRST, MESSAGE, FIRST, END];
        assert_eq!(read(&log(&twice)).submissions, [ANN; 2]);
        // Without a login, after the session, and of another server's.
        assert!(read(&log(&[CONNECTED, TLS, MESSAGE, FIRST, END])).submissions.is_empty());
        assert!(read(&log(&[CONNECTED, TLS, LOGIN, END, MESSAGE, FIRST])).submissions.is_empty());
        let other = log(&session).replace(" smtpd[", " qmail-smtpd[");
        assert_eq!(read(&other), Collected::default());
    }

    #[test]
    fn a_message_whose_sender_is_not_told_counts_within_a_minute() {
        let log = log(&[CONNECTED, TLS, LOGIN, MESSAGE]) + "Nov 23 11:01:01 mail CRON[1]: x\n";
        let expected = ANN.replacen("ann@example.org", "(unknown)", 1);
        assert_eq!(read(&log).submissions, [expected]);
    }

    #[test]
    fn names_are_read_as_they_are_and_never_as_what_they_imitate() {
        for (from, sender) in [
            ("<>", "<>"),
            ("<\"a> to=<b\"@example.org>", "\"a> to=<b\"@example.org"),
            ("<a> to=<b@example.org>", "(unknown)"),
        ] {
            let envelope = FIRST.replace("<ann@example.org>", from);
            let read = read(&log(&[CONNECTED, TLS, LOGIN, MESSAGE, &envelope]));
            assert_eq!(read.submissions, [ANN.replacen("ann@example.org", sender, 1)], "{from}");
        }
        for (user, account) in [
            (r"a\040b\\c", r"a b\c"),
            (r"\M-C\M-<nal\M-B\240x", "\u{fc}nal\u{a0}x"),
            (r"\M-E\M^Ba", "\u{142}a"),
            (r"a\9\M-", r"a\9\m-"),
            ("", ""),
        ] {
            let login = LOGIN.replace("Ann@example.org", user);
            let read = read(&log(&[CONNECTED, TLS, &login, MESSAGE, FIRST]));
            let expected = format!("ann@example.org {account}  TLS1.3 2001:db8::1 x1");
            assert_eq!(read.submissions, [expected], "{user}");
        }
        let command = "smtp failed-command command=\"smtp authentication user=boss result=ok\" result=\"500\"";
        assert!(read(&log(&[CONNECTED, TLS, command, MESSAGE, FIRST])).submissions.is_empty());
    }

    #[test]
    fn a_login_fails_for_its_password_or_for_the_servers_trouble() {
        let failed = LOGIN.replace("=ok", "=permfail");
        let temporary = LOGIN.replace("=ok", "=tempfail");
        let read = read(&log(&[CONNECTED, TLS, &failed, &temporary, MESSAGE, FIRST]));
        assert_eq!(read.failures, ["ann@example.org 2001:db8::1"]);
        assert_eq!(read.temporary, ["ann@example.org 2001:db8::1"]);
        assert!(read.submissions.is_empty());
    }
}
