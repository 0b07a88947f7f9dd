//! The data section: values, each with its type and its size before it.

use std::collections::HashMap;

/// A value of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text in UTF-8.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// A number of at most 16 bits.
    U16(u16),
    /// A number of at most 32 bits.
    U32(u32),
    /// A number of at most 64 bits.
    U64(u64),
    /// A number of 32 bits, with a sign.
    I32(i32),
    /// Yes or no.
    Bool(bool),
    /// Values in their order.
    Array(Vec<Value>),
    /// Values, each with its name.
    Map(Vec<(String, Value)>),
    /// Bytes as they stand in the file, type and size included: for files that are damaged.
    Raw(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A map of names and values.
pub(super) fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A section, and where in it which values stand: what comes again is pointed to.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) bytes: Vec<u8>,
    written: HashMap<Value, u32>,
}

/// Numbers of the types.
const POINTER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 4;
const U16: u8 = 5;
const U32: u8 = 6;
const MAP: u8 = 7;
const I32: u8 = 8;
const U64: u8 = 9;
const ARRAY: u8 = 11;
const BOOL: u8 = 14;

impl Data {
    /// Where a value stands, in bytes from the beginning, for a tree to lead to. Written if it is not there.
    pub(super) fn offset_of(&mut self, value: &Value) -> u32 {
        match self.written.get(value) {
            Some(offset) => *offset,
            None => self.write(value),
        }
    }

    /// Writes a value, and says where it stands.
    fn write(&mut self, value: &Value) -> u32 {
        let offset = u32::try_from(self.bytes.len()).expect("a section of 32 bits");
        match value {
            Value::Text(text) => self.payload(TEXT, text.as_bytes()),
            Value::Bytes(bytes) => self.payload(BYTES, bytes),
            Value::U16(number) => self.number(U16, &number.to_be_bytes()),
            Value::U32(number) => self.number(U32, &number.to_be_bytes()),
            Value::U64(number) => self.number(U64, &number.to_be_bytes()),
            Value::I32(number) => self.payload(I32, &number.to_be_bytes()),
            Value::Bool(is) => self.head(BOOL, usize::from(*is)),
            Value::Array(items) => {
                self.head(ARRAY, items.len());
                items.iter().for_each(|item| self.write_or_point(item));
            }
            Value::Map(fields) => {
                self.head(MAP, fields.len());
                for (name, value) in fields {
                    self.write_or_point(&Value::Text(name.clone()));
                    self.write_or_point(value);
                }
            }
            Value::Raw(bytes) => self.bytes.extend(bytes),
        }
        self.written.insert(value.clone(), offset);
        offset
    }

    /// Writes a value within another: numbers again and again, texts, arrays and maps once.
    fn write_or_point(&mut self, value: &Value) {
        let is_worth_it = match value {
            Value::Text(text) => text.len() > 4,
            Value::Array(_) | Value::Map(_) => true,
            _ => false,
        };
        match self.written.get(value) {
            Some(offset) if is_worth_it => self.point(*offset),
            _ => {
                self.write(value);
            }
        }
    }

    /// A pointer, of as few bytes as it takes: each size begins where the smaller one ends.
    fn point(&mut self, to: u32) {
        let [_, b, c, d] = to.to_be_bytes();
        let head = |size: u8, high: u8| POINTER << 5 | size << 3 | high;
        if to < 2_048 {
            self.bytes.extend([head(0, c), d]);
        } else if to < 526_336 {
            let [_, b, c, d] = (to - 2_048).to_be_bytes();
            self.bytes.extend([head(1, b), c, d]);
        } else if to < 134_744_064 {
            let [a, b, c, d] = (to - 526_336).to_be_bytes();
            self.bytes.extend([head(2, a), b, c, d]);
        } else {
            self.bytes.extend([head(3, 0), to.to_be_bytes()[0], b, c, d]);
        }
    }

    fn payload(&mut self, kind: u8, payload: &[u8]) {
        self.head(kind, payload.len());
        self.bytes.extend(payload);
    }

    /// A number without the zeros before it.
    fn number(&mut self, kind: u8, bytes: &[u8]) {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.payload(kind, &bytes[zeros..]);
    }

    /// Type and size. Types above 7 have a byte of their own, sizes above 28 up to three.
    fn head(&mut self, kind: u8, size: usize) {
        let size = u32::try_from(size).expect("a size of 32 bits");
        let (bits, rest) = match size {
            0..29 => (size.to_be_bytes()[3], 0),
            29..285 => (29, 1),
            285..65_821 => (30, 2),
            _ => (31, 3),
        };
        let more = size - [0, 29, 285, 65_821][rest];
        if kind <= MAP {
            self.bytes.push(kind << 5 | bits);
        } else {
            self.bytes.extend([bits, kind - MAP]);
        }
        self.bytes.extend(&more.to_be_bytes()[4 - rest..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value) -> Vec<u8> {
        let mut data = Data::default();
        data.offset_of(value);
        data.bytes
    }

    fn pointer(to: u32) -> Vec<u8> {
        let mut data = Data::default();
        data.point(to);
        data.bytes
    }

    #[test]
    fn heads_are_as_the_specification_shows_them() {
        assert_eq!(written(&"ab".into()), *b"\x42ab");
        assert_eq!(written(&Value::Text("x".repeat(28)))[..1], [0b0101_1100]);
        assert_eq!(written(&Value::Text("x".repeat(80)))[..2], [0b0101_1101, 51]);
        assert_eq!(written(&Value::Text("x".repeat(13_392)))[..3], [0b0101_1110, 51, 51]);
        let long = written(&Value::Text("x".repeat(3_421_264)));
        assert_eq!(long[..4], [0b0101_1111, 51, 51, 51]);
        assert_eq!(written(&Value::U32(7)), [0b1100_0001, 7]);
        assert_eq!(written(&Value::U32(0)), [0b1100_0000]);
        assert_eq!(written(&Value::U64(0x0102)), [0b0000_0010, 2, 1, 2]);
        assert_eq!(written(&Value::Bool(true)), [1, 7]);
        assert_eq!(written(&Value::Array(vec![Value::U16(1)])), [1, 4, 0b1010_0001, 1]);
        assert_eq!(
            written(&map([("a", Value::U16(1))])),
            [0b1110_0001, 0x41, b'a', 0b1010_0001, 1]
        );
    }

    #[test]
    fn pointers_take_as_few_bytes_as_they_can() {
        assert_eq!(pointer(0), [0b0010_0000, 0]);
        assert_eq!(pointer(2_047), [0b0010_0111, 255]);
        assert_eq!(pointer(2_048), [0b0010_1000, 0, 0]);
        assert_eq!(pointer(526_335), [0b0010_1111, 255, 255]);
        assert_eq!(pointer(526_336), [0b0011_0000, 0, 0, 0]);
        assert_eq!(pointer(134_744_063), [0b0011_0111, 255, 255, 255]);
        assert_eq!(pointer(134_744_064), [0b0011_1000, 8, 8, 8, 0]);
    }

    #[test]
    fn what_comes_again_is_pointed_to() {
        let value = map([("first", "same text".into()), ("second", "same text".into())]);
        let data = written(&value);
        assert!(data.ends_with(&[0b0010_0000, 7]), "{data:?}");
    }
}
