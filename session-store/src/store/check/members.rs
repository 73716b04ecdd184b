//! Members that an object has more than once.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// Counts the members of an object that are not the first of their name, and tells whether one of them has one of these
/// names; what is no object has none.
pub(super) fn repeated(json: &[u8], among: &[&str]) -> (u64, bool) {
    let mut json = serde_json::Deserializer::from_slice(json);
    json.deserialize_map(Repeated { among }).unwrap_or_default()
}

struct Repeated<'a> {
    among: &'a [&'a str],
}

impl<'de> Visitor<'de> for Repeated<'_> {
    type Value = (u64, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let (mut seen, mut count, mut is_among) = (HashSet::new(), 0, false);
        while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
            if seen.contains(&name) {
                count += 1;
                is_among |= self.among.contains(&&*name);
            }
            seen.insert(name);
        }
        Ok((count, is_among))
    }
}
