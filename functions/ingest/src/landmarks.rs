//! Lines by which a file is known again.
//!
//! Logs can begin alike: exports begin with the same header, and a journal that was shortened with what another
//! export had in its middle. So it is not only remembered how a file begins, but also which lines stand where: of
//! the first lines each, and then one within each sixteenth of what comes before it. A file is the same as one that was read if it
//! has these lines in these places, as far as it goes.

use std::collections::HashMap;
use std::hash::Hasher as _;
use std::io;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// So many first lines are all remembered.
const ALL: usize = 256;
/// Then a line is remembered for about so many bytes, until a later one makes it needless.
const APART: u64 = 4096;
/// The longest line that is remembered.
const LONGEST: usize = 4096;

/// A line and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Landmark {
    /// Offset of its first byte; a hole before it is none of it.
    begins: u64,
    /// Bytes, without the line end.
    length: u16,
    /// SipHash-1-3 without a key, little-endian. It is stored, so it may never change.
    checksum: [u8; 8],
}

/// Lines of a file, in the order of their places.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Landmarks(Vec<Landmark>);

impl Landmarks {
    /// Remembers the line that ends at this offset, the line end included, if it is worth it.
    ///
    /// Lines come in the order of their places.
    #[inline]
    pub(crate) fn note(&mut self, line: &[u8], ends: u64) {
        let is_far = match self.0.last() {
            Some(last) if self.0.len() >= ALL => ends >= last.begins + APART,
            _ => true,
        };
        if is_far && line.len() <= LONGEST {
            self.add(line, ends);
        }
    }

    fn add(&mut self, line: &[u8], ends: u64) {
        let begins = ends.saturating_sub(line.len() as u64 + 1);
        if let [first @ .., last] = self.0.as_slice()
            && self.0.len() > ALL
            && first.last().is_some_and(|before| last.begins < before.begins / 16 * 17)
        {
            self.0.pop();
        }
        let checksum = checksum(line);
        // A line that stands there again and again tells little.
        if self.0.len() < ALL && self.0.last().is_some_and(|last| last.checksum == checksum) {
            return;
        }
        let length = u16::try_from(line.len()).unwrap_or(u16::MAX);
        self.0.push(Landmark { begins, length, checksum });
    }

    /// Whether they begin with the line at this offset. If not, an earlier version has read the file's beginning.
    #[must_use]
    pub fn begin_at(&self, offset: u64) -> bool {
        self.0.first().is_some_and(|first| first.begins == offset)
    }

    /// Whether a file has these lines, as far as it goes.
    ///
    /// `read` gives the bytes at an offset, or false if the file ends before or within them; offsets grow.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stand_in(
        &self,
        read: impl FnMut(u64, &mut [u8]) -> io::Result<bool>,
    ) -> io::Result<bool> {
        Ok(self.stand_behind(0, read)?.is_some())
    }

    /// How many of these lines a text has whose first bytes are `gone`, as far as it goes; none if it has another
    /// line in the place of one. `read` is as for [`stand_in`](Self::stand_in).
    ///
    /// # Errors
    /// The text cannot be read.
    pub fn stand_behind(
        &self,
        gone: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> io::Result<bool>,
    ) -> io::Result<Option<usize>> {
        let mut bytes = [0; LONGEST + 1];
        let first = self.0.partition_point(|landmark| landmark.begins < gone);
        for (number, landmark) in self.0[first..].iter().enumerate() {
            let Landmark { begins, length, checksum: expected } = landmark;
            let length = usize::from(*length);
            let Some(bytes) = bytes.get_mut(..=length) else { return Ok(None) };
            if !read(*begins - gone, bytes)? {
                return Ok(Some(number));
            }
            // Not what stands before it: a line may have got its end later, and this may be the rest of it.
            if bytes[length] != b'\n' || checksum(&bytes[..length]) != *expected {
                return Ok(None);
            }
        }
        Ok(Some(self.0.len() - first))
    }
}

/// Lines of several texts, by which one is found that is the rest of another.
#[derive(Debug)]
pub struct Rests(HashMap<[u8; 8], Vec<(usize, u64)>>);

impl Rests {
    /// The lines that are remembered of these.
    pub fn of<'a>(texts: impl Iterator<Item = &'a Landmarks>) -> Self {
        let mut places: HashMap<_, Vec<_>> = HashMap::new();
        for (text, landmarks) in texts.enumerate() {
            for Landmark { begins, checksum, .. } in &landmarks.0 {
                places.entry(*checksum).or_default().push((text, *begins));
            }
        }
        Self(places)
    }

    /// The texts in which this line stood further behind, by their numbers, and by how many bytes.
    pub fn places_of(&self, line: &[u8], begins: u64) -> impl Iterator<Item = (usize, u64)> {
        let places = Some(line).filter(|line| line.len() <= LONGEST);
        let places = places.and_then(|line| self.0.get(&checksum(line)));
        let places = places.into_iter().flatten();
        places.filter_map(move |(text, stood)| {
            let gone = stood.checked_sub(begins)?;
            (gone > 0).then_some((*text, gone))
        })
    }
}

fn checksum(line: &[u8]) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    hasher.write(line);
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &[u8]) -> Landmarks {
        let mut landmarks = Landmarks::default();
        let mut ends = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            ends += line.len() as u64;
            if let Some(line) = line.strip_suffix(b"\n") {
                landmarks.note(line, ends);
            }
        }
        landmarks
    }

    fn stand_in(landmarks: &Landmarks, text: &[u8]) -> bool {
        let read = |offset: u64, to: &mut [u8]| {
            let from = usize::try_from(offset).expect("small");
            Ok(text.get(from..from + to.len()).map(|found| to.copy_from_slice(found)).is_some())
        };
        landmarks.stand_in(read).expect("in memory")
    }

    #[test]
    fn lines_that_repeat_do_not_hide_those_behind_them() {
        let header = "a header\n".repeat(10 * ALL);
        let landmarks = of((header.clone() + "mine\nmine too\n").as_bytes());
        assert!(!stand_in(&landmarks, (header.clone() + "other\n").as_bytes()));
        assert!(stand_in(&landmarks, (header + "mine\n").as_bytes()));
    }

    fn text(lines: u32) -> Vec<u8> {
        (0..lines).flat_map(|line| format!("a header\nline {line}\n").into_bytes()).collect()
    }

    #[test]
    fn a_file_is_known_again_grown_or_cut_and_no_other_is_taken_for_it() {
        let whole = text(20_000);
        let landmarks = of(&whole);
        assert!(landmarks.0.len() < 2 * ALL, "{}", landmarks.0.len());
        let grown = [&whole[..], b"more"].concat();
        assert!(stand_in(&landmarks, &grown));
        for cut in [0, 5, 1000, 100_000] {
            assert!(stand_in(&landmarks, &whole[..cut]), "{cut}");
        }
        // Any line among the first, and any stretch of a sixteenth.
        for changed in [9, 500, 2000] {
            let mut other = whole.clone();
            other[changed] ^= 1;
            assert!(!stand_in(&landmarks, &other), "{changed}");
        }
        for at in [10_000, 50_000, 200_000, whole.len() - 9_000] {
            let mut other = whole.clone();
            let end = (at + at / 15 + 8_500).min(whole.len());
            other[at..end].fill(b'x');
            assert!(!stand_in(&landmarks, &other), "{at}");
        }
        assert!(!stand_in(&landmarks, &whole[9..]), "another line is the first");
    }

    #[test]
    fn a_text_without_its_beginning_is_found_to_be_the_rest() {
        let whole = text(20_000);
        let landmarks = of(&whole);
        for gone in [9 + 7, 2000, 100_000] {
            let gone =
                gone + whole[gone..].iter().position(|byte| *byte == b'\n').expect("a line") + 1;
            let rest = [&whole[gone..], b"a header\nmore\n"].concat();
            let read = |offset: u64, to: &mut [u8]| {
                let from = usize::try_from(offset).expect("small");
                Ok(rest.get(from..from + to.len()).map(|found| to.copy_from_slice(found)).is_some())
            };
            let rests = Rests::of([&Landmarks::default(), &landmarks].into_iter());
            let mut begins = 0;
            let found = rest.split_inclusive(|byte| *byte == b'\n').find_map(|line| {
                let mut places = rests.places_of(line.trim_ascii_end(), begins);
                begins += line.len() as u64;
                places.find(|place| *place == (1, gone as u64))
            });
            assert!(found.is_some(), "{gone}");
            let same = landmarks.stand_behind(gone as u64, read).expect("in memory");
            assert!(same.is_some_and(|lines| lines >= 8), "{gone}: {same:?}");
            assert_eq!(landmarks.stand_behind(gone as u64 + 9, read).expect("in memory"), None);
        }
    }

    #[test]
    fn a_file_that_was_only_a_header_tells_nothing_of_others() {
        let landmarks = of(b"header\n");
        assert!(
            stand_in(&landmarks, b"header\nmine\n") && stand_in(&landmarks, b"header\nother\n")
        );
        let landmarks = of(b"header\nmine\n");
        assert!(!stand_in(&landmarks, b"header\nother\n"));
        assert!(stand_in(&landmarks, b"header\n"), "as far as it goes");
        assert!(of(b"").0.is_empty());
    }

    #[test]
    fn the_places_do_not_depend_on_where_reading_stopped() {
        let whole = text(3000);
        let mut read_twice = of(&whole[..whole.len() / 2]);
        let mut ends = 0;
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            ends += line.len() as u64;
            if ends > whole.len() as u64 / 2 {
                read_twice.note(&line[..line.len() - 1], ends);
            }
        }
        assert!(stand_in(&read_twice, &whole));
    }
}
