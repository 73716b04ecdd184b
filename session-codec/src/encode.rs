//! Writing a value as a compact document. Owns the call and the writer that
//! counts and hashes; the rules a document must keep are in its parts.

mod formatter;
mod guard;
mod text;
mod watch;

use std::io;

use serde::Serialize;
use serde_json::ser::Serializer;

use crate::{Codec, Error, Parser, Refusal, Revision, RevisionHasher, footer::Marker, trace};
use formatter::Checked;
use guard::Guarded;
pub(crate) use watch::{Rules, Watch};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// Bytes of the document, its footer included.
    pub bytes: u64,
    /// The document's revision, as [`Codec::revision`] answers it.
    pub revision: Revision,
}

impl Encoded {
    pub(crate) fn new(bytes: u64, revision: Revision) -> Self {
        Self { bytes, revision }
    }
}

/// Bytes gathered before they are hashed and passed on: JSON is written in very
/// small pieces.
const BUFFER: usize = 256 << 10;

/// Bytes gathered of a part of a document: most parts are shorter, and what
/// would be mapped for each of them and given back costs more than writing it.
const PART_BUFFER: usize = 4 << 10;

/// Bytes that are hashed and then summed, few enough to stay in the innermost
/// cache from one to the other.
const SLICE: usize = 16 << 10;

impl<P: Parser> Codec<P> {
    /// Writes `value` as a compact document, its members in the order in which
    /// its type gives them.
    ///
    /// What this accepts, [`decode`](Self::decode) with the same limits accepts.
    ///
    /// ```
    /// use session_codec::{Codec, Revision};
    ///
    /// let mut out = Vec::new();
    /// let encoded = Codec::new().encode(&serde_json::json!({"id": "a"}), &mut out)?;
    /// assert_eq!(out, br#"{"id":"a"}"#);
    /// assert_eq!(encoded.revision, Revision::of(&out));
    /// assert!(Codec::new().encode(&[f64::NAN], &mut out).unwrap_err().is_refused());
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a float that is not finite (which `serde_json`
    /// would silently write as `null`), a root that is not an object, the
    /// reserved member, a map key that is not a name, or a broken raw text;
    /// [`Error::Limit`] for depth, members and array elements, raw text
    /// included; [`Error::Io`] from `out`. In every case `out` may have received
    /// the beginning of a document.
    ///
    /// # Complexity
    ///
    /// Streams: memory is one buffer of 256 KiB, and about 50 KiB for each array
    /// that is [marked](Self::marks), besides what the types' own `Serialize`
    /// takes.
    pub fn encode<T: Serialize + ?Sized, W: io::Write>(
        &self,
        value: &T,
        out: W,
    ) -> Result<Encoded, Error> {
        let span = trace::span("encode", 0);
        let watch = Watch::new(&self.limits, Rules::Document).marks(self.marks);
        let mut out = Sink::new(out, &watch);
        write(value, &mut out, &watch)?;
        let encoded = out.finish()?;
        drop(span);
        trace::walked("encode", encoded.bytes, encoded.bytes);
        Ok(encoded)
    }

    /// Writes any value as JSON text, with the checks of [`encode`](Self::encode)
    /// that are not about documents: for the parts of an
    /// [`Amendment`](crate::Amendment).
    ///
    /// ```
    /// assert_eq!(session_codec::Codec::new().encode_part(&[1, 2])?, "[1,2]");
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] or [`Error::Limit`] for depth.
    pub fn encode_part<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, Error> {
        let watch = Watch::new(&self.limits, Rules::Part);
        let mut text = Vec::new();
        write(value, &mut Sink::new(&mut text, &watch), &watch)?;
        String::from_utf8(text).map_err(|_| Error::refused(Refusal::RawText))
    }
}

fn write<T: Serialize + ?Sized, W: io::Write>(
    value: &T,
    out: &mut Sink<'_, W>,
    watch: &Watch,
) -> Result<(), Error> {
    let mut serializer = Serializer::with_formatter(&mut *out, Checked::new(watch));
    let result = Guarded::new(value, watch).serialize(&mut serializer);
    let result = result.and_then(|()| out.flush_part().map_err(serde_json::Error::io));
    match (watch.take_fault(), result) {
        (Some(fault), _) => Err(fault),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) if error.is_io() => Err(Error::Io(error.into())),
        // Only serde_json's map keys and the types themselves refuse besides.
        (None, Err(error)) => Err(Error::refused(match error.to_string().as_str() {
            "key must be a string" | "float key must be finite (got NaN or +/-inf)" => Refusal::Key,
            _ => Refusal::Value,
        })),
    }
}

/// Gathers small writes, checks the first byte, counts, and hashes.
struct Sink<'a, W> {
    out: W,
    buffer: Vec<u8>,
    /// Bytes that are gathered at most.
    most: usize,
    /// `None` for a part of a document, which has no revision.
    hasher: Option<RevisionHasher>,
    watch: &'a Watch,
}

impl<'a, W: io::Write> Sink<'a, W> {
    fn new(out: W, watch: &'a Watch) -> Self {
        let most = if watch.is_document() {
            BUFFER
        } else {
            PART_BUFFER
        };
        Self {
            out,
            buffer: Vec::with_capacity(most),
            most,
            hasher: watch.is_document().then(RevisionHasher::new),
            watch,
        }
    }

    fn flush_all(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let passed = self.pass(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        passed
    }

    /// Writes what is gathered of a part of a document; a document is ended by
    /// `finish`.
    fn flush_part(&mut self) -> io::Result<()> {
        if self.watch.is_document() {
            return Ok(());
        }
        self.flush_all()
    }

    /// Writes the first bytes, or what the buffer has no room for.
    #[cold]
    fn write_apart(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.watch.wrote(bytes)?;
        if self.buffer.len() + bytes.len() > self.most {
            self.flush_all()?;
        }
        if bytes.len() >= self.most {
            return self.pass(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(hasher) = &mut self.hasher {
            let mut marker = self.watch.marker().borrow_mut();
            for slice in bytes.chunks(SLICE) {
                hasher.update(slice);
                marker.absorb(slice);
            }
        }
        self.out.write_all(bytes)
    }

    /// Returns the hash of what went out.
    fn body(&self) -> Revision {
        let hasher = self.hasher.as_ref().map(RevisionHasher::finish);
        hasher.unwrap_or_else(|| RevisionHasher::new().finish())
    }

    /// Ends the document, with its footer if it is to have one.
    fn finish(mut self) -> Result<Encoded, Error> {
        let mut revision = None;
        if self.watch.is_unclosed() {
            self.flush_all()?;
            let body = self.body();
            let marker = self.watch.marker().replace(Marker::new(&[], 0));
            match marker.finish(body).filter(|_| self.watch.has_room()) {
                Some(footer) => {
                    revision = Some(body);
                    self.out.write_all(&footer)?;
                    self.watch.wrote(&footer)?;
                }
                None => io::Write::write_all(&mut self, b"}")?,
            }
        }
        self.flush_all()?;
        self.out.flush()?;
        let revision = revision.unwrap_or_else(|| self.body());
        Ok(Encoded::new(self.watch.position(), revision))
    }
}

impl<W: io::Write> io::Write for Sink<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Small, so that it is inlined wherever a quote or a comma is written.
        if bytes.len() > self.most - self.buffer.len() || self.watch.position() == 0 {
            return self.write_apart(bytes);
        }
        self.watch.passed(bytes.len());
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_all()?;
        self.out.flush()
    }
}
