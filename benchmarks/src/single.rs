//! Runs ours of one case once, for a tracer that looks on from outside.

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result, bail};
use rustix::process::{PTracer, set_ptracer};

use crate::case::{Bench, Case, Plan};
use crate::kernel_trace::{self, Marks};
use crate::method::{Nothing, Role, Want};

/// When the run begins that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the warm-up.
    AtOnce,
    /// After the warm-up, and when standard input ends; until then each line is answered with [`READY`].
    WhenTold,
}

/// What a tracer hears that has not attached yet.
pub const READY: &str = "ready";

/// Warms up, then runs ours between marks.
///
/// # Errors
///
/// That there is no such case, or what it fails with.
pub fn run(bench: &Bench, cases: &[Case], name: &str, start: Start) -> Result<()> {
    let case = cases
        .iter()
        .find(|case| case.name == name)
        .with_context(|| format!("find case {name}"))?;
    let Plan::Built(build) = &case.plan else {
        bail!("run {name}: it is not built")
    };
    let mut setup = build(bench)?;
    let ours = setup
        .contenders
        .iter_mut()
        .find(|contender| contender.role() == Role::Ours);
    let ours = ours.with_context(|| format!("run {name}: ours does not take part"))?;
    ours.run(&mut Nothing, Want::Work)?;
    if start == Start::WhenTold {
        wait().context("wait for a tracer")?;
    }
    ours.run(&mut Marks, Want::Work)?;
    Ok(())
}

/// Touches the [probe](kernel_trace::probe) and says [`READY`] for every line that comes in, until none comes any more.
fn wait() -> io::Result<()> {
    // Where only a process's parent may trace it, the tracer would be refused: it is a sibling. Elsewhere the call fails.
    set_ptracer(PTracer::Any).ok();
    let (mut told, mut out) = (io::stdin().lock(), io::stdout().lock());
    loop {
        kernel_trace::probe();
        writeln!(out, "{READY}")?;
        out.flush()?;
        if told.read_line(&mut String::new())? == 0 {
            return Ok(());
        }
    }
}
