//! What "newest" means: the order triple of a session. Knows no files.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use session_model::SessionId;

/// Nanoseconds since the Unix epoch, wide enough for every time that RFC 3339 can spell.
pub(crate) type Nanos = i128;

/// A session's place among others, greatest first in every listing.
///
/// The first component is the smaller of `updated_at` and the file's mtime: mtime alone moves with every backup and
/// copy, and `updated_at` alone can lie in the future. Ties fall to `updated_at`, then to the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recency {
    pub(crate) at: Nanos,
    pub(crate) updated: Nanos,
    pub(crate) id: SessionId,
}

impl Recency {
    /// Orders a session by its `updated_at`, or by its mtime where it has none that can be read.
    pub(crate) fn new(id: SessionId, updated_at: Option<DateTime<Utc>>, modified: Nanos) -> Self {
        let updated = updated_at.map_or(modified, nanos);
        Self {
            at: updated.min(modified),
            updated,
            id,
        }
    }
}

pub(crate) fn nanos(time: DateTime<Utc>) -> Nanos {
    i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos())
}

/// Turns nanoseconds since the epoch into the standard library's time, saturating at what it can hold.
pub(crate) fn system_time(nanos: Nanos) -> SystemTime {
    let magnitude = nanos.unsigned_abs();
    let seconds = u64::try_from(magnitude / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(magnitude % 1_000_000_000).unwrap_or(0);
    let distance = Duration::new(seconds, rest);
    let moved = if nanos < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    moved.unwrap_or(SystemTime::UNIX_EPOCH)
}
