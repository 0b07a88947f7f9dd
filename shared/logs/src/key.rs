//! Ids of sessions and messages.

/// Whose something is: an id means nothing on another host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) host: &'a [u8],
    /// A process, a session or a message, as the server names it.
    pub(crate) id: &'a [u8],
}
