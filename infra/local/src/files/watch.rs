//! Which logs are followed: those that are named, and those that folders and patterns hold, as they appear.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ingest::Ingest;
use store::Files;
use tokio::task::JoinSet;

use super::follow::follow;
use super::heard::Heard;
use super::siblings::{is_compressed, log_of};
use crate::clock::Now;

/// How often it is looked for new logs, and whether the others are there.
const EVERY: Duration = Duration::from_secs(1);
/// A log may be away for so long while it is rotated.
const ROTATION: Duration = Duration::from_secs(10);
/// What of a file is looked at, to tell whether it holds text.
const BEGINNING: u64 = 512;

/// Logs to follow: paths, folders, and patterns with `*`, `?` or `[…]`.
#[derive(Clone, Debug)]
pub struct Logs(Vec<PathBuf>);

/// A log that is followed.
struct Watched {
    /// Since when it is not there.
    gone_since: Option<Instant>,
    is_told: bool,
}

impl Logs {
    /// These, as they were named.
    #[must_use]
    pub fn new(named: Vec<PathBuf>) -> Self {
        Self(named)
    }

    /// What is told of each at the start, for people: how many logs it is, or why none.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|named| format!("Following {}{}", named.display(), state(named)))
            .collect()
    }

    /// The logs that there are now, and those that were named and may come.
    fn present(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = self.0.iter().flat_map(|named| logs_of(named)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Follows them all, and those that come, until it is dropped.
    pub async fn follow(self, ingest: Ingest, files: Files, heard: Heard, now: Now) {
        let mut watched: BTreeMap<PathBuf, Watched> = BTreeMap::new();
        let mut real = HashSet::new();
        let mut is_start = true;
        // Those in it end when it is dropped.
        let mut followers = JoinSet::new();
        loop {
            for path in self.present() {
                // Under two names it is one log all the same.
                if watched.contains_key(&path)
                    || !real.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone()))
                {
                    continue;
                }
                if !is_start {
                    tracing::info!(path = %path.display(), "a new log is followed");
                }
                heard.expect(&path.display().to_string());
                let follower =
                    follow(ingest.clone(), files.clone(), path.clone(), heard.clone(), now);
                followers.spawn(follower);
                watched.insert(path, Watched { gone_since: None, is_told: false });
            }
            for (path, log) in &mut watched {
                log.look(path, is_start);
            }
            heard.tell_silent();
            is_start = false;
            tokio::time::sleep(EVERY).await;
        }
    }
}

impl Watched {
    /// Tells that a log is gone, and that it is back. What is missing at the start was told already.
    fn look(&mut self, path: &Path, is_start: bool) {
        let shown = path.display();
        if path.exists() {
            if std::mem::take(&mut self.is_told) {
                tracing::info!(path = %shown, "log is there, and followed");
            }
            self.gone_since = None;
            return;
        }
        let since = *self.gone_since.get_or_insert_with(Instant::now);
        if is_start {
            self.is_told = true;
        } else if !self.is_told && since.elapsed() >= ROTATION {
            self.is_told = true;
            tracing::warn!(path = %shown, "log is gone, deleted or renamed: waiting for it");
        }
    }
}

fn is_pattern(named: &Path) -> bool {
    let text = named.as_os_str().as_encoded_bytes();
    text.iter().any(|byte| b"*?[".contains(byte)) && !named.exists()
}

/// The logs that a name stands for.
fn logs_of(named: &Path) -> Vec<PathBuf> {
    let found = if named.is_dir() {
        let entries = fs::read_dir(named).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    } else if is_pattern(named) {
        let matches = named.to_str().and_then(|pattern| glob::glob(pattern).ok());
        matches.into_iter().flatten().flatten().collect()
    } else {
        return vec![named.to_owned()];
    };
    let found: Vec<PathBuf> = found;
    found.iter().filter(|path| is_log(path)).cloned().collect()
}

/// Whether a file that was found is a log of its own: not what another was rotated into, and not something else.
fn is_log(path: &Path) -> bool {
    let log = log_of(path);
    let is_rotated = log != path && log.exists();
    !is_rotated && !is_compressed(path) && path.is_file() && holds_text(path).unwrap_or(true)
}

/// Whether a file begins like text: folders of logs hold others, too.
fn holds_text(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    fs::File::open(path)?.take(BEGINNING).read_to_end(&mut begin)?;
    // Behind a hole: somebody goes on writing in a log that was cut.
    let hole = begin.iter().position(|byte| *byte != 0).unwrap_or(begin.len());
    let text = &begin[hole..];
    Ok(text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) || !text.contains(&0))
}

/// How what was named stands at the start.
fn state(named: &Path) -> String {
    if named.is_dir() || is_pattern(named) {
        if let Err(error) = fs::read_dir(named).map(drop)
            && named.is_dir()
        {
            return format!(": it cannot be read: {error}");
        }
        return match logs_of(named).len() {
            0 => ": there is no log yet, and those that come are followed".to_owned(),
            1 => ": one log, and those that come".to_owned(),
            many => format!(": {many} logs, and those that come"),
        };
    }
    match fs::File::open(named) {
        Ok(_) => String::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ": it is not there yet, and is waited for".to_owned()
        }
        Err(error) => format!(": it cannot be read, and is tried again: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_compressed_ones_and_others_are_no_logs_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in
            ["mail.log", "mail.log.1", "mail.log-20261123", "mail.err", "exim.gz", "a-1.log"]
        {
            fs::write(path(name), "a line\n").expect("written");
        }
        fs::write(path("wtmp"), b"\x07\0\0\0x").expect("written");
        fs::write(path("hole"), b"\0\0\0a line\n").expect("written");
        fs::write(path("empty"), b"").expect("written");
        fs::create_dir(path("more")).expect("made");
        let names = |named: &Path| {
            let mut found = logs_of(named);
            found.sort_unstable();
            let name = |path: PathBuf| path.file_name()?.to_str().map(str::to_owned);
            found.into_iter().filter_map(name).collect::<Vec<_>>()
        };
        let all = ["a-1.log", "empty", "hole", "mail.err", "mail.log"];
        assert_eq!(names(folder.path()), all);
        assert_eq!(names(&path("mail*")), ["mail.err", "mail.log"]);
        assert_eq!(names(&path("nothing*")), [""; 0]);
        // What is named is followed, whatever it is, and waited for.
        assert_eq!(names(&path("mail.log.1")), ["mail.log.1"]);
        assert_eq!(names(&path("missing")), ["missing"]);
        let told =
            Logs::new(vec![folder.path().to_owned(), path("nothing*"), path("missing")]).told();
        assert!(told[0].ends_with(": 5 logs, and those that come"), "{told:?}");
        assert!(
            told[1].contains("there is no log yet") && told[2].contains("waited for"),
            "{told:?}"
        );
    }
}
