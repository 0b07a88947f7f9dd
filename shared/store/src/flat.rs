//! What may be done over the connection, without a handle: for callers that do not ask for one yet.

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, LastRun, LongNames, Range, ReportRequest, Schedule, Tally, UsageKey};

use crate::counting::days::DayState;
use crate::counting::outcome::Outcome;
use crate::counting::position::{Positions, Source};
use crate::counting::rollups::Rollup;
use crate::counting::seen::Seen;
use crate::counting::summaries::FailureRow;
use crate::counting::usage::UsageFilter;
use crate::dynamo::error::StoreError;
use crate::ingestion::carry_over::{CarryOver, Written};
use crate::ingestion::files::KnownFile;
use crate::ingestion::quarantine::{Quarantined, Rejected};
use crate::mailing::report_requests::Ended;
use crate::store::Store;
use crate::work::claims::Claim;
use crate::work::placing::{Guard, Placed};

type Result<T> = std::result::Result<T, StoreError>;

#[expect(missing_docs, clippy::missing_errors_doc, reason = "each is told at its handle")]
impl Store {
    pub async fn count(&self, tally: &Tally, source: &Source, at: &Positions) -> Result<Outcome> {
        self.counting().count(tally, source, at).await
    }

    pub async fn usage(
        &self,
        day: Day,
        filter: UsageFilter<'_>,
        each: impl FnMut(UsageKey<'_>, u64),
    ) -> Result<()> {
        self.usage_handle().read(day, filter, each).await
    }

    pub async fn rollup(&self, domain: &str, range: Range) -> Result<Rollup> {
        self.summaries().rollup(domain, range).await
    }

    pub async fn failures(&self, range: Range) -> Result<Vec<FailureRow>> {
        self.summaries().failures(range).await
    }

    pub async fn seen(&self, range: Range) -> Result<Seen> {
        self.summaries().seen(range).await
    }

    pub async fn domains(&self, range: Range) -> Result<BTreeSet<String>> {
        self.summaries().domains(range).await
    }

    pub async fn days(&self, range: Range) -> Result<BTreeMap<Day, DayState>> {
        self.days_handle().states(range).await
    }

    pub async fn put_archive(
        &self,
        day: Day,
        before: Option<&str>,
        manifest: String,
    ) -> Result<bool> {
        self.days_handle().put_archive(day, before, manifest).await
    }

    pub async fn claim_zone(&self, zone: &str) -> Result<LongNames> {
        self.ingestion().claim_zone(zone).await
    }

    pub async fn carry_over(&self, log_stream: &str) -> Result<CarryOver> {
        self.ingestion().carry_over(log_stream).await
    }

    pub async fn put_carry_over(
        &self,
        log_stream: &str,
        carry_over: &CarryOver,
        now: i64,
    ) -> Result<Written> {
        self.ingestion().put_carry_over(log_stream, carry_over, now).await
    }

    pub async fn put_carry_overs(
        &self,
        both: [(&str, &CarryOver); 2],
        now: i64,
    ) -> Result<Written> {
        self.ingestion().put_carry_overs(both, now).await
    }

    pub async fn quarantine(
        &self,
        rejected: &[Rejected],
        source: &Source,
        positions: &Positions,
        day_of: impl FnMut(&Rejected) -> Day,
    ) -> Result<()> {
        self.ingestion().quarantine(rejected, source, positions, day_of).await
    }

    pub async fn quarantined(&self, day: Day, each: impl FnMut(Quarantined)) -> Result<()> {
        self.quarantine_handle().read(day, each).await
    }

    pub async fn release(&self, quarantined: &Quarantined) -> Result<()> {
        self.quarantine_handle().release(quarantined).await
    }

    pub async fn identify_file(&self, head: &[u8]) -> Result<KnownFile> {
        self.files().identify(head).await
    }

    pub async fn remember_file(&self, head: &[u8], file: &KnownFile, now: i64) -> Result<()> {
        self.files().remember(head, file, now).await
    }

    pub async fn find_file(&self, head: &[u8]) -> Result<Option<String>> {
        self.files().find(head).await
    }

    pub async fn place_request(
        &self,
        request: &ReportRequest,
        guard: &Guard,
        now: i64,
    ) -> Result<Placed<ReportRequest>> {
        self.report_requests().place(request, guard, now).await
    }

    pub async fn request(&self, id: &str, now: i64) -> Result<Option<ReportRequest>> {
        self.report_requests().get(id, now).await
    }

    pub async fn requests(
        &self,
        before: Option<&str>,
        limit: usize,
        now: i64,
    ) -> Result<(Vec<ReportRequest>, bool)> {
        self.report_requests().list(before, limit, now).await
    }

    pub async fn open_requests(&self) -> Result<Vec<String>> {
        self.report_requests().open().await
    }

    pub async fn claim(
        &self,
        id: &str,
        token: &str,
        now: i64,
        lease: i64,
    ) -> Result<Claim<ReportRequest>> {
        self.report_requests().claim(id, token, now, lease).await
    }

    pub async fn renew(&self, id: &str, token: &str, until: i64) -> Result<bool> {
        self.report_requests().renew(id, token, until).await
    }

    pub async fn put_off(&self, id: &str, token: &str, until: i64, reason: &str) -> Result<bool> {
        self.report_requests().put_off(id, token, until, reason).await
    }

    pub async fn end(&self, id: &str, token: &str, ended: &Ended) -> Result<bool> {
        self.report_requests().end(id, token, ended).await
    }

    pub async fn put_schedule(&self, schedule: &Schedule, replaces: bool) -> Result<bool> {
        self.schedules_handle().put(schedule, replaces).await
    }

    pub async fn schedule(&self, id: &str, now: i64) -> Result<Option<Schedule>> {
        self.schedules_handle().get(id, now).await
    }

    pub async fn schedules(&self, now: i64) -> Result<Vec<Schedule>> {
        self.schedules_handle().list(now).await
    }

    pub async fn delete_schedule(&self, id: &str) -> Result<bool> {
        self.schedules_handle().delete(id).await
    }

    pub async fn schedule_ran(&self, id: &str, last: &LastRun) -> Result<bool> {
        self.schedules_handle().ran(id, last).await
    }
}
