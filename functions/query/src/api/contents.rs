//! What a report by mail holds, of a report request or a schedule.

use chrono::{DateTime, Utc};
use report::{Contents, RecipientDomains, View};

use super::body::{Fields, wrong};
use super::params;
use super::problem::Problem;
use super::schemas::NAME;

/// Reads what a report by mail is to hold.
pub(super) fn contents(fields: &Fields, allowed: &RecipientDomains) -> Result<Contents, Problem> {
    const VIEWS: &str = "it must be sending-volume or tls-usage";
    let view = fields.needed("view", VIEWS)?;
    let view = View::from_name(view).ok_or_else(|| Problem::parameter("view", view, VIEWS))?;
    let name = fields.text("name")?;
    if let Some(name) = name
        && (name.chars().count() > NAME || name.contains(char::is_control))
    {
        let allowed = format!("it must be one line of at most {NAME} characters");
        return Err(Problem::parameter("name", name, allowed));
    }
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let recipients = fields.texts("recipients")?;
    let recipients = allowed.check(&recipients).map_err(|error| {
        let value = fields.get("recipients").cloned().unwrap_or_default();
        wrong("recipients", &value, error.to_string())
    })?;
    let domain =
        fields.text("domain")?.filter(|text| !text.is_empty()).map(params::domain).transpose()?;
    Ok(Contents { view, domain, name: name.map(str::to_owned), recipients })
}

/// An instant for answers.
pub(super) fn instant(unix: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix, 0).unwrap_or_default()
}
