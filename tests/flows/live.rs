//! Logs that come through a pipe: counted as they come, each line once.

use std::fs;
use std::io::{self, PipeWriter, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use local::clock::Now;
use local::files::{Heard, Stop, follow_pipe};
use tests::app::NOW;
use tests::http::send;
use tests::process::{built, line_with};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::local_files::{Machine, message, whole};

/// Patience with what takes a second or two.
const SOON: Duration = Duration::from_secs(60);

impl Machine {
    /// Reads a pipe until it ends or `stop` is told.
    fn reads_pipe(&self, stop: &Stop) -> Result<(PipeWriter, JoinHandle<()>)> {
        let (reader, writer) = io::pipe()?;
        let (ingest, files) = (self.ingest.clone(), self.home.store.files());
        let (heard, now) = (Heard::default(), Now::Fixed(NOW));
        let reading = follow_pipe(ingest, files, reader, heard, now, stop.clone());
        let reading = tokio::task::spawn_blocking(move || Handle::current().block_on(reading));
        Ok((writer, reading))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_through_a_pipe_counts_before_it_ends() -> Result<()> {
    let machine = Machine::new().await?;
    let (mut pipe, reading) = machine.reads_pipe(&Stop::default())?;
    pipe.write_all(whole(0).as_bytes())?;
    machine.until(1).await?;
    let (begins, ends) = message(1);
    pipe.write_all((whole(2) + &begins).as_bytes())?;
    machine.until(2).await?;
    pipe.write_all(ends.as_bytes())?;
    machine.until(3).await?;
    // The end settles what is open, and the last line needs no end then.
    pipe.write_all(message(3).0.trim_end().as_bytes())?;
    drop(pipe);
    reading.await?;
    machine.until(4).await?;
    // The same once more, and more of it.
    let (mut pipe, reading) = machine.reads_pipe(&Stop::default())?;
    let again = whole(0) + &whole(2) + &begins + &ends + &message(3).0;
    pipe.write_all((again + &whole(4)).as_bytes())?;
    machine.until(5).await?;
    drop(pipe);
    Ok(reading.await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_that_begins_like_another_is_told_apart_when_it_differs() -> Result<()> {
    let machine = Machine::new().await?;
    let header = "An export that begins like every other.\n";
    for numbers in [0..10, 10..20, 20..21] {
        let (mut pipe, reading) = machine.reads_pipe(&Stop::default())?;
        pipe.write_all(header.as_bytes())?;
        for number in numbers.clone() {
            pipe.write_all(whole(number).as_bytes())?;
        }
        machine.until(numbers.end.into()).await?;
        drop(pipe);
        reading.await?;
    }
    // As a file, all of one is known; and a pipe goes on from what was read of a file.
    let log: String = (10..20).map(whole).collect();
    fs::write(machine.path("log"), header.to_owned() + &log + &whole(21))?;
    ensure!(machine.read(&["log"]).await?[0].known);
    machine.until(22).await?;
    let (mut pipe, reading) = machine.reads_pipe(&Stop::default())?;
    pipe.write_all((header.to_owned() + &log + &whole(21) + &whole(22)).as_bytes())?;
    machine.until(23).await?;
    drop(pipe);
    Ok(reading.await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_is_stored_when_the_program_is_to_end() -> Result<()> {
    let machine = Machine::new().await?;
    let stop = Stop::default();
    let (mut pipe, reading) = machine.reads_pipe(&stop)?;
    let (begins, ends) = message(1);
    pipe.write_all((whole(0) + &begins).as_bytes())?;
    machine.until(1).await?;
    stop.tell();
    reading.await?;
    ensure!(machine.messages().await? == 1, "its session goes on");
    let (mut pipe, reading) = machine.reads_pipe(&Stop::default())?;
    pipe.write_all((whole(0) + &begins + &ends).as_bytes())?;
    machine.until(2).await?;
    ensure!(machine.plain().await? == 2);
    drop(pipe);
    Ok(reading.await?)
}

/// The program over a data folder, and where it listens.
async fn serve(data: &Path, more: &[&str]) -> Result<(Child, String)> {
    let mut serving = Command::new(built("smtp-auth-report")?)
        .args(["serve", "--as-of", "2026-11-25", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = serving.stdout.take().context("its output")?;
    let url = line_with(output, "Listening on ").await?;
    Ok((serving, url))
}

/// Waits until the interface tells of so many messages.
async fn until(url: &str, messages: u64) -> Result<()> {
    let told = async {
        loop {
            let asked = format!("{url}/v1/reports/detailed?start=2026-11-24&end=2026-11-24");
            let (_, answer) = send(Request::get(asked).body(Body::empty())?).await?;
            if sum(&String::from_utf8_lossy(&answer))? == messages {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, told).await.with_context(|| format!("not {messages}"))?
}

/// The messages of all rows: the last column.
fn sum(csv: &str) -> Result<u64> {
    let rows = csv.lines().skip(1).filter_map(|row| row.rsplit_once(','));
    rows.map(|(_, messages)| Ok(messages.trim().parse::<u64>()?)).sum()
}

fn signal(child: &Child, name: &str) -> Result<()> {
    let id = child.id().context("it has ended")?.to_string();
    ensure!(std::process::Command::new("kill").args(["-s", name, &id]).status()?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_stores_what_came_and_sums_it_up() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (mut serving, url) = serve(&data, &["--follow", "-"]).await?;
    let mut input = serving.stdin.take().context("its input")?;
    input.write_all(whole(0).as_bytes()).await?;
    until(&url, 1).await?;

    let mut ingesting = Command::new(built("smtp-auth-report")?)
        .args(["ingest", "--as-of", "2026-11-25", "--data"])
        .arg(&data)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut pipe = ingesting.stdin.take().context("its input")?;
    pipe.write_all(whole(1).as_bytes()).await?;
    until(&url, 2).await?;
    signal(&ingesting, "INT")?;
    let ended = tokio::time::timeout(SOON, ingesting.wait_with_output()).await??;
    let told = String::from_utf8_lossy(&ended.stdout);
    ensure!(ended.status.success() && told.contains("1 messages"), "{told}");
    ensure!(told.contains("Stopped: what is counted is stored"), "{told}");

    // Told to end while something has come that is not stored yet.
    input.write_all(whole(2).as_bytes()).await?;
    signal(&serving, "TERM")?;
    tokio::time::timeout(SOON, serving.wait()).await??;
    let (mut serving, url) = serve(&data, &["--follow", "-"]).await?;
    let mut input = serving.stdin.take().context("its input")?;
    input.write_all((whole(0) + &whole(2) + &whole(3)).as_bytes()).await?;
    until(&url, 4).await
}
