//! What only the program itself shows: what it leaves in a folder, how it prints, how it ends.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::clock::Now;
use local::home::Home;
use store::{Positions, Rejected, Source};

const PROGRAM: &str = env!("CARGO_BIN_EXE_smtp-auth-report");
const LOG: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/postfix/starttls-and-smtps/log");

/// The program as a shell starts it that keeps nothing from others.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\"", PROGRAM]).args(arguments);
    command
}

fn run(arguments: &[&str]) -> Result<Output> {
    Ok(program(arguments).stdin(Stdio::null()).output()?)
}

/// A serving process, ended at the end.
struct Serving(Child);

impl Serving {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut serving = Self(program(arguments).stdout(Stdio::piped()).spawn()?);
        let output = serving.0.stdout.take().context("its output")?;
        for line in BufReader::new(output).lines() {
            if line?.starts_with("Listening on ") {
                return Ok(serving);
            }
        }
        anyhow::bail!("it does not listen")
    }

    /// Sends it a signal, and gives how long it took to end.
    fn ended_by(&mut self, signal: &str) -> Result<Duration> {
        let began = Instant::now();
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status()?;
        ensure!(sent.success(), "kill");
        self.0.wait()?;
        Ok(began.elapsed())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::symlink_metadata(path)?.permissions().mode() & 0o777)
}

/// What is in a folder, and in the folders in it.
fn all_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(all_in(&path)?);
        }
        found.push(path);
    }
    Ok(found)
}

fn open_folder() -> Result<(tempfile::TempDir, PathBuf)> {
    let outer = tempfile::tempdir()?;
    let folder = outer.path().join("data");
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok((outer, folder))
}

#[test]
fn what_it_writes_is_private_in_a_folder_that_is_not() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    // Earlier versions left it to the umask.
    fs::write(folder.join("lock"), "")?;
    fs::set_permissions(folder.join("lock"), fs::Permissions::from_mode(0o644))?;
    let read = run(&["ingest", "--data", data, "--as-of", "2026-11-24", LOG])?;
    let told = String::from_utf8(read.stderr)?;
    ensure!(read.status.success(), "{told}");
    ensure!(told.matches("chmod 700").count() == 1 && told.contains(data), "{told}");
    ensure!(run(&["archive", "--data", data, "--as-of", "2026-11-27"])?.status.success());
    let serving = Serving::start(&["serve", "--data", data, "--listen", "127.0.0.1:0"])?;
    let found = all_in(&folder)?;
    for name in ["store.sqlite", "store.sqlite-wal", "lock", "engine.socket", "usage.parquet"] {
        ensure!(found.iter().any(|path| path.ends_with(name)), "no {name} in {found:?}");
    }
    for path in found {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        match mode(&path) {
            // The running program makes scratch files and takes them away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            mode => ensure!(mode? == wanted, "{} is not {wanted:o}", path.display()),
        }
    }
    ensure!(mode(&folder)? == 0o755, "the folder's mode is its owner's");
    drop(serving);
    // Where the folder is closed, there is nothing to say.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    let read = run(&["ingest", "--data", data, "--as-of", "2026-11-24", LOG])?;
    ensure!(!String::from_utf8(read.stderr)?.contains("chmod"), "a warning for nothing");
    Ok(())
}

/// Runs the program with an output that nobody reads any more. Gives its status, and its errors if they are read.
fn unread(arguments: &[&str], errors_too: bool) -> Result<(Option<i32>, String)> {
    let (reader, writer) = std::io::pipe()?;
    let mut command = program(arguments);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?);
    if errors_too {
        command.stderr(writer.try_clone()?);
    } else {
        command.stderr(Stdio::piped());
    }
    drop((reader, writer));
    let mut child = command.spawn()?;
    let mut told = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut told)?;
    }
    Ok((child.wait()?.code(), told))
}

#[test]
fn an_output_that_nobody_reads_ends_nothing() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    for (arguments, status) in [
        (&["ingest", "--data", data, "--as-of", "2026-11-24", LOG][..], Some(0)),
        (&["archive", "--data", data, "--as-of", "2026-11-27"], Some(0)),
        (&["--help"], Some(0)),
        (&["--version"], Some(0)),
        (&["ingest", "--data", data, "no such file"], Some(1)),
    ] {
        let (ended, told) = unread(arguments, false)?;
        ensure!(ended == status && !told.contains("panic"), "{arguments:?}: {ended:?} {told}");
        // Only its status tells that it did not panic.
        let (ended, _) = unread(arguments, true)?;
        ensure!(ended == status, "{arguments:?}, with errors: {ended:?}");
    }
    // All was done although nobody read it.
    let again = run(&["ingest", "--data", data, "--as-of", "2026-11-27", LOG])?;
    ensure!(String::from_utf8(again.stdout)?.contains("nothing new"));
    ensure!(folder.join("archive/usage").is_dir());
    Ok(())
}

#[test]
fn it_ends_when_it_is_told_to() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::start(&["serve", "--data", data, "--listen", "127.0.0.1:0"])?;
        let took = serving.ended_by(signal)?;
        ensure!(took < Duration::from_secs(10), "{signal}: {took:?}");
    }
    Ok(())
}

/// Changes a number of usage, as a damaged disk does.
async fn damage(folder: &Path) -> Result<()> {
    let home = Home::own(folder, chrono_tz::UTC).await?;
    let client = home.engine.context("its own engine")?.client();
    let all = client.scan().table_name("smtp-auth-report").send().await?;
    let page =
        all.items().iter().find(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("U#")));
    let mut page = page.context("usage")?.clone();
    let counter = page.keys().find(|name| name.contains('\t')).context("a counter")?.clone();
    page.insert(counter, AttributeValue::N("77".to_owned()));
    client.put_item().table_name("smtp-auth-report").set_item(Some(page)).send().await?;
    Ok(())
}

#[test]
fn a_damaged_store_is_told_at_the_start_and_on_demand() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    ensure!(run(&["ingest", "--data", data, "--as-of", "2026-11-24", LOG])?.status.success());
    let verify = || run(&["verify", "--data", data, "--as-of", "2026-11-24"]);
    ensure!(verify()?.status.success());
    tokio::runtime::Runtime::new()?.block_on(damage(&folder))?;
    let verified = verify()?;
    ensure!(verified.status.code() == Some(1), "{:?}", verified.status);
    let told = String::from_utf8(verified.stdout)?;
    ensure!(told.contains("messages in the tables"), "{told}");
    let arguments = ["serve", "--data", data, "--as-of", "2026-11-24", "--listen", "127.0.0.1:0"];
    let mut serving = program(&arguments);
    let mut serving = Serving(serving.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let errors = BufReader::new(serving.0.stderr.take().context("its errors")?);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in errors.lines().map_while(Result::ok) {
            if line.contains("the store is damaged") {
                let _ = tell.send(line);
            }
        }
    });
    let line = told.recv_timeout(Duration::from_secs(60)).context("nothing is told")?;
    ensure!(line.contains("messages in the tables"), "{line}");
    Ok(())
}

#[test]
fn what_is_in_quarantine_is_listed() -> Result<()> {
    let (outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    let log = outer.path().join("log");
    fs::write(&log, "{\"event\":\"submission\",\"time\":\"when?\"}\n")?;
    let log = log.to_str().context("a path")?;
    run(&["ingest", "--data", data, log])?;
    let listed = String::from_utf8(run(&["quarantine", "--data", data])?.stdout)?;
    ensure!(
        listed.contains("\"time\":\"when?\"") && listed.contains("1 in quarantine"),
        "{listed}"
    );
    Ok(())
}

#[test]
fn what_there_was_no_room_for_in_quarantine_is_told() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    let day: report::Day = "2026-11-24".parse()?;
    let put_aside = async {
        let home = Home::own(&folder, chrono_tz::UTC).await?;
        let all = [(1, 10), (2, 17 << 20)].map(|(mark, length)| {
            let reason = "cannot be read".to_owned();
            Rejected { mark, number: 0, raw: vec![b'x'; length], reason }
        });
        let (ingestion, source) = (home.store.ingestion(), Source::new("file:1"));
        let left_out = ingestion.quarantine(&all, &source, &Positions::Offsets, |_| day).await?;
        Ok::<_, anyhow::Error>(left_out)
    };
    assert_eq!(tokio::runtime::Runtime::new()?.block_on(put_aside)?, 1);
    let listed = run(&["quarantine", "--data", data, "--as-of", "2026-11-24"])?;
    let listed = String::from_utf8(listed.stdout)?;
    let of_day = "2026-11-24  1 more, of 17,825,792 bytes, were not kept: the day was full\n";
    ensure!(listed.contains(of_day) && listed.contains("1 in quarantine since"), "{listed}");
    ensure!(listed.ends_with(", 1 not kept\n"), "{listed}");
    Ok(())
}

#[test]
fn old_archives_are_removed_by_a_clock_that_is_believed_and_no_other() -> Result<()> {
    let (_outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    let old = folder.join("archive/usage/dt=2020-01-01/usage.parquet");
    fs::create_dir_all(old.parent().context("a folder")?)?;
    fs::write(&old, "PAR1")?;
    let now = Now::Machine.unix();
    for (last_ran, is_kept) in [(now - 400 * 86_400, true), (now - 3600, false)] {
        fs::write(folder.join("clock"), format!("1 {last_ran}\n"))?;
        let archived = run(&["archive", "--data", data])?;
        ensure!(archived.status.success(), "{}", String::from_utf8(archived.stderr)?);
        ensure!(old.exists() == is_kept, "it ran last at {last_ran}, now it is {now}");
    }
    Ok(())
}

#[test]
fn senders_that_are_not_told_apart_are_told_of() -> Result<()> {
    let (outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    // As many as find a place, each with its client, and a few.
    let lines = (0..2010).map(|number| {
        format!(
            "{{\"time\":\"2026-11-24T10:00:00Z\",\"sender\":\"any{number}@corp.test\",\
             \"account\":\"taken@corp.test\",\"client\":\"192.0.2.1\"}}\n"
        )
    });
    let log = outer.path().join("log");
    fs::write(&log, lines.collect::<String>())?;
    let log = log.to_str().context("a path")?;
    let read = run(&["ingest", "--data", data, "--as-of", "2026-11-24", log])?;
    let told = String::from_utf8(read.stdout)?;
    let senders = " 2,000  and others, of accounts with too many to tell them apart\n";
    ensure!(told.contains(senders) && told.contains(" 2,010\n"), "{told}");
    Ok(())
}

#[test]
fn an_account_in_strange_hands_is_told_of_by_name_and_by_status() -> Result<()> {
    let (outer, folder) = open_folder()?;
    let data = folder.to_str().context("a path")?;
    let sent = |day: &str, client: &str, messages: u32| {
        format!(
            "{{\"time\":\"{day}T10:00:00Z\",\"sender\":\"ann@example.test\",\"account\":\"ann\",\
             \"mechanism\":\"PLAIN\",\"tls\":\"TLS1.3\",\"client\":\"{client}\",\"messages\":{messages}}}\n"
        )
    };
    let ordinary = (1..=23).map(|day| sent(&format!("2026-11-{day:02}"), "192.0.2.1", 4));
    let log = outer.path().join("log");
    fs::write(&log, ordinary.collect::<String>() + &sent("2026-11-24", "198.51.100.7", 300))?;
    let log = log.to_str().context("a path")?;
    run(&["ingest", "--data", data, "--as-of", "2026-11-24", log])?;
    let detect = |day: &str, more: &[&str]| {
        run(&[&["detect", "--data", data, "--as-of", day], more].concat())
    };
    let told = detect("2026-11-24", &[])?;
    let text = String::from_utf8(told.stdout)?;
    assert_eq!(told.status.code(), Some(10), "{text}");
    ensure!(text.starts_with("1 alert needs attention: 1 account is watched"), "{text}");
    ensure!(
        text.contains("ann sent 300 messages from 198.51.100.7, a network nobody else"),
        "{text}"
    );
    let json = detect("2026-11-24", &["--json"])?;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout)?;
    assert_eq!(
        (&json["alerts"][0]["account"], &json["alerts"][0]["status"]),
        (&"ann".into(), &"open".into())
    );
    let before = detect("2026-11-23", &[])?;
    let text = String::from_utf8(before.stdout)?;
    assert_eq!(before.status.code(), Some(0), "{text}");
    ensure!(text.starts_with("Nothing needs attention"), "{text}");
    let early = String::from_utf8(detect("2026-11-05", &[])?.stdout)?;
    ensure!(early.contains("nothing is raised before 15 Nov 2026"), "{early}");
    Ok(())
}

#[test]
fn a_lost_store_is_rebuilt_and_what_is_missing_told() -> Result<()> {
    let outer = tempfile::tempdir()?;
    let (folder, log) = (outer.path().join("data"), outer.path().join("log"));
    let data = folder.to_str().context("a path")?;
    let lines = [10, 11, 12].map(|day| {
        format!(
            "{{\"time\":\"2026-11-{day}T10:00:00Z\",\"sender\":\"ann@example.test\",\"messages\":{day}}}\n"
        )
    });
    fs::write(&log, lines.concat())?;
    let command = |name: &str, more: &[&str]| {
        let arguments = [&[name, "--data", data, "--as-of", "2026-11-24"], more].concat();
        let output = run(&arguments)?;
        let told = String::from_utf8([output.stdout, output.stderr].concat())?;
        Ok::<_, anyhow::Error>((output.status.success(), told))
    };
    let lose = || -> Result<()> {
        for path in all_in(&folder)? {
            if path.to_string_lossy().contains("store.sqlite") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    };
    let log = log.to_str().context("a path")?;
    ensure!(command("ingest", &[log])?.0 && command("archive", &[])?.0);
    lose()?;
    let (done, told) = command("rebuild", &[])?;
    ensure!(done && told.contains("3 days rebuilt\n33 messages and 0 failed logins"), "{told}");
    ensure!(told.contains("Without an archive: 2026-11-13 to 2026-11-24\n"), "{told}");
    ensure!(told.contains("report requests") && told.contains("schedules"), "{told}");
    let (done, told) = command("rebuild", &[])?;
    ensure!(done && told.contains("3 days rebuilt, 3 of them by an earlier call\n"), "{told}");
    let (done, told) = command("ingest", &[log])?;
    ensure!(done && told.contains("not counted again") && told.contains("rebuilt"), "{told}");
    let (done, told) = command("verify", &[])?;
    ensure!(done, "{told}");

    lose()?;
    fs::write(folder.join("archive/usage/dt=2026-11-11/usage.parquet"), "PAR1")?;
    let (done, told) = command("rebuild", &[])?;
    ensure!(!done && told.contains("2026-11-11 is not rebuilt: its archive is damaged"), "{told}");
    ensure!(told.contains("2 days rebuilt") && told.contains("1 of 3 days"), "{told}");

    lose()?;
    ensure!(command("ingest", &[log])?.0);
    let (done, told) = command("rebuild", &[])?;
    ensure!(!done && told.contains("move this one away first"), "{told}");
    Ok(())
}

#[test]
fn logs_are_checked_without_a_store_and_what_is_of_no_use_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let known = run(&["check", "--as-of", "2026-11-25", LOG])?;
    let text = String::from_utf8(known.stdout)?;
    ensure!(known.status.success() && text.contains("of mail servers   postfix"), "{text}");
    ensure!(text.contains("would be counted") && text.contains("MB/s"), "{text}");
    let access = "192.0.2.1 - - [23/Nov/2026:11:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n";
    fs::write(inside("access.log"), access)?;
    for command in [&["check"][..], &["ingest", "--data", &inside("data")]] {
        let other = run(&[command, &[&inside("access.log")]].concat())?;
        let text = String::from_utf8(other.stdout)?;
        ensure!(other.status.code() == Some(1), "{text}");
        ensure!(text.contains("nothing of it is understood: 1 of 1"), "{text}");
        ensure!(text.contains("looks like a web server's access log"), "{text}");
    }
    // Three years ago by the clock of the machine, whenever that is.
    fs::write(inside("old.log"), "{\"time\":\"2021-03-05T12:00:00Z\",\"sender\":\"a@x.test\"}\n")?;
    let old = run(&["ingest", "--data", &inside("data"), &inside("old.log")])?;
    let text = String::from_utf8(old.stdout)?;
    ensure!(text.contains("use --as-of 2021-03-05"), "{text}");
    ensure!(!run(&["check", &inside("missing")])?.status.success(), "it is not there");
    Ok(())
}
