//! What the lines of a batch prove, collected.

use logs::Sink;
use report::{AuthFailure, Submission, Tally};
use store::Rejected;

/// Rejects of one record that are kept one by one.
const AT_A_PLACE: u64 = 20;

/// Sums and rejects of a batch.
#[derive(Debug)]
pub struct Collected {
    /// Submissions and failed authentications by day.
    pub tally: Tally,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
    /// Authentications that the server could not decide on.
    pub temporary_failures: u64,
    /// The bytes of these.
    bytes: usize,
}

/// What an entry takes beside its bytes.
const FRAME: usize = 200;

impl Collected {
    /// Nothing yet.
    #[must_use]
    pub fn new(tally: Tally) -> Self {
        Self { tally, rejected: Vec::new(), temporary_failures: 0, bytes: 0 }
    }

    /// The memory that is held, in bytes: about.
    pub(crate) const fn bytes(&self) -> usize {
        self.tally.bytes() + self.bytes
    }

    pub(crate) fn reject(&mut self, mark: u64, raw: &[u8], reason: String) {
        self.bytes += raw.len() + FRAME;
        let last = self.rejected.last_mut().filter(|last| last.mark == mark);
        let number = match last {
            // So many at one place are kept together: they must not take a write each.
            Some(last) if last.number + 1 >= AT_A_PLACE => {
                last.raw.push(b'\n');
                last.raw.extend_from_slice(raw);
                return;
            }
            Some(last) => last.number + 1,
            None => 0,
        };
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

    fn temporary_failure(&mut self, _: u64, _: &AuthFailure<'_>) {
        self.temporary_failures += 1;
    }

    fn rejected(&mut self, mark: u64, line: &[u8], reason: &str) {
        self.reject(mark, line, reason.to_owned());
    }
}
