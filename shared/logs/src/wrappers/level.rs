//! Words for how important a message is, and which facility it came from.

/// Whether a word is a level, alone or behind a facility: `INFO`, `mail.info`, `mail:info`, `<mail.info>`, `<2.6>`, `[info]`.
#[inline]
pub(super) fn is_level(word: &[u8]) -> bool {
    // The cheap question first, as it is asked of every host's name: how such a word ends.
    let last = word.last().map_or(0, u8::to_ascii_lowercase);
    if !matches!(last, b'o' | b'e' | b'n' | b'g' | b'r' | b't' | b'c' | b'>' | b']') {
        return false;
    }
    is_spelled(word)
}

#[inline(never)]
fn is_spelled(word: &[u8]) -> bool {
    let inner = match word {
        [b'<', inner @ .., b'>'] | [b'[', inner @ .., b']'] => inner,
        _ => word,
    };
    let Some(at) = inner.iter().rposition(|byte| matches!(byte, b'.' | b':')) else {
        return is_severity(inner);
    };
    let (facility, severity) = (&inner[..at], &inner[at + 1..]);
    if let [b'0'..=b'7'] = severity {
        // A number is also the end of an address.
        return inner.len() < word.len() && crate::text::number(facility).is_some();
    }
    is_severity(severity) && is_facility(facility)
}

fn is_severity(word: &[u8]) -> bool {
    let known: &[&[u8]] = match word.first().map_or(0, u8::to_ascii_lowercase) {
        b'i' => &[b"info"],
        b'n' => &[b"notice"],
        b'w' => &[b"warn", b"warning"],
        b'e' => &[b"err", b"error", b"emerg"],
        b'c' => &[b"crit"],
        b'a' => &[b"alert"],
        b'd' => &[b"debug"],
        b'p' => &[b"panic"],
        b'f' => &[b"fatal"],
        b't' => &[b"trace"],
        _ => return false,
    };
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_facility(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 17] = [
        b"mail",
        b"kern",
        b"user",
        b"daemon",
        b"auth",
        b"syslog",
        b"lpr",
        b"news",
        b"uucp",
        b"cron",
        b"authpriv",
        b"security",
        b"ftp",
        b"ntp",
        b"audit",
        b"console",
        b"clock",
    ];
    WORDS.contains(&word) || word.strip_prefix(b"local").is_some_and(|number| number.len() == 1)
}
