//! The embedded DynamoDB engine, reached through the same SDK client as DynamoDB itself.
//!
//! Requests do not leave the process: the client's HTTP connector hands them to the engine. So there
//! is no port that another user of the machine, or a page in a browser, could reach.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

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
use dynoxide::actions::put_item::{PutItemRequest, PutItemResponse};
use dynoxide::actions::transact_write_items::{
    TransactWriteItemsRequest, TransactWriteItemsResponse,
};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::watchers::Watchers;

/// An engine with its data in a file, or in memory.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    database: Database,
    watchers: Watchers,
}

impl Engine {
    /// Opens the engine's file, or makes it.
    ///
    /// # Errors
    /// The file cannot be opened, or is none of the engine's.
    pub fn open(file: &Path) -> Result<Self> {
        let path = file.to_str().context("the data folder's path is not UTF-8")?;
        let database = Database::new(path)
            .with_context(|| {
            format!(
                "cannot open the store {0}: if it is damaged, move {0}* away, and smtp-auth-report rebuild",
                file.display()
            )
        })?;
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
        Self(Arc::new(Inner { database, watchers: Watchers::default() }))
    }

    /// Records of new items of a partition, as a stream of the table with keys only would have them, filtered
    /// as Lambda's event source does. Any number of partitions can be watched, each by any number of receivers.
    ///
    /// The engine's own streams keep a record of every write for ever; this keeps none. What is not received
    /// before the process ends is lost, so that open requests have to be looked for at its start.
    #[must_use]
    pub fn new_items(&self, partition: &str) -> UnboundedReceiver<Value> {
        self.0.watchers.add(partition)
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
            "TransactWriteItems" => run(body, |request| self.transact(request)),
            "PutItem" => run(body, |request| self.put(request)),
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
    /// Tells watchers of all that a transaction puts. This program puts into their partitions only what is new; it
    /// changes items with updates.
    fn transact(
        &self,
        request: TransactWriteItemsRequest,
    ) -> Result<TransactWriteItemsResponse, DynoxideError> {
        let Inner { database, watchers } = &*self.0;
        let puts = request.transact_items.iter().filter_map(|write| write.put.as_ref());
        let watched: Vec<_> = puts.filter_map(|put| watchers.watched(&put.item)).collect();
        let done = database.transact_write_items(request)?;
        watched.into_iter().for_each(|new| watchers.tell(new));
        Ok(done)
    }

    /// Tells watchers of an item that is put, unless it takes the place of another.
    fn put(&self, mut request: PutItemRequest) -> Result<PutItemResponse, DynoxideError> {
        let Inner { database, watchers } = &*self.0;
        let Some(watched) = watchers.watched(&request.item) else {
            return database.put_item(request);
        };
        let old_is_wanted = request.return_values.as_deref() == Some("ALL_OLD");
        request.return_values = Some("ALL_OLD".to_owned());
        let mut done = database.put_item(request)?;
        if done.attributes.is_none() {
            watchers.tell(watched);
        }
        done.attributes = done.attributes.filter(|_| old_is_wanted);
        Ok(done)
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
#[must_use]
pub fn operation_of(request: &HttpRequest) -> &str {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

/// An answer as the SDK expects it.
///
/// # Panics
/// Never: what is no status code becomes 500.
#[must_use]
pub fn response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::try_from(status).or_else(|_| StatusCode::try_from(500));
    HttpResponse::new(status.expect("500 is a status code"), SdkBody::from(body))
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc::error::TryRecvError;

    use super::*;

    async fn engine() -> Engine {
        let engine = Engine::in_memory().expect("an engine");
        let schema = json!({
            "TableName": "table",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        });
        ask(&engine, "CreateTable", schema).await;
        engine
    }

    async fn ask(engine: &Engine, operation: &str, request: Value) -> Value {
        let body = serde_json::to_vec(&request).expect("JSON");
        let (status, answer) = engine.answer(operation.to_owned(), body).await.expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn put(partition: &str, key: &str) -> Value {
        json!({"TableName": "table", "Item": {"pk": {"S": partition}, "sk": {"S": key}}})
    }

    fn told(receiver: &mut UnboundedReceiver<Value>) -> Result<String, TryRecvError> {
        receiver.try_recv().map(|record| record["dynamodb"]["Keys"]["sk"]["S"].to_string())
    }

    #[tokio::test]
    async fn two_partitions_are_watched_at_once() {
        let engine = engine().await;
        let (mut requests, mut alerts) = (engine.new_items("REQUESTS"), engine.new_items("ALERTS"));
        let mut alerts_too = engine.new_items("ALERTS");
        let both = [put("REQUESTS", "one"), put("ALERTS", "two"), put("DAYS", "three")];
        let both: Vec<_> = both.into_iter().map(|put| json!({"Put": put})).collect();
        ask(&engine, "TransactWriteItems", json!({"TransactItems": both})).await;
        ask(&engine, "PutItem", put("ALERTS", "four")).await;
        // Over another: it is not new, and the one who puts it did not ask for the old one.
        assert_eq!(ask(&engine, "PutItem", put("ALERTS", "four")).await, json!({}));
        assert_eq!(told(&mut requests).as_deref(), Ok("\"one\""));
        for alerts in [&mut alerts, &mut alerts_too] {
            assert_eq!(told(alerts).as_deref(), Ok("\"two\""));
            assert_eq!(told(alerts).as_deref(), Ok("\"four\""));
            assert_eq!(told(alerts), Err(TryRecvError::Empty));
        }
        assert_eq!(told(&mut requests), Err(TryRecvError::Empty));
        // The old one is handed to whoever asks for it.
        let mut again = put("ALERTS", "two");
        again["ReturnValues"] = json!("ALL_OLD");
        assert_eq!(ask(&engine, "PutItem", again).await["Attributes"]["sk"], json!({"S": "two"}));
    }
}
