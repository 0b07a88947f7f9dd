//! Writes a realistic log of any size to standard output.

use std::io::{self, BufWriter, Write as _};

use clap::{Parser, ValueEnum};
use tests::generate::{self, Plan, Shape};

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
    /// The same seed makes the same log
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Postfix,
    Exim,
}

fn main() -> io::Result<()> {
    let Options { format, messages, senders, days, seed } = Options::parse();
    let shape = match format {
        Format::Postfix => Shape::Postfix,
        Format::Exim => Shape::Exim,
    };
    let plan = Plan { messages, senders, days, seed, ..Plan::default() };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    generate::write(shape, plan, &mut out)?;
    out.flush()
}
