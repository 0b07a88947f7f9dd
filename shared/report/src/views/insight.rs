//! The insight: how many sent through SMTP AUTH, and what is behind it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::days::total;
use super::volume::{DayVolume, volume};
use crate::counting::day::{Day, Range};
use crate::counting::tls::{TlsCounts, TlsShare};

/// The widget: how many sent through SMTP AUTH, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Insight {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// Distinct users or service accounts; a submission whose log names no user counts its sender.
    pub accounts: u64,
    /// Distinct sender addresses, as far as they were told apart.
    pub senders: u64,
    /// Whether an account had more senders on a day than are told apart: there were others.
    pub more_senders: bool,
    /// Messages.
    pub messages: u64,
}

/// The widget's flyout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightDetails {
    /// The widget's own figures.
    #[serde(flatten)]
    pub insight: Insight,
    /// Messages per TLS version.
    pub tls: Vec<TlsShare>,
    /// Messages per day: every day of the range.
    pub volume: Vec<DayVolume>,
    /// Authentications that failed in the range.
    pub auth_failures: u64,
}

/// The widget, from the distinct names seen in the range, whether the one for all other senders
/// ([`OTHER_SENDERS`](crate::OTHER_SENDERS)) is among them, and its rollup.
#[must_use]
pub fn insight(
    range: Range,
    accounts: u64,
    mut senders: u64,
    more_senders: bool,
    days: &BTreeMap<Day, TlsCounts>,
) -> Insight {
    let messages = total(days, range).total();
    // The name for all others is no sender's.
    senders -= u64::from(more_senders);
    Insight { start: range.start, end: range.end, accounts, senders, more_senders, messages }
}

/// The flyout, from the widget, the same rollup, and the failed authentications of the range.
#[must_use]
pub fn insight_details(
    insight: Insight,
    days: &BTreeMap<Day, TlsCounts>,
    auth_failures: u64,
) -> InsightDetails {
    let range = Range { start: insight.start, end: insight.end };
    let (tls, volume) = (total(days, range).shares(), volume(days, range));
    InsightDetails { insight, tls, volume, auth_failures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    #[test]
    fn those_who_are_not_told_apart_are_told_of_and_are_no_sender() {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls13, 9);
        let (start, days) = (Day::default(), BTreeMap::from([(Day::default(), counts)]));
        let of = |more| insight(Range { start, end: start }, 2, 5, more, &days);
        let plain = Insight {
            start,
            end: start,
            accounts: 2,
            senders: 5,
            more_senders: false,
            messages: 9,
        };
        assert_eq!(of(false), plain);
        assert_eq!(of(true), Insight { senders: 4, more_senders: true, ..plain });
    }
}
