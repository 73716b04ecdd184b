//! What reaches the terminal.
//!
//! Owns standard output, colours, the stripping of what could act on a terminal, the progress bar and Ctrl-C; must not know sessions.

use std::io::{BufWriter, Stdout, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::Value;
use session_store::Progress;
use unicode_width::UnicodeWidthChar as _;

use crate::failure::Failure;

/// Of ids, roles, and what was found.
pub(crate) const ID: Style = AnsiColor::Yellow.on_default();
pub(crate) const ROLE: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const FOUND: Style = AnsiColor::Red.on_default().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Standard output, and what a user may say meanwhile.
pub(crate) struct Terminal {
    out: BufWriter<AutoStream<Stdout>>,
    /// One JSON value a line is asked for.
    pub(crate) is_json: bool,
    interrupted: Arc<AtomicBool>,
}

impl Terminal {
    pub(crate) fn new(is_json: bool) -> Result<Self, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        // The second Ctrl-C ends the program at once, should the first not get through.
        let register = signal_hook::flag::register_conditional_default(
            signal_hook::consts::SIGINT,
            Arc::clone(&interrupted),
        )
        .and_then(|_| {
            signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted))
        });
        register.map_err(|error| Failure::other(format!("watch for Ctrl-C: {error}")))?;
        let out = BufWriter::new(AutoStream::auto(std::io::stdout()));
        Ok(Self {
            out,
            is_json,
            interrupted,
        })
    }

    /// The flag that Ctrl-C sets.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Fails once Ctrl-C was pressed.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::interrupted());
        }
        Ok(())
    }

    /// A line of text; escapes in it are this program's own.
    pub(crate) fn line(&mut self, line: impl std::fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// A line of JSON, in which nothing acts on a terminal.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Failure> {
        let mut line = String::new();
        for character in value.to_string().chars() {
            if acts(character) {
                // Writing into a string cannot fail.
                let _ = std::fmt::Write::write_fmt(
                    &mut line,
                    format_args!("\\u{:04x}", u32::from(character)),
                );
            } else {
                line.push(character);
            }
        }
        self.line(line)
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.flush()?;
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }

    /// Something beside the answer, on standard error, after what was printed so far.
    pub(crate) fn note(&mut self, note: impl std::fmt::Display) -> Result<(), Failure> {
        self.flush()?;
        // Nobody is left to be told where standard error cannot be written.
        let _ = writeln!(
            anstream::stderr(),
            "sessions: {}",
            clean_line(&note.to_string())
        );
        Ok(())
    }

    /// A bar that shows itself after a second, and ends the work at Ctrl-C.
    pub(crate) fn bar(&self) -> impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static {
        let bar = self.steps();
        move |progress| {
            if bar.reach(progress.files, progress.of).is_err() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }

    /// The same bar for a loop of this program's own.
    pub(crate) fn steps(&self) -> Steps {
        Steps {
            started: Instant::now(),
            interrupted: self.flag(),
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
        }
    }
}

/// How far a long command has come. Goes from the terminal when dropped.
pub(crate) struct Steps {
    started: Instant,
    interrupted: Arc<AtomicBool>,
    bar: ProgressBar,
}

impl Steps {
    /// Shows that so many are done, and fails once Ctrl-C was pressed.
    pub(crate) fn reach(&self, done: u64, of: u64) -> Result<(), Failure> {
        if self.started.elapsed() > Duration::from_secs(1) {
            if self.bar.is_hidden() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            self.bar.set_length(of);
            self.bar.set_position(done);
            if done >= of {
                self.bar.finish_and_clear();
            }
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::interrupted());
        }
        Ok(())
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Whether a character moves the cursor, starts an escape, or turns the direction of what follows.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text without what acts on a terminal; lines and tabs stay.
pub(crate) fn clean(text: &str) -> String {
    strip_str(text)
        .to_string()
        .chars()
        .filter(|&c| c == '\n' || c == '\t' || !acts(c))
        .collect()
}

/// The text as one line without what acts on a terminal.
pub(crate) fn clean_line(text: &str) -> String {
    let stripped = strip_str(text).to_string();
    let spaced = stripped
        .chars()
        .map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c });
    spaced.filter(|&c| !acts(c)).collect()
}

/// One clean line of at most so many columns, filled up with spaces.
pub(crate) fn column(text: &str, width: usize) -> String {
    let mut cut = shorten(text, width);
    let used: usize = cut.chars().map(|c| c.width().unwrap_or(0)).sum();
    cut.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cut
}

/// One clean line of at most so many columns.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    let (mut cut, mut used) = (String::new(), 0);
    let clean = clean_line(text);
    let total: usize = clean.chars().map(|c| c.width().unwrap_or(0)).sum();
    if total <= width {
        return clean;
    }
    for character in clean.chars() {
        used += character.width().unwrap_or(0);
        if used >= width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

/// The time that ages are counted from: now, or `SOURCE_DATE_EPOCH`, by which programs agree to print the same twice
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub(crate) fn now() -> SystemTime {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .unwrap_or_else(SystemTime::now)
}

/// `3.2 MB`, in powers of ten.
pub(crate) fn size(bytes: u64) -> String {
    let mut unit = 1000;
    if bytes < unit {
        return format!("{bytes} B");
    }
    for name in ["kB", "MB", "GB"] {
        if bytes < unit * 1000 || name == "GB" {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
        unit *= 1000;
    }
    format!("{bytes} B")
}

/// `5 min`, `3 h`, `12 d`.
pub(crate) fn age(at: SystemTime) -> String {
    let seconds = now().duration_since(at).map_or(0, |age| age.as_secs());
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
