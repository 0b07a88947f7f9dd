//! The systemd journal, read through journalctl: each entry once, whatever happens to either.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use local::clock::Now;
use local::files::{Heard, Journal, Report, Stop, follow_journal, ingest_journal};
use tests::app::NOW;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::local_files::{Machine, append, gzip, message, whole};

/// journalctl over recorded entries, whose file is its first argument: that may grow.
const STAND_IN: &str = r#"
file=$1; shift; from=1; follow=
for word; do
  case $word in
    --cursor=*) at=$(grep -nF "\"${word#--cursor=}\"" "$file" | head -n 1 | cut -d: -f1); from=${at:-1} ;;
    --follow) follow=-f ;;
  esac
done
exec tail -n "+$from" $follow "$file"
"#;

/// One that ends when it has given all, as journald's restarts make it do.
const ENDING: &str = r#"
file=$1; shift; from=1
for word; do
  case $word in
    --cursor=*) at=$(grep -nF "\"${word#--cursor=}\"" "$file" | head -n 1 | cut -d: -f1); from=${at:-1} ;;
  esac
done
exec tail -n "+$from" "$file"
"#;

/// When an entry was logged, in microseconds: 2026-11-24T10:00:00Z, and a second for each.
fn logged(number: usize) -> u64 {
    1_795_514_400_000_000 + 1_000_000 * number as u64
}

/// What syslog lines say, as fields: program, process and message.
fn fields(log: &str) -> Vec<(String, String, String)> {
    let field = |line: &str| {
        let (_, tagged) = line.split_once(" mx1 ")?;
        let (tag, text) = tagged.split_once(": ")?;
        let (program, process) = tag.strip_suffix(']')?.split_once('[')?;
        Some((program.to_owned(), process.to_owned(), text.to_owned()))
    };
    log.lines().filter_map(field).collect()
}

/// Entries as `journalctl -o json` writes them, numbered from one on.
fn entries(from: usize, log: &str) -> String {
    let entry = |(at, (program, process, text)): (usize, (String, String, String))| {
        let (number, time) = (from + at, logged(from + at));
        let text = text.replace('"', "\\\"");
        format!(
            "{{\"__CURSOR\":\"s=0a;i={number:x};b=0b;m=1;t={time:x};x=1\",\"_HOSTNAME\":\"mx1\",\
             \"SYSLOG_IDENTIFIER\":\"{program}\",\"SYSLOG_PID\":\"{process}\",\
             \"__REALTIME_TIMESTAMP\":\"{time}\",\"MESSAGE\":\"{text}\"}}\n"
        )
    };
    fields(log).into_iter().enumerate().map(entry).collect()
}

struct Recorded {
    machine: Machine,
    file: PathBuf,
    program: PathBuf,
}

impl Recorded {
    async fn new(program: &str) -> Result<Self> {
        let machine = Machine::new().await?;
        let (file, script) = (machine.path("entries"), machine.path("journalctl"));
        fs::write(&script, program)?;
        Ok(Self { machine, file, program: script })
    }

    fn journal(&self) -> Journal {
        let words = [Path::new("sh"), &self.program, &self.file];
        Journal::new(words.iter().map(|word| word.display().to_string()).collect(), Vec::new())
    }

    fn follow(&self) -> (Stop, JoinHandle<()>) {
        follow(&self.machine, self.journal())
    }
}

fn follow(machine: &Machine, journal: Journal) -> (Stop, JoinHandle<()>) {
    let stop = Stop::default();
    let (ingest, now) = (machine.ingest.clone(), Now::Fixed(NOW));
    let following = follow_journal(ingest, journal, Heard::default(), now, stop.clone());
    (stop, tokio::task::spawn_blocking(move || Handle::current().block_on(following)))
}

async fn ingest(machine: &Machine, journal: &Journal) -> Result<Report> {
    ingest_journal(&machine.ingest, journal, Now::Fixed(NOW), &Stop::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_goes_on_behind_its_cursor() -> Result<()> {
    let recorded = Recorded::new(STAND_IN).await?;
    let (machine, file) = (&recorded.machine, &recorded.file);
    let (begins, ends) = message(1);
    fs::write(file, entries(1, &whole(0)))?;
    let (stop, following) = recorded.follow();
    machine.until(1).await?;
    append(file, &entries(20, &(whole(2) + &begins)))?;
    machine.until(2).await?;
    stop.tell();
    following.await?;
    append(file, &entries(40, &ends))?;
    let (stop, following) = recorded.follow();
    machine.until(3).await?;
    ensure!(machine.plain().await? == 3, "the session went on");
    stop.tell();
    following.await?;
    // By hand: nothing new, and then something.
    for (lines, more) in [(0, entries(60, &whole(3))), (4, String::new())] {
        let report = ingest(machine, &recorded.journal()).await?;
        ensure!(report.known && report.summary.lines == lines, "{report:?}");
        append(file, &more)?;
    }
    machine.until(4).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_whose_cursor_is_gone_goes_on_at_what_is_there() -> Result<()> {
    let recorded = Recorded::new(STAND_IN).await?;
    let (machine, file) = (&recorded.machine, &recorded.file);
    fs::write(file, entries(1, &(whole(0) + &whole(1))))?;
    ensure!(!ingest(machine, &recorded.journal()).await?.known);
    machine.until(2).await?;
    fs::write(file, entries(100, &whole(2)))?;
    ensure!(ingest(machine, &recorded.journal()).await?.summary.submissions == 1);
    let (stop, following) = recorded.follow();
    append(file, &entries(110, &whole(3)))?;
    machine.until(4).await?;
    stop.tell();
    Ok(following.await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journalctl_is_started_again_when_it_ends() -> Result<()> {
    let recorded = Recorded::new(ENDING).await?;
    let (machine, file) = (&recorded.machine, &recorded.file);
    fs::write(file, entries(1, &whole(0)))?;
    let (stop, following) = recorded.follow();
    machine.until(1).await?;
    append(file, &entries(20, &whole(1)))?;
    machine.until(2).await?;
    stop.tell();
    following.await?;
    // What is no command, and what fails.
    let missing = Journal::new(vec![machine.path("missing").display().to_string()], Vec::new());
    let error = ingest(machine, &missing).await.expect_err("it is missing");
    ensure!(format!("{error:#}").contains("cannot run"), "{error:#}");
    let failing = Journal::new(vec!["false".to_owned()], Vec::new());
    let report = ingest(machine, &failing).await?;
    ensure!(report.failure.is_some_and(|why| why.contains("journalctl failed")));
    Ok(())
}

#[tokio::test]
async fn a_journal_comes_to_the_same_however_it_is_cut() -> Result<()> {
    let recorded = Recorded::new(STAND_IN).await?;
    let (machine, file) = (&recorded.machine, &recorded.file);
    let log: String = (0..40).map(whole).collect();
    let all = entries(1, &log);
    // Read in parts that end anywhere, also within a session.
    for part in [1, 3, 50, 77, 160] {
        let text: String = all.lines().take(part).flat_map(|line| [line, "\n"]).collect();
        fs::write(file, text)?;
        ingest(machine, &recorded.journal()).await?;
    }
    machine.until(40).await
}

/// Entries as `journalctl -o export` writes them.
fn exported(host: &str, from: usize, log: &str) -> String {
    let entry = |(at, (program, process, text)): (usize, (String, String, String))| {
        let (number, time) = (from + at, logged(from + at));
        format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={number}\n\
             _BOOT_ID=0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\n_HOSTNAME={host}\nSYSLOG_FACILITY=2\n\
             SYSLOG_IDENTIFIER={program}\nSYSLOG_PID={process}\nMESSAGE={text}\n\n"
        )
    };
    fields(log).into_iter().enumerate().map(entry).collect()
}

/// Has journald's own program write a journal; false where it is not installed.
fn write_journal(file: &Path, export: &str) -> Result<bool> {
    let remote = Path::new("/lib/systemd/systemd-journal-remote");
    if !remote.is_file() || Command::new("journalctl").arg("--version").output().is_err() {
        return Ok(false);
    }
    let mut writing = Command::new(remote)
        .arg(format!("--output={}", file.display()))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    writing.stdin.take().context("its input")?.write_all(export.as_bytes())?;
    ensure!(writing.wait()?.success());
    Ok(true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journals_are_read_as_journalctl_itself_gives_them() -> Result<()> {
    let machine = Machine::new().await?;
    let folder = machine.path("journals");
    fs::create_dir(&folder)?;
    let (begins, ends) = message(1);
    if !write_journal(&folder.join("a.journal"), &exported("mx1", 1, &(whole(0) + &begins)))? {
        eprintln!("journalctl or systemd-journal-remote is not installed: nothing is tried");
        return Ok(());
    }
    let command = format!("journalctl --merge --directory={}", folder.display());
    let command = command.split(' ').map(str::to_owned).collect();
    let journal = Journal::new(command, vec!["SYSLOG_FACILITY=2".to_owned()]);
    let first = ingest(&machine, &journal).await?;
    ensure!((first.summary.lines, first.known) == (7, false), "{first:?}");
    machine.until(1).await?;
    ensure!(ingest(&machine, &journal).await?.summary.lines == 0);
    // Of another host, and of the first.
    write_journal(&folder.join("b.journal"), &exported("mx2", 100, &whole(2)))?;
    write_journal(&folder.join("a.journal"), &exported("mx1", 200, &ends))?;
    let (stop, following) = follow(&machine, journal.clone());
    machine.until(3).await?;
    write_journal(&folder.join("a.journal"), &exported("mx1", 300, &whole(3)))?;
    machine.until(4).await?;
    stop.tell();
    following.await?;
    // The entry that was read last goes, and others with it.
    fs::remove_file(folder.join("a.journal"))?;
    write_journal(&folder.join("a.journal"), &exported("mx1", 400, &whole(4)))?;
    let report = ingest(&machine, &journal).await?;
    ensure!(report.summary.lines == 4, "{report:?}");
    machine.until(5).await
}

#[tokio::test]
async fn an_export_adds_what_is_new_after_the_journal_was_vacuumed() -> Result<()> {
    let machine = Machine::new().await?;
    let log = |numbers: std::ops::Range<u32>| numbers.map(whole).collect::<String>();
    let all = entries(1, &log(0..500));
    let kept: String = all.lines().skip(1003).flat_map(|line| [line, "\n"]).collect();
    let new = entries(3000, &log(500..520));
    fs::write(machine.path("a.json"), &all)?;
    machine.read(&["a.json"]).await?;
    machine.until(500).await?;
    // Nothing is new, and then something: also compressed, and once more.
    fs::write(machine.path("b.json"), &kept)?;
    gzip(&machine.path("c.json.gz"), &(kept.clone() + &new))?;
    for (name, lines) in [("b.json", 0), ("c.json.gz", 80), ("c.json.gz", 0), ("b.json", 0)] {
        let report = machine.read(&[name]).await?;
        ensure!((report[0].known, report[0].summary.lines) == (true, lines), "{report:?}");
    }
    machine.until(520).await?;
    // What was not wanted before is another log: only its own entries count.
    let others = entries(1, &log(600..700));
    fs::write(machine.path("others.json"), others)?;
    ensure!(!machine.read(&["others.json"]).await?[0].known);
    machine.until(620).await
}
