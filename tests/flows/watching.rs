//! Folders and patterns that are followed: logs come, go and are rotated.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use local::clock::Now;
use local::files::{Heard, Logs};
use tests::app::NOW;
use tokio::task::JoinHandle;

use crate::local_files::{Machine, append, gzip, whole};

impl Machine {
    fn watch(&self, named: &[&str], heard: &Heard) -> JoinHandle<()> {
        let named: Vec<PathBuf> = named.iter().map(|name| self.path(name)).collect();
        let (ingest, files) = (self.ingest.clone(), self.home.store.files());
        tokio::spawn(Logs::new(named).follow(ingest, files, heard.clone(), Now::Fixed(NOW)))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_that_come_into_a_folder_are_followed_and_rotated_ones_are_not_twice() -> Result<()> {
    let machine = Machine::new().await?;
    for folder in ["containers/one", "containers/two"] {
        fs::create_dir_all(machine.path(folder))?;
    }
    let log = machine.path("containers/one/one-json.log");
    fs::write(&log, whole(0))?;
    let heard = Heard::default();
    let watching = machine.watch(&["containers/*/*-json.log", "missing.log", "later"], &heard);
    machine.until(1).await?;
    // Another container, and the rotation of the first.
    fs::write(machine.path("containers/two/two-json.log"), whole(1))?;
    machine.until(2).await?;
    append(&log, &whole(2))?;
    machine.until(3).await?;
    fs::rename(&log, machine.path("containers/one/one-json.log.1"))?;
    fs::write(&log, whole(3))?;
    machine.until(4).await?;
    gzip(&machine.path("containers/one/one-json.log.2.gz"), &whole(0))?;
    fs::remove_file(machine.path("containers/one/one-json.log.1"))?;
    // What was missing comes, and what was there goes and comes again.
    fs::write(machine.path("missing.log"), whole(4))?;
    fs::create_dir(machine.path("later"))?;
    machine.until(5).await?;
    fs::remove_file(machine.path("containers/two/two-json.log"))?;
    append(&machine.path("containers/two/two-json.log"), &whole(5))?;
    machine.until(6).await?;
    // It is noted behind the counting.
    while heard.standing().iter().map(|source| source.messages).sum::<u64>() < 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    watching.abort();
    let standing = heard.standing();
    let is_fresh = |silence: Option<Duration>| silence.is_some_and(|it| it.as_secs() < 600);
    ensure!(standing.iter().filter(|source| is_fresh(source.silence)).count() == 3, "{standing:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_followed_without_what_is_no_log() -> Result<()> {
    let machine = Machine::new().await?;
    fs::create_dir(machine.path("log"))?;
    fs::write(machine.path("log/wtmp"), [7, 0, 0, 0, 7])?;
    fs::write(machine.path("log/mail.log"), whole(0))?;
    fs::write(machine.path("log/mail.log.1"), whole(1))?;
    let heard = Heard::default();
    let watching = machine.watch(&["log"], &heard);
    machine.until(1).await?;
    fs::write(machine.path("log/exim_mainlog"), whole(2))?;
    machine.until(2).await?;
    watching.abort();
    let names: Vec<_> = heard.standing().into_iter().map(|source| source.source).collect();
    ensure!(names.len() == 2 && names[0].ends_with("exim_mainlog"), "{names:?}");
    Ok(())
}
