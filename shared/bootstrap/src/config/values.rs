//! What several sections' values look like.

/// What a time zone must be.
pub(super) const A_ZONE: &str = "an IANA time zone, as in Europe/Berlin";
/// What a domain must be.
pub(super) const A_DOMAIN: &str = "a domain, as in example.org";

/// Any text.
pub(super) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An address on the web.
pub(super) fn web_address(text: &str) -> Option<String> {
    let begins = text.starts_with("https://") || text.starts_with("http://");
    let strange = |c: char| c.is_whitespace() || c.is_control() || "<>\"'?#".contains(c);
    (begins && !text.contains(strange)).then(|| text.to_owned())
}
