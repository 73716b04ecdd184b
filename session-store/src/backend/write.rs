//! The protocol of a safe write: create, fill, sync, rename, sync the directory; and of a move and a removal.
//!
//! Owns the order of steps and what is left behind when one of them fails. Nothing here ever removes a target, or syncs
//! a file again whose sync failed.

use std::io::{self, BufWriter, Write as _};

use super::names::{TEMPORARIES, temporary};
use super::{BlobStat, DirBackend, Lock, PublishStep, WriteStep};
use crate::durability::Durability;
use crate::error::Error;
use crate::fs::{FileSystem, WriteFile};

/// Files written in small pieces get small page-cache pages, which makes later reads slower.
const BUFFER: usize = 256 * 1024;
/// How much is written before the medium is set to work on it, so that the sync finds little left to wait for.
const AHEAD: usize = 1 << 20;
/// How many names are tried for a temporary. Names are 64 random bits, so even a second try is a sign of a broken medium.
const NAME_TRIES: u32 = 16;
/// The mode of every file.
const PRIVATE: u32 = 0o600;

/// A temporary that is removed unless it was renamed away.
struct Temporary<'a, F: FileSystem> {
    fs: &'a F,
    path: String,
    renamed: bool,
}

impl<F: FileSystem> Drop for Temporary<'_, F> {
    fn drop(&mut self) {
        if !self.renamed {
            // A medium so broken that this fails too leaves an orphan, which the next sweep removes.
            let _ = self.fs.remove(&self.path);
        }
    }
}

/// A file whose bytes begin their way to the medium while more of them are made.
struct Early {
    file: Box<dyn WriteFile>,
    /// Bytes until the next beginning; `None` where nothing will be synced.
    left: Option<usize>,
}

impl io::Write for Early {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(written);
            if *left == 0 {
                self.file.begin_sync();
                *left = AHEAD;
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: FileSystem> DirBackend<F> {
    pub(super) fn replace_file(
        &self,
        lock: &Lock,
        target: &str,
        dir: &'static str,
        durability: Durability,
        write: &mut WriteStep<'_>,
        publish: &mut PublishStep<'_>,
    ) -> Result<BlobStat, Error> {
        self.ensure_dir(dir, durability)?;
        // A link or a directory in the target's place is not silently replaced, and a stricter mode is kept.
        let mode = self
            .stat_file(target)?
            .map_or(PRIVATE, |stat| stat.mode & PRIVATE);
        let (file, mut temporary) = self.create_temporary(lock, mode)?;
        let file = self.fill(file, &temporary.path, durability, write)?;

        // Asked before the point of no return, so that a failure here changes nothing; renaming moves `changed` on, so it is
        // asked again after. If only that fails, the old answer stands: it merely proves nothing to later comparisons.
        let mut stat = file
            .stat()
            .map_err(|error| self.error("stat", &temporary.path, error))?;
        let published = publish(&mut || {
            if temporary.renamed {
                return Err(self.error("rename", target, io::Error::other("published twice")));
            }
            self.fs
                .rename(&temporary.path, target)
                .map_err(|error| self.error("rename", target, error))?;
            temporary.renamed = true;
            stat = file.stat().unwrap_or(stat);
            Ok(())
        });
        if !temporary.renamed {
            published?;
            return Err(self.error("rename", target, io::Error::other("never published")));
        }
        // The new content is visible now, whatever `publish` says: it is made durable before anybody is told.
        let synced = self.sync_visible(target, &[dir], durability);
        published?;
        synced?;
        Ok(stat)
    }

    /// Replaces the content of a file in place where the medium can, else as a new file.
    pub(super) fn overwrite_file(
        &self,
        lock: &Lock,
        target: &str,
        dir: &'static str,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let overwrite = || self.fs.overwrite(target, PRIVATE, bytes);
        let written = match overwrite() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.ensure_dir(dir, Durability::Process)?;
                overwrite()
            }
            answer => answer,
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let mut write = |out: &mut dyn io::Write| {
                    out.write_all(bytes)
                        .map_err(|error| self.error("write", target, error))
                };
                let durability = Durability::Process;
                self.replace_file(lock, target, dir, durability, &mut write, &mut |step| {
                    step()
                })
                .map(drop)
            }
            answer => answer.map_err(|error| self.error("write", target, error)),
        }
    }

    /// Creates a new file under a name that only the holder of `lock` uses.
    fn create_temporary(
        &self,
        lock: &Lock,
        mode: u32,
    ) -> Result<(Box<dyn WriteFile>, Temporary<'_, F>), Error> {
        let mut made_dir = false;
        for _ in 0..NAME_TRIES {
            let path = temporary(lock.name(), fastrand::u64(..));
            match self.fs.create_new(&path, mode) {
                Ok(file) => {
                    return Ok((
                        file,
                        Temporary {
                            fs: &self.fs,
                            path,
                            renamed: false,
                        },
                    ));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && !made_dir => {
                    // Losing this directory in a crash loses nothing, so it is not synced.
                    self.ensure_dir(TEMPORARIES, Durability::Process)?;
                    made_dir = true;
                }
                Err(error) => return Err(self.error("create", &path, error)),
            }
        }
        Err(self.error("create", TEMPORARIES, io::ErrorKind::AlreadyExists.into()))
    }

    /// Fills and syncs a new file. Dropping it on an error closes it; it is never used again.
    fn fill(
        &self,
        file: Box<dyn WriteFile>,
        path: &str,
        durability: Durability,
        write: &mut WriteStep<'_>,
    ) -> Result<Box<dyn WriteFile>, Error> {
        let left = durability.syncs_files().then_some(AHEAD);
        let mut out = BufWriter::with_capacity(BUFFER, Early { file, left });
        if let Err(error) = write(&mut out) {
            // Without this, dropping the buffer would write it into a file that is about to go.
            drop(out.into_parts());
            return Err(error);
        }
        if let Err(error) = out.flush() {
            drop(out.into_parts());
            return Err(self.error("write", path, error));
        }
        let (Early { mut file, .. }, _) = out.into_parts();
        if durability.syncs_files() {
            file.sync()
                .map_err(|error| self.error("sync", path, error))?;
        }
        Ok(file)
    }

    /// Syncs the directories whose names changed, in order.
    fn sync_visible(
        &self,
        target: &str,
        dirs: &[&'static str],
        durability: Durability,
    ) -> Result<(), Error> {
        if durability.syncs_directories() {
            for dir in dirs {
                self.fs.sync_dir(dir).map_err(|source| Error::NotDurable {
                    path: self.absolute(target),
                    source,
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn transfer_file(
        &self,
        (from, from_dir): (&str, &'static str),
        (to, to_dir): (&str, &'static str),
        durability: Durability,
        publish: &mut PublishStep<'_>,
    ) -> Result<bool, Error> {
        self.judge()?;
        if self.stat_file(from)?.is_none() {
            return Ok(false);
        }
        self.ensure_dir(to_dir, durability)?;
        let (mut moved, mut vanished) = (false, false);
        let published = publish(&mut || {
            if moved {
                return Err(self.error("rename", to, io::Error::other("published twice")));
            }
            self.fs.rename_new(from, to).map_err(|error| {
                vanished = error.kind() == io::ErrorKind::NotFound;
                self.error("rename", to, error)
            })?;
            moved = true;
            Ok(())
        });
        if !moved {
            if vanished {
                return Ok(false);
            }
            published?;
            return Err(self.error("rename", to, io::Error::other("never published")));
        }
        // The new name first: what is durably gone from the old place is durably in the new one.
        let dirs = [to_dir, from_dir];
        let synced = self.sync_visible(
            to,
            if to_dir == from_dir {
                &dirs[..1]
            } else {
                &dirs
            },
            durability,
        );
        published?;
        synced?;
        Ok(true)
    }

    pub(super) fn remove_file(
        &self,
        path: &str,
        dir: &'static str,
        durability: Durability,
    ) -> Result<bool, Error> {
        self.judge()?;
        if self.stat_file(path)?.is_none() {
            return Ok(false);
        }
        let removed = self
            .fs
            .remove(path)
            .map_err(|error| self.error("remove", path, error))?;
        if removed {
            self.sync_visible(path, &[dir], durability)?;
        }
        Ok(removed)
    }
}
