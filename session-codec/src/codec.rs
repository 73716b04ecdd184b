//! The codec and its settings. Owns what all operations share; each operation
//! is in a file of its own.

use crate::{
    Error, LimitKind, Limits, ParseError, ParseErrorKind, Parser, SerdeJson, lexer::Lexer,
};

/// The name of the document's member that belongs to the codec.
///
/// Decoding hides a member of this name from every type, wherever it stands in
/// the document's object, and encoding refuses a value that has one. It is kept
/// for a footer that tells where elements begin.
pub const RESERVED: &str = "session_footer";

/// Bytes a walk reads at once unless told otherwise: large enough for the cost
/// of a call to vanish, small enough to stay in a core's cache.
const READ_SIZE: usize = 256 << 10;

/// Encodes and decodes session documents.
///
/// A codec holds settings only; it is cheap to copy and may be shared.
///
/// ```
/// use session_codec::{Codec, Limits};
///
/// let codec = Codec::new().limits(Limits::default().depth(2));
/// let error = codec.decode::<serde_json::Value>(br#"{"a": [[]]}"#.to_vec()).unwrap_err();
/// assert!(error.is_limit());
/// assert_eq!(error.offset(), Some(7));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Codec<P: Parser = SerdeJson> {
    pub(crate) parser: P,
    pub(crate) limits: Limits,
    read_size: Option<usize>,
    threads: Option<usize>,
}

impl Codec {
    /// Creates a codec with the default parser and limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<P: Parser> Codec<P> {
    /// Creates a codec that decodes with `parser`.
    #[must_use]
    pub fn with_parser(parser: P) -> Self {
        Self {
            parser,
            ..Self::default()
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many bytes a walk reads at once: 256 KiB if not set, at least 1.
    /// Answers do not depend on it.
    #[must_use]
    pub fn read_size(mut self, bytes: usize) -> Self {
        self.read_size = Some(bytes.max(1));
        self
    }

    /// Lets one call use at most `count` threads, the caller's among them: 1 if
    /// not set. Answers and errors do not depend on it.
    ///
    /// More than one pays for documents of several megabytes. A second thread is
    /// started for the call and joined before it returns; one is the most that
    /// is started.
    #[must_use]
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count.max(1));
        self
    }

    pub(crate) fn thread_count(&self) -> usize {
        self.threads.unwrap_or(1)
    }

    pub(crate) fn piece_bytes(&self) -> usize {
        self.read_size.unwrap_or(READ_SIZE)
    }

    /// The bytes to read at once of a document of `size`: a small one needs no
    /// large buffer; one byte more lets a read show that nothing follows.
    pub(crate) fn piece_bytes_for(&self, size: u64) -> usize {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.piece_bytes().min(size.saturating_add(1))
    }

    /// Starts a lexer whose listener compares keys with `names`.
    pub(crate) fn lexer<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Lexer {
        let longest = names
            .into_iter()
            .map(str::len)
            .max()
            .unwrap_or(0)
            .max(RESERVED.len());
        Lexer::new(self.limits.depth, longest)
    }

    /// Turns a parser's error into one about the document, given where each
    /// byte of the parsed text comes from.
    pub(crate) fn parse_failed(&self, error: &ParseError, place: impl Fn(usize) -> u64) -> Error {
        let offset = place(error.offset());
        match error.kind() {
            ParseErrorKind::Syntax => Error::syntax(offset, error.reason()),
            ParseErrorKind::Data => Error::data(offset, error.reason()),
            // The parser's own bound, below the codec's.
            ParseErrorKind::Depth => Error::Limit {
                offset,
                what: LimitKind::Depth,
                limit: u64::from(self.limits.depth.min(127)),
            },
        }
    }
}
