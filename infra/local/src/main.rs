//! `smtp-auth-report`: who sends mail through SMTP AUTH, and over which TLS version, on one machine.

use std::process::ExitCode;

use clap::Parser as _;
use local::cli::Cli;
use local::commands;

fn main() -> ExitCode {
    let cli = Cli::parse();
    bootstrap::log_for_people();
    let runtime = tokio::runtime::Runtime::new().map_err(Into::into);
    match runtime.and_then(|runtime| runtime.block_on(commands::run(cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtp-auth-report: {error:#}");
            ExitCode::FAILURE
        }
    }
}
