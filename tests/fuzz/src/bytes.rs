//! What must hold of bytes that are not lines yet.

use std::io::{self, Cursor, Read};

use md5::{Digest as _, Md5};
use unpack::record::{self, Decoded, Inflater, Large};
use unpack::{Lines, Pieces, Text};

/// So much text is read: what inflates for ever is somebody else's time.
const TEXT: u64 = 4 << 20;

/// Gives a few bytes at a time, as a pipe does.
struct Slowly(Cursor<Vec<u8>>, usize);

impl Read for Slowly {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = to.len().min(self.1);
        self.0.read(&mut to[..length])
    }
}

/// Opens a file, and reads its text: it is the same, or as damaged, however the bytes come.
pub fn packed(data: &[u8]) {
    let whole = text(data, usize::MAX);
    let slowly = text(data, 13);
    assert!(whole == slowly, "however the bytes come");
    let (text, _) = whole;
    let (mut lines, mut found) = (Lines::new(text.as_slice(), 0), 0);
    while lines.read(|line| found = ends(found, line)).expect("in memory") {}
    lines.rest().into_iter().for_each(|line| found = ends(found, line));
    assert_eq!(found, text.len() as u64);
    let (mut pieces, mut found) = (Pieces::new(text.as_slice(), 0), 0);
    while pieces.read(|piece| found = ends(found, piece)).expect("in memory") {}
    pieces.rest().into_iter().for_each(|piece| found = ends(found, piece));
    assert_eq!(found, text.len() as u64);
}

/// Where a line ends, which begins where the one before it ended.
fn ends(before: u64, line: unpack::Line<'_>) -> u64 {
    assert_eq!(line.begins, before);
    assert!(line.text.len() as u64 <= line.ends - line.begins && line.text.len() <= 1 << 16);
    line.ends
}

/// A file's text, and what is wrong with it.
fn text(data: &[u8], step: usize) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    let raw = Slowly(Cursor::new(data.to_vec()), step);
    let read = Text::open(raw, 64).and_then(|text| {
        let read = text.reader.take(TEXT).read_to_end(&mut bytes);
        assert!(
            bytes[usize::try_from(text.hole).expect("small").min(bytes.len())..]
                .starts_with(&text.head)
        );
        read
    });
    (bytes, read.err().map(|error| error.to_string()))
}

/// Reads a record, and the same within what the Kinesis Producer Library packs.
pub fn record(data: &[u8]) {
    let mut inflater = Inflater::default();
    let whole = read(&mut inflater, data);
    let again = read(&mut inflater, data);
    assert_eq!(whole, again, "memory that was used before makes no difference");
    let checksum = Md5::digest(data);
    let together = [&[0xf3, 0x89, 0x9a, 0xc2], data, checksum.as_slice()].concat();
    let _ = read(&mut inflater, &together);
}

/// How many lines a record has.
fn read(inflater: &mut Inflater, data: &[u8]) -> Result<usize, String> {
    let Some(text) = inflater.inflate(data)? else {
        let mut lines = 0;
        Large::survey(data)?.read(|_| lines += 1)?;
        return Ok(lines);
    };
    assert!(text.len() <= 16 << 20);
    let lines = |text: &[u8]| {
        record::whole_or_lines(text).inspect(|line| assert!(!line.is_empty())).count()
    };
    Ok(match record::decode(text)? {
        Decoded::Text => lines(text),
        Decoded::CloudWatch(payloads) => {
            let events = payloads.iter().flat_map(|payload| &payload.events);
            events.map(|event| lines(event.message.as_bytes())).sum()
        }
    })
}
