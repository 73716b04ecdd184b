//! The codec and its settings. Owns what all operations share; each operation
//! is in a file of its own.

use crate::{
    Error, LimitKind, Limits, ParseError, ParseErrorKind, Parser, SerdeJson, block::Instructions,
    lexer::Lexer,
};

/// The name of the document's member that belongs to the codec.
///
/// Decoding hides a member of this name from every type, wherever it stands in
/// the document's object, and encoding refuses a value that has one. It holds
/// the footer that tells where elements begin.
pub const RESERVED: &str = "session_footer";

/// Bytes a walk reads at once unless told otherwise: large enough for the cost
/// of a call to vanish, small enough to stay in a core's cache.
const READ_SIZE: usize = 256 << 10;

/// Bytes up to which a document is read whole unless told otherwise: where
/// reading it in pieces stops being dearer than the memory for all of it.
const WHOLE_SIZE: usize = 3 << 19;

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
    pub(crate) marks: &'static [&'static str],
    read_size: Option<usize>,
    threads: Option<usize>,
    strict: bool,
    instructions: Option<Instructions>,
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

    /// Makes [`encode`](Self::encode) and [`amend`](Self::amend) end documents
    /// with a footer that marks these arrays, so that windows, pages and counts
    /// of them are found without reading the rest. None if not set.
    ///
    /// Reading honours footers whatever is set here. A document gets none if
    /// none of the arrays is in it, if one of them is in it twice or comes as raw
    /// text, or if the limits have no room for one more member or six levels.
    ///
    /// ```
    /// use serde_json::json;
    /// use session_codec::{Codec, FooterUse, TailCap};
    ///
    /// let codec = Codec::new().marks(&["messages"]);
    /// let mut document = Vec::new();
    /// codec.encode(&json!({"messages": [1, 2, 3]}), &mut document)?;
    /// assert!(document.starts_with(br#"{"messages":[1,2,3],"session_footer":{"#));
    /// let tail = codec.tail::<serde_json::Value, _>(&document, &TailCap::new().cap("messages", 1))?;
    /// assert_eq!((tail.value, tail.footer), (json!({"messages": [3]}), FooterUse::Used));
    /// # Ok::<(), session_codec::Error>(())
    /// ```
    #[must_use]
    pub fn marks(mut self, arrays: &'static [&'static str]) -> Self {
        self.marks = arrays;
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
    /// More than one pays for documents of several megabytes that have no
    /// usable footer. A second thread is started for the call and joined before
    /// it returns; one is the most that is started.
    #[must_use]
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count.max(1));
        self
    }

    /// Sets whether windowed decodes judge what they drop as a full decode by
    /// `serde_json` would: grammar, UTF-8, surrogates and the range of numbers,
    /// byte for byte. Off if not set, which is several times as fast; *What is
    /// checked* on the front page lists what then passes.
    ///
    /// ```
    /// use serde_json::Value;
    /// use session_codec::{Codec, TailCap};
    ///
    /// let document = br#"{"messages": [{"no": grammar}, 2]}"#;
    /// let cap = TailCap::new().cap("messages", 1);
    /// assert!(Codec::new().tail::<Value, _>(document, &cap).is_ok());
    /// let error = Codec::new().strict(true).tail::<Value, _>(document, &cap).unwrap_err();
    /// assert_eq!(error.offset(), Some(21));
    /// ```
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Searches for structure with these instructions, or with portable ones
    /// where the machine lacks them, instead of the best there are.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn instructions(mut self, instructions: Instructions) -> Self {
        self.instructions = Some(instructions);
        self
    }

    pub(crate) fn thread_count(&self) -> usize {
        self.threads.unwrap_or(1)
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Returns up to which size a document is read at once and shortened in
    /// place: what one read may take, but for reads of the usual size more.
    pub(crate) fn whole_bytes(&self) -> usize {
        self.read_size.unwrap_or(WHOLE_SIZE)
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
        let lexer = Lexer::new(self.limits.depth, longest);
        match self.instructions {
            Some(instructions) => lexer.with(instructions),
            None => lexer,
        }
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
