//! What tells that nothing has changed: the stamp of a watched directory, and who can take one. Knows no file system.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

/// The state of a watched directory as its stat tells it. Equal stamps mean that no name in it has changed in between.
///
/// Both times are kept because one of them can be set: a copying program puts a directory's modification time back, but
/// nobody can put back its change time. The boot is kept because a clock may start again where it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stamp {
    /// The run of the system in which the times were told.
    pub boot: u128,
    /// The device that holds the directory.
    pub device: u64,
    /// The directory's number on it.
    pub inode: u64,
    /// When a name in it last changed, in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// When anything about it last changed, in nanoseconds since the Unix epoch.
    pub changed: i128,
}

impl Stamp {
    /// Makes a stamp of its five numbers.
    #[must_use]
    pub fn new(boot: u128, device: u64, inode: u64, modified: i128, changed: i128) -> Self {
        Self {
            boot,
            device,
            inode,
            modified,
            changed,
        }
    }
}

/// Takes stamps of the directory that an index is about.
///
/// The methods have defaults that never prove anything.
pub trait Watch: Debug + Send + Sync {
    /// Stamps the directory as it is now; `None` where equal stamps would prove nothing, such as on a network mount.
    ///
    /// # Errors
    ///
    /// Whatever the medium says.
    fn stamp(&self) -> io::Result<Option<Stamp>> {
        Ok(None)
    }

    /// Whether every change from now on is certain to give another stamp than this one, which was taken just now.
    ///
    /// A clock that ticks slowly gives two changes one time, so a stamp has to be older than a tick there.
    /// Called only while the index lock is held.
    fn settles(&self, stamp: &Stamp) -> bool {
        let _ = stamp;
        false
    }
}

/// Watches nothing, so that nothing is ever proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unwatched;

impl Watch for Unwatched {}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Watch + ?Sized> Watch for $pointer {
            fn stamp(&self) -> io::Result<Option<Stamp>> {
                (**self).stamp()
            }

            fn settles(&self, stamp: &Stamp) -> bool {
                (**self).settles(stamp)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);

/// The trait is used as `dyn`; this stops compiling when it no longer can be.
const _: fn(&dyn Watch) = |_| ();
