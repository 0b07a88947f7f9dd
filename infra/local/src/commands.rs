//! What each command does with what it was told.

use std::sync::Arc;

use anyhow::{Result, bail};
use ingest::Ingest;
use logs::Format;

use crate::cli::{
    ArchiveDays, Cli, Command, Common, DayOptions, Demo, IngestFiles, LogOptions, Serve,
};
use crate::home::{self, Home};
use crate::housekeeping::archive_with_bar;
use crate::mail::{MailOptions, Way};
use crate::serve::{Door, Service, stopped};
use crate::{demo, files, follow, tell};

/// Does what the command line asks for.
///
/// # Errors
/// It cannot be done; the error tells a person what to do about it.
pub async fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(options) => serve(options).await,
        Command::Ingest(options) => ingest_files(options).await,
        Command::Archive(options) => archive_days(options).await,
        Command::Demo(options) => show_demo(options).await,
    }
}

async fn serve(options: Serve) -> Result<()> {
    let Common { data, days, logs } = options.common;
    let door =
        Door::open(options.listening.listen, options.listening.token_file.as_deref()).await?;
    let way = options.mail.way(Some(&data))?;
    let home = Home::own(&data, days.zone).await?;
    home.let_others_in().await?;
    let ingest = Ingest::new(Arc::clone(&home.store), logs.settings(days.zone));
    for path in options.follow {
        println!("Following {}", path.display());
        tokio::spawn(follow::follow(ingest.clone(), path, days.now()));
    }
    println!("Data in {}", data.display());
    service(home, &days, way, options.mail).run(door, stopped()).await
}

async fn show_demo(options: Demo) -> Result<()> {
    let days = options.days;
    let door =
        Door::open(options.listening.listen, options.listening.token_file.as_deref()).await?;
    let way = options.mail.way(options.data.as_deref())?;
    let home = match &options.data {
        Some(folder) => Home::own(folder, days.zone).await?,
        None => Home::in_memory(days.zone).await?,
    };
    let logs =
        LogOptions { format: Format::Postfix, log_zone: None, default_domain: "(none)".to_owned() };
    let ingest = Ingest::new(Arc::clone(&home.store), logs.settings(days.zone));
    let now = days.now();
    let today = now.today(days.zone);
    let summary = demo::fill(&ingest, today, now.unix()).await?;
    archive_with_bar(&home.history, today).await.1?;
    tell::demo(&summary, today, &door.url());
    service(home, &days, way, options.mail).run(door, stopped()).await
}

fn service(home: Home, days: &DayOptions, way: Way, mail: MailOptions) -> Service {
    let MailOptions { requests_per_day, public_url, .. } = mail;
    Service { home, now: days.now(), zone: days.zone, way, requests_per_day, public_url }
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
    let (mut summary, done) = archive_with_bar(&home.history, today).await;
    if !now.is_fixed() {
        summary.removed = archive::remove_expired(&home.history, today).await?;
    }
    tell::archived(&summary, archive::closed(today));
    println!("The files are in {}", home::archives_in(&data).display());
    Ok(done?)
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
