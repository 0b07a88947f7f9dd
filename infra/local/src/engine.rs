//! The embedded DynamoDB engine, reached through the same SDK client as DynamoDB itself.
//!
//! Requests do not leave the process: the client's HTTP connector hands them to the engine. So there
//! is no port that another user of the machine, or a page in a browser, could reach.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig,
};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{AttributeValue, Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// An engine with its data in a file, or in memory.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    database: Database,
    /// Who is told of new items, and of which partition.
    watch: OnceLock<(String, UnboundedSender<Value>)>,
}

impl Engine {
    /// Opens the engine's file, or makes it.
    ///
    /// # Errors
    /// The file cannot be opened, or is none of the engine's.
    pub fn open(file: &Path) -> Result<Self> {
        let path = file.to_str().context("the data folder's path is not UTF-8")?;
        let database = Database::new(path)
            .with_context(|| format!("cannot open the store {}", file.display()))?;
        // Leaves SQLite's own defaults for a write-ahead log: a killed process loses nothing, and
        // after a power cut the store is as it was a moment before.
        database.disable_bulk_loading().context("cannot set up the store")?;
        Ok(Self::of(database))
    }

    /// An engine whose data goes when it does.
    ///
    /// # Errors
    /// The engine does not start.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::of(Database::memory().context("cannot start the store in memory")?))
    }

    fn of(database: Database) -> Self {
        Self(Arc::new(Inner { database, watch: OnceLock::new() }))
    }

    /// Records of new items of a partition, as a stream of the table with keys only would have them, filtered
    /// as Lambda's event source does. For one receiver alone: a second one gets nothing.
    ///
    /// The engine's own streams keep a record of every write for ever; this keeps none. What is not received
    /// before the process ends is lost, so that open requests have to be looked for at its start.
    #[must_use]
    pub fn new_items(&self, partition: &str) -> UnboundedReceiver<Value> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let _ = self.0.watch.set((partition.to_owned(), sender));
        receiver
    }

    /// Removes what has expired by the machine's clock.
    ///
    /// # Errors
    /// The engine failed.
    pub fn remove_expired(&self) -> Result<usize> {
        self.0.database.sweep_ttl().context("cannot remove expired items")
    }

    /// A client whose requests this engine answers.
    #[must_use]
    pub fn client(&self) -> Client {
        client(self.clone())
    }

    /// Answers one request: the operation's name and its JSON, as DynamoDB has them. Gives the status
    /// and the JSON of the answer or the error.
    ///
    /// # Errors
    /// The engine broke off.
    pub async fn answer(&self, operation: String, body: Vec<u8>) -> Result<(u16, Vec<u8>)> {
        let engine = self.clone();
        // The engine works on the thread that asks it; the runtime's own must stay free.
        let answered = tokio::task::spawn_blocking(move || engine.run(&operation, &body));
        Ok(match answered.await? {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json().into_bytes()),
        })
    }

    fn run(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
        let db = &self.0.database;
        match operation {
            "UpdateItem" => run(body, |request| db.update_item(request)),
            "TransactWriteItems" => run(body, |request: TransactWriteItemsRequest| {
                let new = self.watched_puts(&request);
                let done = db.transact_write_items(request)?;
                self.tell(new);
                Ok(done)
            }),
            "PutItem" => run(body, |request| db.put_item(request)),
            "DeleteItem" => run(body, |request| db.delete_item(request)),
            "GetItem" => run(body, |request| db.get_item(request)),
            "Query" => run(body, |request| db.query(request)),
            "Scan" => run(body, |request| db.scan(request)),
            "CreateTable" => run(body, |request| db.create_table(request)),
            "DescribeTable" => run(body, |request| db.describe_table(request)),
            "UpdateTimeToLive" => run(body, |request| db.update_time_to_live(request)),
            other => Err(DynoxideError::ValidationException(format!("{other} is not wired up"))),
        }
    }
}

impl Engine {
    /// The keys of what a transaction puts into the watched partition. This program puts there only what is
    /// new; it changes items with updates.
    fn watched_puts(&self, request: &TransactWriteItemsRequest) -> Vec<Value> {
        let Some((partition, _)) = self.0.watch.get() else { return Vec::new() };
        let keys = request.transact_items.iter().filter_map(|write| {
            let item = &write.put.as_ref()?.item;
            match (item.get("pk")?, item.get("sk")?) {
                (AttributeValue::S(pk), AttributeValue::S(sk)) if pk == partition => {
                    Some(json!({"pk": {"S": pk}, "sk": {"S": sk}}))
                }
                _ => None,
            }
        });
        keys.collect()
    }

    fn tell(&self, new: Vec<Value>) {
        let Some((_, watcher)) = self.0.watch.get() else { return };
        for keys in new {
            // Nobody listens any more when the process is about to end.
            let _ = watcher.send(json!({
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"Keys": keys, "StreamViewType": "KEYS_ONLY"},
            }));
        }
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Vec<u8>, DynoxideError> {
    let bad = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let answer = operation(serde_json::from_slice(body).map_err(bad)?)?;
    serde_json::to_vec(&answer).map_err(bad)
}

/// An SDK client over a connector of one's own: an [`Engine`], or one wrapped for a test.
#[must_use]
pub fn client(connector: impl HttpConnector + 'static) -> Client {
    let connector = SharedHttpConnector::new(connector);
    let http: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .endpoint_url("http://engine.invalid")
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    Client::from_conf(config)
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.clone();
        HttpConnectorFuture::new(async move {
            let operation = operation_of(&request).to_owned();
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let answer = engine.answer(operation, body).await;
            let (status, body) =
                answer.map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(response(status, body))
        })
    }
}

/// The operation that a request names.
pub(crate) fn operation_of(request: &HttpRequest) -> &str {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// An answer as the SDK expects it.
pub(crate) fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::try_from(status).or_else(|_| StatusCode::try_from(500));
    HttpResponse::new(status.expect("500 is a status code"), SdkBody::from(body))
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}
