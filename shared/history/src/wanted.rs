//! What a table is asked by, and what has to be read for it.

use report::{Field, Filter, Group, own_domain};
use store::UsageFilter;

use crate::grain::Grain;

/// Which table is wanted of a range: this alone, and the range's state, decide what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Only what passes.
    pub filter: Filter,
    /// What there is a row for each of.
    pub group: Group,
}

/// What is read of each day.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) filter: Filter,
    /// From which file.
    pub(crate) grain: Grain,
    /// What is known of each row; other fields may be empty.
    pub(crate) fields: Vec<Field>,
}

impl Reading {
    /// Everything that passes, in full.
    pub(crate) fn whole(filter: &Filter) -> Self {
        let grain = Grain::Usage;
        Self { filter: filter.clone(), grain, fields: grain.fields().to_vec() }
    }

    /// What a table needs: from the small file if that has all of it.
    pub(crate) fn of_table(wanted: &Wanted) -> Self {
        // Rows are told apart by TLS version in any table.
        let needed: Vec<_> = [Field::Tls]
            .into_iter()
            .chain(wanted.group.fields().iter().copied())
            .chain(wanted.filter.fields())
            .collect();
        let has_all = |grain: &Grain| needed.iter().all(|field| grain.fields().contains(field));
        let grain = Some(Grain::Senders).filter(has_all).unwrap_or(Grain::Usage);
        let fields = grain.fields().iter().copied().filter(|field| needed.contains(field));
        Self { filter: wanted.filter.clone(), grain, fields: fields.collect() }
    }
}

/// What the store can leave out by itself; the rest of the filter is for who reads.
pub(crate) fn of_store(filter: &Filter) -> UsageFilter<'_> {
    let sender = filter.sender.as_deref();
    // A sender's address tells the domain that it is counted under, and that saves reading all others.
    let domain = filter.domain.as_deref().or_else(|| own_domain(sender?));
    UsageFilter { domain, sender }
}

#[cfg(test)]
mod tests {
    use report::TlsVersion;

    use super::*;

    fn reading(group: Group, filter: Filter) -> (Grain, Vec<Field>) {
        let Reading { grain, fields, .. } = Reading::of_table(&Wanted { filter, group });
        (grain, fields)
    }

    #[test]
    fn the_small_file_is_read_wherever_it_is_enough() {
        let all = Filter::default;
        let some = || Some("x".to_owned());
        let (sender, domain) = (Field::Sender, Field::Domain);
        let senders = |fields: &[Field]| (Grain::Senders, fields.to_vec());
        assert_eq!(reading(Group::Sender, all()), senders(&[sender, Field::Tls]));
        assert_eq!(reading(Group::Domain, all()), senders(&[domain, Field::Tls]));
        assert_eq!(reading(Group::Tls, all()), senders(&[Field::Tls]));
        let of_domain = Filter { domain: some(), ..all() };
        assert_eq!(reading(Group::Sender, of_domain), senders(&[sender, domain, Field::Tls]));
        let over = Filter { tls: Some(TlsVersion::Tls10), sender: some(), ..all() };
        assert_eq!(reading(Group::Sender, over), senders(&[sender, Field::Tls]));
    }

    #[test]
    fn the_large_file_is_read_where_it_must_be_and_no_more_of_it() {
        let all = Filter::default;
        let usage = |fields: &[Field]| (Grain::Usage, fields.to_vec());
        let account = [Field::Sender, Field::Username, Field::Tls];
        assert_eq!(reading(Group::Account, all()), usage(&account));
        assert_eq!(reading(Group::Client, all()), usage(&[Field::Tls, Field::Client]));
        let of_account = Filter { account: Some("x".to_owned()), ..all() };
        assert_eq!(reading(Group::Sender, of_account), usage(&account));
        let by_mechanism = Filter { mechanism: Some(String::new()), ..all() };
        let fields = [Field::Sender, Field::Mechanism, Field::Tls];
        assert_eq!(reading(Group::Sender, by_mechanism), usage(&fields));
    }
}
