//! What a journal adds to a document that is searched. Owns the order in which the two give their texts, so that neither
//! has to be copied into the other; must not know where the document's own elements are.
//!
//! The document less the elements of its capped arrays, amended by the journal, has every member in the place that it has
//! in the whole. So what the journal adds to an array comes behind what the document has of it, and before the next member.

use std::ops::{ControlFlow, Range};

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use session_codec::{Place, TailCap};
use session_model::SessionRecord;

use super::{Cursor, Found, local};
use crate::corpus::Document;
use crate::journal::Overlay;

/// What is not the document's own.
#[derive(Debug)]
pub(super) struct Added<'o> {
    overlay: &'o Overlay,
    /// The document as its journal amends it, but for the elements of those arrays of which it has elements of its own.
    outline: Vec<u8>,
    /// The searched members, in the order of the document.
    order: Vec<&'static str>,
    /// The capped arrays that the journal does not replace, with how many elements the document has of each.
    own: Vec<(&'static str, u64)>,
    /// Where everything else is in the outline, and where one element stands for all that are added to an array of those.
    places: Vec<Place<'static>>,
    /// How many of the members in `order` were searched here.
    done: usize,
}

impl Added<'_> {
    /// Whether a value of the document still counts.
    fn leaves(&self, place: &Place<'_>) -> bool {
        place.element.is_some() && self.own.iter().any(|(name, _)| *name == place.member)
    }
}

impl<'a, S: SessionRecord> Found<'a, S> {
    /// Finds what the journal adds.
    pub(super) fn added<'o>(
        &self,
        document: &Document<'_>,
        overlay: &'o Overlay,
    ) -> Result<Added<'o>, session_codec::Error> {
        let codec = &self.plan.shared.codec;
        let pruned;
        let kept = if let Some(kept) = overlay.kept(S::CAPPED) {
            kept
        } else {
            pruned = codec.prune(document, &TailCap::all(S::CAPPED, 0))?.json;
            &pruned
        };
        let (_, set) = overlay.names();
        let is_own =
            |name: &&&str| S::CAPPED.contains(*name) && !set.iter().any(|set| set == **name);
        let own: Vec<&'static str> = S::SEARCHED.iter().filter(is_own).copied().collect();
        let mut outline = Vec::with_capacity(kept.len());
        let plain = &self.plan.shared.plain_codec;
        plain.amend(kept, &overlay.outline(&own), &mut outline)?;
        let mut places = Vec::new();
        codec.elements_in(&outline, S::SEARCHED, |place| {
            places.push(place);
            ControlFlow::Continue(())
        })?;
        let counted: Option<Vec<_>> = own
            .iter()
            .map(|name| Some((*name, overlay.counted(name)?)))
            .collect();
        let own = if let Some(counted) = counted {
            counted
        } else {
            let counted = codec.count(document, &own)?.into_iter();
            let counted = counted.map(|(_, count)| count.unwrap_or_default());
            own.into_iter().zip(counted).collect()
        };
        Ok(Added {
            overlay,
            order: order(&outline, S::SEARCHED),
            outline,
            own,
            places,
            done: 0,
        })
    }

    /// Searches a value of the document, after what the journal adds to members before it.
    pub(super) fn own(
        &mut self,
        place: &Place<'_>,
        range: Range<usize>,
        cursor: &mut Cursor<'_>,
    ) -> ControlFlow<()> {
        if let Some(added) = self.added.take() {
            let leaves = added.leaves(place);
            let before = added.order.iter().position(|name| *name == place.member);
            let searched = self.added_until(added, before.unwrap_or(0));
            if searched.is_break() || !leaves {
                return searched;
            }
        }
        self.value(place, range, cursor)
    }

    /// Searches what the journal adds to the members that are left, once the document was searched.
    pub(super) fn rest_of_added(&mut self) {
        if let Some(added) = self.added.take() {
            let all = added.order.len();
            // Nobody is there to take them if this breaks.
            let _ = self.added_until(added, all);
        }
    }

    /// Searches what the journal adds to the members before the one of this number.
    fn added_until(&mut self, mut added: Added<'a>, end: usize) -> ControlFlow<()> {
        let mut wanted = ControlFlow::Continue(());
        self.is_added = true;
        while added.done < end && wanted.is_continue() {
            wanted = self.added_to(&added, added.order[added.done]);
            added.done += 1;
        }
        self.is_added = false;
        self.added = Some(added);
        wanted
    }

    fn added_to(&mut self, added: &Added<'_>, member: &'static str) -> ControlFlow<()> {
        for place in added.places.iter().filter(|place| place.member == member) {
            if !added.leaves(place) {
                let value = added.outline.get(local(&place.range, 0));
                self.suspect(place, value.unwrap_or_default())?;
                continue;
            }
            let own = added.own.iter().find(|(name, _)| *name == member);
            let own = own.map_or(0, |(_, count)| *count);
            for (at, element) in added.overlay.elements(member).enumerate() {
                let mut place = place.clone();
                place.element = Some(own + at as u64);
                self.suspect(&place, element.json().as_bytes())?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Searches a value that may have a candidate.
    fn suspect(&mut self, place: &Place<'_>, json: &[u8]) -> ControlFlow<()> {
        let mut cursor = self.plan.matcher.cursor(json, 0);
        if cursor.next_from(0).is_none() {
            return ControlFlow::Continue(());
        }
        self.value(place, 0..json.len(), &mut cursor)
    }
}

/// The members of an object that have one of these names, in its order.
fn order(json: &[u8], names: &[&'static str]) -> Vec<&'static str> {
    struct Names<'n>(&'n [&'static str]);

    impl<'de> Visitor<'de> for Names<'_> {
        type Value = Vec<&'static str>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut order = Vec::new();
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                order.extend(self.0.iter().find(|known| **known == name));
            }
            Ok(order)
        }
    }

    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_map(Names(names)).unwrap_or_default()
}
