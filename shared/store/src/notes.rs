//! Notes about accounts and clients. They never expire.
//!
//! All of them are in one partition, with a revision that every write raises in the same transaction. So whoever read
//! the revision first, and then the notes, knows that these hold as long as the revision is the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use report::{Note, Notebook, Subject};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys::{self, NOTES};
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{TRANSACTION, Transacted, Write};

/// How often a write is tried while others write.
const TRIES: u32 = 10;

/// The notes. Touches them and nothing else. Clones keep what they have read together.
#[derive(Clone, Debug)]
pub struct Notes {
    table: Table,
    kept: Arc<Kept>,
}

/// The notes as they were read last.
#[derive(Debug)]
struct Kept {
    /// With their revision.
    notes: Mutex<Option<(u64, Arc<Notebook>)>>,
    /// The turn at reading them all.
    turn: Semaphore,
}

/// Of several notes, only the first ones are written for sure.
#[derive(Debug, Error)]
#[error("{written} notes are written, and then {error}")]
pub struct HalfWritten {
    /// How many are.
    pub written: usize,
    /// Why the others are not, or may not be.
    pub error: StoreError,
}

impl Notes {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &[NOTES];

    pub(crate) fn new(table: Table) -> Self {
        let kept = Kept { notes: Mutex::default(), turn: Semaphore::new(1) };
        Self { table, kept: Arc::new(kept) }
    }

    /// All notes, as of all writes so far. Where nothing was written since they were last read, this is one small request.
    ///
    /// # Errors
    /// A request failed.
    pub async fn all(&self) -> Result<Arc<Notebook>, StoreError> {
        let revision = self.revision().await?;
        if let Some(known) = self.known(revision) {
            return Ok(known);
        }
        // Nothing ever closes the turns.
        let _turn = self.kept.turn.acquire().await.ok();
        // Before the notes: what is written meanwhile has another revision, and is read again.
        let revision = self.revision().await?;
        if let Some(known) = self.known(revision) {
            return Ok(known);
        }
        let notes = Arc::new(self.read().await?);
        let mut kept = self.kept.notes.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((revision, Arc::clone(&notes)));
        Ok(notes)
    }

    fn known(&self, revision: u64) -> Option<Arc<Notebook>> {
        let kept = self.kept.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|(known, _)| *known == revision);
        kept.map(|(_, notes)| Arc::clone(notes))
    }

    /// How often notes were written; 0 if they never were.
    async fn revision(&self) -> Result<u64, StoreError> {
        let found = self.table.get(keys::revision_of_notes()).await?;
        Ok(found.and_then(|item| items::number(&item, "revision")).unwrap_or(0))
    }

    /// Every note. One that cannot be read is logged and left out: it must not hold up the others.
    async fn read(&self) -> Result<Notebook, StoreError> {
        let mut notes = Vec::new();
        let of_accounts = self.table.pages_beginning(NOTES, "account\t");
        let mut pages = of_accounts.chain(self.table.pages_beginning(NOTES, "client\t"));
        while let Some(page) = pages.next().await {
            for item in page? {
                match read(&item) {
                    Ok(note) => notes.push(note),
                    Err(error) => tracing::error!(%error, "note left out"),
                }
            }
        }
        Ok(Notebook::new(notes))
    }

    /// Writes a note in the place of what was noted about the same.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put(&self, note: &Note) -> Result<(), StoreError> {
        self.put_all(std::slice::from_ref(note)).await.map_err(|half| half.error)
    }

    /// Writes notes, one about each subject, in their order.
    ///
    /// # Errors
    /// A request failed; tells how many were written before.
    pub async fn put_all(&self, notes: &[Note]) -> Result<(), HalfWritten> {
        let mut written = 0;
        // A transaction also raises the revision.
        for part in notes.chunks(TRANSACTION - 1) {
            let writes = part.iter().map(|note| Write::Change(change(note))).collect();
            match self.write(writes).await {
                Ok(_) => written += part.len(),
                Err(error) => return Err(HalfWritten { written, error }),
            }
        }
        Ok(())
    }

    /// Removes the note about something; false if there is none.
    ///
    /// # Errors
    /// A request failed.
    pub async fn delete(&self, subject: &Subject) -> Result<bool, StoreError> {
        // Condition **there**: closes the race of two that remove it, of whom one is to be told so.
        let there = Condition::new("attribute_exists(pk)");
        self.write(vec![Write::Delete(key(subject), there)]).await
    }

    /// Makes these writes, and raises the revision; false if a condition failed.
    async fn write(&self, mut writes: Vec<Write>) -> Result<bool, StoreError> {
        let raised = Change::of(keys::revision_of_notes()).add("revision", items::of_number(1));
        writes.push(Write::Change(raised));
        for attempt in 0..TRIES {
            match self.table.transact(writes.clone()).await? {
                Transacted::Done(_) => return Ok(true),
                Transacted::Refused(_) => return Ok(false),
                Transacted::Contended => {
                    // Others write notes: they are through in a moment.
                    tokio::time::sleep(Duration::from_millis(20 << attempt.min(5))).await;
                }
            }
        }
        let detail = "too many notes are written at once".to_owned();
        Err(StoreError::Request { operation: "TransactWriteItems", detail })
    }
}

fn key(subject: &Subject) -> Item {
    keys::note(subject.kind(), &subject.to_string())
}

/// Everything that a note's item holds. What is empty is not there.
fn change(note: &Note) -> Change {
    let Note { subject, name, owner, note } = note;
    let texts = [("name", name), ("owner", owner), ("note", note)];
    texts.into_iter().fold(Change::of(key(subject)), |change, (attribute, text)| {
        if text.is_empty() {
            change.remove(attribute)
        } else {
            change.set(attribute, items::of_text(text))
        }
    })
}

fn read(item: &Item) -> Result<Note, StoreError> {
    let place = items::text(item, "sk").unwrap_or("?");
    let text = |name| items::text(item, name).unwrap_or_default();
    let note = || {
        let (kind, subject) = place.split_once('\t')?;
        let subject = Subject::read(kind, subject).ok()?;
        Note::new(subject, text("name"), text("owner"), text("note")).ok()
    };
    let note = if items::is_later(item, 1) { None } else { note() };
    note.ok_or_else(|| StoreError::Item { key: format!("{NOTES} {place}"), expected: "a note" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_none_is_not_read() {
        let item = |place: &str, texts: &[(&str, &str)]| {
            let mut item = keys::key(NOTES, place);
            let texts =
                texts.iter().map(|(name, text)| ((*name).to_owned(), items::of_text(*text)));
            item.extend(texts);
            item
        };
        let good = read(&item("client\t192.0.2.0/24", &[("note", "branch")])).expect("a note");
        assert_eq!((good.subject.to_string().as_str(), &*good.note), ("192.0.2.0/24", "branch"));
        for bad in [
            item("account\ta", &[]),
            item("account\t", &[("name", "x")]),
            item("a", &[("name", "x")]),
            item("client\tmx.example.test", &[("name", "x")]),
            item("account\ta", &[("owner", "nobody")]),
        ] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
        let mut later = item("account\ta", &[("name", "x")]);
        later.insert("form".to_owned(), items::of_number(2));
        let error = read(&later).expect_err("a later form").to_string();
        assert_eq!(error, "item NOTES account\ta does not hold a note");
    }

    #[test]
    fn the_longest_subject_is_a_key() {
        let subject = Subject::account(&"x".repeat(report::ACCOUNT_LIMIT)).expect("an account");
        let key = key(&subject);
        assert!(items::text(&key, "sk").is_some_and(|place| place.len() <= 1024), "{key:?}");
    }
}
