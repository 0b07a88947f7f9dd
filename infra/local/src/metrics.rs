//! What is followed, and who is told of alerts, as Prometheus scrapes it.

use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use store::{Alerts, ChannelState};

use crate::files::{Heard, NotCounted, Standing};

/// What names begin with.
const PREFIX: &str = "smtp_auth_report";
/// The media type of the text format, as `OpenMetrics` has it.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/metrics`: each source that is followed, and when it was heard of last; each channel of alerts, and whether it works.
pub(crate) fn router(heard: Heard, alerts: Alerts) -> Router {
    let scrape = move || async move {
        // Where the store does not answer, the rest is told all the same.
        let channels = alerts.channels().await.unwrap_or_default();
        scraped(&heard.standing(), &channels)
    };
    Router::new().route("/metrics", get(scrape))
}

fn scraped(sources: &[Standing], channels: &[ChannelState]) -> Response {
    match text(sources, channels) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Sources by their names.
type Labels = [(&'static str, String); 1];
/// And why lines of them do not count.
type Reasons = [(&'static str, String); 2];

fn text(sources: &[Standing], channels: &[ChannelState]) -> Result<String, std::fmt::Error> {
    let lines = Family::<Labels, Counter>::default();
    let messages = Family::<Labels, Counter>::default();
    let not_counted = Family::<Reasons, Counter>::default();
    let age = Family::<Labels, Gauge<f64, AtomicU64>>::default();
    for source in sources {
        let labels = [("source", source.source.clone())];
        lines.get_or_create(&labels).inc_by(source.lines);
        messages.get_or_create(&labels).inc_by(source.messages);
        let NotCounted { other_programs, quarantined, not_understood } = source.not_counted;
        for (reason, lines) in [
            ("other_program", other_programs),
            ("quarantined", quarantined),
            ("not_understood", not_understood),
        ] {
            let labels = [("source", source.source.clone()), ("reason", reason.to_owned())];
            not_counted.get_or_create(&labels).inc_by(lines);
        }
        if let Some(silence) = source.silence {
            age.get_or_create(&labels).set(silence.as_secs_f64());
        }
    }
    let failing = Family::<Labels, Gauge>::default();
    for channel in channels {
        let labels = [("channel", channel.name.clone())];
        failing.get_or_create(&labels).set(i64::from(channel.failing_since.is_some()));
    }
    let mut all = Registry::with_prefix(PREFIX);
    let help = "Whether a channel does not take the alerts that it is told";
    all.sub_registry_with_prefix("channel").register("failing", help, failing);
    let registry = all.sub_registry_with_prefix("source");
    registry.register("lines", "Lines read since the program began", lines);
    let help = "Lines of no mail server since the program began, by what they are";
    registry.register("not_counted_lines", help, not_counted);
    registry.register("messages", "Messages counted since the program began", messages);
    registry.register("last_line_age_seconds", "Time since the last line was read", age);
    let mut text = String::new();
    encode(&mut text, &all)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_source_tells_what_it_gave_and_when() {
        let source = |source: &str, silence: Option<u64>| Standing {
            source: source.to_owned(),
            lines: 7,
            messages: 2,
            not_counted: NotCounted { other_programs: 1, quarantined: 0, not_understood: 3 },
            silence: silence.map(Duration::from_secs),
        };
        let channel = |name: &str, failing_since| ChannelState {
            failing_since,
            ..ChannelState::new(name, "webhook", detect::Severity::High)
        };
        let told = text(
            &[source("/var/log/mail.log", Some(90)), source("journal", None)],
            &[channel("soc", Some(7)), channel("siem", None)],
        );
        let told = told.expect("there is room");
        for line in [
            "smtp_auth_report_source_lines_total{source=\"/var/log/mail.log\"} 7",
            "smtp_auth_report_source_not_counted_lines_total{source=\"journal\",reason=\"other_program\"} 1",
            "smtp_auth_report_source_not_counted_lines_total{source=\"journal\",reason=\"quarantined\"} 0",
            "smtp_auth_report_source_not_counted_lines_total{source=\"journal\",reason=\"not_understood\"} 3",
            "smtp_auth_report_source_messages_total{source=\"journal\"} 2",
            "smtp_auth_report_channel_failing{channel=\"soc\"} 1",
            "smtp_auth_report_channel_failing{channel=\"siem\"} 0",
            "smtp_auth_report_source_last_line_age_seconds{source=\"/var/log/mail.log\"} 90.0",
        ] {
            assert!(told.lines().any(|one| one == line), "{told}");
        }
        assert!(!told.contains("age_seconds{source=\"journal\""), "it has told nothing yet");
    }
}
