//! Failed logins of the last days.

use std::collections::{BTreeMap, HashMap, VecDeque};

use foldhash::fast::RandomState;

/// For how many days failed logins say something of a success.
const DAYS: i32 = 7;
/// The days in which those at one account are counted.
const LATELY: i32 = 3;

/// Failed logins of a day by account, then by client.
pub(crate) type OfDay = BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>;

/// Failed logins of the last seven days.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures(VecDeque<(i32, OfDay)>);

/// Accounts at which an address must have failed, or logins, to be a guesser's.
const GUESSED_ACCOUNTS: usize = 4;
const GUESSED_LOGINS: u64 = 20;

/// What one address failed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) failures: u64,
    pub(crate) accounts: usize,
}

impl Tried {
    /// Whether it is a guesser's.
    pub(crate) const fn is_guessing(self) -> bool {
        self.is_at_many() || self.failures >= GUESSED_LOGINS
    }

    /// Whether it failed at several accounts.
    pub(crate) const fn is_at_many(self) -> bool {
        self.accounts >= GUESSED_ACCOUNTS
    }
}

/// Failed logins of the last seven days, by client and by account.
pub(crate) struct Lately<'f> {
    by_client: HashMap<&'f str, Tried, RandomState>,
    by_account: HashMap<&'f str, Vec<(&'f str, u64)>, RandomState>,
}

impl Failures {
    /// Takes note of a day, and forgets those that lie too far back.
    pub(crate) fn add(&mut self, today: i32, failures: OfDay) {
        self.0.retain(|(day, _)| *day != today && today - day < DAYS);
        self.0.push_back((today, failures));
    }

    /// What was there until a day, of which the last may go on.
    pub(crate) fn until<'f>(&'f self, today: i32, of_today: &'f OfDay) -> Lately<'f> {
        let before = self.0.iter().filter(|(day, _)| *day < today && today - day < DAYS);
        let days = before.map(|(day, failures)| (*day, failures)).chain([(today, of_today)]);
        let mut pairs: HashMap<(&str, &str), u64, RandomState> = HashMap::default();
        let mut by_account: HashMap<&str, Vec<(&str, u64)>, RandomState> = HashMap::default();
        for (day, failures) in days {
            for (account, clients) in failures {
                for (client, failures) in clients {
                    *pairs.entry((&**client, &**account)).or_default() += failures;
                    if today - day < LATELY {
                        by_account.entry(&**account).or_default().push((&**client, *failures));
                    }
                }
            }
        }
        let mut by_client: HashMap<&str, Tried, RandomState> = HashMap::default();
        for ((client, _), failures) in pairs {
            let tried = by_client.entry(client).or_default();
            tried.failures += failures;
            tried.accounts += 1;
        }
        Lately { by_client, by_account }
    }
}

impl Lately<'_> {
    /// What a client failed at in seven days.
    pub(crate) fn of_client(&self, client: &str) -> Tried {
        self.by_client.get(client).copied().unwrap_or_default()
    }

    /// Failed logins at an account in three days, from clients that `is_strange`.
    pub(crate) fn at(&self, account: &str, is_strange: impl Fn(&str) -> bool) -> u64 {
        let of = self.by_account.get(account).into_iter().flatten();
        of.filter(|(client, _)| is_strange(client)).map(|(_, failures)| failures).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(failed: &[(&str, &str, u64)]) -> OfDay {
        let mut day = OfDay::new();
        for (account, client, failures) in failed {
            *day.entry((*account).into()).or_default().entry((*client).into()).or_default() +=
                failures;
        }
        day
    }

    #[test]
    fn a_week_is_remembered_of_clients_and_three_days_of_accounts() {
        let mut failures = Failures::default();
        failures.add(1, day(&[("ann", "a", 100)]));
        failures.add(3, day(&[("ann", "a", 5), ("bob", "a", 7)]));
        failures.add(3, day(&[("ann", "a", 6), ("bob", "a", 7)]));
        failures.add(8, day(&[("ann", "b", 9)]));
        let today = day(&[("ann", "a", 2), ("ann", "c", 1)]);
        let lately = failures.until(9, &today);
        assert_eq!(lately.of_client("a"), Tried { failures: 15, accounts: 2 });
        assert_eq!(lately.of_client("nobody"), Tried::default());
        assert_eq!(
            (lately.at("ann", |_| true), lately.at("ann", |client| client != "c")),
            (12, 11)
        );
        assert_eq!(lately.at("carol", |_| true), 0);
    }
}
