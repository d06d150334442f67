//! The command line: clap types, checked, handed to `tasks`; text, JSON and progress bars out.
//!
//! Results go to stdout, progress and messages to stderr; `--json` prints exactly one JSON document. Exit codes: 0 ok, 1 failure,
//! 2 wrong usage, 130 interrupted. Without a subcommand it only says that the window is wanted.

mod args;
mod bar;
mod belongs;
mod bench;
mod catalogue;
mod choose;
mod cluster;
mod compare;
mod download;
mod embed;
mod inspect;
mod json;
mod make_args;
mod make_models;
mod maps;
mod models;
mod models_args;
mod neighbours;
mod numeric_args;
mod only;
mod options;
mod overrides;
mod place;
mod project;
mod render;
mod search;
mod session;
mod stored;
mod text;
mod window;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::corpus::panic_words;
use crate::workspace::ErrorReport;
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
    let mut session = Session::new(common);
    if let Some(word) = crate::vectors::unknown_wish() {
        let words = crate::vectors::level_words();
        session.say(&format!("EMBEDLENS_CPU={word} names no level and changes nothing; the words are {words}"));
    }
    if name == "bench" {
        // What is timed is done, not looked up.
        session.env.cache_dir = None;
    }
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(command, &session)));
    finish(result, name, &session)
}

fn dispatch(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Models(args) => models::run(&args, session),
        Command::Embed(args) => embed::run(&args, session),
        Command::Project(args) => project::run(&args, session),
        Command::Search(args) => search::run(&args, session),
        Command::Compare(args) => compare::run(&args, session),
        Command::Inspect(args) => inspect::run(&args, session),
        Command::Render(args) => render::run(&args, session),
        Command::Neighbours(args) => neighbours::run(&args, session),
        Command::Cluster(args) => cluster::run(&args, session),
        Command::Bench(args) => bench::run(&args, session),
    }
}

/// Tells how it ended and gives the exit code. A panic is a failure like any other, said in the same words.
fn finish(result: std::thread::Result<Result<(), Failure>>, name: &str, session: &Session) -> ExitCode {
    let result = result.unwrap_or_else(|panic| {
        Err(Failure::Report(ErrorReport {
            summary: format!("{name} stopped at a fault in the program: {}", panic_words(&*panic)),
            details: Vec::new(),
            hint:
                "please report it, with the command and the files if you can; vectors that were made are in the cache"
                    .to_owned(),
        }))
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_a_message() {
        let cli = Cli::try_parse_from(["embedlens", "models", "--quiet"]).unwrap();
        let session = Session::new(cli.command.unwrap().common().clone());
        let caught = catch_unwind(|| -> Result<(), Failure> { panic!("a fault") });
        assert_eq!(finish(caught, "models", &session), ExitCode::FAILURE);
        assert_eq!(finish(Ok(Ok(())), "models", &session), ExitCode::SUCCESS);
    }
}
