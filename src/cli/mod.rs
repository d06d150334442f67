//! The command line: clap types, checked, handed to `tasks`; text, JSON and progress bars out.
//!
//! Results go to stdout, progress and messages to stderr; `--json` prints exactly one JSON document. Exit codes: 0 ok, 1 failure,
//! 2 wrong usage, 130 interrupted. Without a subcommand it only says that the window is wanted.

mod args;
mod bar;
mod compare;
mod embed;
mod inspect;
mod json;
mod maps;
mod models;
mod options;
mod project;
mod render;
mod search;
mod session;
mod text;
mod window;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use session::{Failure, Session};
pub use window::{WindowOptions, WindowTheme, no_window_message};

/// What the command line asked for.
#[derive(Debug)]
pub enum Outcome {
    /// A subcommand ran, or help was shown.
    Done(ExitCode),
    /// No subcommand: open the window.
    Window(WindowOptions),
}

/// Exit code of an interrupted command, as shells have it.
const INTERRUPTED: u8 = 130;

/// Reads the program's arguments and runs the subcommand, if there is one.
pub fn run() -> Outcome {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to do where even the message cannot be printed.
            let _ = error.print();
            return Outcome::Done(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)));
        }
    };
    match cli.command {
        None => Outcome::Window(window::options(cli.window)),
        Some(command) => Outcome::Done(run_command(command)),
    }
}

fn run_command(command: Command) -> ExitCode {
    let (name, common) = (command.name(), command.common().clone());
    let session = Session::new(common);
    let result = match command {
        Command::Models(args) => models::run(&args, &session),
        Command::Embed(args) => embed::run(&args, &session),
        Command::Project(args) => project::run(&args, &session),
        Command::Search(args) => search::run(&args, &session),
        Command::Compare(args) => compare::run(&args, &session),
        Command::Inspect(args) => inspect::run(&args, &session),
        Command::Render(args) => render::run(&args, &session),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            let mut command = Cli::command();
            command.build();
            let error = match command.find_subcommand_mut(name) {
                Some(sub) => sub.error(clap::error::ErrorKind::ValueValidation, message),
                None => command.error(clap::error::ErrorKind::ValueValidation, message),
            };
            let _ = error.print();
            ExitCode::from(2)
        }
        Err(Failure::Task(error)) if error.is_cancelled() => {
            session.say("Interrupted.");
            ExitCode::from(INTERRUPTED)
        }
        Err(Failure::Task(error)) => {
            session.fail(&error.report());
            ExitCode::FAILURE
        }
        Err(Failure::Report(report)) => {
            session.fail(&report);
            ExitCode::FAILURE
        }
        Err(Failure::Output(error)) => {
            // A reader that has seen enough (`| head`) is no failure of ours to talk about.
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                session.say(&format!("error: the result could not be printed: {error}"));
            }
            ExitCode::FAILURE
        }
    }
}
