//! What the lexer tells: the events of a walk, and how a listener stops it.
//! Owns the seam between syntax and everything built on it; must not know who
//! listens.

use crate::Error;

/// A piece of a document and the offset of its first byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) base: u64,
}

impl<'a> Piece<'a> {
    #[cold]
    pub(crate) fn syntax(self, at: usize, reason: &str) -> Stop {
        Error::syntax(self.base + at as u64, reason).into()
    }

    /// Returns the bytes from offset `from` (or the start of the piece, if that
    /// is later) up to offset `to`.
    pub(crate) fn between(self, from: u64, to: u64) -> &'a [u8] {
        let start = usize::try_from(from.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let end = usize::try_from(to.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes
            .get(start..end.min(self.bytes.len()))
            .unwrap_or(&[])
    }

    /// Returns the offset just after the piece.
    pub(crate) fn end(self) -> u64 {
        self.base + self.bytes.len() as u64
    }
}

/// Ends a walk early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The listener has what it wanted.
    Enough,
    /// The document is refused. Boxed to keep the hot results small.
    Failed(Box<Error>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Says whether a listener wants to hear of the elements of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// It does not; the grammar is checked.
    Nothing,
    /// It does, and the grammar is checked.
    Elements,
    /// It does, and of elements only their structure counts: that strings and
    /// brackets end, not what stands in between.
    Skim,
}

impl Watch {
    /// Asks for elements, by structure alone unless all is to be judged.
    pub(crate) fn elements(strict: bool) -> Self {
        if strict { Self::Elements } else { Self::Skim }
    }
}

/// The name of a member as it is spelled in the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    /// Without quotes; `None` if it is too long to be a name anybody asks for.
    pub(super) raw: Option<&'a [u8]>,
}

impl<'a> Key<'a> {
    /// Takes a name as it stands between its quotes.
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        Self { raw: Some(raw) }
    }
    /// Compares the decoded name.
    pub(crate) fn is(&self, name: &str) -> bool {
        let Some(raw) = self.raw else { return false };
        if !raw.contains(&b'\\') {
            return raw == name.as_bytes();
        }
        let quoted = [b"\"", raw, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|decoded| decoded == name)
    }

    /// Finds the decoded name among several.
    pub(crate) fn among<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<usize> {
        names.into_iter().position(|name| self.is(name))
    }
}

/// Hears of the members of a document's object and of the elements of those
/// that are arrays. Ends are offsets just after the last byte.
pub(crate) trait Visit {
    /// The document's own value starts.
    fn root(&mut self, _at: u64, _first: u8) -> Result<(), Stop> {
        Ok(())
    }

    /// The document's own value ended.
    fn root_end(&mut self, _at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        Ok(())
    }

    /// The opening quote of a member's name.
    fn key_start(&mut self, _at: u64) -> Result<(), Stop> {
        Ok(())
    }

    /// A member's name is complete.
    fn key(&mut self, _key: Key<'_>) -> Result<(), Stop> {
        Ok(())
    }

    /// A member's value starts with the byte `first`.
    fn value(&mut self, _at: u64, _first: u8) -> Result<Watch, Stop> {
        Ok(Watch::Nothing)
    }

    /// An element of a watched array starts.
    fn element_start(&mut self, _at: u64) -> Result<(), Stop> {
        Ok(())
    }

    /// An element of a watched array ended.
    fn element_end(&mut self, _at: u64) -> Result<(), Stop> {
        Ok(())
    }

    /// A member's value ended.
    fn value_end(&mut self, _at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        Ok(())
    }

    /// The comma between two members.
    fn comma(&mut self, _at: u64) -> Result<(), Stop> {
        Ok(())
    }

    /// All of a piece was taken; its bytes are gone after this call.
    fn piece_end(&mut self, _piece: Piece<'_>) -> Result<(), Stop> {
        Ok(())
    }
}

/// Hears nothing: a plain check of the grammar.
impl Visit for () {}
