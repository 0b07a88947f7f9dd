//! Which sender domains somebody may know of.

use std::collections::BTreeSet;

use super::filter::Filter;
use crate::counting::submission::own_domain;

/// No usage has it: no domain holds an `@`. Not [`ALL_DOMAINS`](crate::ALL_DOMAINS), which is a name of sums.
const NO_DOMAIN: &str = "@";

/// The sender domains that somebody may know of. Whoever is bound to some sees their messages, totals included, as if
/// there were no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All, those included that will come.
    #[default]
    All,
    /// These, and not their subdomains; where there are none, nothing.
    Domains(BTreeSet<String>),
}

impl Scope {
    /// The scope in which there is nothing.
    pub const NOTHING: Self = Self::Domains(BTreeSet::new());

    /// The domains of a scope that is bound to some.
    #[must_use]
    pub const fn domains(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::All => None,
            Self::Domains(domains) => Some(domains),
        }
    }

    /// Whether what a domain has lies in it.
    #[must_use]
    pub fn has(&self, domain: &str) -> bool {
        self.domains().is_none_or(|domains| domains.contains(domain))
    }

    /// Whether what failed at an account lies in it: of an account, nothing is known but its name, so one that names no
    /// domain lies in no scope that is bound to some.
    #[must_use]
    pub fn has_account(&self, account: &str) -> bool {
        *self == Self::All || own_domain(account).is_some_and(|domain| self.has(domain))
    }

    /// Whether everything in it lies in another one.
    #[must_use]
    pub fn lies_in(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::All) => true,
            (Self::All, Self::Domains(_)) => false,
            (Self::Domains(own), Self::Domains(others)) => own.is_subset(others),
        }
    }

    /// What lies in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, one) | (one, Self::All) => one.clone(),
            (Self::Domains(one), Self::Domains(two)) => {
                Self::Domains(one.intersection(two).cloned().collect())
            }
        }
    }

    /// A filter that passes, of what another one passes, what lies in the scope. Domains outside of it pass as those do
    /// of which there is nothing.
    #[must_use]
    pub fn narrow(&self, filter: &Filter) -> Filter {
        let Self::Domains(own) = self else { return filter.clone() };
        let mut domains: Vec<String> = match filter.domains.as_slice() {
            [] => own.iter().cloned().collect(),
            asked => asked.iter().filter(|domain| own.contains(*domain)).cloned().collect(),
        };
        // A filter without domains would pass all.
        if domains.is_empty() {
            domains.push(NO_DOMAIN.to_owned());
        }
        Filter { domains, ..filter.clone() }
    }

    /// What tells it apart from all others, as one text; empty for [`Scope::All`].
    #[must_use]
    pub fn key(&self) -> String {
        let domains = self.domains().into_iter().flatten();
        let ends = |domain: &String| format!("{domain}\n");
        let bound = if *self == Self::All { "" } else { "\n" };
        domains.map(ends).fold(bound.to_owned(), |key, domain| key + &domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::field::Field;

    const DOMAINS: [&str; 4] = ["a.test", "b.test", "c.test", "(none)"];

    fn some(rng: &mut fastrand::Rng) -> Vec<String> {
        let domains = DOMAINS.iter().filter(|_| rng.bool());
        domains.map(|domain| (*domain).to_owned()).collect()
    }

    fn scope(rng: &mut fastrand::Rng) -> Scope {
        match rng.u8(0..5) {
            0 => Scope::All,
            _ => Scope::Domains(some(rng).into_iter().collect()),
        }
    }

    #[test]
    fn a_narrowed_filter_passes_what_lies_in_the_scope_and_passed_before() {
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..2000 {
            let (scope, other) = (scope(&mut rng), scope(&mut rng));
            let filter = Filter { domains: some(&mut rng), ..Filter::default() };
            let narrowed = scope.narrow(&filter);
            let both = scope.and(&other);
            for domain in DOMAINS.into_iter().chain(["d.test"]) {
                let passes = |filter: &Filter| {
                    filter.passes(|field| if field == Field::Domain { domain } else { "x" })
                };
                assert_eq!(passes(&narrowed), passes(&filter) && scope.has(domain), "{scope:?}");
                assert_eq!(both.has(domain), scope.has(domain) && other.has(domain));
                let account = format!("ann@{domain}");
                assert_eq!(scope.has_account(&account), scope.has(domain), "{scope:?} {account}");
            }
            assert_eq!(scope.lies_in(&other), scope == both, "{scope:?} in {other:?}");
            assert_eq!(scope.key() == other.key(), scope == other, "{scope:?} {other:?}");
        }
    }

    #[test]
    fn an_empty_scope_passes_nothing_and_is_asked_for_nothing_else() {
        let narrowed = Scope::NOTHING.narrow(&Filter::default());
        assert_eq!(narrowed.domains, [NO_DOMAIN]);
        assert_eq!(crate::domain_name(NO_DOMAIN), None);
        assert_eq!(own_domain("a@"), None);
        assert_ne!(NO_DOMAIN, crate::ALL_DOMAINS);
        assert!(!narrowed.passes(|_| ""));
        assert_eq!(Scope::All.narrow(&Filter::default()), Filter::default());
    }

    #[test]
    fn accounts_without_a_domain_lie_in_no_bound_scope() {
        let scope = Scope::Domains(["a.test", "(none)"].map(str::to_owned).into());
        for account in ["ann", "", "(other names)", "ann@", "ann@b.test", "a.test"] {
            assert!(!scope.has_account(account), "{account}");
            assert!(Scope::All.has_account(account), "{account}");
        }
        assert!(scope.has_account("ann@a.test") && scope.has_account("x@y@a.test"));
        assert!(!scope.has("sub.a.test"), "nor do subdomains");
    }
}
