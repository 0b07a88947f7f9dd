//! Postfix's lines of a submission server (Postfix 3.0 and later, which count commands).

use std::fmt::{self, Display};

/// A line as syslog writes it: when, on which host, by which program and process.
pub fn line(
    stamp: impl Display,
    host: &str,
    program: &str,
    pid: u64,
    text: impl Display,
) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{stamp} {host} postfix/{program}[{pid}]: {text}"))
}

/// A client that submits mail, as `smtpd` tells of it. Its address has no name.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Its IP address.
    pub address: &'a str,
    /// The login name it gives.
    pub account: &'a str,
    /// The SASL mechanism it uses.
    pub mechanism: &'a str,
}

/// How often a client gave each command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Whether it began TLS by `STARTTLS`.
    pub starttls: bool,
    /// Logins that succeeded, and those that failed.
    pub logins: [u64; 2],
    /// Transactions begun, each with one recipient.
    pub mail: u64,
    /// Messages whose data were taken.
    pub data: u64,
    /// Whether it took its leave.
    pub quit: bool,
}

impl<'a> Client<'a> {
    /// It connects.
    pub fn connects(self) -> impl Display {
        let Self { address, .. } = self;
        fmt::from_fn(move |f| write!(f, "connect from unknown[{address}]"))
    }

    /// TLS begins, with this version and cipher as OpenSSL names them (`smtpd_tls_loglevel = 1`).
    pub fn begins_tls(self, version: &'a str, cipher: &'a str) -> impl Display {
        let Self { address, .. } = self;
        fmt::from_fn(move |f| {
            write!(
                f,
                "Anonymous TLS connection established from unknown[{address}]: {version} with cipher \
                 {cipher}"
            )
        })
    }

    /// Its login fails.
    pub fn fails_to_log_in(self) -> impl Display {
        let Self { address, account, mechanism } = self;
        fmt::from_fn(move |f| {
            write!(
                f,
                "warning: unknown[{address}]: SASL {mechanism} authentication failed: authentication failure, \
                 sasl_username={account}"
            )
        })
    }

    /// It begins a transaction, logged in, under this queue id.
    pub fn begins_mail(self, id: &'a str) -> impl Display {
        let Self { address, account, mechanism } = self;
        fmt::from_fn(move |f| {
            write!(
                f,
                "{id}: client=unknown[{address}], sasl_method={mechanism}, sasl_username={account}"
            )
        })
    }

    /// It is gone.
    pub fn disconnects(self, commands: Commands) -> impl Display {
        let Self { address, .. } = self;
        fmt::from_fn(move |f| write!(f, "disconnect from unknown[{address}] {commands}"))
    }
}

/// As Postfix counts them: `auth=1/2` is one success of two, a command that was never given is left out.
impl Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [succeeded, failed] = self.logins;
        let counts = [
            ("ehlo", 2, 2),
            ("starttls", u64::from(self.starttls), u64::from(self.starttls)),
            ("auth", succeeded, succeeded + failed),
            ("mail", self.mail, self.mail),
            ("rcpt", self.mail, self.mail),
            ("data", self.data, self.data),
            ("quit", u64::from(self.quit), u64::from(self.quit)),
        ];
        for (name, done, all) in counts.into_iter().filter(|(_, _, all)| *all > 0) {
            count(f, name, done, all)?;
            f.write_str(" ")?;
        }
        let sum = |of: fn(&(&str, u64, u64)) -> u64| counts.iter().map(of).sum();
        count(f, "commands", sum(|(_, done, _)| *done), sum(|(_, _, all)| *all))
    }
}

fn count(f: &mut fmt::Formatter<'_>, name: &str, done: u64, all: u64) -> fmt::Result {
    match done == all {
        true => write!(f, "{name}={all}"),
        false => write!(f, "{name}={done}/{all}"),
    }
}

/// `cleanup`: the message with this queue id has this `Message-ID`.
pub fn named(id: &str, message_id: impl Display) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{id}: message-id=<{message_id}>"))
}

/// `cleanup`: the message is given up.
pub fn canceled(id: &str) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{id}: canceled"))
}

/// `qmgr`: the message of an envelope sender (empty is the null sender) is accepted, or tried again.
pub fn active(id: &str, sender: &str, size: u64) -> impl Display {
    active_for(id, sender, size, 1)
}

/// The same of a message to so many recipients.
pub fn active_for(id: &str, sender: &str, size: u64, recipients: u64) -> impl Display {
    fmt::from_fn(move |f| {
        write!(f, "{id}: from=<{sender}>, size={size}, nrcpt={recipients} (queue active)")
    })
}

/// `smtp`: the message is delivered to a recipient elsewhere. `delays` are the seconds of its stages, `reply` is
/// what the other server said.
pub fn delivered(id: &str, to: impl Display, delays: Delays, reply: &str) -> impl Display {
    let Delays { all, stages } = delays;
    fmt::from_fn(move |f| {
        write!(
            f,
            "{id}: to=<{to}>, relay=mx.elsewhere.test[192.0.2.25]:25, delay={all}, delays={stages}, \
             dsn=2.0.0, status=sent ({reply})"
        )
    })
}

/// How long a delivery took, as Postfix prints it.
#[derive(Clone, Copy, Debug)]
pub struct Delays {
    /// Seconds.
    pub all: &'static str,
    /// Seconds before the queue manager, in it, for the connection, and for the transmission.
    pub stages: &'static str,
}

/// `qmgr`: the message is out of the queue.
pub fn removed(id: &str) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{id}: removed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Client<'_> =
        Client { address: "192.0.2.1", account: "ann@example.test", mechanism: "PLAIN" };

    #[test]
    fn lines_are_worded_as_postfix_words_them() {
        let text = CLIENT.begins_mail("4F1B22C0A7");
        let line = line("Nov 24 08:00:00", "mx1", "submission/smtpd", 7, text).to_string();
        assert_eq!(
            line,
            "Nov 24 08:00:00 mx1 postfix/submission/smtpd[7]: 4F1B22C0A7: client=unknown[192.0.2.1], \
             sasl_method=PLAIN, sasl_username=ann@example.test"
        );
    }

    #[test]
    fn commands_are_counted_as_postfix_counts_them() {
        let told = |commands: Commands| CLIENT.disconnects(commands).to_string();
        let one = Commands { starttls: true, logins: [1, 0], mail: 1, data: 1, quit: true };
        assert_eq!(
            told(one),
            "disconnect from unknown[192.0.2.1] ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 \
             commands=8"
        );
        let failed = Commands { logins: [0, 1], ..Commands::default() };
        assert_eq!(told(failed), "disconnect from unknown[192.0.2.1] ehlo=2 auth=0/1 commands=2/3");
    }
}
