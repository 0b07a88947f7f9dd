//! Sources of records, and positions within them.

use sha2::{Digest, Sha256};

use crate::dynamo::keys;

/// What the names of sources of carried-over states begin with.
pub(crate) const STATE_OF: &str = "state of ";
/// The longest name of a log stream, in bytes, that is a part of a source's name as it is.
const LOG_STREAM: usize = 500;

/// Something that delivers records in order: a shard of a stream, or a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    name: String,
    attribute: String,
}

impl Source {
    /// The source of this name. Its name must be the same at every delivery.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let checksum = Sha256::digest(name.as_bytes());
        let attribute = checksum[..8].iter().fold("p".to_owned(), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        });
        Self { name, attribute }
    }

    /// Where the carried-over states of a log stream come from: what of them cannot be read is put aside under this.
    #[must_use]
    pub fn state_of(log_stream: &str) -> Self {
        Self::new(format!("{STATE_OF}{}", keys::within(log_stream, LOG_STREAM)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The attribute in which items keep this source's position: short, because every item has it.
    pub(crate) fn attribute(&self) -> &str {
        &self.attribute
    }
}

/// Translates between marks, by which a batch counts, and positions, which outlive the batch.
///
/// Positions are bytes whose order is the order of delivery.
#[derive(Clone, Debug)]
pub enum Positions {
    /// Marks are offsets in a file: a position is the mark, big-endian.
    Offsets,
    /// Mark `n` is the record number `n` of a batch, with these positions in growing order.
    Records(Vec<Vec<u8>>),
}

impl Positions {
    /// The position of a Kinesis sequence number: a decimal number of up to 129 digits.
    ///
    /// One byte for the length, then the number, big-endian; none if it is no such number.
    #[must_use]
    pub fn of_sequence_number(digits: &str) -> Option<Vec<u8>> {
        if digits.is_empty() || digits.len() > 129 {
            return None;
        }
        let mut number: Vec<u8> = Vec::with_capacity(56);
        for digit in digits.bytes() {
            let mut carry = u16::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
            for byte in &mut number {
                let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
                (*byte, carry) = (low, u16::from(high));
            }
            if carry > 0 {
                number.push(u8::try_from(carry).ok()?);
            }
        }
        number.push(u8::try_from(number.len()).ok()?);
        number.reverse();
        Some(number)
    }

    pub(crate) fn of_mark(&self, mark: u64) -> Vec<u8> {
        match self {
            Self::Offsets => mark.to_be_bytes().to_vec(),
            Self::Records(positions) => {
                let at = usize::try_from(mark).unwrap_or(usize::MAX);
                positions.get(at).or(positions.last()).cloned().unwrap_or_default()
            }
        }
    }

    /// The first mark behind a position.
    #[must_use]
    pub fn mark_after(&self, position: &[u8]) -> u64 {
        match self {
            Self::Offsets => {
                position.try_into().map_or(0, |bytes| u64::from_be_bytes(bytes).saturating_add(1))
            }
            Self::Records(positions) => {
                positions.partition_point(|known| known.as_slice() <= position) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_keep_their_order() {
        let numbers = [
            "0",
            "1",
            "9",
            "10",
            "255",
            "256",
            "99999999999999999999",
            "49590338271490256608559692538361571095921575989136588898",
            "49590338271490256608559692538361571095921575989136588899",
            "149590338271490256608559692538361571095921575989136588898",
        ];
        let positions = numbers.map(|n| Positions::of_sequence_number(n).expect("a number"));
        assert!(positions.is_sorted());
        assert_eq!(positions[4], [1, 255]);
        assert_eq!(positions[5], [2, 1, 0]);
        assert_eq!(Positions::of_sequence_number(&"9".repeat(129)).map(|p| p.len()), Some(55));
        for bad in ["", "x", "-1", "1.0", &"9".repeat(130)] {
            assert_eq!(Positions::of_sequence_number(bad), None, "{bad}");
        }
    }

    #[test]
    fn marks_and_positions_agree() {
        let sequence = ["10", "20", "30"].map(|n| Positions::of_sequence_number(n).expect("ok"));
        let records = Positions::Records(sequence.to_vec());
        for (mark, position) in sequence.iter().enumerate() {
            assert_eq!(&records.of_mark(mark as u64), position);
            assert_eq!(records.mark_after(position), mark as u64 + 1);
        }
        assert_eq!(records.mark_after(&[0]), 0);
        assert_eq!(Positions::Offsets.mark_after(&Positions::Offsets.of_mark(7)), 8);
    }
}
