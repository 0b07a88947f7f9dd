//! CSV as spreadsheets and parsers read it (RFC 4180), safe to open.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use super::group::Group;
use super::row::{Past, Row};
use super::uses::RowMechanisms;
use super::view::View;
use crate::counting::day::{Day, Range};
use crate::counting::usage::UsageKey;

/// Bytes gathered before they are handed on.
const BUFFER: usize = 1 << 16;

pub(crate) fn writer<W: Write>(to: W) -> Writer<W> {
    WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(BUFFER).from_writer(to)
}

/// The name of a CSV file: what is in it (a view's name, or `detailed`), and of which days.
#[must_use]
pub fn file_name(what: &str, range: Range) -> String {
    format!("{what}_{}_{}.csv", range.start, range.end)
}

/// Writes a table of texts: a header, then one line for each row, ended by CR LF. Cells are made [`safe`].
///
/// # Errors
/// Writing failed.
pub fn write_texts<const COLUMNS: usize>(
    to: impl Write,
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> io::Result<()> {
    let mut writer = writer(to);
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| safe(cell)).map(|cell| cell.into_owned()))?;
    }
    writer.flush()
}

/// Writes a view's table by a group: a header, then one line for each row, ended by CR LF. Each has the row's
/// name, what the view tells of it, its message count, that of as many days before with the change in percent (empty
/// where they are not known), the first and the last day that are kept on which it sent, and its mechanisms, most messages
/// first.
///
/// # Errors
/// Writing failed.
pub fn write<'r>(
    to: impl Write,
    view: View,
    group: Group,
    rows: impl IntoIterator<Item = Row<'r>>,
    mechanisms: &RowMechanisms,
) -> io::Result<()> {
    let mut writer = writer(to);
    let (name, count) = (group.label().to_owned(), "Message count".to_owned());
    let head = line(name, view.columns(), count, PAST.map(str::to_owned));
    writer.write_record(head.chain(["Mechanisms".to_owned()]))?;
    for row in rows {
        let mechanisms = safe(&mechanisms.of(row.name)).into_owned();
        let (name, count) = (safe(row.name).into_owned(), row.counts.total().to_string());
        let past = past(row.past, row.change());
        let cells = line(name, view.cells(&row.counts), count, past);
        writer.write_record(cells.chain([mechanisms]))?;
    }
    writer.flush()
}

/// The columns of what is known of a row's days.
pub(super) const PAST: [&str; 4] = ["Before", "Change %", "First day", "Last day"];

/// What is known of a row's days: nothing stands where nobody knows.
pub(super) fn past(Past { before, first, last }: Past, change: Option<f64>) -> [String; 4] {
    [
        before.map(|before| before.to_string()).unwrap_or_default(),
        change.map(|change| format!("{change:.2}")).unwrap_or_default(),
        first.to_string(),
        last.to_string(),
    ]
}

/// Writes the detailed report, row by row: one line for each day, sender, account, mechanism, TLS version
/// and client address, with its messages. Lines that differ only in what is not shown (whether the account is
/// named in the log, or is the sender because none is) are not joined: their messages add up.
pub struct Detailed<W: Write>(Writer<W>);

impl<W: Write> Detailed<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(to: W) -> io::Result<Self> {
        let mut writer = writer(to);
        writer.write_record([
            "Date",
            "Sender address",
            "Account",
            "Mechanism",
            "TLS version",
            "Client address",
            "Message count",
        ])?;
        Ok(Self(writer))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Writing failed.
    pub fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> io::Result<()> {
        let (day, account) = (day.to_string(), key.account().name());
        self.0.write_field(&day)?;
        for field in [key.sender, account, key.mechanism, key.tls.name(), key.client] {
            self.0.write_field(safe(field).as_bytes())?;
        }
        self.0.write_field(messages.to_string())?;
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Hands on what has been gathered.
    ///
    /// # Errors
    /// Writing failed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    /// Where the rows go; some are still gathered unless it was flushed.
    #[must_use]
    pub fn to(&self) -> &W {
        self.0.get_ref()
    }

    /// Hands on what is left, and gives back where the rows went.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

impl<W: Write> std::fmt::Debug for Detailed<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detailed")
    }
}

fn line(
    name: String,
    cells: Vec<String>,
    count: String,
    past: [String; 4],
) -> impl Iterator<Item = String> {
    std::iter::once(name).chain(cells).chain([count]).chain(past)
}

/// A cell that no spreadsheet takes for a formula: what begins like one, or does so once what is blank before it is
/// taken away, gets an apostrophe before it.
///
/// Nothing else changes, and what already has apostrophes there gets one more, so that [`plain`] gives the cell back.
#[must_use]
pub fn safe(cell: &str) -> Cow<'_, str> {
    if is_risky(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell that [`safe`] made safe.
#[must_use]
pub fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|cell| is_risky(cell)).unwrap_or(cell)
}

fn is_risky(cell: &str) -> bool {
    let cell = cell.trim_start_matches('\'');
    // Some spreadsheets take a cell apart there.
    let splits = |c| matches!(c, '\t' | '\r' | '\n');
    cell.starts_with(splits) || cell.trim_start_matches(is_blank).starts_with(begins_formula)
}

/// What spreadsheets may pass over at a cell's beginning: white space, control characters, and what has no width.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// The signs that begin a formula, as ASCII, small and full-width have them.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@')
        || matches!(c, '\u{fe62}' | '\u{fe63}' | '\u{fe66}' | '\u{fe6b}' | '\u{2212}')
        || matches!(c, '\u{ff0b}' | '\u{ff0d}' | '\u{ff1d}' | '\u{ff20}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::{TlsCounts, TlsVersion};
    use crate::views::known::Known;

    fn table(view: View, sender: &str) -> String {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls10, 1);
        counts.add(TlsVersion::Tls12, 2);
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let past = Past { before: Some(4), first: day("2026-09-01"), last: day("2026-11-20") };
        let range = Range { start: day("2026-09-01"), end: day("2026-11-20") };
        let mut mechanisms = RowMechanisms::new(Group::Sender, range, &Known::default());
        let (domain, username, client) = ("", "", "");
        let tls = TlsVersion::Tls12;
        let key = UsageKey { domain, sender, username, mechanism: "=CMD", tls, client };
        mechanisms.add(day("2026-11-20"), &key, 3);
        let mut bytes = Vec::new();
        let rows = [Row { name: sender, counts, past }];
        write(&mut bytes, view, Group::Sender, rows, &mechanisms).expect("memory");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn tables_have_the_columns_of_their_view() {
        assert_eq!(
            table(View::SendingVolume, "a@example.test"),
            "Sender address,Message count,Before,Change %,First day,Last day,Mechanisms\r\n\
             a@example.test,3,4,-25.00,2026-09-01,2026-11-20,'=CMD\r\n"
        );
        assert_eq!(
            table(View::TlsUsage, "a@example.test"),
            "Sender address,TLS1.0 %,TLS1.0 messages,TLS1.1 %,TLS1.1 messages,TLS1.2 %,TLS1.2 messages,\
             TLS1.3 %,TLS1.3 messages,No TLS %,No TLS messages,Unknown %,Unknown messages,Message count,Before,Change %,First day,Last day,Mechanisms\r\n\
             a@example.test,33.33,1,0.00,0,66.67,2,0.00,0,0.00,0,0.00,0,3,4,-25.00,2026-09-01,2026-11-20,'=CMD\r\n"
        );
    }

    #[test]
    fn the_detailed_report_has_a_line_for_each_row() {
        let mut bytes = Vec::new();
        let mut detailed = Detailed::new(&mut bytes).expect("memory");
        let key = UsageKey {
            domain: "example.test",
            sender: "+a@example.test",
            username: "b,c",
            mechanism: "PLAIN",
            tls: TlsVersion::None,
            client: "2001:db8::1",
        };
        let day = Day::from_ymd_opt(2026, 11, 23).expect("a date");
        detailed.row(day, &key, 7).expect("memory");
        detailed.row(day, &UsageKey { username: "", ..key }, 1).expect("memory");
        detailed.finish().expect("memory");
        assert_eq!(
            String::from_utf8(bytes).expect("text"),
            "Date,Sender address,Account,Mechanism,TLS version,Client address,Message count\r\n\
             2026-11-23,'+a@example.test,\"b,c\",PLAIN,none,2001:db8::1,7\r\n\
             2026-11-23,'+a@example.test,'+a@example.test,PLAIN,none,2001:db8::1,1\r\n"
        );
    }

    #[test]
    fn formulas_are_disarmed_and_quotes_doubled() {
        let text = table(View::SendingVolume, "=cmd|'/c calc'!a1,\"x\"@example.test");
        assert!(text.contains("\n\"'=cmd|'/c calc'!a1,\"\"x\"\"@example.test\",3,"), "{text}");
        for blank in [
            "", " ", "   ", "\u{a0}", "\u{3000}", "\u{200b}", "\u{feff}", "\0", "\u{1b} ", "\u{85}",
        ] {
            for sign in
                ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{fe66}']
            {
                let cell = format!("{blank}{sign}1");
                assert_eq!(safe(&cell), format!("'{cell}"), "{cell:?}");
            }
        }
        for cell in ["\tx", "\rx", "\nx", "\t"] {
            assert!(safe(cell).starts_with('\''), "{cell:?}");
        }
        for cell in ["a=1", "", "  ", " a", "o'hara@example.test", "'t-hooft@example.test", "1-2"] {
            assert_eq!(safe(cell), cell);
        }
    }

    #[test]
    fn cells_that_are_made_safe_can_be_read_back() {
        for cell in [
            "=1", " =1", "'=1", "''=1", "' =1", "\tx", "'\tx", "a", "", "'", "'a", "''", " 'a",
            " '=1",
        ] {
            let safe = safe(cell);
            assert_eq!(plain(&safe), cell, "{safe:?}");
        }
    }
}
