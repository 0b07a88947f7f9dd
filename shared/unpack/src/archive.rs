//! Archives: what files stand in them, kept until it is known which of them is the oldest.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};

use tar::EntryType;
use zip::ZipArchive;

use crate::age::Order;
use crate::damage::{self, Damage};
use crate::spool::{Spool, Spooled};

/// The most files: their names are held in memory.
const MEMBERS: usize = 100_000;
/// The most bytes of a tar archive between two files: headers, and long names.
const BETWEEN: u64 = 1 << 20;

/// What an archive holds.
pub(crate) struct Archive {
    /// The files, oldest first.
    pub(crate) members: Vec<Member>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
    /// What is wrong behind the files.
    pub(crate) damage: Option<Damage>,
}

/// A file of an archive.
pub(crate) struct Member {
    /// Its name, with its folders.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Spooled,
}

impl Archive {
    /// Reads a tar archive to its end.
    ///
    /// # Errors
    /// It cannot be read, or its files cannot be kept.
    pub(crate) fn of_tar(raw: impl Read) -> io::Result<Self> {
        let (mut archive, mut spool) = (Self::new(), Spool::new()?);
        let left = Cell::new(BETWEEN);
        let mut tar = tar::Archive::new(Gate { raw, left: &left });
        let mut entries = tar.entries()?;
        while archive.damage.is_none() {
            left.set(BETWEEN);
            let mut entry = match entries.next() {
                None => break,
                Some(Ok(entry)) => entry,
                Some(Err(error)) => {
                    archive.damaged("tar", &error);
                    break;
                }
            };
            left.set(u64::MAX);
            let name = shown(&entry.path_bytes());
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    archive.keep("tar", name, &mut entry, &mut spool)?;
                }
                // It says itself how many zeros it stands for: more than anyone can read.
                EntryType::GNUSparse => {
                    archive.leave_out(&name, "it is a sparse file: unpack it first");
                }
                EntryType::Directory => {}
                _ => archive.leave_out(&name, "it is no file"),
            }
        }
        if archive.damage.is_none()
            && let Err(error) = only_padding(tar.into_inner().raw)
        {
            archive.damaged("tar", &error);
        }
        archive.sort();
        Ok(archive)
    }

    /// Reads a zip archive, whose list of files stands at its end.
    ///
    /// # Errors
    /// It cannot be read, or kept.
    pub(crate) fn of_zip(raw: impl Read) -> io::Result<Self> {
        let (mut archive, mut spool) = (Self::new(), Spool::new()?);
        let file = Spool::new()?.keep_plain(raw)?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(damaged_zip)?;
        if zip.has_overlapping_files().map_err(damaged_zip)? {
            let what = "damaged zip archive: its files overlap";
            return Err(Damage::new(ErrorKind::InvalidData, what).into());
        }
        for number in 0..zip.len() {
            if archive.damage.is_some() {
                break;
            }
            archive.keep_entry(&mut zip, number, &mut spool)?;
        }
        archive.sort();
        Ok(archive)
    }

    fn keep_entry(
        &mut self,
        zip: &mut ZipArchive<BufReader<File>>,
        number: usize,
        spool: &mut Spool,
    ) -> io::Result<()> {
        let about = zip.by_index_raw(number).map_err(damaged_zip)?;
        let name = shown(about.name_raw());
        if about.is_dir() {
            return Ok(());
        }
        let why = match () {
            () if about.encrypted() => Some("it is encrypted: unpack it first"),
            () if about.is_symlink() => Some("it is no file"),
            () => None,
        };
        if let Some(why) = why {
            self.leave_out(&name, why);
            return Ok(());
        }
        drop(about);
        match zip.by_index(number) {
            Ok(mut entry) => self.keep("zip", name, &mut entry, spool),
            Err(error) => {
                self.leave_out(&name, &error.to_string());
                Ok(())
            }
        }
    }

    fn new() -> Self {
        Self { members: Vec::new(), left_out: Vec::new(), damage: None }
    }

    fn keep(
        &mut self,
        kind: &str,
        name: String,
        from: &mut impl Read,
        spool: &mut Spool,
    ) -> io::Result<()> {
        if self.members.len() == MEMBERS {
            let what = format!("an archive of more than {MEMBERS} files: unpack it first");
            return Err(Damage::new(ErrorKind::InvalidData, what).into());
        }
        let (bytes, ended) = spool.keep(from)?;
        self.members.push(Member { name, bytes });
        if let Err(error) = ended {
            self.damaged(kind, &error);
        }
        Ok(())
    }

    /// Notes what is wrong behind the last file, or within it.
    fn damaged(&mut self, kind: &str, error: &io::Error) {
        let place = self.members.last().map_or_else(
            || "at its beginning".to_owned(),
            |last| format!("in or behind {}", last.name),
        );
        // As the reader of tar says it, of files and of headers.
        let told = error.to_string();
        let is_cut = error.kind() == ErrorKind::UnexpectedEof
            || ["unexpected EOF", "read entire block"].iter().any(|cut| told.contains(cut));
        let what = match is_cut {
            true => format!("the {kind} archive ends early, {place}"),
            false => format!("damaged {kind} archive, {place}: {error}"),
        };
        // What is told of the bytes themselves says more.
        let again = || damage::again(error);
        self.damage = Some(Damage::of(error, what).unwrap_or_else(again));
    }

    pub(crate) fn leave_out(&mut self, name: &str, why: &str) {
        self.left_out.push(format!("{name}: {why}"));
    }

    fn sort(&mut self) {
        self.members.sort_by(|one, other| Order::of(&one.name).cmp(&Order::of(&other.name)));
    }
}

/// A name as it can be shown.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.chars()
        .map(|one| if one.is_control() { char::REPLACEMENT_CHARACTER } else { one })
        .collect()
}

fn damaged_zip(error: zip::result::ZipError) -> io::Error {
    let what = format!("damaged zip archive: {error}");
    let error = io::Error::from(error);
    Damage::of(&error, what).map_or(error, Into::into)
}

/// Reads what follows the end of an archive: nothing but zeros, or files would be passed over in silence.
fn only_padding(mut raw: impl Read) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match raw.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) if buffer[..read].iter().any(|byte| *byte != 0) => {
                let what = "something follows its end";
                return Err(io::Error::new(ErrorKind::InvalidData, what));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes of which only so many may be read: long names are read into memory.
struct Gate<'a, R> {
    raw: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Gate<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = to.len().min(usize::try_from(self.left.get()).unwrap_or(usize::MAX));
        if length == 0 && !to.is_empty() {
            let what = "what stands between two files is too long";
            return Err(io::Error::new(ErrorKind::InvalidData, what));
        }
        let read = self.raw.read(&mut to[..length])?;
        self.left.set(self.left.get() - read as u64);
        Ok(read)
    }
}
