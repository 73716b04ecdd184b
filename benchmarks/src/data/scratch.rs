//! Directories that a case may write into. Gone with the case.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Data;

impl Data {
    /// Makes an empty directory beside the data sets, on the same file system, so that links to them work.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn scratch(&self) -> Result<TempDir> {
        let root = self.root().join("scratch");
        std::fs::create_dir_all(&root).with_context(|| format!("create {}", root.display()))?;
        tempfile::tempdir_in(&root)
            .with_context(|| format!("create scratch directory in {}", root.display()))
    }
}

/// Copies a file by bytes, so that the copy has pages of its own.
///
/// # Errors
///
/// What the file system says.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
