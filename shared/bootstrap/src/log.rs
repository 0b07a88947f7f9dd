//! What the programs log, for people and for machines.

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Logs for a person, to standard error; `RUST_LOG` chooses how much. In colours on a terminal, unless
/// `NO_COLOR` is set and not empty (<https://no-color.org>).
pub fn log_for_people() {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = io::stderr().is_terminal() && !plain;
    install(for_people(io::stderr, colours));
}

/// Logs as JSON lines to standard output, where CloudWatch Logs takes them.
pub fn log_for_machines() {
    install(
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter())
            .with_current_span(false)
            .finish(),
    );
}

fn for_people<W>(writer: W, colours: bool) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter());
    // Where nobody reads any more, it cannot be told that nobody does.
    lines.with_writer(writer).with_ansi(colours).log_internal_errors(false).finish()
}

fn install(subscriber: impl Subscriber + Send + Sync) {
    // Whoever chose another one before knows better.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn filter() -> EnvFilter {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What one warning looks like.
    fn warning(colours: bool) -> String {
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&written);
        let people = for_people(move || Shared(Arc::clone(&writer)), colours);
        tracing::subscriber::with_default(people, || {
            tracing::warn!(path = "mail.log", "cannot follow")
        });
        let written = written.lock().expect("nobody panicked");
        String::from_utf8(written.clone()).expect("text")
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_gets_colours_and_a_file_gets_none() {
        let (coloured, plain) = (warning(true), warning(false));
        assert!(coloured.contains("\x1b[33m WARN\x1b[0m"), "{coloured:?}");
        assert!(!plain.contains('\x1b') && plain.contains(" WARN "), "{plain:?}");
    }
}
