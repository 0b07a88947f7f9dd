//! Who holds the tables: the embedded engine, or another implementation of DynamoDB.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use axum::body::Body;
use axum::http::Request;
use local::engine::{self, Engine, operation_of, response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::http::send;
use crate::moto::signed;
use crate::process::line_with;

/// An implementation of DynamoDB.
#[derive(Clone, Debug)]
pub enum Tables {
    /// The one that is built in.
    Embedded(Engine),
    /// A server.
    Served(Served),
}

/// A server of another implementation.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    address: SocketAddr,
    /// Whether it has all that is asked for here. If not, three things of the API Reference are missing: the item that has
    /// refused a write (`ReturnValuesOnConditionCheckFailure` of PutItem, UpdateItem and DeleteItem), which is read afterwards;
    /// `TransactWriteItems`, whose writes are made one after the other; and `UpdateTimeToLive`, without which nothing expires.
    is_complete: bool,
}

/// dynalite, which `dynalite` on the path starts; it ends when this is dropped.
#[derive(Debug)]
pub struct Dynalite {
    _process: Child,
    /// Its tables.
    pub tables: Tables,
}

impl Dynalite {
    /// Starts it on a free port, with nothing in it.
    ///
    /// # Errors
    /// It is not there, or does not start.
    pub async fn start() -> Result<Self> {
        // To it, port 0 is none.
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let mut process = Command::new("dynalite")
            .args(["--host", "127.0.0.1", "--createTableMs", "0"])
            .args(["--port", &address.port().to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("dynalite")?;
        let output = process.stdout.take().context("stdout")?;
        line_with(output, "listening at: ").await?;
        Ok(Self { _process: process, tables: Tables::served(address, false) })
    }
}

impl From<Engine> for Tables {
    fn from(engine: Engine) -> Self {
        Self::Embedded(engine)
    }
}

impl Tables {
    /// Those of a server, which may lack some things that DynamoDB has.
    #[must_use]
    pub const fn served(address: SocketAddr, is_complete: bool) -> Self {
        Self::Served(Served { address, is_complete })
    }

    /// A client of them.
    #[must_use]
    pub fn client(&self) -> Client {
        match self {
            Self::Embedded(engine) => engine.client(),
            Self::Served(served) => engine::client(*served),
        }
    }

    /// Answers a request as [`Engine::answer`] does.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn answer(&self, operation: String, body: Vec<u8>) -> Result<(u16, Vec<u8>)> {
        match self {
            Self::Embedded(engine) => engine.answer(operation, body).await,
            Self::Served(served) => served.answer(&operation, body).await,
        }
    }
}

impl Served {
    async fn answer(&self, operation: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>)> {
        if !self.is_complete && operation == "UpdateTimeToLive" {
            let asked: Value = serde_json::from_slice(&body)?;
            let set = json!({"TimeToLiveSpecification": asked["TimeToLiveSpecification"]});
            return Ok((200, set.to_string().into_bytes()));
        }
        if !self.is_complete && operation == "TransactWriteItems" {
            return self.transact(&serde_json::from_slice(&body)?).await;
        }
        let (status, answer) = self.ask(operation, body.clone()).await?;
        if self.is_complete || status == 200 {
            return Ok((status, answer));
        }
        let mut error: Value = serde_json::from_slice(&answer)?;
        let is_refused = error["__type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("ConditionalCheckFailedException"));
        let asked: Value = serde_json::from_slice(&body)?;
        if is_refused && asked["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" {
            let of = if asked["Key"].is_object() { &asked["Key"] } else { &asked["Item"] };
            let key = json!({"pk": of["pk"], "sk": of["sk"]});
            let get = json!({"TableName": asked["TableName"], "Key": key, "ConsistentRead": true});
            let (_, got) = self.ask("GetItem", get.to_string().into_bytes()).await?;
            let mut got: Value = serde_json::from_slice(&got)?;
            error["Item"] = got["Item"].take();
        }
        Ok((status, error.to_string().into_bytes()))
    }

    /// Makes the writes of a transaction until one is refused: enough where nobody else writes the same.
    async fn transact(&self, asked: &Value) -> Result<(u16, Vec<u8>)> {
        let writes = asked["TransactItems"].as_array().context("writes")?;
        for (number, write) in writes.iter().enumerate() {
            let (kind, write) =
                write.as_object().and_then(|all| all.iter().next()).context("one")?;
            let (status, answer) =
                self.ask(&format!("{kind}Item"), serde_json::to_vec(write)?).await?;
            if status != 200 {
                let error: Value = serde_json::from_slice(&answer)?;
                let kind = error["__type"].as_str().unwrap_or_default();
                ensure!(kind.ends_with("ConditionalCheckFailedException"), "{error}");
                let reason = |at| json!({"Code": if at == number { "ConditionalCheckFailed" } else { "None" }});
                let reasons: Vec<_> = (0..writes.len()).map(reason).collect();
                let canceled = json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "message": "Transaction cancelled", "CancellationReasons": reasons,
                });
                return Ok((400, canceled.to_string().into_bytes()));
            }
        }
        Ok((200, b"{}".to_vec()))
    }

    async fn ask(&self, operation: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>)> {
        let request = Request::post(format!("http://{}/", self.address))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20261124T000000Z");
        let request = signed(request, "dynamodb");
        let (status, answer) = send(request.body(Body::from(body))?).await?;
        Ok((status.as_u16(), answer.to_vec()))
    }
}

impl HttpConnector for Served {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let served = *self;
        HttpConnectorFuture::new(async move {
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let answer = served.answer(operation_of(&request), body).await;
            let (status, body) =
                answer.map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(response(status, body))
        })
    }
}
