//! Mutes: what nobody wants to be told of for a while, and why.
//!
//! A mute changes nothing about how accounts are judged, nor what is kept of an alert. Whether one is muted is found whenever it is
//! read, so it is back once its mute is removed or has ended.

use std::fmt;
use std::net::IpAddr;

use report::{ACCOUNT_LIMIT, Clients, Day};
use serde::{Deserialize, Serialize};

use crate::alert::{Kind, LISTED};
use crate::case::Case;
use crate::mark::mark;
use crate::network::Place;

/// What is muted. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Muted {
    /// Alerts about an account.
    Account(String),
    /// Alerts of a kind.
    Kind(Kind),
    /// Alerts whose strange clients are all in this network, or in others that are muted.
    Network(#[serde(with = "as_text")] Clients),
    /// Alerts without strange clients whose new senders are all this one, or others that are muted.
    Sender(String),
}

/// A mute: what nobody wants to be told of, until when, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Tells it from all others: made of what is muted, so of that there is one.
    pub id: String,
    /// What is muted.
    pub what: Muted,
    /// The last day on which it is.
    pub until: Day,
    /// Why, in one line.
    pub reason: String,
    /// What whoever muted it is called.
    pub by: String,
    /// When, in seconds since 1970.
    pub at: i64,
}

impl Muted {
    /// What can be muted, as it is named in answers, parameters and [`field`](Self::field).
    pub const FIELDS: [&str; 4] = ["account", "kind", "network", "sender"];
    /// Characters of the name of an account or a sender.
    pub const NAME: usize = ACCOUNT_LIMIT;

    /// What one of the [`FIELDS`](Self::FIELDS) calls `text`.
    ///
    /// # Errors
    /// There is no such thing. Tells what could stand there, as a sentence.
    pub fn read(field: &str, text: &str) -> Result<Self, String> {
        match field {
            "account" => name(text).map(Self::Account),
            "sender" => name(text).map(Self::Sender),
            "kind" => {
                let found = Kind::ALL.into_iter().find(|kind| kind.name() == text);
                let told = || format!("it must be one of {}", Kind::ALL.map(Kind::name).join(", "));
                found.map(Self::Kind).ok_or_else(told)
            }
            "network" => as_text::read(text).map(Self::Network),
            _ => Err(format!("it must be one of {}", Self::FIELDS.join(", "))),
        }
    }

    /// What could be muted about a case: its account, the networks and senders that it rests on, and its kind.
    #[must_use]
    pub fn of(case: &Case) -> Vec<Self> {
        let alert = &case.alert;
        let site = |client: &String| Some(Place::of(client)?.site.to_string());
        let mut sites: Vec<_> = whole(&alert.evidence.clients).iter().filter_map(site).collect();
        sites.sort_unstable();
        sites.dedup();
        let networks = sites.iter().map(|site| Self::read("network", site));
        // They do not silence it where it comes from strange addresses.
        let is_strange = !alert.evidence.clients.is_empty();
        let senders = if is_strange { &[] } else { whole(&alert.evidence.senders) };
        let senders = senders.iter().map(|one| Self::read("sender", one));
        let account = [Self::read("account", &alert.account)];
        let all = account.into_iter().chain(networks).chain(senders).flatten();
        all.chain([Self::Kind(alert.kind)]).collect()
    }

    /// Which of the [`FIELDS`](Self::FIELDS) it is.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Kind(_) => "kind",
            Self::Network(_) => "network",
            Self::Sender(_) => "sender",
        }
    }

    /// The id of the mute of this.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:016x}", mark(&(self.field(), self.to_string())))
    }

    /// Whether it is what a case is about, whatever the case rests on.
    fn is_of(&self, case: &Case) -> bool {
        match self {
            Self::Account(account) => *account == case.alert.account.trim().to_lowercase(),
            Self::Kind(kind) => *kind == case.alert.kind,
            Self::Network(_) | Self::Sender(_) => false,
        }
    }

    fn has_client(&self, client: &str) -> bool {
        let Self::Network(network) = self else { return false };
        let address = client.parse::<IpAddr>();
        address.is_ok_and(|address| network.has(&address.to_canonical().to_string()))
    }

    fn has_sender(&self, sender: &str) -> bool {
        matches!(self, Self::Sender(muted) if *muted == sender.trim().to_lowercase())
    }
}

/// As it is read.
impl fmt::Display for Muted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) | Self::Sender(name) => f.write_str(name),
            Self::Kind(kind) => f.write_str(kind.name()),
            Self::Network(network) => network.fmt(f),
        }
    }
}

impl Mute {
    /// Days that a mute lasts, if nothing else is said.
    pub const USUAL: u64 = 30;
    /// Days that it may last.
    pub const LONGEST: u64 = 365;

    /// Whether it holds on a day.
    #[must_use]
    pub fn holds(&self, today: Day) -> bool {
        today <= self.until
    }

    /// Whether it alone mutes a case on a day.
    #[must_use]
    pub fn mutes(&self, case: &Case, today: Day) -> bool {
        !muting(case, std::slice::from_ref(self), today).is_empty()
    }
}

/// Which mutes silence a case on a day, each by itself or some together; none if it is to be told of.
#[must_use]
pub fn muting<'m>(case: &Case, mutes: &'m [Mute], today: Day) -> Vec<&'m Mute> {
    let hold: Vec<_> = mutes.iter().filter(|mute| mute.holds(today)).collect();
    let evidence = &case.alert.evidence;
    let mut muting: Vec<_> = hold.iter().copied().filter(|mute| mute.what.is_of(case)).collect();
    let clients = covering(&hold, &evidence.clients, Muted::has_client);
    // Who has stolen an account chooses what it sends as, but not from where.
    if evidence.clients.is_empty() || !clients.is_empty() {
        muting.extend(covering(&hold, &evidence.senders, Muted::has_sender));
    }
    muting.extend(clients);
    muting
}

/// Those that have a name each, if together they have all; none if there are no names.
fn covering<'m>(
    mutes: &[&'m Mute],
    names: &[String],
    has: fn(&Muted, &str) -> bool,
) -> Vec<&'m Mute> {
    let names = whole(names);
    let has_any = |mute: &&&Mute| names.iter().any(|name| has(&mute.what, name));
    let is_muted = |name: &String| mutes.iter().any(|mute| has(&mute.what, name));
    if names.iter().all(is_muted) {
        mutes.iter().filter(has_any).copied().collect()
    } else {
        Vec::new()
    }
}

/// Names, if these are all: where as many are listed as can be, there may be others, which nobody has muted.
fn whole(names: &[String]) -> &[String] {
    if names.len() < LISTED { names } else { &[] }
}

/// Whether somebody would have to do something about a case, if it were not muted on this day.
#[must_use]
pub fn is_muted(case: &Case, mutes: &[Mute], today: Day) -> bool {
    case.status.needs_attention() && !muting(case, mutes, today).is_empty()
}

fn name(text: &str) -> Result<String, String> {
    let most = Muted::NAME;
    let name = text.trim();
    let fits = !name.is_empty() && text.chars().count() <= most && !text.contains(char::is_control);
    let told =
        || format!("it must be a name of 1 to {most} characters, without control characters");
    fits.then(|| name.to_lowercase()).ok_or_else(told)
}

/// Networks as texts.
mod as_text {
    use std::net::IpAddr;

    use report::Clients;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn read(text: &str) -> Result<Clients, String> {
        let found = match Clients::read(text) {
            Some(Clients::One(address)) => {
                let address = address.parse::<IpAddr>().ok();
                address.map(|address| Clients::One(address.to_canonical().to_string()))
            }
            network => network,
        };
        let told = "it must be an address, or a network as in 203.0.113.0/24 or 2001:db8::/32";
        found.ok_or_else(|| told.to_owned())
    }

    pub(super) fn serialize<S: Serializer>(network: &Clients, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(network)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Clients, D::Error> {
        read(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Alert, Evidence, Severity};
    use crate::case::Status;

    fn day(number: u64) -> Day {
        Day::default() + chrono::Days::new(number)
    }

    fn mute(field: &str, text: &str) -> Mute {
        let what = Muted::read(field, text).expect("something to mute");
        let (reason, by) = ("a test".to_owned(), "ann".to_owned());
        Mute { id: what.id(), what, until: day(9), reason, by, at: 7 }
    }

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    fn case(clients: &[&str], senders: &[&str]) -> Case {
        let (clients, senders) = (names(clients), names(senders));
        Case::raised(
            Alert {
                id: "one".to_owned(),
                kind: Kind::Spread,
                account: "Ann@example.test".to_owned(),
                domain: "example.test".to_owned(),
                severity: Severity::High,
                score: 1.0,
                day: day(1),
                last_day: day(2),
                raised_day: day(1),
                reason: "ann did.".to_owned(),
                signals: Vec::new(),
                evidence: Evidence { clients, senders, ..Evidence::default() },
            },
            0,
        )
    }

    #[test]
    fn an_account_and_a_kind_are_muted_until_the_end() {
        let ann = case(&[], &[]);
        for (field, text, expected) in [
            ("account", "ANN@Example.test ", true),
            ("account", "ann", false),
            ("kind", "spread", true),
            ("kind", "new_place", false),
            // Of what the case rests on, there is nothing.
            ("network", "0.0.0.0/0", false),
            ("sender", "ann@example.test", false),
        ] {
            assert_eq!(mute(field, text).mutes(&ann, day(3)), expected, "{field} {text}");
        }
        let account = mute("account", "ann@example.test");
        assert!(account.mutes(&ann, day(9)) && !account.mutes(&ann, day(10)));
        // Of what is over there is nothing to tell.
        let over = Case { status: Status::Resolved, ..ann.clone() };
        assert!(is_muted(&ann, std::slice::from_ref(&account), day(9)));
        assert!(!is_muted(&over, std::slice::from_ref(&account), day(9)));
    }

    #[test]
    fn all_clients_are_in_muted_networks_or_the_case_is_told() {
        let site = mute("network", "203.0.113.0/24");
        let six = mute("network", "2001:db8:7::/48");
        let one = mute("network", "::ffff:198.51.100.7");
        for (clients, by_site, by_all) in [
            (&["203.0.113.9"][..], true, 1),
            (&["203.0.113.9", "203.0.113.200"], true, 1),
            (&["::ffff:203.0.113.9"], true, 1),
            (&["203.0.114.9"], false, 0),
            (&["203.0.113.9", "2001:db8:7:8::1"], false, 2),
            (&["203.0.113.9", "2001:db8:8::1"], false, 0),
            (&["198.51.100.7"], false, 1),
            (&["198.51.100.8"], false, 0),
            (&["(other clients)"], false, 0),
            (&[], false, 0),
        ] {
            let case = case(clients, &["x@example.test"]);
            assert_eq!(site.mutes(&case, day(3)), by_site, "{clients:?}");
            let all = [site.clone(), six.clone(), one.clone()];
            assert_eq!(muting(&case, &all, day(3)).len(), by_all, "{clients:?}");
        }
        // More may be there than are listed.
        let many = vec!["203.0.113.9"; LISTED];
        assert!(!site.mutes(&case(&many, &[]), day(3)));
        assert!(site.mutes(&case(&many[1..], &[]), day(3)));
        // An end counts for each.
        let ended = [site, Mute { until: day(2), ..six }];
        let both = case(&["203.0.113.9", "2001:db8:7::1"], &[]);
        assert_eq!(muting(&both, &ended, day(2)).len(), 2);
        assert_eq!(muting(&both, &ended, day(3)).len(), 0);
    }

    #[test]
    fn all_new_senders_are_muted_or_the_case_is_told() {
        let list = mute("sender", "List@example.test");
        for (senders, expected) in [
            (&["list@example.test"][..], true),
            (&["LIST@example.test"], true),
            (&["list@example.test", "shop@example.test"], false),
            (&[], false),
        ] {
            assert_eq!(list.mutes(&case(&[], senders), day(3)), expected);
            // Whoever comes from elsewhere may send as anybody.
            let strange = case(&["203.0.113.9"], senders);
            assert!(!list.mutes(&strange, day(3)));
            let both = [list.clone(), mute("network", "203.0.113.0/24")];
            assert_eq!(muting(&strange, &both, day(3)).len(), if expected { 2 } else { 1 });
        }
        let both = [list, mute("sender", "shop@example.test")];
        let case = case(&[], &["list@example.test", "shop@example.test"]);
        assert_eq!(muting(&case, &both, day(3)).len(), 2);
    }

    #[test]
    fn what_is_muted_is_read_as_it_is_written_and_offered_as_it_mutes() {
        let case = case(&["203.0.113.9", "203.0.113.10", "2001:db8:7::1"], &["X@example.test"]);
        let offered: Vec<_> = Muted::of(&case);
        let told: Vec<_> = offered.iter().map(|what| format!("{} {what}", what.field())).collect();
        assert_eq!(
            told,
            [
                "account ann@example.test",
                "network 2001:db8:7::/48",
                "network 203.0.113.0/24",
                "kind spread"
            ]
        );
        let known = self::case(&[], &["X@example.test"]);
        assert!(Muted::of(&known).contains(&Muted::Sender("x@example.test".to_owned())));
        for what in &offered {
            let again = Muted::read(what.field(), &what.to_string());
            assert_eq!(again.as_ref().map(Muted::id), Ok(what.id()));
            assert_eq!(again.as_ref(), Ok(what));
        }
        let long = "x".repeat(Muted::NAME + 1);
        for (field, text) in [
            ("account", ""),
            ("account", " "),
            ("account", "a\nb"),
            ("sender", &long),
            ("kind", "Spread"),
            ("network", "here"),
            ("network", ""),
            ("network", "203.0.113.0/33"),
            ("network", "2001:db8::1/32"),
            ("domain", "example.test"),
        ] {
            assert!(Muted::read(field, text).is_err(), "{field} {text}");
        }
    }
}
