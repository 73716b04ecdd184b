//! The data sets: made once by the model's seeded generator, kept under the target directory, described in the output.
//!
//! Owns where they lie and that a half-made one is never used; must not know which case uses which.

pub mod document;
pub mod many;
pub mod scratch;
pub mod split;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Changes when what is generated changes, so that old data sets are not mistaken for new ones.
const VERSION: &str = "v1";

/// The place of all data sets.
#[derive(Clone, Debug)]
pub struct Data {
    root: PathBuf,
}

impl Data {
    /// Keeps data sets under `target`, the build's own directory.
    #[must_use]
    pub fn under(target: &Path) -> Self {
        Self {
            root: target.join("bench-data").join(VERSION),
        }
    }

    /// The directory of all data sets of this version.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the directory `name`, made by `make` if it is not there yet.
    ///
    /// It is made under another name and renamed when complete, so that an interrupted run leaves nothing half-made.
    ///
    /// # Errors
    ///
    /// What `make` or the file system says.
    pub fn directory(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let path = self.root.join(name);
        if path.is_dir() {
            return Ok(path);
        }
        let unfinished = self.root.join(format!("{name}.unfinished"));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)
                .with_context(|| format!("remove {}", unfinished.display()))?;
        }
        fs::create_dir_all(&unfinished)
            .with_context(|| format!("create {}", unfinished.display()))?;
        make(&unfinished).with_context(|| format!("generate {}", path.display()))?;
        fs::rename(&unfinished, &path)
            .with_context(|| format!("rename {}", unfinished.display()))?;
        Ok(path)
    }

    /// Refuses to start what the disk cannot hold.
    ///
    /// # Errors
    ///
    /// A sentence that says what is needed, what there is, and what to do.
    pub fn require_space(&self, bytes: u64) -> Result<()> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("create {}", self.root.display()))?;
        let disk = rustix::fs::statvfs(&self.root)
            .with_context(|| format!("stat {}", self.root.display()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        // What earlier runs made is not made again.
        if free.saturating_add(held(&self.root)) < bytes {
            bail!(
                "generate data sets: they may need {} GB and {} has {} GB free; make room, or use --quick",
                bytes >> 30,
                self.root.display(),
                free >> 30
            );
        }
        Ok(())
    }
}

/// The bytes that the files below a directory take on the disk; what cannot be looked at counts as nothing.
fn held(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => held(&entry.path()),
        Ok(found) => std::os::unix::fs::MetadataExt::blocks(&found) * 512,
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(of).sum()
}
