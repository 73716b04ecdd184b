//! Unknown members as a collection.

use session_model::{Extra, Message, RawJson};

fn raw(json: &str) -> RawJson {
    RawJson::from_text(json.to_owned()).expect(json)
}

fn shown(extra: &Extra) -> Vec<(&str, &str)> {
    extra
        .iter()
        .map(|(name, value)| (name, value.get()))
        .collect()
}

#[test]
fn an_empty_one_costs_one_pointer() {
    assert_eq!(size_of::<Extra>(), size_of::<usize>());
}

#[test]
fn it_behaves_like_a_map_that_keeps_order() {
    let mut extra = Extra::new();
    assert!(extra.is_empty());
    assert_eq!(extra.remove("a"), None);
    assert_eq!(extra.insert("b", raw("1")), None);
    assert_eq!(extra.insert("a", raw("2")), None);
    assert_eq!(extra.insert("b", raw("3")), Some(raw("1")));
    assert_eq!(shown(&extra), [("b", "3"), ("a", "2")]);
    assert_eq!(extra.get("a"), Some(&raw("2")));
    assert_eq!(extra.remove("b"), Some(raw("3")));
    assert_eq!(extra.len(), 1);
    extra.remove("a");
    assert_eq!(extra, Extra::new());
}

#[test]
fn a_member_that_stood_twice_is_kept_twice_and_the_last_counts() {
    let json = r#"{"role":"user","content":[],"x":1,"y":2,"x":3,"z":4,"x":5}"#;
    let mut message: Message = serde_json::from_str(json).expect("a message");
    assert_eq!(serde_json::to_string(&message).expect("JSON"), json);
    assert_eq!(message.extra.get("x"), Some(&raw("5")));

    let mut copy = message.clone();
    assert_eq!(copy.extra.remove("x"), Some(raw("5")));
    assert_eq!(shown(&copy.extra), [("y", "2"), ("z", "4")]);

    assert_eq!(message.extra.insert("x", raw("6")), Some(raw("5")));
    assert_eq!(shown(&message.extra), [("y", "2"), ("z", "4"), ("x", "6")]);
}

#[test]
fn a_member_that_hides_a_known_one_is_refused_instead_of_doubled() {
    let mut message = Message::user("hello");
    message.extra.insert("role", raw("\"x\""));
    let error = serde_json::to_string(&message).expect_err("a doubled key");
    assert!(error.to_string().contains("`role`"), "{error}");

    let mut part = session_model::ContentPart::text("a");
    if let session_model::ContentPart::Text { extra, .. } = &mut part {
        extra.insert("type", raw("1"));
    }
    assert!(serde_json::to_string(&part).is_err());
}

#[test]
fn comparison_ignores_how_members_were_spelled() {
    let bare: Message = serde_json::from_str(r#"{"role":"user"}"#).expect("a message");
    let full: Message = serde_json::from_str(r#"{"role":"user","content":[]}"#).expect("a message");
    assert_eq!(bare, full);
    assert_ne!(
        serde_json::to_string(&bare).expect("JSON"),
        serde_json::to_string(&full).expect("JSON")
    );
}

/// A record of one's own, lossless by [`Extra`].
#[derive(Debug, Default)]
struct Mine {
    id: String,
    extra: Extra,
}

impl<'de> serde::Deserialize<'de> for Mine {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Mine;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Mine, A::Error> {
                let mut mine = Mine::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "id" => mine.id = map.next_value()?,
                        _ => mine.extra.capture(name, &mut map)?,
                    }
                }
                Ok(mine)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl serde::Serialize for Mine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        self.extra.write(&["id"], &mut map)?;
        map.end()
    }
}

#[test]
fn a_record_of_ones_own_is_lossless_with_it() {
    crate::exact::lossless::<Mine>(r#"{"a":[18446744073709551617],"id":"x","b":{"c":1e400}}"#);
}
