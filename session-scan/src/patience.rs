//! Whether looks at files wait for a medium, or only take long.
//!
//! Owns the clock and the kernel's count of waits. Must not decide what follows from the answer.

use std::time::{Duration, Instant};

/// Tells looks that wait for a disk or a network from looks that are slow for want of a processor.
///
/// By the clock the two are alike: a look during which the processor was given to somebody else takes milliseconds.
/// So from the first slow look of a round on, Linux is also asked how often the thread has given the processor away
/// because it had to wait, before and after each timed look; only those in which it did count. Elsewhere, or where
/// `/proc` is not there, the clock alone decides.
///
/// Asking costs about 20 µs, and nothing as long as no look is slow.
#[derive(Clone, Debug)]
pub struct Patience {
    limit: Duration,
    timed: usize,
    slow: usize,
}

impl Patience {
    /// Takes looks for slow that take longer than `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            timed: 0,
            slow: 0,
        }
    }

    /// Runs one look on this thread and times it. Looks of one round may be on several threads.
    pub fn time<T>(&mut self, look: impl FnOnce() -> T) -> T {
        let before = if self.slow == 0 { None } else { waits() };
        let began = Instant::now();
        let outcome = look();
        let is_slow = began.elapsed() > self.limit;
        self.timed += 1;
        let has_waited = || before.is_none_or(|before| waits().is_none_or(|now| now > before));
        self.slow += usize::from(is_slow && has_waited());
        outcome
    }

    /// Counts the timed looks of this round.
    #[must_use]
    pub fn timed(&self) -> usize {
        self.timed
    }

    /// Says whether at least three quarters of the round's timed looks waited, and begins another round.
    ///
    /// A mean would do on an idle machine; on a busy one a few looks take very long, and then more threads are the last
    /// thing to ask for.
    pub fn judge(&mut self) -> bool {
        let waits = self.timed > 0 && self.slow * 4 >= self.timed * 3;
        (self.timed, self.slow) = (0, 0);
        waits
    }
}

/// Counts how often this thread has given the processor away of its own accord, which is what waiting is.
#[cfg(target_os = "linux")]
fn waits() -> Option<u64> {
    use std::io::Read as _;
    const KEY: &[u8] = b"\nvoluntary_ctxt_switches:";
    let mut status = [0; 4096];
    let mut file = std::fs::File::open("/proc/thread-self/status").ok()?;
    let mut read = 0;
    while read < status.len() {
        match file.read(&mut status[read..]).ok()? {
            0 => break,
            more => read += more,
        }
    }
    let status = &status[..read];
    let value = &status[memchr::memmem::find(status, KEY)? + KEY.len()..];
    let value = value.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// Not known here.
#[cfg(not(target_os = "linux"))]
fn waits() -> Option<u64> {
    None
}
