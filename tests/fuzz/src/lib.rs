//! What must hold of every log, whatever bytes it consists of.

pub mod bytes;

use chrono_tz::Tz;
use logs::{Arrival, Format, LogStream, Options, Sink};
use report::views::cursor::{self, Cursor, CursorError};
use report::{
    ACCOUNT_LIMIT, AuthFailure, Day, MECHANISM_LIMIT, Past, Place, Row, SENDER_LIMIT, Submission,
    TlsCounts, TlsVersion,
};

/// Noon of 23 November 2026.
const REFERENCE: i64 = 1_795_435_200;
/// More than a saved state may take: 300,000 bytes, and what frames them.
const MOST_SAVED: usize = 310_000;

/// What a name that is cut short may take beyond its limit: it has a mark of the whole in each form there is.
const MARKS: usize = 32;

/// What a log proved: only as much as tells two readings apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proved {
    submissions: Vec<(u64, String)>,
    failures: Vec<(u64, String)>,
    rejected: Vec<u64>,
}

impl Sink for Proved {
    fn submission(&mut self, mark: u64, s: &Submission<'_>) {
        assert!(s.messages > 0, "a submission is at least one message");
        assert!(s.sender.len() <= SENDER_LIMIT + MARKS && !s.sender.is_empty(), "{:?}", s.sender);
        assert!(s.account.len() <= ACCOUNT_LIMIT + MARKS, "{:?}", s.account);
        assert!(s.mechanism.len() <= MECHANISM_LIMIT + MARKS, "{:?}", s.mechanism);
        let told = [s.sender, s.account, s.mechanism, s.tls.name(), s.client].join("\0");
        self.submissions.push((mark, format!("{} {} {told}", s.time, s.messages)));
    }

    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        assert!(failure.account.len() <= ACCOUNT_LIMIT + MARKS, "{:?}", failure.account);
        self.failures
            .push((mark, format!("{} {} {}", failure.time, failure.account, failure.client)));
    }

    fn rejected(&mut self, mark: u64, _: &[u8], _: &str) {
        self.rejected.push(mark);
    }
}

/// What bytes that nobody saved prove: their names may be as long as they are.
struct Anything;

impl Sink for Anything {
    fn submission(&mut self, _: u64, submission: &Submission<'_>) {
        assert!(submission.messages > 0 && !submission.sender.is_empty(), "{submission:?}");
    }

    fn auth_failure(&mut self, _: u64, _: &AuthFailure<'_>) {}

    fn rejected(&mut self, _: u64, _: &[u8], _: &str) {}
}

fn options(format: Format) -> Options {
    Options { format, zone: Tz::UTC }
}

/// Reads a log at once, and cut in two with its state saved between: both must prove the same.
pub fn log(format: Format, data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let read = |stream: &mut LogStream, range: std::ops::Range<usize>, proved: &mut Proved| {
        for number in range {
            let mark = number as u64 * 2 + 2;
            let arrival = Arrival { mark, before: mark - 1, reference: REFERENCE };
            stream.line(lines[number], arrival, proved);
        }
    };
    let end = lines.len() as u64 * 2 + 3;
    let (mut stream, mut whole) = (LogStream::new(options(format)), Proved::default());
    read(&mut stream, 0..lines.len(), &mut whole);
    stream.close(end, &mut whole);

    let (mut first, mut parts) = (LogStream::new(options(format)), Proved::default());
    read(&mut first, 0..lines.len() / 2, &mut parts);
    let saved = first.save();
    assert!(saved.len() <= MOST_SAVED, "{} bytes saved", saved.len());
    let (mut second, unreadable) = LogStream::restore(options(format), &saved);
    assert_eq!(unreadable, [], "what was saved can be read");
    assert_eq!(second.save(), saved, "and is saved as it was");
    read(&mut second, lines.len() / 2..lines.len(), &mut parts);
    second.close(end, &mut parts);
    assert_eq!(whole, parts, "however a log is cut");
}

/// Goes on from any bytes: what cannot be used of them is handed back, and what was used can be saved and read again.
pub fn state(data: &[u8]) {
    let (mut stream, _) = LogStream::restore(options(Format::Auto), data);
    let saved = stream.save();
    let (again, unreadable) = LogStream::restore(options(Format::Auto), &saved);
    assert_eq!(unreadable, [], "what was saved can be read");
    // Of what was put there twice, the order is nobody's: what is held must be the same.
    assert_eq!(again.save().len(), saved.len(), "and is saved with nothing lost");
    assert_eq!(again.load(), stream.load());
    let line = b"Nov 23 11:00:00 mail postfix/smtpd[7]: connect from unknown[192.0.2.1]";
    stream.line(line, Arrival { mark: 2, before: 1, reference: REFERENCE }, &mut Anything);
    assert!(stream.save().len() <= MOST_SAVED, "a line makes room");
    stream.close(3, &mut Anything);
}

/// Reads a log inside what shippers put lines into.
pub fn wrapped(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let escaped: String = text
        .chars()
        .flat_map(|next| format!("\\u{:04x}", u32::from(next) & 0xffff).into_bytes())
        .map(char::from)
        .collect();
    let lines = [
        format!("{{\"log\":\"{escaped}\\n\",\"stream\":\"stdout\"}}"),
        format!(
            "{{\"SYSLOG_IDENTIFIER\":\"postfix/smtpd\",\"_PID\":\"7\",\"MESSAGE\":\"{escaped}\"}}"
        ),
        format!("{{\"MESSAGE\":{data:?},\"SYSLOG_IDENTIFIER\":\"exim\"}}"),
        format!("<22>1 2026-11-23T11:00:00Z mail postfix/smtpd 7 - - {}", text.replace('\n', " ")),
        format!("Nov 23 11:00:00 mail exim[7]: {}", text.replace('\n', " ")),
    ];
    log(Format::Auto, lines.join("\n").as_bytes());
}

/// Takes the bytes for the text of a cursor, then for what one is made of; and changes that one's text.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    stranger(&text, number(data));
    stranger(&cursor::written(&text), number(data));
    let (question, rest) = (number(data), data.get(8..).unwrap_or_default());
    let (table, rest) = (number(rest), rest.get(8..).unwrap_or_default());
    let mut counts = TlsCounts::default();
    for (at, version) in TlsVersion::ALL.into_iter().enumerate() {
        counts.add(version, number(rest.get(at * 3..).unwrap_or_default()) >> (at * 10));
    }
    let name = String::from_utf8_lossy(rest);
    let days =
        [number(rest), number(data)].map(|at| Day::from_ymd_opt(2026, 1 + (at % 12) as u32, 1));
    let [first, last] = days.map(Option::unwrap_or_default);
    let past = Past { before: (data.len() % 3 > 0).then_some(table), first, last };
    let row = Row { name: &name, counts, past };
    let before = data.len() % 2 == 1;
    let written = Cursor::at(&row, before, question, table);
    let text = written.write();
    assert!(text.is_ascii(), "a part of an address: {text}");
    let held = Cursor::read(&text, question).expect("what was written is held");
    assert_eq!(held, written);
    match held.place() {
        Place::After(found) => assert!(found == row && !before),
        Place::Before(found) => assert!(found == row && before),
        Place::First => panic!("it is behind a row, or before one"),
    }
    assert_eq!(Cursor::read(&text, question ^ 1), Err(CursorError::OtherQuestion));
    assert_eq!(cursor::held(&text, |_| None::<()>), Err(CursorError::NotOne));

    let mut changed = text.clone().into_bytes();
    for change in rest.chunks_exact(3).take(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
        changed[at] = change[2];
    }
    let changed = String::from_utf8_lossy(&changed);
    for changed in [&*changed, &text[..text.len() / 2], &format!("{text}A"), &format!("{text}=")] {
        match Cursor::read(changed, question) {
            Ok(other) if changed != text => assert_ne!(other, written, "{changed}"),
            _ => {}
        }
        stranger(changed, question);
    }
}

/// What a stranger sends is refused in words, or is a cursor with this text alone.
fn stranger(text: &str, question: u64) {
    match Cursor::read(text, question) {
        Ok(cursor) => {
            assert_eq!(cursor.write(), text);
            let _ = cursor.place();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(rest) = cursor::held(text, |rest| Some(rest.to_owned())) {
        assert_eq!(cursor::written(&rest), text);
    }
}

/// The first eight bytes as a number; fewer as a smaller one.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
