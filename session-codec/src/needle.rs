//! Looking for a text in JSON without decoding it: a cheap test that errs only
//! towards yes. Owns how a text may be spelled; must not know files or what the
//! strings mean.

use std::fmt;
use std::ops::Range;

use escapes::Escapes;
use plain::Plain;
use sweep::Sweep;

mod escapes;
mod plain;
mod sweep;

/// Bytes of the longest spelling of one UTF-16 unit, `\u0000`. No character is
/// spelled in more than this for each of its bytes.
const LONGEST_ESCAPE: usize = 6;

/// Which letters of a [`Needle`] are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Case {
    /// Every character is only itself.
    #[default]
    Sensitive,
    /// `a` to `z` are also `A` to `Z`; all other characters are only themselves.
    AsciiInsensitive,
}

/// A text to look for in the strings of JSON documents, however they are
/// escaped.
///
/// A string that contains the text has it spelled as `serde_json` spells it, or
/// has an escape of one of its characters that `serde_json` would not write. One
/// pass finds the beginnings of both; few others are found.
///
/// ```
/// use session_codec::{Case, Needle};
///
/// let needle = Needle::new("na\u{ef}ve", Case::Sensitive);
/// for json in [r#""so naïve""#, r#""so na\u00EFve""#, r#""so \u006ea\u00efve""#] {
///     assert!(needle.candidates(json.as_bytes()).next_from(0).is_some());
/// }
/// assert!(needle.candidates(br#""so \u001b[1mnaive""#).next_from(0).is_none());
/// assert_eq!(needle.find_in("so na\u{ef}ve", 0), Some(3..9));
/// ```
///
/// An empty text is found nowhere.
#[derive(Clone)]
pub struct Needle {
    text: Plain,
    /// The text as `serde_json` spells it.
    usual: Vec<u8>,
    case: Case,
    escapes: Escapes,
    /// None for an empty text.
    sweep: Option<Sweep>,
}

impl Needle {
    /// Prepares the search for a text.
    #[must_use]
    pub fn new(text: &str, case: Case) -> Self {
        let (usual, escapes) = (escapes::usual(text), Escapes::of(text, case));
        Self {
            text: Plain::new(text.as_bytes().to_vec(), case),
            sweep: Sweep::new(&usual, &escapes, case),
            escapes,
            usual,
            case,
        }
    }

    /// Looks for candidates with these instructions instead of the best ones.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn instructions(mut self, instructions: crate::testing::Instructions) -> Self {
        self.sweep = self.sweep.map(|sweep| sweep.with(instructions));
        self
    }

    /// Looks for candidates in a stretch of a document.
    #[must_use]
    pub fn candidates<'a>(&'a self, json: &'a [u8]) -> Candidates<'a> {
        Candidates {
            needle: self,
            json,
            upcoming: Upcoming::Unknown,
        }
    }

    /// Reports whether a stretch of a document has a candidate.
    #[must_use]
    pub fn may_be_in(&self, json: &[u8]) -> bool {
        self.find_candidate(json, 0).is_some()
    }

    /// Returns how many bytes a spelling of the text takes at most: stretches of
    /// a document that overlap by one less miss no candidate.
    #[must_use]
    pub fn span(&self) -> usize {
        self.text.len().saturating_mul(LONGEST_ESCAPE).max(1)
    }

    /// Returns the first place of the text in a decoded string, from byte
    /// `from` on.
    #[must_use]
    pub fn find_in(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let at = self.text.find(text.as_bytes(), from)?;
        Some(at..at + self.text.len())
    }

    fn find_candidate(&self, json: &[u8], from: usize) -> Option<usize> {
        let sweep = self.sweep.as_ref()?;
        sweep.find(json, from, |at| self.is_candidate(&json[at..]))
    }

    /// Reports whether bytes begin with the text as it is usually spelled, or with
    /// another spelling of one of its characters.
    fn is_candidate(&self, bytes: &[u8]) -> bool {
        let begins = bytes
            .get(..self.usual.len())
            .is_some_and(|bytes| match self.case {
                Case::Sensitive => bytes == self.usual,
                Case::AsciiInsensitive => bytes.eq_ignore_ascii_case(&self.usual),
            });
        begins || self.escapes.begin(bytes)
    }
}

impl fmt::Debug for Needle {
    /// Tells how long it is, not what is looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Needle")
            .field("bytes", &self.text.len())
            .field("case", &self.case)
            .finish_non_exhaustive()
    }
}

/// The candidates of one [`Needle`] in one stretch of a document.
#[derive(Debug)]
pub struct Candidates<'a> {
    needle: &'a Needle,
    json: &'a [u8],
    upcoming: Upcoming,
}

/// What is known of the next candidate.
#[derive(Debug, Clone, Copy)]
enum Upcoming {
    Unknown,
    At(usize),
    None,
}

impl Candidates<'_> {
    /// Returns the first candidate from byte `from` on: a byte that belongs to
    /// the spelling of the text, if it is one.
    ///
    /// # Complexity
    ///
    /// Calls with growing `from` pass over each byte once.
    pub fn next_from(&mut self, from: usize) -> Option<usize> {
        let is_stale = match self.upcoming {
            Upcoming::Unknown => true,
            Upcoming::At(at) => at < from,
            Upcoming::None => false,
        };
        if is_stale {
            let found = self.needle.find_candidate(self.json, from);
            self.upcoming = found.map_or(Upcoming::None, Upcoming::At);
        }
        match self.upcoming {
            Upcoming::At(at) => Some(at),
            _ => None,
        }
    }
}
