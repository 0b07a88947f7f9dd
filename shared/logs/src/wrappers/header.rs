//! Headers of text lines: a time, a host and a tag, in the order and with the additions of each syslog daemon.

use memchr::{memchr, memchr3, memrchr};

use super::level::is_level;
use crate::record::Record;
use crate::text::{leading_number, number};
use crate::time::{Timestamps, has_clock};

/// Where rsyslog's forwarding cuts tags (RFC 3164, section 4.1.3).
const LONGEST_TAG: usize = 32;

/// Takes a line apart whose header names the program, or tells what RFC 5424 asks for; none if it has no such header.
#[inline]
pub(super) fn read<'a>(
    line: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> Option<Record<'a>> {
    usual(line, reference, times).or_else(|| unusual(line, reference, times))
}

/// RFC 3164 with or without priority and host, RFC 5424, ISO timestamps.
#[inline]
fn usual<'a>(line: &'a [u8], reference: i64, times: &mut Timestamps) -> Option<Record<'a>> {
    let text = if line.first() == Some(&b'<') { after_priority(line) } else { line };
    if let Some(rest) = text.strip_prefix(b"1 ")
        && text.len() < line.len()
        && let Some(inner) = rfc5424(rest, times)
    {
        return Some(inner);
    }
    let (time, rest) = timestamp(text, reference, times);
    let (host, tag) = host_and_tag(rest, time.is_some())?;
    if matches!(host.first(), Some(b'0'..=b'9' | b'@')) && is_instant(host) {
        return None;
    }
    let host = if is_level(host) { b"" } else { host };
    // Only syslog writes times like `Nov 23 12:00:00`; mail servers' own logs begin in other ways, and what follows
    // there may be a client's.
    let is_by_syslog = time.is_some() && text[0].is_ascii_uppercase();
    (is_by_syslog || (is_name(host) && is_name(tag.program))).then_some(Record {
        time,
        host,
        ..tag
    })
}

/// The time of a line that begins as Exim's own do, with a day, a blank and a clock, and what follows it.
pub(super) fn dated<'a>(line: &'a [u8], times: &mut Timestamps) -> Option<(i64, &'a [u8])> {
    let (time, end) = line.first()?.is_ascii_digit().then(|| times.exim(line)).flatten()?;
    Some((time, line[end..].strip_prefix(b" ")?))
}

/// What follows `<22>`, or the whole line.
pub(super) fn after_priority(line: &[u8]) -> &[u8] {
    let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    match line.get(1 + digits) {
        Some(b'>') if (1..=3).contains(&digits) => &line[2 + digits..],
        _ => line,
    }
}

#[inline]
fn timestamp<'a>(
    text: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> (Option<i64>, &'a [u8]) {
    let found = match text.first() {
        Some(b'A'..=b'Z') if text.get(15) == Some(&b' ') => {
            times.syslog(text, reference).map(|time| (time, 15))
        }
        Some(b'0'..=b'9') => times.rfc3339(text).or_else(|| times.exim(text)),
        _ => None,
    };
    match found {
        Some((time, end)) => {
            let rest = &text[end..];
            (Some(time), rest.strip_prefix(b" ").unwrap_or(rest))
        }
        None => (None, text),
    }
}

/// `host program[pid]: message`, or without the host, or without the colon.
#[inline]
fn host_and_tag(text: &[u8], dated: bool) -> Option<(&[u8], Record<'_>)> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    // A host name has no bracket and no colon at its end; a tag without host has.
    if text[space - usize::from(space > 0)] != b':'
        && let Some(tag) = tag(&text[space + 1..])
        && (dated || tag.pid.is_some())
    {
        return Some((&text[..space], tag));
    }
    let tag = tag(text)?;
    (tag.pid.is_some() || !begins_message(tag.program)).then_some((b"", tag))
}

/// `program[pid]: message`, `program[pid] message` or `program: message`.
// Nearly every line goes through here: what it finds then stays in registers.
#[inline(always)]
pub(super) fn tag(text: &[u8]) -> Option<Record<'_>> {
    let end = memchr3(b'[', b':', b' ', text)?;
    let program = &text[..end];
    let (pid, rest) = match text[end] {
        b'[' => match leading_number(&text[end + 1..])? {
            (pid, [b']', b':', rest @ ..] | [b']', rest @ ..]) => (Some(pid), rest),
            _ => return None,
        },
        b':' if text.get(end + 1).is_none_or(|next| *next == b' ') => (None, &text[end + 1..]),
        b':' => return colon_in_tag(text),
        _ => return None,
    };
    let message = match rest {
        [b' ', message @ ..] => message,
        _ => rest,
    };
    let message = match message.first() {
        Some(b' ' | b'[' | b'<' | b'\x1b') => undecorated(message),
        _ => message,
    };
    (!program.is_empty()).then_some(Record { time: None, host: b"", program, pid, message })
}

/// A tag with a colon in it, such as `image:version[pid]: message`.
///
/// A colon without a blank behind it ends no tag: it is a clock's, a level's, or that behind a file's name.
#[inline(never)]
fn colon_in_tag(text: &[u8]) -> Option<Record<'_>> {
    let (word, message) = text.split_at(memchr(b' ', text)?);
    let tag = word.strip_suffix(b"]:")?;
    let open = memrchr(b'[', tag)?;
    let (program, pid) = (&tag[..open], Some(number(&tag[open + 1..])?));
    Some(Record { program, pid, message: message.trim_ascii_start(), ..Record::default() })
}

/// A message without what some daemons put before it: `[ID 197553 mail.info] `, `<Info>: `, colours, more blanks.
#[inline(never)]
fn undecorated(message: &[u8]) -> &[u8] {
    let mut rest = message.trim_ascii_start();
    if let Some(id) = rest.strip_prefix(b"[ID ")
        && let Some(close) = memchr(b']', &id[..id.len().min(40)])
        && let Some(space) = memchr(b' ', &id[..close])
        && number(&id[..space]).is_some()
        && is_level(&id[space + 1..close])
    {
        rest = id[close + 1..].trim_ascii_start();
    }
    if let Some(level) = rest.strip_prefix(b"<")
        && let Some(close) = memchr(b'>', &level[..level.len().min(12)])
        && is_level(&level[..close])
        && let Some(message) = level[close + 1..].strip_prefix(b": ")
    {
        rest = message;
    }
    let coloured = rest;
    while let Some(behind) = super::colours::sequence(rest) {
        rest = behind.trim_ascii_start();
    }
    if rest.len() < coloured.len()
        && let Some(last) = memrchr(b'\x1b', rest)
        && super::colours::sequence(&rest[last..]).is_some_and(<[u8]>::is_empty)
    {
        rest = rest[..last].trim_ascii_end();
    }
    rest
}

/// RFC 5424 after its version: `TIMESTAMP HOST APP PROCID MSGID SD MESSAGE`.
#[inline(never)]
fn rfc5424<'a>(text: &'a [u8], times: &mut Timestamps) -> Option<Record<'a>> {
    let mut rest = text;
    let mut field = || {
        let space = memchr(b' ', rest)?;
        let field = &rest[..space];
        rest = &rest[space + 1..];
        Some(field)
    };
    let (stamp, host, program, pid, _msgid) = (field()?, field()?, field()?, field()?, field()?);
    let time = match stamp {
        b"-" => None,
        stamp => Some(times.rfc3339(stamp)?.0),
    };
    let message = after_structured_data(rest)?;
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    let nil = |field: &'a [u8]| if field == b"-" { &b""[..] } else { field };
    Some(Record { time, host: nil(host), program: nil(program), pid: number(pid), message })
}

/// Skips `-` or `[id name="value"]…`, whose values escape `"`, `\` and `]` with a backslash.
///
/// rsyslog hands on the blank that stood before a message behind its tag.
fn after_structured_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest.trim_ascii_start());
    }
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b' ' if !quoted && at > 0 && text[at - 1] == b']' => {
                return Some(text[at + 1..].trim_ascii_start());
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Headers with a time in any spelling, and with words around the host that tell the level.
#[inline(never)]
fn unusual<'a>(line: &'a [u8], reference: i64, times: &mut Timestamps) -> Option<Record<'a>> {
    let text = if line.first() == Some(&b'<') { after_priority(line) } else { line };
    if let Some(rest) = text.strip_prefix(b"1 2")
        && let Some(inner) = rfc5424(&text[text.len() - rest.len() - 1..], times)
    {
        return Some(inner);
    }
    // Exim's own lines begin with a day, a blank and a clock, and few of their words look like Postfix's daemons. Those
    // that prove nothing are many, so their time is not read once more.
    let is_exims = text.first()?.is_ascii_digit() && text.get(10) == Some(&b' ');
    let has_slash = |text: &[u8]| memchr(b'/', &text[..text.len().min(96)]).is_some();
    if is_exims && !has_slash(text) {
        return None;
    }
    let (time, end) = times.any(text, reference)?;
    let mut rest = text[end..].strip_prefix(b" ")?;
    if is_exims && !has_slash(rest) {
        return None;
    }
    let mut host = &b""[..];
    // A level before and behind the host, and who forwarded the message.
    for _ in 0..5 {
        rest = rest.trim_ascii_start();
        let forwarded = rest.strip_prefix(b"Message ").unwrap_or(rest);
        let forwarded = forwarded.strip_prefix(b"forwarded from ");
        if let Some(tag) = tag(rest).or_else(|| cut_tag(rest)) {
            let known = tag.pid.is_some() || !host.is_empty() || !begins_message(tag.program);
            let names = is_name(host) && is_name(tag.program);
            return (known && names).then_some(Record { time: Some(time), host, ..tag });
        }
        let space = memchr(b' ', rest)?;
        let (word, behind) = (&rest[..space], &rest[space + 1..]);
        if let Some(text) = forwarded
            && let Some(colon) = memchr(b' ', text)
            && let Some(from) = text[..colon].strip_suffix(b":")
        {
            (host, rest) = (from, &text[colon + 1..]);
        } else if is_level(word) {
            rest = behind;
        } else if host.is_empty() && is_name(word) && !is_instant(word) {
            (host, rest) = (word, behind);
        } else {
            return None;
        }
    }
    None
}

/// A header that is there beyond doubt: a time, and a tag with its process, or what Exim writes before its messages.
///
/// Nothing less is believed behind a header that named a program: what a program logs may be of strangers' choice, and
/// must not pass for another program's line because it looks a little like one.
pub(super) fn whole<'a>(
    text: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> Option<Record<'a>> {
    // The cheap question first: messages of other programs mostly begin with a small letter.
    let begins = |byte: &u8| matches!(byte, b'<' | b'A'..=b'Z' | b'0'..=b'9' | b'@');
    if !begins(text.first()?) && !has_clock(text) {
        return None;
    }
    let inner = read(text, reference, times);
    let is_whole =
        |inner: &Record<'_>| inner.time.is_some() && inner.pid.is_some() && inner.is_named();
    if let Some(inner) = inner.filter(is_whole) {
        return Some(inner);
    }
    let (time, end) = times.exim(text)?;
    is_exims(text[end..].strip_prefix(b" ")?).then_some(Record {
        time: Some(time),
        program: b"exim",
        message: text,
        ..Record::default()
    })
}

/// The whole header that a text of a named program has. Its own header must be more than a word with a colon.
pub(super) fn behind<'a>(
    transport: &Record<'_>,
    text: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> Option<Record<'a>> {
    let is_header =
        transport.time.is_some() || transport.pid.is_some() || transport.program.contains(&b'/');
    is_header.then(|| whole(text, reference, times)).flatten()
}

/// Whether a text behind its time begins as only Exim's main log does: a message id (`1xVWoN-0001PO-2u`, or
/// `1xA6ol-000000037ku-33mU` since 4.97), or a login that failed.
fn is_exims(text: &[u8]) -> bool {
    let text = match text.strip_prefix(b"[") {
        Some(pid) => pid.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default(),
        None => text,
    };
    let Some(space) = memchr(b' ', text) else { return false };
    let (word, rest) = text.split_at(space);
    let is_part = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
    let mut parts = word.split(|byte| *byte == b'-');
    let is_id = matches!(word.len(), 16 | 23)
        && matches!((parts.next(), parts.next(), parts.next(), parts.next()),
            (Some(seconds), Some(process), Some(fraction), None)
                if seconds.len() == 6 && matches!(fraction.len(), 2 | 4)
                    && is_part(seconds) && is_part(process) && is_part(fraction));
    is_id || (is_name(word) && rest.starts_with(b" authenticator failed for "))
}

/// A tag that lost its end, as a forwarding daemon sent its first 32 bytes only: `postfix/submission/smtpd[1329559 message`.
fn cut_tag(text: &[u8]) -> Option<Record<'_>> {
    let (tag, message) = text.split_at_checked(LONGEST_TAG)?;
    let message = message.strip_prefix(b" ")?;
    let (program, pid) = match memchr(b'[', tag) {
        Some(open) => (&tag[..open], number(&tag[open + 1..])),
        None => (tag, None),
    };
    let is_whole = memchr3(b' ', b':', b'[', program).is_none() && memchr(b'/', program).is_some();
    let is_tag = is_whole && (pid.is_some() || program.len() >= LONGEST_TAG - 1);
    is_tag.then_some(Record { program, pid, message, ..Record::default() })
}

/// Whether bytes can be a host's or a program's name: a HELO argument in parentheses, a field, a quoted text or an
/// object, which a client may have put there, is none.
pub(super) fn is_name(text: &[u8]) -> bool {
    const OTHERS: [bool; 256] = {
        let (mut table, mut byte) = ([false; 256], 0);
        while byte < 256 {
            table[byte] = matches!(byte as u8, b'(' | b'=' | b'"' | b'<' | b'{');
            byte += 1;
        }
        table
    };
    let is_other = |byte: &u8| OTHERS[usize::from(*byte)];
    // Eight bytes are looked at before the next decision.
    let (eights, rest) = text.as_chunks::<8>();
    !eights.iter().any(|eight| eight.iter().fold(false, |any, byte| any | is_other(byte)))
        && !rest.iter().any(is_other)
}

/// Whether a word is a time in itself: that of a line of which only another time was taken off.
#[inline(never)]
fn is_instant(word: &[u8]) -> bool {
    match word {
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T', ..] | [b'@', ..] => true,
        [b'0'..=b'9', .., b'0'..=b'9'] if word.len() > 15 => {
            let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
            word.iter().all(is_part)
        }
        _ => false,
    }
}

/// Whether a word with a colon is how servers begin a message, rather than a program: where the tag is left out, both
/// stand in the same place.
#[inline(never)]
fn begins_message(word: &[u8]) -> bool {
    let upper = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    let long = |byte: &u8| byte.is_ascii_alphanumeric() && !b"aeiouAEIOU".contains(byte);
    let fixed: [&[u8]; 9] = [
        b"warning",
        b"Warning",
        b"error",
        b"fatal",
        b"panic",
        b"statistics",
        b"NOQUEUE",
        b"proxy-accept",
        b"proxy-reject",
    ];
    // Queue ids, long and short.
    (word.len() >= 12 && word[0].is_ascii_digit() && word.iter().all(long))
        || ((6..=20).contains(&word.len()) && word.iter().all(upper))
        || fixed.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: i64 = 1_795_435_200; // 2026-11-23T12:00Z

    type Parts = (Option<i64>, String, String, Option<u32>, String);

    fn parts(line: &str) -> Option<Parts> {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let Record { time, host, program, pid, message } =
            read(line.as_bytes(), REFERENCE, &mut times)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some((time, text(host), text(program), pid, text(message)))
    }

    #[test]
    fn every_variant_of_header_gives_the_same_parts() {
        for (begins, host, ends) in [
            ("Nov 23 12:00:00 mail ", "mail", ": "),
            ("<22>Nov 23 12:00:00 mail ", "mail", ": "),
            ("2026-11-23T13:00:00+01:00 mail ", "mail", ": "),
            ("2026-11-23T13:00:00.5+01:00 mail ", "mail", " "),
            ("2026-11-23 12:00:00.123 mail ", "mail", ": "),
            ("2026/11/23 12:00:00 mail ", "mail", ": "),
            ("2026 Nov 23 12:00:00 mail ", "mail", ": "),
            ("Nov 23 2026 12:00:00 mail ", "mail", ": "),
            ("Nov 23 12:00:00.123456 mail ", "mail", ": "),
            ("nov. 23 12:00:00 mail ", "mail", ": "),
            ("Mon 2026-11-23 12:00:00 UTC mail ", "mail", ": "),
            ("Mon 2026-11-23 13:00:00 CET mail ", "mail", ": "),
            ("1795435200.123456 mail ", "mail", ": "),
            ("Nov 23 12:00:00 mail mail.info ", "mail", ": "),
            ("Nov 23 12:00:00 mail mail:info ", "mail", ": "),
            ("Mon Nov 23 12:00:00 2026 mail.info ", "", ": "),
            ("Nov 23 12:00:00 <mail.info> mail ", "mail", ": "),
            ("Nov 23 12:00:00 <mail.info> ", "", ": "),
            ("Nov 23 12:00:00 <2.6> mail ", "mail", ": "),
            ("Nov 23 12:00:00 mail ", "mail", ": [ID 197553 mail.info] "),
            ("Nov 23 12:00:00 mail ", "mail", " <Info>: "),
            ("Nov 23 12:00:00 mail ", "mail", ":  "),
            ("Nov 23 12:00:00 mail ", "mail", ": \u{1b}[0;1;39m\u{1b}[1m"),
            ("Nov 23 12:00:00 relay Message forwarded from mail: ", "mail", ": "),
            ("Nov 23 12:00:00 relay mail:info forwarded from mail: ", "mail", ": "),
            ("2026-11-23T12:00:00.123456+00:00 INFO    ", "", ": "),
            ("2026-11-23T12:00:00.123456+00:00 INFO ", "", ": "),
            ("2026-11-23 12:00:00.123456+0000  mail ", "mail", ": "),
            ("Nov 23 12:00:00 ", "", ": "),
        ] {
            let line = format!("{begins}postfix/smtpd[12]{ends}hello");
            let expected =
                (Some(REFERENCE), host.into(), "postfix/smtpd".into(), Some(12), "hello".into());
            assert_eq!(parts(&line), Some(expected), "{line}");
        }
        for (begins, host) in [("mail ", "mail"), ("", ""), ("mail.info ", "")] {
            let line = format!("{begins}postfix/smtpd[12]: hello");
            let expected = (None, host.into(), "postfix/smtpd".into(), Some(12), "hello".into());
            assert_eq!(parts(&line), Some(expected), "{line}");
        }
    }

    #[test]
    fn rfc_5424_gives_its_fields() {
        for line in [
            "<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 - - hello",
            "<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 - -  hello",
            "<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 x [a b=\"\\] \"] hello",
            "<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 x [a b=\"c\"][d]  hello",
            "1 2026-11-23T12:00:00Z mail postfix/smtpd 12 - - hello",
        ] {
            let expected =
                (Some(REFERENCE), "mail".into(), "postfix/smtpd".into(), Some(12), "hello".into());
            assert_eq!(parts(line), Some(expected), "{line}");
        }
        let line = "<22>1 - - - - - -  {}";
        assert_eq!(parts(line), Some((None, String::new(), String::new(), None, "{}".into())));
    }

    #[test]
    fn a_tag_that_was_cut_keeps_what_is_left_of_it() {
        for (tag, program, pid) in [
            ("postfix/submission/smtpd[1329559", "postfix/submission/smtpd", Some(1_329_559)),
            ("postfix/submission/smtpd[132955]", "postfix/submission/smtpd", Some(132_955)),
            ("postfix-submission-tls/smtpd[132", "postfix-submission-tls/smtpd", Some(132)),
            ("postfix/submission-tls-in/smtpd[", "postfix/submission-tls-in/smtpd", None),
            ("postfix/submission-tls-two/smtpd", "postfix/submission-tls-two/smtpd", None),
        ] {
            let line = format!("Nov 23 12:00:00 mail {tag} connect from x");
            let expected =
                (Some(REFERENCE), "mail".into(), program.into(), pid, "connect from x".into());
            assert_eq!(parts(&line), Some(expected), "{line}");
        }
        for tag in ["postfix/submission/smtpd[13295", "postfix/submission/smtpd[13295590"] {
            assert_eq!(parts(&format!("Nov 23 12:00:00 mail {tag} connect from x")), None, "{tag}");
        }
    }

    #[test]
    fn a_tag_may_have_a_colon_and_a_level_may_be_a_hosts_name() {
        let line = "Nov 23 12:00:00 box mail/postfix:3.9/mx1[811]: hello";
        let (_, host, program, pid, message) = parts(line).expect("a header");
        assert_eq!(
            (host.as_str(), program.as_str(), pid, message.as_str()),
            ("box", "mail/postfix:3.9/mx1", Some(811), "hello")
        );
        let line = "Nov 23 12:00:00 192.0.2.6 postfix/smtpd[1]: hello";
        assert_eq!(parts(line).expect("a header").1, "192.0.2.6", "an address is no level");
    }

    #[test]
    fn a_line_without_header_is_none() {
        for line in [
            "",
            " ",
            "<>",
            "<22>",
            "4AA091855DA0: client=unknown[192.0.2.1]",
            "3Q5Xk12HLyz4w5d: client=unknown[192.0.2.1]",
            "warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x",
            "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554",
            "2026-11-23T12:00:00Z 4AA091855DA0: client=unknown[192.0.2.1]",
            "2026-11-23T12:00:00Z connect from unknown[192.0.2.1]",
            "2026-11-23T12:00:00Z 2026-11-23 12:00:00 1xVWoN-0001PO-2u Completed",
            "2026-11-23T12:00:00Z 2026-11-23T12:00:00.1+00:00 mail postfix/smtpd[1]: x",
            "2026-11-23T12:00:00Z 2026-11-23T12:00:00.1+00:00 postfix/smtpd[1]: x",
            "2026-11-23T12:00:00Z 2026-11-23T12:00:00.1+00:00 INFO    postfix/smtpd[1]: x",
            "2026-11-23T12:00:00Z 1795435200.123456 INFO postfix/smtpd[1]: x",
            "2026-11-23 12:00:00 H=(postfix/smtpd[1]: x) [192.0.2.1] F=<a@x.test> rejected",
            "2026-11-23 12:00:00 SMTP call from mail postfix/smtpd[1]: x",
            "2026-11-23 12:00:00 INFO (postfix/smtpd[1]: x",
        ] {
            assert_eq!(parts(line), None, "{line}");
        }
    }

    #[test]
    fn whole_is_a_time_and_a_tag_with_its_process_or_exims_line() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let mut is_whole = |text: &str| {
            whole(text.as_bytes(), REFERENCE, &mut times).map(|inner| inner.program.to_vec())
        };
        for text in [
            "2026-11-23 12:00:00 1xVWoN-0001PO-2u <= a@x.test",
            "2026-11-23 12:00:00.123 +0100 [77] 1xA6ol-000000037ku-33mU <= a@x.test",
            "2026-11-23 12:00:00 plain authenticator failed for (h) [192.0.2.1]: 535",
        ] {
            assert!(is_whole(text).is_some_and(|program| program == b"exim"), "{text}");
        }
        assert!(is_whole("Nov 23 12:00:00 mail mail.info postfix/smtpd[1]: x").is_some());
        for text in [
            "",
            "postfix/smtpd[1]: x",
            "mail postfix/smtpd[1]: x",
            "Nov 23 12:00:00 mail postfix/smtpd: x",
            "Nov 23 12:00:00 connect from x",
            "2026-11-23 12:00:00 x-y-z <= a@x.test",
            "2026-11-23 12:00:00 1xVWoN-0001PO-2u",
            "2026-11-23 12:00:00 (x authenticator failed for (h) [192.0.2.1]: 535",
            "2026-11-23 12:00:00 H=(1xVWoN-0001PO-2u <= a@x.test",
            "2026-11-23T12:00:00 1xVWoN-0001PO-2u <= a@x.test",
        ] {
            assert!(is_whole(text).is_none(), "{text}");
        }
    }
}
