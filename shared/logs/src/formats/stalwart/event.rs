//! An event of Stalwart's, whatever its form.

use std::borrow::Cow;

/// Events of a message that somebody who logged in has sent: since version 0.16, and before.
pub(super) const QUEUED: [&str; 2] =
    ["queue.authenticated-message-queued", "queue.queue-message-authenticated"];

/// An event, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    pub(super) time: Option<i64>,
    /// Such as `auth.success`.
    pub(super) kind: Cow<'a, str>,
    pub(super) listener: Cow<'a, str>,
    pub(super) local_port: Option<u16>,
    pub(super) client: Cow<'a, str>,
    pub(super) port: Option<u16>,
    /// The connection's number, which events in JSON have.
    pub(super) span: Option<u64>,
    pub(super) version: Cow<'a, str>,
    pub(super) account: Cow<'a, str>,
    /// None if it is not told, or can be meant in several ways.
    pub(super) sender: Option<Cow<'a, str>>,
    /// How many recipients a message has; 0 if it is not told, or can be meant in several ways.
    pub(super) recipients: u64,
    /// The message's number, where the same event may come again.
    pub(super) queued: Option<u64>,
}
