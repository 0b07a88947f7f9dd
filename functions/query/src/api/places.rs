//! Places in lists, as cursors hold them.

/// What a cursor holds of a place that is a text.
pub(crate) fn held(place: &str) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(place.as_bytes())
}

/// The place that a cursor holds; none if it holds none, or in another way than [`held`] writes it.
pub(crate) fn read(text: &str) -> Option<String> {
    let place = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    // One way to write a cursor is enough.
    String::from_utf8(place).ok().filter(|place| held(place) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_it_was_made_of() {
        for place in ["000000000001 0 abc", ""] {
            assert_eq!(read(&held(place)).as_deref(), Some(place));
        }
        assert_eq!(read("!"), None);
    }
}
