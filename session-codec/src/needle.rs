//! Looking for a text in JSON without decoding it: a cheap test that errs only
//! towards yes. Owns how a text may be spelled; must not know files or what the
//! strings mean.

use std::fmt;
use std::ops::Range;

use memchr::memchr;
use memchr::memmem::Finder;

use piece::Piece;
use plain::Plain;
use sweep::Sweep;

mod escapes;
mod piece;
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
/// Of the text, a piece is chosen whose characters have `\u` escapes that begin
/// alike. A string that contains the text has that piece spelled as
/// `serde_json` spells it, or such an escape; so one pass for two short texts,
/// rarely more, finds every string that contains it. Around the piece there is then
/// the rest of the text up to an escape; so few others are found.
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
    /// The whole text as `serde_json` spells it.
    usual: Vec<u8>,
    case: Case,
    piece: Piece,
    /// One pass for the piece and all prefixes, where it is one of bytes.
    sweep: Option<Sweep>,
}

impl Needle {
    /// Prepares the search for a text.
    #[must_use]
    pub fn new(text: &str, case: Case) -> Self {
        let piece = Piece::of(text, case);
        let prefixes = piece.prefixes.iter().map(Finder::needle);
        let all: Vec<&[u8]> = piece.bytes.exact().into_iter().chain(prefixes).collect();
        let sweep = Sweep::new(all.iter().copied());
        Self {
            text: Plain::new(text.as_bytes().to_vec(), case),
            usual: escapes::usual(text),
            case,
            sweep: sweep.filter(|_| piece.bytes.exact().is_some()),
            piece,
        }
    }

    /// Looks for candidates with these instructions instead of the best ones.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn instructions(mut self, instructions: crate::testing::Instructions) -> Self {
        self.sweep = self.sweep.map(|sweep| sweep.with(instructions));
        self
    }

    /// Looks for the piece and for each prefix apart, as where no one pass is for
    /// all of them.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn apart(mut self) -> Self {
        self.sweep = None;
        self
    }

    /// Looks for candidates in a stretch of a document.
    #[must_use]
    pub fn candidates<'a>(&'a self, json: &'a [u8]) -> Candidates<'a> {
        Candidates {
            needle: self,
            json,
            upcoming: match self.sweep {
                Some(_) => vec![Upcoming::Unknown],
                None => vec![Upcoming::Unknown; 1 + self.piece.prefixes.len()],
            },
        }
    }

    /// Reports whether a stretch of a document has a candidate.
    #[must_use]
    pub fn may_be_in(&self, json: &[u8]) -> bool {
        if let Some(sweep) = &self.sweep {
            return self.find_any(sweep, json, 0).is_some();
        }
        self.find_piece(json, 0).is_some()
            || self
                .piece
                .prefixes
                .iter()
                .any(|prefix| self.find_escape(json, 0, prefix).is_some())
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

    /// Returns the first candidate of any kind.
    fn find_any(&self, sweep: &Sweep, json: &[u8], from: usize) -> Option<usize> {
        sweep.find(json, from, |at| {
            let here = &json[at..];
            let is = |finder: &Finder<'_>| here.starts_with(finder.needle());
            match self.piece.bytes.exact() {
                Some(piece) if here.starts_with(piece) && self.fits_around(json, at) => true,
                _ => self.piece.prefixes.iter().any(is) && self.piece.escapes.judge(here),
            }
        })
    }

    /// Returns the first piece, from byte `from` on, around which the text can
    /// be.
    fn find_piece(&self, json: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let at = self.piece.bytes.find(json, from)?;
            if self.fits_around(json, at) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Compares what stands before and after a piece with the rest of the text
    /// as it is usually spelled; the first difference on either side has to lie
    /// in an escape.
    fn fits_around(&self, json: &[u8], at: usize) -> bool {
        let same = |one: u8, other: u8| match self.case {
            Case::Sensitive => one == other,
            Case::AsciiInsensitive => one.eq_ignore_ascii_case(&other),
        };
        let (before, rest) = self.usual.split_at(self.piece.offset);
        let after = &rest[self.piece.bytes.len()..];
        let end = at + self.piece.bytes.len();
        let differs = |from: usize, usual: &[u8]| {
            let pairs = json[from..].iter().zip(usual);
            pairs
                .take_while(|(one, other)| same(**one, **other))
                .count()
        };
        let equal = differs(end, after);
        let fits_after = equal == after.len() || is_in_escape(json, end + equal);
        if !fits_after {
            return false;
        }
        let pairs = json[..at].iter().rev().zip(before.iter().rev());
        let equal = pairs
            .take_while(|(one, other)| same(**one, **other))
            .count();
        equal == before.len()
            || at
                .checked_sub(equal + 1)
                .is_some_and(|at| is_in_escape(json, at))
    }

    /// Returns the first escape that begins like `prefix` and stands for a
    /// character of the piece.
    fn find_escape(&self, json: &[u8], mut from: usize, prefix: &Finder<'_>) -> Option<usize> {
        loop {
            let at = from + prefix.find(json.get(from..)?)?;
            if self.piece.escapes.judge(&json[at..]) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Reports whether a byte can belong to an escape.
fn is_in_escape(json: &[u8], at: usize) -> bool {
    let start = (at + 1).saturating_sub(LONGEST_ESCAPE);
    json.get(start..=at)
        .is_some_and(|bytes| memchr(b'\\', bytes).is_some())
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
    /// Of all in one pass, or else of the piece, and of each prefix.
    upcoming: Vec<Upcoming>,
}

/// What is known of the next candidate of a kind.
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
    /// Calls with growing `from` pass over each byte once for each search.
    pub fn next_from(&mut self, from: usize) -> Option<usize> {
        let mut first = None;
        for (kind, upcoming) in self.upcoming.iter_mut().enumerate() {
            let stale = match *upcoming {
                Upcoming::Unknown => true,
                Upcoming::At(at) => at < from,
                Upcoming::None => false,
            };
            if stale {
                let found = match (kind.checked_sub(1), &self.needle.sweep) {
                    (None, Some(sweep)) => self.needle.find_any(sweep, self.json, from),
                    (None, None) => self.needle.find_piece(self.json, from),
                    (Some(prefix), _) => {
                        let prefix = &self.needle.piece.prefixes[prefix];
                        self.needle.find_escape(self.json, from, prefix)
                    }
                };
                *upcoming = found.map_or(Upcoming::None, Upcoming::At);
            }
            if let Upcoming::At(at) = *upcoming {
                first = Some(first.map_or(at, |first: usize| first.min(at)));
            }
        }
        first
    }
}
