//! What tells that a place behind a fault is the right one to go on from. Owns the evidence; must not know where it is looked
//! for.

use std::cell::{Ref, RefCell};

use memchr::{memchr, memmem};

use super::resume::Known;
use super::shape::Shapes;
use super::{At, Run, Salvage, SalvagedMember};

/// As many bytes as the end of an array and the beginning of another one with a name of one letter.
const ZEROS: [u8; br#"],"a":["#.len()] = [0; br#"],"a":["#.len()];

/// What was read from a place behind a fault.
pub(super) struct Part {
    pub(super) start: At,
    pub(super) from: usize,
    pub(super) run: Run,
    /// Whether nothing but garbage follows.
    pub(super) is_last: bool,
}

impl Part {
    /// The elements at its beginning, of an array of which it has not seen the name.
    pub(super) fn unnamed(&self) -> Option<&SalvagedMember> {
        let first = self.run.members.first();
        first.filter(|first| self.start == At::Element && first.name.is_empty())
    }

    /// The members behind what it begins with.
    pub(super) fn later(&self) -> &[SalvagedMember] {
        &self.run.members[usize::from(self.start == At::Element)..]
    }
}

/// What tells of which array elements behind a fault are.
pub(super) struct Around<'a> {
    before: &'a Run,
    known: &'a Known<'a>,
    /// Members that are read for certain behind another fault, less the array in which that begins.
    after: &'a [SalvagedMember],
    shapes: &'a Shapes,
    lost: RefCell<Lost>,
}

/// What stands in the bytes behind a fault that were looked at so far: places to go on from come in order.
#[derive(Clone, Default)]
struct Lost {
    to: usize,
    /// Whether something ends that may be an array.
    closes: bool,
    /// Whether there are zeros enough to have been the end of an array and the name of another one.
    zeros: bool,
    /// The arrays whose names stand there.
    names: Vec<String>,
}

impl Lost {
    fn names(&self, array: &str) -> bool {
        self.names.iter().any(|name| name == array)
    }
}

impl<'a> Around<'a> {
    pub(super) fn new(
        before: &'a Run,
        known: &'a Known<'a>,
        after: &'a [SalvagedMember],
        shapes: &'a Shapes,
    ) -> Self {
        Self {
            before,
            known,
            after,
            shapes,
            lost: RefCell::new(Lost {
                to: before.end,
                ..Lost::default()
            }),
        }
    }

    /// Looks on up to a place.
    fn look(&self, salvage: &Salvage<'_>, to: usize) -> Ref<'_, Lost> {
        let mut lost = self.lost.borrow_mut();
        let new = salvage.bytes.get(lost.to..to).unwrap_or_default();
        lost.closes = lost.closes || memchr(b']', new).is_some();
        let from = lost.to.saturating_sub(ZEROS.len()).max(self.before.end);
        let zeros = salvage.bytes.get(from..to).unwrap_or_default();
        lost.zeros = lost.zeros || memmem::find(zeros, &ZEROS).is_some();
        for array in salvage.arrays {
            let key = format!("\"{array}\"");
            // A name may begin in what was looked at before.
            let from = lost.to.saturating_sub(key.len()).max(self.before.end);
            let bytes = salvage.bytes.get(from..to).unwrap_or_default();
            if !lost.names(array) && memmem::find(bytes, key.as_bytes()).is_some() {
                lost.names.push((*array).to_owned());
            }
        }
        lost.to = lost.to.max(to);
        drop(lost);
        self.lost.borrow()
    }
}

impl Salvage<'_> {
    /// Whether all bytes up to the last one are the rest of a document.
    pub(super) fn is_rest(&self, part: &Part, before: &Run) -> bool {
        self.is_at_end(&part.run) && (part.start != At::Root || self.is_same(part, before))
    }

    /// Whether what was read up to another fault is of the document and as deep as was supposed.
    pub(super) fn is_likely(&self, part: &Part, around: &Around<'_>) -> bool {
        let run = &part.run;
        if part.start == At::Root {
            let next = self.bytes.get(self.blank(run.end));
            let is_value = run.complete && matches!(next, Some(b',' | b']' | b'}'));
            return !is_value && self.is_same(part, around.before);
        }
        self.has_element(part, around) && !self.is_elsewhere(run)
    }

    /// Whether a part has an element as those of its array are, or the beginning of an array of which nothing is known.
    pub(super) fn has_element(&self, part: &Part, around: &Around<'_>) -> bool {
        let fits = |name: &str, member| self.has_fit(name, member, around.shapes);
        let first = part.unnamed().zip(self.array(part, around));
        let goes_on_to_end = |first, name: &String| {
            let knows = around.shapes.knows(name);
            !knows && part.is_last && Shapes::has_objects(first, self.bytes)
        };
        first.is_some_and(|(first, name)| fits(&name, first) || goes_on_to_end(first, &name))
            || part.later().iter().any(|member| {
                if around.shapes.knows(&member.name) {
                    fits(&member.name, member)
                } else {
                    Shapes::has_objects(member, self.bytes)
                }
            })
    }

    /// Whether a member has an element as those of an array are.
    fn has_fit(&self, array: &str, member: &SalvagedMember, shapes: &Shapes) -> bool {
        let mut elements = member.elements.iter().flatten();
        elements.any(|element| shapes.fits(array, &self.bytes[element.clone()]))
    }

    /// Whether what comes next could only come in another container than the one a run takes this place for.
    fn is_elsewhere(&self, run: &Run) -> bool {
        if run.complete {
            return !self.is_closed(run);
        }
        let at = self.blank(run.end);
        let byte = self.bytes.get(at);
        let is_end = |at: usize| matches!(self.bytes.get(self.blank(at)), Some(b',' | b']'));
        match run.inside {
            Some(_) => matches!(byte, Some(b':' | b'}')),
            None => byte == Some(&b']') || self.value(at).is_ok_and(is_end),
        }
    }

    /// Whether what a run took for the root may be it, whatever garbage follows: else something is around it and goes on.
    fn is_closed(&self, run: &Run) -> bool {
        let rest = &self.bytes[self.blank(run.end)..];
        let closers = rest.iter().position(|byte| !b"]} \t\r\n".contains(byte));
        self.spend(closers.unwrap_or(rest.len()));
        run.complete && closers.is_none_or(|first| first == 0 && rest[0] != b',')
    }

    /// The same, where nothing closes what may be around it: a document that is cut short there ends so too.
    pub(super) fn is_followed_by_garbage(&self, run: &Run) -> bool {
        let next = self.bytes.get(self.blank(run.end));
        run.complete && next.is_some_and(|byte| !b",]}".contains(byte))
    }

    /// Whether a document has the same id as the one before it, and elements.
    fn is_same(&self, part: &Part, before: &Run) -> bool {
        let text = |run: &Run| Some(&self.bytes[id(run)?.value.clone()]);
        let has =
            |member: &SalvagedMember| member.elements.as_ref().is_some_and(|all| !all.is_empty());
        text(&part.run).is_some_and(|id| Some(id) == text(before))
            && part.run.members.iter().any(has)
    }

    /// The members of a part, with the name of the array of its first elements if that is certain.
    pub(super) fn named(&self, part: &Part, around: &Around<'_>) -> Vec<SalvagedMember> {
        let mut members = part.run.members.clone();
        if let (Some(first), Some(name)) = (members.first_mut(), self.array(part, around)) {
            first.name = name;
        }
        members
    }

    /// Says of which array a part's first elements are, by what was read before, what is read later, and what they are
    /// like; `None` where that is not certain.
    fn array(&self, part: &Part, around: &Around<'_>) -> Option<String> {
        let (first, before) = (part.unnamed()?, around.before);
        if first.elements.as_ref().is_none_or(Vec::is_empty) {
            return None;
        }
        let inside = before.inside.as_deref();
        let is_later = |name: &str| is_in(&part.run.members, name) || is_in(around.after, name);
        let is_before = |name: &str| inside != Some(name) && around.known.has(name);
        let arrays = self.arrays.iter().copied();
        let possible: Vec<_> = arrays
            .filter(|name| !is_later(name) && !is_before(name))
            .collect();
        let fits = |name: &&str| self.has_fit(name, first, around.shapes);
        let fitting: Vec<_> = possible.iter().copied().filter(fits).collect();
        let knows = |name: &&str| around.shapes.knows(name);
        let unknown: Vec<_> = possible
            .iter()
            .copied()
            .filter(|name| !knows(name))
            .collect();
        // An array may have ended in what is lost, or in what was there before it was zeroed, and another one have begun.
        let lost = around.look(self, part.from);
        // What goes on to the end is as deep as the document itself, so that its elements are of one array or another.
        let is_rest = part.is_last || self.is_at_end(&part.run);
        let may_be_any = is_rest && Shapes::has_objects(first, self.bytes);
        let is_only = possible.len() == 1;
        let goes_on = |name: &&str| {
            let may_be = fitting.contains(name) || unknown.contains(name);
            may_be || (is_rest && is_only && possible.contains(name))
        };
        let is_open = !lost.closes && !lost.zeros;
        let name = match (inside.filter(goes_on), &fitting[..], &unknown[..]) {
            (Some(inside), _, _) if is_only || is_open => Some(inside),
            (_, [only], others) if !others.iter().any(|name| lost.names(name)) => Some(*only),
            // Where its name was, there may be zeros.
            (_, [], [only]) if lost.names(only) || (lost.zeros && may_be_any) => Some(*only),
            _ => None,
        };
        name.map(str::to_owned)
    }
}

fn is_in(members: &[SalvagedMember], name: &str) -> bool {
    members.iter().any(|member| member.name == name)
}

/// The document's id, as far as that was found.
pub(super) fn id(run: &Run) -> Option<&SalvagedMember> {
    run.members.iter().find(|member| member.name == "id")
}
