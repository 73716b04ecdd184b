//! The fingerprint of a document's bytes. Owns the hash and its text form;
//! must not know what a document is.

use std::{fmt, io, str::FromStr};

/// XXH3-128 of a document's bytes.
///
/// Equal revisions mean equal bytes, short of somebody forging a collision: it
/// tells honest writers apart and is no defence against a hostile one.
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
    /// Hashes one slice.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(twox_hash::XxHash3_128::oneshot(bytes).to_be_bytes())
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
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !digits || text.len() != 32 {
            return Err(InvalidRevision);
        }
        let value = u128::from_str_radix(text, 16).map_err(|_| InvalidRevision)?;
        Ok(Self(value.to_be_bytes()))
    }
}

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
pub struct RevisionHasher(twox_hash::XxHash3_128);

impl RevisionHasher {
    /// Starts with no bytes seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Returns the revision of all bytes taken so far.
    #[must_use]
    pub fn finish(&self) -> Revision {
        Revision(self.0.finish_128().to_be_bytes())
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
