//! What a page leaves out of a document that has no footer. Owns the walk that
//! finds the cuts; must not read them.

use std::ops::Range;

use crate::{
    Error, LimitKind, Limits, RESERVED,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
};

/// Finds the stretches to leave out, in order.
#[derive(Debug)]
pub(super) struct Cuts<'a> {
    array: &'a str,
    capped: &'a [&'a str],
    wanted: Range<u64>,
    /// How the elements of the array are listened to.
    watch: Watch,
    members: Members,
    element_limit: u64,
    current: Current,
    /// Elements of the array so far; of members with one name the last counts.
    pub(super) count: u64,
    element: u64,
    /// Where the last element wanted ended.
    end: u64,
    key_start: u64,
    comma: u64,
    kept: bool,
    open: Option<u64>,
    pub(super) left_out: Vec<Range<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Current {
    Other,
    Reserved,
    /// Named like an array to empty.
    Emptied,
    /// Named like the array of the page.
    Paged,
    /// One of the two, and an array.
    Cut,
    Page,
}

impl<'a> Cuts<'a> {
    pub(super) fn new(
        array: &'a str,
        capped: &'a [&'a str],
        wanted: Range<u64>,
        watch: Watch,
        limits: &Limits,
    ) -> Self {
        Self {
            array,
            capped,
            wanted,
            watch,
            members: Members::new(limits),
            element_limit: limits.element_bytes,
            current: Current::Other,
            count: 0,
            element: 0,
            end: 0,
            key_start: 0,
            comma: 0,
            kept: false,
            open: None,
            left_out: Vec::new(),
        }
    }
}

impl Visit for Cuts<'_> {
    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.key_start = at;
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        self.current = if key.is(RESERVED) {
            Current::Reserved
        } else if key.is(self.array) {
            Current::Paged
        } else if key.among(self.capped.iter().copied()).is_some() {
            Current::Emptied
        } else {
            Current::Other
        };
        Ok(())
    }

    fn value(&mut self, at: u64, first: u8) -> Result<Watch, Stop> {
        if self.current == Current::Paged {
            self.count = 0;
        }
        self.current = match self.current {
            Current::Paged if first == b'[' => Current::Page,
            Current::Emptied if first == b'[' => Current::Cut,
            other => other,
        };
        self.end = at + 1;
        Ok(if self.current == Current::Page {
            self.watch
        } else {
            Watch::Nothing
        })
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        self.element = at;
        if self.count == self.wanted.start && self.count < self.wanted.end {
            self.left_out.push(self.end..at);
        }
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if self.wanted.contains(&self.count) {
            self.end = at;
            let limit = self.element_limit;
            if at - self.element > limit {
                let offset = self.element;
                let what = LimitKind::ElementBytes;
                return Err(Error::Limit {
                    offset,
                    what,
                    limit,
                }
                .into());
            }
        }
        self.count += 1;
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        match self.current {
            Current::Page | Current::Cut => self.left_out.push(self.end..at - 1),
            Current::Reserved if self.kept => self.left_out.push(self.comma..at),
            Current::Reserved => self.open = Some(self.key_start),
            Current::Other | Current::Emptied | Current::Paged => {}
        }
        self.kept |= self.current != Current::Reserved;
        if self.current == Current::Reserved && self.open.is_some() {
            // Ends here unless a comma follows, which goes too.
            self.end = at;
        }
        Ok(())
    }

    fn comma(&mut self, at: u64) -> Result<(), Stop> {
        self.comma = at;
        if let Some(from) = self.open.take() {
            self.left_out.push(from..at + 1);
        }
        Ok(())
    }

    fn root_end(&mut self, _at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        if let Some(from) = self.open.take() {
            self.left_out.push(from..self.end);
        }
        Ok(())
    }
}
