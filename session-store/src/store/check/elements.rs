//! What the elements of a session say: whether the record's type takes them, and their tool calls, some at a time.

use std::collections::HashMap;
use std::io;
use std::ops::{ControlFlow, Range};

use session_codec::{Amendment, ReadAt as _};
use session_model::{SessionId, SessionRecord};

use super::calls::Pairs;
use crate::check::{Checked, Finding};
use crate::corpus::{Document, Documents};
use crate::failure::from_codec;
use crate::{Error, SessionStore};

/// How many bytes of elements are decoded at once, unless a single one is longer.
const AT_ONCE: u64 = 256 << 10;

impl<S: SessionRecord> SessionStore<S> {
    /// Says what the record's type has against a session without its elements.
    pub(super) fn unfit_members(&self, kept: &[u8]) -> Option<Finding> {
        let reason = self.misfit(kept.to_vec())?;
        let element = None;
        Some(Finding::Unfit { element, reason })
    }

    /// Why the record's type does not take a document.
    fn misfit(&self, json: Vec<u8>) -> Option<String> {
        self.taken(json).err()
    }

    /// The record that the type makes of a document, or why it makes none.
    fn taken(&self, json: Vec<u8>) -> Result<S, String> {
        let decoded = self.shared.plain_codec.decode::<S>(json);
        decoded.map_err(|error| match from_codec("read", &self.shared.root, error) {
            Error::Corrupt { reason, .. } => reason,
            Error::TooLarge { what, limit, .. } => format!("{what} over the limit of {limit}"),
            other => other.to_string(),
        })
    }

    /// Decodes all elements of a session, each once, and pairs tool calls with results.
    pub(super) fn check_elements(
        &self,
        id: &SessionId,
        kept: Vec<u8>,
        checked: &mut Checked,
    ) -> Result<(), Error> {
        let path = self.path(id);
        let documents = Documents::new(&*self.shared.backend);
        let Some(document) = documents.document(id)? else {
            return Ok(());
        };
        let overlay = document.overlay();
        let kept = match overlay {
            Some(overlay) => match self.header_with(&document, overlay, &path) {
                // That was found before.
                Err(error) if error.is_corrupt() => return Ok(()),
                with => with?,
            },
            None => kept,
        };
        let mut judge = Judge {
            store: self,
            kept,
            frames: HashMap::new(),
            seen: HashMap::new(),
            pairs: Pairs::default(),
            findings: Vec::new(),
        };
        let (mut run, mut failed) = (Run::default(), None);
        let walked = self.shared.codec.elements(&document, S::CAPPED, |place| {
            // A member that is no array was judged with the others.
            if place.element.is_none() {
                return ControlFlow::Continue(());
            }
            if run.is_full(place.member, &place.range) {
                if let Err(error) = judge.take_from(&document, &mut run) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                run.of = place.member;
            }
            run.places.push(place.range);
            ControlFlow::Continue(())
        });
        let rest = judge.take_from(&document, &mut run);
        if let Some(source) = failed.or(rest.err()) {
            return Err(Error::io("read", &path, source));
        }
        walked.map_err(|error| from_codec("read", &path, error))?;
        for array in overlay.map_or(&[][..], |_| S::CAPPED) {
            let added = overlay.into_iter().flat_map(|added| added.elements(array));
            let (mut bytes, mut places) = (Vec::new(), Vec::new());
            for json in added.map(|element| element.json()) {
                if !bytes.is_empty() {
                    bytes.push(b',');
                }
                places.push(bytes.len()..bytes.len() + json.len());
                bytes.extend_from_slice(json.as_bytes());
            }
            judge.take(array, &bytes, &places);
        }
        checked.findings.append(&mut judge.findings);
        checked.findings.append(&mut judge.pairs.finish());
        Ok(())
    }
}

/// Elements of one array that follow each other in the document.
#[derive(Default)]
struct Run<'a> {
    of: &'a str,
    places: Vec<Range<u64>>,
}

impl Run<'_> {
    fn is_full(&self, of: &str, next: &Range<u64>) -> bool {
        let start = self.places.first().map_or(next.start, |first| first.start);
        self.of != of || next.end - start > AT_ONCE
    }
}

/// Takes elements in the order in which they stand.
struct Judge<'s, S: SessionRecord> {
    store: &'s SessionStore<S>,
    /// The session without its elements.
    kept: Vec<u8>,
    /// That, cut where the elements of an array go.
    frames: HashMap<String, Frame>,
    /// How many elements of each array were taken.
    seen: HashMap<String, u64>,
    pairs: Pairs,
    findings: Vec<Finding>,
}

impl<S: SessionRecord> Judge<'_, S> {
    fn take_from(&mut self, document: &Document<'_>, run: &mut Run<'_>) -> io::Result<()> {
        let places = std::mem::take(&mut run.places);
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return Ok(());
        };
        let (start, length) = (first.start, last.end - first.start);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        document.read_exact_at(&mut bytes, start)?;
        let within = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
        let places: Vec<_> = places
            .iter()
            .map(|place| within(place.start)..within(place.end))
            .collect();
        self.take(run.of, &bytes, &places);
        Ok(())
    }

    fn take(&mut self, array: &str, bytes: &[u8], places: &[Range<usize>]) {
        let first = self.seen.get(array).copied().unwrap_or_default();
        self.seen
            .insert(array.to_owned(), first + places.len() as u64);
        if places.is_empty() || !self.has_frame(array) {
            return;
        }
        let is_paired = S::PAIRED == Some(array);
        match self.taken(array, bytes, places) {
            Ok(record) if is_paired => self.pairs.take(&record, first),
            Ok(_) => {}
            Err(reason) => {
                let (at, reason) = self.first_misfit(array, bytes, places, reason);
                let element = Some((array.to_owned(), first + at as u64));
                self.findings.push(Finding::Unfit { element, reason });
                if is_paired {
                    self.pair_the_others(array, bytes, places, first);
                }
            }
        }
    }

    /// Cuts the session where elements of this array go, unless that was done; `false` where there is no such place.
    fn has_frame(&mut self, array: &str) -> bool {
        if !self.frames.contains_key(array)
            && let Some(frame) = Frame::of(self.store, &self.kept, array)
        {
            self.frames.insert(array.to_owned(), frame);
        }
        self.frames.contains_key(array)
    }

    /// Decodes elements that follow each other as those of a session.
    fn taken(&self, array: &str, bytes: &[u8], places: &[Range<usize>]) -> Result<S, String> {
        match (self.frames.get(array), places.first(), places.last()) {
            (Some(frame), Some(first), Some(last)) => {
                let elements = &bytes[first.start..last.end];
                self.store.taken(frame.around(elements))
            }
            _ => Err(String::new()),
        }
    }

    /// Finds the first element that the type does not take, and why: all up to one are taken unless it, or one before it,
    /// is not. Not all of them are, for the reason given.
    fn first_misfit(
        &self,
        array: &str,
        bytes: &[u8],
        places: &[Range<usize>],
        mut reason: String,
    ) -> (usize, String) {
        let (mut taken, mut refused) = (0, places.len());
        while refused - taken > 1 {
            let middle = taken + (refused - taken) / 2;
            match self.taken(array, bytes, &places[taken..middle]) {
                Err(found) => (refused, reason) = (middle, found),
                Ok(_) => taken = middle,
            }
        }
        (taken, reason)
    }

    /// Pairs the calls of those elements that the type takes, by halves: what one of them is hides nothing of the others.
    fn pair_the_others(&mut self, array: &str, bytes: &[u8], places: &[Range<usize>], first: u64) {
        let mut parts = vec![(0, places)];
        while let Some((at, part)) = parts.pop() {
            match self.taken(array, bytes, part) {
                Ok(record) => self.pairs.take(&record, first + at),
                Err(_) if part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([(at + left.len() as u64, right), (at, left)]);
                }
                Err(_) => {}
            }
        }
    }
}

/// A session without elements, cut where those of one array go.
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Frame {
    /// Cuts it where the codec would put an element.
    fn of<S: SessionRecord>(store: &SessionStore<S>, kept: &[u8], array: &str) -> Option<Self> {
        let mut with = Vec::new();
        let amendment = Amendment::new().element(array, "0");
        let codec = &store.shared.plain_codec;
        codec.amend(kept, &amendment, &mut with).ok()?;
        let differs = with.iter().zip(kept).position(|(new, old)| new != old);
        let differs = differs.unwrap_or(kept.len().min(with.len()));
        // A member that was not there is added whole.
        let added = &with[differs..];
        let at = if added.first() == Some(&b'0') {
            differs
        } else {
            differs + added.iter().position(|byte| *byte == b'[')? + 1
        };
        (with.get(at) == Some(&b'0')).then(|| Self {
            before: with[..at].to_vec(),
            after: with[at + 1..].to_vec(),
        })
    }

    fn around(&self, elements: &[u8]) -> Vec<u8> {
        [&self.before, elements, &self.after].concat()
    }
}
