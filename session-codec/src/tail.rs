//! Decoding the last elements of a document's arrays in memory bounded by what
//! is kept. Owns the calls and their results; the parts do the work.

mod assemble;
mod buffers;
mod ranges;
mod window;

use std::io;

use serde::de::DeserializeOwned;

use crate::{Codec, Error, Parser, ReadAt, Revision, TailCap, trace, walk};
use assemble::Assembly;
use buffers::Buffers;
use ranges::Ranges;
use window::Tallies;

/// A value decoded from the end of a document's arrays.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TailDecoded<T> {
    /// The value, with the capped arrays shortened.
    pub value: T,
    /// Elements left out of each capped array, in the order of the cap; 0 for
    /// one that is missing or not an array.
    pub dropped: Vec<(String, u64)>,
    /// Elements that each capped array has in the document, likewise.
    pub counts: Vec<(String, u64)>,
    /// Bytes of the document.
    pub bytes: u64,
    /// Their fingerprint.
    pub revision: Revision,
}

/// A document with its capped arrays shortened: what a windowed decode hands to
/// the parser.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pruned {
    /// The shortened document. The reserved member is gone; what stays is
    /// spelled as in the original, apart from white space between members.
    pub json: Vec<u8>,
    /// Elements left out of each capped array, in the order of the cap.
    pub dropped: Vec<(String, u64)>,
    /// Elements that each capped array has in the original.
    pub counts: Vec<(String, u64)>,
    /// Bytes of the original.
    pub bytes: u64,
    /// Their fingerprint.
    pub revision: Revision,
    map: Vec<(usize, u64)>,
}

impl Pruned {
    fn new(assembly: Assembly, tallies: &Tallies, walked: &walk::Walked) -> Self {
        let (json, map) = assembly.finish();
        trace::walked("prune", walked.bytes, json.len() as u64);
        Self {
            json,
            dropped: tallies.dropped(),
            counts: tallies.counts(),
            bytes: walked.bytes,
            revision: walked.revision,
            map,
        }
    }

    /// Returns where a byte of [`json`](Self::json) stands in the original; for
    /// punctuation of its own, where something near it stands.
    #[must_use]
    pub fn original_offset(&self, offset: usize) -> u64 {
        place(&self.map, offset)
    }
}

fn place(map: &[(usize, u64)], offset: usize) -> u64 {
    let after = map.partition_point(|(start, _)| *start <= offset);
    match after.checked_sub(1).and_then(|index| map.get(index)) {
        Some((start, original)) => original + (offset - start) as u64,
        None => 0,
    }
}

impl<P: Parser> Codec<P> {
    /// Decodes a document of which only the last elements of the capped arrays
    /// are wanted.
    ///
    /// The value equals what decoding everything and then dropping the heads of
    /// the arrays gives. What is kept is judged by `T` through the parser. What
    /// is dropped is judged as `serde_json` judges a value that it skips: its
    /// grammar is checked, but bad UTF-8, lone surrogates and numbers out of
    /// range pass. A capped member that is not an array is kept as it is, and
    /// so are members of one name; `T` judges both.
    ///
    /// ```
    /// use session_codec::{Codec, TailCap};
    /// use serde_json::{Value, json};
    ///
    /// let document = br#"{"messages": [1, 2, 3], "agent": "build"}"#;
    /// let tail = Codec::new().tail::<Value, _>(document, &TailCap::new().cap("messages", 1))?;
    /// assert_eq!(tail.value, json!({"messages": [3], "agent": "build"}));
    /// assert_eq!(tail.dropped, [("messages".to_owned(), 2)]);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Data`] and [`Error::Limit`] with the offset
    /// in the document, or [`Error::Io`]. The bytes kept are read a second time;
    /// a file that is changed in place meanwhile gives an error or a mixture, so
    /// replace files instead of changing them.
    ///
    /// # Complexity
    ///
    /// One pass over the document. Memory is one read, the kept bytes, eight
    /// bytes for each kept element, and the value.
    pub fn tail<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        cap: &TailCap,
    ) -> Result<TailDecoded<T>, Error> {
        self.decode_pruned(self.prune(source, cap)?)
    }

    /// Does what [`tail`](Self::tail) does for bytes that come once, in order.
    ///
    /// ```
    /// use session_codec::{Codec, TailCap};
    /// use serde_json::{Value, json};
    ///
    /// let stream = std::io::Cursor::new(br#"{"messages": [1, 2, 3]}"#);
    /// let cap = TailCap::new().cap("messages", 2);
    /// let tail = Codec::new().tail_from_read::<Value, _>(stream, &cap)?;
    /// assert_eq!(tail.value, json!({"messages": [2, 3]}));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`tail`](Self::tail). The limit on kept bytes counts what is held at
    /// any time, so it may be met here by a window that moves on later.
    ///
    /// # Complexity
    ///
    /// One pass; memory is one read, at most twice the largest window met, and
    /// the value.
    pub fn tail_from_read<T: DeserializeOwned, R: io::Read>(
        &self,
        mut source: R,
        cap: &TailCap,
    ) -> Result<TailDecoded<T>, Error> {
        let span = trace::span("tail_from_read", 0);
        let mut buffers = Buffers::new(cap, &self.limits);
        let lexer = self.lexer(cap.arrays().map(|(name, _)| name));
        let walked = walk::walk(lexer, &mut buffers, self.piece_bytes(), |buf, _| {
            source.read(buf)
        })?;
        let (assembly, tallies) = buffers.assemble();
        let pruned = Pruned::new(assembly, &tallies, &walked);
        drop((walked, span));
        self.decode_pruned(pruned)
    }

    /// Returns the document that [`tail`](Self::tail) hands to the parser.
    ///
    /// ```
    /// use session_codec::{Codec, TailCap};
    ///
    /// let document = br#"{"messages": [1, 2, 3], "agent": "build"}"#;
    /// let pruned = Codec::new().prune(document, &TailCap::new().cap("messages", 1))?;
    /// assert_eq!(pruned.json, br#"{"messages":[3],"agent": "build"}"#);
    /// assert_eq!(pruned.original_offset(13), 20);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`tail`](Self::tail), without what only a type refuses.
    pub fn prune<R: ReadAt + ?Sized>(&self, source: &R, cap: &TailCap) -> Result<Pruned, Error> {
        let _span = trace::span("prune", source.size()?);
        let mut ranges = Ranges::new(cap, &self.limits);
        let lexer = self.lexer(cap.arrays().map(|(name, _)| name));
        let walked = walk::walk_at(lexer, &mut ranges, self.piece_bytes(), source)?;
        let (assembly, tallies) = ranges.assemble(source, &walked.last)?;
        Ok(Pruned::new(assembly, &tallies, &walked))
    }

    fn decode_pruned<T: DeserializeOwned>(&self, pruned: Pruned) -> Result<TailDecoded<T>, Error> {
        let Pruned {
            mut json,
            dropped,
            counts,
            bytes,
            revision,
            map,
        } = pruned;
        let _span = trace::span("decode_kept", json.len() as u64);
        let value = self
            .parser
            .parse(&mut json)
            .map_err(|error| self.parse_failed(&error, |offset| place(&map, offset)))?;
        Ok(TailDecoded {
            value,
            dropped,
            counts,
            bytes,
            revision,
        })
    }
}
