//! Runs cases one after the other and gathers rows.
//!
//! Owns what happens with a case from set-up to verdict; must not know any operation.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::case::{Bench, Case, Plan, Scale, Trait};
use crate::method::{self, Effort};
use crate::progress::Progress;
use crate::row::Row;
use crate::{cold, gates, growth, instructions, kernel_trace};

/// What a run measures beside time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Count {
    /// System calls and bytes read, where `strace` is installed.
    #[default]
    Calls,
    /// And instructions of the kernels, where `valgrind` is installed.
    CallsAndInstructions,
    /// Nothing.
    Nothing,
}

/// How a run goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which sizes.
    pub scale: Scale,
    /// What is counted.
    pub count: Count,
    /// The build's target directory, for passes that run this program again.
    pub target: PathBuf,
}

impl Options {
    /// How long a case may take.
    #[must_use]
    pub fn effort(&self) -> Effort {
        match self.scale {
            Scale::Quick => Effort {
                budget: Duration::from_millis(400),
                least: 3,
                most: 31,
            },
            Scale::Full => Effort {
                budget: Duration::from_secs(2),
                least: 3,
                most: 201,
            },
        }
    }
}

/// Runs the cases and judges them.
///
/// # Errors
///
/// The first case that fails, above all by a [wrong answer](crate::answer::WrongAnswer).
pub fn run(
    bench: &Bench,
    cases: &[Case],
    options: &Options,
    progress: &Progress,
) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(cases.len());
    for case in cases {
        progress.begin(&case.name);
        let start = Instant::now();
        let mut row =
            one(bench, case, options).with_context(|| format!("measure {}", case.name))?;
        row.seconds = start.elapsed().as_secs_f64();
        rows.push(row);
        progress.end();
    }
    progress.finish();
    rows.extend(growth::rows(&rows));
    gates::judge(&mut rows, &gates::all()?);
    Ok(rows)
}

fn one(bench: &Bench, case: &Case, options: &Options) -> Result<Row> {
    let build = match &case.plan {
        Plan::Built(build) => build,
        Plan::NotBuilt { issue } => {
            return Ok(Row::unmeasured(
                &case.name,
                &case.shape,
                format!("not built (issue {issue})"),
            ));
        }
    };
    let mut row = Row::unmeasured(&case.name, &case.shape, String::new());
    if case.needs == Trait::Cold && !cold::is_allowed() {
        "skipped: emptying the page cache needs root".clone_into(&mut row.status);
        return Ok(row);
    }
    let mut setup = build(bench)?;
    let effort = match case.needs {
        // Each run reads everything from the medium again, and many more would tell no more.
        Trait::Cold => Effort {
            budget: Duration::from_secs(1),
            least: 3,
            most: 5,
        },
        _ => options.effort(),
    };
    row.take(&method::measure(&case.name, &mut setup.contenders, effort)?);
    row.notes = setup.notes;
    if let Some(growth) = &case.growth {
        row.family = Some(growth.family.clone());
        row.size = Some(growth.size);
    }
    if row.ours_ns.is_some() && case.needs != Trait::Cold {
        again(case, options, &mut row)?;
    }
    Ok(row)
}

/// Runs ours once more under tracers.
fn again(case: &Case, options: &Options, row: &mut Row) -> Result<()> {
    if options.count == Count::Nothing {
        return Ok(());
    }
    let scratch = tempfile::tempdir().context("create scratch directory")?;
    let mut arguments = vec![
        "one".into(),
        case.name.clone().into(),
        "--target".into(),
        options.target.clone().into(),
    ];
    if options.scale == Scale::Quick {
        arguments.push(std::ffi::OsString::from("--quick"));
    }
    if kernel_trace::is_installed() {
        row.count(kernel_trace::trace(scratch.path(), &arguments)?);
    }
    if options.count == Count::CallsAndInstructions
        && case.needs == Trait::Kernel
        && instructions::is_installed()
    {
        row.instructions = Some(instructions::count(scratch.path(), &arguments)?);
    }
    Ok(())
}
