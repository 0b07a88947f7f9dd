//! What each command does with what it was told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bootstrap::{AlertMail, Days, Detection, Listening, Logs, Meaning, Reports, progress};
use detect::{Sensitivity, Verdicts, Watch, after, as_of, brought_up};
use detector::Detector;
use ingest::Settings;
use report::{Known, Range};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::alerts::Shown;
use crate::channels;
use crate::cli::{Archive, Check, Demo, Detect, Ingest, Inputs, Quarantine, Serve, Task, now};
use crate::examine::examine;
use crate::files::{self, Heard, Stop};
use crate::home::{self, Home};
use crate::housekeeping::archive_with_bar;
use crate::mail::Way;
use crate::patience::patiently;
use crate::quarantine::Look;
use crate::serve::{Door, Service, stopped};
use crate::verify::{self, verify, verify_places};
use crate::{demo, tell};

/// How long those who read what comes only once are waited for at the end: to store what they have.
const LAST_LINES: Duration = Duration::from_secs(3);
/// The exit status if some account needs attention.
const ATTENTION: u8 = 10;
/// The exit status after a second Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;

/// Does what the command line asks for.
///
/// # Errors
/// It cannot be done; the error tells a person what to do about it.
pub async fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Serve(told) => serve(told).await?,
        Task::Ingest(told, inputs) => ingest_files(told, inputs).await?,
        Task::Archive(told) => archive_days(told).await?,
        Task::Check(told, files) => check_files(&told, &files)?,
        Task::Verify(told) => verify_store(told).await?,
        Task::Rebuild(told, from) => rebuild_store(told, from).await?,
        Task::Quarantine(told, look) => look_at(told, look).await?,
        Task::Channels(told, tested) => tested.test(told).await?,
        Task::Detect(told, shown) => return detect(told, shown).await,
        Task::Demo(told) => show_demo(told).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(told: Serve) -> Result<()> {
    let Serve { data, days, logs, listening, followed, journal, meaning, .. } = told;
    let (detection, mail, reports) = (told.detection, told.mail, told.reports);
    let door = open(&listening).await?;
    let way = Way::of(&mail, reports.recipients.clone(), Some(&data.folder))?;
    let alerted = alerted(&told.alert_mail, &way)?;
    let channels = channels::of(&told.alert_channels)?;
    let known = known(meaning)?;
    let home = Home::own(&data.folder, days.zone).await?;
    home.let_others_in().await?;
    let ingest = ingest::Ingest::new(&home.store, settings(&logs, &days, &home));
    let stop = Stop::default();
    let mut readers = Vec::new();
    let heard = Heard::default();
    let now = now(&days);
    let (input, named): (Vec<_>, _) =
        followed.files.into_iter().partition(|path| path == Path::new(files::STDIN));
    if !input.is_empty() {
        tell::line("Following standard input");
        let (ingest, files, pipe) = (ingest.clone(), home.store.files(), std::io::stdin());
        let reader = files::follow_pipe(ingest, files, pipe, heard.clone(), now, stop.clone());
        readers.push(apart(reader));
    }
    let logs = files::Logs::new(named);
    logs.told().iter().for_each(tell::line);
    let follow = {
        let (ingest, files, heard) = (ingest.clone(), home.store.files(), heard.clone());
        move || logs.clone().follow(ingest.clone(), files.clone(), heard.clone(), now)
    };
    tokio::spawn(patiently(now, home.watch.clone(), follow));
    if let Some(journal) = selected(journal) {
        tell::line(format_args!("Following the journal: {}", journal.told()));
        let reader = files::follow_journal(ingest, journal, heard.clone(), now, stop.clone());
        readers.push(apart(reader));
    }
    tell::line(format_args!("Data in {}", data.folder.display()));
    let told_to_stop = stopped();
    let stopped = async move {
        told_to_stop.await;
        stop.tell();
        let stored = async {
            for reader in readers {
                let _ = reader.await;
            }
        };
        let _ = tokio::time::timeout(LAST_LINES, stored).await;
    };
    let service = service(home, &days, way, reports, known);
    Service { heard, detection, alerted, channels, ..service }.run(door, stopped).await;
    Ok(())
}

/// The journal, if it is wanted.
fn selected(journal: bootstrap::Journal) -> Option<files::Journal> {
    let bootstrap::Journal { matches, command } = journal;
    matches.map(|matches| files::Journal::new(command, matches))
}

/// Runs what waits for others on a thread of its own.
fn apart(reader: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || Handle::current().block_on(reader))
}

/// Tells readers to end when the program is told to; told again, it ends at once.
async fn end_with_program(stop: Stop) {
    stopped().await;
    stop.tell();
    stopped().await;
    std::process::exit(INTERRUPTED);
}

async fn show_demo(told: Demo) -> Result<()> {
    let Demo { data, days, listening, meaning, mail, reports } = told;
    let door = open(&listening).await?;
    let folder = data.folder.as_deref();
    let way = Way::of(&mail, reports.recipients.clone(), folder)?;
    let known = known(meaning)?;
    let home = match folder {
        Some(folder) => Home::own(folder, days.zone).await?,
        None => Home::in_memory(days.zone).await?,
    };
    let ingest = ingest::Ingest::new(&home.store, demo::settings(days.zone, home.long_names));
    let now = now(&days);
    let today = now.today(days.zone);
    let summary = demo::fill(&ingest, today, now.unix()).await?;
    archive_with_bar(&home.history, today).await.1?;
    let settings =
        detector::Settings { zone: days.zone, kinds: known.kinds.clone(), ..Default::default() };
    Detector::new(&home.store, home.history.clone(), settings).run(today, now.unix()).await?;
    tell::demo(&summary, today, &door.url());
    service(home, &days, way, reports, known).run(door, stopped()).await;
    Ok(())
}

async fn archive_days(told: Archive) -> Result<()> {
    let Archive { data, days } = told;
    there_is(&data.folder)?;
    let home = Home::share(&data.folder, days.zone).await?;
    let now = now(&days);
    let today = now.today(days.zone);
    let (mut summary, done) = archive_with_bar(&home.history, today).await;
    if !now.is_fixed() && home.watch.believes(now.unix()) {
        summary.removed = archive::remove_expired(&home.history, today).await?;
    }
    tell::archived(&summary, archive::closed(today));
    let archives = home::archives_in(&data.folder);
    tell::line(format_args!("The files are in {}", archives.display()));
    Ok(done?)
}

async fn verify_store(told: Archive) -> Result<()> {
    let Archive { data, days } = told;
    there_is(&data.folder)?;
    let home = Home::share(&data.folder, days.zone).await?;
    let kept = Range::kept(now(&days).today(days.zone));
    let mut found = verify(&home.store, &home.history, kept, verify::PAUSE).await?;
    found.faults.extend(verify_places(&home.store).await?);
    tell::verified(&found);
    if !found.faults.is_empty() {
        bail!(
            "the store is damaged, or counting was interrupted: ingest what was being read once more, and verify again. \
             What is damaged can be made again from archives: smtp-auth-report rebuild --help"
        );
    }
    Ok(())
}

async fn detect(told: Detect, shown: Shown) -> Result<ExitCode> {
    let Detect { data, days, mechanisms, detection } = told;
    there_is(&data.folder)?;
    let home = Home::share(&data.folder, days.zone).await?;
    let now = now(&days);
    let today = now.today(days.zone);
    let alerts = home.store.alerts().all().await?;
    let known = as_of(&alerts.cases, today);
    let mutes = alerts.mutes.iter().filter(|mute| report::day_in(days.zone, mute.at) <= today);
    let mutes: Vec<_> = mutes.cloned().collect();
    let bar = progress::days("judging", Range::kept(today).days().count() as u64);
    let watch = Watch::new(detection.sensitivity).told(Verdicts::of(&known));
    let days = detector::Days::new(&home.store, home.history.clone(), mechanisms.kinds);
    let watch = days.watch(today, watch, |_| bar.inc(1)).await?;
    bar.finish_and_clear();
    let cases = after(&known, &brought_up(&known, watch.alerts(), &mutes, (today, now.unix())));
    let open = shown.tell(&watch, (&cases, &mutes), today)?;
    Ok(if open == 0 { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) })
}

async fn rebuild_store(told: Archive, from: Option<PathBuf>) -> Result<()> {
    let Archive { data, days } = told;
    if from.is_none() {
        there_is(&data.folder)?;
    }
    // Nobody else may count meanwhile.
    let home = Home::own(&data.folder, days.zone).await?;
    let from = from.unwrap_or_else(|| home::archives_in(&data.folder));
    operator::rebuild::rebuild(&home.store, &from, now(&days).today(days.zone)).await?;
    Ok(())
}

async fn look_at(told: Quarantine, look: Look) -> Result<()> {
    let Quarantine { data, days, logs } = told;
    there_is(&data.folder)?;
    let home = Home::share(&data.folder, days.zone).await?;
    let ingest = ingest::Ingest::new(&home.store, settings(&logs, &days, &home));
    look.at(&home.store.quarantine(), &ingest, now(&days), days.zone).await
}

fn there_is(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        bail!(
            "there is no data folder {}: ingest logs into it first, or name another",
            folder.display()
        );
    }
    Ok(())
}

fn check_files(told: &Check, files: &[PathBuf]) -> Result<()> {
    let Check { days, logs } = told;
    let mut useless = 0;
    for name in files {
        match examine(name, logs.options(), now(days)) {
            Ok(examined) => {
                examined.tell(name, days.zone);
                useless += usize::from(examined.is_useless());
            }
            Err(error) => {
                tell::line(format_args!("{}: {error:#}", name.display()));
                useless += 1;
            }
        }
    }
    if useless > 0 {
        bail!("{useless} of {} cannot be used as they are: the lines above say why", files.len());
    }
    Ok(())
}

async fn ingest_files(told: Ingest, inputs: Inputs) -> Result<()> {
    let Ingest { data, days, logs, journal } = told;
    let home = Home::share(&data.folder, days.zone).await?;
    let ingest = ingest::Ingest::new(&home.store, settings(&logs, &days, &home));
    let mut reports = Vec::new();
    let stop = Stop::default();
    tokio::spawn(end_with_program(stop.clone()));
    let Inputs { files, again } = inputs;
    files::ingest(&ingest, &home.store.files(), &files, now(&days), again, &stop, |report| {
        tell::file(&report);
        reports.push(report);
    })
    .await?;
    if let Some(journal) = selected(journal) {
        let report = files::ingest_journal(&ingest, &journal, now(&days), &stop).await?;
        tell::file(&report);
        reports.push(report);
    }
    tell::files(&reports);
    if stop.is_told() {
        tell::line("Stopped: what is counted is stored. The same command goes on from there.");
    }
    let failed = reports.iter().filter(|report| report.failure.is_some()).count();
    if failed > 0 {
        bail!(
            "{failed} of {} could not be read to the end: the lines above say why",
            reports.len()
        );
    }
    let useless = reports.iter().filter(|report| report.understanding.is_nothing()).count();
    if useless > 0 {
        bail!(
            "nothing is understood of {useless} of {}: the lines above say what they look like",
            reports.len()
        );
    }
    let twins = reports.iter().filter(|report| report.twin.is_some()).count();
    if twins > 0 {
        bail!("{twins} of {} were left alone: the lines above say why", reports.len());
    }
    Ok(())
}

async fn open(listening: &Listening) -> Result<Door> {
    Door::open(listening.listen, listening.token_file.as_deref()).await
}

fn settings(logs: &Logs, days: &Days, home: &Home) -> Settings {
    let default_domain = logs.default_domain.clone().into();
    let long_names = home.long_names;
    Settings { logs: logs.options(), zone: days.zone, default_domain, long_names }
}

/// Whom alerts are mailed to: nobody, if nobody was named.
fn alerted(mail: &AlertMail, way: &Way) -> Result<Vec<String>> {
    if mail.recipients.is_empty() {
        return Ok(Vec::new());
    }
    way.recipients.check(&mail.recipients).context("--alert-mail cannot be used")
}

/// What is known beside the logs, with what databases of the user's tell.
fn known(meaning: Meaning) -> Result<Known> {
    let read = |name: &String| {
        let bytes = std::fs::read(name).with_context(|| format!("cannot read --geo {name}"))?;
        Ok((name.clone(), bytes))
    };
    let databases = meaning.geo.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(meaning.known(databases)?)
}

fn service(home: Home, days: &Days, way: Way, reports: Reports, known: Known) -> Service {
    let Reports { requests_per_day, dashboard: public_url, .. } = reports;
    let (now, heard) = (now(days), Heard::default());
    let zone = days.zone;
    let detection = Detection { sensitivity: Sensitivity::default() };
    Service {
        home,
        now,
        zone,
        way,
        requests_per_day,
        heard,
        known,
        detection,
        alerted: Vec::new(),
        channels: Vec::new(),
        public_url,
    }
}
