//! `smtp-auth-report`: who sends mail through SMTP AUTH, and over which TLS version, on one machine.

use std::process::ExitCode;

use local::{cli, commands};

fn main() -> ExitCode {
    let task = match cli::read(std::env::args_os()) {
        Ok(task) => task,
        Err(error) => error.exit(),
    };
    bootstrap::log_for_people();
    let runtime = tokio::runtime::Runtime::new().map_err(Into::into);
    match runtime.and_then(|runtime| runtime.block_on(commands::run(task))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtp-auth-report: {error:#}");
            ExitCode::FAILURE
        }
    }
}
