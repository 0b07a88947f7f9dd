//! Reports by mail: who may get them, and how they go.

use std::collections::BTreeSet;
use std::path::PathBuf;

use report::{REQUESTS_PER_DAY, RecipientDomains};

use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::{text, web_address};

const ON_THE_COMMAND_LINE: Setting = Setting { heading: "Reports by mail", ..Setting::EMPTY };

const OUTBOX: Setting = Setting {
    flag: "outbox",
    value: "DIR",
    help: "Put mails as .eml files into this folder [default: outbox in the data folder]",
    ..ON_THE_COMMAND_LINE
};

const SMTP: Setting = Setting {
    flag: "smtp",
    value: "URL",
    help: "Send mails through this relay: smtps://USER@HOST, smtp://USER@HOST (STARTTLS), or \
        smtp://localhost:25?tls=none; --mail-from and --recipient-domain say the rest",
    ..ON_THE_COMMAND_LINE
};

const SMTP_PASSWORD_FILE: Setting = Setting {
    flag: "smtp-password-file",
    value: "FILE",
    help: "The file with the password of the relay's user",
    ..ON_THE_COMMAND_LINE
};

const SMTP_CA_FILE: Setting = Setting {
    flag: "smtp-ca-file",
    value: "FILE",
    help: "Trust this certificate (PEM) beside the system's when talking to the relay",
    ..ON_THE_COMMAND_LINE
};

pub(crate) const MAIL_FROM: Setting = Setting {
    variable: "MAIL_FROM",
    flag: "mail-from",
    value: "SENDER",
    expected: "the sender of reports, as in reports@example.org",
    help: "Whom mails come from",
    ..ON_THE_COMMAND_LINE
};

const RECIPIENT_DOMAINS: Setting = Setting {
    variable: "RECIPIENT_DOMAINS",
    flag: "recipient-domain",
    value: "DOMAIN",
    repeats: true,
    expected: "domains with commas between, as in example.org,example.com",
    help: "Mail reports to this domain and no other; may be given several times",
    ..ON_THE_COMMAND_LINE
};

const MAIL_SIZE_LIMIT: Setting = Setting {
    variable: "MAIL_SIZE_LIMIT",
    flag: "mail-size-limit",
    value: "BYTES",
    expected: "a number of bytes, 1000000 or more",
    help: "The most bytes of a mail [default: 10240000 through a relay, else 40000000]",
    ..ON_THE_COMMAND_LINE
};

const REQUESTS: Setting = Setting {
    variable: "REPORT_REQUESTS_PER_DAY",
    flag: "requests-per-day",
    value: "NUMBER",
    default: "250",
    expected: "a whole number above 0",
    help: "Reports that may be asked for each day",
    ..ON_THE_COMMAND_LINE
};
// The default is text, for a command's help: the domain's number must stay the same.
const _: () = assert!(REQUESTS_PER_DAY == 250);

/// Where people find the dashboard.
pub(super) const DASHBOARD: Setting = Setting {
    variable: "DASHBOARD_URL",
    flag: "public-url",
    value: "URL",
    expected: "where browsers find this service, as in https://mail.example.org",
    help: "Where people reach this service, for links in mails [default: where it listens]",
    ..ON_THE_COMMAND_LINE
};

const CONFIGURATION_SET: Setting = Setting {
    variable: "SES_CONFIGURATION_SET",
    expected: "the name of an SES configuration set",
    ..Setting::EMPTY
};

/// Smaller ones have no room for a report.
const SMALLEST_MAIL: u32 = 1_000_000;

/// Who may get reports, how many, and where they lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reports {
    /// Where they may go, if that was said.
    pub recipients: Option<RecipientDomains>,
    /// How many may be asked for each day.
    pub requests_per_day: u32,
    /// Where people find the dashboard, if that was said.
    pub dashboard: Option<String>,
}

/// Where the service is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Where people find the dashboard, if that was said.
    pub dashboard: Option<String>,
}

impl Section for Site {
    fn settings() -> Vec<&'static Setting> {
        vec![&DASHBOARD]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { dashboard: settings.parsed(&DASHBOARD, web_address)? })
    }
}

impl Reports {
    /// Where they may go: nowhere unless that was said.
    #[must_use]
    pub fn listed_recipients(&self) -> RecipientDomains {
        self.recipients.clone().unwrap_or(RecipientDomains::Listed(BTreeSet::new()))
    }
}

impl Section for Reports {
    fn settings() -> Vec<&'static Setting> {
        vec![&RECIPIENT_DOMAINS, &REQUESTS, &DASHBOARD]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        Ok(Self {
            recipients: settings.parsed(&RECIPIENT_DOMAINS, recipients)?,
            requests_per_day: settings.required(&REQUESTS, number)?,
            dashboard: Site::read(settings)?.dashboard,
        })
    }
}

/// At least one domain.
fn recipients(text: &str) -> Option<RecipientDomains> {
    let domains = RecipientDomains::read(text)?;
    (domains != RecipientDomains::read("")?).then_some(domains)
}

/// Mail by SES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SesMail {
    /// The sender.
    pub from: String,
    /// The most bytes of a mail, if SES is to take less than it can.
    pub size_limit: Option<usize>,
    /// Under which configuration set.
    pub configuration_set: Option<String>,
}

impl Section for SesMail {
    fn settings() -> Vec<&'static Setting> {
        vec![&MAIL_FROM, &MAIL_SIZE_LIMIT, &CONFIGURATION_SET]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            from: settings.required(&MAIL_FROM, text)?,
            size_limit: settings.parsed(&MAIL_SIZE_LIMIT, size)?,
            configuration_set: settings.text(&CONFIGURATION_SET)?,
        })
    }
}

/// Mail of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender, if one was named.
    pub from: Option<String>,
    /// The most bytes of a mail, if that was said.
    pub size_limit: Option<usize>,
    /// How it goes.
    pub by: By,
}

/// How mail of one machine goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Into a folder: this one, or one that the program chooses.
    Outbox(Option<PathBuf>),
    /// Through a relay.
    Relay(Relay),
}

/// A relay that mail goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// As in `smtps://reports@mail.example.org`.
    pub url: String,
    /// The file with its user's password.
    pub password_file: Option<PathBuf>,
    /// The file with a certificate that is trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Section for Mail {
    fn settings() -> Vec<&'static Setting> {
        vec![&OUTBOX, &SMTP, &SMTP_PASSWORD_FILE, &SMTP_CA_FILE, &MAIL_FROM, &MAIL_SIZE_LIMIT]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        settings.excludes(&OUTBOX, &SMTP)?;
        settings.needs(&SMTP_PASSWORD_FILE, &SMTP)?;
        settings.needs(&SMTP_CA_FILE, &SMTP)?;
        // What leaves the machine tells who it is from, and cannot go to just anybody.
        settings.needs(&SMTP, &MAIL_FROM)?;
        settings.needs(&SMTP, &RECIPIENT_DOMAINS)?;
        let by = match settings.text(&SMTP)? {
            None => By::Outbox(settings.path(&OUTBOX)),
            Some(url) => By::Relay(Relay {
                url,
                password_file: settings.path(&SMTP_PASSWORD_FILE),
                ca_file: settings.path(&SMTP_CA_FILE),
            }),
        };
        let (from, size_limit) =
            (settings.text(&MAIL_FROM)?, settings.parsed(&MAIL_SIZE_LIMIT, size)?);
        Ok(Self { from, size_limit, by })
    }
}

fn size(text: &str) -> Option<usize> {
    let bytes = text.parse::<u32>().ok().filter(|bytes| *bytes >= SMALLEST_MAIL)?;
    Some(bytes as usize)
}
