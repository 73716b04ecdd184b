//! Who vouches for the times of files. Knows no files.

/// Who stamps the root's entries with times, so that equal times can mean that nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Witness {
    /// The run of the system whose clock it is.
    pub boot: u128,
    /// What is known of the clock.
    pub clock: Clock,
}

impl Witness {
    /// Makes a witness, for implementations of [`FileSystem`](super::FileSystem).
    #[must_use]
    pub fn new(boot: u128, clock: Clock) -> Self {
        Self { boot, clock }
    }
}

/// How finely a file system tells the time of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Clock {
    /// A change after a stat never has the time that the stat told.
    Fine,
    /// Perhaps by a clock that ticks every few milliseconds: to be tried, or waited for.
    Unknown,
}
