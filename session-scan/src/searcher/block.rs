//! The inner loop: fill a block, find in it, carry its end over.
//!
//! Owns the arithmetic of overlapping blocks. Must not open files or start threads.

use std::io;
use std::ops::ControlFlow;

use memchr::memmem::Finder;

use super::buffer::LINE;
use super::{Match, SearchBuffer, Searcher};
use crate::Corpus;

impl Searcher {
    /// Searches one file; `pause` is asked between blocks whether to go on.
    ///
    /// Each block keeps the last `overlap` bytes of the one before, where `overlap` is one less than the longest
    /// pattern. An occurrence belongs to the block in which at least `overlap` bytes follow its first, or to the last
    /// one: so it is whole there, and in no other.
    pub(super) fn blocks<C: Corpus>(
        &self,
        corpus: &C,
        file: &C::File,
        buffer: &mut SearchBuffer,
        mut visit: impl FnMut(Match) -> ControlFlow<()>,
        mut pause: impl FnMut() -> ControlFlow<()>,
    ) -> io::Result<u64> {
        if self.finders.is_empty() {
            return Ok(0);
        }
        let longest = self
            .finders
            .iter()
            .map(|finder| finder.needle().len())
            .max();
        let overlap = longest.unwrap_or(0).saturating_sub(1);
        // What is kept ends where a cache line does, so that every read goes to the beginning of one.
        let lead = overlap.next_multiple_of(LINE);
        // At least as many new bytes as old ones, so that long patterns do not make copying the main work.
        let capacity = lead + self.block.max(2 * overlap);
        let buffer = buffer.bytes();
        buffer.grow(capacity, 0);
        let mut base = 0_u64;
        let mut begin = lead;
        loop {
            let mut filled = lead;
            let mut end = None;
            while filled < capacity && end.is_none() {
                let offset = base + (filled - begin) as u64;
                match corpus.read_at(file, buffer.part_mut(filled, capacity), offset) {
                    Ok(0) => end = Some(Ok(())),
                    Ok(read) => filled += read,
                    // What was read before is searched all the same.
                    Err(error) => end = Some(Err(error)),
                }
            }
            let block = buffer.part(begin, filled);
            let owned = if end.is_some() {
                block.len() + 1
            } else {
                block.len() - overlap
            };
            let found = find_in_order(&self.finders, block, owned, |at, pattern| {
                visit(Match {
                    offset: base + at as u64,
                    pattern,
                })
            });
            let bytes = base + block.len() as u64;
            if found.is_break() || pause().is_break() {
                return Ok(bytes);
            }
            if let Some(end) = end {
                return end.map(|()| bytes);
            }
            buffer.carry(filled - overlap, filled, lead);
            base += owned as u64;
            begin = lead - overlap;
        }
    }
}

/// Calls `visit` for every occurrence that starts before `owned`, by offset, then by pattern.
fn find_in_order(
    finders: &[Finder<'static>],
    haystack: &[u8],
    owned: usize,
    mut visit: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let find_from = |finder: &Finder<'static>, from: usize| {
        // No occurrence that starts before `owned`, which is never 0, ends behind this.
        let end = haystack.len().min(owned + finder.needle().len() - 1);
        let rest = haystack.get(from..end)?;
        finder.find(rest).map(|at| from + at)
    };
    if let [finder] = finders {
        let mut from = 0;
        while let Some(at) = find_from(finder, from) {
            visit(at, 0)?;
            from = at + 1;
        }
        return ControlFlow::Continue(());
    }
    let mut upcoming: Vec<Option<usize>> =
        finders.iter().map(|finder| find_from(finder, 0)).collect();
    loop {
        let first = (0..)
            .zip(&upcoming)
            .filter_map(|(index, at)| Some(((*at)?, index)))
            .min();
        let Some((at, pattern)) = first else {
            return ControlFlow::Continue(());
        };
        visit(at, pattern)?;
        upcoming[pattern] = find_from(&finders[pattern], at + 1);
    }
}
