//! Whom to tell of which cases, and when: of what is high at once, of the others together in the morning.

use std::collections::BTreeSet;

use report::Day;

use crate::alert::Severity;
use crate::case::{Case, Notice, Status};

/// Notices of a day, at most, beside the morning's: what is more waits for that.
const MOST: usize = 10;
/// The hour from which on the morning's goes out.
const MORNING: u8 = 8;

/// What people are to be told now.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The surest first.
    pub cases: Vec<Case>,
    /// Whether it is the morning's.
    pub is_digest: bool,
}

/// What people are to be told of these cases in this hour of a day; none if there is nothing, or they were told enough.
#[must_use]
pub fn due(cases: &[Case], today: Day, hour: u8) -> Option<Due> {
    let waits = |case: &&Case| {
        case.status == Status::Open
            && case.notice.is_none_or(|notice| notice.severity < case.alert.severity)
    };
    let mut waiting: Vec<&Case> = cases.iter().filter(waits).collect();
    waiting.sort_by(|one, other| {
        let (one, other) = (&one.alert, &other.alert);
        other.score.total_cmp(&one.score).then_with(|| one.id.cmp(&other.id))
    });
    let told = |is_digest| {
        let notices = cases.iter().filter_map(|case| case.notice);
        let today = notices.filter(|one| one.day == today && one.is_digest == is_digest);
        today.map(|one| one.at).collect::<BTreeSet<_>>().len()
    };
    let is_high = |case: &&Case| case.alert.severity == Severity::High;
    let high: Vec<_> = waiting.iter().copied().filter(is_high).cloned().collect();
    if !high.is_empty() && told(false) < MOST {
        return Some(Due { cases: high, is_digest: false });
    }
    let is_morning = hour >= MORNING && told(true) == 0;
    (is_morning && !waiting.is_empty())
        .then(|| Due { cases: waiting.into_iter().cloned().collect(), is_digest: true })
}

impl Due {
    /// The cases, as they are once people were told at this moment.
    #[must_use]
    pub fn told(&self, at: i64, day: Day) -> Vec<Case> {
        let told = |case: &Case| {
            let (severity, is_digest) = (case.alert.severity, self.is_digest);
            Case { notice: Some(Notice { at, day, severity, is_digest }), ..case.clone() }
        };
        self.cases.iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Alert, Evidence, Kind};

    fn case(id: &str, severity: Severity, score: f64) -> Case {
        let day = Day::default();
        Case {
            alert: Alert {
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
            status: Status::Open,
            resolution: None,
            raised_at: 0,
            decision: None,
            notice: None,
        }
    }

    fn ids(due: &Due) -> Vec<&str> {
        due.cases.iter().map(|case| case.alert.id.as_str()).collect()
    }

    #[test]
    fn what_is_high_is_told_at_once_and_the_rest_in_the_morning() {
        let today = Day::default();
        let cases = [
            case("b", Severity::High, 1.0),
            case("m", Severity::Medium, -1.0),
            case("a", Severity::High, 2.0),
        ];
        let now = due(&cases, today, 3).expect("two");
        assert_eq!((ids(&now), now.is_digest), (vec!["a", "b"], false));
        let mut after = now.told(7, today);
        after.push(cases[1].clone());
        assert_eq!(due(&after, today, 7), None);
        let morning = due(&after, today, 8).expect("one");
        assert_eq!((ids(&morning), morning.is_digest), (vec!["m"], true));
        // Told is told, unless it becomes high.
        let mut told = morning.told(8, today);
        assert_eq!(due(&told, today, 9), None);
        told[0].alert.severity = Severity::High;
        assert_eq!(due(&told, today, 9).map(|due| due.is_digest), Some(false));
        told[0].status = Status::Acknowledged;
        assert_eq!(due(&told, today, 9), None);
    }

    #[test]
    fn after_ten_of_a_day_the_rest_waits_for_the_morning() {
        let today = Day::default();
        let mut cases = Vec::new();
        for number in 0..10 {
            cases.push(case(&format!("{number}"), Severity::High, 1.0));
            let told = due(&cases, today, 20).expect("one").told(number, today);
            cases.pop();
            cases.extend(told);
        }
        cases.push(case("late", Severity::High, 3.0));
        let digest = due(&cases, today, 20).expect("the digest");
        assert_eq!((ids(&digest), digest.is_digest), (vec!["late"], true));
        let told = digest.told(20, today);
        cases.pop();
        cases.extend(told);
        cases.push(case("later", Severity::High, 3.0));
        assert_eq!(due(&cases, today, 23), None);
        let tomorrow = today.succ_opt().expect("a day");
        assert_eq!(due(&cases, tomorrow, 0).map(|due| due.is_digest), Some(false));
    }
}
