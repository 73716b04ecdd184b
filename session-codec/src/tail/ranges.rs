//! The window over bytes that can be read again: remembers where the kept bytes
//! lie and nothing of them. Owns ranges; must not know the lexer's states.

use std::ops::Range;

use super::{
    assemble::Assembly,
    window::{Tallies, Tally, Window},
};
use crate::{
    Error, LimitKind, Limits, RESERVED, ReadAt, TailCap,
    buffer::Buffer,
    lexer::{Key, Piece, Stop, Visit, Watch},
    members::Members,
    walk::LastPiece,
};

/// What stays of the document, in its order.
#[derive(Debug)]
enum Part {
    Member(Range<u64>),
    Array { cap: usize, kept: Range<u64> },
}

/// What the member being read is.
#[derive(Debug)]
enum Current {
    Other,
    Reserved,
    Named { cap: usize, keep: usize },
    Capped { cap: usize, window: Window },
}

#[derive(Debug)]
pub(super) struct Ranges<'a> {
    cap: &'a TailCap,
    limits: Limits,
    members: Members,
    parts: Vec<Part>,
    tallies: Tallies,
    current: Current,
    key_start: u64,
    root: (u64, u64),
    bare: bool,
    /// Whether the reserved member stands in the document.
    hidden: bool,
    strict: bool,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(cap: &'a TailCap, limits: &Limits, strict: bool) -> Self {
        Self {
            cap,
            limits: *limits,
            members: Members::new(limits),
            parts: Vec::new(),
            tallies: Tallies::new(cap),
            current: Current::Other,
            key_start: 0,
            root: (0, 0),
            bare: false,
            hidden: false,
            strict,
        }
    }

    /// Returns how many bytes are kept, if that is within the limit.
    fn kept_bytes(&self) -> Result<usize, Error> {
        let bytes = self
            .parts
            .iter()
            .map(|part| length(part.range()))
            .sum::<u64>();
        let limit = self.limits.kept_bytes;
        match usize::try_from(bytes) {
            Ok(room) if bytes <= limit => Ok(room),
            _ => Err(Error::Limit {
                offset: self.root.0,
                what: LimitKind::KeptBytes,
                limit,
            }),
        }
    }

    /// Reads the kept bytes again and puts them together.
    pub(super) fn assemble<R: ReadAt + ?Sized>(
        self,
        source: &R,
        last: &LastPiece,
    ) -> Result<(Assembly, Tallies), Error> {
        let assembly = Assembly::new(self.kept_bytes()?, self.bare, self.root);
        self.put_together(assembly, |range, json, at| {
            // As long as the sum of all, which fits.
            let end = at + usize::try_from(length(range)).unwrap_or(0);
            json.resize(end, 0);
            last.read(source, &mut json[at..], range.start)?;
            Ok(end)
        })
    }

    /// Moves the kept bytes together in the document itself.
    pub(super) fn assemble_within(self, document: Buffer) -> Result<(Assembly, Tallies), Error> {
        self.kept_bytes()?;
        let (document, start) = document.into_vec();
        let assembly = Assembly::over(document, self.bare, self.root);
        self.put_together(assembly, |range, json, at| {
            // Offsets into a vector fit.
            let place = |offset| start + usize::try_from(offset).unwrap_or(usize::MAX - start);
            let (from, to) = (place(range.start), place(range.end));
            json.copy_within(from..to, at);
            Ok(at + (to - from))
        })
    }

    fn put_together(
        self,
        mut assembly: Assembly,
        mut copy: impl FnMut(&Range<u64>, &mut Vec<u8>, usize) -> Result<usize, Error>,
    ) -> Result<(Assembly, Tallies), Error> {
        let names: Vec<_> = self.cap.arrays().map(|(name, _)| name).collect();
        for part in &self.parts {
            let range = part.range();
            let fill = |json: &mut Vec<u8>, at| copy(range, json, at);
            match part {
                Part::Member(_) => assembly.member(range.start, fill)?,
                Part::Array { cap, .. } => assembly.array(names[*cap], range.start, fill)?,
            }
        }
        Ok((assembly, self.tallies))
    }

    /// Reports whether the document is what would be put together, but for
    /// white space, and within the limit.
    pub(super) fn keeps_all(&self) -> Result<bool, Error> {
        self.kept_bytes()?;
        Ok(!self.hidden && self.tallies.drop_nothing())
    }

    /// Gives out the tallies alone.
    pub(super) fn into_tallies(self) -> Tallies {
        self.tallies
    }
}

impl Part {
    fn range(&self) -> &Range<u64> {
        match self {
            Self::Member(range) | Self::Array { kept: range, .. } => range,
        }
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

impl Visit for Ranges<'_> {
    fn root(&mut self, at: u64, first: u8) -> Result<(), Stop> {
        self.root.0 = at;
        self.bare = first != b'{';
        Ok(())
    }

    fn root_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        self.root.1 = at;
        if self.bare {
            self.parts.push(Part::Member(self.root.0..at));
        }
        Ok(())
    }

    fn key_start(&mut self, at: u64) -> Result<(), Stop> {
        self.key_start = at;
        Ok(self.members.count(at)?)
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Stop> {
        let found = self
            .cap
            .arrays()
            .enumerate()
            .find(|(_, (name, _))| key.is(name));
        self.current = match found {
            // Asked first: the reserved name belongs to the codec, cap or not.
            _ if key.is(RESERVED) => Current::Reserved,
            Some((cap, (_, keep))) => Current::Named { cap, keep },
            None => Current::Other,
        };
        Ok(())
    }

    fn value(&mut self, _at: u64, first: u8) -> Result<Watch, Stop> {
        let Current::Named { cap, keep } = self.current else {
            return Ok(Watch::Nothing);
        };
        if first == b'[' {
            let window = Window::new(keep, self.limits.element_bytes);
            self.current = Current::Capped { cap, window };
            return Ok(Watch::elements(self.strict));
        }
        self.tallies.set(cap, Tally::default());
        Ok(Watch::Nothing)
    }

    fn element_start(&mut self, at: u64) -> Result<(), Stop> {
        if let Current::Capped { window, .. } = &mut self.current {
            window.element_start(at);
        }
        Ok(())
    }

    fn element_end(&mut self, at: u64) -> Result<(), Stop> {
        if let Current::Capped { window, .. } = &mut self.current {
            window.element_end(at);
        }
        Ok(())
    }

    fn value_end(&mut self, at: u64, _piece: Piece<'_>) -> Result<(), Stop> {
        match &self.current {
            Current::Reserved => self.hidden = true,
            Current::Other | Current::Named { .. } => {
                self.parts.push(Part::Member(self.key_start..at));
            }
            Current::Capped { cap, window } => {
                let (kept, tally) = window.finish()?;
                self.tallies.set(*cap, tally);
                self.parts.push(Part::Array { cap: *cap, kept });
            }
        }
        Ok(())
    }
}
