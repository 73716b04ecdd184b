//! A footer never changes an answer: of windows, pages, counts and revisions,
//! against decoding everything, on documents that we wrote.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use serde_json::{Value, json};
use session_codec::{
    Amendment, Codec, Encoded, FooterFault, FooterUse, HeaderSpec, Limits, Look, ReadAt, Revision,
    TailCap, testing::sessions,
};

use crate::support::{Counting, Dribble, oracle};

pub(crate) const ARRAYS: &[&str] = &["messages", "tool_uses"];

pub(crate) fn codec() -> Codec {
    Codec::new().marks(ARRAYS)
}

pub(crate) fn written(value: &Value) -> (Vec<u8>, Encoded) {
    let mut out = Vec::new();
    let encoded = codec().encode(value, &mut out).unwrap();
    (out, encoded)
}

/// Decodes a generated document, some of which have a reserved member.
fn plain_value(document: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(document).unwrap();
    if let Some(members) = value.as_object_mut() {
        members.remove("session_footer");
    }
    value
}

/// A document of so many messages of so many bytes.
pub(crate) fn long(messages: usize, bytes: usize) -> Vec<u8> {
    let message = |n: usize| json!({"n": n, "text": "x".repeat(bytes + n % 7)});
    let list: Vec<Value> = (0..messages).map(message).collect();
    let tools: Vec<Value> = (0..messages / 3).map(|n| json!([n])).collect();
    written(&json!({"id": "a", "messages": list, "tool_uses": tools, "usage": {}})).0
}

/// Compares a window, pages and counts with decoding everything.
fn check(document: &[u8], keep: usize, expected: FooterUse) {
    let cap = TailCap::all(ARRAYS, keep);
    let (value, dropped) = oracle(document, &cap).unwrap();
    let tail = Codec::new().tail::<Value, _>(document, &cap).unwrap();
    assert_eq!(tail.footer, expected);
    assert_eq!(tail.value, value);
    let gone: Vec<u64> = tail.dropped.iter().map(|(_, gone)| *gone).collect();
    assert_eq!(gone, dropped);
    assert_eq!(tail.bytes, document.len() as u64);
    assert_eq!(tail.revision, Revision::of_document(document));
    let streamed = Codec::new()
        .tail_from_read::<Value, _>(document, &cap)
        .unwrap();
    assert_eq!(
        (&streamed.value, streamed.revision),
        (&tail.value, tail.revision)
    );
    let pruned = Codec::new().prune(document, &cap).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&pruned.json).unwrap(),
        value
    );
    assert_eq!((pruned.dropped, pruned.counts), (tail.dropped, tail.counts));
}

/// Compares a page with decoding everything.
pub(crate) fn check_page(document: &[u8], from: u64, to: u64, expected: FooterUse) {
    let page = Codec::new()
        .page::<Value, _>(document, ARRAYS, "messages", from..to)
        .unwrap();
    let mut whole: Value = serde_json::from_slice(document).unwrap();
    let mut range = 0..0;
    let mut count = 0;
    if let Some(members) = whole.as_object_mut() {
        members.remove("session_footer");
        if let Some(Value::Array(tools)) = members.get_mut("tool_uses") {
            tools.clear();
        }
        if let Some(Value::Array(all)) = members.get_mut("messages") {
            count = all.len();
            let start = usize::try_from(from).unwrap().min(count);
            let end = usize::try_from(to).unwrap().clamp(start, count);
            *all = all[start..end].to_vec();
            range = start as u64..end as u64;
        }
    }
    assert_eq!(page.value, whole, "{from}..{to}");
    assert_eq!((page.range, page.count), (range, count as u64));
    assert_eq!(page.footer, expected);
    assert_eq!(page.revision, Revision::of_document(document));
}

#[test]
fn the_body_is_what_serde_json_writes_and_the_footer_is_checked() {
    for document in sessions(21, 200) {
        let value = plain_value(&document);
        let (out, encoded) = written(&value);
        let plain = serde_json::to_vec(&value).unwrap();
        assert_eq!(encoded.bytes, out.len() as u64);
        assert_eq!(encoded.revision, Revision::of_document(&out));
        assert_eq!(encoded.revision, codec().revision(&out).unwrap());
        assert_eq!(encoded.revision, codec().validate(&out).unwrap().revision);
        let marked = ARRAYS.iter().any(|name| value[*name].is_array());
        let report = Codec::new().read_size(100).check_footer(&out).unwrap();
        if marked {
            assert!(out.starts_with(&plain[..plain.len() - 1]));
            assert_eq!(report.used, FooterUse::Used, "{}", out.escape_ascii());
            assert_eq!(encoded.revision, Revision::of(&plain[..plain.len() - 1]));
        } else {
            assert_eq!(out, plain);
            assert_eq!(report.used, FooterUse::Absent);
        }
        assert_eq!(Codec::new().decode::<Value>(out).unwrap(), value);
    }
}

#[test]
fn every_window_and_page_of_written_sessions_equals_the_oracle() {
    for document in sessions(22, 60) {
        let value = plain_value(&document);
        let marked = ARRAYS.iter().any(|name| value[*name].is_array());
        let expected = if marked {
            FooterUse::Used
        } else {
            FooterUse::Absent
        };
        let (document, _) = written(&value);
        for keep in [0, 1, 2, 3, 7, 12, usize::MAX] {
            check(&document, keep, expected);
        }
        for (from, to) in [(0, 0), (0, 1), (1, 3), (2, 100), (50, 60), (0, u64::MAX)] {
            check_page(&document, from, to, expected);
        }
    }
}

#[test]
fn pages_without_a_footer_equal_the_oracle() {
    for document in sessions(23, 200) {
        for (from, to) in [(0, 0), (0, 1), (1, 3), (2, 100), (50, 60), (0, u64::MAX)] {
            check_page(&document, from, to, FooterUse::Absent);
        }
    }
    for document in [
        &br#"{"session_footer":1,"messages":[1,2,3]}"#[..],
        br#"{"session_footer":1}"#,
        br#"{"messages":[1,2,3],"session_footer":1,"tool_uses":[4]}"#,
    ] {
        check_page(document, 1, 2, FooterUse::Absent);
    }
}

#[test]
fn windows_over_many_segments_equal_the_oracle() {
    // Elements of all sizes against the bounds of segments.
    let mut list = Vec::new();
    for n in 0..1500_usize {
        let bytes = [3, 40, 700, 9000, 20_000][n * n % 5] / (1 + n % 3);
        list.push(json!("é\\\"[".repeat(bytes / 5)));
    }
    let (document, _) = written(&json!({"id": 1, "messages": list, "tool_uses": [1], "z": [2]}));
    assert!(document.len() > 2 << 20);
    for keep in [0, 1, 2, 5, 17, 100, 333, 1000, 1499, 1500, 1501] {
        check(&document, keep, FooterUse::Used);
    }
    for (from, to) in [
        (0, 1),
        (0, 10),
        (3, 700),
        (749, 750),
        (1490, 1500),
        (1499, 9999),
    ] {
        check_page(&document, from, to, FooterUse::Used);
    }
    let footer = codec().footer(&document).unwrap().unwrap();
    assert!(document.len() as u64 - footer.body_bytes() < 16 << 10);
    assert_eq!(
        codec().check_footer(&document).unwrap().used,
        FooterUse::Used
    );
}

#[test]
fn every_read_size_gives_the_same_tail_by_footer() {
    let document = long(400, 300);
    let cap = TailCap::all(ARRAYS, 30);
    let (value, _) = oracle(&document, &cap).unwrap();
    for at_once in [1, 7, 100, 4096] {
        let tail = Codec::new()
            .tail::<Value, _>(&Dribble::new(&document, at_once), &cap)
            .unwrap();
        assert_eq!((tail.value, tail.footer), (value.clone(), FooterUse::Used));
    }
}

#[test]
fn a_window_costs_what_it_holds_whatever_the_size_of_the_document() {
    let mut costs = Vec::new();
    for messages in [1000, 64_000] {
        let document = long(messages, 1000);
        for keep in [0, 20, 200, 800] {
            let source = Counting::new(document.as_slice());
            let cap = TailCap::all(ARRAYS, keep);
            let tail = Codec::new().tail::<Value, _>(&source, &cap).unwrap();
            assert_eq!(tail.footer, FooterUse::Used);
            let window = serde_json::to_vec(&tail.value).unwrap().len() as u64;
            let bound = window * 13 / 10 + (64 << 10);
            assert!(source.bytes() <= bound, "{} of {bound}", source.bytes());
            assert!(source.calls() <= 6, "{} calls", source.calls());
            costs.push(source.bytes());
        }
        let source = Counting::new(document.as_slice());
        let (from, to) = (messages as u64 / 3, messages as u64 / 3 + 20);
        let page = Codec::new()
            .page::<Value, _>(&source, ARRAYS, "messages", from..to)
            .unwrap();
        assert_eq!((page.footer, page.range), (FooterUse::Used, from..to));
        assert_eq!(page.bytes_read, source.bytes());
        let part = document.len() as u64 / 192;
        assert!(source.bytes() <= 20 * 1100 + 2 * part + (64 << 10));
        assert!(source.calls() <= 6);
        let source = Counting::new(document.as_slice());
        let counts = Codec::new().count(&source, ARRAYS).unwrap();
        assert_eq!(counts[0].1, Some(messages as u64));
        assert!(source.calls() <= 4 && source.bytes() <= 32 << 10);
    }
    let (small, large) = costs.split_at(costs.len() / 2);
    for (small, large) in small.iter().zip(large) {
        assert!(*large <= small + (96 << 10), "{large} and {small}");
    }
}

#[test]
fn what_a_footer_does_not_cover_is_found_without_it() {
    let document = long(300, 400);
    let fault = |codec: Codec, cap: &TailCap| {
        let tail = codec.tail::<Value, _>(&document, cap).unwrap();
        assert_eq!(tail.value, oracle(&document, cap).unwrap().0);
        tail.footer
    };
    let cap = TailCap::all(ARRAYS, 3);
    assert_eq!(fault(Codec::new(), &cap), FooterUse::Used);
    assert_eq!(
        fault(Codec::new().limits(Limits::default().depth(100)), &cap),
        FooterUse::Ignored(FooterFault::Limits)
    );
    // Another array than the marked ones.
    let (other, _) = written(&json!({"messages": [1, 2], "pages": [3, 4, 5]}));
    let cap = TailCap::new().cap("pages", 1).cap("messages", 1);
    let tail = Codec::new().tail::<Value, _>(&other, &cap).unwrap();
    assert_eq!(tail.footer, FooterUse::Ignored(FooterFault::Unmarked));
    assert_eq!(tail.value, json!({"messages": [2], "pages": [5]}));
    assert_eq!(
        Codec::new().count(&other, &["pages"]).unwrap()[0].1,
        Some(3)
    );
    // A kept element over the limit is an error, and a dropped one is not.
    let (large, _) = written(&json!({"messages": ["x".repeat(100), "y"]}));
    let codec = Codec::new().limits(Limits::default().element_bytes(50));
    let cap = |keep| TailCap::new().cap("messages", keep);
    assert!(
        codec
            .tail::<Value, _>(&large, &cap(2))
            .unwrap_err()
            .is_limit()
    );
    assert!(codec.tail::<Value, _>(&large, &cap(1)).is_ok());
}

#[test]
fn documents_that_cannot_be_marked_get_no_footer() {
    use std::collections::BTreeMap;
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let map: BTreeMap<_, _> = [("messages", raw("[1]"))].into();
    let encode = |codec: Codec, value: &dyn Fn(&Codec, &mut Vec<u8>)| {
        let mut out = Vec::new();
        value(&codec, &mut out);
        out
    };
    let plain = |value: &Value, codec: Codec| {
        encode(codec, &|codec, out| {
            codec.encode(value, out).unwrap();
        })
    };
    assert_eq!(
        encode(codec(), &|codec, out| {
            codec.encode(&map, out).unwrap();
        }),
        b"{\"messages\":[1]}"
    );
    let value = json!({"messages": [1]});
    let limits = Limits::default();
    assert_eq!(plain(&value, Codec::new()), b"{\"messages\":[1]}");
    assert_eq!(
        plain(&value, codec().limits(limits.members(1))),
        b"{\"messages\":[1]}"
    );
    assert_eq!(
        plain(&value, codec().limits(limits.depth(5))),
        b"{\"messages\":[1]}"
    );
    for limits in [limits.members(2), limits.depth(6)] {
        let out = plain(&value, codec().limits(limits));
        assert!(out.len() > 100);
        let decoded = Codec::new().limits(limits).decode::<Value>(out);
        assert_eq!(decoded.unwrap(), value);
    }
}

#[test]
fn an_amendment_ends_with_a_footer_of_its_own() {
    for (index, document) in sessions(24, 150).enumerate() {
        let value = plain_value(&document);
        if ARRAYS
            .iter()
            .any(|name| !value[*name].is_array() && !value[*name].is_null())
        {
            continue;
        }
        let source = if index % 2 == 0 {
            document
        } else {
            written(&value).0
        };
        let amendment = Amendment::new()
            .element("messages", "{\"new\": [1]}")
            .member("agent", "\"b\"");
        let mut out = Vec::new();
        let amended = codec().read_size(31).amend(&source, &amendment, &mut out);
        let Ok(encoded) = amended else { continue };
        assert_eq!(encoded.bytes, out.len() as u64);
        assert_eq!(encoded.revision, Revision::of_document(&out));
        let report = codec().check_footer(&out).unwrap();
        assert_eq!(report.used, FooterUse::Used, "{}", out.escape_ascii());
        for keep in [0, 1, 5] {
            check(&out, keep, FooterUse::Used);
        }
        check_page(&out, 1, 3, FooterUse::Used);
        let mut plain = Vec::new();
        Codec::new().amend(&source, &amendment, &mut plain).unwrap();
        let brace = plain.trim_ascii_end().len() - 1;
        assert!(out.starts_with(&plain[..brace]));
    }
}

#[test]
fn a_header_costs_two_looks_also_behind_a_footer() {
    // The older layout, with the deciding members last, and a long footer.
    let list = vec!["x".repeat(9000); 6000];
    let document = serde_json::to_vec(&json!({"messages": list})).unwrap();
    let amendment = Amendment::new()
        .member("agent", "\"build\"")
        .member("id", "\"a\"");
    let mut out = Vec::new();
    codec().amend(&document, &amendment, &mut out).unwrap();
    let body = codec().footer(&out).unwrap().unwrap().body_bytes();
    assert!(out.len() as u64 - body > 6 << 10);
    let spec = HeaderSpec::new(&["id", "agent", "title"], &["id"], &["messages"]);
    let source = Counting::new(out.as_slice());
    let header = Codec::new().header(&source, &spec).unwrap();
    assert_eq!(header.json, br#"{"agent":"build","id":"a"}"#);
    assert_eq!(header.look, Look::Tail);
    assert!(source.calls() <= 4 && source.bytes() <= 32 << 10);
    // The present layout: the head is enough.
    let own = written(&json!({"id": "a", "messages": list})).0;
    let source = Counting::new(own.as_slice());
    let spec = HeaderSpec::new(&["id"], &["id"], &["messages"]);
    Codec::new().header(&source, &spec).unwrap();
    assert!(source.calls() == 1 && source.bytes() <= 4 << 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_sizes_window_and_page(
        sizes in proptest::collection::vec(0_usize..30_000, 0..60),
        tools in proptest::collection::vec(0_usize..200, 0..200),
        keep in 0_usize..70,
        from in 0_u64..70,
        length in 0_u64..30,
    ) {
        let texts = |sizes: &[usize]| sizes.iter().map(|n| "ab".repeat(n / 2)).collect::<Vec<_>>();
        let value = json!({"a": 1, "messages": texts(&sizes), "b": [1], "tool_uses": texts(&tools)});
        let (document, _) = written(&value);
        check(&document, keep, FooterUse::Used);
        check_page(&document, from, from + length, FooterUse::Used);
        prop_assert_eq!(codec().check_footer(&document).unwrap().used, FooterUse::Used);
    }
}

/// A disk that cannot read one stretch, once.
struct FailsOnce<'a> {
    bytes: &'a [u8],
    before: AtomicU32,
}

impl ReadAt for FailsOnce<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if self.before.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(std::io::Error::from_raw_os_error(5));
        }
        self.bytes.read_at(buf, offset)
    }
    fn size(&self) -> std::io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}

#[test]
fn a_read_that_fails_is_an_error_and_never_another_revision() {
    let list: Vec<String> = (0..300)
        .map(|n| format!("element {n} {}", "x".repeat(900)))
        .collect();
    let codec = Codec::new().marks(&["messages"]);
    let mut document = Vec::new();
    let value = serde_json::json!({ "id": "s", "messages": list });
    let right = codec.encode(&value, &mut document).unwrap().revision;
    let mut failed = 0;
    for before in 0..20 {
        let source = || FailsOnce {
            bytes: &document,
            before: AtomicU32::new(before),
        };
        let cap = TailCap::all(&["messages"], 0);
        let answers = [
            codec.revision(&source()),
            codec.prune(&source(), &cap).map(|pruned| pruned.revision),
            codec.validate(&source()).map(|valid| valid.revision),
            codec
                .load::<Value, _>(&source())
                .map(|loaded| loaded.revision),
        ];
        for answer in answers {
            match answer {
                Ok(revision) => assert_eq!(revision, right, "read {before}"),
                Err(_) => failed += 1,
            }
        }
    }
    assert!(failed > 3, "{failed}");
}
