//! Log files, read once however often they are given.
//!
//! An `input` is a file that is opened; `known` finds out whether it was read before, whatever it was called
//! then; a `chain` reads one after the other, so that sessions go on from a rotated log to the next. [`ingest()`]
//! does this with files that are named, [`follow`](follow::follow) with a log that grows and its `siblings`.

mod chain;
pub mod follow;
mod forward;
mod heard;
mod input;
mod journal;
mod known;
mod links;
mod order;
mod pipe;
mod reading;
mod report;
mod rest;
mod siblings;
mod stop;
mod watch;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ingest::Ingest;
use logs::Options;
use store::Files;

use crate::clock::Now;
use chain::Chain;
pub use heard::{Heard, NotCounted, Standing};
pub(crate) use input::Input;
pub use input::STDIN;
pub use journal::{Journal, follow_journal, ingest_journal};
pub(crate) use order::{Later, References};
pub(crate) use reading::place;
pub use report::Report;
use siblings::log_of;
pub use stop::Stop;
pub use watch::Logs;

/// What standard input is called as a source.
const STANDARD_INPUT: &str = "standard input";
/// Why a file was not read.
const STOPPED: &str = "not read: stopped before it";

/// Ingests files, those of one log one after the other, oldest first, and standard input for `-`, which is counted as it comes.
///
/// A file that cannot be read, or not to its end, is reported as such and stops no other. A log that holds the lines of
/// another, counted before, is left alone, unless it is to be read `again`. When `stop` is told, what was
/// read is stored, and the rest is reported as not read.
///
/// # Errors
/// The store failed. What was reported is stored.
pub async fn ingest(
    ingest: &Ingest,
    known: &Files,
    names: &[PathBuf],
    now: Now,
    again: bool,
    stop: &Stop,
    mut report: impl FnMut(Report),
) -> Result<()> {
    let mut inputs = Vec::with_capacity(names.len());
    let options = ingest.settings().logs;
    for name in names {
        match open(name, options, now, stop) {
            Ok(mut input) => {
                input.may_be_rest = true;
                inputs.push((input.order(options, now), log_of(name), input));
            }
            Err(error) => {
                let (name, failure) = (name.display().to_string(), Some(format!("{error:#}")));
                report(Report { name, failure, ..Report::default() });
            }
        }
    }
    let mut logs = HashMap::new();
    for (order, log, _) in &inputs {
        let begins = logs.entry(log.clone()).or_insert(*order);
        *begins = (*begins).min(*order);
    }
    inputs.sort_by(|(order, log, _), (other_order, other, _)| {
        (logs[log], log, order).cmp(&(logs[other], other, other_order))
    });
    let mut chain = Chain::new(ingest, known, now).until(stop).again(again);
    for (_, _, input) in inputs {
        if stop.is_told() {
            let (name, failure) = (input.name, Some(STOPPED.to_owned()));
            report(Report { name, failure, ..Report::default() });
            continue;
        }
        chain.read(input).await?.into_iter().for_each(&mut report);
    }
    chain.end().await?.into_iter().for_each(report);
    Ok(())
}

/// Opens a file that is read from its beginning to its end, oldest line first.
///
/// # Errors
/// It cannot be read.
pub(crate) fn open(name: &Path, options: Options, now: Now, stop: &Stop) -> Result<Input> {
    let input = Input::open(name, stop)?.oldest_first(options, now);
    input.with_context(|| format!("cannot read {}", name.display()))
}

/// Counts what comes through standard input, or another pipe, as it comes, until it ends or `stop` is told.
///
/// Waits for it where it is run: that must be a thread of its own.
pub async fn follow_pipe(
    ingest: Ingest,
    files: Files,
    pipe: impl Read + Send + 'static,
    heard: Heard,
    now: Now,
    stop: Stop,
) {
    heard.expect(STANDARD_INPUT);
    if let Err(error) = read_pipe(&ingest, &files, pipe, &heard, now, &stop).await {
        let error = format!("{error:#}");
        tracing::error!(
            error,
            "standard input is read no more: give it once more for what is not stored"
        );
    }
}

async fn read_pipe(
    ingest: &Ingest,
    files: &Files,
    pipe: impl Read + Send + 'static,
    heard: &Heard,
    now: Now,
    stop: &Stop,
) -> Result<()> {
    let mut input = Input::of_pipe(STDIN.to_owned(), pipe, stop)?;
    input.may_be_rest = true;
    let mut chain = Chain::new(ingest, files, now).until(stop).telling(STANDARD_INPUT, heard);
    chain.read(input).await?;
    let report = chain.end().await?.unwrap_or_default();
    if report.went_back > 0 {
        let times = report.went_back;
        tracing::warn!(
            times,
            "the months on standard input ran backwards: what came before may be counted under the wrong year"
        );
    }
    let failure = report.failure;
    if let Some(with) = report.shares {
        tracing::warn!(with, "standard input holds lines of another log, which count twice");
    }
    if let Some(failure) = failure {
        bail!(failure);
    }
    tracing::info!("standard input has ended, or is read no more");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use ::report::LongNames;
    use chrono_tz::Tz;
    use ingest::Settings;
    use logs::Format;

    use super::*;
    use crate::home::Home;

    /// Noon of 23 November 2026.
    const NOW: i64 = 1_795_435_200;

    /// An event of Kinesis with a record for each of some texts, which came an hour ago.
    fn event(texts: &[String]) -> String {
        let record = |text: &String| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let packed = gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish());
            let data = base64_simd::STANDARD.encode_to_string(packed.expect("gzip"));
            serde_json::json!({"kinesis": {"data": data, "approximateArrivalTimestamp": NOW - 3600}})
        };
        let records: Vec<_> = texts.iter().map(record).collect();
        serde_json::json!({"Records": records}).to_string()
    }

    /// The lines of a message, as a text of lines and as a payload of CloudWatch Logs.
    fn message(id: &str) -> [String; 2] {
        let lines = [
            format!(
                "Nov 23 10:59:00 mx1 postfix/submission/smtpd[7]: {id}: client=c.example.test[192.0.2.1], sasl_method=PLAIN, sasl_username=ann"
            ),
            format!(
                "Nov 23 10:59:01 mx1 postfix/qmgr[8]: {id}: from=<ann@example.test>, size=1, nrcpt=1 (queue active)"
            ),
        ];
        let events: Vec<_> = lines
            .iter()
            .map(|line| serde_json::json!({"id": id, "timestamp": NOW * 1000, "message": line}))
            .collect();
        let payload = serde_json::json!({"messageType": "DATA_MESSAGE", "logStream": "mx1", "logEvents": events});
        [lines.join("\n"), payload.to_string()]
    }

    #[tokio::test]
    async fn events_of_functions_count_once_as_what_they_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("events.json");
        let home = Home::in_memory(Tz::UTC).await.expect("a home");
        let logs = Options { format: Format::Auto, zone: Tz::UTC };
        let (zone, long_names) = (Tz::UTC, LongNames::default());
        let settings = Settings { logs, zone, default_domain: "(none)".into(), long_names };
        let (ingesting, files) = (Ingest::new(&home.store, settings), home.store.files());
        let ([lines, _], [_, payload]) = (message("6746B99473D"), message("6746B99473E"));
        let damaged = event(&["x".to_owned()]).replace("H4sI", "H4sJ");
        let first = format!("{}\n{damaged}\n", event(&[lines, payload]));
        let [more, _] = message("6746B99473F");
        let second = format!("{first}{}\n", event(&[more]));
        for (text, lines, messages, quarantined) in
            [(&first, 6, 2, 1), (&first, 0, 0, 0), (&second, 2, 1, 0)]
        {
            fs::write(&file, text).expect("written");
            let names = [file.clone()];
            let (now, stop, mut reports) = (Now::Fixed(NOW), Stop::default(), Vec::new());
            ingest(&ingesting, &files, &names, now, false, &stop, |one| reports.push(one))
                .await
                .expect("ingested");
            let [Report { summary, failure, .. }] = reports.as_slice() else {
                panic!("{reports:?}")
            };
            assert_eq!((failure, summary.submissions), (&None, messages), "{reports:?}");
            assert_eq!(
                (summary.quarantined, summary.not_understood),
                (quarantined, 0),
                "{reports:?}"
            );
            assert!(summary.lines >= lines, "{reports:?}");
        }
    }
}
