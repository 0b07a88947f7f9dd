//! Whether a text begins with an event, told by its first bytes.

/// So many bytes tell it: longer names and texts stand in front of no event's list.
const HEAD: usize = 4096;

/// The names by which the present value is reached, and what was seen of them.
#[derive(Default)]
struct Seen<'a> {
    /// Containers that are open, the outermost first: whether each is an object.
    open: Vec<bool>,
    /// The name in the outermost object.
    root: &'a [u8],
    /// Firehose's own names stand beside the list.
    is_firehose: bool,
    /// An element of a list has data, and nothing yet that tells whose it is.
    has_data: bool,
}

/// Whether a text that begins so begins with an event; none if more of it must come.
///
/// Names alone tell it: what a program logged stands in texts.
pub(crate) fn meant(text: &[u8]) -> Option<bool> {
    let head = &text[..text.len().min(HEAD)];
    let mut rest = crate::lines::without_mark(head).trim_ascii_start();
    if let [b'[', behind @ ..] = rest {
        rest = behind.trim_ascii_start();
    }
    match rest.first() {
        None => return if text.len() < HEAD { None } else { Some(false) },
        Some(b'{') => {}
        Some(_) => return Some(false),
    }
    let mut seen = Seen::default();
    let mut is_name = false;
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                is_name = byte == b'{';
                seen.open.push(is_name);
            }
            b'}' | b']' => {
                seen.open.pop();
                if seen.open.is_empty() {
                    return Some(false);
                }
            }
            b',' => is_name = seen.open.last() == Some(&true),
            b'"' => {
                let Some(length) = string(&rest[at..]) else { break };
                let text = &rest[at..at + length];
                at += length + 1;
                if text.contains(&b'\n') {
                    return Some(false);
                }
                if std::mem::take(&mut is_name) && seen.is_told(text) {
                    return Some(true);
                }
            }
            _ => {}
        }
    }
    (text.len() >= HEAD).then_some(seen.has_data)
}

impl<'a> Seen<'a> {
    /// Whether this name tells that it is an event.
    fn is_told(&mut self, name: &'a [u8]) -> bool {
        match self.open.as_slice() {
            [true] => {
                self.root = name;
                self.is_firehose |= matches!(name, b"invocationId" | b"deliveryStreamArn");
                name == b"awslogs"
            }
            [true, false, true] => match (self.root, name) {
                (b"Records", b"kinesis" | b"SequenceNumber" | b"ApproximateArrivalTimestamp")
                | (b"records", b"recordId") => true,
                (b"records", b"data") => {
                    self.has_data = true;
                    self.is_firehose
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// How long a text in quotation marks is; none if it does not end.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_by_their_names_and_by_no_text() {
        for text in [
            r#"{"awslogs":"#,
            "\u{feff}[ {\n \"awslogs\"",
            r#"{"Records":[{"kinesis""#,
            r#"{"Records":[{"awsRegion":"eu","eventID":"a\"b","kinesis""#,
            r#"{"MillisBehindLatest":0,"NextShardIterator":"AAA","Records":[{"ApproximateArrivalTimestamp""#,
            r#"{"invocationId":"x","records":[{"data""#,
            r#"{"records":[{"recordId""#,
        ] {
            assert_eq!(meant(text.as_bytes()), Some(true), "{text}");
            assert_eq!(meant(&text.as_bytes()[..text.len() - 3]), None, "{text}");
        }
        for text in [
            "Nov 26 06:00:00 mail postfix/smtpd[7]: connect\n",
            r#"{"log":"{\"awslogs\":1}"}"#,
            r#"{"log":"awslogs","a":{"awslogs":1}}"#,
            r#"{"Records":[{"s3":{"bucket":{}}}]}"#,
            r#"{"Records":["kinesis"]}"#,
            r#"[1, {"awslogs""#,
            "{\"a\n\"awslogs\"",
            "[core] line",
        ] {
            assert_eq!(meant(text.as_bytes()), Some(false), "{text}");
        }
        let long = |text: &str| meant(format!("{text}{}", "x".repeat(HEAD)).as_bytes());
        assert_eq!(long(r#"{"records":[{"data":""#), Some(true));
        assert_eq!(long(r#"{"log":""#), Some(false));
    }
}
