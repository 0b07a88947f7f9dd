//! An alert in ArcSight's Common Event Format, as its *Implementation Standard* has it.

use std::net::IpAddr;

use detect::{Case, Severity};
use report::displayed;

use crate::letter::Letter;

/// Characters of a value.
const VALUE: usize = 400;

/// `CEF:0|vendor|product|version|kind|name|severity|key=value …`.
pub(crate) fn event(letter: &Letter<'_>, case: &Case) -> String {
    let alert = &case.alert;
    let (name, severity) = match alert.severity {
        _ if letter.is_test => ("Test", 1),
        Severity::High => ("Account needs attention", 9),
        Severity::Medium => ("Account needs attention", 6),
    };
    let mut event = format!(
        "CEF:0|smtp-auth-report|smtp-auth-report|{}|{}|{name}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        alert.kind.name()
    );
    let (count, at) = (alert.evidence.messages.to_string(), (letter.at * 1000).to_string());
    let day = alert.day.to_string();
    let link = letter.link(case).unwrap_or_default();
    let client = alert.evidence.clients.first().and_then(|client| client.parse::<IpAddr>().ok());
    // The format has a field for addresses of version 4, and another with a label for those of version 6.
    let (v4, v6) = match client {
        Some(IpAddr::V4(address)) => (address.to_string(), String::new()),
        Some(IpAddr::V6(address)) => (String::new(), address.to_string()),
        None => Default::default(),
    };
    let values = [
        ("externalId", alert.id.as_str()),
        ("rt", &at),
        ("suser", &alert.account),
        ("src", &v4),
        ("c6a2Label", if v6.is_empty() { "" } else { "Source IPv6 Address" }),
        ("c6a2", &v6),
        ("cnt", &count),
        ("cs1Label", "firstDay"),
        ("cs1", &day),
        ("cs2Label", "key"),
        ("cs2", &letter.key_of(case)),
        ("request", &link),
        ("msg", &alert.reason),
    ];
    let told = values.iter().filter(|(_, text)| !text.is_empty());
    // The front of a value needs no more: a bar only has a meaning in the head.
    let value = |text: &str| displayed(text, VALUE).replace('\\', "\\\\").replace('=', "\\=");
    let told: Vec<_> = told.map(|(key, text)| format!("{key}={}", value(text))).collect();
    event.push_str(&told.join(" "));
    event
}
