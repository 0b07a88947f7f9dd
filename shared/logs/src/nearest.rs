//! What text that nobody here reads looks like, and what is to be done about it.

use memchr::memmem;

/// What is to be done about a field of which only the first line is read.
pub(crate) const SEVERAL: &str =
    "holds several lines in one field, of which the first is read: switch multi-line joining off";

/// What a line looks like that is not understood, in words for a person; empty if it looks like nothing known.
pub(crate) fn nearest(line: &[u8]) -> &'static str {
    let has = |text: &str| memmem::find(line, text.as_bytes()).is_some();
    let begins = |text: &str| line.starts_with(text.as_bytes());
    if has("\" 200 ") || (has(" - - [") && (has(" HTTP/1") || has(" HTTP/2"))) {
        return "looks like a web server's access log";
    }
    if has("[error]") && has(", client: ") || has("] [php") || has("[proxy:") {
        return "looks like a web server's error log";
    }
    if begins("{") && has("\"awslogs\"") && has("\"data\"") {
        return "looks like a Lambda event of CloudWatch Logs: events are read of a file or a record that begins with one";
    }
    if begins("{") && has("\"data\"") && has("\"recordId\"") {
        return "looks like a Lambda event of Firehose: events are read of a file or a record that begins with one";
    }
    if begins("{") && has("\"data\"") && has("\"kinesis\"") && has("\"Records\"") {
        return "looks like a Lambda event of Kinesis: events are read of a file or a record that begins with one";
    }
    if begins("{") || begins("[{") {
        return "looks like JSON, but no field of it holds a log line that is known";
    }
    if begins("From ") || begins("Return-Path:") || begins("Received:") || begins("Delivered-To:") {
        return "looks like mail: the report needs the mail server's log";
    }
    if begins("<?xml") || begins("<html") || begins("<!DOCTYPE") || begins("<!doctype") {
        return "looks like a page of HTML or XML: was a sign-in page saved instead of the log?";
    }
    if begins("-- Logs begin at ") || begins("-- Journal begins at ") || begins("-- Boot ") {
        return "looks like what journalctl writes between entries";
    }
    if begins("-----BEGIN ") {
        return "looks like a key or a certificate";
    }
    if begins("#!") {
        return "looks like a script";
    }
    if begins("#Fields") || begins("#Software") {
        return "looks like a W3C or Exchange protocol log, which is not read";
    }
    if has(" LOGIN, user=")
        || has("imap-login: ")
        || has("pop3-login: ")
        || has("submission-login: ")
    {
        return "looks like Dovecot, of which only the submission service is read: other messages are in Postfix's or Exim's own log";
    }
    if has("sm-mta[") || has("STARTTLS=server, relay=") {
        return "looks like Sendmail without syslog's program and process in front, which its lines are joined by";
    }
    if has("[core] ") && (has("[NOTICE]") || has("[INFO]") || has("[PROTOCOL]")) {
        return "looks like Haraka, which is another format than the one that is set";
    }
    if has("smtp connected address=") || has("smtp event=") {
        return "looks like OpenSMTPD, but a header with its tag, smtpd, is missing";
    }
    if line.iter().take(200).filter(|byte| **byte < b' ' && **byte != b'\t').count() > 2 {
        return "looks like a binary file";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Collected;
    use crate::{Arrival, Format, LogStream, Options};

    #[test]
    fn what_lambda_is_called_with_is_told_and_not_lost_in_silence() {
        for (line, what) in [
            (r#"{"awslogs":{"data":"H4sIAAAAAAAAAwMAAAAAAAAAAAA="}}"#, "of CloudWatch Logs"),
            (
                r#"{"invocationId":"x","records":[{"recordId":"1","approximateArrivalTimestamp":1795431600123,"data":"eA=="}]}"#,
                "of Firehose",
            ),
            (
                r#"{"Records":[{"kinesis":{"data":"eA==","approximateArrivalTimestamp":1795431600.1},"eventSource":"aws:kinesis"}]}"#,
                "of Kinesis",
            ),
        ] {
            assert!(nearest(line.as_bytes()).contains(what), "{line}");
            let mut stream = LogStream::new(Options { format: Format::Auto, zone: chrono_tz::UTC });
            let arrival = Arrival { mark: 1, before: 0, reference: 1_795_435_200 };
            stream.line(line.as_bytes(), arrival, &mut Collected::default());
            let first = stream.understanding().first.expect("not understood");
            assert!(first.nearest.contains(what), "{line}");
        }
    }
}
