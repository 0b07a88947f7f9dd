//! What the program tells a person about what it did.

use std::collections::{BTreeSet, HashSet};

pub(crate) use operator::line;
use report::{Day, Range, grouped};

use crate::files::Report;
use crate::understood;
use crate::verify::Found;

/// What became of one log file.
pub(crate) fn file(report: &Report) {
    let Report { name, summary, known, open, unfinished_line, failure, twin, shares, .. } = report;
    let went_back = report.went_back;
    if let Some(twin) = twin {
        return line(format_args!(
            "{name}: left alone: holds the same lines as {twin}; --again reads it anyway"
        ));
    }
    let (lines, messages) = (grouped(summary.lines), grouped(summary.submissions));
    let failures = grouped(summary.auth_failures);
    let again = match (known, summary.lines) {
        (true, 0) => " (read before: nothing new)",
        (true, _) => " (read before: only what is new)",
        (false, 0) if failure.is_none() && !unfinished_line => " (empty)",
        (false, _) => "",
    };
    if let Some(failure) = failure.as_ref().filter(|_| summary.lines == 0) {
        return line(format_args!("{name}: {failure}"));
    }
    line(format_args!(
        "{name}: {lines} lines, {messages} messages, {failures} failed logins{again}"
    ));
    if let Some(failure) = failure {
        line(format_args!("  {failure}; what came before is counted"));
    }
    understood::not_understood(&report.understanding);
    if let Some(other) = shares {
        line(format_args!("  lines of it stand in {other} too, and count twice"));
    }
    understood::went_back(went_back);
    if open.messages > 0 {
        line(format_args!("  {} messages still open at its end", open.messages));
    }
    if *unfinished_line {
        line("  its last line has no end yet, and is left for the next time");
    }
}

/// What became of all log files.
pub(crate) fn files(reports: &[Report]) {
    let mut sum = ingest::Summary::default();
    let mut senders = HashSet::new();
    let mut days: BTreeSet<Day> = BTreeSet::new();
    for report in reports {
        sum.add(&report.summary);
        senders.extend(report.found.senders.iter().map(|sender| &**sender));
        days.extend(&report.found.days);
    }
    let span = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => format!(" ({first} to {last})"),
        (Some(only), _) => format!(" ({only})"),
        _ => String::new(),
    };
    line("Total");
    row("lines", sum.lines, "");
    row("  mail servers", sum.server_lines, "");
    row("  others", sum.other_lines, "  of other programs");
    if sum.not_understood > 0 {
        row(
            "  unknown",
            sum.not_understood,
            "  of no known form: smtp-auth-report check says more",
        );
    }
    row("messages", sum.submissions, "");
    let others = if senders.remove(report::OTHER_SENDERS) {
        "  and others, of accounts with too many to tell them apart"
    } else {
        ""
    };
    row("senders", senders.len() as u64, others);
    row("days", days.len() as u64, &span);
    row("failed logins", sum.auth_failures, "");
    if sum.temporary_failures > 0 {
        row(
            "not decided",
            sum.temporary_failures,
            "  logins that the server could not check: not counted",
        );
    }
    row("duplicates", sum.duplicates, "  counted before, not counted again");
    if sum.rebuilt > 0 {
        row("rebuilt", sum.rebuilt, "  of days that were rebuilt from archives, not counted again");
    }
    row(
        "quarantined",
        sum.quarantined,
        "  bad events, kept for a look: smtp-auth-report quarantine",
    );
    if sum.left_out > 0 {
        row("not kept", sum.left_out, "  of these: the day's quarantine is full");
    }
    row("too old", sum.too_old, "  of days before the last 90");
    let mut understanding = logs::Understanding::default();
    reports.iter().for_each(|report| understanding.merge(&report.understanding));
    understood::too_old(&understanding, sum.too_old, sum.submissions + sum.auth_failures);
    row("in the future", sum.future, "  more than a day ahead");
    if sum.evicted > 0 {
        row("forgotten", sum.evicted, "  sessions and messages: too many at once");
    }
}

/// What became of closed days.
pub(crate) fn archived(summary: &archive::Summary, closed: Range) {
    line(format_args!("Closed days, {} to {}", closed.start, closed.end));
    row("current", summary.current, "  archived before");
    row("new", summary.new, "");
    row("renewed", summary.renewed, "  had late lines");
    row("repaired", summary.repaired, "  were lost or damaged");
    row("empty", summary.empty, "");
    row("removed", summary.removed, "  older than 90 days");
    if summary.unknown > 0 {
        row(
            "left as is",
            summary.unknown,
            "  hold more than the store, which does not know them: was it lost?",
        );
        line("                                rebuild it: smtp-auth-report rebuild");
    }
    if summary.failed > 0 {
        row("failed", summary.failed, "  the error below tells why");
    }
    if summary.busy > 0 {
        row("busy", summary.busy, "  being counted into: run this again");
    }
    row("rows written", summary.rows, "");
    row("messages", summary.messages, "");
    row("bytes", summary.bytes, "");
}

/// What came of verifying the store.
pub(crate) fn verified(found: &Found) {
    row("days", found.days, "");
    row("messages", found.messages, "");
    if !found.busy.is_empty() {
        row("busy", found.busy.len() as u64, "  being counted into: verify them again");
    }
    if !found.unprotected.is_empty() {
        let note = "  days that are not archived yet: not every damaged client, mechanism and failed login shows";
        row("not protected", found.unprotected.len() as u64, note);
    }
    for fault in &found.faults {
        line(fault);
    }
}

/// What the demo holds, and how to ask it at this address.
pub(crate) fn demo(summary: &ingest::Summary, today: Day, base: &str) {
    line(format_args!(
        "An invented organisation's mail until {today}: {} messages in {} log lines",
        grouped(summary.submissions),
        grouped(summary.lines)
    ));
    line(format_args!("Open {base}/ in a browser, or ask for example:"));
    line(format_args!("  curl '{base}/v1/reports/tls-usage/details?sort=-TLS1.0&limit=10'"));
    line(format_args!("  curl '{base}/v1/reports/sending-volume/details?format=csv'"));
    line(format_args!(
        "  curl --json '{{\"view\": \"tls-usage\", \"recipients\": [\"you@harbor.test\"]}}' {base}/v1/report-requests"
    ));
}

/// A line with a figure.
fn row(name: &str, value: u64, note: &str) {
    line(format_args!("  {name:<15}{:>12}{note}", grouped(value)));
}
