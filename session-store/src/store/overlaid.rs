//! Reading a session that has a journal: document and appends as one.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use session_codec::{Amendment, Codec, FooterUse, Parser, ReadAt as _, Revision, TailCap};
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::corpus::{Document, Documents};
use crate::failure::from_codec;
use crate::journal::Overlay;
use crate::tail::Dropped;
use crate::{Error, Page, Tail};

impl<S: SessionRecord> SessionStore<S> {
    /// Puts what a journal adds into a document, or into any part of its members.
    pub(super) fn laid_over(
        &self,
        json: &[u8],
        amendment: &Amendment<'_>,
        path: &Path,
    ) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::with_capacity(json.len() + amendment.bytes());
        let amended = self.shared.plain_codec.amend(json, amendment, &mut whole);
        amended.map_err(|error| match error {
            // Nobody is writing: what does not fit is what the journal says.
            error if error.is_refused() => Error::Corrupt {
                path: path.to_owned(),
                offset: None,
                reason: format!("its journal cannot be laid over it: {error}"),
            },
            error => from_codec("read", path, error),
        })?;
        Ok(whole)
    }

    /// The record of a session that has a journal, less the elements that a window may leave out.
    pub(super) fn header_with(
        &self,
        document: &Document<'_>,
        overlay: &Overlay,
        path: &Path,
    ) -> Result<Vec<u8>, Error> {
        let members = overlay.members(|_| true);
        if let Some(kept) = overlay.kept(S::CAPPED) {
            return self.laid_over(kept, &members, path);
        }
        let kept = self
            .shared
            .codec
            .prune(document, &TailCap::all(S::CAPPED, 0));
        let kept = kept.map_err(|error| from_codec("read", path, error))?;
        self.laid_over(&kept.json, &members, path)
    }

    /// The whole document as it will be when its journal is folded, and the revision of the two as they are.
    pub(super) fn whole(
        &self,
        document: &Document<'_>,
        overlay: &Overlay,
        path: &Path,
    ) -> Result<(Vec<u8>, Revision), Error> {
        let own = document
            .read_all()
            .map_err(|source| Error::io("read", path, source))?;
        let revision = overlay.revision(Revision::of_document(&own));
        Ok((
            self.laid_over(&own, &overlay.amendment(&[]), path)?,
            revision,
        ))
    }

    /// Loads a whole session that has a journal.
    pub(super) fn journal_load(
        &self,
        document: &Document<'_>,
        overlay: &Overlay,
        path: &Path,
    ) -> Result<(S, Revision), Error> {
        let (whole, revision) = self.whole(document, overlay, path)?;
        let decoded = self.shared.plain_codec.decode(whole);
        let record = decoded.map_err(|error| from_codec("read", path, error))?;
        Ok((record, revision))
    }

    /// Loads the end of a session that has a journal.
    ///
    /// The window takes from the journal first. Of the document only what is left of the window is read: nothing at all
    /// where the journal has it whole.
    pub(super) fn journal_tail(
        &self,
        document: &Document<'_>,
        overlay: &Overlay,
        id: &SessionId,
        cap: &TailCap,
    ) -> Result<Tail<S>, Error> {
        let path = self.path(id);
        let failed = |source| Error::io("read", &path, source);
        let (mut left, mut skipped) = (TailCap::new(), Vec::new());
        for (array, keep) in cap.arrays() {
            let added = overlay.count(array);
            let taken = added.min(keep as u64);
            left = left.cap(array, keep - usize::try_from(taken).unwrap_or(keep));
            skipped.push((array.to_owned(), added - taken));
        }
        let known = |array: &str| overlay.counted(array);
        let all_known = left
            .arrays()
            .all(|(array, keep)| known(array).is_some_and(|count| keep == 0 || count == 0));
        let kept = overlay.kept(S::CAPPED).filter(|_| all_known);
        let (json, mut dropped, footer) = if let Some(kept) = kept {
            let counts = left
                .arrays()
                .map(|(array, _)| (array.to_owned(), known(array).unwrap_or_default()));
            (kept.to_vec(), counts.collect(), FooterUse::Absent)
        } else {
            let pruned = self.shared.codec.prune(document, &left);
            let pruned = pruned.map_err(|error| from_codec("read", &path, error))?;
            (pruned.json, pruned.dropped, pruned.footer)
        };
        for (array, more) in &skipped {
            if let Some((_, count)) = dropped.iter_mut().find(|(name, _)| name == array) {
                *count = count.saturating_add(*more);
            }
        }
        let json = self.laid_over(&json, &overlay.amendment(&skipped), &path)?;
        let codec = &self.shared.plain_codec;
        let record: S = codec
            .decode(json)
            .map_err(|error| from_codec("read", &path, error))?;
        if record.id() != id.as_str() {
            return Err(Error::misnamed(&path));
        }
        let revision = document
            .revision()
            .map_err(|error| from_codec("read", &path, error))?;
        let bytes = document.size().map_err(failed)?;
        Ok(Tail::new(record, Dropped::new(dropped), bytes, revision).with_footer(footer))
    }

    /// Loads a page of a session that has a journal.
    ///
    /// Of the document what lies from the page on is read, where a footer says where that is; nothing at all where the
    /// journal has the page whole and knows the rest.
    pub(super) fn journal_page(
        &self,
        documents: &Documents<'_>,
        document: &Document<'_>,
        overlay: &Overlay,
        (array, wanted): (&str, Range<u64>),
        path: &Path,
    ) -> Result<Page<S>, Error> {
        let failed = |error| from_codec("read", path, error);
        let own = if let Some(count) = overlay.counted(array) {
            count
        } else {
            let counted = self.shared.codec.count(document, &[array]);
            let counts = counted.map_err(failed)?.into_iter();
            counts.filter_map(|(_, count)| count).sum()
        };
        let count = own.saturating_add(overlay.count(array));
        let start = wanted.start.min(count);
        let range = start..wanted.end.clamp(start, count);
        let from_document = if range.is_empty() {
            0
        } else {
            own.saturating_sub(start)
        };
        let kept = overlay.kept(S::CAPPED).filter(|_| from_document == 0);
        let (mut json, footer) = if let Some(kept) = kept {
            (kept.to_vec(), FooterUse::Absent)
        } else {
            let keep = usize::try_from(from_document).unwrap_or(usize::MAX);
            let cap = S::CAPPED.iter().fold(TailCap::new(), |cap, name| {
                cap.cap(name, if *name == array { keep } else { 0 })
            });
            let pruned = self.shared.codec.prune(document, &cap).map_err(failed)?;
            (pruned.json, pruned.footer)
        };
        if from_document > 0 && range.end < own {
            let codec = &self.shared.plain_codec;
            cut_last(codec, &mut json, array, own - range.end).map_err(failed)?;
        }
        let added = range.start.max(own) - own..range.end.max(own) - own;
        let json = self.laid_over(&json, &overlay.page(S::CAPPED, array, &added), path)?;
        Ok(Page {
            record: self.shared.plain_codec.decode(json).map_err(failed)?,
            range,
            count,
            file_bytes: document
                .size()
                .map_err(|source| Error::io("read", path, source))?,
            revision: document.revision().map_err(failed)?,
            bytes_read: documents.bytes_read(),
            footer,
        })
    }

    /// Counts the elements of arrays, in document and journal together.
    pub(in crate::store) fn counted(
        &self,
        document: &Document<'_>,
        arrays: &[&str],
        path: &Path,
    ) -> Result<Vec<(String, Option<u64>)>, Error> {
        let own = || {
            let counted = self.shared.codec.count(document, arrays);
            counted.map_err(|error| from_codec("read", path, error))
        };
        let Some(overlay) = document.overlay() else {
            return own();
        };
        let known = arrays
            .iter()
            .map(|array| Some(((*array).to_owned(), Some(overlay.counted(array)?))));
        let mut counts = match known.collect::<Option<Vec<_>>>() {
            Some(known) => known,
            None => own()?,
        };
        for (array, count) in &mut counts {
            let added = overlay.count(array);
            if added > 0 {
                *count = Some(count.unwrap_or_default() + added);
            }
        }
        Ok(counts)
    }
}

/// Cuts the last elements of an array out of a document in memory.
fn cut_last<P: Parser>(
    codec: &Codec<P>,
    json: &mut Vec<u8>,
    array: &str,
    elements: u64,
) -> Result<(), session_codec::Error> {
    let mut places = Vec::new();
    codec.elements_in(json, &[array], |place| {
        let at = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
        places.push(at(place.range.start)..at(place.range.end));
        ControlFlow::Continue(())
    })?;
    let left = places.len() as u64;
    let left = usize::try_from(left.saturating_sub(elements)).unwrap_or(usize::MAX);
    let from = match left.checked_sub(1).and_then(|last| places.get(last)) {
        Some(last) => Some(last.end),
        None => places.first().map(|first| first.start),
    };
    if let (Some(from), Some(last)) = (from, places.last()) {
        json.drain(from..last.end);
    }
    Ok(())
}
