//! Counts system calls and the bytes they read, in a pass of its own under `strace` that nobody times.
//!
//! Owns the tracer and the marks that say where the measured part begins and ends; must not know any case.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::method::Watch;
use crate::single;

/// Asking for this path marks the beginning; it exists nowhere.
const BEGIN: &str = "/session-benchmarks/begin";
/// Asking for this path marks the end.
const END: &str = "/session-benchmarks/end";

/// Asking for this path shows whether a tracer looks on.
const PROBE: &str = "/session-benchmarks/probe";

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

/// Asks for what a tracer that has attached sees.
pub fn probe() {
    mark(PROBE);
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

/// Runs this program with these arguments, attaches `strace` when it is [ready](single::READY), and counts what happens
/// between the marks. What a case prepares runs at full speed.
///
/// # Errors
///
/// That `strace` or the program fails.
pub fn trace<S: AsRef<OsStr>>(
    scratch: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Result<Traced> {
    let log = scratch.join("strace.log");
    let mut child = Command::new(std::env::current_exe().context("find this program")?)
        .args(arguments)
        .arg("--wait")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("run ours once more")?;
    let tracer = attach(&mut child, &log);
    // Without a tracer the child finds the end of its input, goes on and ends.
    drop(child.stdin.take());
    let status = child.wait().context("wait for ours")?;
    let output = tracer?.wait_with_output().context("wait for strace")?;
    ensure!(
        status.success() && output.status.success(),
        "run ours under strace: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    count(&String::from_utf8_lossy(&text))
}

/// Waits until the program is ready, and then until the tracer sees what it does.
fn attach(child: &mut Child, log: &Path) -> Result<Child> {
    let mut answers = BufReader::new(child.stdout.take().context("take its output")?).lines();
    let mut ready = || {
        let answer = answers.next().context("it ended before it was ready")?;
        ensure!(answer? == single::READY, "it said something else");
        Ok(())
    };
    ready()?;
    let mut tracer = Command::new("strace")
        .args(["-f", "-qq", "-s", "64", "-e", "signal=none", "-o"])
        .arg(log)
        .args(["-p", &child.id().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("run strace")?;
    while !std::fs::read_to_string(log).is_ok_and(|seen| seen.contains(PROBE)) {
        if tracer.try_wait().context("look after strace")?.is_some() {
            let output = tracer.wait_with_output().context("ask strace")?;
            bail!("attach strace: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(1));
        let told = child.stdin.as_mut().context("take its input")?;
        told.write_all(b"\n").context("ask whether it is ready")?;
        ready()?;
    }
    Ok(tracer)
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
