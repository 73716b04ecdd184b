//! The codec's own deserialiser: one pass over a document that need not be in
//! memory whole, under the codec's limits. Owns the state of that pass and who
//! has the last word; must not know files, windows or sessions.
//!
//! It accepts only what `serde_json` accepts, and gives the type the same calls,
//! so that values are equal. What it does not take, for whatever reason, is no
//! verdict: the caller asks `serde_json`, whose errors, places and rare favours
//! (bytes from a string, a type that forgives an error) are then the answer.

mod access;
mod alone;
mod copy;
mod input;
mod key;
mod number;
mod scan;
mod skip;
mod text;
mod value;

use std::io;

use serde::de::DeserializeOwned;
use serde_json::Error;

pub(crate) use alone::unescape;
pub(crate) use input::{Input, Pieces, Whole};
pub(crate) use text::utf8;

use crate::{
    Limits, RESERVED,
    block::{Detected, Instructions},
};

/// The deepest that `serde_json` decodes.
const DEEPEST: u32 = 127;

/// What a document must keep to beyond the grammar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'n> {
    depth: u32,
    /// A member that may stand only once.
    once: Option<&'n str>,
    /// Set for a document of the codec: what holds for its members.
    document: Option<Document>,
}

#[derive(Debug, Clone, Copy)]
struct Document {
    members: u32,
    element_bytes: u64,
}

impl<'n> Rules<'n> {
    /// The rules of `serde_json`.
    pub(crate) fn plain() -> Self {
        Self {
            depth: DEEPEST,
            once: None,
            document: None,
        }
    }

    /// The rules of a document: limits, and the reserved member hidden.
    pub(crate) fn document(limits: &Limits) -> Self {
        Self {
            depth: limits.depth.min(DEEPEST),
            once: None,
            document: Some(Document {
                members: limits.members,
                element_bytes: limits.element_bytes,
            }),
        }
    }

    /// Refuses a document in which the member `name` stands twice.
    pub(crate) fn once(mut self, name: &'n str) -> Self {
        self.once = Some(name);
        self
    }
}

/// What a pass over all of a document gave.
#[derive(Debug)]
pub(crate) struct Decoded<T, I> {
    pub(crate) value: T,
    pub(crate) input: I,
    /// Where the last bracket or brace stands that opens the value of a member
    /// of the document.
    pub(crate) last_opened: u64,
}

/// Why a pass gave no value.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// `serde_json` must be asked.
    Ask,
    /// The bytes could not be read.
    Io(io::Error),
}

/// Decodes all of `input`.
pub(crate) fn decode<T: DeserializeOwned, I: Input>(
    input: I,
    rules: Rules<'_>,
) -> Result<Decoded<T, I>, Undecided> {
    let mut direct = Direct::new(input, rules);
    let value = T::deserialize(&mut direct).and_then(|value| {
        direct.end()?;
        Ok(value)
    });
    if let Some(error) = direct.io {
        return Err(Undecided::Io(error));
    }
    match value {
        Ok(value) if !direct.failed => Ok(Decoded {
            value,
            input: direct.input,
            last_opened: direct.last_opened,
        }),
        _ => Err(Undecided::Ask),
    }
}

/// A pass over a document.
#[derive(Debug)]
struct Direct<'n, I> {
    input: I,
    rules: Rules<'n>,
    /// Where in the input's bytes the next one is.
    at: usize,
    /// Bytes from here on are still needed, if that is before `at`.
    anchor: Option<usize>,
    /// Containers that are open.
    depth: u32,
    root_is_object: bool,
    members: u32,
    /// Whether the member that may stand only once was seen.
    seen: bool,
    last_opened: u64,
    /// A string that has escapes, decoded.
    scratch: Vec<u8>,
    instructions: Detected,
    /// Set by every refusal, because a type may swallow the error.
    failed: bool,
    io: Option<io::Error>,
}

impl<'n, I: Input> Direct<'n, I> {
    fn new(input: I, rules: Rules<'n>) -> Self {
        Self {
            input,
            rules,
            at: 0,
            anchor: None,
            depth: 0,
            root_is_object: false,
            members: 0,
            seen: false,
            last_opened: 0,
            scratch: Vec::new(),
            instructions: Instructions::best().detect(),
            failed: false,
            io: None,
        }
    }

    /// Gives up. What the error says is never shown.
    #[cold]
    fn refuse(&mut self) -> Error {
        self.failed = true;
        serde::de::Error::custom("not taken")
    }

    /// Remembers that an error passed by, after which the place in the text may
    /// not be what it would be for `serde_json`.
    #[cold]
    fn passed(&mut self, error: Error) -> Error {
        self.failed = true;
        error
    }

    /// Gets more bytes behind those there are; false at the end of the document.
    #[cold]
    fn more(&mut self) -> Result<bool, Error> {
        let keep = self.anchor.unwrap_or(self.at).min(self.at);
        match self.input.more(keep) {
            Ok(more) => {
                self.at -= more.gone;
                self.anchor = self.anchor.map(|anchor| anchor - more.gone);
                Ok(more.came)
            }
            Err(error) => {
                self.io = Some(error);
                Err(self.refuse())
            }
        }
    }

    /// Returns the next byte without taking it.
    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            if let Some(&byte) = self.input.bytes().get(self.at) {
                return Ok(Some(byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Returns the next byte that is no white space, without taking it.
    #[inline]
    fn token(&mut self) -> Result<u8, Error> {
        loop {
            match self.input.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => {
                    if !self.more()? {
                        return Err(self.refuse());
                    }
                }
            }
        }
    }

    /// Takes a byte that must come next, after white space.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.token()? != byte {
            return Err(self.refuse());
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the bytes of a word.
    fn word(&mut self, word: &'static [u8]) -> Result<(), Error> {
        for byte in word {
            if self.peek()? != Some(*byte) {
                return Err(self.refuse());
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Opens a container.
    #[inline]
    fn open(&mut self) -> Result<(), Error> {
        if self.depth >= self.rules.depth {
            return Err(self.refuse());
        }
        if self.depth == 0 {
            self.root_is_object = self.input.bytes().get(self.at) == Some(&b'{');
        }
        if self.depth == 1 {
            self.last_opened = self.offset();
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// Refuses the second member of a name that may stand only once.
    fn check_once(&mut self, name: &str) -> Result<(), Error> {
        if self.rules.once == Some(name) && std::mem::replace(&mut self.seen, true) {
            return Err(self.refuse());
        }
        Ok(())
    }

    /// Takes what must close a container once its type has enough.
    #[inline]
    fn close(&mut self, byte: u8) -> Result<(), Error> {
        self.expect(byte)?;
        self.depth -= 1;
        Ok(())
    }

    /// Reports whether the open container is the document's own object.
    #[inline]
    fn in_document(&self) -> Option<Document> {
        if self.depth == 1 && self.root_is_object {
            self.rules.document
        } else {
            None
        }
    }

    /// Counts a member of the document.
    fn count_member(&mut self, document: Document) -> Result<(), Error> {
        if self.members == document.members {
            return Err(self.refuse());
        }
        self.members += 1;
        Ok(())
    }

    /// Returns the offset of the next byte in the document.
    #[inline]
    fn offset(&self) -> u64 {
        self.input.base() + self.at as u64
    }

    /// Reports whether values of the open array are elements of one of the
    /// document's own members, and then how large each may be.
    #[inline]
    fn element_limit(&self) -> Option<u64> {
        if self.depth == 2 && self.root_is_object {
            self.rules.document.map(|document| document.element_bytes)
        } else {
            None
        }
    }

    /// Checks that nothing but white space is left.
    fn end(&mut self) -> Result<(), Error> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Err(self.refuse());
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// Reports whether a decoded name is the one that is hidden.
fn is_reserved(name: &str) -> bool {
    name == RESERVED
}
