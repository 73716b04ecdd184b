//! Counts are those of a full decode.

use serde_json::Value;
use session_codec::{Codec, testing::sessions};

#[test]
fn counts_equal_those_of_a_full_decode() {
    const ARRAYS: [&str; 4] = ["messages", "tool_uses", "metadata", "none"];
    for document in sessions(8, 300) {
        let value: Value = serde_json::from_slice(&document).unwrap();
        for size in [1, 50, 1 << 20] {
            let counts = Codec::new()
                .read_size(size)
                .count(&document, &ARRAYS)
                .unwrap();
            for (name, count) in counts {
                let expected = value
                    .get(&name)
                    .and_then(Value::as_array)
                    .map(|a| a.len() as u64);
                assert_eq!(count, expected, "{name}: {}", document.escape_ascii());
            }
        }
    }
}

#[test]
fn a_mutant_that_counts_commas_is_caught() {
    let document = br#"{"messages":[[1,2],",",{}]}"#;
    let commas = document.split(|b| *b == b',').count() as u64;
    let counts = Codec::new().count(document, &["messages"]).unwrap();
    assert_eq!(counts[0].1, Some(3));
    assert_ne!(counts[0].1, Some(commas));
}
