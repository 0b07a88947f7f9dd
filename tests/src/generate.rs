//! Realistic logs of any size: the same for the same seed.
//!
//! Senders follow Zipf's law; TLS versions, several messages a session, retries of deferred mail and
//! failed logins are mixed as real submission servers log them.

use std::io::{self, Write};

use chrono::DateTime;
use fastrand::Rng;

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

impl Default for Plan {
    fn default() -> Self {
        Self { messages: 100_000, senders: 5_000, days: 3, begins: 1_795_176_000, seed: 1 }
    }
}

struct Sender {
    address: String,
    client: String,
    tls: usize,
    mechanism: &'static str,
}

const TLS: [&str; 5] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", ""];
const EXIM_TLS: [&str; 4] = ["TLS1", "TLS1.1", "TLS1.2", "TLS1.3"];
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
        let sender = &senders[zipf.draw(&mut rng)];
        let messages = if rng.u32(0..10) == 0 { rng.u64(2..5) } else { 1 };
        let messages = messages.min(plan.messages - written);
        lines += match shape {
            Shape::Postfix => postfix(to, &stamp.1, sender, messages, written, &mut rng)?,
            Shape::Exim => exim(to, &stamp.1, sender, messages, written, &mut rng)?,
        };
        written += messages;
    }
    Ok(lines)
}

fn senders(count: usize, rng: &mut Rng) -> Vec<Sender> {
    let sender = |number: usize| Sender {
        address: format!("user{number:05}@d{:02}.example.test", number % 40),
        client: format!("198.51.{}.{}", 100 + number / 250 % 100, 1 + number % 250),
        tls: match rng.u32(0..100) {
            0..3 => 0,
            3..5 => 1,
            5..45 => 2,
            45..97 => 3,
            _ => 4,
        },
        mechanism: ["PLAIN", "PLAIN", "LOGIN", "CRAM-MD5"][number % 4],
    };
    (0..count).map(sender).collect()
}

fn postfix(
    to: &mut impl Write,
    stamp: &str,
    sender: &Sender,
    messages: u64,
    number: u64,
    rng: &mut Rng,
) -> io::Result<u64> {
    let Sender { address, client, tls, mechanism } = sender;
    let pid = 1000 + number % 300;
    let mut lines = 2;
    writeln!(to, "{stamp} mx1 postfix/submission/smtpd[{pid}]: connect from unknown[{client}]")?;
    if let Some(cipher) = CIPHERS.get(*tls) {
        let version = TLS[*tls];
        writeln!(
            to,
            "{stamp} mx1 postfix/submission/smtpd[{pid}]: Anonymous TLS connection established from unknown[{client}]: {version} with cipher {cipher}"
        )?;
        lines += 1;
    }
    if rng.u32(0..50) == 0 {
        writeln!(
            to,
            "{stamp} mx1 postfix/submission/smtpd[{pid}]: warning: unknown[{client}]: SASL {mechanism} authentication failed: authentication failure, sasl_username={address}"
        )?;
        lines += 1;
    }
    for message in 0..messages {
        let id =
            format!("{:05X}{:06X}", rng.u32(0..1 << 20), 0x99_0000 + (number + message) % 40_000);
        writeln!(
            to,
            "{stamp} mx1 postfix/submission/smtpd[{pid}]: {id}: client=unknown[{client}], sasl_method={mechanism}, sasl_username={address}"
        )?;
        writeln!(
            to,
            "{stamp} mx1 postfix/cleanup[1090]: {id}: message-id=<20261123162158.{id}@mail.example.test>"
        )?;
        writeln!(
            to,
            "{stamp} mx1 postfix/qmgr[1042]: {id}: from=<{address}>, size={}, nrcpt=1 (queue active)",
            300 + number % 90_000
        )?;
        writeln!(
            to,
            "{stamp} mx1 postfix/smtp[1091]: {id}: to=<someone{}@elsewhere.test>, relay=mx.elsewhere.test[192.0.2.25]:25, delay=1.4, delays=0.02/0.01/0.5/0.87, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F1B22C0A7)",
            number % 1000
        )?;
        writeln!(to, "{stamp} mx1 postfix/qmgr[1042]: {id}: removed")?;
        lines += 5;
        if rng.u32(0..25) == 0 {
            writeln!(
                to,
                "{stamp} mx1 postfix/qmgr[1042]: {id}: from=<{address}>, size=300, nrcpt=1 (queue active)"
            )?;
            lines += 1;
        }
    }
    let starttls = if *tls < 4 { " starttls=1" } else { "" };
    writeln!(
        to,
        "{stamp} mx1 postfix/submission/smtpd[{pid}]: disconnect from unknown[{client}] ehlo=2{starttls} auth=1 mail={messages} rcpt={messages} data={messages} quit=1 commands=8"
    )?;
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
    let Sender { address, client, tls, mechanism } = sender;
    let mut lines = 0;
    if rng.u32(0..50) == 0 {
        writeln!(
            to,
            "{stamp} {mechanism} authenticator failed for (host.lan) [{client}]: 535 Incorrect authentication data (set_id={address})"
        )?;
        lines += 1;
    }
    for message in 0..messages {
        let id = format!("1xV{:03}-{:06}-2u", rng.u32(0..1000), (number + message) % 1_000_000);
        let tls = match EXIM_TLS.get(*tls) {
            Some(version) => format!(
                "P=esmtpsa X={version}:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no"
            ),
            None => "P=esmtpa".to_owned(),
        };
        writeln!(
            to,
            "{stamp} {id} <= {address} H=(host.lan) [{client}] {tls} A={mechanism}:{address} S={} id={id}@mail.example.test",
            300 + number % 90_000
        )?;
        writeln!(
            to,
            "{stamp} {id} => someone{}@elsewhere.test R=dnslookup T=remote_smtp H=mx.elsewhere.test [192.0.2.25] X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes C=\"250 OK\"",
            number % 1000
        )?;
        writeln!(to, "{stamp} {id} Completed")?;
        lines += 3;
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
