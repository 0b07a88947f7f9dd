//! Workers that die between any two steps: no report is lost, and at most the documented one comes twice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use history::History;
use mailer::{Message, SendError, Transport};
use report::Status;
use reporter::{LEASE, ReportError, Reporter, Summary};
use serde_json::json;
use store::{Claim, Ended, Writing};
use tests::app::{App, Clock, NOW};
use tests::fault::{Life, store_that_is_overtaken, store_with};
use tests::mail::{Letter, Post};

use crate::reports::{app_with_mail, ask, asked, inserted, request};
use crate::schedules::daily;

/// More steps than there are.
const STEPS: i64 = 14;

/// A transport in a process that dies: before a message is handed over, or right after it.
#[derive(Debug)]
struct MortalPost {
    post: Post,
    life: Life,
}

#[async_trait]
impl Transport for MortalPost {
    fn limit(&self) -> usize {
        self.post.limit()
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        let dead = || SendError::Temporary("the process died here".to_owned());
        if !self.life.writes() {
            return Err(dead());
        }
        let accepted = self.post.send(message).await;
        if self.life.writes() { accepted } else { Err(dead()) }
    }
}

fn dying(app: &App, post: &Post, steps: i64) -> Result<Reporter> {
    let life = Life::of(steps);
    let store = store_with(&app.engine, Writing::Single { concurrency: 4 }, life.clone());
    let history = History::new(&store, Arc::clone(&app.objects));
    app.reporter_over(&store, history, Arc::new(MortalPost { post: post.clone(), life }))
}

#[tokio::test(start_paused = true)]
async fn a_request_survives_its_worker_wherever_that_dies() -> Result<()> {
    let (mut twice, mut at_once) = (0, 0);
    for steps in 0..STEPS {
        let (app, post) = (app_with_mail().await?, Post::default());
        let id = ask(&app, &asked("tls-usage")).await?;
        let _ = dying(&app, &post, steps)?.handle(&inserted(&id)).await;
        let recorded = request(&app, &id).await?["status"] == "sent";
        let accepted = post.taken().len();
        ensure!(accepted <= 1 && (accepted == 1 || !recorded), "{steps}: {accepted} {recorded}");

        // While the dead one's claim lasts, nobody else begins.
        let next = app.reporter(Arc::new(post.clone()))?;
        let claimed = request(&app, &id).await?["attempts"] == 1;
        next.tick().await?;
        let begun = request(&app, &id).await?["attempts"].clone();
        ensure!(begun == 1 && (post.taken().len() == accepted || !claimed), "{steps}: {begun}");
        app.clock().set(NOW + LEASE + 60);
        next.tick().await?;
        let sent = request(&app, &id).await?;
        ensure!(sent["status"] == "sent", "{steps}: {sent}");

        // It went out twice only if its first acceptance was not recorded.
        let mails = post.taken();
        let expected = if accepted == 1 && !recorded { 2 } else { 1 };
        ensure!(mails.len() == expected, "{steps}: {} mails", mails.len());
        let ids: Vec<_> = mails
            .iter()
            .map(|mail| Letter::read(&mail.bytes).map(|letter| letter.message_id))
            .collect::<Result<_>>()?;
        ensure!(ids.iter().all(|known| *known == ids[0]), "{steps}: {ids:?}");
        twice += usize::from(expected == 2);
        at_once += usize::from(recorded);

        ensure!(app.store.report_requests().open().await?.is_empty(), "{steps}");
        app.clock().set(NOW + 86_400);
        next.tick().await?;
        ensure!(post.taken().len() == expected, "{steps}: another mail a day later");
    }
    ensure!(twice > 0 && at_once > 0, "no crash after the acceptance, or none after the end");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_report_that_failed_for_good_is_counted_wherever_the_table_fails() -> Result<()> {
    let mut halted = 0;
    for steps in 0..STEPS {
        let (app, post) = (app_with_mail().await?, Post::default());
        post.refuse_once(SendError::Permanent("nobody is there".to_owned()));
        let id = ask(&app, &asked("tls-usage")).await?;
        let mut summary = Summary::default();
        let done = dying(&app, &post, steps)?.handle_into(&inserted(&id), &mut summary).await;
        let failed = request(&app, &id).await?["status"] == "failed";
        ensure!(!failed || summary.failed == 1, "{steps}: {summary:?}");
        halted += usize::from(failed && done.is_err());
    }
    ensure!(halted > 0, "no error after the end was recorded");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_schedule_survives_its_tick_wherever_that_dies() -> Result<()> {
    for steps in 0..STEPS {
        let (app, post) = (app_with_mail().await?, Post::default());
        app.send("POST", "/v1/schedules", &daily("13:00")).await?.ok()?;
        app.clock().set(NOW + 3600);
        let _ = dying(&app, &post, steps)?.tick().await;
        let accepted = post.taken().len();
        let next = app.reporter(Arc::new(post.clone()))?;
        for later in [3700, 3600 + 2 * LEASE, 3600 + 86_000] {
            app.clock().set(NOW + later);
            next.tick().await?;
        }
        let page = app.get("/v1/report-requests").await?.ok()?;
        let requests = page["requests"].as_array().map(Vec::len);
        ensure!(requests == Some(1), "{steps}: {page}");
        ensure!(page["requests"][0]["status"] == "sent", "{steps}: {page}");
        let mails = post.taken().len();
        ensure!(mails == 1 || (mails == 2 && accepted == 1), "{steps}: {mails} mails");
    }
    Ok(())
}

/// A transport that takes its time: while it does, another worker looks for something to do, more than a lease
/// later.
#[derive(Debug)]
struct SlowPost {
    post: Post,
    clock: Clock,
    other: Reporter,
}

#[async_trait]
impl Transport for SlowPost {
    fn limit(&self) -> usize {
        self.post.limit()
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        for _ in 0..2 * LEASE / 30 {
            self.clock.set(self.clock.now() + 30);
            tokio::time::sleep(Duration::from_secs(31)).await;
            let failed = |error: ReportError| SendError::Permanent(error.to_string());
            let done = self.other.tick().await.map_err(failed)?;
            if done != (Summary { next: done.next, ..Summary::default() }) {
                return Err(SendError::Permanent("another worker began".to_owned()));
            }
        }
        self.post.send(message).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_lasts_as_long_as_the_work() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let other = app.reporter(Arc::new(post.clone()))?;
    let slow = SlowPost { post: post.clone(), clock: app.clock().clone(), other };
    let id = ask(&app, &asked("tls-usage")).await?;
    let done = app.reporter(Arc::new(slow))?.handle(&inserted(&id)).await?;
    ensure!(done.sent == 1, "{}", request(&app, &id).await?);
    ensure!(post.taken().len() == 1);
    Ok(())
}

#[tokio::test]
async fn an_end_that_is_recorded_late_is_not_begun_anew() -> Result<()> {
    let app = app_with_mail().await?;
    let id = ask(&app, &asked("tls-usage")).await?;
    let first = app.store.report_requests().claim(&id, "first", NOW, LEASE).await?;
    ensure!(matches!(first, Claim::Granted(_)));
    // The second one sees that the first one's time is over; before it has claimed the request, that one records
    // that the mail was accepted.
    let (store, ended) = (app.store.clone(), id.clone());
    let end = async move {
        let sent = Ended {
            status: Status::Sent,
            at: NOW + LEASE,
            reason: None,
            message_id: None,
            messages: None,
        };
        let recorded = store.report_requests().end(&ended, "first", &sent).await;
        assert!(recorded.is_ok_and(|recorded| recorded));
    };
    let second = store_that_is_overtaken(&app.engine, end.boxed());
    let claim = second.report_requests().claim(&id, "second", NOW + LEASE + 1, LEASE).await?;
    ensure!(!matches!(claim, Claim::Granted(_)), "{claim:?}");
    ensure!(request(&app, &id).await?["status"] == "sent");
    Ok(())
}

#[tokio::test]
async fn events_of_other_kinds_are_refused() -> Result<()> {
    let app = App::new().await?;
    let reporter = app.reporter(Arc::new(Post::default()))?;
    let error = reporter.handle(&json!({"Records": [{"eventSource": "aws:kinesis"}]})).await;
    ensure!(error.is_err_and(|error| error.to_string().contains("aws:kinesis")));
    Ok(())
}
