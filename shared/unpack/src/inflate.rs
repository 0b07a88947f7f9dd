//! Compressed bytes, inflated while they are read.

use std::io::{self, BufRead, ErrorKind, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;

use crate::damage::{self, Damage};
use crate::form::Packing;

/// What is inflated.
pub(crate) type Raw<'a> = Box<dyn BufRead + Send + 'a>;

/// The most memory that inflating may ask for, by its power of two: 128 MiB are what `zstd --ultra` and `--long` need
/// at most, and twice of what `xz -9` does.
pub(crate) const WINDOW_LOG: u32 = 27;

/// Bytes of text that are inflated at once: how much of it comes before damage is told by the data alone, not by who reads.
const CHUNK: usize = 1 << 15;

/// The members of a compressed file, one behind the other, and zeros behind the last: tapes and some copies pad with
/// them.
pub(crate) struct Inflated<'a> {
    packing: Packing,
    window_log: u32,
    /// None between two calls only, and at the end.
    member: Option<Box<dyn Member<'a> + 'a>>,
    /// Text that was inflated, and how much of it was given out.
    text: Vec<u8>,
    given: usize,
    /// Bytes of text that were inflated in all.
    inflated: u64,
    /// What is wrong: the same whenever it is read on.
    failed: Option<Damage>,
}

/// A member that is read.
trait Member<'a>: Read + Send {
    /// What follows it, once it was read to its end.
    fn end(self: Box<Self>) -> io::Result<Raw<'a>>;
}

impl<'a> Member<'a> for GzDecoder<Raw<'a>> {
    fn end(self: Box<Self>) -> io::Result<Raw<'a>> {
        Ok(self.into_inner())
    }
}

impl<'a> Member<'a> for BzDecoder<Raw<'a>> {
    fn end(self: Box<Self>) -> io::Result<Raw<'a>> {
        Ok(self.into_inner())
    }
}

impl<'a> Member<'a> for XzReader<Raw<'a>> {
    fn end(self: Box<Self>) -> io::Result<Raw<'a>> {
        Ok(self.into_inner())
    }
}

impl<'a> Member<'a> for zstd::Decoder<'static, Raw<'a>> {
    fn end(mut self: Box<Self>) -> io::Result<Raw<'a>> {
        self.finish_frame()?;
        Ok(self.into_inner())
    }
}

impl<'a> Member<'a> for FrameDecoder<Whole<'a>> {
    fn end(self: Box<Self>) -> io::Result<Raw<'a>> {
        let Whole { raw, is_over } = self.into_inner();
        if is_over { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(raw) }
    }
}

/// Bytes that know whether they were asked for more than there is: the decoder of LZ4 takes that for a frame's end.
struct Whole<'a> {
    raw: Raw<'a>,
    is_over: bool,
}

impl Read for Whole<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(to);
        self.is_over |= !to.is_empty() && !matches!(read, Ok(1..));
        read
    }
}

impl<'a> Inflated<'a> {
    /// The text of compressed bytes, which may take 2 to the power of `window_log` bytes of memory.
    pub(crate) fn new(packing: Packing, raw: Raw<'a>, window_log: u32) -> io::Result<Self> {
        let member = Some(member(packing, raw, window_log)?);
        let text = Vec::with_capacity(CHUNK);
        Ok(Self { packing, window_log, member, text, given: 0, inflated: 0, failed: None })
    }

    /// Inflates some more; nothing at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.given = 0;
        self.text.resize(CHUNK, 0);
        let read = self.read_members();
        self.text.truncate(*read.as_ref().unwrap_or(&0));
        self.inflated += self.text.len() as u64;
        read.map(drop)
    }

    fn read_members(&mut self) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(&mut self.text)?;
            if read > 0 {
                return Ok(read);
            }
            let Some(mut raw) = self.member.take().map(Member::end).transpose()? else { break };
            if follows(self.packing, &mut raw)? {
                self.member = Some(self::member(self.packing, raw, self.window_log)?);
            }
        }
        Ok(0)
    }

    /// What is wrong, in words; none if the bytes could not be read in the first place.
    fn damage(&self, error: &io::Error) -> Option<Damage> {
        let (name, given) = (self.packing.name(), self.inflated);
        let is_cut = error.kind() == ErrorKind::UnexpectedEof;
        // As zstd says it.
        let is_wide =
            error.kind() == ErrorKind::OutOfMemory || error.to_string().contains("too much memory");
        let what = match () {
            () if is_wide => format!(
                "this {name} data takes more than {} MiB of memory to read: unpack it first",
                (1 << self.window_log) >> 20
            ),
            () if is_cut => format!("the {name} data ends early, behind {given} bytes of text"),
            () => format!("damaged {name} data, behind {given} bytes of text: {error}"),
        };
        Damage::of(error, what)
    }
}

impl Read for Inflated<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() && !to.is_empty() {
            if let Some(failed) = &self.failed {
                return Err(failed.clone().into());
            }
            if let Err(error) = self.fill() {
                if error.kind() == ErrorKind::Interrupted {
                    return Err(error);
                }
                // Decoders may not be asked again.
                self.member = None;
                let damage = self.damage(&error).unwrap_or_else(|| damage::again(&error));
                self.failed = Some(damage.clone());
                return Err(damage.into());
            }
        }
        let read = (&self.text[self.given..]).read(to)?;
        self.given += read;
        Ok(read)
    }
}

/// The decoder of one member.
fn member<'a>(
    packing: Packing,
    raw: Raw<'a>,
    window_log: u32,
) -> io::Result<Box<dyn Member<'a> + 'a>> {
    Ok(match packing {
        Packing::Gzip => Box::new(GzDecoder::new(raw)),
        Packing::Bzip2 => Box::new(BzDecoder::new(raw)),
        // In KiB, and with some for its own.
        Packing::Xz => {
            Box::new(XzReader::new_mem_limit(raw, false, (1 << (window_log - 10)) + 512))
        }
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(raw)?.single_frame();
            decoder.window_log_max(window_log)?;
            Box::new(decoder)
        }
        Packing::Lz4 => Box::new(FrameDecoder::new(Whole { raw, is_over: false })),
    })
}

/// Whether another member follows in what is left.
fn follows(packing: Packing, raw: &mut Raw<'_>) -> io::Result<bool> {
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
        padded |= first > 0;
        // Of these, only xz pads between members.
        if (!padded || packing == Packing::Xz) && packing.may_begin(bytes[first]) {
            raw.consume(first);
            return Ok(true);
        }
        let name = packing.name();
        let what = format!("what follows the {name} data is neither {name} data nor padding");
        return Err(Damage::new(ErrorKind::InvalidData, what).into());
    }
}

/// Gives the bytes of a reader in chunks of one length, however they come: then decoders do the same, too.
pub(crate) struct Evenly<R> {
    reader: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Comes behind the bytes that were read before it.
    failed: Option<io::Error>,
}

impl<R: Read> Evenly<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; 2 * CHUNK], from: 0, to: 0, failed: None }
    }
}

impl<R: Read> BufRead for Evenly<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
            while self.to < self.buffer.len() && self.failed.is_none() {
                match self.reader.read(&mut self.buffer[self.to..]) {
                    Ok(0) => break,
                    Ok(read) => self.to += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => self.failed = Some(error),
                }
            }
            if self.to == 0
                && let Some(error) = self.failed.take()
            {
                return Err(error);
            }
        }
        Ok(&self.buffer[self.from..self.to])
    }

    fn consume(&mut self, count: usize) {
        self.from = self.to.min(self.from + count);
    }
}

impl<R: Read> Read for Evenly<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(to)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;
    use crate::testing::{Slowly, packed};

    const ALL: [Packing; 5] =
        [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4];

    fn read(packing: Packing, bytes: Vec<u8>) -> (Vec<u8>, io::Result<usize>) {
        let raw = Box::new(BufReader::with_capacity(7, Cursor::new(bytes)));
        let mut inflated = Inflated::new(packing, raw, WINDOW_LOG).expect("a decoder");
        let mut text = Vec::new();
        let end = inflated.read_to_end(&mut text);
        let again = inflated.read(&mut [0; 9]);
        assert_eq!(end.is_err(), again.is_err(), "an end, or an error, is one for good");
        (text, end)
    }

    #[test]
    fn data_ends_with_its_last_member() {
        for packing in ALL {
            let one = packed(packing, b"first\n");
            assert!(packing.begins(&one), "{packing:?}");
            let two = [one, packed(packing, b"second\n")].concat();
            assert_eq!(read(packing, two.clone()).0, b"first\nsecond\n");
            let padded = [two.clone(), vec![0; 200_000]].concat();
            let (text, end) = read(packing, padded);
            assert_eq!((text.as_slice(), end.ok()), (&b"first\nsecond\n"[..], Some(13)));
            for behind in [&b"x"[..], b"\0\0x"] {
                let (text, end) = read(packing, [&two, behind].concat());
                assert_eq!(text, b"first\nsecond\n", "what came before the damage is text");
                let told = end.expect_err("damage").to_string();
                assert!(told.contains(packing.name()), "{told}");
            }
        }
        let gzip = packed(Packing::Gzip, b"text");
        assert!(read(Packing::Gzip, [&gzip[..], b"\0\x1f\x8b"].concat()).1.is_err());
        let xz = packed(Packing::Xz, b"text");
        assert_eq!(read(Packing::Xz, [&xz[..], &[0; 8], &xz].concat()).0, b"texttext");
    }

    #[test]
    fn a_cut_end_is_an_error_wherever_it_is_cut() {
        let text = "Nov 26 06:00:00 mail some text\n".repeat(9000);
        for packing in ALL {
            let whole = packed(packing, text.as_bytes());
            for length in (10..whole.len()).step_by(97).chain([whole.len() - 1, whole.len() - 5]) {
                let (some, end) = read(packing, whole[..length].to_vec());
                assert!(text.as_bytes().starts_with(&some), "{packing:?} {length}");
                let told = end.expect_err("an error").to_string();
                let expected = format!("the {} data ends early", packing.name());
                assert!(told.starts_with(&expected), "{packing:?} {length}: {told}");
            }
        }
    }

    #[test]
    fn damage_says_what_and_where() {
        let text = "Nov 26 06:00:00 mail some text\n".repeat(9000);
        for packing in ALL {
            let mut bytes = packed(packing, text.as_bytes());
            let middle = bytes.len() / 2;
            bytes[middle..middle + 20].fill(0xa5);
            let told = read(packing, bytes).1.expect_err("damage").to_string();
            assert!(told.contains(packing.name()) && told.contains("bytes of text"), "{told}");
        }
    }

    #[test]
    fn what_comes_before_damage_does_not_depend_on_how_it_is_read() {
        let text = "Nov 26 06:00:00 mail some text\n".repeat(9000);
        for packing in ALL {
            let mut bytes = packed(packing, text.as_bytes());
            let end = bytes.len() - 3;
            for at in [end / 2, end] {
                bytes[at] ^= 0x10;
                let read = |step: usize, room: usize| {
                    let raw = Evenly::new(Slowly(&bytes, step));
                    let mut inflated =
                        Inflated::new(packing, Box::new(raw), WINDOW_LOG).expect("ok");
                    let (mut all, mut some) = (Vec::new(), vec![0; room]);
                    loop {
                        match inflated.read(&mut some) {
                            Ok(0) => return (all, String::new()),
                            Ok(read) => all.extend_from_slice(&some[..read]),
                            Err(error) => return (all, error.to_string()),
                        }
                    }
                };
                let expected = read(usize::MAX, 1 << 20);
                for (step, room) in [(1, 1 << 20), (997, 7), (usize::MAX, 1000)] {
                    assert!(read(step, room) == expected, "{packing:?} {at} {step} {room}");
                }
            }
        }
    }

    #[test]
    fn what_takes_too_much_memory_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(28).expect("a window");
        std::io::Write::write_all(&mut encoder, &[b'x'; 1000]).expect("in memory");
        let told = read(Packing::Zstd, encoder.finish().expect("in memory")).1;
        assert!(told.expect_err("refused").to_string().contains("128 MiB"));
        // An xz stream whose one block asks for a dictionary of 4 GiB.
        let mut xz = packed(Packing::Xz, b"text");
        xz[16] = 40;
        let crc = crc32(&xz[12..20]).to_le_bytes();
        xz[20..24].copy_from_slice(&crc);
        let told = read(Packing::Xz, xz).1.expect_err("refused").to_string();
        assert!(told.contains("128 MiB"), "{told}");
    }

    /// As xz holds its headers to it.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            (0..8).fold(crc ^ u32::from(*byte), bit)
        })
    }

    #[test]
    fn bytes_that_cannot_be_read_are_no_damage() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(ErrorKind::PermissionDenied, "no more"))
            }
        }
        let begin = packed(Packing::Gzip, b"text");
        let raw = Box::new(BufReader::new(Cursor::new(begin[..12].to_vec()).chain(Broken)));
        let mut inflated = Inflated::new(Packing::Gzip, raw, WINDOW_LOG).expect("a decoder");
        let error = inflated.read_to_end(&mut Vec::new()).expect_err("broken");
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::PermissionDenied, "no more".into())
        );
    }
}
