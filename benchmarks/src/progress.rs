//! A progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a run is.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows progress over this many cases if the error stream is a terminal.
    #[must_use]
    pub fn over(cases: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = ProgressBar::new(cases as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{pos}/{len} [{bar:30}] {elapsed} {wide_msg}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// A case begins.
    pub fn begin(&self, case: &str) {
        self.0.set_message(case.to_owned());
    }

    /// The case is over.
    pub fn end(&self) {
        self.0.inc(1);
    }

    /// All are over.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
