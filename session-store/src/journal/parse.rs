//! A journal that was read: what its records say. Must not know files, nor how it was read.

use std::collections::VecDeque;
use std::ops::Range;

use session_codec::{Revision, RevisionHasher};

use super::record::{AdditionKind, Begin, Part};

/// A journal that can be used. Places are those in its file.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(super) held: Held,
    pub(crate) begin: Begin,
    /// Has taken the revision of the document that the journal was begun on, and the payloads of all appends.
    pub(super) hasher: RevisionHasher,
    pub(super) added: VecDeque<Added>,
    /// What those appends add.
    pub(super) parts: VecDeque<Part>,
    /// Announced documents, each with the number of appends before it.
    pub(super) replaced: Vec<(usize, Revision)>,
    pub(super) let_go: LetGo,
    /// The end of the last whole record.
    pub(super) end: usize,
    /// The number of the next record.
    pub(super) next: u64,
}

/// What is held of a journal's file, found by its places there.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    /// Where that begins.
    pub(super) base: usize,
}

impl Held {
    pub(super) fn at(&self, place: &Range<usize>) -> &[u8] {
        &self.bytes[place.start - self.base..place.end - self.base]
    }

    pub(super) fn from(&self, place: usize) -> &[u8] {
        &self.bytes[place - self.base..]
    }

    /// Lets go of all that stands before a place.
    pub(super) fn let_go(&mut self, place: usize) {
        self.bytes.drain(..place - self.base);
        self.base = place;
    }
}

/// One append of a journal.
#[derive(Debug)]
pub(super) struct Added {
    /// Where its payload stands.
    pub(super) payload: Range<usize>,
    /// Which parts are its own, of those of all appends.
    pub(super) parts: Range<usize>,
}

/// What is left of the first appends where only the end was wanted.
#[derive(Debug, Default)]
pub(super) struct LetGo {
    /// How many they were.
    pub(super) appends: usize,
    /// How many parts they had.
    pub(super) parts: usize,
    /// How many elements they add to each array, less those that are carried on.
    pub(super) counts: Vec<(String, u64)>,
    /// Elements that are wanted, each with the name of its array, in order.
    pub(super) carried: VecDeque<(String, String)>,
    /// The last value that they set each member to.
    pub(super) members: Vec<(String, String)>,
}

impl LetGo {
    pub(super) fn count(&mut self, array: &str) {
        match self.counts.iter_mut().find(|(name, _)| name == array) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((array.to_owned(), 1)),
        }
    }

    pub(super) fn set(&mut self, member: &str, json: &str) {
        match self.members.iter_mut().find(|(name, _)| name == member) {
            Some((_, value)) => {
                value.clear();
                value.push_str(json);
            }
            None => self.members.push((member.to_owned(), json.to_owned())),
        }
    }
}

/// A part of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addition<'j> {
    pub(crate) kind: AdditionKind,
    pub(crate) name: &'j str,
    json: &'j [u8],
}

impl<'j> Addition<'j> {
    /// The JSON text. It was looked at when the journal was read; going over it again is left to those who want it.
    pub(crate) fn json(&self) -> &'j str {
        text(self.json)
    }
}

/// Bytes that were found to be text when the journal was read.
pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A journal that cannot be used as it is; nothing of it may be thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where the first record stands that cannot be read.
    pub(crate) offset: usize,
    pub(crate) reason: &'static str,
}

impl Journal {
    /// The bytes of all whole records.
    pub(crate) fn end(&self) -> u64 {
        self.end as u64
    }

    /// How many bytes after the last whole record a crash left.
    pub(crate) fn torn(&self) -> u64 {
        self.held.from(self.end).len() as u64
    }

    /// The number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How many appends there are.
    pub(crate) fn appends(&self) -> usize {
        self.let_go.appends + self.added.len()
    }

    /// Whether all of its appends are held.
    pub(crate) fn is_whole(&self) -> bool {
        self.let_go.appends == 0
    }

    /// The payloads of the appends from one on, in order.
    ///
    /// # Panics
    ///
    /// If only the journal's end is held: a hash or a new journal without the rest would be another session's.
    pub(crate) fn payloads(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        assert!(self.is_whole(), "the payloads of a journal's end");
        self.added
            .iter()
            .skip(from)
            .map(|added| self.held.at(&added.payload))
    }

    /// What the appends from one on add, in order; of a journal's end, what is held of all of them.
    pub(crate) fn additions(&self, from: usize) -> impl Iterator<Item = Addition<'_>> {
        debug_assert!(self.is_whole() || from == 0, "a part of a journal's end");
        let carried = self.let_go.carried.iter();
        let carried = carried.map(|(name, json)| Addition {
            kind: AdditionKind::Element,
            name,
            json: json.as_bytes(),
        });
        let held = self.added.iter().skip(from).flat_map(|added| {
            let payload = self.held.at(&added.payload);
            let parts = added.parts.start - self.let_go.parts..added.parts.end - self.let_go.parts;
            self.parts.range(parts).map(|part| {
                let [name, json] = part.texts(payload);
                let (kind, name) = (part.kind, text(name));
                Addition { kind, name, json }
            })
        });
        carried.chain(held)
    }

    /// How many elements that appends add to an array were let go.
    pub(crate) fn let_go(&self, array: &str) -> u64 {
        let found = self.all_let_go().find(|(name, _)| *name == array);
        found.map_or(0, |(_, count)| count)
    }

    /// Every array of which elements were let go, and how many.
    pub(crate) fn all_let_go(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.let_go.counts.iter();
        counts.map(|(name, count)| (name.as_str(), *count))
    }

    /// The members that were set by appends which were let go, with the last value that these set them to.
    pub(crate) fn let_go_members(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.let_go.members.iter();
        members.map(|(name, json)| (name.as_str(), json.as_str()))
    }

    /// A hasher that has taken the revision of the document that the journal was begun on, and every append.
    pub(crate) fn hasher(&self) -> &RevisionHasher {
        &self.hasher
    }

    /// How many appends the last document has that was announced; 0 if there was none.
    pub(crate) fn announced(&self) -> usize {
        self.replaced.last().map_or(0, |(before, _)| *before)
    }

    /// How many appends a document of some revision has already; `None` if it is none that this journal extends.
    pub(crate) fn absorbed_by(&self, revision: Revision) -> Option<usize> {
        let announced = self.replaced.iter().rev().find(|(_, new)| *new == revision);
        announced
            .map(|(before, _)| *before)
            .or((self.begin.revision == revision).then_some(0))
    }
}
