//! Writes a realistic log of any size to standard output.

use std::io::{self, BufWriter, Write as _};

use clap::{Parser, ValueEnum};
use tests::generate::{self, Attack, Plan, Shape};

/// Write a realistic mail server log to standard output
#[derive(Debug, Parser)]
struct Options {
    /// The format
    #[arg(long, value_enum, default_value_t = Format::Postfix)]
    format: Format,
    /// Accepted messages; a million make 1.1 GB of Postfix lines
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// Different senders
    #[arg(long, default_value_t = 5_000)]
    senders: usize,
    /// Days over which they are spread
    #[arg(long, default_value_t = 3)]
    days: u32,
    /// What an attacker varies, a message or login each; without it, ordinary traffic
    #[arg(long, value_enum)]
    attack: Option<Varied>,
    /// The same seed makes the same log
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Postfix,
    Exim,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Varied {
    Senders,
    Domains,
    Clients,
    Logins,
}

impl From<Varied> for Attack {
    fn from(varied: Varied) -> Self {
        match varied {
            Varied::Senders => Self::Senders,
            Varied::Domains => Self::Domains,
            Varied::Clients => Self::Clients,
            Varied::Logins => Self::Logins,
        }
    }
}

fn main() -> io::Result<()> {
    let Options { format, messages, senders, days, attack, seed } = Options::parse();
    let shape = match format {
        Format::Postfix => Shape::Postfix,
        Format::Exim => Shape::Exim,
    };
    let plan = Plan { messages, senders, days, seed, ..Plan::default() };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match attack {
        Some(varied) => generate::attack(shape, varied.into(), plan, &mut out)?,
        None => generate::write(shape, plan, &mut out)?,
    };
    out.flush()
}
