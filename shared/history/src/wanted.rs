//! What a table is asked by, and what has to be read for it.

use report::{Field, Filter, Group, Range, own_domain};
use store::UsageFilter;

use crate::grain::Grain;

/// Which table is wanted: this alone, and the state of the days that are read for it, decide what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Whose messages are told. Days that are read around it tell how they changed, and who was seen when.
    pub range: Range,
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

    /// What a table needs.
    pub(crate) fn of_table(wanted: &Wanted) -> Self {
        Self::telling(wanted, &[])
    }

    /// What the mechanisms of a table's rows need.
    pub(crate) fn of_mechanisms(wanted: &Wanted) -> Self {
        Self::telling(wanted, &[Field::Mechanism])
    }

    /// What the stories of a table's rows need.
    pub(crate) fn of_stories(wanted: &Wanted) -> Self {
        Self::telling(wanted, &[Field::Mechanism, Field::Client])
    }

    /// What a table needs, and these: from the small file if that has all of it.
    fn telling(wanted: &Wanted, more: &[Field]) -> Self {
        // Rows are told apart by TLS version in any table.
        let needed: Vec<_> = [Field::Tls]
            .into_iter()
            .chain(wanted.group.fields().iter().copied())
            .chain(wanted.filter.fields())
            .chain(more.iter().copied())
            .collect();
        let has_all = |grain: &Grain| needed.iter().all(|field| grain.fields().contains(field));
        let grain = Some(Grain::Senders).filter(has_all).unwrap_or(Grain::Usage);
        let fields = grain.fields().iter().copied().filter(|field| needed.contains(field));
        Self { filter: wanted.filter.clone(), grain, fields: fields.collect() }
    }
}

/// What the store can leave out by itself; the rest of the filter is for who reads.
pub(crate) fn of_store<'f>(filter: &'f Filter) -> UsageFilter<'f> {
    let only = |wanted: &'f [String]| match wanted {
        [one] => Some(one.as_str()),
        _ => None,
    };
    let sender = only(&filter.senders);
    // A sender's address tells the domain that it is counted under, and that saves reading all others.
    let domain = only(&filter.domains).or_else(|| own_domain(sender?));
    UsageFilter { domain, sender }
}

#[cfg(test)]
mod tests {
    use report::{Day, TlsVersion};

    use super::*;

    fn reading(group: Group, filter: Filter) -> (Grain, Vec<Field>) {
        let Reading { grain, fields, .. } = Reading::of_table(&Wanted {
            range: Range { start: Day::MIN, end: Day::MAX },
            filter,
            group,
        });
        (grain, fields)
    }

    #[test]
    fn the_small_file_is_read_wherever_it_is_enough() {
        let all = Filter::default;
        let some = || vec!["x".to_owned()];
        let (sender, domain) = (Field::Sender, Field::Domain);
        let senders = |fields: &[Field]| (Grain::Senders, fields.to_vec());
        assert_eq!(reading(Group::Sender, all()), senders(&[sender, Field::Tls]));
        assert_eq!(reading(Group::Domain, all()), senders(&[domain, Field::Tls]));
        assert_eq!(reading(Group::Tls, all()), senders(&[Field::Tls]));
        let of_domain = Filter { domains: some(), ..all() };
        assert_eq!(reading(Group::Sender, of_domain), senders(&[sender, domain, Field::Tls]));
        let over = Filter { tls: vec![TlsVersion::Tls10], senders: some(), ..all() };
        assert_eq!(reading(Group::Sender, over), senders(&[sender, Field::Tls]));
    }

    #[test]
    fn the_large_file_is_read_where_it_must_be_and_no_more_of_it() {
        let all = Filter::default;
        let usage = |fields: &[Field]| (Grain::Usage, fields.to_vec());
        let account = [Field::Sender, Field::Username, Field::Tls];
        assert_eq!(reading(Group::Account, all()), usage(&account));
        assert_eq!(reading(Group::Client, all()), usage(&[Field::Tls, Field::Client]));
        let of_account = Filter { accounts: vec!["x".to_owned()], ..all() };
        assert_eq!(reading(Group::Sender, of_account), usage(&account));
        let by_mechanism = Filter { mechanisms: vec![String::new()], ..all() };
        let fields = [Field::Sender, Field::Mechanism, Field::Tls];
        assert_eq!(reading(Group::Sender, by_mechanism), usage(&fields));
    }
}
