//! How appends become records of a session's journal.
//!
//! Owns the order of write, sync and acknowledgement, and what is done when one of them fails. Must not know the index, or
//! what makes an append fit its session.

use std::io::{self, Write as _};

use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::journaling::{Journaling, OpenJournal};
use crate::Error;
use crate::append::Stamped;
use crate::backend::{Blob, Lock, publish_now};
use crate::journal::{TITLE, added, begin_hash, frame};

/// A journal that was written.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) end: u64,
    pub(super) next: u64,
    /// Whether it lasts, as far as was asked for.
    pub(super) durable: Result<(), Error>,
}

impl<S: SessionRecord> SessionStore<S> {
    /// Writes a journal with its first records, in the place of whatever has its name.
    ///
    /// The document is made durable before, whoever wrote it: a journal is nothing without it. This store's own is already.
    /// An error says that all is as it was.
    pub(super) fn begin_journal(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        payloads: &[&[u8]],
    ) -> Result<Begun, Error> {
        let (backend, durability) = (&self.shared.backend, self.shared.durability);
        let blob = Blob::journal(id);
        let path = backend.describe(&blob);
        // A backend whose blobs cannot be added to refuses here, before there is a journal.
        drop(backend.append(lock, &blob)?);
        let mut bytes = TITLE.to_vec();
        let first = state.begin.payload();
        let mut next = 0;
        for payload in std::iter::once(first.as_slice()).chain(payloads.iter().copied()) {
            bytes.extend(frame(next, payload).ok_or_else(|| self.too_long(id))?);
            next += 1;
        }
        self.settle(id, lock, state.document)?;
        let mut write = |out: &mut dyn io::Write| {
            out.write_all(&bytes)
                .map_err(|source| Error::io("write", &path, source))
        };
        let replaced = backend.replace(lock, &blob, durability, &mut write, &mut publish_now);
        let durable = match replaced {
            Ok(begun) => {
                if durability.syncs_directories() {
                    self.shared.journals.name(id, begun);
                }
                Ok(())
            }
            Err(error @ Error::NotDurable { .. }) => {
                // Its name may be another's again after a crash, whatever is synced into it: it is begun anew.
                self.shared.journals.poison(id);
                Err(error)
            }
            Err(error) => return Err(error),
        };
        state.hasher = begin_hash(state.begin.revision);
        for payload in payloads {
            state.hasher.update(payload);
        }
        state.has_journal = true;
        let end = bytes.len() as u64;
        Ok(Begun { end, next, durable })
    }

    /// Adds one record to a session's journal, and says when it is as durable as was asked for.
    pub(super) fn write_record(
        &self,
        id: &SessionId,
        lock: &Lock,
        state: &mut Journaling,
        append: &Stamped<'_>,
    ) -> Result<(), Error> {
        let mut record = added(append.elements(), append.members(), append.bytes());
        let Some(open) = &mut state.open else {
            let begun = self.begin_journal(id, lock, state, &[record.payload()])?;
            state.note(append);
            // The record is there. Should opening it fail now, the next append finds out anew what there is.
            match self.reopen(id, lock, begun.end, begun.next, 0) {
                Ok(open) => state.open = Some(open),
                Err(_) => state.is_stale = true,
            }
            return begun.durable;
        };
        let bytes = record.framed(open.next).ok_or_else(|| self.too_long(id))?;
        let length = bytes.len();
        let mut op = "write";
        let mut written = open.file.write_all(bytes);
        if written.is_ok() && self.shared.durability.syncs_files() {
            op = "sync";
            written = open.file.commit();
        }
        let durable = match written.map_err(|source| self.take_back(id, open, length, op, source)) {
            // It is there, only not for certain.
            Err(error @ Error::NotDurable { .. }) => Err(error),
            written => Ok(written?),
        };
        open.end += length as u64;
        open.next += 1;
        state.hasher.update(record.payload());
        state.note(append);
        durable
    }

    /// Cuts off a record that was not acknowledged. Where that fails, as where a sync has, the journal is begun anew by the next
    /// append.
    fn take_back(
        &self,
        id: &SessionId,
        open: &mut OpenJournal,
        bytes: usize,
        op: &'static str,
        source: io::Error,
    ) -> Error {
        let path = self.shared.backend.describe(&Blob::journal(id));
        let cut = open.file.truncate(open.end);
        if op == "sync" || cut.is_err() {
            self.shared.journals.poison(id);
        }
        let is_whole = cut.is_err() && {
            let size = open.file.stat().map(|stat| stat.size);
            op == "sync" || size.is_ok_and(|size| size == open.end + bytes as u64)
        };
        if is_whole {
            // It can be read, for now, and may be read after a crash.
            return Error::NotDurable { path, source };
        }
        Error::io(op, &path, source)
    }

    /// A record is longer than any may be.
    fn too_long(&self, id: &SessionId) -> Error {
        Error::TooLarge {
            path: self.path(id),
            what: "append bytes",
            limit: crate::journal::LONGEST as u64,
        }
    }
}
