//! Records of invocations that failed for good, as Lambda put them into a bucket, into the stream again.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::stream::Stream;
use crate::tell::{counted, told};

/// The end of the names of notes.
const NOTE: &str = ".written";

/// Which failures go where.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The stream's name, as the stack's outputs tell it
    #[arg(long)]
    stream: String,
    /// Files from the bucket, or folders with such; the oldest are written first
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// A failed invocation with its event.
#[derive(Deserialize)]
struct Failure {
    /// The event: as JSON, or as text that is JSON.
    payload: Value,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    kinesis: Kinesis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis {
    partition_key: String,
    data: String,
}

/// Writes their records.
pub(crate) async fn run(options: Replay) -> Result<()> {
    let mut files = Vec::new();
    for path in &options.paths {
        collect(path, &mut files).with_context(|| format!("cannot read {}", path.display()))?;
    }
    // Lambda puts the time into the name, behind folders for shard and day.
    files.sort();
    ensure!(!files.is_empty(), "there is no file in the folders that were named");
    // All are read first: one that cannot be read must not leave the others half written.
    let mut events = Vec::with_capacity(files.len());
    for file in &files {
        let event = read(file).with_context(|| {
            format!("{} is no failed invocation of a Kinesis event", file.display())
        })?;
        events.push((file, event));
    }
    let mut stream = Stream::open(&options.stream)?;
    let mut records = 0;
    for (file, event) in events {
        let note = noted(file);
        let done = match fs::read_to_string(&note) {
            Ok(text) => text.trim().parse().with_context(|| {
                format!("{} does not tell how many records were written", note.display())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", note.display()));
            }
        };
        let all = event.len();
        for (number, (key, data)) in event.into_iter().enumerate().skip(done) {
            stream.put(&key, data).await?;
            fs::write(&note, (number + 1).to_string())
                .with_context(|| format!("cannot write {}", note.display()))?;
            records += 1;
        }
        let what = if done < all { "written; delete it from the bucket" } else { "written before" };
        told(&format!("{}: {what}", file.display()))?;
    }
    told(&format!("{} in all", counted(records, "record", "records")))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        if !path.as_os_str().as_encoded_bytes().ends_with(NOTE.as_bytes()) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

/// Where it is noted how many records of a file were written.
fn noted(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(NOTE);
    name.into()
}

/// Partition keys and bytes.
fn read(file: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let failure: Failure = serde_json::from_slice(&fs::read(file)?)?;
    let event: Event = match failure.payload {
        Value::String(text) => serde_json::from_str(&text)?,
        payload => serde_json::from_value(payload)?,
    };
    let records = event.records.into_iter().map(|record| {
        let data = unpack::record::unbase64(&record.kinesis.data);
        let data = data.map_err(anyhow::Error::msg)?.into_owned();
        Ok((record.kinesis.partition_key, data))
    });
    records.collect()
}
