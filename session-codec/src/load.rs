//! Loading a whole document from where it is kept. Owns the call and its
//! result; must not know windows or files.

mod split;

use std::{io, ops::Range, thread};

use serde::de::DeserializeOwned;
use split::{Cut, Part};

use crate::{
    Codec, Error, FooterFault, FooterUse, Parser, ReadAt, Revision, RevisionHasher,
    buffer::Buffer,
    footer::{document_revision, find, named_body, settle},
    parser::direct::{self, Pieces, Rules, Undecided},
    trace,
};

/// A document of fewer reads than this is not worth a second thread: 2 MiB.
const SPLIT_READS: u64 = 8;

/// A whole document, decoded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// Bytes of the document.
    pub bytes: u64,
    /// Their fingerprint.
    pub revision: Revision,
}

impl<P: Parser> Codec<P> {
    /// Decodes a whole document as [`decode`](Self::decode) does, without
    /// holding it in memory.
    ///
    /// ```
    /// use serde_json::{Value, json};
    /// use session_codec::{Codec, Revision};
    ///
    /// let document = br#"{"id": "a", "messages": [1, 2]}"#;
    /// let loaded = Codec::new().load::<Value, _>(document)?;
    /// assert_eq!(loaded.value, json!({"id": "a", "messages": [1, 2]}));
    /// assert_eq!((loaded.bytes, loaded.revision), (31, Revision::of(document)));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), or [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// One pass, in the memory of one read, the longest string, and the value.
    /// A document that is refused is read a second time, whole, for the verdict
    /// of `serde_json`; so is one whose type asks for what only `serde_json`
    /// gives, such as bytes or integers of 128 bits. A parser that is not
    /// [exact](Parser::is_exact) always gets the whole document.
    pub fn load<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
    ) -> Result<Loaded<T>, Error> {
        let size = source.size()?;
        let _span = trace::span("load", size);
        if !self.parser.is_exact() {
            return self.load_judged(source);
        }
        match find(source)? {
            Ok(found) => {
                let named = Some((found.footer.body, found.footer.revision));
                if found.base == 0 {
                    self.load_pieces(found.end.as_slice(), size, named)
                } else {
                    self.load_pieces(source, size, named)
                }
            }
            Err(missing) => {
                if let Some(whole) = missing.whole {
                    return self.load_pieces(whole.as_slice(), size, None);
                }
                let mut loaded = self.load_pieces(source, size, None)?;
                if missing.why == FooterUse::Ignored(FooterFault::Unread) {
                    loaded.revision = document_revision(source)?;
                }
                Ok(loaded)
            }
        }
    }

    /// Decodes a document by the codec's own pass, or by the parser if that does
    /// not take it. `named` is what a footer says of the bytes before it.
    fn load_pieces<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        size: u64,
        named: Option<(u64, Revision)>,
    ) -> Result<Loaded<T>, Error> {
        let pieces = Pieces::new(source, self.piece_bytes_for(size)).hash_up_to(body_end(named));
        match direct::decode(pieces, Rules::document(&self.limits)) {
            Ok(decoded) => {
                let read = decoded.input.finish();
                Ok(Loaded {
                    value: decoded.value,
                    bytes: read.bytes,
                    revision: settle(source, named, read.hasher.finish())?,
                })
            }
            Err(Undecided::Io(error)) => Err(Error::Io(error)),
            Err(Undecided::Ask) => self.load_judged(source),
        }
    }

    /// Does what [`load`](Self::load) does, by two threads where
    /// [`threads`](Self::threads) allows it and the document is large.
    ///
    /// The document is cut between two elements of its member `array`; without
    /// one it is not cut. `join`
    /// gets the value of what stands before the cut, and the value of the
    /// document without the elements of `array` that stand before the cut; it
    /// puts those in front, or says `None`, after which the document is decoded
    /// as a whole. So a type must not tell the difference: one that compares
    /// elements with each other, or refuses a document that lacks what stands
    /// behind the array, is better loaded by one thread.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use session_codec::Codec;
    ///
    /// #[derive(Deserialize)]
    /// struct Log {
    ///     events: Vec<Event>,
    /// }
    /// #[derive(Deserialize)]
    /// struct Event {
    ///     n: u32,
    /// }
    ///
    /// let events = (0..1000).map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>().join(",");
    /// let document = format!("{{\"events\":[{events}]}}").into_bytes();
    /// let codec = Codec::new().threads(2).read_size(256);
    /// let log = codec.load_split(&document, Some("events"), |mut first: Log, rest: Log| {
    ///     first.events.extend(rest.events);
    ///     Some(first)
    /// })?;
    /// assert!(log.value.events.iter().map(|event| event.n).eq(0..1000));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), whose answers do not differ.
    ///
    /// # Complexity
    ///
    /// As [`load`](Self::load). A document that cannot be cut after all is
    /// decoded once more by one thread.
    pub fn load_split<T, R>(
        &self,
        source: &R,
        array: Option<&str>,
        join: impl FnOnce(T, T) -> Option<T>,
    ) -> Result<Loaded<T>, Error>
    where
        T: DeserializeOwned + Send,
        R: ReadAt + Sync + ?Sized,
    {
        let size = source.size()?;
        let small = size < SPLIT_READS * self.piece_bytes() as u64;
        if self.thread_count() > 1
            && self.parser.is_exact()
            && !small
            && let Some(array) = array
            && let Some(cut) = self.find_cut(source, size, array)?
            && let Some(loaded) = self.load_cut(source, size, array, cut, join)?
        {
            return Ok(loaded);
        }
        self.load(source)
    }

    fn load_cut<T, R>(
        &self,
        source: &R,
        size: u64,
        array: &str,
        cut: Cut,
        join: impl FnOnce(T, T) -> Option<T>,
    ) -> Result<Option<Loaded<T>>, Error>
    where
        T: DeserializeOwned + Send,
        R: ReadAt + Sync + ?Sized,
    {
        let _span = trace::span("load_split", size);
        let named = named_body(source)?;
        let rules = Rules::document(&self.limits).once(array);
        let piece_bytes = self.piece_bytes();
        let first = Part::First {
            source,
            comma: cut.comma,
        };
        let rest = Part::Rest { source, cut };
        let (first, rest) = thread::scope(|scope| {
            let rest = scope.spawn(|| {
                direct::decode::<T, _>(Pieces::new(&rest, piece_bytes).hash_up_to(0), rules)
                    .map(|decoded| decoded.value)
            });
            let pieces = Pieces::new(&first, piece_bytes).hash_up_to(cut.comma);
            let first = direct::decode::<T, _>(pieces, rules).and_then(|decoded| {
                // The array that was closed for it must be the one named.
                if decoded.last_opened != cut.array {
                    return Err(Undecided::Ask);
                }
                let hasher = decoded.input.finish().hasher;
                let range = cut.comma..body_end(named).min(size);
                let hash = hash_rest(source, hasher, range, piece_bytes)
                    .and_then(|hash| settle(source, named, hash));
                Ok((decoded.value, hash.map_err(Undecided::Io)?))
            });
            (first, rest.join())
        });
        // A panic of the type's own code goes on where it would have gone.
        let rest = rest.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (first, rest) {
            (Err(Undecided::Io(error)), _) | (_, Err(Undecided::Io(error))) => {
                Err(Error::Io(error))
            }
            (Ok((first, revision)), Ok(rest)) => Ok(join(first, rest).map(|value| Loaded {
                value,
                bytes: size,
                revision,
            })),
            _ => Ok(None),
        }
    }

    /// Reads everything and has the parser judge it.
    #[cold]
    fn load_judged<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
    ) -> Result<Loaded<T>, Error> {
        let json = source.read_all()?;
        let (bytes, revision) = (json.len() as u64, Revision::of_document(&json));
        Ok(Loaded {
            value: self.decode_judged(json)?,
            bytes,
            revision,
        })
    }
}

/// Where the hash of a document ends.
fn body_end(named: Option<(u64, Revision)>) -> u64 {
    named.map_or(u64::MAX, |(end, _)| end)
}

/// Hashes what stands in a range, on top of what stands before it.
fn hash_rest<R: ReadAt + ?Sized>(
    source: &R,
    mut hasher: RevisionHasher,
    mut range: Range<u64>,
    piece_bytes: usize,
) -> io::Result<Revision> {
    let mut buffer = Buffer::new(piece_bytes);
    while range.start < range.end {
        let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let piece = left.min(piece_bytes);
        source.read_exact_at(&mut buffer[..piece], range.start)?;
        hasher.update(&buffer[..piece]);
        range.start += piece as u64;
    }
    Ok(hasher.finish())
}
