//! The walker accepts and rejects what `serde_json` does when it skips, however
//! the bytes are cut.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use session_codec::{Codec, Limits, Revision, testing::documents};

use crate::{naive, support::Dribble};

fn deep() -> Codec {
    Codec::new().limits(Limits::default().depth(u32::MAX).members(u32::MAX))
}

fn skips(json: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(json).is_ok()
}

/// Compares the three judges, at several cuts.
fn check(json: &[u8]) {
    let expected = skips(json);
    assert_eq!(
        naive::accepts(json),
        expected,
        "naive: {}",
        json.escape_ascii()
    );
    for read_size in [1, 2, 3, 7, 8, 33, 256 << 10] {
        let verdict = deep().read_size(read_size).validate(json);
        assert_eq!(
            verdict.is_ok(),
            expected,
            "by {read_size}: {}",
            json.escape_ascii()
        );
        match verdict {
            Ok(valid) => {
                assert_eq!(valid.bytes, json.len() as u64);
                assert_eq!(valid.revision, Revision::of(json));
            }
            Err(error) => assert!(error.offset().is_some_and(|at| at <= json.len() as u64)),
        }
    }
}

#[test]
fn generated_documents_get_the_verdict_of_serde_json() {
    let mut accepted = 0;
    for json in documents(1, 3000) {
        check(&json);
        accepted += usize::from(skips(&json));
    }
    // A generator of only one kind would prove nothing.
    assert!(
        (500..2500).contains(&accepted),
        "{accepted} of 3000 accepted"
    );
}

#[test]
fn every_cut_of_a_document_gives_the_same_answer() {
    let json =
        br#" {"a\u0062\n":[1,-0.5e+10,true,false,null,"\\\\\"\ud83d\ude00\/"],"b":{"":[{}]}} "#;
    check(json);
    for cut in 1..=json.len() {
        deep().read_size(cut).validate(json).unwrap();
        check(&json[..cut]);
        // Short reads and interruptions are not the end.
        deep().validate(&Dribble::new(json, cut)).unwrap();
    }
}

#[test]
fn an_error_is_placed_at_the_same_byte_however_the_document_is_cut() {
    for json in documents(2, 500).filter(|json| !skips(json)) {
        let whole = deep().validate(&json).unwrap_err();
        for read_size in [1, 5, 64] {
            let cut = deep().read_size(read_size).validate(&json).unwrap_err();
            assert_eq!(
                cut.to_string(),
                whole.to_string(),
                "{}",
                json.escape_ascii()
            );
        }
    }
}

#[test]
fn depth_is_limited_exactly_and_without_recursion() {
    for depth in [1, 2, 63, 64, 65, 100, 127, 128, 129, 1000, 100_000] {
        let json = [vec![b'['; depth], vec![b']'; depth]].concat();
        for limit in [1, 64, 127, 128, 100_000] {
            let codec = Codec::new().limits(Limits::default().depth(limit));
            let verdict = codec.validate(&json);
            assert_eq!(
                verdict.is_ok(),
                depth <= limit as usize,
                "{depth} against {limit}"
            );
            if let Err(error) = verdict {
                assert!(error.is_limit());
                assert_eq!(error.offset(), Some(u64::from(limit)));
            }
        }
        let value = serde_json::from_slice::<serde_json::Value>(&json);
        assert_eq!(
            Codec::new().validate(&json).is_ok(),
            value.is_ok(),
            "the default is serde's"
        );
    }
}

#[test]
fn a_mutant_that_forgets_state_between_pieces_is_caught() {
    // The broken variant judges each piece by itself, so escapes, words and
    // numbers cut in two change the verdict.
    let mutant = |json: &[u8], size: usize| {
        let mut in_string = false;
        json.chunks(size).all(|piece| {
            let mut escaped = false;
            for byte in piece {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_string => escaped = true,
                    b'"' => in_string = !in_string,
                    _ => {}
                }
            }
            true
        }) && !in_string
    };
    let json = br#"["\\\"x"]"#;
    let wrong = (1..=json.len()).filter(|size| !mutant(json, *size)).count();
    assert!(wrong > 0, "cuts where forgetting shows exist");
    for size in 1..=json.len() {
        deep().read_size(size).validate(json).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_of_json_like_noise(json in "[\\[\\]{}:,\"\\\\a0-9 .eEtrufalsn+\n\u{0}é-]{0,24}") {
        check(json.as_bytes());
    }

    #[test]
    fn strings_of_any_bytes(inner in proptest::collection::vec(any::<u8>(), 0..80), cut in 1_usize..40) {
        let json = [b"\"", inner.as_slice(), b"\""].concat();
        prop_assert_eq!(deep().read_size(cut).validate(&json).is_ok(), skips(&json));
    }
}
