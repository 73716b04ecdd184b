//! Every example is built, and run as a user would run it first: without arguments. Then the commands of the documents.
//!
//! Owns the order (build all, then run each); must not know what an example prints.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Message, TargetKind};
use xshell::{Shell, cmd};

use crate::console;
use crate::workspace::Workspace;

/// The examples that the README promises.
const PROMISED: &[&str] = &["resume", "embed", "own_record", "chat", "redact"];

/// The program whose commands the documents show, and the example that leaves a store for them.
const PROGRAM: &str = "sessions";
const FIRST: &str = "resume";

/// Builds and runs all examples, then the commands of the documents; their output is compared, or written.
///
/// # Errors
///
/// An example that is promised and missing, does not build, or does not end with success; a document that says what is not so.
pub(crate) fn run(workspace: &Workspace, write: bool) -> Result<()> {
    let sh = workspace.shell()?;
    let (examples, program) = build(&sh)?;
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
    let program = program.with_context(|| format!("build {PROGRAM}: there is none"))?;
    let first = examples.iter().find(|(name, _)| name == FIRST);
    let (_, first) = first.with_context(|| format!("run example {FIRST}: there is none"))?;
    console::run(workspace, &program, first, write)
}

/// The examples by name, and the program.
type Built = (Vec<(String, PathBuf)>, Option<PathBuf>);

/// Builds the examples in the profile of the tests, which shares its artifacts with `cargo test`, and returns their names and
/// programs, and the program that users run.
fn build(sh: &Shell) -> Result<Built> {
    let messages = cmd!(
        sh,
        "cargo build --workspace --examples --bin sessions --features session-store/cli,session-store/tokio --profile test --quiet --message-format=json-render-diagnostics"
    )
    .read()
    .context("build examples")?;
    let (mut examples, mut program) = (Vec::new(), None);
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message.context("read cargo's messages")? else {
            continue;
        };
        let is_example = artifact.target.kind.contains(&TargetKind::Example);
        match artifact.executable {
            Some(path) if is_example => {
                examples.push((artifact.target.name, path.into_std_path_buf()));
            }
            Some(path) if artifact.target.name == PROGRAM => {
                program = Some(path.into_std_path_buf());
            }
            _ => {}
        }
    }
    examples.sort();
    Ok((examples, program))
}
