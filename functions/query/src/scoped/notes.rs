//! Notes within a scope: those about accounts whose names end in one of its domains. An address is everybody's, and so
//! are notes about it: whoever is bound sees none.

use std::sync::Arc;

use report::{Note, Notebook, Scope, Subject};
use store::{HalfWritten, StoreError};

use super::within::Scoped;

impl Scoped {
    /// Whether a note about this may be seen, and written.
    pub(crate) fn may_note(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Account(name) => self.scope.has_account(name),
            Subject::Client(_) => self.scope == Scope::All,
        }
    }

    /// All notes.
    pub(crate) async fn notes(&self) -> Result<Arc<Notebook>, StoreError> {
        let all = self.notes.all().await?;
        if self.scope == Scope::All {
            return Ok(all);
        }
        let seen = all.iter().filter(|note| self.may_note(&note.subject));
        Ok(Arc::new(Notebook::new(seen.cloned().collect())))
    }

    /// Writes a note in the place of what was noted about the same; false if there may not be one, because of the scope or
    /// because there are `most` notes.
    pub(crate) async fn put_note(&self, note: &Note, most: usize) -> Result<bool, StoreError> {
        let all = self.notes.all().await?;
        let has_room = all.len() < most || all.about(&note.subject).is_some();
        let may = self.may_note(&note.subject) && has_room;
        if may {
            self.notes.put(note).await?;
        }
        Ok(may)
    }

    /// Writes notes in their order. None is written by whoever is bound.
    pub(crate) async fn put_notes(&self, notes: &[Note]) -> Result<(), HalfWritten> {
        let own: &[Note] = if self.scope == Scope::All { notes } else { &[] };
        self.notes.put_all(own).await
    }

    /// Removes the note about something; false if there is none, or it is another's.
    pub(crate) async fn delete_note(&self, subject: &Subject) -> Result<bool, StoreError> {
        Ok(self.may_note(subject) && self.notes.delete(subject).await?)
    }
}
