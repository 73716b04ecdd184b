//! The look at a document's beginning. Owns how far it goes; must not know the
//! other looks.

use std::io;

use super::found::{Found, Wanted, expect_object};
use crate::{
    Codec, Error, Parser, ReadAt,
    lexer::{Key, Lexer, Piece, Stop, Visit, Watch},
    walk::failed,
};

/// Sizes up to which the look grows: a page, which holds the head of nearly
/// every session, and four times as much each time after.
pub(super) const STEPS: [u64; 3] = [4 << 10, 16 << 10, 64 << 10];

/// What the look saw.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) found: Found,
    /// Where the document's object starts.
    pub(super) root: Option<u64>,
    /// Whether all members were seen.
    pub(super) complete: bool,
    pub(super) bytes_read: u64,
}

impl Head {
    pub(super) fn look<P: Parser, R: ReadAt + ?Sized>(
        codec: &Codec<P>,
        source: &R,
        wanted: &Wanted<'_>,
        size: u64,
    ) -> Result<Self, Error> {
        let mut visit = HeadVisit {
            wanted,
            found: Found::default(),
            root: None,
            is_array: false,
            members: 0,
            complete: false,
        };
        let mut lexer = codec.lexer(wanted.names());
        // One call is cheaper than two for a document that is small anyway.
        let steps: &[u64] = if size <= STEPS[1] {
            &STEPS[1..]
        } else {
            &STEPS
        };
        let mut bytes_read = 0;
        for step in steps {
            let members = visit.members;
            let to = size.min(*step);
            if !feed(source, &mut lexer, &mut visit, to, &mut bytes_read)? {
                break;
            }
            if to == size {
                match lexer.finish(&mut visit) {
                    Ok(()) | Err(Stop::Enough) => break,
                    Err(stop) => return Err(failed(stop)),
                }
            }
            // A step that brought no member is inside a long one.
            if visit.members == members && *step > STEPS[0] {
                break;
            }
        }
        Ok(Self {
            found: visit.found,
            root: visit.root,
            complete: visit.complete,
            bytes_read,
        })
    }
}

/// Feeds the lexer up to an offset; false if the listener had enough before.
fn feed<R: ReadAt + ?Sized>(
    source: &R,
    lexer: &mut Lexer,
    visit: &mut HeadVisit<'_>,
    to: u64,
    bytes_read: &mut u64,
) -> Result<bool, Error> {
    let room = usize::try_from(to - lexer.taken()).unwrap_or(usize::MAX);
    let mut buffer = vec![0; room];
    while lexer.taken() < to {
        let left = usize::try_from(to - lexer.taken()).unwrap_or(room);
        let read = match source.read_at(&mut buffer[..left], lexer.taken()) {
            // Shorter than it was when its size was asked for.
            Ok(0) => return Err(Error::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => read.min(left),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Io(error)),
        };
        *bytes_read += read as u64;
        match lexer.feed(&buffer[..read], visit) {
            Ok(()) => {}
            Err(Stop::Enough) => return Ok(false),
            Err(stop) => return Err(failed(stop)),
        }
    }
    Ok(true)
}

/// Takes the members wanted until one of the arrays starts.
#[derive(Debug)]
struct HeadVisit<'a> {
    wanted: &'a Wanted<'a>,
    found: Found,
    root: Option<u64>,
    is_array: bool,
    members: u64,
    complete: bool,
}

impl Visit for HeadVisit<'_> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        self.root = Some(at);
        expect_object(at, first)
    }

    fn root_end(&mut self, _at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        self.complete = true;
        Ok(())
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.found.open(at);
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.is_array = self.wanted.is_array(key);
        match self.wanted.find(key) {
            Some(name) => self.found.name(name),
            None => self.found.discard(),
        }
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        if self.is_array && first == b'[' {
            return Err(Stop::Enough);
        }
        Ok(Watch::Nothing)
    }

    fn value_end(&mut self, at: u64, piece: Piece<'_>) -> Result<(), Stop> {
        self.members += 1;
        self.found.take(piece, at, u64::MAX)?;
        self.found.close();
        if self.found.has_all(self.wanted.members()) {
            return Err(Stop::Enough);
        }
        Ok(())
    }

    fn piece_end(&mut self, piece: Piece<'_>) -> Result<(), Stop> {
        self.found.take(piece, piece.end(), u64::MAX)
    }
}
