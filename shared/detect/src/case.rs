//! What becomes of alerts: each is a case that people work on until it is resolved.

use std::collections::{BTreeMap, HashMap};

use report::Day;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Severity};

/// For how many days after its last sign what an account does belongs to the same alert.
pub(crate) const EPISODE: i32 = 7;
/// Days after its last sign on which a case ends by itself.
pub const QUIET: i64 = 14;

/// How a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it.
    Open,
    /// Somebody looks into it.
    Acknowledged,
    /// It is known what it was.
    Resolved,
    /// It was over before anybody could have been told: its days were read later.
    Historic,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Historic];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Historic => "historic",
        }
    }

    /// Whether somebody has to do something about it.
    #[must_use]
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }
}

/// What a case was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The account was in strange hands: nothing is learned of these days.
    Real,
    /// The owner did it: what was odd about these days is the account's own from now on.
    Expected,
    /// Nobody knows.
    Unclear,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Real, Self::Expected, Self::Unclear];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Expected => "expected",
            Self::Unclear => "unclear",
        }
    }
}

/// Who decided what about a case, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The day on which it was decided.
    pub day: Day,
    /// What whoever it was is called; empty if the case ended by itself.
    pub by: String,
    /// What they noted; may be empty.
    pub note: String,
}

/// That people were told of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When, in seconds since 1970. What goes out together has the same.
    pub at: i64,
    /// The day on which it was.
    pub day: Day,
    /// How sure the case was then.
    pub severity: Severity,
    /// Whether it was the morning's.
    pub is_digest: bool,
}

/// An alert, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What is odd.
    #[serde(flatten)]
    pub alert: Alert,
    /// How it stands.
    pub status: Status,
    /// What it was, once it is resolved.
    pub resolution: Option<Resolution>,
    /// When it was raised, in seconds since 1970.
    pub raised_at: i64,
    /// The last decision about it.
    pub decision: Option<Decision>,
    /// That people were told of it.
    #[serde(default)]
    pub notice: Option<Notice>,
}

impl Case {
    fn new(alert: &Alert, today: Day, now: i64) -> Self {
        let (resolution, decision, notice) = (None, None, None);
        let status = Status::Open;
        let new =
            Self { alert: alert.clone(), status, resolution, raised_at: now, decision, notice };
        if new.is_quiet(today) { Self { status: Status::Historic, ..new } } else { new }
    }

    /// The case after a decision.
    #[must_use]
    pub fn decided(&self, status: Status, resolution: Option<Resolution>, by: Decision) -> Self {
        Self { status, resolution, decision: Some(by), ..self.clone() }
    }

    /// Whether people should be told of it, who were told of what it was `before`.
    #[must_use]
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        let is_more = |before: &Self| {
            before.alert.severity < self.alert.severity || !before.status.needs_attention()
        };
        self.status == Status::Open && before.is_none_or(is_more)
    }

    /// Adds what was seen of it now.
    fn see(&mut self, alert: &Alert) {
        let own = &mut self.alert;
        let has_more = alert.last_day > own.last_day;
        let covers = alert.day <= own.day && alert.last_day >= own.last_day;
        let (day, raised_day) = (own.day.min(alert.day), own.raised_day.min(alert.raised_day));
        let last_day = own.last_day.max(alert.last_day);
        let severity = own.severity.max(alert.severity);
        // What has left the retention is known here alone.
        let strongest = if covers || alert.score > own.score { alert.clone() } else { own.clone() };
        let id = own.id.clone();
        *own = Alert { id, day, last_day, raised_day, severity, ..strongest };
        if has_more && self.begins_again() {
            (self.status, self.resolution, self.notice) = (Status::Open, None, None);
        }
    }

    /// Whether more of the same is news: nobody knew what it was, and it goes on.
    fn begins_again(&self) -> bool {
        let decided = self.decision.as_ref().map(|decision| decision.day);
        self.resolution == Some(Resolution::Unclear)
            && decided.is_none_or(|day| self.alert.last_day > day)
    }

    /// Whether it is known what these days were: others are another case.
    fn is_known(&self) -> bool {
        matches!(self.resolution, Some(Resolution::Real | Resolution::Expected))
    }

    /// Whether nobody has seen or done anything about it for long.
    fn is_quiet(&self, today: Day) -> bool {
        let decided = self.decision.as_ref().map(|decision| decision.day);
        let last = decided.map_or(self.alert.last_day, |day| day.max(self.alert.last_day));
        (today - last).num_days() > QUIET
    }

    fn is_same_as(&self, alert: &Alert) -> bool {
        let days = |from: Day, to: Day| (from - to).num_days();
        let episode = i64::from(EPISODE);
        self.alert.account == alert.account
            && days(alert.day, self.alert.last_day) <= episode
            && days(self.alert.day, alert.last_day) <= episode
            && (!self.is_known() || alert.day <= self.alert.last_day)
    }
}

/// Brings cases up to what was found by `today`; gives those that are new or changed, to be stored at `now`.
///
/// Doing it again with the same changes nothing, so it can break off anywhere.
#[must_use]
pub fn brought_up(known: &[Case], found: &[Alert], today: Day, now: i64) -> Vec<Case> {
    let mut cases = known.to_vec();
    let mut of_account: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, case) in known.iter().enumerate() {
        of_account.entry(&case.alert.account).or_default().push(at);
    }
    for alert in found {
        let own = of_account.entry(&alert.account).or_default();
        let same = own.iter().copied().filter(|at| cases[*at].is_same_as(alert));
        let nearness = |at: &usize| {
            let known = &cases[*at].alert;
            let overlaps = known.day <= alert.last_day && alert.day <= known.last_day;
            (known.id == alert.id, overlaps, known.last_day)
        };
        match same.max_by_key(nearness) {
            Some(at) => {
                let case = &mut cases[at];
                case.see(alert);
                // Days that were read later led up to these.
                if case.status == Status::Historic && !case.is_quiet(today) {
                    case.status = Status::Open;
                }
            }
            None => {
                own.push(cases.len());
                cases.push(Case::new(alert, today, now));
            }
        }
    }
    for case in &mut cases {
        if case.status.needs_attention() && case.is_quiet(today) {
            let (by, note) = (String::new(), String::new());
            let end = Decision { at: now, day: today, by, note };
            *case = case.decided(Status::Resolved, Some(Resolution::Unclear), end);
        }
    }
    let is_news = |(at, case): &(usize, Case)| known.get(*at) != Some(case);
    cases.into_iter().enumerate().filter(is_news).map(|(_, case)| case).collect()
}

/// All cases, once `changed` is stored.
#[must_use]
pub fn after(known: &[Case], changed: &[Case]) -> Vec<Case> {
    let is_left = |case: &&Case| !changed.iter().any(|one| one.alert.id == case.alert.id);
    known.iter().filter(is_left).chain(changed).cloned().collect()
}

/// The cases as they stood on a day that lies behind.
#[must_use]
pub fn as_of(cases: &[Case], day: Day) -> Vec<Case> {
    let then = cases.iter().filter(|case| case.alert.raised_day <= day).cloned().map(|mut case| {
        case.alert.last_day = case.alert.last_day.min(day);
        if case.decision.as_ref().is_some_and(|decision| decision.day > day) {
            (case.status, case.resolution, case.decision) = (Status::Open, None, None);
        }
        case
    });
    then.collect()
}

/// What people have told of accounts' days: whether what was odd was their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<Box<str>, Vec<(Day, Day, bool)>>);

impl Verdicts {
    /// What the cases tell that were resolved.
    #[must_use]
    pub fn of(cases: &[Case]) -> Self {
        let mut verdicts: BTreeMap<Box<str>, Vec<_>> = BTreeMap::new();
        for case in cases {
            let is_own = match case.resolution {
                Some(Resolution::Real) => false,
                Some(Resolution::Expected) => true,
                Some(Resolution::Unclear) | None => continue,
            };
            let Alert { account, day, last_day, .. } = &case.alert;
            let days = verdicts.entry(account.as_str().into()).or_default();
            days.push((*day, *last_day, is_own));
        }
        Self(verdicts)
    }

    /// Whether what an account did on a day was its own; none if nobody has told.
    pub(crate) fn is_own(&self, account: &str, day: Day) -> Option<bool> {
        let days = self.0.get(account)?;
        let told = days.iter().find(|(first, last, _)| (*first..=*last).contains(&day));
        told.map(|(.., is_own)| *is_own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Evidence, Kind};

    fn day(number: u64) -> Day {
        Day::default() + chrono::Days::new(number)
    }

    fn alert(account: &str, first: u64, last: u64) -> Alert {
        Alert {
            id: format!("{account}{first}"),
            kind: Kind::NewPlace,
            account: account.to_owned(),
            domain: "example.test".to_owned(),
            severity: Severity::Medium,
            score: 0.5,
            day: day(first),
            last_day: day(last),
            raised_day: day(first),
            reason: format!("{account} did."),
            signals: Vec::new(),
            evidence: Evidence::default(),
        }
    }

    fn decision(on: u64) -> Decision {
        Decision { at: 9, day: day(on), by: "ann".to_owned(), note: "asked her".to_owned() }
    }

    #[test]
    fn what_is_found_again_changes_nothing_and_what_is_long_over_is_historic() {
        let found = [alert("old", 1, 2), alert("new", 28, 29)];
        let cases = brought_up(&[], &found, day(30), 7);
        let told: Vec<_> = cases.iter().map(|case| (case.status, case.raised_at)).collect();
        assert_eq!(told, [(Status::Historic, 7), (Status::Open, 7)]);
        assert_eq!(brought_up(&cases, &found, day(30), 8), []);
        // As if only one had been stored.
        assert_eq!(brought_up(&cases[1..], &found, day(30), 7), cases[..1]);
    }

    #[test]
    fn what_follows_within_a_week_is_the_same_case_and_its_severity_only_rises() {
        let cases = brought_up(&[], &[alert("a", 20, 21)], day(21), 7);
        // A late line shows that it began sooner, and it goes on.
        let high = Alert { severity: Severity::High, ..alert("a", 19, 28) };
        let [case] = brought_up(&cases, &[high], day(28), 9).try_into().expect("one");
        assert_eq!((case.alert.id.as_str(), case.raised_at), ("a20", 7));
        assert_eq!((case.alert.day, case.alert.last_day), (day(19), day(28)));
        assert_eq!(case.alert.severity, Severity::High);
        let mild = brought_up(std::slice::from_ref(&case), &[alert("a", 19, 28)], day(28), 9);
        assert!(mild.iter().all(|mild| mild.alert.severity == Severity::High));
        let [other] =
            brought_up(&[case], &[alert("a", 36, 36)], day(36), 10).try_into().expect("one");
        assert_eq!((other.alert.id.as_str(), other.raised_at), ("a36", 10));
    }

    #[test]
    fn a_case_that_goes_quiet_ends_by_itself_and_one_that_goes_on_begins_again() {
        let found = [alert("a", 20, 21)];
        let cases = brought_up(&[], &found, day(21), 7);
        assert_eq!(brought_up(&cases, &found, day(35), 8), []);
        let [over] = brought_up(&cases, &found, day(36), 9).try_into().expect("one");
        assert_eq!((over.status, over.resolution), (Status::Resolved, Some(Resolution::Unclear)));
        // Nobody knew what it was, and it goes on.
        let unclear = cases[0].decided(Status::Resolved, Some(Resolution::Unclear), decision(22));
        let more = [alert("a", 20, 22)];
        let known = std::slice::from_ref(&unclear);
        let [same] = brought_up(known, &more, day(23), 9).try_into().expect("one");
        assert_eq!(same.status, Status::Resolved, "that day was known");
        let more = [alert("a", 20, 23)];
        let [again] = brought_up(known, &more, day(23), 9).try_into().expect("one");
        assert_eq!((again.status, again.resolution), (Status::Open, None));
        // Somebody opened it again: it stands for as long as if something had been seen.
        let opened = over.decided(Status::Open, None, decision(40));
        assert_eq!(brought_up(&[opened], &found, day(54), 9), []);
    }

    #[test]
    fn what_is_known_stays_so_and_what_is_odd_later_is_another_case() {
        let cases = brought_up(&[], &[alert("a", 20, 21)], day(21), 7);
        for (resolution, is_own) in [(Resolution::Real, false), (Resolution::Expected, true)] {
            let known = cases[0].decided(Status::Resolved, Some(resolution), decision(22));
            let found = [alert("a", 20, 21), alert("a", 23, 23)];
            let [new] = brought_up(std::slice::from_ref(&known), &found, day(23), 9)
                .try_into()
                .expect("one");
            assert_eq!((new.alert.id.as_str(), new.status), ("a23", Status::Open));
            let both = [known, new];
            assert_eq!(brought_up(&both, &found, day(23), 10), []);
            let verdicts = Verdicts::of(&both);
            assert_eq!(verdicts.is_own("a", day(21)), Some(is_own));
            assert_eq!(verdicts.is_own("a", day(23)), None);
        }
    }

    #[test]
    fn days_that_are_read_one_after_the_other_make_a_case_that_is_open_in_the_end() {
        let mut cases = brought_up(&[], &[alert("a", 1, 1)], day(40), 7);
        assert_eq!(cases[0].status, Status::Historic);
        for last in [8, 15, 22, 29] {
            cases = brought_up(&cases, &[alert("a", 1, last)], day(40), 7);
        }
        assert_eq!((cases.len(), cases[0].status), (1, Status::Open));
    }

    #[test]
    fn what_stood_on_a_day_knows_nothing_of_later_ones() {
        let cases = brought_up(&[], &[alert("a", 20, 25), alert("b", 24, 24)], day(25), 7);
        let decided = cases[0].decided(Status::Resolved, Some(Resolution::Real), decision(26));
        let [then] = as_of(&[decided, cases[1].clone()], day(22)).try_into().expect("one");
        assert_eq!(
            (then.alert.last_day, then.status, then.decision),
            (day(22), Status::Open, None)
        );
    }
}
