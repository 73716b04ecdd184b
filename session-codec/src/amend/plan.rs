//! Where an amendment's edits go in a document. Owns commas; must not copy.

use std::{borrow::Cow, ops::Range};

use serde_json::Value;

use super::Amendment;
use crate::{
    Error, LimitKind, Limits, RESERVED,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
};

/// Bytes of the document to leave out, and text to put in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit<'a> {
    pub(super) range: Range<u64>,
    /// One after the other; what the amendment brings is not copied for it.
    pub(super) text: Vec<Cow<'a, str>>,
}

/// Puts commas between elements.
fn list<'a>(elements: &'a [Cow<'_, str>]) -> impl Iterator<Item = Cow<'a, str>> {
    elements.iter().enumerate().flat_map(|(index, element)| {
        let comma = (index > 0).then_some(Cow::Borrowed(","));
        comma.into_iter().chain([Cow::Borrowed(&**element)])
    })
}

/// What the amendment does with the member being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Current {
    Untouched,
    LeftOut,
    Set(usize),
    Extend(usize),
}

#[derive(Debug)]
pub(super) struct Plan<'a> {
    amendment: &'a Amendment<'a>,
    members: Members,
    members_limit: u32,
    members_kept: u32,
    edits: Vec<Edit<'a>>,
    current: Current,
    set: Vec<bool>,
    extended: Vec<bool>,
    key_start: u64,
    value_start: u64,
    first: u8,
    elements: u64,
    comma: u64,
    /// End of the last member that stays, or of the opening brace.
    last: u64,
    /// End of the document's object.
    end: u64,
    kept: bool,
    /// Where a member that is left out began, if nothing before it stays, so
    /// that the comma after it must go too.
    open: Option<u64>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(amendment: &'a Amendment<'a>, limits: &Limits) -> Self {
        Self {
            amendment,
            members: Members::new(limits),
            members_limit: limits.members,
            members_kept: 0,
            edits: Vec::new(),
            current: Current::Untouched,
            set: vec![false; amendment.members.len()],
            extended: vec![false; amendment.elements.len()],
            key_start: 0,
            value_start: 0,
            first: 0,
            elements: 0,
            comma: 0,
            last: 0,
            end: 0,
            kept: false,
            open: None,
        }
    }

    /// Returns where the document's closing brace stands.
    pub(super) fn brace(&self) -> u64 {
        self.end.saturating_sub(1)
    }

    /// Adds what is new at the end and returns the edits in order.
    pub(super) fn finish(mut self) -> Result<Vec<Edit<'a>>, Error> {
        let mut text = Vec::new();
        let mut add =
            |name: &str, before: &'static str, parts: &'a [Cow<'a, str>], after: &'static str| {
                let comma = if self.kept { "," } else { "" };
                self.kept = true;
                self.members_kept = self.members_kept.saturating_add(1);
                text.push(format!("{comma}{}:{before}", Value::from(name)).into());
                text.extend(list(parts));
                text.push(after.into());
            };
        for ((name, elements), done) in self.amendment.elements.iter().zip(&self.extended) {
            if !done {
                add(name, "[", elements, "]");
            }
        }
        for ((name, json), done) in self.amendment.members.iter().zip(&self.set) {
            if !done {
                add(name, "", std::slice::from_ref(json), "");
            }
        }
        if self.members_kept > self.members_limit {
            let limit = u64::from(self.members_limit);
            return Err(Error::Limit {
                offset: self.last,
                what: LimitKind::Members,
                limit,
            });
        }
        if !text.is_empty() {
            // At the end of the last member that stays, which may be before
            // one that is left out.
            let at = self
                .edits
                .partition_point(|edit| edit.range.end <= self.last);
            self.edits.insert(
                at,
                Edit {
                    range: self.last..self.last,
                    text,
                },
            );
        }
        Ok(self.edits)
    }

    fn twice(&self) -> Stop {
        Error::data(
            self.key_start,
            "a member to amend stands in the document twice",
        )
        .into()
    }
}

impl Visit for Plan<'_> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        if first != b'{' {
            return Err(Error::data(at, "expected an object").into());
        }
        self.last = at + 1;
        Ok(())
    }

    fn root_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        self.end = at;
        Ok(())
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.key_start = at;
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        let set = key.among(self.amendment.members.iter().map(|(name, _)| name.as_str()));
        let extend = key.among(
            self.amendment
                .elements
                .iter()
                .map(|(name, _)| name.as_str()),
        );
        let removed = key
            .among(self.amendment.removed.iter().map(String::as_str))
            .is_some();
        self.current = match (set, extend) {
            _ if key.is(RESERVED) || removed => Current::LeftOut,
            (Some(index), _) => Current::Set(index),
            (None, Some(index)) => Current::Extend(index),
            (None, None) => Current::Untouched,
        };
        let done = match self.current {
            Current::Set(index) => std::mem::replace(&mut self.set[index], true),
            Current::Extend(index) => std::mem::replace(&mut self.extended[index], true),
            Current::Untouched | Current::LeftOut => false,
        };
        if done { Err(self.twice()) } else { Ok(()) }
    }

    fn value(&mut self, at: u64, first: u8) -> Result<Watch, Stop> {
        self.value_start = at;
        self.first = first;
        self.elements = 0;
        match self.current {
            Current::Extend(_) if first == b'[' => Ok(Watch::Elements),
            Current::Extend(_) if first != b'n' => {
                Err(Error::data(at, "expected an array to add elements to").into())
            }
            _ => Ok(Watch::Nothing),
        }
    }

    fn element_end(&mut self, _at: u64) -> Result<(), Stop> {
        self.elements += 1;
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        let amendment = self.amendment;
        let (range, text) = match self.current {
            Current::Untouched => (0..0, Vec::new()),
            Current::Set(index) => {
                let json = &*amendment.members[index].1;
                (self.value_start..at, vec![json.into()])
            }
            Current::Extend(index) => {
                let (range, before, after) = if self.first != b'[' {
                    (self.value_start..at, "[", "]")
                } else if self.elements > 0 {
                    (at - 1..at - 1, ",", "")
                } else {
                    (at - 1..at - 1, "", "")
                };
                let mut text = vec![before.into()];
                text.extend(list(&amendment.elements[index].1));
                text.push(after.into());
                (range, text)
            }
            Current::LeftOut if self.kept => (self.comma..at, Vec::new()),
            Current::LeftOut => {
                self.open = Some(at);
                (self.key_start..at, Vec::new())
            }
        };
        if self.current != Current::Untouched {
            self.edits.push(Edit { range, text });
        }
        if self.current != Current::LeftOut {
            self.kept = true;
            self.last = at;
            self.members_kept = self.members_kept.saturating_add(1);
        }
        Ok(())
    }

    fn comma(&mut self, at: u64) -> Result<(), Stop> {
        self.comma = at;
        if let Some(from) = self.open.take() {
            self.edits.push(Edit {
                range: from..at + 1,
                text: Vec::new(),
            });
        }
        Ok(())
    }
}
