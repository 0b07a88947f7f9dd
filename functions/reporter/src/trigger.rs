//! What invokes the function: new report requests in the table's stream, or the schedule's tick.

use serde_json::Value;
use store::REPORT_REQUESTS;
use thiserror::Error;

/// Why the function was invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// These requests are new.
    Requests(Vec<String>),
    /// It is time to look at schedules, and at requests that wait.
    Tick,
}

/// An event that is neither.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the event is neither of a DynamoDB stream (Records with eventSource aws:dynamodb) nor of EventBridge \
     (source aws.events, aws.scheduler or smtp-auth-report): {0}"
)]
pub struct UnknownEvent(String);

impl Trigger {
    /// Reads an event as Lambda hands it over.
    ///
    /// Records of the stream that are no new report requests are passed over; the event source's filter
    /// should not let them through.
    ///
    /// # Errors
    /// It is of another kind.
    pub fn read(event: &Value) -> Result<Self, UnknownEvent> {
        if let Some(records) = event["Records"].as_array()
            && records.iter().all(|record| record["eventSource"] == "aws:dynamodb")
        {
            return Ok(Self::Requests(records.iter().filter_map(new_request).collect()));
        }
        match event["source"].as_str() {
            Some("aws.events" | "aws.scheduler" | "smtp-auth-report") => Ok(Self::Tick),
            _ => Err(UnknownEvent(event.to_string().chars().take(300).collect())),
        }
    }
}

fn new_request(record: &Value) -> Option<String> {
    let keys = &record["dynamodb"]["Keys"];
    let new = record["eventName"] == "INSERT" && keys["pk"]["S"] == REPORT_REQUESTS;
    keys["sk"]["S"].as_str().filter(|_| new).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(event: &str, partition: &str) -> Value {
        json!({"eventID": "1", "eventName": event, "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "dynamodb": {"Keys": {"pk": {"S": partition}, "sk": {"S": "r1"}}, "SequenceNumber": "1",
                "StreamViewType": "KEYS_ONLY"}})
    }

    #[test]
    fn new_requests_are_found_and_other_changes_passed_over() {
        let event = json!({"Records": [record("INSERT", "REQUESTS"), record("MODIFY", "REQUESTS"),
            record("REMOVE", "REQUESTS"), record("INSERT", "META")]});
        assert_eq!(Trigger::read(&event), Ok(Trigger::Requests(vec!["r1".into()])));
    }

    #[test]
    fn ticks_are_told_from_what_is_not_understood() {
        let rule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(Trigger::read(&rule), Ok(Trigger::Tick));
        for strange in [json!({}), json!(null), json!({"Records": [{"eventSource": "aws:s3"}]})] {
            assert!(Trigger::read(&strange).is_err(), "{strange}");
        }
    }
}
