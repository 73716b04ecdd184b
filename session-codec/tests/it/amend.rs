//! An amendment does what editing the decoded value does, and leaves all other
//! bytes alone.

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Amendment, Codec, Error, Limits, Refusal, Revision,
    testing::{documents, sessions},
};

fn amend(document: &[u8], amendment: &Amendment) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let encoded = Codec::new()
        .read_size(13)
        .amend(document, amendment, &mut out)?;
    assert_eq!(encoded.bytes, out.len() as u64);
    assert_eq!(encoded.revision, Revision::of(&out));
    Ok(out)
}

/// The same edit on a decoded value; `None` where an array is something else.
fn oracle(document: &[u8], elements: &[(&str, Value)], members: &[(&str, Value)]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(document).unwrap();
    let object = value.as_object_mut()?;
    object.remove("session_footer");
    for (name, element) in elements {
        let array = object.entry(*name).or_insert(json!(null));
        if array.is_null() {
            *array = json!([]);
        }
        array.as_array_mut()?.push(element.clone());
    }
    for (name, member) in members {
        object.insert((*name).to_owned(), member.clone());
    }
    Some(value)
}

fn check(document: &[u8], elements: &[(&str, Value)], members: &[(&str, Value)]) {
    let mut amendment = Amendment::new();
    for (name, element) in elements {
        amendment = amendment.element(name, element.to_string());
    }
    for (name, member) in members {
        amendment = amendment.member(name, member.to_string());
    }
    let amended = amend(document, &amendment);
    match oracle(document, elements, members) {
        Some(expected) => {
            let amended = amended.unwrap();
            let value: Value = serde_json::from_slice(&amended)
                .unwrap_or_else(|error| panic!("{error}: {}", amended.escape_ascii()));
            assert_eq!(value, expected, "{}", document.escape_ascii());
        }
        None => assert!(
            amended.unwrap_err().is_data(),
            "{}",
            document.escape_ascii()
        ),
    }
}

fn check_all(document: &[u8]) {
    let element = json!({"role": "user", "content": ["\"new\""]});
    let many = [
        ("messages", element.clone()),
        ("tool_uses", json!(1)),
        ("messages", json!([])),
    ];
    let set = [
        ("updated_at", json!("now")),
        ("agent", json!(null)),
        ("new", json!({"a": 1})),
    ];
    check(document, &[], &[]);
    check(document, &many, &[]);
    check(document, &[], &set);
    check(document, &many, &set);
    check(
        document,
        &[("brand_new", json!(1))],
        &[("messages", json!("gone"))],
    );
}

#[test]
fn amendments_equal_edits_of_the_decoded_value() {
    for document in sessions(12, 400) {
        check_all(&document);
        let value: Value = serde_json::from_slice(&document).unwrap();
        check_all(&serde_json::to_vec_pretty(&value).unwrap());
    }
    for document in [
        "{}",
        " { } ",
        r#"{"messages":[]}"#,
        r#"{"messages":[ ],"tool_uses":null}"#,
    ] {
        check_all(document.as_bytes());
    }
}

#[test]
fn the_reserved_member_is_left_out_with_its_comma() {
    let footer = r#""session_footer": [1]"#;
    for pattern in 0..16_u32 {
        let members: Vec<_> = (0..4)
            .map(|i| {
                if pattern >> i & 1 == 1 {
                    footer.to_owned()
                } else {
                    format!("\"m{i}\": {i}")
                }
            })
            .collect();
        for count in 1..=4 {
            check_all(format!("{{ {} }}", members[..count].join(" , ")).as_bytes());
        }
    }
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let document =
        "{ \"a\\u0062\" : 1.0e0 ,\r\n\"messages\":\t[ \"\\/\" ] , \"\u{e9}\": 1e999 } \n";
    let amended = amend(document.as_bytes(), &Amendment::new()).unwrap();
    assert_eq!(
        amended,
        document.as_bytes(),
        "nothing to change changes nothing"
    );
    let amended = amend(
        document.as_bytes(),
        &Amendment::new().element("messages", " 2"),
    )
    .unwrap();
    assert_eq!(
        amended,
        document.replace("\"\\/\" ]", "\"\\/\" , 2]").as_bytes()
    );
}

#[test]
fn what_cannot_be_amended_is_refused_before_a_byte_is_written() {
    struct NoWrite;
    impl std::io::Write for NoWrite {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            panic!("written")
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let document = br#"{"messages":[1],"a":1,"b":2,"b":3}"#;
    let codec = Codec::new().limits(Limits::default().depth(3).element_bytes(20).members(5));
    let amend = |document: &[u8], amendment: Amendment| {
        codec.amend(document, &amendment, NoWrite).unwrap_err()
    };
    let refused = |amendment| match amend(document, amendment) {
        Error::Refused { reason, .. } => reason,
        other => panic!("{other}"),
    };
    let new = Amendment::new;
    assert_eq!(refused(new().element("messages", "1,2")), Refusal::RawText);
    assert_eq!(refused(new().member("x", "")), Refusal::RawText);
    assert_eq!(
        refused(new().member("session_footer", "1")),
        Refusal::ReservedMember
    );
    assert_eq!(
        refused(new().element("session_footer", "1")),
        Refusal::ReservedMember
    );
    assert_eq!(
        refused(new().element("x", "1").member("x", "[]")),
        Refusal::AmendedTwice
    );
    assert!(
        amend(document, new().element("a", "1")).is_data(),
        "a number has no elements"
    );
    assert!(
        amend(document, new().member("b", "1")).is_data(),
        "which of the two"
    );
    assert!(
        amend(document, new().element("messages", "[[1]]")).is_limit(),
        "too deep"
    );
    assert!(
        amend(document, new().member("x", "[[[1]]]")).is_limit(),
        "too deep"
    );
    assert!(
        amend(
            document,
            new().element("messages", format!("\"{}\"", "x".repeat(30)))
        )
        .is_limit()
    );
    assert!(
        amend(document, new().member("c", "1").member("d", "1")).is_limit(),
        "too many"
    );
    assert!(amend(b"[1]", new()).is_data());
    assert!(amend(b"{\"a\":1", new()).is_syntax());
    assert!(amend(b"", new()).is_syntax());
}

#[test]
fn a_mutant_that_adds_a_comma_to_an_empty_array_is_caught() {
    let document = br#"{"messages":[ ]}"#;
    let mutant = br#"{"messages":[ ,1]}"#;
    assert!(serde_json::from_slice::<Value>(mutant).is_err());
    check(document, &[("messages", json!(1))], &[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn broken_documents_are_refused_and_others_amended(seed: u64) {
        let amendment = Amendment::new().element("messages", "1").member("agent", "2");
        for document in documents(seed, 5) {
            let valid = Codec::new().validate(&document).is_ok();
            if let Ok(amended) = amend(&document, &amendment) {
                prop_assert!(valid);
                prop_assert!(Codec::new().validate(&amended).is_ok());
            }
        }
    }
}
