//! Answers that are written at once and read at leisure: in memory while they are small, then in a file that has no
//! name. Whoever writes never waits for whoever reads, and gives back what others wait for.
//!
//! Only so many files are kept: for one more, the one goes that was not read from for longest. So slow readers
//! take up no more than a known part of the disk, and are in nobody's way.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::watch;

/// An answer with more bytes goes into a file.
const SMALL: usize = 1 << 20;
/// Bytes of a piece that is read from a file.
const PIECE: u64 = 1 << 17;
/// Files kept.
const FILES: usize = 8;

/// Where answers wait for their readers.
#[derive(Debug)]
pub(crate) struct Spools {
    folder: PathBuf,
    files: Mutex<Vec<Weak<Spooled>>>,
}

/// An answer, as far as it is written.
#[derive(Debug)]
struct Spooled {
    place: Mutex<Place>,
    progress: watch::Sender<Progress>,
    last_read: Mutex<LastRead>,
}

#[derive(Clone, Copy, Debug)]
struct LastRead {
    /// How far it is read.
    to: u64,
    when: Instant,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Nowhere,
    Memory(Bytes),
    File(Arc<File>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// So many bytes can be read so far.
    Written(u64),
    /// These are all.
    Whole(u64),
    /// There will not be more, and it is not whole.
    BrokeOff,
}

/// Writes an answer. One that is not [finished](Self::finish) breaks off.
#[derive(Debug)]
pub(crate) struct SpoolWriter {
    spools: Arc<Spools>,
    spooled: Arc<Spooled>,
    small: Vec<u8>,
    written: u64,
    /// Something is missing.
    failed: bool,
}

/// Reads an answer, while it is written or later.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spooled: Arc<Spooled>,
    progress: watch::Receiver<Progress>,
    at: u64,
}

impl Spools {
    /// Those whose files are in a folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, files: Mutex::default() }
    }

    /// A new answer.
    pub(crate) fn begin(self: &Arc<Self>) -> (SpoolWriter, SpoolReader) {
        let (sender, progress) = watch::channel(Progress::Written(0));
        let last_read = Mutex::new(LastRead { to: 0, when: Instant::now() });
        let spooled = Arc::new(Spooled { place: Mutex::default(), progress: sender, last_read });
        let spools = Arc::clone(self);
        let writer = SpoolWriter {
            spools,
            spooled: Arc::clone(&spooled),
            small: Vec::new(),
            written: 0,
            failed: false,
        };
        (writer, SpoolReader { spooled, progress, at: 0 })
    }

    fn file_for(&self, spooled: &Arc<Spooled>) -> io::Result<Arc<File>> {
        let file = Arc::new(tempfile::tempfile_in(&self.folder)?);
        spooled.put(Place::File(Arc::clone(&file)));
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|known| known.upgrade().is_some_and(|known| known.is_kept()));
        while files.len() >= FILES {
            // One that is not there any more comes before all.
            let slowest = files.iter().enumerate().min_by_key(|(_, known)| {
                known.upgrade().map(|known| (known.is_read_up(), known.last_read().when))
            });
            let Some(slowest) = slowest.map(|(at, _)| at) else { break };
            if let Some(slowest) = files.remove(slowest).upgrade() {
                tracing::warn!(
                    "the answer that was not read from for longest is cut off for another"
                );
                slowest.break_off();
            }
        }
        files.push(Arc::downgrade(spooled));
        Ok(file)
    }
}

impl Spooled {
    fn put(&self, place: Place) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    fn file(&self) -> Option<Arc<File>> {
        match &*self.place.lock().unwrap_or_else(PoisonError::into_inner) {
            Place::File(file) => Some(Arc::clone(file)),
            Place::Nowhere | Place::Memory(_) => None,
        }
    }

    fn memory(&self) -> Option<Bytes> {
        match &*self.place.lock().unwrap_or_else(PoisonError::into_inner) {
            Place::Memory(bytes) => Some(bytes.clone()),
            Place::Nowhere | Place::File(_) => None,
        }
    }

    fn is_kept(&self) -> bool {
        self.file().is_some()
    }

    fn last_read(&self) -> LastRead {
        *self.last_read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_read(&self, to: u64) {
        let when = Instant::now();
        *self.last_read.lock().unwrap_or_else(PoisonError::into_inner) = LastRead { to, when };
    }

    /// Whether its reader has all that there is so far, and waits for more.
    fn is_read_up(&self) -> bool {
        let LastRead { to, .. } = self.last_read();
        match *self.progress.borrow() {
            Progress::Written(written) | Progress::Whole(written) => to >= written && to > 0,
            Progress::BrokeOff => false,
        }
    }

    fn break_off(&self) {
        self.put(Place::Nowhere);
        self.progress.send_replace(Progress::BrokeOff);
    }
}

impl SpoolWriter {
    /// Done when nobody wants the answer any more.
    pub(crate) fn unwanted(&self) -> impl Future<Output = ()> + Send + 'static {
        let spooled = Arc::clone(&self.spooled);
        async move { spooled.progress.closed().await }
    }

    /// Ends the answer.
    ///
    /// # Errors
    /// It was cut off, or a write failed before.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let small = std::mem::take(&mut self.small);
        if self.written == 0 {
            self.written = small.len() as u64;
            self.spooled.put(Place::Memory(small.into()));
        } else if !self.spooled.is_kept() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.spooled.progress.send_replace(Progress::Whole(self.written));
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.spooled.progress.is_closed() {
            // Nobody wants it any more.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.written > 0 {
            return self.append(bytes);
        }
        self.small.extend_from_slice(bytes);
        if self.small.len() <= SMALL {
            return Ok(());
        }
        let small = std::mem::take(&mut self.small);
        self.append(&small)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match self.spooled.file() {
            Some(file) => file,
            None if self.written == 0 => self.spools.file_for(&self.spooled)?,
            None => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        file.write_all_at(bytes, self.written)?;
        self.written += bytes.len() as u64;
        if self.spooled.last_read().to == 0 {
            // A table's reader begins when all is written.
            self.spooled.is_read(0);
        }
        self.spooled.progress.send_if_modified(|progress| {
            let goes_on = matches!(progress, Progress::Written(_));
            if goes_on {
                *progress = Progress::Written(self.written);
            }
            goes_on
        });
        Ok(())
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.take(bytes);
        self.failed |= taken.is_err();
        taken.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        if matches!(*self.spooled.progress.borrow(), Progress::Written(_)) {
            self.spooled.break_off();
        }
    }
}

impl SpoolReader {
    /// The answer as a body: with its length if it is whole and small.
    pub(crate) fn into_body(self) -> Body {
        match self.spooled.memory() {
            Some(whole) => Body::from(whole),
            None => Body::from_stream(self.pieces()),
        }
    }

    fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> {
        let pieces = stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            match reader.next().await {
                Ok(None) => None,
                Ok(Some(piece)) => Some((Ok(piece), Some(reader))),
                // The client must see that it was not all.
                Err(error) => Some((Err(error), None)),
            }
        });
        // Whoever compresses it asks once more after the end.
        pieces.fuse()
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let broke_off = || io::Error::other("the answer broke off");
        loop {
            let progress = *self.progress.borrow_and_update();
            let (written, whole) = match progress {
                Progress::Written(written) => (written, false),
                Progress::Whole(written) => (written, true),
                Progress::BrokeOff => return Err(broke_off()),
            };
            if self.at < written {
                let piece = self.read(written).await?;
                self.at += piece.len() as u64;
                self.spooled.is_read(self.at);
                return Ok(Some(piece));
            }
            if whole {
                return Ok(None);
            }
            self.progress.changed().await.map_err(|_| broke_off())?;
        }
    }

    async fn read(&self, written: u64) -> io::Result<Bytes> {
        if let Some(whole) = self.spooled.memory() {
            return Ok(whole);
        }
        let file = self.spooled.file().ok_or_else(|| io::Error::other("the answer was cut off"))?;
        let (at, length) = (self.at, PIECE.min(written - self.at));
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
            file.read_exact_at(&mut piece, at).map(|()| Bytes::from(piece))
        });
        read.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spools() -> Arc<Spools> {
        Arc::new(Spools::new(std::env::temp_dir()))
    }

    async fn read(reader: SpoolReader) -> Option<usize> {
        let whole = axum::body::to_bytes(reader.into_body(), usize::MAX).await;
        whole.ok().map(|bytes| bytes.len())
    }

    fn written(spools: &Arc<Spools>, length: usize) -> SpoolReader {
        let (mut writer, reader) = spools.begin();
        for piece in vec![7; length].chunks(100_000) {
            writer.write_all(piece).expect("room");
        }
        writer.finish().expect("kept");
        reader
    }

    #[tokio::test]
    async fn what_is_written_is_read_whole_small_or_large() {
        let spools = spools();
        for length in [0, 1, SMALL, SMALL + 1, 3 * SMALL + 5] {
            assert_eq!(read(written(&spools, length)).await, Some(length));
        }
    }

    #[tokio::test]
    async fn what_breaks_off_is_not_taken_for_whole() {
        let spools = spools();
        for length in [10, 2 * SMALL] {
            let (mut writer, reader) = spools.begin();
            writer.write_all(&vec![7; length]).expect("room");
            drop(writer);
            assert_eq!(read(reader).await, None);
        }
    }

    #[tokio::test]
    async fn slow_readers_are_cut_off_for_others_and_small_answers_are_not() {
        let spools = spools();
        let small = written(&spools, SMALL);
        let slow: Vec<_> = (0..FILES + 2).map(|_| written(&spools, 2 * SMALL)).collect();
        let mut whole = Vec::new();
        for reader in slow {
            whole.push(read(reader).await.is_some());
        }
        assert_eq!(whole.iter().position(|whole| *whole), Some(2), "{whole:?}");
        assert_eq!(whole.iter().filter(|whole| **whole).count(), FILES);
        assert_eq!(read(small).await, Some(SMALL));
    }

    #[tokio::test]
    async fn the_one_that_was_not_read_from_for_longest_is_cut_off() {
        let spools = spools();
        let mut all: Vec<_> = (0..FILES).map(|_| written(&spools, 2 * SMALL)).collect();
        assert!(all[0].next().await.expect("kept").is_some());
        let another = written(&spools, 2 * SMALL);
        assert!(all[0].next().await.expect("it is read from").is_some());
        assert!(all[1].next().await.is_err());
        assert!(all[2].next().await.is_ok());
        assert_eq!(read(another).await, Some(2 * SMALL));
    }

    #[tokio::test]
    async fn whoever_writes_for_nobody_is_told() {
        let (mut writer, reader) = spools().begin();
        let unwanted = writer.unwanted();
        drop(reader);
        unwanted.await;
        assert!(writer.write_all(b"x").is_err());
    }
}
