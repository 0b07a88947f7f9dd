//! What became of an import of notes.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use report::{displayed, grouped};

use super::frame::{Frame, html};
use super::notes::frame;
use super::problem_page::Failed;
use super::upload::Upload;
use crate::api::note_sheets::{Import, RefusedLine, take_in};
use crate::api::problem::Problem;
use crate::service::Query;

/// Lines that are listed.
const LISTED: usize = 500;

#[derive(Template)]
#[template(path = "note_import.html")]
struct ImportPage {
    frame: Frame,
    /// What became of it, in a sentence.
    told: String,
    /// Whether something is to be mended.
    wrong: bool,
    figures: Option<[(&'static str, String); 4]>,
    refused: Vec<RefusedLine>,
    more: Option<String>,
}

impl ImportPage {
    fn new(query: &Query, import: Import) -> Self {
        let Import { dry_run, created, changed, unchanged, mut refused } = import;
        let told = match (dry_run, refused.is_empty()) {
            (true, true) => "Nothing was imported yet: every line can be.",
            (true, false) => "Nothing was imported yet: some lines cannot be.",
            (false, true) => "Every line was imported.",
            (false, false) => "Some lines were not imported: mend them, and import the file again.",
        };
        let figure = |number: usize| grouped(number as u64);
        let more = refused.len().saturating_sub(LISTED);
        let figures = [
            (if dry_run { "Would be new" } else { "New" }, figure(created)),
            (if dry_run { "Would change" } else { "Changed" }, figure(changed)),
            ("Same as before", figure(unchanged)),
            ("Refused", figure(refused.len())),
        ];
        let wrong = !refused.is_empty();
        refused.truncate(LISTED);
        for line in &mut refused {
            line.reason = displayed(&line.reason, usize::MAX);
        }
        Self {
            frame: frame(query, "Import of notes"),
            told: told.to_owned(),
            wrong,
            figures: Some(figures),
            refused,
            more: (more > 0).then(|| figure(more)),
        }
    }

    /// That nothing of the file could be read.
    fn unread(query: &Query, told: String) -> Self {
        Self {
            frame: frame(query, "Import of notes"),
            told,
            wrong: true,
            figures: None,
            refused: Vec::new(),
            more: None,
        }
    }
}

/// Imports a file, or tells what it would do.
pub(super) async fn import(query: Query, upload: Upload) -> Result<Response, Failed> {
    let Upload { file, dry_run } = upload;
    match take_in(&query, "file", file, dry_run).await {
        Ok(import) => Ok(html(&ImportPage::new(&query, import))?.into_response()),
        Err(Problem::InvalidParameter { allowed, .. }) => {
            let told = format!("The file was not read: {allowed}.");
            let page: Html<String> = html(&ImportPage::unread(&query, told))?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}
