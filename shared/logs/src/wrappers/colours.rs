//! Colours of terminals, which programs leave in what they print.

use memchr::memchr;

/// What follows the sequence that a text begins with, if it sets a colour or clears to the end of the line
/// (ECMA-48: SGR, EL).
pub(super) fn sequence(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"\x1b[")?;
    let is_parameter = |byte: &&u8| matches!(byte, b'0'..=b'9' | b';' | b':');
    let parameters = rest.iter().take(24).take_while(is_parameter).count();
    matches!(rest.get(parameters), Some(b'm' | b'K')).then(|| &rest[parameters + 1..])
}

/// A text without its colours; none if it has none.
pub(super) fn without(text: &[u8]) -> Option<Vec<u8>> {
    let mut at = memchr(b'\x1b', text)?;
    let (mut rest, mut plain) = (text, Vec::new());
    loop {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = sequence(rest) {
            rest = behind;
        } else {
            plain.push(b'\x1b');
            rest = &rest[1..];
        }
        let Some(next) = memchr(b'\x1b', rest) else { break };
        at = next;
    }
    plain.extend_from_slice(rest);
    (plain.len() < text.len()).then_some(plain)
}
