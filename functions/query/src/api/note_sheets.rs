//! Notes in CSV files, imported.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use history::blocking;
use report::Scope;
use report::notes::sheet::{self, Refused, SHEET};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use super::notes::audit;
use super::params::{Given, ImportParams};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsSheet};
use crate::service::Query;

/// A CSV file as it came.
pub(crate) struct SheetBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for SheetBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Pages of other sites cannot send this without being asked for leave, either.
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("text/csv") {
            return Err(Problem::NoSheet { given: media_type.chars().take(200).collect() });
        }
        body::whole(request, state, "body", SHEET).await.map(Self)
    }
}

/// What became of an import.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Import {
    /// Whether nothing was done, and this is what would be.
    pub(crate) dry_run: bool,
    /// Notes about what there was none about.
    pub(crate) created: usize,
    /// Notes that said something else before.
    pub(crate) changed: usize,
    /// Notes that said the same before.
    pub(crate) unchanged: usize,
    /// Lines that are not noted, in their order.
    pub(crate) refused: Vec<RefusedLine>,
}

/// A line that is not noted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RefusedLine {
    /// Its number; the header is line 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) reason: String,
}

/// Imports notes: a line for each, with the columns `kind` (`account` or `client`), `subject`, `name`, `owner` and `note`.
///
/// Cells have commas, semicolons or tabs between them; the first line names the columns. Each note takes the place of what
/// was noted about the same; notes about others stay. Lines that cannot be noted are told, and the others are imported.
/// A file has 10,000 notes and 5 MB at most; on AWS Lambda, 4 MB.
#[utoipa::path(post, path = "/v1/notes/import", operation_id = "import_notes",
    request_body(content = String, content_type = "text/csv"), params(ImportParams), responses(
    (status = 200, description = "What became of it", body = Import),
    ReadsSheet, AsksStore,
))]
pub(crate) async fn import(
    query: Query,
    given: Given,
    SheetBody(bytes): SheetBody,
) -> Result<Json<Import>, Problem> {
    let ImportParams { dry_run } = given.read(query.today())?;
    Ok(Json(take_in(&query, "body", bytes, dry_run).await?))
}

/// Imports the file that came as `name`.
pub(crate) async fn take_in(
    query: &Query,
    name: &str,
    bytes: Bytes,
    dry_run: bool,
) -> Result<Import, Problem> {
    let sheet = blocking(move || sheet::read(&bytes)).await;
    let sheet = sheet.map_err(|error| Problem::parameter(name, "", error.to_string()))?;
    if *query.data.scope() != Scope::All {
        return Err(Problem::Bound);
    }
    let plan = query.data.notes().await?.plan(sheet);
    let (created, changed, unchanged) = (plan.created.len(), plan.changed.len(), plan.unchanged);
    let mut refused = plan.refused;
    let mut import = Import { dry_run, created, changed, unchanged, refused: Vec::new() };
    if !dry_run {
        let (lines, notes): (Vec<_>, Vec<_>) = plan.created.into_iter().chain(plan.changed).unzip();
        let written = match query.data.put_notes(&notes).await {
            Ok(()) => notes.len(),
            Err(half) if half.written == 0 => return Err(half.error.into()),
            Err(half) => {
                tracing::error!(error = %half, "an import broke off");
                half.written
            }
        };
        for note in &notes[..written] {
            audit(query, "note imported", &note.subject);
        }
        import.created = created.min(written);
        import.changed = written - import.created;
        // Sent again, those that are written are unchanged.
        refused.extend(lines[written..].iter().map(|line| Refused {
            line: *line,
            reason: "the store did not answer: import the file again".to_owned(),
        }));
        refused.sort_by_key(|refused| refused.line);
    }
    let told = |Refused { line, reason }| RefusedLine { line, reason };
    import.refused = refused.into_iter().map(told).collect();
    Ok(import)
}
