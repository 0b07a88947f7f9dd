//! What the program is told on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use bootstrap::{
    AlertChannels, AlertMail, Data, Days, DemoData, Detection, Followed, Journal, Listening, Logs,
    Mail, Meaning, Mechanisms, Reports, Section, Setting, Settings, Site, Source,
};
use clap::builder::{PossibleValue, PossibleValuesParser, ValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::alerts::Shown;
use crate::channels::{self, Tested};
use crate::clock::Now;
use crate::quarantine::Look;

/// The positional arguments of `ingest`.
const FILES: &str = "files";
/// The folder of archives of `rebuild`.
const FROM: &str = "from";
/// The flag of `ingest` that says to count what was counted from another file.
const AGAIN: &str = "again";

/// What `ingest` is to read.
#[derive(Debug)]
pub struct Inputs {
    /// Log files.
    pub(crate) files: Vec<PathBuf>,
    /// Whether a file counts even if it holds the same lines as another.
    pub(crate) again: bool,
}

/// What the program is to do.
#[derive(Debug)]
pub enum Task {
    /// `serve`
    Serve(Serve),
    /// `ingest`, and which files.
    Ingest(Ingest, Inputs),
    /// `archive`
    Archive(Archive),
    /// `check`, and which files.
    Check(Check, Vec<PathBuf>),
    /// `verify`
    Verify(Archive),
    /// `rebuild`, and from which folder if not from the data folder's own archives.
    Rebuild(Archive, Option<PathBuf>),
    /// `quarantine`, and what is to be done with it.
    Quarantine(Quarantine, Look),
    /// `detect`, and how it is shown.
    Detect(Detect, Shown),
    /// `channels`, and which are meant.
    Channels(Site, Tested),
    /// `demo`
    Demo(Demo),
}

bootstrap::sections! {
    /// What `serve` is told.
    #[derive(Debug)]
    pub struct Serve {
        pub(crate) data: Data,
        pub(crate) days: Days,
        pub(crate) logs: Logs,
        pub(crate) listening: Listening,
        pub(crate) followed: Followed,
        pub(crate) journal: Journal,
        pub(crate) meaning: Meaning,
        pub(crate) detection: Detection,
        pub(crate) alert_mail: AlertMail,
        pub(crate) alert_channels: AlertChannels,
        pub(crate) mail: Mail,
        pub(crate) reports: Reports,
    }
}

bootstrap::sections! {
    /// What `ingest` is told.
    #[derive(Debug)]
    pub struct Ingest {
        pub(crate) data: Data,
        pub(crate) days: Days,
        pub(crate) logs: Logs,
        pub(crate) journal: Journal,
    }
}

bootstrap::sections! {
    /// What `detect` is told.
    #[derive(Debug)]
    pub struct Detect {
        pub(crate) data: Data,
        pub(crate) days: Days,
        pub(crate) mechanisms: Mechanisms,
        pub(crate) detection: Detection,
    }
}

bootstrap::sections! {
    /// What `archive`, `verify` and `rebuild` are told.
    #[derive(Debug)]
    pub struct Archive {
        pub(crate) data: Data,
        pub(crate) days: Days,
    }
}

bootstrap::sections! {
    /// What `check` is told.
    #[derive(Debug)]
    pub struct Check {
        pub(crate) days: Days,
        pub(crate) logs: Logs,
    }
}

bootstrap::sections! {
    /// What `quarantine` is told.
    #[derive(Debug)]
    pub struct Quarantine {
        pub(crate) data: Data,
        pub(crate) days: Days,
        pub(crate) logs: Logs,
    }
}

bootstrap::sections! {
    /// What `demo` is told.
    #[derive(Debug)]
    pub struct Demo {
        pub(crate) data: DemoData,
        pub(crate) days: Days,
        pub(crate) listening: Listening,
        pub(crate) meaning: Meaning,
        pub(crate) mail: Mail,
        pub(crate) reports: Reports,
    }
}

/// What a command line asks for; its first argument is the program.
///
/// # Errors
/// It asks for help, or cannot be understood: the error tells a person how it is to be.
pub fn read(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Task, clap::Error> {
    let mut program = program();
    program.build();
    let matches = program.try_get_matches_from_mut(arguments)?;
    let Some((name, matches)) = matches.subcommand() else {
        return Err(program.error(ErrorKind::MissingSubcommand, "a command is needed"));
    };
    task(name, matches).map_err(|error| match program.find_subcommand_mut(name) {
        Some(command) => command.error(ErrorKind::ValueValidation, error),
        None => program.error(ErrorKind::ValueValidation, error),
    })
}

fn task(name: &str, matches: &ArgMatches) -> Result<Task, bootstrap::ConfigError> {
    let flags = Flags(matches);
    let settings = Settings::of([&flags as &dyn Source]);
    Ok(match name {
        "serve" => Task::Serve(settings.read()?),
        "ingest" => {
            let again = matches.get_flag(AGAIN);
            Task::Ingest(settings.read()?, Inputs { files: named(matches), again })
        }
        "check" => Task::Check(settings.read()?, named(matches)),
        "archive" => Task::Archive(settings.read()?),
        "verify" => Task::Verify(settings.read()?),
        "rebuild" => Task::Rebuild(settings.read()?, matches.get_one(FROM).cloned()),
        "quarantine" => Task::Quarantine(settings.read()?, Look::read(matches)),
        "channels" => Task::Channels(settings.read()?, Tested::read(matches)),
        "detect" => Task::Detect(settings.read()?, Shown::read(matches)),
        _ => Task::Demo(settings.read()?),
    })
}

/// The files that a command is given.
fn named(matches: &ArgMatches) -> Vec<PathBuf> {
    matches.get_many(FILES).unwrap_or_default().cloned().collect()
}

fn program() -> Command {
    Command::new("smtp-auth-report")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version")
        .long_about(
            "Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version.\n\n\
             Reads the logs of mail servers, keeps exact counts per day, and answers over HTTP.",
        )
        .after_help("Begin with: smtp-auth-report demo")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("serve")
                .about("Serve the HTTP interface over the data folder, and follow growing logs")
                .after_help(
                    "Examples:\n  smtp-auth-report serve --follow /var/log/mail.log\n  \
                     smtp-auth-report serve --journal SYSLOG_FACILITY=2\n  \
                     docker logs --follow --timestamps mail 2>&1 | smtp-auth-report serve --follow -",
                )
                .args(flags::<Serve>()),
            Command::new("ingest")
                .about("Read log files into the data folder; what was read before is not counted again")
                .after_help(
                    "Examples:\n  smtp-auth-report ingest /var/log/mail.log*\n  \
                     smtp-auth-report ingest --journal SYSLOG_FACILITY=2\n  \
                     journalctl -o json SYSLOG_FACILITY=2 | smtp-auth-report ingest -",
                )
                .args(flags::<Ingest>())
                .arg(again())
                .arg(files()),
            Command::new("check")
                .about("Say what log files hold, and what of it would be counted, without storing anything")
                .long_about(
                    "Says what log files hold, and what of it would be counted, without storing anything: whose lines \
                     they are and what these are wrapped in, the days, the TLS versions, what is not understood and \
                     what it looks like, and how fast it was read. Its status is 1 if nothing is understood.",
                )
                .after_help(
                    "Examples:\n  smtp-auth-report check /var/log/mail.log*\n  \
                     docker compose logs postfix | smtp-auth-report check -",
                )
                .args(flags::<Check>())
                .arg(files()),
            Command::new("archive")
                .about(
                    "Write closed days as Parquet files, which make long ranges quick; serve does this \
                     every hour",
                )
                .after_help(
                    "Any tool that reads Parquet can read them:\n  \
                     duckdb -c \"SELECT sender, sum(messages) FROM \
                     'smtp-auth-report-data/archive/usage/*/*.parquet' GROUP BY 1 ORDER BY 2 DESC\"",
                )
                .args(flags::<Archive>()),
            Command::new("verify")
                .about("Hold the store's sums against each other: a damaged number shows; serve does this when it starts")
                .args(flags::<Archive>()),
            Command::new("rebuild")
                .about("Count the archives into a store that was lost; says what they do not hold")
                .after_help(
                    "A damaged store is moved away first:\n  \
                     mv smtp-auth-report-data/store.sqlite* elsewhere/ && smtp-auth-report rebuild\n\
                     It goes on where it was interrupted. Of days that were rebuilt nothing is counted again: \
                     ingest all logs that are left, to have the others.",
                )
                .args(flags::<Archive>())
                .arg(from()),
            Command::new("quarantine")
                .about("Look at what could not be read, save it, or read it again")
                .after_help(
                    "What is read again has lost its place in its log: lines of a session count alone, and a line \
                     without a year is dated from the day on which it was put aside.",
                )
                .args(flags::<Quarantine>())
                .args(Look::args()),
            Command::new("detect")
                .about("Say whose account seems to be in strange hands, and why")
                .long_about(
                    "Says whose account seems to be in strange hands, and why. Each account is judged by its own habit: from \
                     where, as whom, how and how much it sends. Days that lie behind are judged as if they were \
                     lived, each by what was known on it. Nothing is raised in the first 14 days.\n\n\
                     Its status is 0 if nothing needs attention, and 10 if something does.",
                )
                .after_help(
                    "Examples:\n  told=$(smtp-auth-report detect) || echo \"$told\"   # in cron: a mail only if something does\n  \
                     smtp-auth-report detect --as-of 2026-11-20 --json | jq '.alerts[].reason'",
                )
                .args(flags::<Detect>())
                .args(Shown::args()),
            Command::new("channels")
                .about("Tell the channels of alerts a test: webhooks, chats, pagers, syslog")
                .long_about(channels::ABOUT)
                .after_help(
                    "Examples:\n  smtp-auth-report channels alerts.toml\n  \
                     smtp-auth-report serve --alert-channels alerts.toml",
                )
                .args(flags::<Site>())
                .args(Tested::args()),
            Command::new("demo")
                .about("Fill a fresh store with 90 days of an invented organisation's mail, and serve it")
                .args(flags::<Demo>()),
        ])
}

fn files() -> Arg {
    let files = Arg::new(FILES).required_unless_present("journal").num_args(1..).value_name("FILE");
    files
        .value_parser(value_parser!(PathBuf))
        .help("Log files, plain, compressed or in an archive; - is standard input")
}

fn from() -> Arg {
    let from = Arg::new(FROM).long(FROM).value_name("DIR").value_parser(value_parser!(PathBuf));
    from.help("The folder of archives [default: the data folder's own]")
}

fn again() -> Arg {
    let again = Arg::new(AGAIN).long(AGAIN).action(ArgAction::SetTrue);
    again.help("Count a file even if it holds the same lines as another that was counted")
}

/// The flags of a section's settings.
fn flags<S: Section>() -> Vec<Arg> {
    let settings = S::settings().into_iter();
    settings.filter(|setting| !setting.flag.is_empty()).map(flag).collect()
}

fn flag(setting: &'static Setting) -> Arg {
    let mut flag = Arg::new(setting.flag)
        .long(setting.flag)
        .value_name(setting.value)
        .value_parser(values(setting))
        .help(setting.help);
    if setting.many {
        flag = flag.num_args(0..).default_missing_value("");
    }
    if setting.repeats {
        flag = flag.action(ArgAction::Append);
    }
    if !setting.default.is_empty() {
        flag = flag.default_value(setting.default);
    }
    if !setting.heading.is_empty() {
        flag = flag.help_heading(setting.heading);
    }
    flag
}

/// Choices are for clap, which suggests what was meant; the rest is for whoever reads the section.
fn values(setting: &'static Setting) -> ValueParser {
    if setting.choices.is_empty() {
        return value_parser!(OsString);
    }
    let choices = setting.choices.iter();
    let choices = choices.map(|(name, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(choices).into()
}

/// A command's flags.
struct Flags<'a>(&'a ArgMatches);

impl Source for Flags<'_> {
    fn name(&self, setting: &Setting) -> Option<String> {
        (!setting.flag.is_empty()).then(|| format!("--{}", setting.flag))
    }

    fn values(&self, setting: &Setting) -> Vec<OsString> {
        let Self(matches) = self;
        // Not every command has every flag; and a default is no source's word.
        let known = matches.try_contains_id(setting.flag).is_ok();
        if !known || matches.value_source(setting.flag) != Some(ValueSource::CommandLine) {
            return Vec::new();
        }
        let values = matches.get_raw(setting.flag).unwrap_or_default();
        values.map(std::ffi::OsStr::to_owned).collect()
    }
}

/// The present that these days are seen from.
pub(crate) fn now(days: &Days) -> Now {
    Now::as_of(days.as_of, days.zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &str) -> String {
        let arguments = arguments.split(' ');
        read(arguments).expect_err("wrong").to_string()
    }

    #[test]
    fn the_program_is_well_formed() {
        program().debug_assert();
    }

    #[test]
    fn flags_fill_their_sections() {
        let line = "x serve --zone Europe/Berlin --format exim --follow a --follow b --data d \
            --recipient-domain example.org --recipient-domain corp.test --listen [::1]:80";
        let Ok(Task::Serve(serve)) = read(line.split_whitespace()) else { panic!("no serve") };
        assert_eq!(serve.days.zone, chrono_tz::Europe::Berlin);
        assert_eq!(serve.logs.zone, chrono_tz::Europe::Berlin, "that of --zone");
        assert_eq!(serve.logs.format, logs::Format::Exim);
        assert_eq!(serve.followed.files, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(serve.data.folder, PathBuf::from("d"));
        assert_eq!(serve.journal.matches, None);
        let recipients = serve.reports.recipients.expect("domains").describe();
        assert_eq!(recipients, "corp.test, example.org");
        let Ok(Task::Demo(demo)) = read(["x", "demo"]) else { panic!("no demo") };
        assert_eq!((demo.data.folder, demo.days.zone), (None, chrono_tz::UTC));
        assert_eq!(demo.listening.listen.to_string(), "127.0.0.1:8025");
    }

    #[test]
    fn a_journal_is_read_with_or_without_matches() {
        let journal = |line: &str| match read(line.split(' ')) {
            Ok(Task::Ingest(told, inputs)) => {
                (told.journal.matches, told.journal.command, inputs.files)
            }
            other => panic!("{other:?}"),
        };
        let (matches, command, _) = journal("x ingest --journal");
        assert_eq!((matches, command), (Some(Vec::new()), vec!["journalctl".to_owned()]));
        let (matches, ..) = journal("x ingest --journal A=1 + B=2 --zone UTC");
        assert_eq!(matches, Some(["A=1", "+", "B=2"].map(str::to_owned).to_vec()));
        let (matches, _, files) = journal("x ingest mail.log --journal");
        assert_eq!((matches, files), (Some(Vec::new()), vec![PathBuf::from("mail.log")]));
    }

    #[test]
    fn errors_name_the_flag_the_value_and_the_mend() {
        let zone = refused("x ingest --zone Berlin mail.log");
        assert!(zone.starts_with(
            "error: --zone=Berlin cannot be used: it must be an IANA time zone, as in Europe/Berlin"
        ));
        assert!(zone.contains("Usage: x ingest"), "{zone}");
        let relay = refused("x serve --smtp smtp://mail.example.org");
        assert!(relay.contains("--smtp does nothing without --mail-from"), "{relay}");
        let both = refused("x serve --smtp smtp://mail.example.org --outbox mails");
        assert!(both.contains("--outbox cannot be used with --smtp"), "{both}");
        let limit = refused("x demo --mail-size-limit 10");
        assert!(limit.contains("--mail-size-limit=10 cannot be used"), "{limit}");
        assert!(refused("x serve --format postfixx").contains("postfix"));
        assert!(refused("x ingest").contains("<FILE>"));
        let no_match = refused("x ingest --journal mail.log");
        assert!(no_match.contains("--journal=mail.log cannot be used"), "{no_match}");
        let alone = refused("x ingest --journalctl j mail.log");
        assert!(alone.contains("--journalctl does nothing without --journal"), "{alone}");
    }
}
