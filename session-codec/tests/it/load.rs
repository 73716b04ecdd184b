//! A load is the decode of the same bytes, however they are read and whatever
//! the type asks for, by one thread or two.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};
use session_codec::{
    Codec, Limits, Parser as _, ReadAt, Revision, SerdeJson,
    testing::{documents, sessions},
};

use crate::support::{Counting, Dribble, corpora, files};

/// A type with one of everything that serde asks a deserialiser for.
#[derive(Debug, PartialEq, Deserialize)]
struct Everything {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    numbers: Numbers,
    #[serde(default)]
    by_number: HashMap<i16, (u8, f32)>,
    #[serde(default)]
    by_bool: BTreeMap<bool, char>,
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    by_kind: BTreeMap<Unit, ()>,
    #[serde(default, deserialize_with = "lenient")]
    lenient: Option<String>,
    #[serde(default)]
    untagged: Vec<Untagged>,
    #[serde(default)]
    bytes: Option<Bytes>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Numbers {
    a: i8,
    b: u64,
    c: i64,
    d: f64,
    e: f32,
    f: i128,
    g: u128,
    h: Option<u16>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Kind {
    Unit,
    Newtype(Wrapper),
    Tuple(u8, String),
    Struct { x: Option<bool> },
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Unit {
    A,
    B,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapper(Vec<String>);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i32),
    Text(String),
    List(Vec<Untagged>),
}

/// Asks for bytes, which `serde_json` gives of any string.
#[derive(Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Forgives what is no string, after which the rest must be read all the same.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(String::deserialize(deserializer).ok())
}

/// Compares a load in pieces of every kind, and a parse, with `serde_json`.
fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(document: &[u8]) {
    let name = document.escape_ascii();
    let expected = serde_json::from_slice::<T>(document);
    let parsed = SerdeJson.parse::<T>(&mut document.to_vec());
    assert_eq!(parsed.as_ref().ok(), expected.as_ref().ok(), "{name}");
    if let (Err(parsed), Err(expected)) = (&parsed, &expected) {
        let expected = session_codec::ParseError::from_serde_json(expected, document);
        assert_eq!(*parsed, expected, "{name}");
    }
    let decoded = Codec::new().decode::<T>(document.to_vec());
    if !document.windows(14).any(|w| w == b"session_footer") {
        assert_eq!(decoded.as_ref().ok(), expected.as_ref().ok(), "{name}");
    }
    for read_size in [1, 2, 3, 7, 64, 1 << 20] {
        let codec = Codec::new().read_size(read_size);
        let source = Dribble::new(document, read_size);
        let loaded = codec.load::<T, _>(&source);
        match (loaded, &decoded) {
            (Ok(loaded), Ok(value)) => {
                assert_eq!(loaded.value, *value, "{name}");
                assert_eq!(loaded.bytes, document.len() as u64);
                assert_eq!(loaded.revision, Revision::of(document));
            }
            (Err(loaded), Err(decoded)) => {
                assert_eq!(loaded.to_string(), decoded.to_string(), "{name}");
            }
            (loaded, decoded) => panic!("{name} by {read_size}: {loaded:?}, {decoded:?}"),
        }
    }
}

#[test]
fn any_document_loads_as_it_decodes() {
    for document in documents(31, 1500).chain(sessions(32, 100)) {
        check::<Value>(&document);
        check::<Option<BTreeMap<String, Value>>>(&document);
    }
}

#[test]
fn every_way_to_ask_gets_the_answer_of_serde_json() {
    for (member, values) in [
        ("id", vec!["null", "\"a\\u00e9\\n\"", "5", "\"\\ud800\""]),
        (
            "numbers",
            vec![
                r#"{"a":-128,"b":18446744073709551615,"c":-9223372036854775808,"d":1.5e3,"e":0.1}"#,
                r#"{"a":-0}"#,
                r#"{"a":128}"#,
                r#"{"b":-1}"#,
                r#"{"c":9223372036854775808}"#,
                r#"{"d":-0}"#,
                r#"{"d":1e999}"#,
                r#"{"d":01}"#,
                r#"{"d":1.}"#,
                r#"{"d":3}"#,
                r#"{"e":16777217}"#,
                r#"{"e":1.00000017881393421514957253748434595763683319091796875001}"#,
                r#"{"f":-170141183460469231731687303715884105728,"g":340282366920938463463374607431768211455}"#,
                r#"{"h":65535}"#,
                r#"{"h":null}"#,
                "[1,2]",
                "[-1,2,3,4,5,6,7,8]",
                "[-1,2,3,4,5,6,7,8,9]",
            ],
        ),
        (
            "by_number",
            vec![
                r#"{"1":[2,3.5],"-7":[0,-0.0]}"#,
                r#"{" 1":[2,3]}"#,
                r#"{"1 ":[2,3]}"#,
                r#"{"x":[2,3]}"#,
                r#"{"1":[2]}"#,
                r#"{"1":[2,3,4]}"#,
                r#"{"70000":[2,3]}"#,
            ],
        ),
        (
            "by_bool",
            vec![
                r#"{"true":"x","false":"\u00e9"}"#,
                r#"{"maybe":"x"}"#,
                r#"{"true":"xy"}"#,
            ],
        ),
        (
            "kinds",
            vec![
                r#"["Unit",{"Unit":null},{"Newtype":["a"]},{"Tuple":[1,"b"]},{"Struct":{"x":true}},{"Struct":[null]}]"#,
                r#"["Newtype"]"#,
                r#"[{"Unit":1}]"#,
                r#"[{"Tuple":[1]}]"#,
                r#"[{"Unit":null,"x":1}]"#,
                r#"["None"]"#,
                "[{}]",
            ],
        ),
        ("by_kind", vec![r#"{"A":null,"B":null}"#, r#"{"C":null}"#]),
        (
            "lenient",
            vec![
                "\"a\"",
                "5",
                "null",
                "[1]",
                "{}",
                "1.5",
                "true",
                "\"\\ud800\"",
            ],
        ),
        ("untagged", vec![r#"[1,"a",["b",[2]]]"#, "[1.5]"]),
        ("bytes", vec!["\"a\"", "\"\\ud800\"", "null", "[1]"]),
        (
            "x",
            vec![
                "{\"a\":[1,{}]}",
                "[1,]",
                "{\"a\":1,}",
                "tru",
                "nulll",
                "\"\\x\"",
                "\u{7f}",
            ],
        ),
    ] {
        for value in values {
            for document in [
                format!(r#"{{"{member}":{value}}}"#),
                format!(" {{ \"y\" : [ ] , \"{member}\" : {value} , \"z\" : {{ }} }} "),
                format!(r#"{{"{member}":{value},"{member}":{value}}}"#),
            ] {
                check::<Everything>(document.as_bytes());
            }
        }
    }
    let bad = b"{\"id\":\"a\",\"lenient\":\"\xff\"}";
    check::<Everything>(bad);
}

#[test]
fn ignored_and_raw_members_are_judged_as_serde_json_judges_them() {
    #[derive(Debug, Deserialize)]
    struct Ignores {
        #[serde(rename = "id")]
        _id: Option<Value>,
        raw: Option<Box<RawValue>>,
    }
    impl PartialEq for Ignores {
        fn eq(&self, other: &Self) -> bool {
            self.raw.as_ref().map(|raw| raw.get()) == other.raw.as_ref().map(|raw| raw.get())
        }
    }
    for value in documents(33, 3000) {
        for name in ["x", "raw"] {
            let document = [b"{\"", name.as_bytes(), b"\":", &value, b",\"id\":1}"].concat();
            let depth = serde_json::from_slice::<Ignores>(&document).is_ok()
                && Codec::new().validate(document.as_slice()).is_err();
            if !depth {
                check::<Ignores>(&document);
            }
        }
    }
}

#[test]
fn limits_hold_for_what_a_type_ignores_too() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing {}
    let document = br#"{"a":[{"b":[[1]]},"0123456789"],"c":{"d":["0123456789"]},"e":1}"#;
    let limits = [
        Limits::default(),
        Limits::default().depth(5),
        Limits::default().depth(4),
        Limits::default().members(3),
        Limits::default().members(2),
        Limits::default().element_bytes(13),
        Limits::default().element_bytes(12),
        Limits::default().element_bytes(11),
    ];
    for (limits, ok) in limits
        .into_iter()
        .zip([true, true, false, true, false, true, true, false])
    {
        let codec = Codec::new().limits(limits).read_size(5);
        let nothing = codec
            .load::<Nothing, _>(document)
            .map(|loaded| loaded.value);
        let value = codec.load::<Value, _>(document).map(|loaded| loaded.value);
        let raw = codec.load::<HashMap<String, Box<RawValue>>, _>(document);
        assert_eq!(nothing.is_ok(), ok, "{limits:?}");
        assert_eq!(value.is_ok(), ok, "{limits:?}");
        assert_eq!(raw.is_ok(), ok, "{limits:?}");
        if let (Err(nothing), Err(value)) = (nothing, value) {
            assert_eq!(nothing.to_string(), value.to_string());
            assert!(value.is_limit() && value.offset().is_some());
        }
    }
}

/// A document of many messages, the middle of which is easily guessed.
fn transcript(messages: usize, text: &str, pretty: bool) -> Vec<u8> {
    let message =
        |n: usize| json!({"role": "user", "content": [{"type": "text", "text": text, "n": n}]});
    let messages: Vec<_> = (0..messages).map(message).collect();
    let value = json!({"id": "a", "agent": "b", "messages": messages, "usage": {}, "z": [1, 2]});
    if pretty {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    }
    .unwrap()
}

/// Puts the first half of the messages in front and counts that it did.
fn join(joined: &AtomicUsize) -> impl Fn(Value, Value) -> Option<Value> {
    |mut first, mut rest| {
        joined.fetch_add(1, Ordering::Relaxed);
        let mut messages = first["messages"].as_array_mut().map(std::mem::take)?;
        messages.append(rest["messages"].as_array_mut()?);
        rest["messages"] = messages.into();
        Some(rest)
    }
}

#[test]
fn two_threads_give_the_answer_of_one() {
    let joined = AtomicUsize::new(0);
    let odd = "\\\"},{\\\"role\\\":\\\"x, ]}";
    for (text, pretty) in [("hi", false), ("hi", true), (odd, false), ("é漢", true)] {
        let document = transcript(60, text, pretty);
        for read_size in [100, 300, document.len() / 9] {
            let codec = Codec::new().threads(2).read_size(read_size);
            let before = joined.load(Ordering::Relaxed);
            let loaded = codec
                .load_split(&document, Some("messages"), join(&joined))
                .unwrap();
            assert_eq!(
                joined.load(Ordering::Relaxed),
                before + 1,
                "two threads did it"
            );
            assert_eq!(
                loaded.value,
                serde_json::from_slice::<Value>(&document).unwrap()
            );
            assert_eq!(loaded.bytes, document.len() as u64);
            assert_eq!(loaded.revision, Revision::of(&document));
        }
    }
}

#[test]
fn each_half_is_read_once_and_hashed_once_more() {
    let document = transcript(2000, "some text that is not short", false);
    let source = Counting::new(document.as_slice());
    let joined = AtomicUsize::new(0);
    let codec = Codec::new().threads(2).read_size(4096);
    codec
        .load_split(&source, Some("messages"), join(&joined))
        .unwrap();
    assert_eq!(joined.load(Ordering::Relaxed), 1);
    let size = document.len() as u64;
    assert!(
        source.bytes() < size * 16 / 10 + 16 * 4096,
        "{} of {size}",
        source.bytes()
    );
}

#[test]
fn one_pass_is_enough_for_what_records_are_made_of() {
    fn check<T: DeserializeOwned>(document: &[u8]) {
        let source = Counting::new(document);
        Codec::new().read_size(50).load::<T, _>(&source).unwrap();
        let name = std::any::type_name::<T>();
        assert_eq!(source.bytes(), document.len() as u64, "{name}");
    }
    let document = transcript(20, "é\"\\\n漢😀", true);
    check::<Value>(&document);
    check::<HashMap<String, Box<RawValue>>>(&document);
    check::<HashMap<String, serde::de::IgnoredAny>>(&document);
    check::<Everything>(&document);
    let kinds = br#"{"kinds":["Unit",{"Newtype":["a"]},{"Struct":{"x":true}}],"numbers":{"a":-128,"d":1.5},
        "by_number":{"1":[2,3.5]},"by_bool":{"true":"x"},"by_kind":{"A":null},"untagged":["a",[1]],"session_footer":{"a":[1]}}"#;
    check::<Everything>(kinds);
}

#[test]
fn a_cut_that_was_guessed_wrongly_changes_nothing() {
    // The guess finds the first element's beginning in other places: in another
    // array, in a second array of the name, deeper, and where a comma is wrong.
    let many = |element: &str, count: usize| vec![element; count].join(",");
    let a = r#"{"role":1}"#;
    for document in [
        format!(r#"{{"messages":[{a}],"other":[{}]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{a}],"messages":[{}]}}"#, many(a, 90)),
        format!(
            r#"{{"messages":[{}],"messages":[{}]}}"#,
            many(a, 60),
            many(a, 9)
        ),
        format!(r#"{{"messages":[{a},{{"x":[{}]}}]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{a},[{}]]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{},]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{},,{}]}}"#, many(a, 45), many(a, 45)),
        format!(r#"{{"messages":[{}],}}"#, many(a, 90)),
        format!(r#"{{"messages":[{}]"#, many(a, 90)),
        format!(r#"{{"messages":[{}]}}}}"#, many(a, 90)),
        format!(r#"{{"id":[{}],"messages":[{a}]}}"#, many(a, 90)),
        format!(r#"[{}]"#, many(a, 90)),
        format!(
            r#"{{"messages":[{}],"session_footer":{{"messages":[]}}}}"#,
            many(a, 90)
        ),
    ] {
        let joined = AtomicUsize::new(0);
        let codec = Codec::new().threads(2).read_size(64);
        let two = codec.load_split(document.as_bytes(), Some("messages"), join(&joined));
        let one = codec.decode::<Value>(document.clone().into_bytes());
        match (two, one) {
            (Ok(two), Ok(one)) => assert_eq!(two.value, one, "{document}"),
            (Err(two), Err(one)) => assert_eq!(two.to_string(), one.to_string(), "{document}"),
            (two, one) => panic!("{document}: {two:?}, {one:?}"),
        }
    }
}

#[test]
fn a_failing_reader_is_an_io_error_wherever_it_fails() {
    #[derive(Debug)]
    struct Fails<'a>(&'a [u8], u64);
    impl ReadAt for Fails<'_> {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
            if offset + buf.len() as u64 > self.1 {
                return Err(std::io::Error::other("gone"));
            }
            self.0.read_at(buf, offset)
        }
        fn size(&self) -> std::io::Result<u64> {
            Ok(self.0.len() as u64)
        }
    }
    let document = transcript(60, "hi", false);
    for end in (0..document.len()).step_by(97) {
        let source = Fails(&document, end as u64);
        let codec = Codec::new().threads(2).read_size(100);
        assert!(codec.load::<Value, _>(&source).unwrap_err().is_io());
        let joined = AtomicUsize::new(0);
        let error = codec
            .load_split(&source, Some("messages"), join(&joined))
            .unwrap_err();
        assert!(error.is_io(), "{error}");
    }
}

#[test]
fn the_corpora_load_as_serde_json_decodes_them() {
    let Some(corpora) = corpora() else { return };
    let mut seen = 0;
    for path in files(&corpora.join("json")) {
        let document = std::fs::read(&path).unwrap();
        if document.len() < 100_000 {
            check::<Value>(&document);
            seen += 1;
        }
    }
    assert!(seen > 2000, "{seen} documents seen");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sessions_load_alike_by_one_thread_and_two(seed: u64, read_size in 1_usize..200) {
        for document in sessions(seed, 4) {
            let joined = AtomicUsize::new(0);
            let codec = Codec::new().threads(2).read_size(read_size);
            let two = codec.load_split(&document, Some("messages"), join(&joined)).unwrap();
            let one = Codec::new().decode::<Value>(document.clone()).unwrap();
            prop_assert_eq!(two.value, one);
            prop_assert_eq!(two.revision, Revision::of(&document));
        }
    }
}
