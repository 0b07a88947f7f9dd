//! The envelope in the lines that tell what was done about a message: `…; from=<SENDER> to=<RECIPIENT> proto=… helo=<…>`.
//!
//! A header or a refused name of the client's stands before it, and the recipient in it, so each can imitate it.

use memchr::memmem;

use crate::address::address;

const FROM: &[u8] = b"; from=<";
const TO: &[u8] = b"> to=<";
const PROTOCOL: &[u8] = b"> proto=";

/// The envelope sender that a line tells, empty for the null sender; none if it cannot be told from what imitates it.
pub(super) fn sender(line: &[u8]) -> Option<&[u8]> {
    let (before, text) = line.split_at(memmem::find(line, FROM)? + FROM.len());
    let imitated = memmem::rfind(text, FROM).unwrap_or(0);
    if is_at_mail(before) && in_brackets(text).is_none_or(|(_, rest)| rest.starts_with(TO)) {
        // What seems to be a recipient is in the sender's own words.
        return memmem::find(text, TO).is_none().then(|| unquoted(text)).flatten();
    }
    match exact(text) {
        // Whatever looks like another envelope stands in quotes, in the recipient of this one.
        Some((sender, protocol)) if protocol > imitated => {
            // Nothing but the name that the client gives itself follows: else the sender goes on, without its quotes.
            let behind = &text[protocol..];
            let is_last = memmem::rfind(behind, PROTOCOL) == Some(0);
            (is_last && memmem::find(behind, TO).is_none()).then_some(())?;
            let is_first = imitated == 0 || is_clear(before) || !begins_another(&text[..protocol]);
            is_first.then_some(sender)
        }
        // An address may be logged without the quotes that it needs.
        _ if imitated == 0 => unquoted(text),
        _ => None,
    }
}

/// Whether a line is of a client's MAIL command: there is no recipient yet.
fn is_at_mail(before: &[u8]) -> bool {
    let action = before.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    before[action..].starts_with(b": MAIL from ")
}

/// Whether nothing that a client chose stands before an envelope: only what a proxy replied.
fn is_clear(before: &[u8]) -> bool {
    before.starts_with(b"proxy-accept: ")
}

/// Whether a text goes on as a line does before its real envelope: what seemed to be one is then in a client's words.
fn begins_another(text: &[u8]) -> bool {
    // `header Subject: … from CLIENT[ADDRESS]; from=<`, and `RCPT from CLIENT[ADDRESS]: <NAME>: …; from=<`.
    [&b"]; from=<"[..], b">: "].into_iter().any(|end| memmem::find(text, end).is_some())
}

/// An envelope whose addresses have the quotes that they need: the sender, and where its protocol stands.
fn exact(text: &[u8]) -> Option<(&[u8], usize)> {
    let at = |rest: &[u8]| text.len() - rest.len();
    let (sender, rest) = in_brackets(text)?;
    match rest.strip_prefix(TO) {
        Some(to) => {
            let (_, rest) = in_brackets(to)?;
            rest.starts_with(PROTOCOL).then(|| (sender, at(rest)))
        }
        // Before there is a recipient, none is told.
        None => {
            let told = memmem::rfind(rest, PROTOCOL) == Some(0) && memmem::find(rest, TO).is_none();
            told.then(|| (sender, at(rest)))
        }
    }
}

/// What stands before the closing bracket.
fn in_brackets(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (address, rest) =
        if text.first() == Some(&b'>') { text.split_at(0) } else { address(text)? };
    rest.starts_with(b">").then_some((address, rest))
}

/// The sender before the only thing that can end it.
fn unquoted(text: &[u8]) -> Option<&[u8]> {
    let end = match memmem::find(text, TO) {
        Some(_) => only(text, TO)?,
        None => only(text, PROTOCOL)?,
    };
    Some(&text[..end])
}

/// Where something stands, if it stands there once.
fn only(text: &[u8], what: &[u8]) -> Option<usize> {
    memmem::find(text, what).filter(|at| memmem::rfind(text, what) == Some(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str = "proto=ESMTP helo=<h>";

    #[test]
    fn the_sender_is_nobody_elses() {
        let forged = "; from=<boss@x.test> to=<z";
        for (line, expected) in [
            (format!("; from=<a@x.test> to=<b@x.test> {END}"), Some("a@x.test")),
            (format!("; from=<> to=<b@x.test> {END}: held"), Some("")),
            (format!("; from=<a@x.test> {END}"), Some("a@x.test")),
            (
                format!("; from=<\"a> to=<b\"@x.test> to=<c@x.test> {END}"),
                Some("\"a> to=<b\"@x.test"),
            ),
            (format!("; from=<a b@x.test> to=<c@x.test> {END}"), Some("a b@x.test")),
            (format!("; from=<a> to=<b@x.test> to=<c@x.test> {END}"), None),
            (format!("; from=<> to=<b@x.test> {END}@x.test> to=<c@x.test> {END}"), None),
            (format!("; from=<a b> to=<b@x.test> to=<c@x.test> {END}"), None),
            (format!("; from=<boss@x.test> to=<z@x.test> to=<c@x.test> {END}"), None),
            // Before there is a recipient, the sender alone can imitate all that follows another.
            (format!("; from=<boss@x.test> {END} y@x.test> {END}"), None),
            (format!("; from=<boss@x.test> {END}@x.test> {END}: held"), None),
            (format!("; from=<the boss@x.test> {END} y@x.test> {END}"), None),
            (format!("; from=<\"boss> proto=\"@x.test> {END}"), Some("\"boss> proto=\"@x.test")),
            (format!("; from=<a@x.test> to=<\"{forged}\"@x.test> {END}"), Some("a@x.test")),
            (format!("; from=<a@x.test> to=<\"{forged}@x.test> {END}: \"@x.test> {END}"), None),
            (format!("; from=<a@x.test> to=<{forged}@x.test> {END}"), None),
            (
                format!(
                    "hold: RCPT from h[192.0.2.1]:25: <\"{forged}\"@x.test>: held; from=<a@x.test> to=<\"{forged}\"@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: RCPT from h[192.0.2.1]: <{forged}@x.test>: held; from=<a@x.test> to=<{forged}@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: header Subject: {forged}@x.test> {END} from h[192.0.2.1]; from=<a@x.test> to=<b@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: header Subject: {forged}\" from h[192.0.2.1]; from=<a@x.test> to=<\"b\"@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: header Subject: x]: <{forged}@x.test>: from h[192.0.2.1]; from=<a@x.test> to=<b@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: header Subject: x]: <y>: from h[192.0.2.1]; from=<a@x.test> to=<b@x.test> {END}"
                ),
                Some("a@x.test"),
            ),
            (
                format!(
                    "hold: body from h[1]: <\" from h[192.0.2.1]; from=<a@x.test> to=<\"@x>: {forged}@x.test> {END}\"@x.test> {END}"
                ),
                None,
            ),
            (
                format!("proxy-accept: 250 Ok; from=<a@x.test> to=<\"{forged}>: \"@x.test> {END}"),
                Some("a@x.test"),
            ),
            (
                format!(
                    "hold: header Subject: ; from=<boss@x.test> to=<\" from h[192.0.2.1]; from=<a@x.test> to=<\"@x.test> {END}"
                ),
                None,
            ),
            (
                format!(
                    "hold: RCPT from h[192.0.2.1]: <; from=<boss@x.test> to=<\"@x>: held; from=<a@x.test> to=<\"@x> {END}"
                ),
                None,
            ),
            ("milter triggers HOLD action".to_owned(), None),
        ] {
            let told = sender(line.as_bytes());
            assert_eq!(told, expected.map(str::as_bytes), "{line}");
        }
    }
}
