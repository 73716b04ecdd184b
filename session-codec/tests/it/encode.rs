//! Encoding is `serde_json`'s compact form, with what it would spoil refused.

use std::{collections::BTreeMap, io};

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use session_codec::{Codec, Error, Limits, Refusal, Revision, testing::documents};

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let encoded = Codec::new().encode(value, &mut out)?;
    assert_eq!(encoded.bytes, out.len() as u64);
    assert_eq!(encoded.revision, Revision::of(&out));
    Ok(out)
}

fn refusal<T: Serialize + ?Sized>(value: &T) -> Option<Refusal> {
    match encode(value) {
        Err(Error::Refused { reason, .. }) => Some(reason),
        _ => None,
    }
}

/// One of every shape that serde knows, around a float.
#[derive(Debug, Clone, Serialize)]
struct Shapes {
    some: Option<f64>,
    seq: Vec<f32>,
    tuple: (u8, f64),
    map: BTreeMap<u32, f64>,
    newtype: Newtype,
    pair: Pair,
    variants: Vec<Variant>,
    number: Box<RawValue>,
    big: i128,
    character: char,
    unit: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct Newtype(f64);

#[derive(Debug, Clone, Serialize)]
struct Pair(u8, f64);

#[derive(Debug, Clone, Serialize)]
enum Variant {
    Unit,
    Newtype(f64),
    Tuple(u8, f64),
    Struct { float: f64 },
}

/// Places where a float stands in `Shapes`.
const PLACES: usize = 9;

fn shapes(place: usize, float: f64) -> Shapes {
    let at = |index: usize| if index == place { float } else { 1.5 };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "NaN and infinity stay what they are"
    )]
    let small = at(1) as f32;
    Shapes {
        some: Some(at(0)),
        seq: vec![small],
        tuple: (1, at(2)),
        map: [(7, at(3))].into(),
        newtype: Newtype(at(4)),
        pair: Pair(1, at(5)),
        variants: vec![
            Variant::Unit,
            Variant::Newtype(at(6)),
            Variant::Tuple(1, at(7)),
            Variant::Struct { float: at(8) },
        ],
        number: RawValue::from_string("123456789012345678901234567890".to_owned()).unwrap(),
        big: i128::MIN,
        character: '\u{1f600}',
        unit: (),
        skipped: None,
    }
}

#[test]
fn a_float_that_is_not_finite_is_refused_wherever_it_stands() {
    assert_eq!(
        encode(&shapes(99, 0.0)).unwrap(),
        serde_json::to_vec(&shapes(99, 0.0)).unwrap()
    );
    for place in 0..PLACES {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let value = shapes(place, float);
            assert_eq!(
                refusal(&value),
                Some(Refusal::NotFinite),
                "{float} at {place}"
            );
            // The mutant: plain serde_json writes null and says nothing.
            let mutant = serde_json::to_string(&value).unwrap();
            assert!(mutant.contains("null"));
        }
    }
    assert_eq!(Codec::new().encode_part(&1.5).unwrap(), "1.5");
    assert!(
        Codec::new()
            .encode_part(&f64::NAN)
            .unwrap_err()
            .is_refused()
    );
}

#[test]
fn what_is_no_document_is_refused() {
    for root in [json!([1]), json!(null), json!(1), json!("x"), json!(true)] {
        assert_eq!(refusal(&root), Some(Refusal::NotAnObject), "{root}");
        assert_eq!(Codec::new().encode_part(&root).unwrap(), root.to_string());
    }
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    assert_eq!(refusal(&raw("[1]")), Some(Refusal::NotAnObject));
    assert_eq!(encode(&raw("{\"a\": 1}")).unwrap(), b"{\"a\": 1}");
    assert_eq!(
        refusal(&json!({"session_footer": 1})),
        Some(Refusal::ReservedMember)
    );
    assert_eq!(
        refusal(&raw(r#"{"session\u005ffooter":1}"#)),
        Some(Refusal::ReservedMember)
    );
    for name in [
        "session_foote",
        "session_footer2",
        "\"session_footer",
        "session\n_footer",
        "",
    ] {
        assert!(encode(&json!({name: 1})).is_ok(), "{name}");
    }
    assert!(encode(&json!({"a": {"session_footer": 1}})).is_ok());
    let keys: BTreeMap<Vec<u8>, u8> = [(vec![1], 1)].into();
    assert_eq!(refusal(&keys), Some(Refusal::Key));
}

#[test]
fn a_forged_raw_text_is_refused() {
    /// Pretends to be a raw value, with a text that is none.
    struct Forged(&'static str);
    impl Serialize for Forged {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            let mut raw = serializer.serialize_struct("$serde_json::private::RawValue", 1)?;
            raw.serialize_field("$serde_json::private::RawValue", self.0)?;
            raw.end()
        }
    }
    for text in ["", "{", "1,2", "1}", "\"", "{}{}", "nul"] {
        let value: BTreeMap<_, _> = [("a", Forged(text))].into();
        assert_eq!(refusal(&value), Some(Refusal::RawText), "{text}");
        let value: BTreeMap<_, _> = [("a", vec![Forged(text)])].into();
        assert_eq!(refusal(&value), Some(Refusal::RawText), "{text}");
    }
}

/// Objects in objects around a raw text.
#[derive(Serialize)]
#[serde(untagged)]
enum Nest {
    More { k: Box<Nest> },
    Raw { k: Box<RawValue> },
}

#[test]
fn depth_counts_raw_text_where_it_stands() {
    for outer in 1..5_u32 {
        for inner in 0..5_u32 {
            let text = format!(
                "{}1{}",
                "[".repeat(inner as usize),
                "]".repeat(inner as usize)
            );
            let raw = RawValue::from_string(text.clone()).unwrap();
            let mut document = format!("\"k\":{text}");
            for _ in 1..outer {
                document = format!("\"k\":{{{document}}}");
            }
            let mut nest = Nest::Raw { k: raw };
            for _ in 1..outer {
                nest = Nest::More { k: Box::new(nest) };
            }
            for limit in 1..10 {
                let codec = Codec::new().limits(Limits::default().depth(limit));
                let encoded = codec.encode(&nest, io::sink());
                assert_eq!(
                    encoded.is_ok(),
                    outer + inner <= limit,
                    "{outer}+{inner} to {limit}"
                );
                let decoded = codec.decode::<Value>(format!("{{{document}}}").into_bytes());
                assert_eq!(encoded.is_ok(), decoded.is_ok());
            }
        }
    }
}

#[test]
fn elements_over_the_limit_are_refused_plain_or_raw() {
    let codec = Codec::new().limits(Limits::default().element_bytes(10));
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    for (text, fits) in [
        (r#"["12345678"]"#, true),
        (r#"["123456789"]"#, false),
        (r#"[1, "123456789"]"#, false),
        (r"[[1,2,3,4]]", true),
        (r"[[1,2,3,4,5]]", false),
        (r#"{"a":["1234567890123"]}"#, true),
        (r#""12345678901234567890""#, true),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        let plain = codec.encode(&json!({"m": value}), io::sink());
        let map: BTreeMap<_, _> = [("m", raw(text))].into();
        let raw = codec.encode(&map, io::sink());
        assert_eq!((plain.is_ok(), raw.is_ok()), (fits, fits), "{text}");
        if let (Err(plain), Err(raw)) = (plain, raw) {
            assert!(plain.is_limit() && raw.is_limit());
        }
    }
}

#[test]
fn a_failing_writer_is_an_io_error() {
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            let room = buf.len().min(self.0);
            self.0 -= room;
            if room == 0 {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                Ok(room)
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let value = json!({"text": "x".repeat(300_000)});
    for room in [0, 1, 70_000, 299_999] {
        match Codec::new().encode(&value, Full(room)) {
            Err(Error::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
            other => panic!("{other:?} with room for {room}"),
        }
    }
    assert!(Codec::new().encode(&value, Full(400_000)).is_ok());
}

#[test]
fn what_is_encoded_is_decoded_equal() {
    let mut documents_seen = 0;
    for document in documents(11, 2000) {
        let Ok(value) = serde_json::from_slice::<Value>(&document) else {
            continue;
        };
        let wrapped = json!({"a": value, "b": [value]});
        // Two levels more may be too deep.
        let Ok(text) = encode(&wrapped) else { continue };
        assert_eq!(text, serde_json::to_vec(&wrapped).unwrap());
        // Not compared with `wrapped`: serde_json itself rounds some floats when
        // it reads what it wrote.
        let expected = serde_json::from_slice::<Value>(&text).unwrap();
        assert_eq!(Codec::new().decode::<Value>(text).unwrap(), expected);
        documents_seen += 1;
    }
    assert!(documents_seen > 500);
}

proptest! {
    #[test]
    fn any_text_is_written_as_serde_json_does(key in ".*", text in ".*", number: f64) {
        prop_assume!(key != "session_footer");
        let value = json!({key: [text, number]});
        prop_assert_eq!(encode(&value).unwrap(), serde_json::to_vec(&value).unwrap());
    }
}

/// Strings take a way of their own, in pieces if they are long; numbers and raw
/// texts are strings to `serde_json` and do not.
#[test]
fn strings_of_every_length_are_written_as_serde_json_writes_them() {
    for length in [0, 1, 15, 16, 4095, 4096, 4097, 8192, 20_000] {
        for unit in ["x", "\"", "\u{1}", "ü\n", "漢字\\"] {
            let text = unit.repeat(length / unit.len() + 1);
            let raw = RawValue::from_string(serde_json::to_string(&text).unwrap()).unwrap();
            let number = RawValue::from_string("12345678901234567890123".to_owned()).unwrap();
            let value = (&text, &raw, Some(&text), 'c', &number, text.len());
            let value = BTreeMap::from([(text.as_str(), (&value, text.as_str()))]);
            assert_eq!(encode(&value).unwrap(), serde_json::to_vec(&value).unwrap());
        }
    }
}
