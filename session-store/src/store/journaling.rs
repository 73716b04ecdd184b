//! What the holder of a session's lock knows of its journal, and how it is begun, gone on with, and begun anew.
//!
//! Owns the order of write, sync and acknowledgement, and what is done when one of them fails. Must not know the index, or
//! what makes an append fit its session.

use std::io::{self, Write as _};
use std::path::Path;

use session_codec::{FooterUse, Revision, RevisionHasher, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::skeleton::Skeletons;
use super::told::Keys;
use crate::Error;
use crate::append::Stamped;
use crate::backend::{AppendFile, Blob, BlobStat, Lock, publish_now};
use crate::corpus::{Beside, Document, Documents};
use crate::failure::{beforehand, from_codec};
use crate::journal::{Begin, TITLE, added, begin_hash, frame};
use crate::trace::event;

/// A session that is being appended to, as the holder of its lock knows it.
#[derive(Debug)]
pub(super) struct Journaling {
    pub(super) document: BlobStat,
    /// The document was written since, so that all of this is to be found out anew.
    pub(super) is_stale: bool,
    pub(super) keys: Keys,
    /// The session's header, once an append has made it.
    pub(super) header: Option<SessionHeader>,
    begin: Begin,
    /// The record as it is now, less the elements that a window may leave out.
    pub(super) kept: Vec<u8>,
    pub(super) skeletons: Skeletons,
    /// What the journal adds to, and what it sets.
    arrays: Vec<String>,
    members: Vec<String>,
    has_journal: bool,
    pub(super) open: Option<OpenJournal>,
    hasher: RevisionHasher,
}

/// A journal that is there, open at its end.
#[derive(Debug)]
pub(super) struct OpenJournal {
    file: Box<dyn AppendFile>,
    stat: BlobStat,
    end: u64,
    next: u64,
}

/// A journal that was written.
#[derive(Debug)]
struct Begun {
    end: u64,
    next: u64,
    /// Whether it lasts, as far as was asked for.
    durable: Result<(), Error>,
}

impl OpenJournal {
    /// When the journal was last written to.
    pub(super) fn modified(&self) -> i128 {
        self.file.stat().unwrap_or(self.stat).modified
    }
}

impl Journaling {
    /// The revision of document and journal as one.
    pub(super) fn revision(&self) -> Revision {
        if self.has_journal {
            self.hasher.finish()
        } else {
            self.begin.revision
        }
    }

    /// Looks what the journal's file has become, for whoever comes back to this once the lock was released.
    pub(super) fn look(&mut self) {
        if let Some(open) = &mut self.open {
            // Should this fail, the old stat merely proves nothing to the next look.
            open.stat = open.file.stat().unwrap_or(open.stat);
        }
    }

    /// The bytes of the journal.
    pub(super) fn unfolded(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.end)
    }

    /// Whether an append sets what is added to, or adds to what is set: no journal can say in which order.
    pub(super) fn clashes(&self, append: &Stamped<'_>, capped: &[&str]) -> bool {
        let sets_array = append.members().any(|(name, _)| {
            capped.contains(&name) || self.arrays.iter().any(|array| array == name)
        });
        sets_array
            || append
                .elements()
                .any(|(array, _)| self.members.iter().any(|member| member == array))
    }

    fn note(&mut self, append: &Stamped<'_>) {
        let note = |known: &mut Vec<String>, name: &str| {
            if !known.iter().any(|known| known == name) {
                known.push(name.to_owned());
            }
        };
        append
            .elements()
            .for_each(|(array, _)| note(&mut self.arrays, array));
        append
            .members()
            .for_each(|(name, _)| note(&mut self.members, name));
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// What is known of a session from an append before, if nobody has changed it since.
    pub(super) fn remembered(&self, id: &SessionId) -> Result<Option<Journaling>, Error> {
        let Some(state) = self.shared.journals.take(id) else {
            return Ok(None);
        };
        let backend = &self.shared.backend;
        let journal = backend.stat(&Blob::journal(id))?;
        let same = backend.stat(&Blob::session(id))? == Some(state.document)
            && journal == state.open.as_ref().map(|open| open.stat);
        Ok(
            Some(state)
                .filter(|state| same && !state.is_stale && self.shared.journals.is_sound(id)),
        )
    }

    /// Looks at a session that is to be appended to, and makes its journal one that can be gone on with.
    pub(super) fn open_journaling(&self, id: &SessionId, lock: &Lock) -> Result<Journaling, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let path = self.path(id);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
        if let Beside::Displaced = document.beside() {
            self.set_journal_aside(id, lock)?;
        }
        let stat = document
            .stat()
            .map_err(|source| Error::io("stat", &path, source))?;
        let sound = self.shared.journals.is_sound(id);
        match document.overlay() {
            Some(overlay) if sound && overlay.kept(S::CAPPED).is_some() => {
                let begin = overlay.journal().begin.clone();
                let (arrays, members) = overlay.names();
                let kept =
                    self.laid_over(&begin.kept, &overlay.amendment(&all_of(S::CAPPED)), &path)?;
                let (end, next) = (overlay.journal().end(), overlay.journal().next());
                let open = self.reopen(id, lock, end, next, overlay.journal().torn())?;
                Ok(Journaling {
                    document: stat,
                    is_stale: false,
                    keys: Keys::default(),
                    header: None,
                    hasher: overlay.hasher(begin.revision),
                    begin,
                    kept,
                    skeletons: Skeletons::default(),
                    arrays,
                    members,
                    has_journal: true,
                    open: Some(open),
                })
            }
            overlay => {
                let mut state = self.unbegun(&document, stat, &path)?;
                if let Some(overlay) = overlay {
                    // The document's file is another one with the same content, or the journal's is not to be relied upon.
                    let payloads: Vec<&[u8]> = overlay.payloads().collect();
                    let begun = self.begin_journal(id, lock, &mut state, &payloads)?;
                    begun.durable.map_err(beforehand)?;
                    // Nobody may go on without it: what begins a journal takes the place of this one.
                    state.open = Some(self.reopen(id, lock, begun.end, begun.next, 0)?);
                    (state.arrays, state.members) = overlay.names();
                    state.kept =
                        self.laid_over(&state.kept, &overlay.amendment(&all_of(S::CAPPED)), &path)?;
                }
                self.shared.journals.cure(id);
                Ok(state)
            }
        }
    }

    /// Opens a journal at its end, cutting off what a crash left there: only the holder of the lock may.
    fn reopen(
        &self,
        id: &SessionId,
        lock: &Lock,
        end: u64,
        next: u64,
        torn: u64,
    ) -> Result<OpenJournal, Error> {
        let blob = Blob::journal(id);
        let path = self.shared.backend.describe(&blob);
        let mut file = self
            .shared
            .backend
            .append(lock, &blob)?
            .ok_or_else(|| Error::io("open", &path, io::ErrorKind::NotFound.into()))?;
        if torn > 0 {
            file.truncate(end)
                .map_err(|source| Error::io("truncate", &path, source))?;
            event!(%id, bytes = torn, "journal_tail_dropped");
        }
        let stat = file
            .stat()
            .map_err(|source| Error::io("stat", &path, source))?;
        Ok(OpenJournal {
            file,
            stat,
            end,
            next,
        })
    }

    /// A session that has no journal yet.
    fn unbegun(
        &self,
        document: &Document<'_>,
        stat: BlobStat,
        path: &Path,
    ) -> Result<Journaling, Error> {
        // One pass gives the revision, and everything of the document but its elements.
        let kept = self
            .shared
            .codec
            .prune(document, &TailCap::all(S::CAPPED, 0))
            .map_err(|error| from_codec("read", path, error))?;
        // By its bytes: what a footer says of them may be wrong, and then nothing would tell this document again.
        let revision = match kept.footer {
            FooterUse::Used => document
                .own_revision()
                .map_err(|error| from_codec("read", path, error))?,
            _ => kept.revision,
        };
        let begin = Begin {
            stat,
            revision,
            counts: kept
                .dropped
                .into_iter()
                .map(|(array, count)| (array, Some(count)))
                .collect(),
            kept: kept.json,
        };
        Ok(Journaling {
            document: stat,
            is_stale: false,
            keys: Keys::default(),
            header: None,
            kept: begin.kept.clone(),
            skeletons: Skeletons::default(),
            hasher: begin_hash(begin.revision),
            begin,
            arrays: Vec::new(),
            members: Vec::new(),
            has_journal: false,
            open: None,
        })
    }

    /// Writes a journal with its first records, in the place of whatever has its name.
    ///
    /// The document is made durable before, whoever wrote it: a journal is nothing without it. This store's own is already.
    /// An error says that all is as it was.
    fn begin_journal(
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
        if durability.syncs_directories() && !self.shared.journals.is_settled(id, state.document) {
            backend.persist(lock, &Blob::session(id))?;
        }
        let mut write = |out: &mut dyn io::Write| {
            out.write_all(&bytes)
                .map_err(|source| Error::io("write", &path, source))
        };
        let replaced = backend.replace(lock, &blob, durability, &mut write, &mut publish_now);
        let durable = match replaced {
            Ok(_) => Ok(()),
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

    /// A record is longer than any may be.
    fn too_long(&self, id: &SessionId) -> Error {
        Error::TooLarge {
            path: self.path(id),
            what: "append bytes",
            limit: crate::journal::LONGEST as u64,
        }
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
        if let Err(source) = written {
            if op == "sync" {
                self.shared.journals.poison(id);
            }
            return Err(self.take_back(id, open, length, op, source));
        }
        open.end += length as u64;
        open.next += 1;
        state.hasher.update(record.payload());
        state.note(append);
        Ok(())
    }

    /// Cuts off a record that was not acknowledged. Where that fails, the journal is begun anew by the next append.
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
        let is_whole = cut.is_err() && {
            self.shared.journals.poison(id);
            let size = open.file.stat().map(|stat| stat.size);
            op == "sync" || size.is_ok_and(|size| size == open.end + bytes as u64)
        };
        if is_whole {
            // It can be read, for now, and may be read after a crash.
            return Error::NotDurable { path, source };
        }
        Error::io(op, &path, source)
    }
}

/// A skip of all that is added to some arrays.
fn all_of(arrays: &[&str]) -> Vec<(String, u64)> {
    let all = arrays.iter();
    all.map(|array| ((*array).to_owned(), u64::MAX)).collect()
}
