//! The SMTP AUTH clients report of Exchange Online, as it exports it: one row stands for some messages.

use report::{TlsVersion, client_address};

use crate::client_name::Name;
use crate::format::LogFormat;
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::record::Record;
use crate::saved::StateError;
use crate::text::{alphanumeric_and, number};
use crate::time::Timestamps;
use crate::wrappers::Cells;

/// The longest header, and what of it is remembered.
const LONGEST: usize = 4096;
/// The names of the columns that count; others may stand between them.
const NAMES: [&[u8]; 7] = [
    b"date",
    b"sendername",
    b"senderdomain",
    b"authmethod",
    b"original_client_ip",
    b"tls_version",
    b"message_count",
];

/// Rows of `SmtpCSReport….csv`, with the header that was read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct SmtpCsReport {
    header: Option<Header>,
    cells: Cells,
}

#[derive(Clone, Debug)]
struct Header {
    /// The line itself.
    line: Vec<u8>,
    /// How many columns there are.
    width: usize,
    /// Where each of [`NAMES`] stands.
    columns: [usize; NAMES.len()],
}

/// What a row tells.
struct Row<'a> {
    time: i64,
    sender: [&'a [u8]; 2],
    mechanism: &'a [u8],
    client: &'a [u8],
    tls: TlsVersion,
    messages: u32,
}

impl LogFormat for SmtpCsReport {
    const NAME: &'static str = "smtpcsreport";
    const ABOUT: &'static str = "The SMTP AUTH clients report that Exchange Online exports";
    const CANNOT_TELL: &'static str = "its rows name no account and no SASL mechanism, and exports whose days overlap count twice";
    const STATE: u8 = 1;

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let may_be = !record.is_named() && (self.header.is_some() || may_begin(record.message));
        may_be && self.of_report(record, proofs)
    }

    fn save(&self) -> Vec<u8> {
        self.header.as_ref().map(|header| header.line.clone()).unwrap_or_default()
    }

    fn restore(version: u8, bytes: &[u8]) -> Result<Self, StateError> {
        match version {
            Self::STATE => {
                let mut cells = Cells::default();
                let header = Header::read(bytes, &mut cells).ok_or(StateError::Damaged)?;
                Ok(Self { header: Some(header), cells })
            }
            found => Err(StateError::Version { found, known: Self::STATE }),
        }
    }

    fn weight(&self) -> usize {
        self.header.as_ref().map_or(0, |header| header.line.len())
    }

    fn evict(&mut self, down_to: usize, _mark: u64, _sink: &mut impl Sink) {
        if self.weight() > down_to {
            self.header = None;
        }
    }
}

impl SmtpCsReport {
    #[inline(never)]
    fn of_report<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if let Some(header) = Header::read(record.message, &mut self.cells) {
            self.header = Some(header);
            return true;
        }
        let Self { header: Some(header), cells } = self else { return false };
        let Some(row) = header.row(record.message, cells, proofs) else { return false };
        let Row { time, sender, mechanism, client, tls, messages } = row;
        let sender = sender.join(&b'@');
        // The report names no account: a sender is what the client wrote.
        let login = Login::Logged { account: b"", mechanism, client, name: Name::Untold };
        let sender = if sender == b"@" { Sender::Unknown } else { Sender::Logged(&sender) };
        if messages > 0 {
            let messages = messages.into();
            proofs.submission(&Proof { time, sender, login, tls, messages, recipients: 0 });
        }
        true
    }
}

/// Whether a line may be a header: nearly every line of any log has a blank or a colon before its first comma.
#[inline]
fn may_begin(line: &[u8]) -> bool {
    let first = line.iter().find(|byte| matches!(byte, b' ' | b':' | b',' | b'"'));
    matches!(first, Some(b',' | b'"'))
}

impl Header {
    /// Reads a header; none if it does not have each of the columns once.
    fn read(line: &[u8], cells: &mut Cells) -> Option<Self> {
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        const OF_NAMES: [bool; 256] = alphanumeric_and(b"_,\" ");
        if text.len() > LONGEST || !text.iter().all(|byte| OF_NAMES[usize::from(*byte)]) {
            return None;
        }
        cells.read(text, b',')?;
        let named = |name: &[u8]| {
            let is = |cell: &usize| {
                cells.get(*cell).is_some_and(|cell| cell.trim_ascii().eq_ignore_ascii_case(name))
            };
            let mut found = (0..cells.len()).filter(is);
            found.next().filter(|_| found.next().is_none())
        };
        let mut columns = [0; NAMES.len()];
        for (column, name) in columns.iter_mut().zip(NAMES) {
            *column = named(name)?;
        }
        Some(Self { line: line.to_vec(), width: cells.len(), columns })
    }

    /// Reads a row; none if a line is no such row, or is damaged.
    fn row<'c, S: Sink>(
        &self,
        line: &[u8],
        cells: &'c mut Cells,
        proofs: &mut Proofs<'_, S>,
    ) -> Option<Row<'c>> {
        cells.read(line, b',').filter(|()| cells.len() == self.width)?;
        let cells = &*cells;
        let [date, name, domain, mechanism, client, tls, messages] =
            self.columns.map(|column| cells.get(column).unwrap_or_default().trim_ascii());
        let is_client = client.is_empty() || !client_address(client).is_empty();
        Some(Row {
            time: day(date, proofs.arrival.reference, proofs.times)?,
            sender: [name, domain],
            mechanism,
            client: is_client.then_some(client)?,
            tls: version(tls),
            messages: number(messages)?,
        })
    }
}

/// The time of a date that may have none: in UTC, as Exchange Online counts its days.
fn day(text: &[u8], reference: i64, times: &mut Timestamps) -> Option<i64> {
    let is_whole = |(time, end): (i64, usize)| (end == text.len()).then_some(time);
    if let [_, _, _, _, b'-', _, _, b'-', _, _] = text {
        let noon = [text, b"T12:00:00Z"].concat();
        return times.rfc3339(&noon).map(|(time, _)| time);
    }
    times.any(text, reference).and_then(is_whole)
}

/// `TLS1.2`, `1.2` or `TLS 1.2`.
fn version(text: &[u8]) -> TlsVersion {
    let mut label = b"TLS".to_vec();
    let number = text.iter().filter(|byte| byte.is_ascii_digit() || **byte == b'.');
    label.extend(number);
    TlsVersion::from_label(&label)
}

#[cfg(test)]
mod tests {
    use crate::testing::read;

    const HEADER: &str = "message_id,date,senderName,senderDomain,authMethod,original_client_ip,tls_version,tls_cipher,message_count";

    #[test]
    fn a_row_counts_as_many_messages_as_it_says() {
        let log = [
            HEADER,
            "<1@example.test>,2026-11-22,Ann,example.test,Basic,192.0.2.1,TLS1.2,X,1",
            "\"<2@example.test>\",2026-11-22T10:00:00Z,ann,example.test,OAuth,2001:db8::1,TLS 1.3,X,5",
            "<3@example.test>,2026-11-22,ann,example.test,Basic,192.0.2.1,,X,2",
        ];
        let read = read(&log.join("\n"));
        let told = [
            "ann@example.test  BASIC TLS1.2 192.0.2.1 x1",
            "ann@example.test  OAUTH TLS1.3 2001:db8::1 x5",
            "ann@example.test  BASIC unknown 192.0.2.1 x2",
        ];
        assert_eq!(read.submissions, told);
    }

    #[test]
    fn columns_may_stand_in_any_order_and_what_is_no_row_is_none() {
        let header =
            "Date,message_count,SenderName,SenderDomain,AuthMethod,Original_Client_IP,TLS_Version";
        let row = "2026-11-22,3,ann,example.test,Basic,192.0.2.1,1.0";
        for (line, told) in [
            (row, 1),
            ("2026-11-22,3,ann,example.test,Basic,192.0.2.1", 0),
            ("2026-11-22,3,ann,example.test,Basic,192.0.2.1,1.0,x", 0),
            ("2026-11-22,-3,ann,example.test,Basic,192.0.2.1,1.0", 0),
            ("2026-11-22,3,ann,example.test,Basic,everywhere,1.0", 0),
            ("some day,3,ann,example.test,Basic,192.0.2.1,1.0", 0),
        ] {
            assert_eq!(read(&format!("{header}\n{line}")).submissions.len(), told, "{line}");
            assert!(read(line).submissions.is_empty(), "without a header: {line}");
        }
        let twice = format!("{header},date\n{row},2026-11-22");
        assert!(read(&twice).submissions.is_empty());
    }
}
