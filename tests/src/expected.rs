//! Plain counts, to hold what was counted against.

use std::collections::BTreeMap;

use report::{Day, Finer, Hours, MOST_RECIPIENTS, TlsVersion, UsageKey};

/// Day, domain, sender, account, mechanism, TLS version, client address.
pub type Key = (Day, String, String, String, String, TlsVersion, String);

/// The key of a day's usage.
#[must_use]
pub fn key(day: Day, usage: &UsageKey<'_>) -> Key {
    let [domain, sender, account, mechanism, client] =
        [usage.domain, usage.sender, usage.username, usage.mechanism, usage.client]
            .map(str::to_owned);
    (day, domain, sender, account, mechanism, usage.tls, client)
}

/// A plain count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Messages.
    pub usage: BTreeMap<Key, u64>,
    /// Failed authentications by day, account and client address, and their hours.
    pub failures: BTreeMap<(Day, String, String), Failed>,
    /// Finer counters by day, account and what they count.
    pub finer: BTreeMap<(Day, String, Finer), u64>,
}

/// Failed authentications: how many, and from which hour to which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failed {
    /// How many.
    pub times: u64,
    /// Their first and last hour.
    pub hours: Option<Hours>,
}

impl Failed {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.times += other.times;
        self.hours = Hours::of_both(self.hours, other.hours);
    }

    /// One, in an hour.
    #[must_use]
    pub fn once(hour: u8) -> Self {
        Self { times: 1, hours: Some(hour.into()) }
    }
}

impl Expected {
    /// Adds another count to this.
    pub fn add(&mut self, other: Self) {
        for (key, messages) in other.usage {
            *self.usage.entry(key).or_default() += messages;
        }
        for (key, failures) in other.failures {
            self.failures.entry(key).or_default().add(failures);
        }
        for (key, count) in other.finer {
            *self.finer.entry(key).or_default() += count;
        }
    }

    /// Adds what else is counted of an account's messages: those of the night, and recipients beyond the first of each.
    pub fn add_finer(
        &mut self,
        (day, hour): (Day, u8),
        account: &str,
        messages: u64,
        recipients: u64,
    ) {
        let night = if matches!(hour, 23 | 0..=5) { messages } else { 0 };
        for (of, count) in [
            (Finer::Night, night),
            (
                Finer::Recipients,
                recipients.min(messages.saturating_mul(MOST_RECIPIENTS)).saturating_sub(messages),
            ),
        ] {
            if count > 0 && !account.is_empty() {
                *self.finer.entry((day, account.to_owned(), of)).or_default() += count;
            }
        }
    }
}
