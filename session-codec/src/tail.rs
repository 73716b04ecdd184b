//! Decoding the last elements of a document's arrays in memory bounded by what
//! is kept. Owns the calls and their results; the parts do the work.

mod assemble;
mod buffers;
mod ranges;
mod window;

use std::io;

use serde::de::DeserializeOwned;

use crate::{
    Codec, Error, FooterFault, FooterUse, Parser, ReadAt, Revision, TailCap,
    footer::{Gathered, Keep, Missing, Trail, document_revision, find, gather},
    lexer::Lexer,
    trace, walk,
};
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
    /// The document's revision: by the word of its footer, if that was used.
    pub revision: Revision,
    /// Whether the document's footer said where to read.
    pub footer: FooterUse,
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
    /// The original's revision: by the word of its footer, if that was used.
    pub revision: Revision,
    /// Whether the document's footer said where to read.
    pub footer: FooterUse,
    map: Vec<(usize, u64)>,
    /// Where the document begins in `json`; not 0 only on the way to the parser.
    start: usize,
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
            revision: walked.whole,
            footer: FooterUse::Absent,
            map,
            start: 0,
        }
    }

    fn gathered(mut gathered: Gathered, cap: &TailCap, bytes: u64, revision: Revision) -> Self {
        gathered.buffer.truncate(gathered.text.end);
        gathered.buffer.drain(..gathered.text.start);
        trace::walked("prune", gathered.bytes_read, gathered.buffer.len() as u64);
        Self {
            dropped: dropped(&gathered, cap),
            counts: counts(&gathered, cap),
            json: gathered.buffer,
            bytes,
            revision,
            footer: FooterUse::Used,
            map: gathered.map,
            start: 0,
        }
    }

    /// Returns where a byte of [`json`](Self::json) stands in the original; for
    /// punctuation of its own, where something near it stands.
    #[must_use]
    pub fn original_offset(&self, offset: usize) -> u64 {
        place(&self.map, offset)
    }
}

fn ignored(fault: FooterFault) -> Missing {
    Missing {
        why: FooterUse::Ignored(fault),
        whole: None,
    }
}

fn counts(gathered: &Gathered, cap: &TailCap) -> Vec<(String, u64)> {
    let counts = gathered.arrays.iter().map(|(count, _)| *count);
    let names = cap.arrays().map(|(name, _)| name.to_owned());
    names.zip(counts).collect()
}

fn dropped(gathered: &Gathered, cap: &TailCap) -> Vec<(String, u64)> {
    let dropped = gathered.arrays.iter().map(|(_, kept)| kept.start);
    let names = cap.arrays().map(|(name, _)| name.to_owned());
    names.zip(dropped).collect()
}

pub(crate) fn place(map: &[(usize, u64)], offset: usize) -> u64 {
    let after = map.partition_point(|(start, _)| *start <= offset);
    match after.checked_sub(1).and_then(|index| map.get(index)) {
        Some((start, original)) => original + (offset - start) as u64,
        None => 0,
    }
}

/// Whether white space between members may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Tidy,
    Any,
}

impl<P: Parser> Codec<P> {
    /// Decodes a document of which only the last elements of the capped arrays
    /// are wanted.
    ///
    /// The value equals what decoding everything and then dropping the heads of
    /// the arrays gives. What is kept is judged by `T` through the parser. What
    /// is dropped is judged by its structure only, as *What is checked* on the
    /// front page says, unless the codec is [`strict`](Self::strict). A capped member that is not an array is kept as it is, and
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
    /// in the document, or [`Error::Io`]. The bytes kept of a document over 1.5
    /// MiB are read a second time; a file that is changed in place meanwhile gives an error or a mixture, so
    /// replace files instead of changing them.
    ///
    /// # Complexity
    ///
    /// One pass over the document, by structure alone where elements may be
    /// dropped. Memory is one read for each thread, the kept bytes, eight bytes
    /// for each kept element, and the value; up to 1.5 MiB the document is read
    /// at once and shortened where it lies.
    pub fn tail<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        cap: &TailCap,
    ) -> Result<TailDecoded<T>, Error> {
        let missing = match self.by_footer(source, cap)? {
            Err(missing) => missing,
            Ok((mut gathered, bytes, revision)) => {
                let text = gathered.text.clone();
                let _span = trace::span("decode_kept", text.len() as u64);
                match self.parser.parse(&mut gathered.buffer[text]) {
                    Ok(value) => {
                        return Ok(TailDecoded {
                            value,
                            dropped: dropped(&gathered, cap),
                            counts: counts(&gathered, cap),
                            bytes,
                            revision,
                            footer: FooterUse::Used,
                        });
                    }
                    // What is wrong, and where, is said by reading all of it.
                    Err(_) => ignored(FooterFault::Undecodable),
                }
            }
        };
        self.decode_pruned(self.prune_by_walk(source, cap, missing, Shape::Any)?)
    }

    /// Reads what is kept as the document's footer says, if that can be.
    fn by_footer<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        cap: &TailCap,
    ) -> Result<Result<(Gathered, u64, Revision), Missing>, Error> {
        let found = match find(source)? {
            Ok(_) if self.is_strict() => return Ok(Err(ignored(FooterFault::Strict))),
            Ok(found) => found,
            Err(missing) => return Ok(Err(missing)),
        };
        let arrays: Vec<(&str, Keep)> = cap
            .arrays()
            .map(|(name, keep)| (name, Keep::Last(keep)))
            .collect();
        Ok(match gather(self, source, &found, &arrays)? {
            Ok(gathered) => Ok((gathered, found.size, found.footer.revision)),
            Err(fault) => Err(ignored(fault)),
        })
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
    /// One pass; memory is one read, at most twice the largest window met, half a
    /// megabyte in which a footer may stand, and the value.
    pub fn tail_from_read<T: DeserializeOwned, R: io::Read>(
        &self,
        mut source: R,
        cap: &TailCap,
    ) -> Result<TailDecoded<T>, Error> {
        let span = trace::span("tail_from_read", 0);
        let mut buffers = Buffers::new(cap, &self.limits, self.is_strict());
        let lexer = self.judge(cap);
        let mut trail = Trail::default();
        let walked = walk::walk(lexer, &mut buffers, self.piece_bytes(), |buf, _| {
            let read = source.read(buf)?;
            trail.take(buf.get(..read).unwrap_or_default());
            Ok(read)
        })?;
        let (assembly, tallies) = buffers.assemble();
        let mut pruned = Pruned::new(assembly, &tallies, &walked);
        if let Some(revision) = trail.finish() {
            pruned.revision = revision;
            pruned.footer = FooterUse::Ignored(FooterFault::Streamed);
        }
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
        match self.by_footer(source, cap)? {
            Ok((gathered, bytes, revision)) => Ok(Pruned::gathered(gathered, cap, bytes, revision)),
            Err(missing) => self.prune_by_walk(source, cap, missing, Shape::Tidy),
        }
    }

    /// Prunes by walking over all of the document, in memory if it was read.
    fn prune_by_walk<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        cap: &TailCap,
        missing: Missing,
        shape: Shape,
    ) -> Result<Pruned, Error> {
        let Missing { why, whole } = missing;
        if let Some(whole) = whole {
            let missing = Missing { why, whole: None };
            return self.prune_by_walk(whole.as_slice(), cap, missing, shape);
        }
        let size = source.size()?;
        let _span = trace::span("prune", size);
        let mut pruned = self.walk_and_prune(source, size, cap, shape)?;
        pruned.footer = why;
        if why != FooterUse::Absent {
            pruned.revision = document_revision(source)?;
        }
        Ok(pruned)
    }

    fn walk_and_prune<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        size: u64,
        cap: &TailCap,
        shape: Shape,
    ) -> Result<Pruned, Error> {
        let mut ranges = Ranges::new(cap, &self.limits, self.is_strict());
        let lexer = self.judge(cap);
        match usize::try_from(size) {
            Ok(size) if size <= self.whole_bytes() => {
                let (walked, document) = walk::walk_whole(lexer, &mut ranges, size, source)?;
                if shape == Shape::Any && ranges.keeps_all()? {
                    let (document, start) = document.into_vec();
                    let assembly = Assembly::kept_whole(document);
                    let mut pruned = Pruned::new(assembly, &ranges.into_tallies(), &walked);
                    pruned.start = start;
                    return Ok(pruned);
                }
                let (assembly, tallies) = ranges.assemble_within(document)?;
                Ok(Pruned::new(assembly, &tallies, &walked))
            }
            _ => {
                let walked = walk::walk_at(self, lexer, &mut ranges, source)?;
                let (assembly, tallies) = ranges.assemble(source, &walked.last)?;
                Ok(Pruned::new(assembly, &tallies, &walked))
            }
        }
    }

    /// Starts the lexer of a windowed decode.
    fn judge(&self, cap: &TailCap) -> Lexer {
        let lexer = self.lexer(cap.arrays().map(|(name, _)| name));
        if self.is_strict() {
            lexer.strict()
        } else {
            lexer
        }
    }

    fn decode_pruned<T: DeserializeOwned>(&self, pruned: Pruned) -> Result<TailDecoded<T>, Error> {
        let Pruned {
            mut json,
            dropped,
            counts,
            bytes,
            revision,
            footer,
            map,
            start,
        } = pruned;
        let _span = trace::span("decode_kept", (json.len() - start) as u64);
        let value = self
            .parser
            .parse(&mut json[start..])
            .map_err(|error| self.parse_failed(&error, |offset| place(&map, offset)))?;
        Ok(TailDecoded {
            value,
            dropped,
            counts,
            bytes,
            revision,
            footer,
        })
    }
}
