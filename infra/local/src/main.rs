//! `smtp-auth-report`: who sends mail through SMTP AUTH, and over which TLS version, on one machine.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use local::{cli, commands, home};

/// How long what cannot be broken off is waited for at the end: a crash may come at any moment, too.
const LAST: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let task = match cli::read(std::env::args_os()) {
        Ok(task) => task,
        Err(error) => error.exit(),
    };
    bootstrap::log_for_people();
    home::keep_private();
    let done = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        let done = runtime.block_on(commands::run(task));
        runtime.shutdown_timeout(LAST);
        done
    });
    match done {
        Ok(status) => status,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "smtp-auth-report: {error:#}");
            ExitCode::FAILURE
        }
    }
}
