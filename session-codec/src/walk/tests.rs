//! What a walk knows at its end, however it came there.

use super::walk_at;
use crate::{Codec, Revision};

/// Pieces beyond which one thread walks alone.
const MOST_TURNS: usize = 2_000;

fn check(document: &str) {
    let bytes = document.as_bytes();
    for size in [1, 2, 7, 16, 64, 1 << 20] {
        // Each turn of two threads may wait for the scheduler.
        let most = if bytes.len() / size > MOST_TURNS {
            1
        } else {
            2
        };
        for threads in 1..=most {
            let codec = Codec::new().read_size(size).threads(threads);
            let walked = walk_at(&codec, codec.lexer([]), &mut (), bytes);
            let walked = walked.unwrap_or_else(|error| panic!("{error}: {document}"));
            assert_eq!(walked.bytes, bytes.len() as u64);
            assert_eq!(
                walked.whole,
                Revision::of(bytes),
                "by {size}, {threads} threads: {document}"
            );
        }
    }
}

#[test]
fn the_hash_is_that_of_all_bytes_in_any_pieces() {
    check("[1,2,3]");
    check("{}");
    check(r#"{"a":1 , "b":[2,3],"c":"x,y"} "#);
    check(&format!(
        r#"{{"a":["{}"],"b":[{{}},{{}}]}}"#,
        "x".repeat(100_000)
    ));
    check(&format!(r#"["{}"]"#, "z".repeat(1_500)));
    check(&format!(r#"["{}"]"#, "y".repeat(2 * Revision::BLOCK + 5)));
}
