//! `smtp-auth-report-aws`: what an operator of the service on AWS does by hand.

mod backfill;
mod quarantine;
mod rebuild;
mod replay;
mod stream;
mod tell;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use backfill::Backfill;
use quarantine::Quarantine;
use rebuild::Rebuild;
use replay::Replay;

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
    /// Count the archives into a table that was lost; goes on where it was interrupted
    ///
    /// Only into an empty table, or one that this was begun with. Of days that were rebuilt nothing is counted again, whatever
    /// comes for them: logs may be written to the stream again.
    #[command(after_help = "Example:\n  aws s3 sync s3://BUCKET archives && \
        smtp-auth-report-aws rebuild --table TABLE --from archives")]
    Rebuild(Rebuild),
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
                Command::Rebuild(options) => rebuild::run(options).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "smtp-auth-report-aws: {error:#}");
    ExitCode::FAILURE
}
