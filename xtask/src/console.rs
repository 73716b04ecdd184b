//! The commands of README.md and docs/cli.md, run as they stand there: their output must be what the document shows.
//!
//! Owns how a document says what to run; must not know what a command prints. A block of `console` whose first command is the
//! program `sessions`, by that name or by its cargo alias, is run in order, a document after the other, each in a directory of
//! its own; other blocks are left alone.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use crate::workspace::Workspace;

/// The documents, and whether the first example is run before their commands, as it leaves a store to look at.
const DOCUMENTS: &[(&str, bool)] = &[("README.md", true), ("docs/cli.md", false)];

/// The day on which all documents are made, 2026-11-22: ages in them are counted from it.
const TODAY: &str = "1795305600";

/// How a program that is called `sessions` or `cargo sessions` gets at the one that was built.
const PRELUDE: &str = r#"sessions() { "$SESSIONS" "$@"; }; cargo() { shift; "$SESSIONS" "$@"; }; "#;

/// Runs the documents' commands, and compares or writes what they print.
///
/// # Errors
///
/// A document whose commands print something else than it says.
pub(crate) fn run(
    workspace: &Workspace,
    sessions: &Path,
    resume: &Path,
    write: bool,
) -> Result<()> {
    let sh = workspace.shell()?;
    for &(document, after_example) in DOCUMENTS {
        let text = sh
            .read_file(document)
            .with_context(|| format!("read {document}"))?;
        let place = Place::new(workspace.root(), &sh)?;
        if after_example {
            place.run(Command::new(resume))?;
        }
        let (found, commands) = place.rewritten(&text, sessions)?;
        ensure!(commands > 0, "check {document}: no command is in it");
        if write {
            sh.write_file(document, &found)
                .with_context(|| format!("write {document}"))?;
        } else if let Some((said, is)) = first_difference(&text, &found) {
            anyhow::bail!(
                "check {document}: it says {said:?} and the program {is:?}; `cargo xtask examples --write` writes what it prints"
            );
        }
        println!("{commands} commands of {document} run");
    }
    Ok(())
}

/// A directory in which a document's commands are run.
struct Place {
    dir: xshell::TempDir,
}

impl Place {
    fn new(root: &Path, sh: &Shell) -> Result<Self> {
        let dir = sh.create_temp_dir().context("make a directory")?;
        for (name, of) in [
            ("session-store", "session-store"),
            ("transcripts", "session-store/tests/fixtures/transcripts"),
            ("imports", "session-store/tests/fixtures/imports"),
        ] {
            std::os::unix::fs::symlink(root.join(of), dir.path().join(name))
                .with_context(|| format!("link {name}"))?;
        }
        Ok(Self { dir })
    }

    /// The document with what its commands print, and how many they are.
    fn rewritten(&self, text: &str, sessions: &Path) -> Result<(String, usize)> {
        let (mut out, mut commands) = (String::new(), 0);
        let mut block: Option<bool> = None;
        for line in text.lines() {
            match (block, line.strip_prefix("$ ")) {
                (None, _) if line == "```console" => block = Some(false),
                (Some(_), _) if line == "```" => block = None,
                (Some(runs), Some(command)) => {
                    let is_ours = runs
                        || command.starts_with("sessions ")
                        || command.starts_with("cargo sessions ");
                    block = Some(is_ours);
                    if is_ours {
                        commands += 1;
                        writeln!(out, "{line}")?;
                        out.push_str(&self.output(command, sessions)?);
                        continue;
                    }
                }
                // What a command of ours printed when the document was written.
                (Some(true), None) => continue,
                _ => {}
            }
            writeln!(out, "{line}")?;
        }
        Ok((out, commands))
    }

    /// What a command prints, errors included, and the code with which it fails.
    fn output(&self, command: &str, sessions: &Path) -> Result<String> {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{PRELUDE}exec 2>&1; {command}")])
            .env("SESSIONS", sessions)
            .env("SESSIONS_DIR", "demo")
            .env("SOURCE_DATE_EPOCH", TODAY)
            .env("COLUMNS", "80")
            .env("NO_COLOR", "1");
        let output = self.run(shell)?;
        let text = String::from_utf8(output.stdout)
            .with_context(|| format!("read what {command} prints"))?;
        // A reader's directory is another one.
        let mut text = text.replace(&format!("{}/", self.dir.path().display()), "");
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => writeln!(text, "[exit {code}]")?,
            None => anyhow::bail!("run {command}: {}", output.status),
        }
        Ok(text)
    }

    fn run(&self, mut command: Command) -> Result<std::process::Output> {
        let run = command.current_dir(self.dir.path()).output();
        run.with_context(|| format!("run {}", command.get_program().display()))
    }
}

/// The first line in which two texts differ.
fn first_difference<'a>(left: &'a str, right: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut left, mut right) = (left.lines(), right.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (said, is) if said == is => {}
            (said, is) => return Some((said.unwrap_or_default(), is.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_different_line_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(("b", "c")));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some(("", "c")));
    }

    #[test]
    fn only_blocks_of_the_program_are_run_and_their_output_is_replaced() {
        let sh = Shell::new().unwrap();
        let place = Place::new(Path::new("."), &sh).unwrap();
        let text = "x\n```console\n$ other\nold\n```\n```console\n$ sessions a\nold\n$ echo b; exit 3\n```\n";
        let (found, commands) = place.rewritten(text, Path::new("echo")).unwrap();
        assert_eq!(
            found,
            "x\n```console\n$ other\nold\n```\n```console\n$ sessions a\na\n$ echo b; exit 3\nb\n[exit 3]\n```\n"
        );
        assert_eq!(commands, 2);
    }
}
