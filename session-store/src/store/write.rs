//! The one place where a session's document is written: bounded, published under the index lock, and then seen.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use session_codec::Encoded;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::checkpoint::Ending;
use crate::Error;
use crate::backend::{Blob, BlobStat, Lock};
use crate::failure::from_codec;
use crate::view::Seen;

/// What is about to be written, as far as others must know.
#[derive(Debug)]
pub(super) struct Target<'t> {
    pub(super) id: &'t SessionId,
    pub(super) directory: Option<&'t Path>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub(super) over: Over,
}

/// What a document may be written over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over {
    /// Whatever is there.
    Anything,
    /// What the caller's checks were made on: this file, or none.
    Only(Option<BlobStat>),
}

/// A document that is in place.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) seen: Seen,
    /// Whether it is there for certain; only [`Error::NotDurable`] otherwise.
    pub(super) durable: Result<(), Error>,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Replaces a session's document by what `encode` writes; the caller holds the session's lock.
    pub(super) fn write_document(
        &self,
        lock: &Lock,
        target: &Target<'_>,
        encode: &mut dyn FnMut(&mut Bounded<'_>) -> Result<Encoded, session_codec::Error>,
    ) -> Result<Written, Error> {
        let journal = self.journal_of(target.id, lock)?;
        self.write_over(lock, target, journal, encode)
    }

    /// Does as `write_document` for a document whose journal is known.
    pub(super) fn write_over(
        &self,
        lock: &Lock,
        target: &Target<'_>,
        mut journal: Option<Ending>,
        encode: &mut dyn FnMut(&mut Bounded<'_>) -> Result<Encoded, session_codec::Error>,
    ) -> Result<Written, Error> {
        let path = self.path(target.id);
        let limit = self.shared.limits.document_bytes();
        let encoded = Cell::new(None);
        let stat = self.shared.backend.replace(
            lock,
            &Blob::session(target.id),
            self.shared.durability,
            &mut |out| {
                let mut out = Bounded {
                    out,
                    left: limit,
                    exceeded: false,
                };
                let result = encode(&mut out);
                if out.exceeded {
                    let (path, what) = (path.clone(), "document bytes");
                    return Err(Error::TooLarge { path, what, limit });
                }
                encoded.set(Some(
                    result.map_err(|error| from_codec("write", &path, error))?,
                ));
                Ok(())
            },
            &mut |rename| {
                // Whoever finds the new document beside the journal shall know that it has everything.
                if let (Some(journal), Some(encoded)) = (&mut journal, encoded.get()) {
                    self.announce(target.id, journal, encoded.revision)?;
                }
                self.publish(target, rename)
            },
        );
        // The new document is in place, only not for certain: its writer has seen it all the same.
        let (stat, durable) = match stat {
            Ok(stat) => (Some(stat), Ok(())),
            Err(error @ Error::NotDurable { .. }) => (None, Err(error)),
            Err(error) => return Err(error),
        };
        if let Some(stat) = stat.filter(|_| self.shared.durability.syncs_directories()) {
            self.shared.journals.settle(target.id, stat);
        }
        let Some(Encoded { revision, .. }) = encoded.get() else {
            // A backend that answers success without having asked for the bytes broke its contract.
            let reason = "the backend did not take the document".to_owned();
            return Err(Error::Refused { path, reason });
        };
        // Not before the new document is there for certain: until then, the journal and the old one are all there may be.
        if let (Some(journal), Ok(())) = (journal, &durable) {
            self.drop_journal(target.id, lock, journal);
        }
        Ok(Written {
            seen: Seen { revision, stat },
            durable,
        })
    }
}

/// Stops an encoding at the store's limit, before the temporary fills the disk.
pub(super) struct Bounded<'w> {
    out: &'w mut dyn Write,
    left: u64,
    exceeded: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.len() as u64 > self.left {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.out.write(buf)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
