//! Alerts by mail.

use askama::Template;
use detect::{Case, Due};
use mailer::{Mail, Mailer, SendError};
use report::{date, displayed};

/// Characters of a sentence: more than it has.
const SENTENCE: usize = 400;
/// Characters of an account in the subject.
const ACCOUNT: usize = 80;
/// Alerts in a mail.
const LISTED: usize = 50;

/// Tells people of alerts by mail.
#[derive(Clone, Debug)]
pub struct ByMail {
    /// Sends it.
    pub mailer: Mailer,
    /// Mail addresses, in allowed domains; all see each other.
    pub recipients: Vec<String>,
    /// Where the dashboard is, as in `https://mail.example.org`.
    pub dashboard: Option<String>,
}

/// An alert in a mail.
struct Line {
    severity: &'static str,
    reason: String,
    since: String,
    href: Option<String>,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Html<'t> {
    title: &'t str,
    lines: &'t [Line],
    more: usize,
}

#[derive(Template)]
#[template(path = "alerts.txt")]
struct Text<'t> {
    title: &'t str,
    lines: &'t [Line],
    more: usize,
}

impl ByMail {
    /// Tells people what is due.
    pub(crate) async fn send(&self, due: &Due, now: i64) -> Result<(), SendError> {
        let mail = self.write(due, now);
        let mail = mail.map_err(|error| SendError::Permanent(error.to_string()))?;
        self.mailer.send(mail).await.map(|_| ())
    }

    /// The mail, written at `now`, in seconds since 1970. What is due again because nobody knows whether it went out has the
    /// same id.
    fn write(&self, due: &Due, now: i64) -> Result<Mail, askama::Error> {
        let title = match (&due.cases[..], due.is_digest) {
            ([only], _) => {
                format!("{} needs attention", displayed(&only.alert.account, ACCOUNT))
            }
            (all, _) => format!("{} alerts need attention", all.len()),
        };
        let lines: Vec<_> = due.cases.iter().take(LISTED).map(|case| self.line(case)).collect();
        let more = due.cases.len().saturating_sub(LISTED);
        Ok(Mail {
            id: id(due),
            date: now,
            recipients: self.recipients.clone(),
            text: Text { title: &title, lines: &lines, more }.render()?,
            html: Html { title: &title, lines: &lines, more }.render()?,
            subject: title,
            ..Mail::default()
        })
    }

    fn line(&self, case: &Case) -> Line {
        let alert = &case.alert;
        Line {
            severity: alert.severity.name(),
            reason: displayed(&alert.reason, SENTENCE),
            since: date(alert.day),
            href: self.dashboard.as_ref().map(|base| format!("{base}/alerts/{}", alert.id)),
        }
    }
}

/// The mail's id: of what it is about, how sure that is, and what was decided before: it may have begun again.
fn id(due: &Due) -> String {
    let number = due.cases.len();
    let of = |case: &Case| {
        let decided = case.decision.as_ref().map_or(0, |decision| decision.at);
        format!("{}-{}-{decided}", case.alert.id, case.alert.severity.name())
    };
    format!("alert-{}-{number}", due.cases.first().map(of).unwrap_or_default())
}
