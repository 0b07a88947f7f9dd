//! A CSV file on its way into a mail: plain while it is small, then zipped, and only measured when it has
//! become larger than a mail can carry. Memory: what the mail can carry.

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use mailer::File;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file with more bytes is zipped.
const PLAIN: usize = 1 << 20;
/// A zip file holds no larger file than this without extensions that not everybody reads.
const MOST: u64 = 0xffff_0000;

/// A file as it is written.
pub(crate) struct Spool {
    name: String,
    limit: usize,
    written: u64,
    sink: Sink,
}

enum Sink {
    Plain(Vec<u8>),
    Zipped {
        zip: Box<ZipWriter<Counted>>,
        length: Arc<AtomicUsize>,
    },
    /// Too large: nothing is kept any more.
    Measured(DeflateEncoder<Meter>),
    /// Between two of these.
    Closed,
}

impl Spool {
    /// A file of this name, which must not take more than `limit` bytes of a mail.
    pub(crate) fn new(name: String, limit: usize) -> Self {
        Self { name, limit, written: 0, sink: Sink::Plain(Vec::new()) }
    }

    /// Bytes that it takes so far; after it was flushed, all of them.
    pub(crate) fn taken(&self) -> usize {
        match &self.sink {
            Sink::Plain(bytes) => bytes.len(),
            Sink::Zipped { length, .. } => length.load(Ordering::Relaxed),
            Sink::Measured(meter) => meter.get_ref().0,
            Sink::Closed => 0,
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The file; none if it has become too large.
    pub(crate) fn finish(self) -> io::Result<Option<File>> {
        let Self { name, limit, sink, .. } = self;
        let (name, media_type, bytes) = match sink {
            Sink::Plain(bytes) => (name, "text/csv; charset=utf-8", bytes),
            Sink::Zipped { zip, .. } => {
                let bytes = zip.finish()?.bytes.into_inner();
                (name + ".zip", "application/zip", bytes)
            }
            Sink::Measured(_) | Sink::Closed => return Ok(None),
        };
        Ok((bytes.len() <= limit).then_some(File { name, media_type, bytes }))
    }

    fn zip(&self, plain: &[u8]) -> io::Result<Sink> {
        let length = Arc::new(AtomicUsize::new(0));
        let bytes = Counted { bytes: Cursor::default(), length: Arc::clone(&length) };
        let mut zip = ZipWriter::new(bytes);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(self.name.as_str(), options)?;
        zip.write_all(plain)?;
        Ok(Sink::Zipped { zip: Box::new(zip), length })
    }

    fn measure(&self, taken: usize) -> Sink {
        Sink::Measured(DeflateEncoder::new(Meter(taken), Compression::default()))
    }

    /// Moves on to the next kind of sink where this one is not for so much.
    fn outgrow(&mut self) -> io::Result<()> {
        let taken = self.taken();
        self.sink = match std::mem::replace(&mut self.sink, Sink::Closed) {
            Sink::Plain(bytes) if taken > PLAIN.min(self.limit) => self.zip(&bytes)?,
            Sink::Zipped { .. } if taken > self.limit || self.written > MOST => self.measure(taken),
            same => same,
        };
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Plain(plain) => plain.extend_from_slice(bytes),
            Sink::Zipped { zip, .. } => zip.write_all(bytes)?,
            Sink::Measured(meter) => meter.write_all(bytes)?,
            Sink::Closed => return Err(io::Error::other("the file broke off")),
        }
        self.written += bytes.len() as u64;
        self.outgrow()?;
        Ok(bytes.len())
    }

    /// Ends what is being compressed, so that [`taken`](Spool::taken) is exact.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(_) | Sink::Closed => Ok(()),
            Sink::Zipped { zip, .. } => zip.flush(),
            Sink::Measured(meter) => meter.flush(),
        }
    }
}

/// Bytes in memory, whose number can be seen from outside.
struct Counted {
    bytes: Cursor<Vec<u8>>,
    length: Arc<AtomicUsize>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.bytes.write(bytes)?;
        self.length.store(self.bytes.get_ref().len(), Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// Counts bytes, and keeps none.
struct Meter(usize);

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Lines that do not compress to nothing.
    fn lines(count: usize) -> String {
        let mut rng = 7_u64;
        let mut next = || {
            rng =
                rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rng >> 33
        };
        (0..count).map(|_| format!("{:x},{}\r\n", next(), next() % 100)).collect()
    }

    fn spooled(text: &str, limit: usize) -> Option<File> {
        let mut spool = Spool::new("a.csv".into(), limit);
        for piece in text.as_bytes().chunks(10_000) {
            spool.write_all(piece).expect("memory");
        }
        spool.finish().expect("memory")
    }

    #[test]
    fn small_files_stay_plain_and_large_ones_are_zipped() {
        let text = lines(1000);
        let file = spooled(&text, 1 << 30).expect("a small file");
        assert_eq!((file.name.as_str(), file.bytes), ("a.csv", text.into_bytes()));
        let text = lines(200_000);
        let file = spooled(&text, 1 << 30).expect("a large file");
        assert_eq!((file.name.as_str(), file.media_type), ("a.csv.zip", "application/zip"));
        let mut zip = zip::ZipArchive::new(Cursor::new(file.bytes)).expect("a zip file");
        let mut back = String::new();
        zip.by_name("a.csv").expect("the CSV").read_to_string(&mut back).expect("text");
        assert!(back == text);
    }

    #[test]
    fn what_is_too_large_is_measured_and_not_kept() {
        let text = lines(200_000);
        let whole = spooled(&text, 1 << 30).expect("a large file").bytes.len();
        assert!(spooled(&text, whole).is_some());
        assert_eq!(spooled(&text, whole - 1), None);
        let mut spool = Spool::new("a.csv".into(), 100_000);
        spool.write_all(text.as_bytes()).expect("memory");
        spool.write_all(text.as_bytes()).expect("memory");
        assert!(matches!(spool.sink, Sink::Measured(_)));
        assert!(spool.taken().abs_diff(2 * whole) < 300_000, "{} of {whole}", spool.taken());
        assert_eq!(spool.finish().expect("memory"), None);
        assert_eq!(spooled("a,b\r\n", 4), None, "a small file in a smaller mail");
    }
}
