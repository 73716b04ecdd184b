//! A browser without a window.
//!
//! Owns which program, its arguments and its end; must not know what a page is for.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The programs that are looked for on the path, in this order. All are Chromium underneath.
pub(super) const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chromium-headless-shell",
];

/// What the clock of a page advances by once nothing is under way, in milliseconds. It costs no time.
const VIRTUAL: u32 = 10_000;

/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser that is there.
pub(super) struct Browser {
    program: PathBuf,
}

impl Browser {
    /// Returns the named program, which must be there, or the first that is found.
    pub(super) fn find(named: Option<&Path>) -> Result<Option<Self>> {
        if let Some(named) = named {
            ensure!(named.is_file(), "find browser {}: no file", named.display());
            let program = named.to_path_buf();
            return Ok(Some(Self { program }));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let mut programs = NAMES
            .iter()
            .flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
        let program = programs.find(|program| program.is_file());
        Ok(program.map(|program| Self { program }))
    }

    /// Returns what the program calls itself.
    pub(super) fn version(&self) -> Result<String> {
        let output = Command::new(&self.program)
            .arg("--version")
            .stderr(Stdio::null())
            .output()
            .with_context(|| format!("run {}", self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.trim().to_owned())
    }

    /// Loads an address, lets its clock run, and returns the document as it is then. All requests, to whatever host, go to a
    /// proxy at this port.
    pub(super) fn dump(&self, address: &str, proxy: u16) -> Result<String> {
        let profile = tempfile::tempdir().context("create a browser's profile")?;
        let mut child = Command::new(&self.program)
            // The pages are ours, and the sandbox wants what containers do not give.
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-default-apps"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--proxy-server=http://127.0.0.1:{proxy}"))
            .arg("--proxy-bypass-list=<-loopback>")
            .arg(format!("--virtual-time-budget={VIRTUAL}"))
            .args(["--dump-dom", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("run {}", self.program.display()))?;
        let mut stdout = child.stdout.take().context("read the browser's output")?;
        let reader = thread::spawn(move || {
            let mut dom = Vec::new();
            stdout.read_to_end(&mut dom).map(|_| dom)
        });
        let ended = wait(&mut child);
        let Ok(dom) = reader.join() else {
            bail!("read the browser's output: the reader ended");
        };
        ended.with_context(|| format!("show {address}"))?;
        String::from_utf8(dom.context("read the browser's output")?)
            .context("read the browser's output")
    }
}

/// Waits for a browser's end, and makes one if it takes too long.
fn wait(child: &mut Child) -> Result<()> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("wait for the browser")? {
            ensure!(status.success(), "the browser ended with {status}");
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            child.kill().context("end the browser")?;
            child.wait().context("wait for the browser")?;
            bail!("the browser took longer than {} s", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}
