//! Which sender domains somebody may know of, as claims tell it.

use std::collections::BTreeSet;

use bootstrap::Oidc;
use report::Scope;
use serde_json::{Map, Value};

use crate::api::params::domain;

/// What values that name domains begin with, among others that do not; the second one where they are a resource
/// server's (RFC 8707) scopes.
const MARKS: [&str; 2] = ["domain:", "smtp-auth-report/domain:"];
/// What stands for all domains.
const ALL: &str = "*";

/// What a claim says: words of a text, or the texts of a list.
pub(super) fn words(claim: &Value) -> Vec<&str> {
    match claim {
        Value::String(words) => words.split(' ').collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The scope that the claims give: all if none were configured, and nothing if none of these is there.
pub(super) fn scope(claims: &Map<String, Value>, oidc: &Oidc) -> Scope {
    if oidc.domain_claims.is_empty() {
        return Scope::All;
    }
    let mut domains = BTreeSet::new();
    for name in &oidc.domain_claims {
        // Where roles stand too, a word is no domain by itself.
        let has_others = oidc.role_claims.contains(name);
        let words = claims.get(name).map(words).unwrap_or_default();
        for word in words.into_iter().flat_map(|word| word.split([',', ' '])) {
            let marked = MARKS.iter().find_map(|mark| word.strip_prefix(mark));
            let named = marked.or(Some(word).filter(|word| !has_others && !word.contains(':')));
            match named {
                Some(ALL) => return Scope::All,
                Some("") | None => {}
                // What is no domain binds to nothing else.
                Some(text) => domains.extend(domain(text)),
            }
        }
    }
    Scope::Domains(domains)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims_of_domains: &[&str], claims: Value) -> Option<String> {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let oidc = Oidc {
            issuer: "https://id.example.test".to_owned(),
            client_id: "dashboard".to_owned(),
            client_secret: None,
            audiences: Vec::new(),
            role_claims: list(&["cognito:groups", "scope"]),
            readers: list(&["readers"]),
            managers: list(&["managers"]),
            domain_claims: list(claims_of_domains),
        };
        let scope = scope(claims.as_object().expect("an object"), &oidc);
        scope.domains().map(|domains| Vec::from_iter(domains.iter().cloned()).join(" "))
    }

    #[test]
    fn nobody_is_bound_where_no_claim_is_configured() {
        assert_eq!(read(&[], json!({"domains": ["a.test"]})), None);
    }

    #[test]
    fn domains_stand_alone_or_marked_among_roles() {
        let of = |claims| read(&["domains", "cognito:groups", "scope"], claims).expect("bound");
        for (claims, expected) in [
            (json!({"domains": ["A.test", "b.test"]}), "a.test b.test"),
            (json!({"domains": "b.test a.test"}), "a.test b.test"),
            (json!({"domains": "b.test,a.test, (none)"}), "(none) a.test b.test"),
            (json!({"domains": ["domain:a.test", "b.test"]}), "a.test b.test"),
            (json!({"cognito:groups": ["readers", "domain:a.test", "*"]}), "a.test"),
            (json!({"scope": "smtp-auth-report/read smtp-auth-report/domain:a.test"}), "a.test"),
            (json!({"domains": "c.test", "cognito:groups": ["domain:a.test"]}), "a.test c.test"),
            (json!({"domains": "*.a.test"}), "*.a.test"),
        ] {
            assert_eq!(of(claims.clone()), expected, "{claims}");
        }
    }

    #[test]
    fn who_has_no_such_claim_sees_nothing() {
        let of = |claims| read(&["domains", "cognito:groups"], claims);
        for nothing in [
            json!({}),
            json!({"cognito:groups": ["managers", "*", "a.test"]}),
            json!({"domains": null}),
            json!({"domains": 7, "scope": "domain:*"}),
            json!({"domains": {"*": true}}),
            json!({"domains": ["", " ", "domain:", "a@b.test", "a/b", "role:*", ["*"]]}),
        ] {
            assert_eq!(of(nothing.clone()).as_deref(), Some(""), "{nothing}");
        }
        for all in [json!({"domains": "*"}), json!({"cognito:groups": ["readers", "domain:*"]})] {
            assert_eq!(of(all.clone()), None, "{all}");
        }
    }
}
