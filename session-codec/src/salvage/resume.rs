//! Going on behind faults. Owns which places are tried, and how what is found there is put together; must not know the
//! grammar, nor what tells that a place is the right one.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use memchr::memchr3_iter;

use super::judge::{Around, Part, id};
use super::shape::Shapes;
use super::{At, Run, Salvage, SalvagedMember};

/// Bytes that are read in search of places to go on from, as a multiple of the document, before the search is given up.
const EFFORT: u64 = 32;

/// What may be the rest of a document.
struct Rest {
    part: Part,
    /// Whether it has an element as those that were found before.
    fits: bool,
    /// Whether nothing speaks against it.
    may_be: bool,
}

/// How many equal elements an array has.
type Counts<'b> = HashMap<(String, &'b [u8]), u64>;

/// What is known of what was found so far, so that nothing is gone through again for each part that is found behind it.
pub(super) struct Known<'b> {
    /// Where each member stands among the others, the first of a name.
    places: HashMap<String, usize>,
    /// The elements before the document that is read now, if that is not the first.
    before: Option<Counts<'b>>,
}

impl Known<'_> {
    fn new(members: &[SalvagedMember]) -> Self {
        let names = members.iter().enumerate().rev();
        let places = names.map(|(place, member)| (member.name.clone(), place));
        Self {
            places: places.collect(),
            before: None,
        }
    }

    /// Whether there is a member of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Gives up the string with which a run ended, as its last quote is another's first one.
    fn drop_overlapped(&mut self, run: &mut Run) {
        let end = run.end;
        let array = run.inside.as_ref().and_then(|name| self.places.get(name));
        let lost = if let Some(place) = array {
            let elements = run.members[*place].elements.as_mut();
            elements.and_then(|all| all.pop_if(|last| last.end == end))
        } else {
            let last = run.members.pop_if(|last| last.value.end == end);
            last.map(|last| {
                if self.places.get(&last.name) == Some(&run.members.len()) {
                    self.places.remove(&last.name);
                }
                last.value
            })
        };
        run.lost.extend(lost.map(|lost| lost.start..end - 1));
    }
}

impl<'b> Salvage<'b> {
    /// Goes on behind the first fault, and behind every other one.
    pub(super) fn resume(&self, found: &mut Run) {
        let effort = EFFORT * self.bytes.len() as u64;
        let (mut for_rest, mut for_parts) = (effort, effort);
        let mut known = Known::new(&found.members);
        while !self.is_at_end(found) {
            found.complete &= !self.goes_on(found.end);
            let mut shapes = Shapes::default();
            shapes.learn(&found.members, self.bytes);
            self.effort.set(for_rest);
            // As much as was learnt from.
            self.spend(found.end);
            let rest = self.rest(found, &known, &shapes);
            for_rest = self.effort.replace(for_parts);
            let sure = rest.as_ref().filter(|rest| self.is_sure(rest, found));
            let after = sure.map_or(Vec::new(), |rest| {
                self.named(&rest.part, &Around::new(found, &known, &[], &shapes))
            });
            shapes.learn(&after, self.bytes);
            let later = sure.map_or(&[][..], |rest| rest.part.later());
            let limit = sure.map_or(self.bytes.len(), |rest| rest.part.from);
            self.parts(found, limit, later, &mut shapes, &mut known);
            for_parts = self.effort.get();
            if self.begin(found) > limit {
                // What looked like the rest began inside of a value.
                continue;
            }
            let is_sure =
                |rest: &Rest| rest.part.from >= self.begin(found) && self.is_sure(rest, found);
            match rest.filter(is_sure) {
                Some(Rest { part, .. }) => {
                    let members = self.named(&part, &Around::new(found, &known, &[], &shapes));
                    self.join(found, part, members, &mut known);
                }
                None => return self.lose(found, self.bytes.len()),
            }
        }
    }

    /// Takes what can be read of the document between faults, up to a place.
    fn parts(
        &self,
        found: &mut Run,
        limit: usize,
        later: &[SalvagedMember],
        shapes: &mut Shapes,
        known: &mut Known<'b>,
    ) {
        while self.begin(found) <= limit {
            let fault = self.fault(found);
            let around = Around::new(found, known, later, shapes);
            // What ends at the same fault began inside of what that one damaged.
            let Some(part) = self.search(found, limit, |part| {
                self.is_likely(part, &around) && self.fault(&part.run) > fault
            }) else {
                break;
            };
            let members = self.named(&part, &around);
            shapes.learn_new(&members, self.bytes);
            // Of another document, what is left behind its end is none of it; else it was only likely to be the end.
            let is_document = part.start == At::Root;
            self.join(found, part, members, known);
            found.complete &= is_document;
        }
    }

    /// The first place at which a run may be gone on with: what ended its last string may begin a name, if that string's own end was
    /// lost.
    fn begin(&self, found: &Run) -> usize {
        let quote = found.end.checked_sub(1);
        let quote = quote.filter(|quote| self.bytes.get(*quote) == Some(&b'"'));
        quote.unwrap_or(found.end)
    }

    /// Finds the place from which all of the rest can be read, or all but garbage behind it.
    fn rest(&self, found: &Run, known: &Known<'b>, shapes: &Shapes) -> Option<Rest> {
        let end = self.bytes.len();
        // Of places from which the root's end is reached, the first of those that reach the last one.
        let (mut is_cut, mut closed) = (false, None::<(usize, At, usize)>);
        let part = self.search(found, end, |part| {
            let run = &part.run;
            let is_object = self.bytes.get(run.value) == Some(&b'{');
            // Behind garbage, another document may have been begun.
            let is_inside = run.value != part.from || self.is_after_comma(part.from);
            is_cut |= !run.complete && is_object && is_inside && self.fault(run) == end;
            let is_later = closed.is_none_or(|(end, ..)| end < run.end);
            if is_later && part.start != At::Root && self.is_followed_by_garbage(run) {
                closed = Some((run.end, part.start, part.from));
            }
            self.is_rest(part, found)
        });
        let may_be = part.is_some() && !is_cut;
        let part = part.or_else(|| {
            let (_, start, from) = closed.filter(|_| !is_cut)?;
            let run = self.run(start, from);
            let is_last = true;
            Some(Part {
                start,
                from,
                run,
                is_last,
            })
        })?;
        Some(Rest {
            fits: self.has_element(&part, &Around::new(found, known, &[], shapes)),
            may_be: may_be && (shapes.is_empty() || !part.later().is_empty()),
            part,
        })
    }

    /// Whether a value is one of several, or the first of an array.
    fn is_after_comma(&self, at: usize) -> bool {
        let before = self.bytes[..at].trim_ascii_end().last();
        matches!(before, Some(b',' | b'['))
    }

    /// Whether what looks like the rest is it: a document that is cut short behind an object inside of it ends as a whole one
    /// does.
    fn is_sure(&self, rest: &Rest, found: &Run) -> bool {
        rest.fits || (rest.may_be && self.fault(found) < self.bytes.len())
    }

    /// Whether another member follows, so that what closed the root was meant for an object in it.
    fn goes_on(&self, end: usize) -> bool {
        let comma = self.blank(end);
        let next = self.bytes.get(self.blank(comma + 1));
        self.bytes.get(comma) == Some(&b',') && next == Some(&b'"')
    }

    /// Gives up all bytes from where a run ended up to a place.
    fn lose(&self, run: &mut Run, to: usize) {
        let from = if run.complete {
            self.blank(run.end)
        } else {
            run.end
        };
        if from < to {
            run.lost.push(from..to);
        }
    }

    /// Finds the first place behind a run, and before the limit, from which what can be read is accepted.
    fn search(
        &self,
        found: &Run,
        limit: usize,
        mut accept: impl FnMut(&Part) -> bool,
    ) -> Option<Part> {
        // Reading on from where a run came by comes to the same end.
        let mut dead = HashSet::new();
        // What begins behind a comma is met again a byte later.
        let mut last = (0, 0);
        let (begin, has_id) = (self.begin(found), id(found).is_some());
        for at in memchr3_iter(b',', b'{', b'"', self.bytes.get(begin..limit)?) {
            for (start, from) in self.starts(begin + at) {
                // Behind a whole document there may be another one, but not what is left of this one.
                let is_possible = match start {
                    At::Root => has_id && self.documents.get() > 0,
                    At::Member => last.0 != from,
                    At::Element => last.1 != from,
                };
                let is_possible = is_possible
                    && (start == At::Root || !found.complete && !dead.contains(&(start, from)));
                if !is_possible {
                    continue;
                }
                if self.effort.get() == 0 {
                    return None;
                }
                let run = self.run(start, from);
                let is_last = false;
                let part = Part {
                    start,
                    from,
                    run,
                    is_last,
                };
                if accept(&part) {
                    return Some(part);
                }
                match start {
                    At::Root => continue,
                    At::Member => last.0 = from,
                    At::Element => last.1 = from,
                }
                dead.extend(part.run.passed);
            }
        }
        None
    }

    /// What may begin with a byte, or behind it if that is a comma.
    fn starts(&self, at: usize) -> impl Iterator<Item = (At, usize)> {
        let next = self.blank(at + 1);
        let is_name = |at| self.bytes.get(at) == Some(&b'"');
        let starts = match self.bytes[at] {
            b',' => [
                is_name(next).then_some((At::Member, next)),
                Some((At::Element, next)),
            ],
            b'{' => [
                is_name(next).then_some((At::Root, at)),
                Some((At::Element, at)),
            ],
            _ => [self.named_array(at).map(|_| (At::Member, at)), None],
        };
        starts.into_iter().flatten()
    }

    /// The array that begins here with its name.
    fn named_array(&self, at: usize) -> Option<&'b str> {
        let rest = &self.bytes[at + 1..];
        self.arrays.iter().copied().find(|array| {
            let end = at + 1 + array.len();
            let colon = self.blank(end + 1);
            rest.starts_with(array.as_bytes())
                && self.bytes.get(end) == Some(&b'"')
                && self.bytes.get(colon) == Some(&b':')
                && self.bytes.get(self.blank(colon + 1)) == Some(&b'[')
        })
    }

    /// Puts what was found behind a fault to what was found before it. Of a member that is there twice the first stays; an
    /// array that is there twice goes on, but a second document adds only what was not `known` before it.
    fn join(&self, run: &mut Run, part: Part, members: Vec<SalvagedMember>, known: &mut Known<'b>) {
        self.lose(run, part.from);
        if part.from < run.end {
            known.drop_overlapped(run);
        }
        if part.start == At::Root {
            known.before = Some(self.counts(run));
            self.documents.set(self.documents.get().saturating_sub(1));
        }
        let mut rest = part.run;
        if rest.inside.as_deref() == Some("") {
            rest.inside = members.first().map(|member| member.name.clone());
        }
        for member in members {
            if member.name.is_empty() {
                run.lost.extend(member.elements.into_iter().flatten());
                continue;
            }
            let Some(place) = known.places.get(&member.name) else {
                known.places.insert(member.name.clone(), run.members.len());
                run.members.push(member);
                continue;
            };
            let old = &mut run.members[*place];
            match (&mut old.elements, member.elements) {
                (Some(all), Some(mut more)) => {
                    more.retain(|element| !self.was_known(&old.name, element, &mut known.before));
                    if let (true, Some(first)) = (all.is_empty(), more.first()) {
                        old.value.start = first.start;
                    }
                    old.value.end = more.last().map_or(old.value.end, |last| last.end);
                    all.append(&mut more);
                }
                (None, None)
                    if self.bytes[old.value.clone()] == self.bytes[member.value.clone()] => {}
                _ => run.lost.push(member.value),
            }
        }
        run.lost.append(&mut rest.lost);
        run.end = rest.end;
        run.value = rest.value;
        run.fault = rest.fault;
        run.complete = rest.complete;
        run.inside = rest.inside;
    }

    /// Counts the elements that were found so far.
    fn counts(&self, run: &Run) -> Counts<'b> {
        let mut counts = Counts::new();
        for member in &run.members {
            for element in member.elements.iter().flatten() {
                let key = (member.name.clone(), &self.bytes[element.clone()]);
                *counts.entry(key).or_default() += 1;
            }
        }
        counts
    }

    /// Whether a document before has an element that is equal, and stands for no other one yet.
    fn was_known(
        &self,
        array: &str,
        element: &Range<usize>,
        known: &mut Option<Counts<'b>>,
    ) -> bool {
        let key = (array.to_owned(), &self.bytes[element.clone()]);
        let count = known.as_mut().and_then(|known| known.get_mut(&key));
        count.is_some_and(|count| {
            let is_left = *count > 0;
            *count = count.saturating_sub(1);
            is_left
        })
    }
}
