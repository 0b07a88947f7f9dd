//! moto, an implementation of AWS's interfaces that is not ours. `MOTO_PYTHON` names a Python that can import
//! `moto.server`.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use axum::body::{Body, Bytes};
use axum::http::request::Builder;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::http::send;
use crate::process::line_with;

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub struct Moto {
    _process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The Python that has moto.
///
/// # Errors
/// None is named.
pub fn python() -> Result<String> {
    std::env::var("MOTO_PYTHON").context("MOTO_PYTHON names no Python")
}

impl Moto {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> Result<Self> {
        let mut process = Command::new(python()?)
            .args(["-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stderr.take().context("stderr")?;
        let address = line_with(output, "Running on http://").await?;
        Ok(Self { _process: process, address: address.trim().parse()? })
    }

    /// Makes an identity that mail may come from: an address or a domain.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn verify(&self, identity: &str) -> Result<()> {
        let body = json!({"EmailIdentity": identity}).to_string();
        let (status, answer) = post(self.address, "/v2/email/identities", body.into()).await?;
        ensure!(status == StatusCode::OK, "{status} {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Asks Kinesis.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn kinesis(&self, operation: &str, asked: &Value) -> Result<Value> {
        self.json("kinesis", "1.1", &format!("Kinesis_20131202.{operation}"), asked).await
    }

    /// Asks a service that speaks this version of AWS's JSON.
    async fn json(
        &self,
        service: &str,
        version: &str,
        target: &str,
        asked: &Value,
    ) -> Result<Value> {
        let request = Request::post(format!("http://{}/", self.address))
            .header("x-amz-target", target)
            .header("content-type", format!("application/x-amz-json-{version}"));
        let body = Body::from(asked.to_string());
        let (status, answer) = send(signed(request, service).body(body)?).await?;
        ensure!(status.is_success(), "{target}: {status} {}", String::from_utf8_lossy(&answer));
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// The bytes of all records of a stream with one shard.
    ///
    /// # Errors
    /// There is no such stream.
    pub async fn records(&self, stream: &str) -> Result<Vec<Vec<u8>>> {
        let asked = json!({"StreamName": stream, "ShardId": "shardId-000000000000",
            "ShardIteratorType": "TRIM_HORIZON"});
        let mut iterator = self.kinesis("GetShardIterator", &asked).await?["ShardIterator"].clone();
        let mut all = Vec::new();
        loop {
            let page = self.kinesis("GetRecords", &json!({"ShardIterator": iterator})).await?;
            let records = page["Records"].as_array().context("records")?;
            if records.is_empty() {
                return Ok(all);
            }
            for record in records {
                let data = record["Data"].as_str().context("data")?;
                all.push(base64_simd::STANDARD.decode_to_vec(data)?);
            }
            iterator = page["NextShardIterator"].clone();
        }
    }

    async fn sqs(&self, operation: &str, asked: &Value) -> Result<Value> {
        self.json("sqs", "1.0", &format!("AmazonSQS.{operation}"), asked).await
    }

    /// A new queue with this name: its address.
    async fn queue(&self, name: &str) -> Result<String> {
        let made = self.sqs("CreateQueue", &json!({"QueueName": name})).await?;
        Ok(made["QueueUrl"].as_str().context("an address")?.to_owned())
    }

    /// A queue that has what is published to a topic.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn subscribed(&self, topic: &str) -> Result<String> {
        let queue = self.queue("subscribed").await?;
        let asked = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", "arn:aws:sqs:eu-west-1:123456789012:subscribed"),
        ];
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
        let request = Request::post(format!("http://{}/", self.address))
            .header("content-type", "application/x-www-form-urlencoded");
        let (status, answer) = send(signed(request, "sns").body(Body::from(body))?).await?;
        ensure!(status.is_success(), "{status} {}", String::from_utf8_lossy(&answer));
        Ok(queue)
    }

    async fn event_bridge(&self, operation: &str, asked: &Value) -> Result<Value> {
        self.json("events", "1.1", &format!("AWSEvents.{operation}"), asked).await
    }

    /// A queue that has the events of a source on the default bus. Rules with a schedule go: moto hands them every event,
    /// which AWS does not, and breaks off at targets that it does not know.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn events_of(&self, source: &str) -> Result<String> {
        let queue = self.queue("events").await?;
        let rules = self.event_bridge("ListRules", &json!({})).await?;
        for rule in rules["Rules"].as_array().into_iter().flatten() {
            let name = &rule["Name"];
            let targets = self.event_bridge("ListTargetsByRule", &json!({"Rule": name})).await?;
            let targets = targets["Targets"].as_array().into_iter().flatten();
            let ids: Vec<_> = targets.map(|target| &target["Id"]).collect();
            if rule["ScheduleExpression"].is_string() {
                self.event_bridge("RemoveTargets", &json!({"Rule": name, "Ids": ids})).await?;
                self.event_bridge("DeleteRule", &json!({"Name": name})).await?;
            }
        }
        let pattern = json!({"source": [source]}).to_string();
        let target = json!({"Id": "1", "Arn": "arn:aws:sqs:eu-west-1:123456789012:events"});
        self.event_bridge("PutRule", &json!({"Name": "told", "EventPattern": pattern})).await?;
        let targets = json!({"Rule": "told", "Targets": [target]});
        self.event_bridge("PutTargets", &targets).await?;
        Ok(queue)
    }

    /// The bodies of what is in a queue, which is empty then.
    ///
    /// # Errors
    /// There is no such queue, or a body is no JSON.
    pub async fn taken(&self, queue: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10});
            let page = self.sqs("ReceiveMessage", &asked).await?;
            let Some(messages) = page["Messages"].as_array() else { return Ok(all) };
            for message in messages {
                let body = message["Body"].as_str().context("a body")?;
                all.push(serde_json::from_str(body)?);
                let gone = json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]});
                self.sqs("DeleteMessage", &gone).await?;
            }
        }
    }

    /// Lets requests without TLS come to a bucket whose policy denies them: there is none here.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn allow_plain_http(&self, bucket: &str) -> Result<()> {
        let request = Request::delete(format!("http://{}/{bucket}?policy", self.address));
        let (status, answer) = send(signed(request, "s3").body(Body::empty())?).await?;
        ensure!(status.is_success(), "{status} {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn make_bucket(&self, bucket: &str) -> Result<()> {
        let place = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        let request = Request::put(format!("http://{}/{bucket}", self.address));
        let (status, answer) = send(signed(request, "s3").body(Body::from(place))?).await?;
        ensure!(status == StatusCode::OK, "{status} {}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Puts an object into a bucket.
    ///
    /// # Errors
    /// moto refuses it.
    pub async fn put_object(&self, bucket: &str, object: &str) -> Result<()> {
        let request = Request::put(format!("http://{}/{bucket}/{object}", self.address));
        let (status, answer) = send(signed(request, "s3").body(Body::from("old"))?).await?;
        ensure!(status == StatusCode::OK, "{status} {}", String::from_utf8_lossy(&answer));
        Ok(())
    }
}

/// The scope of a signature tells the region and the service; nobody here checks the rest.
pub(crate) fn signed(request: Builder, service: &str) -> Builder {
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=test/20261124/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=test"
    );
    request.header("authorization", signature)
}

/// Posts JSON to SES.
///
/// # Errors
/// There is no answer.
pub async fn post(address: SocketAddr, path: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
    let request = Request::post(format!("http://{address}{path}"));
    let request = signed(request, "ses").header("content-type", "application/json");
    send(request.body(Body::from(body))?).await
}
