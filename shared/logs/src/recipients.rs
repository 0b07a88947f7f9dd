//! How many recipients messages have: what JSON tells of it, and how it is kept while a message waits.
//!
//! What is remembered is saved with these numbers behind it, and behind the names of clients ([`client_name`]): so all
//! that stands before them has the form and the version that it had, and a program that knows of none passes over them.
//!
//! [`client_name`]: crate::client_name

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What is saved, and has messages.
pub(crate) trait HasRecipients {
    /// Shows the recipients of all messages whose log tells them, in an order that is always the same.
    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64));
}

/// What stands behind something saved.
#[derive(Serialize, Deserialize)]
struct Behind {
    /// [`RECIPIENTS`]; of anything else nothing is known.
    kind: u8,
    recipients: Vec<u64>,
}

/// Recipients, 0 of what does not tell them. Names of clients have another number.
const RECIPIENTS: u8 = 2;

/// Writes the recipients of what was saved behind its bytes; nothing if it tells none.
pub(crate) fn append(bytes: Vec<u8>, saved: &mut impl HasRecipients) -> Vec<u8> {
    let mut recipients = Vec::new();
    saved.recipients(&mut |one| recipients.push(*one));
    if recipients.iter().all(|one| *one == 0) {
        return bytes;
    }
    // Writing to memory cannot fail.
    postcard::to_extend(&Behind { kind: RECIPIENTS, recipients }, bytes).unwrap_or_default()
}

/// Gives what was restored the recipients that stand behind it; none if they are not its.
pub(crate) fn give(behind: &[u8], restored: &mut impl HasRecipients) {
    let Ok(Behind { kind: RECIPIENTS, recipients }) = postcard::from_bytes(behind) else { return };
    let mut open = 0;
    restored.recipients(&mut |_| open += 1);
    if recipients.len() != open {
        return;
    }
    let mut recipients = recipients.into_iter();
    restored.recipients(&mut |one| *one = recipients.next().unwrap_or(0));
}

/// How many recipients a value in JSON tells: itself if it is a number, as many as a list has, 1 if it is a text; else
/// none. Whatever it is, it is no reason not to read what stands beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told(pub(crate) u64);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("recipients")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Told, E> {
        Ok(Told(number))
    }

    fn visit_str<E>(self, _: &str) -> Result<Told, E> {
        Ok(Told(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Told, A::Error> {
        let mut recipients = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            recipients += 1;
        }
        Ok(Told(recipients))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Told(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Told, E> {
        Ok(Told(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Told, E> {
        Ok(Told(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Told, E> {
        Ok(Told(0))
    }

    fn visit_unit<E>(self) -> Result<Told, E> {
        Ok(Told(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Waiting([u64; 3]);

    impl HasRecipients for Waiting {
        fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
            self.0.iter_mut().for_each(each);
        }
    }

    #[test]
    fn recipients_stand_behind_what_was_saved_before() {
        let restored = |behind: &[u8]| {
            let mut waiting = Waiting([0; 3]);
            give(behind, &mut waiting);
            waiting.0
        };
        assert_eq!(append(b"all".to_vec(), &mut Waiting([0; 3])), b"all", "nothing is behind it");
        let all = append(Vec::new(), &mut Waiting([0, 7, 300]));
        assert_eq!(restored(&all), [0, 7, 300]);
        for length in 0..all.len() {
            assert_eq!(restored(&all[..length]), [0; 3], "{length}");
        }
        for (kind, recipients) in [(RECIPIENTS + 1, vec![1; 3]), (RECIPIENTS, vec![1; 2])] {
            let other = postcard::to_allocvec(&Behind { kind, recipients }).expect("bytes");
            assert_eq!(restored(&other), [0; 3]);
        }
    }

    #[test]
    fn any_value_tells_recipients_or_none() {
        for (json, expected) in [
            ("3", 3),
            (r#"["a@x.test", "\ud800", {"b": [1]}]"#, 3),
            ("[]", 0),
            (r#""a@x.test""#, 1),
            ("-3", 0),
            ("2.5", 0),
            ("true", 0),
            ("null", 0),
            (r#"{"a": [1, 2]}"#, 0),
        ] {
            let told: Result<Told, _> = serde_json::from_str(json);
            assert_eq!(told.ok(), Some(Told(expected)), "{json}");
        }
    }
}
