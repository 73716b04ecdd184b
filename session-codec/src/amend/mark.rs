//! Marks of a document that goes by as bytes. Owns telling the marker what the
//! lexer hears; must not know where the bytes come from.

use crate::{
    Codec, Parser, RESERVED, Revision,
    footer::Marker,
    lexer::{Key, Lexer, Piece, Stop, Visit, Watch},
};

/// Follows a document's bytes up to its closing brace.
#[derive(Debug)]
pub(super) struct Marking {
    lexer: Lexer,
    hears: Hears,
}

impl Marking {
    /// Starts before a document; `None` if none of its arrays are marked.
    pub(super) fn new<P: Parser>(codec: &Codec<P>) -> Option<Self> {
        if codec.marks.is_empty() {
            return None;
        }
        Some(Self {
            lexer: codec.lexer(codec.marks.iter().copied()),
            hears: Hears {
                marker: Marker::new(codec.marks, codec.limits.depth),
                current: None,
                room: codec.limits.members,
            },
        })
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.lexer.feed(bytes, &mut self.hears).is_err() {
            self.hears.marker.give_up();
        }
        self.hears.marker.absorb(bytes);
    }

    /// Returns the text that ends the document, its closing brace included.
    pub(super) fn finish(self, revision: Revision) -> Option<Vec<u8>> {
        let Hears { marker, room, .. } = self.hears;
        marker.finish(revision).filter(|_| room > 0)
    }
}

#[derive(Debug)]
struct Hears {
    marker: Marker,
    current: Option<usize>,
    /// Members that the limits still allow.
    room: u32,
}

impl Visit for Hears {
    fn key_start(&mut self, _at: u64) -> Result<(), Stop> {
        self.room = self.room.saturating_sub(1);
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        if key.is(RESERVED) {
            self.marker.give_up();
        }
        self.current = key.among(self.marker.names().iter().copied());
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        self.current = self.current.filter(|_| first == b'[');
        let Some(name) = self.current else {
            return Ok(Watch::Nothing);
        };
        self.marker.array(name);
        Ok(Watch::Elements)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.marker.element_start(at);
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        self.marker.element_end(at);
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        if self.current.take().is_some() {
            self.marker.array_end(at - 1);
        }
        Ok(())
    }
}
