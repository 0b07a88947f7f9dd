//! Files on one machine: read again, renamed, compressed, grown, followed and rotated.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use flate2::write::GzEncoder;
use ingest::Ingest;
use local::clock::Now;
use local::files::follow::follow;
use local::files::{self, Heard, Report, Stop};
use local::home::Home;
use report::{ALL_DOMAINS, Range};
use tests::app::{NOW, settings};

pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) ingest: Ingest,
}

impl Machine {
    pub(crate) async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = Home::own(&folder.path().join("data"), chrono_tz::UTC).await?;
        let ingest = Ingest::new(&home.store, settings(chrono_tz::UTC));
        Ok(Self { folder, home, ingest })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn read(&self, names: &[&str]) -> Result<Vec<Report>> {
        self.read_again(names, false).await
    }

    /// Reads files, also those that hold what others did.
    pub(crate) async fn read_again(&self, names: &[&str], again: bool) -> Result<Vec<Report>> {
        let paths: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        let mut reports = Vec::new();
        let known = self.home.store.files();
        files::ingest(
            &self.ingest,
            &known,
            &paths,
            Now::Fixed(NOW),
            again,
            &Stop::default(),
            |report| reports.push(report),
        )
        .await?;
        Ok(reports)
    }

    pub(crate) fn follow(&self, path: &Path) -> impl Future<Output = ()> + Send + 'static {
        let (ingest, files) = (self.ingest.clone(), self.home.store.files());
        follow(ingest, files, path.to_owned(), Heard::default(), Now::Fixed(NOW))
    }

    pub(crate) async fn messages(&self) -> Result<u64> {
        let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
        let rollup = self.home.store.summaries().rollup(ALL_DOMAINS, range).await?;
        Ok(rollup.values().map(report::TlsCounts::total).sum())
    }

    /// Messages whose session is known to have been in the clear: its end was found.
    pub(crate) async fn plain(&self) -> Result<u64> {
        let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
        let rollup = self.home.store.summaries().rollup(ALL_DOMAINS, range).await?;
        Ok(rollup.values().map(|day| day.get(report::TlsVersion::None)).sum())
    }

    /// Waits until so many messages are counted.
    pub(crate) async fn until(&self, messages: u64) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let patience = tokio::time::timeout(Duration::from_secs(60), async {
            while self.messages().await? < messages {
                ticks.tick().await;
            }
            anyhow::Ok(())
        });
        let Ok(counted) = patience.await else {
            anyhow::bail!("{} messages, not {messages}", self.messages().await?);
        };
        counted?;
        ensure!(self.messages().await? == messages, "{} messages", self.messages().await?);
        Ok(())
    }
}

pub(crate) fn line(program: &str, text: &str) -> String {
    format!("2026-11-24T10:00:00Z mx1 postfix/{program}[7]: {text}\n")
}

/// A message whose TLS version only the session's end tells, in two parts.
pub(crate) fn message(number: u32) -> (String, String) {
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

pub(crate) fn whole(number: u32) -> String {
    let (begins, ends) = message(number);
    begins + &ends
}

pub(crate) fn append(path: &Path, text: &str) -> Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())?;
    Ok(())
}

pub(crate) fn gzip(path: &Path, text: &str) -> Result<()> {
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
    let rest: String = (1..500).map(whole).collect();
    fs::write(machine.path("rest"), rest)?;
    let rest = machine.read(&["rest"]).await?;
    assert!(rest[0].known && rest[0].summary.lines == 0, "its beginning is gone: {rest:?}");
    let other: String = (500..600).map(whole).collect();
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
    assert_eq!(machine.plain().await?, 3, "the end of the session stands in the next file");
    Ok(())
}

/// Sets when a file was written to last.
fn written(path: &Path, ago: Duration) -> Result<()> {
    let at = SystemTime::now() - ago;
    Ok(File::options().append(true).open(path)?.set_modified(at)?)
}

#[tokio::test]
async fn the_last_line_waits_for_its_end_until_the_log_is_over() -> Result<()> {
    let machine = Machine::new().await?;
    let log = whole(0);
    let path = machine.path("maillog");
    // It would prove a message, for another account.
    let cut = log.len() - 60;
    fs::write(&path, &log[..cut])?;
    for minutes in [0, 1, 59] {
        written(&path, Duration::from_secs(60 * minutes))?;
        assert!(machine.read(&["maillog"]).await?[0].unfinished_line, "{minutes}");
    }
    append(&path, &log[cut..])?;
    machine.read(&["maillog"]).await?;
    assert_eq!(machine.messages().await?, 1);

    let (begins, _) = message(1);
    fs::write(machine.path("over"), begins.trim_end())?;
    written(&machine.path("over"), Duration::from_secs(3_601))?;
    gzip(&machine.path("packed.gz"), whole(2).trim_end())?;
    for report in machine.read(&["over", "packed.gz"]).await? {
        assert!(!report.unfinished_line, "{report:?}");
    }
    assert_eq!(machine.messages().await?, 3);
    // Over or not, it goes on: what follows is the rest of a line that was counted, and then others.
    append(&machine.path("over"), &format!("\n{}", whole(9)))?;
    for lines in [5, 0] {
        let again = machine.read(&["over"]).await?;
        assert!(again[0].known && again[0].summary.lines == lines, "{again:?}");
    }
    assert_eq!(machine.messages().await?, 4);
    // A first line without an end tells nothing yet, not even which file it is.
    fs::write(machine.path("begun"), &whole(3)[..50])?;
    assert!(machine.read(&["begun"]).await?[0].unfinished_line);
    fs::write(machine.path("begun"), whole(3))?;
    assert!(!machine.read(&["begun"]).await?[0].known);
    assert_eq!(machine.messages().await?, 5);
    Ok(())
}

#[tokio::test]
async fn a_log_is_over_when_its_last_line_lies_an_hour_back_whenever_it_was_copied() -> Result<()> {
    let machine = Machine::new().await?;
    let last = |ago: i64| chrono::DateTime::from_timestamp(NOW - ago, 0).context("a time");
    for (number, ago) in [(0, 3_590), (1, 3_600)] {
        let (begins, _) = message(number);
        let time = last(ago)?.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let name = format!("copy-{number}");
        fs::write(machine.path(&name), begins.replace("2026-11-24T10:00:00Z", &time))?;
        let reports = machine.read(&[&name]).await?;
        assert_eq!(reports[0].summary.submissions, u64::from(number), "{reports:?}");
        assert_eq!(machine.messages().await?, u64::from(number));
    }
    Ok(())
}

#[tokio::test]
async fn files_that_begin_alike_are_told_apart_and_known_again() -> Result<()> {
    let machine = Machine::new().await?;
    let header = "An export that begins like every other.\n".repeat(300);
    let hole = "\0".repeat(100_000);
    let log = |numbers: std::ops::Range<u32>| numbers.map(whole).collect::<String>();
    for (name, text) in [
        ("first", header.clone() + &log(0..50)),
        ("longer", header.clone() + &log(50..150)),
        ("shorter", header.clone() + &log(150..151)),
        ("hole", hole.clone() + &log(151..160)),
        ("other-hole", hole + &log(160..162)),
    ] {
        fs::write(machine.path(name), text)?;
    }
    let names = ["first", "longer", "shorter", "hole", "other-hole"];
    for report in machine.read(&names).await? {
        assert!(!report.known, "{report:?}");
    }
    assert_eq!(machine.messages().await?, 162);
    // Again, compressed, and a copy that was made earlier.
    gzip(&machine.path("longer.gz"), &fs::read_to_string(machine.path("longer"))?)?;
    fs::write(machine.path("early"), header + &log(50..77))?;
    let again = [&names[..], &["longer.gz", "early"]].concat();
    for report in machine.read(&again).await? {
        assert!(report.known && report.summary.lines == 0, "{report:?}");
    }
    append(&machine.path("shorter"), &log(162..170))?;
    append(&machine.path("longer"), &log(170..172))?;
    let grown = machine.read(&["shorter", "longer"]).await?;
    assert!(grown.iter().all(|report| report.known), "{grown:?}");
    assert_eq!(machine.messages().await?, 172);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_and_stops_no_other() -> Result<()> {
    let machine = Machine::new().await?;
    let log = |numbers: std::ops::Range<u32>| numbers.map(whole).collect::<String>();
    fs::write(machine.path("empty"), "")?;
    gzip(&machine.path("broken.gz"), &log(0..2000))?;
    let broken = fs::read(machine.path("broken.gz"))?;
    fs::write(machine.path("broken.gz"), &broken[..broken.len() / 2])?;
    gzip(&machine.path("padded.gz"), &log(2000..2010))?;
    append(&machine.path("padded.gz"), &"\0".repeat(10_000))?;
    fs::write(machine.path("noise.gz"), b"\x1f\x8b is no gzip data")?;
    fs::write(machine.path("last"), log(2010..2011))?;
    let names = ["missing", "empty", ".", "broken.gz", "padded.gz", "noise.gz", "last"];
    let reports = machine.read(&names).await?;
    let told = |name: &str| {
        let name = machine.path(name).display().to_string();
        let report = reports.iter().find(|report| report.name == name);
        report.map(|report| (report.failure.as_deref(), report.summary.submissions))
    };
    assert!(matches!(told("missing"), Some((Some(why), 0)) if why.contains("missing")));
    assert!(matches!(told("."), Some((Some(why), 0)) if why.contains("is a folder")));
    assert!(matches!(told("noise.gz"), Some((Some(why), 0)) if why.contains("cannot read")));
    assert_eq!((told("empty"), told("padded.gz")), (Some((None, 0)), Some((None, 10))));
    assert_eq!(told("last"), Some((None, 1)));
    let Some((Some(_), before)) = told("broken.gz") else { anyhow::bail!("{reports:?}") };
    ensure!((500..1500).contains(&before), "{before}");
    assert_eq!(machine.messages().await?, before + 11);
    // Mended, the rest of it is read.
    fs::write(machine.path("broken.gz"), broken)?;
    machine.read(&["broken.gz"]).await?;
    assert_eq!(machine.messages().await?, 2011);
    Ok(())
}

#[tokio::test]
async fn lines_without_a_year_are_of_the_present_one_whatever_the_files_time_is() -> Result<()> {
    let machine = Machine::new().await?;
    let line = |day: u32, number: u32| {
        let rfc3164 = format!("Nov {day:2} 10:00:00 mx1 ");
        whole(number).replace("2026-11-24T10:00:00Z mx1 ", &rfc3164)
    };
    let day = |number: u64| Duration::from_secs(86_400 * number);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
    for (number, name, written) in [
        (0, "honest", now - day(4)),
        (10, "between", now - day(7)),
        (20, "before", now - day(20)),
        (30, "never", SystemTime::UNIX_EPOCH),
        (40, "before.gz", now - day(20)),
        (50, "later", now + day(9)),
    ] {
        let log: String = (0..6).map(|nth| line(15 + nth, number + nth)).collect();
        match name.ends_with(".gz") {
            true => gzip(&machine.path(name), &log)?,
            false => fs::write(machine.path(name), &log)?,
        }
        File::options().append(true).open(machine.path(name))?.set_modified(written)?;
        let report = machine.read(&[name]).await?;
        assert_eq!((report[0].summary.submissions, report[0].summary.too_old), (6, 0), "{name}");
    }
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
    files::ingest(&ingest, &known, &log, Now::Fixed(NOW), false, &Stop::default(), |_| {}).await?;
    assert_eq!(machine.messages().await?, 1);
    let zone = Home::share(&data, chrono_tz::Europe::Berlin).await.expect_err("another zone");
    assert!(format!("{zone:#}").contains("use zone UTC"), "{zone:#}");
    Ok(())
}
