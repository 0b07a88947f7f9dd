//! Random traffic of mail servers whose counts are known, rendered as their logs.

use std::fmt::Display;

use chrono::{DateTime, Timelike as _};
use chrono_tz::Tz;
use fastrand::Rng;
use report::{Day, TlsVersion};
use samples::exim::{self, Tls};
use samples::postfix::{self, Commands};

use crate::clock::NOW;
pub use crate::expected::{Expected, Failed, Key, key};

/// What a log is rendered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Postfix that logs TLS versions.
    Postfix,
    /// Postfix with `smtpd_tls_loglevel=0`.
    PostfixQuiet,
    /// Exim's main log.
    Exim,
    /// JSON events.
    Json,
}

/// One log: its lines in order, and what they are worth.
#[derive(Clone, Debug)]
pub struct Log {
    /// The lines.
    pub lines: Vec<String>,
    /// The count.
    pub expected: Expected,
}

impl Log {
    /// The same as a container's runtime or a tool may have written it: several lines of text for one of the log's.
    #[must_use]
    pub fn dressed(mut self, rng: &mut Rng) -> Self {
        let dress = match rng.u32(0..4) {
            0 => pieces,
            1 => laid_out,
            _ => return self,
        };
        self.lines = self.lines.iter().flat_map(|line| dress(line, rng)).collect();
        self
    }
}

/// A line in pieces, as CRI cuts them, with another stream's lines between.
fn pieces(line: &str, rng: &mut Rng) -> Vec<String> {
    let head = "2026-11-23T12:00:00.123456789Z";
    let mut lines = Vec::new();
    let mut rest = line;
    while rest.len() > 1 && rng.bool() {
        // These lines are texts: a character stays whole.
        let at = rng.usize(1..rest.len());
        let at = (at..rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let (piece, more) = rest.split_at(at);
        lines.push(format!("{head} stdout P {piece}"));
        if rng.u32(0..4) == 0 {
            lines.push(format!("{head} stderr F a word from the other stream"));
        }
        rest = more;
    }
    lines.push(format!("{head} stdout F {rest}"));
    lines
}

/// An object with a line in it, laid out for people.
fn laid_out(line: &str, rng: &mut Rng) -> Vec<String> {
    let object = serde_json::json!({"message": line, "tags": ["a", "b"], "n": rng.u32(0..9)});
    format!("{object:#}").lines().map(str::to_owned).collect()
}

const DOMAINS: [&str; 3] = ["example.test", "corp.test", "shop.test"];
const MECHANISMS: [&str; 3] = ["PLAIN", "LOGIN", "CRAM-MD5"];
const VERSIONS: [(&str, &str, TlsVersion); 4] = [
    ("TLSv1", "TLS1.0", TlsVersion::Tls10),
    ("TLSv1.1", "TLS1.1", TlsVersion::Tls11),
    ("TLSv1.2", "TLS1.2", TlsVersion::Tls12),
    ("TLSv1.3", "TLS1.3", TlsVersion::Tls13),
];

/// Who is connected, and how.
struct Session {
    account: String,
    mechanism: &'static str,
    client: String,
    /// None is plaintext.
    tls: Option<usize>,
    begins: i64,
}

/// Writes a log of some sessions within the three days before the present.
#[must_use]
pub fn log(kind: Kind, host: &str, sessions: usize, zone: Tz, rng: &mut Rng) -> Log {
    let mut writer = Writer {
        host: host.to_owned(),
        zone,
        old_style: rng.bool(),
        lines: Vec::new(),
        expected: Expected::default(),
        ids: Vec::new(),
    };
    for number in 0..sessions {
        let (session, pid) = (session(rng), number as u64);
        match kind {
            Kind::Postfix => writer.postfix(&session, pid, true, rng),
            Kind::PostfixQuiet => writer.postfix(&session, pid, false, rng),
            Kind::Exim => writer.exim(&session, number, rng),
            Kind::Json => writer.json(&session, rng),
        }
    }
    let Writer { mut lines, expected, .. } = writer;
    // The sort is stable: lines of a session stay in order within a second.
    lines.sort_by_key(|(time, _)| *time);
    Log { lines: lines.into_iter().map(|(_, line)| line).collect(), expected }
}

fn session(rng: &mut Rng) -> Session {
    let user = rng.u32(0..5);
    Session {
        account: match rng.u32(0..8) {
            0 => format!("user{user}"),
            _ => format!("user{user}@{}", DOMAINS[rng.usize(0..3)]),
        },
        mechanism: MECHANISMS[rng.usize(0..3)],
        client: match rng.bool() {
            true => format!("192.0.2.{}", rng.u32(1..5)),
            false => format!("2001:db8::{}", rng.u32(1..5)),
        },
        tls: (rng.u32(0..5) > 0).then(|| rng.usize(0..4)),
        begins: NOW - rng.i64(0..3 * 86_400),
    }
}

struct Writer {
    host: String,
    zone: Tz,
    /// RFC 3164 timestamps rather than RFC 3339.
    old_style: bool,
    lines: Vec<(i64, String)>,
    expected: Expected,
    /// Queue ids that may be used again, and from when on.
    ids: Vec<(String, i64)>,
}

impl Writer {
    fn postfix(&mut self, session: &Session, pid: u64, tells_tls: bool, rng: &mut Rng) {
        let wrapper = session.tls.is_some() && rng.u32(0..4) == 0;
        let smtpd = if wrapper { "smtps/smtpd" } else { "submission/smtpd" };
        let Session { account, mechanism, client, .. } = session;
        let client = postfix::Client { address: client, account, mechanism };
        let mut time = session.begins;
        self.line(time, smtpd, pid, client.connects());
        if let Some(version) = session.tls.filter(|_| tells_tls) {
            self.line(time, smtpd, pid, client.begins_tls(VERSIONS[version].0, "X (256/256 bits)"));
        }
        let failed = if rng.u32(0..6) == 0 { u64::from(rng.u32(1..3)) } else { 0 };
        for _ in 0..failed {
            self.line(time, smtpd, pid, client.fails_to_log_in());
            self.failed(session, time);
        }
        // Without TLS lines, only the end of a session tells plaintext, and that is waited for for a minute.
        let is_long = !tells_tls && rng.u32(0..4) == 0;
        let tls = match (session.tls, tells_tls) {
            (Some(version), true) => VERSIONS[version].2,
            (Some(_), false) => TlsVersion::Unknown,
            (None, _) if is_long => TlsVersion::Unknown,
            (None, _) => TlsVersion::None,
        };
        let pauses = match session.tls {
            _ if is_long => 200..400,
            Some(_) => 0..40,
            None => 0..12,
        };
        let (mut begun, mut accepted) = (0, 0);
        for _ in 0..rng.u32(0..4) {
            time += rng.i64(pauses.clone());
            begun += 1;
            let id = self.id(time, rng);
            self.line(time, smtpd, pid, client.begins_mail(&id));
            if rng.u32(0..4) == 0 {
                // Given up: nothing more, or a refusal.
                if rng.bool() {
                    self.line(time, "cleanup", 2, postfix::canceled(&id));
                }
                continue;
            }
            accepted += 1;
            let message_id = format_args!("{id}@example.test");
            self.line(time, "cleanup", 2, postfix::named(&id, message_id));
            let sender = sender(session, rng);
            // The queue manager may be late, and says it again at each retry.
            let active = time + if rng.u32(0..4) == 0 { rng.i64(0..90) } else { 0 };
            let shown = if sender == "<>" { "" } else { &sender };
            let to = recipients(rng);
            self.line(active, "qmgr", 1, postfix::active_for(&id, shown, 1, to));
            self.sent(session, &sender, tls, active, [1, to]);
            let mut last = active;
            for _ in 0..rng.u32(0..3).saturating_sub(1) {
                last += rng.i64(1..4000);
                self.line(last, "qmgr", 1, postfix::active_for(&id, shown, 1, to));
            }
            self.line(last + 1, "qmgr", 1, postfix::removed(&id));
            self.ids.push((id, last + 2));
        }
        let commands = Commands {
            starttls: session.tls.is_some() && !wrapper,
            logins: [1, failed],
            mail: begun,
            data: accepted,
            quit: true,
        };
        time += if is_long { 400 } else { rng.i64(0..5) };
        self.line(time, smtpd, pid, client.disconnects(commands));
    }

    fn exim(&mut self, session: &Session, number: usize, rng: &mut Rng) {
        let (time, Session { account, mechanism, client, .. }) = (session.begins, session);
        let (tls, version) = match session.tls {
            Some(version) => {
                let (_, label, version) = VERSIONS[version];
                (Some(Tls { version: label, cipher: "CIPHER:256" }), version)
            }
            None => (None, TlsVersion::None),
        };
        let client = exim::Client { host: "client.test", address: client, account, mechanism, tls };
        if rng.u32(0..6) == 0 {
            self.exim_line(time, client.fails_to_log_in());
            self.failed(session, time);
        }
        for message in 0..rng.usize(0..3) {
            let sender = sender(session, rng);
            let id = format!("1xV{number:03}-{message:06}-2u");
            // Subjects are whatever a stranger writes: with this one, nobody knows who the recipients are.
            let (mut more, mut to) = (" T=\"x A=y:z\"".to_owned(), 0);
            if rng.bool() {
                to = recipients(rng);
                more =
                    format!(" T=\"x\" for{}", " a@b.test".repeat(usize::try_from(to).unwrap_or(0)));
            }
            self.exim_line(time, client.accepted(&id, &sender, 1, more));
            self.sent(session, &sender, version, time, [1, to]);
            self.exim_line(time, exim::delivered(&id, "a@b.test", Some("out")));
        }
    }

    fn json(&mut self, session: &Session, rng: &mut Rng) {
        let time = session.begins;
        let stamp = DateTime::from_timestamp(time, 0).unwrap_or_default().to_rfc3339();
        let (account, client) = (&session.account, &session.client);
        if rng.u32(0..5) == 0 {
            let event = serde_json::json!({"event": "auth_failure", "time": stamp,
                "account": account, "client": client});
            self.lines.push((time, event.to_string()));
            return self.failed(session, time);
        }
        let (tls, version) = match session.tls {
            Some(version) => (VERSIONS[version].1, VERSIONS[version].2),
            None => ("none", TlsVersion::None),
        };
        let (sender, messages) = (sender(session, rng), rng.u64(1..20));
        let shown = if sender == "<>" { "" } else { &sender };
        let mut event = serde_json::json!({"time": stamp, "sender": shown, "account": account,
            "mechanism": session.mechanism, "tls": tls, "client": client, "messages": messages});
        let to = if rng.bool() { rng.u64(0..40) } else { 0 };
        if to > 0 {
            event["event"] = "submission".into();
            event["recipients"] = to.into();
        }
        self.lines.push((time, event.to_string()));
        self.sent(session, &sender, version, time, [messages, to]);
    }

    fn line(&mut self, time: i64, program: &str, pid: u64, text: impl Display) {
        let at = self.local(time);
        let stamp = match self.old_style {
            true => at.format("%b %e %H:%M:%S").to_string(),
            false => at.to_rfc3339(),
        };
        let line = postfix::line(stamp, &self.host, program, pid, text).to_string();
        self.lines.push((time, line));
    }

    fn exim_line(&mut self, time: i64, text: impl Display) {
        let at = self.local(time);
        let zone = if self.old_style { "" } else { " %z" };
        let format = format!("%Y-%m-%d %H:%M:%S{zone}");
        let line = exim::line(at.format(&format), text).to_string();
        self.lines.push((time, line));
    }

    fn local(&self, time: i64) -> DateTime<Tz> {
        DateTime::from_timestamp(time, 0).unwrap_or_default().with_timezone(&self.zone)
    }

    /// A queue id; sometimes one whose message is gone.
    fn id(&mut self, time: i64, rng: &mut Rng) -> String {
        let free = self.ids.iter().position(|(_, from)| *from < time);
        match free.filter(|_| rng.bool()) {
            Some(at) => self.ids.swap_remove(at).0,
            None => format!("{:011X}", rng.u64(0..1 << 44)),
        }
    }

    fn day(&self, time: i64) -> Day {
        self.local(time).date_naive()
    }

    fn hour(&self, time: i64) -> u8 {
        u8::try_from(self.local(time).hour()).unwrap_or(0)
    }

    fn sent(
        &mut self,
        session: &Session,
        sender: &str,
        tls: TlsVersion,
        time: i64,
        [messages, recipients]: [u64; 2],
    ) {
        let owner = if sender == "<>" { &session.account } else { sender };
        let domain = owner.split_once('@').map_or("(none)", |(_, domain)| domain).to_owned();
        let (account, client) = (session.account.clone(), session.client.clone());
        let mechanism = session.mechanism.to_owned();
        let (day, hour) = (self.day(time), self.hour(time));
        let key = (day, domain, sender.to_owned(), account, mechanism, tls, client);
        *self.expected.usage.entry(key).or_default() += messages;
        self.expected.add_finer((day, hour), &session.account, messages, recipients);
    }

    fn failed(&mut self, session: &Session, time: i64) {
        let key = (self.day(time), session.account.clone(), session.client.clone());
        let hour = self.hour(time);
        self.expected.failures.entry(key).or_default().add(Failed::once(hour));
    }
}

/// Of a message: mostly one, sometimes many.
fn recipients(rng: &mut Rng) -> u64 {
    if rng.u32(0..3) == 0 { rng.u64(2..30) } else { 1 }
}

fn sender(session: &Session, rng: &mut Rng) -> String {
    match rng.u32(0..6) {
        0 => "<>".to_owned(),
        1 => format!("list{}@{}", rng.u32(0..3), DOMAINS[rng.usize(0..3)]),
        _ if session.account.contains('@') => session.account.clone(),
        _ => format!("{}@{}", session.account, DOMAINS[0]),
    }
}
