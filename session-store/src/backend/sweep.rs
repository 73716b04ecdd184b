//! Removing temporaries whose writer is gone. The rule: a temporary lives under its lock, so whoever can take the lock at
//! once knows that nobody is writing it. No ages, no process ids.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names::{TEMPORARIES, join, lock_of};
use super::{Backend as _, DirBackend, LockName};
use crate::error::Error;
use crate::fs::{EntryKind, FileSystem};

impl<F: FileSystem> DirBackend<F> {
    pub(super) fn sweep_temporaries(&self) -> Result<u64, Error> {
        self.judge()?;
        let found = self
            .fs
            .list(TEMPORARIES, &mut |name| lock_of(name).is_some());
        let found = found
            .map_err(|error| self.error("list", TEMPORARIES, error))?
            .unwrap_or_default();
        let mut by_lock: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in found {
            // Names that `lock_of` accepts are text. Directories are none of our temporaries.
            let (Some(lock), Some(name)) = (lock_of(&entry.name), entry.name.to_str()) else {
                continue;
            };
            if entry
                .stat
                .is_ok_and(|stat| stat.kind != EntryKind::DIRECTORY)
            {
                by_lock
                    .entry(lock.to_owned())
                    .or_default()
                    .push(join(TEMPORARIES, name));
            }
        }
        let (mut removed, mut first_error) = (0, None);
        for (name, paths) in by_lock {
            // The lock is held while its temporaries go. One that was renamed into place meanwhile is simply not there.
            let lock = match self.lock(LockName::from_checked(&name), Duration::ZERO) {
                Ok(lock) => lock,
                Err(error) if error.is_locked() => continue,
                Err(error) => {
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            for path in paths {
                match self.fs.remove(&path) {
                    Ok(was_there) => removed += u64::from(was_there),
                    Err(error) => {
                        first_error.get_or_insert_with(|| self.error("remove", &path, error));
                    }
                }
            }
            drop(lock);
        }
        first_error.map_or(Ok(removed), Err)
    }
}
