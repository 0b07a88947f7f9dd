//! Names of clients: what a log tells, and how they are kept.
//!
//! What is remembered is saved with the names behind it, in the order in which it has logins. So what stands before them
//! is what it was before there were names, and has the version that it had: a program that knows of none reads it, and
//! passes over what follows, as reading ends there. Where no names follow, there are none. They cannot stand in a login's
//! own text: an earlier program would take them for a part of the address, by which it tells whose TLS a line is about.

use std::borrow::Cow;

use report::{claimed_name, host_name, is_client_name};
use serde::{Deserialize, Serialize};

/// What a log tells of a client's name, as it stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    #[default]
    Untold,
    /// The name that DNS has for the address, and that leads back to it.
    Confirmed(&'a [u8]),
    /// The name that DNS has for the address. Whoever has the address chooses it.
    Reverse(&'a [u8]),
    /// What the client says of itself, in parentheses or without.
    Claimed(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The name of a client with this address, fit to be shown; none without an address.
    #[inline]
    pub(crate) fn of(self, client: &str) -> Cow<'a, str> {
        match self {
            Self::Confirmed(name) if !client.is_empty() => host_name(name),
            Self::Reverse(name) if !client.is_empty() && !host_name(name).is_empty() => {
                claimed_name(name)
            }
            Self::Claimed(name) if !client.is_empty() => claimed_name(name),
            _ => Cow::Borrowed(""),
        }
    }
}

/// What has a client's name, or may have.
pub(crate) trait Named {
    /// The name; empty if there is none.
    fn name(&self) -> &str;

    /// Gives it a name that is fit to be shown.
    fn set_name(&mut self, name: &str);
}

/// A client's name that waits for its login. What has it must not save it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptName(Box<str>);

impl KeptName {
    /// Keeps what a client says of itself.
    pub(crate) fn claimed(text: &[u8]) -> Self {
        Self(claimed_name(text).into())
    }
}

impl Named for KeptName {
    fn name(&self) -> &str {
        &self.0
    }

    fn set_name(&mut self, name: &str) {
        self.0 = name.into();
    }
}

/// What is saved, and has names.
pub(crate) trait HasNames {
    /// Shows all that may have a name, in an order that is always the same.
    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named));
}

/// What stands behind something saved.
#[derive(Serialize, Deserialize)]
struct Behind<T> {
    /// [`NAMES`]; of anything else nothing is known.
    kind: u8,
    names: Vec<T>,
}

/// Names, an empty one for what has none.
const NAMES: u8 = 1;

/// Writes the names of what was saved behind its bytes; nothing if it has none.
pub(crate) fn append(bytes: Vec<u8>, saved: &mut impl HasNames) -> Vec<u8> {
    let (mut names, mut is_any) = (Vec::new(), false);
    saved.names(&mut |named| {
        is_any |= !named.name().is_empty();
        names.push(Box::<str>::from(named.name()));
    });
    if !is_any {
        return bytes;
    }
    // Writing to memory cannot fail.
    postcard::to_extend(&Behind { kind: NAMES, names }, bytes).unwrap_or_default()
}

/// Gives what was restored the names that stand behind its bytes; none if they are not its. Gives what follows these.
pub(crate) fn give<'b>(behind: &'b [u8], restored: &mut impl HasNames) -> &'b [u8] {
    let Ok((Behind { kind: NAMES, names }, rest)) =
        postcard::take_from_bytes::<Behind<&str>>(behind)
    else {
        return behind;
    };
    let mut open = 0;
    restored.names(&mut |_| open += 1);
    if names.len() != open {
        return rest;
    }
    let mut names = names.into_iter();
    restored.names(&mut |named| {
        if let Some(name) = names.next().filter(|name| is_client_name(name)) {
            named.set_name(name);
        }
    });
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::KeptLogin;

    impl HasNames for Vec<KeptLogin> {
        fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
            self.iter_mut().for_each(|login| each(login));
        }
    }

    fn logins() -> Vec<KeptLogin> {
        let names = [Name::Confirmed(b"Pc.x.test"), Name::Untold, Name::Claimed(b"pc")];
        names.map(|name| KeptLogin::named(b"ann", b"plain", b"192.0.2.1", name)).into()
    }

    fn restored(bytes: &[u8]) -> Vec<KeptLogin> {
        let (mut logins, behind) = postcard::take_from_bytes::<Vec<KeptLogin>>(bytes).expect("all");
        give(behind, &mut logins);
        logins
    }

    fn names(logins: &[KeptLogin]) -> Vec<&str> {
        logins.iter().map(Named::name).collect()
    }

    #[test]
    fn names_are_saved_behind_what_was_saved_before() {
        let mut all = logins();
        let bytes = postcard::to_allocvec(&all).expect("bytes");
        let with_names = append(bytes.clone(), &mut all);
        assert_eq!(restored(&with_names), all);
        assert_eq!(names(&all), ["pc.x.test", "", "(pc)"]);
        // An earlier program reads the same, and does not look further.
        let nameless: Vec<_> =
            [(); 3].map(|()| KeptLogin::new(b"ann", b"plain", b"192.0.2.1")).into();
        assert_eq!(postcard::to_allocvec(&nameless), Ok(bytes.clone()));
        assert_eq!(postcard::from_bytes::<Vec<KeptLogin>>(&with_names), Ok(nameless.clone()));
        assert_eq!(restored(&bytes), nameless);
        assert_eq!(append(bytes.clone(), &mut nameless.clone()), bytes, "no name, nothing behind");
    }

    #[test]
    fn what_cannot_be_its_names_gives_none() {
        let mut all = logins();
        let bytes = postcard::to_allocvec(&all).expect("bytes");
        let whole = append(bytes.clone(), &mut all);
        for length in bytes.len()..whole.len() {
            assert_eq!(names(&restored(&whole[..length])), [""; 3], "{length}");
        }
        for (kind, told, expected) in [
            (NAMES, ["a", "(b)", "c"].as_slice(), ["a", "(b)", "c"]),
            (NAMES + 1, &["a", "b", "c"], [""; 3]),
            (NAMES, &["a", "b"], [""; 3]),
            (NAMES, &["a", "b", "c", "d"], [""; 3]),
            (NAMES, &["A", "b c", "(d"], [""; 3]),
        ] {
            let behind = Behind { kind, names: told.to_vec() };
            let bytes = postcard::to_extend(&behind, bytes.clone()).expect("bytes");
            assert_eq!(names(&restored(&bytes)), expected, "{told:?}");
        }
    }

    #[test]
    fn a_name_is_an_addresses() {
        for name in
            [Name::Confirmed(b"pc.x.test"), Name::Reverse(b"pc.x.test"), Name::Claimed(b"pc")]
        {
            assert_eq!(KeptLogin::named(b"", b"", b"unknown", name).name(), "");
        }
        let mut login = KeptLogin::new(b"ann", b"", b"");
        login.set_name("pc");
        assert_eq!(login, KeptLogin::new(b"ann", b"", b""));
        assert_eq!(Name::Reverse(b"PC.x.test").of("192.0.2.1"), "(pc.x.test)");
        assert_eq!(Name::Reverse(b"a b").of("192.0.2.1"), "");
    }
}
