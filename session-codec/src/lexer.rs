//! The streaming grammar of JSON: one state machine that takes a document in
//! pieces cut at any byte, accepts and rejects what `serde_json` does when it
//! skips a value, and reports where members and array elements lie. Owns
//! syntax; must not know windows, limits on size, or types.

mod nesting;
mod scalar;
mod skim;
mod strict;
mod text;
mod visit;

use nesting::Nesting;
use skim::Skim;
use strict::Strict;
pub(crate) use visit::{Key, Piece, Stop, Visit, Watch};

use crate::{
    Error, LimitKind,
    block::{Detected, Instructions},
};

/// What the next byte may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    Next,
    End,
    Text,
    Escape,
    Hex(u8),
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Word(&'static [u8]),
    /// Between the brackets of an array that is passed over by structure.
    Skim,
}

/// What the string being read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextOf {
    Value,
    /// A name somewhere in the document.
    Key,
    /// The name of one of the document's own members, which is remembered.
    Member,
}

/// The state carried from one piece of a document to the next.
#[derive(Debug)]
pub(crate) struct Lexer {
    state: State,
    nesting: Nesting,
    depth_limit: u32,
    /// Depth at which the value is complete: 0 for a document.
    floor: u32,
    root_is_object: bool,
    /// How elements of the member being read are reported.
    watching: Watch,
    instructions: Detected,
    skim: Skim,
    text_of: TextOf,
    key: Vec<u8>,
    key_bytes: usize,
    /// What is checked beyond grammar, where that is asked for.
    strict: Option<Box<Strict>>,
    base: u64,
}

impl Lexer {
    /// Starts before a document. `longest_name` is the length of the longest
    /// member name that anybody will compare a key with.
    pub(crate) fn new(depth_limit: u32, longest_name: usize) -> Self {
        let instructions = Instructions::best().detect();
        Self {
            state: State::Value,
            nesting: Nesting::default(),
            depth_limit,
            floor: 0,
            root_is_object: false,
            watching: Watch::Nothing,
            instructions,
            skim: Skim::new(instructions, 0, 0),
            text_of: TextOf::Value,
            key: Vec::new(),
            // No spelling of a character takes more than six bytes a byte of
            // its UTF-8; the closing quote is one more.
            key_bytes: longest_name.saturating_mul(6).saturating_add(1),
            strict: None,
            base: 0,
        }
    }

    /// Starts before a value that stands `depth` containers deep, as a member
    /// of the document if that is one.
    pub(crate) fn inside(depth: u32, depth_limit: u32) -> Self {
        let mut lexer = Self::new(depth_limit, 0);
        for _ in 0..depth {
            lexer.nesting.push(true);
        }
        lexer.floor = depth;
        lexer.root_is_object = depth > 0;
        lexer
    }

    /// Passes over arrays with these instructions instead of the best ones.
    pub(crate) fn with(mut self, instructions: Instructions) -> Self {
        self.instructions = instructions.detect();
        self
    }

    /// Judges all that is walked over as a decode by `serde_json` would.
    pub(crate) fn strict(mut self) -> Self {
        self.strict = Some(Box::default());
        self
    }

    /// Takes the next piece of the document.
    pub(crate) fn feed<V: Visit>(&mut self, bytes: &[u8], visit: &mut V) -> Result<(), Stop> {
        let base = self.base;
        let checked = self.strict.as_mut().map(|strict| strict.utf8(bytes, base));
        let Some(Err(bad)) = checked else {
            return self.grammar(bytes, visit);
        };
        // What stands up to the bad byte is judged first, so that a fault has
        // one name however the document is cut.
        let good = bad.checked_sub(base).map_or(0, |before| before + 1);
        let good = usize::try_from(good).unwrap_or(usize::MAX);
        self.grammar(&bytes[..good.min(bytes.len())], visit)?;
        Err(Error::syntax(bad, "invalid unicode code point").into())
    }

    fn grammar<V: Visit>(&mut self, bytes: &[u8], visit: &mut V) -> Result<(), Stop> {
        let piece = Piece {
            bytes,
            base: self.base,
        };
        let mut at = 0;
        while at < bytes.len() {
            at = match self.state {
                State::Text => self.text(piece, at, visit)?,
                State::Next => self.next(piece, at, visit)?,
                State::Skim => self.skim(piece, at, visit)?,
                State::Value | State::FirstElement => self.value(piece, at, visit)?,
                State::FirstKey | State::Key => self.key(piece, at, visit)?,
                State::Colon => self.colon(piece, at)?,
                State::Escape => self.escape(piece, at)?,
                State::Hex(left) => self.hex(piece, at, left)?,
                State::Word(rest) => self.word(piece, at, rest, visit)?,
                State::End => trailing(piece, at)?,
                _ => self.number(piece, at, visit)?,
            };
        }
        self.base += bytes.len() as u64;
        visit.piece_end(piece)
    }

    /// Says that the document has no more bytes.
    pub(crate) fn finish<V: Visit>(&mut self, visit: &mut V) -> Result<(), Stop> {
        let piece = Piece {
            bytes: &[],
            base: self.base,
        };
        if self.number_may_end() {
            self.check_range(piece, 0)?;
            self.value_ended(piece, 0, visit)?;
        }
        if self.state == State::End {
            return Ok(());
        }
        Err(Error::syntax(self.base, "the document ends in the middle").into())
    }

    /// Returns how many bytes were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.base
    }

    fn value<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        let at = text::skip_whitespace(piece.bytes, at);
        let Some(&byte) = piece.bytes.get(at) else {
            return Ok(at);
        };
        if let Some(strict) = &mut self.strict
            && matches!(byte, b'-' | b'0'..=b'9')
        {
            strict.number_started();
            strict.number(byte);
        }
        let state = match byte {
            b'"' => State::Text,
            b'{' => State::FirstKey,
            b'[' => State::FirstElement,
            b'-' => State::Minus,
            b'0' => State::Zero,
            b'1'..=b'9' => State::Digits,
            b't' => State::Word(b"rue"),
            b'f' => State::Word(b"alse"),
            b'n' => State::Word(b"ull"),
            b']' if self.state == State::FirstElement => return self.close(piece, at, visit),
            _ => return Err(piece.syntax(at, "expected a value")),
        };
        if self.nesting.depth() <= 2 {
            self.value_started(piece.base + at as u64, byte, visit)?;
        }
        if matches!(byte, b'{' | b'[') {
            if self.nesting.depth() >= self.depth_limit {
                let limit = u64::from(self.depth_limit);
                let offset = piece.base + at as u64;
                return Err(Error::Limit {
                    offset,
                    what: LimitKind::Depth,
                    limit,
                }
                .into());
            }
            self.nesting.push(byte == b'{');
        }
        self.state = state;
        if self.watching == Watch::Skim && self.nesting.depth() == 2 {
            self.skim = Skim::new(self.instructions, 2, self.depth_limit);
            self.state = State::Skim;
        }
        Ok(at + 1)
    }

    fn value_started<V: Visit>(&mut self, at: u64, first: u8, visit: &mut V) -> Result<(), Stop> {
        match self.nesting.depth() {
            0 => {
                self.root_is_object = first == b'{';
                visit.root(at, first)
            }
            1 if self.root_is_object => {
                let watch = visit.value(at, first)?;
                self.watching = if first == b'[' { watch } else { Watch::Nothing };
                Ok(())
            }
            2 if self.watching == Watch::Elements => visit.element_start(at),
            _ => Ok(()),
        }
    }

    /// Reports that a value ended just before `at` and says what may follow.
    fn value_ended<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<(), Stop> {
        let end = piece.base + at as u64;
        let depth = self.nesting.depth();
        self.state = if depth == self.floor {
            State::End
        } else {
            State::Next
        };
        match depth {
            0 => visit.root_end(end, piece),
            1 if self.root_is_object => {
                self.watching = Watch::Nothing;
                visit.value_end(end, piece)
            }
            2 if self.watching == Watch::Elements => visit.element_end(end),
            _ => Ok(()),
        }
    }

    fn key<V: Visit>(&mut self, piece: Piece<'_>, at: usize, visit: &mut V) -> Result<usize, Stop> {
        let at = text::skip_whitespace(piece.bytes, at);
        match piece.bytes.get(at) {
            None => Ok(at),
            Some(b'"') => {
                self.text_of = TextOf::Key;
                self.state = State::Text;
                if self.nesting.depth() == 1 && self.root_is_object {
                    self.text_of = TextOf::Member;
                    self.key.clear();
                    visit.key_start(piece.base + at as u64)?;
                }
                Ok(at + 1)
            }
            Some(b'}') if self.state == State::FirstKey => self.close(piece, at, visit),
            Some(_) => Err(piece.syntax(at, "expected a member name")),
        }
    }

    fn colon(&mut self, piece: Piece<'_>, at: usize) -> Result<usize, Stop> {
        let at = text::skip_whitespace(piece.bytes, at);
        match piece.bytes.get(at) {
            None => Ok(at),
            Some(b':') => {
                self.state = State::Value;
                Ok(at + 1)
            }
            Some(_) => Err(piece.syntax(at, "expected `:`")),
        }
    }

    /// Takes what stands after a complete value.
    fn next<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        let at = text::skip_whitespace(piece.bytes, at);
        let Some(&byte) = piece.bytes.get(at) else {
            return Ok(at);
        };
        let in_object = self.nesting.in_object();
        match byte {
            b',' => {
                self.state = if in_object { State::Key } else { State::Value };
                if self.nesting.depth() == 1 && self.root_is_object {
                    visit.comma(piece.base + at as u64)?;
                }
                Ok(at + 1)
            }
            b'}' if in_object => self.close(piece, at, visit),
            b']' if !in_object => self.close(piece, at, visit),
            _ if in_object => Err(piece.syntax(at, "expected `,` or `}`")),
            _ => Err(piece.syntax(at, "expected `,` or `]`")),
        }
    }

    fn close<V: Visit>(
        &mut self,
        piece: Piece<'_>,
        at: usize,
        visit: &mut V,
    ) -> Result<usize, Stop> {
        self.nesting.pop();
        self.value_ended(piece, at + 1, visit)?;
        Ok(at + 1)
    }
}

/// Takes the white space after the document.
fn trailing(piece: Piece<'_>, at: usize) -> Result<usize, Stop> {
    let at = text::skip_whitespace(piece.bytes, at);
    if at < piece.bytes.len() {
        return Err(piece.syntax(at, "characters after the document"));
    }
    Ok(at)
}
