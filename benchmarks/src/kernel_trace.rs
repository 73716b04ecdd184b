//! Counts system calls and the bytes they read, in a pass of its own under `strace` that nobody times.
//!
//! Owns the tracer and the marks that say where the measured part begins and ends; must not know any case.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::method::Watch;

/// Asking for this path marks the beginning; it exists nowhere.
const BEGIN: &str = "/session-benchmarks/begin";
/// Asking for this path marks the end.
const END: &str = "/session-benchmarks/end";

/// What the kernel was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// System calls.
    pub calls: u64,
    /// Bytes that `read`, `pread64` and their like returned, and that `copy_file_range` copied.
    pub bytes_read: u64,
}

/// Marks the measured part for a tracer that looks on.
#[derive(Debug)]
pub struct Marks;

impl Watch for Marks {
    fn begin(&mut self) {
        mark(BEGIN);
    }

    fn end(&mut self) {
        mark(END);
    }
}

fn mark(path: &str) {
    // The answer is always that there is no such file; what counts is that the tracer sees the question.
    rustix::fs::access(path, rustix::fs::Access::EXISTS).ok();
}

/// Whether `strace` can be run.
#[must_use]
pub fn is_installed() -> bool {
    let probe = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Runs this program with these arguments under `strace` and counts what happens between the marks.
///
/// # Errors
///
/// That `strace` or the program fails.
pub fn trace<S: AsRef<OsStr>>(
    scratch: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Result<Traced> {
    let log = scratch.join("strace.log");
    let program = std::env::current_exe().context("find this program")?;
    let output = Command::new("strace")
        .args(["-f", "-qq", "-s", "64", "-e", "signal=none", "-o"])
        .arg(&log)
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null())
        .output()
        .context("run strace")?;
    ensure!(
        output.status.success(),
        "run strace: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    count(&String::from_utf8_lossy(&text))
}

/// Counts the calls between the marks of a log.
///
/// # Errors
///
/// That a mark is missing.
pub fn count(log: &str) -> Result<Traced> {
    let begin = log
        .lines()
        .position(|line| line.contains(BEGIN))
        .context("find the first mark")?;
    let end = log
        .lines()
        .position(|line| line.contains(END))
        .context("find the last mark")?;
    let mut traced = Traced::default();
    for line in log.lines().take(end).skip(begin + 1) {
        // The tracer writes the number of the thread first.
        let call = line
            .trim_start()
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start();
        // The second half of a call that another thread interrupted has the result, but is no call of its own.
        if !call.starts_with("<...") {
            traced.calls += 1;
        }
        if reads(call.trim_start_matches("<... ")) {
            let result = call.rsplit_once(" = ").map_or("", |(_, result)| result);
            traced.bytes_read += result
                .split_whitespace()
                .next()
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or(0);
        }
    }
    Ok(traced)
}

fn reads(call: &str) -> bool {
    [
        "read(",
        "pread64(",
        "readv(",
        "preadv(",
        "copy_file_range(",
        "read resumed",
        "pread64 resumed",
    ]
    .iter()
    .any(|name| call.starts_with(name))
}
