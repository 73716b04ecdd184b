//! The libraries build with the oldest compiler that the manifests promise.
//!
//! Owns finding that toolchain; must not install it, as that is the machine's business (`.ci/run` does).

use anyhow::{Context, Result};
use xshell::cmd;

use crate::workspace::Workspace;

/// Checks all libraries with all features, or says that the toolchain is missing. Without it there remain clippy, which knows
/// since when each item of std exists, and `cargo xtask deps`, which compares what the dependencies ask for.
///
/// # Errors
///
/// A library that does not build, or a workspace that promises no version.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let promised = workspace
        .libraries()
        .find_map(|package| package.rust_version.as_ref())
        .context("read rust-version: no library states one")?
        .to_string();
    let installed = cmd!(sh, "rustup run {promised} cargo --version")
        .quiet()
        .ignore_stderr()
        .read();
    if installed.is_err() {
        println!(
            "skipped, as Rust {promised} is not here: rustup toolchain install {promised} --profile minimal"
        );
        return Ok(());
    }
    // Tests and tooling may use what is newer.
    cmd!(
        sh,
        "rustup run {promised} cargo check --workspace --exclude xtask --all-features --quiet"
    )
    .run()
    .with_context(|| format!("check with Rust {promised}"))?;
    println!("the libraries build with Rust {promised}");
    Ok(())
}
