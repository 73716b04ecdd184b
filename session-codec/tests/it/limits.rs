//! Limits are met exactly and only where they matter.

use serde_json::{Value, json};
use session_codec::{Codec, Limits, TailCap};

fn tails(limits: Limits, document: &[u8], keep: usize) -> [Option<bool>; 2] {
    let cap = TailCap::new().cap("messages", keep);
    // Small reads, so that an element is seen over many of them.
    let codec = Codec::new().limits(limits).read_size(7);
    let limited = |error: session_codec::Error| {
        assert!(error.is_limit(), "{error}");
        error.offset().map(drop)
    };
    [
        codec
            .tail::<Value, _>(document, &cap)
            .map_or_else(|e| limited(e).map(|()| false), |_| Some(true)),
        codec
            .tail_from_read::<Value, _>(document, &cap)
            .map_or_else(|e| limited(e).map(|()| false), |_| Some(true)),
    ]
}

#[test]
fn an_element_over_the_limit_matters_only_if_it_is_kept() {
    let limits = Limits::default().element_bytes(20);
    for long in 0..6 {
        let messages: Vec<_> = (0..6)
            .map(|n| "m".repeat(if n == long { 40 } else { n }))
            .collect();
        let document =
            serde_json::to_vec_pretty(&json!({"messages": messages, "z": "z".repeat(99)})).unwrap();
        for keep in 0..=7 {
            let expected = Some(long + keep < 6);
            assert_eq!(
                tails(limits, &document, keep),
                [expected; 2],
                "{long} of 6, keep {keep}"
            );
        }
    }
    // Exactly the limit fits, and the window after a long element is right.
    let document = json!({"messages": ["m".repeat(500), 1, "n".repeat(18), 3]}).to_string();
    let codec = Codec::new().limits(limits).read_size(5);
    let cap = TailCap::new().cap("messages", 3);
    let tail = codec
        .tail_from_read::<Value, _>(document.as_bytes(), &cap)
        .unwrap();
    assert_eq!(tail.value, json!({"messages": [1, "n".repeat(18), 3]}));
    assert_eq!(tail.dropped[0].1, 1);
}

#[test]
fn members_and_kept_bytes_are_bounded() {
    let members: Vec<_> = (0..50).map(|n| format!("\"m{n}\":{n}")).collect();
    let document = format!("{{{}}}", members.join(",")).into_bytes();
    assert_eq!(
        tails(Limits::default().members(50), &document, 1),
        [Some(true); 2]
    );
    assert_eq!(
        tails(Limits::default().members(49), &document, 1),
        [Some(false); 2]
    );
    assert!(
        Codec::new()
            .limits(Limits::default().members(49))
            .validate(&document)
            .is_err()
    );
    let bytes: u64 = members.iter().map(|m| m.len() as u64).sum();
    assert_eq!(
        tails(Limits::default().kept_bytes(bytes), &document, 1),
        [Some(true); 2]
    );
    assert_eq!(
        tails(Limits::default().kept_bytes(bytes - 1), &document, 1),
        [Some(false); 2]
    );
}
