//! Messages that syslog has folded: it tells how often the same came again instead of writing it down.

use memchr::memmem;
use report::AuthFailure;
use serde::{Deserialize, Serialize};

use crate::text::number;

/// The most times that one line may stand for: a folded line is a client's doing as much as any.
const MOST: u32 = 100_000;

/// rsyslog's `message repeated 7 times: [ … ]`: what was repeated, and how often.
#[inline]
pub(crate) fn folded(message: &[u8]) -> Option<(&[u8], u32)> {
    unfolded(message.strip_prefix(b"message repeated ")?)
}

#[cold]
fn unfolded(rest: &[u8]) -> Option<(&[u8], u32)> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let times = number(&rest[..digits])?;
    let inner = rest[digits..].strip_prefix(b" times: [")?.strip_suffix(b"]")?;
    Some((inner.strip_prefix(b" ").unwrap_or(inner), times.min(MOST)))
}

/// `last message repeated 7 times` of BSD's, BusyBox's and macOS's syslogd, behind a host or not: how often.
pub(crate) fn last_repeated(message: &[u8]) -> Option<u32> {
    const TEXT: &[u8] = b"last message repeated ";
    // Shorter than the host before it can be, and no client's text: that stands behind a program's name.
    let at = memmem::find(message, TEXT)?;
    let before = message[..at].trim_ascii();
    if before != b"---" && before.iter().any(|byte| *byte == b' ' || *byte == b':') {
        return None;
    }
    let rest = &message[at + TEXT.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_whole =
        matches!(rest[digits..].trim_ascii(), b"time" | b"times" | b"time ---" | b"times ---");
    is_whole.then(|| number(&rest[..digits])).flatten().map(|times| times.min(MOST))
}

/// A failed login that the last line told of: it may be told again by number only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastFailure {
    account: String,
    client: String,
}

impl LastFailure {
    pub(crate) fn new(failure: &AuthFailure<'_>) -> Self {
        Self { account: failure.account.to_owned(), client: failure.client.to_owned() }
    }

    /// The same, at another time.
    pub(crate) fn again(&self, time: i64) -> AuthFailure<'_> {
        AuthFailure { time, account: &self.account, client: &self.client }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_folded_is_found() {
        let inner: &[u8] = b"warning: x[192.0.2.1]: SASL LOGIN authentication failed: [x]";
        let text = [b"message repeated 7 times: [ ", inner, b"]"].concat();
        assert_eq!(folded(&text), Some((inner, 7)));
        for text in ["message repeated x times: [ a]", "message repeated 7 times: [ a", "a"] {
            assert_eq!(folded(text.as_bytes()), None, "{text}");
        }
        for text in [
            "last message repeated 7 times",
            "mail last message repeated 7 times",
            "--- last message repeated 7 times ---",
        ] {
            assert_eq!(last_repeated(text.as_bytes()), Some(7), "{text}");
        }
        for text in [
            "a: last message repeated 7 times",
            "last message repeated 7 times by x",
            "last message repeated",
        ] {
            assert_eq!(last_repeated(text.as_bytes()), None, "{text}");
        }
    }
}
