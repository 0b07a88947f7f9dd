//! Alerts by mail.

use async_trait::async_trait;
use mailer::{Mail, Mailer, SendError};

use crate::channel::{Untold, Way};
use crate::letter::{LISTED, Letter};

/// Tells people of alerts by mail.
#[derive(Clone, Debug)]
pub struct ByMail {
    /// Sends it.
    pub mailer: Mailer,
    /// Mail addresses, in allowed domains; all see each other.
    pub recipients: Vec<String>,
}

#[async_trait]
impl Way for ByMail {
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold> {
        let mail = self.write(letter).map_err(|error| Untold::Refused(error.to_string()))?;
        match self.mailer.send(mail).await {
            Ok(_) => Ok(()),
            Err(error @ SendError::Permanent(_)) => Err(Untold::Refused(error.to_string())),
            Err(error) => Err(Untold::Unreached(error.to_string())),
        }
    }
}

impl ByMail {
    fn write(&self, letter: &Letter<'_>) -> Result<Mail, askama::Error> {
        let words = letter.words(LISTED);
        Ok(Mail {
            id: letter.key(),
            date: letter.at,
            recipients: self.recipients.clone(),
            text: words.text()?,
            html: words.html()?,
            subject: words.title,
            ..Mail::default()
        })
    }
}
