//! Counts are those of a full decode.

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Amendment, Codec, CountBuffer, Limits,
    testing::{Instructions, sessions},
};

use crate::footer::{ARRAYS as MARKED, codec as marking, long, written};

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

/// What a count says, in a form that can be compared: the counts, or the error's text.
fn said(
    codec: &Codec,
    document: &[u8],
    buffer: &mut CountBuffer,
) -> Result<Vec<Option<u64>>, String> {
    let counts = codec.count_with(document, MARKED, buffer);
    counts.map(<[_]>::to_vec).map_err(|error| error.to_string())
}

/// The numbers of elements that `serde_json` finds, if it takes the document.
fn naive(document: &[u8]) -> Option<Vec<Option<u64>>> {
    let value: Value = serde_json::from_slice(document).ok()?;
    let count = |name: &&str| Some(value.get(*name)?.as_array()?.len() as u64);
    Some(MARKED.iter().map(count).collect())
}

/// Documents of all kinds: plain, with a footer, with one that is left over, cut off, long and short.
fn mixed(seed: u64) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (index, document) in sessions(seed, 12).enumerate() {
        let mut value: Value = serde_json::from_slice(&document).unwrap();
        if let Some(members) = value.as_object_mut() {
            members.remove("session_footer");
        }
        let (mut own, _) = written(&value);
        if index % 3 == 1 {
            own.truncate(own.len() - own.len() / 3);
        } else if index % 3 == 2 {
            own.splice(1..1, *b" ");
        }
        all.extend([document, own]);
    }
    all.push(long(300, 900));
    let pretty = json!({"messages": vec!["x".repeat(90); 3000]});
    all.push(serde_json::to_vec_pretty(&pretty).unwrap());
    all.push(Vec::new());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn a_kept_buffer_leaves_nothing_of_one_document_to_the_next(
        seed in 0_u64..1000,
        order in proptest::collection::vec(0_usize..27, 1..40),
        read_size in prop_oneof![Just(1_usize << 20), Just(33), Just(4096)],
    ) {
        let (documents, codec) = (mixed(seed), Codec::new().read_size(read_size));
        let mut kept = CountBuffer::new();
        for place in order {
            let document = &documents[place];
            let fresh = said(&codec, document, &mut CountBuffer::new());
            prop_assert_eq!(&said(&codec, document, &mut kept), &fresh);
            if let Some(expected) = naive(document) {
                prop_assert_eq!(&fresh, &Ok(expected));
            }
            let others = codec.count_with(document, &["none", "tool_uses"], &mut kept);
            let others = others.map(<[_]>::to_vec).map_err(|error| error.to_string());
            prop_assert_eq!(others, fresh.map(|counts| vec![None, counts[1]]));
        }
    }
}

#[test]
fn every_set_of_instructions_counts_what_a_full_decode_does() {
    let mut buffer = CountBuffer::new();
    let sets = Instructions::ALL.into_iter();
    for instructions in sets.filter(|set| set.is_available()) {
        for document in mixed(5) {
            for size in [1, 63, 64, 65, 1 << 20] {
                let codec = Codec::new().instructions(instructions).read_size(size);
                let counts = said(&codec, &document, &mut buffer);
                match naive(&document) {
                    Some(expected) => assert_eq!(counts, Ok(expected)),
                    None => assert!(counts.is_err(), "{}", document.escape_ascii()),
                }
            }
        }
    }
}

#[test]
fn a_document_that_two_threads_walk_over_has_the_same_count() {
    let document = serde_json::to_vec(&json!({"messages": vec!["x".repeat(900); 6000]})).unwrap();
    let mut buffer = CountBuffer::new();
    for threads in [1, 2] {
        let counts = said(&Codec::new().threads(threads), &document, &mut buffer);
        assert_eq!(counts, Ok(vec![Some(6000), None]));
    }
}

#[test]
fn footers_count_arrays_of_any_name_and_number() {
    const NAMES: &[&str] = &[
        "a",
        "\"\\\n",
        "\u{e9}\u{1f600}",
        "",
        "e",
        "f",
        "g",
        "h",
        "i",
    ];
    let codec = Codec::new().marks(NAMES);
    let members = NAMES.iter().enumerate();
    let value: serde_json::Map<_, _> = members
        .map(|(many, name)| ((*name).to_owned(), Value::from(vec![0; many])))
        .collect();
    let plain = serde_json::to_vec(&value).unwrap();
    let mut document = Vec::new();
    let nothing = Amendment::new();
    codec.amend(&plain, &nothing, &mut document).unwrap();
    assert!(codec.footer(&document).unwrap().is_some());
    let mut buffer = CountBuffer::new();
    let counts = codec.count_marked(&document, NAMES, &mut buffer).unwrap();
    let expected: Vec<_> = (0..NAMES.len() as u64).map(Some).collect();
    assert_eq!(counts, Some(&expected[..]));
}

#[test]
fn a_footer_written_under_a_wider_limit_on_depth_is_not_asked() {
    let (document, _) = written(&json!({"messages": [[[[[[[1]]]]]]]}));
    let codec = Codec::new().limits(Limits::default().depth(6));
    let mut buffer = CountBuffer::new();
    let counts = codec.count_marked(&document, &["messages"], &mut buffer);
    assert_eq!(counts.unwrap(), None);
    let error = codec.count(&document, &["messages"]).unwrap_err();
    assert!(error.is_limit());
}

#[test]
fn an_edit_of_any_byte_around_the_arrays_is_noticed() {
    let tools = vec!["x".repeat(70); 90];
    let value = json!({"agent": "a", "messages": [1, 2], "title": "b", "tool_uses": tools, "z": 3});
    let (document, _) = written(&value);
    let footer = marking().footer(&document).unwrap().unwrap();
    let body = usize::try_from(footer.body_bytes()).unwrap();
    let find = |text: &[u8]| {
        let mut places = document.windows(text.len());
        places.position(|part| part == text).unwrap()
    };
    let (messages, tool_uses, last) = (find(b"[1,2]"), find(b"[\"xx"), find(b"],\"z\""));
    let mut buffer = CountBuffer::new();
    let mut count = |document: &[u8]| {
        let counts = marking().count_marked(document, MARKED, &mut buffer);
        counts.unwrap().map(<[_]>::to_vec)
    };
    assert_eq!(count(&document), Some(vec![Some(2), Some(90)]));
    let between = messages + 4..=tool_uses;
    for at in (0..=messages).chain(between).chain(last..body) {
        let mut edited = document.clone();
        edited[at] ^= 1;
        assert_eq!(count(&edited), None, "{at}");
        // What a mutant that compares nothing would say.
        let claimed = marking().footer(&edited).unwrap().unwrap();
        assert_eq!(claimed.count("messages"), Some(2));
    }
}
