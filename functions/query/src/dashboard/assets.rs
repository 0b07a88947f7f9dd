//! The files that go with the pages. They are part of the program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

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

/// A file; browsers may keep the version that they asked for.
pub(super) fn file(name: &str, asked: Option<&str>) -> Option<Response> {
    let (_, media_type, text) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    let exact = asked.and_then(|asked| asked.strip_prefix("v=")) == Some(version());
    let kept = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, kept)];
    Some((headers, text).into_response())
}
