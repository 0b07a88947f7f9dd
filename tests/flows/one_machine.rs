//! The whole service on one machine, from its door to its end.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::body::Body;
use axum::http::Request;
use bootstrap::{By, Detection, Mail};
use chrono_tz::UTC;
use detect::Sensitivity;
use local::clock::Now;
use local::files::Heard;
use local::home::Home;
use local::mail::Way;
use local::serve::{Door, Service};
use serde_json::json;
use tests::http::send;
use tokio::sync::oneshot;

/// One that keeps nothing and puts mails into a folder.
async fn service(outbox: PathBuf) -> Result<Service> {
    let mail = Mail { from: None, size_limit: None, by: By::Outbox(Some(outbox)) };
    Ok(Service {
        home: Home::in_memory(UTC).await?,
        now: Now::Machine,
        zone: UTC,
        way: Way::of(&mail, None, None)?,
        requests_per_day: 1,
        heard: Heard::default(),
        known: report::Known::default(),
        detection: Detection { sensitivity: Sensitivity::default() },
        alerted: Vec::new(),
        channels: Vec::new(),
        public_url: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_answers_and_mails_until_it_is_told_to_stop() -> Result<()> {
    let outbox = tempfile::tempdir()?;
    let door = Door::open("127.0.0.1:0".parse()?, None).await?;
    let url = door.url();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = service(outbox.path().to_owned()).await?;
    let running = tokio::spawn(service.run(door, async move {
        let _ = stopped.await;
    }));
    let healthy = || Request::get(format!("{url}/healthz")).body(Body::empty());
    ensure!(send(healthy()?).await?.0.is_success());
    let wanted = json!({"view": "tls-usage", "recipients": ["ann@example.test"]});
    let request = Request::post(format!("{url}/v1/report-requests"));
    let request = request.header("content-type", "application/json");
    let (status, answer) = send(request.body(Body::from(wanted.to_string()))?).await?;
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&answer));
    // New requests wake the worker: none of its ticks is waited for.
    let mailed = tokio::time::timeout(Duration::from_secs(5), async {
        while fs::read_dir(outbox.path())?.count() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    });
    mailed.await??;
    ensure!(stop.send(()).is_ok());
    running.await?;
    ensure!(send(healthy()?).await.is_err(), "it still answers");
    ensure!(fs::read_dir(outbox.path())?.count() == 1, "mails are not its own to remove");
    Ok(())
}

#[tokio::test]
async fn a_door_that_is_taken_is_told_with_what_to_do() -> Result<()> {
    let door = Door::open("127.0.0.1:0".parse()?, None).await?;
    let taken = door.url().replace("http://", "").parse()?;
    let Err(error) = Door::open(taken, None).await else { anyhow::bail!("two at one door") };
    let told = format!("{error:#}");
    ensure!(told.contains("cannot listen on") && told.contains("--listen"), "{told}");
    Ok(())
}
