//! What the lines of a batch prove, collected.

use std::hash::Hasher as _;

use logs::Sink;
use report::{AuthFailure, Submission, Tally};
use siphasher::sip::SipHasher13;
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
    /// What was proved last.
    pub(crate) proved: Option<Proved>,
}

/// What a line has proved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proved {
    /// Where.
    pub(crate) mark: u64,
    /// When it happened, in seconds since 1970.
    pub(crate) time: i64,
    /// A checksum of who did it: SipHash-1-3 without a key. It is stored, so it may never change.
    pub(crate) by: u64,
}

/// What an entry takes beside its bytes.
const FRAME: usize = 200;

impl Collected {
    /// Nothing yet.
    #[must_use]
    pub fn new(tally: Tally) -> Self {
        Self { tally, rejected: Vec::new(), temporary_failures: 0, bytes: 0, proved: None }
    }

    /// The memory that is held, in bytes: about.
    pub(crate) const fn bytes(&self) -> usize {
        self.tally.bytes() + self.bytes
    }

    /// A line may prove several.
    fn prove(&mut self, mark: u64, time: i64, who: [&str; 3]) {
        let before = self.proved.filter(|before| before.mark == mark);
        let mut hasher = SipHasher13::new();
        hasher.write(&before.map_or(0, |before| before.by).to_le_bytes());
        for name in who {
            hasher.write(name.as_bytes());
            hasher.write(&[0xff]);
        }
        self.proved = Some(Proved { mark, time, by: hasher.finish() });
    }
}

impl Sink for Collected {
    fn submission(&mut self, mark: u64, submission: &Submission<'_>) {
        let Submission { time, sender, account, client, .. } = *submission;
        self.prove(mark, time, [sender, account, client]);
        self.tally.submission(mark, submission);
    }

    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        let AuthFailure { time, account, client } = *failure;
        self.prove(mark, time, ["", account, client]);
        self.tally.auth_failure(mark, failure);
    }

    fn temporary_failure(&mut self, _: u64, _: &AuthFailure<'_>) {
        self.temporary_failures += 1;
    }

    fn rejected(&mut self, mark: u64, raw: &[u8], reason: &str) {
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
        self.rejected.push(Rejected { mark, number, raw: raw.to_vec(), reason: reason.to_owned() });
    }
}
