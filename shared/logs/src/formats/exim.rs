//! Exim: one line of the main log proves a submission.

use memchr::{memchr, memmem, memrchr};
use report::TlsVersion;

use crate::format::LogFormat;
use crate::proofs::{Login, Proof, Proofs, Sender, Sink};
use crate::record::Record;
use crate::time::Timestamps;

/// Exim's main log, alone or through syslog.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exim;

impl LogFormat for Exim {
    const NAME: &'static str = "exim";
    const ABOUT: &'static str = "Exim's main log";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(whose) = Whose::of(record) else { return false };
        let outer = record.time.unwrap_or(proofs.arrival.reference);
        let message = after_pid(record.message);
        let (time, text) = stamp(message, proofs.times).unwrap_or((outer, message));
        line(text, time, proofs) || matches!(whose, Whose::Exims)
    }

    fn owns(record: &Record<'_>) -> bool {
        matches!(Whose::of(record), Some(Whose::Exims))
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        Whose::of(record)?;
        stamp(after_pid(record.message), times).map(|(time, _)| time)
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
        let program = record.program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        program.starts_with(b"exim").then_some(Self::Exims)
    }
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

/// Reads one line of the main log, from its message id on; false if it is none that is known.
fn line<S: Sink>(text: &[u8], time: i64, proofs: &mut Proofs<'_, S>) -> bool {
    match message_id(text) {
        Some(rest) => {
            if let Some(arrival) = rest.strip_prefix(b"<= ") {
                accepted(arrival, time, proofs);
            }
            true
        }
        None => failed(text, time, proofs).is_some(),
    }
}

/// Skips a message id: `1xVWoN-0001PO-2u`, or `1xA6ol-000000037ku-33mU` since 4.97.
fn message_id(text: &[u8]) -> Option<&[u8]> {
    let old = text.get(6) == Some(&b'-') && text.get(13) == Some(&b'-');
    let new = text.get(6) == Some(&b'-') && text.get(18) == Some(&b'-');
    let length = if old && text.get(16) == Some(&b' ') {
        16
    } else if new && text.get(23) == Some(&b' ') {
        23
    } else {
        return None;
    };
    let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    text[..length].iter().all(is_id).then(|| &text[length + 1..])
}

/// The fields of an arrival that matter here.
#[derive(Default)]
struct Fields<'a> {
    client: &'a [u8],
    protocol: &'a [u8],
    tls: Option<&'a [u8]>,
    auth: Option<&'a [u8]>,
}

fn accepted<S: Sink>(text: &[u8], time: i64, proofs: &mut Proofs<'_, S>) {
    let Some((sender, rest)) = sender(text) else { return };
    let fields = fields(rest);
    let Some(auth) = fields.auth else { return };
    let mut parts = auth.splitn(3, |byte| *byte == b':');
    let mechanism = parts.next().unwrap_or_default();
    let account = parts.next().unwrap_or_default();
    let sender = Sender::Logged(if sender == b"<>" { b"" } else { sender });
    let login = Login::Logged { account, mechanism, client: fields.client };
    let tls = tls_version(&fields);
    proofs.submission(&Proof { time, sender, login, tls, messages: 1 });
}

/// The envelope sender, whose quoted local part may hold spaces.
fn sender(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = if text.first() == Some(&b'"') { after_quoted(text)? } else { 0 };
    let end = from + memchr(b' ', &text[from..])?;
    (end > 0).then_some((&text[..end], &text[end..]))
}

/// The place behind the quoted string that `text` begins with.
fn after_quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The place behind a value in quotes: its last quote stands before a blank or the end.
///
/// Exim does not escape a quote that a client put into its name.
fn after_value(text: &[u8]) -> Option<usize> {
    let quotes = memchr::memchr_iter(b'"', text).skip(1);
    let mut behind = quotes.map(|quote| quote + 1);
    behind.find(|after| text.get(*after).is_none_or(|next| *next == b' '))
}

/// Reads ` NAME=value` fields up to the real ` S=`: behind it stand texts that a client chose.
///
/// A HELO argument can imitate every field where the server lets it hold blanks. It stands before the
/// client's address, so each address makes void what came before it; and what follows an imitated
/// ` S=` is no field.
fn fields(mut rest: &[u8]) -> Fields<'_> {
    let mut fields = Fields::default();
    let mut closes = true;
    while let Some(field) = rest.strip_prefix(b" ") {
        let mut end = memchr(b' ', field).unwrap_or(field.len());
        // `DN="…"` and `SNI="…"` come from the client and may hold spaces.
        if closes
            && let Some(quote) = memchr(b'"', &field[..end])
            && quote > 0
            && field[quote - 1] == b'='
        {
            match after_value(&field[quote..]) {
                Some(close) => end = quote + close,
                // No quote closes anything behind this one: not to be looked for once more at each of the next.
                None => closes = false,
            }
        }
        rest = &field[end..];
        match &field[..end] {
            [b'S', b'=', size @ ..]
                if size.iter().all(u8::is_ascii_digit) && is_end_or_field(rest) =>
            {
                break;
            }
            // Behind a host name and the HELO argument, the address is the last in brackets.
            [b'[', address @ ..] | [b'H', b'=', b'[', address @ ..] => {
                fields = Fields { client: address_in(address), ..Fields::default() };
            }
            [b'P', b'=', protocol @ ..] => fields.protocol = protocol,
            [b'X', b'=', tls @ ..] => fields.tls = Some(tls),
            [b'A', b'=', auth @ ..] => fields.auth = Some(auth),
            _ => {}
        }
    }
    fields
}

/// Whether a line is over, or goes on as it may behind its size: `id=`, `T=`, `from`, `for` and so on.
fn is_end_or_field(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ") else { return true };
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'*');
    let name = name.count();
    rest.get(name) == Some(&b'=') || matches!(&rest[..name], b"from" | b"for")
}

fn address_in(text: &[u8]) -> &[u8] {
    &text[..memchr(b']', text).unwrap_or(text.len())]
}

fn tls_version(fields: &Fields<'_>) -> TlsVersion {
    match fields.tls {
        Some(cipher) => {
            let cipher = cipher.strip_prefix(b"*").unwrap_or(cipher);
            TlsVersion::from_label(&cipher[..memchr(b':', cipher).unwrap_or(cipher.len())])
        }
        // Without X=, the protocol name still tells: `esmtpsa` is TLS of a version not logged.
        None => match fields.protocol {
            b"esmtpa" | b"utf8esmtpa" | b"asmtp" | b"local-esmtpa" => TlsVersion::None,
            _ => TlsVersion::Unknown,
        },
    }
}

/// `NAME authenticator failed for HOST [address]: 535 Incorrect authentication data (set_id=user)`.
///
/// None if it is no such line.
fn failed<S: Sink>(text: &[u8], time: i64, proofs: &mut Proofs<'_, S>) -> Option<()> {
    let rest = text.get(memchr(b' ', text)?..)?;
    let rest = rest.strip_prefix(b" authenticator failed for ")?;
    // 535: the credentials are wrong (RFC 4954, section 6). Other replies are no guesses at passwords.
    let Some(reply) = memmem::find(rest, b": 535 ") else { return Some(()) };
    let (host, reply) = rest.split_at(reply);
    let host = &host[..memmem::find(host, b" I=[").unwrap_or(host.len())];
    let client = memrchr(b'[', host).map_or(&b""[..], |open| address_in(&host[open + 1..]));
    let account = memmem::find(reply, b"(set_id=").map_or(&b""[..], |at| {
        let id = &reply[at + 8..];
        &id[..memrchr(b')', id).unwrap_or(id.len())]
    });
    proofs.auth_failure(time, account, client);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Arrival;
    use crate::testing::Collected;

    fn read(text: &str) -> Collected {
        let mut collected = Collected::default();
        let mut times = Timestamps::new(chrono_tz::UTC);
        let arrival = Arrival::in_record(0, 0);
        line(text.as_bytes(), 0, &mut Proofs { arrival, times: &mut times, sink: &mut collected });
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
                "<> ann PLAIN TLS1.0 192.0.2.1 x1",
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
                "1xVWoN-0001PO-2u <= a@x.test H=(x) [1.2.3.4] P=esmtpsa X=TLS1.0:A:1 A=plain:fake@evil.test S=1 (y) [192.0.2.1] P=esmtpa A=plain:ann S=5 id=a [1.2.3.4] A=plain:fake S=1",
                "a@x.test ann PLAIN none 192.0.2.1 x1",
            ),
        ] {
            assert_eq!(read(text).submissions, [expected], "{text}");
        }
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
    }
}
