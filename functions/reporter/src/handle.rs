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
        let mut summary = Summary::default();
        self.handle_into(event, &mut summary).await.map(|()| summary)
    }

    /// The same, and `summary` tells what was done also if not everything was.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    pub async fn handle_into(
        &self,
        event: &Value,
        summary: &mut Summary,
    ) -> Result<(), ReportError> {
        match Trigger::read(event)? {
            Trigger::Requests(ids) => self.work_on(ids, summary).await,
            Trigger::Tick => self.tick_into(summary).await,
        }
    }

    /// Makes requests of schedules that are due, and works on every request that has not ended.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn tick(&self) -> Result<Summary, ReportError> {
        let mut summary = Summary::default();
        self.tick_into(&mut summary).await.map(|()| summary)
    }

    async fn tick_into(&self, summary: &mut Summary) -> Result<(), ReportError> {
        let made = self.make_due_requests(summary).await;
        // What waits is worked on even if a schedule is in trouble.
        let open = self.requests.open().await?;
        self.work_on(open, summary).await?;
        Ok(made?)
    }
}
