//! A file in quarantine, as its name tells it.

use std::time::{Duration, SystemTime};

use session_model::SessionId;

/// Why a file was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuarantineReason {
    /// A document that was damaged, and salvaged into a new session.
    SalvagedDocument,
    /// A journal that belonged to another document, or was damaged, or whose document was salvaged.
    Journal,
}

/// A file that was put aside and is kept until somebody removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// Whose it was.
    pub id: SessionId,
    /// When it was put aside.
    pub at: SystemTime,
    /// Why.
    pub reason: QuarantineReason,
    /// Its size.
    pub bytes: u64,
    /// Its name in `.store/quarantine/`.
    pub name: String,
}

impl Quarantined {
    /// Reads `<id>.<milliseconds since the epoch>.<random>.<kind>`; anything else is not ours.
    pub(crate) fn parse(name: String, bytes: u64) -> Option<Self> {
        let mut parts = name.split('.');
        let (id, at) = (parts.next()?, parts.next()?);
        let (_random, kind) = (parts.next()?, parts.next()?);
        let reason = match (kind, parts.next()) {
            ("json", None) => QuarantineReason::SalvagedDocument,
            ("journal", None) => QuarantineReason::Journal,
            _ => return None,
        };
        let id = SessionId::new(id).ok()?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at.parse().ok()?))?;
        Some(Self {
            id,
            at,
            reason,
            bytes,
            name,
        })
    }
}
