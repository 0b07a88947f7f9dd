//! What the program is told on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use ingest::Settings;
use logs::Format;
use report::Day;

use crate::clock::Now;
use crate::mail::MailOptions;

/// Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version.
///
/// Reads the logs of Postfix and Exim, keeps exact counts per day, and answers over HTTP.
#[derive(Debug, Parser)]
#[command(version, after_help = "Begin with: smtp-auth-report demo")]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP interface over the data folder, and follow growing logs
    #[command(after_help = "Example:\n  smtp-auth-report serve --follow /var/log/mail.log")]
    Serve(Serve),
    /// Read log files into the data folder; what was read before is not counted again
    #[command(after_help = "Examples:\n  smtp-auth-report ingest /var/log/mail.log*\n  \
        journalctl -o json -t postfix/smtpd -t postfix/qmgr | smtp-auth-report ingest -")]
    Ingest(IngestFiles),
    /// Write closed days as Parquet files, which make long ranges quick; serve does this every hour
    #[command(after_help = "Any tool that reads Parquet can read them:\n  \
        duckdb -c \"SELECT sender, sum(messages) FROM \
        'smtp-auth-report-data/archive/usage/*/*.parquet' GROUP BY 1 ORDER BY 2 DESC\"")]
    Archive(ArchiveDays),
    /// Fill a fresh store with 90 days of an invented organisation's mail, and serve it
    Demo(Demo),
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The folder that holds everything
    #[arg(long, value_name = "DIR", default_value = "smtp-auth-report-data")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) days: DayOptions,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DayOptions {
    /// The time zone whose calendar days are counted; a data folder keeps the one it began with
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: Tz,
    /// Take this day for the present one, to look at old logs
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Day>,
}

#[derive(Debug, Args)]
pub(crate) struct LogOptions {
    /// The logs' format
    #[arg(long, default_value_t = Format::Auto, value_parser = formats())]
    pub(crate) format: Format,
    /// The time zone of log timestamps that name none [default: that of --zone]
    #[arg(long, value_name = "ZONE")]
    pub(crate) log_zone: Option<Tz>,
    /// The domain that senders without one belong to
    #[arg(long, value_name = "DOMAIN", default_value = "(none)", value_parser = domain)]
    pub(crate) default_domain: String,
}

#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// Where to listen; beyond loopback only with --token-file
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025")]
    pub(crate) listen: SocketAddr,
    /// Demand the token in this file: of scripts as bearer token, of browsers as password
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// Read this log as it grows and is rotated, like tail -F; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) follow: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) mail: MailOptions,
}

#[derive(Debug, Args)]
pub(crate) struct IngestFiles {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Log files, plain or gzip; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveDays {
    /// The folder that holds everything
    #[arg(long, value_name = "DIR", default_value = "smtp-auth-report-data")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) days: DayOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the demo in this folder [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) days: DayOptions,
    #[command(flatten)]
    pub(crate) listening: Listening,
    #[command(flatten)]
    pub(crate) mail: MailOptions,
}

fn domain(text: &str) -> Result<String, String> {
    report::domain_name(text).ok_or_else(|| "it must be a domain as in example.org".to_owned())
}

impl DayOptions {
    pub(crate) fn now(&self) -> Now {
        Now::as_of(self.as_of, self.zone)
    }
}

/// Every format that there is, with what it is.
fn formats() -> impl TypedValueParser<Value = Format> {
    let known = Format::ALL.iter();
    let known = known.map(|format| PossibleValue::new(format.name()).help(format.about()));
    PossibleValuesParser::new(known).try_map(|name| name.parse::<Format>())
}

impl LogOptions {
    pub(crate) fn settings(&self, zone: Tz) -> Settings {
        let logs = logs::Options { format: self.format, zone: self.log_zone.unwrap_or(zone) };
        Settings { logs, zone, default_domain: self.default_domain.clone().into() }
    }
}
