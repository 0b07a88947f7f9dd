//! `serve --follow` and `ingest` are killed at any moment, while a busy log is rotated: in the end each message counts
//! once, and with what its session's end tells.
//!
//! `ROTATION_KILLS` says how often each is killed, in each way of rotation.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use local::home::Home;
use report::{ALL_DOMAINS, Days, Range, TlsCounts, TlsVersion};
use store::Store;
use tests::process::{built, line_with};
use tokio::process::{Child, Command};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use crate::local_files::gzip;

/// How often the log is written to.
const TICK: Duration = Duration::from_millis(4);
/// Ticks between rotations: not so few that files cannot be told apart by the times when they were written to.
const REST: u32 = 10;
/// How long the last count may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Processes of the server, each with one session at a time.
const PROCESSES: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// `mail.log` becomes `mail.log.1`, and is written to until the server opens the next one.
    Renamed,
    /// `mail.log` is copied to `mail.log.1` and cut to nothing.
    Cut,
    /// `mail.log` becomes `mail.log-20261124`, one name for each.
    Dated,
    /// `mail.log` is a link to `days/mail-1.log`, then to `days/mail-2.log`.
    Linked,
}

/// A server's log, written to and rotated.
struct Log {
    way: Way,
    folder: PathBuf,
    /// What the server has open.
    file: File,
    rotations: u32,
    /// Ticks since the last.
    rested: u32,
    /// Sessions that are open, by process.
    sessions: [Option<u32>; PROCESSES],
    messages: u32,
    rng: Rng,
    ticks: Interval,
}

impl Log {
    fn new(way: Way, folder: &Path, rng: Rng) -> Result<Self> {
        let (folder, path) = (folder.to_owned(), folder.join("mail.log"));
        fs::create_dir(folder.join("days"))?;
        if way == Way::Linked {
            symlink(folder.join("days/mail-0.log"), &path)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let (sessions, mut ticks) = ([None; PROCESSES], interval(TICK));
        // On a busy machine ticks that were missed would come at once, and rotations with them.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { way, folder, file, rotations: 0, rested: 0, sessions, messages: 0, rng, ticks })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Goes on for so many ticks.
    async fn go_on(&mut self, ticks: u32) -> Result<()> {
        for _ in 0..ticks {
            self.ticks.tick().await;
            for _ in 0..self.rng.u32(0..12) {
                let process = self.rng.usize(0..PROCESSES);
                self.write(process)?;
            }
            self.rested += 1;
            if self.rested > REST && self.rng.u32(0..30) == 0 {
                self.rested = 0;
                self.rotate()?;
            }
        }
        Ok(())
    }

    /// A session begins with a message, or ends.
    fn write(&mut self, process: usize) -> Result<()> {
        let time = DateTime::<Utc>::from(std::time::SystemTime::now()).format("%FT%T%.6fZ");
        let begin = format!("{time} mx1 postfix/");
        let smtpd = format!("{begin}smtpd[{}]: ", 1000 + process);
        let text = if self.sessions[process].take().is_some() {
            format!(
                "{smtpd}disconnect from unknown[192.0.2.1] ehlo=1 auth=1 mail=1 rcpt=1 data=1\n"
            )
        } else {
            let (number, id) = (self.messages, format!("4AA{:08X}", self.messages));
            self.messages += 1;
            self.sessions[process] = Some(number);
            let client = "client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=a@x.test";
            let from = format!("from=<a{}@x.test>, size=1, nrcpt=1 (queue active)", number % 50);
            format!(
                "{smtpd}connect from unknown[192.0.2.1]\n{smtpd}{id}: {client}\n{begin}qmgr[9]: {id}: {from}\n"
            )
        };
        // Sometimes in two parts, as a full disk buffer writes it.
        let (first, second) = text.as_bytes().split_at(self.rng.usize(0..text.len()));
        self.file.write_all(first)?;
        Ok(self.file.write_all(second)?)
    }

    fn rotate(&mut self) -> Result<()> {
        self.rotations += 1;
        let log = self.path("mail.log");
        match self.way {
            Way::Renamed | Way::Cut => {
                for number in (1..self.rotations).rev() {
                    for ending in ["", ".gz"] {
                        let name = |number| self.path(&format!("mail.log.{number}{ending}"));
                        if name(number).exists() {
                            fs::rename(name(number), name(number + 1))?;
                        }
                    }
                }
                if self.way == Way::Cut {
                    // Nobody writes between the copy and the cut: what is written then, no program can know.
                    fs::copy(&log, self.path("mail.log.1"))?;
                    self.file.set_len(0)?;
                } else {
                    fs::rename(&log, self.path("mail.log.1"))?;
                    self.reopen(&log)?;
                }
                self.compress("mail.log.2", "mail.log.2.gz")?;
            }
            Way::Dated => {
                let name = |number: u32| format!("mail.log-2026{number:04}");
                fs::rename(&log, self.path(&name(self.rotations)))?;
                self.reopen(&log)?;
                let before = name(self.rotations - 1);
                self.compress(&before, &format!("{before}.gz"))?;
            }
            Way::Linked => {
                let name = |number: u32| format!("days/mail-{number}.log");
                let next = self.path(&name(self.rotations));
                self.reopen(&next)?;
                symlink(&next, self.path("next"))?;
                fs::rename(self.path("next"), &log)?;
                if let Some(before) = self.rotations.checked_sub(2) {
                    self.compress(&name(before), &format!("{}.gz", name(before)))?;
                }
            }
        }
        Ok(())
    }

    /// The server opens its log again, and writes a little to the one before until it does.
    fn reopen(&mut self, path: &Path) -> Result<()> {
        for _ in 0..self.rng.u32(0..5) {
            let process = self.rng.usize(0..PROCESSES);
            self.write(process)?;
        }
        self.file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(())
    }

    fn compress(&self, name: &str, to: &str) -> Result<()> {
        let (from, to) = (self.path(name), self.path(to));
        if from.exists() {
            let changed = fs::metadata(&from)?.modified()?;
            gzip(&to, &fs::read_to_string(&from)?)?;
            File::options().append(true).open(&to)?.set_modified(changed)?;
            fs::remove_file(from)?;
        }
        Ok(())
    }

    /// Ends every session, and the log with a line.
    async fn end(&mut self) -> Result<()> {
        for _ in self.rested..=REST {
            self.ticks.tick().await;
        }
        for process in 0..PROCESSES {
            if self.sessions[process].is_some() {
                self.write(process)?;
            }
        }
        Ok(())
    }

    /// Every file of the log, in no order.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in [self.folder.clone(), self.path("days")] {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                files.extend((path.is_file() && !path.is_symlink()).then_some(path));
            }
        }
        Ok(files)
    }
}

/// Messages in all, and those whose session is known to have been in the clear.
async fn counted(store: &Store) -> Result<(u64, u64)> {
    let today = Days::new(chrono_tz::UTC).day_of(Utc::now().timestamp());
    let rollup = store.summaries().rollup(ALL_DOMAINS, Range::kept(today)).await?;
    let plain = rollup.values().map(|day| day.get(TlsVersion::None)).sum();
    Ok((rollup.values().map(TlsCounts::total).sum(), plain))
}

fn program(data: &Path) -> Result<impl Fn(&str) -> Command> {
    let (program, data) = (built("smtp-auth-report")?, data.to_owned());
    Ok(move |task: &str| {
        let mut command = Command::new(&program);
        command.arg(task).arg("--data").arg(&data).args(["--zone", "UTC"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command
    })
}

fn serve(program: &impl Fn(&str) -> Command, log: &Log) -> Result<Child> {
    let mut serve = program("serve");
    serve.args(["--listen", "127.0.0.1:0", "--follow"]).arg(log.path("mail.log"));
    Ok(serve.stdout(Stdio::piped()).spawn()?)
}

/// The store of a serving process, once it has the data folder: else it would be this process that has it.
async fn store_of(serve: &mut Child, data: &Path) -> Result<Store> {
    let output = serve.stdout.take().context("what it prints")?;
    line_with(output, "Listening on ").await?;
    Ok(Home::share(data, chrono_tz::UTC).await?.store)
}

fn kills() -> u32 {
    std::env::var("ROTATION_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(4)
}

async fn followed(way: Way, seed: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let mut log = Log::new(way, &logs, Rng::with_seed(seed))?;
    let data = folder.path().join("data");
    let program = program(&data)?;
    // It is followed from its beginning: what was rotated before is nobody's business.
    log.write(0)?;
    let mut serve_once = serve(&program, &log)?;
    let store = store_of(&mut serve_once, &data).await?;
    let mut ticks = interval(TICK);
    let known = async {
        let head = fs::read(log.path("mail.log"))?;
        while store.files().candidates(&head).await?.is_empty() {
            ticks.tick().await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, known).await.context("nothing was read")??;
    for _ in 0..kills() {
        let ticks = log.rng.u32(1..200);
        log.go_on(ticks).await?;
        serve_once.kill().await?;
        let ticks = log.rng.u32(0..60);
        log.go_on(ticks).await?;
        serve_once = serve(&program, &log)?;
    }
    log.end().await?;
    let expected = (u64::from(log.messages), u64::from(log.messages));
    let store = store_of(&mut serve_once, &data).await?;
    let mut last = counted(&store).await?;
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_millis(50));
    while last != expected && begun.elapsed() < PATIENCE {
        ticks.tick().await;
        last = counted(&store).await?;
    }
    serve_once.kill().await?;
    // Whoever reads all of it once more finds nothing new.
    if last == expected {
        let ingest = program("ingest").args(log.files()?).status().await?;
        ensure!(ingest.success(), "{ingest}");
        last = counted(&Home::own(&data, chrono_tz::UTC).await?.store).await?;
    }
    keep(&folder, last == expected);
    ensure!(
        last == expected,
        "{way:?}, seed {seed}, {} rotations: {last:?}, not {expected:?}",
        log.rotations
    );
    Ok(())
}

async fn ingested(way: Way, seed: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let mut log = Log::new(way, &logs, Rng::with_seed(seed))?;
    let data = folder.path().join("data");
    let program = program(&data)?;
    for _ in 0..kills() {
        let ticks = log.rng.u32(1..60);
        log.go_on(ticks).await?;
        let mut ingest = program("ingest").args(log.files()?).spawn()?;
        let ticks = log.rng.u32(1..30);
        log.go_on(ticks).await?;
        ingest.kill().await?;
    }
    log.end().await?;
    let status = program("ingest").args(log.files()?).status().await?;
    ensure!(status.success(), "{status}");
    let home = Home::own(&data, chrono_tz::UTC).await?;
    let found = counted(&home.store).await?;
    let messages = u64::from(log.messages);
    keep(&folder, found.0 == messages);
    ensure!(
        found.0 == messages,
        "{way:?}, seed {seed}, {} rotations: {found:?}, not {messages}",
        log.rotations
    );
    Ok(())
}

/// Leaves the folder for a look if the test fails and `ROTATION_KEEP` is set.
fn keep(folder: &tempfile::TempDir, passed: bool) {
    if let Some(to) = std::env::var_os("ROTATION_KEEP").filter(|_| !passed) {
        let moved = Command::new("cp").arg("-a").arg(folder.path()).arg(to).as_std_mut().status();
        eprintln!("kept: {moved:?}");
    }
}

async fn each_way<F: Future<Output = Result<()>>>(run: impl Fn(Way, u64) -> F) -> Result<()> {
    let seed = fastrand::u64(..);
    for way in [Way::Renamed, Way::Cut, Way::Dated, Way::Linked] {
        run(way, seed).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the program"]
async fn what_is_followed_counts_once_however_often_it_is_killed() -> Result<()> {
    each_way(followed).await
}

#[tokio::test]
#[ignore = "needs the program"]
async fn what_is_ingested_counts_once_however_often_it_is_killed() -> Result<()> {
    each_way(ingested).await
}
