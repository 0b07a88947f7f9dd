//! Schedules that are due become report requests.

use report::{LastRun, ReportRequest, Schedule};
use sha2::{Digest as _, Sha256};
use store::{Guard, StoreError};

use crate::reporter::{Reporter, Summary};

impl Reporter {
    /// Makes a request of every schedule that is due. The summary tells their number, and when the next one is due.
    ///
    /// One that fails does not hold up the others; the first error is reported when all were tried.
    pub(crate) async fn make_due_requests(&self, summary: &mut Summary) -> Result<(), StoreError> {
        let now = self.now();
        if !(self.believes)(now) {
            return Ok(());
        }
        let mut first_error = None;
        for schedule in &self.schedules.list(now).await? {
            if let Some(due) = schedule.due(now) {
                match self.make_request(schedule, due, now).await {
                    Ok(()) => summary.scheduled += 1,
                    Err(error) => {
                        tracing::error!(schedule = schedule.id, %error, "schedule left as it is");
                        first_error.get_or_insert(error);
                    }
                }
            }
            if let Some(next) = schedule.next_run(now) {
                summary.look_again(next);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// The request is made first, and then noted: after a crash in between, it is found to be there.
    async fn make_request(
        &self,
        schedule: &Schedule,
        due: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        let range = schedule.timetable.period(due);
        let id = request_id(&schedule.id, due);
        let mut request = ReportRequest::new(id.clone(), schedule.contents.clone(), range, due);
        request.schedule = Some(schedule.id.clone());
        self.requests.place(&request, &Guard::default(), now).await?;
        self.schedules.ran(&schedule.id, &LastRun { due, request: id }, now).await?;
        tracing::info!(schedule = schedule.id, request = request.id, "schedule is due");
        Ok(())
    }
}

/// The request of a schedule's due time: the same whoever makes it, however often.
fn request_id(schedule: &str, due: i64) -> String {
    let checksum = Sha256::digest(format!("{schedule} {due}").as_bytes());
    let random: [u8; 10] = std::array::from_fn(|at| checksum[at]);
    let milliseconds = u64::try_from(due).unwrap_or(0).saturating_mul(1000);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_due_time_has_one_request_and_ids_are_in_the_order_of_time() {
        let one = request_id("a", 1_795_507_200);
        assert_eq!(one, request_id("a", 1_795_507_200));
        assert_ne!(one, request_id("b", 1_795_507_200));
        assert!(one < request_id("a", 1_795_507_201));
        assert_eq!(Uuid::parse_str(&one).map(|id| id.get_version_num()), Ok(7));
    }
}
