//! What comes through a pipe, as it comes: a thread waits for it, so that whoever reads need not.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use unpack::Text;

use super::stop::Stop;

/// Nothing came for so long: what was read is stored.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// What comes without a pause is stored after so long.
pub(super) const HELD: Duration = Duration::from_secs(5);
/// Bytes taken from a pipe at once.
const CHUNK: usize = 1 << 16;
/// Chunks that wait to be read.
const WAITING: usize = 8;

/// What the thread hands on.
enum Piece {
    /// The NULs that the text begins with: always first, unless reading fails.
    Begins(u64),
    Text(Vec<u8>),
    Ended,
    Failed(io::Error),
    /// Look around: the program is to end.
    Wake,
}

/// How a pipe is read, and whether it has ended.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    shared: Arc<Shared>,
    stop: Stop,
}

#[derive(Debug, Default)]
struct Shared {
    gives_way: AtomicBool,
    has_ended: AtomicBool,
}

impl Tap {
    /// Whether a reader gets nothing, as at an end, when nothing comes for a while. If not, it waits.
    pub(super) fn give_way(&self, whether: bool) {
        self.shared.gives_way.store(whether, Ordering::Relaxed);
    }

    /// Whether there is more to wait for.
    pub(super) fn goes_on(&self) -> bool {
        !self.has_ended() && !self.stop.is_told()
    }

    /// Whether whoever writes has closed it, and all was read.
    pub(super) fn has_ended(&self) -> bool {
        self.shared.has_ended.load(Ordering::Relaxed)
    }
}

/// The text that comes through a pipe, inflated, behind the NULs that it begins with.
pub(super) struct Piped {
    receiver: Receiver<Piece>,
    chunk: Vec<u8>,
    /// What of the chunk was read.
    read: usize,
    /// Why there is no more: told whenever it is read on.
    failed: Option<io::Error>,
    tap: Tap,
}

impl Piped {
    /// Begins to read a pipe; also gives how many NULs the text begins with.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn open(raw: impl Read + Send + 'static, stop: &Stop) -> io::Result<(Self, u64)> {
        let (sender, receiver) = sync_channel(WAITING);
        let waker = sender.clone();
        // If there is no room, there is something to read, and nobody waits.
        stop.wakes(move || drop(waker.try_send(Piece::Wake)));
        let stopped = stop.clone();
        thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            let last = match hand_on(raw, &sender, &stopped) {
                Ok(true) => Piece::Ended,
                // It was not read to its end.
                Ok(false) => return,
                Err(error) => Piece::Failed(error),
            };
            // Whoever read may be gone.
            let _ = sender.send(last);
        })?;
        let tap = Tap { shared: Arc::default(), stop: stop.clone() };
        let mut piped = Self { receiver, chunk: Vec::new(), read: 0, failed: None, tap };
        let hole = piped.begins()?;
        Ok((piped, hole))
    }

    pub(super) fn tap(&self) -> &Tap {
        &self.tap
    }

    fn begins(&mut self) -> io::Result<u64> {
        loop {
            match self.receiver.recv() {
                Ok(Piece::Begins(hole)) => return Ok(hole),
                Ok(Piece::Wake) if !self.tap.stop.is_told() => {}
                Ok(Piece::Failed(error)) => return Err(error),
                Ok(Piece::Wake | Piece::Ended | Piece::Text(_)) | Err(_) => return Ok(0),
            }
        }
    }

    /// Waits for the next chunk; false if there is none, or none yet.
    fn next(&mut self) -> io::Result<bool> {
        while !self.tap.has_ended() {
            let piece = if self.tap.stop.is_told() {
                // What was taken from the pipe already is read still.
                self.receiver.try_recv().map_err(|_| RecvTimeoutError::Timeout)
            } else if self.tap.shared.gives_way.load(Ordering::Relaxed) {
                self.receiver.recv_timeout(PAUSE)
            } else {
                self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match piece {
                Ok(Piece::Text(chunk)) => {
                    (self.chunk, self.read) = (chunk, 0);
                    return Ok(true);
                }
                Ok(Piece::Begins(_) | Piece::Wake) => {}
                Ok(Piece::Failed(error)) => {
                    self.tap.shared.has_ended.store(true, Ordering::Relaxed);
                    self.failed = Some(error);
                }
                Ok(Piece::Ended) | Err(RecvTimeoutError::Disconnected) => {
                    self.tap.shared.has_ended.store(true, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => return Ok(false),
            }
        }
        match &self.failed {
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Ok(false),
        }
    }
}

impl Read for Piped {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.read == self.chunk.len() && !self.next()? {
            return Ok(0);
        }
        let rest = &self.chunk[self.read..];
        let length = rest.len().min(to.len());
        to[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Ok(length)
    }
}

/// Hands on what comes, until it ends; false if nobody takes it any more.
fn hand_on(
    raw: impl Read + Send + 'static,
    to: &SyncSender<Piece>,
    stop: &Stop,
) -> io::Result<bool> {
    let mut text = Text::open(raw, 0)?;
    // Made of nothing, it need not be handed on.
    io::copy(&mut text.reader.by_ref().take(text.hole), &mut io::sink())?;
    let mut piece = Piece::Begins(text.hole);
    let mut chunk = vec![0; CHUNK];
    while to.send(piece).is_ok() && !stop.is_told() {
        let read = loop {
            match text.reader.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if read == 0 {
            return Ok(true);
        }
        piece = Piece::Text(chunk[..read].to_vec());
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Long enough to tell that it is text.
    const ONE: &[u8] = b"a line of its own, one\n";

    #[test]
    fn what_comes_is_read_before_the_end_and_pauses_are_told_from_it() {
        let (raw, mut writer) = io::pipe().expect("a pipe");
        let stop = Stop::default();
        writer.write_all(ONE).expect("written");
        let (mut piped, hole) = Piped::open(raw, &stop).expect("text");
        let mut bytes = [0; ONE.len()];
        piped.read_exact(&mut bytes).expect("all that has come");
        assert_eq!((&bytes[..], hole), (ONE, 0));
        piped.tap().give_way(true);
        assert_eq!(piped.read(&mut bytes).expect("read"), 0, "a pause");
        assert!(piped.tap().goes_on());
        writer.write_all(b"two\n").expect("written");
        assert_eq!(piped.read(&mut bytes).expect("read"), 4);
        drop(writer);
        piped.tap().give_way(false);
        assert_eq!(piped.read(&mut bytes).expect("read"), 0);
        assert!(piped.tap().has_ended());
    }

    #[test]
    fn whoever_waits_is_woken_when_the_program_is_to_end() {
        let (raw, mut writer) = io::pipe().expect("a pipe");
        let stop = Stop::default();
        writer.write_all(ONE).expect("written");
        let (mut piped, hole) = Piped::open(raw, &stop).expect("text");
        let told = stop.clone();
        let teller = thread::spawn(move || told.tell());
        let mut text = Vec::new();
        piped.read_to_end(&mut text).expect("read");
        teller.join().expect("told");
        assert_eq!(hole, 0);
        assert!(ONE.starts_with(&text) && !piped.tap().has_ended());
    }
}
