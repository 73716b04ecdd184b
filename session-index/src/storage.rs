//! What an index needs from the place where it is kept: a few small named blobs and one lock. Knows no format and no
//! file system.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;

use crate::stamp::Watch;
use crate::turn::Turn;

/// Keeps small named blobs, replaced as a whole, and one lock over all of them.
///
/// Names are short, made by the index, and consist of ASCII letters, digits, `-`, `_` and `.` only. `replace`,
/// `overwrite` and `remove` are called only while the lock is held, `read` at any time. What an index is about is
/// [watched](Watch) by its storage, as both are on one file system.
pub trait IndexStorage: Watch {
    /// Reads the blob `name`, but no more than its first `limit` bytes; `None` if there is no such blob.
    ///
    /// A caller that must not mistake a part for the whole asks for one byte more than it accepts.
    ///
    /// # Errors
    ///
    /// Whatever the medium says. Something under that name that is not a plain blob (a directory, a link) is an error.
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>>;

    /// Replaces or creates the blob `name` atomically: at any time a reader sees the old bytes or the new ones.
    ///
    /// # Errors
    ///
    /// Whatever the medium says; the old bytes are still there, or the new ones are visible but perhaps not durable.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Replaces or creates the blob `name`, in whatever way is fastest: a reader may see a mixture of old and new bytes.
    ///
    /// For blobs that carry a checksum, so that a mixture is told from a whole one.
    ///
    /// # Errors
    ///
    /// Whatever the medium says; a mixture may be left behind.
    fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace(name, bytes)
    }

    /// Removes the blob `name`; `false` if there is none.
    ///
    /// # Errors
    ///
    /// Whatever the medium says.
    fn remove(&self, name: &str) -> io::Result<bool>;

    /// Tells the names of all blobs, in no order; none where they cannot be told.
    ///
    /// # Errors
    ///
    /// Whatever the medium says.
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Takes the lock that excludes every other writer, in this process and in others. A storage that tells
    /// [turns](Self::turn) shows a new one before this returns.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut) when somebody else holds it
    /// for longer than the storage waits; any other kind when it cannot be taken at all.
    fn lock(&self) -> io::Result<StorageLock<'_>>;

    /// Shows how often the lock was taken, by whomever; `None` where that cannot be told.
    fn turn(&self) -> Option<Turn> {
        None
    }
}

/// Holds an index storage's lock until it is dropped.
#[must_use = "dropping it releases the lock"]
pub struct StorageLock<'a>(
    #[expect(dead_code, reason = "it is kept for its Drop alone")] Box<dyn Send + 'a>,
);

impl<'a> StorageLock<'a> {
    /// Makes a lock out of anything that releases it when dropped.
    pub fn new(guard: impl Send + 'a) -> Self {
        Self(Box::new(guard))
    }
}

impl Debug for StorageLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageLock")
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: IndexStorage + ?Sized> IndexStorage for $pointer {
            fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
                (**self).read(name, limit)
            }

            fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
                (**self).replace(name, bytes)
            }

            fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
                (**self).overwrite(name, bytes)
            }

            fn remove(&self, name: &str) -> io::Result<bool> {
                (**self).remove(name)
            }

            fn names(&self) -> io::Result<Vec<String>> {
                (**self).names()
            }

            fn lock(&self) -> io::Result<StorageLock<'_>> {
                (**self).lock()
            }
            fn turn(&self) -> Option<Turn> {
                (**self).turn()
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);

/// The trait is used as `dyn`; this stops compiling when it no longer can be.
const _: fn(&dyn IndexStorage) = |_| ();
