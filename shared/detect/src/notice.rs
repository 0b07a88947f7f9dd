//! Whom to tell of which cases, and when: people of what is high at once and of the others together in the morning,
//! machines of each.

use report::Day;
use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::case::{Case, Notice};
use crate::mute::{Mute, is_muted};

/// Notices of a day that people get, at most, beside the morning's: what is more waits for that.
const MOST: usize = 10;
/// The hour from which on the morning's goes out.
const MORNING: u8 = 8;
/// For how many seconds it is tried to tell a machine of something new.
const TRIED: i64 = 86_400;

/// Who is told how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// People: they look at few things, and at several together.
    People,
    /// Machines: of each case by itself, at once, as long as it is new.
    Machine,
}

/// Somebody who is told of cases.
#[derive(Clone, Copy, Debug)]
pub struct Listener<'a> {
    /// By which it is noted that they were told.
    pub name: &'a str,
    /// How they are told.
    pub pace: Pace,
    /// Of what is less sure they are not told.
    pub least: Severity,
    /// What they were told on their last day; none if they never were.
    pub spent: Option<Spent>,
}

/// How much somebody was told on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The day.
    pub day: Day,
    /// Notices beside the morning's.
    pub at_once: usize,
    /// Whether there was the morning's.
    pub digest: bool,
}

/// When it is.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// In seconds since 1970.
    pub now: i64,
    /// The day.
    pub today: Day,
    /// The hour of the day.
    pub hour: u8,
}

/// What somebody is to be told now.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The surest first.
    pub cases: Vec<Case>,
    /// Whether it is the morning's.
    pub is_digest: bool,
}

/// What a listener is to be told of these cases at a moment, but of what is muted; none if there is nothing, or they were
/// told enough.
#[must_use]
pub fn due(cases: &[Case], mutes: &[Mute], listener: Listener<'_>, moment: Moment) -> Option<Due> {
    let Moment { now, today, hour } = moment;
    let waits = |case: &&Case| {
        let told = case.notices.get(listener.name);
        case.waits()
            && case.alert.severity >= listener.least
            && told.is_none_or(|notice| notice.severity < case.alert.severity)
            && !is_muted(case, mutes, today)
    };
    let mut waiting: Vec<&Case> = cases.iter().filter(waits).collect();
    waiting.sort_by(|one, other| {
        let (one, other) = (&one.alert, &other.alert);
        other.score.total_cmp(&one.score).then_with(|| one.id.cmp(&other.id))
    });
    let these = |cases: Vec<&Case>, is_digest| {
        let cases: Vec<_> = cases.into_iter().cloned().collect();
        (!cases.is_empty()).then_some(Due { cases, is_digest })
    };
    if listener.pace == Pace::Machine {
        waiting.retain(|case| now - case.news_at <= TRIED);
        return these(waiting, false);
    }
    let high = waiting.iter().filter(|case| case.alert.severity == Severity::High);
    let high: Vec<_> = high.copied().collect();
    let spent = listener.spent.filter(|spent| spent.day == today);
    if !high.is_empty() && spent.is_none_or(|spent| spent.at_once < MOST) {
        return these(high, false);
    }
    let is_morning = hour >= MORNING && spent.is_none_or(|spent| !spent.digest);
    if is_morning { these(waiting, true) } else { None }
}

impl Spent {
    /// The same once somebody was also told something on a day.
    #[must_use]
    pub fn and(before: Option<Self>, day: Day, is_digest: bool) -> Self {
        let Self { at_once, digest, .. } = before
            .filter(|before| before.day == day)
            .unwrap_or(Self { day, at_once: 0, digest: false });
        let at_once = if is_digest { at_once } else { at_once + 1 };
        Self { day, at_once, digest: digest || is_digest }
    }
}

impl Due {
    /// The cases as they are known by now, once a listener was told of them.
    #[must_use]
    pub fn told(&self, known: &[Case], listener: &str, moment: Moment) -> Vec<Case> {
        let told = |case: &Case| {
            // Somebody may have decided meanwhile.
            let mut now = known.iter().find(|one| one.alert.id == case.alert.id).cloned()?;
            let notice = Notice { at: moment.now, severity: case.alert.severity };
            now.notices.insert(listener.to_owned(), notice);
            Some(now)
        };
        self.cases.iter().filter_map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Alert, Evidence, Kind};
    use crate::case::{Decision, Status};

    const PEOPLE: Listener<'_> =
        Listener { name: "mail", pace: Pace::People, least: Severity::Medium, spent: None };
    const MACHINE: Listener<'_> =
        Listener { name: "siem", pace: Pace::Machine, least: Severity::Medium, spent: None };

    fn case(id: &str, severity: Severity, score: f64) -> Case {
        let day = Day::default();
        Case::raised(
            Alert {
                id: id.to_owned(),
                kind: Kind::Volume,
                account: id.to_owned(),
                domain: String::new(),
                severity,
                score,
                day,
                last_day: day,
                raised_day: day,
                reason: String::new(),
                signals: Vec::new(),
                evidence: Evidence::default(),
            },
            0,
        )
    }

    fn at(now: i64, hour: u8) -> Moment {
        Moment { now, today: Day::default(), hour }
    }

    fn ids(due: &Due) -> Vec<&str> {
        due.cases.iter().map(|case| case.alert.id.as_str()).collect()
    }

    #[test]
    fn people_are_told_of_what_is_high_at_once_and_of_the_rest_in_the_morning() {
        let today = Day::default();
        let cases = [
            case("b", Severity::High, 1.0),
            case("m", Severity::Medium, -1.0),
            case("a", Severity::High, 2.0),
        ];
        let now = due(&cases, &[], PEOPLE, at(3, 3)).expect("two");
        assert_eq!((ids(&now), now.is_digest), (vec!["a", "b"], false));
        let mut after = now.told(&cases, PEOPLE.name, at(7, 7));
        after.push(cases[1].clone());
        assert_eq!(due(&after, &[], PEOPLE, at(7, 7)), None);
        let morning = due(&after, &[], PEOPLE, at(8, 8)).expect("one");
        assert_eq!((ids(&morning), morning.is_digest), (vec!["m"], true));
        // Told is told, unless it becomes high.
        let mut told = morning.told(&after, PEOPLE.name, at(8, 8));
        assert_eq!(due(&told, &[], PEOPLE, at(9, 9)), None);
        told[0].alert.severity = Severity::High;
        assert_eq!(due(&told, &[], PEOPLE, at(9, 9)).map(|due| due.is_digest), Some(false));
        // Whoever looks into it knows what it was then, and no more.
        let by = Decision { at: 9, day: today, by: "ann".to_owned(), note: String::new() };
        told[0] = told[0].decided(Status::Acknowledged, None, by);
        assert_eq!(due(&told, &[], PEOPLE, at(9, 9)), None);
        told[0].news_at = 10;
        assert_eq!(due(&told, &[], PEOPLE, at(10, 9)).map(|due| due.is_digest), Some(false));
    }

    #[test]
    fn people_are_told_of_the_rest_in_the_morning_after_ten_of_a_day() {
        let cases = [case("late", Severity::High, 3.0), case("m", Severity::Medium, -1.0)];
        let today = Day::default();
        let mut spent = None;
        for _ in 0..10 {
            let now = due(&cases, &[], Listener { spent, ..PEOPLE }, at(20, 20)).expect("one");
            assert_eq!((ids(&now), now.is_digest), (vec!["late"], false));
            spent = Some(Spent::and(spent, today, false));
        }
        let people = Listener { spent, ..PEOPLE };
        assert_eq!(due(&cases, &[], people, at(20, 7)), None);
        let digest = due(&cases, &[], people, at(20, 20)).expect("the digest");
        assert_eq!((ids(&digest), digest.is_digest), (vec!["late", "m"], true));
        let people = Listener { spent: Some(Spent::and(spent, today, true)), ..PEOPLE };
        assert_eq!(due(&cases, &[], people, at(23, 23)), None);
        let tomorrow = Moment { today: today.succ_opt().expect("a day"), ..at(90_000, 0) };
        assert_eq!(due(&cases, &[], people, tomorrow).map(|due| due.is_digest), Some(false));
        // What machines were told is another matter.
        assert_eq!(due(&cases, &[], MACHINE, at(23, 23)).map(|due| due.cases.len()), Some(2));
    }

    #[test]
    fn machines_are_told_of_each_as_long_as_it_is_new() {
        let cases = [case("m", Severity::Medium, -1.0), case("h", Severity::High, 1.0)];
        let now = due(&cases, &[], MACHINE, at(TRIED, 3)).expect("both");
        assert_eq!((ids(&now), now.is_digest), (vec!["h", "m"], false));
        assert_eq!(due(&cases, &[], MACHINE, at(TRIED + 1, 3)), None);
        let sure = Listener { least: Severity::High, ..MACHINE };
        assert_eq!(due(&cases, &[], sure, at(3, 3)).map(|due| due.cases.len()), Some(1));
        let mut told = now.told(&cases, MACHINE.name, at(3, 3));
        assert_eq!(due(&told, &[], MACHINE, at(4, 3)), None);
        told[1].alert.severity = Severity::High;
        assert_eq!(due(&told, &[], MACHINE, at(4, 3)).map(|due| due.cases.len()), Some(1));
    }
}
