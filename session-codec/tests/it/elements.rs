//! Places and strings are those of a full decode.

use std::ops::ControlFlow;

use proptest::prelude::*;
use serde_json::Value;
use session_codec::{Codec, Limits, Place, Step, testing::sessions};

const MEMBERS: [&str; 4] = ["title", "messages", "tool_uses", "none"];

type Found = Vec<(String, Option<u64>, Value)>;

fn collect(json: &[u8], found: &mut Found, place: &Place<'_>) -> ControlFlow<()> {
    let range =
        usize::try_from(place.range.start).unwrap()..usize::try_from(place.range.end).unwrap();
    let value = serde_json::from_slice(&json[range]).expect("exactly one value");
    found.push((place.member.to_owned(), place.element, value));
    ControlFlow::Continue(())
}

fn naive(json: &[u8]) -> Found {
    let value: Value = serde_json::from_slice(json).unwrap();
    let mut found = Vec::new();
    for member in MEMBERS {
        match value.get(member) {
            Some(Value::Array(elements)) => found.extend(
                (0..)
                    .zip(elements)
                    .map(|(index, element)| (member.to_owned(), Some(index), element.clone())),
            ),
            Some(value) => found.push((member.to_owned(), None, value.clone())),
            None => {}
        }
    }
    found
}

/// The oracle for strings: all of them, with their ways.
fn strings(value: &Value, way: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((way.to_owned(), text.clone())),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                strings(value, &format!("{way}[{index}]"), found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                strings(value, &format!("{way}.{name}"), found);
            }
        }
        _ => {}
    }
}

fn walked(codec: &Codec, json: &[u8]) -> Result<Vec<(String, String)>, session_codec::Error> {
    let mut found = Vec::new();
    codec.strings(json, |path, string| {
        let way: String = path
            .iter()
            .map(|step| match step {
                Step::Member(name) => format!(".{name}"),
                Step::Element(index) => format!("[{index}]"),
            })
            .collect();
        assert_eq!(json[string.offset()], b'"');
        found.push((way, string.decode().expect("a valid string").into_owned()));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

#[test]
fn places_equal_those_of_a_full_decode() {
    for document in sessions(9, 300) {
        let mut expected = naive(&document);
        expected.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        for size in [1, 50, 1 << 20] {
            let mut found = Vec::new();
            Codec::new()
                .read_size(size)
                .elements(&document, &MEMBERS, |place| {
                    collect(&document, &mut found, &place)
                })
                .unwrap();
            found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
            assert_eq!(found, expected, "{}", document.escape_ascii());
        }
        let mut found = Vec::new();
        Codec::new()
            .elements_in(&document, &MEMBERS, |place| {
                collect(&document, &mut found, &place)
            })
            .unwrap();
        found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        assert_eq!(found, expected, "{}", document.escape_ascii());
    }
}

#[test]
fn a_break_is_no_error_and_what_came_before_a_fault_stands() {
    let json = br#"{"messages": [1, 2, }"#;
    for stop in [1, 2, 3] {
        let mut seen = 0;
        let walked = Codec::new().elements_in(json, &["messages"], |_| {
            seen += 1;
            if seen == stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!((seen, walked.is_ok()), (stop.min(2), stop <= 2));
    }
    for json in [&b"[]"[..], b"\"x\"", b""] {
        let walked = Codec::new().elements_in(json, &["messages"], |_| ControlFlow::Continue(()));
        assert!(walked.is_err());
    }
}

#[test]
fn strings_equal_those_of_a_full_decode() {
    for document in sessions(10, 300) {
        // `Value` sorts members and keeps the last of those with one name, so what it says is sorted, and all of it
        // is among what the document says.
        let value: Value = serde_json::from_slice(&document).unwrap();
        let mut expected = Vec::new();
        strings(&value, "", &mut expected);
        expected.sort();
        let found = walked(&Codec::new(), &document).unwrap();
        for string in &expected {
            assert!(found.contains(string), "{}", document.escape_ascii());
        }
        let written = serde_json::to_vec(&value).unwrap();
        let mut found = walked(&Codec::new(), &written).unwrap();
        found.sort();
        assert_eq!(found, expected, "{}", written.escape_ascii());
    }
}

#[test]
fn strings_of_a_value_that_is_a_string_have_no_way() {
    let found = walked(&Codec::new(), br#" "a\u0062" "#).unwrap();
    assert_eq!(found, [(String::new(), "ab".to_owned())]);
}

#[test]
fn a_deep_value_is_refused_before_it_costs_memory() {
    let codec = Codec::new().limits(Limits::default().depth(10));
    assert!(
        walked(&codec, "[".repeat(10).as_bytes())
            .unwrap_err()
            .is_syntax()
    );
    assert!(
        walked(&codec, "[".repeat(100_000).as_bytes())
            .unwrap_err()
            .is_limit()
    );
}

#[test]
fn bad_strings_are_told_by_their_decoding_alone() {
    let json = b"[\"a\",\"\\ud800\",\"\xff\",\"b\"]";
    let mut found = Vec::new();
    let walked = Codec::new().strings(json, |_, string| {
        found.push(
            string
                .decode()
                .map(std::borrow::Cow::into_owned)
                .map_err(|error| error.offset()),
        );
        assert!(
            !format!("{string:?}").contains("ud800"),
            "debug texts hold no content"
        );
        ControlFlow::Continue(())
    });
    walked.unwrap();
    assert_eq!(
        found,
        [
            Ok("a".to_owned()),
            Err(Some(5)),
            Err(Some(14)),
            Ok("b".to_owned())
        ]
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_walks_panic(json in prop::collection::vec(
        prop::sample::select(b"{}[]\",:\\u0a1 \xff".to_vec()), 0..60)) {
        let _ = Codec::new().strings(&json, |_, string| {
            let _ = string.decode();
            ControlFlow::Continue(())
        });
        let _ = Codec::new().elements_in(&json, &["a"], |_| ControlFlow::Continue(()));
    }
}
