//! The line of an arrival: who sent it, and as whom the client had authenticated.
//!
//! `SENDER [R=…] H=CLIENT P=PROTOCOL [X=TLS] [CV=…] [DN="…"] [SNI=…] [A=LOGIN] [PRDR] [PRX=…] [K] S=SIZE …`, in this order.
//! Behind a login, Exim's protocol ends in `a`. A client's own text stands in nearly every field, and Exim escapes neither
//! blanks nor the names of fields in it. So a line in which each mark stands once is read by its marks: what must be there
//! is what is there. Any other is read to its end in every way in which it can be meant; if more than one is left, the login
//! is unknown.

use memchr::{memchr, memmem, memrchr};
use report::TlsVersion;

use super::fields::{closings, past, past_flag, tail, word};
use super::host;
use crate::address::{address, quoted};
use crate::client_name::Name;
use crate::text::{near, places};

/// The most places that are taken for the protocol's, and the most ways to go on behind a name: more are the work of
/// somebody who wants not to be understood.
const PLACES: usize = 8;
const WAYS: usize = 4;

/// A message that an authenticated client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival<'a> {
    pub(super) sender: &'a [u8],
    pub(super) login: Login<'a>,
    pub(super) tls: TlsVersion,
    /// How many the line lists; 0 if it lists none, or may be meant in several ways.
    pub(super) recipients: u64,
}

/// As whom a client had authenticated, how, and from where; what is unknown is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Login<'a> {
    pub(super) account: &'a [u8],
    pub(super) mechanism: &'a [u8],
    pub(super) client: &'a [u8],
    pub(super) name: Name<'a>,
}

/// Reads what follows `<= `; none if the client had not authenticated.
pub(super) fn read(text: &[u8]) -> Option<Arrival<'_>> {
    let (sender, rest) = match text.strip_prefix(b"<>") {
        Some(rest) => (&text[..2], rest),
        None => address(text)?,
    };
    let marks = Marks::of(rest);
    marks.auth?;
    let mut recipients = 0;
    let (login, tls) = match marks.plain() {
        Some(plain) => match word(&rest[plain[0]..], b"P=") {
            Some((protocol, _)) if is_authenticated(protocol) => {
                recipients = listed(&rest[plain[2]..]);
                by_marks(rest, plain)?
            }
            // The one login may then be part of a name in a certificate.
            Some((protocol, _)) if is_helo(protocol) => every_way(rest, &marks)?,
            _ => return None,
        },
        None => every_way(rest, &marks)?,
    };
    Some(Arrival { sender, login, tls, recipients })
}

/// Where the names of fields stand, be they fields or not.
#[derive(Default)]
struct Marks {
    /// The first ` P=`.
    protocol: Option<usize>,
    /// The first ` A=`.
    auth: Option<usize>,
    /// The first ` S=`.
    size: Option<usize>,
    /// Whether one of them follows again.
    again: bool,
    /// The first ` U=` behind a client; before one, it is the local user who called Exim.
    ident: Option<usize>,
}

impl Marks {
    fn of(rest: &[u8]) -> Self {
        let (mut marks, mut host) = (Self::default(), false);
        for equals in places(b'=', rest) {
            let [.., b' ', name] = rest[..equals] else { continue };
            let mark = match name {
                b'P' => &mut marks.protocol,
                b'A' => &mut marks.auth,
                b'S' => &mut marks.size,
                b'U' if host && marks.ident.is_none() => {
                    marks.ident = Some(equals);
                    continue;
                }
                _ => {
                    host |= name == b'H';
                    continue;
                }
            };
            marks.again |= mark.is_some();
            mark.get_or_insert(equals - 2);
        }
        marks
    }

    /// The protocol, the login and the size, if the line says each thing once, and so in its own words.
    fn plain(&self) -> Option<[usize; 3]> {
        let (protocol, auth, size) = (self.protocol?, self.auth?, self.size?);
        let once = !self.again && self.ident.is_none();
        (once && protocol < auth && auth < size).then_some([protocol, auth, size])
    }

    /// Whether a protocol can stand here: behind a client's address or ident, or where there is no client.
    fn is_client(&self, before: &[u8]) -> bool {
        if self.ident.is_some_and(|ident| ident < before.len()) {
            return true;
        }
        let Some(mut host) = described(before) else { return true };
        if let Some(last) = memrchr(b' ', host)
            && (host[last + 1..].starts_with(b"Ci=") || host[last + 1..].starts_with(b"TFO"))
        {
            host = &host[..last];
        }
        host::is_address(host) && host::ends_in_its_place(host)
    }
}

/// What is logged of an authenticated client.
type Authenticated<'a> = (Login<'a>, TlsVersion);

/// Reads a line that has no mark twice.
fn by_marks(rest: &[u8], [protocol, auth, size]: [usize; 3]) -> Option<Authenticated<'_>> {
    let (tls, _) = security(&rest[protocol..])?;
    let named = Named::of(&rest[auth..])?;
    let account = account(&rest[auth + 3 + named.mechanism.len()..size]);
    let (client, name) = client(&rest[..protocol]);
    Some((Login { account, mechanism: named.mechanism, client, name }, tls))
}

/// The recipients that a line lists behind its size.
fn listed(size: &[u8]) -> u64 {
    word(size, b"S=").and_then(|(_, rest)| tail(rest)).unwrap_or(0)
}

/// The account in what stands between a mechanism and the size, with whatever blanks it has.
///
/// With `+smtp_mailauth`, a colon and the author that the client names follow; but an account can have a colon too. An
/// author is a mailbox (RFC 4954, section 5), and so is an account before it mostly: two plain words are an account and
/// the realm that it is in.
fn account(text: &[u8]) -> &[u8] {
    let Some(text) = text.strip_prefix(b":") else { return b"" };
    let mut account = text.strip_suffix(b" K").unwrap_or(text);
    if let Some(last) = memrchr(b' ', account)
        && account[last..].starts_with(b" PRX=")
    {
        account = &account[..last];
    }
    account = account.strip_suffix(b" PRDR").unwrap_or(account);
    let Some(colon) = near(b':', account) else { return account };
    let (first, second) = (&account[..colon], &account[colon + 1..]);
    let is_plain = |word: &[u8]| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        word.first().is_some_and(u8::is_ascii_alphanumeric) && word.iter().all(plain)
    };
    if is_plain(first) && is_plain(second) { account } else { first }
}

/// Reads a line in every way that is one to its end.
fn every_way<'a>(rest: &'a [u8], marks: &Marks) -> Option<Authenticated<'a>> {
    let (mut found, mut named, mut without) = (None, false, false);
    let (mut likely, mut places, mut too_many) = (None, 0, false);
    for at in memmem::find_iter(rest, b" P=") {
        let (before, field) = rest.split_at(at);
        if !marks.is_client(before) {
            continue;
        }
        places += 1;
        if places > PLACES {
            too_many = true;
            break;
        }
        if likely.is_none() && word(field, b"P=").is_some_and(|(name, _)| is_authenticated(name)) {
            likely = Some((before, field));
        }
        too_many |= each_way(field, &mut |login, tls| {
            let Some((mechanism, account)) = login else { return without = true };
            let (client, name) = client(before);
            let read = (Login { account, mechanism, client, name }, tls);
            named |= !account.is_empty();
            found = Some(found.map_or(read, |found| common(found, read)));
        });
    }
    if (found.is_some() || without) && !too_many {
        // An account that nobody has is less likely than a HELO argument that looks like one.
        let nobody = (Login::default(), TlsVersion::Unknown);
        return found.filter(|_| !without || named).map(|read| if without { nobody } else { read });
    }
    // Not as Exim writes it, or too much that could be meant: a protocol tells that there was a login.
    likely.map(|(before, field)| nameless(before, field, places == 1))
}

/// A login of which the line does not tell whose it was; the rest is told if there is only one client that it can be.
fn nameless<'a>(before: &'a [u8], field: &'a [u8], only: bool) -> Authenticated<'a> {
    let Some((tls, rest)) = security(field).filter(|_| only) else {
        return (Login::default(), TlsVersion::Unknown);
    };
    let mechanism = Named::of(past(rest, b"CV=")).map_or(&b""[..], |named| named.mechanism);
    let (client, name) = client(before);
    (Login { account: b"", mechanism, client, name }, tls)
}

/// What two readings of a line agree on.
fn common<'a>(one: Authenticated<'a>, other: Authenticated<'a>) -> Authenticated<'a> {
    let same = |one: &'a [u8], other: &'a [u8]| if one == other { one } else { b"" };
    let login = Login {
        account: same(one.0.account, other.0.account),
        mechanism: same(one.0.mechanism, other.0.mechanism),
        client: same(one.0.client, other.0.client),
        name: if one.0.name == other.0.name { one.0.name } else { Name::Untold },
    };
    (login, if one.1 == other.1 { one.1 } else { TlsVersion::Unknown })
}

/// Tells each way to read a line from its protocol to its end: mechanism and account if there was a login, and TLS. Says
/// whether there are more.
fn each_way<'a>(
    field: &'a [u8],
    tell: &mut impl FnMut(Option<(&'a [u8], &'a [u8])>, TlsVersion),
) -> bool {
    let Some((tls, rest)) = security(field) else { return false };
    let Some((protocol, _)) = word(field, b"P=") else { return false };
    let rest = past(rest, b"CV=");
    let mut too_many = is_endless(rest, b" DN=");
    each_name(rest, b" DN=", &mut |rest| {
        too_many |= is_endless(rest, b" SNI=");
        each_name(rest, b" SNI=", &mut |rest| {
            let mut led = false;
            each_end(protocol, rest, &mut |login| {
                led = true;
                tell(login, tls);
            });
            led
        })
    });
    too_many
}

/// Whether a name of the client's is next that may end in more ways than are followed.
fn is_endless(text: &[u8], name: &[u8]) -> bool {
    let value = text.strip_prefix(name).filter(|value| value.first() == Some(&b'"'));
    value.is_some_and(|value| !is_escaped(value, name) && closings(value).nth(WAYS).is_some())
}

/// Whether what is in a name is escaped: GnuTLS does that to a certificate's, but OpenSSL, which begins with a slash, does not.
fn is_escaped(value: &[u8], name: &[u8]) -> bool {
    name == b" DN=" && value.get(1) != Some(&b'/')
}

/// Goes past a name of the client's, in each way that it may end, or past nothing if it is not next. Says whether one of
/// them led anywhere, as `then` does.
fn each_name<'a>(text: &'a [u8], name: &[u8], then: &mut impl FnMut(&'a [u8]) -> bool) -> bool {
    let Some(value) = text.strip_prefix(name) else { return then(text) };
    let blank = memchr(b' ', value).unwrap_or(value.len());
    match value {
        [b'"', ..] if is_escaped(value, name) => {
            quoted(value).is_some_and(|end| then(&value[end..]))
        }
        [b'"', ..] => {
            let mut led = false;
            for end in closings(value).take(WAYS) {
                led |= then(&value[end..]);
            }
            // Since 4.96, blanks in SNI are escaped, and there are no quotes around it but the client's.
            if name == b" SNI=" && !value[..blank].ends_with(b"\"") {
                led |= then(&value[blank..]);
            }
            led
        }
        _ => then(&value[blank..]),
    }
}

/// Tells each way to read what follows the names: mechanism and account, if there was a login.
fn each_end<'a>(
    protocol: &[u8],
    rest: &'a [u8],
    tell: &mut impl FnMut(Option<(&'a [u8], &'a [u8])>),
) {
    let size = |text: &'a [u8]| {
        let (size, rest) = word(text, b"S=")?;
        (size.iter().all(u8::is_ascii_digit) && tail(rest).is_some()).then_some(())
    };
    let Some(named) = Named::of(rest) else {
        if !is_authenticated(protocol) && size(flags(rest)).is_some() {
            tell(None);
        }
        return;
    };
    if !is_authenticated(protocol) && !is_helo(protocol) {
        return;
    }
    // The author that a client names can hold what looks like the size; what a server took for an account is not such a text.
    let sizes = if named.is_over { WAYS } else { 1 };
    let next = flags(named.behind).len();
    for at in memmem::find_iter(named.behind, b" S=").take(sizes) {
        let text = &named.behind[at..];
        if size(text).is_some() {
            tell(Some((named.mechanism, named.account(text.len() == next))));
        }
    }
}

/// What ` A=MECHANISM:ACCOUNT:AUTHOR` says, as far as the first blank.
struct Named<'a> {
    mechanism: &'a [u8],
    /// What follows the mechanism.
    login: &'a [u8],
    /// Behind a colon, the author that a client names (RFC 4954, section 5) may follow: then the account is over.
    is_over: bool,
    behind: &'a [u8],
}

impl<'a> Named<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let value = text.strip_prefix(b" A=")?;
        let (value, behind) = value.split_at(near(b' ', value).unwrap_or(value.len()));
        let (mechanism, login) = value.split_at(near(b':', value).unwrap_or(value.len()));
        let is_over = login.get(1..).is_some_and(|login| near(b':', login).is_some());
        Some(Self { mechanism, login, is_over, behind })
    }

    /// The account; unknown if it goes on behind a blank: the first word of one may be another.
    fn account(&self, size_follows: bool) -> &'a [u8] {
        match self.login.get(1..) {
            Some(_) if size_follows => account(self.login),
            Some(login) if self.is_over => &login[..memchr(b':', login).unwrap_or(login.len())],
            _ => b"",
        }
    }
}

/// Goes past what may stand between the login and the size.
fn flags(text: &[u8]) -> &[u8] {
    past_flag(past(past_flag(text, b"PRDR"), b"PRX="), b"K")
}

/// What ` P=` and ` X=` say of TLS, and what follows them.
fn security(field: &[u8]) -> Option<(TlsVersion, &[u8])> {
    let (protocol, mut rest) = word(field, b"P=")?;
    // How the client pipelined.
    if let Some((how, behind)) = word(rest, b"L")
        && how.iter().all(|byte| b"*.-".contains(byte))
    {
        rest = behind;
    }
    match word(rest, b"X=") {
        Some((cipher, behind)) => {
            let cipher = cipher.strip_prefix(b"*").unwrap_or(cipher);
            let label = &cipher[..near(b':', cipher).unwrap_or(cipher.len())];
            Some((TlsVersion::from_label(label), behind))
        }
        // Without X=, the protocol still tells: `esmtpsa` is TLS of a version not logged.
        None => match protocol {
            b"esmtpa" | b"utf8esmtpa" | b"asmtp" | b"local-esmtpa" | b"lmtpa" | b"smtp" => {
                Some((TlsVersion::None, rest))
            }
            _ => Some((TlsVersion::Unknown, rest)),
        },
    }
}

/// Whether a protocol tells of a login: `esmtpsa`, `local-esmtpa`, `utf8lmtpsa`; `asmtp` in the days of Exim 4.1.
fn is_authenticated(protocol: &[u8]) -> bool {
    let is_mail = protocol.windows(3).any(|three| three == b"mtp");
    is_mail && (protocol.ends_with(b"a") || protocol == b"asmtp")
}

/// Whether a protocol is that of a client which said `HELO`: Exim then does not tell in it whether there was a login.
fn is_helo(protocol: &[u8]) -> bool {
    let protocol = protocol.strip_prefix(b"local-").unwrap_or(protocol);
    matches!(protocol, b"smtp" | b"smtps" | b"ssmtp")
}

/// What describes the client, in all that stands before the protocol; none if it is a local user.
fn described(before: &[u8]) -> Option<&[u8]> {
    let at = if before.starts_with(b" H=") { 0 } else { memmem::find(before, b" H=")? };
    Some(&before[at + 3..])
}

fn client(before: &[u8]) -> (&[u8], Name<'_>) {
    described(before).map_or((b"", Name::Untold), host::client)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGED: &str = "P=esmtpsa X=TLS1.0:c:1 CV=no A=plain:boss@x.test S=1 id=1";

    fn told(line: &str) -> String {
        let Some(Arrival { sender, login, tls, .. }) = read(line.as_bytes()) else {
            return String::new();
        };
        let [sender, account, mechanism, client] =
            [sender, login.account, login.mechanism, login.client].map(String::from_utf8_lossy);
        format!("{sender} {account} {mechanism} {} {client}", tls.name())
    }

    /// Lines of a client that authenticated as ann, with something of its choice in each place; and of one that did not.
    fn lines(place: &str, text: &str) -> [String; 2] {
        let escaped = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
        let line = |protocol: &str, login: &str| {
            let at = |here: &str, form: &dyn Fn(&str) -> String| {
                if here == place { form(text) } else { String::new() }
            };
            let sender = at("sender", &|text| format!("a.\"b {}\".c@x.test", escaped(text)));
            let sender = if sender.is_empty() { "a@x.test".to_owned() } else { sender };
            let helo = at("helo", &str::to_owned);
            let ident = at("ident", &|text| format!(" U={text}"));
            let dn = at("dn", &|text| {
                format!(" DN=\"OU={}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            });
            let raw_dn = at("raw dn", &|text| format!(" DN=\"/CN={text}\""));
            let raw_sni = at("raw sni", &|text| format!(" SNI=\"{text}\""));
            let author = at("author", &|text| {
                if login.is_empty() { String::new() } else { format!(":{text}") }
            });
            let subject = at("subject", &|text| text.replace('\\', "\\\\").replace('"', "\\\""));
            let id = at("id", &|text| format!("\"{}\"@", text.replace(['\\', '"'], "")));
            format!(
                "{sender} H=(h{helo}) [192.0.2.1]{ident} P={protocol} X=TLS1.3:x:256 CV=no{dn}{raw_dn}{raw_sni}{login}{author} S=300 id={id}x.test T=\"{subject}\" from <{sender}> for b@x.test"
            )
        };
        [line("esmtpsa", " A=plain:ann"), line("esmtps", "")]
    }

    #[test]
    fn a_client_that_never_logged_in_counts_nothing_by_what_its_certificate_says() {
        let line = |name: &str| {
            format!(
                "a@x.test H=(h) [192.0.2.1] P=esmtps X=TLS1.3:x:256 CV=no DN=\"CN={name}\" S=300 id=i T=\"s\" from <a@x.test> for r@x.test"
            )
        };
        for name in [
            r#"x: DN=\" A=plain:boss@x.test [198.51.100.9] P=esmtpsa A=plain:boss@x.test:y K"#,
            r"x A=plain:boss@x.test X=TLS1.0:c:1 [198.51.100.9] P=esmtpsa A=plain:boss@x.test:y K",
            r"x I=[198.51.100.9] P=esmtpsa A=plain:boss@x.test S=1",
        ] {
            assert_eq!(read(line(name).as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn text_of_a_clients_choice_names_nobody() {
        for place in
            ["sender", "helo", "ident", "dn", "raw dn", "raw sni", "author", "subject", "id"]
        {
            for text in [
                format!(") [198.51.100.9] {FORGED}"),
                format!(") [198.51.100.9] {FORGED} T=\""),
                format!(") [198.51.100.9] {FORGED} ("),
                format!(" {FORGED}"),
                format!("\" {FORGED}"),
                format!("\" {FORGED} T=\""),
                "\" A=plain:boss@x.test S=1 id=1".to_owned(),
                "\" A=plain:boss@x.test S=1 id=\"".to_owned(),
                "\" S=1 id=1".to_owned(),
                " S=1 id=1".to_owned(),
                " S=1".to_owned(),
                " A=plain:boss@x.test".to_owned(),
                "\\\" A=plain:boss@x.test S=1 id=\"".to_owned(),
            ] {
                let [authenticated, not] = lines(place, &text);
                let told = told(&authenticated);
                assert!(
                    (told.contains(" ann plain TLS1.3 ")
                        || place == "raw sni" && told.contains("  plain TLS1.3 "))
                        && !told.ends_with("198.51.100.9"),
                    "{authenticated}\n{told}"
                );
                assert_eq!(read(not.as_bytes()), None, "{not}");
            }
        }
    }

    #[test]
    fn an_account_is_read_as_far_as_it_goes() {
        for (account, expected) in [
            ("ann smith", "ann smith"),
            ("ann smith PRDR PRX=192.0.2.9 K", "ann smith"),
            ("ann smith K", "ann smith"),
            ("ann x:author", "ann x"),
            ("ann:author@x.test", "ann"),
            ("ann@x.test:author", "ann@x.test"),
            ("ann:", "ann"),
            ("ann:a b", "ann"),
            ("ann:y:z", "ann"),
            ("corp:ann", "corp:ann"),
            (r"CORP\ann", r"CORP\ann"),
        ] {
            let line =
                format!("a@x.test H=(h) [192.0.2.1] P=esmtpa A=plain:{account} S=5 id=x T=\"y\"");
            assert_eq!(told(&line), format!("a@x.test {expected} plain none 192.0.2.1"), "{line}");
        }
    }

    #[test]
    fn an_account_that_looks_like_the_rest_of_the_line_is_unknown() {
        for more in [
            " A=x:boss S=1 id=2",
            " S=1 id=2",
            " S=1 for",
            " S=1 id=\\",
            " S=1 id=\"",
            " P=esmtpsa A=x:y S=1",
        ] {
            let line = format!(
                "a@x.test H=(h) [192.0.2.1] P=esmtpsa A=plain:ann{more} S=5 id=x T=\"y\" for b@x.test"
            );
            assert_eq!(told(&line), "a@x.test  plain unknown 192.0.2.1", "{line}");
        }
        for more in [":x A=y:boss S=1 id=2", ":y:z", ":x\" S=1 T=\"", " PRDR PRX=192.0.2.9 K", ""] {
            let line =
                format!("a@x.test H=(h) [192.0.2.1] P=esmtpa A=plain:ann{more} S=5 id=x T=\"S=1\"");
            assert_eq!(told(&line), "a@x.test ann plain none 192.0.2.1", "{line}");
        }
    }

    #[test]
    fn a_protocol_tells_of_a_login_but_for_helo() {
        for (protocol, expected) in [
            ("esmtpsa", "unknown"),
            ("utf8esmtpa", "none"),
            ("local-esmtpa", "none"),
            ("lmtpsa", "unknown"),
            ("asmtp", "none"),
            ("smtp", "none"),
            ("smtps", "unknown"),
        ] {
            let line = format!("a@x.test H=(h) [192.0.2.1] P={protocol} A=plain:ann S=5");
            assert_eq!(told(&line), format!("a@x.test ann plain {expected} 192.0.2.1"));
        }
        for line in [
            "a@x.test H=(h) [192.0.2.1] P=esmtps SNI=x A=plain:boss S=5",
            "a@x.test H=(h) [192.0.2.1] P=smtps X=TLS1.2:x:1 DN=\"OU=x A=plain:boss S=5\" S=6",
            "a@x.test H=(h) [192.0.2.1] P=spam-scanned A=plain:boss S=5",
        ] {
            assert_eq!(told(line), "", "{line}");
        }
    }

    #[test]
    fn a_line_of_no_known_form_names_nobody() {
        let line = "a@x.test H=(h) [192.0.2.1] P=esmtpsa A=plain:ann NEW=1 S=5 S=6";
        assert_eq!(told(line), "a@x.test  plain unknown 192.0.2.1");
        let many = " P=esmtp".repeat(20);
        let line = format!("a@x.test H=(h) [192.0.2.1] U={many} P=esmtpsa A=plain:ann S=5");
        assert_eq!(told(&line), "");
    }
}
