//! Finding bytes in bytes, with or without regard to the case of ASCII letters.
//! Owns the search; must not know JSON.

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::Case;

/// Letters by how often they occur in texts and source code, most frequent
/// first. What is not listed is rarer than all of them.
const FREQUENT: &[u8] = b" etaoinsrlducmphgfybw\"\\,.:-_/()v=01kx2{}";

/// Ranks a byte by how seldom it occurs, letters without regard to their case.
pub(super) fn rarity(byte: u8) -> usize {
    let byte = byte.to_ascii_lowercase();
    let place = FREQUENT.iter().position(|frequent| *frequent == byte);
    place.unwrap_or(FREQUENT.len())
}

/// Both cases of an ASCII letter, lower first, where they are the same.
pub(super) fn either(byte: u8, case: Case) -> [u8; 2] {
    match case {
        Case::Sensitive => [byte, byte],
        Case::AsciiInsensitive => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
    }
}

/// Bytes to find.
#[derive(Debug, Clone)]
pub(super) enum Plain {
    /// Boxed, because it is ten times the size of the other.
    Exact(Box<Finder<'static>>),
    /// The needle, and the place in it of its rarest byte.
    Caseless { needle: Vec<u8>, rarest: usize },
}

impl Plain {
    pub(super) fn new(needle: Vec<u8>, case: Case) -> Self {
        if case == Case::Sensitive || !needle.iter().any(u8::is_ascii_alphabetic) {
            return Self::Exact(Box::new(Finder::new(&needle).into_owned()));
        }
        let rarest = (0..needle.len()).max_by_key(|at| rarity(needle[*at]));
        Self::Caseless {
            rarest: rarest.unwrap_or(0),
            needle,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Exact(finder) => finder.needle().len(),
            Self::Caseless { needle, .. } => needle.len(),
        }
    }

    /// Returns the first place that starts at byte `from` or later; nothing is
    /// found nowhere.
    pub(super) fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        if self.len() == 0 {
            return None;
        }
        match self {
            Self::Exact(finder) => Some(from + finder.find(haystack.get(from..)?)?),
            Self::Caseless { needle, rarest } => caseless(haystack, from, needle, *rarest),
        }
    }
}

fn caseless(haystack: &[u8], from: usize, needle: &[u8], rarest: usize) -> Option<usize> {
    let byte = needle[rarest];
    let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
    let mut at = from.checked_add(rarest)?;
    loop {
        let rest = haystack.get(at..)?;
        at += if lower == upper {
            memchr(lower, rest)?
        } else {
            memchr2(lower, upper, rest)?
        };
        let start = at - rarest;
        let found = haystack.get(start..start + needle.len())?;
        if found.eq_ignore_ascii_case(needle) {
            return Some(start);
        }
        at += 1;
    }
}
