//! What becomes of cases as days go by.

use std::collections::HashMap;

use report::Day;

use crate::alert::Alert;
use crate::case::{Case, Decision, Resolution, Status};
use crate::mute::{Mute, is_muted};

/// Brings cases up to what was found by `today`; gives those that are new or changed, to be stored at `now`.
///
/// Doing it again with the same changes nothing, so it can break off anywhere.
#[must_use]
pub fn brought_up(
    known: &[Case],
    found: &[Alert],
    mutes: &[Mute],
    (today, now): (Day, i64),
) -> Vec<Case> {
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
                case.see(alert, now);
                // Days that were read later led up to these.
                if case.status == Status::Historic && !case.is_quiet(today) {
                    (case.status, case.news_at) = (Status::Open, now);
                }
            }
            None => {
                own.push(cases.len());
                cases.push(Case::new(alert, today, now));
            }
        }
    }
    for case in &mut cases {
        let is_muted = is_muted(case, mutes, today);
        // What nobody was told of is news once that is over.
        if case.was_muted && !is_muted && case.status == Status::Open {
            (case.news_at, case.unmuted_day) = (now, Some(today));
        }
        case.was_muted = is_muted;
        if case.status.needs_attention() && !is_muted && case.is_quiet(today) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Severity;
    use crate::alert::{Evidence, Kind};
    use crate::case::Verdicts;
    use crate::mute::Muted;

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
        let cases = brought_up(&[], &found, &[], (day(30), 7));
        let told: Vec<_> = cases.iter().map(|case| (case.status, case.raised_at)).collect();
        assert_eq!(told, [(Status::Historic, 7), (Status::Open, 7)]);
        assert_eq!(brought_up(&cases, &found, &[], (day(30), 8)), []);
        // As if only one had been stored.
        assert_eq!(brought_up(&cases[1..], &found, &[], (day(30), 7)), cases[..1]);
    }

    #[test]
    fn what_follows_within_a_week_is_the_same_case_and_its_severity_only_rises() {
        let cases = brought_up(&[], &[alert("a", 20, 21)], &[], (day(21), 7));
        // A late line shows that it began sooner, and it goes on.
        let high = Alert { severity: Severity::High, ..alert("a", 19, 28) };
        let [case] = brought_up(&cases, &[high], &[], (day(28), 9)).try_into().expect("one");
        assert_eq!((case.alert.id.as_str(), case.raised_at), ("a20", 7));
        assert_eq!((case.alert.day, case.alert.last_day), (day(19), day(28)));
        assert_eq!(case.alert.severity, Severity::High);
        let mild =
            brought_up(std::slice::from_ref(&case), &[alert("a", 19, 28)], &[], (day(28), 9));
        assert!(mild.iter().all(|mild| mild.alert.severity == Severity::High));
        let [other] =
            brought_up(&[case], &[alert("a", 36, 36)], &[], (day(36), 10)).try_into().expect("one");
        assert_eq!((other.alert.id.as_str(), other.raised_at), ("a36", 10));
    }

    #[test]
    fn a_case_that_goes_quiet_ends_by_itself_and_one_that_goes_on_begins_again() {
        let found = [alert("a", 20, 21)];
        let cases = brought_up(&[], &found, &[], (day(21), 7));
        assert_eq!(brought_up(&cases, &found, &[], (day(35), 8)), []);
        let [over] = brought_up(&cases, &found, &[], (day(36), 9)).try_into().expect("one");
        assert_eq!((over.status, over.resolution), (Status::Resolved, Some(Resolution::Unclear)));
        // Nobody knew what it was, and it goes on.
        let unclear = cases[0].decided(Status::Resolved, Some(Resolution::Unclear), decision(22));
        let more = [alert("a", 20, 22)];
        let known = std::slice::from_ref(&unclear);
        let [same] = brought_up(known, &more, &[], (day(23), 9)).try_into().expect("one");
        assert_eq!(same.status, Status::Resolved, "that day was known");
        let more = [alert("a", 20, 23)];
        let [again] = brought_up(known, &more, &[], (day(23), 9)).try_into().expect("one");
        assert_eq!((again.status, again.resolution), (Status::Open, None));
        // Somebody opened it again: it stands for as long as if something had been seen.
        let opened = over.decided(Status::Open, None, decision(40));
        assert_eq!(brought_up(&[opened], &found, &[], (day(54), 9)), []);
    }

    #[test]
    fn what_was_muted_is_news_once_that_is_over_and_does_not_end_meanwhile() {
        let found = [alert("a", 20, 21)];
        let what = Muted::read("account", "a").expect("a name");
        let (id, reason, by) = (what.id(), String::new(), String::new());
        let mutes = [Mute { id, what, until: day(50), reason, by, at: 7 }];
        let [case] = brought_up(&[], &found, &mutes, (day(21), 7)).try_into().expect("one");
        assert!(case.was_muted && !case.is_news(None));
        let known = std::slice::from_ref(&case);
        assert_eq!(brought_up(known, &found, &mutes, (day(50), 8)), []);
        // It ends, or is taken back.
        for (mutes, today) in [(&mutes[..], day(51)), (&[], day(30))] {
            let [back] = brought_up(known, &[], mutes, (today, 9)).try_into().expect("one");
            assert_eq!((back.status, back.was_muted, back.news_at), (Status::Open, false, 9));
            assert!(back.is_news(Some(&case)));
            let back = std::slice::from_ref(&back);
            assert_eq!(brought_up(back, &[], mutes, (today + chrono::Days::new(14), 10)), []);
            assert_eq!(brought_up(back, &[], mutes, (today + chrono::Days::new(15), 10)).len(), 1);
        }
    }

    #[test]
    fn what_is_known_stays_so_and_what_is_odd_later_is_another_case() {
        let cases = brought_up(&[], &[alert("a", 20, 21)], &[], (day(21), 7));
        for (resolution, is_own) in [(Resolution::Real, false), (Resolution::Expected, true)] {
            let known = cases[0].decided(Status::Resolved, Some(resolution), decision(22));
            let found = [alert("a", 20, 21), alert("a", 23, 23)];
            let [new] = brought_up(std::slice::from_ref(&known), &found, &[], (day(23), 9))
                .try_into()
                .expect("one");
            assert_eq!((new.alert.id.as_str(), new.status), ("a23", Status::Open));
            let both = [known, new];
            assert_eq!(brought_up(&both, &found, &[], (day(23), 10)), []);
            let verdicts = Verdicts::of(&both);
            assert_eq!(verdicts.is_own("a", day(21)), Some(is_own));
            assert_eq!(verdicts.is_own("a", day(23)), None);
        }
    }

    #[test]
    fn days_that_are_read_one_after_the_other_make_a_case_that_is_open_in_the_end() {
        let mut cases = brought_up(&[], &[alert("a", 1, 1)], &[], (day(40), 7));
        assert_eq!(cases[0].status, Status::Historic);
        for last in [8, 15, 22, 29] {
            cases = brought_up(&cases, &[alert("a", 1, last)], &[], (day(40), 7));
        }
        assert_eq!((cases.len(), cases[0].status), (1, Status::Open));
    }

    #[test]
    fn what_stood_on_a_day_knows_nothing_of_later_ones() {
        let cases = brought_up(&[], &[alert("a", 20, 25), alert("b", 24, 24)], &[], (day(25), 7));
        let decided = cases[0].decided(Status::Resolved, Some(Resolution::Real), decision(26));
        let [then] = as_of(&[decided, cases[1].clone()], day(22)).try_into().expect("one");
        assert_eq!(
            (then.alert.last_day, then.status, then.decision),
            (day(22), Status::Open, None)
        );
    }
}
