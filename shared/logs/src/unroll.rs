//! A text whose units stand one a line, whatever framed them: what stands one a line can be put into another order.

use crate::framing::{Framed, Frames, Offered};
use crate::record::Record;
use crate::text::trimmed;
use crate::time::Timestamps;
use crate::wrapper::Unwrapped;
use crate::wrappers::Wrappers;

/// Hands on the units of a text, one after the other.
#[derive(Debug)]
pub struct Unroller {
    frames: Frames,
    /// They know whether a row of CSV goes on in the next line.
    wrappers: Wrappers,
    times: Timestamps,
}

impl Default for Unroller {
    fn default() -> Self {
        let times = Timestamps::new(chrono_tz::UTC);
        Self { frames: Frames::default(), wrappers: Wrappers::default(), times }
    }
}

impl Unroller {
    /// Reads a piece of a line, the last if it `ends` here, and hands over each unit that is whole, as one line.
    pub fn piece(&mut self, piece: &[u8], ends: bool, mut each: impl FnMut(&[u8])) {
        let Self { frames, wrappers, times } = self;
        if (!ends || frames.are_open() || Frames::may_begin(piece))
            && frames.offer(piece, ends, |unit| hand_on(&unit, &mut each)) == Offered::Taken
        {
            return;
        }
        let line = trimmed(piece);
        if line.is_empty()
            || frames.begin_json(line, ends, |unit| hand_on(&unit, &mut each)) == Offered::Taken
        {
            return;
        }
        match wrappers.unwrap(&Record::of(line), 0, times).0 {
            Unwrapped::Unfinished(separator, _) if ends => frames.begin_row(piece, separator, 0),
            _ => each(line),
        }
    }

    /// Hands over what waits: the text is over.
    pub fn close(&mut self, mut each: impl FnMut(&[u8])) {
        self.frames.close(|unit| hand_on(&unit, &mut each));
    }
}

fn hand_on(unit: &Framed<'_>, each: &mut impl FnMut(&[u8])) {
    let (Framed::Text(text) | Framed::Broken(text, _)) = unit;
    match memchr::memchr(b'\n', text) {
        None => each(text),
        // In a cell of CSV a blank does as well.
        Some(_) => each(&text.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b' ')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_one_a_line() {
        let text = "timestamp,message\n1795431600,\"a\nb\"\n[\n{\n\"a\": 1\n},\n{\"b\": 2}]\n[{\"c\":3},{\"d\":4}]\nNov 23 11:00:00 x\n\n\
            __CURSOR=1\n__REALTIME_TIMESTAMP=7000000\n_HOSTNAME=h\n_COMM=c\n_PID=9\nMESSAGE=m\n\n{\"e\":5}";
        let (mut unroller, mut units) = (Unroller::default(), Vec::new());
        let mut each = |unit: &[u8]| units.push(String::from_utf8_lossy(unit).into_owned());
        for line in text.lines() {
            unroller.piece(line.as_bytes(), true, &mut each);
        }
        unroller.close(&mut each);
        let entry = r#"{"MESSAGE":"m","_COMM":"c","_HOSTNAME":"h","_PID":"9","__REALTIME_TIMESTAMP":"7000000"}"#;
        let row = "1795431600,\"a b\"";
        let lines = ["timestamp,message", row, "{\"a\":1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}"];
        let rest = ["Nov 23 11:00:00 x", entry, "{\"e\":5}"];
        assert_eq!(units, [&lines[..], &rest].concat());
    }
}
