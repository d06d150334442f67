//! Embedlens: no subcommand opens the window, a subcommand runs headless.

use std::io::Write;
use std::process::ExitCode;

use embedlens::cli::{self, Outcome, WindowOptions};

fn main() -> ExitCode {
    match cli::run() {
        Outcome::Done(code) => code,
        Outcome::Window(options) => open_window(options),
    }
}

fn open_window(options: WindowOptions) -> ExitCode {
    if let Some(message) = cli::no_window_message() {
        let _ = writeln!(std::io::stderr(), "{message}");
        return ExitCode::FAILURE;
    }
    window(options)
}

#[cfg(feature = "gui")]
fn window(options: WindowOptions) -> ExitCode {
    embedlens::app::run(options)
}

#[cfg(not(feature = "gui"))]
fn window(_: WindowOptions) -> ExitCode {
    ExitCode::FAILURE
}
