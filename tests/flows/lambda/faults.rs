//! What goes wrong around the functions.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tests::gateway;
use tests::kinesis::{self, Record};
use tests::lambda::Outcome;
use tests::stage::{PATIENCE, Stage};

use super::{event, now, payload};

/// The figures of the last invocation, as CloudWatch reads them.
fn figures(told: &[String]) -> Value {
    let line = told.iter().rev().find(|line| line.contains("\"_aws\""));
    line.and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn a_poisoned_batch_loses_nothing_but_the_poison() -> Result<()> {
    let stage = Stage::new().await?;
    let ingest = stage.ingest()?;
    let poison: [&[u8]; 5] = [
        b"\x1f\x8bnot gzip",
        b"\0\x01\x02",
        b"{\"messageType\":\"DATA_MESSAGE\",",
        b"\xf3\x89\x9a\xc2",
        b"",
    ];
    let mut records = vec![Record { sequence: 1, data: payload(1, 3) }];
    records
        .extend((2..).zip(poison).map(|(sequence, data)| Record { sequence, data: data.to_vec() }));
    records.push(Record { sequence: 9, data: payload(2, 4) });
    let mut event = kinesis::event("shardId-000000000000", &records, now());
    event["Records"][2]["kinesis"]["data"] = json!("no base64!");
    for _ in 0..2 {
        assert_eq!(ingest.invoke(&event).await?, Outcome::Answered(Value::Null));
        assert_eq!(figures(&ingest.told())["quarantined"], 4, "{:?}", ingest.told());
    }
    assert_eq!(stage.messages().await?, 7);
    // The same namespace as everybody's, unless another one is named.
    let named = stage.function("ingest", &[("METRICS_NAMESPACE", "mail-stack")], PATIENCE)?;
    named.invoke(&event).await?;
    let told = figures(&named.told());
    assert_eq!(told["_aws"]["CloudWatchMetrics"][0]["Namespace"], "mail-stack");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn a_throttled_table_is_asked_again() -> Result<()> {
    let stage = Stage::new().await?;
    let ingest = stage.ingest()?;
    ingest.start().await?;
    // A few refusals are got over within the invocation.
    stage.aws.throttle(3);
    assert_eq!(ingest.invoke(&event(1, 2, 5)).await?, Outcome::Answered(Value::Null));
    assert_eq!(stage.messages().await?, 10);
    // Lasting ones fail it: Lambda delivers the records again, and they count once.
    stage.aws.throttle(usize::MAX);
    let Outcome::Failed(error) = ingest.invoke(&event(3, 2, 5)).await? else {
        panic!("it did not fail");
    };
    assert!(
        error["errorMessage"].as_str().is_some_and(|told| told.contains("Throttling")),
        "{error}"
    );
    stage.aws.throttle(0);
    for _ in 0..2 {
        assert_eq!(ingest.invoke(&event(3, 2, 5)).await?, Outcome::Answered(Value::Null));
    }
    assert_eq!(stage.messages().await?, 20);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn events_of_an_unknown_shape_are_refused_by_name() -> Result<()> {
    let stage = Stage::new().await?;
    let odd = json!({"Records": [{"eventSource": "aws:sqs", "body": "x"}]});
    for name in ["ingest", "report", "query"] {
        let function = stage.function(name, &[], PATIENCE)?;
        for event in [&odd, &json!({}), &json!([1]), &json!("x"), &Value::Null] {
            let outcome = function.invoke(event).await?;
            let Outcome::Failed(error) = &outcome else {
                panic!("{name} took {event}: {outcome:?}")
            };
            assert!(error["errorMessage"].as_str().is_some_and(|told| !told.is_empty()), "{error}");
        }
        // The same environment goes on.
        let good = match name {
            "ingest" => event(1, 1, 1),
            "report" => json!({"source": "aws.events", "detail-type": "Scheduled Event"}),
            _ => continue,
        };
        function.invoke(&good).await?.answer()?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn a_function_that_is_killed_in_the_middle_counts_once() -> Result<()> {
    let stage = Stage::new().await?;
    let event = event(1, 4, 6);
    // After each number of writes that a batch makes, the table stops answering, and Lambda's patience ends.
    let short = Duration::from_millis(700);
    let mut killed = 0;
    for writes in 0.. {
        let ingest = stage.function("ingest", &[], short)?;
        ingest.start().await?;
        // Every other time the last write is made, but its answer does not come.
        stage.aws.hang_after(writes / 2, writes % 2 == 1);
        let outcome = ingest.invoke(&event).await?;
        stage.aws.go_on();
        match outcome {
            Outcome::TimedOut => killed += 1,
            Outcome::Answered(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(killed > 3, "{killed}");
    assert_eq!(stage.ingest()?.invoke(&event).await?, Outcome::Answered(Value::Null));
    assert_eq!(stage.messages().await?, 24);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn two_invocations_at_once_count_once() -> Result<()> {
    let stage = Stage::new().await?;
    let (one, other) = (stage.ingest()?, stage.ingest()?);
    for round in 0..5 {
        // The same records to both; to one of them some that were counted before, and some that come after.
        one.invoke(&event(round * 10 + 1, 2, 5)).await?.answer()?;
        let (part, whole) = (event(round * 10 + 3, 4, 5), event(round * 10 + 1, 8, 5));
        let (first, second) = tokio::try_join!(one.invoke(&part), other.invoke(&whole))?;
        for outcome in [first, second] {
            assert!(matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_)), "{outcome:?}");
        }
        for event in [&part, &whole] {
            assert_eq!(one.invoke(event).await?, Outcome::Answered(Value::Null));
        }
        assert_eq!(stage.messages().await?, (round + 1) * 40);
    }
    Ok(())
}

/// So many lines of failed logins, as a server writes them that is tried all day.
fn failed_logins(lines: usize) -> String {
    let time = chrono::DateTime::from_timestamp(now(), 0).map(|time| time.to_rfc3339());
    let line = format!(
        "{} mx1 postfix/smtpd[7]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=ann\n",
        time.unwrap_or_default()
    );
    line.repeat(lines)
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn memory_is_bounded_whatever_an_event_inflates_to() -> Result<()> {
    let stage = Stage::new().await?;
    let ingest = stage.ingest()?;
    // Records that are far larger than what is held, as text and as CloudWatch Logs sends it; then many that are not.
    let (large, small) = (400_000, 6_000);
    let text = failed_logins(large);
    let mut records = vec![kinesis::gzip(text.as_bytes())];
    records.push(kinesis::cloudwatch("mx1", text.lines(), 1, now()));
    let text = failed_logins(small);
    records.extend((0..200).map(|_| kinesis::gzip(text.as_bytes())));
    let records = (1..).zip(records).map(|(sequence, data)| Record { sequence, data });
    let event = kinesis::event("shardId-000000000000", &records.collect::<Vec<_>>(), now());
    assert!(event.to_string().len() < 6 << 20);
    for _ in 0..2 {
        assert_eq!(ingest.invoke(&event).await?, Outcome::Answered(Value::Null));
    }
    let told = figures(&ingest.told());
    assert_eq!((&told["quarantined"], &told["not_understood"]), (&json!(0), &json!(0)), "{told}");
    let question = stage.question("/v1/failed-logins")?;
    let query = stage.function("query", &[], PATIENCE)?;
    let answer = gateway::ask(&query, question).await?.ok()?;
    assert_eq!(answer["failures"], json!(2 * large + 200 * small), "{answer}");
    let peak = ingest.peak_memory().await?;
    assert!(peak < 160 << 20, "{} MiB", peak >> 20);
    Ok(())
}
