//! Where reports are mailed to, by what way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mailer::{Mailer, OUTBOX_LIMIT, Outbox, SMTP_LIMIT, Smtp, Transport};
use report::RecipientDomains;

/// How reports are mailed. Without --smtp they are put into the outbox folder.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reports by mail")]
pub struct MailOptions {
    /// Put mails as .eml files into this folder [default: outbox in the data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "smtp")]
    outbox: Option<PathBuf>,
    /// Send mails through this relay: smtps://USER@HOST, smtp://USER@HOST (STARTTLS), or
    /// smtp://localhost:25?tls=none
    #[arg(long, value_name = "URL", requires_all = ["mail_from", "recipient_domain"])]
    smtp: Option<String>,
    /// The file with the password of the relay's user
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_password_file: Option<PathBuf>,
    /// Trust this certificate (PEM) beside the system's when talking to the relay
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_ca_file: Option<PathBuf>,
    /// Whom mails come from
    #[arg(
        long,
        value_name = "SENDER",
        default_value = "SMTP AUTH report <smtp-auth-report@localhost>",
        hide_default_value = true
    )]
    mail_from: String,
    /// Mail reports to this domain and no other; may be given several times
    #[arg(long, value_name = "DOMAIN")]
    recipient_domain: Vec<String>,
    /// The most bytes of a mail [default: 10240000 through a relay, else 40000000]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1_000_000..))]
    mail_size_limit: Option<u32>,
    /// Reports that may be asked for each day
    #[arg(long, value_name = "NUMBER", default_value_t = report::REQUESTS_PER_DAY,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_day: u32,
    /// Where people reach this service, for links in mails [default: where it listens]
    #[arg(long, value_name = "URL", value_parser = bootstrap::web_address)]
    pub public_url: Option<String>,
}

/// The way that mail takes, and where it may go.
#[derive(Debug)]
pub struct Way {
    /// Sends it.
    pub mailer: Mailer,
    /// Where it may go.
    pub recipients: RecipientDomains,
    /// For people, as in `Mails are put into /var/lib/x/outbox`.
    pub told: String,
    /// A folder that was made for mails and can go if there were none.
    pub made: Option<PathBuf>,
}

impl MailOptions {
    /// The way that mail takes; `data` is the data folder, if there is one.
    ///
    /// # Errors
    /// Something that was given cannot be used.
    pub fn way(&self, data: Option<&Path>) -> Result<Way> {
        let (recipients, mut made) = (self.recipients()?, None::<PathBuf>);
        let (mailer, told) = if let Some(url) = &self.smtp {
            let smtp = self.smtp(url)?;
            (self.mailer(Arc::new(smtp))?, format!("Mails go to the relay {url}"))
        } else {
            let folder = match self.outbox.clone().or(data.map(|data| data.join("outbox"))) {
                Some(folder) => folder,
                None => made.insert(folder_for_a_while()?).clone(),
            };
            let told = format!("Mails are put into {}", folder.display());
            let outbox = Outbox::new(folder, self.limit(OUTBOX_LIMIT));
            (self.mailer(Arc::new(outbox))?, told)
        };
        Ok(Way { mailer, recipients, told, made })
    }

    fn limit(&self, default: usize) -> usize {
        self.mail_size_limit.map_or(default, |limit| limit as usize)
    }

    fn mailer(&self, transport: Arc<dyn Transport>) -> Result<Mailer> {
        Mailer::new(&self.mail_from, transport).context("--mail-from cannot be used")
    }

    fn recipients(&self) -> Result<RecipientDomains> {
        if self.recipient_domain.is_empty() {
            // Only the outbox does without.
            return Ok(RecipientDomains::Any);
        }
        let domains = self.recipient_domain.join(",");
        RecipientDomains::read(&domains).with_context(|| {
            format!("--recipient-domain {domains}: it must be a domain as in example.org")
        })
    }

    fn smtp(&self, url: &str) -> Result<Smtp> {
        let password = self.smtp_password_file.as_deref().map(password).transpose()?;
        let authority = self.smtp_ca_file.as_deref().map(|file| {
            fs::read(file)
                .with_context(|| format!("cannot read the certificate {}", file.display()))
        });
        let limit = self.limit(SMTP_LIMIT);
        let smtp = Smtp::new(url, password.as_deref(), authority.transpose()?.as_deref(), limit);
        smtp.context("--smtp cannot be used")
    }
}

/// An outbox where there is no data folder.
fn folder_for_a_while() -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("smtp-auth-report-outbox-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir();
    Ok(folder.context("cannot make an outbox folder: name one with --outbox")?.keep())
}

fn password(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the password file {}", file.display()))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("the password file {} is empty", file.display());
    }
    Ok(password.to_owned())
}
