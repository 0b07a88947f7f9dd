//! One line about each invocation, as people and CloudWatch read it.

use logs::{Format, LogStream, Understanding};
use report::{BatchRead, LineCounts, Tally};
use serde::Serialize;
use store::{CarryOver, Outcome};

/// Lines of a log stream in a batch that tell something of it.
const MANY: u64 = 10;

metrics::figures! {
    /// What a batch, or several, came to.
    #[derive(Clone, Debug, Default, PartialEq, Serialize)]
    pub struct Summary {
        /// Records received.
        pub records: u64 => Counter, Count;
        /// Lines read.
        pub lines: u64 => Counter, Count;
        /// Lines of mail servers, whether they prove something or not.
        pub server_lines: u64 => Counter, Count;
        /// Lines of other programs.
        pub other_lines: u64 => Counter, Count;
        /// Lines that nothing here reads.
        pub not_understood: u64 => Counter, Count;
        /// Log streams of a batch of whose lines next to none are understood: of another program, or in another format.
        pub log_streams_not_understood: u64 => Counter, Count;
        /// Messages counted, those counted before included.
        pub submissions: u64 => Counter, Count;
        /// Failed authentications counted, those counted before included.
        pub auth_failures: u64 => Counter, Count;
        /// Authentications that the server could not decide on: no failures, and not stored.
        pub temporary_failures: u64 => Counter, Count;
        /// Of messages and failures, those that the store had already.
        pub duplicates: u64 => Counter, Count;
        /// Of both, those of days that were rebuilt from archives: not counted.
        pub rebuilt: u64 => Counter, Count;
        /// Log events that were sent again, and skipped.
        pub repeated_events: u64 => Counter, Count;
        /// Runs of log events that are not remembered for lack of room: sent again, they would count again.
        pub repeats_forgotten: u64 => Counter, Count;
        /// Records and lines put into quarantine.
        pub quarantined: u64 => Counter, Count;
        /// Of these, those that the day's quarantine had no room for.
        pub left_out: u64 => Counter, Count;
        /// Messages and failures of days that are no longer kept.
        pub too_old: u64 => Counter, Count;
        /// Messages and failures of days more than one ahead.
        pub future: u64 => Counter, Count;
        /// Bytes of state carried over.
        pub state_bytes: u64 => Gauge, Bytes;
        /// Sessions and messages forgotten for lack of room.
        pub evicted: u64 => Counter, Count;
        /// Age of the oldest record.
        pub oldest_record_ms: u64 => Gauge, Milliseconds;
        /// Items written.
        pub items: u64 => Counter, Count;
        /// Write capacity units consumed.
        pub write_units: f64 => Counter, Count;
    }
}

/// What lines were that go on from a state.
pub(crate) fn understood(stream: &mut LogStream, from: &CarryOver) -> Understanding {
    let mut understanding = stream.understanding();
    if from.told().is_some_and(|told| told.formats.contains(Format::Exim.name())) {
        understanding.go_on_from_exim();
    }
    understanding
}

/// What a batch of one log came to, for the list of logs.
pub(crate) fn batch_read(understanding: &Understanding, messages: u64) -> BatchRead<'_> {
    let counts = LineCounts {
        lines: understanding.units,
        mail_servers: understanding.of_servers(),
        other_programs: understanding.others,
        quarantined: understanding.rejected,
        not_understood: understanding.not_understood,
        messages,
    };
    BatchRead {
        counts,
        formats: understanding.servers().map(|(format, _)| format).collect(),
        log_time: understanding.times().map(|(_, last)| last),
        nearest: understanding.first.as_ref().map(|first| first.nearest),
    }
}

impl Summary {
    pub(crate) fn add_tally(&mut self, tally: &Tally) {
        let counted = tally.counted();
        self.submissions += counted.messages;
        self.auth_failures += counted.auth_failures;
        self.too_old += counted.too_old;
        self.future += counted.future;
    }

    /// Adds what the lines of a log stream were in a batch. A few odd ones are no sign.
    pub(crate) fn add_log_stream(&mut self, understanding: &Understanding) {
        let Understanding { units, not_understood, .. } = *understanding;
        let is_misread = units >= MANY && not_understood * 10 >= units * 9;
        self.log_streams_not_understood += u64::from(is_misread);
        self.add_understanding(understanding);
    }

    pub(crate) fn add_understanding(&mut self, understanding: &Understanding) {
        self.server_lines += understanding.of_servers();
        self.other_lines += understanding.others;
        self.not_understood += understanding.not_understood;
    }

    pub(crate) fn add_outcome(&mut self, outcome: &Outcome) {
        self.items += outcome.items;
        self.duplicates += outcome.duplicates;
        self.rebuilt += outcome.rebuilt;
        self.write_units += outcome.write_units;
    }

    /// Adds another summary to this.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.lines += other.lines;
        self.server_lines += other.server_lines;
        self.other_lines += other.other_lines;
        self.not_understood += other.not_understood;
        self.log_streams_not_understood += other.log_streams_not_understood;
        self.submissions += other.submissions;
        self.auth_failures += other.auth_failures;
        self.temporary_failures += other.temporary_failures;
        self.duplicates += other.duplicates;
        self.rebuilt += other.rebuilt;
        self.repeated_events += other.repeated_events;
        self.repeats_forgotten += other.repeats_forgotten;
        self.quarantined += other.quarantined;
        self.left_out += other.left_out;
        self.too_old += other.too_old;
        self.future += other.future;
        self.state_bytes = other.state_bytes;
        self.evicted += other.evicted;
        self.oldest_record_ms = self.oldest_record_ms.max(other.oldest_record_ms);
        self.items += other.items;
        self.write_units += other.write_units;
    }
}
