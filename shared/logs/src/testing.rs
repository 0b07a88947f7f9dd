//! What a log proved, as text, for tests.

use report::{AuthFailure, Submission};

use crate::proofs::Sink;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) submissions: Vec<String>,
    pub(crate) failures: Vec<String>,
    pub(crate) temporary: Vec<String>,
    pub(crate) rejected: Vec<String>,
}

impl Sink for Collected {
    fn submission(&mut self, _: u64, s: &Submission<'_>) {
        let Submission { sender, account, mechanism, tls, client, messages, .. } = s;
        let tls = tls.name();
        self.submissions.push(format!("{sender} {account} {mechanism} {tls} {client} x{messages}"));
    }

    fn auth_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
        self.failures.push(format!("{} {}", failure.account, failure.client));
    }

    fn temporary_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
        self.temporary.push(format!("{} {}", failure.account, failure.client));
    }

    fn rejected(&mut self, _: u64, _: &[u8], reason: &str) {
        self.rejected.push(reason.to_owned());
    }
}
