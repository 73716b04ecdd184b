//! The checks of continuous integration, in the order in which they are cheapest to fail.
//!
//! Owns the list of steps and the cargo commands among them; must not hold a rule of its own.

use anyhow::{Context, Result, ensure};
use cargo_metadata::Package;
use xshell::cmd;

use crate::steps::{self, Step};
use crate::workspace::Workspace;
use crate::{consumers, corpus, deps, examples, features, msrv, schema, tidy};

/// Features that a crate's tests turn on by themselves, that add no behaviour to test, or that the tests of the crate below
/// run (`simd-json`, of `session-codec`, which has others that are not here).
const COVERED: &[&str] = &[
    "cli",
    "default",
    "export",
    "import",
    "regex",
    "simd-json",
    "testing",
    "tokio",
    "tracing",
];

/// The target whose own vector instructions the codec has code for and this repository's machines lack.
const OTHER_TARGET: &str = "aarch64-unknown-linux-gnu";

/// Runs every step, or only the named one.
///
/// # Errors
///
/// The first step that fails, by name, with its cause.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    let steps = [
        Step::new("fmt", || format(workspace)),
        Step::new("tidy", || tidy::run(workspace)),
        Step::new("deps", || deps::run(workspace)),
        Step::new("clippy", || clippy(workspace)),
        Step::new("aarch64", || other_processor(workspace)),
        Step::new("doc", || doc(workspace)),
        Step::new("doctest", || doctest(workspace)),
        Step::new("optional", || test_optional_features(workspace)),
        Step::new("features", || features::run(workspace)),
        Step::new("msrv", || msrv::run(workspace)),
        Step::new("consumers", || consumers::run(workspace)),
        Step::new("examples", || examples::run(workspace, false)),
        Step::new("schema", || schema::check(workspace)),
        Step::new("packages", || packages(workspace)),
        Step::new("corpus", || corpus::check(workspace)),
        Step::new("benchmarks", || benchmarks(workspace)),
    ];
    steps::run("ci", &steps, only)
}

fn format(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    cmd!(sh, "cargo fmt --all --check")
        .run()
        .context("run cargo fmt")
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    cmd!(
        sh,
        "cargo clippy --workspace --all-targets --all-features --quiet -- -D warnings"
    )
    .run()
    .context("run cargo clippy")
}

/// Compiles the codec for a processor whose vector instructions no test here can run, if its standard library is installed.
fn other_processor(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    // A toolchain that did not come from rustup has no list.
    let installed = cmd!(sh, "rustup target list --installed")
        .quiet()
        .ignore_stderr()
        .read()
        .unwrap_or_default();
    if !installed.lines().any(|line| line.trim() == OTHER_TARGET) {
        println!("not checked: rustup target add {OTHER_TARGET} makes it possible");
        return Ok(());
    }
    cmd!(
        sh,
        "cargo check --package session-codec --target {OTHER_TARGET} --quiet"
    )
    .run()
    .with_context(|| format!("check session-codec for {OTHER_TARGET}"))
}

fn doc(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    cmd!(sh, "cargo doc --workspace --no-deps --all-features --quiet")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
        .context("run cargo doc")
}

fn doctest(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    cmd!(sh, "cargo test --doc --workspace --all-features --quiet")
        .run()
        .context("run doctests")
}

/// Runs the tests of the libraries whose optional features change behaviour, with all of them on: `cargo test --workspace`
/// does not reach that code.
fn test_optional_features(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    for package in workspace
        .libraries()
        .filter(|package| is_uncovered(package))
    {
        let name = package.name.as_str();
        cmd!(
            sh,
            "cargo test --package {name} --all-features --lib --tests --quiet"
        )
        .run()
        .with_context(|| format!("test {name} with all features"))?;
    }
    Ok(())
}

/// Checks the instrument, which is a workspace of its own: that a wrong contender fails a run is shown by its tests.
fn benchmarks(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let manifest = workspace.root().join("benchmarks/Cargo.toml");
    let build = workspace.target().join("benchmarks");
    cmd!(sh, "cargo fmt --all --check --manifest-path {manifest}")
        .run()
        .context("run cargo fmt on the benchmarks")?;
    cmd!(
        sh,
        "cargo test --locked --quiet --manifest-path {manifest} --target-dir {build}"
    )
    .run()
    .context("test the benchmarks")
}

/// Makes the archive of each library and asks that its read-me and its sources are in it. Builds nothing.
fn packages(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    for package in workspace.libraries() {
        let name = package.name.as_str();
        let files = cmd!(
            sh,
            "cargo package --list --allow-dirty --offline --package {name}"
        )
        .quiet()
        .read()
        .with_context(|| format!("package {name}"))?;
        for wanted in ["Cargo.toml", "README.md", "src/lib.rs"] {
            ensure!(
                files.lines().any(|file| file == wanted),
                "package {name}: {wanted} is not in it"
            );
        }
        let described = package.description.is_some() && package.license.is_some();
        ensure!(described, "package {name}: no description or licence");
    }
    println!("each library packages with its read-me");
    Ok(())
}

fn is_uncovered(package: &Package) -> bool {
    package
        .features
        .keys()
        .any(|feature| !COVERED.contains(&feature.as_str()))
}
