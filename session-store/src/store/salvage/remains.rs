//! What is left of a damaged document and its journal, as JSON texts. Must not know what a record can have of it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::de::IgnoredAny;
use session_codec::Revision;
use session_model::SessionRecord;

use super::SessionStore;
use crate::journal::{Addition, AdditionKind, Journal, Whole};
use crate::salvage::LostRange;

/// A member's name and its value.
pub(super) type Member = (String, String);

/// An array's name and its elements.
pub(super) type Array = (String, Vec<String>);

/// What a document has of the elements that a journal adds, by their numbers among all additions.
#[derive(Default)]
struct There {
    has: HashSet<usize>,
    /// Before which of the document's elements others stood that it has lost.
    lost: HashMap<usize, usize>,
}

/// What is left of a session, as JSON texts.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) members: Vec<Member>,
    pub(super) arrays: Vec<Array>,
    pub(super) refused: Vec<String>,
    pub(super) lost: Vec<LostRange>,
}

impl Remains {
    pub(super) fn is_nothing(&self) -> bool {
        self.members.is_empty() && self.arrays.iter().all(|(_, all)| all.is_empty())
    }

    /// Says which of these appended elements the document has: those that are equal to one of its last, in the same order, behind
    /// those that it had `before` them; and where the others were that came before such a one. Where it is not known what it had, one may
    /// be taken that was there twice.
    fn there(&self, additions: &[Addition<'_>], before: &dyn Fn(&str) -> Option<usize>) -> There {
        let mut there = There::default();
        for (name, array) in &self.arrays {
            let added = additions.iter().enumerate().filter(|(_, addition)| {
                addition.kind == AdditionKind::Element && addition.name == name
            });
            let added: Vec<_> = added.collect();
            // Where all of them are there, they are the last.
            let from = array.len().saturating_sub(added.len());
            let from = before(name).unwrap_or(from);
            let mut places = HashMap::<&str, Vec<usize>>::new();
            for (place, element) in array.iter().enumerate().skip(from) {
                places.entry(element).or_default().push(place);
            }
            let mut next = array.len();
            for (nth, addition) in added.into_iter().rev() {
                let places = places.get(addition.json()).map_or(&[][..], Vec::as_slice);
                let earlier = places.partition_point(|place| *place < next);
                if let Some(last) = earlier.checked_sub(1) {
                    next = places[last];
                    there.has.insert(nth);
                } else if next < array.len() {
                    there.lost.insert(nth, next);
                }
            }
        }
        there
    }

    /// Refuses members that mirror an array one by one and are of another length: they say it of other elements.
    pub(super) fn refuse_misfits(&mut self, parallel: &[(&str, &str)]) {
        for (mirror, array) in parallel {
            let length = self.arrays.iter().find(|(name, _)| name == array);
            let length = length.map_or(0, |(_, elements)| elements.len());
            let refused = &mut self.refused;
            self.members.retain(|(name, value)| {
                let mirrored = || serde_json::from_str::<Vec<IgnoredAny>>(value);
                let is_misfit = name == mirror && mirrored().is_ok_and(|all| all.len() != length);
                if is_misfit {
                    refused.push(name.clone());
                }
                !is_misfit
            });
        }
    }

    /// Puts elements between those of an array, each before the one that has its place; in the order of these.
    fn put_between(&mut self, name: String, elements: Vec<(usize, String)>) {
        let array = self.array(name);
        let (mut old, mut at) = (std::mem::take(array).into_iter(), 0);
        for (place, element) in elements {
            array.extend(old.by_ref().take(place - at));
            array.push(element);
            at = place;
        }
        array.extend(old);
    }

    /// The elements of the array of that name, of which there are none yet if it is new.
    fn array(&mut self, name: String) -> &mut Vec<String> {
        let known = self.arrays.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.arrays.push((name, Vec::new()));
            self.arrays.len() - 1
        });
        &mut self.arrays[at].1
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Finds what is whole in a document.
    pub(super) fn remains(&self, bytes: &[u8]) -> Remains {
        let salvaged = self.shared.codec.salvage(bytes, S::CAPPED);
        let text =
            |range: &Range<usize>| String::from_utf8_lossy(&bytes[range.clone()]).into_owned();
        let mut remains = Remains::default();
        let mut names = HashSet::new();
        for member in salvaged.members {
            match member.elements {
                // A second array of a name goes on with the first, as where two documents were put together.
                Some(elements) => {
                    let elements = elements.iter().map(text);
                    remains.array(member.name).extend(elements);
                }
                None if member.name == "id" || member.name == session_codec::RESERVED => {}
                // A second one of a name makes a document that no struct can be read from.
                None if !names.insert(member.name.clone()) => {
                    let range = member.value.start as u64..member.value.end as u64;
                    remains.lost.push(LostRange::Document(range));
                }
                None => remains.members.push((member.name, text(&member.value))),
            }
        }
        let lost = salvaged.lost.into_iter();
        let lost = lost.map(|lost| LostRange::Document(lost.start as u64..lost.end as u64));
        remains.lost.extend(lost);
        remains
    }

    /// Adds what a journal has that the document lacks: members that were lost, and what all whole appends add.
    pub(super) fn add_journal(&self, bytes: &[u8], document: &[u8], remains: &mut Remains) {
        let whole = Journal::parse(bytes.to_vec());
        let is_damaged = whole.is_err();
        let (journal, is_begun) = if let Ok(journal) = whole {
            let torn = journal.end()..journal.end() + journal.torn();
            if !torn.is_empty() {
                remains.lost.push(LostRange::Journal(torn));
            }
            (Some(journal), true)
        } else {
            let whole = Whole::find(bytes);
            let lost = whole.lost.into_iter();
            let lost = lost.map(|lost| LostRange::Journal(lost.start as u64..lost.end as u64));
            remains.lost.extend(lost);
            (whole.journal, whole.is_begun)
        };
        let Some(journal) = journal else {
            return;
        };
        let revision = Revision::of_document(document);
        let announced = journal.absorbed_by(revision);
        let announced = announced.filter(|_| is_begun || revision != journal.begin.revision);
        // What the document had when the journal was begun; its members only stand in for those that were lost.
        let kept = self.shared.codec.salvage(&journal.begin.kept, &[]);
        let names = remains.members.iter().map(|(name, _)| name.clone());
        let mut names: HashSet<String> = names.collect();
        for member in kept.members {
            let is_known = !names.insert(member.name.clone())
                || S::CAPPED.contains(&&*member.name)
                || member.name == "id"
                || member.name == session_codec::RESERVED;
            if let (false, Ok(text)) = (
                is_known,
                std::str::from_utf8(&journal.begin.kept[member.value]),
            ) {
                remains.members.push((member.name, text.to_owned()));
            }
        }
        let additions: Vec<_> = journal.additions(announced.unwrap_or(0)).collect();
        // A document that none of the journal's revisions is may have what was announced, or anything if no announcement is left.
        let is_announced = !is_damaged && journal.announced() > 0;
        let may_be_there = match announced {
            Some(_) => 0,
            None if is_announced => {
                additions.len() - journal.additions(journal.announced()).count()
            }
            None => additions.len(),
        };
        // Of those, some that the document has may be lost.
        let before = |name: &str| {
            let counts = journal.begin.counts.iter();
            let mut of_array = counts.filter(|(array, _)| !is_announced && array == name);
            of_array
                .next()
                .and_then(|(_, count)| usize::try_from((*count)?).ok())
        };
        let there = remains.there(&additions[..may_be_there], &before);
        let names = remains.members.iter().map(|(name, _)| name.clone());
        let mut places: HashMap<String, usize> = names.zip(0..).collect();
        let mut between = HashMap::<String, Vec<(usize, String)>>::new();
        for (nth, addition) in additions.iter().enumerate() {
            let (name, json) = (addition.name.to_owned(), addition.json().to_owned());
            // What is no value by itself would not stay in its place, and no journal sets what it adds to.
            let is_value = serde_json::from_str::<IgnoredAny>(&json).is_ok();
            let sets_array = addition.kind == AdditionKind::Member && S::CAPPED.contains(&&*name);
            if !is_value || sets_array {
                remains.refused.push(name);
                continue;
            }
            if addition.kind == AdditionKind::Member {
                match places.get(&name) {
                    _ if name == "id" => {}
                    Some(place) => remains.members[*place].1 = json,
                    None => {
                        places.insert(name.clone(), remains.members.len());
                        remains.members.push((name, json));
                    }
                }
                continue;
            }
            if let Some(place) = there.lost.get(&nth) {
                between.entry(name).or_default().push((*place, json));
            } else if !there.has.contains(&nth) {
                remains.array(name).push(json);
            }
        }
        for (name, elements) in between {
            remains.put_between(name, elements);
        }
    }
}
