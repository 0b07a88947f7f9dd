//! What failed logins are told apart by.

use std::fmt::Write as _;

/// What failed logins of a day are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FailureKey<'a> {
    /// The user name that was tried; empty if unknown.
    pub account: &'a str,
    /// The client's address; empty if unknown.
    pub client: &'a str,
    /// The hour of the zone's clock, from 0 to 23; none where hours were not counted yet.
    pub hour: Option<u8>,
}

impl<'a> FailureKey<'a> {
    /// Writes it as a text without control characters but for tabs: a stored name.
    pub fn write(&self, to: &mut String) {
        to.clear();
        let Self { account, client, hour } = self;
        // Writing to memory cannot fail.
        let _ = write!(to, "{account}\t{client}");
        if let Some(hour) = hour {
            let _ = write!(to, "\t{hour:02}");
        }
    }

    /// Reads what [`write`](Self::write) wrote; none if it is no such text.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (account, rest) = text.split_once('\t')?;
        let (client, hour) = match rest.split_once('\t') {
            None => (rest, None),
            Some((client, hour)) => (client, Some(hour_of(hour)?)),
        };
        Some(Self { account, client, hour })
    }
}

/// The hour that two digits tell; none if they tell none.
#[must_use]
pub fn hour_of(text: &str) -> Option<u8> {
    let is_hour = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|hour| is_hour && *hour < 24)
}

/// From one hour of a day to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// The first hour.
    pub first: u8,
    /// The last hour.
    pub last: u8,
}

impl From<u8> for Hours {
    fn from(hour: u8) -> Self {
        Self { first: hour, last: hour }
    }
}

impl Hours {
    /// What holds both, as far as either is known.
    #[must_use]
    pub fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => {
                Some(Self { first: one.first.min(other.first), last: one.last.max(other.last) })
            }
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip() {
        for (account, client, hour, text) in [
            ("ann", "192.0.2.1", Some(0), "ann\t192.0.2.1\t00"),
            ("", "", Some(23), "\t\t23"),
            ("a b", "2001:db8::1", None, "a b\t2001:db8::1"),
        ] {
            let key = FailureKey { account, client, hour };
            let mut written = "x".to_owned();
            key.write(&mut written);
            assert_eq!((written.as_str(), FailureKey::read(&written)), (text, Some(key)));
        }
        for wrong in ["", "ann", "ann\tc\t", "ann\tc\t24", "ann\tc\t7", "ann\tc\t+7", "a\tb\t07\t"]
        {
            assert_eq!(FailureKey::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn hours_reach_over_all_that_is_known() {
        let hours = |first, last| Some(Hours { first, last });
        assert_eq!(Hours::of_both(hours(4, 4), hours(2, 3)), hours(2, 4));
        assert_eq!(Hours::of_both(None, hours(2, 3)), hours(2, 3));
        assert_eq!(Hours::of_both(hours(2, 3), None), hours(2, 3));
        assert_eq!(Hours::of_both(None, None), None);
    }
}
