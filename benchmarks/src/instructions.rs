//! Counts the instructions of the measured part under valgrind, so that a regression shows on a noisy machine.
//!
//! Owns the call of `valgrind --tool=callgrind`; must not know any case.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Whether `valgrind` can be run.
#[must_use]
pub fn is_installed() -> bool {
    let probe = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Runs this program with these arguments and returns the instructions of its measured parts, warm-up included: two
/// runs of ours.
///
/// # Errors
///
/// That valgrind or the program fails, or says nothing.
pub fn count<S: AsRef<OsStr>>(
    scratch: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Result<u64> {
    let profile = scratch.join("callgrind.out");
    let program = std::env::current_exe().context("find this program")?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=session_benchmarks::method::kernel*",
        ])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null())
        .output()
        .context("run valgrind")?;
    ensure!(
        output.status.success(),
        "run valgrind: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text =
        std::fs::read_to_string(&profile).with_context(|| format!("read {}", profile.display()))?;
    let two = total(&text).context("find the total in the profile")?;
    Ok(two / 2)
}

/// The total of a profile.
#[must_use]
pub fn total(profile: &str) -> Option<u64> {
    let totals = profile.lines().find_map(|line| {
        line.strip_prefix("totals:")
            .or(line.strip_prefix("summary:"))
    })?;
    totals.split_whitespace().next()?.parse().ok()
}
