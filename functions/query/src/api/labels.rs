//! What is known of accounts and clients beside their counts: looked up for those that are shown.

use std::collections::HashMap;
use std::sync::Arc;

use report::views::{ClientPlace, Labels};
use report::{ClientName, Group, Notebook};

use super::problem::Problem;
use crate::service::Query;

/// What is known of some accounts or clients.
pub(crate) struct Labelled {
    group: Group,
    notes: Arc<Notebook>,
    client_names: HashMap<String, ClientName>,
}

impl Labelled {
    /// What is known of the rows of a group with these names.
    pub(crate) async fn of(
        query: &Query,
        group: Group,
        names: impl Iterator<Item = &str>,
    ) -> Result<Self, Problem> {
        let notes = match group {
            Group::Account | Group::Client => query.data.notes().await?,
            _ => Arc::default(),
        };
        let client_names = match group {
            Group::Client => query.data.client_names(names).await?,
            _ => HashMap::new(),
        };
        Ok(Self { group, notes, client_names })
    }

    /// The labels of one of them, which is at this place.
    pub(crate) fn labels(&self, name: &str, place: Option<ClientPlace>) -> Labels {
        let noted = match self.group {
            Group::Account => self.notes.account(name),
            Group::Client => self.notes.client(name),
            _ => None,
        };
        let client_name = self.client_names.get(name).map(|told| told.name.to_string());
        Labels { place, client_name, noted: noted.map(Into::into) }
    }
}
