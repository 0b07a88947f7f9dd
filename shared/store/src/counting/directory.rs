//! What a process remembers of pages of counters.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::counting::counter_names::is_counter;
use crate::counting::counter_pages::{FULL, Page, Place, way_of};
use crate::counting::position::Source;
use crate::dynamo::items::Item;

/// What a new page takes beside its counters: keys, expiry, a position.
const FRAME: usize = 100;
/// Counters that one update adds to: far below what an update expression may hold.
const ROWS: usize = 100;
/// What a counter's value takes.
const VALUE: usize = 4;
/// The deepest page: below it, checksums have no more bits to tell counters apart.
const DEEPEST: u32 = 60;
/// Counters remembered, or as much else: about 50 MB.
const REMEMBERED: usize = 1_000_000;

/// What is known of a page.
#[derive(Debug)]
enum Known {
    /// It is full, with these positions for ever.
    Full(Arc<HashMap<String, Vec<u8>>>),
    /// It is open, with at least these counters; the bytes of these, and of everything else.
    Open { rows: HashSet<u64>, bytes: usize, frame: usize },
}

impl Known {
    fn of(item: Option<&Item>) -> Self {
        let Some(item) = item else {
            return Self::Open { rows: HashSet::new(), bytes: 0, frame: FRAME };
        };
        if item.contains_key(FULL) {
            let positions = item.iter().filter_map(|(name, value)| {
                value.as_b().ok().map(|position| (name.clone(), position.as_ref().to_vec()))
            });
            return Self::Full(Arc::new(positions.collect()));
        }
        let (mut rows, mut bytes, mut frame) = (HashSet::new(), 0, 0);
        for (name, value) in item {
            if is_counter(name) {
                rows.insert(way_of(name));
                bytes += name.len() + VALUE;
            } else {
                frame += name.len();
                frame += match value {
                    AttributeValue::S(text) => text.len(),
                    AttributeValue::B(bytes) => bytes.as_ref().len(),
                    _ => VALUE,
                };
            }
        }
        Self::Open { rows, bytes, frame }
    }
}

/// What this process remembers of pages.
#[derive(Debug, Default)]
pub(crate) struct Directory(HashMap<Place, Known>);

/// What is to be done with a page.
pub(crate) enum Decision {
    /// Nothing is known of it.
    Read,
    /// It is full: go on with its children, without what lies before this position.
    Descend(Option<Vec<u8>>),
    /// It would be too large.
    Close,
    Write,
}

impl Directory {
    /// Forgets everything if it has grown too much.
    pub(crate) fn trim(&mut self) {
        let weight = |known: &Known| match known {
            Known::Full(positions) => 6 + 3 * positions.len(),
            Known::Open { rows, .. } => 6 + rows.len(),
        };
        if self.0.values().map(weight).sum::<usize>() > REMEMBERED {
            self.0.clear();
        }
    }

    pub(crate) fn decide(&self, page: &Page<'_>, source: &Source, limit: usize) -> Decision {
        match self.0.get(&page.place()) {
            None => Decision::Read,
            Some(Known::Full(positions)) => {
                Decision::Descend(positions.get(source.attribute()).cloned())
            }
            Some(Known::Open { rows, bytes, frame }) => {
                let new = page.rows.iter().filter(|row| !rows.contains(&row.way));
                let (count, added) = new.fold((rows.len(), 0), |(count, added), row| {
                    (count + 1, added + row.name.len() + VALUE)
                });
                // Positions of many sources must not leave a page without room for counters.
                let room = limit.saturating_sub((*frame).min(limit / 3));
                let fits = page.rows.len() <= ROWS && (added == 0 || bytes + added <= room);
                if fits || count <= 1 || page.depth >= DEEPEST {
                    Decision::Write
                } else {
                    Decision::Close
                }
            }
        }
    }

    /// Takes note of what was written to a page, and of how large DynamoDB says that it is.
    pub(crate) fn written(&mut self, page: &Page<'_>, write_units: Option<f64>) {
        let place = page.place();
        let Some(Known::Open { rows, bytes, frame }) = self.0.get_mut(&place) else { return };
        for row in &page.rows {
            if rows.insert(row.way) {
                *bytes += row.name.len() + VALUE;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
        let expected = ((*bytes + *frame) as f64 / 1024.0).ceil() + 1.0;
        if write_units.is_some_and(|units| units > expected) {
            // Others have filled it too: look again next time.
            self.0.remove(&place);
        }
    }

    /// Takes note that this process was the one that closed a page: nobody can have gone below it yet.
    pub(crate) fn closed_first(&mut self, page: &Page<'_>) {
        for place in page.places_below() {
            self.0.entry(place).or_insert_with(|| Known::of(None));
        }
    }

    /// Takes note of a page as it is, or that there is none.
    pub(crate) fn found(&mut self, page: &Page<'_>, item: Option<&Item>) {
        self.0.insert(page.place(), Known::of(item));
    }
}
