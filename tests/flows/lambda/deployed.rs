//! The template as it is deployed: the functions run with the environment that it gives them, hold no permission but
//! those of their roles, and use every one.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{Method, Request};
use local::engine::Engine;
use serde_json::{Value, json};
use store::{REPORT_REQUESTS, Store, Writing};
use tests::app::Answer;
use tests::aws::Aws;
use tests::gateway;
use tests::issuer::Issuer;
use tests::kinesis::{self, Puts, Record};
use tests::lambda::Function;
use tests::mail::Letter;
use tests::moto::{self, Moto};
use tests::policy::{Policy, Wish, fits};
use tests::process::{built, program};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedReceiver;

use super::now;

const FUNCTIONS: [&str; 5] = ["ingest", "archive", "detect", "query", "report"];
const DAY: i64 = 86_400;

/// The stack.
struct Stack {
    moto: Moto,
    aws: Aws,
    issuer: Issuer,
    /// What came of the deployment.
    told: Value,
    store: Store,
    /// The table's stream.
    stream: UnboundedReceiver<Value>,
}

impl Stack {
    async fn deploy() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let moto = Moto::start().await?;
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("told.json");
        let deployed = Command::new(moto::python()?)
            .arg(root.join("aws/deploy.py"))
            .args(["--endpoint", &format!("http://{}", moto.address)])
            .arg("--packages")
            .arg(root.join("../target/lambda"))
            .arg("--out")
            .arg(&out)
            .args(["--parameter", "MailFrom=reports@example.test"])
            .args(["--parameter", "RecipientDomains=example.test"])
            .args(["--parameter", "LogGroup1=/mail/mx1"])
            .args(["--parameter", "FirstManager=ann@example.test"])
            .status()
            .await?;
        ensure!(deployed.success(), "it was not deployed");
        let told: Value = serde_json::from_slice(&std::fs::read(out)?)?;
        moto.verify("example.test").await?;
        moto.allow_plain_http(told["bucket"].as_str().context("a bucket")?).await?;
        let engine = Engine::in_memory()?;
        let stream = engine.new_items(REPORT_REQUESTS);
        let table = told["table"].as_str().context("a table")?;
        let store = Store::new(engine.client(), table, Writing::Single { concurrency: 1 });
        store.create_table().await?;
        let aws = Aws::start(engine, Some(moto.address)).await?;
        let stack = Self { moto, aws, issuer: Issuer::start(now()).await?, told, store, stream };
        for name in FUNCTIONS {
            stack.aws.hold(name, stack.policy(name)?);
        }
        Ok(stack)
    }

    fn policy(&self, name: &str) -> Result<Policy> {
        let statements = self.told["functions"][name]["policies"].as_array();
        Policy::read(statements.context("policies")?)
    }

    /// A new environment of a function.
    fn function(&self, name: &str) -> Result<Function> {
        let function = &self.told["functions"][name];
        let given = function["environment"].as_object().context("an environment")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut all: Vec<_> =
            given.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        if name == "query" {
            // Cognito is not here; its place takes an issuer that is.
            all.retain(|(name, _)| name != "OIDC_ISSUER" && name != "OIDC_CLIENT_ID");
            all.extend(self.issuer.environment());
        }
        all.extend(self.aws.environment(name));
        let timeout = function["timeout"].as_u64().context("a timeout")?;
        Ok(Function::new(built(program(name))?, all, Duration::from_secs(timeout)))
    }

    async fn invoke(&self, name: &str, event: &Value) -> Result<Value> {
        let function = self.function(name)?;
        let outcome = function.invoke(event).await?;
        outcome.answer().with_context(|| format!("{name}: {}", function.told().join("\n")))
    }

    async fn ask(
        &self,
        query: &Function,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let token = self.issuer.token(&self.issuer.claims(&["managers"]));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "the-same");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        gateway::ask(query, request.body(body)?).await
    }

    /// New report requests, as the event source with its filter hands them to the function.
    fn new_requests(&mut self) -> Result<Value> {
        let mut records = Vec::new();
        while let Ok(record) = self.stream.try_recv() {
            ensure!(passes(&self.told["stream_filter"], &record), "the filter stops {record}");
            records.push(record);
        }
        Ok(json!({ "Records": records }))
    }
}

/// Whether a record fits an event source's filter pattern: fields as lists of what they may be.
fn passes(pattern: &Value, record: &Value) -> bool {
    match pattern {
        Value::Object(fields) => {
            fields.iter().all(|(name, pattern)| passes(pattern, &record[name]))
        }
        Value::Array(values) => values.contains(record),
        _ => false,
    }
}

/// Lines of a log as an agent writes them to the stream: messages of some senders over two TLS versions, the first of them
/// from a server that tells what clients are called.
fn lines(time: i64, senders: u64) -> String {
    let time = chrono::DateTime::from_timestamp(time, 0).unwrap_or_default();
    let line = |sender: u64| {
        let tls = if sender.is_multiple_of(3) { "TLS1.0" } else { "TLS1.3" };
        let (sender, account) = (format!("s{sender}@example.test"), format!("a{sender}"));
        json!({"time": time, "sender": sender, "account": account, "tls": tls, "client": "192.0.2.1"}).to_string()
    };
    let postfix = [
        "smtpd[7]: Anonymous TLS connection established from pc.example.test[192.0.2.1]: \
         TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)",
        "smtpd[7]: 4F1D2C0A81: client=pc.example.test[192.0.2.1], \
         sasl_method=PLAIN, sasl_username=a0",
        "qmgr[8]: 4F1D2C0A81: from=<s0@example.test>, size=512, nrcpt=2 (queue active)",
    ];
    let postfix = postfix.iter().map(|text| format!("{} mx1 postfix/{text}", time.to_rfc3339()));
    let failure = json!({
        "time": time, "event": "auth_failure", "account": "root", "client": "192.0.2.66",
    });
    let lines = postfix.chain((1..senders).map(line)).chain([failure.to_string()]);
    lines.map(|line| line + "\n").collect()
}

#[tokio::test]
#[ignore = "needs the programs, the packages of cargo lambda build, moto and SAM (MOTO_PYTHON)"]
async fn the_stack_works_and_nothing_in_it_can_do_more_than_it_does() -> Result<()> {
    let mut stack = Stack::deploy().await?;
    // Log lines of today from CloudWatch, and of some days ago from an agent; and something that is neither.
    let (old, new) = (lines(now() - 5 * DAY, 9), lines(now(), 6));
    let records = [
        Record { sequence: 1, data: old.into_bytes() },
        Record { sequence: 2, data: b"\0\x01".to_vec() },
        Record { sequence: 3, data: kinesis::cloudwatch("mx1", new.lines(), 1, now()) },
    ];
    // Delivered in part, then whole, to environments that know nothing of each other.
    for part in [&records[..1], &records[..], &records[..]] {
        stack.invoke("ingest", &kinesis::event("shardId-000000000000", part, now())).await?;
    }
    // A payload that comes again after many others of the same time: what its log stream's state has no room for is looked up.
    let some = |number: u32| {
        let lines = vec![String::from("mx1 cron[1]: a line"); 200];
        Puts { log_stream: "mx2", lines: &lines, size: 1 }
            .payload(number as usize..number as usize + 1, now())
    };
    let others: Vec<_> = (0..150)
        .map(|number| Record { sequence: 10 + u64::from(number), data: some(number) })
        .collect();
    for part in [
        &others[..],
        &[Record { sequence: 300, data: some(151) }],
        &[Record { sequence: 301, data: some(0) }],
    ] {
        stack.invoke("ingest", &kinesis::event("shardId-000000000000", part, now())).await?;
    }
    // What is too old lies in the bucket since the archive function last ran.
    let bucket = stack.told["bucket"].as_str().context("a bucket")?.to_owned();
    stack.moto.put_object(&bucket, "usage/dt=2020-01-01/usage.parquet").await?;
    let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
    let archived = stack.invoke("archive", &tick).await?;
    assert_eq!((&archived["new"], &archived["removed"]), (&json!(1), &json!(1)), "{archived}");

    let again = stack.invoke("archive", &tick).await?;
    assert_eq!((&again["new"], &again["current"]), (&json!(0), &json!(1)), "{again}");

    // Nothing is odd yet, and the next run finds that nothing was counted since.
    let judged = stack.invoke("detect", &tick).await?;
    assert_eq!((&judged["accounts"], &judged["raised"]), (&json!(9), &json!(0)), "{judged}");
    let query = stack.function("query")?;
    let mut totals = BTreeSet::new();
    for path in ["/v1/reports/sending-volume", "/v1/reports/tls-usage"] {
        let chart = stack.ask(&query, Method::GET, path, None).await?.ok()?;
        totals.insert(chart["total"].as_u64().context("a total")?);
        let table = stack.ask(&query, Method::GET, &format!("{path}/details"), None).await?.ok()?;
        let rows = table["rows"].as_array().context("rows")?;
        totals.insert(rows.iter().filter_map(|row| row["messages"].as_u64()).sum());
    }
    let insight = stack.ask(&query, Method::GET, "/v1/insight", None).await?.ok()?;
    totals.insert(insight["messages"].as_u64().context("messages")?);
    assert_eq!(totals, BTreeSet::from([15]));
    for path in [
        "/healthz",
        "/v1/insight/details",
        "/v1/domains",
        "/v1/sources",
        "/v1/senders?sender=s1%40example.test",
        "/v1/reports/tls-usage/details?group=client",
        "/v1/reports/mechanisms",
        "/v1/accounts?account=a1",
        "/v1/clients?client=192.0.2.1",
        "/v1/failed-logins",
        "/v1/plan?off=TLS1.0",
        "/v1/search?search=192.0.2.0/24",
        "/v1/channels",
    ] {
        stack.ask(&query, Method::GET, path, None).await?.ok()?;
    }
    // Whoever manages decides about an alert.
    let today = report::day_in(chrono_tz::UTC, now());
    let alert = json!({
        "id": "one", "kind": "volume", "account": "a1", "domain": "example.test", "severity": "high", "score": 1.0,
        "day": today, "last_day": today, "raised_day": today, "reason": "a1 sent.",
        "signals": [], "evidence": {}, "status": "open", "resolution": null, "raised_at": now(), "news_at": now(),
        "decision": null,
    });
    let case: detect::Case = serde_json::from_value(alert)?;
    stack.store.alerts().decide(|_| vec![case.clone()]).await?;
    tells_of_alerts(&stack, &tick).await?;
    let decision = Some(json!({"status": "acknowledged"}));
    let path = "/v1/alerts/one/status";
    let decided = stack.ask(&query, Method::POST, path, decision.as_ref()).await?.ok()?;
    assert_eq!(decided["status"], "acknowledged");
    let listed = stack.ask(&query, Method::GET, "/v1/alerts", None).await?.ok()?;
    assert_eq!(listed["alerts"][0], decided);
    // And mutes it.
    let mute = Some(json!({"account": "a1", "reason": "a test"}));
    let muted = stack.ask(&query, Method::POST, "/v1/mutes", mute.as_ref()).await?.ok()?;
    let listed = stack.ask(&query, Method::GET, "/v1/alerts", None).await?.ok()?;
    assert_eq!(listed["alerts"], json!([]));
    let path = format!("/v1/mutes/{}", muted["id"].as_str().context("an id")?);
    let gone = stack.ask(&query, Method::DELETE, &path, None).await?;
    assert_eq!(gone.status, 204, "{}", String::from_utf8_lossy(&gone.body));
    let listed = stack.ask(&query, Method::GET, "/v1/alerts", None).await?.ok()?;
    assert_eq!(listed["alerts"][0], decided);
    let csv = stack.ask(&query, Method::GET, "/v1/reports/detailed", None).await?.text()?;
    assert_eq!(csv.lines().count(), 16);

    // A report is asked for twice with one key: it is written once, and once alone sent.
    let asked = json!({"view": "tls-usage", "recipients": ["ann@example.test"]});
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let request =
            stack.ask(&query, Method::POST, "/v1/report-requests", Some(&asked)).await?.ok()?;
        ids.insert(request["id"].as_str().context("an id")?.to_owned());
    }
    let new = stack.new_requests()?;
    assert_eq!((ids.len(), new["Records"].as_array().map(Vec::len)), (1, Some(1)));
    for _ in 0..2 {
        stack.invoke("report", &new).await?;
    }
    let id = ids.pop_first().context("an id")?;
    let path = format!("/v1/report-requests/{id}");
    let request = stack.ask(&query, Method::GET, &path, None).await?.ok()?;
    assert_eq!(
        (&request["status"], &request["messages"]),
        (&json!("sent"), &json!(15)),
        "{request}"
    );
    let listed = stack.ask(&query, Method::GET, "/v1/report-requests", None).await?.ok()?;
    assert_eq!(listed["requests"][0]["id"], id.as_str());

    // A schedule is made, changed, run and deleted.
    let mut schedule = json!({
        "name": "Legacy", "view": "tls-usage", "recipients": ["ann@example.test"],
        "frequency": "daily", "time": "00:00",
    });
    let made = stack.ask(&query, Method::POST, "/v1/schedules", Some(&schedule)).await?.ok()?;
    let path = format!("/v1/schedules/{}", made["id"].as_str().context("an id")?);
    schedule["name"] = json!("Old clients");
    stack.ask(&query, Method::PUT, &path, Some(&schedule)).await?.ok()?;
    // As if it had been made a day ago: it was due at midnight.
    let mut made = stack.store.schedules().list(now()).await?.pop().context("a schedule")?;
    made.since -= DAY;
    ensure!(stack.store.schedules().put(&made, true).await?);
    let ticked = stack.invoke("report", &tick).await?;
    assert_eq!(ticked["scheduled"], 1, "{ticked}");
    stack.ask(&query, Method::GET, "/v1/schedules", None).await?.ok()?;
    let deleted = stack.ask(&query, Method::DELETE, &path, None).await?;
    ensure!(deleted.status.is_success(), "{}", deleted.status);

    // A note is written, looked up and deleted.
    let (about, note) = ("/v1/notes?account=printer", json!({"name": "Printer"}));
    stack.ask(&query, Method::PUT, about, Some(&note)).await?.ok()?;
    let noted = stack.ask(&query, Method::GET, about, None).await?.ok()?;
    assert_eq!(noted["notes"][0]["name"], "Printer");
    let deleted = stack.ask(&query, Method::DELETE, about, None).await?;
    ensure!(deleted.status.is_success(), "{}", deleted.status);

    let mails = stack.aws.mails();
    assert_eq!(mails.len(), 2);
    let raw = mails[0]["Content"]["Raw"]["Data"].as_str().context("a message")?;
    let letter = Letter::read(&base64_simd::STANDARD.decode_to_vec(raw)?)?;
    assert_eq!(letter.to, ["ann@example.test"]);
    assert_eq!(letter.messages("detailed_")?, 15);
    let dashboard = stack.told["functions"]["report"]["environment"]["DASHBOARD_URL"].as_str();
    ensure!(letter.text.contains(dashboard.context("an address")?), "{}", letter.text);

    assert_eq!(stack.aws.denied(), []);
    for name in FUNCTIONS {
        uses_all(&stack, name)?;
    }
    strangers_stay_out(&stack)
}

/// Those who listen on AWS are told of the alert that is open, and of a test.
async fn tells_of_alerts(stack: &Stack, tick: &Value) -> Result<()> {
    let environment = &stack.told["functions"]["detect"]["environment"];
    let topic = environment["ALERT_TOPIC"].as_str().context("a topic")?;
    let subscribed = stack.moto.subscribed(topic).await?;
    let events = stack.moto.events_of("smtp-auth-report").await?;
    let told = stack.invoke("detect", tick).await?;
    let states = stack.store.alerts().channels().await?;
    let came = (&told["told"], &told["failing_channels"]);
    assert_eq!(came, (&json!(2), &json!(0)), "{states:?}, denied: {:?}", stack.aws.denied());
    let again = stack.invoke("detect", tick).await?;
    assert_eq!(again["told"], 0, "{again}");
    let link = environment["DASHBOARD_URL"].as_str().context("an address")?;
    let link = format!("{link}/alerts/one");
    let [news] = &stack.moto.taken(&subscribed).await?[..] else { anyhow::bail!("one message") };
    assert_eq!(news["Subject"], "a1 needs attention");
    assert_eq!(news["MessageAttributes"]["severity"]["Value"], "high");
    let message: Value = serde_json::from_str(news["Message"].as_str().context("a message")?)?;
    assert_eq!(message["alerts"][0]["link"], link);
    let [event] = &stack.moto.taken(&events).await?[..] else { anyhow::bail!("one event") };
    assert_eq!((&event["detail-type"], &event["detail"]["link"]), (&json!("Alert"), &json!(link)));
    assert_eq!(event["detail"]["alert"]["reason"], "a1 sent.");
    let tested = stack.invoke("detect", &json!({"test": true})).await?;
    assert_eq!((&tested["told"], &tested["failing_channels"]), (&json!(2), &json!(0)), "{tested}");
    let [test] = &stack.moto.taken(&events).await?[..] else { anyhow::bail!("one event") };
    assert_eq!((&test["detail-type"], &test["detail"]["event"]), (&json!("Test"), &json!("test")));
    Ok(())
}

/// Whether a function used everything that its role allows it with the table, the bucket, SES, SNS and EventBridge.
fn uses_all(stack: &Stack, name: &str) -> Result<()> {
    let granted = stack.aws.granted();
    let used = |action: &str, pattern: Option<&str>| {
        granted.iter().any(|(role, wish)| {
            let fits = |pattern| wish.about.iter().any(|one| fits(pattern, one));
            role == name && wish.action == action && pattern.is_none_or(fits)
        })
    };
    let policy = stack.policy(name)?;
    let services = ["dynamodb", "s3", "ses", "sns", "events"];
    for (action, pattern) in services.iter().flat_map(|name| policy.allowed(name)) {
        let allowed = format!("{name} may {action} {}", pattern.as_deref().unwrap_or_default());
        let by_lambda = [
            // Lambda reads streams, and puts aside what a function gave up.
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ];
        let put_aside = name == "ingest" && action.starts_with("s3:")
            // SES asks for both, whatever the message's form.
            || name == "report" && action == "ses:SendEmail";
        if by_lambda.contains(&action.as_str()) || put_aside {
            continue;
        }
        // Both change items: which one does, is the function's own affair.
        let ways: &[&str] = match action.as_str() {
            "dynamodb:PutItem" | "dynamodb:UpdateItem" if pattern.is_some() => {
                &["dynamodb:PutItem", "dynamodb:UpdateItem"]
            }
            other => &[other],
        };
        ensure!(ways.iter().any(|way| used(way, pattern.as_deref())), "{allowed}, and never does");
        ensure!(used(&action, None), "{allowed}, and never does");
    }
    Ok(())
}

/// Some things that no function, or only another one, has to do.
fn strangers_stay_out(stack: &Stack) -> Result<()> {
    let table = format!(
        "arn:aws:dynamodb:eu-west-1:123456789012:table/{}",
        stack.told["table"].as_str().unwrap_or("")
    );
    let bucket = format!(
        "arn:aws:s3:::{}/usage/dt=2026-11-24/usage.parquet",
        stack.told["bucket"].as_str().unwrap_or("")
    );
    let wish = |action: &str, resource: &str, about: &str| Wish {
        action: action.to_owned(),
        resource: resource.to_owned(),
        about: vec![about.to_owned()],
    };
    for (name, wish) in [
        // Whoever gets into the function that faces the world changes no count, and reads no log line.
        ("query", wish("dynamodb:UpdateItem", &table, "U#2026-11-24")),
        ("query", wish("dynamodb:PutItem", &table, "R#")),
        ("query", wish("dynamodb:Query", &table, "Q#2026-11-24")),
        ("query", wish("dynamodb:GetItem", &table, "C#cw:1:mail:mx1")),
        ("query", wish("s3:PutObject", &bucket, "")),
        ("report", wish("dynamodb:UpdateItem", &table, "D")),
        ("archive", wish("dynamodb:UpdateItem", &table, "U#2026-11-24")),
        ("detect", wish("dynamodb:UpdateItem", &table, "U#2026-11-24")),
        ("detect", wish("s3:PutObject", &bucket, "")),
        ("ingest", wish("dynamodb:PutItem", &table, "REQUESTS")),
        ("ingest", wish("dynamodb:Query", &table, "U#2026-11-24")),
        ("ingest", wish("s3:GetObject", &bucket, "")),
        (
            "report",
            wish(
                "ses:SendRawEmail",
                "arn:aws:ses:eu-west-1:123456789012:identity/example.test",
                "boss@example.test",
            ),
        ),
    ] {
        ensure!(!stack.policy(name)?.allows(&wish), "{name} may {wish:?}");
    }
    for name in FUNCTIONS {
        for action in ["Scan", "DeleteTable", "UpdateTable", "BatchWriteItem"] {
            let wish = Wish {
                action: format!("dynamodb:{action}"),
                resource: table.clone(),
                about: vec![],
            };
            ensure!(!stack.policy(name)?.allows(&wish), "{name} may {action}");
        }
    }
    Ok(())
}
