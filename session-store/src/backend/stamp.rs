//! Stamps of the sessions directory, and whether the medium's clock is fine enough to trust a fresh one.
//!
//! Owns the trial of the clock. Must not know what a stamp is compared with.

use std::time::{Duration, Instant};

use session_index::Stamp;

use super::names::{TEMPORARIES, temporary};
use super::{DirBackend, Lock};
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::{Clock, FileSystem};

/// How old a stamp has to be where the clock may be coarse, in nanoseconds: the coarsest clock in use, FAT's, ticks every
/// two seconds.
const TICK: i128 = 2_000_000_000;
/// Renames of a trial. A clock that tells them all apart within [`SHORT`] ticks more often than any coarse one does.
const RENAMES: usize = 4;
/// A trial that took longer shows nothing.
const SHORT: Duration = Duration::from_millis(1);
/// How often a trial is begun again that was interrupted.
const TRIALS: u32 = 3;

impl<F: FileSystem> DirBackend<F> {
    /// Stamps the sessions directory.
    pub(super) fn stamp_root(&self) -> Result<Option<Stamp>, Error> {
        let Some(witness) = self.fs.witness() else {
            return Ok(None);
        };
        self.judge()?;
        let stat = self
            .fs
            .stat("")
            .map_err(|error| self.error("stat", "", error))?;
        Ok(stat.map(|stat| {
            let stat = stat.blob;
            Stamp::new(
                witness.boot,
                stat.device,
                stat.inode,
                stat.modified,
                stat.changed,
            )
        }))
    }

    /// Whether a stamp taken just now is of another time than any later change.
    pub(super) fn root_settles(&self, lock: &Lock, stamp: &Stamp) -> bool {
        match self.fs.witness().map(|witness| witness.clock) {
            Some(Clock::Fine) => return true,
            Some(Clock::Unknown) => {}
            None => return false,
        }
        if let Some((device, fine)) = self.clock.get()
            && *device == stamp.device
            && *fine
        {
            return true;
        }
        let age = self.fs.now().checked_sub(stamp.modified.max(stamp.changed));
        if age.is_some_and(|age| age > TICK) {
            return true;
        }
        if self.clock.get().is_none()
            && let Some(fine) = self.try_clock(lock, stamp.device)
        {
            let _ = self.clock.set((stamp.device, fine));
            return fine;
        }
        false
    }

    /// Renames a file back and forth, and looks whether the directory tells all of it apart; `None` if that was too slow
    /// to say.
    fn try_clock(&self, lock: &Lock, device: u64) -> Option<bool> {
        self.ensure_dir(TEMPORARIES, Durability::Process).ok()?;
        let names = [(); 2].map(|()| temporary(lock.name(), fastrand::u64(..)));
        drop(self.fs.create_new(&names[0], 0o600).ok()?);
        let fine = (0..TRIALS).find_map(|_| {
            let started = Instant::now();
            let mut times = Vec::with_capacity(RENAMES + 1);
            times.push(self.time_of_temporaries(device)?);
            // There and back, so that the next trial begins as this one did.
            for round in 0..RENAMES {
                let (from, to) = (round % 2, (round + 1) % 2);
                self.fs.rename(&names[from], &names[to]).ok()?;
                times.push(self.time_of_temporaries(device)?);
            }
            let distinct = times.windows(2).all(|pair| pair[0] != pair[1]);
            // What looks coarse is taken for it, however long it took.
            (!distinct || started.elapsed() < SHORT).then_some(distinct)
        });
        for name in &names {
            // What cannot be removed is an orphan, for the next sweep.
            let _ = self.fs.remove(name);
        }
        fine
    }

    fn time_of_temporaries(&self, device: u64) -> Option<(i128, i128)> {
        let stat = self.fs.stat(TEMPORARIES).ok()??.blob;
        (stat.device == device).then_some((stat.modified, stat.changed))
    }
}
