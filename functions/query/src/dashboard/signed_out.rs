//! Pages for those who are not signed in.

use askama::Template;

use super::frame::{Frame, Part};

/// That somebody has signed out.
#[derive(Template)]
#[template(path = "signed_out.html")]
pub(crate) struct SignedOut {
    frame: Frame,
    /// Where the provider's own session is ended.
    there: Option<String>,
}

impl SignedOut {
    pub(crate) fn new(there: Option<String>) -> Self {
        Self { frame: frame("Signed out"), there }
    }
}

/// That a sign-in is needed. It leads there at once.
#[derive(Template)]
#[template(path = "way_in.html")]
pub(crate) struct WayIn {
    frame: Frame,
    way: String,
}

impl WayIn {
    pub(crate) fn new(way: String) -> Self {
        Self { frame: frame("Sign in"), way }
    }
}

/// A frame for strangers.
fn frame(title: &str) -> Frame {
    let mut frame = Frame::of(Part::Elsewhere, title);
    frame.manages = false;
    frame
}
