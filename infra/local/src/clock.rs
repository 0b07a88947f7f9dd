//! The present: the machine's clock, or a day that the user named.

use chrono::Utc;
use chrono_tz::Tz;
use report::{Day, Days, local_to_unix};

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub enum Now {
    /// The machine's clock.
    Machine,
    /// Always the same instant, in seconds since 1970.
    Fixed(i64),
}

impl Now {
    /// The end of a day in a zone, for `--as-of`; the machine's clock without a day, or on this day.
    #[must_use]
    pub fn as_of(day: Option<Day>, zone: Tz) -> Self {
        match day {
            Some(day) if Self::Machine.today(zone) != day => {
                let next = day.succ_opt().unwrap_or(day).and_time(chrono::NaiveTime::MIN);
                Self::Fixed(local_to_unix(zone, next) - 1)
            }
            _ => Self::Machine,
        }
    }

    /// Whether it is another instant than the machine's clock shows.
    #[must_use]
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The present day in a zone.
    #[must_use]
    pub fn today(self, zone: Tz) -> Day {
        Days::new(zone).day_of(self.unix())
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix(self) -> i64 {
        match self {
            Self::Machine => Utc::now().timestamp(),
            Self::Fixed(unix) => unix,
        }
    }
}
