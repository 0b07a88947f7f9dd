//! Report requests and schedules within a scope: those whose own scope lies in it.
//!
//! Keys and limits are each scope's own, so that nobody can tell by them what others ask for, nor use up what is theirs.

use report::{Contents, Day, ReportRequest, Schedule, Scope};
use store::{Guard, IdempotencyKey, Limit, Placed, StoreError};

use super::within::Scoped;

impl Scoped {
    fn sees(&self, contents: &Contents) -> bool {
        contents.scope.lies_in(&self.scope)
    }

    /// Places a report request, once for each key, and at most `most` of a scope and day. `body` is what was asked, in a
    /// form that is the same whenever the meaning is.
    pub(crate) async fn place(
        &self,
        request: &ReportRequest,
        key: Option<(&str, &str)>,
        (day, most): (Day, u32),
        now: i64,
    ) -> Result<Placed<ReportRequest>, StoreError> {
        let own = self.scope.key();
        let guard = Guard {
            key: key.map(|(key, body)| IdempotencyKey::new(&format!("{own}{key}"), body)),
            limit: Some(Limit { day, most, of: own }),
        };
        self.requests.place(request, &guard, now).await
    }

    /// A report request.
    pub(crate) async fn request(
        &self,
        id: &str,
        now: i64,
    ) -> Result<Option<ReportRequest>, StoreError> {
        let found = self.requests.get(id, now).await?;
        Ok(found.filter(|request| self.sees(&request.contents)))
    }

    /// Report requests with ids before `before`, the newest first, `limit` at most; and whether more follow.
    pub(crate) async fn requests(
        &self,
        before: Option<&str>,
        limit: usize,
        now: i64,
    ) -> Result<(Vec<ReportRequest>, bool), StoreError> {
        match self.scope {
            Scope::All => self.requests.list(before, limit, now).await,
            Scope::Domains(_) => {
                let sees = |request: &ReportRequest| self.sees(&request.contents);
                self.requests.list_of(before, limit, now, sees).await
            }
        }
    }

    /// A schedule.
    pub(crate) async fn schedule(
        &self,
        id: &str,
        now: i64,
    ) -> Result<Option<Schedule>, StoreError> {
        let found = self.schedules.get(id, now).await?;
        Ok(found.filter(|schedule| self.sees(&schedule.contents)))
    }

    /// Every schedule, the oldest first.
    pub(crate) async fn schedules(&self, now: i64) -> Result<Vec<Schedule>, StoreError> {
        let mut schedules = self.schedules.list(now).await?;
        schedules.retain(|schedule| self.sees(&schedule.contents));
        Ok(schedules)
    }

    /// Writes a new schedule, or a redefined one over the old one; false if that is not possible, or it is another's.
    pub(crate) async fn put_schedule(
        &self,
        schedule: &Schedule,
        replaces: bool,
    ) -> Result<bool, StoreError> {
        Ok(self.sees(&schedule.contents) && self.schedules.put(schedule, replaces).await?)
    }

    /// Removes a schedule; false if there is none, or it is another's.
    pub(crate) async fn delete_schedule(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        match self.schedule(id, now).await? {
            Some(schedule) => self.schedules.delete(&schedule.id).await,
            None => Ok(false),
        }
    }
}
