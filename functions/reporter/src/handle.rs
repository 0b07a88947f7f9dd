//! What is done at an event.

use serde_json::Value;

use crate::reporter::{ReportError, Reporter, Summary};
use crate::trigger::Trigger;

impl Reporter {
    /// Does what an event asks for: of the table's stream, or of a schedule's tick.
    ///
    /// # Errors
    /// The event is of another kind, or the table does not answer.
    pub async fn handle(&self, event: &Value) -> Result<Summary, ReportError> {
        match Trigger::read(event)? {
            Trigger::Requests(ids) => self.work_on(ids).await,
            Trigger::Tick => self.tick().await,
        }
    }

    /// Makes requests of schedules that are due, and works on every request that has not ended.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn tick(&self) -> Result<Summary, ReportError> {
        let due = self.make_due_requests().await;
        // What waits is worked on even if a schedule is in trouble.
        let open = self.requests.open().await?;
        let mut summary = self.work_on(open).await?;
        let (scheduled, next) = due?;
        summary.scheduled = scheduled;
        if let Some(next) = next {
            summary.look_again(next);
        }
        Ok(summary)
    }
}
