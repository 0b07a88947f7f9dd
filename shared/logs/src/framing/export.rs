//! The journal's export format: entries of one field a line, with an empty line between two.
//!
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>: a field that is no text of one line has its name alone on a line,
//! and behind it eight bytes with its length, little-endian, and that many bytes.

use serde::{Deserialize, Serialize};

/// The most bytes of a field that are kept.
const LONGEST: usize = 1 << 16;
/// What every entry begins with.
const FIRST: &[u8] = b"__CURSOR=";
/// The fields that tell something of a line, by their names in the journal.
const WANTED: &[&str] = &[
    "MESSAGE",
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "_HOSTNAME",
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "SYSLOG_PID",
    "_PID",
    "CONTAINER_NAME",
    "CONTAINER_ID",
];

/// An entry, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Whether its first line was read.
    is_begun: bool,
    /// Places among those wanted, and values.
    fields: Vec<(u8, Vec<u8>)>,
    /// The name of a field whose length and bytes are being read, and what came of them.
    field: Option<(Vec<u8>, Vec<u8>)>,
}

/// What a line was.
pub(super) enum Read {
    /// A part of the entry.
    Part,
    /// What ends the entry: the empty line, or the next one's beginning, which must be read again.
    End { again: bool },
    /// Nothing that can stand in an entry.
    Malformed,
}

impl Entry {
    /// Whether a line is the first of an entry.
    pub(super) fn begins(line: &[u8]) -> bool {
        line.starts_with(FIRST)
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        let field = self.field.as_ref().map_or(0, |(name, bytes)| name.len() + bytes.len());
        self.fields.iter().map(|(_, value)| value.len()).sum::<usize>() + field
    }

    /// Reads the next line, without its end.
    pub(super) fn read(&mut self, line: &[u8]) -> Read {
        if let Some((name, mut bytes)) = self.field.take() {
            bytes.extend_from_slice(line);
            match binary(&bytes) {
                Some(value) => self.set(&name, value),
                None if bytes.len() > LONGEST => return Read::Malformed,
                None => {
                    // The line's end was one of its bytes.
                    bytes.push(b'\n');
                    self.field = Some((name, bytes));
                }
            }
            return Read::Part;
        }
        if line.is_empty() || line == b"\r" {
            return Read::End { again: false };
        }
        if std::mem::replace(&mut self.is_begun, true) && Self::begins(line) {
            return Read::End { again: true };
        }
        let name = line.iter().take_while(|byte| is_name(**byte)).count();
        match line.get(name) {
            Some(b'=') if name > 0 => self.set(&line[..name], &line[name + 1..]),
            None if name > 0 => self.field = Some((line.to_vec(), Vec::new())),
            _ => return Read::Malformed,
        }
        Read::Part
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        let Some(wanted) = WANTED.iter().position(|wanted| wanted.as_bytes() == name) else {
            return;
        };
        // All together are not longer than a line may be.
        let room = LONGEST.saturating_sub(self.weight());
        let value = value[..value.len().min(room)].to_vec();
        self.fields.push((u8::try_from(wanted).unwrap_or(u8::MAX), value));
    }

    /// The entry as `journalctl -o json` would have written it; none if it has no message.
    pub(super) fn into_json(self) -> Option<Vec<u8>> {
        if !self.fields.iter().any(|(wanted, _)| *wanted == 0) {
            return None;
        }
        let mut object = serde_json::Map::new();
        for (wanted, value) in self.fields {
            let name = WANTED.get(usize::from(wanted))?;
            let value = match String::from_utf8(value) {
                Ok(text) => text.into(),
                Err(bytes) => bytes.into_bytes().into(),
            };
            object.insert((*name).to_owned(), value);
        }
        serde_json::to_vec(&object).ok()
    }
}

/// The bytes behind their length, if all are there.
fn binary(bytes: &[u8]) -> Option<&[u8]> {
    let (length, value) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    value.get(..length)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8]) -> Vec<serde_json::Value> {
        let (mut entry, mut found) = (Entry::default(), Vec::new());
        for line in text.split(|byte| *byte == b'\n') {
            match entry.read(line) {
                Read::Part => {}
                Read::Malformed => panic!("{}", String::from_utf8_lossy(line)),
                Read::End { again } => {
                    let whole = std::mem::take(&mut entry).into_json();
                    found.extend(whole.map(|json| serde_json::from_slice(&json).expect("JSON")));
                    if again {
                        assert!(matches!(entry.read(line), Read::Part));
                    }
                }
            }
        }
        found
    }

    #[test]
    fn entries_with_text_and_with_bytes() {
        let mut text = b"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1795431600123456\n_HOSTNAME=mail\n\
            SYSLOG_IDENTIFIER=postfix/smtpd\nSYSLOG_PID=7\n_PID=8\nMESSAGE=hello=1\n\n\
            __CURSOR=s=1;i=2\n_COMM=exim4\n_PID=9\nMESSAGE\n"
            .to_vec();
        // Ten bytes, so that the length itself holds a line's end.
        text.extend_from_slice(&10u64.to_le_bytes());
        text.extend_from_slice(b"ab\ncd\xff\n\0hi\nPRIORITY=6\n__CURSOR=s=1;i=3\n_COMM=x\n\n");
        let found = entries(&text);
        let first = serde_json::json!({
            "__REALTIME_TIMESTAMP": "1795431600123456", "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": "postfix/smtpd",
            "SYSLOG_PID": "7", "_PID": "8", "MESSAGE": "hello=1"
        });
        assert_eq!(found[0], first);
        let bytes = b"ab\ncd\xff\n\0hi".to_vec();
        let second = serde_json::json!({"_COMM": "exim4", "_PID": "9", "MESSAGE": bytes});
        assert_eq!(found[1], second);
        assert_eq!(found.len(), 2, "an entry without a message is none");
    }

    #[test]
    fn what_is_no_entry_is_told() {
        let mut entry = Entry::default();
        assert!(matches!(entry.read(b"Nov 23 11:00:00 mail x[1]: y"), Read::Malformed));
        assert!(Entry::begins(b"__CURSOR=s=1") && !Entry::begins(b"MESSAGE=x"));
        let mut entry = Entry::default();
        assert!(matches!(entry.read(b"MESSAGE"), Read::Part));
        let endless = [&u64::MAX.to_le_bytes()[..], &vec![b'x'; LONGEST + 1]].concat();
        assert!(matches!(entry.read(&endless), Read::Malformed), "bounded");
    }
}
