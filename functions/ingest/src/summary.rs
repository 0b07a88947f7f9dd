//! One line about each invocation, as people and CloudWatch read it.

use report::Tally;
use serde::Serialize;
use store::Outcome;

/// What a batch, or several, came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Records received.
    pub records: u64,
    /// Lines read.
    pub lines: u64,
    /// Messages counted, those counted before included.
    pub submissions: u64,
    /// Failed authentications counted, those counted before included.
    pub auth_failures: u64,
    /// Of both, those that the store had already.
    pub duplicates: u64,
    /// Payloads that were sent twice and skipped.
    pub repeated_payloads: u64,
    /// Records and lines put into quarantine.
    pub quarantined: u64,
    /// Messages and failures of days that are no longer kept.
    pub too_old: u64,
    /// Messages and failures of days more than one ahead.
    pub future: u64,
    /// Bytes of state carried over.
    pub state_bytes: u64,
    /// Sessions and messages forgotten for lack of room.
    pub evicted: u64,
    /// Age of the oldest record, in milliseconds.
    pub oldest_record_ms: u64,
    /// Items written.
    pub items: u64,
    /// Write capacity units consumed.
    pub write_units: f64,
}

impl Summary {
    /// The figures, with their CloudWatch units.
    pub const METRICS: [(&str, &str); 14] = [
        ("records", "Count"),
        ("lines", "Count"),
        ("submissions", "Count"),
        ("auth_failures", "Count"),
        ("duplicates", "Count"),
        ("repeated_payloads", "Count"),
        ("quarantined", "Count"),
        ("too_old", "Count"),
        ("future", "Count"),
        ("state_bytes", "Bytes"),
        ("evicted", "Count"),
        ("oldest_record_ms", "Milliseconds"),
        ("items", "Count"),
        ("write_units", "Count"),
    ];

    pub(crate) fn add_tally(&mut self, tally: &Tally) {
        let counted = tally.counted();
        self.submissions += counted.messages;
        self.auth_failures += counted.auth_failures;
        self.too_old += counted.too_old;
        self.future += counted.future;
    }

    pub(crate) fn add_outcome(&mut self, outcome: &Outcome) {
        self.items += outcome.items;
        self.duplicates += outcome.duplicates;
        self.write_units += outcome.write_units;
    }

    /// Adds another summary to this.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.lines += other.lines;
        self.submissions += other.submissions;
        self.auth_failures += other.auth_failures;
        self.duplicates += other.duplicates;
        self.repeated_payloads += other.repeated_payloads;
        self.quarantined += other.quarantined;
        self.too_old += other.too_old;
        self.future += other.future;
        self.state_bytes = other.state_bytes;
        self.evicted += other.evicted;
        self.oldest_record_ms = self.oldest_record_ms.max(other.oldest_record_ms);
        self.items += other.items;
        self.write_units += other.write_units;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_a_metric() {
        let fields = serde_json::to_value(Summary::default()).expect("a summary");
        assert_eq!(Summary::METRICS.len(), fields.as_object().expect("an object").len());
        for (name, _) in Summary::METRICS {
            assert!(fields[name].is_number(), "{name}");
        }
    }
}
