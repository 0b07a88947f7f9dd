//! Long lines that Exim sends to syslog in chunks, each with `[1/3] ` before it, or `[1\3] `, unless it is built with
//! `SYSLOG_LONG_LINES`.
//!
//! What the first chunk says may be cut in the middle of a text of the client's, and whole lines may seem to begin in
//! the others: so nothing is read before all of a line is there.

use serde::{Deserialize, Serialize};

use super::waiting::Waiting;
use crate::record::Record;
use crate::text::number;

/// The most bytes of a line: Exim writes 8 KB at most.
const LONGEST: usize = 16_384;

/// The length at which Exim cuts (`MAX_SYSLOG_LEN`), and how much of it may have been trimmed off a chunk's end.
const CUT: usize = 870;
const TRIMMED: usize = 8;

/// Lines of which some chunks are there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Chunks(Waiting<Line>);

/// The first chunks of a line, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    host: Box<[u8]>,
    program: Box<[u8]>,
    pid: Option<u32>,
    /// How many chunks are there, of how many.
    chunks: (u32, u32),
    text: Vec<u8>,
}

/// What a record is.
pub(super) enum Part<'a> {
    /// A line by itself.
    Whole(&'a [u8]),
    /// The last chunk of this line.
    Last(Vec<u8>),
    /// A chunk with others to come, or without those before it.
    Some,
}

/// `[1/3] text`: which chunk, of how many, and what is in it; none if the text is no chunk.
pub(super) fn chunk(message: &[u8]) -> Option<(u32, u32, &[u8])> {
    let head = &message[..message.len().min(12)];
    let inside = head.strip_prefix(b"[")?;
    let close = inside.iter().position(|byte| *byte == b']')?;
    let inside = &inside[..close];
    let between = inside.iter().position(|byte| matches!(byte, b'/' | b'\\'))?;
    let (this, all) = (number(&inside[..between])?, number(&inside[between + 1..])?);
    let text = &message[close + 2..];
    let text = if text.is_empty() { text } else { text.strip_prefix(b" ")? };
    (1 <= this && this <= all && all > 1).then_some((this, all, text))
}

impl Chunks {
    /// Puts a record of Exim's in its place.
    #[inline]
    pub(super) fn part<'a>(&mut self, record: &Record<'a>) -> Part<'a> {
        match chunk(record.message) {
            None => Part::Whole(record.message),
            Some(chunk) => self.add(record, chunk),
        }
    }

    fn add<'a>(&mut self, record: &Record<'_>, (this, all, text): (u32, u32, &[u8])) -> Part<'a> {
        let Record { host, program, pid, .. } = *record;
        let is_its =
            |line: &Line| *line.host == *host && *line.program == *program && line.pid == pid;
        let mut line = match self.0.take(is_its) {
            Some(line) if line.chunks == (this - 1, all) => line,
            _ if this == 1 => {
                let (host, program) = (host.into(), program.into());
                Line { host, program, pid, chunks: (0, all), text: Vec::new() }
            }
            _ => return Part::Some,
        };
        line.chunks.0 = this;
        line.text.extend_from_slice(text);
        if this == all {
            return Part::Last(line.text);
        }
        if (CUT - TRIMMED..CUT).contains(&text.len()) {
            line.text.resize(line.text.len() + CUT - text.len(), b' ');
        }
        if line.text.len() <= LONGEST {
            self.0.put(line);
        }
        Part::Some
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lines().is_empty()
    }

    /// Whether there are no more than there can be.
    pub(super) const fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    /// About how many bytes all take.
    #[inline]
    pub(super) fn weight(&self) -> usize {
        weight(self.0.lines())
    }

    /// Forgets those that have waited longest until all weigh so little.
    pub(super) fn evict(&mut self, down_to: usize) {
        self.0.evict(|lines| weight(lines) > down_to);
    }
}

fn weight(lines: &[Line]) -> usize {
    let line = |line: &Line| 24 + line.host.len() + line.program.len() + line.text.len();
    lines.iter().map(line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_chunk() {
        assert_eq!(chunk(b"[1/2] x"), Some((1, 2, &b"x"[..])));
        for text in [&b"[12\\13] "[..], b"[12/13]"] {
            assert_eq!(chunk(text), Some((12, 13, &b""[..])));
        }
        for text in [
            &b"[7] x"[..],
            b"[1/1] x",
            b"[0/2] x",
            b"[3/2] x",
            b"[1/2]x",
            b"[1/2",
            b"[/] x",
            b"",
            b"[a/2] x",
        ] {
            assert_eq!(chunk(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn blanks_at_the_end_of_a_chunk_are_not_lost() {
        let mut chunks = Chunks::default();
        let first = format!("[1/2] {}", "x".repeat(868));
        let mut part = |message: &str| {
            chunks.part(&Record { message: message.as_bytes(), ..Record::default() });
            match chunks.part(&Record { message: b"[2/2] y", ..Record::default() }) {
                Part::Last(text) => text.len(),
                Part::Some | Part::Whole(_) => 0,
            }
        };
        assert_eq!(part(&first), 871);
        assert_eq!(part("[1/2] x"), 2);
    }

    #[test]
    fn chunks_of_several_processes_do_not_mix() {
        let mut chunks = Chunks::default();
        let mut read = |pid, message: &'static str| {
            let record = Record {
                pid: Some(pid),
                message: message.as_bytes(),
                program: b"exim",
                ..Record::default()
            };
            let saved = postcard::to_extend(&chunks, Vec::new()).expect("bytes");
            chunks = postcard::from_bytes(&saved).expect("its own");
            assert!(chunks.is_sound());
            match chunks.part(&record) {
                Part::Whole(text) => String::from_utf8_lossy(text).into_owned(),
                Part::Last(text) => String::from_utf8(text).expect("text"),
                Part::Some => String::new(),
            }
        };
        assert_eq!(read(1, "[1/3] a"), "");
        assert_eq!(read(2, "[1\\2] x"), "");
        assert_eq!(read(1, "[2\\3] b"), "");
        assert_eq!(read(3, "whole"), "whole");
        assert_eq!(read(2, "[2/2] y"), "xy");
        assert_eq!(read(1, "[3/3] c"), "abc");
        // One is missing, or there are others.
        for wrong in ["[3/3] c", "[2/3] b", "[2/2] b"] {
            assert_eq!(read(1, wrong), "", "{wrong}");
        }
        for pid in 0..100 {
            assert_eq!(read(pid, "[1/2] a"), "");
        }
        assert!(chunks.weight() < 32 * 40);
        chunks.evict(50);
        assert!(chunks.weight() <= 50);
    }
}
