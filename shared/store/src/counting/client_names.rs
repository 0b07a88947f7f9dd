//! What clients are called: for each address, the name that a log told last.
//!
//! It is no count, so no position is needed: what is told twice changes nothing. An item is written when a name is news
//! ([`ClientName::gives_way_to`]): a write or two a day at most, whoever the client says that it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use report::{ClientName, Day, Tally};

use crate::counting::outcome::Outcome;
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Change;

const NAME: &str = "n";
const DAY: &str = "d";
/// Clients whose names are remembered as written: about 15 MB.
const REMEMBERED: usize = 100_000;
/// Items read at once.
const READS: usize = 16;

/// Names that this process knows to be stored: a read saved, never a wrong name for long.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownNames(Arc<Mutex<HashMap<Box<str>, ClientName>>>);

impl KnownNames {
    /// Stores what a tally tells of clients that were told apart.
    pub(crate) async fn learn(&self, table: &Table, tally: &Tally) -> Result<Outcome, StoreError> {
        let told = tally.client_names().map(|(client, told)| (client, &*told.name, told.day));
        let told: Vec<_> =
            told.filter(|(client, name, day)| self.is_news(client, name, *day)).collect();
        let names = NamesOfClients::new(table.clone());
        let stored = names.of(told.iter().map(|(client, ..)| (*client).to_owned())).await?;
        let mut changes = Vec::new();
        for (client, name, day) in told {
            let known = stored.get(client);
            let name = match known.filter(|known| !known.gives_way_to(name, day)) {
                Some(known) => known.clone(),
                None => {
                    let change = Change::of(keys::client_name(client)).expires(items::expiry(day));
                    let change = change.set(NAME, items::of_text(name));
                    changes.push(change.set(DAY, items::of_text(day.to_string())));
                    ClientName { name: name.into(), day }
                }
            };
            self.remember(client, name);
        }
        let items = changes.len() as u64;
        let write_units = table.update_all(changes).await?;
        Ok(Outcome { items, write_units, ..Outcome::default() })
    }

    fn is_news(&self, client: &str, name: &str, day: Day) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(client).is_none_or(|known| known.gives_way_to(name, day))
    }

    fn remember(&self, client: &str, name: ClientName) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(client.into(), name);
    }
}

fn read(item: &Item) -> Option<ClientName> {
    let day = items::text(item, DAY)?.parse().ok()?;
    Some(ClientName { name: items::text(item, NAME)?.into(), day })
}

/// What clients are called. Touches nothing else.
#[derive(Clone, Debug)]
pub struct NamesOfClients(Table);

impl NamesOfClients {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["N#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// The names of those of some clients that have one.
    ///
    /// # Errors
    /// A request failed.
    pub async fn of(
        &self,
        clients: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, ClientName>, StoreError> {
        let clients = clients.into_iter().filter(|client| !client.is_empty());
        let reads = clients.map(|client| async move {
            let item = self.0.get(keys::client_name(&client)).await?;
            Ok(item.as_ref().and_then(read).map(|name| (client, name)))
        });
        let reads: Vec<_> = reads.collect();
        let found = stream::iter(reads).buffer_unordered(READS);
        found.try_filter_map(|found| async { Ok(found) }).try_collect().await
    }
}
