//! What a row of a table tells beside its counts: its days, its mechanisms, how it changed.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::details::{NamedMessages, add_names, count, most_first};
use super::group::Group;
use super::known::{ClientPlace, Known};
use super::labels::Labels;
use super::row::Row;
use crate::counting::day::{Day, Range};
use crate::counting::usage::UsageKey;

/// The days and mechanisms of one row in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Messages on each day of the range.
    days: Vec<u64>,
    mechanisms: BTreeMap<String, u64>,
    clients: BTreeMap<String, u64>,
    /// One of the clients of a country or network.
    client: Option<String>,
}

/// Gathers the stories of some rows of a table: those of a page, which are all that anybody sees at once.
#[derive(Clone, Debug)]
pub struct Stories {
    group: Group,
    range: Range,
    known: Known,
    /// Whether client addresses are gathered.
    clients: bool,
    places: HashMap<String, usize, RandomState>,
    stories: Vec<Story>,
    /// The name that was looked up last, and its place: the next is often the same.
    last: (String, Option<usize>),
}

impl Stories {
    /// Nothing, yet, of the rows with these names.
    #[must_use]
    pub fn new<'n>(
        group: Group,
        range: Range,
        known: &Known,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let names = names.into_iter().enumerate();
        let places: HashMap<_, _, _> = names.map(|(at, name)| (name.to_owned(), at)).collect();
        let meant = group.meant_by("", known);
        let last = (String::new(), places.get(&*meant).copied());
        let days = vec![0; range.days().count()];
        let story = Story { days, ..Story::default() };
        let stories = vec![story; places.len()];
        Self { group, range, known: known.clone(), clients: false, places, stories, last }
    }

    /// Without their days: for many rows.
    #[must_use]
    pub fn without_days(mut self) -> Self {
        self.stories.iter_mut().for_each(|story| story.days = Vec::new());
        self
    }

    /// With the client addresses as well.
    #[must_use]
    pub fn with_clients(self) -> Self {
        Self { clients: true, ..self }
    }

    /// Adds messages of one key, if they are of one of the rows.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        let name = self.group.of(key);
        if self.last.0 != name {
            self.last.0.clear();
            self.last.0.push_str(name);
            self.last.1 = self.places.get(&*self.group.meant_by(name, &self.known)).copied();
        }
        let (Some(at), true) = (self.last.1, self.range.contains(day)) else { return };
        let Some(story) = self.stories.get_mut(at) else { return };
        let day = usize::try_from((day - self.range.start).num_days()).unwrap_or(usize::MAX);
        if let Some(sum) = story.days.get_mut(day) {
            *sum = sum.saturating_add(messages);
        }
        count(&mut story.mechanisms, key.mechanism, messages);
        if matches!(self.group, Group::Country | Group::Network) && story.client.is_none() {
            story.client = Some(key.client.to_owned());
        }
        if self.clients {
            count(&mut story.clients, key.client, messages);
        }
    }

    /// Adds what another one of the same rows has gathered.
    pub fn merge(&mut self, other: Self) {
        for (story, other) in self.stories.iter_mut().zip(other.stories) {
            for (day, more) in story.days.iter_mut().zip(other.days) {
                *day = day.saturating_add(more);
            }
            story.client = story.client.take().or(other.client);
            add_names(&mut story.mechanisms, other.mechanisms);
            add_names(&mut story.clients, other.clients);
        }
    }

    /// The stories, in the order in which the names were given.
    #[must_use]
    pub fn finish(self) -> Vec<Story> {
        self.stories
    }
}

impl Story {
    /// Where a row of a group's table is, if it is a client, a country or a network.
    #[must_use]
    pub fn place(&self, group: Group, name: &str, known: &Known) -> Option<ClientPlace> {
        let client = if group == Group::Client { Some(name) } else { self.client.as_deref() };
        ClientPlace::of(known, client?)
    }

    /// The client addresses, most messages first: none where they were not gathered.
    pub(super) fn take_clients(&mut self) -> Vec<NamedMessages> {
        most_first(std::mem::take(&mut self.clients))
    }
}

/// A row of a group's table, with its story.
#[derive(Clone, Debug)]
pub struct RowOf<'t> {
    /// What the table has a row for each of.
    pub group: Group,
    /// The row.
    pub row: Row<'t>,
    /// Its days and mechanisms.
    pub story: Story,
    /// What is known of it.
    pub labels: Labels,
}

/// What a row of any view's table tells beside its counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct More {
    /// Messages in as many days before the range; null if not all of them are kept.
    pub before: Option<u64>,
    /// Messages against those of before, in percent; null if there were none, or they are not known.
    pub change: Option<f64>,
    /// The first day, of all that are kept, on which it sent.
    pub first: NaiveDate,
    /// The last one.
    pub last: NaiveDate,
    /// Messages on each day of the range, as of now.
    pub days: Vec<u64>,
    /// Mechanisms used in the range, most messages first; an empty name is what the log does not tell.
    pub mechanisms: Vec<NamedMessages>,
    /// What is known of it.
    #[serde(flatten)]
    pub labels: Labels,
}

impl More {
    pub(super) fn new(row: &Row<'_>, story: Story, labels: Labels) -> Self {
        let mechanisms = most_first(story.mechanisms);
        let (before, change) = (row.past.before, row.change());
        let (first, last) = (row.past.first, row.past.last);
        Self { before, change, first, last, days: story.days, mechanisms, labels }
    }
}
