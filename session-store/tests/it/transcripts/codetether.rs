//! Sessions of codetether-agent and of this crate.

use serde_json::Value;
use session_store::transcripts::{Codetether, ImportError, Importer, Input};

use super::import;
use crate::support::{Scratch, session};

#[test]
fn both_layouts_are_read_and_written_equal() {
    let fixtures =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    let mut count = 0;
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let imported = import("codetether", &bytes);
        assert_eq!(serde_json::to_value(&imported.session).unwrap(), document);
        let messages = document["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(imported.report.messages, messages as u64);
        count += 1;
    }
    assert!(count > 1);
}

#[test]
fn the_footer_of_a_document_does_not_come_along() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let session = session("footed", "/home/me", 40, 1);
    store.save(&session).unwrap();
    let bytes = std::fs::read(store.path(&session.id)).unwrap();
    assert!(memchr::memmem::find(&bytes, b"session_footer").is_some());
    let imported = import("codetether", &bytes).session;
    assert_eq!(imported, session);
    // A record with that member would be refused.
    store.overwrite(&imported).unwrap();
}

#[test]
fn a_session_is_recognised_by_its_first_members() {
    let check = |expected: bool, head: &str| {
        assert_eq!(Codetether.recognise(head.as_bytes()), expected, "{head}");
    };
    check(true, r#"{"id":"a"}"#);
    check(true, "{\n  \"id\": \"a\",\n  \"title\": null");
    check(true, r#"{"agent":"build","created_at""#);
    // Those of other programs.
    check(
        false,
        r#"{"id":"a","timestamp":"2025-05-07T17:24:21Z","instructions":"\"title\""}"#,
    );
    check(false, r#"{"sessionId":"a","messages":[]}"#);
    check(false, r#"{"type":"user","message":{"id":"a"}}"#);
    check(false, "");
    check(false, r#"["id"]"#);
}

#[test]
fn what_is_no_session_says_where() {
    let read = |text: &str| Codetether.read(Input::new(text.as_bytes()));
    let error = read("{\"id\":\"a\",\n\"messages\":[1}").unwrap_err();
    assert!(matches!(error, ImportError::Malformed { line: 2, .. }));
    assert!(read("[]").is_err());
}
