//! The data folder: the store's file, and a lock that says which process owns it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::Client;
use chrono_tz::Tz;
use history::History;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use report::{Day, LongNames, Range};
use rustix::fs::Mode;
use store::{Store, Writing};

use crate::clock::Now;
use crate::engine::Engine;
use crate::socket::{self, Remote};
use crate::standing::Watch;

/// What a data folder holds beside folders.
const STORE: &str = "store.sqlite";
const LOCK: &str = "lock";
/// The folders in it.
const ARCHIVE: &str = "archive";
pub(crate) const OUTBOX: &str = "outbox";
/// The table's name; on one machine there is just one.
const TABLE: &str = "smtp-auth-report";

/// A store that this process may use.
#[derive(Debug)]
pub struct Home {
    /// The store.
    pub store: Store,
    /// The store, and the archives beside it.
    pub history: History,
    /// How the store marks long names.
    pub long_names: LongNames,
    /// Looks after the machine's clock.
    pub watch: Watch,
    /// The engine, if this process owns it.
    pub engine: Option<Engine>,
    folder: Option<PathBuf>,
    /// Held as long as the process lives; the system lets go of it when the process dies.
    _lock: Option<File>,
}

impl Home {
    /// A store in memory, gone when the process ends.
    ///
    /// # Errors
    /// The engine does not start.
    pub async fn in_memory(zone: Tz) -> Result<Self> {
        let engine = Engine::in_memory()?;
        Self::of(engine.client(), Some(engine), None, None, zone).await
    }

    /// Opens a data folder for one process alone, or makes it.
    ///
    /// # Errors
    /// Another process has it, it cannot be opened, or its days are counted in another zone.
    pub async fn own(folder: &Path, zone: Tz) -> Result<Self> {
        let Some(lock) = lock(folder)? else {
            bail!(
                "{} is in use by another process: end that one, or choose another folder with --data",
                folder.display()
            );
        };
        Self::owned(folder, lock, zone).await
    }

    /// Opens a data folder, or reaches it through the process that serves it.
    ///
    /// # Errors
    /// As [`own`](Self::own), if that process does not let others in.
    pub async fn share(folder: &Path, zone: Tz) -> Result<Self> {
        if let Some(lock) = lock(folder)? {
            return Self::owned(folder, lock, zone).await;
        }
        let remote = Remote::new(socket::path(folder));
        if !remote.answers().await {
            bail!(
                "{} is in use by another process that does not serve it (an ingest?): wait for its \
                 end, or choose another folder with --data",
                folder.display()
            );
        }
        Self::of(crate::engine::client(remote), None, Some(folder), None, zone).await
    }

    /// Lets other processes of this user use the store, through a socket in the folder.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub async fn let_others_in(&self) -> Result<()> {
        match (&self.engine, &self.folder) {
            (Some(engine), Some(folder)) => {
                socket::listen(&socket::path(folder), engine.clone()).await
            }
            _ => Ok(()),
        }
    }

    /// The data folder; none of a store in memory.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    async fn owned(folder: &Path, lock: File, zone: Tz) -> Result<Self> {
        for name in [STORE, "store.sqlite-wal", "store.sqlite-shm", LOCK] {
            close_to_others(&folder.join(name), 0o600)?;
        }
        for name in [ARCHIVE, OUTBOX] {
            close_to_others(&folder.join(name), 0o700)?;
        }
        let engine = Engine::open(&folder.join(STORE))?;
        Self::of(engine.client(), Some(engine), Some(folder), Some(lock), zone).await
    }

    async fn of(
        client: Client,
        engine: Option<Engine>,
        folder: Option<&Path>,
        lock: Option<File>,
        zone: Tz,
    ) -> Result<Self> {
        let store = Store::new(client, TABLE, Writing::Transactions);
        store.create_table().await?;
        let long_names = store.ingestion().claim_zone(zone.name()).await?;
        let history = History::new(&store, archives(folder)?);
        let newest = newest(&store).await?;
        let watch = Watch::over(folder, newest);
        if newest.is_none() {
            // A new folder, whose first logs may be old: there is nothing that the clock could do harm to.
            let _ = watch.look(Now::Machine.unix());
        }
        let folder = folder.map(Path::to_path_buf);
        Ok(Self { store, history, long_names, watch, engine, folder, _lock: lock })
    }
}

/// The newest day that was counted.
async fn newest(store: &Store) -> Result<Option<Day>> {
    // Days are texts of ten characters to the table.
    let all = Day::from_ymd_opt(1970, 1, 1).zip(Day::from_ymd_opt(9999, 12, 31));
    let Some((start, end)) = all else { return Ok(None) };
    let states = store.days().states(Range { start, end }).await?;
    Ok(states.into_iter().rev().find(|(_, state)| state.revision > 0).map(|(day, _)| day))
}

/// The folder of the archives in a data folder.
#[must_use]
pub fn archives_in(folder: &Path) -> PathBuf {
    folder.join(ARCHIVE)
}

/// Where archives are kept: in the folder, or in memory as the store is.
fn archives(folder: Option<&Path>) -> Result<Arc<dyn ObjectStore>> {
    let Some(folder) = folder else { return Ok(Arc::new(InMemory::new())) };
    let archives = archives_in(folder);
    let whats_wrong = || format!("cannot use the archives' folder {}", archives.display());
    fs::create_dir_all(&archives).with_context(whats_wrong)?;
    let objects = LocalFileSystem::new_with_prefix(&archives).with_context(whats_wrong)?;
    Ok(Arc::new(objects.with_automatic_cleanup(true)))
}

/// Locks a folder; none if another process has.
fn lock(folder: &Path) -> Result<Option<File>> {
    let whats_wrong = || format!("cannot use the data folder {}", folder.display());
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => warn_if_open(folder, &found.permissions()),
        _ => make_private(folder).with_context(whats_wrong)?,
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(folder.join(LOCK))
        .with_context(whats_wrong)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(whats_wrong),
    }
}

/// Whom mail goes between is nobody else's business on this machine.
fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes whatever this process writes from now on its user's alone, in a folder of whatever mode.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// What earlier versions wrote may be open.
fn close_to_others(file: &Path, mode: u32) -> Result<()> {
    let closed = match fs::metadata(file) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            fs::set_permissions(file, Permissions::from_mode(mode))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    };
    closed.with_context(|| format!("cannot keep {} from others", file.display()))
}

/// A folder keeps the mode that its owner gave it.
fn warn_if_open(folder: &Path, mode: &Permissions) {
    if mode.mode() & 0o077 != 0 {
        let folder = folder.display();
        tracing::warn!(
            "other users of this machine can look into the data folder {folder}; to keep them out: chmod 700 {folder}"
        );
    }
}

#[cfg(test)]
mod tests {
    use ingest::{FileIngest, Ingest, IngestedLine, Settings};
    use store::KnownFile;

    use super::*;

    /// Noon of 23 Nov 2026.
    const NOW: i64 = 1_795_435_200;

    #[tokio::test]
    async fn a_clock_far_ahead_of_what_is_counted_is_doubted_though_none_was_noted() {
        let folder = tempfile::tempdir().expect("a folder");
        {
            let home = Home::own(folder.path(), Tz::UTC).await.expect("a home");
            let logs = logs::Options { format: logs::Format::Auto, zone: Tz::UTC };
            let (default_domain, long_names) = ("(none)".into(), home.long_names);
            let settings = Settings { logs, zone: Tz::UTC, default_domain, long_names };
            let ingest = Ingest::new(&home.store, settings);
            let file = KnownFile { source: "file:1".to_owned(), known: false };
            let mut reading = FileIngest::resume(&ingest, &file, NOW).await.expect("begun");
            let line = r#"{"time":"2026-11-23T10:00:00Z","sender":"ann@example.test"}"#;
            let place = IngestedLine {
                begins: 0,
                ends: line.len() as u64 + 1,
                reference: NOW,
                is_ended: true,
                is_continued: false,
            };
            reading.line(line.as_bytes(), place);
            assert_eq!(reading.flush().await.expect("counted").submissions, 1);
        }
        fs::remove_file(folder.path().join("clock")).expect("it was noted");
        let home = Home::own(folder.path(), Tz::UTC).await.expect("the same");
        assert!(!home.watch.believes(NOW + 300 * 86_400));
        assert!(home.watch.believes(NOW + 3600));
    }

    #[tokio::test]
    async fn what_was_open_to_others_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let all = [(ARCHIVE, 0o700), (OUTBOX, 0o700), (LOCK, 0o600), (STORE, 0o600)];
        for (name, closed) in all {
            let one = folder.path().join(name);
            let made = if closed == 0o700 { fs::create_dir(&one) } else { fs::write(&one, "") };
            made.expect("made");
            fs::set_permissions(&one, Permissions::from_mode(closed | 0o044)).expect("a mode");
        }
        let _home = Home::own(folder.path(), Tz::UTC).await.expect("a home");
        for (name, closed) in all {
            let found = fs::metadata(folder.path().join(name)).expect("it is there");
            assert_eq!(found.permissions().mode() & 0o777, closed, "{name}");
        }
    }
}
