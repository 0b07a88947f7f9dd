//! Framing: where one unit ends and the next begins, when a unit is not a line.
//!
//! A unit holds one log message with what it was put into. Mostly it is a line. Several lines are one unit where
//! JSON is laid out for people, in the journal's export, where a container runtime has cut a line, and in CSV; one line is
//! several where values stand one behind the other.

mod export;
mod json;
mod partial;
mod row;

use serde::{Deserialize, Serialize};

use self::export::Entry;
use self::json::{Malformed, Splitter, Unit};
use self::partial::Partials;
use self::row::Row;
pub(crate) use self::row::is_open;

/// What of a unit has come and waits for the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frames {
    open: Open,
    partials: Partials,
    /// The last piece was not the last of its line.
    is_within: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Open {
    #[default]
    Nothing,
    Json(Splitter),
    Export(Entry),
    /// A line whose beginning was read, and was enough.
    Rest,
    Row(Row),
}

/// A unit that is not simply a line.
#[derive(Debug)]
pub(crate) enum Framed<'a> {
    /// Text as if it were a line.
    Text(&'a [u8]),
    /// What cannot be read, and why.
    Broken(&'a [u8], &'static str),
}

/// What is to become of a line, or a piece of one, that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It belongs to units that are not lines.
    Taken,
    /// It is a unit by itself: nothing was done with it.
    Line,
}

/// JSON that a line of another kind has ended.
const BROKEN_OFF: &str = "JSON that is broken off";
/// JSON of which one value is too long.
const TOO_LONG: &str = "a JSON value of more than 64 KiB";

impl Frames {
    /// Whether something waits, or what a line says by itself does not tell where its unit begins.
    #[inline]
    pub(crate) fn are_open(&self) -> bool {
        !matches!(self.open, Open::Nothing) || self.is_within || self.partials.are_open()
    }

    /// Whether a line is whole without its end: it is JSON, or the rest of some, and that is over with it.
    pub(crate) fn is_whole(&self, rest: &[u8]) -> bool {
        let mut splitter = match &self.open {
            Open::Json(splitter) => splitter.clone(),
            Open::Nothing if matches!(rest.trim_ascii_start(), [b'{' | b'[', ..]) => {
                Splitter::default()
            }
            _ => return false,
        };
        splitter.read(rest, true, |_| {}).is_ok() && !splitter.is_open()
    }

    /// Bytes that it takes when it is saved.
    pub(crate) fn weight(&self) -> usize {
        let open = match &self.open {
            Open::Nothing | Open::Rest => 0,
            Open::Json(splitter) => splitter.weight(),
            Open::Export(entry) => entry.weight(),
            Open::Row(row) => row.weight(),
        };
        open + self.partials.weight()
    }

    /// Whether a line may begin a unit that is more than itself.
    #[inline]
    pub(crate) fn may_begin(line: &[u8]) -> bool {
        match line {
            [b'_', ..] => Entry::begins(line),
            [b'{', ..] => line.len() >= partial::DOCKER,
            [b'0'..=b'9', ..] => partial::is_cri(line),
            _ => false,
        }
    }

    /// Offers a piece of a line, the last if `ends`. Asked for where something is open, where a line
    /// [may begin](Self::may_begin) something, and where a line is longer than one piece.
    pub(crate) fn offer(
        &mut self,
        piece: &[u8],
        ends: bool,
        mut each: impl FnMut(Framed<'_>),
    ) -> Offered {
        let is_within = std::mem::replace(&mut self.is_within, !ends);
        match &mut self.open {
            Open::Nothing => {}
            Open::Rest => {
                if ends {
                    self.open = Open::Nothing;
                }
                return Offered::Taken;
            }
            Open::Json(splitter) => match read(splitter, piece, ends, &mut each) {
                Ok(()) => {
                    if !splitter.is_open() && ends {
                        self.open = Open::Nothing;
                    }
                    return Offered::Taken;
                }
                Err(Malformed) => {
                    each(Framed::Broken(splitter.rest(), BROKEN_OFF));
                    self.open = if ends { Open::Nothing } else { Open::Rest };
                    if is_within {
                        return Offered::Taken;
                    }
                }
            },
            Open::Export(entry) => match entry.read(piece) {
                export::Read::Part => return Offered::Taken,
                export::Read::End { again } => {
                    if let Some(json) = std::mem::take(entry).into_json() {
                        each(Framed::Text(&json));
                    }
                    if !again {
                        self.open = Open::Nothing;
                        return Offered::Taken;
                    }
                }
                export::Read::Malformed => self.open = Open::Nothing,
            },
            Open::Row(row) => {
                match row.read(piece) {
                    row::Read::Part if ends => {}
                    row::Read::Whole if ends => {
                        each(Framed::Text(row.text()));
                        self.open = Open::Nothing;
                    }
                    _ => {
                        by_lines(row, &mut each);
                        self.open = if ends { Open::Nothing } else { Open::Rest };
                    }
                }
                return Offered::Taken;
            }
        }
        self.begin(piece, ends, each)
    }

    fn begin(&mut self, line: &[u8], ends: bool, mut each: impl FnMut(Framed<'_>)) -> Offered {
        if Entry::begins(line) {
            let mut entry = Entry::default();
            entry.read(line);
            self.open = Open::Export(entry);
            return Offered::Taken;
        }
        if !ends {
            let offered = self.begin_json(line, false, &mut each);
            if offered == Offered::Line {
                self.open = Open::Rest;
            }
            return offered;
        }
        match self.partials.read(line) {
            partial::Read::Whole => Offered::Line,
            partial::Read::Part => Offered::Taken,
            partial::Read::Joined(line) => {
                each(Framed::Text(&line));
                Offered::Taken
            }
        }
    }

    /// Offers a line that begins like JSON: it may be the beginning of a value, or several, or hold a list. One value by
    /// itself is left to whoever offers it.
    pub(crate) fn begin_json(
        &mut self,
        line: &[u8],
        ends: bool,
        mut each: impl FnMut(Framed<'_>),
    ) -> Offered {
        let text = line.trim_ascii_start();
        if !matches!(text, [b'{' | b'[', ..]) {
            return Offered::Line;
        }
        let mut splitter = Splitter::default();
        // A line that goes wrong anywhere is no such line as a whole.
        let mut units = Vec::new();
        let read = splitter.read(text, ends, |unit| {
            units.push(match unit {
                Unit::Value(text) => (text.to_vec(), true, false),
                Unit::Element(text) => (text.to_vec(), false, false),
                Unit::TooLong(text) => (text.to_vec(), false, true),
            });
        });
        let is_open = splitter.is_open() || !ends;
        let is_line = matches!(units.as_slice(), [(_, true, _)]) && !is_open;
        if read.is_err() || is_line {
            return Offered::Line;
        }
        for (text, _, is_cut) in &units {
            each(if *is_cut { Framed::Broken(text, TOO_LONG) } else { Framed::Text(text) });
        }
        if is_open {
            self.open = Open::Json(splitter);
        }
        Offered::Taken
    }

    /// When a row of CSV began to arrive that waits, in seconds since 1970; none if none does.
    pub(crate) fn row(&self) -> Option<i64> {
        if let Open::Row(row) = &self.open { Some(row.reference()) } else { None }
    }

    /// Begins a row of CSV whose last cell goes on in the next line, and when it did.
    pub(crate) fn begin_row(&mut self, line: &[u8], separator: u8, reference: i64) {
        self.open = Open::Row(Row::new(line, separator, reference));
    }

    /// Gives up what waits: the log is over.
    pub(crate) fn close(&mut self, mut each: impl FnMut(Framed<'_>)) {
        match std::mem::take(&mut self.open) {
            Open::Json(splitter) => each(Framed::Broken(splitter.rest(), BROKEN_OFF)),
            // The last entry may lack its empty line.
            Open::Export(entry) => entry.into_json().into_iter().for_each(|json| {
                each(Framed::Text(&json));
            }),
            Open::Row(row) => by_lines(&row, &mut each),
            Open::Nothing | Open::Rest => {}
        }
        self.partials.close(|line| each(Framed::Text(line)));
    }
}

/// Hands on the lines of a row that has no end, each as if it stood alone.
fn by_lines(row: &Row, each: &mut impl FnMut(Framed<'_>)) {
    row.text().split(|byte| *byte == b'\n').for_each(|line| each(Framed::Text(line)));
}

fn read(
    splitter: &mut Splitter,
    piece: &[u8],
    ends: bool,
    each: &mut impl FnMut(Framed<'_>),
) -> Result<(), Malformed> {
    splitter.read(piece, ends, |unit| {
        each(match unit {
            Unit::Value(text) | Unit::Element(text) => Framed::Text(text),
            Unit::TooLong(text) => Framed::Broken(text, TOO_LONG),
        });
    })
}
