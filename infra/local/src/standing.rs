//! Whether the machine's clock is to be believed in what cannot be taken back.
//!
//! A clock that starts a year ahead would have everything expired, and every schedule run: a file in the data
//! folder notes when the program last ran, and a clock that is far from that is doubted. For some days nothing is
//! removed, nothing that is scheduled is sent and no log is followed, and the log says so. If it goes back, nothing has happened; if it
//! goes on like that, the machine was off for long, and it is believed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use report::Day;

const DAY: i64 = 86_400;
/// So far a clock may be ahead of when the program last ran: so much earlier something may be removed, at worst.
const AHEAD: i64 = 7 * DAY;
/// So far it may be behind.
const BEHIND: i64 = 3600;
/// So long a clock is doubted, if the program runs.
const DOUBTED: i64 = 3 * DAY;
/// So often it is noted.
const NOTED: i64 = 1800;
/// The file's form.
const VERSION: &str = "1";

/// What is remembered of the clock, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    /// When it was last believed.
    believed: Option<i64>,
    /// From when on it has been doubted, and when it was last looked at since.
    doubted: Option<(i64, i64)>,
}

/// What is thought of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It shows what can be.
    Believed,
    /// It was last believed at the first of these, and will be again at the second.
    Doubted(i64, i64),
}

impl Memory {
    fn look(self, now: i64) -> (Self, Standing) {
        let near = |then: i64| (then - BEHIND..=then + AHEAD).contains(&now);
        let believed = (Self { believed: Some(now), doubted: None }, Standing::Believed);
        let Some(then) = self.believed.filter(|then| !near(*then)) else { return believed };
        let since = self.doubted.filter(|(_, last)| near(*last)).map_or(now, |(since, _)| since);
        if now - since >= DOUBTED {
            return believed;
        }
        let doubted = Self { doubted: Some((since, now)), ..self };
        (doubted, Standing::Doubted(then, since + DOUBTED))
    }

    fn is_news_after(self, noted: Self) -> bool {
        let at = |memory: Self| memory.doubted.map(|(_, last)| last).or(memory.believed);
        let near = at(self).zip(at(noted)).is_some_and(|(one, other)| (one - other).abs() < NOTED);
        !near || self.doubted.is_some() != noted.doubted.is_some()
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split_whitespace();
        let version = fields.next()?;
        let mut number = || fields.next().and_then(|field| field.parse().ok());
        let (believed, since, last) = (number(), number(), number());
        (version == VERSION).then_some(Self { believed, doubted: since.zip(last) })
    }

    fn written(self) -> String {
        let numbers =
            self.believed.into_iter().chain(self.doubted.into_iter().flat_map(|(a, b)| [a, b]));
        numbers.fold(VERSION.to_owned(), |text, number| format!("{text} {number}")) + "\n"
    }
}

/// Looks after the clock of a data folder.
#[derive(Clone, Debug)]
pub struct Watch {
    file: Option<PathBuf>,
    /// With what was noted last.
    memory: Arc<Mutex<(Memory, Memory)>>,
}

impl Watch {
    /// The clock of a data folder; `newest` is the newest day that was counted, for folders that have no file yet.
    #[must_use]
    pub fn over(folder: Option<&Path>, newest: Option<Day>) -> Self {
        let file = folder.map(|folder| folder.join("clock"));
        let noted = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let memory = noted.and_then(|text| Memory::read(&text)).unwrap_or_else(|| {
            let noon = newest.and_then(|day| day.and_hms_opt(12, 0, 0));
            Memory { believed: noon.map(|noon| noon.and_utc().timestamp()), doubted: None }
        });
        Self { file, memory: Arc::new(Mutex::new((memory, Memory::default()))) }
    }

    #[cfg(test)]
    pub(crate) fn read_again(&self, folder: &Path) {
        let again = Self::over(Some(folder), None);
        let memory = *again.memory.lock().unwrap_or_else(PoisonError::into_inner);
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }

    /// Looks at the clock; notes it, and says why it is doubted, every now and then.
    #[must_use]
    pub fn look(&self, now: i64) -> Standing {
        let mut both = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let (memory, noted) = &mut *both;
        let standing;
        (*memory, standing) = memory.look(now);
        if memory.is_news_after(*noted) {
            *noted = *memory;
            self.note(*memory);
            if let Standing::Doubted(then, until) = standing {
                tell(now, then, until);
            }
        }
        standing
    }

    /// Whether the clock is believed.
    #[must_use]
    pub fn believes(&self, now: i64) -> bool {
        self.look(now) == Standing::Believed
    }

    /// In one step: a file that is half written would tell another time, or none.
    fn note(&self, memory: Memory) {
        let Some(file) = &self.file else { return };
        let beside = file.with_extension("new");
        let written = fs::write(&beside, memory.written());
        if let Err(error) = written.and_then(|()| fs::rename(&beside, file)) {
            tracing::warn!(%error, file = %file.display(), "cannot note the time");
        }
    }
}

fn tell(now: i64, then: i64, until: i64) {
    let day = |unix| report::Days::new(chrono_tz::UTC).day_of(unix).to_string();
    tracing::warn!(
        now = day(now),
        last_ran = day(then),
        until = day(until),
        "the machine's clock is far from when this last ran: nothing is removed, no scheduled report is made and no log is followed, \
         until it is right or has gone on like this for three days"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_435_200;

    #[test]
    fn a_clock_that_jumps_is_doubted_until_it_is_right_or_goes_on() {
        let (ran, standing) = Memory::default().look(NOW);
        assert_eq!(standing, Standing::Believed, "nothing is known of it");
        assert_eq!(ran.look(NOW + 6 * DAY).1, Standing::Believed);
        for jump in [400 * DAY, -400 * DAY] {
            let (mut doubted, standing) = ran.look(NOW + jump);
            assert_eq!(standing, Standing::Doubted(NOW, NOW + jump + DOUBTED));
            // It jumps back.
            assert_eq!(doubted.look(NOW + 7200).1, Standing::Believed);
            // It jumps once more: that does not make it older.
            let (again, standing) = doubted.look(NOW + 2 * jump);
            assert_eq!(standing, Standing::Doubted(NOW, NOW + 2 * jump + DOUBTED));
            assert_eq!(Memory::read(&again.written()), Some(again));
            // It goes on.
            for hour in 1..72 {
                let standing;
                (doubted, standing) = doubted.look(NOW + jump + hour * 3600);
                assert_ne!(standing, Standing::Believed, "{hour}");
            }
            let (believed, standing) = doubted.look(NOW + jump + 72 * 3600);
            assert_eq!(
                (believed.believed, standing),
                (Some(NOW + jump + 72 * 3600), Standing::Believed)
            );
        }
    }

    #[test]
    fn what_was_noted_is_read_by_the_next_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let day = Day::from_ymd_opt(2026, 11, 23);
        let first = Watch::over(Some(folder.path()), day);
        assert!(
            matches!(first.look(NOW + 300 * DAY), Standing::Doubted(NOW, _)),
            "the newest data"
        );
        assert_eq!(first.look(NOW + 3600), Standing::Believed);
        let second = Watch::over(Some(folder.path()), None);
        assert!(
            matches!(second.look(NOW - 9 * DAY), Standing::Doubted(then, _) if then == NOW + 3600)
        );
        assert_eq!(Memory::read("2 7"), None);
        assert_eq!(Memory::read(""), None);
    }
}
