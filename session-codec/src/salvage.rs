//! Whole values out of a damaged document. Owns where they lie and how sync is found again; must not know what they
//! mean, nor change a byte.

use std::ops::Range;

use memchr::memchr;
use serde::de::IgnoredAny;

use crate::{
    Codec, Parser,
    lexer::{Lexer, Visit},
    trace,
    walk::walk_slice,
};

/// What can still be read of a damaged document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// The document's own members that are whole, and what is whole of its arrays, in order.
    pub members: Vec<SalvagedMember>,
    /// Bytes that belong to none of these, ascending.
    pub lost: Vec<Range<usize>>,
}

/// One member of a damaged document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SalvagedMember {
    /// Its name.
    pub name: String,
    /// The whole value; of an array that was named to the call, where the first and the last readable element lie.
    pub value: Range<usize>,
    /// The elements of an array that was named to the call.
    pub elements: Option<Vec<Range<usize>>>,
}

/// Runs over the same bytes that are spent on finding sync again, as a multiple of the document.
const EFFORT: u64 = 16;

impl<P: Parser> Codec<P> {
    /// Finds the members of a damaged document, and the elements of the named arrays, that a full decode would accept.
    ///
    /// All before the first fault is taken as it is. Behind it, nothing is until the rest of the bytes, up to their end,
    /// is a well-formed rest of a document at one certain depth: so a value inside of a damaged one is never taken for an
    /// element. An array between two faults, or behind one in a document that is also cut short, is therefore lost.
    ///
    /// ```
    /// use session_codec::Codec;
    ///
    /// let cut = br#"{"id":"a","messages":[{"n":1},{"n":2},{"n":"#;
    /// let salvaged = Codec::new().salvage(cut, &["messages"]);
    /// assert_eq!(salvaged.members[1].elements, Some(vec![22..29, 30..37]));
    /// assert_eq!(salvaged.lost, [38..43]);
    /// ```
    ///
    /// # Complexity
    ///
    /// One pass where there is no fault, a bounded number of passes else.
    #[must_use]
    pub fn salvage(&self, bytes: &[u8], arrays: &[&str]) -> Salvaged {
        let _span = trace::span("salvage", bytes.len() as u64);
        let salvage = Salvage {
            bytes,
            arrays,
            depth: self.limits.depth,
        };
        let mut run = salvage.run(At::Root, 0);
        if !run.complete {
            salvage.resume(&mut run);
        }
        let end = salvage.blank(run.end);
        if run.complete && end < bytes.len() {
            run.lost.push(end..bytes.len());
        }
        Salvaged {
            members: run.members,
            lost: run.lost,
        }
    }
}

/// Where a run begins.
#[derive(Clone, Copy)]
enum At {
    Root,
    Member,
    /// An element of an array that is named later.
    Element,
}

/// What was read from one place on.
struct Run {
    members: Vec<SalvagedMember>,
    lost: Vec<Range<usize>>,
    /// Behind the root, or where the first thing stands that cannot be read.
    end: usize,
    complete: bool,
    /// The named array in which it ended.
    inside: Option<String>,
}

struct Salvage<'a> {
    bytes: &'a [u8],
    arrays: &'a [&'a str],
    depth: u32,
}

/// Hears nothing.
struct Deaf;

impl Visit for Deaf {}

impl Salvage<'_> {
    fn blank(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// The end of the value that begins here, by its grammar.
    fn value(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        Some(at + values.byte_offset())
    }

    /// Whether a full decode would take these bytes, `depth` containers deep.
    fn is_sound(&self, range: &Range<usize>, depth: u32) -> bool {
        let lexer = Lexer::inside(depth, self.depth).strict();
        walk_slice(lexer, &mut Deaf, &self.bytes[range.clone()]).is_ok()
    }

    fn run(&self, at: At, from: usize) -> Run {
        let mut run = Run {
            members: Vec::new(),
            lost: Vec::new(),
            end: from,
            complete: false,
            inside: None,
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
                if !self.next(run, b'}')? {
                    return Some(());
                }
            }
        }
        loop {
            self.member(run)?;
            if !self.next(run, b'}')? {
                return Some(());
            }
        }
    }

    /// Passes a comma (`true`), or what closes the container.
    fn next(&self, run: &mut Run, close: u8) -> Option<bool> {
        let at = self.blank(run.end);
        let byte = *self.bytes.get(at)?;
        if byte != b',' && byte != close {
            return None;
        }
        run.end = at + 1;
        if byte == b',' {
            run.end = self.blank(run.end);
        }
        Some(byte == b',')
    }

    fn member(&self, run: &mut Run) -> Option<()> {
        let start = run.end;
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let key_end = self.value(start)?;
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
        let end = self.value(at)?;
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
            let range = run.end..self.value(run.end)?;
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
            if !self.next(run, b']')? {
                run.inside = None;
                return Some(());
            }
        }
    }

    /// Goes on behind a fault, at the first comma from which all of the rest can be read.
    fn resume(&self, run: &mut Run) {
        let fault = run.end;
        let mut effort = EFFORT * self.bytes.len() as u64;
        let mut at = fault;
        while let Some(comma) = memchr(b',', self.bytes.get(at..).unwrap_or_default()) {
            at += comma + 1;
            let from = self.blank(at);
            let may_be_member = self.bytes.get(from) == Some(&b'"');
            for start in [At::Member, At::Element] {
                if matches!(start, At::Member) && !may_be_member {
                    continue;
                }
                let mut rest = self.run(start, from);
                effort = effort.saturating_sub((rest.end - from) as u64 + 1);
                let ends = rest.complete && self.blank(rest.end) == self.bytes.len();
                if ends && self.belongs(start, run, &mut rest, fault..from) {
                    run.lost.push(fault..from);
                    run.lost.append(&mut rest.lost);
                    join(run, rest);
                    return;
                }
            }
            if effort == 0 {
                break;
            }
        }
        if fault < self.bytes.len() {
            run.lost.push(fault..self.bytes.len());
        }
    }

    /// Says of which array the elements are that were found behind a fault; `false` where that is not certain.
    fn belongs(&self, start: At, before: &Run, rest: &mut Run, between: Range<usize>) -> bool {
        if matches!(start, At::Member) {
            return true;
        }
        let inside = before.inside.as_deref();
        let is_later = |name: &str| rest.members.iter().any(|member| member.name == name);
        let is_before = |name: &str| {
            inside != Some(name) && before.members.iter().any(|member| member.name == name)
        };
        let mut possible = self
            .arrays
            .iter()
            .filter(|name| !is_later(name) && !is_before(name));
        let name = match (possible.next(), possible.next(), inside) {
            (Some(only), None, _) => (*only).to_owned(),
            // The array may have ended in what is lost, and another have begun.
            (Some(_), Some(_), Some(name)) if memchr(b']', &self.bytes[between]).is_none() => {
                name.to_owned()
            }
            _ => return false,
        };
        if let Some(first) = rest.members.first_mut() {
            first.name = name;
        }
        true
    }
}

/// Puts what was found behind a fault to what was found before it. Of a member that is there twice the first stays.
fn join(run: &mut Run, rest: Run) {
    let inside = run.inside.take();
    for member in rest.members {
        let known = run
            .members
            .iter_mut()
            .find(|known| known.name == member.name);
        match (known, member.elements) {
            (None, elements) => run.members.push(SalvagedMember {
                name: member.name,
                value: member.value,
                elements,
            }),
            (Some(known), Some(mut more)) if inside.as_deref() == Some(&*known.name) => {
                if let Some(elements) = &mut known.elements {
                    if elements.is_empty() {
                        known.value.start = member.value.start;
                    }
                    known.value.end = member.value.end;
                    elements.append(&mut more);
                }
            }
            (Some(_), _) => run.lost.push(member.value),
        }
    }
    run.end = rest.end;
    run.lost.sort_by_key(|range| range.start);
}
