//! What the holder of a session's lock knows of its journal, and how that is found out.
//!
//! Owns which journal can be gone on with, and what is made certain before. Must not know the index, or what makes an append fit
//! its session.

use std::io;
use std::path::Path;

use session_codec::{FooterUse, Revision, RevisionHasher, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use super::skeleton::Skeletons;
use super::told::Keys;
use crate::Error;
use crate::append::Stamped;
use crate::backend::{AppendFile, Blob, BlobStat, Lock};
use crate::corpus::{Beside, Document, Documents};
use crate::failure::{beforehand, from_codec};
use crate::journal::{Begin, MOST_NAMES, begin_hash};
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
    pub(super) begin: Begin,
    /// The record as it is now, less the elements that a window may leave out.
    pub(super) kept: Vec<u8>,
    pub(super) skeletons: Skeletons,
    /// What the journal adds to, and what it sets.
    arrays: Vec<String>,
    members: Vec<String>,
    pub(super) has_journal: bool,
    pub(super) open: Option<OpenJournal>,
    pub(super) hasher: RevisionHasher,
}

/// A journal that is there, open at its end.
#[derive(Debug)]
pub(super) struct OpenJournal {
    pub(super) file: Box<dyn AppendFile>,
    stat: BlobStat,
    pub(super) end: u64,
    pub(super) next: u64,
}

impl OpenJournal {
    /// When the journal was last written to.
    pub(super) fn modified(&self) -> i128 {
        self.stat.modified
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
            // Should this fail, or another have added to it or cut it, the old stat merely proves nothing to the next look.
            let stat = open.file.stat().ok();
            let stat = stat.filter(|stat| stat.size == open.end);
            open.stat = stat.unwrap_or(open.stat);
        }
    }

    /// The bytes of the journal.
    pub(super) fn unfolded(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.end)
    }

    /// Whether the journal would add to more arrays and set more members than any may.
    fn has_too_many_names(&self, append: &Stamped<'_>) -> bool {
        let mut arrays: Vec<&str> = Vec::new();
        for (array, _) in append.elements() {
            let is_known = self.arrays.iter().any(|known| known == array);
            if !is_known && !arrays.contains(&array) {
                arrays.push(array);
            }
        }
        let members = append.members();
        let members = members.filter(|(name, _)| !self.members.iter().any(|known| known == name));
        let known = self.arrays.len() + self.members.len();
        known + arrays.len() + members.count() > MOST_NAMES
    }

    /// Whether an append does what no journal can say: sets what is added to, or adds to what is set, in whichever order; or
    /// names too much.
    pub(super) fn clashes(&self, append: &Stamped<'_>, capped: &[&str]) -> bool {
        let sets_array = append.members().any(|(name, _)| {
            capped.contains(&name) || self.arrays.iter().any(|array| array == name)
        });
        sets_array
            || self.has_too_many_names(append)
            || append
                .elements()
                .any(|(array, _)| self.members.iter().any(|member| member == array))
    }

    pub(super) fn note(&mut self, append: &Stamped<'_>) {
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

    /// Whether an open journal is where it was left, all of it: asked of the file itself, as whatever is done to it or to its name
    /// changes when it was changed, and of its name only if that has.
    pub(super) fn is_as_left(&self, id: &SessionId, open: &mut OpenJournal) -> Result<bool, Error> {
        match open.file.stat() {
            Ok(stat) if stat == open.stat && stat.size == open.end => Ok(true),
            _ => self.is_in_place(id, open),
        }
    }

    /// Whether an open journal, and all of it, is what has the journal's name.
    pub(super) fn is_in_place(
        &self,
        id: &SessionId,
        open: &mut OpenJournal,
    ) -> Result<bool, Error> {
        let file = (open.stat.device, open.stat.inode, open.end);
        let named = self.shared.backend.stat(&Blob::journal(id))?;
        let named = named.filter(|named| file == (named.device, named.inode, named.size));
        open.stat = named.unwrap_or(open.stat);
        Ok(named.is_some())
    }

    /// Looks at a session that is to be appended to, and makes its journal one that can be gone on with.
    pub(super) fn open_journaling(&self, id: &SessionId, lock: &Lock) -> Result<Journaling, Error> {
        let documents = Documents::new(&*self.shared.backend);
        let path = self.path(id);
        let document = documents
            .document(id)?
            .ok_or_else(|| Error::NotFound { path: path.clone() })?;
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
                self.settle(id, lock, stat)?;
                self.settle_journal(id, lock)?;
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
                // A document that cannot be read keeps the journal beside it, which may well be its own.
                let mut state = self.unbegun(&document, stat, &path)?;
                if let Beside::Displaced = document.beside() {
                    self.set_journal_aside(id, lock)?;
                }
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

    /// Makes a document durable that is to be added to, whoever wrote it and however, unless this store has done so before.
    pub(super) fn settle(
        &self,
        id: &SessionId,
        lock: &Lock,
        document: BlobStat,
    ) -> Result<(), Error> {
        let journals = &self.shared.journals;
        if self.shared.durability.syncs_directories() && !journals.is_settled(id, document) {
            self.shared.backend.persist(lock, &Blob::session(id))?;
            journals.settle(id, document);
        }
        Ok(())
    }

    /// Does the same for the name of the journal beside it; of its content each append makes sure.
    fn settle_journal(&self, id: &SessionId, lock: &Lock) -> Result<(), Error> {
        let (backend, journals) = (&self.shared.backend, &self.shared.journals);
        if self.shared.durability.syncs_directories()
            && let Some(journal) = backend.stat(&Blob::journal(id))?
            && !journals.is_named(id, journal)
        {
            backend.persist(lock, &Blob::journal(id))?;
            journals.name(id, journal);
        }
        Ok(())
    }

    /// Opens a journal at its end, cutting off what a crash left there: only the holder of the lock may.
    pub(super) fn reopen(
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
}

/// A skip of all that is added to some arrays.
fn all_of(arrays: &[&str]) -> Vec<(String, u64)> {
    let all = arrays.iter();
    all.map(|array| ((*array).to_owned(), u64::MAX)).collect()
}
