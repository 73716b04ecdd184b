//! One look into one file, as a trait: what is searched for is the caller's business.
//!
//! Owns [`Probe`], [`Look`] and [`Ranked`]. Must not know where files come from or in which order they are looked at.

use std::error::Error;

use crate::Entry;

/// What a [`Probe`] saw in one file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Look<H> {
    /// The file is wanted.
    Hit(H),
    /// The file is not wanted.
    Miss,
    /// The probe can't tell, for this reason; the file is reported and the scan goes on.
    Unreadable(Box<dyn Error + Send + Sync>),
}

/// Looks at one opened file and answers hit, miss or unreadable.
///
/// A probe is called from several threads at once and must give the same answer for the same content. It gets the entry
/// as *listed*: if the file was replaced meanwhile, the content may be newer than the entry, and a rank has to be
/// computed from the entry's times.
pub trait Probe<F>: Sync {
    /// What a hit carries.
    type Hit: Ranked + Send;

    /// Looks into `file`, which is the opened `entry`.
    fn probe(&self, entry: &Entry, file: &F) -> Look<Self::Hit>;
}

/// A place in the order that [`Newest`](crate::Newest) yields, greatest first.
///
/// Two rules make stopping early exact. `at` is the first component of the rank: of two hits, the one whose `at` is
/// greater has the greater rank. And `at` is never above the [`modified`](Entry::modified) of the hit's entry. A hit
/// that breaks them may come out of order; `testing::probe_conformance` finds such a probe.
pub trait Ranked {
    /// The full order. Hits of equal rank are yielded by name, greatest first.
    type Rank: Ord;

    /// The hit's place in the order.
    fn rank(&self) -> Self::Rank;

    /// The first component of the rank, in nanoseconds since the Unix epoch.
    fn at(&self) -> i128;
}
