//! What could not be read: looked at, saved, and read again once the program can.

use std::io::Cursor;
use std::path::PathBuf;

use anyhow::Result;
use chrono::NaiveTime;
use chrono_tz::Tz;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use ingest::{FileIngest, Ingest};
use report::{Day, grouped, local_to_unix};
use store::{KnownFile, Quarantine, Quarantined};
use unpack::{Line, Pieces, Text};

use crate::clock::Now;
use crate::files::place;
use crate::tell;

const SINCE: &str = "since";
const SAVE: &str = "save";
const AGAIN: &str = "again";

/// What is to be done with what is in quarantine.
#[derive(Debug)]
pub struct Look {
    /// From which day on; without one, all that is kept.
    since: Option<Day>,
    /// The folder that each one's bytes are written into.
    save: Option<PathBuf>,
    /// Whether it is read again.
    again: bool,
}

impl Look {
    /// To do this with it.
    #[must_use]
    pub const fn new(since: Option<Day>, save: Option<PathBuf>, again: bool) -> Self {
        Self { since, save, again }
    }

    pub(crate) fn args() -> [Arg; 3] {
        let since = Arg::new(SINCE).long(SINCE).value_name("DATE").value_parser(value_parser!(Day));
        let save = Arg::new(SAVE).long(SAVE).value_name("DIR");
        let again = Arg::new(AGAIN).long(AGAIN).action(ArgAction::SetTrue);
        [
            since.help("Only what was put aside on this day or later"),
            save.value_parser(value_parser!(PathBuf))
                .help("Write each one's bytes into this folder"),
            again.help("Count what can be read by now, and take it out of the quarantine"),
        ]
    }

    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let (since, save) = (matches.get_one(SINCE).copied(), matches.get_one(SAVE).cloned());
        Self { since, save, again: matches.get_flag(AGAIN) }
    }

    /// Lists the quarantine, and does with it what was asked for.
    ///
    /// # Errors
    /// The store failed, or the folder cannot be written to.
    pub async fn at(
        &self,
        quarantine: &Quarantine,
        ingest: &Ingest,
        now: Now,
        zone: Tz,
    ) -> Result<()> {
        let mut read = 0;
        let days = operator::quarantine::days(self.since, now.today(zone));
        operator::quarantine::look(quarantine, days, self.save.as_ref(), async |one| {
            if self.again && read_again(ingest, one, now, zone).await? {
                quarantine.release(one).await?;
                read += 1;
            }
            Ok(())
        })
        .await?;
        if self.again {
            tell::line(format_args!("{} read again, and taken out", grouped(read)));
        }
        Ok(())
    }
}

/// Counts what was put aside, if all of it can be read by now.
///
/// Its place in the quarantine is its source: what is counted and then not taken out because the program dies is not
/// counted again, nor is what is kept under two days. It has lost its place in its log: lines of a session count alone.
async fn read_again(ingest: &Ingest, one: &Quarantined, now: Now, zone: Tz) -> Result<bool> {
    if one.is_state() || one.is_unreadable {
        return Ok(false);
    }
    // Parts of a source's name are told apart by tabs.
    let source = format!("quarantine {}", one.place.replace('\t', " "));
    let file = KnownFile { source, known: false };
    let mut reading = FileIngest::resume(ingest, &file, now.unix()).await?;
    if reading.offset() > 0 {
        return Ok(true);
    }
    let next = one.day.succ_opt().unwrap_or(one.day).and_time(NaiveTime::MIN);
    let reference = (local_to_unix(zone, next) - 1).min(now.unix());
    // A record lies there as it came, mostly compressed.
    let Ok(text) = Text::open(Cursor::new(one.raw()), 0) else { return Ok(false) };
    let each = |line: Line<'_>| reading.line(line.text, place(&line, reference, true));
    let read = Pieces::new(text.reader, 0).read_to_end(each);
    if read.is_err() || reading.rejected() > 0 {
        return Ok(false);
    }
    reading.close().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use ingest::Settings;
    use logs::{Format, Options};
    use store::{Positions, Rejected, Source};

    use super::*;
    use crate::home::Home;

    #[tokio::test]
    async fn records_are_read_again_as_they_came() {
        let now = 1_795_435_200;
        let home = Home::in_memory(Tz::UTC).await.expect("a home");
        let logs = Options { format: Format::Auto, zone: Tz::UTC };
        let (default_domain, long_names) = ("(none)".into(), report::LongNames::default());
        let settings = Settings { logs, zone: Tz::UTC, default_domain, long_names };
        let ingest = Ingest::new(&home.store, settings);
        let line = "2026-11-23 10:00:00 1xVWoN-0001PO-1u <= a@example.test H=(h) [192.0.2.1] P=esmtpsa A=plain:a S=1\n";
        let event = serde_json::json!({"id": "1", "timestamp": now * 1000, "message": line});
        let payload = serde_json::json!({"messageType": "DATA_MESSAGE", "logStream": "mx1", "logEvents": [event]});
        let text = format!("{line}{}", "another line that is much like others\n".repeat(500_000));
        let (mut messages, day) = (0, report::Days::new(Tz::UTC).day_of(now));
        for text in [line, &payload.to_string(), &text] {
            let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).expect("gzip");
            let gzip = gzip.finish().expect("gzip");
            for (raw, counts) in [(&gzip[..], true), (&gzip[..gzip.len() - 9], false)] {
                let (source, mark) = (Source::new("shard"), messages);
                messages += 1;
                let (raw, reason) = (raw.to_vec(), "it was too large".to_owned());
                let rejected = [Rejected { mark, number: 0, raw, reason }];
                let ingestion = home.store.ingestion();
                let kept = ingestion.quarantine(&rejected, &source, &Positions::Offsets, |_| day);
                kept.await.expect("kept");
                let mut found = Vec::new();
                home.store.quarantine().read(day, |one| found.push(one)).await.expect("read");
                let [one] = found.as_slice() else { panic!("{found:?}") };
                let read = read_again(&ingest, one, Now::Fixed(now), Tz::UTC).await;
                assert_eq!(read.expect("read"), counts);
                home.store.quarantine().release(one).await.expect("taken out");
            }
        }
        let summaries = home.store.summaries();
        let rollup = summaries.rollup(report::ALL_DOMAINS, report::Range::kept(day));
        let total: u64 = rollup.await.expect("read").values().map(report::TlsCounts::total).sum();
        assert_eq!(total, 3);
    }

    #[tokio::test]
    async fn what_comes_from_sources_with_long_names_is_put_aside_and_taken_out() {
        let home = Home::in_memory(Tz::UTC).await.expect("a home");
        let (ingestion, quarantine) = (home.store.ingestion(), home.store.quarantine());
        let day = report::Days::new(Tz::UTC).day_of(1_795_435_200);
        let name = |end: &str| "long name of a shard ".repeat(100) + end;
        let raw = vec![b'x'; 700_000];
        for end in ["1", "2"] {
            let rejected = [0, 7].map(|number| {
                let (mark, reason) = (12, "cannot be read".to_owned());
                Rejected { mark, number, raw: raw.clone(), reason }
            });
            let source = Source::new(name(end));
            let kept = ingestion.quarantine(&rejected, &source, &Positions::Offsets, |_| day).await;
            assert_eq!(kept.expect("kept"), 0);
        }
        let mut found = Vec::new();
        quarantine.read(day, |one| found.push(one)).await.expect("read");
        assert_eq!(found.len(), 4);
        for one in &found {
            assert!(one.raw() == raw && name("").starts_with(&one.source()[..500]), "{one:?}");
            quarantine.release(one).await.expect("taken out");
        }
        let mut left = 0;
        quarantine.read(day, |_| left += 1).await.expect("read");
        assert_eq!(left, 0);
    }
}
