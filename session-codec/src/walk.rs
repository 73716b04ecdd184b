//! Drives the lexer over bytes wherever they come from, hashing them as they
//! go by. Owns reading in pieces; must not know what the listener keeps.

mod turns;

use std::io;

use crate::{
    Codec, Error, Parser, ReadAt, Revision, RevisionHasher,
    buffer::Buffer,
    lexer::{Lexer, Stop, Visit},
};

/// Bytes that are walked over and then hashed, few enough to stay in the
/// innermost cache from one to the other.
const SLICE: usize = 32 << 10;

/// What a walk over a whole document knows at its end.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) bytes: u64,
    /// Fingerprint of all bytes.
    pub(crate) whole: Revision,
    /// The last piece read, so that its bytes need not be read again.
    pub(crate) last: LastPiece,
}

/// A walk under way.
#[derive(Debug)]
struct Walk<'v, V> {
    lexer: Lexer,
    visit: &'v mut V,
}

impl<'v, V: Visit> Walk<'v, V> {
    fn new(lexer: Lexer, visit: &'v mut V) -> Self {
        Self { lexer, visit }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.lexer.feed(bytes, self.visit).map_err(failed)
    }

    /// Walks and hashes, in slices that stay in the cache from one to the other.
    fn take_hashed(&mut self, bytes: &[u8], hasher: &mut RevisionHasher) -> Result<(), Error> {
        for slice in bytes.chunks(SLICE) {
            self.take(slice)?;
            hasher.update(slice);
        }
        Ok(())
    }

    fn finish(mut self, hasher: &RevisionHasher, last: LastPiece) -> Result<Walked, Error> {
        self.lexer.finish(self.visit).map_err(failed)?;
        Ok(Walked {
            bytes: self.lexer.taken(),
            whole: hasher.finish(),
            last,
        })
    }
}

/// The bytes of the document that are still in memory after a walk.
#[derive(Debug, Default)]
pub(crate) struct LastPiece {
    pub(crate) base: u64,
    pub(crate) bytes: Buffer,
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
    lexer: Lexer,
    visit: &mut V,
    piece_bytes: usize,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> Result<Walked, Error> {
    let mut buffer = Buffer::new(piece_bytes);
    let (mut walk, mut hasher) = (Walk::new(lexer, visit), RevisionHasher::new());
    let mut last = (0, 0);
    loop {
        let offset = walk.lexer.taken();
        let taken = match read(&mut buffer, offset) {
            Ok(0) => break,
            Ok(taken) => taken.min(buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Io(error)),
        };
        last = (offset, taken);
        walk.take_hashed(&buffer[..taken], &mut hasher)?;
    }
    buffer.truncate(last.1);
    let last = LastPiece {
        base: last.0,
        bytes: buffer,
    };
    walk.finish(&hasher, last)
}

/// Walks a whole document that `read` gives piece by piece, as [`walk`] does, and
/// neither hashes it nor keeps any of it: for listeners that want nothing but what
/// they hear.
pub(crate) fn walk_unhashed<V: Visit>(
    lexer: Lexer,
    visit: &mut V,
    buffer: &mut [u8],
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> Result<(), Error> {
    let mut walk = Walk::new(lexer, visit);
    loop {
        match read(buffer, walk.lexer.taken()) {
            Ok(0) => break,
            Ok(taken) => walk.take(&buffer[..taken.min(buffer.len())])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Io(error)),
        }
    }
    walk.lexer.finish(walk.visit).map_err(failed)
}

/// Reports whether a walk over a document of `size` bytes, in such pieces, is
/// worth a second thread to a codec that may use one.
pub(crate) fn is_shared<P: Parser>(codec: &Codec<P>, size: u64, piece_bytes: usize) -> bool {
    codec.thread_count() > 1 && size / piece_bytes as u64 >= turns::WORTH
}

/// Walks a whole document that can be read at any offset, in as many threads
/// as the codec may use and the document is worth.
pub(crate) fn walk_at<V: Visit + Send, R: ReadAt + ?Sized, P: Parser>(
    codec: &Codec<P>,
    lexer: Lexer,
    visit: &mut V,
    source: &R,
) -> Result<Walked, Error> {
    // A small document needs no large buffer; one byte over its size lets the
    // first read show that nothing follows.
    let size = source.size()?;
    let all = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let piece_bytes = codec.piece_bytes().min(all);
    if is_shared(codec, size, piece_bytes) {
        return turns::walk(lexer, visit, piece_bytes, source);
    }
    walk(lexer, visit, piece_bytes, |buf, offset| {
        source.read_at(buf, offset)
    })
}

/// Walks a whole document of about `size` bytes and keeps all of it.
pub(crate) fn walk_whole<V: Visit, R: ReadAt + ?Sized>(
    lexer: Lexer,
    visit: &mut V,
    size: usize,
    source: &R,
) -> Result<(Walked, Buffer), Error> {
    let mut bytes = Buffer::new(size.saturating_add(1));
    let mut filled = 0;
    loop {
        let (read, result) = fill(source, &mut bytes[filled..], filled as u64);
        filled += read;
        if filled < bytes.len() || result.is_err() {
            bytes.truncate(filled);
            let (mut walk, mut hasher) = (Walk::new(lexer, visit), RevisionHasher::new());
            // What stands before a failure is judged before it.
            walk.take_hashed(&bytes, &mut hasher)?;
            result?;
            return Ok((walk.finish(&hasher, LastPiece::default())?, bytes));
        }
        // It grew since its size was asked for.
        bytes.grow(filled.saturating_mul(2));
    }
}

/// Reads until the buffer is full or there is no more; says how many bytes came
/// before that or before a failure.
fn fill<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], at: u64) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() {
        let left = &mut buffer[filled..];
        let room = left.len();
        match source.read_at(left, at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read.min(room),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
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

#[cfg(test)]
mod tests;
