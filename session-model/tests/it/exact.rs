//! A naive oracle: JSON values compared without rounding a number.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A JSON value in which numbers are their text.
#[derive(Debug, PartialEq)]
pub(crate) enum Exact {
    Object(BTreeMap<String, Exact>),
    Array(Vec<Exact>),
    Text(String),
    Token(String),
}

impl Exact {
    pub(crate) fn of(json: &str) -> Self {
        let json = json.trim();
        match json.as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, Box<RawValue>> =
                    serde_json::from_str(json).expect("an object");
                Self::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key, Self::of(value.get())))
                        .collect(),
                )
            }
            Some(b'[') => {
                let elements: Vec<Box<RawValue>> = serde_json::from_str(json).expect("an array");
                Self::Array(elements.iter().map(|value| Self::of(value.get())).collect())
            }
            // A lone surrogate has no text of its own, so its spelling stands for it.
            Some(b'"') => {
                serde_json::from_str(json).map_or_else(|_| Self::Token(json.to_owned()), Self::Text)
            }
            _ => Self::Token(json.to_owned()),
        }
    }
}

/// Reads a text as `T` and writes it again.
pub(crate) fn through<T: serde::de::DeserializeOwned + serde::Serialize>(json: &str) -> String {
    let read: T = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    serde_json::to_string(&read).expect("what was read can be written")
}

/// Asserts that nothing is lost.
#[track_caller]
pub(crate) fn lossless<T: serde::de::DeserializeOwned + serde::Serialize>(json: &str) {
    assert_eq!(Exact::of(&through::<T>(json)), Exact::of(json), "{json}");
}

#[test]
fn the_oracle_tells_apart_what_a_value_does_not() {
    let (a, b) = ("[18446744073709551616]", "[18446744073709551617]");
    let value = |json| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
    assert_eq!(value(a), value(b));
    assert_ne!(Exact::of(a), Exact::of(b));
}
