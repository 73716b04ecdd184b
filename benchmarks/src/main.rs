//! The benchmarks' command line: reads flags, runs the suite, hands the rows to whoever prints or keeps them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its user there"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use session_benchmarks::case::{Bench, Case, Field, Scale};
use session_benchmarks::data::Data;
use session_benchmarks::flags::{Run, SessionBenchmarks, SessionBenchmarksCmd};
use session_benchmarks::machine::Machine;
use session_benchmarks::progress::Progress;
use session_benchmarks::record::Record;
use session_benchmarks::suite::{Count, Options};
use session_benchmarks::{cases, compare, record, report, single, suite, table};

fn main() -> ExitCode {
    let outcome = match SessionBenchmarks::from_env_or_exit().subcommand {
        SessionBenchmarksCmd::Run(flags) => run(&flags),
        SessionBenchmarksCmd::One(one) => {
            let bench = Bench {
                data: Data::under(&one.target),
                field: Field::Ours,
            };
            let start = if one.wait {
                single::Start::WhenTold
            } else {
                single::Start::AtOnce
            };
            single::run(&bench, &cases::all(scale(one.quick)), &one.case, start)
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn scale(quick: bool) -> Scale {
    if quick { Scale::Quick } else { Scale::Full }
}

fn run(flags: &Run) -> Result<()> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("find the project")?;
    let target = flags
        .target
        .clone()
        .unwrap_or_else(|| default_target(project));
    let scale = scale(flags.quick);
    let chosen = choose(cases::all(scale), flags.filter.as_deref());
    if flags.list {
        for case in &chosen {
            println!("{}", case.name);
        }
        return Ok(());
    }
    let data = Data::under(&target);
    data.require_space(if scale == Scale::Quick {
        2 << 30
    } else {
        20 << 30
    })?;
    let machine = Machine::here(project);
    println!("{}", table::heading(&machine, data.root(), scale));
    let count = match (flags.no_calls, flags.instructions) {
        (true, _) => Count::Nothing,
        (false, true) => Count::CallsAndInstructions,
        (false, false) => Count::Calls,
    };
    let report_path = target.join("benchmarks.html");
    let options = Options {
        scale,
        count,
        target,
    };
    let bench = Bench {
        data,
        field: Field::All,
    };
    let rows = suite::run(&bench, &chosen, &options, &Progress::over(chosen.len()))?;
    print!("{}", table::print(&rows));

    if let Some(path) = &flags.json {
        record::write_json(path, &rows)?;
    }
    let record = Record::new(machine, scale, rows);
    if flags.save {
        println!(
            "saved {}",
            record.save(&project.join("benchmarks/records"))?.display()
        );
    }
    if let Some(path) = &flags.compare {
        print!("{}", compare::print(&Record::load(path)?, &record));
    }
    if flags.report {
        report::write(&report_path, &record)?;
        println!("wrote {}", report_path.display());
    }
    Ok(())
}

fn default_target(project: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from)
}

fn choose(cases: Vec<Case>, filter: Option<&str>) -> Vec<Case> {
    let Some(filter) = filter else { return cases };
    let parts: Vec<&str> = filter.split(',').filter(|part| !part.is_empty()).collect();
    cases
        .into_iter()
        .filter(|case| parts.iter().any(|part| case.name.contains(part)))
        .collect()
}
