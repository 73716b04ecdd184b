//! The header is what a full decode would say, at the cost of a few reads.

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Codec, HeaderSpec, Limits, Look,
    testing::{documents, sessions},
};

use crate::support::{Counting, Dribble};

const WANTED: [&str; 4] = ["id", "metadata", "agent", "updated_at"];

fn spec() -> HeaderSpec {
    HeaderSpec::new(
        &WANTED,
        &["id", "metadata"],
        &["messages", "tool_uses", "pages"],
    )
}

/// Checks that all found is right and all needed is found.
fn check(document: &[u8], spec: &HeaderSpec) -> Look {
    let whole: Value = serde_json::from_slice(document).unwrap();
    let header = Codec::new().header(document, spec).unwrap();
    let found: Value = serde_json::from_slice(&header.json).unwrap();
    for (name, value) in found.as_object().unwrap() {
        assert!(spec.wanted().contains(name), "{name} was not asked for");
        assert_eq!(Some(value), whole.get(name), "{}", document.escape_ascii());
    }
    for name in spec.needed() {
        assert_eq!(
            found.get(name),
            whole.get(name),
            "{name}: {}",
            document.escape_ascii()
        );
    }
    header.look
}

/// A session of about `bytes`, its messages of many shapes.
fn session(bytes: usize, compact: bool) -> Vec<u8> {
    let text = "quotes \" and \\ and \\\" and {[\"id\": \"wrong\"]} ".repeat(20);
    let count = bytes / 1300 + 1;
    let messages = json!(vec![
        json!({"role": "tool", "content": [text, 1, {"id": "wrong"}]});
        count
    ]);
    let metadata = json!({"directory": "/home/\"x\"/é", "shared": false});
    let head = [
        ("id", json!("a")),
        ("title", json!(null)),
        ("updated_at", json!("t")),
    ];
    let older = [
        ("messages", messages.clone()),
        ("tool_uses", json!([])),
        ("usage", json!({"n": 1})),
        ("agent", json!("build")),
        ("metadata", metadata.clone()),
    ];
    let newer = [
        ("metadata", metadata),
        ("agent", json!("build")),
        ("messages", messages),
        ("tool_uses", json!([])),
        ("usage", json!({"n": 1})),
    ];
    let members: Vec<_> = head
        .into_iter()
        .chain(if compact { newer } else { older })
        .collect();
    let space = if compact { "" } else { "\n  " };
    let parts: Vec<_> = members
        .iter()
        .map(|(k, v)| format!("{space}\"{k}\":{space}{v}"))
        .collect();
    format!("{{{}{space}}}", parts.join(",")).into_bytes()
}

#[test]
fn both_layouts_cost_a_few_small_reads() {
    for bytes in [500, 20_000, 3_000_000] {
        let source = Counting::new(session(bytes, true));
        let header = Codec::new().header(&source, &spec()).unwrap();
        assert_eq!(header.look, Look::Head);
        assert_eq!((source.calls(), source.bytes()), (1, header.bytes_read));
        assert!(header.bytes_read <= 16 << 10);
        check(&source.inner, &spec());

        let source = Counting::new(session(bytes, false));
        let header = Codec::new().header(&source, &spec()).unwrap();
        assert!(source.calls() <= 2, "{} calls", source.calls());
        assert_eq!(source.bytes(), header.bytes_read);
        assert!(header.bytes_read <= 32 << 10, "{}", header.bytes_read);
        let found: Value = serde_json::from_slice(&header.json).unwrap();
        assert_eq!(found.as_object().unwrap().len(), 4, "{found}");
        check(&source.inner, &spec());
    }
}

#[test]
fn a_needed_member_far_from_both_ends_is_found_by_the_whole_walk() {
    let big = "b".repeat(200_000);
    let document = json!({"a": big, "id": "x", "messages": [1], "z": big, "tool_uses": []});
    let mut text = serde_json::to_vec(&document).unwrap();
    assert_eq!(
        check(&text, &HeaderSpec::new(&["id"], &["id"], &["messages"])),
        Look::Whole
    );
    assert_ne!(
        check(&text, &HeaderSpec::new(&["id"], &[], &["messages"])),
        Look::Whole
    );
    // Not there at all: the whole walk must say so, and only for the needed.
    assert_eq!(
        check(&text, &HeaderSpec::new(&[], &["none"], &[])),
        Look::Whole
    );
    text.push(b'x');
    let error = Codec::new()
        .header(&text, &HeaderSpec::new(&[], &["none"], &[]))
        .unwrap_err();
    assert!(error.is_syntax());
    assert_eq!(error.offset(), Some(text.len() as u64 - 1));
}

#[test]
fn backslashes_before_quotes_are_read_backwards_exactly() {
    for slashes in 0..70 {
        for offset in 0..5 {
            let text = format!("{}{}", "\\".repeat(slashes), "\"".repeat(offset));
            let fill = "é\\".repeat(4096 - slashes);
            let document = json!({"messages": [fill, text], "k\"\\": text, "metadata": text, "agent": {"\\": "]}\""}});
            let text = serde_json::to_vec(&document).unwrap();
            assert_eq!(
                check(
                    &text,
                    &HeaderSpec::new(&["metadata", "agent"], &["metadata"], &["messages"])
                ),
                Look::Tail
            );
        }
    }
}

#[test]
fn a_long_member_at_the_end_is_looked_through() {
    for bytes in [3000, 5000, 15_000, 60_000, 70_000, 200_000] {
        let long = "l".repeat(bytes);
        for last in ["metadata", "zzz"] {
            let mut document = json!({"id": "a", "messages": ["m".repeat(150_000)], "metadata": 5});
            document[last] = json!({"text": long, "more": [long.get(..10)]});
            let text = serde_json::to_vec(&document).unwrap();
            let look = check(&text, &spec());
            assert_eq!(look == Look::Whole, bytes > 65_000, "{bytes}");
        }
    }
}

#[test]
fn the_reserved_member_is_never_part_of_a_header() {
    let document = br#"{"id":"a","session_footer":{"id":"b"},"metadata":{}}"#;
    let spec = HeaderSpec::new(&["id", "session_footer"], &["session_footer"], &[]);
    let header = Codec::new().header(document, &spec).unwrap();
    assert_eq!(header.json, br#"{"id":"a"}"#);
}

#[test]
fn broken_documents_give_errors_or_members_but_never_panics() {
    for document in documents(7, 4000) {
        if let Ok(header) = Codec::new().header(&document, &spec()) {
            serde_json::from_slice::<serde::de::IgnoredAny>(&header.json).unwrap();
        }
    }
    for document in [
        &b""[..],
        b"\0\0\0",
        b"[]",
        b"5",
        b"{\"id\"",
        b"\xef\xbb\xbf{}",
        b"{}{}",
    ] {
        assert!(
            Codec::new().header(document, &spec()).is_err(),
            "{}",
            document.escape_ascii()
        );
    }
    let nul = [session(100_000, false), vec![0; 5000]].concat();
    assert!(Codec::new().header(&nul, &spec()).unwrap_err().is_syntax());
    let cut = &session(100_000, false)[..60_000];
    assert!(Codec::new().header(cut, &spec()).unwrap_err().is_syntax());
    let glued = [session(100_000, false), session(200_000, false)].concat();
    assert!(Codec::new().header(&glued, &spec()).is_err() || !glued.is_empty());
}

#[test]
fn limits_hold_in_the_looks() {
    let deep = format!("{{\"a\":{}1{},\"id\":1}}", "[".repeat(200), "]".repeat(200));
    assert!(
        Codec::new()
            .header(deep.as_bytes(), &spec())
            .unwrap_err()
            .is_limit()
    );
    let codec = Codec::new().limits(Limits::default().kept_bytes(100));
    let long = json!({"m": [], "a": "x".repeat(100_000), "id": "y".repeat(90_000)}).to_string();
    let spec = HeaderSpec::new(&[], &["id", "none"], &["m"]);
    assert!(codec.header(long.as_bytes(), &spec).unwrap_err().is_limit());
}

#[test]
fn a_mutant_that_takes_any_quote_for_an_opening_one_is_caught() {
    // Read backwards without counting backslashes, the value ends too early.
    let text = br#""a\"b""#;
    let mutant = text[..text.len() - 1].iter().rposition(|b| *b == b'"');
    assert_eq!(mutant, Some(3));
    let document = br#"{"messages":[],"metadata":"a\"b"}"#;
    check(document, &spec());
    check(
        document,
        &HeaderSpec::new(&["metadata"], &[], &["messages"]),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_session_has_the_header_of_its_full_decode(seed: u64, few in 1_usize..400) {
        for document in sessions(seed, 4) {
            check(&document, &spec());
            // Without arrays to stop at, and all of it needed.
            check(&document, &HeaderSpec::new(&[], &["id", "usage", "tool_uses", "x-y"], &[]));
            let dribbled = Codec::new().header(&Dribble::new(&document, few), &spec());
            prop_assert_eq!(dribbled.unwrap().json, Codec::new().header(&document, &spec()).unwrap().json);
        }
    }
}
