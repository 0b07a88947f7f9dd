//! What container runtimes put in front of each line of a container on a node of Kubernetes.

use memchr::memchr;

/// A line of a container, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cri<'a> {
    /// When the runtime read it, as it wrote it.
    pub(crate) time: &'a [u8],
    /// `stdout` or `stderr`.
    pub(crate) stream: &'a [u8],
    /// Whether the line goes on in the next part of the stream.
    pub(crate) is_partial: bool,
    pub(crate) rest: &'a [u8],
}

/// Reads `TIME stdout F LINE`, where `P` stands for `F` if the line goes on, and either may have more tags behind a
/// colon. None if it is no such line; whether the time is one is not looked at.
#[inline]
pub(crate) fn read(text: &[u8]) -> Option<Cri<'_>> {
    // The cheap questions first: most lines that begin with a time are none of these.
    if !matches!(text.get(10), Some(b'T')) {
        return None;
    }
    let space = memchr(b' ', &text[..text.len().min(48)])?;
    let rest = &text[space + 1..];
    let stream = rest.get(..6).filter(|stream| matches!(*stream, b"stdout" | b"stderr"))?;
    let rest = rest[6..].strip_prefix(b" ")?;
    let end = memchr(b' ', &rest[..rest.len().min(32)]).unwrap_or(rest.len());
    let is_partial = match rest[..end].split(|byte| *byte == b':').next()? {
        b"F" => false,
        b"P" => true,
        _ => return None,
    };
    let rest = rest.get(end + 1..).unwrap_or_default();
    Some(Cri { time: &text[..space], stream, is_partial, rest })
}
