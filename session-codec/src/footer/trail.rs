//! The end of a document that streams by. Owns what must be held back to tell
//! its revision at the end; must not know JSON.

use super::{find_if_there, text};
use crate::{Revision, RevisionHasher};

/// Bytes held back: the longest footer that is looked at.
#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const HELD: usize = text::LONGEST as usize;

/// Hashes all but the last bytes, in which a footer may begin.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    hashed: u64,
    hasher: RevisionHasher,
    held: Vec<u8>,
}

impl Trail {
    /// Takes the next bytes. Holds at most twice the longest footer and them.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        if self.held.len() > 2 * HELD {
            let sure = self.held.len() - HELD;
            self.hasher.update(&self.held[..sure]);
            self.held.drain(..sure);
            self.hashed += sure as u64;
        }
    }

    /// Returns the revision that a footer names, if one ends the document and
    /// names it rightly.
    pub(crate) fn finish(mut self) -> Option<Revision> {
        let footer = find_if_there(&Shifted(&self)).ok()??.footer;
        let body = usize::try_from(footer.body.checked_sub(self.hashed)?).ok()?;
        self.hasher.update(self.held.get(..body)?);
        (self.hasher.finish() == footer.revision).then_some(footer.revision)
    }
}

/// The held bytes at the place where they stand in the document.
struct Shifted<'a>(&'a Trail);

impl crate::ReadAt for Shifted<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        match offset.checked_sub(self.0.hashed) {
            Some(offset) => self.0.held.read_at(buf, offset),
            None => Ok(0),
        }
    }

    fn size(&self) -> std::io::Result<u64> {
        Ok(self.0.hashed + self.0.held.len() as u64)
    }
}
