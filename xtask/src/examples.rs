//! Every example is built, and run as a user would run it first: without arguments.
//!
//! Owns the order (build all, then run each); must not know what an example prints.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Message, TargetKind};
use xshell::{Shell, cmd};

use crate::workspace::Workspace;

/// The examples that the README promises.
const PROMISED: &[&str] = &["resume", "embed", "own_record", "chat", "redact"];

/// Builds and runs all examples.
///
/// # Errors
///
/// An example that is promised and missing, does not build, or does not end with success.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let sh = workspace.shell()?;
    let examples = build(&sh)?;
    for name in PROMISED {
        let found = examples.iter().any(|(example, _)| example == name);
        ensure!(found, "run example {name}: there is none");
    }
    for (name, program) in &examples {
        // Its output is shown only when it fails: the result is the exit status.
        let output = cmd!(sh, "{program}")
            .quiet()
            .ignore_status()
            .output()
            .with_context(|| format!("run example {name}"))?;
        if !output.status.success() {
            print!("{}", String::from_utf8_lossy(&output.stdout));
            print!("{}", String::from_utf8_lossy(&output.stderr));
        }
        ensure!(
            output.status.success(),
            "run example {name}: {}",
            output.status
        );
    }
    let names: Vec<&str> = examples.iter().map(|(name, _)| name.as_str()).collect();
    println!("{} examples run: {}", names.len(), names.join(", "));
    Ok(())
}

/// Builds the examples in the profile of the tests, which shares its artifacts with `cargo test`, and returns their names and
/// programs.
fn build(sh: &Shell) -> Result<Vec<(String, PathBuf)>> {
    let messages = cmd!(
        sh,
        "cargo build --workspace --examples --features session-store/tokio --profile test --quiet --message-format=json-render-diagnostics"
    )
    .read()
    .context("build examples")?;
    let mut examples = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message.context("read cargo's messages")? else {
            continue;
        };
        let example = artifact.target.kind.contains(&TargetKind::Example);
        if let Some(program) = artifact.executable.filter(|_| example) {
            examples.push((artifact.target.name, program.into_std_path_buf()));
        }
    }
    examples.sort();
    Ok(examples)
}
