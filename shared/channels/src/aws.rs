//! Alerts on AWS: to a topic, whose subscribers are people or not, and to an event bus.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::error::{DisplayErrorContext, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;
use serde_json::json;

use crate::channel::{Untold, Way};
use crate::letter::{LISTED, Letter};
use crate::news::News;

/// How long is waited, with all tries.
const WAIT: Duration = Duration::from_secs(20);
/// Characters of a subject.
const SUBJECT: usize = 99;
/// Bytes of a message, of 262,144 that SNS takes: what is told to protocols is escaped, and there several times.
const TEXT: usize = 20_000;
/// Characters of a reason.
const REASON: usize = 300;
/// The source of our events on the bus.
const SOURCE: &str = "smtp-auth-report";

/// A topic of SNS.
#[derive(Debug)]
pub struct Sns {
    client: aws_sdk_sns::Client,
    topic: String,
}

impl Sns {
    /// The topic with this ARN, at another endpoint if there is one.
    #[must_use]
    pub fn new(sdk: &SdkConfig, endpoint: Option<String>, topic: String) -> Self {
        let mut config = aws_sdk_sns::config::Builder::from(sdk);
        config.set_endpoint_url(endpoint);
        config.set_timeout_config(Some(timeouts(sdk)));
        Self { client: aws_sdk_sns::Client::from_conf(config.build()), topic }
    }
}

#[async_trait]
impl Way for Sns {
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold> {
        let words = letter.words(LISTED);
        let text = words.text().map_err(|error| Untold::Refused(error.to_string()))?;
        let listed = letter.cases.iter().take(LISTED);
        let mut alerts: Vec<_> = listed.map(|case| json!(News::of(letter, case))).collect();
        while json!(alerts).to_string().len() > TEXT && alerts.len() > 1 {
            alerts.pop();
        }
        let machines =
            json!({"title": words.title, "all": letter.cases.len(), "alerts": alerts}).to_string();
        let link = letter.cases.first().and_then(|case| letter.link(case)).unwrap_or_default();
        let short = format!("{} {link}", words.title);
        let message = json!({"default": text, "sms": short, "lambda": machines, "sqs": machines, "http": machines, "https": machines, "firehose": machines});
        let severity = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(letter.severity().name())
            .build()
            .map_err(|error| Untold::Refused(error.to_string()))?;
        let sent = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(subject(&words.title))
            .message_structure("json")
            .message(message.to_string())
            .message_attributes("severity", severity)
            .send();
        sent.await.map(|_| ()).map_err(untold)
    }
}

/// Those of all clients, but for the whole of a request.
fn timeouts(sdk: &SdkConfig) -> TimeoutConfig {
    let of_all = sdk.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
    of_all.operation_timeout(WAIT).build()
}

/// Subjects are ASCII, and begin with a letter.
fn subject(title: &str) -> String {
    let title: String = title.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    let begins = title.starts_with(|first: char| first.is_ascii_alphanumeric());
    let title = if begins { title } else { format!("Alert: {title}") };
    title.chars().take(SUBJECT).collect()
}

/// An event bus of EventBridge.
#[derive(Debug)]
pub struct EventBridge {
    client: aws_sdk_eventbridge::Client,
    bus: String,
}

impl EventBridge {
    /// The bus with this name or ARN, at another endpoint if there is one.
    #[must_use]
    pub fn new(sdk: &SdkConfig, endpoint: Option<String>, bus: String) -> Self {
        let mut config = aws_sdk_eventbridge::config::Builder::from(sdk);
        config.set_endpoint_url(endpoint);
        config.set_timeout_config(Some(timeouts(sdk)));
        Self { client: aws_sdk_eventbridge::Client::from_conf(config.build()), bus }
    }
}

#[async_trait]
impl Way for EventBridge {
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold> {
        for case in letter.cases {
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source(SOURCE)
                .detail_type(if letter.is_test { "Test" } else { "Alert" })
                .detail(json!(News::of(letter, case)).to_string())
                .build();
            let put = self.client.put_events().entries(entry).send().await.map_err(untold)?;
            // It answers 200 for what it did not take, too.
            if let Some(failed) = put.entries().iter().find_map(|entry| entry.error_code()) {
                return Err(Untold::Refused(failed.to_owned()));
            }
        }
        Ok(())
    }
}

fn untold<E, R>(error: SdkError<E, R>) -> Untold
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let text = report::displayed(&DisplayErrorContext(&error).to_string(), REASON);
    match error {
        SdkError::ServiceError(_) => Untold::Refused(text),
        _ => Untold::Unreached(text),
    }
}
