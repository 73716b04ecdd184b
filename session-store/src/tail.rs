//! A session of which only the end was loaded: readable, appendable, forkable, never savable.

use std::ops::Deref;

use session_codec::{Amendment, Codec, FooterUse, Revision};
use session_model::{SessionId, SessionRecord};

/// How many elements a windowed load left out, by array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped(Vec<(String, u64)>);

impl Dropped {
    pub(crate) fn new(counts: Vec<(String, u64)>) -> Self {
        Self(counts)
    }

    /// How many elements of `array` were left out, exactly; 0 for an array that is not capped or not there.
    #[must_use]
    pub fn get(&self, array: &str) -> u64 {
        self.0
            .iter()
            .filter(|(name, _)| name == array)
            .map(|(_, count)| count)
            .sum()
    }

    /// How many elements were left out of all capped arrays together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// The capped arrays of the record with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

/// The end of a session, as [`load_tail`](crate::SessionStore::load_tail) returns it.
///
/// Reads go through to the record. There is no mutable access and no conversion back into a whole record, because a
/// window saved over the full history is the worst thing this library could do: continue it with
/// [`append`](crate::SessionStore::append), or make a new session of it with [`into_fork`](Tail::into_fork).
#[derive(Debug)]
pub struct Tail<S> {
    record: S,
    dropped: Dropped,
    file_bytes: u64,
    revision: Revision,
    footer: FooterUse,
}

impl<S> Deref for Tail<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.record
    }
}

impl<S> Tail<S> {
    pub(crate) fn new(record: S, dropped: Dropped, file_bytes: u64, revision: Revision) -> Self {
        Self {
            record,
            dropped,
            file_bytes,
            revision,
            footer: FooterUse::Absent,
        }
    }

    pub(crate) fn with_footer(self, footer: FooterUse) -> Self {
        Self { footer, ..self }
    }

    /// Whether the document's footer said where to read, or why it did not.
    #[must_use]
    pub fn footer(&self) -> FooterUse {
        self.footer
    }

    /// How many elements were left out.
    #[must_use]
    pub fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    /// The size of the whole document, in bytes, without its journal.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The revision of the document this window was cut from, for [`Append::based_on`](crate::Append::based_on).
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

impl<S: SessionRecord> Tail<S> {
    /// Leaves out elements at the front of the paired array, too; `false` if the record does not say how.
    pub(crate) fn drop_front(&mut self, array: &str, elements: usize) -> bool {
        let before = self.record.paired();
        if !self.record.drop_front(elements) {
            return false;
        }
        let gone = (before - self.record.paired()) as u64;
        let counts = &mut self.dropped.0;
        if let Some((_, count)) = counts.iter_mut().find(|(name, _)| name == array) {
            *count += gone;
        }
        true
    }

    /// Makes a new session of the window, under an id of its own.
    ///
    /// Members that mirror a capped array ([`SessionRecord::PARALLEL`]) are dropped when their length no longer fits
    /// that array. A record whose own serde code does not read back what it writes keeps them.
    #[must_use]
    pub fn into_fork(self, new_id: SessionId) -> S {
        let mut record = if self.dropped.total() == 0 {
            self.record
        } else {
            without_misfits(&self.record).unwrap_or(self.record)
        };
        record.set_id(new_id);
        record
    }
}

/// Re-reads the record without the mirror arrays that do not fit, or `None` where all of them fit.
fn without_misfits<S: SessionRecord>(record: &S) -> Option<S> {
    let codec = Codec::new();
    let mut json = Vec::new();
    codec.encode(record, &mut json).ok()?;
    let mut amendment = Amendment::new();
    let mut misfits = 0;
    for (mirror, array) in S::PARALLEL {
        let counts = codec.count(json.as_slice(), &[mirror, array]).ok()?;
        let length = |name: &str| {
            counts
                .iter()
                .find(|(array, _)| array == name)
                .and_then(|(_, count)| *count)
        };
        if length(mirror).is_some_and(|mirrored| mirrored != length(array).unwrap_or(0)) {
            amendment = amendment.remove(mirror);
            misfits += 1;
        }
    }
    if misfits == 0 {
        return None;
    }
    let mut fitted = Vec::with_capacity(json.len());
    codec.amend(json.as_slice(), &amendment, &mut fitted).ok()?;
    codec.decode(fitted).ok()
}
