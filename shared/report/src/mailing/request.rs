//! Reports that are to be mailed, once or on schedule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::timetable::Timetable;
use crate::counting::day::Range;
use crate::views::filter::Filter;
use crate::views::filter_text::by_name;
use crate::views::group::Group;
use crate::views::scope::Scope;
use crate::views::view::View;

/// Reports that may be asked for each day, if nothing else is said.
pub const REQUESTS_PER_DAY: u32 = 250;

/// How far a report request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportStatus)]
pub enum Status {
    /// It waits for its turn, or for the next try.
    Pending,
    /// The report is being made and sent.
    Running,
    /// The mail was accepted for delivery.
    Sent,
    /// The same, and the mail says that there was nothing in the range.
    SentEmpty,
    /// No mail will be sent; the reason tells why.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Running, Self::Sent, Self::SentEmpty, Self::Failed];

    /// The name in answers and items.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Sent => "sent",
            Self::SentEmpty => "sent_empty",
            Self::Failed => "failed",
        }
    }

    /// The status with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Sent | Self::SentEmpty | Self::Failed => true,
        }
    }
}

/// What a report by mail holds, and whom it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Which report.
    pub view: View,
    /// What its table has a row for each of.
    pub group: Group,
    /// Which usage was asked for, of one sender domain at most.
    pub only: Filter,
    /// A name of the user's own.
    pub name: Option<String>,
    /// Mail addresses, checked by [`RecipientDomains`](crate::RecipientDomains).
    pub recipients: Vec<String>,
    /// That of whoever asked for it: nothing else is in the mail, whoever gets it.
    pub scope: Scope,
}

impl Contents {
    /// The names that a filter's values are given under, beside the sender domain.
    pub const FILTERS: &[&str] = {
        let [_domain, others @ ..] = &Filter::NAMES;
        others
    };

    /// The sender domain; none is all of them.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.only.domain()
    }

    /// The values that were given under each of the [`FILTERS`](Self::FILTERS).
    #[must_use]
    pub fn filters(&self) -> BTreeMap<String, Vec<String>> {
        by_name(self.only.given().into_iter().filter(|(name, _)| Self::FILTERS.contains(name)))
    }

    /// Whether the table is by sender, of all usage or of one sender domain's.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.group == Group::Sender && self.filters().is_empty()
    }

    /// Which usage it is of.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.scope.narrow(&self.only)
    }
}

/// A report that somebody, or a schedule, asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// A UUID of version 7 (RFC 9562): requests in the order of their ids are in the order of time.
    pub id: String,
    /// What to send to whom.
    pub contents: Contents,
    /// The days.
    pub range: Range,
    /// The schedule that asked for it.
    pub schedule: Option<String>,
    /// When it was asked for, in seconds since 1970; of a scheduled one, when it was due.
    pub created: i64,
    /// How far it is.
    pub status: Status,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it failed, or has to be tried again.
    pub reason: Option<String>,
    /// When it ended, in seconds since 1970.
    pub ended: Option<i64>,
    /// The name under which the mail was accepted.
    pub message_id: Option<String>,
    /// Messages in the report.
    pub messages: Option<u64>,
}

impl ReportRequest {
    /// One that nothing has been done about.
    #[must_use]
    pub fn new(id: String, contents: Contents, range: Range, created: i64) -> Self {
        Self {
            id,
            contents,
            range,
            schedule: None,
            created,
            status: Status::Pending,
            attempts: 0,
            reason: None,
            ended: None,
            message_id: None,
            messages: None,
        }
    }
}

/// A report that is mailed again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// A UUID of version 7.
    pub id: String,
    /// What to send to whom; always with a name.
    pub contents: Contents,
    /// When.
    pub timetable: Timetable,
    /// Whether it is switched off for now.
    pub paused: bool,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// What was due up to this moment is not sent any more, in seconds since 1970.
    pub since: i64,
    /// The last time it was due and became a request.
    pub last: Option<LastRun>,
}

/// So far ahead a moment may be noted: clocks differ.
const AHEAD: i64 = 86_400;

/// A time when a schedule was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// When, in seconds since 1970.
    pub due: i64,
    /// The request that came of it.
    pub request: String,
}

impl Schedule {
    /// The time for which a report is to be made now: the latest due one, if that was not dealt with.
    ///
    /// Earlier ones that were missed are passed over: after an outage there is one report, not many.
    #[must_use]
    pub fn due(&self, now: i64) -> Option<i64> {
        if self.paused {
            return None;
        }
        // What lies ahead was noted by a clock that was wrong: it must not silence the schedule until then.
        let noted = [Some(self.since), self.last.as_ref().map(|last| last.due)];
        let done = noted.into_iter().flatten().filter(|noted| *noted <= now + AHEAD).max();
        self.timetable.latest(now).filter(|due| done.is_none_or(|done| *due > done))
    }

    /// When it is due next; none if it is paused or has expired.
    #[must_use]
    pub fn next_run(&self, now: i64) -> Option<i64> {
        if self.paused { None } else { self.timetable.next_after(now) }
    }

    /// This schedule with another definition. What is due under the old one and was not sent yet stays due
    /// if it is due under the new one too; otherwise only what comes after `now` is. Whoever edits it, its scope
    /// stays.
    #[must_use]
    pub fn redefined(
        &self,
        contents: Contents,
        timetable: Timetable,
        paused: bool,
        now: i64,
    ) -> Self {
        let same = self.paused == paused && self.timetable.latest(now) == timetable.latest(now);
        let since = if same { self.since } else { now };
        let contents = Contents { scope: self.contents.scope.clone(), ..contents };
        Self { contents, timetable, paused, since, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;
    use chrono_tz::Tz;

    use super::*;
    use crate::counting::day::Day;
    use crate::mailing::timetable::Frequency;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    /// 2026-11-24T08:00Z.
    const EIGHT: i64 = 1_795_507_200;

    fn schedule() -> Schedule {
        let first: Day = "2026-11-01".parse().expect("a date");
        let timetable = Timetable {
            frequency: Frequency::Daily,
            time: NaiveTime::from_hms_opt(8, 0, 0).expect("a time"),
            zone: Tz::UTC,
            first,
            expires: Timetable::a_year_after(first),
            counted_in: Tz::UTC,
        };
        let contents = Contents {
            view: View::TlsUsage,
            group: Group::Sender,
            only: Filter::default(),
            name: Some("Every morning".into()),
            recipients: vec!["ann@example.test".into()],
            scope: Scope::All,
        };
        let created = EIGHT - 10 * HOUR;
        let id = "id".to_owned();
        Schedule { id, contents, timetable, paused: false, created, since: created, last: None }
    }

    fn ran(schedule: &Schedule, due: i64) -> Schedule {
        let last = Some(LastRun { due, request: "r".into() });
        Schedule { last, ..schedule.clone() }
    }

    #[test]
    fn a_schedule_is_due_once_each_time() {
        let schedule = schedule();
        assert_eq!(schedule.due(EIGHT - 1), None);
        assert_eq!(schedule.due(EIGHT), Some(EIGHT));
        assert_eq!(schedule.due(EIGHT + 7 * HOUR), Some(EIGHT), "a late tick");
        assert_eq!(ran(&schedule, EIGHT).due(EIGHT + 7 * HOUR), None);
        assert_eq!(schedule.next_run(EIGHT), Some(EIGHT + DAY));
    }

    #[test]
    fn what_a_wrong_clock_noted_does_not_silence_a_schedule() {
        let far = ran(&schedule(), EIGHT + 300 * DAY);
        assert_eq!(far.due(EIGHT), Some(EIGHT));
        let edited = Schedule { since: EIGHT + 300 * DAY, ..ran(&schedule(), EIGHT) };
        assert_eq!((edited.due(EIGHT), edited.due(EIGHT + DAY)), (None, Some(EIGHT + DAY)));
        let skewed = Schedule { since: EIGHT + 1, ..schedule() };
        assert_eq!(skewed.due(EIGHT), None, "clocks differ");
    }

    #[test]
    fn after_an_outage_only_the_latest_is_due() {
        let schedule = ran(&schedule(), EIGHT);
        assert_eq!(schedule.due(EIGHT + 30 * DAY + 1), Some(EIGHT + 30 * DAY));
    }

    #[test]
    fn an_edit_leaves_the_scope_as_it_is() {
        let mut schedule = schedule();
        let timetable = schedule.timetable;
        let wide = schedule.contents.clone();
        schedule.contents.scope = Scope::Domains(["a.test".to_owned()].into());
        let edited = schedule.redefined(wide, timetable, false, EIGHT);
        assert_eq!(edited.contents, schedule.contents);
        assert_eq!(edited.contents.filter().domains, ["a.test"]);
        let other = Contents { only: Filter::of_domain(Some("b.test")), ..edited.contents };
        assert!(!other.filter().passes(|_| "b.test"));
    }

    #[test]
    fn what_was_missed_while_paused_is_not_caught_up_on() {
        let schedule = schedule();
        let (contents, timetable) = (schedule.contents.clone(), schedule.timetable);
        let paused = schedule.redefined(contents.clone(), timetable, true, EIGHT - HOUR);
        assert_eq!((paused.due(EIGHT + 1), paused.next_run(EIGHT + 1)), (None, None));
        let resumed = paused.redefined(contents.clone(), timetable, false, EIGHT + HOUR);
        assert_eq!(resumed.due(EIGHT + 2 * HOUR), None);
        assert_eq!(resumed.due(EIGHT + DAY), Some(EIGHT + DAY));
        // Other recipients are no reason to lose what is due and not yet sent.
        let edited = schedule.redefined(contents, timetable, false, EIGHT + 60);
        assert_eq!(edited.due(EIGHT + 120), Some(EIGHT));
        let longer = Timetable { expires: Timetable::a_year_after(timetable.expires), ..timetable };
        let edited = schedule.redefined(schedule.contents.clone(), longer, false, EIGHT + 60);
        assert_eq!(edited.due(EIGHT + 120), Some(EIGHT), "nor is a longer life");
        let nine = NaiveTime::from_hms_opt(9, 0, 0).expect("a time");
        let later = Timetable { time: nine, ..timetable };
        let edited = schedule.redefined(schedule.contents.clone(), later, false, EIGHT + 60);
        assert_eq!((edited.due(EIGHT + 120), edited.due(EIGHT + HOUR)), (None, Some(EIGHT + HOUR)));
    }
}
