//! Which piece of a text is searched for. Owns the choice; must not search.

use std::ops::Range;

use memchr::memmem::Finder;

use super::Case;
use super::escapes::{Escapes, is_awkward, prefixes, usual};
use super::plain::Plain;

/// Characters of a text among which a piece is chosen.
const CONSIDERED: usize = 64;

/// A piece of this many bytes is rare enough; a longer one is not worth another
/// search.
const ENOUGH: usize = 4;

/// A piece of a text, and how it may be spelled.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// As `serde_json` spells it.
    pub(super) bytes: Plain,
    /// Where it begins in the spelling of the whole text.
    pub(super) offset: usize,
    /// How every other spelling of one of its characters begins.
    pub(super) prefixes: Vec<Finder<'static>>,
    pub(super) escapes: Escapes,
}

impl Piece {
    pub(super) fn of(text: &str, case: Case) -> Self {
        let range = choose(text, case);
        let piece = &text[range.clone()];
        let mut all: Vec<Vec<u8>> = Vec::new();
        for character in piece.chars() {
            add(&mut all, prefixes(character, case));
        }
        Self {
            bytes: Plain::new(usual(piece), case),
            offset: usual(&text[..range.start]).len(),
            prefixes: all
                .iter()
                .map(|prefix| Finder::new(prefix).into_owned())
                .collect(),
            escapes: Escapes::of(piece, case),
        }
    }
}

fn add<P: PartialEq>(all: &mut Vec<P>, more: impl IntoIterator<Item = P>) {
    for prefix in more {
        if !all.contains(&prefix) {
            all.push(prefix);
        }
    }
}

/// Chooses the piece with the fewest prefixes that is long enough, or else the
/// longest.
fn choose(text: &str, case: Case) -> Range<usize> {
    let characters: Vec<(usize, char)> = text.char_indices().take(CONSIDERED).collect();
    let spelled: Vec<Vec<Vec<u8>>> = characters
        .iter()
        .map(|(_, character)| prefixes(*character, case))
        .collect();
    let end = |index: usize| characters.get(index).map_or(text.len(), |(at, _)| *at);
    let considered = match characters.last() {
        Some((at, last)) => at + last.len_utf8(),
        None => 0,
    };
    let mut best: Option<(usize, Range<usize>)> = None;
    for (start, (from, _)) in characters.iter().enumerate() {
        let mut all = Vec::new();
        for (index, (_, character)) in characters.iter().enumerate().skip(start) {
            if is_awkward(*character) {
                break;
            }
            add(&mut all, &spelled[index]);
            let range = *from..end(index + 1).min(considered);
            if best
                .as_ref()
                .is_none_or(|best| is_better((all.len(), &range), (best.0, &best.1)))
            {
                best = Some((all.len(), range));
            }
        }
    }
    // Of a text of nothing but awkward characters, the first will do.
    best.map_or_else(|| 0..end(1).min(considered), |(_, range)| range)
}

fn is_better(new: (usize, &Range<usize>), old: (usize, &Range<usize>)) -> bool {
    let enough = |range: &Range<usize>| range.len() >= ENOUGH;
    match (enough(new.1), enough(old.1)) {
        (true, true) => (old.0, new.1.len()) > (new.0, old.1.len()),
        (is, was) if is != was => is,
        _ => (new.1.len(), old.0) > (old.1.len(), new.0),
    }
}
