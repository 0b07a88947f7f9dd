//! What requests to the table cost: the engine's own count of capacity units, as DynamoDB would bill them.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::engine::{self, Engine, operation_of, response};
use serde_json::{Value, json};

use crate::locked;

/// Capacity units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Read units: 4 KB read consistently.
    pub read: f64,
    /// Write units: 1 KB written; in a transaction, half of that.
    pub write: f64,
}

/// An engine whose every answer is counted.
#[derive(Clone)]
pub struct Counted {
    engine: Engine,
    units: Arc<Mutex<Units>>,
}

impl Counted {
    /// Counts what an engine answers.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self { engine, units: Arc::default() }
    }

    /// A client whose requests are counted.
    #[must_use]
    pub fn client(&self) -> Client {
        engine::client(self.clone())
    }

    /// What was counted since the last time.
    #[must_use]
    pub fn take(&self) -> Units {
        std::mem::take(&mut *locked(&self.units))
    }

    fn add(&self, operation: &str, answer: &Value) {
        // A transaction has several tables, a single request one.
        let capacity = &answer["ConsumedCapacity"];
        let capacity = if capacity.is_array() { &capacity[0] } else { capacity };
        let counted = capacity["CapacityUnits"].as_f64().unwrap_or(0.0);
        let mut units = locked(&self.units);
        match operation {
            "GetItem" | "Query" => units.read += counted,
            _ => units.write += counted,
        }
    }
}

impl HttpConnector for Counted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let counted = self.clone();
        HttpConnectorFuture::new(async move {
            let operation = operation_of(&request).to_owned();
            let mut asked: Value = request
                .body()
                .bytes()
                .and_then(|body| serde_json::from_slice(body).ok())
                .unwrap_or_default();
            asked["ReturnConsumedCapacity"] = json!("TOTAL");
            let body = serde_json::to_vec(&asked).unwrap_or_default();
            let answer = counted.engine.answer(operation.clone(), body).await;
            let failed = |error: anyhow::Error| ConnectorError::other(error.into(), None);
            let (status, body) = answer.map_err(failed)?;
            if let Ok(answer) = serde_json::from_slice(&body) {
                counted.add(&operation, &answer);
            }
            Ok(response(status, body))
        })
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").field("units", &self.units).finish_non_exhaustive()
    }
}
