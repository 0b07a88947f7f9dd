//! The text of a log, whether it is compressed or not.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

/// What gzip data begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes of compressed data read at once.
const CHUNK: usize = 1 << 16;

/// The text of a log, inflated if it came as gzip.
pub struct Text {
    /// Its first bytes, behind a hole at its beginning.
    pub head: Vec<u8>,
    /// How many NULs stand before them: a writer went on at its place in a file that was cut to nothing.
    pub hole: u64,
    /// All of it, from the first byte on.
    pub reader: Box<dyn Read + Send>,
    /// Whether it came as gzip.
    pub compressed: bool,
}

impl Text {
    /// Opens a text, and reads its first `head` bytes.
    ///
    /// # Errors
    /// The reader failed, or what begins like gzip is none.
    pub fn open(mut raw: impl Read + Send + 'static, head: usize) -> io::Result<Self> {
        let magic = read_up_to(&mut raw, GZIP.len())?;
        let compressed = magic == GZIP;
        let raw = Cursor::new(magic).chain(raw);
        let mut text: Box<dyn Read + Send> = if compressed {
            Box::new(Members::of(BufReader::with_capacity(CHUNK, raw)))
        } else {
            Box::new(raw)
        };
        let (hole, begin) = behind_hole(&mut text)?;
        let mut first = begin;
        let more = read_up_to(&mut text, head.saturating_sub(first.len()))?;
        first.extend_from_slice(&more);
        let reader =
            Box::new(io::repeat(0).take(hole).chain(Cursor::new(first.clone())).chain(text));
        first.truncate(head);
        Ok(Self { head: first, hole, reader, compressed })
    }
}

/// How many NULs a text begins with, and what was read behind them.
fn behind_hole(text: &mut impl Read) -> io::Result<(u64, Vec<u8>)> {
    let mut hole = 0;
    let mut first = read_up_to(text, 1)?;
    while first.iter().all(|byte| *byte == 0) && !first.is_empty() {
        hole += first.len() as u64;
        first = read_up_to(text, CHUNK)?;
    }
    let nulls = first.iter().take_while(|byte| **byte == 0).count();
    first.drain(..nulls);
    Ok((hole + nulls as u64, first))
}

fn read_up_to(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("compressed", &self.compressed).finish_non_exhaustive()
    }
}

/// The members of a gzip file, one behind the other, and zeros behind the last: tapes and some copies pad with
/// them.
struct Members<R> {
    /// None between two calls only.
    member: Option<GzDecoder<R>>,
    over: bool,
}

impl<R: BufRead> Members<R> {
    fn of(raw: R) -> Self {
        Self { member: Some(GzDecoder::new(raw)), over: false }
    }

    /// Whether another member follows in what is left.
    fn follows(raw: &mut R) -> io::Result<bool> {
        let mut padded = false;
        loop {
            let bytes = raw.fill_buf()?;
            let Some(first) = bytes.iter().position(|byte| *byte != 0) else {
                if bytes.is_empty() {
                    return Ok(false);
                }
                let zeros = bytes.len();
                raw.consume(zeros);
                padded = true;
                continue;
            };
            if first == 0 && !padded && bytes[0] == GZIP[0] {
                return Ok(true);
            }
            let what = "what follows the gzip data is neither gzip data nor padding";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = self.member.as_mut().filter(|_| !self.over && !to.is_empty()) {
            match member.read(to)? {
                0 => match self.member.take().map(GzDecoder::into_inner) {
                    Some(mut raw) => {
                        let follows = Self::follows(&mut raw)?;
                        *self = Self { over: !follows, ..Self::of(raw) };
                    }
                    None => self.over = true,
                },
                read => return Ok(read),
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn read(raw: Vec<u8>) -> (Vec<u8>, io::Result<usize>) {
        let mut text = Text::open(Cursor::new(raw), 4).expect("a beginning");
        let mut all = Vec::new();
        let end = text.reader.read_to_end(&mut all);
        (all, end)
    }

    #[test]
    fn gzip_data_ends_with_its_last_member() {
        let two = [gzip(b"first\n"), gzip(b"second\n")].concat();
        assert_eq!(read(two.clone()).0, b"first\nsecond\n");
        let padded = [two.clone(), vec![0; 3 * CHUNK]].concat();
        let (text, end) = read(padded);
        assert_eq!((text.as_slice(), end.ok()), (&b"first\nsecond\n"[..], Some(13)));
        for behind in [&b"x"[..], b"\0\0x", b"\0\x1f\x8b"] {
            let (text, end) = read([&two, behind].concat());
            assert_eq!(text, b"first\nsecond\n", "what came before the damage is text");
            assert!(end.is_err(), "{behind:?}");
        }
        let (text, end) = read(two[..two.len() - 9].to_vec());
        assert!(text.starts_with(b"first\n") && end.is_err());
    }

    #[test]
    fn the_head_stands_behind_a_hole() {
        for hole in [0, 1, 7, CHUNK + 1, 3 * CHUNK] {
            let raw = [vec![0; hole], b"a line\nand another\n".to_vec()].concat();
            let text = Text::open(Cursor::new(raw.clone()), 4).expect("text");
            assert_eq!((text.head.as_slice(), text.hole), (&b"a li"[..], hole as u64));
            assert_eq!(read(raw.clone()).0, raw);
            let packed = Text::open(Cursor::new(gzip(&raw)), 4).expect("text");
            assert_eq!((packed.hole, packed.compressed), (hole as u64, true));
        }
        let only = Text::open(Cursor::new(vec![0; 9]), 4).expect("text");
        assert_eq!((only.head.len(), only.hole), (0, 9));
    }
}
