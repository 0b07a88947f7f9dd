//! Notes as CSV: out, so that a spreadsheet opens them safely, and in, as spreadsheets write them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use csv::{ByteRecord, Reader, ReaderBuilder};
use thiserror::Error;

use super::note::{NOTES, Note, Subject};
use crate::views::csv::{plain, safe, writer};
use crate::wording::displayed;

/// The largest sheet that is read, in bytes.
pub const SHEET: usize = 5 << 20;
/// What the columns are called.
pub const COLUMNS: [&str; 5] = ["kind", "subject", "name", "owner", "note"];
/// What may stand between two cells.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// What some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The most characters of a cell that an error repeats.
const TOLD: usize = 60;

/// What a sheet holds. Lines are numbered from 1, the header included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Notes, each with the line on which it begins; one about each subject.
    pub notes: Vec<(u64, Note)>,
    /// Lines that are none, in their order.
    pub refused: Vec<Refused>,
}

/// A line that cannot be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub line: u64,
    /// Why, for people.
    pub reason: String,
}

/// Why nothing of a file is read, as a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SheetError {
    /// It is not in UTF-8, and shows it at once.
    #[error("it must be in UTF-8: save it as CSV UTF-8")]
    Encoding,
    /// Its first line does not name the columns.
    #[error(
        "its first line must name the columns kind, subject, name, owner and note, in any order: {0} is missing"
    )]
    Missing(&'static str),
    /// It has another column.
    #[error(
        "its first line must name the columns kind, subject, name, owner and note, in any order: {0} is none of them"
    )]
    Unknown(String),
    /// A column is there twice.
    #[error("its column {0} is there twice")]
    Twice(&'static str),
    /// It has too many lines.
    #[error("it may have {NOTES} notes at most")]
    TooMany,
    /// It cannot be read on.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// Writes notes: a header, then a line for each, ended by CR LF. No cell is taken for a formula.
///
/// # Errors
/// Writing failed.
pub fn write<'n>(to: impl Write, notes: impl IntoIterator<Item = &'n Note>) -> io::Result<()> {
    let mut writer = writer(to);
    writer.write_record(COLUMNS)?;
    for Note { subject, name, owner, note } in notes {
        let about = subject.to_string();
        let cells = [subject.kind(), &about, name, owner, note];
        writer.write_record(cells.map(|cell| safe(cell).into_owned()))?;
    }
    writer.flush()
}

/// Reads what [`write`](fn@write) has written, or a person: with commas, semicolons or tabs between cells, and columns in any
/// order. Lines that are empty are passed over.
///
/// # Errors
/// The file as a whole is none of these: then nothing of it is read.
pub fn read(bytes: &[u8]) -> Result<Sheet, SheetError> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(SheetError::Encoding);
    }
    let mut rows = Rows::new(bytes)?;
    let header = rows.next()?.map_or_else(ByteRecord::new, |row| row.cells);
    let places = places(&header)?;
    let mut sheet = Sheet::default();
    let (mut known, mut read) = (HashMap::new(), 0);
    while let Some(row) = rows.next()? {
        read += 1;
        if read > NOTES {
            return Err(SheetError::TooMany);
        }
        let line = row.line;
        match row.note(&places) {
            Err(reason) => sheet.refused.push(Refused { line, reason }),
            Ok(note) => match known.insert(note.subject.clone(), line) {
                None => sheet.notes.push((line, note)),
                Some(before) => {
                    known.insert(note.subject, before);
                    let reason = format!("subject: it stands in line {before} already");
                    sheet.refused.push(Refused { line, reason });
                }
            },
        }
    }
    Ok(sheet)
}

/// In which cells the columns are.
fn places(header: &ByteRecord) -> Result<[usize; 5], SheetError> {
    let mut places = [None; 5];
    for (place, cell) in header.iter().enumerate() {
        let name = std::str::from_utf8(cell).map_err(|_| SheetError::Encoding)?;
        let name = plain(name.trim()).to_lowercase();
        let Some(column) = COLUMNS.iter().position(|column| *column == name) else {
            return Err(SheetError::Unknown(shown(&name)));
        };
        if places[column].replace(place).is_some() {
            return Err(SheetError::Twice(COLUMNS[column]));
        }
    }
    let mut found = [0; 5];
    for ((found, place), column) in found.iter_mut().zip(places).zip(COLUMNS) {
        *found = place.ok_or(SheetError::Missing(column))?;
    }
    Ok(found)
}

/// A cell as an error repeats it.
fn shown(cell: &str) -> String {
    displayed(cell, TOLD)
}

/// The rows of a file that say something.
struct Rows<'b> {
    bytes: &'b [u8],
    reader: Reader<&'b [u8]>,
    /// Up to where lines are counted, and the line there.
    counted: (usize, u64),
}

struct Row {
    cells: ByteRecord,
    line: u64,
    /// The line on which it ends.
    last: u64,
}

impl<'b> Rows<'b> {
    /// Finds out what stands between cells: what parts the header most.
    fn new(bytes: &'b [u8]) -> Result<Self, SheetError> {
        let (mut found, mut most) = (SEPARATORS[0], 0);
        for separator in SEPARATORS {
            let header = Self::with(bytes, separator).next()?;
            let cells = header.map_or(0, |header| header.cells.len());
            if cells > most {
                (found, most) = (separator, cells);
            }
        }
        Ok(Self::with(bytes, found))
    }

    fn with(bytes: &'b [u8], separator: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        let reader = builder.delimiter(separator).has_headers(false).flexible(true);
        Self { bytes, reader: reader.from_reader(bytes), counted: (0, 1) }
    }

    fn next(&mut self) -> Result<Option<Row>, SheetError> {
        let mut cells = ByteRecord::new();
        loop {
            let begins = self.at();
            let read = self.reader.read_byte_record(&mut cells);
            if !read.map_err(|error| SheetError::Unreadable(error.to_string()))? {
                return Ok(None);
            }
            let is_said = |cell: &[u8]| !cell.trim_ascii().is_empty();
            if !cells.iter().any(is_said) {
                continue;
            }
            let ends = self.at();
            // The reader passes over empty lines before a row without a word.
            let row = &self.bytes[begins..ends];
            let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
            let before = row.iter().take_while(is_end).count();
            let line = self.line_at(begins + before);
            let last = self.line_at(begins + row.trim_ascii_end().len());
            return Ok(Some(Row { cells, line, last: last.max(line) }));
        }
    }

    /// The byte at which the next row begins.
    fn at(&self) -> usize {
        let at = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        at.min(self.bytes.len())
    }

    /// The line at a byte, which does not lie before where lines were counted.
    fn line_at(&mut self, byte: usize) -> u64 {
        let (from, line) = self.counted;
        let between = self.bytes.get(from..byte).unwrap_or_default();
        let line = line + between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = (byte.max(from), line);
        line
    }
}

impl Row {
    /// What the row notes, or why it cannot.
    fn note(&self, places: &[usize; 5]) -> Result<Note, String> {
        if self.last > self.line {
            return Err(format!(
                "it goes on to line {}, and a note is one line: is a quotation mark missing?",
                self.last
            ));
        }
        let count = self.cells.len();
        if count != COLUMNS.len() {
            return Err(format!("it has {count} cells, not {}", COLUMNS.len()));
        }
        let cell = |column: usize| {
            let bytes = self.cells.get(places[column]).unwrap_or_default();
            let text = std::str::from_utf8(bytes);
            let text = text.map_err(|_| format!("{}: it must be in UTF-8", COLUMNS[column]))?;
            Ok::<_, String>(plain(text.trim()))
        };
        let [kind, about, name, owner, note] = [cell(0)?, cell(1)?, cell(2)?, cell(3)?, cell(4)?];
        let subject = Subject::read(&kind.to_lowercase(), about);
        let noted = subject.and_then(|subject| Note::new(subject, name, owner, note));
        noted.map_err(|error| {
            let given = match error.field() {
                "kind" => Cow::Owned(format!(" ({})", shown(kind))),
                "subject" => Cow::Owned(format!(" ({})", shown(about))),
                _ => Cow::Borrowed(""),
            };
            format!("{}{given}: {error}", error.field())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: &str, subject: &str, [name, owner, note]: [&str; 3]) -> Note {
        let subject = Subject::read(kind, subject).expect("a subject");
        Note::new(subject, name, owner, note).expect("a note")
    }

    fn written(notes: &[Note]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, notes).expect("memory");
        bytes
    }

    fn refusals(text: &str) -> Vec<String> {
        let sheet = read(text.as_bytes()).expect("a sheet");
        sheet.refused.into_iter().map(|one| format!("{} {}", one.line, one.reason)).collect()
    }

    fn lines(bytes: &[u8]) -> Vec<u64> {
        read(bytes).expect("a sheet").notes.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn what_is_written_is_a_line_for_each_and_no_formula() {
        let notes = [
            note("account", "+scan,ner", ["=1+1", "-a@example.test", "\"quoted\"; 'and' so on"]),
            note("client", "203.0.113.0/24", ["", "", "branch"]),
        ];
        assert_eq!(
            String::from_utf8(written(&notes)).expect("text"),
            "kind,subject,name,owner,note\r\n\
             account,\"'+scan,ner\",'=1+1,'-a@example.test,\"\"\"quoted\"\"; 'and' so on\"\r\n\
             client,203.0.113.0/24,,,branch\r\n"
        );
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let texts = [
            "=1",
            "'=1",
            "''=1",
            "' =1",
            "'",
            "''",
            "\"",
            "\"\"",
            ",",
            ";",
            "a;b,c",
            "\u{200b}=1",
            "\u{feff}x",
            "x\u{2028}y",
            "'\u{ff1d}1",
            "@sum(1)",
            "-",
            "x",
            "kind",
        ];
        let mut notes = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let name = texts[(number + 3) % texts.len()];
            notes.push(note("account", text, [text, "+a@example.test", name]));
            let client = format!("192.0.2.{number}");
            notes.push(note("client", &client, ["", "", text]));
        }
        let bytes = written(&notes);
        let sheet = read(&bytes).expect("a sheet");
        assert_eq!(sheet.refused, []);
        assert_eq!(
            sheet.notes.iter().map(|(_, note)| note).collect::<Vec<_>>(),
            notes.iter().collect::<Vec<_>>()
        );
        assert_eq!(lines(&[MARK, &bytes].concat())[..2], [2, 3]);
    }

    #[test]
    fn sheets_of_people_are_read_in_their_own_way() {
        let same = |text: &str| {
            let sheet = read(text.as_bytes()).expect(text);
            assert_eq!(sheet.refused, [], "{text}");
            let notes: Vec<_> = sheet.notes.into_iter().map(|(_, note)| note).collect();
            let expected = note("account", "scanner", ["Scanner, 2nd floor", "", "ask; or not"]);
            assert_eq!(notes, [expected], "{text}");
        };
        same("kind,subject,name,owner,note\naccount,Scanner,\"Scanner, 2nd floor\",,ask; or not");
        same(
            "\u{feff}Kind;Subject;Name;Owner;Note\r\naccount;scanner;Scanner, 2nd floor;;\"ask; or not\"\r\n",
        );
        same(
            "kind\tsubject\tname\towner\tnote\nACCOUNT\tscanner\tScanner, 2nd floor\t\task; or not\n",
        );
        same(
            "\r\n\"note\",owner,name,subject,kind\n,,,,\n\nask; or not ,,\"Scanner, 2nd floor\",scanner,account\n\n",
        );
    }

    #[test]
    fn each_bad_line_is_told_by_its_number_and_the_others_are_read() {
        let text = "kind,subject,name,owner,note\r\n\
             \r\n\
             sender,a,x,,\r\n\
             account,a,x,,\r\n\
             ,,,,\r\n\
             client,mx.example.test,x,,\r\n\
             account,b,x,nobody,\r\n\
             account,A,y,,\r\n\
             account,c,,,\r\n\
             account,d,x\r\n\
             account,e,\"two\r\nlines\",,\r\n\
             account,f,x,,\r\n\
             account,g,x,,\u{7}\r\n\
             account,(none),x,,";
        assert_eq!(lines(text.as_bytes()), [4, 13]);
        let told = refusals(text);
        let begins = [
            "3 kind (sender): it must be account or client",
            "6 subject (mx.example.test): it must be an address",
            "7 owner: nobody is no mail address",
            "8 subject: it stands in line 4 already",
            "9 name: one of name, owner and note must say something",
            "10 it has 3 cells, not 5",
            "11 it goes on to line 12, and a note is one line",
            "14 note: it must be one line of at most 500 characters",
            "15 subject ((none)): it is no account of its own",
        ];
        assert_eq!(told.len(), begins.len(), "{told:?}");
        for (told, begins) in told.iter().zip(begins) {
            assert!(told.starts_with(begins), "{told}");
        }
        let header = "kind,subject,name,owner,note\n";
        let latin = [header.as_bytes(), b"account,a,J\xf6rg,,\naccount,b,x,,\n"].concat();
        assert_eq!(lines(&latin), [3]);
        // A quotation mark that is never closed takes all that follows, and tells.
        let open = refusals(&format!("{header}account,a,\"x,,\naccount,b,x,,\naccount,c,x,,\n"));
        assert_eq!(open.len(), 1);
        assert!(open[0].starts_with("2 it goes on to line 4"), "{open:?}");
    }

    #[test]
    fn a_file_that_is_no_sheet_is_refused_whole() {
        let error = |bytes: &[u8]| read(bytes).expect_err("no sheet").to_string();
        assert!(error(b"").contains("kind is missing"));
        assert!(error(b"account,a,x,,\n").contains("account is none of them"));
        assert!(error(b"kind,subject,name,owner\n").contains("note is missing"));
        assert!(error(b"kind;subject;note\n").contains("name is missing"));
        assert!(error(b"kind,subject,name,owner,note,phone\n").contains("phone is none of them"));
        assert!(error(b"kind,subject,name,owner,note,Kind\n").contains("kind is there twice"));
        assert!(error(b"\xff\xfek\0i\0n\0d\0").contains("UTF-8"));
        assert!(error(b"kind,subject,name,owner,n\xf6te\n").contains("UTF-8"));
        let many = "account,a,x,,\n".repeat(NOTES + 1);
        let many = format!("kind,subject,name,owner,note\n{many}");
        assert!(error(many.as_bytes()).contains("10000 notes at most"));
        let nothing = "\n,,,,\n".repeat(NOTES + 1);
        let nothing = format!("kind,subject,name,owner,note\n{nothing}");
        assert_eq!(read(nothing.as_bytes()), Ok(Sheet::default()));
    }

    #[test]
    fn whatever_is_sent_is_read_or_refused() {
        let mut rng = fastrand::Rng::with_seed(5);
        let pieces: [&[u8]; 14] = [
            b"kind,subject,name,owner,note\n",
            b"account",
            b"client",
            b",",
            b";",
            b"\t",
            b"\"",
            b"\r",
            b"\n",
            b"'",
            b"=1",
            b"192.0.2.1",
            b"\xff",
            b"a@example.test",
        ];
        for _ in 0..20_000 {
            let mut bytes = pieces[0].to_vec();
            for _ in 0..rng.usize(0..40) {
                bytes.extend(pieces[rng.usize(1..pieces.len())]);
            }
            let Ok(sheet) = read(&bytes) else { continue };
            let count = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            let mut seen: Vec<_> = sheet.refused.iter().map(|one| one.line).collect();
            seen.extend(sheet.notes.iter().map(|(line, _)| *line));
            assert!(seen.iter().all(|line| (2..=count).contains(line)), "{bytes:?}: {seen:?}");
        }
    }
}
