//! Runs ours of one case once, for a tracer that looks on from outside.

use anyhow::{Context, Result, bail};

use crate::case::{Bench, Case, Plan};
use crate::kernel_trace::Marks;
use crate::method::{Nothing, Role, Want};

/// Warms up, then runs ours between marks.
///
/// # Errors
///
/// That there is no such case, or what it fails with.
pub fn run(bench: &Bench, cases: &[Case], name: &str) -> Result<()> {
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
    ours.run(&mut Marks, Want::Work)?;
    Ok(())
}
