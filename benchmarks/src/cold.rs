//! Empties the page cache, so that a case meets files as after a reboot. Root only.

use std::fs;

use anyhow::{Context, Result};

const SWITCH: &str = "/proc/sys/vm/drop_caches";

/// Writes everything back and drops clean pages, names and inodes.
///
/// # Errors
///
/// That the kernel does not let us.
pub fn empty_cache() -> Result<()> {
    rustix::fs::sync();
    fs::write(SWITCH, "3").with_context(|| format!("write {SWITCH}"))
}

/// Whether this process may empty the cache; asking does not empty it.
#[must_use]
pub fn is_allowed() -> bool {
    fs::OpenOptions::new().write(true).open(SWITCH).is_ok()
}
