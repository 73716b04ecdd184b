//! A record less its elements, as text with gaps for what appends add, so that only what is added is spelled anew.
//!
//! Owns where the gaps are. Filled, the text is byte for byte what the codec makes of the record and the append; what stands in the
//! gaps is judged by whoever decodes it.

use std::ops::ControlFlow;

use session_codec::{Amendment, Codec, Parser};

use crate::append::{Stamped, UPDATED_AT};

/// How many kinds of appends are remembered, by the arrays that they add to: a message, a tool's use, both.
const KINDS: usize = 4;
/// What stands in a gap while its place is looked for.
const STAND_IN: &str = "0";

/// The skeletons of one record, the one learnt last at the end.
#[derive(Debug, Default)]
pub(super) struct Skeletons(Vec<Skeleton>);

#[derive(Debug)]
struct Skeleton {
    text: Vec<u8>,
    /// In the order in which they stand.
    gaps: Vec<Gap>,
    /// In the order in which the append names them: where the record has none of them yet, it is the order of the new members.
    arrays: Vec<String>,
    is_stamped: bool,
}

#[derive(Debug)]
struct Gap {
    at: usize,
    member: String,
}

impl Skeletons {
    /// Forgets all, as the record has become another.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The text of the record with what an append adds to its arrays, and with its stamp; the append sets nothing else.
    ///
    /// `None` where no append of that kind was seen before.
    pub(super) fn filled(&self, append: &Stamped<'_>) -> Option<Vec<u8>> {
        let known = self.0.iter().find(|skeleton| skeleton.suits(append));
        known.map(|skeleton| skeleton.filled(append))
    }

    /// Remembers where appends of this kind go in a record less its elements.
    ///
    /// Nothing is learnt of a record that has no such places: then the codec has to put up with it each time.
    pub(super) fn learn<P: Parser>(&mut self, codec: &Codec<P>, kept: &[u8], append: &Stamped<'_>) {
        let Some(skeleton) = Skeleton::new(codec, kept, append) else {
            return;
        };
        self.0.retain(|known| !known.suits(append));
        if self.0.len() == KINDS {
            self.0.remove(0);
        }
        self.0.push(skeleton);
    }
}

impl Skeleton {
    fn new<P: Parser>(codec: &Codec<P>, kept: &[u8], append: &Stamped<'_>) -> Option<Self> {
        let mut names: Vec<&str> = Vec::new();
        for (array, _) in append.elements() {
            if !names.contains(&array) {
                names.push(array);
            }
        }
        let arrays = names.iter().map(|array| (*array).to_owned()).collect();
        let mut amendment = names.iter().fold(Amendment::new(), |amendment, array| {
            amendment.element(array, STAND_IN)
        });
        let is_stamped = append.stamp().is_some();
        if is_stamped {
            amendment = amendment.member(UPDATED_AT, STAND_IN);
            names.push(UPDATED_AT);
        }
        let mut text = Vec::new();
        codec.amend(kept, &amendment, &mut text).ok()?;
        let mut found = Vec::new();
        let places = codec.elements_in(&text, &names, |place| {
            found.push((place.member.to_owned(), place.range));
            ControlFlow::Continue(())
        });
        places.ok()?;
        let mut gaps: Vec<Gap> = Vec::new();
        for (member, range) in found {
            if gaps.iter().any(|gap| gap.member == member) {
                // An element that was not left out: the gap would need a comma.
                return None;
            }
            // Each gap that was closed before has moved those behind it.
            let at = usize::try_from(range.start).ok()? - gaps.len() * STAND_IN.len();
            text.drain(at..at + STAND_IN.len());
            gaps.push(Gap { at, member });
        }
        (gaps.len() == names.len()).then_some(Self {
            text,
            gaps,
            arrays,
            is_stamped,
        })
    }

    /// Whether an append fills exactly these gaps.
    fn suits(&self, append: &Stamped<'_>) -> bool {
        let mut named = 0;
        for (array, _) in append.elements() {
            if self.arrays[..named].iter().any(|known| known == array) {
                continue;
            }
            if self.arrays.get(named).is_none_or(|next| next != array) {
                return false;
            }
            named += 1;
        }
        named == self.arrays.len() && self.is_stamped == append.stamp().is_some()
    }

    fn filled(&self, append: &Stamped<'_>) -> Vec<u8> {
        let added = usize::try_from(append.bytes()).unwrap_or(0);
        let mut filled = Vec::with_capacity(self.text.len() + added);
        let mut from = 0;
        for gap in &self.gaps {
            filled.extend_from_slice(&self.text[from..gap.at]);
            from = gap.at;
            let start = filled.len();
            let parts = append.elements().chain(append.members());
            for (_, json) in parts.filter(|(name, _)| gap.member == *name) {
                if filled.len() > start {
                    filled.push(b',');
                }
                filled.extend_from_slice(json.as_bytes());
            }
        }
        filled.extend_from_slice(&self.text[from..]);
        filled
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::append::Append;

    /// The oracle: the codec's own edit of the record.
    fn amended(kept: &[u8], append: &Stamped<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let amended = Codec::new().amend(kept, &append.amendment(), &mut out);
        amended.ok().map(|_| out)
    }

    fn record() -> impl Strategy<Value = String> {
        let arrays = prop_oneof![
            4 => Just("[]"),
            2 => Just("[ \n]"),
            1 => Just("null"),
            1 => Just("[7]"),
            1 => Just("5"),
        ];
        let member = prop_oneof![
            6 => (proptest::sample::select(vec!["messages", "tool_uses", "m\\u0065ssages"]), arrays)
                .prop_map(|(name, value)| format!("\"{name}\" :{value}")),
            2 => proptest::sample::select(vec!["null", "\"0\"", "0", "{\"messages\":[0]}"])
                .prop_map(|value| format!("\"updated_at\": {value}")),
            2 => proptest::sample::select(vec!["[0,[]]", "\"messages\""])
                .prop_map(|value| format!("\"other\":{value}")),
        ];
        let members = proptest::collection::vec(member, 0..5);
        members.prop_map(|members| format!(" {{{} }} ", members.join(" ,")))
    }

    fn append() -> impl Strategy<Value = Append> {
        let element = (
            proptest::sample::select(vec!["messages", "tool_uses"]),
            0..2_000_u32,
        );
        proptest::collection::vec(element, 1..4).prop_map(|elements| {
            let add = |append: Append, (array, element): &(&str, u32)| {
                append.element(array, element).expect("JSON")
            };
            elements.iter().fold(Append::new(), add)
        })
    }

    proptest! {
        #[test]
        fn what_is_filled_in_is_what_the_codec_makes_of_the_record(
            kept in record(),
            appends in proptest::collection::vec((append(), any::<bool>()), 1..8),
        ) {
            let mut skeletons = Skeletons::default();
            for (append, is_stamped) in &appends {
                let append = append.stamped(is_stamped.then_some(DateTime::UNIX_EPOCH));
                let naive = amended(kept.as_bytes(), &append);
                let filled = skeletons.filled(&append);
                if filled.is_some() {
                    prop_assert_eq!(&filled, &naive);
                }
                skeletons.learn(&Codec::new(), kept.as_bytes(), &append);
                let learnt = skeletons.filled(&append);
                if learnt.is_some() {
                    prop_assert_eq!(&learnt, &naive);
                }
                let is_plain = !kept.contains('7');
                prop_assert!(learnt.is_some() || naive.is_none() || !is_plain);
            }
        }
    }
}
