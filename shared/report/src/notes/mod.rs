//! What administrators note about accounts and clients: what each is called, whose it is, and what else is to be known.
//!
//! A [`Note`] is about a [`Subject`]. A [`Notebook`] has all of them, and is where they are looked up. They go in and
//! out as a [`sheet`]: a CSV file.

mod note;
mod notebook;
pub mod sheet;

pub use note::{NOTE_NAME, NOTE_TEXT, NOTES, Note, NoteError, Subject};
pub use notebook::{Notebook, Plan};
