//! The JSON map is exactly the reference's shape, keeps what it does not understand, and is never an error to read.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_index::testing::{FaultStorage, MemoryStorage, Operation};
use session_index::{JsonMapIndex, Pointer, Reason, WorkspaceIndex};

use crate::support::{at, find, memory, pointer, record, unknown};

const FILE: &str = JsonMapIndex::<MemoryStorage>::FILE;

/// The map as the other program declares it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Reference {
    #[serde(default)]
    entries: HashMap<String, String>,
}

fn index() -> JsonMapIndex<MemoryStorage> {
    JsonMapIndex::new(memory())
}

fn with(text: &str) -> JsonMapIndex<MemoryStorage> {
    let index = index();
    index.storage().put(FILE, text);
    index
}

fn text(index: &JsonMapIndex<MemoryStorage>) -> String {
    String::from_utf8(index.storage().get(FILE).unwrap()).unwrap()
}

fn id(index: &JsonMapIndex<MemoryStorage>, path: &str) -> Option<String> {
    find(index, at(path)).map(|pointer| pointer.id)
}

#[test]
fn writes_the_shape_that_the_reference_reads() {
    let index = index();
    record(&index, at("/home/me/caf\u{e9}"), &pointer("id-1", 5));
    record(&index, at("/b"), &pointer("id-2", 4));
    assert_eq!(
        text(&index),
        r#"{"entries":{"/home/me/café":"id-1","/b":"id-2"}}"#
    );
    let read: Reference = serde_json::from_str(&text(&index)).unwrap();
    assert_eq!(read.entries["/home/me/caf\u{e9}"], "id-1");
    index.forget(at("/b")).unwrap();
    index.forget(at("/home/me/caf\u{e9}")).unwrap();
    assert_eq!(text(&index), r#"{"entries":{}}"#);
    assert_eq!(
        serde_json::from_str::<Reference>(&text(&index)).unwrap(),
        Reference::default()
    );
}

#[test]
fn reads_what_the_reference_writes() {
    let entries = [("/a", "1"), ("/b \"\\\n", "../2"), ("/\u{1f980}", "\u{e9}")];
    let map = Reference {
        entries: entries
            .iter()
            .map(|(path, id)| ((*path).into(), (*id).into()))
            .collect(),
    };
    for text in [
        serde_json::to_string(&map).unwrap(),
        serde_json::to_string_pretty(&map).unwrap(),
    ] {
        let index = with(&text);
        for (path, expected) in entries {
            assert_eq!(find(&index, at(path)), Some(Pointer::unordered(expected)));
        }
        assert_eq!(index.lookup(at("/c")).unwrap(), unknown(Reason::Absent));
    }
}

#[test]
fn finds_a_directory_in_any_spelling() {
    let index = with(
        r#" { "x": {"entries": {"/a/b": "no"}}, "\u0065ntries" : { "\/a\/\u0062" : "\u0079es" , "/o": "1" } } "#,
    );
    assert_eq!(id(&index, "/a/b").as_deref(), Some("yes"));
    record(&index, at("/a/b"), &pointer("new", 1));
    assert_eq!(id(&index, "/a/b").as_deref(), Some("new"));
    assert_eq!(
        text(&index).matches("/a/b").count(),
        2,
        "the other spelling is replaced, not joined by a second one"
    );
}

#[test]
fn keeps_what_it_does_not_understand() {
    let index = with(
        r#"{"version":18446744073709551616,"entries":{"/a":"1","/odd":{"id":"x","n":1e400},"/b":"2"},"later":[1.0,"\ud83d\ude00"]}"#,
    );
    record(&index, at("/b"), &pointer("3", 1));
    record(&index, at("/c"), &pointer("4", 1));
    assert_eq!(
        text(&index),
        r#"{"version":18446744073709551616,"entries":{"/a":"1","/odd":{"id":"x","n":1e400},"/b":"3","/c":"4"},"later":[1.0,"\ud83d\ude00"]}"#,
    );
    assert_eq!(id(&index, "/odd"), None, "what is not a string is no id");
    record(&index, at("/odd"), &pointer("5", 1));
    assert_eq!(id(&index, "/odd").as_deref(), Some("5"));
    let index = with(r#"{"other":true}"#);
    record(&index, at("/a"), &pointer("1", 1));
    assert_eq!(text(&index), r#"{"other":true,"entries":{"/a":"1"}}"#);
}

#[test]
fn last_of_two_entries_counts_as_in_a_map() {
    let doubled = r#"{"entries":{"/a":"1","/b":"2","/a":"3"}}"#;
    let index = with(doubled);
    assert_eq!(id(&index, "/a").as_deref(), Some("3"));
    record(&index, at("/a"), &pointer("1", 1));
    assert_eq!(text(&index), r#"{"entries":{"/a":"1","/b":"2"}}"#);
    let index = with(doubled);
    index.forget(at("/a")).unwrap();
    assert_eq!(text(&index), r#"{"entries":{"/b":"2"}}"#);
}

#[test]
fn damaged_map_is_unknown_and_replaced_by_the_next_record() {
    let sound = r#"{"entries":{"/a":"1","/b":"2"}}"#;
    let mut damaged = (0..sound.len())
        .map(|length| sound.as_bytes()[..length].to_vec())
        .collect::<Vec<_>>();
    let deep = format!(r#"{{"entries":{}}}"#, "[".repeat(100_000));
    let texts = [
        "null",
        "[]",
        "3",
        r#""entries""#,
        r#"{"entries":null}"#,
        r#"{"entries":[]}"#,
        r#"{"entries":"/a"}"#,
        r#"{"entries":{},"entries":{}}"#,
        r#"{"entries":{"/a":"1"}}x"#,
        r#"{"entries":{"/a":"1"}}{"entries":{}}"#,
        r#"{"entries":{"/a":"1",}}"#,
        "\u{feff}{\"entries\":{}}",
        r#"{"entries":{"\ud800":"1"}}"#,
        "\0\0\0\0",
        &deep,
    ];
    damaged.extend(texts.map(|text| text.as_bytes().to_vec()));
    damaged.push(b"{\"entries\":{\"/a\":\"1\",\"/x\xff\":\"2\"}}".to_vec());
    damaged.push(b"{\"entries\":{\"/a\":\"1\",\"/x\":\"\xff\"}}".to_vec());
    damaged.push(sound.encode_utf16().flat_map(u16::to_le_bytes).collect());
    for bytes in damaged {
        let index = index();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        index.storage().put(FILE, &*bytes);
        assert_eq!(
            index.lookup(at("/a")).unwrap(),
            unknown(Reason::Damaged),
            "{shown}"
        );
        index.forget(at("/a")).unwrap();
        assert_eq!(
            index.storage().get(FILE).unwrap(),
            bytes,
            "forgetting leaves a damaged map alone: {shown}"
        );
        record(&index, at("/n"), &pointer("new", 1));
        assert_eq!(text(&index), r#"{"entries":{"/n":"new"}}"#, "{shown}");
    }
}

#[test]
fn deep_values_of_others_neither_overflow_nor_hide_an_entry() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let index = with(&format!(
        r#"{{"x":{deep},"entries":{{"/odd":{deep},"/a":"1"}}}}"#
    ));
    assert_eq!(id(&index, "/a").as_deref(), Some("1"));
    record(&index, at("/a"), &pointer("2", 1));
    assert_eq!(
        text(&index),
        format!(r#"{{"x":{deep},"entries":{{"/odd":{deep},"/a":"2"}}}}"#)
    );
}

#[test]
fn map_over_its_limit_is_not_used_and_not_destroyed() {
    let sound = r#"{"entries":{"/a":"1"}}"#;
    let index = with(sound).limit(sound.len() - 1);
    assert_eq!(index.lookup(at("/a")).unwrap(), unknown(Reason::Damaged));
    let mut change = index.begin().unwrap();
    change.record(at("/b"), pointer("2", 1));
    assert!(change.commit().unwrap_err().is_too_large());
    assert_eq!(text(&index), sound);
    let index = with(sound).limit(sound.len());
    assert_eq!(id(&index, "/a").as_deref(), Some("1"));
    let mut change = index.begin().unwrap();
    change.record(at("/b"), pointer("2", 1));
    assert!(
        change.commit().unwrap_err().is_too_large(),
        "nor does it grow over its limit"
    );
    assert_eq!(text(&index), sound);
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_text_are_not_recorded_under_a_lossy_key() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let index = index();
    for path in [&b"/x/\xff"[..], b"/x/\xfe"] {
        let path = Some(Path::new(OsStr::from_bytes(path)));
        record(&index, path, &pointer("a", 1));
        assert_eq!(index.lookup(path).unwrap(), unknown(Reason::Unrecordable));
    }
    record(&index, None, &pointer("a", 1));
    assert_eq!(index.lookup(None).unwrap(), unknown(Reason::Unrecordable));
    assert_eq!(
        index.storage().get(FILE),
        None,
        "nothing was recordable, so nothing was written"
    );
}

#[test]
fn change_that_changes_nothing_writes_nothing() {
    let index = JsonMapIndex::new(FaultStorage::new(memory()));
    let writes = || index.storage().calls(Operation::Replace);
    index.forget(at("/a")).unwrap();
    assert_eq!(writes(), 0);
    record(&index, at("/a"), &pointer("1", 1));
    assert_eq!(writes(), 1);
    record(&index, at("/a"), &pointer("1", 2));
    index.forget(at("/b")).unwrap();
    assert_eq!(
        writes(),
        1,
        "every save of one session would rewrite the map otherwise"
    );
    record(&index, at("/a"), &pointer("2", 2));
    index.forget(at("/a")).unwrap();
    assert_eq!(writes(), 3);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn changes_equal_edits_of_the_parsed_map(
        others in prop::collection::btree_map("[a-z]{1,3}", value(), 0..4),
        entries in prop::collection::btree_map("[ab/é\"]{0,3}", prop_oneof![3 => "[a-z]{0,3}".prop_map(Value::from), 1 => value()], 0..8),
        edits in prop::collection::vec(("[ab/é\"]{0,3}", prop::option::of("[a-z]{0,3}")), 0..8),
        pretty in any::<bool>(),
    ) {
        let mut expected = json!(others);
        expected["entries"] = json!(entries);
        let before = if pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) }.unwrap();
        let index = with(&before);
        let mut change = index.begin().unwrap();
        let mut touched = BTreeMap::new();
        for (path, id) in &edits {
            match id {
                Some(id) => change.record(at(path), pointer(id, 1)),
                None => change.remove(at(path)),
            }
            touched.insert(path, id);
        }
        change.commit().unwrap();
        let map = expected["entries"].as_object_mut().unwrap();
        for (path, id) in touched {
            match id {
                Some(id) => drop(map.insert(path.clone(), json!(id))),
                None => drop(map.remove(path)),
            }
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&text(&index)).unwrap(), expected.clone());
        for (path, value) in expected["entries"].as_object().unwrap() {
            prop_assert_eq!(id(&index, path), value.as_str().map(str::to_owned));
        }
    }
}
