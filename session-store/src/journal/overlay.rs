//! What a journal adds to the document that it extends, for whoever reads the two as one. Knows no files.

use std::ops::Range;

use session_codec::{Amendment, Revision, RevisionHasher};

use super::record::AdditionKind;
use super::{Addition, Journal};

/// The appends that a document lacks.
#[derive(Debug)]
pub(crate) struct Overlay {
    journal: Journal,
    from: usize,
    /// Whether the document's file is the very one that the journal was begun on, so that what the journal says of it holds.
    same_file: bool,
}

impl Overlay {
    /// Takes the appends from one on.
    pub(crate) fn new(journal: Journal, from: usize, same_file: bool) -> Self {
        Self {
            journal,
            from,
            same_file,
        }
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The payloads of the appends.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.journal.payloads(self.from)
    }

    /// Whether the document has everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.from == self.journal.appends()
    }

    /// Whether the document's file is the one that the journal was begun on.
    pub(crate) fn is_same_file(&self) -> bool {
        self.same_file
    }

    /// The bytes of the journal, which the document does not have yet.
    pub(crate) fn bytes(&self) -> u64 {
        self.journal.end()
    }

    /// The document less its elements, as it stood when the journal was begun, if that is still known.
    ///
    /// It is, to records of which a window may shorten the same arrays as of the one that began the journal.
    pub(crate) fn kept(&self, capped: &[&str]) -> Option<&[u8]> {
        let begin = &self.journal.begin;
        let alike = capped.len() == begin.counts.len()
            && begin
                .counts
                .iter()
                .all(|(name, _)| capped.contains(&name.as_str()));
        (self.same_file && self.from == 0 && alike).then_some(&*begin.kept)
    }

    /// How many elements an array of the document has, if the journal says so.
    pub(crate) fn counted(&self, array: &str) -> Option<u64> {
        if !self.same_file || self.from > 0 {
            return None;
        }
        let mut counts = self.journal.begin.counts.iter();
        let (_, count) = counts.find(|(name, _)| name == array)?;
        Some(count.unwrap_or_default())
    }

    fn additions(&self) -> impl Iterator<Item = Addition<'_>> {
        self.journal.additions(self.from)
    }

    /// What is added to an array, in order.
    ///
    /// # Panics
    ///
    /// If only the journal's end is held.
    pub(crate) fn elements(&self, array: &str) -> impl Iterator<Item = Addition<'_>> {
        assert!(self.journal.is_whole(), "the elements of a journal's end");
        self.held(array)
    }

    fn held(&self, array: &str) -> impl Iterator<Item = Addition<'_>> {
        self.additions().filter(move |addition| {
            addition.kind == AdditionKind::Element && addition.name == array
        })
    }

    /// How many elements are added to an array.
    pub(crate) fn count(&self, array: &str) -> u64 {
        self.journal.let_go(array) + self.held(array).count() as u64
    }

    /// How many elements an array has, document and journal together, if the journal says so.
    pub(crate) fn total(&self, array: &str) -> Option<u64> {
        Some(self.counted(array)?.saturating_add(self.count(array)))
    }

    /// The edit that makes the document whole, without the first elements of some arrays.
    ///
    /// # Panics
    ///
    /// If elements are not held that are not to be left out.
    pub(crate) fn amendment(&self, skipped: &[(String, u64)]) -> Amendment<'_> {
        let mut skipped = skipped.to_vec();
        for (array, gone) in self.journal.all_let_go() {
            let left = skipped.iter_mut().find(|(name, _)| name == array);
            let left = left.and_then(|(_, left)| Some((left.checked_sub(gone)?, left)));
            let (less, left) = left.expect("no element is wanted that was let go");
            *left = less;
        }
        self.additions()
            .fold(self.let_go_members(|_| true), |amendment, addition| {
                if addition.kind == AdditionKind::Member {
                    return amendment.member(addition.name, addition.json());
                }
                let left = skipped
                    .iter_mut()
                    .find(|(name, left)| name == addition.name && *left > 0);
                match left {
                    Some((_, left)) => {
                        *left -= 1;
                        amendment
                    }
                    None => amendment.element(addition.name, addition.json()),
                }
            })
    }

    /// The edit of everything, with one `0` in the place of all elements that are added to some arrays: it leaves every
    /// member where the whole edit does.
    pub(crate) fn outline(&self, arrays: &[&str]) -> Amendment<'_> {
        assert!(self.journal.is_whole(), "the outline of a journal's end");
        let mut begun: Vec<&str> = Vec::new();
        self.additions()
            .fold(Amendment::new(), |amendment, addition| {
                if addition.kind == AdditionKind::Member {
                    return amendment.member(addition.name, addition.json());
                }
                if !arrays.contains(&addition.name) {
                    return amendment.element(addition.name, addition.json());
                }
                if begun.contains(&addition.name) {
                    return amendment;
                }
                begun.push(addition.name);
                amendment.element(addition.name, "0")
            })
    }

    /// The edit of everything but elements of some arrays; of one of them those in a range of what is added to it.
    pub(crate) fn page<'a>(
        &'a self,
        capped: &[&str],
        array: &str,
        range: &Range<u64>,
    ) -> Amendment<'a> {
        assert!(self.journal.is_whole(), "a page of a journal's end");
        let mut at = 0;
        self.additions()
            .fold(Amendment::new(), |amendment, addition| {
                if addition.kind == AdditionKind::Member {
                    return amendment.member(addition.name, addition.json());
                }
                let is_wanted = if addition.name == array {
                    at += 1;
                    range.contains(&(at - 1))
                } else {
                    !capped.contains(&addition.name)
                };
                if is_wanted {
                    amendment.element(addition.name, addition.json())
                } else {
                    amendment
                }
            })
    }

    /// The edit of the members alone, of those that are wanted.
    pub(crate) fn members(&self, wanted: impl Fn(&str) -> bool) -> Amendment<'_> {
        self.additions()
            .filter(|addition| addition.kind == AdditionKind::Member && wanted(addition.name))
            .fold(self.let_go_members(&wanted), |amendment, addition| {
                amendment.member(addition.name, addition.json())
            })
    }

    /// The edit of members by appends that are not held.
    fn let_go_members(&self, wanted: impl Fn(&str) -> bool) -> Amendment<'_> {
        let members = self.journal.let_go_members();
        members
            .filter(|(name, _)| wanted(name))
            .fold(Amendment::new(), |amendment, (name, json)| {
                amendment.member(name, json)
            })
    }

    /// Every name that is added to, and every name that is set.
    pub(crate) fn names(&self) -> (Vec<String>, Vec<String>) {
        let arrays = self.journal.all_let_go().map(|(name, _)| name.to_owned());
        let members = self.journal.let_go_members();
        let members = members.map(|(name, _)| name.to_owned());
        let (mut arrays, mut members): (Vec<_>, Vec<_>) = (arrays.collect(), members.collect());
        for addition in self.additions() {
            let names = match addition.kind {
                AdditionKind::Element => &mut arrays,
                AdditionKind::Member => &mut members,
            };
            if !names.iter().any(|name| name == addition.name) {
                names.push(addition.name.to_owned());
            }
        }
        (arrays, members)
    }

    /// A hasher that has taken the document's revision and every append: its fingerprint is the session's revision.
    pub(crate) fn hasher(&self, document: Revision) -> RevisionHasher {
        if self.from == 0 && document == self.journal.begin.revision {
            return self.journal.hasher().clone();
        }
        let mut hasher = begin_hash(document);
        self.payloads().for_each(|payload| hasher.update(payload));
        hasher
    }

    /// The revision of document and journal as one; of the document alone where it has everything.
    pub(crate) fn revision(&self, document: Revision) -> Revision {
        if self.is_empty() {
            document
        } else {
            self.hasher(document).finish()
        }
    }
}

/// Begins the fingerprint of a session that has a journal.
pub(crate) fn begin_hash(document: Revision) -> RevisionHasher {
    let mut hasher = RevisionHasher::new();
    hasher.update(document.as_bytes());
    hasher
}
