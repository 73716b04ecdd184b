//! Checking sessions: every byte as a full decode would judge it, and everything that stands beside the document.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use session_codec::{FooterUse, ReadAt as _, TailCap};
use session_model::{SessionHeader, SessionId, SessionRecord};

use super::SessionStore;
use crate::backend::{Area, BackendEntry, BackendListing, Blob, OpenBlob};
use crate::check::{CheckReport, Checked, Finding};
use crate::corpus::{Beside, Document, Documents};
use crate::failure::{from_codec, from_header};
use crate::journal::Journal;
use crate::trace::span;
use crate::{Error, Progress};

mod calls;
mod elements;
mod members;

/// What only the owner may have is any of these for the others.
const OTHERS: u32 = 0o077;

impl<S: SessionRecord> SessionStore<S> {
    /// Checks one session: every byte of the document as `serde_json` would judge it, its footer against all of it, its
    /// id, its journal, its permissions, whether the record's type takes each of its elements, and which tool calls and
    /// results lack each other. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is neither a document nor a journal. What is wrong with the session is a finding.
    ///
    /// # Memory
    ///
    /// That of 256 KiB of elements or the longest one, of the ids of open calls, and of the journal, whatever the size of
    /// the document.
    pub fn check(&self, id: &SessionId) -> Result<Checked, Error> {
        let (mut checked, kept) = self.judge_bytes(id)?;
        if let Some(kept) = kept.filter(|_| checked.is_sound()) {
            self.check_elements(id, kept, &mut checked)?;
        }
        Ok(checked)
    }

    /// Checks all sessions as [`check`](SessionStore::check) does, but for what the record's type makes of elements and for
    /// tool calls, and looks for what was left behind.
    ///
    /// `watch` is told how far it has come before each session, and may end it. A check changes nothing, ended or not.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where `watch` breaks; [`Error::Io`] where the directory cannot be read.
    pub fn check_all(
        &self,
        mut watch: impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<CheckReport, Error> {
        let backend = &self.shared.backend;
        let documents = backend.list(Area::Sessions)?;
        let mut report = CheckReport::default();
        let mut listed = |area| {
            let listed = backend.list(area);
            // What cannot be looked into hides nothing else.
            listed.unwrap_or_else(|error| {
                report.leftovers.push(unreadable(&error));
                BackendListing::default()
            })
        };
        let (journals, aside) = (listed(Area::Journal), listed(Area::Quarantine));
        for rejected in documents.rejected.into_iter().chain(journals.rejected) {
            let name = rejected.name.to_string_lossy().escape_debug().to_string();
            let reason = format!("{name}: {}", rejected.reason);
            report.leftovers.push(Finding::Unreadable { reason });
        }
        let entries = documents.entries.into_iter().chain(journals.entries);
        let names: BTreeSet<String> = entries.map(|entry| entry.name).collect();
        let mut progress = Progress {
            of: names.len() as u64,
            ..Progress::default()
        };
        for name in names {
            if watch(&progress).is_break() {
                return Err(Error::Cancelled);
            }
            progress.files += 1;
            match self.check_bytes(&SessionId::new(&name)?) {
                Ok(checked) => {
                    report.sessions += 1;
                    report.bytes += checked.bytes;
                    progress.bytes_read = report.bytes;
                    if !checked.findings.is_empty() {
                        report.found.push(checked);
                    }
                }
                // Deleted since it was listed.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.look_around(&mut report)?;
        let quarantined = |entry: BackendEntry| Finding::Quarantined { name: entry.name };
        let aside = aside.entries.into_iter().map(quarantined);
        report.leftovers.extend(aside);
        Ok(report)
    }

    fn look_around(&self, report: &mut CheckReport) -> Result<(), Error> {
        let around = self.shared.backend.surroundings()?;
        let leftovers = &mut report.leftovers;
        for (name, access) in around.directories {
            if access.foreign || access.mode & OTHERS != 0 {
                let (mode, foreign) = (access.mode, access.foreign);
                leftovers.push(Finding::Directory {
                    name,
                    mode,
                    foreign,
                });
            }
        }
        let mut count = 0;
        for id in around.locks {
            if let Ok(id) = SessionId::new(&id)
                && self.shared.backend.stat(&Blob::session(&id))?.is_none()
            {
                count += 1;
            }
        }
        if count > 0 {
            leftovers.push(Finding::StaleLocks { count });
        }
        let temporaries = around.temporaries.into_iter();
        leftovers.extend(temporaries.map(|name| Finding::Temporary { name }));
        Ok(())
    }

    /// Checks all but what the elements say.
    pub(super) fn check_bytes(&self, id: &SessionId) -> Result<Checked, Error> {
        self.judge_bytes(id).map(|(checked, _)| checked)
    }

    /// Checks all but what the elements say; gives the document without them where it could be read.
    fn judge_bytes(&self, id: &SessionId) -> Result<(Checked, Option<Vec<u8>>), Error> {
        span!("check", %id);
        let backend = &self.shared.backend;
        let mut checked = Checked {
            id: id.clone(),
            bytes: 0,
            findings: Vec::new(),
        };
        let journal = self.opened(&Blob::journal(id), &mut checked);
        let documents = Documents::new(&**backend);
        let found = match documents.elsewhere(&Blob::session(id)) {
            Ok(found) => found,
            Err(error) => {
                checked.findings.push(unreadable(&error));
                return Ok((checked, None));
            }
        };
        let mut kept = None;
        match (&found, &journal) {
            (None, None) if checked.findings.is_empty() => {
                return Err(Error::NotFound {
                    path: self.path(id),
                });
            }
            (None, _) => checked.findings.push(Finding::OrphanedJournal),
            (Some(document), _) => kept = self.check_document(id, document, &mut checked),
        }
        if let Some(journal) = journal {
            check_journal(&*journal, &mut checked);
            if found.is_some()
                && let Ok(Some(document)) = documents.document(id)
            {
                if matches!(document.beside(), Beside::Displaced) {
                    checked.findings.push(Finding::DisplacedJournal);
                }
                // What it adds is whole as records; whether any document can have it is another question.
                if let (Some(overlay), Some(kept)) = (document.overlay(), &kept)
                    && let Err(error) =
                        self.laid_over(kept, &overlay.amendment(&[]), &self.path(id))
                {
                    checked.findings.push(unreadable(&error));
                }
            }
        }
        for blob in [Blob::session(id), Blob::journal(id)] {
            let Ok(Some(access)) = backend.access(&blob) else {
                continue;
            };
            if access.mode & OTHERS != 0 {
                let mode = access.mode;
                checked.findings.push(Finding::Permissions { mode });
            }
            if access.foreign {
                checked.findings.push(Finding::ForeignOwner);
            }
        }
        Ok((checked, kept))
    }

    fn opened(&self, blob: &Blob<'_>, checked: &mut Checked) -> Option<Box<dyn OpenBlob>> {
        match self.shared.backend.open(blob) {
            Ok(open) => open,
            Err(error) => {
                checked.findings.push(unreadable(&error));
                None
            }
        }
    }

    fn check_document(
        &self,
        id: &SessionId,
        document: &Document<'_>,
        checked: &mut Checked,
    ) -> Option<Vec<u8>> {
        let (path, findings) = (self.path(id), &mut checked.findings);
        let size = document.size().unwrap_or_default();
        checked.bytes += size;
        let limit = self.shared.limits.document_bytes();
        if size > limit {
            let what = "document bytes";
            findings.push(Finding::TooLarge { what, limit });
        }
        // Where there is no footer to compare, one strict pass judges every byte and finds the header.
        let strict = self.shared.codec.clone().strict(true).threads(1);
        let has_footer = matches!(self.shared.codec.footer(document), Ok(Some(_)));
        let mut is_believed = false;
        if has_footer {
            match strict.check_footer(document) {
                Ok(report) => match report.used {
                    FooterUse::Ignored(fault) => findings.push(Finding::FalseFooter { fault }),
                    _ => is_believed = true,
                },
                Err(error) => {
                    findings.push(judged(from_codec("read", &path, error)));
                    return None;
                }
            }
        }
        // Of a footer that is false, nothing is believed here.
        let codec = if is_believed {
            &self.shared.codec
        } else {
            &strict
        };
        let kept = match codec.prune(document, &TailCap::all(S::CAPPED, 0)) {
            Ok(kept) => kept,
            Err(error) => {
                findings.push(judged(from_codec("read", &path, error)));
                return None;
            }
        };
        if let (false, FooterUse::Ignored(fault)) = (has_footer, kept.footer) {
            findings.push(Finding::UselessFooter { fault });
        }
        let (count, is_capped) = members::repeated(&kept.json, S::CAPPED);
        let header = SessionHeader::parse(&kept.json, S::DIRECTORY)
            .map_err(|error| from_header(&path, &error));
        if is_capped {
            let reason = "an array of the record is there twice".to_owned();
            findings.push(Finding::Header { reason });
        } else if count > 0 {
            findings.push(Finding::DuplicateMember { count });
        }
        match header {
            Ok(header) if header.id.is_none() => findings.push(Finding::Nameless),
            Ok(header) if header.id.as_deref() != Some(id.as_str()) => {
                findings.push(Finding::Misnamed);
            }
            Ok(_) if is_capped => {}
            Ok(_) => findings.extend(self.unfit_members(&kept.json)),
            Err(Error::Corrupt { reason, .. }) => findings.push(Finding::Header { reason }),
            Err(error) => findings.push(judged(error)),
        }
        Some(kept.json)
    }
}

fn check_journal(open: &dyn OpenBlob, checked: &mut Checked) {
    let bytes = match open.read_all() {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = error.to_string();
            return checked.findings.push(Finding::Unreadable { reason });
        }
    };
    checked.bytes += bytes.len() as u64;
    if bytes.is_empty() {
        return checked.findings.push(Finding::EmptyJournal);
    }
    match Journal::parse(bytes) {
        Ok(journal) if journal.torn() > 0 => checked.findings.push(Finding::TornJournal {
            offset: journal.end(),
            bytes: journal.torn(),
        }),
        Ok(_) => {}
        Err(damage) => checked.findings.push(Finding::DamagedJournal {
            offset: damage.offset as u64,
            reason: damage.reason,
        }),
    }
}

fn unreadable(error: &Error) -> Finding {
    let reason = match error {
        Error::Corrupt { reason, .. } => reason.clone(),
        Error::Io { op, source, .. } => format!("{op}: {source}"),
        other => other.to_string(),
    };
    Finding::Unreadable { reason }
}

fn judged(error: Error) -> Finding {
    match error {
        Error::Corrupt {
            offset: Some(offset),
            reason,
            ..
        } => Finding::Malformed { offset, reason },
        Error::TooLarge { what, limit, .. } => Finding::TooLarge { what, limit },
        other => unreadable(&other),
    }
}
