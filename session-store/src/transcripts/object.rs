//! Owns a foreign JSON object whose members are taken out one by one, so that what nobody took is kept. Knows no format.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use session_model::{Extra, RawJson};

/// How deep a value may be nested to be kept as it is. A store refuses elements deeper than 100, and a record lies some levels
/// down in one.
const MAX_DEPTH: usize = 64;

/// How many members a record may have. Members are looked up one by one, and a real record has some twenty.
const MAX_MEMBERS: usize = 4096;

/// An object of a transcript.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Extra);

impl Object {
    /// Reads an object out of a value; `None` if it is another type.
    pub(super) fn of(raw: &RawJson) -> Option<Self> {
        raw.parse().ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&RawJson> {
        self.0.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Looks at a member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// Looks at a member that is an object.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.get(name)?)
    }

    /// Looks at a member that is a count.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn take(&mut self, name: &str) -> Option<RawJson> {
        self.0.remove(name)
    }

    /// Takes a member out if it is a string; another stays.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        self.0.remove(name);
        Some(text)
    }

    /// Takes a member out if it is an object; another stays.
    pub(super) fn take_object(&mut self, name: &str) -> Option<Self> {
        let object = self.object(name)?;
        self.0.remove(name);
        Some(object)
    }

    /// Takes the elements of a member out if it is an array; another stays.
    pub(super) fn take_array(&mut self, name: &str) -> Option<Vec<RawJson>> {
        let array = self.get(name)?.parse().ok()?;
        self.0.remove(name);
        Some(array)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn put(&mut self, name: &str, value: RawJson) {
        self.0.insert(name, value);
    }

    /// Puts what is left of a nested object back, unless nothing is.
    pub(super) fn put_rest(&mut self, name: &str, rest: Self) {
        if let Some(raw) = (!rest.0.is_empty()).then(|| rest.into_raw()).flatten() {
            self.put(name, raw);
        }
    }

    /// Makes unknown members of what is left. A member whose name the receiving type knows gets another one, as a type
    /// refuses to write two of one name.
    pub(super) fn into_extra(self, known: &[&str]) -> Extra {
        let mut extra = self.0;
        for name in known {
            if let Some(value) = extra.remove(name) {
                extra.insert(format!("source_{name}"), value);
            }
        }
        extra
    }

    pub(super) fn into_raw(self) -> Option<RawJson> {
        RawJson::from_value(&self).ok()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut extra = Extra::new();
                while let Some(name) = map.next_key::<String>()? {
                    if extra.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom("too many members"));
                    }
                    extra.capture(name, &mut map)?;
                }
                Ok(Object(bounded(extra)))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.write(&[], &mut map)?;
        map.end()
    }
}

/// Reads a string; `None` if it is another type, or one that is no text.
pub(super) fn text(raw: &RawJson) -> Option<String> {
    raw.get()
        .starts_with('"')
        .then(|| raw.parse().ok())
        .flatten()
}

/// Makes a JSON string of a text.
pub(super) fn quoted(text: &str) -> Option<RawJson> {
    RawJson::from_value(text).ok()
}

/// Keeps the text of values that are nested too deep for a session.
fn bounded(extra: Extra) -> Extra {
    if extra.iter().all(|(_, value)| fits(value)) {
        return extra;
    }
    let mut shallow = Extra::new();
    for (name, value) in extra.iter() {
        let kept = if fits(value) {
            Some(value.clone())
        } else {
            quoted(value.get())
        };
        if let Some(kept) = kept {
            shallow.insert(name, kept);
        }
    }
    shallow
}

fn fits(raw: &RawJson) -> bool {
    let text = raw.get();
    if !text.starts_with(['{', '[']) {
        return true;
    }
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if inside {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => inside = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => inside = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    true
}
