//! Counting the elements of arrays without decoding them. Owns the count; must
//! not know types.

use std::{fmt, io};

use crate::{
    Codec, Error, Parser, ReadAt,
    buffer::Buffer,
    footer::Tally,
    lexer::{Key, Stop, Visit, Watch},
    trace,
    walk::{is_shared, walk_at, walk_unhashed},
};

/// Bytes read at once: with what the walk needs besides they stay in the cache of one core, from being copied to being
/// walked over. Four times as many take a tenth longer.
const PIECE: usize = 64 << 10;

/// The memory of whoever counts in many documents, one after the other.
///
/// Nothing of one document is left to the next.
///
/// # Memory
///
/// Nothing before the first count; then one read, of 64 KiB at most, and the longest footer that was met. Less if all
/// documents were shorter.
#[derive(Default)]
pub struct CountBuffer {
    bytes: Buffer,
    tally: Tally,
    counts: Vec<Option<u64>>,
}

impl CountBuffer {
    /// Makes an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for CountBuffer {
    /// Tells how large it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountBuffer")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Counts elements of the named members.
#[derive(Debug)]
struct Counter<'a> {
    arrays: &'a [&'a str],
    /// One for each of them, all `None` at first.
    counts: &'a mut [Option<u64>],
    current: Option<usize>,
}

impl Visit for Counter<'_> {
    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.current = key.among(self.arrays.iter().copied());
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        let Some(current) = self.current else {
            return Ok(Watch::Nothing);
        };
        // Of members with one name the last counts, as in a map.
        self.counts[current] = (first == b'[').then_some(0);
        Ok(Watch::Skim)
    }

    fn element_end(&mut self, _at: u64) -> Result<(), Stop> {
        if let Some(count) = self
            .current
            .and_then(|current| self.counts[current].as_mut())
        {
            *count += 1;
        }
        Ok(())
    }
}

/// Counts in memory, with chosen instructions.
#[cfg(feature = "testing")]
pub(crate) fn count_slice(
    instructions: crate::testing::Instructions,
    document: &[u8],
    array: &str,
) -> Result<Option<u64>, Error> {
    let mut count = [None];
    let mut counter = Counter {
        arrays: &[array],
        counts: &mut count,
        current: None,
    };
    let lexer = Codec::new().instructions(instructions).lexer([array]);
    crate::walk::walk_slice(lexer, &mut counter, document)?;
    Ok(count[0])
}

impl<P: Parser> Codec<P> {
    /// Counts the elements of the named arrays of a document. `None` stands for
    /// a member that is missing or not an array.
    ///
    /// A footer that marks all of them, and has the checksums of the members
    /// around them, is believed; else the document's structure, and the grammar of the rest, is
    /// checked on the way.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// let counts = Codec::new().count(br#"{"messages": [{}, {}]}"#, &["messages", "pages"])?;
    /// assert_eq!(counts, [("messages".to_owned(), Some(2)), ("pages".to_owned(), None)]);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Limit`] for depth, or [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// With a footer, the members around the marked arrays in a few reads.
    /// Without one, a pass, in memory of one read.
    pub fn count<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
    ) -> Result<Vec<(String, Option<u64>)>, Error> {
        let mut buffer = CountBuffer::new();
        let counts = self.count_with(source, arrays, &mut buffer)?;
        Ok(named(arrays, counts))
    }

    /// Does what [`count`](Self::count) does, in memory that is kept: the way to count in
    /// many documents. The counts are in the order of the names.
    ///
    /// ```
    /// use session_codec::{Codec, CountBuffer};
    ///
    /// let (codec, mut buffer) = (Codec::new(), CountBuffer::new());
    /// for (document, count) in [(&br#"{"messages": [1]}"#[..], Some(1)), (b"{}", None)] {
    ///     assert_eq!(codec.count_with(document, &["messages"], &mut buffer)?, [count]);
    /// }
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`count`](Self::count). Whatever happens, the buffer is as good as before.
    ///
    /// # Complexity
    ///
    /// As [`count`](Self::count); memory is asked for only where a document needs more of it than all
    /// before.
    pub fn count_with<'b, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
        buffer: &'b mut CountBuffer,
    ) -> Result<&'b [Option<u64>], Error> {
        let size = source.size()?;
        let _span = trace::span("count", size);
        // What cannot be read at the end is come to by the walk, and before it what
        // stands before.
        if self
            .count_by_footer(source, arrays, buffer)
            .unwrap_or(false)
        {
            return Ok(&buffer.counts);
        }
        buffer.counts.clear();
        buffer.counts.resize(arrays.len(), None);
        let mut counter = Counter {
            arrays,
            counts: &mut buffer.counts,
            current: None,
        };
        let lexer = self.lexer(arrays.iter().copied());
        if is_shared(self, size, self.piece_bytes()) {
            walk_at(self, lexer, &mut counter, source)?;
        } else {
            let piece = self.piece_bytes_for(size).min(PIECE);
            buffer.bytes.reach(piece);
            walk_unhashed(
                lexer,
                &mut counter,
                &mut buffer.bytes[..piece],
                |buf, at| source.read_at(buf, at),
            )?;
        }
        Ok(&buffer.counts)
    }

    /// Does what [`count_with`](Self::count_with) does, if a footer tells: `None` where the document would have to
    /// be read.
    ///
    /// ```
    /// use session_codec::{Codec, CountBuffer};
    ///
    /// let (codec, mut buffer) = (Codec::new().marks(&["messages"]), CountBuffer::new());
    /// let mut document = Vec::new();
    /// codec.encode(&serde_json::json!({"messages": [1, 2]}), &mut document)?;
    /// let counts = codec.count_marked(&document, &["messages"], &mut buffer)?;
    /// assert_eq!(counts, Some(&[Some(2)][..]));
    /// let plain = br#"{"messages": [1]}"#;
    /// assert_eq!(codec.count_marked(plain, &["messages"], &mut buffer)?, None);
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// One read of 4 KiB at the end, and the members around the marked arrays as far as they stand before it.
    pub fn count_marked<'b, R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
        buffer: &'b mut CountBuffer,
    ) -> Result<Option<&'b [Option<u64>]>, Error> {
        let counted = self.count_by_footer(source, arrays, buffer)?;
        Ok(counted.then_some(&buffer.counts))
    }

    /// Leaves the counts in the buffer, if a footer tells them all.
    fn count_by_footer<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        arrays: &[&str],
        buffer: &mut CountBuffer,
    ) -> io::Result<bool> {
        let CountBuffer {
            bytes,
            tally,
            counts,
        } = buffer;
        counts.clear();
        if self.is_strict() {
            return Ok(false);
        }
        match tally.find(source, self.limits.depth, bytes) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            // Shortened since its size was asked for.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        counts.extend(arrays.iter().map(|name| tally.count(name)));
        Ok(counts.iter().all(Option::is_some))
    }
}

fn named(arrays: &[&str], counts: &[Option<u64>]) -> Vec<(String, Option<u64>)> {
    let names = arrays.iter().map(|name| (*name).to_owned());
    names.zip(counts.iter().copied()).collect()
}
