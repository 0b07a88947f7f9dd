use std::ffi::OsString;

use ::logs::Format;
use chrono_tz::Tz;

use super::*;

/// Variables that were not asked of the environment.
struct Variables(Vec<(&'static str, &'static str)>);

impl Source for Variables {
    fn name(&self, setting: &Setting) -> Option<String> {
        Environment.name(setting)
    }

    fn values(&self, setting: &Setting) -> Vec<OsString> {
        let found = self.0.iter().filter(|(name, _)| *name == setting.variable);
        found.map(|(_, value)| value.into()).collect()
    }
}

/// A line of flags.
struct Flags(Vec<(&'static str, &'static str)>);

impl Source for Flags {
    fn name(&self, setting: &Setting) -> Option<String> {
        (!setting.flag.is_empty()).then(|| format!("--{}", setting.flag))
    }

    fn values(&self, setting: &Setting) -> Vec<OsString> {
        let found = self.0.iter().filter(|(name, _)| *name == setting.flag);
        found.map(|(_, value)| value.into()).collect()
    }
}

fn read<S: Section>(variables: &[(&'static str, &'static str)]) -> Result<S, ConfigError> {
    Settings::of([&Variables(variables.to_vec()) as &dyn Source]).read()
}

fn error<S: Section>(variables: &[(&'static str, &'static str)]) -> String {
    read::<S>(variables).err().expect("an error").to_string()
}

#[test]
fn what_is_not_set_has_a_default_or_must_be() {
    let days: Days = read(&[("ZONE", "Europe/Berlin")]).expect("days");
    assert_eq!((days.zone, days.as_of), (Tz::Europe__Berlin, None));
    let logs: Logs = read(&[("ZONE", "Europe/Berlin")]).expect("logs");
    assert_eq!((logs.zone, logs.format), (Tz::Europe__Berlin, Format::Auto));
    assert_eq!(error::<Table>(&[]), "TABLE_NAME is not set: it must be the DynamoDB table's name");
}

#[test]
fn reports_go_nowhere_unless_that_is_said() {
    let reports: Reports = read(&[]).expect("reports");
    assert!(reports.listed_recipients().check(&["ann@example.org"]).is_err());
    assert_eq!(reports.requests_per_day, 250);
    let reports: Reports =
        read(&[("RECIPIENT_DOMAINS", "example.org, corp.test")]).expect("reports");
    assert!(reports.listed_recipients().check(&["ann@corp.test"]).is_ok());
    let error = |name, value| error::<Reports>(&[(name, value)]);
    assert!(error("RECIPIENT_DOMAINS", "a@b").starts_with("RECIPIENT_DOMAINS=a@b cannot"));
    assert!(error("REPORT_REQUESTS_PER_DAY", "0").contains("above 0"));
    assert!(error("DASHBOARD_URL", "mail.example.org").contains("https://"));
}

#[test]
fn errors_name_the_variable_the_value_and_the_mend() {
    assert_eq!(
        error::<Days>(&[("ZONE", "Berlin")]),
        "ZONE=Berlin cannot be used: it must be an IANA time zone, as in Europe/Berlin"
    );
    assert_eq!(
        error::<Logs>(&[("LOG_FORMAT", "qmail")]),
        format!("LOG_FORMAT=qmail cannot be used: it must be {}", Format::list())
    );
}

#[test]
fn of_two_sources_the_later_one_counts_and_is_named() {
    let variables = Variables(vec![("ZONE", "Europe/Berlin"), ("LOG_FORMAT", "exim")]);
    let flags = |flags: &[(&'static str, &'static str)]| Flags(flags.to_vec());
    let read = |flags: &Flags| Settings::of([&variables as &dyn Source, flags]).read::<Logs>();
    let logs = read(&flags(&[("zone", "Asia/Tokyo")])).expect("logs");
    assert_eq!((logs.zone, logs.format), (Tz::Asia__Tokyo, Format::Exim));
    let wrong = read(&flags(&[("zone", "Tokyo")])).expect_err("no zone").to_string();
    assert!(wrong.starts_with("--zone=Tokyo cannot be used"), "{wrong}");
    // What was not given on the command line is called as it was set.
    let variables = Variables(vec![("LOG_FORMAT", "qmail")]);
    let none = flags(&[]);
    let wrong = Settings::of([&variables as &dyn Source, &none]).read::<Logs>();
    assert!(wrong.expect_err("no format").to_string().starts_with("LOG_FORMAT=qmail"));
}

#[test]
fn a_relay_needs_a_sender_and_domains() {
    fn read(flags: &[(&'static str, &'static str)]) -> Result<Mail, ConfigError> {
        Settings::of([&Flags(flags.to_vec()) as &dyn Source]).read()
    }
    fn error(flags: &[(&'static str, &'static str)]) -> String {
        read(flags).expect_err("an error").to_string()
    }
    let smtp = ("smtp", "smtp://mail.example.org");
    let sender = ("mail-from", "reports@example.org");
    let domains = [("recipient-domain", "example.org"), ("recipient-domain", "corp.test")];
    assert_eq!(read(&[]).expect("mail").by, By::Outbox(None));
    let told = "--smtp does nothing without --mail-from: set both, or none";
    assert_eq!(error(&[smtp]), told);
    assert!(error(&[smtp, sender]).contains("--recipient-domain"));
    assert!(error(&[smtp, sender, ("outbox", "mails")]).contains("leave one of them out"));
    assert!(error(&[("smtp-ca-file", "ca.pem")]).contains("without --smtp"));
    let mail = read(&[smtp, sender, domains[0], domains[1]]).expect("mail");
    assert!(matches!(mail.by, By::Relay(relay) if relay.url == smtp.1));
}

#[test]
fn no_two_settings_have_one_name() {
    let all = [
        Archive::settings(),
        Data::settings(),
        Days::settings(),
        Followed::settings(),
        Journal::settings(),
        Listening::settings(),
        Logs::settings(),
        Mail::settings(),
        Meaning::settings(),
        Metrics::settings(),
        People::settings(),
        Reports::settings(),
        SesMail::settings(),
        Table::settings(),
    ]
    .concat();
    for one in &all {
        for other in all.iter().filter(|other| *other != one) {
            let same = |name: &str, other: &str| !name.is_empty() && name == other;
            assert!(!same(one.variable, other.variable), "{one:?} {other:?}");
            assert!(!same(one.flag, other.flag), "{one:?} {other:?}");
        }
    }
}
