//! A full decode is `serde_json`'s, without the reserved member.

use serde_json::{Value, json};
use session_codec::{
    Codec, Limits,
    testing::{documents, sessions},
};

#[test]
fn every_document_gets_the_verdict_and_value_of_serde_json() {
    for document in documents(9, 4000) {
        let expected = serde_json::from_slice::<Value>(&document)
            .ok()
            .map(without_reserved);
        let decoded = Codec::new().decode::<Value>(document.clone()).ok();
        let hidden = document
            .windows(14)
            .any(|window| window == b"session_footer");
        if hidden && expected.is_none() {
            // What is hidden is judged as skipped, so it may hold bad text.
            continue;
        }
        assert_eq!(decoded, expected, "{}", document.escape_ascii());
    }
    for document in sessions(10, 300) {
        let expected = without_reserved(serde_json::from_slice(&document).unwrap());
        assert_eq!(Codec::new().decode::<Value>(document).unwrap(), expected);
    }
}

fn without_reserved(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.remove("session_footer");
    }
    value
}

#[test]
fn the_reserved_member_is_hidden_wherever_and_however_often_it_stands() {
    let footer = r#""session_foote\u0072" : {"a": [1, "}"]}"#;
    // Every order of hidden and other members up to four.
    for pattern in 0..1_u32 << 8 {
        let (count, bits) = (pattern >> 4 & 3, pattern & 15);
        let mut members = Vec::new();
        let mut expected = json!({});
        for index in 0..=count {
            if bits >> index & 1 == 1 {
                members.push(footer.to_owned());
            } else {
                members.push(format!("\"m{index}\": {index}"));
                expected[format!("m{index}")] = json!(index);
            }
        }
        let document = format!(" {{ {} }} ", members.join(" , "));
        let decoded = Codec::new().decode::<Value>(document.clone().into_bytes());
        assert_eq!(decoded.unwrap(), expected, "{document}");
    }
    let nested = br#"{"a":{"session_footer":1}}"#.to_vec();
    let decoded = Codec::new().decode::<Value>(nested).unwrap();
    assert_eq!(
        decoded["a"]["session_footer"], 1,
        "only the document's own is reserved"
    );
}

#[test]
fn ignored_and_raw_parts_keep_to_the_depth_limit() {
    #[derive(Debug, serde::Deserialize)]
    struct Shallow {
        #[serde(rename = "id")]
        _id: String,
    }
    let deep = format!(r#"{{"id":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(
        serde_json::from_str::<Shallow>(&deep).is_ok(),
        "serde_json skips any depth"
    );
    let error = Codec::new()
        .decode::<Shallow>(deep.into_bytes())
        .unwrap_err();
    assert!(error.is_limit());
    assert_eq!(error.offset(), Some(14 + 126));
}

#[test]
fn limits_are_those_of_encoding() {
    let value = json!({"id": "a", "messages": ["x".repeat(50)], "n": {"a": {"b": 1}}});
    let text = serde_json::to_vec(&value).unwrap();
    for limits in [
        Limits::default(),
        Limits::default().element_bytes(52),
        Limits::default().element_bytes(51),
        Limits::default().depth(3),
        Limits::default().depth(2),
        Limits::default().members(3),
        Limits::default().members(2),
    ] {
        let codec = Codec::new().limits(limits);
        let encoded = codec.encode(&value, std::io::sink());
        let decoded = codec.decode::<Value>(text.clone());
        assert_eq!(encoded.is_ok(), decoded.is_ok(), "{limits:?}");
        if let (Err(encoded), Err(decoded)) = (encoded, decoded) {
            assert!(encoded.is_limit() && decoded.is_limit());
            assert_eq!(encoded.to_string(), decoded.to_string());
        }
    }
}
