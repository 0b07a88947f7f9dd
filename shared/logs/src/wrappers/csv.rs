//! Log lines in the rows of an export, below a header that names the columns: Graylog's, Kibana's, CloudWatch
//! Insights', Azure's, Splunk's.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::fields::{Line, Moments, Name, Part, Parts, Value, name};
use crate::framing::is_open;
use crate::record::Record;
use crate::text::alphanumeric_and;
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// The longest header, and what of it is remembered.
const LONGEST: usize = 4096;
/// The most columns of a header.
const COLUMNS: usize = 256;
/// What columns are separated by.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Rows of a CSV export, with the header that was read last.
///
/// A row of which a cell in quotes is not over goes on in the next line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Csv {
    header: Option<Header>,
    cells: Cells,
    moments: Moments,
}

#[derive(Clone, Debug)]
struct Header {
    /// The line itself.
    line: Vec<u8>,
    separator: u8,
    columns: Vec<Option<&'static Name>>,
    /// Where the time stands: a row has one there, and so no other line passes for a row.
    time: Option<usize>,
}

impl Wrapper for Csv {
    const REMEMBERS: bool = true;

    #[inline]
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        if record.is_named() {
            return Unwrapped::Not;
        }
        if record.is_bare()
            && may_be_header(record.message)
            && let Some(header) = Header::read(record.message, &mut self.cells)
        {
            self.header = Some(header);
            return Unwrapped::Several(Vec::new());
        }
        if self.header.is_none() {
            return Unwrapped::Not;
        }
        let goes_on = record.is_bare().then(|| self.goes_on(record.message)).flatten();
        let row = self.row(record.message, reference, times);
        let row = row.map(|line| line.into_owned().behind(record));
        match (goes_on, row) {
            (Some(Begun { separator, .. }), Some(Unwrapped::Owned(row))) => {
                Unwrapped::Unfinished(separator, Some(row))
            }
            (Some(Begun { separator, is_before_time: true }), None) => {
                Unwrapped::Unfinished(separator, None)
            }
            (_, row) => row.unwrap_or(Unwrapped::Not),
        }
    }

    fn save(&self) -> Vec<u8> {
        self.header.as_ref().map(|header| header.line.clone()).unwrap_or_default()
    }

    fn restore(&mut self, bytes: &[u8]) {
        self.header = Header::read(bytes, &mut self.cells);
    }
}

/// A row of which a cell is not over.
struct Begun {
    separator: u8,
    /// Whether the column of the time has not come yet.
    is_before_time: bool,
}

impl Csv {
    /// What a line is if its last cell goes on in the next line.
    fn goes_on(&mut self, line: &[u8]) -> Option<Begun> {
        let Self { header, cells, .. } = self;
        let Header { separator, columns, time, .. } = header.as_ref()?;
        if !is_open(line, *separator) {
            return None;
        }
        cells.read(line, *separator)?;
        let is_row = line.first() == Some(&b'"') && cells.len() <= columns.len();
        let is_before_time = is_row && time.is_some_and(|time| time + 1 >= cells.len());
        Some(Begun { separator: *separator, is_before_time })
    }

    fn row(&mut self, line: &[u8], reference: i64, times: &mut Timestamps) -> Option<Line<'_>> {
        let Self { header, cells, moments } = self;
        let header = header.as_ref()?;
        // What any other line begins with cannot be the cell of a time, or is no cell in quotes.
        let begins = |byte: &u8| *byte == b'"' || (header.time.is_some() && *byte != b'{');
        line.first().filter(|byte| begins(byte))?;
        cells.read(line, header.separator)?;
        if cells.len() > header.columns.len() {
            return None;
        }
        if let Some(time) = header.time {
            let utc = header.columns[time].is_some_and(|name| name.utc);
            moments.read(cells.get(time)?, utc, reference, times)?;
        }
        let mut parts = Parts::default();
        for (column, name) in header.columns.iter().enumerate() {
            if let (Some(name), Some(cell)) =
                (name, cells.get(column).filter(|cell| !cell.is_empty()))
            {
                parts.take(name, Value::Text(Cow::Borrowed(cell)));
            }
        }
        Line::of(&parts, reference, times, moments)
    }
}

/// Whether a line looks as if names stood in it and nothing else.
#[inline]
fn may_be_header(line: &[u8]) -> bool {
    const OF_NAMES: [bool; 256] = alphanumeric_and(b"\"@_.-/$# [](),;\t");
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    // Lines that begin with a time are none, and there are many.
    let is_dated = line.first().is_none_or(u8::is_ascii_digit);
    !is_dated && line.len() <= LONGEST && line.iter().all(|byte| OF_NAMES[usize::from(*byte)])
}

impl Header {
    /// Reads a header; none if it does not name a column for messages, and a second one that is known.
    fn read(line: &[u8], cells: &mut Cells) -> Option<Self> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let count = |separator: &u8| line.iter().filter(|byte| *byte == separator).count();
        let separator = SEPARATORS.into_iter().max_by_key(count)?;
        let is = |name: &Option<&'static Name>, part| {
            name.and_then(|name| name.part).is_some_and(|(of, _)| of == part)
        };
        // Most lines of words alone are none: they need not be taken apart for it.
        let words = line.split(|byte| *byte == separator || *byte == b'"');
        if !words.map(column).any(|name| is(&name, Part::Message)) {
            return None;
        }
        cells.read(line, separator)?;
        let columns: Vec<_> = (0..cells.len()).map(|cell| column(cells.get(cell)?)).collect();
        let has_message = columns.iter().any(|name| is(name, Part::Message));
        // One column has no second: it is in quotes, or nobody else's name.
        let is_sure = columns.iter().flatten().count() > 1
            || (columns.len() == 1 && matches!(line, [b'"' | b'@' | b'_', ..]));
        // Of several times the one that counts.
        let place =
            |name: &Option<&'static Name>| name.and_then(|name| name.part).map(|(_, place)| place);
        let time = (0..columns.len())
            .filter(|column| is(&columns[*column], Part::Time))
            .min_by_key(|column| place(&columns[*column]));
        (has_message && is_sure && columns.len() <= COLUMNS).then(|| Self {
            line: line.to_vec(),
            separator,
            columns,
            time,
        })
    }
}

/// What is known of a column; exports write their own names large or small.
fn column(cell: &[u8]) -> Option<&'static Name> {
    let cell = str::from_utf8(cell).ok()?.trim();
    match name(cell) {
        None => match cell.to_ascii_lowercase().as_str() {
            // Datadog's.
            "content" => name("message"),
            lower => name(lower),
        },
        known => known,
    }
}

/// The cells of one line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    /// The reader of lines with the separator that was asked for last.
    reader: Option<(u8, Box<Reader>)>,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    /// Takes a line apart; none if it has too many cells.
    pub(crate) fn read(&mut self, line: &[u8], separator: u8) -> Option<()> {
        let reader = match &mut self.reader {
            Some((known, reader)) if *known == separator => {
                reader.reset();
                reader
            }
            // Building one takes longer than reading many lines.
            other => {
                let new = Box::new(ReaderBuilder::new().delimiter(separator).build());
                &mut other.insert((separator, new)).1
            }
        };
        self.text.resize(self.text.len().max(line.len()), 0);
        self.ends.resize(COLUMNS + 1, 0);
        let (mut at, mut written, mut ends) = (0, 0, 0);
        // A second time with nothing tells the reader that the line is over.
        loop {
            let (result, read, wrote, ended) =
                reader.read_record(&line[at..], &mut self.text[written..], &mut self.ends[ends..]);
            (at, written, ends) = (at + read, written + wrote, ends + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                _ => return None,
            }
        }
        self.count = ends;
        (at == line.len()).then_some(())
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, cell: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.count].get(cell)?;
        let begin = if cell == 0 { 0 } else { self.ends[cell - 1] };
        self.text.get(begin..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: i64 = 1_795_435_200; // 2026-11-23T12:00Z

    fn is_row(csv: &mut Csv, line: &str) -> bool {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let found = csv.unwrap(&Record::of(line.as_bytes()), REFERENCE, &mut times);
        matches!(
            found,
            Unwrapped::Owned(_) | Unwrapped::Record(_) | Unwrapped::Unfinished(_, Some(_))
        )
    }

    fn below(header: &str) -> Csv {
        let mut csv = Csv::default();
        assert!(!is_row(&mut csv, header));
        csv
    }

    #[test]
    fn a_header_names_messages_and_something_else_that_is_known() {
        for header in [
            "\"timestamp\",\"source\",\"message\"",
            "\u{feff}\"@timestamp\",message",
            "@timestamp;host.name;message",
            "Time\tLine",
            "TimeGenerated [UTC],Computer,ProcessName,ProcessID,SyslogMessage",
            "_raw,_time,host",
            "@message",
        ] {
            assert!(below(header).header.is_some(), "{header}");
        }
        for line in [
            "",
            "message",
            "host,time",
            "a,b,message",
            "postfix,message",
            "time,message,x:y",
            "message 12",
            "sender;account",
        ] {
            assert!(below(line).header.is_none(), "{line}");
        }
        let wide = format!("time,message{}", ",a".repeat(COLUMNS));
        assert!(below(&wide).header.is_none());
        assert!(below(&format!("time,message,{}", "a".repeat(LONGEST))).header.is_none());
    }

    #[test]
    fn a_line_is_a_row_only_with_its_time_where_the_header_says() {
        let mut csv = below("time,host,message");
        assert!(is_row(&mut csv, "2026-11-23T11:00:00Z,mail,\"a, \"\"b\"\"\""));
        assert!(is_row(&mut csv, "1795431600,mail,x"));
        for line in [
            "Nov 23 11:00:00 mail postfix/smtpd[7]: A: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=x",
            "2026-11-23 11:00:00 1xVWoN-0001PO-2u <= a@x.test,b,c",
            "2026-11-23T11:00:00Z,mail",
            "2026-11-23T11:00:00Z,mail,x,y",
            "{\"time\":1,\"message\":\"a\"},b",
            "",
            "\"",
        ] {
            assert!(!is_row(&mut csv, line), "{line}");
        }
        let mut csv = below("host,message");
        assert!(is_row(&mut csv, "\"mail\",\"x\""));
        assert!(!is_row(&mut csv, "mail,x"));
    }

    #[test]
    fn a_header_is_remembered_between_batches() {
        let saved = below("time,host,message").save();
        let mut csv = Csv::default();
        csv.restore(&saved);
        assert!(is_row(&mut csv, "1795431600,mail,x"));
        csv.restore(b"damaged");
        assert!(!is_row(&mut csv, "1795431600,mail,x"));
        assert!(Csv::default().save().is_empty());
    }
}
