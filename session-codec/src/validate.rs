//! Checking that bytes are one document. Owns nothing but the call; must not
//! know types.

use crate::{
    Codec, Error, Parser, ReadAt, Revision,
    footer::{document_revision, named_body},
    lexer::{Stop, Visit},
    members::Members,
    trace,
    walk::walk_at,
};

/// What a check of a document's structure found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validated {
    /// Bytes of the document.
    pub bytes: u64,
    /// The document's revision, as [`Codec::revision`] answers it.
    pub revision: Revision,
}

/// Counts members and hears nothing else.
#[derive(Debug)]
struct Count(Members);

impl Visit for Count {
    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        Ok(self.0.count(at)?)
    }
}

impl<P: Parser> Codec<P> {
    /// Checks the structure of a whole document: exactly what `serde_json`
    /// checks of a value that it skips, and the limits on depth and members.
    ///
    /// The root may be any JSON value. What a type would also refuse (bad
    /// UTF-8, lone surrogates, numbers out of range) is not looked for.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// assert!(Codec::new().validate(b"{\"a\": [1, 2]}")?.bytes == 13);
    /// assert_eq!(Codec::new().validate(b"{\"a\": [1, 2}").unwrap_err().offset(), Some(11));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`], [`Error::Limit`] or [`Error::Io`].
    ///
    /// # Complexity
    ///
    /// One pass, in memory of one read.
    pub fn validate<R: ReadAt + ?Sized>(&self, source: &R) -> Result<Validated, Error> {
        let _span = trace::span("validate", source.size()?);
        let mut visit = Count(Members::new(&self.limits));
        let walked = walk_at(self, self.lexer([]), &mut visit, source)?;
        Ok(Validated {
            bytes: walked.bytes,
            revision: match named_body(source)? {
                Some(_) => document_revision(source)?,
                None => walked.whole,
            },
        })
    }
}
