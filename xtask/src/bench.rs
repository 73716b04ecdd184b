//! The benchmarks, built in release from their own workspace and run with the flags they were asked for.
//!
//! Owns where they are built and where their data sets are kept; must not know any case.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::cmd;

use crate::flags::Bench;
use crate::workspace::Workspace;

/// Builds the benchmarks and runs them.
///
/// # Errors
///
/// Benchmarks that do not build, or that fail: a contender with a wrong answer is one reason.
pub(crate) fn run(workspace: &Workspace, flags: &Bench) -> Result<()> {
    let sh = workspace.shell()?;
    let manifest = workspace.root().join("benchmarks/Cargo.toml");
    // A directory of its own, because their dependencies have other features than the workspace's.
    let build = workspace.target().join("benchmarks");
    cmd!(
        sh,
        "cargo build --release --locked --manifest-path {manifest} --target-dir {build}"
    )
    .quiet()
    .run()
    .context("build benchmarks")?;
    let program = build.join("release/session-benchmarks");
    let target = workspace.target();
    let arguments = arguments(flags)?;
    cmd!(sh, "{program} --target {target} {arguments...}")
        .quiet()
        .run()
        .context("run benchmarks")
}

/// Spells the flags for the benchmarks. Their paths are made absolute, because they run in the root of the workspace.
fn arguments(flags: &Bench) -> Result<Vec<OsString>> {
    let mut arguments = Vec::new();
    let switches = [
        ("--quick", flags.quick),
        ("--save", flags.save),
        ("--report", flags.report),
        ("--instructions", flags.instructions),
        ("--no-calls", flags.no_calls),
        ("--list", flags.list),
    ];
    for (name, _) in switches.iter().filter(|(_, given)| *given) {
        arguments.push(OsString::from(*name));
    }
    if let Some(text) = &flags.filter {
        arguments.extend([OsString::from("--filter"), text.into()]);
    }
    for (name, path) in [("--json", &flags.json), ("--compare", &flags.compare)] {
        if let Some(path) = path {
            arguments.extend([OsString::from(name), absolute(path)?.into()]);
        }
    }
    Ok(arguments)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("resolve {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_passed_on_with_absolute_paths() {
        let words = [
            "bench",
            "--quick",
            "--filter",
            "tail",
            "--json",
            "rows.json",
        ];
        let words = words.map(OsString::from).into();
        let flags = crate::flags::Xtask::from_vec(words).unwrap();
        let crate::flags::XtaskCmd::Bench(flags) = flags.subcommand else {
            panic!("not bench")
        };
        let json = std::env::current_dir().unwrap().join("rows.json");
        let expected: Vec<OsString> = vec![
            "--quick".into(),
            "--filter".into(),
            "tail".into(),
            "--json".into(),
            json.into(),
        ];
        assert_eq!(arguments(&flags).unwrap(), expected);
    }
}
