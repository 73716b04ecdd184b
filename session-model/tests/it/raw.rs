//! JSON kept as text.

use session_model::RawJson;

fn raw(json: &str) -> RawJson {
    RawJson::from_text(json.to_owned()).expect(json)
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn text_is_kept_but_for_white_space_between_tokens() {
    for (json, expected) in [
        (" 1.50e+2 ", "1.50e+2"),
        ("-0", "-0"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("1e400", "1e400"),
        ("\"\\ud800\"", "\"\\ud800\""),
        (
            "{ \"a\" :\n[ 1 , \"x  y\\\" z\" ] }",
            "{\"a\":[1,\"x  y\\\" z\"]}",
        ),
        ("null", "null"),
    ] {
        assert_eq!(raw(json).get(), expected);
        let read: RawJson = serde_json::from_str(json).expect(json);
        assert_eq!(read.get(), expected);
        let read: RawJson = serde_json::from_reader(json.as_bytes()).expect(json);
        assert_eq!(read.get(), expected);
        assert_eq!(serde_json::to_string(&read).expect(json), expected);
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "01",
        "nul",
        "1 2",
        "\u{feff}1",
        "'a'",
        "{\"a\" 1}",
    ] {
        assert!(RawJson::from_text(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn depth_is_limited_to_what_serde_json_reads() {
    assert_eq!(raw(&nested(127)).get(), nested(127));
    assert!(serde_json::from_str::<serde_json::Value>(&nested(127)).is_ok());
    for depth in [128, 100_000] {
        let error = RawJson::from_text(nested(depth)).expect_err("too deep");
        assert!(error.to_string().contains("depth"), "{error}");
        assert!(serde_json::from_str::<RawJson>(&nested(depth)).is_err());
    }
}

#[test]
fn values_come_in_and_out() {
    let raw = RawJson::from_value(&vec![Some(1), None]).expect("an array");
    assert_eq!(raw.get(), "[1,null]");
    assert_eq!(
        raw.parse::<Vec<Option<u8>>>().expect("an array"),
        [Some(1), None]
    );
    assert!(raw.parse::<String>().is_err());
}

/// serde's buffer for untagged enums stands for every deserialiser that is not of `serde_json`.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum Buffered {
    Raw(RawJson),
}

#[test]
fn other_deserialisers_give_equal_values() {
    for json in [
        "null",
        "true",
        "[]",
        "{}",
        "[1,-2,18446744073709551615,1.5,\"a\\\"\\u0001\",null,{\"k\":[{}]}]",
        "{\"a\":{\"b\":[[],[1]]},\"c\":\"\u{4e2d}\"}",
    ] {
        let Buffered::Raw(read) = serde_json::from_str(json).expect(json);
        assert_eq!(read.get(), json);
        let value: serde_json::Value = serde_json::from_str(json).expect(json);
        assert_eq!(
            serde_json::from_value::<RawJson>(value.clone())
                .expect(json)
                .get(),
            json
        );
        assert_eq!(serde_json::to_value(&read).expect(json), value);
    }
}

#[test]
fn other_deserialisers_are_limited_in_depth_too() {
    // One level less than serde_json's own limit can still be buffered by serde.
    let Buffered::Raw(read) = serde_json::from_str(&nested(127)).expect("deep");
    assert_eq!(read.get(), nested(127));

    let deep = Nest(128);
    let error = <RawJson as serde::Deserialize>::deserialize(deep).expect_err("too deep");
    assert!(error.to_string().contains("depth"), "{error}");
}

/// Gives so many arrays, one in the other.
struct Nest(usize);

impl<'de> serde::Deserializer<'de> for Nest {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let inside = (self.0 > 0).then(|| Nest(self.0 - 1));
        visitor.visit_seq(serde::de::value::SeqDeserializer::new(inside.into_iter()))
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl serde::de::IntoDeserializer<'_> for Nest {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
