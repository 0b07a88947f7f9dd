//! The functions over implementations of DynamoDB that have nothing to do with the embedded one: what they count, tell,
//! archive and mail must be the same.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use serde_json::{Value, json};
use tests::gateway;
use tests::kinesis::{self, Puts, Record};
use tests::lambda::Outcome;
use tests::moto::Moto;
use tests::stage::{self, PATIENCE, Stage};
use tests::tables::{Dynalite, Tables};

use super::now;

const DAY: i64 = 86_400;
const BUCKET: &str = "archive";

/// Messages of today and of some days ago, a line each, with how many each sender sent.
fn log(rng: &mut Rng) -> (Vec<String>, BTreeMap<String, u64>) {
    let mut sent = BTreeMap::new();
    let lines = (0..600).map(|number| {
        let sender = format!("s{}@example.test", rng.u32(0..40));
        *sent.entry(sender.clone()).or_default() += 1;
        let time = chrono::DateTime::from_timestamp(now() - DAY * rng.i64(0..5), 0);
        let (account, client) = (format!("a{}", rng.u32(0..9)), format!("192.0.2.{}", number % 50));
        json!({"time": time, "sender": sender, "account": account, "client": client, "tls": "TLS1.2"})
            .to_string()
    });
    (lines.collect(), sent)
}

/// Delivers a log as CloudWatch Logs and Lambda may: cut anew, again, and to a function that dies.
async fn deliver(stage: &Stage, lines: &[String], rng: &mut Rng) -> Result<u32> {
    let puts = Puts { log_stream: "mx1", lines, size: 9 };
    let (mut payloads, mut taken) = (Vec::new(), 0);
    while taken < lines.len() {
        let to = lines.len().min(taken + rng.usize(1..25));
        payloads.push(puts.payload(taken..to, now()));
        taken = to;
        if rng.u32(0..4) == 0 {
            let from = rng.usize(0..taken);
            payloads.push(puts.payload(from..rng.usize(from + 1..=taken), now()));
        }
    }
    let records: Vec<_> =
        (1..).zip(payloads).map(|(sequence, data)| Record { sequence, data }).collect();
    let (lasting, mut taken, mut killed) = (stage.ingest()?, 0, 0);
    while taken < records.len() {
        let to = records.len().min(taken + rng.usize(1..9));
        let from = if rng.bool() { taken } else { rng.usize(0..=taken) };
        let event = kinesis::event("shardId-000000000000", &records[from..to], now());
        if rng.u32(0..3) == 0 {
            let mortal = stage.function("ingest", &[], Duration::from_millis(900))?;
            mortal.start().await?;
            stage.aws.hang_after(rng.usize(0..6), rng.bool());
            let outcome = mortal.invoke(&event).await?;
            stage.aws.go_on();
            killed += u32::from(outcome == Outcome::TimedOut);
        } else {
            assert_eq!(lasting.invoke(&event).await?, Outcome::Answered(Value::Null));
            taken = to;
        }
    }
    Ok(killed)
}

async fn works(tables: Tables) -> Result<()> {
    let moto = Moto::start().await?;
    moto.verify("example.test").await?;
    moto.make_bucket(BUCKET).await?;
    let stage = Stage::over(tables, Some(moto.address)).await?;
    let mut rng = Rng::with_seed(9);
    let (lines, sent) = log(&mut rng);
    let killed = deliver(&stage, &lines, &mut rng).await?;
    ensure!(killed > 2, "{killed} died");

    let query = stage.function("query", &[], PATIENCE)?;
    let rows = async || -> Result<BTreeMap<String, u64>> {
        let path = "/v1/reports/sending-volume/details?limit=100";
        let answer = gateway::ask(&query, stage.question(path)?).await?.ok()?;
        let rows = answer["rows"].as_array().context("rows")?.iter();
        let rows = rows.map(|row| {
            let sender = row["sender"].as_str().context("a sender")?;
            Ok((sender.to_owned(), row["messages"].as_u64().context("messages")?))
        });
        rows.collect()
    };
    assert_eq!(rows().await?, sent);
    // The same of archives, which the archive function makes of the table.
    let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
    let archived = stage.function("archive", &[], PATIENCE)?.invoke(&tick).await?.answer()?;
    ensure!(archived["new"].as_u64() > Some(0), "{archived}");
    assert_eq!(rows().await?, sent);

    // And of a report by mail, of which the table's stream tells.
    let asked = json!({"view": "sending-volume", "recipients": ["ann@example.test"]});
    let request = stage.request(&query, &asked).await?;
    let id = request["id"].as_str().context("an id")?;
    let event = json!({"Records": [{
        "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": {"S": "REQUESTS"}, "sk": {"S": id}}},
    }]});
    for _ in 0..2 {
        stage.function("report", &[], PATIENCE)?.invoke(&event).await?.answer()?;
    }
    let managers = stage.issuer.token(&stage.issuer.claims(&["managers"]));
    let question = stage::question(&format!("/v1/report-requests/{id}"), &managers)?;
    let told = gateway::ask(&query, question).await?.ok()?;
    assert_eq!((&told["status"], &told["messages"]), (&json!("sent"), &json!(600)), "{told}");
    assert_eq!(stage.aws.mails().len(), 1);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs and moto (MOTO_PYTHON)"]
async fn the_functions_work_on_moto() -> Result<()> {
    let moto = Moto::start().await?;
    works(Tables::served(moto.address, true)).await
}

#[tokio::test]
#[ignore = "needs the functions' programs, moto (MOTO_PYTHON) and npm's dynalite"]
async fn the_functions_work_on_dynalite() -> Result<()> {
    works(Dynalite::start().await?.tables.clone()).await
}
