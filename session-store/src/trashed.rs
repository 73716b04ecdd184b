//! A session in the trash, as its file name tells it.

use std::time::{Duration, SystemTime};

use session_model::SessionId;

/// A session that was thrown away and can be [restored](crate::SessionStore::restore).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trashed {
    /// Which session it was.
    pub id: SessionId,
    /// When it was thrown away.
    pub at: SystemTime,
    /// The size of its document.
    pub bytes: u64,
    /// The file's name in the trash.
    pub(crate) name: String,
}

impl Trashed {
    /// Reads `<id>.<milliseconds since the epoch>.<random>.json`; anything else in the trash is not ours to touch.
    pub(crate) fn parse(name: String, bytes: u64) -> Option<Self> {
        let mut parts = name.split('.');
        let (id, at) = (parts.next()?, parts.next()?);
        let (_random, ending) = (parts.next()?, parts.next()?);
        if ending != "json" || parts.next().is_some() {
            return None;
        }
        let id = SessionId::new(id).ok()?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at.parse().ok()?))?;
        Some(Self {
            id,
            at,
            bytes,
            name,
        })
    }
}
