//! Decoding a large document by two threads. Owns where it is cut, and the
//! proof that the cut was good; must not know how two values become one.
//!
//! The place is guessed: near the middle, a comma before what looks like the
//! beginning of the array's first element. Nothing rests on the guess. One
//! thread decodes what stands before the comma, with the array and the document
//! closed behind it; the other decodes the document up to the array, continued
//! behind the comma. If both are documents, and the array that the first had to
//! close is the one that the second was continued in, then the comma separates
//! two elements of it, and both together say all that the document says.
//! Otherwise one thread decodes it all.

use std::io;

use memchr::memmem;

use crate::{
    Codec, Error, Parser, ReadAt,
    buffer::Buffer,
    lexer::{Key, Stop, Visit, Watch},
};

/// How many reads may go by without finding a place.
const READS: usize = 8;

/// What closes a document in whose array's element list it was cut.
const CLOSE: &[u8] = b"]}";

/// Where a document is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The array's opening bracket.
    pub(super) array: u64,
    /// A comma between its elements.
    pub(super) comma: u64,
}

/// A part of a document as a document of its own.
#[derive(Debug)]
pub(super) enum Part<'s, R: ?Sized> {
    /// What stands before the cut, closed.
    First { source: &'s R, comma: u64 },
    /// The whole without the array's elements before the cut.
    Rest { source: &'s R, cut: Cut },
}

impl<R: ReadAt + ?Sized> ReadAt for Part<'_, R> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let (source, head) = match self {
            Self::First { source, comma } => (source, *comma),
            Self::Rest { source, cut } => (source, cut.array + 1),
        };
        if offset < head {
            let room = usize::try_from(head - offset).unwrap_or(usize::MAX);
            let room = room.min(buf.len());
            return source.read_at(&mut buf[..room], offset);
        }
        match self {
            Self::First { .. } => CLOSE.read_at(buf, offset - head),
            Self::Rest { cut, .. } => source.read_at(buf, cut.comma + 1 + (offset - head)),
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(match self {
            Self::First { comma, .. } => comma + CLOSE.len() as u64,
            Self::Rest { source, cut } => (source.size()? + cut.array).saturating_sub(cut.comma),
        })
    }
}

/// Hears of the first element of an array.
#[derive(Debug)]
struct FirstElement<'n> {
    array: &'n str,
    named: bool,
    bracket: Option<u64>,
    element: Option<u64>,
}

impl Visit for FirstElement<'_> {
    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.named = key.is(self.array);
        Ok(())
    }

    fn value(&mut self, at: u64, first: u8) -> Result<Watch, Stop> {
        if !self.named {
            return Ok(Watch::Nothing);
        }
        if first != b'[' {
            return Err(Stop::Enough);
        }
        self.bracket = Some(at);
        Ok(Watch::Elements)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.element = Some(at);
        Err(Stop::Enough)
    }

    fn value_end(&mut self, _at: u64, _piece: crate::lexer::Piece<'_>) -> Result<(), Stop> {
        // The array is empty.
        if self.named {
            Err(Stop::Enough)
        } else {
            Ok(())
        }
    }
}

impl<P: Parser> Codec<P> {
    /// Looks for a place near the middle of a document of `size` bytes where
    /// `array` may be cut.
    pub(super) fn find_cut<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        size: u64,
        array: &str,
    ) -> Result<Option<Cut>, Error> {
        let mut buffer = Buffer::new(self.piece_bytes_for(size));
        let Some((bracket, element)) = self.first_element(source, array, &mut buffer)? else {
            return Ok(None);
        };
        let read = fill(source, &mut buffer, element)?;
        let Some(mark) = beginning(&buffer[..read]).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        // A little before the middle, as the first thread also hashes the rest.
        let mut from = element + 1 + (size.saturating_sub(element) / 100) * 46;
        for _ in 0..READS {
            let read = fill(source, &mut buffer, from)?;
            let found = memmem::find_iter(&buffer[..read], &mark).find_map(|at| {
                let before = buffer[..at].trim_ascii_end();
                (before.last() == Some(&b',')).then(|| before.len() - 1)
            });
            if let Some(at) = found {
                return Ok(Some(Cut {
                    array: bracket,
                    comma: from + at as u64,
                }));
            }
            // What is cut by the end of one read is found by the next.
            let step = read.saturating_sub(2 * mark.len());
            if step == 0 {
                break;
            }
            from += step as u64;
        }
        Ok(None)
    }

    /// Finds the array's bracket and its first element near the document's
    /// beginning.
    fn first_element<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        array: &str,
        buffer: &mut [u8],
    ) -> Result<Option<(u64, u64)>, Error> {
        let mut visit = FirstElement {
            array,
            named: false,
            bracket: None,
            element: None,
        };
        let mut lexer = self.lexer([array]);
        for _ in 0..READS {
            let read = fill(source, buffer, lexer.taken())?;
            // What stops it, a fault of the document too, is seen by whoever
            // decodes it.
            if read == 0 || lexer.feed(&buffer[..read], &mut visit).is_err() {
                break;
            }
        }
        Ok(visit.bracket.zip(visit.element))
    }
}

/// Returns what the first element begins with: its brace and first name.
fn beginning(element: &[u8]) -> Option<&[u8]> {
    let rest = element.strip_prefix(b"{")?.trim_ascii_start();
    let name = rest.strip_prefix(b"\"")?;
    let end = name.iter().take(64).position(|byte| *byte == b'"')?;
    let length = element.len() - name.len() + end + 1;
    element.get(..length)
}

/// Reads once, past interruptions.
fn fill<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], from: u64) -> Result<usize, Error> {
    loop {
        match source.read_at(buffer, from) {
            Ok(read) => return Ok(read.min(buffer.len())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Io(error)),
        }
    }
}
