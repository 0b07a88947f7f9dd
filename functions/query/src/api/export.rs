//! The export: every day, sender, account, mechanism, TLS version and client address, as CSV.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use history::Gather;
use report::csv::Detailed;
use report::{Day, UsageKey};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::params::{ExportParams, Given};
use super::problem::Problem;
use super::responses::{AsksStoreInTurns, ReadsParameters};
use super::tables::csv_headers;
use crate::service::Query;

/// Bytes of a piece of the answer.
const PIECE: usize = 1 << 16;
/// Pieces that wait for a slow client.
const WAITING: usize = 4;
/// How long a client may take for a piece.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every day, sender, account, mechanism, TLS version and client address with its messages.
///
/// Streamed where the server can. On AWS Lambda an answer holds 6 MB at most: ask for shorter ranges there.
#[utoipa::path(get, path = "/v1/reports/detailed", operation_id = "export", params(ExportParams), responses(
    (status = 200, description = "A line for each of them", body = String, content_type = "text/csv"),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn csv(query: Query, given: Given) -> Result<Response, Problem> {
    let ExportParams { days, filter, sender } = given.read(query.today())?;
    let turn = Arc::clone(&query.exports).try_acquire_owned().map_err(|_| Problem::Busy)?;
    let state = query.history.state(days.range()).await?;
    let filter = filter.of(sender.sender.as_deref());
    let (pieces, waiting) = mpsc::channel(WAITING);
    let rows = Rows::new(pieces.clone()).map_err(|error| {
        tracing::error!(%error, "cannot write CSV");
        Problem::Unavailable
    })?;
    tokio::spawn(async move {
        let _turn = turn;
        let (rows, walked) = query.history.walk(&state, &filter, rows).await;
        if let Err(error) = walked {
            tracing::error!(%error, "export broke off");
            return;
        }
        if let Ok(rest) = rows.finish() {
            let _ = pieces.send(Piece::Bytes(rest)).await;
            let _ = pieces.send(Piece::End).await;
        }
    });
    let headers = csv_headers("detailed", days.range());
    Ok((headers, Body::from_stream(answer(waiting))).into_response())
}

/// A part of the answer.
enum Piece {
    Bytes(Bytes),
    /// This was all. An answer that ends without it broke off, and the client must see that.
    End,
}

fn answer(waiting: Receiver<Piece>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(waiting), |waiting| async move {
        let mut waiting = waiting?;
        match waiting.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(waiting))),
            Some(Piece::End) => None,
            None => Some((Err(io::Error::other("the report broke off")), None)),
        }
    })
}

/// Rows on their way to the client.
struct Rows {
    csv: Detailed<Buffer>,
    pieces: Sender<Piece>,
}

impl Rows {
    fn new(pieces: Sender<Piece>) -> io::Result<Self> {
        Ok(Self { csv: Detailed::new(Buffer::default())?, pieces })
    }

    /// What is left to be sent.
    fn finish(self) -> io::Result<Bytes> {
        Ok(self.csv.finish()?.take())
    }

    /// Sends a piece, and waits while the client is behind.
    fn send(&self, piece: Bytes) -> ControlFlow<()> {
        let send = self.pieces.send_timeout(Piece::Bytes(piece), PATIENCE);
        match tokio::runtime::Handle::current().block_on(send) {
            Ok(()) => ControlFlow::Continue(()),
            // The client has gone, or might as well have.
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Gather for Rows {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        if self.csv.row(day, key, messages).is_err() {
            return ControlFlow::Break(());
        }
        if self.csv.to().len() < PIECE {
            return ControlFlow::Continue(());
        }
        self.send(self.csv.to().take())
    }
}

/// Bytes that were written and not yet sent. Writing to it never waits.
#[derive(Default)]
struct Buffer(Mutex<Vec<u8>>);

impl Buffer {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.bytes()).into()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
