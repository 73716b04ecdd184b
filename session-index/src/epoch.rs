//! The time between two interruptions of what an index knows. Owns how epochs are named.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::process;
use std::time::SystemTime;

/// A name for a stretch of time in which every change was told to the index.
///
/// Never used twice: a pointer that a crash left behind, written for an epoch that never began, must not be taken for
/// one of a later epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Epoch(u128);

impl Epoch {
    /// Makes up an epoch from random keys, which are others for each call, and from time and process, as a fork has the
    /// keys of its parent.
    pub(crate) fn fresh() -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let half = || u128::from(RandomState::new().hash_one((now, process::id())));
        Self(half() << 64 | half())
    }

    /// The mutant of [`fresh`](Self::fresh): the next number.
    pub(crate) fn after(last: Option<Self>) -> Self {
        Self(last.map_or(1, |Self(last)| last.wrapping_add(1)))
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text.len() == 32)
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
