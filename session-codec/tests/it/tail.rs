//! A tail equals "decode everything, keep the last n", however it is read.

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Codec, Error, Limits, Revision, TailCap, TailDecoded,
    testing::{documents, sessions},
};

use crate::support::{Counting, Dribble, oracle};

const ARRAYS: [&str; 2] = ["messages", "tool_uses"];

fn both(codec: &Codec, json: &[u8], cap: &TailCap) -> [Result<TailDecoded<Value>, Error>; 2] {
    [codec.tail(json, cap), codec.tail_from_read(json, cap)]
}

fn check(codec: &Codec, document: &[u8], cap: &TailCap) {
    let (expected, dropped) = oracle(document, cap).unwrap();
    for tail in both(codec, document, cap) {
        let tail = tail.unwrap_or_else(|error| panic!("{error}: {}", document.escape_ascii()));
        assert_eq!(tail.value, expected, "{}", document.escape_ascii());
        assert_eq!(tail.bytes, document.len() as u64);
        assert_eq!(tail.revision, Revision::of(document));
        let names: Vec<_> = cap.arrays().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(
            tail.dropped,
            names
                .iter()
                .cloned()
                .zip(dropped.clone())
                .collect::<Vec<_>>()
        );
        for ((name, total), (_, gone)) in tail.counts.iter().zip(&tail.dropped) {
            let kept = expected[name.as_str()].as_array().map_or(0, Vec::len) as u64;
            assert_eq!(*total, kept + gone, "{name}");
        }
    }
}

#[test]
fn every_window_of_generated_sessions_equals_the_oracle() {
    for document in sessions(3, 150) {
        for keep in 0..=13 {
            check(&Codec::new(), &document, &TailCap::all(&ARRAYS, keep));
        }
        check(&Codec::new(), &document, &TailCap::all(&ARRAYS, usize::MAX));
        check(&Codec::new(), &document, &TailCap::new());
        check(
            &Codec::new(),
            &document,
            &TailCap::new().cap("messages", 2).cap("tool_uses", 0),
        );
    }
}

#[test]
fn every_read_size_gives_the_same_tail() {
    for document in sessions(4, 12) {
        for size in 1..=document.len().min(300) {
            let codec = Codec::new().read_size(size);
            check(&codec, &document, &TailCap::all(&ARRAYS, 3));
            let tail = codec.tail_from_read::<Value, _>(
                Dribble::new(&document, size),
                &TailCap::all(&ARRAYS, 3),
            );
            assert_eq!(
                tail.unwrap().value,
                oracle(&document, &TailCap::all(&ARRAYS, 3)).unwrap().0
            );
        }
    }
}

#[test]
fn indented_documents_give_the_same_tail() {
    for document in sessions(5, 60) {
        let value: Value = serde_json::from_slice(&document).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        for keep in [0, 1, 4, 100] {
            check(
                &Codec::new().read_size(17),
                &pretty,
                &TailCap::all(&ARRAYS, keep),
            );
        }
    }
}

#[test]
fn kept_values_are_judged_by_their_type_and_dropped_ones_by_structure() {
    // What a skipped value passes and `Value` refuses.
    let looser: [&[u8]; 5] = [
        b"\"\xff\"",
        b"\"\\ud800\"",
        b"\"\\udc00\\ud800\"",
        b"1e999",
        b"-1e999",
    ];
    for odd in looser {
        let dropped = [b"{\"messages\":[", odd, b",1]}"].concat();
        let kept = [b"{\"messages\":[1,", odd, b"]}"].concat();
        let cap = TailCap::new().cap("messages", 1);
        for tail in both(&Codec::new(), &dropped, &cap) {
            assert_eq!(tail.unwrap().value, json!({"messages": [1]}));
        }
        for tail in both(&Codec::new(), &kept, &cap) {
            let error = tail.unwrap_err();
            assert!(error.is_syntax(), "{error}");
            let at = usize::try_from(error.offset().unwrap()).unwrap();
            assert!(
                (15..kept.len()).contains(&at),
                "{error}: {}",
                kept.escape_ascii()
            );
        }
    }
    // Every generated element is judged in full where it is kept, and where it
    // is dropped only if that is asked for.
    for element in documents(6, 1500) {
        let document = [b"{\"messages\":[", element.as_slice(), b",1]}"].concat();
        let value = serde_json::from_slice::<Value>(&document);
        let cap = TailCap::new().cap("messages", 1);
        for tail in both(&Codec::new().strict(true), &document, &cap) {
            assert_eq!(tail.is_ok(), value.is_ok(), "{}", document.escape_ascii());
        }
        let cap = TailCap::new().cap("messages", 2);
        for tail in both(&Codec::new(), &document, &cap) {
            // The reserved name is hidden only at the top.
            assert_eq!(
                tail.ok().map(|tail| tail.value),
                value.as_ref().ok().cloned()
            );
        }
    }
}

#[test]
fn a_root_or_a_capped_member_of_another_kind_is_left_to_the_type() {
    for document in [
        "[1,2]",
        "null",
        " 5 ",
        "\"x\"",
        "{}",
        r#"{"messages":null}"#,
        r#"{"messages":{"a":[1,2,3]}}"#,
    ] {
        check(
            &Codec::new(),
            document.as_bytes(),
            &TailCap::all(&ARRAYS, 1),
        );
        check(
            &Codec::new().read_size(1),
            document.as_bytes(),
            &TailCap::all(&ARRAYS, 1),
        );
    }
}

#[test]
fn members_of_one_name_are_all_shown_to_the_type() {
    #[derive(Debug, serde::Deserialize)]
    struct Strict {
        #[serde(rename = "messages")]
        _messages: Vec<u32>,
    }
    let document = br#"{"messages":[1,2,3],"m\u0065ssages":[4,5]}"#;
    let cap = TailCap::new().cap("messages", 1);
    check(&Codec::new(), document, &cap);
    let error = Codec::new().tail::<Strict, _>(document, &cap).unwrap_err();
    assert!(error.is_data());
    assert!(
        error.to_string().ends_with("duplicate field `messages`"),
        "{error}"
    );
}

#[test]
fn offsets_are_those_of_the_original() {
    #[derive(Debug, serde::Deserialize)]
    struct Numbers {
        #[serde(rename = "messages")]
        _messages: Vec<u32>,
    }
    let document = br#"{"x": "long text before", "messages": [1, 2, 3, "four", 5], "y": 1}"#;
    let expected = document.windows(4).position(|w| w == b"four").unwrap() as u64;
    for codec in [Codec::new(), Codec::new().read_size(3)] {
        let cap = TailCap::new().cap("messages", 2);
        let errors = [
            codec.tail::<Numbers, _>(document, &cap).unwrap_err(),
            codec
                .tail_from_read::<Numbers, _>(&document[..], &cap)
                .unwrap_err(),
        ];
        for error in errors {
            // serde_json points at the end of the value.
            let at = error.offset().unwrap();
            assert!((expected..=expected + 5).contains(&at), "{error}");
        }
    }
    let pruned = Codec::new()
        .prune(document, &TailCap::new().cap("messages", 2))
        .unwrap();
    let at = pruned.json.windows(4).position(|w| w == b"four").unwrap();
    assert_eq!(pruned.original_offset(at), expected);
}

#[test]
fn only_the_kept_bytes_are_read_twice() {
    let body = "x".repeat(1000);
    let messages: Vec<_> = (0..3000).map(|n| json!({"n": n, "text": body})).collect();
    let document = serde_json::to_vec(&json!({"messages": messages, "zzz": 1})).unwrap();
    let source = Counting::new(document.as_slice());
    let tail = Codec::new()
        .read_size(64 << 10)
        .tail::<Value, _>(&source, &TailCap::new().cap("messages", 100))
        .unwrap();
    assert_eq!(tail.dropped, [("messages".to_owned(), 2900)]);
    let kept = 100 * 1100;
    assert!(
        // The look for a footer takes one read of 16 KiB more.
        source.bytes() <= document.len() as u64 + kept + (16 << 10),
        "{}",
        source.bytes()
    );
    assert!(
        source.calls() <= document.len() as u64 / (64 << 10) + 6,
        "{}",
        source.calls()
    );
    let small = Counting::new(&b"{\"messages\":[1,2,3]}"[..]);
    Codec::new()
        .tail::<Value, _>(&small, &TailCap::new().cap("messages", 1))
        .unwrap();
    assert_eq!(small.bytes(), 20, "a small document is read once");
}

#[test]
fn a_stream_holds_no_more_than_its_window() {
    // 40 MB go by; more than 64 KiB held at any time would be refused.
    let element = format!("\"{}\"", "y".repeat(500));
    let mut document = b"{\"messages\":[0".to_vec();
    for _ in 0..80_000 {
        document.push(b',');
        document.extend_from_slice(element.as_bytes());
    }
    document.extend_from_slice(b"],\"id\":\"a\"}");
    let codec = Codec::new()
        .read_size(4096)
        .limits(Limits::default().kept_bytes(64 << 10));
    let cap = TailCap::new().cap("messages", 20);
    for tail in both(&codec, &document, &cap) {
        let tail = tail.unwrap();
        assert_eq!(tail.dropped[0].1, 80_001 - 20);
        assert_eq!(tail.value["id"], "a");
    }
    // The mutant "holds everything" is a window over everything.
    for tail in both(
        &codec,
        &document,
        &TailCap::new().cap("messages", usize::MAX),
    ) {
        assert!(tail.unwrap_err().is_limit());
    }
}

#[test]
fn a_mutant_that_keeps_the_first_elements_is_caught() {
    let document = br#"{"messages":[1,2,3]}"#;
    let cap = TailCap::new().cap("messages", 2);
    let mutant = json!({"messages": [1, 2]});
    assert_ne!(oracle(document, &cap).unwrap().0, mutant);
    check(&Codec::new(), document, &cap);
}

#[test]
fn a_panic_in_one_decode_shortens_no_other() {
    #[derive(Debug)]
    struct Panics;
    impl<'de> serde::Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("in the type")
        }
    }
    let document = br#"{"messages":[1,2,3]}"#;
    let caught = std::panic::catch_unwind(|| {
        Codec::new()
            .tail::<Panics, _>(document, &TailCap::new().cap("messages", 1))
            .map(drop)
    });
    assert!(caught.is_err());
    let whole: Value = Codec::new().decode(document.to_vec()).unwrap();
    assert_eq!(whole, json!({"messages": [1, 2, 3]}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_document_window_and_cut(seed: u64, keep in 0_usize..14, size in 1_usize..200) {
        for document in sessions(seed, 1) {
            check(&Codec::new().read_size(size), &document, &TailCap::all(&ARRAYS, keep));
        }
    }

    #[test]
    fn broken_documents_fail_both_ways_alike(seed: u64, keep in 0_usize..5, size in 1_usize..200) {
        for document in documents(seed, 3) {
            let cap = TailCap::all(&ARRAYS, keep);
            let [at, read] = both(&Codec::new().read_size(size), &document, &cap);
            prop_assert_eq!(at.is_ok(), read.is_ok());
            match (at, read) {
                (Ok(at), Ok(read)) => prop_assert_eq!(at.value, read.value),
                (Err(at), Err(read)) => prop_assert_eq!(at.to_string(), read.to_string()),
                _ => {}
            }
        }
    }
}
