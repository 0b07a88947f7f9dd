//! Where reports are mailed to, by what way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bootstrap::{By, Mail, Relay};
use mailer::{Mailer, OUTBOX_LIMIT, Outbox, SMTP_LIMIT, Smtp, Transport};
use report::RecipientDomains;

use crate::home::OUTBOX;

/// Whom mails come from, where they do not leave the machine.
const FROM: &str = "SMTP AUTH report <smtp-auth-report@localhost>";

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

impl Way {
    /// The way that mail takes to these recipients; `data` is the data folder, if there is one.
    ///
    /// # Errors
    /// Something that was given cannot be used.
    pub fn of(
        mail: &Mail,
        recipients: Option<RecipientDomains>,
        data: Option<&Path>,
    ) -> Result<Self> {
        let mut made = None;
        let (transport, told): (Arc<dyn Transport>, _) = match &mail.by {
            By::Outbox(folder) => {
                let folder = match folder.clone().or(data.map(|data| data.join(OUTBOX))) {
                    Some(folder) => folder,
                    None => made.insert(folder_for_a_while()?).clone(),
                };
                let told = format!("Mails are put into {}", folder.display());
                (Arc::new(Outbox::new(folder, mail.size_limit.unwrap_or(OUTBOX_LIMIT))), told)
            }
            By::Relay(relay) => {
                let limit = mail.size_limit.unwrap_or(SMTP_LIMIT);
                (Arc::new(smtp(relay, limit)?), format!("Mails go to the relay {}", relay.url))
            }
        };
        let from = mail.from.as_deref().unwrap_or(FROM);
        let mailer = Mailer::new(from, transport).context("--mail-from cannot be used")?;
        // Only the outbox does without a list.
        let recipients = recipients.unwrap_or(RecipientDomains::Any);
        Ok(Self { mailer, recipients, told, made })
    }
}

fn smtp(relay: &Relay, limit: usize) -> Result<Smtp> {
    let password = relay.password_file.as_deref().map(password).transpose()?;
    let authority = relay.ca_file.as_deref().map(|file| {
        fs::read(file).with_context(|| format!("cannot read the certificate {}", file.display()))
    });
    let authority = authority.transpose()?;
    let smtp = Smtp::new(&relay.url, password.as_deref(), authority.as_deref(), limit);
    smtp.context("--smtp cannot be used")
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
