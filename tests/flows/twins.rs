//! Logs that hold the same lines: syslog writes one line into several files.

use std::fs;

use anyhow::{Result, ensure};
use local::files::Report;

use crate::local_files::{Machine, append, gzip, line, message, whole};

fn log(numbers: std::ops::Range<u32>) -> String {
    numbers.map(whole).collect()
}

/// A login that failed.
fn failure(number: u32) -> String {
    let warning = "warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: UGFzc3dvcmQ6";
    line("smtpd", warning).replace("T10:00:00Z", &format!("T10:00:{number:02}Z"))
}

/// The same lines among those of other programs.
fn syslog(mail: &str) -> String {
    let begin = "2026-11-24T09:59:59Z mx1 systemd[1]: Started Session 1 of user root.\n";
    let other = "2026-11-24T10:00:00Z mx1 CRON[77]: pam_unix(cron:session): session opened\n";
    let lines = mail.split_inclusive('\n').flat_map(|line| [line, other]);
    [begin].into_iter().chain(lines).collect()
}

fn twin<'a>(reports: &'a [Report], name: &str) -> Option<&'a str> {
    let report = reports.iter().find(|report| report.name.ends_with(name))?;
    report.twin.as_deref()
}

#[tokio::test]
async fn a_log_whose_lines_another_held_is_left_alone() -> Result<()> {
    for (first, second) in [("mail.log", "syslog"), ("syslog", "mail.log")] {
        let machine = Machine::new().await?;
        let mail = log(0..3000);
        fs::write(machine.path("mail.log"), &mail)?;
        fs::write(machine.path("syslog"), syslog(&mail))?;
        ensure!(machine.read(&[first]).await?[0].twin.is_none());
        for _ in 0..2 {
            let reports = machine.read(&[second]).await?;
            ensure!(
                twin(&reports, second).is_some_and(|twin| twin.ends_with(first)),
                "{reports:?}"
            );
        }
        machine.until(3000).await?;
        // What was counted is read on as before.
        append(&machine.path(first), &whole(3000))?;
        machine.read(&[first]).await?;
        machine.until(3001).await?;
        let reports = machine.read_again(&[second], true).await?;
        ensure!(reports[0].twin.is_none() && reports[0].shares.is_some(), "{reports:?}");
        machine.until(6001).await?;
    }
    Ok(())
}

#[tokio::test]
async fn rotated_logs_go_on_beside_those_that_are_left_alone() -> Result<()> {
    let machine = Machine::new().await?;
    let (begins, ends) = message(100);
    let later = (ends + &log(101..150)).replace("10:00:00Z", "10:00:05Z");
    let (before, present) = (log(0..50) + &begins, later);
    gzip(&machine.path("mail.log.1.gz"), &before)?;
    gzip(&machine.path("syslog.1.gz"), &syslog(&before))?;
    fs::write(machine.path("mail.log"), &present)?;
    fs::write(machine.path("syslog"), syslog(&present).replace("09:59:59Z", "10:00:04Z"))?;
    let reports = machine.read(&["syslog", "mail.log", "syslog.1.gz", "mail.log.1.gz"]).await?;
    let counted: Vec<_> = reports.iter().filter(|report| report.twin.is_none()).collect();
    ensure!(counted.len() == 2, "{reports:?}");
    machine.until(100).await?;
    ensure!(machine.plain().await? == 100, "a session goes on in the next file");
    Ok(())
}

#[tokio::test]
async fn warnings_that_stand_in_a_file_of_their_own_are_left_alone() -> Result<()> {
    let machine = Machine::new().await?;
    let mail = log(0..5) + &failure(0) + &log(5..9) + &failure(1);
    fs::write(machine.path("mail.log"), mail)?;
    fs::write(machine.path("mail.warn"), failure(0) + &failure(1))?;
    let reports = machine.read(&["mail.log", "mail.warn"]).await?;
    ensure!(twin(&reports, "mail.warn").is_some(), "{reports:?}");
    ensure!(reports.iter().map(|report| report.summary.auth_failures).sum::<u64>() == 2);
    Ok(())
}

#[tokio::test]
async fn logs_that_share_a_few_lines_count_all_of_them() -> Result<()> {
    let machine = Machine::new().await?;
    let one = log(0..1000);
    fs::write(machine.path("one"), &one)?;
    machine.read(&["one"]).await?;
    // Another server's: the same people at the same time, with other ids.
    let other = one.replace(" mx1 ", " mx2 ");
    fs::write(machine.path("other"), other)?;
    // Half of it is new, or a little.
    fs::write(machine.path("half"), syslog(&log(500..1500)))?;
    let more = syslog(&log(500..2000)).replace("CRON[77]", "CRON[78]");
    fs::write(machine.path("more"), more)?;
    // One line that is nothing but chance.
    fs::write(machine.path("few"), syslog(&log(1999..2100)))?;
    let mut messages = 1000;
    for (name, more, shares) in
        [("other", 1000, false), ("half", 1000, true), ("more", 1500, true), ("few", 101, false)]
    {
        let reports = machine.read(&[name]).await?;
        ensure!(reports[0].twin.is_none(), "{reports:?}");
        ensure!(reports[0].shares.is_some() == shares, "{reports:?}");
        messages += more;
        machine.until(messages).await?;
    }
    Ok(())
}
