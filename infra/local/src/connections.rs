//! HTTP over a socket, for clients of whom none may be in the way of others: everything that they can keep waiting
//! has its time, and there are places for so many only.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::places::{Answering, Place, Places};

/// The most bytes of a request's head, and of an answer that waits for the network.
const HEAD_BYTES: usize = 64 << 10;
/// Connections that have lost their place and may still say so: they keep their files open meanwhile.
const LEAVING: usize = 64;
/// How long to wait after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// What clients are held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub per_address: usize,
    /// How long a request's head may take, and how long a connection may wait for its next request.
    pub head: Duration,
    /// How long a client may take none of its answer.
    pub pause: Duration,
    /// How long an answer may take in all before its place can be somebody else's.
    pub patience: Duration,
    /// How long answers that are under way go on when the service ends.
    pub end: Duration,
    /// The same for those who have nothing to wait for.
    pub leave: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // With the store's and the logs', fewer than the 1024 files that a process may usually open.
            connections: 512,
            // A server that speaks TLS before this one is one address.
            per_address: 256,
            head: Duration::from_secs(15),
            pause: Duration::from_secs(30),
            patience: Duration::from_mins(5),
            end: Duration::from_secs(5),
            leave: Duration::from_secs(1),
        }
    }
}

/// Answers at a socket until `stop` is done, and soon after ends, whatever clients do.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let places = Places::new(limits.connections, limits.per_address, limits.patience);
    let leaving = Arc::new(Semaphore::new(LEAVING));
    let (tell, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            // A place is free before its connection has ended: files are not to run out over that.
            accepted = listener.accept(), if connections.len() < limits.connections + LEAVING => {
                accepted
            }
        };
        match accepted {
            Ok((stream, from)) => match places.take(from.ip()) {
                Some(place) => {
                    let stopping = stopping.clone();
                    connections.spawn(converse(
                        stream,
                        from,
                        place,
                        router.clone(),
                        limits,
                        stopping,
                        Arc::clone(&leaving),
                    ));
                }
                None => tracing::debug!(%from, "too many answers are under way: turned away"),
            },
            Err(error) => {
                // Too many open files, for example: that passes.
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = tell.send(true);
    while connections.join_next().await.is_some() {}
}

/// Answers what comes over a connection.
async fn converse(
    stream: TcpStream,
    from: SocketAddr,
    place: Place,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
    leaving: Arc<Semaphore>,
) {
    // Small answers are not to wait for more.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.pause));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answered = answer(router.clone(), request.map(Body::new), &place);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES);
    let io = Noticed { io: TokioIo::new(Box::pin(stream)), place: &place };
    let connection = http.serve_connection(io, service);
    let mut connection = pin!(connection);
    let (left, _leaves) = tokio::select! {
        done = connection.as_mut() => {
            if let Err(error) = done {
                tracing::debug!(%from, %error, "a connection broke off");
            }
            return;
        }
        () = place.lost() => {
            let leaves = leaving.try_acquire().ok();
            (if leaves.is_some() { limits.leave } else { Duration::ZERO }, leaves)
        }
        _ = stopping.wait_for(|stopping| *stopping) => {
            (if place.is_answering() { limits.end } else { limits.leave }, None)
        }
    };
    // What is under way is sent to its end, if that does not take long.
    connection.as_mut().graceful_shutdown();
    if tokio::time::timeout(left, connection).await.is_err() {
        tracing::debug!(%from, "a connection was cut off");
    }
}

async fn answer(router: Router, request: Request, place: &Place) -> Response {
    // As long as a body is on its way, others go first.
    let asked = request.body().is_end_stream().then(|| place.answering());
    let answered = router.oneshot(request).await;
    let response = answered.unwrap_or_else(|never| match never {});
    let answering = asked.unwrap_or_else(|| place.answering());
    response.map(|body| Body::new(Held { body, _answering: answering }))
}

/// A connection that notices when all is sent.
struct Noticed<'p> {
    io: TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>,
    place: &'p Place,
}

impl Read for Noticed<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, to)
    }
}

impl Write for Noticed<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.place.sent();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// A body that keeps its connection's place.
struct Held {
    body: Body,
    _answering: Answering,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_places_are_fewer_than_the_files_that_a_process_may_open() {
        let Limits { connections, per_address, .. } = Limits::default();
        assert_eq!((connections, per_address), (512, 256));
    }
}
