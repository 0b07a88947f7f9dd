//! The files that go with the pages. They are part of the program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::extract::RawQuery;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::At;
use super::problem_page::Failed;
use crate::api::problem::Problem;

const FILES: [(&str, &str, &str); 3] = [
    ("dashboard.css", "text/css; charset=utf-8", include_str!("../../assets/dashboard.css")),
    ("dashboard.js", "text/javascript; charset=utf-8", include_str!("../../assets/dashboard.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// The same as long as the files are.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut hasher = DefaultHasher::new();
        FILES.hash(&mut hasher);
        format!("{:x}", hasher.finish())
    });
    &VERSION
}

/// Serves a file; browsers may keep the version that they asked for.
pub(super) async fn serve(At(name): At, RawQuery(asked): RawQuery) -> Result<Response, Failed> {
    let file = FILES.into_iter().find(|(known, ..)| *known == name);
    let (_, media_type, text) = file.ok_or_else(|| Problem::not_found("/assets", &name))?;
    let exact = asked.as_deref().and_then(|asked| asked.strip_prefix("v=")) == Some(version());
    let kept = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, kept)], text).into_response())
}
