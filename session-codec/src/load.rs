//! Loading a whole document from where it is kept. Owns the call and its
//! result; must not know windows or files.

use serde::de::DeserializeOwned;

use crate::{
    Codec, Error, Parser, ReadAt, Revision,
    parser::direct::{self, Pieces, Rules, Undecided},
    trace,
};

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
        if self.parser.is_exact() {
            let pieces = Pieces::new(source, self.piece_bytes_for(size));
            match direct::decode(pieces, Rules::document(&self.limits)) {
                Ok((value, pieces)) => {
                    let read = pieces.finish();
                    return Ok(Loaded {
                        value,
                        bytes: read.bytes,
                        revision: read.revision,
                    });
                }
                Err(Undecided::Io(error)) => return Err(Error::Io(error)),
                Err(Undecided::Ask) => {}
            }
        }
        self.load_judged(source)
    }

    /// Reads everything and has the parser judge it.
    #[cold]
    fn load_judged<T: DeserializeOwned, R: ReadAt + ?Sized>(
        &self,
        source: &R,
    ) -> Result<Loaded<T>, Error> {
        let json = source.read_all()?;
        let (bytes, revision) = (json.len() as u64, Revision::of(&json));
        Ok(Loaded {
            value: self.decode_judged(json)?,
            bytes,
            revision,
        })
    }
}
