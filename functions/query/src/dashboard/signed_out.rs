//! That somebody has signed out.

use askama::Template;

use super::{Frame, Part};

/// The page that tells it.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub(crate) struct SignedOut {
    frame: Frame,
    /// Where the provider's own session is ended.
    there: Option<String>,
}

impl SignedOut {
    pub(crate) fn new(there: Option<String>) -> Self {
        Self { frame: Frame::of(Part::Elsewhere, "Signed out"), there }
    }
}
