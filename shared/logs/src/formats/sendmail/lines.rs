//! What single lines of Sendmail's say.

use memchr::{memchr, memmem, memrchr};

use crate::address::address;
use crate::client_name::Name;
use crate::text::number;

/// Sendmail cuts a sender there.
const SENDER_CUT: usize = 200;

/// The `from=` line of an authenticated client's message that was collected whole.
pub(super) struct Collected<'a> {
    /// None if there are several ways to read it.
    pub(super) sender: Option<&'a [u8]>,
    /// 0 if there are several ways to read it.
    pub(super) recipients: u64,
    pub(super) secure: bool,
    pub(super) relay: &'a [u8],
}

impl<'a> Collected<'a> {
    /// Reads `from=<ann@example.org>, size=5, class=0, nrcpts=1, msgid=<a@b>, proto=ESMTPSA, daemon=MSA, relay=name [ip]`;
    /// none if it is of another client, or of a message that did not come to its end.
    ///
    /// Sender and message id are the client's text: what stands before both is read from the left, what stands behind
    /// both from the right.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let (mut rest, relay) = cut_last(text, b", relay=")?;
        client_end(relay)?;
        let protocol = loop {
            let (before, field) = cut_last(rest, b", ")?;
            rest = before;
            match field.strip_prefix(b"proto=") {
                Some(protocol) => break protocol,
                None if field.starts_with(b"daemon=") || field.starts_with(b"tls_verify=") => {}
                None => return None,
            }
        };
        let protocol = protocol.strip_suffix(b"A")?;
        let secure = protocol.strip_suffix(b"S");
        secure.unwrap_or(protocol).ends_with(b"MTP").then_some(())?;
        let rest = rest.strip_prefix(b"from=")?;
        let (sender, recipients) = Self::sender(rest)?;
        Some(Self { sender, recipients, secure: secure.is_some(), relay })
    }

    /// The sender of a message that was collected whole, if there is one way to read it only, and its recipients; none if it
    /// was not.
    fn sender(text: &'a [u8]) -> Option<(Option<&'a [u8]>, u64)> {
        let mut ways = memmem::find_iter(text, b", size=")
            .filter_map(|end| Some((end, recipients_of_whole(&text[end..])?)));
        let (first, recipients) = ways.clone().next()?;
        if ways.clone().nth(1).is_none() {
            return (recipients > 0).then(|| (plain(&text[..first]), recipients));
        }
        // An address in brackets ends where it says, another where Sendmail has cut it.
        let end = text.strip_prefix(b"<").and_then(address);
        let end = end.map(|(address, _)| address.len() + 2);
        let end = end.filter(|end| text.get(end - 1) == Some(&b'>')).unwrap_or(SENDER_CUT);
        if let Some((end, recipients)) = ways.clone().find(|(at, _)| *at == end) {
            return (recipients > 0).then(|| (plain(&text[..end]), recipients));
        }
        ways.any(|(_, recipients)| recipients > 0).then_some((None, 0))
    }
}

/// The recipients of a message if it has a message id, or else 0: Sendmail gives it one when it was collected. None if the
/// text is not what stands between sender and protocol: `, size=5, class=0, nrcpts=1, msgid=<a@b>`.
fn recipients_of_whole(text: &[u8]) -> Option<u64> {
    let (_, rest) = counter(text, b", size=")?;
    let (_, rest) = counter(rest, b", class=")?;
    // Sendmail 8.9 and before.
    let rest = counter(rest, b", pri=").map_or(rest, |(_, rest)| rest);
    let (recipients, rest) = counter(rest, b", nrcpts=")?;
    match rest {
        [] => Some(0),
        [b',', b' ', b'm', b's', b'g', b'i', b'd', b'=', ..] if recipients == b"0" => Some(0),
        // What is no number that can be has one at least.
        [b',', b' ', b'm', b's', b'g', b'i', b'd', b'=', ..] => {
            Some(number(recipients).map_or(1, |recipients| u64::from(recipients.max(1))))
        }
        [b',', b' ', b'b', b'o', b'd', b'y', b't', b'y', b'p', b'e', b'=', ..] => Some(0),
        _ => None,
    }
}

/// A number behind its name, and what follows it.
pub(super) fn counter<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let value = text.strip_prefix(name)?;
    let sign = usize::from(value.first() == Some(&b'-'));
    let digits = value[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| value.split_at(sign + digits))
}

/// A sender without its brackets; none if it was cut.
pub(super) fn plain(text: &[u8]) -> Option<&[u8]> {
    match text {
        b"<NONE>" => None,
        _ if text.len() >= SENDER_CUT => None,
        [b'<', address @ .., b'>'] => Some(address),
        _ => Some(text),
    }
}

/// The text before and behind the first mark.
pub(super) fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The text before and behind the last mark.
pub(super) fn cut_last<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::rfind(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// A field's value, as far as the next comma.
pub(super) fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, value) = cut(text, name)?;
    value.split(|byte| *byte == b',').next()
}

/// What stands between the last brackets of a relay: `name [192.0.2.1] (may be forged)`.
pub(super) fn client_end(relay: &[u8]) -> Option<&[u8]> {
    let relay = relay.strip_suffix(b" (may be forged)").unwrap_or(relay).strip_suffix(b"]")?;
    relay.rsplit(|byte| *byte == b'[').next()
}

/// A relay's address; empty if it has none.
pub(super) fn client(relay: &[u8]) -> &[u8] {
    let address = client_end(relay).unwrap_or_default();
    address.strip_prefix(b"IPv6:").unwrap_or(address)
}

/// What a relay tells of the client's name; `(may be forged)` says that it does not lead back to the address.
pub(super) fn name(relay: &[u8]) -> Name<'_> {
    let (relay, is_forged) = match relay.strip_suffix(b" (may be forged)") {
        Some(relay) => (relay, true),
        None => (relay, false),
    };
    let before = memrchr(b'[', relay).and_then(|open| relay[..open].strip_suffix(b" "));
    let Some(before) = before else { return Name::Untold };
    // The user whom an ident names stands before an `@`.
    let name = before.rsplit(|byte| matches!(byte, b'@' | b' ')).next().unwrap_or_default();
    if is_forged { Name::Reverse(name) } else { Name::Confirmed(name) }
}

/// The queue id that a line begins with, and the text behind it.
pub(super) fn queue_id(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b':', message.get(..24).unwrap_or(message))?;
    let (id, rest) = message.split_at(end);
    let is_id = end >= 7 && id.iter().all(u8::is_ascii_alphanumeric);
    is_id.then_some(())?;
    Some((id, rest.strip_prefix(b": ")?))
}

/// Whether the process says that it has refused a message that it had collected.
pub(super) fn is_refusal(text: &[u8]) -> bool {
    let size = text.strip_prefix(b"message size (");
    size.is_some_and(|rest| memmem::find(rest, b") exceeds maximum (").is_some())
        || text.starts_with(b"Milter: data, reject=")
        || text.starts_with(b"SYSERR(")
            && [&b"): collect: "[..], b"): queueup: "]
                .iter()
                .any(|of| memmem::find(text, of).is_some())
}
