//! The two looks of a search: a cheap one at raw JSON, which may only err towards yes, and the exact one at decoded text.

use std::ops::Range;

use session_codec::{Candidates, Needle};
use session_scan::CandidateFinder;

use super::{SearchQuery, Snippet, What};

#[cfg(feature = "regex")]
mod literals;

#[cfg(feature = "regex")]
pub use literals::InvalidPattern;

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Matcher {
    exact: Exact,
    /// Texts of which every match holds at least one; `None` if everything has to be decoded.
    needles: Option<Vec<Needle>>,
}

#[derive(Debug)]
enum Exact {
    Text(Box<Needle>),
    #[cfg(feature = "regex")]
    Regex(regex::Regex),
}

impl Matcher {
    pub(crate) fn new(query: &SearchQuery) -> Self {
        match &query.what {
            What::Text(text) => {
                let needle = Needle::new(text, query.case);
                Self {
                    needles: Some(vec![needle.clone()]),
                    exact: Exact::Text(Box::new(needle)),
                }
            }
            #[cfg(feature = "regex")]
            What::Regex(regex) => Self {
                needles: literals::required(regex),
                exact: Exact::Regex(regex.clone()),
            },
        }
    }

    /// Counts the matches of a text and shows the first; `None` without one.
    pub(crate) fn matches(&self, text: &str, context: usize) -> Option<(u64, Snippet)> {
        let mut count = 0;
        let mut snippet: Option<Snippet> = None;
        let mut open = true;
        self.each(text, |found| {
            count += 1;
            match &mut snippet {
                None => snippet = Some(Snippet::of(text, &found, context)),
                Some(snippet) if open => open = snippet.add(&found),
                Some(_) => {}
            }
        });
        Some((count, snippet?))
    }

    /// Gives every match that is not empty, none overlapping another.
    fn each(&self, text: &str, mut give: impl FnMut(Range<usize>)) {
        match &self.exact {
            Exact::Text(needle) => {
                let mut from = 0;
                while let Some(found) = needle.find_in(text, from) {
                    from = found.end;
                    give(found);
                }
            }
            #[cfg(feature = "regex")]
            Exact::Regex(regex) => regex
                .find_iter(text)
                .filter(|found| !found.is_empty())
                .for_each(|found| give(found.range())),
        }
    }

    /// Looks for candidates in a stretch of JSON that has none before `first`.
    pub(crate) fn cursor<'a>(&'a self, json: &'a [u8], first: u64) -> Cursor<'a> {
        let needles = self.needles.as_ref();
        let candidates = |needles: &'a Vec<Needle>| {
            let candidates = needles.iter().map(|needle| needle.candidates(json));
            candidates.collect()
        };
        Cursor {
            json,
            needles: needles.map(candidates),
            first: usize::try_from(first).unwrap_or(usize::MAX),
        }
    }
}

impl CandidateFinder for &Matcher {
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.cursor(bytes, 0).next_from(0)
    }

    fn span(&self) -> usize {
        let needles = self.needles.iter().flatten();
        needles.map(Needle::span).max().unwrap_or(1)
    }
}

/// The candidates of all needles in a stretch of JSON; every place, where there are no needles.
pub(crate) struct Cursor<'a> {
    json: &'a [u8],
    needles: Option<Vec<Candidates<'a>>>,
    first: usize,
}

impl<'a> Cursor<'a> {
    /// The stretch that it looks into.
    pub(crate) fn json(&self) -> &'a [u8] {
        self.json
    }

    /// The first candidate from a place on.
    pub(crate) fn next_from(&mut self, from: usize) -> Option<usize> {
        let from = from.max(self.first);
        let Some(needles) = &mut self.needles else {
            return Some(from);
        };
        needles
            .iter_mut()
            .filter_map(|needle| needle.next_from(from))
            .min()
    }
}
