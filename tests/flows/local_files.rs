//! Files on one machine: read again, renamed, compressed, grown, followed and rotated.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use flate2::write::GzEncoder;
use ingest::Ingest;
use local::clock::Now;
use local::files::{self, Report};
use local::follow::follow;
use local::home::Home;
use report::{ALL_DOMAINS, Range};
use tests::app::{NOW, settings};

struct Machine {
    folder: tempfile::TempDir,
    home: Home,
    ingest: Ingest,
}

impl Machine {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = Home::own(&folder.path().join("data"), chrono_tz::UTC).await?;
        let ingest = Ingest::new(&home.store, settings(chrono_tz::UTC));
        Ok(Self { folder, home, ingest })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn read(&self, names: &[&str]) -> Result<Vec<Report>> {
        let paths: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        let mut reports = Vec::new();
        let known = self.home.store.files();
        files::ingest(&self.ingest, &known, &paths, Now::Fixed(NOW), |report| reports.push(report))
            .await?;
        Ok(reports)
    }

    fn follow(&self, path: &Path) -> impl Future<Output = ()> + Send + 'static {
        follow(self.ingest.clone(), self.home.store.files(), path.to_owned(), Now::Fixed(NOW))
    }

    async fn messages(&self) -> Result<u64> {
        let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
        let rollup = self.home.store.summaries().rollup(ALL_DOMAINS, range).await?;
        Ok(rollup.values().map(report::TlsCounts::total).sum())
    }

    /// Waits until so many messages are counted.
    async fn until(&self, messages: u64) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let patience = tokio::time::timeout(Duration::from_secs(60), async {
            while self.messages().await? < messages {
                ticks.tick().await;
            }
            anyhow::Ok(())
        });
        patience.await??;
        ensure!(self.messages().await? == messages, "{} messages", self.messages().await?);
        Ok(())
    }
}

fn line(program: &str, text: &str) -> String {
    format!("2026-11-24T10:00:00Z mx1 postfix/{program}[7]: {text}\n")
}

/// A message whose TLS version only the session's end tells, in two parts.
fn message(number: u32) -> (String, String) {
    let id = format!("4AA0918{number:05X}");
    let begins = [
        line("smtpd", "connect from unknown[192.0.2.1]"),
        line(
            "smtpd",
            &format!("{id}: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=a@x.test"),
        ),
        line("qmgr", &format!("{id}: from=<a{number}@x.test>, size=1, nrcpt=1 (queue active)")),
    ];
    let end = "disconnect from unknown[192.0.2.1] ehlo=1 auth=1 mail=1 rcpt=1 data=1";
    (begins.concat(), line("smtpd", end))
}

fn whole(number: u32) -> String {
    let (begins, ends) = message(number);
    begins + &ends
}

fn append(path: &Path, text: &str) -> Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())?;
    Ok(())
}

fn gzip(path: &Path, text: &str) -> Result<()> {
    let mut encoder = GzEncoder::new(File::create(path)?, flate2::Compression::fast());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()?;
    Ok(())
}

#[tokio::test]
async fn the_same_log_adds_nothing_whatever_it_is_called() -> Result<()> {
    let machine = Machine::new().await?;
    let log: String = (0..50).map(whole).collect();
    fs::write(machine.path("maillog"), &log)?;
    let first = machine.read(&["maillog"]).await?;
    assert_eq!((first[0].summary.lines, first[0].summary.submissions), (200, 50));
    fs::rename(machine.path("maillog"), machine.path("maillog.1"))?;
    gzip(&machine.path("maillog.2.gz"), &log)?;
    for report in machine.read(&["maillog.1", "maillog.2.gz"]).await? {
        assert!(report.known);
        assert_eq!(report.summary.lines, 0);
    }
    append(&machine.path("maillog.1"), &whole(50))?;
    let grown = machine.read(&["maillog.1"]).await?;
    assert_eq!((grown[0].summary.lines, grown[0].summary.submissions), (4, 1));
    assert_eq!(machine.messages().await?, 51);
    Ok(())
}

#[tokio::test]
async fn a_short_file_is_known_again_when_it_has_grown_much() -> Result<()> {
    let machine = Machine::new().await?;
    fs::write(machine.path("maillog"), whole(0))?;
    machine.read(&["maillog"]).await?;
    let log: String = (1..500).map(whole).collect();
    append(&machine.path("maillog"), &log)?;
    let grown = machine.read(&["maillog"]).await?;
    assert!(grown[0].known);
    assert_eq!(machine.messages().await?, 500);
    let other: String = (1..500).map(whole).collect();
    fs::write(machine.path("other"), other)?;
    assert!(!machine.read(&["other"]).await?[0].known, "another beginning is another file");
    Ok(())
}

#[tokio::test]
async fn rotated_logs_are_read_oldest_first_and_sessions_go_on_from_one_to_the_next() -> Result<()>
{
    let machine = Machine::new().await?;
    let (begins, ends) = message(1);
    fs::write(machine.path("maillog.1"), whole(0) + &begins)?;
    fs::write(machine.path("maillog"), ends + &whole(2))?;
    let earlier = SystemTime::now() - Duration::from_secs(7_200);
    let before = earlier - Duration::from_secs(60);
    for (name, changed) in [("maillog", earlier), ("maillog.1", before)] {
        File::options().append(true).open(machine.path(name))?.set_modified(changed)?;
    }
    machine.read(&["maillog", "maillog.1"]).await?;
    assert_eq!(machine.messages().await?, 3);
    let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
    let rollup = machine.home.store.summaries().rollup(ALL_DOMAINS, range).await?;
    let plain: u64 = rollup.values().map(|day| day.get(report::TlsVersion::None)).sum();
    assert_eq!(plain, 3, "the end of the session stands in the next file");
    Ok(())
}

#[tokio::test]
async fn the_last_line_waits_for_its_end_while_a_log_is_written() -> Result<()> {
    let machine = Machine::new().await?;
    let log = whole(0);
    fs::write(machine.path("maillog"), &log[..log.len() - 10])?;
    let reports = machine.read(&["maillog"]).await?;
    assert!(reports[0].unfinished_line);
    append(&machine.path("maillog"), &log[log.len() - 10..])?;
    machine.read(&["maillog"]).await?;
    assert_eq!(machine.messages().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() -> Result<()> {
    let machine = Machine::new().await?;
    let error = machine.read(&["missing"]).await.expect_err("no file");
    assert!(format!("{error:#}").contains("missing"), "{error:#}");
    fs::write(machine.path("empty"), "")?;
    assert_eq!(machine.read(&["empty"]).await?[0].summary.lines, 0);
    let folder = machine.read(&["."]).await.expect_err("a folder");
    assert!(format!("{folder:#}").contains("is a folder"), "{folder:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_followed_over_both_kinds_of_rotation() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    fs::write(&path, whole(0))?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    let (begins, ends) = message(1);
    append(&path, &(whole(2) + &begins))?;
    machine.until(2).await?;
    // Renamed, and written to under its new name before the new one exists.
    fs::rename(&path, machine.path("maillog.1"))?;
    append(&machine.path("maillog.1"), &whole(3))?;
    append(&path, &(ends + &whole(4)))?;
    machine.until(5).await?;
    // Copied and cut to nothing.
    fs::copy(&path, machine.path("maillog.2"))?;
    fs::write(&path, whole(5))?;
    machine.until(6).await?;
    following.abort();
    // Rotated while nobody looked.
    append(&path, &whole(6))?;
    fs::rename(&path, machine.path("maillog.3"))?;
    append(&path, &whole(7))?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(8).await?;
    following.abort();
    machine.read(&["maillog", "maillog.1", "maillog.2", "maillog.3"]).await?;
    assert_eq!(machine.messages().await?, 8);
    Ok(())
}

#[tokio::test]
async fn a_data_folder_has_one_owner_and_lets_others_in() -> Result<()> {
    let machine = Machine::new().await?;
    let data = machine.path("data");
    let error = Home::own(&data, chrono_tz::UTC).await.expect_err("in use");
    assert!(format!("{error:#}").contains("in use"), "{error:#}");
    assert!(Home::share(&data, chrono_tz::UTC).await.is_err());
    machine.home.let_others_in().await?;
    let shared = Home::share(&data, chrono_tz::UTC).await?;
    let ingest = Ingest::new(&shared.store, settings(chrono_tz::UTC));
    fs::write(machine.path("maillog"), whole(0))?;
    let (known, log) = (shared.store.files(), [machine.path("maillog")]);
    files::ingest(&ingest, &known, &log, Now::Fixed(NOW), |_| {}).await?;
    assert_eq!(machine.messages().await?, 1);
    let zone = Home::share(&data, chrono_tz::Europe::Berlin).await.expect_err("another zone");
    assert!(format!("{zone:#}").contains("use zone UTC"), "{zone:#}");
    Ok(())
}
