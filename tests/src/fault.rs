//! An engine, and an object store, that stop answering after some writes, as if the writer's process had
//! died there.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _};
use local::engine::{self, Engine};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use serde_json::{Map, Value};
use store::{Store, Writing};

/// The engine, until so many writes were made.
#[derive(Clone, Debug)]
struct Mortal {
    engine: Engine,
    life: Life,
    /// Reading wears it out as well.
    reads_too: bool,
}

impl HttpConnector for Mortal {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let writes = target.ends_with("Item") && !target.ends_with("GetItem")
            || target.ends_with("TransactWriteItems");
        let writes = writes || self.reads_too;
        if !self.life.goes_on(writes) {
            let dead = || ConnectorError::io(DEAD.into());
            if writes && self.life.loses_an_answer() {
                // Its last write was made, but it never learned of that.
                let last = self.engine.call(request);
                return HttpConnectorFuture::new(async move { last.await.and(Err(dead())) });
            }
            return HttpConnectorFuture::ready(Err(dead()));
        }
        self.engine.call(request)
    }
}

/// A store of its own over an engine, that dies after `writes` writes.
#[must_use]
pub fn store_that_dies(engine: &Engine, writing: Writing, writes: i64) -> Store {
    store_with(engine, writing, Life::of(writes))
}

/// A store of its own over an engine, that dies when its process does.
#[must_use]
pub fn store_with(engine: &Engine, writing: Writing, life: Life) -> Store {
    let mortal = Mortal { engine: engine.clone(), life, reads_too: false };
    Store::new(engine::client(mortal), "table", writing).with_pages_of(PAGE)
}

/// A store that answers so many requests, whatever they are.
#[must_use]
pub fn store_that_stops_reading(engine: &Engine, requests: i64) -> Store {
    let mortal = Mortal { engine: engine.clone(), life: Life::of(requests), reads_too: true };
    Store::new(engine::client(mortal), "table", Writing::Transactions)
}

/// The engine, where something else happens between the client's reads and its first update.
#[derive(Clone)]
struct Overtaken {
    engine: Engine,
    overtaking: Arc<Mutex<Option<BoxFuture<'static, ()>>>>,
}

impl fmt::Debug for Overtaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Overtaken")
    }
}

impl HttpConnector for Overtaken {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if !target.ends_with("UpdateItem") {
            return self.engine.call(request);
        }
        let engine = self.engine.clone();
        let overtaking = self.overtaking.lock().unwrap_or_else(PoisonError::into_inner).take();
        HttpConnectorFuture::new(async move {
            if let Some(overtaking) = overtaking {
                overtaking.await;
            }
            engine.call(request).await
        })
    }
}

/// A store of its own over an engine, whose first update comes after something else has happened.
#[must_use]
pub fn store_that_is_overtaken(engine: &Engine, by: BoxFuture<'static, ()>) -> Store {
    let overtaking = Arc::new(Mutex::new(Some(by)));
    let overtaken = Overtaken { engine: engine.clone(), overtaking };
    Store::new(engine::client(overtaken), "table", Writing::Transactions)
}

/// What answers in the table's place, and where it falls short of it.
#[derive(Clone, Debug)]
pub struct Wanting {
    engine: Engine,
    /// Who is refused does not learn what is there.
    tells_items: bool,
    /// Single writes that still meet a transaction.
    conflicts: Arc<AtomicUsize>,
    /// What it was asked. There is an end to it, so that nobody asks for ever.
    asked: Arc<AtomicUsize>,
}

impl Wanting {
    /// One that does not tell the items at which conditions fail.
    #[must_use]
    pub fn in_telling(engine: &Engine) -> Self {
        let (conflicts, asked) = Default::default();
        Self { engine: engine.clone(), tells_items: false, conflicts, asked }
    }

    /// One where so many single writes meet a transaction.
    #[must_use]
    pub fn in_peace(engine: &Engine, conflicts: usize) -> Self {
        let conflicts = Arc::new(AtomicUsize::new(conflicts));
        Self { tells_items: true, conflicts, ..Self::in_telling(engine) }
    }

    /// A store of its own over it.
    #[must_use]
    pub fn store(&self, writing: Writing) -> Store {
        Store::new(engine::client(self.clone()), "table", writing).with_pages_of(PAGE)
    }

    /// How many requests there were.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The same request, that does not want to know of items.
    fn without_wish(mut request: HttpRequest) -> HttpRequest {
        let body = request.body().bytes().unwrap_or_default();
        let mut asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts = asked.get_mut("TransactItems").and_then(Value::as_array_mut);
        let parts = parts.into_iter().flatten();
        let parts = parts.filter_map(Value::as_object_mut).flat_map(Map::values_mut);
        parts.for_each(forget_wish);
        forget_wish(&mut asked);
        *request.body_mut() = asked.to_string().into();
        request
    }
}

fn forget_wish(asked: &mut Value) {
    if let Some(asked) = asked.as_object_mut() {
        asked.remove("ReturnValuesOnConditionCheckFailure");
    }
}

impl HttpConnector for Wanting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.asked.fetch_add(1, Ordering::SeqCst) > ENOUGH {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("asked for ever".into())));
        }
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_write = ["PutItem", "UpdateItem", "DeleteItem"];
        if is_write.iter().any(|write| target.ends_with(write)) {
            let one_less = |left: usize| left.checked_sub(1);
            let left = self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
            if left.is_ok() {
                let status = 400.try_into().expect("a status");
                return HttpConnectorFuture::ready(Ok(HttpResponse::new(status, CONFLICT.into())));
            }
        }
        let asked = if self.tells_items { request } else { Self::without_wish(request) };
        self.engine.call(asked)
    }
}

/// More requests than anybody has who does not turn in a circle.
const ENOUGH: usize = 1_000;
const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException",
    "message":"Transaction is ongoing for the item"}"#;
/// Two or three counters: pages are full soon.
const PAGE: usize = 200;
const DEAD: &str = "the process died here";

/// How many writes a process makes before it dies.
#[derive(Clone, Debug)]
pub struct Life {
    writes_left: Arc<AtomicI64>,
    /// The answer to one more write is lost.
    loses_answer: Arc<AtomicBool>,
}

impl Life {
    /// So many; of every other number, one more is made whose answer does not arrive.
    #[must_use]
    pub fn of(writes: i64) -> Self {
        let writes_left = Arc::new(AtomicI64::new(writes));
        Self { writes_left, loses_answer: Arc::new(AtomicBool::new(writes % 2 == 1)) }
    }

    /// Makes a write that is none of the table's or the object store's; false if it is not made any more.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.goes_on(true)
    }

    fn loses_an_answer(&self) -> bool {
        self.loses_answer.swap(false, Ordering::SeqCst)
    }

    fn goes_on(&self, writes: bool) -> bool {
        self.writes_left.fetch_sub(i64::from(writes), Ordering::SeqCst) > 0
    }

    fn object_store(&self, writes: bool) -> object_store::Result<()> {
        let dead = || object_store::Error::Generic { store: "test", source: DEAD.into() };
        self.goes_on(writes).then_some(()).ok_or_else(dead)
    }
}

/// An object store that dies when its process does.
#[derive(Debug)]
pub struct MortalObjects {
    /// What lasts.
    pub objects: Arc<dyn ObjectStore>,
    /// The process.
    pub life: Life,
    /// Lets wait for so long whoever wants an object, and then gives nothing.
    pub hangs: Option<Duration>,
    /// How many objects were wanted.
    pub wanted: Arc<AtomicUsize>,
}

impl MortalObjects {
    /// These objects, as long as a process lives.
    #[must_use]
    pub fn of(objects: Arc<dyn ObjectStore>, life: Life) -> Self {
        Self { objects, life, hangs: None, wanted: Arc::default() }
    }

    /// These objects, in a store that lets wait for so long whoever wants one, and then gives nothing.
    #[must_use]
    pub fn out_of_reach(objects: Arc<dyn ObjectStore>, wait: Duration) -> Self {
        Self { hangs: Some(wait), ..Self::of(objects, Life::of(i64::MAX)) }
    }
}

impl fmt::Display for MortalObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MortalObjects")
    }
}

#[async_trait]
impl ObjectStore for MortalObjects {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.life.object_store(true)?;
        self.objects.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.life.object_store(true)?;
        self.objects.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, opts: GetOptions) -> object_store::Result<GetResult> {
        self.life.object_store(false)?;
        self.wanted.fetch_add(1, Ordering::SeqCst);
        if let Some(wait) = self.hangs {
            tokio::time::sleep(wait).await;
            return Err(object_store::Error::Generic { store: "test", source: "timed out".into() });
        }
        self.objects.get_opts(location, opts).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let life = self.life.clone();
        let locations = locations.map(move |location| {
            life.object_store(true)?;
            location
        });
        self.objects.delete_stream(locations.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        opts: CopyOptions,
    ) -> object_store::Result<()> {
        self.life.object_store(true)?;
        self.objects.copy_opts(from, to, opts).await
    }
}
