//! Secrets in a text: what mail servers and programs log of passwords and login tokens.
//!
//! Some log the commands of a client as they came, some what they asked another program, some their settings. A secret
//! is left out, and the rest stays byte for byte as it was: JSON stays JSON, so that it can be read again.

mod signs;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use signs::{Sign, signs};

/// What stands for a secret.
const LEFT_OUT: &[u8] = b"(left out)";
/// What stands for a secret in JSON that is no text.
const NOTHING: &[u8] = b"null";
/// The longest name that is looked at, from its end.
const NAME: usize = 40;
/// The longest name of a mechanism.
const MECHANISM: usize = 20;
/// The longest address in which a password is looked for.
const ADDRESS: usize = 512;
/// So many numbers can hold the shortest text with a secret in it.
const NUMBERS: usize = 8;

/// What names of secrets have in them.
const WITHIN: [&str; 8] =
    ["passw", "passphrase", "secret", "token", "authorization", "credential", "apikey", "cookie"];
/// Those of which people speak: what follows behind a blank is left out as well.
const SPOKEN: &[&str] = &["passw", "passphrase", "secret", "token", "authorization"];
/// What names of secrets end in.
const ENDS: [&str; 4] = ["pass", "pwd", "pw", "private-key"];
/// Whole names: Dovecot's response, and the parameters of a command.
const WHOLE: [&str; 2] = ["resp", "params"];

/// A text without the secrets in it.
pub(crate) fn without_secrets(text: &[u8]) -> Cow<'_, [u8]> {
    let found = Search::of(text).all();
    if found.is_empty() {
        return text.into();
    }
    let (mut clean, mut at) = (Vec::with_capacity(text.len()), 0);
    for (range, instead) in found {
        clean.extend_from_slice(&text[at..range.start]);
        clean.extend_from_slice(&instead);
        at = range.end;
    }
    clean.extend_from_slice(&text[at..]);
    clean.into()
}

/// What is left out: where, and what stands there instead.
type Left = (Range<usize>, Cow<'static, [u8]>);

struct Search<'t> {
    text: &'t [u8],
    signs: Vec<Sign>,
    /// Whether quotation marks without a backslash are JSON's own.
    is_json: bool,
    left: Vec<Left>,
}

impl<'t> Search<'t> {
    fn of(text: &'t [u8]) -> Self {
        let inner = text.trim_ascii_start();
        let inner = inner.strip_prefix(b"\x1e").unwrap_or(inner);
        let inner = inner.strip_prefix(b"data:").unwrap_or(inner).trim_ascii_start();
        let is_json = matches!(inner, [b'{' | b'[', ..]);
        Self { text, signs: signs(text), is_json, left: Vec::new() }
    }

    /// All that is left out, in order.
    fn all(mut self) -> Vec<Left> {
        let mut at = 0;
        while let Some(sign) = self.signs.get(at) {
            let end = match sign.byte {
                b':' if self.begins(at, b"://") => self.of_address(at),
                b':' | b'=' => self.of_name(at),
                b' ' => self.of_speech(at),
                b'a' if self.is_word(at, b"auth ") => self.of_command(at),
                b'b' if self.is_word(at, b"bearer ") => self.word(at + 7),
                b'c' if self.is_word(at, b"cont ") => self.of_continuation(at),
                b'c' if self.is_word(at, b"c: ") => self.of_dialog(at),
                b'[' => self.of_numbers(at),
                _ => None,
            };
            at = end.unwrap_or(at).max(at + 1);
        }
        self.left
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.signs.get(at).map(|sign| sign.byte)
    }

    /// Where a sign begins; the end of the text behind the last.
    fn place(&self, at: usize) -> usize {
        self.signs.get(at).map_or(self.text.len(), |sign| sign.at)
    }

    fn begins(&self, at: usize, text: &[u8]) -> bool {
        text.iter().enumerate().all(|(behind, byte)| self.byte(at + behind) == Some(*byte))
    }

    fn is_word(&self, at: usize, text: &[u8]) -> bool {
        let is_behind = at.checked_sub(1).is_some_and(|before| self.signs[before].is_of_name());
        !is_behind && self.begins(at, text)
    }

    /// The first sign from `at` on that is none of these.
    fn skip(&self, at: usize, is_passed: impl Fn(&Sign) -> bool) -> usize {
        let passed =
            self.signs[at.min(self.signs.len())..].iter().take_while(|sign| is_passed(sign));
        at + passed.count()
    }

    fn skip_blanks(&self, at: usize) -> usize {
        self.skip(at, |sign| sign.byte == b' ')
    }

    /// Leaves out what stands from one sign to the one before another.
    fn leave_out(&mut self, from: usize, to: usize, instead: &'static [u8]) {
        let range = self.place(from)..self.place(to);
        if !range.is_empty() {
            self.left.push((range, instead.into()));
        }
    }

    /// `name=value`, `name: value`, `"name":"value"`, if the name is one of a secret.
    fn of_name(&mut self, at: usize) -> Option<usize> {
        let mut end = at;
        while end > 0 && self.signs[end - 1].byte == b' ' {
            end -= 1;
        }
        let quote = end.checked_sub(1).map(|last| self.signs[last]);
        let quote = quote.filter(|sign| matches!(sign.byte, b'"' | b'\''));
        end -= usize::from(quote.is_some());
        if !is_secret(&self.name_before(end)) {
            return None;
        }
        let value = self.skip(at, |sign| matches!(sign.byte, b'=' | b':' | b'>' | b' '));
        let sign = self.signs.get(value)?;
        match sign.byte {
            b'"' if quote.is_some() || !(self.is_json && self.is_before_mark(value)) => {
                self.quoted(value + 1, *sign, quote.is_none())
            }
            b'\'' => {
                let end = self.skip(value + 1, |sign| sign.byte != b'\'');
                self.leave_out(value + 1, end, LEFT_OUT);
                Some(end + 1)
            }
            b'[' | b'{' if quote.is_some() => {
                let end = self.behind_brackets(value, quote?.slashes);
                self.leave_out(value, end, NOTHING);
                Some(end)
            }
            _ if quote.is_some() => {
                let is_within = |sign: &Sign| !b" ,}]\"\\".contains(&sign.byte);
                let end = self.skip(value, is_within);
                let is_kept = ["null", "true", "false"]
                    .iter()
                    .any(|word| end - value == word.len() && self.begins(value, word.as_bytes()));
                if !is_kept {
                    self.leave_out(value, end, NOTHING);
                }
                Some(end)
            }
            _ => self.all_behind(value),
        }
    }

    /// The name that ends before a sign, as far as it is looked at.
    fn name_before(&self, end: usize) -> Vec<u8> {
        let from = end.saturating_sub(NAME);
        let name = self.signs[from..end].iter().rev().take_while(|sign| sign.is_of_name());
        let mut name: Vec<u8> = name.map(|sign| sign.byte).collect();
        name.reverse();
        name
    }

    /// `with password value`.
    fn of_speech(&mut self, at: usize) -> Option<usize> {
        let last = *self.signs.get(at.checked_sub(1)?)?;
        if !last.is_of_name() {
            return None;
        }
        let next = self.skip_blanks(at);
        let is_spoken = !matches!(self.byte(next), None | Some(b':' | b'='));
        let name = is_spoken.then(|| self.name_before(at))?;
        let name = str::from_utf8(&name).ok()?;
        SPOKEN.iter().any(|part| name.contains(part)).then(|| self.all_behind(next)).flatten()
    }

    /// Leaves out what stands in quotation marks, and in those that follow behind commas.
    fn quoted(&mut self, from: usize, opening: Sign, is_list: bool) -> Option<usize> {
        let mut from = from;
        loop {
            let mut end = from;
            while self
                .signs
                .get(end)
                .is_some_and(|sign| !sign.is_quote() || !self.closes(end, opening))
            {
                end += 1;
            }
            self.leave_out(from, end, LEFT_OUT);
            let next = end + 2;
            let follows = is_list
                && self.byte(end + 1) == Some(b',')
                && self
                    .signs
                    .get(next)
                    .is_some_and(|sign| sign.is_quote() && sign.slashes == opening.slashes);
            if !follows {
                return Some(end + 1);
            }
            from = next + 1;
        }
    }

    /// Leaves out all up to the end of the text, or of the JSON string that it stands in: nobody knows which blank or
    /// comma is a password's.
    fn all_behind(&mut self, from: usize) -> Option<usize> {
        let mut end = from;
        while end < self.signs.len() && !(self.is_json && self.ends(end)) {
            end += 1;
        }
        self.leave_out(from, end, LEFT_OUT);
        Some(end)
    }

    /// Whether a quotation mark ends the text that was opened by another, as deep in JSON.
    fn closes(&self, at: usize, opening: Sign) -> bool {
        let escaped = 2 * opening.slashes + 1;
        let is_escaped = self.signs[at].slashes % (escaped + 1) == escaped;
        !is_escaped && self.is_followed(at)
    }

    /// Whether this is a quotation mark of JSON that ends the text before it.
    fn ends(&self, at: usize) -> bool {
        let sign = self.signs[at];
        self.is_json && sign.is_quote() && sign.slashes.is_multiple_of(2) && self.is_followed(at)
    }

    /// Whether what can follow a text follows a quotation mark: what escapes badly has others within.
    fn is_followed(&self, at: usize) -> bool {
        let is_of_json = self.is_json && self.signs[at].slashes == 0;
        self.is_before_mark(at)
            || (!is_of_json && self.signs.get(at + 1).is_none_or(|next| !next.is_of_name()))
    }

    /// Whether one of JSON's marks, or nothing, follows a quotation mark.
    fn is_before_mark(&self, at: usize) -> bool {
        let next = self.skip_blanks(at + 1);
        matches!(self.byte(next), None | Some(b',' | b'}' | b']' | b':' | b'"' | b'\\'))
    }

    /// Behind an array or object whose own quotation marks have so many backslashes.
    fn behind_brackets(&self, from: usize, slashes: usize) -> usize {
        let (mut depth, mut is_text) = (0_usize, false);
        for (at, sign) in self.signs.iter().enumerate().skip(from) {
            match sign.byte {
                b'"' if sign.slashes % (2 * slashes + 2) == slashes => is_text = !is_text,
                b'"' if sign.slashes < slashes => return at,
                b'[' | b'{' if !is_text => depth += 1,
                b']' | b'}' if !is_text => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.signs.len()
    }

    /// `AUTH PLAIN response`, or a response where the mechanism should be.
    fn of_command(&mut self, at: usize) -> Option<usize> {
        let mechanism = self.skip_blanks(at + 5);
        let end = self.skip(mechanism, Sign::is_of_response);
        // Dovecot numbers its commands.
        if self.skip(mechanism, |sign| sign.byte.is_ascii_digit()) == end {
            return None;
        }
        let response =
            if self.is_mechanism(mechanism..end) { self.skip_blanks(end) } else { mechanism };
        if response == end {
            return None;
        }
        match at.checked_sub(1).map(|before| self.signs[before]) {
            Some(opening) if opening.is_quote() => self.quoted(response, opening, false),
            _ => self.all_behind(response),
        }
    }

    /// Whether a word may be a mechanism's name: base64 has letters of both sorts, or ends in what no name has.
    fn is_mechanism(&self, word: Range<usize>) -> bool {
        let Some(signs) = self.signs.get(word).filter(|signs| signs.len() <= MECHANISM) else {
            return false;
        };
        let written = |sign: &Sign| self.text[sign.at];
        let has = |is: fn(&u8) -> bool| signs.iter().skip(1).map(written).any(|byte| is(&byte));
        let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
        !is_mixed && signs.iter().all(Sign::is_of_name)
    }

    /// Dovecot's `CONT 1 response`.
    fn of_continuation(&mut self, at: usize) -> Option<usize> {
        let end = self.skip(at + 5, |sign| sign.byte.is_ascii_digit());
        (end > at + 5 && self.byte(end) == Some(b' ')).then(|| self.word(end + 1)).flatten()
    }

    /// `C: BASE64` in a line of Haraka's that holds all that a client says: a command, or an answer in its login.
    fn of_dialog(&mut self, at: usize) -> Option<usize> {
        let is_answer = memmem::find(self.text, b"PROTOCOL").is_some();
        (is_answer && !self.begins(at, b"c: auth ")).then(|| self.word(at + 3)).flatten()
    }

    /// Leaves out one word.
    fn word(&mut self, at: usize) -> Option<usize> {
        let from = self.skip_blanks(at);
        let end = self.skip(from, Sign::is_of_response);
        self.leave_out(from, end, LEFT_OUT);
        Some(end)
    }

    /// `scheme://name:password@host`.
    fn of_address(&mut self, at: usize) -> Option<usize> {
        let from = at + 3;
        let signs = &self.signs[from..self.signs.len().min(from + ADDRESS)];
        let end = signs.iter().position(|sign| b" \"'<>".contains(&sign.byte));
        let signs = &signs[..end.unwrap_or(signs.len())];
        let host = from + signs.iter().rposition(|sign| sign.byte == b'@')?;
        let password = from + signs.iter().position(|sign| sign.byte == b':')? + 1;
        if password >= host {
            return None;
        }
        self.leave_out(password, host, LEFT_OUT);
        Some(host)
    }

    /// A text as numbers, as the journal writes what is no UTF-8.
    fn of_numbers(&mut self, at: usize) -> Option<usize> {
        let is_of_numbers = |sign: &Sign| matches!(sign.byte, b'0'..=b'9' | b',' | b' ');
        let end = self.skip(at + 1, is_of_numbers);
        let raw = &self.text[self.place(at + 1)..self.place(end)];
        let numbers = raw
            .split(|byte| *byte == b',')
            .map(|number| str::from_utf8(number.trim_ascii()).ok()?.parse::<u8>().ok());
        // The last may be cut.
        let bytes: Vec<u8> = numbers.map_while(|number| number).collect();
        if bytes.len() < NUMBERS {
            return None;
        }
        let Cow::Owned(clean) = without_secrets(&bytes) else { return Some(end) };
        let clean: Vec<String> = clean.iter().map(u8::to_string).collect();
        let range = self.place(at + 1)..self.place(end);
        self.left.push((range, clean.join(",").into_bytes().into()));
        Some(end)
    }
}

/// Whether a name, in lower case, is one of a secret.
fn is_secret(name: &[u8]) -> bool {
    let Ok(name) = str::from_utf8(name) else { return false };
    let name = name.replace('_', "-");
    let last = name.rsplit('.').next().unwrap_or_default();
    WITHIN.iter().any(|part| name.contains(part) || name.replace('-', "").contains(part))
        || ENDS.iter().any(|end| name.ends_with(end))
        || WHOLE.contains(&last)
}

#[cfg(test)]
mod tests;
