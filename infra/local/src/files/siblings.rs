//! The files into which a log is rotated: those beside it whose names are made from its name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::input::Input;

/// What compressed logs are called that can be read.
const READABLE: [&str; 5] = [".gz", ".bz2", ".xz", ".zst", ".lz4"];
/// What compressed logs are called that cannot.
const UNREADABLE: [&str; 6] = [".Z", ".lz", ".lzma", ".lzo", ".7z", ".rar"];

/// A file, whatever it is called: device, number, size and time of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    /// Device and number: a renamed file keeps them.
    pub(super) identity: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Self {
        let identity = (meta.dev(), meta.ino());
        Self { identity, size: meta.size(), changed: (meta.mtime(), meta.mtime_nsec()) }
    }
}

/// A rotated file.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

impl Sibling {
    /// Opens it; none if it is another by now, which the next look finds.
    pub(super) fn open(&self) -> io::Result<Option<Input>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_it = Stamp::of(&file.metadata()?).identity == self.stamp.identity;
        is_it.then(|| Input::of(file, &self.path)).transpose()
    }
}

/// What a log was rotated into.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    /// Each once, whatever names it has.
    pub(super) files: Vec<Sibling>,
    /// Those that are compressed in a way that cannot be read.
    pub(super) unreadable: Vec<PathBuf>,
}

impl Siblings {
    /// Those of the log at a path, whose link is followed as well, as they are at present.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        for (sibling, stamp) in look(path)? {
            let is_new = found.files.iter().all(|one| one.stamp.identity != stamp.identity);
            if has_suffix(&sibling, &UNREADABLE) {
                found.unreadable.push(sibling);
            } else if sibling != path && is_new {
                found.files.push(Sibling { path: sibling, stamp });
            }
        }
        Ok(found)
    }

    /// Whether one, which begins with `head`, is another that is being compressed: until that is done, it is younger than
    /// what came behind it.
    pub(super) fn is_being_made(&self, sibling: &Sibling, head: &[u8]) -> bool {
        let name = sibling.path.as_os_str().as_encoded_bytes();
        let source = self.files.iter().find(|one| {
            one.path != sibling.path
                && one.path.as_os_str().as_encoded_bytes() == uncompressed(name)
        });
        let source = source.and_then(|source| source.open().ok()?);
        source.is_some_and(|source| source.head.starts_with(head))
    }

    /// Whether the same files have the same names: none was renamed in between.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let names = |siblings: &Self| -> Vec<_> {
            let files = siblings.files.iter();
            files.map(|one| (one.path.clone(), one.stamp.identity)).collect()
        };
        names(self) == names(other)
    }
}

/// The rotated files, in the order of their names.
fn look(path: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut found = BTreeMap::new();
    let target = fs::canonicalize(path).ok().filter(|_| path.is_symlink());
    for (log, is_target) in [(Some(path), false), (target.as_deref(), true)] {
        let Some((log, name)) = log.and_then(|log| Some((log, log.file_name()?))) else { continue };
        let folder = log.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        for entry in fs::read_dir(folder)? {
            let candidate: OsString = entry?.file_name();
            let belongs = is_rotation_of(&candidate, name)
                || (is_target && candidate != name && is_dated_like(&candidate, name));
            let sibling = folder.join(&candidate);
            // Through its link, if it is one.
            if belongs && let Ok(meta) = fs::metadata(&sibling).and_then(only_file) {
                found.insert(sibling, Stamp::of(&meta));
            }
        }
    }
    Ok(found)
}

fn only_file(meta: Metadata) -> io::Result<Metadata> {
    if meta.is_file() { Ok(meta) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn has_suffix(path: &Path, suffixes: &[&str]) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    suffixes.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
}

/// Whether a file is compressed, by its name.
pub(super) fn is_compressed(path: &Path) -> bool {
    has_suffix(path, &UNREADABLE) || has_suffix(path, &READABLE)
}

/// A name without what compression adds to it.
fn uncompressed(name: &[u8]) -> &[u8] {
    let suffixes = UNREADABLE.iter().chain(&READABLE);
    let mut stripped = suffixes.filter_map(|suffix| name.strip_suffix(suffix.as_bytes()));
    stripped.next().unwrap_or(name)
}

/// `maillog.1`, `maillog-20261123.gz`, and `mail-20261123.log` or `mail.1.log` for `mail.log`.
fn is_rotation_of(candidate: &OsStr, name: &OsStr) -> bool {
    let (candidate, name) = (uncompressed(candidate.as_encoded_bytes()), name.as_encoded_bytes());
    let before_ending = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    let (stem, ending) = name.split_at(before_ending.unwrap_or(name.len()));
    let whole = candidate.strip_prefix(name);
    let inside = candidate.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending));
    whole.into_iter().chain(inside).any(is_mark)
}

/// The log that a file belongs to, by its name: the path without what rotation and compression have added.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let Some(name) = path.file_name() else { return path.to_owned() };
    let name = uncompressed(name.as_encoded_bytes());
    let before_ending = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    let (stem, ending) = name.split_at(before_ending.unwrap_or(name.len()));
    let own = match (without_mark(name), without_mark(stem)) {
        (Some(whole), _) => whole.to_vec(),
        (None, Some(stem)) => [stem, ending].concat(),
        (None, None) => name.to_vec(),
    };
    path.with_file_name(OsString::from_vec(own))
}

/// A name without what a rotation has added at its end, if it has.
fn without_mark(name: &[u8]) -> Option<&[u8]> {
    (1..name.len())
        .map(|at| name.split_at(at))
        .find(|(_, added)| is_mark(added))
        .map(|(own, _)| own)
}

/// What a rotation adds to a name: a number, a date, or `.old`.
fn is_mark(added: &[u8]) -> bool {
    let Some((b'.' | b'-' | b'_', mark)) = added.split_first().map(|(first, rest)| (*first, rest))
    else {
        return false;
    };
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"-_.:T".contains(byte);
    mark == b"old" || (mark.first().is_some_and(u8::is_ascii_digit) && mark.iter().all(is_part))
}

/// `mail-20261123.log` like `mail-20261124.log`: the same but for digits.
fn is_dated_like(candidate: &OsStr, name: &OsStr) -> bool {
    let shape = |name: &OsStr| {
        let mut shape = Vec::new();
        for byte in uncompressed(name.as_encoded_bytes()) {
            match byte {
                b'0'..=b'9' if shape.last() == Some(&b'#') => {}
                b'0'..=b'9' => shape.push(b'#'),
                other => shape.push(*other),
            }
        }
        shape
    };
    let shape_of_name = shape(name);
    shape_of_name.contains(&b'#') && shape(candidate) == shape_of_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotations_make() {
        let is = |candidate: &str, name: &str| is_rotation_of(candidate.as_ref(), name.as_ref());
        for made in ["mail.log.1", "mail.log.1.gz", "mail.log-20261123", "mail.log-20261123.zst"] {
            assert!(is(made, "mail.log"), "{made}");
        }
        for made in ["mail.log.0.bz2", "mail.log.2026-11-23T10:00", "mail.log_2026.11.23"] {
            assert!(is(made, "mail.log"), "{made}");
        }
        for made in ["mail-20261123.log", "mail.1.log", "mail.log.old", "mail-2026-11-23.log.gz"] {
            assert!(is(made, "mail.log"), "{made}");
        }
        assert!(is("mainlog.01", "mainlog") && is("maillog-20261123", "maillog"));
        for other in ["mail.log", "mail.log.gz", "mail.log.err", "mail.log.1x", "mail.login"] {
            assert!(!is(other, "mail.log"), "{other}");
        }
        for other in ["mail.err.1", "mail.log.", "mail.log.-", "xmail.log.1", "mail.log.1.txt"] {
            assert!(!is(other, "mail.log"), "{other}");
        }
        let is = |candidate: &str, name: &str| is_dated_like(candidate.as_ref(), name.as_ref());
        assert!(is("mail-20261123.log", "mail-20261124.log"));
        assert!(is("mail-20261123.log.gz", "mail-20261124.log"));
        assert!(!is("auth-20261123.log", "mail-20261124.log"));
        assert!(!is("mail.log.gz", "mail.log"), "nothing of it changes");
    }

    #[test]
    fn rotated_files_belong_to_one_log() {
        let log = |path: &str| log_of(path.as_ref()).display().to_string();
        for rotated in ["a/mail.log", "a/mail.log.1", "a/mail.log.2.gz", "a/mail.log-20261123.xz"] {
            assert_eq!(log(rotated), "a/mail.log");
        }
        for rotated in ["mail-20261123.log", "mail-20261123.log.gz", "mail.1.log", "mail.log.old"] {
            assert_eq!(log(rotated), "mail.log");
        }
        assert_eq!(
            (log("maillog.01"), log("mx1"), log("-")),
            ("maillog".into(), "mx1".into(), "-".into())
        );
    }

    #[test]
    fn each_file_is_found_once_through_its_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let elsewhere = tempfile::tempdir().expect("a folder");
        let target = elsewhere.path().join("mail-20261124.log");
        for file in [&target, &elsewhere.path().join("mail-20261123.log"), &path("log.1")] {
            fs::write(file, "x").expect("written");
        }
        fs::write(path("log.2.lzo"), "x").expect("written");
        fs::write(path("log.5.xz"), "x").expect("written");
        std::os::unix::fs::symlink(&target, path("log")).expect("a link");
        std::os::unix::fs::symlink(path("log.1"), path("log.3")).expect("a link");
        std::os::unix::fs::symlink(path("nothing"), path("log.4")).expect("a link");
        let found = Siblings::of(&path("log")).expect("siblings");
        let mut names: Vec<_> =
            found.files.iter().filter_map(|one| one.path.file_name()?.to_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["log.1", "log.5.xz", "mail-20261123.log"]);
        assert_eq!(found.unreadable, [path("log.2.lzo")]);
    }
}
