//! Answers that are written at once and read at leisure: in memory while they are small, then in a file that has no
//! name. Whoever writes never waits for whoever reads, and gives back what others wait for.
//!
//! Only so many files are kept: for one more, the one that was begun first is cut off. So slow readers take up no
//! more than a known part of the disk, and are in nobody's way.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
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
    files: Mutex<VecDeque<Weak<Spooled>>>,
}

/// An answer, as far as it is written.
#[derive(Debug)]
struct Spooled {
    place: Mutex<Place>,
    progress: watch::Sender<Progress>,
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
        let spooled = Arc::new(Spooled { place: Mutex::default(), progress: sender });
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
            if let Some(oldest) = files.pop_front().and_then(|oldest| oldest.upgrade()) {
                tracing::warn!("an answer whose reader is too slow is cut off for others");
                oldest.break_off();
            }
        }
        files.push_back(Arc::downgrade(spooled));
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

    fn break_off(&self) {
        self.put(Place::Nowhere);
        self.progress.send_replace(Progress::BrokeOff);
    }
}

impl SpoolWriter {
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
        stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            match reader.next().await {
                Ok(None) => None,
                Ok(Some(piece)) => Some((Ok(piece), Some(reader))),
                // The client must see that it was not all.
                Err(error) => Some((Err(error), None)),
            }
        })
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

    #[test]
    fn whoever_writes_for_nobody_is_told() {
        let (mut writer, reader) = spools().begin();
        drop(reader);
        assert!(writer.write_all(b"x").is_err());
    }
}
