//! What a walk knows at its end, however it came there.

use super::walk_at;
use crate::{Codec, Revision};

fn check(document: &str, comma: Option<usize>) {
    let bytes = document.as_bytes();
    for size in [1, 2, 7, 16, 64, 1 << 20] {
        for threads in [1, 2] {
            let codec = Codec::new().read_size(size).threads(threads);
            let walked = walk_at(&codec, codec.lexer([]), &mut (), bytes);
            let walked = walked.unwrap_or_else(|error| panic!("{error}: {document}"));
            assert_eq!(walked.bytes, bytes.len() as u64);
            assert_eq!(walked.whole, Revision::of(bytes));
            let body = comma.map(|at| (at as u64, Revision::of(&bytes[..at])));
            assert_eq!(
                walked.body, body,
                "by {size}, {threads} threads: {document}"
            );
        }
    }
}

#[test]
fn the_body_ends_at_the_last_comma_between_members() {
    check("[1,2,3]", None);
    check("{}", None);
    check(r#"{"a":[1,2,{"b":3,"c":","}]}"#, None);
    check(r#"{"a":1,"b":[2,3]}"#, Some(6));
    check(r#"{"a":1 , "b":[2,3],"c":"x,y"} "#, Some(18));
    let long = format!(r#"{{"a":["{}"],"b":[{{}},{{}}]}}"#, "x".repeat(100_000));
    check(&long, Some(100_009));
}
