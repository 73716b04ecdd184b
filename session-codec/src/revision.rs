//! The fingerprint of bytes. Owns the hash, its blocks and its text form; must
//! not know what a document is, nor which of its bytes are hashed.

use std::{fmt, io, str::FromStr};

/// The bytes of a block, which is hashed alone.
const BLOCK: usize = 1 << 20;

/// The fingerprint of bytes: XXH3-128 of them up to 1 MiB; beyond, XXH3-128 of
/// the hashes of each aligned block of 1 MiB, sixteen bytes a block, most
/// significant first. Blocks can so be hashed apart, by several threads.
///
/// Equal revisions mean equal bytes, short of somebody forging a collision: it
/// tells honest writers apart and is no defence against a hostile one.
///
/// The revision of a *document* is that of the bytes before its footer, if one
/// ends it and names them rightly, else of all its bytes; see
/// [`Codec::revision`](crate::Codec::revision).
///
/// ```
/// use session_codec::Revision;
///
/// let revision = Revision::of(b"{}");
/// assert_eq!(revision.to_string().parse(), Ok(revision));
/// assert_ne!(revision, Revision::of(b"{ }"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision([u8; 16]);

impl Revision {
    /// Bytes of a block.
    pub const BLOCK: usize = BLOCK;

    /// Hashes one slice.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= BLOCK {
            return Self::of_block(bytes);
        }
        let mut hashes = Vec::with_capacity(bytes.len().div_ceil(BLOCK) * 16);
        for block in bytes.chunks(BLOCK) {
            hashes.extend_from_slice(&Self::of_block(block).0);
        }
        Self::of_block(&hashes)
    }

    /// Hashes one block, for [`combine`](Self::combine).
    #[must_use]
    pub fn of_block(bytes: &[u8]) -> Self {
        Self(twox_hash::XxHash3_128::oneshot(bytes).to_be_bytes())
    }

    /// Makes one revision of the hashes of all blocks, in order. Every block but
    /// the last has [`BLOCK`](Self::BLOCK) bytes.
    ///
    /// ```
    /// use session_codec::Revision;
    ///
    /// let bytes = vec![7; Revision::BLOCK + 1];
    /// let hashes = bytes.chunks(Revision::BLOCK).map(Revision::of_block);
    /// assert_eq!(Revision::combine(hashes), Revision::of(&bytes));
    /// ```
    #[must_use]
    pub fn combine(blocks: impl IntoIterator<Item = Self>) -> Self {
        let hashes: Vec<[u8; 16]> = blocks.into_iter().map(|block| block.0).collect();
        match hashes.as_slice() {
            [] => Self::of_block(&[]),
            [only] => Self(*only),
            several => Self::of_block(several.as_flattened()),
        }
    }

    /// Wraps bytes that an earlier revision gave out.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the hash, most significant byte first.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The text was not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse revision: not 32 lower-case hexadecimal digits")]
pub struct InvalidRevision;

impl FromStr for Revision {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidRevision),
        };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(InvalidRevision);
        };
        let mut bytes = [0; 16];
        if pairs.len() != bytes.len() {
            return Err(InvalidRevision);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

/// The hash of a block under way. Its sums lie in it at a multiple of half a
/// line and are stored after each 64 bytes: where that store would cross cache
/// lines, as chance has it on the stack, hashing takes four times as long.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Block(twox_hash::XxHash3_128);

/// Hashes a document while it streams by.
///
/// ```
/// use std::io::Write;
/// use session_codec::{Revision, RevisionHasher};
///
/// let mut hasher = RevisionHasher::new();
/// hasher.write_all(b"{")?;
/// hasher.write_all(b"}")?;
/// assert_eq!(hasher.finish(), Revision::of(b"{}"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct RevisionHasher {
    /// The block being read.
    block: Block,
    filled: usize,
    /// The hashes of the blocks before it: 16 bytes for each MiB.
    done: Vec<[u8; 16]>,
}

impl RevisionHasher {
    /// Starts with no bytes seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.done.push(self.block.0.finish_128().to_be_bytes());
                self.block = Block::default();
                self.filled = 0;
            }
            if self.filled == 0 && bytes.len() > BLOCK {
                let (block, rest) = bytes.split_at(BLOCK);
                self.done.push(Revision::of_block(block).0);
                bytes = rest;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.block.0.write(now);
            self.filled += now.len();
            bytes = later;
        }
    }

    /// Returns the revision of all bytes taken so far.
    #[must_use]
    pub fn finish(&self) -> Revision {
        let last = Revision(self.block.0.finish_128().to_be_bytes());
        let before = self.done.iter().copied().map(Revision);
        Revision::combine(before.chain([last]))
    }
}

impl fmt::Debug for RevisionHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RevisionHasher")
            .field(&self.finish())
            .finish()
    }
}

impl io::Write for RevisionHasher {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.update(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
