//! How many files are looked at at once.
//!
//! Owns the choice between the processor's threads and the medium's. Must not change an answer: whatever it says, the
//! hits and reports are the same.

use std::time::{Duration, Instant};

use crate::Patience;

/// How many candidates are looked at on the calling thread before anything else: the wanted file is usually among
/// the newest, and starting a thread costs as much as several looks.
pub(super) const ALONE: usize = 8;
/// A worker is worth starting for this many looks.
const LOOKS_A_WORKER: usize = 4;
/// One look in this many is timed once the first few were.
const SAMPLED: usize = 8;
/// A look that takes longer than this waits for something: with everything in memory they take 4 to 15 µs, and the fastest
/// disks need 60 to 100 µs for one read.
const SLOW: Duration = Duration::from_micros(40);
/// A batch with many files in flight that took less than this a file did not need them.
const QUICK: Duration = Duration::from_micros(12);

/// Watches how long looks take.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) threads: usize,
    pub(super) in_flight: usize,
    looks: usize,
    patience: Patience,
    slow: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            threads: 1,
            in_flight: 1,
            looks: 0,
            patience: Patience::new(SLOW),
            slow: false,
        }
    }

    /// Says how many workers the next looks deserve, of which `left` are left.
    pub(super) fn workers(&self, left: usize) -> usize {
        if self.looks < ALONE || left < 2 * LOOKS_A_WORKER {
            return 1;
        }
        let most = if self.slow {
            self.threads.max(self.in_flight)
        } else {
            self.threads
        };
        most.min(left.div_ceil(LOOKS_A_WORKER))
    }

    /// Whether looks have turned out to wait, and those that are left will be given to several workers.
    pub(super) fn hands_on(&self, left: usize) -> bool {
        self.slow && self.in_flight > self.threads && self.workers(left) > 1
    }

    /// Runs one look on the calling thread, and times some of them.
    pub(super) fn look<T>(&mut self, look: impl FnOnce() -> T) -> T {
        let is_timed = self.looks < ALONE || self.looks.is_multiple_of(SAMPLED);
        self.looks += 1;
        if self.in_flight <= self.threads || !is_timed {
            return look();
        }
        let outcome = self.patience.time(look);
        if self.patience.timed() == ALONE {
            self.slow = self.patience.judge();
        }
        outcome
    }

    /// Runs a batch of looks on several workers, which says how many it made, and gives up on them if they turn out needless.
    pub(super) fn batch<T>(&mut self, batch: impl FnOnce() -> (usize, T)) -> T {
        let began = Instant::now();
        let (made, outcomes) = batch();
        self.looks += made;
        let few = u32::try_from(made.max(1)).unwrap_or(u32::MAX);
        self.slow &= began.elapsed() / few > QUICK;
        outcomes
    }
}
