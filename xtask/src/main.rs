//! The workspace's own tooling: `cargo xtask ci | tidy | deps | features | msrv | consumers | examples | corpus | schema | fuzz | bench
//! | faults | browser`.
//!
//! Owns what continuous integration runs, so that the same commands run at home. Nothing depends on this crate, and it
//! must not hold code that a library needs.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user there"
)]

mod bench;
mod browser;
mod ci;
mod console;
mod consumers;
mod corpus;
mod deps;
mod examples;
mod faults;
mod features;
mod flags;
mod fuzz;
mod msrv;
mod schema;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::flags::XtaskCmd;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    match run(&flags.subcommand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, verb, path and cause; a backtrace of this tool helps nobody who asked for a check.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &XtaskCmd) -> Result<()> {
    // Started a thousand times by `faults`, and interrupted at each of its system calls: it must make few of its own.
    if let XtaskCmd::FaultDriver(driver) = command {
        return faults::drive(driver);
    }
    let workspace = Workspace::discover()?;
    match command {
        XtaskCmd::Ci(ci) => ci::run(&workspace, ci.only.as_deref()),
        XtaskCmd::Tidy(_) => tidy::run(&workspace),
        XtaskCmd::Deps(_) => deps::run(&workspace),
        XtaskCmd::Features(_) => features::run(&workspace),
        XtaskCmd::Msrv(_) => msrv::run(&workspace),
        XtaskCmd::Consumers(_) => consumers::run(&workspace),
        XtaskCmd::Examples(flags) => examples::run(&workspace, flags.write),
        XtaskCmd::Corpus(corpus) => corpus::run(&workspace, corpus),
        XtaskCmd::Schema(schema) => schema::run(&workspace, schema),
        XtaskCmd::Fuzz(fuzz) => fuzz::run(&workspace, fuzz),
        XtaskCmd::Bench(bench) => bench::run(&workspace, bench),
        XtaskCmd::Faults(flags) => faults::run(flags),
        XtaskCmd::FaultDriver(driver) => faults::drive(driver),
        XtaskCmd::Browser(flags) => browser::run(flags),
    }
}
