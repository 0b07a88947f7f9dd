//! Records that the Kinesis Producer Library has packed together, as its `aggregation-format.md` describes it.

use md5::{Digest as _, Md5};

/// What they begin with.
const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
/// The checksum at their end.
const MD5: usize = 16;
/// The field of the message that holds a record, and the one of a record that holds its data.
const RECORD: u64 = 3;

/// The data of each record, in order; none if they are not packed together.
///
/// # Errors
/// Damaged, in words for a person.
pub(crate) fn records(data: &[u8]) -> Result<Option<Vec<&[u8]>>, String> {
    let Some(rest) = data.strip_prefix(&MAGIC) else { return Ok(None) };
    read(rest).map(Some).ok_or_else(|| {
        "damaged data of the Kinesis Producer Library: turn its aggregation off, or send it again".to_owned()
    })
}

fn read(rest: &[u8]) -> Option<Vec<&[u8]>> {
    let (message, checksum) = rest.split_at_checked(rest.len().checked_sub(MD5)?)?;
    if Md5::digest(message).as_slice() != checksum {
        return None;
    }
    let records = Fields(message).filter_map(|field| match field {
        Some((RECORD, record)) => Some(data(record)),
        Some(_) => None,
        None => Some(None),
    });
    records.collect()
}

/// The data of one record.
fn data(record: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    for field in Fields(record) {
        let (number, bytes) = field?;
        if number == RECORD {
            found = Some(bytes);
        }
    }
    found
}

/// The fields of a protobuf message: number and bytes, which are none for numbers. The last is none if it is damaged.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, &'a [u8])> {
        let key = self.varint()?;
        let length = match key & 7 {
            0 => {
                self.varint()?;
                0
            }
            1 => 8,
            2 => usize::try_from(self.varint()?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((key >> 3, bytes))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn bytes(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 0x7f {
            field.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        field.push(u8::try_from(length).expect("seven bits"));
        [&field, bytes].concat()
    }

    fn finished(message: &[u8]) -> Vec<u8> {
        [&MAGIC, message, Md5::digest(message).as_slice()].concat()
    }

    /// Records, packed together.
    pub(crate) fn packed(records: &[&[u8]]) -> Vec<u8> {
        let mut message = [bytes(1, b"a key"), bytes(1, b"another")].concat();
        for record in records {
            let tag = [bytes(1, b"name"), bytes(2, b"value")].concat();
            // The index of a key, the data, and a tag.
            message.extend(bytes(
                3,
                &[&[0x08, 0x01], &bytes(3, record)[..], &bytes(4, &tag)].concat(),
            ));
        }
        finished(&message)
    }

    #[test]
    fn records_are_read_in_their_order() {
        let long = vec![b'x'; 100_000];
        let together = packed(&[b"one", b"", &long]);
        assert_eq!(records(&together), Ok(Some(vec![&b"one"[..], b"", &long])));
        assert_eq!(records(&packed(&[])), Ok(Some(vec![])));
        assert_eq!(records(b"Nov 26 text"), Ok(None));
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let together = packed(&[b"one", b"two"]);
        for at in 4..together.len() {
            let mut damaged = together.clone();
            damaged[at] ^= 0x11;
            assert!(records(&damaged).is_err(), "{at}");
            assert!(records(&together[..at]).is_err(), "{at}");
        }
        // Even with the right checksum.
        for message in [&b"\x1a\x05ab"[..], b"\x1a\x02\x1a\x05", b"\x1a\x00", b"\x1f", &[0x80; 11]]
        {
            assert!(records(&finished(message)).is_err(), "{message:?}");
        }
    }
}
