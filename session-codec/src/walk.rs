//! Drives the lexer over bytes wherever they come from, hashing them as they
//! go by. Owns reading in pieces; must not know what the listener keeps.

use std::io;

use crate::{
    Error, ReadAt, Revision, RevisionHasher,
    lexer::{Lexer, Stop, Visit},
};

/// What a walk over a whole document knows at its end.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) bytes: u64,
    pub(crate) revision: Revision,
    /// The last piece read, so that its bytes need not be read again.
    pub(crate) last: LastPiece,
}

/// The bytes of the document that are still in memory after a walk.
#[derive(Debug, Default)]
pub(crate) struct LastPiece {
    pub(crate) base: u64,
    pub(crate) bytes: Vec<u8>,
}

impl LastPiece {
    /// Fills `out` with the document's bytes from `offset` on.
    pub(crate) fn read<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        out: &mut [u8],
        offset: u64,
    ) -> io::Result<()> {
        let here = offset
            .checked_sub(self.base)
            .and_then(|from| usize::try_from(from).ok());
        let held = here.and_then(|from| self.bytes.get(from..)?.get(..out.len()));
        match held {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => source.read_exact_at(out, offset),
        }
    }
}

/// Walks a whole document that `read` gives piece by piece, given the offset to
/// read from; 0 bytes mean the end.
pub(crate) fn walk<V: Visit>(
    mut lexer: Lexer,
    visit: &mut V,
    piece_bytes: usize,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> Result<Walked, Error> {
    let mut buffer = vec![0; piece_bytes];
    let mut hasher = RevisionHasher::new();
    let mut last = (0, 0);
    loop {
        let offset = lexer.taken();
        let taken = match read(&mut buffer, offset) {
            Ok(0) => break,
            Ok(taken) => taken.min(buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Io(error)),
        };
        last = (offset, taken);
        hasher.update(&buffer[..taken]);
        lexer.feed(&buffer[..taken], visit).map_err(failed)?;
    }
    lexer.finish(visit).map_err(failed)?;
    buffer.truncate(last.1);
    Ok(Walked {
        bytes: lexer.taken(),
        revision: hasher.finish(),
        last: LastPiece {
            base: last.0,
            bytes: buffer,
        },
    })
}

/// Walks a whole document that can be read at any offset.
pub(crate) fn walk_at<V: Visit, R: ReadAt + ?Sized>(
    lexer: Lexer,
    visit: &mut V,
    piece_bytes: usize,
    source: &R,
) -> Result<Walked, Error> {
    // A small document needs no large buffer; one byte over its size lets the
    // first read show that nothing follows.
    let size = usize::try_from(source.size()?).unwrap_or(usize::MAX);
    let piece_bytes = piece_bytes.min(size.saturating_add(1));
    walk(lexer, visit, piece_bytes, |buf, offset| {
        source.read_at(buf, offset)
    })
}

/// Walks a document that is in memory.
pub(crate) fn walk_slice<V: Visit>(
    mut lexer: Lexer,
    visit: &mut V,
    bytes: &[u8],
) -> Result<(), Error> {
    lexer
        .feed(bytes, visit)
        .and_then(|()| lexer.finish(visit))
        .map_err(failed)
}

/// Turns the end of a walk into an error. No listener of a whole walk stops it
/// for having enough, so that case is an unfinished document.
pub(crate) fn failed(stop: Stop) -> Error {
    match stop {
        Stop::Failed(error) => *error,
        Stop::Enough => Error::syntax(0, "the walk was stopped"),
    }
}
