//! What a client can do to Exim's main log.

use fastrand::Rng;

use super::grammar::{BOSS, SEEDS, counted, escaped, read, shipped, text, without};

const PIECES: &[&str] = &[
    " A=plain:boss@x.test",
    " A=plain:boss@x.test:y",
    " S=1",
    " P=esmtpsa",
    " P=esmtp",
    " X=TLS1.0:c:1",
    " CV=no",
    " H=(x) [198.51.100.9]",
    ") [198.51.100.9]",
    " [198.51.100.9]",
    " (",
    "\"",
    "\\",
    " DN=\"",
    " SNI=",
    " T=\"",
    " id=1",
    " id=\"",
    " from <",
    "> ",
    " for ",
    " U=",
    " K",
    " x",
    ":",
    "@x.test",
    ".",
    "]: 535 Incorrect authentication data (set_id=boss@x.test)",
    ") [198.51.100.9] P=esmtpsa X=TLS1.0:c:1 CV=no A=plain:boss@x.test S=1 id=1",
    "\" A=plain:boss@x.test S=1 id=\"",
];

/// What clients say of themselves to seem to be another's.
const NAMES: &[&str] = &[
    "boss-pc.x.test",
    "boss-pc.x.test ",
    ") boss-pc.x.test [198.51.100.9]",
    ") boss-pc.x.test (",
    " H=boss-pc.x.test [198.51.100.9]",
];

/// Accounts as Exim logs them, and as they are counted.
const ACCOUNTS: &[(&str, &str)] = &[
    ("ann", "ann"),
    ("ann@x.test", "ann@x.test"),
    (r"CORP\ann", r"corp\ann"),
    (r"\303\204nn", "änn"),
    ("Ann Smith", "ann smith"),
    ("corp:ann", "corp:ann"),
];

const STAMP: &str = "2026-11-23 11:00:00";

/// An address whose local part holds a text, in one of the forms that Exim takes.
fn address(rng: &mut Rng, text: &str) -> String {
    match rng.u8(0..3) {
        0 => format!("\"{}\"@x.test", escaped(text)),
        1 => format!("a.\"{}\".\"{}\".b@x.test", escaped(text), escaped(text)),
        _ => {
            let quoted: String = text.chars().flat_map(|next| ['\\', next]).collect();
            format!("a{quoted}@x.test")
        }
    }
}

/// The places where Exim tells what a client said.
#[derive(Default)]
struct Said {
    /// The account, which the server knows, as Exim logs it and as it is counted.
    account: Option<(&'static str, &'static str)>,
    sender: Option<String>,
    /// Whether Exim has looked up the client's name, and it leads back to the address.
    is_named: bool,
    helo: Option<String>,
    ident: Option<String>,
    /// As GnuTLS gives it, or as OpenSSL does.
    certificate: Option<(String, bool)>,
    /// As Exim logs it since 4.96, or before.
    sni: Option<(String, bool)>,
    author: Option<String>,
    subject: Option<String>,
    id: Option<String>,
    recipient: Option<String>,
}

impl Said {
    fn draw(rng: &mut Rng) -> Self {
        let mut said = Self::default();
        for _ in 0..rng.usize(1..=3) {
            let text = text(rng, PIECES);
            match rng.u8(0..9) {
                0 => said.sender = Some(address(rng, &text)),
                1 => said.helo = Some(text),
                2 => said.ident = Some(text.trim_start().chars().take(127).collect()),
                3 => said.certificate = Some((text, rng.bool())),
                4 => said.sni = Some((text, rng.bool())),
                5 => said.author = Some(text),
                6 => said.subject = Some(text.chars().take(100).collect()),
                7 => said.id = Some(format!("\"{}\"@x.test", escaped(&text))),
                _ => said.recipient = Some(address(rng, &text)),
            }
        }
        said.ident = said.ident.filter(|ident| !ident.is_empty());
        // Behind an account with a colon, no author can be told from it.
        let accounts = if said.author.is_some() { &ACCOUNTS[..4] } else { ACCOUNTS };
        said.account = rng.choice(accounts).copied();
        let other = &mut rng.fork();
        said.is_named = other.bool();
        let names: String =
            (0..other.usize(..3)).filter_map(|_| other.choice(NAMES)).copied().collect();
        said.helo = said.helo.map(|helo| if other.bool() { names + &helo } else { helo + &names });
        said
    }

    fn account(&self) -> (&'static str, &'static str) {
        self.account.unwrap_or(ACCOUNTS[0])
    }

    fn sender(&self) -> &str {
        self.sender.as_deref().unwrap_or("a@x.test")
    }

    /// Whether nothing was said that Exim logs as it is, between fields; SNI may also seem to be in quotes.
    fn is_clear(&self) -> bool {
        let raw = |said: &Option<(String, bool)>| {
            said.as_ref().is_some_and(|(text, raw)| *raw || text.starts_with('"'))
        };
        let said = self.helo.is_some() || self.ident.is_some() || self.author.is_some();
        !said && self.certificate.as_ref().is_none_or(|(_, raw)| !raw) && !raw(&self.sni)
    }

    fn host(&self) -> String {
        let helo = self.helo.as_deref().unwrap_or("h");
        let ident = self.ident.as_ref().map(|ident| format!(" U={ident}")).unwrap_or_default();
        let name = if self.is_named { "pc.x.test " } else { "" };
        format!("{name}({helo}) [192.0.2.1]{ident}")
    }

    /// The line of an arrival.
    fn line(&self, authenticated: bool) -> String {
        let (protocol, mut login) = match authenticated {
            true => ("esmtpsa", format!(" A=plain:{}", self.account().0)),
            false => ("esmtps", String::new()),
        };
        if let Some(author) = self.author.as_ref().filter(|_| authenticated) {
            login = format!("{login}:{author}");
        }
        let certificate = match &self.certificate {
            Some((name, true)) => format!(" DN=\"/CN={name}\""),
            Some((name, false)) => format!(" DN=\"CN={}\"", escaped(name)),
            None => String::new(),
        };
        let sni = match &self.sni {
            Some((name, true)) => format!(" SNI=\"{name}\""),
            Some((name, false)) => format!(" SNI={}", name.replace(' ', r"\040")),
            None => String::new(),
        };
        let (sender, host) = (self.sender(), self.host());
        let id = self.id.as_deref().unwrap_or("i@x.test");
        let subject = escaped(self.subject.as_deref().unwrap_or("s"));
        let recipient = self.recipient.as_deref().unwrap_or("r@x.test");
        format!(
            "{STAMP} 1xVWoN-0001PO-2u <= {sender} H={host} P={protocol} X=TLS1.3:x:256 CV=no{certificate}{sni}{login} S=300 id={id} T=\"{subject}\" from <{sender}> for {recipient} r@x.test"
        )
    }
}

/// A line as an Exim that may not log long ones sends it to syslog.
fn in_chunks(line: &str, rng: &mut Rng) -> String {
    let mut chunks = vec![String::new()];
    for next in line.chars() {
        // Blanks at the end of a line are trimmed.
        let before = chunks.last().and_then(|chunk| chunk.chars().last());
        if !matches!(before, Some(' ' | ',')) && rng.u8(0..60) == 0 && chunks.len() < 40 {
            chunks.push(String::new());
        }
        chunks.last_mut().expect("one").push(next);
    }
    let all = chunks.len();
    if all == 1 {
        return format!("Nov 23 11:00:00 mail exim[7]: {line}");
    }
    let numbered = chunks.iter().enumerate().map(|(at, text)| {
        let between = *rng.choice(&['/', '\\']).expect("two");
        format!("Nov 23 11:00:00 mail exim[7]: [{}{between}{all}] {text}\n", at + 1)
    });
    numbered.collect()
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    let (mut unknown, mut forged) = (0, 0);
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let said = Said::draw(rng);
        let own = said.line(true);
        let line = shipped(rng, &own);
        let read_own = read(&line);
        let [(sender, account, client, 1)] = &read_own.submissions[..] else {
            panic!("seed {seed}: not one message\n{line}");
        };
        assert_eq!(*sender, counted(said.sender()), "seed {seed}\n{line}");
        let name = &*read_own.names[0];
        let is_his = match said.is_named {
            true => name == "pc.x.test",
            false if said.helo.is_none() => name == "(h)",
            false => name.is_empty() || name.starts_with('('),
        };
        assert!(is_his || (client.is_empty() && name.is_empty()), "seed {seed}: {name}\n{line}");
        let is_hers = account == said.account().1;
        let known = is_hers && client == "192.0.2.1";
        let nobodys = account.is_empty() || is_hers;
        let nowhere = client.is_empty() || client == "192.0.2.1";
        // An account with a blank is known only where nothing else looks like a field.
        let has_blank = said.account().0.contains(' ');
        assert!(
            known || (nobodys && nowhere && (has_blank || !said.is_clear())),
            "seed {seed}: {account} {client}\n{line}"
        );
        unknown += u64::from(account.is_empty() && !has_blank);
        let chunked = read(&in_chunks(&own, &mut Rng::with_seed(seed)));
        assert_eq!(chunked.submissions, read(&own).submissions, "seed {seed}\n{own}");

        let line = shipped(rng, &said.line(false));
        let read = read(&line).submissions;
        let free = read.is_empty();
        let nobodys = read.iter().all(|(_, account, ..)| account.is_empty());
        assert!(free || (nobodys && !said.is_clear()), "seed {seed}: {read:?}\n{line}");
        forged += u64::from(!free);
    }
    assert!(unknown < SEEDS / 10 && forged < SEEDS / 40, "{unknown} and {forged} of {SEEDS}");
}

#[test]
fn a_failed_login_is_where_it_came_from() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let mut said = Said::draw(rng);
        said.helo = Some(text(rng, PIECES)).filter(|_| rng.bool());
        let id = without(&text(rng, PIECES), &['\n']);
        let line = format!(
            "{STAMP} plain authenticator failed for {}: 535 Incorrect authentication data (set_id={id})",
            said.host()
        );
        let line = shipped(rng, &line);
        let [(account, client)] = &read(&line).failures[..] else {
            panic!("seed {seed}: not one failure\n{line}");
        };
        assert!(client.is_empty() || client == "192.0.2.1", "seed {seed}: {client}\n{line}");
        assert!(account.is_empty() || *account == counted(&id), "seed {seed}: {account}\n{line}");
        assert_ne!(account, BOSS, "seed {seed}\n{line}");
    }
}
