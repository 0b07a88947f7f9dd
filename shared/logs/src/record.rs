//! A log message with what its header said.

use crate::text::trimmed;
use crate::time::has_clock;

/// A log message taken out of its wrapping; the parts borrow from the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Seconds since 1970; none if nothing told the time.
    pub(crate) time: Option<i64>,
    /// The host that logged it; empty if a shipper has removed it.
    pub(crate) host: &'a [u8],
    /// The program, such as `postfix/smtpd`; empty if there is none.
    pub(crate) program: &'a [u8],
    /// The process, if the line names one.
    pub(crate) pid: Option<u32>,
    /// What the program logged.
    pub(crate) message: &'a [u8],
}

impl<'a> Record<'a> {
    /// A line as it came: all of it is message.
    pub(crate) fn of(line: &'a [u8]) -> Self {
        Self { message: line, ..Self::default() }
    }

    /// Whether it is a line as it came.
    pub(crate) fn is_bare(&self) -> bool {
        self.time.is_none() && self.host.is_empty() && !self.is_named()
    }

    /// Whether it surely wraps nothing more.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        if self.is_named() {
            return self.is_words();
        }
        // Its time is taken off, and no header, front or object is without a colon or a bracket.
        self.time.is_some()
            && memchr::memchr3(b':', b'{', b'[', self.message).is_none()
            && memchr::memchr3(b'|', b'"', b';', self.message).is_none()
    }

    /// Whether what a program logged is nothing but that: it begins with a word or a queue id, and has no clock, no colour
    /// and nothing that parts a front from what is behind it.
    fn is_words(&self) -> bool {
        let behind_digits = self.message.iter().find(|byte| !byte.is_ascii_digit());
        behind_digits.is_some_and(u8::is_ascii_alphabetic)
            && !has_clock(self.message)
            && memchr::memchr2(b'|', b'\x1b', self.message).is_none()
    }

    /// Whether a header told which program logged it.
    pub(crate) fn is_named(&self) -> bool {
        !self.program.is_empty()
    }
}

/// A record whose parts had to be written anew, because their wrapping escapes or encodes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnedRecord {
    pub(crate) time: Option<i64>,
    pub(crate) host: String,
    pub(crate) program: String,
    pub(crate) pid: Option<u32>,
    pub(crate) message: Vec<u8>,
}

impl OwnedRecord {
    /// The same as a [`Record`], without the blanks around its message.
    pub(crate) fn as_record(&self) -> Record<'_> {
        Record {
            time: self.time,
            host: self.host.as_bytes(),
            program: self.program.as_bytes(),
            pid: self.pid,
            message: trimmed(&self.message),
        }
    }
}
