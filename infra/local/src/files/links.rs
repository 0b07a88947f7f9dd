//! A log and the files into which it was rotated, in their order.

use std::time::SystemTime;

use store::FINGERPRINT;

use super::input::Input;
use super::siblings::Stamp;

/// The order of logs: see [`Input::order`].
pub(super) type Order = (Option<i64>, Option<SystemTime>);

/// A log of the chain.
pub(super) enum Link {
    /// It was read to its end, and is opened no more.
    Read(Stamp),
    Open(Box<Input>, Option<Stamp>),
}

pub(super) type Links = Vec<(Order, Link)>;

impl Link {
    /// Whether it is this file, by device and number.
    pub(super) fn is(&self, identity: (u64, u64)) -> bool {
        let (Self::Read(stamp) | Self::Open(_, Some(stamp))) = self else { return false };
        stamp.identity == identity
    }
}

/// Without what is a copy that is not yet as long as another file, or the same log once more, compressed.
pub(super) fn without_copies(links: Links) -> Links {
    let heads: Vec<_> = links
        .iter()
        .map(|(_, link)| match link {
            Link::Read(_) => Vec::new(),
            Link::Open(input, _) => input.head.clone(),
        })
        .collect();
    let is_shorter =
        |head: &[u8]| heads.iter().any(|other| other.len() > head.len() && other.starts_with(head));
    let is_copy = |link: &Link| match link {
        Link::Read(_) => false,
        Link::Open(input, _) => input.head.len() < FINGERPRINT && is_shorter(&input.head),
    };
    links.into_iter().filter(|(_, link)| !is_copy(link)).collect()
}
