//! What clients are called, as a log has told it.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::day::Day;

/// Days after which a name is news although it is the same: what is kept of it must not expire.
const REFRESHED: i64 = 14;
/// Days after which a name that nobody confirmed takes the place of one that was.
const CONFIRMED: i64 = 30;
/// About what an entry takes beside its texts.
const ENTRY: usize = 64;

/// What a client is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// The host name that the server confirmed, or in parentheses what the client says of itself.
    pub name: Box<str>,
    /// The last day, or one of the last few, on which a log told it.
    pub day: Day,
}

impl ClientName {
    /// Whether what a log tells on a day is news: another name, at most once a day, or the same after a while. What was
    /// confirmed is not given up at once for what anybody may claim.
    #[must_use]
    pub fn gives_way_to(&self, name: &str, day: Day) -> bool {
        let later = (day - self.day).num_days();
        if name == &*self.name {
            return later >= REFRESHED;
        }
        let is_claimed = |name: &str| name.starts_with('(');
        match (is_claimed(&self.name), is_claimed(name)) {
            (true, false) => later >= 0,
            (false, true) => later >= CONFIRMED,
            _ => later > 0,
        }
    }
}

/// Clients with the names that were told of them.
#[derive(Clone, Debug, Default)]
pub(super) struct ToldNames(HashMap<Box<str>, ClientName, RandomState>);

impl ToldNames {
    /// Takes note of what a client is called, and of the memory that takes.
    pub(super) fn tell(&mut self, client: &str, name: &str, day: Day, bytes: &mut usize) {
        match self.0.get_mut(client) {
            Some(known) if known.gives_way_to(name, day) => {
                *bytes += name.len().saturating_sub(known.name.len());
                *known = ClientName { name: name.into(), day };
            }
            Some(_) => {}
            None => {
                *bytes += ENTRY + client.len() + name.len();
                self.0.insert(client.into(), ClientName { name: name.into(), day });
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &ClientName)> {
        self.0.iter().map(|(client, name)| (&**client, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(ahead: u64) -> Day {
        Day::from_ymd_opt(2026, 11, 1).expect("a date") + chrono::Days::new(ahead)
    }

    #[test]
    fn a_name_is_stored_when_it_is_news() {
        let news = |known: &str, told: &str, later: u64| {
            ClientName { name: known.into(), day: day(0) }.gives_way_to(told, day(later))
        };
        assert!(!news("printer.example.test", "printer.example.test", 13));
        assert!(news("printer.example.test", "printer.example.test", 14));
        assert!(!news("printer.example.test", "scanner.example.test", 0), "once a day");
        assert!(news("printer.example.test", "scanner.example.test", 1));
        assert!(news("(wks)", "printer.example.test", 0));
        assert!(!news("printer.example.test", "(wks)", 29));
        assert!(news("printer.example.test", "(wks)", 30));
        let known = ClientName { name: "a.test".into(), day: day(5) };
        assert!(!known.gives_way_to("b.test", day(4)), "a line that comes late");
    }

    #[test]
    fn of_each_client_one_name_is_kept() {
        let (mut told, mut bytes) = (ToldNames::default(), 0);
        for (name, ahead) in [("(wks)", 1), ("pc.example.test", 1), ("(other)", 1), ("b.test", 2)] {
            told.tell("192.0.2.1", name, day(ahead), &mut bytes);
        }
        let names: Vec<_> = told.all().map(|(client, name)| (client, &*name.name)).collect();
        assert_eq!(names, [("192.0.2.1", "b.test")]);
        assert!((ENTRY..2 * ENTRY).contains(&bytes), "{bytes}");
    }
}
