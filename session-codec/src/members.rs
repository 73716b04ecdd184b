//! Counting a document's members against their limit. Owns that one check, which
//! every listener that remembers members needs.

use crate::{Error, LimitKind, Limits};

/// Counts the members seen so far.
#[derive(Debug)]
pub(crate) struct Members {
    seen: u32,
    limit: u32,
}

impl Members {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            seen: 0,
            limit: limits.members,
        }
    }

    /// Counts a member whose name starts at `at`.
    pub(crate) fn count(&mut self, at: u64) -> Result<(), Error> {
        if self.seen == self.limit {
            let limit = u64::from(self.limit);
            return Err(Error::Limit {
                offset: at,
                what: LimitKind::Members,
                limit,
            });
        }
        self.seen += 1;
        Ok(())
    }
}
