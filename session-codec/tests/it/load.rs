//! A load is the decode of the same bytes, however they are read and whatever
//! the type asks for.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use session_codec::{
    Codec, Limits, Parser as _, Revision, SerdeJson,
    testing::{documents, sessions},
};

use crate::{
    load_split::transcript,
    support::{Counting, Dribble, corpora, files},
};

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
    by_kind: BTreeMap<Unit, Option<u8>>,
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
#[expect(clippy::unnecessary_wraps, reason = "this is how serde calls it")]
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
    check::<BTreeMap<String, Vec<serde::de::IgnoredAny>>>(br#"{"a":[1,{"b":[2]}]}"#);
    check::<Everything>(&document);
    let kinds = br#"{"kinds":["Unit",{"Newtype":["a"]},{"Struct":{"x":true}}],"numbers":{"a":-128,"d":1.5},
        "by_number":{"1":[2,3.5]},"by_bool":{"true":"x"},"by_kind":{"A":null},"untagged":["a",[1]],"session_footer":{"a":[1]}}"#;
    check::<Everything>(kinds);
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
