//! Two threads give the answer of one, whatever the guess at the middle was.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{Codec, ReadAt, Revision, testing::sessions};

use crate::support::Counting;

/// A document of many messages, the middle of which is easily guessed.
pub(crate) fn transcript(messages: usize, text: &str, pretty: bool) -> Vec<u8> {
    let message =
        |n: usize| json!({"role": "user", "content": [{"type": "text", "text": text, "n": n}]});
    let messages: Vec<_> = (0..messages).map(message).collect();
    let value = json!({"id": "a", "agent": "b", "messages": messages, "usage": {}, "z": [1, 2]});
    if pretty {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    }
    .unwrap()
}

/// Puts the first half of the messages in front and counts that it did.
fn join(joined: &AtomicUsize) -> impl Fn(Value, Value) -> Option<Value> {
    |mut first, mut rest| {
        joined.fetch_add(1, Ordering::Relaxed);
        let mut messages = first["messages"].as_array_mut().map(std::mem::take)?;
        messages.append(rest["messages"].as_array_mut()?);
        rest["messages"] = messages.into();
        Some(rest)
    }
}

#[test]
fn two_threads_give_the_answer_of_one() {
    let joined = AtomicUsize::new(0);
    let odd = "\\\"},{\\\"role\\\":\\\"x, ]}";
    for (text, pretty) in [("hi", false), ("hi", true), (odd, false), ("é漢", true)] {
        let document = transcript(60, text, pretty);
        for read_size in [100, 300, document.len() / 9] {
            let codec = Codec::new().threads(2).read_size(read_size);
            let before = joined.load(Ordering::Relaxed);
            let loaded = codec
                .load_split(&document, Some("messages"), join(&joined))
                .unwrap();
            assert_eq!(
                joined.load(Ordering::Relaxed),
                before + 1,
                "two threads did it"
            );
            assert_eq!(
                loaded.value,
                serde_json::from_slice::<Value>(&document).unwrap()
            );
            assert_eq!(loaded.bytes, document.len() as u64);
            assert_eq!(loaded.revision, Revision::of(&document));
        }
    }
}

#[test]
fn each_half_is_read_once_and_hashed_once_more() {
    let document = transcript(2000, "some text that is not short", false);
    let source = Counting::new(document.as_slice());
    let joined = AtomicUsize::new(0);
    let codec = Codec::new().threads(2).read_size(4096);
    codec
        .load_split(&source, Some("messages"), join(&joined))
        .unwrap();
    assert_eq!(joined.load(Ordering::Relaxed), 1);
    let size = document.len() as u64;
    assert!(
        source.bytes() < size * 16 / 10 + 16 * 4096,
        "{} of {size}",
        source.bytes()
    );
}

#[test]
fn a_cut_that_was_guessed_wrongly_changes_nothing() {
    // The guess finds the first element's beginning in other places: in another
    // array, in a second array of the name, deeper, and where a comma is wrong.
    let many = |element: &str, count: usize| vec![element; count].join(",");
    let a = r#"{"role":1}"#;
    for document in [
        format!(r#"{{"messages":[{a}],"other":[{}]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{a}],"messages":[{}]}}"#, many(a, 90)),
        format!(
            r#"{{"messages":[{}],"messages":[{}]}}"#,
            many(a, 60),
            many(a, 9)
        ),
        format!(r#"{{"messages":[{a},{{"x":[{}]}}]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{a},[{}]]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{},]}}"#, many(a, 90)),
        format!(r#"{{"messages":[{},,{}]}}"#, many(a, 45), many(a, 45)),
        format!(r#"{{"messages":[{}],}}"#, many(a, 90)),
        format!(r#"{{"messages":[{}]"#, many(a, 90)),
        format!(r#"{{"messages":[{}]}}}}"#, many(a, 90)),
        format!(r#"{{"id":[{}],"messages":[{a}]}}"#, many(a, 90)),
        format!("[{}]", many(a, 90)),
        format!(
            r#"{{"messages":[{}],"session_footer":{{"messages":[]}}}}"#,
            many(a, 90)
        ),
    ] {
        let joined = AtomicUsize::new(0);
        let codec = Codec::new().threads(2).read_size(64);
        let two = codec.load_split(document.as_bytes(), Some("messages"), join(&joined));
        let one = codec.decode::<Value>(document.clone().into_bytes());
        match (two, one) {
            (Ok(two), Ok(one)) => assert_eq!(two.value, one, "{document}"),
            (Err(two), Err(one)) => assert_eq!(two.to_string(), one.to_string(), "{document}"),
            (two, one) => panic!("{document}: {two:?}, {one:?}"),
        }
    }
}

#[test]
fn a_failing_reader_is_an_io_error_wherever_it_fails() {
    #[derive(Debug)]
    struct Fails<'a>(&'a [u8], u64);
    impl ReadAt for Fails<'_> {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
            if offset + buf.len() as u64 > self.1 {
                return Err(std::io::Error::other("gone"));
            }
            self.0.read_at(buf, offset)
        }
        fn size(&self) -> std::io::Result<u64> {
            Ok(self.0.len() as u64)
        }
    }
    let document = transcript(60, "hi", false);
    for end in (0..document.len()).step_by(97) {
        let source = Fails(&document, end as u64);
        let codec = Codec::new().threads(2).read_size(100);
        assert!(codec.load::<Value, _>(&source).unwrap_err().is_io());
        let joined = AtomicUsize::new(0);
        let error = codec
            .load_split(&source, Some("messages"), join(&joined))
            .unwrap_err();
        assert!(error.is_io(), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sessions_load_alike_by_one_thread_and_two(seed: u64, read_size in 1_usize..200) {
        for document in sessions(seed, 4) {
            let joined = AtomicUsize::new(0);
            let codec = Codec::new().threads(2).read_size(read_size);
            let two = codec.load_split(&document, Some("messages"), join(&joined)).unwrap();
            let one = Codec::new().decode::<Value>(document.clone()).unwrap();
            prop_assert_eq!(two.value, one);
            prop_assert_eq!(two.revision, Revision::of(&document));
        }
    }
}
