//! What bytes are, told by the first of them: never by a file's name.

use std::io::{self, Read};

/// So many bytes tell every form: a header of tar is the longest.
const TOLD: usize = 512;
/// So many tell every form but tar, whose headers have no line ends; of a short line of text, fewer do.
const TOLD_OF_TEXT: usize = 16;

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines, or nothing that is known.
    Text,
    /// UTF-16, big-endian or not.
    Utf16 { is_big: bool },
    /// One stream of bytes, compressed.
    Packed(Packing),
    /// Files in one, one behind the other.
    Tar,
    /// Files in one, each compressed.
    Zip,
    /// Something that is not read: what it is, and what to do, in words for a person.
    Unread(&'static str),
}

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// RFC 1952.
    Gzip,
    /// As `bzip2` writes it.
    Bzip2,
    /// As `xz` writes it: LZMA2 with checksums.
    Xz,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl Packing {
    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// Whether bytes can begin like this whose first this is.
    pub(crate) fn may_begin(self, first: u8) -> bool {
        match self {
            Self::Gzip => first == 0x1f,
            Self::Bzip2 => first == b'B',
            Self::Xz => first == 0xfd,
            Self::Zstd => matches!(first, 0x28 | 0x50..=0x5f),
            Self::Lz4 => first == 0x04,
        }
    }

    /// Whether bytes begin like this.
    pub(crate) fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Gzip => bytes.starts_with(&[0x1f, 0x8b]),
            // Then comes pi at the begin of a block, or its root at the end of the data. Text can begin with BZh.
            Self::Bzip2 => matches!(
                bytes,
                [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
                    | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..]
            ),
            Self::Xz => bytes.starts_with(b"\xfd7zXZ\0"),
            // Frames to be skipped stand before others, where several programs compress at once.
            Self::Zstd => {
                matches!(bytes, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
            }
            Self::Lz4 => bytes.starts_with(&[0x04, 0x22, 0x4d, 0x18]),
        }
    }
}

const PACKINGS: [Packing; 5] =
    [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4];

/// What is not read: the bytes that it has at an offset, and what to say of it.
const UNREAD: [(usize, &[u8], &str); 42] = [
    (0, b"7z\xbc\xaf\x27\x1c", "looks like 7z: unpack it first"),
    (0, b"Rar!\x1a\x07", "looks like RAR: unpack it first"),
    (0, b"\x89LZO\0\r\n\x1a\n", "looks like lzop: unpack it first"),
    (0, b"LZIP\x01", "looks like lzip: unpack it first"),
    (0, b"]\0\0", "looks like lzma: unpack it first"),
    (0, b"\x1f\x9d", "looks like compress (.Z): unpack it first"),
    (0, b"\x1f\xa0", "looks like compress -H: unpack it first"),
    (0, b"\x1f\x1e", "looks like pack: unpack it first"),
    (0, b"\x02\x21\x4c\x18", "looks like lz4 in its legacy form: unpack it first"),
    (0, b"\xff\x06\0\0sNaPpY", "looks like snappy: unpack it first"),
    (0, b"MSCF\0\0\0\0", "looks like a cabinet file: unpack it first"),
    (0, b"xar!\0", "looks like xar: unpack it first"),
    (0, b"!<arch>\n", "looks like an ar archive or a Debian package, not like a log"),
    (0, b"\xed\xab\xee\xdb", "looks like an RPM package, not like a log"),
    (0, b"Salted__", "looks encrypted: decrypt it first"),
    (0, b"age-encryption.org/", "looks encrypted with age: decrypt it first"),
    (0, b"-----BEGIN PGP MESSAGE", "looks encrypted with PGP: decrypt it first"),
    (0, b"-----BEGIN AGE ENCRYPTED", "looks encrypted with age: decrypt it first"),
    (0, b"LPKSHHRH", "looks like a systemd journal file: read it with journalctl -o json"),
    (0, b"ElfFile\0", "looks like a Windows event log (EVTX): export it as JSON or text first"),
    (0, b"0\0\0\0LfLe", "looks like a Windows event log (EVT): export it as text first"),
    (0, b"PAR1\x15", "looks like Parquet: export it as JSON lines first"),
    (0, b"ORC\x08", "looks like ORC: export it as JSON lines first"),
    (0, b"Obj\x01", "looks like Avro: export it as JSON lines first"),
    (0, b"ARROW1\0\0", "looks like Arrow: export it as JSON lines first"),
    (0, b"SQLite format 3\0", "looks like an SQLite database: export it as JSON lines first"),
    (0, b"\xd4\xc3\xb2\xa1", "looks like captured packets (pcap), not like a log"),
    (0, b"\xa1\xb2\xc3\xd4", "looks like captured packets (pcap), not like a log"),
    (0, b"\x4d\x3c\xb2\xa1", "looks like captured packets (pcap), not like a log"),
    (0, b"\xa1\xb2\x3c\x4d", "looks like captured packets (pcap), not like a log"),
    (0, b"\x0a\x0d\x0d\x0a", "looks like captured packets (pcapng), not like a log"),
    (0, b"\x89PNG\r\n\x1a\n", "looks like a PNG image, not like a log"),
    (0, b"\xff\xd8\xff", "looks like a JPEG image, not like a log"),
    (0, b"GIF87a", "looks like a GIF image, not like a log"),
    (0, b"GIF89a", "looks like a GIF image, not like a log"),
    (8, b"WEBPVP8", "looks like a WebP image, not like a log"),
    (0, b"%PDF-", "looks like a PDF document, not like a log: export it as text"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1", "looks like an Office document: export it as text or CSV"),
    (0, b"\x7fELF", "looks like a program, not like a log"),
    (0, b"MZ\x90\0", "looks like a program, not like a log"),
    (0, b"\xff\xfe\0\0", "looks like UTF-32: convert it to UTF-8 first"),
    (0, b"\0\0\xfe\xff", "looks like UTF-32: convert it to UTF-8 first"),
];

impl Form {
    /// What bytes are that begin so.
    pub(crate) fn of(head: &[u8]) -> Self {
        let head = telling(head);
        if let Some(packing) = PACKINGS.into_iter().find(|packing| packing.begins(head)) {
            return Self::Packed(packing);
        }
        let stands =
            |at: &usize, bytes: &[u8]| head.get(*at..).is_some_and(|h| h.starts_with(bytes));
        if let Some((_, _, what)) = UNREAD.iter().find(|(at, bytes, _)| stands(at, bytes)) {
            return Self::Unread(what);
        }
        match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Self::Zip,
            [0xff, 0xfe, ..] => Self::Utf16 { is_big: false },
            [0xfe, 0xff, ..] => Self::Utf16 { is_big: true },
            _ if is_tar(head) => Self::Tar,
            _ => utf16_without_mark(head).unwrap_or(Self::Text),
        }
    }
}

/// Whether this is the first header of a tar archive: its checksum says so, in all that were ever written. Nobody can
/// write a line that looks like it: NULs stand where no form of header has a field.
fn is_tar(head: &[u8]) -> bool {
    let Some((header, told)) = head.get(..TOLD).zip(head.get(148..156)) else { return false };
    if header[0] == 0 || header[500..508] != [0; 8] {
        return false;
    }
    let told = told.trim_ascii_start();
    let digits = told.iter().take_while(|byte| (b'0'..=b'7').contains(byte));
    let told = digits.fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0'));
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let field: u32 = header[148..156].iter().map(|byte| u32::from(*byte)).sum();
    // Counted as if blanks stood in the field of the checksum itself.
    sum - field + 8 * u32::from(b' ') == told
}

/// What of a text's beginning tells what it is: so much is always there, however the bytes come.
fn telling(head: &[u8]) -> &[u8] {
    &head[..told_by(head).unwrap_or(head.len())]
}

/// How many bytes tell what it is that begins so; none if more must come.
fn told_by(head: &[u8]) -> Option<usize> {
    let first = memchr::memchr(b'\n', head)? + 1;
    if first >= TOLD_OF_TEXT {
        return Some(first);
    }
    let short = &head[..head.len().min(TOLD_OF_TEXT)];
    let mut ends = memchr::memchr_iter(b'\n', short).map(|end| end + 1);
    ends.find(|end| is_surely_text(&short[..*end]))
        .or((short.len() == TOLD_OF_TEXT).then_some(TOLD_OF_TEXT))
}

/// Whether whole lines, with a hole before them or not, are the beginning of nothing but text, or tell already what else.
fn is_surely_text(lines: &[u8]) -> bool {
    let hole = lines.iter().take_while(|byte| **byte == 0).count();
    let is_of_text = |byte: &u8| *byte >= b' ' || b"\t\r\n".contains(byte);
    let may_go_on = |(at, magic, _): &(usize, &[u8], &str)| match at {
        0 => magic.len() > lines.len() && magic.starts_with(lines),
        // Between the two stands how long it is.
        _ => lines.starts_with(b"RIFF"),
    };
    let lines_behind = &lines[hole..];
    lines_behind.iter().all(is_of_text)
        && lines_behind.iter().any(|byte| *byte > b' ')
        && !UNREAD.iter().any(may_go_on)
}

/// UTF-16 without a byte order mark: of the first characters, which are ASCII in a log, every other byte is NUL.
fn utf16_without_mark(head: &[u8]) -> Option<Form> {
    let (pairs, _) = head[..head.len().min(64)].as_chunks::<2>();
    let all = |is: fn(&[u8; 2]) -> bool| pairs.len() >= 4 && pairs.iter().all(is);
    if all(|pair| pair[0] != 0 && pair[1] == 0) {
        return Some(Form::Utf16 { is_big: false });
    }
    all(|pair| pair[0] == 0 && pair[1] != 0).then_some(Form::Utf16 { is_big: true })
}

/// Reads as many bytes as tell what they are; no more than that of a text that is written just now.
pub(crate) fn told(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; TOLD];
    let mut length = 0;
    let is_told = |bytes: &[u8]| bytes.len() == TOLD || told_by(bytes).is_some();
    while !is_told(&bytes[..length]) {
        match reader.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// Whether a text's beginning has so many control characters that it is none.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    let is_control = |byte: u8| byte < b' ' && !b"\t\n\r\x0b\x0c\x1b".contains(&byte);
    // A hole is as good as one NUL.
    let mut before = None;
    let controls = head.iter().filter(|byte| {
        let is_first = before.replace(**byte) != Some(**byte);
        is_control(**byte) && (**byte != 0 || is_first)
    });
    controls.count() > head.len() / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_is_does_not_depend_on_how_much_of_it_has_come() {
        let units = "Nov 26 06:00:00\nmail".encode_utf16().flat_map(u16::to_be_bytes);
        let mut bytes: Vec<u8> = units.collect();
        bytes.extend_from_slice(&[0xff; 40]);
        let told = bytes.iter().position(|byte| *byte == b'\n').expect("a line's end") + 1;
        for length in [told, told + 9, bytes.len()] {
            assert_eq!(Form::of(&bytes[..length]), Form::Utf16 { is_big: true }, "{length}");
        }
    }

    #[test]
    fn text_is_no_other_form_whatever_it_begins_with() {
        for text in [
            &b"BZh9 is no compressed data\n"[..],
            b"PKI of example.org\n",
            b"LZIP, LPKS and Rar!\n",
            b"Nov 26 06:00:00 mail postfix/smtpd[7]: connect\n",
            b"PAR1 OBJ GIF8 MZ\n",
            b"{\"a\":1}",
            b"a\0b\0",
            b"\xef\xbb\xbfa",
            b"",
            b"\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(Form::of(text), Form::Text, "{}", text.escape_ascii());
        }
        assert_eq!(Form::of(&[0; 1024]), Form::Text, "a hole is no tar");
        assert_eq!(Form::of(&[b'a'; 1024]), Form::Text);
    }

    #[test]
    fn utf_16_is_told_with_and_without_a_mark() {
        let little: Vec<u8> = "Nov 26".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "Nov 26".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, text, is_big) in [
            (&b"\xff\xfe"[..], &little, false),
            (b"\xfe\xff", &big, true),
            (b"", &little, false),
            (b"", &big, true),
        ] {
            assert_eq!(Form::of(&[mark, text].concat()), Form::Utf16 { is_big });
        }
    }

    #[test]
    fn what_is_not_read_is_told() {
        let told = |head: &[u8]| match Form::of(head) {
            Form::Unread(what) => what,
            other => panic!("{other:?}"),
        };
        assert!(told(b"LPKSHHRH\0\0").contains("journalctl -o json"));
        assert!(told(b"7z\xbc\xaf\x27\x1c\0\x04").contains("7z"));
        assert!(told(b"RIFF\x10\0\0\0WEBPVP8 ").contains("image"));
        for (at, bytes, what) in UNREAD {
            assert_eq!(told(&[&vec![b'.'; at], bytes].concat()), what);
        }
    }

    #[test]
    fn a_hole_makes_no_text_binary() {
        assert!(!is_binary(&[&b"Nov 26 line\n"[..], &[0; 4000], b"Nov 26 line\n"].concat()));
        assert!(!is_binary(b"\x1b[1mbold\x1b[0m\n"));
        assert!(is_binary(&(0..=255).collect::<Vec<u8>>()));
        assert!(!is_binary(b""));
    }

    #[test]
    fn a_line_that_was_just_written_is_not_kept_waiting() {
        struct Once(bool);
        impl Read for Once {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                assert!(!std::mem::replace(&mut self.0, true), "it would wait");
                to[..20].copy_from_slice(b"Nov 26 line of text\n");
                Ok(20)
            }
        }
        assert_eq!(told(&mut Once(false)).expect("ok").len(), 20);
    }
}
