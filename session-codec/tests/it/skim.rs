//! Passing over dropped elements by structure finds what looking at one byte
//! after the other does, with every instruction set, cut and number of threads.

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Codec, Limits, Revision, TailCap,
    testing::{Instructions, documents, sessions},
};

use crate::{
    naive,
    support::{Counting, Dribble, oracle},
};

/// Every instruction set, and two threads where pieces are not so small that
/// the threads would do little else than hand over.
fn codecs(read_size: usize) -> impl Iterator<Item = Codec> {
    let codec = Codec::new().limits(Limits::default().depth(u32::MAX));
    let codec = codec.read_size(read_size);
    let threaded = (read_size > 6).then(|| codec.clone().threads(2));
    let sets = Instructions::ALL.into_iter();
    sets.filter(|set| set.is_available())
        .map(move |set| codec.clone().instructions(set))
        .chain(threaded)
}

/// Decodes what the naive finder keeps of the array after `{"a":[`.
fn expected(document: &[u8], keep: usize) -> Option<(Value, u64)> {
    let inside = &document[6..];
    let (elements, end) = naive::elements(inside)?;
    let dropped = elements.len().saturating_sub(keep);
    let kept: Vec<_> = elements[dropped..]
        .iter()
        .map(|range| &inside[range.clone()])
        .collect();
    let rest = &inside[end..];
    let json = [b"{\"a\":[", kept.join(&b","[..]).as_slice(), rest].concat();
    // What is kept and what follows is judged in full.
    let value = serde_json::from_slice(&json).ok()?;
    Some((value, dropped as u64))
}

fn check(document: &[u8], keep: usize, read_size: usize) {
    let expected = expected(document, keep);
    let cap = TailCap::new().cap("a", keep);
    let mut texts = Vec::new();
    for codec in codecs(read_size) {
        let tail = codec.tail::<Value, _>(document, &cap);
        let count = codec.count(document, &["a"]);
        match (tail, &expected) {
            (Ok(tail), Some((value, dropped))) => {
                assert_eq!(tail.value, *value, "{}", document.escape_ascii());
                assert_eq!(tail.dropped[0].1, *dropped, "{}", document.escape_ascii());
                assert_eq!(tail.revision, Revision::of(document));
                assert_eq!(count.unwrap()[0].1, Some(tail.counts[0].1));
            }
            (Err(error), None) => texts.push(error.to_string()),
            (Ok(_), None) => panic!("passed: {}", document.escape_ascii()),
            (Err(error), Some(_)) => panic!("{error}: {}", document.escape_ascii()),
        }
    }
    // One fault, however it is come by.
    let whole = codecs(1 << 20)
        .next()
        .unwrap()
        .tail::<Value, _>(document, &cap);
    texts.extend(whole.err().map(|error| error.to_string()));
    assert!(
        texts.windows(2).all(|pair| pair[0] == pair[1]),
        "{texts:?}: {}",
        document.escape_ascii()
    );
}

#[test]
fn runs_of_backslashes_end_at_every_place_of_a_block() {
    for run in 0..=130 {
        // Even runs leave the quote a quote; odd ones need another.
        let close = if run % 2 == 0 { "\"" } else { "\"]}{[,\"" };
        for before in [0, 1, 63] {
            let text = format!("\"{}{}{close}", "x".repeat(before), "\\".repeat(run));
            let document = format!("{{\"a\":[0,[{text}],{text},{{\"k\":{text}}}]}}");
            for read_size in [1, 65, 1 << 20] {
                check(document.as_bytes(), 1, read_size);
            }
        }
    }
}

#[test]
fn generated_elements_are_passed_over_as_the_naive_finder_does() {
    for (number, element) in documents(21, 400).enumerate() {
        let document = [b"{\"a\":[", element.as_slice(), b",1]}"].concat();
        check(&document, number % 3, [1, 7, 64, 1 << 20][number % 4]);
    }
}

#[test]
fn elements_longer_than_strides_and_pieces_are_found() {
    for size in [63, 64, 65, 255, 256, 257, 700, 5000] {
        let long = "l".repeat(size);
        let document = json!({"a": [long, [long, {"k": long}], 7, {long.clone(): []}, long]});
        for document in [
            document.to_string(),
            serde_json::to_string_pretty(&document).unwrap().replacen(
                "{\n  \"a\": [",
                "{\"a\":[",
                1,
            ),
        ] {
            for read_size in [5, 64, 100, 1 << 20] {
                for keep in [0, 3, 9] {
                    check(document.as_bytes(), keep, read_size);
                }
            }
        }
    }
}

#[test]
fn depth_is_limited_exactly_inside_dropped_elements() {
    for depth in [1_u32, 2, 3, 62, 63, 64, 65, 126, 127, 128, 200] {
        let levels = depth as usize;
        let nest = [vec![b'['; levels], vec![b']'; levels]].concat();
        let document = [b"{\"a\":[", nest.as_slice(), b",0]}"].concat();
        for limit in [2, 3, 64, 66, 127, 200] {
            for codec in codecs(50).chain(codecs(1 << 20)) {
                let codec = codec.limits(Limits::default().depth(limit));
                let verdict = codec.count(&document, &["a"]);
                // The object and the array around are two.
                assert_eq!(
                    verdict.is_ok(),
                    depth + 2 <= limit,
                    "{depth} against {limit}"
                );
                if let Err(error) = verdict {
                    assert!(error.is_limit(), "{error}");
                    assert_eq!(error.offset(), Some(6 + u64::from(limit) - 2));
                }
            }
        }
    }
}

#[test]
fn two_threads_read_everything_once_and_fail_where_one_does() {
    let messages: Vec<_> = (0..500).map(|n| json!({"n": n})).collect();
    let document = serde_json::to_vec(&json!({"a": messages, "z": 1})).unwrap();
    let cap = TailCap::new().cap("a", 3);
    let codec = Codec::new().read_size(64).threads(2);
    let source = Counting::new(document.as_slice());
    let tail = codec.tail::<Value, _>(&source, &cap).unwrap();
    assert_eq!(tail.value, oracle(&document, &cap).unwrap().0);
    // What is kept is read again, and the other thread may look past the end.
    assert!(
        source.bytes() <= document.len() as u64 + 200,
        "{}",
        source.bytes()
    );
    for cut in [100, 1000, 1024, document.len() - 1] {
        let one = Codec::new()
            .read_size(64)
            .tail::<Value, _>(&document[..cut], &cap);
        let two = codec.tail::<Value, _>(&document[..cut], &cap);
        assert_eq!(one.unwrap_err().to_string(), two.unwrap_err().to_string());
    }
    // Interruptions and short reads change nothing.
    for at_once in [1, 7, 64, 100] {
        let tail = codec.tail::<Value, _>(&Dribble::new(&document, at_once), &cap);
        assert_eq!(tail.unwrap().dropped[0].1, 497);
    }
}

/// Fails from a byte on, like a bad sector.
#[derive(Debug)]
struct BadFrom<'a>(&'a [u8], u64);

impl session_codec::ReadAt for BadFrom<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if offset >= self.1 {
            return Err(std::io::Error::other("bad sector"));
        }
        let room = buf.len().min(usize::try_from(self.1 - offset).unwrap());
        self.0.read_at(&mut buf[..room], offset)
    }

    fn size(&self) -> std::io::Result<u64> {
        self.0.size()
    }
}

#[test]
fn a_fault_before_a_failed_read_is_told_first_and_a_failed_read_ends_both_threads() {
    let mut document = [b"{\"a\":[".to_vec(), b"{},".repeat(1000), b"1]}".to_vec()].concat();
    for threads in [1, 2] {
        for read_size in [32, 1 << 20] {
            let codec = Codec::new().read_size(read_size).threads(threads);
            for bad in [0, 31, 32, 33, 500, 3005] {
                let error = codec.count(&BadFrom(&document, bad), &["a"]).unwrap_err();
                assert!(error.is_io(), "{bad}: {error}");
                let cap = TailCap::new().cap("a", 1);
                let error = codec.prune(&BadFrom(&document, bad), &cap).unwrap_err();
                assert!(error.is_io(), "{bad}: {error}");
            }
            document[300] = b'\\';
            let error = codec.count(&BadFrom(&document, 320), &["a"]).unwrap_err();
            assert_eq!(error.offset(), Some(300), "{error}");
            document[300] = b'{';
        }
    }
}

#[test]
fn a_mutant_that_counts_escaped_quotes_is_caught() {
    // Without the parity of backslashes, this array would have two elements.
    let document = br#"{"a":["x\\\",\\",1,2]}"#;
    let mutant = document.split(|byte| *byte == b'"').count();
    assert_eq!(mutant % 2, 0, "the quotes alone do not balance");
    let count = Codec::new().count(document, &["a"]).unwrap();
    assert_eq!(count[0].1, Some(3));
    check(document, 1, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_noise_window_cut_set_and_thread(
        inside in "[\\[\\]{},\"\\\\a0 \n:n-]{0,40}|([{}\\[\\]]|[\",\\\\ 1]){0,160}",
        keep in 0_usize..4,
        read_size in 1_usize..100,
    ) {
        check(format!("{{\"a\":[{inside}]}}").as_bytes(), keep, read_size);
    }

    #[test]
    fn any_document_window_cut_set_and_thread(seed: u64, keep in 0_usize..14, read_size in 1_usize..200) {
        for document in sessions(seed, 1) {
            let cap = TailCap::all(&["messages", "tool_uses"], keep);
            let (value, dropped) = oracle(&document, &cap).unwrap();
            for codec in codecs(read_size) {
                let tail = codec.tail::<Value, _>(&document, &cap).unwrap();
                prop_assert_eq!(&tail.value, &value);
                prop_assert_eq!(tail.dropped.iter().map(|(_, n)| *n).collect::<Vec<_>>(), dropped.clone());
                prop_assert_eq!(tail.revision, Revision::of(&document));
                let pruned = codec.prune(&document, &cap).unwrap().json;
                let piecewise = codec.read_size(1).prune(&document, &cap).unwrap().json;
                prop_assert_eq!(pruned.escape_ascii().to_string(), piecewise.escape_ascii().to_string());
            }
        }
    }
}
