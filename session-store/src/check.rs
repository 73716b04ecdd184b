//! What a check found, as types. Owns severities and reports; must not know how anything is found. Holds no content.

use session_model::SessionId;

mod finding;

pub use finding::Finding;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Everything can be read; something should be looked at.
    Warning,
    /// Some call fails. [`salvage`](crate::SessionStore::salvage) helps where it is the bytes that are damaged.
    Error,
}

/// What a check of one session found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Which session.
    pub id: SessionId,
    /// Bytes of its document and journal.
    pub bytes: u64,
    /// What was found, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether nothing was found that is an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.worst() < Some(Severity::Error)
    }

    /// The worst of the findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }
}

/// What a check of all sessions found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many sessions were checked.
    pub sessions: u64,
    /// Bytes of their documents and journals.
    pub bytes: u64,
    /// Those with findings.
    pub found: Vec<Checked>,
    /// Findings that belong to no session.
    pub leftovers: Vec<Finding>,
}

impl CheckReport {
    /// Whether nothing was found that is an error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let all = self.leftovers.iter();
        self.found.iter().all(Checked::is_sound)
            && all.map(Finding::severity).max() < Some(Severity::Error)
    }
}
