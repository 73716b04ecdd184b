//! What a run ran on, as far as a reader of its numbers needs to know.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// A machine and the state of the project on it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// How many threads run at once.
    pub threads: usize,
    /// Memory in megabytes.
    pub memory_mb: u64,
    /// The kernel.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// The commit, `+` if the work tree differs from it.
    pub commit: String,
    /// When the run was, as RFC 3339.
    pub date: String,
}

impl Machine {
    /// Looks at this machine and at the project in a directory. What cannot be found out is empty.
    #[must_use]
    pub fn here(project: &Path) -> Self {
        let threads = std::thread::available_parallelism().map_or(0, usize::from);
        let changed = !output(project, "git", &["status", "--porcelain"]).is_empty();
        let commit = output(project, "git", &["rev-parse", "--short", "HEAD"]);
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            threads,
            memory_mb: field("/proc/meminfo", "MemTotal")
                .trim_end_matches(" kB")
                .parse::<u64>()
                .unwrap_or(0)
                / 1024,
            kernel: read("/proc/sys/kernel/osrelease"),
            rustc: output(project, "rustc", &["--version"]),
            commit: if changed {
                format!("{commit}+")
            } else {
                commit
            },
            date: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        }
    }

    /// A name for the machine's directory of records: its processor and its number of threads.
    #[must_use]
    pub fn name(&self) -> String {
        let cpu = if self.cpu.is_empty() {
            "unknown"
        } else {
            &self.cpu
        };
        let words: String = cpu
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
        let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
        format!("{}-{}t", words.join("-"), self.threads)
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':'))
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

fn output(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| output.stdout)
        .unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}
