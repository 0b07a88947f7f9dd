//! Words for how important a message is, and which facility it came from.

/// Whether a word is a level, alone or behind a facility: `INFO`, `mail.info`, `mail:info`, `<mail.info>`, `<2.6>`, `[info]`.
#[inline]
pub(super) fn is_level(word: &[u8]) -> bool {
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
    const WORDS: [&[u8]; 16] = [
        b"info",
        b"notice",
        b"warn",
        b"warning",
        b"err",
        b"error",
        b"crit",
        b"critical",
        b"alert",
        b"emerg",
        b"panic",
        b"debug",
        b"fatal",
        b"trace",
        b"verbose",
        b"severe",
    ];
    (3..=8).contains(&word.len()) && WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
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
