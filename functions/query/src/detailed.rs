//! The detailed report: every day, sender, account, mechanism, TLS version and client address, as CSV.

use std::io::{self, Write};
use std::ops::ControlFlow;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use history::{Gather, Grain, Wanted};
use report::csv::Detailed;
use report::{Day, UsageKey};
use tokio::sync::mpsc::{self, Sender};

use crate::params::{self, Given};
use crate::problem::{Body as ProblemBody, Problem};
use crate::{Query, table};

/// Pieces of the answer that wait for a slow client: about 64 KB each.
const WAITING: usize = 4;

/// Every day, sender, account, mechanism, TLS version and client address with its messages.
#[utoipa::path(get, path = "/v1/reports/detailed", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
), responses(
    (status = 200, body = String, content_type = "text/csv"),
    (status = 400, body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn csv(State(query): State<Query>, given: Given) -> Result<Response, Problem> {
    let params = given.read(params::REPORT, &query)?;
    let state = query.history.state(params.range).await?;
    let wanted = Wanted { domain: params.domain, sender: None, grain: Grain::Usage };
    let (pieces, waiting) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let broken = pieces.clone();
        let walked = match Rows::new(pieces) {
            Ok(rows) => query.history.walk(&state, &wanted, rows).await,
            Err(_) => return,
        };
        match walked {
            // The last piece may have to wait too.
            Ok(rows) => drop(tokio::task::spawn_blocking(move || rows.0.finish()).await),
            Err(error) => {
                tracing::error!(%error, "detailed report broke off");
                // The client must see that this is not the end.
                let _ = broken.send(Err(io::Error::other("broke off"))).await;
            }
        }
    });
    let pieces = stream::unfold(waiting, |mut waiting| async move {
        waiting.recv().await.map(|piece| (piece, waiting))
    });
    let headers = table::csv_headers("detailed", params.range);
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// Rows on their way to the client.
struct Rows(Detailed<Pieces>);

impl Rows {
    fn new(pieces: Sender<io::Result<Bytes>>) -> io::Result<Self> {
        Detailed::new(Pieces(pieces)).map(Self)
    }
}

impl Gather for Rows {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        match self.0.row(day, key, messages) {
            Ok(()) => ControlFlow::Continue(()),
            // The client has gone.
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Hands on what is written, and waits while the client is behind.
struct Pieces(Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        self.0.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
