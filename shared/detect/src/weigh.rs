//! Everything odd of a day in one sum.

use crate::customs::Customs;
use crate::habit::{DayLearned, Habit};
use crate::population::Population;
use crate::sum::{Judged, Sum};
use crate::today::Today;
use crate::traffic::AccountDay;

/// What every account-day begins with: one of a hundred thousand is bad.
const BEFORE: f64 = -5.0;

/// Weighs a day of an account. `episode` is the day on which an alert about it began that is still open. What came of another
/// account is spent: only its room is used.
pub(crate) fn weigh(
    (account, day): (&str, &AccountDay),
    habit: Option<&Habit>,
    today: &Today<'_>,
    (people, customs): (&Population, &Customs),
    episode: Option<i32>,
    spent: Judged,
) -> Judged {
    let Judged { mut signs, mut levels, mut values, .. } = spent;
    signs.clear();
    levels.clear();
    values.clear();
    let domain = day.domain().map_or(0, |domain| domain.mark);
    let level = |place| today.level(people, habit, domain, place);
    levels.extend(day.clients.iter().map(|client| client.place.map_or(0, level)));
    let mut sum = Sum {
        account,
        day,
        domain,
        today,
        customs,
        people,
        level: levels.iter().copied().max().unwrap_or(0),
        levels,
        signs,
        values,
        learned: DayLearned::default(),
    };
    match habit {
        Some(habit) => sum.known(habit, episode),
        None => sum.first(),
    }
    let score = BEFORE + sum.signs.iter().map(|sign| sign.weight).sum::<f64>();
    let Sum { signs, values, levels, learned, .. } = sum;
    Judged { score, signs, learned, levels, values }
}
