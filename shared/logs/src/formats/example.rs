//! Example MTA: one line proves a submission.

use report::TlsVersion;

use crate::format::LogFormat;
use crate::proofs::{Login, Proof, Proofs, Sender, Sink};
use crate::record::Record;

/// Example MTA's lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Example;

impl LogFormat for Example {
    const NAME: &'static str = "example";
    const ABOUT: &'static str = "Example MTA's lines";

    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if record.program != b"example-mta" {
            return false;
        }
        // `accepted ann@example.org ann PLAIN TLSv1.3 192.0.2.1`
        let fields: Vec<_> = record.message.split(|byte| *byte == b' ').collect();
        if let [b"accepted", sender, account, mechanism, tls, client] = fields[..] {
            proofs.submission(&Proof {
                time: record.time.unwrap_or(proofs.arrival.reference),
                sender: Sender::Logged(sender),
                login: Login::Logged { account, mechanism, client },
                tls: TlsVersion::from_label(tls),
                messages: 1,
            });
        }
        true
    }
}
