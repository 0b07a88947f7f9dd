//! Courier: `newmsg` with `auth=` proves a message; its sender is told when it is delivered for the first time.

use memchr::{memchr, memmem, memrchr};
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

/// For how many seconds a message waits for its sender.
const MESSAGE: i64 = 50;
/// How one can log in with a password.
const MECHANISMS: [&[u8]; 5] = [b"PLAIN", b"LOGIN", b"CRAM-MD5", b"CRAM-SHA1", b"CRAM-SHA256"];

/// Courier's syslog lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Courier(Memory<(), Message>);

/// A message whose sender is not told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    /// When, in seconds since 1970.
    time: i64,
    login: KeptLogin,
}

impl Kept for Message {
    fn life(&self) -> i64 {
        MESSAGE
    }

    fn weight(&self) -> usize {
        8 + self.login.weight()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        submit(sink, mark, &self.proof(Sender::Unknown));
    }
}

impl Message {
    /// Courier logs no TLS version and no mechanism.
    fn proof<'a>(&'a self, sender: Sender<'a>) -> Proof<'a> {
        let (login, tls) = (Login::Kept(&self.login), TlsVersion::Unknown);
        Proof { time: self.time, sender, login, tls, messages: 1, recipients: 0 }
    }
}

impl LogFormat for Courier {
    const NAME: &'static str = "courier";
    const ABOUT: &'static str = "Courier's syslog lines";
    const PROGRAMS_BEGIN: &'static [u8] = b"ce";
    const MESSAGES_BEGIN: &'static [u8] = b"";
    const CANNOT_TELL: &'static str = "TLS and mechanism are never logged, and the sender is unknown where the first delivery begins later than a minute";
    remembers!(1);

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if !Self::owns(record) {
            return false;
        }
        let time = record.time.unwrap_or(proofs.arrival.reference);
        self.0.advance(time, proofs.arrival, proofs.sink);
        let message = record.message;
        if record.program == b"courierd" {
            if let Some(rest) = message.strip_prefix(b"newmsg,id=") {
                self.accepted(record.host, time, rest);
            } else if let Some(rest) = message.strip_prefix(b"started,id=") {
                self.started(record.host, rest, proofs);
            }
        } else if let Some(rest) = message.strip_prefix(b"error,relay=") {
            failed(rest, time, proofs);
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        record.program.starts_with(b"courier") || record.program.starts_with(b"esmtpd")
    }
}

impl Courier {
    /// `ID, auth=ann@example.org: dns; helo (name [::ffff:192.0.2.1])`: the client's text begins behind the account.
    fn accepted(&mut self, host: &[u8], time: i64, rest: &[u8]) {
        let (id, rest) = message_id(rest);
        let Some(rest) = rest.strip_prefix(b", auth=") else { return };
        let (account, from) = match memmem::find(rest, b": dns; ") {
            Some(end) => rest.split_at(end),
            None => (rest, &b""[..]),
        };
        let from = from.strip_suffix(b"])").unwrap_or_default();
        let (before, address) = from.split_at(memrchr(b'[', from).map_or(0, |open| open + 1));
        let login = KeptLogin::named(account, b"", client(address), name(before));
        self.0.messages.put(Key { host, id }, time, Message { time, login });
    }

    /// `ID,from=<ann@example.org>,module=esmtp,host=example.net,addr=<r@example.net>`, of each recipient and each attempt.
    fn started<S: Sink>(&mut self, host: &[u8], rest: &[u8], proofs: &mut Proofs<'_, S>) {
        let (id, rest) = message_id(rest);
        let Some(rest) = rest.strip_prefix(b",from=<") else { return };
        let Some(message) = self.0.messages.take(Key { host, id }) else { return };
        let sender = sender(rest).map_or(Sender::Unknown, Sender::Logged);
        proofs.submission(&message.proof(sender));
    }
}

/// The name in `: dns; HELO (NAME [`, which stands before a client's address: that of DNS, or else the client's own.
fn name(before: &[u8]) -> Name<'_> {
    let Some(at) = memrchr(b'(', before) else { return Name::Untold };
    let (helo, name) = (&before[..at], &before[at + 1..]);
    match name.strip_suffix(b" [") {
        Some(name) => Name::Reverse(name),
        None => helo.strip_prefix(b": dns; ").map_or(Name::Untold, Name::Claimed),
    }
}

/// The sender that a text begins with; none if it can be read in several ways.
fn sender(text: &[u8]) -> Option<&[u8]> {
    const END: &[u8] = b">,module=";
    if text.starts_with(END) {
        return Some(b"");
    }
    if let Some((sender, rest)) = address(text)
        && rest.starts_with(END)
    {
        return Some(sender);
    }
    let mut ends = memmem::find_iter(text, END);
    let end = ends.next()?;
    ends.next().is_none().then(|| &text[..end])
}

/// A message's id, and what follows it.
fn message_id(text: &[u8]) -> (&[u8], &[u8]) {
    let is_id = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'.';
    text.split_at(text.iter().take_while(is_id).count())
}

/// An address as Courier writes it: those of IPv4 as mapped into IPv6.
fn client(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"::ffff:").unwrap_or(text)
}

/// Counts a login that failed:
/// `192.0.2.1,port=4,msg="535 Authentication failed.",cmd: AUTH PLAIN AGFubkBleGFtcGxl ann@example.org`.
fn failed<S: Sink>(rest: &[u8], time: i64, proofs: &mut Proofs<'_, S>) -> Option<()> {
    let (relay, rest) = rest.split_at(memchr(b',', rest)?);
    let rest = rest.strip_prefix(b",port=")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest[digits..].strip_prefix(b",msg=\"535 Authentication failed.\",cmd: ")?;
    let (command, rest) = rest.split_at_checked(5)?;
    command.eq_ignore_ascii_case(b"AUTH ").then_some(())?;
    // Where no name is told, the client has given up, and no password was judged.
    let (mechanism, rest) = rest.split_at(memchr(b' ', rest)?);
    // Nor for a mechanism that there is not.
    MECHANISMS.iter().any(|known| mechanism.eq_ignore_ascii_case(known)).then_some(())?;
    let (first, name) = match memchr(b' ', &rest[1..]) {
        Some(end) => (&rest[1..=end], &rest[end + 2..]),
        None => (&rest[1..], &b""[..]),
    };
    let account = match (has_response(mechanism, first), name) {
        (false, _) => &rest[1..],
        // It may hold a password, or be a name that looks like that.
        (true, b"") => b"",
        (true, name) => name,
    };
    proofs.auth_failure(time, account, client(relay));
    Some(())
}

/// Whether a word may be the response that came with a command, in base64, and not a name.
fn has_response(mechanism: &[u8], word: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let answers = !mechanism.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"CRAM-"));
    answers && (word == b"=" || word.len().is_multiple_of(4) && word.iter().all(is_base64))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Collected, read};

    const ID: &str = "000000000000098B.000000006B07DD1E.0000038E";

    /// Lines `SECOND PROGRAM TEXT` of one server; `ID` is a message's.
    fn log(lines: &[(u32, &str, &str)]) -> Collected {
        let line = |(second, program, text): &(u32, &str, &str)| {
            let text = text.replace("ID", ID);
            format!("Nov 23 11:{:02}:{:02} mail {program}: {text}\n", second / 60, second % 60)
        };
        read(&lines.iter().map(line).collect::<String>())
    }

    const NEW: (u32, &str, &str) = (
        0,
        "courierd",
        "newmsg,id=ID, auth=Ann@example.org: dns; pc (pc.example.test [::ffff:192.0.2.1])",
    );
    const STARTED: &str =
        "started,id=ID,from=<ann@example.org>,module=esmtp,host=x.test,addr=<r@x.test>";

    #[test]
    fn a_message_counts_once_with_the_sender_that_is_told_in_time() {
        let ann = "ann@example.org ann@example.org  unknown 192.0.2.1 x1";
        let started = |second| (second, "courierd", STARTED);
        assert_eq!(log(&[NEW]).submissions, [""; 0]);
        assert_eq!(log(&[NEW, started(5), started(6), started(99)]).submissions, [ann]);
        let late = ann.replacen("ann@example.org", "(unknown)", 1);
        assert_eq!(log(&[NEW, started(99), started(100)]).submissions, [late]);
        assert_eq!(log(&[started(5)]).submissions, [""; 0]);
        let null = STARTED.replace("ann@example.org", "");
        assert_eq!(
            log(&[NEW, (1, "courierd", &null)]).submissions,
            [ann.replacen("ann@example.org", "<>", 1)]
        );
    }

    #[test]
    fn mail_without_a_login_is_no_message() {
        for text in [
            "newmsg,id=ID: dns; pc (pc.example.test [::ffff:192.0.2.1])",
            "newmsg,id=ID: dns; x, auth=boss@x.test: dns; x (x [192.0.2.9])",
            "newmsg,id=, auth",
        ] {
            assert_eq!(
                log(&[(0, "courierd", text), (1, "courierd", STARTED)]).submissions,
                [""; 0],
                "{text}"
            );
        }
        let other = [(0, "courieresmtpd", NEW.2), (1, "courierd", STARTED)];
        assert_eq!(log(&other).submissions, [""; 0]);
    }

    #[test]
    fn a_client_that_the_line_was_cut_before_is_unknown() {
        let cut = "newmsg,id=ID, auth=ann: dns; x_(y_[192.0.2.9]) ([::ffff:192.0.2...";
        let lines = [(0, "courierd", cut), (1, "courierd", STARTED)];
        assert_eq!(log(&lines).submissions, ["ann@example.org ann  unknown  x1"]);
    }

    #[test]
    fn a_clients_text_is_nobody_elses() {
        let new =
            "newmsg,id=ID, auth=ann: dns; x (y [192.0.2.9]), auth=boss: dns; (pc [2001:db8::1])";
        let started = r#"started,id=ID,from=<"x>,module=a"@x.test>,module=b,host=h,addr=<"y>,module=c"@x.test>"#;
        let lines = [(0, "courierd", new), (1, "courierd", started)];
        assert_eq!(
            log(&lines).submissions,
            [r#""x>,module=a"@x.test ann  unknown 2001:db8::1 x1"#]
        );
        let started = "started,id=ID,from=<x\"y>,module=b,host=h,addr=<\"y>,module=c\"@x.test>";
        let lines = [(0, "courierd", new), (1, "courierd", started)];
        assert_eq!(log(&lines).submissions, ["(unknown) ann  unknown 2001:db8::1 x1"]);
    }

    #[test]
    fn a_failed_login_tells_its_name_and_never_what_was_typed() {
        let failures = |command: &str| {
            let line = format!(
                "error,relay=::ffff:192.0.2.5,port=4,msg=\"535 Authentication failed.\",cmd: {command}"
            );
            log(&[(0, "courieresmtpd", &line)]).failures
        };
        assert_eq!(failures("AUTH CRAM-MD5 Ann@example.org"), ["ann@example.org 192.0.2.5"]);
        assert_eq!(failures("AUTH CRAM-MD5 anna"), ["anna 192.0.2.5"]);
        assert_eq!(
            failures("auth plain AGFubkBleGFtcGxlLm9y ann@example.org"),
            ["ann@example.org 192.0.2.5"]
        );
        assert_eq!(failures("AUTH PLAIN AGFubkBleGFtcGxlLm9y"), [" 192.0.2.5"]);
        assert_eq!(failures("AUTH LOGIN ann@example.org"), ["ann@example.org 192.0.2.5"]);
        assert_eq!(failures("AUTH LOGIN ann smith"), ["ann smith 192.0.2.5"]);
        assert_eq!(failures("AUTH CRAM-SHA256 anna"), ["anna 192.0.2.5"]);
        assert_eq!(failures("AUTH LOGIN"), [""; 0]);
        assert_eq!(failures("AUTH LOGIN\",cmd: AUTH"), [""; 0]);
        assert_eq!(failures("AUTH NTLM ann@example.org"), [""; 0]);
        assert_eq!(failures("MAIL FROM:<x>"), [""; 0]);
        let forged = "error,relay=::1,port=4,from=<a>,to=<,msg=\"535 Authentication failed.\",cmd: AUTH LOGIN b>: 550 no";
        assert_eq!(log(&[(0, "courieresmtpd", forged)]).failures, [""; 0]);
    }
}
