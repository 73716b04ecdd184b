//! What must hold of any bytes at all, one function for each fuzz target. Owns
//! the comparisons with `serde_json`; panics where one fails.
//!
//! Tests replay what fuzzing found through the same functions.

use std::{collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::{Codec, Error, HeaderSpec, Parser, RESERVED, Revision, SerdeJson, TailCap};

/// Sizes of reads that cut a document in every way that matters.
const READ_SIZES: [usize; 5] = [1, 3, 16, 61, 1 << 16];

/// Runs the check of a fuzz target by its name; `false` if there is none.
///
/// # Panics
///
/// Where the check fails.
#[must_use]
pub fn run(target: &str, document: &[u8]) -> bool {
    match target {
        "decode" => decode(document),
        "skip" => skip(document),
        "tail" => tail(document),
        "header" => header(document),
        "backwards" => backwards(document),
        "footer" => footer(document),
        "salvage" => salvage(document),
        _ => return false,
    }
    true
}

/// Names the fuzz targets.
pub const TARGETS: [&str; 7] = [
    "decode",
    "skip",
    "tail",
    "header",
    "backwards",
    "footer",
    "salvage",
];

fn value(document: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(document).ok()?;
    if let Value::Object(members) = &mut value {
        members.remove(RESERVED);
    }
    Some(value)
}

fn text<T>(result: &Result<T, Error>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Parsing, decoding and loading, whole, in pieces and by two threads, give the
/// verdict and value of `serde_json`.
///
/// # Panics
///
/// Where they do not.
pub fn decode(document: &[u8]) {
    let expected = serde_json::from_slice::<Value>(document);
    let parsed = SerdeJson.parse::<Value>(&mut document.to_vec());
    assert_eq!(parsed.ok(), expected.ok(), "parse");
    let decoded = Codec::new().decode::<Value>(document.to_vec());
    // What is hidden may hold what a value may not.
    if let Some(expected) = value(document) {
        assert!(
            decoded.as_ref().is_ok_and(|value| *value == expected),
            "decode"
        );
    }
    for read_size in READ_SIZES {
        let codec = Codec::new().read_size(read_size).threads(2);
        let one = codec.load::<Value, _>(document);
        let two = codec.load_split(document, Some("messages"), join);
        for loaded in [one, two] {
            assert_eq!(text(&loaded), text(&decoded), "load by {read_size}");
            if let Ok(loaded) = loaded {
                assert_eq!(Some(&loaded.value), decoded.as_ref().ok());
                assert_eq!(loaded.revision, Revision::of(document));
            }
        }
    }
}

fn join(mut first: Value, mut rest: Value) -> Option<Value> {
    let mut messages = std::mem::take(first["messages"].as_array_mut()?);
    messages.append(rest["messages"].as_array_mut()?);
    rest["messages"] = messages.into();
    Some(rest)
}

/// Windows are cut alike however the document is read, by however many threads,
/// and where all is judged and passes.
///
/// # Panics
///
/// Where they are not.
pub fn skip(document: &[u8]) {
    for keep in [0, 1, 3] {
        let cap = TailCap::all(&["messages", "tool_uses"], keep);
        let expected = Codec::new().prune(document, &cap);
        let strict = Codec::new().strict(true).prune(document, &cap);
        if let Ok(strict) = strict {
            let same = expected
                .as_ref()
                .is_ok_and(|loose| loose.json == strict.json);
            assert!(same, "keep {keep}, strict");
        }
        for (read_size, threads) in READ_SIZES
            .map(|size| (size, 1))
            .into_iter()
            .chain([(16, 2)])
        {
            let codec = Codec::new().read_size(read_size).threads(threads);
            let pruned = codec.prune(document, &cap);
            assert_eq!(text(&pruned), text(&expected), "keep {keep} by {read_size}");
            if let (Ok(pruned), Ok(expected)) = (&pruned, &expected) {
                assert_eq!(pruned.json, expected.json, "keep {keep} by {read_size}");
                assert_eq!(pruned.dropped, expected.dropped);
                assert_eq!(pruned.revision, Revision::of(document));
            }
        }
    }
}

/// A tail of what `serde_json` accepts is the end of what it gives.
///
/// # Panics
///
/// Where it is not.
pub fn tail(document: &[u8]) {
    let Some(whole) = value(document) else {
        // What is refused may be accepted with its fault dropped, but not more.
        let cap = TailCap::new();
        let kept = Codec::new().tail::<Value, _>(document, &cap);
        let decoded = Codec::new().decode::<Value>(document.to_vec());
        assert_eq!(kept.is_ok(), decoded.is_ok(), "a tail that drops nothing");
        return;
    };
    for keep in [0, 1, 2, usize::MAX] {
        let mut expected = whole.clone();
        for name in ["messages", "tool_uses"] {
            let array = expected
                .as_object_mut()
                .and_then(|members| members.get_mut(name))
                .and_then(Value::as_array_mut);
            if let Some(array) = array {
                array.drain(..array.len().saturating_sub(keep));
            }
        }
        let cap = TailCap::all(&["messages", "tool_uses"], keep);
        for codec in [Codec::new(), Codec::new().read_size(7)] {
            let at = codec.tail::<Value, _>(document, &cap);
            let read = codec.tail_from_read::<Value, _>(document, &cap);
            for tail in [at, read] {
                let Ok(tail) = tail else {
                    panic!("keep {keep}: {}", text(&tail))
                };
                assert_eq!(tail.value, expected, "keep {keep}");
                assert_eq!(tail.bytes, document.len() as u64);
            }
        }
    }
}

/// A window by a footer is the window without it; and a document that was
/// damaged in one byte, as its length says which, gives either what it gives
/// without a footer or an error.
///
/// # Panics
///
/// Where it is not.
pub fn footer(document: &[u8]) {
    let codec = Codec::new().marks(&["messages", "tool_uses"]);
    let mut marked = Vec::new();
    let whole = value(document).filter(Value::is_object);
    let Some(Ok(encoded)) = whole.map(|whole| codec.encode(&whole, &mut marked)) else {
        return;
    };
    let tails = |json: &[u8], keep| {
        let cap = TailCap::all(&["messages", "tool_uses"], keep);
        let strict = Codec::new().strict(true);
        let [by_footer, without] =
            [Codec::new(), strict].map(|codec| codec.tail::<Value, _>(json, &cap));
        (by_footer, without)
    };
    for keep in [0, 1, 3] {
        let (Ok(by_footer), Ok(without)) = tails(&marked, keep) else {
            panic!("keep {keep}: what was encoded is not read");
        };
        assert_eq!(by_footer.value, without.value, "keep {keep}");
        assert_eq!(by_footer.dropped, without.dropped, "keep {keep}");
        assert_eq!(by_footer.revision, encoded.revision);
        // The footer and what stands before it, at places spread by the input.
        let sum = document.iter().fold(1_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
        });
        for step in 0..16 {
            let at = marked.len() - 1 - sum.wrapping_mul(step + 1) % marked.len().min(700);
            let kept = marked[at];
            marked[at] ^= 1 << (step % 8);
            if let (Ok(damaged), Ok(without)) = tails(&marked, keep) {
                assert_eq!(damaged.value, without.value, "keep {keep}, damaged at {at}");
            }
            marked[at] = kept;
        }
    }
}

/// What a header finds in a document that `serde_json` accepts is what it says.
///
/// # Panics
///
/// Where it is not.
pub fn header(document: &[u8]) {
    let wanted = ["id", "title", "metadata", "agent"];
    let spec = HeaderSpec::new(&wanted, &["id", "metadata"], &["messages", "tool_uses"]);
    let found = Codec::new().header(document, &spec);
    let (Some(Value::Object(members)), Ok(found)) = (value(document), found) else {
        return;
    };
    // Of members of one name a header has the one it met.
    if serde_json::from_slice::<Names>(document).is_ok_and(|names| names.0) {
        return;
    }
    let Ok(found) = serde_json::from_slice::<Value>(&found.json) else {
        panic!("a header is JSON")
    };
    for name in wanted {
        if let Some(value) = found.get(name) {
            assert_eq!(Some(value), members.get(name), "{name}");
        } else if spec.needed().iter().any(|needed| needed == name) {
            assert_eq!(members.get(name), None, "{name}");
        }
    }
}

/// Whether a name stands twice in a document.
#[derive(Debug)]
struct Names(bool);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Twice)
    }
}

struct Twice;

impl<'de> Visitor<'de> for Twice {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut seen = HashSet::new();
        let mut twice = false;
        while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            twice |= !seen.insert(name);
        }
        Ok(Names(twice))
    }
}

/// A header whose members stand behind an array too long to read.
///
/// # Panics
///
/// Where the header is not what the document says.
pub fn backwards(document: &[u8]) {
    let filler = "x".repeat(150_000);
    let head = format!("{{\"messages\":[\"{filler}\"],\"id\":\"a\",\"metadata\":");
    header(&[head.as_bytes(), document, b"}"].concat());
    let escaped = "\\\"".repeat(3000);
    let head = format!("{{\"messages\":[\"{escaped}\"],\"metadata\":{{}},\"id\":");
    header(&[head.as_bytes(), document, b"}"].concat());
}

/// What is salvaged of any bytes are values that can be read, each once; of a sound document it is all there is.
///
/// # Panics
///
/// Where it is not.
pub fn salvage(document: &[u8]) {
    let arrays = ["messages", "tool_uses"];
    let found = Codec::new().salvage(document, &arrays);
    let values = found
        .members
        .iter()
        .flat_map(|member| match &member.elements {
            Some(elements) => elements.clone(),
            None => vec![member.value.clone()],
        });
    let values: Vec<_> = values.collect();
    for value in &values {
        let bytes = &document[value.clone()];
        assert!(serde_json::from_slice::<Value>(bytes).is_ok(), "{value:?}");
    }
    let mut all = [values, found.lost.clone()].concat();
    all.sort_by_key(|range| range.start);
    assert!(all.is_sorted_by(|one, next| one.end <= next.start), "twice");
    // What a decode hides may hold what it would not accept.
    let Ok(Value::Object(members)) = serde_json::from_slice(document) else {
        return;
    };
    if Codec::new().decode::<Value>(document.to_vec()).is_err() {
        return;
    }
    assert_eq!(found.lost, [], "lost");
    if serde_json::from_slice::<Names>(document).is_ok_and(|names| names.0) {
        return;
    }
    for member in &found.members {
        if let (Some(elements), Some(array)) = (&member.elements, members.get(&member.name)) {
            assert_eq!(Some(elements.len()), array.as_array().map(Vec::len));
        }
    }
}
