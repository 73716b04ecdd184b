//! What is shown of a text that matches. Owns the cut; knows no session.

use std::fmt;
use std::ops::Range;

/// The longest part of one match that is shown, in bytes.
const LONGEST: usize = 256;

/// The first match in a text and what stands around it, cut between characters.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snippet {
    /// The part of the text that is shown.
    pub text: String,
    /// Where in `text` the matches are, in bytes: the first, which is clipped if it is very long, and the others that
    /// are shown whole.
    pub matches: Vec<Range<usize>>,
    /// How many bytes of the text stand before what is shown.
    pub before: u64,
    /// How many bytes of the text stand after what is shown.
    pub after: u64,
}

impl Snippet {
    /// Shows the first of the matches of a text, and up to `context` bytes to either side.
    pub(super) fn of(text: &str, first: &Range<usize>, context: usize) -> Self {
        let mut start = first.start.saturating_sub(context);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        let shown = first.end.min(first.start.saturating_add(LONGEST));
        let mut end = shown.saturating_add(context).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // A character is longer than the context may be.
        let end = end.max(start);
        let mut snippet = Self {
            text: text[start..end].to_owned(),
            matches: Vec::new(),
            before: start as u64,
            after: (text.len() - end) as u64,
        };
        snippet
            .matches
            .push(first.start - start..first.end.min(end).max(first.start) - start);
        snippet
    }

    /// Adds a later match if all of it is shown, and says whether one after it could be.
    pub(super) fn add(&mut self, found: &Range<usize>) -> bool {
        let start = usize::try_from(self.before).unwrap_or(usize::MAX);
        let fits = found.end.saturating_sub(start) <= self.text.len();
        if fits {
            self.matches.push(found.start - start..found.end - start);
        }
        fits
    }

    /// Where the first match is in the whole text.
    pub(super) fn first(&self) -> Range<u64> {
        let first = self.matches.first().cloned().unwrap_or_default();
        self.before + first.start as u64..self.before + first.end as u64
    }
}

impl fmt::Debug for Snippet {
    /// Tells where it is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snippet")
            .field("before", &self.before)
            .field("matches", &self.matches)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
