//! Lines that a container runtime has cut, joined again.
//!
//! Container runtimes hand on what a program writes in pieces of at most 16 KiB. CRI marks a piece that is not the
//! last of its line with `P`; Docker's JSON files leave out the line's end.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::wrappers::cri::{self, Cri};

/// The most bytes that a runtime reads at once, and so the least that one must hold that is not whole: of `log`.
pub(super) const DOCKER: usize = 16 * 1024;
/// The most bytes of a joined line that are kept.
const LONGEST: usize = 1 << 15;

/// Lines of one container whose ends have not come, one for each of its streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partials {
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// What a line of a container's log was.
pub(super) enum Read {
    /// Not cut: it is to be read as it stands.
    Whole,
    /// A piece; more follows.
    Part,
    /// The last piece: the whole line, as the runtime would have written it in one.
    Joined(Vec<u8>),
}

impl Partials {
    /// Whether a line's end is awaited.
    pub(super) fn are_open(&self) -> bool {
        !self.output.is_empty() || !self.errors.is_empty()
    }

    /// Bytes that they take.
    pub(super) fn weight(&self) -> usize {
        self.output.len() + self.errors.len()
    }

    /// Gives up what waits.
    pub(super) fn close(&mut self, mut each: impl FnMut(&[u8])) {
        for held in [&mut self.output, &mut self.errors] {
            if !held.is_empty() {
                each(&std::mem::take(held));
            }
        }
    }

    /// Reads a line of any kind.
    pub(super) fn read(&mut self, line: &[u8]) -> Read {
        if let Some(piece) = cri::read(line) {
            let Cri { time, stream, is_partial, rest } = piece;
            let held = if stream == b"stderr" { &mut self.errors } else { &mut self.output };
            if !is_partial && held.is_empty() {
                return Read::Whole;
            }
            if held.is_empty() {
                held.extend_from_slice(&[time, b" ", stream, b" F "].concat());
            }
            return join(held, rest, !is_partial);
        }
        if !line.starts_with(b"{\"log\":\"") || (line.len() < DOCKER && !self.are_open()) {
            return Read::Whole;
        }
        let Ok(piece) = serde_json::from_slice::<Docker<'_>>(line) else { return Read::Whole };
        let held = if piece.stream == "stderr" { &mut self.errors } else { &mut self.output };
        let is_last = piece.log.ends_with('\n') || piece.log.len() < DOCKER;
        if is_last && held.is_empty() {
            return Read::Whole;
        }
        if held.is_empty() && !piece.time.is_empty() {
            // As CRI would have written it, so that the rest is read alike.
            held.extend_from_slice(format!("{} {} F ", piece.time, piece.stream).as_bytes());
        }
        join(held, piece.log.trim_end_matches('\n').as_bytes(), is_last)
    }
}

/// Whether a line is a piece that CRI wrote and that is not whole.
#[inline]
pub(super) fn is_cri(line: &[u8]) -> bool {
    cri::read(line).is_some_and(|piece| piece.is_partial)
}

fn join(held: &mut Vec<u8>, text: &[u8], is_last: bool) -> Read {
    let room = LONGEST.saturating_sub(held.len());
    held.extend_from_slice(&text[..text.len().min(room)]);
    if is_last { Read::Joined(std::mem::take(held)) } else { Read::Part }
}

/// `{"log":"text","stream":"stdout","time":"…"}`, with `\n` at the end of the text unless it was cut.
#[derive(Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&str]) -> Vec<String> {
        let (mut partials, mut joined) = (Partials::default(), Vec::new());
        for line in lines {
            match partials.read(line.as_bytes()) {
                Read::Whole => joined.push((*line).to_owned()),
                Read::Part => {}
                Read::Joined(text) => joined.push(String::from_utf8(text).expect("text")),
            }
        }
        assert!(!partials.are_open());
        joined
    }

    #[test]
    fn pieces_of_a_stream_are_joined_past_those_of_the_other() {
        let lines = [
            "2026-11-23T11:00:00.1Z stdout P Nov 23 11:00:00 mail postfix/smtpd[7]: conn",
            "2026-11-23T11:00:00.2Z stderr F a whole line",
            "2026-11-23T11:00:00.3Z stdout P:more ect from",
            "2026-11-23T11:00:00.4Z stdout F  unknown[192.0.2.1]",
            "2026-11-23T11:00:00.5Z stdout F",
        ];
        let whole = "2026-11-23T11:00:00.1Z stdout F Nov 23 11:00:00 mail postfix/smtpd[7]: connect from unknown[192.0.2.1]";
        assert_eq!(joined(&lines), [lines[1], whole, lines[4]]);
    }

    #[test]
    fn docker_cuts_at_16_kib() {
        let long = "x".repeat(DOCKER);
        let piece = |text: &str| {
            format!(
                "{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-23T11:00:00Z\"}}"
            )
        };
        let (first, last) = (piece(&long), piece("end\\n"));
        let whole = format!("2026-11-23T11:00:00Z stdout F {long}end");
        assert_eq!(joined(&[&first, &last]), [whole]);
        let short = piece("no end, as some shippers take it off");
        assert_eq!(joined(&[&short]), [short.as_str()]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let piece = format!("2026-11-23T11:00:00Z stdout P {}", "x".repeat(DOCKER));
        let mut partials = Partials::default();
        for _ in 0..100 {
            partials.read(piece.as_bytes());
        }
        assert_eq!(partials.weight(), LONGEST);
    }
}
