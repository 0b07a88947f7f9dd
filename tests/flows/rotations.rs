//! Logs that are followed while they are rotated, in every way that is usual.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use ingest::Ingest;
use local::clock::Now;
use local::files::Stop;
use report::{ALL_DOMAINS, Range, TlsCounts};
use store::{Store, Writing};
use tests::app::{App, NOW, settings};
use tests::fault::store_that_dies;

use crate::local_files::{Machine, append, gzip, message, whole};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_before_it_was_read_is_read_from_the_copy() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    fs::write(&path, whole(0))?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    // All at once: the session's end is in the next file.
    let (begins, ends) = message(1);
    append(&path, &(whole(2) + &begins))?;
    gzip(&machine.path("maillog.1.gz"), &fs::read_to_string(&path)?)?;
    fs::write(&path, ends + &whole(3))?;
    machine.until(4).await?;
    // Cut, with nothing behind it: what was cut off does not wait for the next line.
    append(&path, &whole(4))?;
    fs::copy(&path, machine.path("maillog.0"))?;
    File::create(&path)?;
    machine.until(5).await?;
    append(&path, &whole(5))?;
    machine.until(6).await?;
    following.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_go_on_when_a_log_is_cut_and_no_copy_is_left() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    let (begins, ends) = message(0);
    fs::write(&path, whole(1) + &begins)?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    File::create(&path)?;
    append(&path, &(ends + &whole(2)))?;
    machine.until(3).await?;
    following.abort();
    assert_eq!(machine.plain().await?, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_goes_on_at_its_place_leaves_a_hole() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    let mut writer = File::create(&path)?;
    writer.write_all(whole(0).as_bytes())?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    for number in 1..4 {
        fs::copy(&path, machine.path(&format!("maillog.{number}")))?;
        File::options().write(true).open(&path)?.set_len(0)?;
        writer.seek(SeekFrom::Start(u64::from(number) * 3_000_000))?;
        writer.write_all(whole(number).as_bytes())?;
        machine.until(u64::from(number) + 1).await?;
    }
    following.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_rotated_while_nobody_looked_is_read_in_order() -> Result<()> {
    // What the log is called, and what it becomes: numbered, dated, dated before the ending.
    for (log, names) in [
        ("maillog", ["maillog.3.gz", "maillog.2.gz", "maillog.1"]),
        ("mail.log", ["mail.log-20261121.gz", "mail.log-20261122", "mail.log-20261123"]),
        ("mail.log", ["mail-2026-11-21.log", "mail-2026-11-22.log.gz", "mail-2026-11-23.log"]),
    ] {
        let machine = Machine::new().await?;
        let path = machine.path(log);
        // Before it is followed for the first time, it was rotated as well: that is left alone.
        let long_ago = SystemTime::now() - Duration::from_secs(5 * 86_400);
        let oldest = machine.path(&format!("{log}.9"));
        fs::write(&oldest, whole(90))?;
        File::options().append(true).open(&oldest)?.set_modified(long_ago)?;
        fs::write(&path, whole(0))?;
        let following = tokio::spawn(machine.follow(&path));
        machine.until(1).await?;
        following.abort();
        // Each session's end stands in the next file.
        let mut ends = whole(0);
        for (number, name) in (1..).zip(names) {
            let (begins, end) = message(number);
            let text = ends + &whole(number + 10) + &begins;
            match name.ends_with(".gz") {
                true => gzip(&machine.path(name), &text)?,
                false => fs::write(machine.path(name), &text)?,
            }
            // Lines of the same second: when they were written to tells their order.
            let written = long_ago + Duration::from_secs(86_400) * number;
            File::options().append(true).open(machine.path(name))?.set_modified(written)?;
            ends = end;
        }
        fs::write(&path, ends + &whole(20))?;
        fs::write(machine.path(&format!("{log}.err")), whole(91))?;
        let following = tokio::spawn(machine.follow(&path));
        machine.until(8).await.with_context(|| format!("{names:?}"))?;
        following.abort();
        assert_eq!(machine.plain().await?, 8, "every session's end was found");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_being_compressed_is_in_nobodys_way() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    fs::write(&path, whole(0))?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    following.abort();
    // Two rotations later: the copy is newer than all that came behind what it is a copy of, until it is done.
    fs::rename(&path, machine.path("maillog.2"))?;
    let (begins, ends) = message(1);
    fs::write(machine.path("maillog.1"), whole(2) + &begins)?;
    gzip(&machine.path("maillog.2.gz"), &whole(0))?;
    let later = SystemTime::now() + Duration::from_secs(2);
    File::options().append(true).open(machine.path("maillog.2.gz"))?.set_modified(later)?;
    fs::write(&path, ends + &whole(3))?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(4).await?;
    following.abort();
    assert_eq!(machine.plain().await?, 4, "every session's end was found");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_leads_from_one_dated_log_to_the_next() -> Result<()> {
    let machine = Machine::new().await?;
    fs::create_dir(machine.path("days"))?;
    let day = |day: u32| machine.path(&format!("days/mail-202611{day:02}.log"));
    let link = machine.path("current");
    let point = |to: u32| -> Result<()> {
        symlink(day(to), machine.path("next"))?;
        Ok(fs::rename(machine.path("next"), &link)?)
    };
    fs::write(day(1), whole(0))?;
    point(1)?;
    let following = tokio::spawn(machine.follow(&link));
    machine.until(1).await?;
    let (begins, ends) = message(1);
    append(&day(1), &begins)?;
    append(&day(2), &(ends + &whole(2)))?;
    point(2)?;
    machine.until(3).await?;
    // Some process has the old one open still.
    append(&day(1), &whole(3))?;
    machine.until(4).await?;
    following.abort();
    append(&day(2), &whole(4))?;
    append(&day(3), &whole(5))?;
    append(&day(4), &whole(6))?;
    point(4)?;
    let following = tokio::spawn(machine.follow(&link));
    machine.until(7).await?;
    following.abort();
    assert_eq!(machine.plain().await?, 7);
    Ok(())
}

#[tokio::test]
async fn a_message_counts_once_though_the_next_log_was_begun_first_and_wherever_that_died()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = ["mail.log.1", "mail.log"].map(|name| folder.path().join(name));
    let now = chrono::DateTime::from_timestamp(NOW, 0).context("a time")?;
    let of_now = |text: String| text.replace("2026-11-24T10:00:00Z", &now.to_rfc3339());
    let (begins, ends) = message(0);
    fs::write(&files[0], of_now(begins))?;
    fs::write(&files[1], of_now(ends + &whole(1)))?;
    let mut died = 0;
    for writes in 0..20 {
        let app = App::new().await?;
        let read = async |store: &Store, names: &[PathBuf]| {
            let (ingest, stop) = (Ingest::new(store, settings(chrono_tz::UTC)), Stop::default());
            let (known, now) = (store.files(), Now::Fixed(NOW));
            local::files::ingest(&ingest, &known, names, now, false, &stop, drop).await
        };
        let mortal = store_that_dies(&app.engine, Writing::Transactions, writes);
        died += u32::from(read(&mortal, &files[1..]).await.is_err());
        read(&app.store, &files).await?;
        let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
        let rollup = app.store.summaries().rollup(ALL_DOMAINS, range).await?;
        let messages: u64 = rollup.values().map(TlsCounts::total).sum();
        assert_eq!(messages, 2, "{writes} writes");
    }
    assert!((3..20).contains(&died), "{died} died");
    Ok(())
}
