//! What the lines of a batch prove, collected.

use logs::Sink;
use report::{AuthFailure, Submission, Tally};
use store::Rejected;

/// Sums and rejects of a batch.
#[derive(Debug)]
pub struct Collected {
    /// Submissions and failed authentications by day.
    pub tally: Tally,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
}

impl Collected {
    /// Nothing yet.
    #[must_use]
    pub fn new(tally: Tally) -> Self {
        Self { tally, rejected: Vec::new() }
    }

    pub(crate) fn reject(&mut self, mark: u64, raw: &[u8], reason: String) {
        let same_place = self.rejected.iter().rev().take_while(|other| other.mark == mark);
        let number = same_place.count() as u64;
        self.rejected.push(Rejected { mark, number, raw: raw.to_vec(), reason });
    }
}

impl Sink for Collected {
    fn submission(&mut self, mark: u64, submission: &Submission<'_>) {
        self.tally.submission(mark, submission);
    }

    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        self.tally.auth_failure(mark, failure);
    }

    fn rejected(&mut self, mark: u64, line: &[u8], reason: &str) {
        self.reject(mark, line, reason.to_owned());
    }
}
