//! `sessions`: sees, searches and keeps the sessions of AI coding agents from a terminal.
//!
//! Owns the command line: arguments, what is printed, exit codes. Must not know how a session lies on a disk; it is a user of the
//! library like any other.

mod args;
mod change;
mod check;
mod failure;
mod follow;
mod list;
mod prune;
mod search;
mod show;
mod stats;
mod terminal;
mod transcripts;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut terminal = match Terminal::new(args.json) {
        Ok(terminal) => terminal,
        Err(failure) => return failure.report(),
    };
    match run(args, &mut terminal).and_then(|()| terminal.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(args: Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let place = args.place;
    match args.command {
        Command::List(list) => list::list(&place, &list, terminal),
        Command::Last(last) => show::last(&place, &last, terminal),
        Command::Show(show) => show::show(&place, &show, terminal),
        Command::Search(search) => search::search(&place, &search, terminal),
        Command::Follow(follow) => follow::follow(&place, &follow, terminal),
        Command::Stats => stats::stats(&place, terminal),
        Command::Check { id } => check::check(&place, id.as_ref(), terminal),
        Command::Salvage { id } => check::salvage(&place, &id, terminal),
        Command::Checkpoint { id } => change::checkpoint(&place, id.as_ref(), terminal),
        Command::Delete { id, erase } => change::delete(&place, &id, erase, terminal),
        Command::Restore { id } => change::restore(&place, &id, terminal),
        Command::Trash(trash) => change::trash(&place, &trash, terminal),
        Command::Rebind(rebind) => change::rebind(&place, &rebind, terminal),
        Command::Prune(prune) => prune::prune(&place, &prune, terminal),
        Command::Import { files, overwrite } => {
            transcripts::import(&place, &files, overwrite, terminal)
        }
        Command::Export { id, document } => transcripts::export(&place, &id, &document, terminal),
        Command::Completions { shell } => args::completions(shell, terminal),
    }
}
