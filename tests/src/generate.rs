//! Realistic logs of any size: the same for the same seed.
//!
//! Senders follow Zipf's law; TLS versions, several messages a session, retries of deferred mail and
//! failed logins are mixed as real submission servers log them.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use chrono::DateTime;
use fastrand::Rng;
use samples::exim::{self, Tls};
use samples::postfix::{self, Commands, Delays};

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Accepted messages.
    pub messages: u64,
    /// Different senders.
    pub senders: usize,
    /// Days over which they are spread.
    pub days: u32,
    /// First second, since 1970.
    pub begins: i64,
    /// The seed.
    pub seed: u64,
}

/// The format of a generated log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Postfix with RFC 3164 timestamps.
    Postfix,
    /// Exim's main log.
    Exim,
}

/// What somebody who took over an account, or tries to, varies at will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// One account, an envelope sender for each message: variable envelope return paths.
    Senders,
    /// One account, a sender domain for each message.
    Domains,
    /// One account, a client address for each message.
    Clients,
    /// One client, a user name for each login, which fails.
    Logins,
}

impl Default for Plan {
    fn default() -> Self {
        Self { messages: 100_000, senders: 5_000, days: 3, begins: 1_795_176_000, seed: 1 }
    }
}

#[derive(Clone)]
struct Sender {
    address: String,
    account: String,
    client: String,
    tls: usize,
    mechanism: &'static str,
    attack: Option<Attack>,
}

const TLS: [&str; 5] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", ""];
const EXIM_TLS: [&str; 4] = ["TLS1", "TLS1.1", "TLS1.2", "TLS1.3"];
const EXIM_CIPHER: &str = "ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no";
const CIPHERS: [&str; 4] = [
    "ECDHE-RSA-AES256-SHA (256/256 bits)",
    "ECDHE-RSA-AES256-SHA (256/256 bits)",
    "ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
];

/// Writes a log and gives the number of its lines.
///
/// # Errors
/// Writing failed.
pub fn write(shape: Shape, plan: Plan, to: &mut impl Write) -> io::Result<u64> {
    let mut rng = Rng::with_seed(plan.seed);
    let senders = senders(plan.senders, &mut rng);
    let zipf = Zipf::new(plan.senders);
    let draw = |_: u64, rng: &mut Rng| Cow::Borrowed(&senders[zipf.draw(rng)]);
    sessions(shape, plan, &mut rng, draw, to)
}

/// Writes the log of an attack, a session for each message, and gives the number of its lines.
///
/// # Errors
/// Writing failed.
pub fn attack(shape: Shape, attack: Attack, plan: Plan, to: &mut impl Write) -> io::Result<u64> {
    let mut rng = Rng::with_seed(plan.seed);
    sessions(shape, plan, &mut rng, |number, _| Cow::Owned(attacker(attack, number)), to)
}

fn sessions<'s>(
    shape: Shape,
    plan: Plan,
    rng: &mut Rng,
    sender: impl Fn(u64, &mut Rng) -> Cow<'s, Sender>,
    to: &mut impl Write,
) -> io::Result<u64> {
    let span = f64::from(plan.days) * 86_400.0;
    let (mut lines, mut written, mut stamp) = (0, 0, (i64::MIN, String::new()));
    while written < plan.messages {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a share")]
        let time = plan.begins + (span * written as f64 / plan.messages as f64) as i64;
        if stamp.0 != time {
            let format = if shape == Shape::Exim { "%Y-%m-%d %H:%M:%S" } else { "%b %e %H:%M:%S" };
            let at = DateTime::from_timestamp(time, 0).unwrap_or_default();
            stamp = (time, at.format(format).to_string());
        }
        let sender = &*sender(written, rng);
        let messages = match sender.attack {
            Some(Attack::Logins) => 0,
            Some(_) => 1,
            None if rng.u32(0..10) == 0 => rng.u64(2..5),
            None => 1,
        };
        let messages = messages.min(plan.messages - written);
        lines += match shape {
            Shape::Postfix => postfix(to, &stamp.1, sender, messages, written, rng)?,
            Shape::Exim => exim(to, &stamp.1, sender, messages, written, rng)?,
        };
        written += messages.max(1);
    }
    Ok(lines)
}

fn senders(count: usize, rng: &mut Rng) -> Vec<Sender> {
    let sender = |number: usize| Sender {
        address: format!("user{number:05}@d{:02}.example.test", number % 40),
        account: format!("user{number:05}@d{:02}.example.test", number % 40),
        client: format!("198.51.{}.{}", 100 + number / 250 % 100, 1 + number % 250),
        tls: match rng.u32(0..100) {
            0..3 => 0,
            3..5 => 1,
            5..45 => 2,
            45..97 => 3,
            _ => 4,
        },
        mechanism: ["PLAIN", "PLAIN", "LOGIN", "CRAM-MD5"][number % 4],
        attack: None,
    };
    (0..count).map(sender).collect()
}

/// Who sends the message of this number in an attack.
fn attacker(attack: Attack, number: u64) -> Sender {
    let account = "ann@d01.example.test".to_owned();
    let mut sender = Sender {
        address: account.clone(),
        account,
        client: "203.0.113.7".to_owned(),
        tls: 3,
        mechanism: "PLAIN",
        attack: Some(attack),
    };
    match attack {
        Attack::Senders => {
            sender.address =
                format!("bounces+{number:06}=someone{number}=elsewhere.test@d01.example.test");
        }
        Attack::Domains => sender.address = format!("offer@d{number:06}.example.org"),
        Attack::Clients => {
            sender.client = format!("2001:db8:{:x}:{:x}::1", number >> 16, number & 0xffff);
        }
        Attack::Logins => sender.account = format!("guess{number:06}@d01.example.test"),
    }
    sender
}

fn postfix(
    to: &mut impl Write,
    stamp: &str,
    sender: &Sender,
    messages: u64,
    number: u64,
    rng: &mut Rng,
) -> io::Result<u64> {
    let Sender { address, account, client, tls, mechanism, .. } = sender;
    let client = postfix::Client { address: client, account, mechanism };
    let mut lines = 0;
    let mut line = |program: &str, pid: u64, text: &dyn Display| {
        lines += 1;
        writeln!(to, "{}", postfix::line(stamp, "mx1", program, pid, text))
    };
    let (smtpd, pid) = ("submission/smtpd", 1000 + number % 300);
    line(smtpd, pid, &client.connects())?;
    if let Some(cipher) = CIPHERS.get(*tls) {
        line(smtpd, pid, &client.begins_tls(TLS[*tls], cipher))?;
    }
    let failed = u64::from(messages == 0 || rng.u32(0..50) == 0);
    if failed > 0 {
        line(smtpd, pid, &client.fails_to_log_in())?;
    }
    for message in 0..messages {
        let id =
            format!("{:05X}{:06X}", rng.u32(0..1 << 20), 0x99_0000 + (number + message) % 40_000);
        line(smtpd, pid, &client.begins_mail(&id))?;
        let message_id = format_args!("20261123162158.{id}@mail.example.test");
        line("cleanup", 1090, &postfix::named(&id, message_id))?;
        line("qmgr", 1042, &postfix::active(&id, address, 300 + number % 90_000))?;
        let recipient = format_args!("someone{}@elsewhere.test", number % 1000);
        let delays = Delays { all: "1.4", stages: "0.02/0.01/0.5/0.87" };
        let reply = "250 2.0.0 Ok: queued as 4F1B22C0A7";
        line("smtp", 1091, &postfix::delivered(&id, recipient, delays, reply))?;
        line("qmgr", 1042, &postfix::removed(&id))?;
        if rng.u32(0..25) == 0 {
            line("qmgr", 1042, &postfix::active(&id, address, 300))?;
        }
    }
    let commands = Commands {
        starttls: *tls < 4,
        logins: [messages.min(1), failed],
        mail: messages,
        data: messages,
        quit: true,
    };
    line(smtpd, pid, &client.disconnects(commands))?;
    Ok(lines)
}

fn exim(
    to: &mut impl Write,
    stamp: &str,
    sender: &Sender,
    messages: u64,
    number: u64,
    rng: &mut Rng,
) -> io::Result<u64> {
    let Sender { address, account, client, tls, mechanism, .. } = sender;
    let tls = EXIM_TLS.get(*tls).map(|version| Tls { version, cipher: EXIM_CIPHER });
    let client = exim::Client { host: "host.lan", address: client, account, mechanism, tls };
    let mut lines = 0;
    let mut line = |text: &dyn Display| {
        lines += 1;
        writeln!(to, "{}", exim::line(stamp, text))
    };
    if messages == 0 || rng.u32(0..50) == 0 {
        line(&client.fails_to_log_in())?;
    }
    for message in 0..messages {
        let id = format!("1xV{:03}-{:06}-2u", rng.u32(0..1000), (number + message) % 1_000_000);
        let more = format_args!(" id={id}@mail.example.test");
        line(&client.accepted(&id, address, 300 + number % 90_000, more))?;
        let recipient = format_args!("someone{}@elsewhere.test", number % 1000);
        line(&exim::delivered(&id, recipient, None))?;
        line(&exim::completed(&id))?;
    }
    Ok(lines)
}

/// Draws ranks: the first is twice as frequent as the second, and so on.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize) -> Self {
        let mut sum = 0.0;
        #[expect(clippy::cast_precision_loss, reason = "a rank")]
        let cumulative = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(cumulative.collect())
    }

    fn draw(&self, rng: &mut Rng) -> usize {
        let point = rng.f64() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum < point).min(self.0.len().saturating_sub(1))
    }
}
