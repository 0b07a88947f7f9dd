//! A file that people send with a form.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use futures_util::stream;
use multer::Multipart;
use report::notes::sheet::SHEET;

use super::problem_page::Failed;
use crate::api::body::{self, is_own};
use crate::api::problem::Problem;

/// The most bytes of a form with a file: the file's, and the other fields'.
pub(super) const MOST: usize = SHEET + 4096;

/// A file of notes, as it came from a page of this service (RFC 7578).
pub(super) struct Upload {
    pub(super) file: Bytes,
    /// Whether it is only looked at.
    pub(super) dry_run: bool,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        if !is_own(request.headers()) {
            return Err(Failed(Problem::CrossSite));
        }
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(media_type).map_err(|_| {
            Problem::parameter("form", media_type, "choose a file and send the form")
        })?;
        let bytes = body::whole(request, state, "form", MOST).await?;
        Ok(read(bytes, boundary).await?)
    }
}

async fn read(bytes: Bytes, boundary: String) -> Result<Upload, Problem> {
    let wrong = |error: multer::Error| Problem::parameter("form", "", error.to_string());
    let mut parts = Multipart::new(stream::iter([Ok::<_, Infallible>(bytes)]), boundary);
    let (mut file, mut dry_run) = (None, false);
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(wrong)?;
        match name.as_str() {
            "file" => file = Some(bytes),
            "dry_run" => dry_run = &*bytes == b"true",
            _ => {}
        }
    }
    let file = file.filter(|file| !file.is_empty());
    let file =
        file.ok_or_else(|| Problem::parameter("file", "", "choose a file that holds something"))?;
    Ok(Upload { file, dry_run })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(body: &str) -> Result<Upload, Problem> {
        let body = body.replace('\n', "\r\n");
        read(Bytes::from(body.into_bytes()), "b".to_owned()).await
    }

    #[tokio::test]
    async fn a_file_is_read_from_a_form_and_nothing_else_is_taken_for_one() {
        let part = |name: &str, text: &str| {
            format!(
                "--b\nContent-Disposition: form-data; name=\"{name}\"; filename=\"n.csv\"\nContent-Type: text/csv\n\n{text}\n"
            )
        };
        let both = format!("{}{}--b--\n", part("file", "kind,subject"), part("dry_run", "true"));
        let upload = sent(&both).await.expect("a file");
        assert_eq!((&*upload.file, upload.dry_run), (&b"kind,subject"[..], true));
        let one = sent(&format!("{}--b--\n", part("file", "x"))).await.expect("a file");
        assert!(!one.dry_run);
        for wrong in [
            String::new(),
            "--b--\n".to_owned(),
            format!("{}--b--\n", part("file", "")),
            format!("{}--b--\n", part("other", "x")),
            part("file", "x"),
            "kind,subject".to_owned(),
        ] {
            assert!(sent(&wrong).await.is_err(), "{wrong}");
        }
    }
}
