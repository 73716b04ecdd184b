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
    assert!(is_lossless::<T>(json), "{} of {json}", through::<T>(json));
}

fn is_lossless<T: serde::de::DeserializeOwned + serde::Serialize>(json: &str) -> bool {
    Exact::of(&through::<T>(json)) == Exact::of(json)
}

/// Known members only, as most programs read them.
#[derive(serde::Serialize, serde::Deserialize)]
struct Forgets {
    role: String,
    content: Vec<serde_json::Value>,
}

/// Unknown members as values, which round what does not fit them.
#[derive(serde::Serialize, serde::Deserialize)]
struct Rounds {
    role: String,
    content: Vec<serde_json::Value>,
    #[serde(flatten)]
    extra: serde_json::Map<String, serde_json::Value>,
}

/// P23's mutants: what the tests of losslessness rely on tells types that lose something.
#[test]
fn types_that_forget_or_round_are_caught() {
    let plain = r#"{"role":"user","content":[]}"#;
    let unknown = r#"{"role":"user","content":[],"pages":{"a":[1]}}"#;
    let large = r#"{"role":"user","content":[],"n":340282366920938463463374607431768211456}"#;
    for json in [plain, unknown, large] {
        lossless::<session_model::Message>(json);
    }
    assert!(is_lossless::<Forgets>(plain) && is_lossless::<Rounds>(plain));
    assert!(!is_lossless::<Forgets>(unknown));
    assert!(is_lossless::<Rounds>(unknown) && !is_lossless::<Rounds>(large));
}

#[test]
fn the_oracle_tells_apart_what_a_value_does_not() {
    let (a, b) = ("[18446744073709551616]", "[18446744073709551617]");
    let value = |json| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
    assert_eq!(value(a), value(b));
    assert_ne!(Exact::of(a), Exact::of(b));
}
