//! Whole values out of a damaged document. Owns where they lie and in which order they are found; must not know what they
//! mean, nor change a byte.

use std::cell::Cell;
use std::ops::Range;

use crate::{Codec, Parser, trace};

mod judge;
mod resume;
mod run;
mod shape;

use run::{At, Run};

/// What can still be read of a damaged document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The document's own members that are whole, and what is whole of its arrays, in order.
    pub members: Vec<SalvagedMember>,
    /// Bytes that belong to none of these, ascending; not what is equal to something that is there.
    pub lost: Vec<Range<usize>>,
}

/// One member of a damaged document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvagedMember {
    /// Its name.
    pub name: String,
    /// The whole value; of an array that was named to the call, where the first and the last readable element lie.
    pub value: Range<usize>,
    /// The elements of an array that was named to the call.
    pub elements: Option<Vec<Range<usize>>>,
}

/// The documents behind the first that are taken: what was known before is counted for each.
const MOST_DOCUMENTS: u32 = 16;

/// A damaged document, and what is asked of it.
struct Salvage<'a> {
    bytes: &'a [u8],
    arrays: &'a [&'a str],
    depth: u32,
    /// The bytes that may yet be looked at in search of places to go on from.
    effort: Cell<u64>,
    /// How many documents behind the first may yet be taken.
    documents: Cell<u32>,
}

impl<P: Parser> Codec<P> {
    /// Finds the members of a damaged document, and the elements of the named arrays, that a full decode would accept.
    ///
    /// All before the first fault is taken as it is. Behind the last one, everything is from the first place on from which
    /// the rest of the bytes, up to their end or to garbage, is a well-formed rest of a document at one certain depth. Between two faults,
    /// and behind one in a document that is also cut short, nothing says for certain how deep a value is. There, elements are
    /// taken that are objects with two thirds of the members which those found for certain have in common, and what stands
    /// beside them: one that stands inside of a damaged one may be taken for its like. Elements of an array of which nothing
    /// tells the name are lost.
    ///
    /// A second document behind the first, if both have the same `id`, adds what the first one lacks: members, and
    /// elements of which the first does not have as many that are equal byte for byte. Of 16 such documents, that is.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// let cut = br#"{"id":"a","messages":[{"n":1},{"n":2},{"n":"#;
    /// let salvaged = Codec::new().salvage(cut, &["messages"]);
    /// assert_eq!(salvaged.members[1].elements, Some(vec![22..29, 30..37]));
    /// assert_eq!(salvaged.lost, [38..43]);
    ///
    /// let twice = br#"{"id":"a","messages":[{"n":1},{"n":!},{"n":2},{"n":!},{"n":3}]}"#;
    /// let salvaged = Codec::new().salvage(twice, &["messages"]);
    /// assert_eq!(salvaged.members[1].elements.as_ref().map(Vec::len), Some(3));
    /// ```
    ///
    /// # Complexity
    ///
    /// One pass where there is no fault. Else as many bytes are looked at as 65 passes have at most, and what was not found
    /// by then is lost: the places to go on from are more the deeper the values behind a fault are.
    #[must_use]
    pub fn salvage(&self, bytes: &[u8], arrays: &[&str]) -> Salvaged {
        let _span = trace::span("salvage", bytes.len() as u64);
        let salvage = Salvage {
            bytes,
            arrays,
            depth: self.limits.depth,
            effort: Cell::new(u64::MAX),
            documents: Cell::new(MOST_DOCUMENTS),
        };
        let mut found = salvage.run(At::Root, 0);
        salvage.resume(&mut found);
        let Run {
            members, mut lost, ..
        } = found;
        lost.sort_by_key(|range| range.start);
        Salvaged { members, lost }
    }
}
