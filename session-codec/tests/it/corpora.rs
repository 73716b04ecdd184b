//! The large corpora, where they are: `serde_json`'s recorded verdicts, and
//! real transcripts.

use serde_json::Value;
use session_codec::{Codec, HeaderSpec, Limits, TailCap};

use crate::{
    naive,
    support::{corpora, files, oracle},
};

#[test]
fn recorded_verdicts_are_met_as_document_member_kept_and_dropped_element() {
    let Some(corpora) = corpora() else { return };
    let table = std::fs::read_to_string(corpora.join("json-ORACLE.tsv")).unwrap();
    let any_depth = Codec::new().limits(Limits::default().depth(u32::MAX));
    let cap = TailCap::new().cap("a", 1);
    let (mut seen, mut looser) = (0, 0);
    for line in table.lines().skip(1) {
        let mut columns = line.split('\t');
        let path = corpora.join("json").join(columns.next().unwrap());
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let verdicts: Vec<_> = columns.skip(1).map(|verdict| verdict == "ok").collect();
        let (value, ignored) = (verdicts[0], verdicts[2]);
        seen += 1;
        let name = path.display();
        assert_eq!(
            any_depth.validate(&bytes).is_ok(),
            ignored,
            "document: {name}"
        );
        assert_eq!(
            Codec::new().decode::<Value>(bytes.clone()).is_ok(),
            value,
            "decode: {name}"
        );
        let whole = Codec::new().tail::<Value, _>(&bytes, &cap);
        // Elements of a capped array may be judged more loosely: none here is
        // called "a" in a document that differs.
        assert_eq!(whole.is_ok(), value, "tail: {name}");

        let member = [b"{\"x\":", bytes.as_slice(), b"}"].concat();
        let expected = serde_json::from_slice::<Value>(&member).ok();
        let tail = Codec::new()
            .tail::<Value, _>(&member, &cap)
            .ok()
            .map(|tail| tail.value);
        assert!(tail == expected, "member: {name}");

        let kept = [b"{\"a\":[0,", bytes.as_slice(), b"]}"].concat();
        let expected = oracle(&kept, &cap).ok().map(|(value, _)| value);
        let tail = Codec::new()
            .tail::<Value, _>(&kept, &cap)
            .ok()
            .map(|tail| tail.value);
        if expected.is_some() {
            assert!(tail == expected, "kept element: {name}");
        }

        let dropped = [b"{\"a\":[", bytes.as_slice(), b",0]}"].concat();
        let strict = Codec::new().strict(true).tail::<Value, _>(&dropped, &cap);
        let expected = serde_json::from_slice::<Value>(&dropped).is_ok();
        assert_eq!(strict.is_ok(), expected, "dropped, strict: {name}");
        let found = naive::elements(&dropped[6..]);
        let expected = found.filter(|(elements, end)| {
            let last = elements.last().map(|range| &dropped[6..][range.clone()]);
            let kept = last.is_none_or(|json| serde_json::from_slice::<Value>(json).is_ok());
            let rest = [b"[", &dropped[6 + end..]].concat();
            kept && serde_json::from_slice::<Value>(&[b"{\"a\":", rest.as_slice()].concat()).is_ok()
        });
        let verdicts = [
            any_depth.tail::<Value, _>(&dropped, &cap).is_ok(),
            any_depth
                .tail_from_read::<Value, _>(dropped.as_slice(), &cap)
                .is_ok(),
        ];
        assert_eq!(verdicts, [expected.is_some(); 2], "dropped: {name}");
        looser += usize::from(expected.is_some() && !ignored);
    }
    assert!(seen > 2000, "{seen} files seen");
    assert!(
        looser > 100,
        "{looser} files pass only where they are dropped"
    );
}

#[test]
fn real_transcripts_have_the_tails_headers_and_counts_of_a_full_decode() {
    let Some(corpora) = corpora() else { return };
    let arrays = ["messages", "tool_uses", "history"];
    let wanted = [
        "id",
        "title",
        "created_at",
        "updated_at",
        "agent",
        "metadata",
    ];
    let spec = HeaderSpec::new(&wanted, &["id", "metadata"], &arrays);
    let mut seen = 0;
    for path in files(&corpora.join("sessions")) {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        if !value.is_object() {
            continue;
        }
        seen += 1;
        let compact = serde_json::to_vec(&value).unwrap();
        for document in [&bytes, &compact] {
            let total = value["messages"].as_array().map_or(0, Vec::len);
            for keep in [0, 1, 20, total.saturating_sub(1), total, total + 1] {
                let cap = TailCap::all(&arrays, keep);
                let (expected, dropped) = oracle(document, &cap).unwrap();
                let tail = Codec::new().tail::<Value, _>(document, &cap).unwrap();
                assert!(tail.value == expected, "{}", path.display());
                assert_eq!(
                    tail.dropped.iter().map(|(_, n)| *n).collect::<Vec<_>>(),
                    dropped
                );
                let read = Codec::new().tail_from_read::<Value, _>(document.as_slice(), &cap);
                assert!(read.unwrap().value == expected, "{}", path.display());
            }
            let header = Codec::new().header(document, &spec).unwrap();
            let found: Value = serde_json::from_slice(&header.json).unwrap();
            for name in wanted {
                if found.get(name).is_some() || spec.needed().iter().any(|n| n == name) {
                    assert!(
                        found.get(name) == value.get(name),
                        "{name}: {}",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(seen >= 42, "{seen} transcripts seen");
}
