//! ripgrep, as a whole process, where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Whether `rg` can be run.
#[must_use]
pub fn is_installed() -> bool {
    let probe = Command::new("rg")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Counts the files of a directory that contain a text, reading each up to its first match.
///
/// # Errors
///
/// That `rg` cannot be run or fails.
pub fn files_with(directory: &Path, needle: &str, threads: usize) -> Result<u64> {
    matching("-l", directory, needle, threads)
}

/// Counts the files of a directory that contain a text, reading each to its end and counting lines that match.
///
/// # Errors
///
/// That `rg` cannot be run or fails.
pub fn counts_with(directory: &Path, needle: &str, threads: usize) -> Result<u64> {
    matching("-c", directory, needle, threads)
}

/// Runs `rg`, which writes one line a file.
fn matching(what: &str, directory: &Path, needle: &str, threads: usize) -> Result<u64> {
    let output = Command::new("rg")
        .args([
            "--no-config",
            what,
            "-F",
            "-j",
            &threads.to_string(),
            "--",
            needle,
            ".",
        ])
        .current_dir(directory)
        .stderr(Stdio::null())
        .output()
        .context("run rg")?;
    // 1 says that nothing was found.
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "run rg: {}",
        output.status
    );
    Ok(memchr::memchr_iter(b'\n', &output.stdout).count() as u64)
}
