//! Sign-ins of Microsoft Entra ID: which logins for authenticated SMTP failed.
//!
//! A sign-in is not a message: what was sent stands in the SMTP AUTH clients report.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;

use crate::format::LogFormat;
use crate::proofs::Sink;
use crate::reading::Proofs;
use crate::record::Record;
use crate::time::Timestamps;

/// What `clientAppUsed` says of a login for SMTP AUTH.
const SMTP: &str = "Authenticated SMTP";

/// The codes that say that the credentials were refused: no such account, locked after too many attempts, expired,
/// no password or a wrong one, disabled.
const REFUSED: [i64; 6] = [50_034, 50_053, 50_055, 50_056, 50_057, 50_126];

/// Sign-ins of Microsoft Entra ID, as Microsoft Graph and Event Hubs give them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entra;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignIn {
    client_app_used: String,
    created_date_time: Option<String>,
    user_principal_name: Option<String>,
    ip_address: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    error_code: i64,
}

/// A sign-in as Azure Monitor passes it on.
#[derive(Deserialize)]
struct Diagnostic {
    properties: SignIn,
}

impl LogFormat for Entra {
    const NAME: &'static str = "entra";
    const ABOUT: &'static str = "Sign-ins of Microsoft Entra ID: failed logins only";
    const PROGRAMS_BEGIN: &'static [u8] = b"";
    const MESSAGES_BEGIN: &'static [u8] = b"{";
    const CANNOT_TELL: &'static str = "sign-ins tell of failed logins only, never of messages";

    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(sign_in) = SignIn::read(record) else { return false };
        let SignIn { client_app_used, created_date_time, user_principal_name, .. } = sign_in;
        let SignIn { ip_address, status, .. } = sign_in;
        let code = status.map_or(0, |status| status.error_code);
        if client_app_used == SMTP && REFUSED.contains(&code) {
            let told = created_date_time.and_then(|time| time_of(&time, proofs.times));
            let time = told.or(record.time).unwrap_or(proofs.arrival.reference);
            let account = user_principal_name.unwrap_or_default();
            let client = ip_address.unwrap_or_default();
            proofs.auth_failure(time, account.as_bytes(), client.as_bytes());
        }
        true
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        time_of(&SignIn::read(record)?.created_date_time?, times)
    }
}

impl SignIn {
    /// Reads a sign-in; none if a record's message is something else.
    fn read(record: &Record<'_>) -> Option<Self> {
        static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"clientAppUsed\""));
        let text = record.message;
        if text.first() != Some(&b'{') || MARK.find(text).is_none() {
            return None;
        }
        let sign_in = serde_json::from_slice::<Self>(text).or_else(|_| {
            serde_json::from_slice::<Diagnostic>(text).map(|diagnostic| diagnostic.properties)
        });
        sign_in.ok()
    }
}

fn time_of(text: &str, times: &mut Timestamps) -> Option<i64> {
    times.rfc3339(text.as_bytes()).map(|(time, _)| time)
}

#[cfg(test)]
mod tests {
    use crate::testing::read;

    fn sign_in(app: &str, code: i64) -> String {
        format!(
            r#"{{"id":"1","createdDateTime":"2026-11-23T11:00:05Z","userPrincipalName":"Ann@example.test","clientAppUsed":"{app}","ipAddress":"192.0.2.1","status":{{"errorCode":{code}}}}}"#
        )
    }

    #[test]
    fn only_logins_for_smtp_whose_credentials_were_refused_failed() {
        let refused = sign_in("Authenticated SMTP", 50_126);
        let wrapped = format!(r#"{{"category":"SignInLogs","properties":{refused}}}"#);
        let log = [
            refused,
            wrapped,
            sign_in("Authenticated SMTP", 0),
            sign_in("Authenticated SMTP", 50_076),
            sign_in("Browser", 50_126),
        ];
        let read = read(&log.join("\n"));
        assert_eq!(read.failures, ["ann@example.test 192.0.2.1"; 2]);
        assert_eq!((read.submissions.len(), read.rejected.len()), (0, 0));
    }
}
