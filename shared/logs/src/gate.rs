//! Which formats a record is offered to: those that may take it, as its first bytes tell.

use crate::record::Record;

/// Every byte.
pub(crate) const ANY: &[u8] = &{
    let (mut all, mut byte) = ([0; 256], 0);
    while byte < 256 {
        all[byte] = byte as u8;
        byte += 1;
    }
    all
};

/// What every byte says about every format, a bit each: most records are none of most formats, and two steps tell.
pub(crate) struct Gate {
    programs: [u32; 256],
    messages: [u32; 256],
}

impl Gate {
    /// Of what programs' names begin with and what messages begin with that each format may take.
    pub(crate) const fn of(formats: &[(&[u8], &[u8])]) -> Self {
        assert!(formats.len() <= 32, "a bit is missing");
        let mut gate = Self { programs: [0; 256], messages: [0; 256] };
        let mut format = 0;
        while format < formats.len() {
            let (programs, messages) = formats[format];
            add(&mut gate.programs, programs, 1 << format);
            add(&mut gate.messages, messages, 1 << format);
            format += 1;
        }
        gate
    }

    /// The formats that may take a record, the first in the lowest bit.
    #[inline]
    pub(crate) fn may_take(&self, record: &Record<'_>) -> u32 {
        let told = |table: &[u32; 256], text: &[u8]| {
            text.first().map_or(0, |byte| table[usize::from(*byte)])
        };
        told(&self.programs, record.program) | told(&self.messages, record.message)
    }
}

const fn add(table: &mut [u32; 256], bytes: &[u8], format: u32) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= format;
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_offered_where_its_program_or_its_message_fits_and_nowhere_else() {
        const GATE: Gate = Gate::of(&[(b"p", b""), (b"", b"{["), (ANY, ANY)]);
        let of = |program: &'static str, message: &'static str| Record {
            program: program.as_bytes(),
            message: message.as_bytes(),
            ..Record::default()
        };
        for (record, expected) in [
            (of("postfix/smtpd", "connect"), 0b101),
            (of("postfix/smtpd", "{}"), 0b111),
            (of("", "[1]"), 0b110),
            (of("", "p"), 0b100),
            (of("", ""), 0),
        ] {
            assert_eq!(GATE.may_take(&record), expected, "{record:?}");
        }
    }
}
