//! Report requests: work items whose work is to mail a report.

use report::{ReportRequest, Status};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::mailing::report_items;
use crate::work::claims::End;
use crate::work::items::WorkItems;
use crate::work::kind::Work;

/// The report requests. Touches them, their idempotency keys, which are open and how many a day has, and
/// nothing else.
pub type ReportRequests = WorkItems<ReportRequest>;

impl Work for ReportRequest {
    const PARTITION: &'static str = keys::REPORT_REQUESTS;
    const KIND: &'static str = "requests";
    const KEYS: &'static str = "";
    const FORM: u64 = report_items::FORM;
    const EXPECTED: &'static str = "a report request";
    /// An accepted mail.
    const DONE: &'static [&'static str] = &[Status::Sent.name(), Status::SentEmpty.name()];

    fn id(&self) -> &str {
        &self.id
    }

    fn write(&self) -> Item {
        report_items::write(self)
    }

    fn read(item: &Item) -> Option<Self> {
        report_items::read(item)
    }

    fn is_final(&self) -> bool {
        self.status.is_final()
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// A final status.
    pub status: Status,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Why, if it failed.
    pub reason: Option<String>,
    /// The name under which the mail was accepted.
    pub message_id: Option<String>,
    /// Messages in the report.
    pub messages: Option<u64>,
}

impl ReportRequests {
    /// The partitions that they touch, as a policy names them; the last one if somebody places them with a key.
    pub const PARTITIONS: &[&str] = &[keys::REPORT_REQUESTS, keys::META, "I#*"];

    /// Records how a request ended. False if that is recorded already, or, for a failure, the claim is lost.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn end(&self, id: &str, token: &str, ended: &Ended) -> Result<bool, StoreError> {
        let message_id = ended.message_id.as_ref().map(items::of_text);
        let messages = ended.messages.map(items::of_number);
        let results = [
            ("ended", Some(items::of_number(ended.at))),
            ("message_id", message_id),
            ("messages", messages),
        ];
        let results = results.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let (status, reason) = (ended.status.name(), ended.reason.as_deref());
        self.finish(id, token, End { status, reason, results: results.collect() }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::kind::{PENDING, RUNNING};

    #[test]
    fn statuses_are_those_of_all_work() {
        assert_eq!([Status::Pending.name(), Status::Running.name()], [PENDING, RUNNING]);
        for status in Status::ALL {
            let done = ReportRequest::DONE.contains(&status.name());
            assert!(!done || status.is_final(), "{status:?}");
        }
    }
}
