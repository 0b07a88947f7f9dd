//! Work on one request: claimed, written, handed over, recorded.

use std::time::Duration;

use mailer::{Mail, SendError};
use report::{Filter, Range, ReportRequest, Status, day_in};
use store::{Claim, Ended, StoreError};
use uuid::Uuid;

use crate::attention::Attention;
use crate::gather::{self, GatherError};
use crate::letter::Letter;
use crate::reporter::{ReportError, Reporter, Summary};

/// Seconds for which a worker claims a request, and claims it anew while it works.
pub const LEASE: i64 = 90;
/// How often a request is begun before it is given up: for longer than a day, after which a sending quota is
/// fresh again.
pub const ATTEMPTS: u32 = 14;

/// A third of the lease: two renewals may fail.
const RENEWAL: Duration = Duration::from_secs(30);
/// Seconds before the second, third, … attempt; the last one stands for all after it.
const PAUSES: [i64; 8] = [60, 120, 300, 900, 1800, 3600, 7200, 14_400];
/// Characters of a reason that are kept.
const REASON: usize = 500;
/// How often the end of a request is recorded if the table does not answer.
const RECORDINGS: u32 = 6;

/// What became of a request.
enum Outcome {
    /// Its mail was accepted, and that is recorded.
    Sent(Ended),
    /// There will be no mail.
    Failed(String),
    /// It is to be tried again, because of this.
    Again(String),
    /// Somebody else has it now.
    Lost,
}

impl Reporter {
    /// Works on requests, one after the other. One that fails does not hold up the others; the first error
    /// of the table's is reported when all were tried.
    pub(crate) async fn work_on(
        &self,
        ids: Vec<String>,
        summary: &mut Summary,
    ) -> Result<(), ReportError> {
        let mut first_error = None;
        for id in ids {
            if let Err(error) = self.work_on_one(&id, summary).await {
                tracing::error!(request = id, %error, "request left as it is");
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn work_on_one(&self, id: &str, summary: &mut Summary) -> Result<(), StoreError> {
        // Nobody else has it.
        let token = Uuid::now_v7().to_string();
        let request = match self.requests.claim(id, &token, self.now(), LEASE).await? {
            Claim::Granted(request) => request,
            Claim::NotBefore(at) => {
                summary.look_again(at);
                return Ok(());
            }
            Claim::Closed => return Ok(()),
        };
        let written = tokio::select! {
            biased;
            written = self.write(&request) => written,
            () = self.claim_lost(id, &token) => Err(Outcome::Lost),
        };
        let outcome = match written {
            Ok((mail, messages)) => self.hand_over(id, &token, mail, messages).await?,
            Err(outcome) => outcome,
        };
        self.conclude(&request, &token, outcome, summary).await
    }

    /// Renews a claim for as long as that is possible.
    async fn claim_lost(&self, id: &str, token: &str) {
        loop {
            tokio::time::sleep(RENEWAL).await;
            match self.requests.renew(id, token, self.now() + LEASE).await {
                Ok(true) => {}
                Ok(false) => return,
                // The lease lasts for more than one renewal.
                Err(error) => tracing::warn!(request = id, %error, "cannot renew a claim"),
            }
        }
    }

    async fn conclude(
        &self,
        request: &ReportRequest,
        token: &str,
        outcome: Outcome,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        let id = request.id.as_str();
        match outcome {
            Outcome::Sent(ended) => tell(id, &ended, summary),
            Outcome::Failed(reason) => self.fail(id, token, reason, summary).await?,
            Outcome::Again(reason) if request.attempts >= ATTEMPTS => {
                let reason = format!("given up after {ATTEMPTS} attempts; the last: {reason}");
                self.fail(id, token, reason, summary).await?;
            }
            Outcome::Again(reason) => {
                let place = (request.attempts.max(1) - 1).min(PAUSES.len() as u32 - 1);
                let until = self.now() + PAUSES[place as usize];
                tracing::warn!(request = id, reason, until, "request put off");
                self.requests.put_off(id, token, until, &shortened(&reason)).await?;
                summary.put_off += 1;
                summary.look_again(until);
            }
            Outcome::Lost => tracing::warn!(request = id, "another worker took over"),
        }
        Ok(())
    }

    /// Hands a mail over, and records at once that it was accepted.
    async fn hand_over(
        &self,
        id: &str,
        token: &str,
        mail: Mail,
        messages: u64,
    ) -> Result<Outcome, StoreError> {
        if !self.requests.renew(id, token, self.now() + LEASE).await? {
            return Ok(Outcome::Lost);
        }
        // A mail that is being handed over is not called back, whoever has the claim: it may be accepted already.
        let renewed = async {
            self.claim_lost(id, token).await;
            std::future::pending().await
        };
        let sent = tokio::select! {
            biased;
            sent = self.mailer.send(mail) => sent,
            never = renewed => never,
        };
        match sent {
            Ok(message_id) => {
                let status = if messages == 0 { Status::SentEmpty } else { Status::Sent };
                let ended = Ended {
                    status,
                    at: self.now(),
                    reason: None,
                    message_id: Some(message_id),
                    messages: Some(messages),
                };
                self.record(id, token, &ended).await?;
                Ok(Outcome::Sent(ended))
            }
            Err(SendError::Temporary(reason)) => Ok(Outcome::Again(reason)),
            Err(SendError::Permanent(reason)) => Ok(Outcome::Failed(reason)),
        }
    }

    /// Records that a mail was accepted: everything else can wait, or the mail goes out twice.
    async fn record(&self, id: &str, token: &str, ended: &Ended) -> Result<(), StoreError> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..RECORDINGS {
            match self.requests.end(id, token, ended).await {
                Ok(_) => return Ok(()),
                Err(error) => tracing::error!(request = id, %error, "cannot record a sent report"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.requests.end(id, token, ended).await.map(|_| ())
    }

    /// The mail, and how many messages it tells about; or why there is none.
    async fn write(&self, request: &ReportRequest) -> Result<(Mail, u64), Outcome> {
        let contents = &request.contents;
        if request.attempts > ATTEMPTS {
            // The worker died each time, or at least the last time: it cannot have told why.
            let known = request.reason.as_ref().map_or(String::new(), |known| format!(": {known}"));
            let reason = format!("given up: the last of {ATTEMPTS} attempts broke off{known}");
            return Err(Outcome::Failed(reason));
        }
        self.settings
            .recipients
            .check(&contents.recipients)
            .map_err(|error| Outcome::Failed(format!("recipients: {error}")))?;
        let now = self.now();
        let today = self.settings.as_of.unwrap_or_else(|| day_in(self.settings.zone, now));
        let kept = Range::kept(today);
        let asked = request.range;
        if asked.end < kept.start {
            let (start, end) = (asked.start, asked.end);
            let reason = format!("the days {start} to {end} are not kept any more");
            return Err(Outcome::Failed(reason));
        }
        let range = Range { start: asked.start.max(kept.start), ..asked };
        let again = |error: GatherError| {
            tracing::error!(request = request.id, %error, "cannot make a report");
            // What the store says is for the log, not for everybody.
            Outcome::Again("the counts could not be read; the service's log tells why".to_owned())
        };
        let (history, known) = (&self.history, self.settings.known.clone());
        let filter = Filter { known, ..contents.filter() };
        let limit = self.mailer.files_limit();
        // The table must find room beside the detailed report.
        let detailed_limit = limit / 4 * 3;
        let gathered =
            gather::gather(history, (range, kept), (contents.group, &filter), detailed_limit)
                .await
                .map_err(again)?;
        let before = range.before();
        let before = if kept.contains(before.start) {
            let totals = gather::totals(history, before, &filter).await;
            Some(totals.map_err(|error| again(error.into()))?)
        } else {
            None
        };
        let dashboard = self.settings.dashboard.as_deref();
        let attention = Attention::of(&self.alerts, contents, today, dashboard).await;
        let messages = gathered.totals.messages.total();
        let letter = Letter {
            request,
            zone: self.settings.zone,
            dashboard,
            attention: attention.map_err(|error| again(error.into()))?,
            range,
            gathered,
            before,
            limit,
            detailed_limit,
            now,
        };
        let mail = letter.write().map_err(|error| again(error.into()))?;
        Ok((mail, messages))
    }

    /// Counts and records that there will be no mail. It is counted first: a write may be made and its answer be lost, and
    /// then this is never come back to.
    async fn fail(
        &self,
        id: &str,
        token: &str,
        reason: String,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        let (at, reason) = (self.now(), Some(shortened(&reason)));
        let ended = Ended { status: Status::Failed, at, reason, message_id: None, messages: None };
        tell(id, &ended, summary);
        self.requests.end(id, token, &ended).await.map(|_| ())
    }
}

/// A relay can say much.
fn shortened(reason: &str) -> String {
    report::displayed(reason, REASON)
}

fn tell(id: &str, ended: &Ended, summary: &mut Summary) {
    let count = match ended.status {
        Status::Sent => &mut summary.sent,
        Status::SentEmpty => &mut summary.sent_empty,
        Status::Failed | Status::Pending | Status::Running => &mut summary.failed,
    };
    *count += 1;
    let status = ended.status.name();
    match &ended.reason {
        Some(reason) => tracing::error!(request = id, status, reason, "request ended"),
        None => tracing::info!(request = id, status, "request ended"),
    }
}
