//! The fuzz targets, built with coverage on the stable compiler and run one after the other.
//!
//! Owns how they are built, their seeds, and where their crashes are kept; must not know what a target checks.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use session_codec::testing::{checks, documents, sessions};
use xshell::cmd;

use crate::flags;
use crate::workspace::Workspace;

/// How long a target runs unless told otherwise.
const SECONDS: u64 = 60;

/// How many generated documents of each kind a run starts with.
const SEEDS: usize = 500;

/// The largest file of the corpora that becomes a seed.
const SEED_BYTES: u64 = 4096;

/// What makes the compiler count which edges ran, as libFuzzer wants it. Plain code generation, so no nightly is needed.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Builds and runs the targets.
///
/// # Errors
///
/// A target that does not build, crashes, or ran nothing; a name that is none.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Fuzz) -> Result<()> {
    let targets: Vec<&str> = checks::TARGETS
        .into_iter()
        .filter(|name| flags.target.as_deref().is_none_or(|only| only == *name))
        .collect();
    ensure!(
        !targets.is_empty(),
        "fuzz {}: no such target, there are {}",
        flags.target.as_deref().unwrap_or_default(),
        checks::TARGETS.join(", ")
    );
    let build = workspace.target().join("fuzz");
    let programs = compile(workspace, &build)?;
    let seeds = build.join("seeds");
    write_seeds(&seeds)?;
    let corpora = workspace.root().join("../shared/corpora/json");
    if corpora.is_dir() {
        copy_small(&corpora, &seeds)?;
    } else {
        println!("no corpora at {}: generated seeds only", corpora.display());
    }
    let seconds = flags.seconds.unwrap_or(SECONDS);
    let crashes = workspace
        .root()
        .join("session-codec/tests/fixtures/crashes");
    for target in targets {
        let executions = fuzz(&programs.join(target), target, seconds, &build, &crashes)?;
        println!("{target:<10} {executions:>12} executions in {seconds} s");
    }
    Ok(())
}

/// Builds all targets and returns the directory of the programs.
fn compile(workspace: &Workspace, build: &Path) -> Result<std::path::PathBuf> {
    let sh = workspace.shell()?;
    let manifest = workspace.root().join("fuzz/Cargo.toml");
    let version = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("read the host of rustc")?;
    // Naming the target keeps coverage out of build scripts.
    cmd!(
        sh,
        "cargo build --release --locked --manifest-path {manifest} --target-dir {build} --target {host}"
    )
    .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"))
    .quiet()
    .run()
    .context("build fuzz targets")?;
    Ok(build.join(host).join("release"))
}

fn write_seeds(seeds: &Path) -> Result<()> {
    fs::create_dir_all(seeds).with_context(|| format!("create {}", seeds.display()))?;
    let generated = documents(1, SEEDS).chain(sessions(2, SEEDS));
    for (n, document) in generated.enumerate() {
        let path = seeds.join(format!("generated-{n}"));
        fs::write(&path, document).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Copies the small files below a directory.
fn copy_small(from: &Path, seeds: &Path) -> Result<()> {
    let mut open = vec![from.to_owned()];
    let mut copied = 0;
    while let Some(directory) = open.pop() {
        let entries =
            fs::read_dir(&directory).with_context(|| format!("list {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && entry.metadata()?.len() <= SEED_BYTES {
                let bytes = fs::read(entry.path())?;
                fs::write(seeds.join(format!("corpus-{copied}")), bytes)?;
                copied += 1;
            }
        }
    }
    Ok(())
}

/// Runs one target and returns how many inputs it tried.
fn fuzz(program: &Path, target: &str, seconds: u64, build: &Path, crashes: &Path) -> Result<u64> {
    let found = build.join("corpus").join(target);
    let crashes = crashes.join(target);
    for directory in [&found, &crashes] {
        fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    }
    let output = Command::new(program)
        .arg(format!("-max_total_time={seconds}"))
        .args([
            "-print_final_stats=1",
            "-timeout=20",
            "-rss_limit_mb=4096",
            "-max_len=8192",
        ])
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg(&found)
        .arg(build.join("seeds"))
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    // An empty directory of crashes says nothing, and git would not keep it.
    let _ = fs::remove_dir(&crashes);
    if !output.status.success() {
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.len().saturating_sub(40);
        bail!(
            "fuzz {target}: {}\n{}",
            output.status,
            lines[end..].join("\n")
        );
    }
    let executions = executions(&text).with_context(|| format!("fuzz {target}: no statistics"))?;
    ensure!(executions > 0, "fuzz {target}: nothing ran");
    Ok(executions)
}

fn executions(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::executions;

    #[test]
    fn executions_are_read_from_the_statistics() {
        let text = "#1 DONE\nstat::number_of_executed_units: 1234\nstat::new_units_added: 5";
        assert_eq!(executions(text), Some(1234));
        assert_eq!(executions("#1 DONE"), None);
    }
}
