//! `smtp-auth-report`: who sends mail through SMTP AUTH, and over which TLS version, on one machine.

mod tell;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};
use history::{History, HistoryError};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{Ingest, Settings};
use local::clock::Now;
use local::engine::Engine;
use local::home::Home;
use local::mail::{MailOptions, Way};
use local::web::Access;
use local::{demo, files, follow, home, reports, web};
use query::{Mailing, Query};
use report::Day;
use reporting::Reporter;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a report that is being made is waited for when the program ends.
const LAST_REPORT: std::time::Duration = std::time::Duration::from_secs(30);
/// How often closed days are archived, and what has expired is removed.
const HOUSEKEEPING: std::time::Duration = std::time::Duration::from_secs(3600);

/// Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version.
///
/// Reads the logs of Postfix and Exim, keeps exact counts per day, and answers over HTTP.
#[derive(Debug, Parser)]
#[command(version, after_help = "Begin with: smtp-auth-report demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
struct Common {
    /// The folder that holds everything
    #[arg(long, value_name = "DIR", default_value = "smtp-auth-report-data")]
    data: PathBuf,
    #[command(flatten)]
    days: DayOptions,
    #[command(flatten)]
    logs: LogOptions,
}

#[derive(Debug, Args)]
struct DayOptions {
    /// The time zone whose calendar days are counted; a data folder keeps the one it began with
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: Tz,
    /// Take this day for the present one, to look at old logs
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
}

#[derive(Debug, Args)]
struct LogOptions {
    /// The logs' format
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// The time zone of log timestamps that name none [default: that of --zone]
    #[arg(long, value_name = "ZONE")]
    log_zone: Option<Tz>,
    /// The domain that senders without one belong to
    #[arg(long, value_name = "DOMAIN", default_value = "(none)", value_parser = domain)]
    default_domain: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Find out line by line
    Auto,
    /// Postfix, with or without a syslog header
    Postfix,
    /// Exim's main log
    Exim,
    /// One JSON event a line
    Json,
}

#[derive(Debug, Args)]
struct Listening {
    /// Where to listen; beyond loopback only with --token-file
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025")]
    listen: SocketAddr,
    /// Demand the token in this file: of scripts as bearer token, of browsers as password
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    listening: Listening,
    /// Read this log as it grows and is rotated, like tail -F; may be given several times
    #[arg(long, value_name = "FILE")]
    follow: Vec<PathBuf>,
    #[command(flatten)]
    mail: MailOptions,
}

#[derive(Debug, Args)]
struct IngestFiles {
    #[command(flatten)]
    common: Common,
    /// Log files, plain or gzip; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ArchiveDays {
    /// The folder that holds everything
    #[arg(long, value_name = "DIR", default_value = "smtp-auth-report-data")]
    data: PathBuf,
    #[command(flatten)]
    days: DayOptions,
}

#[derive(Debug, Args)]
struct Demo {
    /// Keep the demo in this folder [default: in memory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    days: DayOptions,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    mail: MailOptions,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    bootstrap::log_for_people();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(options) => serve(options).await,
            Command::Ingest(options) => ingest_files(options).await,
            Command::Archive(options) => archive_days(options).await,
            Command::Demo(options) => show_demo(options).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("smtp-auth-report: {error:#}");
    ExitCode::FAILURE
}

fn domain(text: &str) -> Result<String, String> {
    report::domain_name(text).ok_or_else(|| "it must be a domain as in example.org".to_owned())
}

impl DayOptions {
    fn now(&self) -> Now {
        Now::as_of(self.as_of, self.zone)
    }
}

impl LogOptions {
    fn settings(&self, zone: Tz) -> Settings {
        let format = match self.format {
            Format::Auto => logs::Format::Auto,
            Format::Postfix => logs::Format::Postfix,
            Format::Exim => logs::Format::Exim,
            Format::Json => logs::Format::Json,
        };
        let logs = logs::Options { format, zone: self.log_zone.unwrap_or(zone) };
        Settings { logs, zone, default_domain: self.default_domain.clone().into() }
    }
}

async fn serve(options: Serve) -> Result<()> {
    let Common { data, days, logs } = options.common;
    let (access, listener) = listen(&options.listening).await?;
    let way = options.mail.way(Some(&data))?;
    let home = Home::own(&data, days.zone).await?;
    home.let_others_in().await?;
    let ingest = Ingest::new(Arc::clone(&home.store), logs.settings(days.zone));
    for path in options.follow {
        println!("Following {}", path.display());
        tokio::spawn(follow::follow(ingest.clone(), path, days.now()));
    }
    println!("Data in {}", data.display());
    answer(home, listener, access, &days, way, &options.mail).await
}

async fn show_demo(options: Demo) -> Result<()> {
    let days = options.days;
    let (access, listener) = listen(&options.listening).await?;
    let way = options.mail.way(options.data.as_deref())?;
    let home = match &options.data {
        Some(folder) => Home::own(folder, days.zone).await?,
        None => Home::in_memory(days.zone).await?,
    };
    let logs =
        LogOptions { format: Format::Postfix, log_zone: None, default_domain: "(none)".to_owned() };
    let ingest = Ingest::new(Arc::clone(&home.store), logs.settings(days.zone));
    let now = days.now().unix();
    let today = report::Days::new(days.zone).day_of(now);
    let summary = demo::fill(&ingest, today, now).await?;
    archived(&home.history, today).await.1?;
    println!(
        "An invented organisation's mail until {today}: {} messages in {} log lines",
        report::grouped(summary.submissions),
        report::grouped(summary.lines)
    );
    let base = format!("http://{}", listener.local_addr()?);
    println!("Open {base}/ in a browser, or ask for example:");
    println!("  curl '{base}/v1/reports/tls-usage/details?sort=-TLS1.0&limit=10'");
    println!("  curl '{base}/v1/reports/sending-volume/details?format=csv'");
    println!(
        "  curl --json '{{\"view\": \"tls-usage\", \"recipients\": [\"you@harbor.test\"]}}' {base}/v1/report-requests"
    );
    answer(home, listener, access, &days, way, &options.mail).await
}

async fn listen(options: &Listening) -> Result<(Access, TcpListener)> {
    let access = Access::at(options.listen, options.token_file.as_deref())?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}: choose another --listen", options.listen))?;
    Ok((access, listener))
}

async fn answer(
    home: Home,
    listener: TcpListener,
    access: Access,
    days: &DayOptions,
    way: Way,
    mail: &MailOptions,
) -> Result<()> {
    let now = days.now();
    // Leases, pauses and schedules go by the machine's clock, whatever day it is taken to be.
    let clock = Arc::new(|| Now::Machine.unix());
    let (zone, as_of) = (days.zone, now.is_fixed().then(|| now.today(days.zone)));
    tokio::spawn(keep_house(home.history.clone(), home.engine.clone(), now, zone));
    let Way { mailer, recipients, told, made } = way;
    // An address that means all of a machine's own is none that a link can lead to.
    let address = listener.local_addr()?;
    let base = (!address.ip().is_unspecified()).then(|| format!("http://{address}"));
    let dashboard = mail.public_url.clone().or(base);
    let settings = reporting::Settings { zone, recipients: recipients.clone(), dashboard, as_of };
    let reporter = Reporter::new(home.history.clone(), mailer, settings, clock.clone());
    let (stop, stopping) = watch::channel(false);
    let new_requests = home.engine.as_ref().map(|engine| engine.new_items(store::REPORT_REQUESTS));
    let worker = new_requests.map(|new_requests| {
        tokio::spawn(reports::work(reporter, new_requests, stopping, || Now::Machine.unix()))
    });
    println!("{told}");
    let mailing = Mailing { recipients, requests_per_day: mail.requests_per_day };
    let query = Query::new(home.history.clone(), zone, mailing, clock).as_of(as_of);
    println!("Listening on http://{address}");
    io::stdout().flush()?;
    let router = web::guarded(query::router(query), access);
    let served = web::serve(listener, router, stopped()).await;
    let _ = stop.send(true);
    if let Some(worker) = worker {
        // A report that is being handed over is waited for, or it might be sent once more.
        let _ = tokio::time::timeout(LAST_REPORT, worker).await;
    }
    if let Some(folder) = made {
        // Stays if there are mails in it.
        let _ = std::fs::remove_dir(folder);
    }
    served
}

/// Archives closed days every hour; by the machine's own clock, also removes what has expired.
async fn keep_house(history: History, engine: Option<Engine>, now: Now, zone: Tz) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    loop {
        ticks.tick().await;
        let today = now.today(zone);
        let (summary, archived) = archive::run(&history, today, |_, _| {}).await;
        match archived {
            Ok(()) => tracing::debug!(?summary, "closed days are archived"),
            Err(error) => tracing::error!(%error, "cannot archive all closed days"),
        }
        if now.is_fixed() {
            continue;
        }
        if let Err(error) = archive::remove_expired(&history, today).await {
            tracing::error!(%error, "cannot remove old archives");
        }
        if let Some(engine) = engine.clone() {
            let swept = tokio::task::spawn_blocking(move || engine.remove_expired()).await;
            if let Ok(Err(error)) = swept {
                tracing::error!(error = format!("{error:#}"), "cannot remove what has expired");
            }
        }
    }
}

async fn archive_days(options: ArchiveDays) -> Result<()> {
    let ArchiveDays { data, days } = options;
    if !data.is_dir() {
        bail!(
            "there is no data folder {}: ingest logs into it first, or name another",
            data.display()
        );
    }
    let home = Home::share(&data, days.zone).await?;
    let now = days.now();
    let today = now.today(days.zone);
    let (mut summary, done) = archived(&home.history, today).await;
    if !now.is_fixed() {
        summary.removed = archive::remove_expired(&home.history, today).await?;
    }
    tell::archived(&summary, archive::closed(today));
    println!("The files are in {}", home::archives_in(&data).display());
    Ok(done?)
}

/// Archives closed days, with a bar that shows how far it is.
async fn archived(history: &History, today: Day) -> (archive::Summary, Result<(), HistoryError>) {
    let progress = ProgressBar::new(archive::closed(today).days().count() as u64);
    if let Ok(style) = ProgressStyle::with_template("archiving {bar:30} {pos}/{len} days ETA {eta}")
    {
        progress.set_style(style);
    }
    let done = archive::run(history, today, |_, _| progress.inc(1)).await;
    progress.finish_and_clear();
    done
}

/// Done when the user or the system wants the program to end.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    let Ok(mut terminated) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        let _ = interrupted.await;
        return;
    };
    tokio::select! {
        _ = interrupted => {}
        _ = terminated.recv() => {}
    }
}

async fn ingest_files(options: IngestFiles) -> Result<()> {
    let Common { data, days, logs } = options.common;
    let home = Home::share(&data, days.zone).await?;
    let ingest = Ingest::new(home.store, logs.settings(days.zone));
    let mut reports = Vec::new();
    files::ingest(&ingest, &options.files, days.now(), |report| {
        tell::file(&report);
        reports.push(report);
    })
    .await?;
    tell::files(&reports);
    Ok(())
}
