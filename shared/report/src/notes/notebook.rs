//! All notes: looked up, searched, and held against a sheet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::note::{NOTES, Note, Subject};
use super::sheet::{Refused, Sheet};
use crate::views::filter::Clients;

/// All notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notebook {
    /// In the order of their subjects, one about each.
    notes: Vec<Note>,
    /// How long the prefixes of clients are that there are notes about.
    lengths: BTreeSet<u8>,
}

/// What a sheet would do to the notes. Each note has the line on which it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Notes about what there was none about.
    pub created: Vec<(u64, Note)>,
    /// Notes that say something else than before.
    pub changed: Vec<(u64, Note)>,
    /// How many say what was noted already.
    pub unchanged: usize,
    /// What cannot be noted, in the order of lines.
    pub refused: Vec<Refused>,
}

impl Notebook {
    /// These notes; of two about the same, the latter.
    #[must_use]
    pub fn new(mut notes: Vec<Note>) -> Self {
        notes.reverse();
        notes.sort_by(|a, b| a.subject.cmp(&b.subject));
        notes.dedup_by(|a, b| a.subject == b.subject);
        let lengths = notes.iter().filter_map(|note| match &note.subject {
            Subject::Account(_) => None,
            Subject::Client(network) => Some(network.prefix_len()),
        });
        Self { lengths: lengths.collect(), notes }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// All of them, in the order of their subjects.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter()
    }

    /// The note about exactly this.
    #[must_use]
    pub fn about(&self, subject: &Subject) -> Option<&Note> {
        let at = self.notes.binary_search_by(|note| note.subject.cmp(subject));
        at.ok().map(|at| &self.notes[at])
    }

    /// The note about an account, which is named as it is counted.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Note> {
        let name = name.trim();
        let at = self.notes.binary_search_by(|note| match &note.subject {
            Subject::Account(known) => known.as_str().cmp(name),
            Subject::Client(_) => std::cmp::Ordering::Greater,
        });
        at.ok().map(|at| &self.notes[at])
    }

    /// The note about the client with this address: its own, else that of the smallest network that holds it.
    #[must_use]
    pub fn client(&self, address: &str) -> Option<&Note> {
        // Most clients of most tables: nobody has noted anything about one.
        if self.lengths.is_empty() {
            return None;
        }
        let address = address.parse::<IpAddr>().ok()?;
        self.lengths.iter().rev().find_map(|length| {
            let network = IpNet::new(address, *length).ok()?.trunc();
            self.about(&Subject::Client(network))
        })
    }

    /// The note about one client, as [`Self::client`] finds it, or about exactly a network.
    #[must_use]
    pub fn clients(&self, clients: &Clients) -> Option<&Note> {
        match clients {
            Clients::One(address) => self.client(address),
            Clients::Network(_) => Subject::of(clients).and_then(|subject| self.about(&subject)),
        }
    }

    /// The notes with `part`, in lower case, in one of their texts; of an address or network also those about clients
    /// that it holds, or is held by.
    pub fn with<'n>(&'n self, part: &'n str) -> impl Iterator<Item = &'n Note> {
        let sought = Subject::client(part).ok();
        let near = move |note: &Note| match (&sought, &note.subject) {
            (Some(Subject::Client(sought)), Subject::Client(network)) => {
                sought.contains(network) || network.contains(sought)
            }
            _ => false,
        };
        self.notes.iter().filter(move |note| part.is_empty() || near(note) || note.says(part))
    }

    /// At most `limit` of the notes [`with`](Self::with) a part, behind the one about `after`; and whether more follow.
    #[must_use]
    pub fn page<'n>(
        &'n self,
        part: &'n str,
        after: Option<&Subject>,
        limit: usize,
    ) -> (Vec<&'n Note>, bool) {
        let is_behind = |note: &&Note| after.is_none_or(|after| note.subject > *after);
        let mut found: Vec<_> = self.with(part).filter(is_behind).take(limit + 1).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    /// What a sheet would do.
    #[must_use]
    pub fn plan(&self, sheet: Sheet) -> Plan {
        let mut plan = Plan { refused: sheet.refused, ..Plan::default() };
        for (line, note) in sheet.notes {
            match self.about(&note.subject) {
                Some(known) if *known == note => plan.unchanged += 1,
                Some(_) => plan.changed.push((line, note)),
                None if self.len() + plan.created.len() >= NOTES => {
                    let reason = format!("there may be {NOTES} notes at most: delete some first");
                    plan.refused.push(Refused { line, reason });
                }
                None => plan.created.push((line, note)),
            }
        }
        plan.refused.sort_by_key(|refused| refused.line);
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: &str, subject: &str, name: &str) -> Note {
        let subject = Subject::read(kind, subject).expect("a subject");
        Note::new(subject, name, "", "").expect("a note")
    }

    fn notebook() -> Notebook {
        Notebook::new(vec![
            note("client", "203.0.113.0/24", "Branch"),
            note("account", "scanner", "Old name"),
            note("client", "203.0.113.9", "Till"),
            note("client", "0.0.0.0/0", "IPv4"),
            note("client", "2001:db8::/32", "Campus"),
            note("client", "2001:db8:1::/48", "Library"),
            note("account", "ann@example.test", "Ann"),
            note("account", "scanner", "Scanner, 2nd floor"),
        ])
    }

    fn name(note: Option<&Note>) -> &str {
        note.map_or("", |note| &note.name)
    }

    #[test]
    fn accounts_are_found_by_name_and_the_latter_of_two_notes_holds() {
        let notes = notebook();
        assert_eq!(notes.len(), 7);
        assert_eq!(name(notes.account("scanner")), "Scanner, 2nd floor");
        assert_eq!(name(notes.account(" ann@example.test")), "Ann");
        for nobody in ["", "scan", "scanner2", "203.0.113.9"] {
            assert_eq!(notes.account(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_client_has_its_own_note_or_that_of_the_smallest_network() {
        let notes = notebook();
        for (address, called) in [
            ("203.0.113.9", "Till"),
            ("203.0.113.90", "Branch"),
            ("198.51.100.1", "IPv4"),
            ("2001:db8:1::5", "Library"),
            ("2001:db8:2::5", "Campus"),
            ("2001:db9::5", ""),
            ("(other clients)", ""),
            ("", ""),
        ] {
            assert_eq!(name(notes.client(address)), called, "{address}");
        }
        let clients = |text| Clients::read(text).expect("clients");
        assert_eq!(name(notes.clients(&clients("203.0.113.0/24"))), "Branch");
        assert_eq!(notes.clients(&clients("203.0.113.0/25")), None);
        assert_eq!(name(notes.clients(&clients("203.0.113.7"))), "Branch");
        assert_eq!(Notebook::default().client("203.0.113.7"), None);
    }

    #[test]
    fn a_search_finds_texts_and_networks_and_pages_hold_each_once() {
        let notes = notebook();
        let found = |part| notes.with(part).map(|note| note.name.as_str()).collect::<Vec<_>>();
        assert_eq!(found("floor"), ["Scanner, 2nd floor"]);
        assert_eq!(found("203.0.113.9"), ["IPv4", "Branch", "Till"]);
        assert_eq!(found("2001:db8::/32"), ["Campus", "Library"]);
        assert_eq!(found("nothing"), [""; 0]);
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (page, more) = notes.page("", after.as_ref(), 2);
            all.extend(page.iter().map(|note| note.subject.to_string()));
            after = page.last().map(|note| note.subject.clone());
            if !more {
                break;
            }
        }
        let order: Vec<_> = notes.iter().map(|note| note.subject.to_string()).collect();
        assert_eq!(all, order);
        assert_eq!(order[..2], ["ann@example.test", "scanner"]);
    }

    #[test]
    fn no_sheet_makes_more_notes_than_there_may_be() {
        let numbered = |number: usize| note("account", &format!("a{number}"), "x");
        let known = Notebook::new((1..NOTES).map(numbered).collect());
        let notes = vec![
            (2, note("account", "a1", "other")),
            (3, numbered(2)),
            (4, note("account", "new", "x")),
            (5, note("account", "newer", "x")),
        ];
        let refused = vec![Refused { line: 6, reason: "bad".to_owned() }];
        let plan = known.plan(Sheet { notes, refused });
        let lines = |notes: &[(u64, Note)]| notes.iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!((lines(&plan.changed), lines(&plan.created)), (vec![2], vec![4]));
        assert_eq!(plan.unchanged, 1);
        assert_eq!(plan.refused.iter().map(|one| one.line).collect::<Vec<_>>(), [5, 6]);
        assert!(plan.refused[0].reason.contains("10000 notes at most"), "{:?}", plan.refused);
    }
}
