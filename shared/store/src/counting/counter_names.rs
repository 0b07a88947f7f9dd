//! Names of usage counters within their domain's pages: short, because every page is paid for by its size.

use report::{TlsVersion, UsageKey};

/// Stands for the account when it is the sender, and for the domain of a sender who is of the book's own.
/// No name holds control characters.
const SAME: &str = "\u{1}";

/// The name of a usage counter; its domain is not in it.
pub(crate) fn write(key: &UsageKey<'_>) -> String {
    let UsageKey { domain, sender, username: account, mechanism, tls, client } = *key;
    let own = sender.strip_suffix(domain).and_then(|name| name.strip_suffix('@'));
    let account = if account == sender { SAME } else { account };
    let tls = code(tls);
    let (name, same) = own.map_or((sender, ""), |name| (name, SAME));
    format!("{name}{same}\t{account}\t{mechanism}\t{tls}\t{client}")
}

/// Reads the name of a usage counter; `buffer` takes the sender. None if it is no such name.
pub(crate) fn read<'n>(
    domain: &'n str,
    name: &'n str,
    buffer: &'n mut String,
) -> Option<UsageKey<'n>> {
    let mut fields = name.split('\t');
    let (sender, account) = (fields.next()?, fields.next()?);
    buffer.clear();
    match sender.strip_suffix(SAME) {
        Some(name) => buffer.extend([name, "@", domain]),
        None => buffer.push_str(sender),
    }
    let sender = buffer.as_str();
    let account = if account == SAME { sender } else { account };
    let (mechanism, tls, client) = (fields.next()?, version(fields.next()?)?, fields.next()?);
    let key = UsageKey { domain, sender, username: account, mechanism, tls, client };
    fields.next().is_none().then_some(key)
}

/// Whether an attribute is a counter of a page.
pub(crate) fn is_counter(attribute: &str) -> bool {
    attribute.contains('\t')
}

const fn code(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "0",
        TlsVersion::Tls11 => "1",
        TlsVersion::Tls12 => "2",
        TlsVersion::Tls13 => "3",
        TlsVersion::None => "n",
        TlsVersion::Unknown => "u",
    }
}

fn version(text: &str) -> Option<TlsVersion> {
    TlsVersion::ALL.into_iter().find(|version| code(*version) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_short() {
        let key = |domain, sender, username| UsageKey {
            domain,
            sender,
            username,
            mechanism: "PLAIN",
            tls: TlsVersion::Tls13,
            client: "192.0.2.1",
        };
        for key in [
            key("example.test", "ann@example.test", "ann@example.test"),
            key("example.test", "ann@example.test", "ann"),
            key("corp.test", "<>", "ann@corp.test"),
            key("(none)", "root", "root"),
            key("(none)", "a@", ""),
            key("test", "\"a@b\"@test", "\"a@b\"@test"),
            key("t", "t", "t"),
        ] {
            let name = write(&key);
            assert_eq!(read(key.domain, &name, &mut String::new()), Some(key), "{name:?}");
            assert!(is_counter(&name));
        }
        let name = write(&key("example.test", "ann@example.test", "ann@example.test"));
        assert_eq!(name, "ann\u{1}\t\u{1}\tPLAIN\t3\t192.0.2.1");
        for bad in ["", "a\tb", "a\tb\tc\t9\td", "a\tb\tc\t3\td\te"] {
            assert_eq!(read("example.test", bad, &mut String::new()), None, "{bad}");
        }
    }
}
