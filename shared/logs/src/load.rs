//! What is open.

/// What a log stream has seen and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions that have not ended.
    pub sessions: usize,
    /// Messages whose acceptance is open.
    pub messages: usize,
    /// Sessions and messages forgotten for lack of room, ever.
    pub evicted: u64,
}
