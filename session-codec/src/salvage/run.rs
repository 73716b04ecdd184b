//! Reading on from one place as long as it can be. Owns the grammar of a document around its named arrays; must not know
//! where to begin.

use std::ops::Range;

use super::{Salvage, SalvagedMember};
use crate::{
    lexer::{Lexer, Piece, Stop, Visit},
    walk::walk_slice,
};

/// Where a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum At {
    Root,
    Member,
    /// An element of an array that is named later.
    Element,
}

/// What was read from one place on.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) members: Vec<SalvagedMember>,
    pub(super) lost: Vec<Range<usize>>,
    /// Behind the root, or where the first thing stands that cannot be read.
    pub(super) end: usize,
    /// Where the last value begins that it tried to read.
    pub(super) value: usize,
    /// Where that is broken.
    pub(super) fault: Option<usize>,
    /// Whether the root was closed.
    pub(super) complete: bool,
    /// The named array in which it ended.
    pub(super) inside: Option<String>,
    /// Where members and elements begin behind the commas that it passed.
    pub(super) passed: Vec<(At, usize)>,
}

/// Hears where a value ends, and wants no more.
#[derive(Default)]
struct End(Option<u64>);

impl Visit for End {
    fn value_end(&mut self, at: u64, _: Piece<'_>) -> Result<(), Stop> {
        self.0 = Some(at);
        Err(Stop::Enough)
    }
}

impl Salvage<'_> {
    /// The next place that is not white.
    pub(super) fn blank(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// The end of the value that begins here, by its grammar, or where that is broken.
    pub(super) fn value(&self, at: usize) -> Result<usize, usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let (mut end, mut lexer) = (End::default(), Lexer::inside(1, self.depth));
        let stop = lexer
            .feed(rest, &mut end)
            .and_then(|()| lexer.finish(&mut end));
        let offset = match (end.0, stop) {
            (Some(end), _) => Some(end),
            (None, Err(Stop::Failed(error))) => error.offset(),
            (None, _) => None,
        };
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        let place = at + offset.unwrap_or(rest.len()).min(rest.len());
        self.spend(place - at + 1);
        if end.0.is_some() {
            Ok(place)
        } else {
            Err(place)
        }
    }

    /// Spends some of the effort, which is what was looked at.
    pub(super) fn spend(&self, bytes: usize) {
        self.effort
            .set(self.effort.get().saturating_sub(bytes as u64));
    }

    /// Whether a run has read everything.
    pub(super) fn is_at_end(&self, run: &Run) -> bool {
        run.complete && self.blank(run.end) == self.bytes.len()
    }

    /// Where the bytes stand that end a run: inside of the value that it could not read.
    pub(super) fn fault(&self, run: &Run) -> usize {
        run.fault.unwrap_or_else(|| self.blank(run.end))
    }

    /// Whether a full decode would take these bytes, `depth` containers deep.
    fn is_sound(&self, range: &Range<usize>, depth: u32) -> bool {
        let lexer = Lexer::inside(depth, self.depth).strict();
        walk_slice(lexer, &mut (), &self.bytes[range.clone()]).is_ok()
    }

    /// Reads on from one place as long as it can.
    pub(super) fn run(&self, at: At, from: usize) -> Run {
        let mut run = Run {
            members: Vec::new(),
            lost: Vec::new(),
            end: from,
            value: from,
            fault: None,
            complete: false,
            inside: None,
            passed: Vec::new(),
        };
        run.complete = self.follow(at, &mut run).is_some();
        run
    }

    /// Reads on as long as it can; `None` where it cannot, with the place in `run.end`.
    fn follow(&self, at: At, run: &mut Run) -> Option<()> {
        match at {
            At::Root => {
                let open = self.blank(run.end);
                if self.bytes.get(open) != Some(&b'{') {
                    return None;
                }
                run.end = self.blank(open + 1);
                if self.bytes.get(run.end) == Some(&b'}') {
                    run.end += 1;
                    return Some(());
                }
            }
            At::Member => {}
            At::Element => {
                run.members.push(SalvagedMember {
                    name: String::new(),
                    value: run.end..run.end,
                    elements: Some(Vec::new()),
                });
                self.elements(run)?;
                if !self.next(run, At::Member)? {
                    return Some(());
                }
            }
        }
        loop {
            self.member(run)?;
            if !self.next(run, At::Member)? {
                return Some(());
            }
        }
    }

    /// Passes a comma (`true`), or what closes the container.
    fn next(&self, run: &mut Run, of: At) -> Option<bool> {
        let close = if of == At::Element { b']' } else { b'}' };
        let at = self.blank(run.end);
        let byte = *self.bytes.get(at)?;
        if byte != b',' && byte != close {
            return None;
        }
        run.end = at + 1;
        if byte == b',' {
            run.end = self.blank(run.end);
            run.passed.push((of, run.end));
        }
        Some(byte == b',')
    }

    /// The end of a value, or a note of where it is broken.
    fn try_value(&self, run: &mut Run, at: usize) -> Option<usize> {
        run.value = at;
        self.value(at).map_err(|fault| run.fault = Some(fault)).ok()
    }

    fn member(&self, run: &mut Run) -> Option<()> {
        let start = run.end;
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let key_end = self.try_value(run, start)?;
        let name: Option<String> = serde_json::from_slice(&self.bytes[start..key_end]).ok();
        let colon = self.blank(key_end);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        let at = self.blank(colon + 1);
        let named = name
            .as_deref()
            .filter(|name| self.arrays.contains(name) && self.bytes.get(at) == Some(&b'['));
        if let Some(name) = named {
            run.members.push(SalvagedMember {
                name: name.to_owned(),
                value: at..at,
                elements: Some(Vec::new()),
            });
            run.end = self.blank(at + 1);
            if self.bytes.get(run.end) == Some(&b']') {
                run.end += 1;
                return Some(());
            }
            return self.elements(run);
        }
        let end = self.try_value(run, at)?;
        run.end = end;
        match name {
            Some(name) if self.is_sound(&(at..end), 1) => run.members.push(SalvagedMember {
                name,
                value: at..end,
                elements: None,
            }),
            _ => run.lost.push(start..end),
        }
        Some(())
    }

    /// Reads the elements of the last member from one on, up to the bracket.
    fn elements(&self, run: &mut Run) -> Option<()> {
        run.inside = run.members.last().map(|member| member.name.clone());
        loop {
            let range = run.end..self.try_value(run, run.end)?;
            run.end = range.end;
            let member = run.members.last_mut()?;
            match &mut member.elements {
                Some(elements) if self.is_sound(&range, 2) => {
                    if elements.is_empty() {
                        member.value.start = range.start;
                    }
                    member.value.end = range.end;
                    elements.push(range);
                }
                _ => run.lost.push(range),
            }
            if !self.next(run, At::Element)? {
                run.inside = None;
                return Some(());
            }
        }
    }
}
