//! What the elements of an array have in common. Owns how one is told from another value; must not know where they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::de::IgnoredAny;

use super::SalvagedMember;

/// The names that are counted of an array's elements: what most of them have is among the first.
const MOST_NAMES: usize = 256;

/// What is known of the elements of each array.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    arrays: BTreeMap<String, Shape>,
}

/// How many elements there are, and how many of them are objects with a member of each name.
#[derive(Debug, Default)]
struct Shape {
    elements: usize,
    names: BTreeMap<String, usize>,
}

impl Shape {
    /// The names that most elements have: not each, as of a damaged one a name may be another.
    fn common(&self) -> impl Iterator<Item = &String> {
        let names = self.names.iter();
        names
            .filter(|(_, count)| **count * 3 >= self.elements * 2)
            .map(|(name, _)| name)
    }
}

/// The names of an object's members.
#[expect(
    clippy::zero_sized_map_values,
    reason = "serde has no set of a map's keys"
)]
fn names(element: &[u8]) -> Option<BTreeSet<String>> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(element).ok()?;
    Some(members.into_keys().collect())
}

impl Shapes {
    /// Learns from elements of arrays, wherever the name of theirs is known.
    pub(super) fn learn<'m>(
        &mut self,
        members: impl IntoIterator<Item = &'m SalvagedMember>,
        bytes: &[u8],
    ) {
        let named = members.into_iter().filter(|member| !member.name.is_empty());
        for member in named {
            for element in member.elements.iter().flatten() {
                let shape = self.arrays.entry(member.name.clone()).or_default();
                shape.elements += 1;
                for name in names(&bytes[element.clone()]).unwrap_or_default() {
                    if shape.names.len() < MOST_NAMES || shape.names.contains_key(&name) {
                        *shape.names.entry(name).or_default() += 1;
                    }
                }
            }
        }
    }

    /// Learns from elements of arrays of which nothing is known yet.
    pub(super) fn learn_new(&mut self, members: &[SalvagedMember], bytes: &[u8]) {
        let is_new = |member: &&SalvagedMember| !self.arrays.contains_key(&member.name);
        let new: Vec<_> = members.iter().filter(is_new).collect();
        self.learn(new, bytes);
    }

    /// Whether nothing was learned by which an element could be told.
    pub(super) fn is_empty(&self) -> bool {
        !self.arrays.keys().any(|array| self.knows(array))
    }

    /// Whether elements of an array can be told from others.
    pub(super) fn knows(&self, array: &str) -> bool {
        self.arrays
            .get(array)
            .is_some_and(|known| known.common().next().is_some())
    }

    /// Whether all elements of an array that was named are objects.
    pub(super) fn has_objects(member: &SalvagedMember, bytes: &[u8]) -> bool {
        let elements = member.elements.as_deref().unwrap_or_default();
        let is_object = |element: &Range<usize>| names(&bytes[element.clone()]).is_some();
        !elements.is_empty() && elements.iter().all(is_object)
    }

    /// Whether a value has most of what most known elements of an array have, if that is anything: few of them may have in
    /// common what others lack.
    pub(super) fn fits(&self, array: &str, value: &[u8]) -> bool {
        let (Some(known), Some(names)) = (self.arrays.get(array), names(value)) else {
            return false;
        };
        let (all, here) = known.common().fold((0, 0), |(all, here), name| {
            (all + 1, here + usize::from(names.contains(name)))
        });
        all > 0 && here * 3 >= all * 2
    }
}
