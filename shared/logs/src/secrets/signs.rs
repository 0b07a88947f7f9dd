//! The characters of a text, whatever escapes they are written with.

/// A character of a text, escaped in JSON or not, and however deep.
#[derive(Clone, Copy)]
pub(super) struct Sign {
    /// In lower case; a blank for any control character.
    pub(super) byte: u8,
    /// How many backslashes stand before a quotation mark.
    pub(super) slashes: usize,
    /// Where it begins, its backslashes included.
    pub(super) at: usize,
}

impl Sign {
    pub(super) fn is_quote(&self) -> bool {
        self.byte == b'"'
    }

    pub(super) fn is_of_name(&self) -> bool {
        self.byte.is_ascii_alphanumeric() || matches!(self.byte, b'_' | b'-' | b'.')
    }

    /// Whether it may be one of a response in base64.
    pub(super) fn is_of_response(&self) -> bool {
        self.is_of_name() || b"+/=~".contains(&self.byte)
    }
}

/// The characters of a text. What JSON escapes, and JSON within JSON, is one.
pub(super) fn signs(text: &[u8]) -> Vec<Sign> {
    let mut signs = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
        let behind = &text[at + slashes..];
        let (byte, quotes, length) = match behind.first() {
            Some(b'"') => (b'"', slashes, 1),
            // A quotation mark counts as if it were escaped by backslashes alone.
            Some(b'u') if slashes > 0 && behind.len() > 4 => {
                (escaped(&behind[1..5]), as_slashes(slashes), 5)
            }
            Some(b't' | b'n' | b'r' | b'b' | b'f') if slashes > 0 => (b' ', 0, 1),
            Some(b'/') if slashes > 0 => (b'/', 0, 1),
            _ if slashes > 0 => (b'\\', 0, 0),
            Some(byte) => (*byte, 0, 1),
            None => break,
        };
        let byte = if byte < b' ' { b' ' } else { byte.to_ascii_lowercase() };
        signs.push(Sign { byte, slashes: if byte == b'"' { quotes } else { 0 }, at });
        at += slashes + length;
    }
    signs
}

/// How many backslashes a quotation mark would have that is written as `u0022` behind so many.
fn as_slashes(before: usize) -> usize {
    match before {
        // All but the last are pairs, which stand for backslashes.
        _ if before % 2 == 1 => before,
        0 => 0,
        // An escape of JSON within JSON.
        _ => 2 * as_slashes(before / 2) + 1,
    }
}

/// The ASCII character of four hexadecimal digits; one byte stands for all others.
fn escaped(digits: &[u8]) -> u8 {
    let code = str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    code.filter(u8::is_ascii).unwrap_or(0xff)
}
