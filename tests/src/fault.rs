//! An engine that stops answering after some writes, as if the writer's process had died there.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::engine::{self, Engine};
use store::{Store, Writing};

/// The engine, until so many writes were made.
#[derive(Clone, Debug)]
struct Mortal {
    engine: Engine,
    writes_left: Arc<AtomicI64>,
}

impl HttpConnector for Mortal {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let writes = target.ends_with("Item") && !target.ends_with("GetItem")
            || target.ends_with("TransactWriteItems");
        let left = self.writes_left.fetch_sub(i64::from(writes), Ordering::SeqCst);
        if left <= 0 {
            let dead = ConnectorError::io("the process died here".into());
            return HttpConnectorFuture::ready(Err(dead));
        }
        self.engine.call(request)
    }
}

/// A store of its own over an engine, that dies after `writes` writes.
#[must_use]
pub fn store_that_dies(engine: &Engine, writing: Writing, writes: i64) -> Store {
    let writes_left = Arc::new(AtomicI64::new(writes));
    let mortal = Mortal { engine: engine.clone(), writes_left };
    Store::new(engine::client(mortal), "table", writing)
}
