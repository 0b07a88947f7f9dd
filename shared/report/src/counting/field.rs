//! The parts that usage is told apart by.

/// What usage is told apart by: the parts of a [`UsageKey`](crate::UsageKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Envelope sender.
    Sender,
    /// The domain that the submission belongs to.
    Domain,
    /// Authenticated user.
    Username,
    /// Mechanism.
    Mechanism,
    /// TLS version, by its name.
    Tls,
    /// Client address.
    Client,
}
