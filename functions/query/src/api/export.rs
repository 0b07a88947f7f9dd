//! The export: every day, sender, account, mechanism, TLS version and client address, as CSV.

use std::ops::ControlFlow;

use axum::response::{IntoResponse as _, Response};
use history::Gather;
use report::csv::{Detailed, file_name};
use report::{Day, UsageKey};

use super::params::{ExportParams, Given};
use super::problem::Problem;
use super::responses::{AsksStoreInTurns, ReadsParameters};
use super::tables::{csv_headers, unwritten};
use crate::service::Query;
use crate::spool::SpoolWriter;

/// Every day, sender, account, mechanism, TLS version and client address with its messages.
///
/// Streamed where the server can, and compressed if that is asked for. On AWS Lambda an answer holds 6 MB at most, as it is sent:
/// a longer one is answered with the problem `answer-too-large`.
#[utoipa::path(get, path = "/v1/reports/detailed", operation_id = "export", params(ExportParams), responses(
    (status = 200, description = "A line for each of them", body = String, content_type = "text/csv"),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn csv(query: Query, given: Given) -> Result<Response, Problem> {
    let ExportParams { days, filter } = given.read(query.today())?;
    let turn = query.turn_at_writing().await.ok_or(Problem::Busy)?;
    let state = query.data.state(days.range()).await?;
    let filter = filter.filter();
    let (writer, reader) = query.spools.begin();
    let unwanted = writer.unwanted();
    let rows = Detailed::new(writer).map_err(unwritten)?;
    tokio::spawn(async move {
        // Given back as soon as all is written, however slowly that is read.
        let _turn = turn;
        let (Rows(rows), walked) = tokio::select! {
            walked = query.data.walk(&state, &filter, Rows(rows)) => walked,
            // It might be long until there is something to write that tells.
            () = unwanted => return tracing::debug!("an export's client has gone"),
        };
        let written = walked.map_err(|error| error.to_string()).and_then(|()| {
            let finished = rows.finish().and_then(SpoolWriter::finish);
            finished.map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(error, "an export broke off");
        }
    });
    let headers = csv_headers(&file_name("detailed", days.range()));
    Ok((headers, reader.into_body()).into_response())
}

/// Rows on their way to the client.
struct Rows(Detailed<SpoolWriter>);

impl Gather for Rows {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        match self.0.row(day, key, messages) {
            Ok(()) => ControlFlow::Continue(()),
            // The client has gone, was cut off, or the disk is full; the end tells.
            Err(error) => {
                if error.kind() != std::io::ErrorKind::BrokenPipe {
                    tracing::error!(%error, "cannot write an export");
                }
                ControlFlow::Break(())
            }
        }
    }
}
