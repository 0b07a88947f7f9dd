//! `smtp-auth-report-aws`: what an operator of the service on AWS does by hand.

mod backfill;
mod quarantine;
mod replay;
mod stream;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use report::Day;

/// Feeds old logs and what was put aside into the stream of smtp-auth-report on AWS.
///
/// It asks AWS as the environment says: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if there is one,
/// AWS_SESSION_TOKEN. The AWS CLI sets the last three with: eval "$(aws configure export-credentials --format env)"
#[derive(Debug, Parser)]
#[command(name = "smtp-auth-report-aws", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write old log files to the stream, in order; goes on where it was interrupted
    #[command(after_help = "Example, oldest file first:\n  smtp-auth-report-aws backfill \
        --stream smtp-auth-report-Stream-1X2Y3Z /var/log/mail.log.2.gz /var/log/mail.log.1")]
    Backfill(Backfill),
    /// Write the records of failed invocations, as Lambda put them into the bucket, to the stream again
    ///
    /// What was written is noted beside each file, in FILE.written. A batch of which a part was counted before it
    /// was given up counts that part again.
    #[command(after_help = "Example:\n  aws s3 sync s3://BUCKET failures && \
        smtp-auth-report-aws replay --stream STREAM failures")]
    Replay(Replay),
    /// Look at what could not be read, and write it to the stream again
    ///
    /// What is written again has lost its place: lines of a session count alone, and a line without a year is dated
    /// from today.
    Quarantine(Quarantine),
}

/// Which logs go where.
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// The stream's name, as the stack's outputs tell it
    #[arg(long)]
    stream: String,
    /// The log that the files are a part of. Name the live one as ACCOUNT:LOG-GROUP:LOG-STREAM before its first
    /// line arrives, and messages are counted that begin in a file and end there
    #[arg(long, value_name = "NAME", default_value = "backfill:files:1")]
    log: String,
    /// Where to keep how far each file was written: without it, a file that is named again is written again
    #[arg(long, value_name = "FILE", default_value = "smtp-auth-report-backfill.json")]
    progress: PathBuf,
    /// Take this for the day of each file's last line, whatever its time of change says
    #[arg(long, value_name = "DATE")]
    changed: Option<Day>,
    /// Log files of one server, plain or gzip, oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

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

/// Which quarantine.
#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    /// The table's name, as the stack's outputs tell it
    #[arg(long)]
    table: String,
    /// The first day [default: seven days ago]
    #[arg(long, value_name = "DATE")]
    since: Option<Day>,
    /// Write it to this stream, and take it out of the quarantine
    #[arg(long, value_name = "STREAM")]
    replay: Option<String>,
    /// Write each one's bytes into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    save: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    bootstrap::log_for_people();
    let done = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Command::Backfill(options) => backfill::run(options).await,
                Command::Replay(options) => replay::run(options).await,
                Command::Quarantine(options) => quarantine::run(options).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("smtp-auth-report-aws: {error:#}");
    ExitCode::FAILURE
}

/// A number with its noun.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", report::grouped(number), if number == 1 { one } else { many })
}

/// Says what was done.
pub(crate) fn told(text: &str) -> Result<()> {
    use std::io::Write as _;
    // A pipe that nobody reads any more is no failure of what was done.
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
