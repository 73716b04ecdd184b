//! Where the bytes of a pass come from: a slice, or a file through one buffer.
//! Owns the buffer and the hash of what went through it; must not know JSON.

use std::{io, ops::Range};

use super::text::utf8;
use crate::{ReadAt, RevisionHasher, buffer::Buffer};

/// What asking for more bytes brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct More {
    /// Whether there are more than before.
    pub(super) came: bool,
    /// Bytes that are no longer at the front.
    pub(super) gone: usize,
}

/// A document as a stretch of bytes that moves forward.
pub(crate) trait Input {
    /// Returns the bytes at hand.
    fn bytes(&self) -> &[u8];

    /// Returns some of them as text, if they are.
    fn text(&self, range: Range<usize>) -> Option<&str>;

    /// Gets more bytes behind those at hand, letting go of those before `keep`.
    fn more(&mut self, keep: usize) -> io::Result<More>;

    /// Returns the offset of the first byte at hand.
    fn base(&self) -> u64;
}

/// A document in memory.
#[derive(Debug)]
pub(crate) struct Whole<'a>(&'a str);

impl<'a> Whole<'a> {
    /// Takes a text. One that is not UTF-8 is nothing for a pass: `serde_json`
    /// may still take it, where a type ignores the odd part.
    pub(crate) fn new(json: &'a [u8]) -> Option<Self> {
        utf8(json).map(Self)
    }
}

impl Input for Whole<'_> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    #[inline]
    fn text(&self, range: Range<usize>) -> Option<&str> {
        self.0.get(range)
    }

    fn more(&mut self, _keep: usize) -> io::Result<More> {
        Ok(More {
            came: false,
            gone: 0,
        })
    }

    fn base(&self) -> u64 {
        0
    }
}

/// A document that is read in pieces, each once, in order.
#[derive(Debug)]
pub(crate) struct Pieces<'s, R: ?Sized> {
    source: &'s R,
    piece_bytes: usize,
    buffer: Buffer,
    /// How many bytes of the buffer are at hand.
    filled: usize,
    base: u64,
    hasher: RevisionHasher,
    /// How many bytes at hand the hasher has seen.
    hashed: usize,
    /// The offset up to which bytes are hashed.
    hash_end: u64,
}

impl<'s, R: ReadAt + ?Sized> Pieces<'s, R> {
    pub(crate) fn new(source: &'s R, piece_bytes: usize) -> Self {
        Self {
            source,
            piece_bytes,
            buffer: Buffer::default(),
            filled: 0,
            base: 0,
            hasher: RevisionHasher::new(),
            hashed: 0,
            hash_end: u64::MAX,
        }
    }

    /// Leaves bytes from this offset on out of the hash.
    pub(crate) fn hash_up_to(mut self, end: u64) -> Self {
        self.hash_end = end;
        self
    }

    /// Returns the length and hash of all bytes read.
    pub(crate) fn finish(mut self) -> Read {
        self.hash_to(self.filled);
        Read {
            bytes: self.base + self.filled as u64,
            hasher: self.hasher,
        }
    }

    fn hash_to(&mut self, to: usize) {
        if let Some(bytes) = self.buffer.get(self.hashed..to) {
            let room = self.hash_end.saturating_sub(self.base + self.hashed as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            self.hasher.update(&bytes[..room.min(bytes.len())]);
            self.hashed = to;
        }
    }
}

/// What is known of bytes that were read to their end.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bytes: u64,
    pub(crate) hasher: RevisionHasher,
}

impl<R: ReadAt + ?Sized> Input for Pieces<'_, R> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    #[inline]
    fn text(&self, range: Range<usize>) -> Option<&str> {
        utf8(&self.bytes()[range])
    }

    fn more(&mut self, keep: usize) -> io::Result<More> {
        self.hash_to(keep);
        self.buffer.copy_within(keep..self.filled, 0);
        self.filled -= keep;
        self.hashed -= keep;
        self.base += keep as u64;
        // A string that fills half of the buffer needs a larger one; with twice
        // the size each byte moves once on average.
        if 2 * self.filled >= self.buffer.len() {
            let size = self.piece_bytes.max(2 * self.buffer.len());
            self.buffer.grow(size);
        }
        loop {
            let from = self.base + self.filled as u64;
            match self.source.read_at(&mut self.buffer[self.filled..], from) {
                Ok(read) => {
                    self.filled += read;
                    return Ok(More {
                        came: read > 0,
                        gone: keep,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    #[inline]
    fn base(&self) -> u64 {
        self.base
    }
}
