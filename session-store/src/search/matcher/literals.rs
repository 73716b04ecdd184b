//! The texts that every match of a regular expression begins or ends with.

use regex::Regex;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use session_codec::{Case, Needle};

/// More needles than this cost more than they save.
const MOST: usize = 8;

/// A text that is no regular expression, or one that would take too much memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse pattern: {reason}")]
pub struct InvalidPattern {
    reason: String,
}

impl InvalidPattern {
    pub(crate) fn new(error: &regex::Error) -> Self {
        Self {
            reason: error.to_string(),
        }
    }
}

/// Texts of which every match that is not empty holds at least one, or `None` where there are no such texts.
pub(super) fn required(regex: &Regex) -> Option<Vec<Needle>> {
    let hir = regex_syntax::parse(regex.as_str()).ok()?;
    let kinds = [ExtractKind::Prefix, ExtractKind::Suffix].into_iter();
    let texts = kinds.filter_map(|kind| {
        let mut extractor = Extractor::new();
        extractor.kind(kind);
        texts(&extractor.extract(&hir))
    });
    // The longer the shortest of them, the fewer candidates.
    let shortest = |found: &Found| found.texts.iter().map(String::len).min();
    let found = texts.max_by_key(shortest)?;
    let needle = |text: &String| Needle::new(text, found.case);
    Some(found.texts.iter().map(needle).collect())
}

struct Found {
    texts: Vec<String>,
    case: Case,
}

fn texts(literals: &Seq) -> Option<Found> {
    let literals = literals.literals()?;
    let mut texts: Vec<String> = Vec::new();
    for literal in literals {
        // A literal that was cut inside a character cannot be spelled.
        let text = std::str::from_utf8(literal.as_bytes()).ok()?;
        if text.is_empty() {
            return None;
        }
        texts.push(text.to_owned());
    }
    let mut case = Case::Sensitive;
    let mut lower: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
    lower.sort_unstable();
    lower.dedup();
    if lower.len() < texts.len() {
        (texts, case) = (lower, Case::AsciiInsensitive);
    }
    (!texts.is_empty() && texts.len() <= MOST).then_some(Found { texts, case })
}
