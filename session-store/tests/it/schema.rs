//! The published JSON Schema says what is read and what is written.

use jsonschema::Validator;
use serde_json::{Value, json};
use session_store::Session;

use crate::support::{Scratch, session, transcripts};

fn validator() -> Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/session.schema.json")).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

#[test]
fn every_transcript_is_valid_as_it_is_and_as_we_write_it() {
    let validator = validator();
    let mut count = 0;
    for (name, bytes) in transcripts() {
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(validator.is_valid(&document), "{name}");
        let session: Session = serde_json::from_slice(&bytes).unwrap();
        let written = serde_json::to_value(&session).unwrap();
        assert!(validator.is_valid(&written), "{name}");
        count += 1;
    }
    assert!(count >= 4);
}

#[test]
fn a_document_of_the_store_is_valid_footer_and_all() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let session = session("footed", "/home/me", 40, 1);
    store.save(&session).unwrap();
    let bytes = std::fs::read(store.path(&session.id)).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(document.get("session_footer").is_some());
    assert!(validator().is_valid(&document));
}

/// One document a row, and whether it is a session. The model has to agree.
#[test]
fn what_is_no_session_is_not_valid() {
    let validator = validator();
    let part = |part: Value| json!({"id": "a", "messages": [{"role": "user", "content": [part]}]});
    let rows = [
        (true, json!({"id": "a"})),
        (
            true,
            json!({"id": "a", "title": null, "messages": null, "usage": null, "metadata": null}),
        ),
        (
            true,
            json!({"id": "a", "pages": [1], "metadata": {"more": 1}}),
        ),
        (
            true,
            json!({"id": "a", "created_at": "2026-03-10T19:42:54.066971411Z"}),
        ),
        (
            true,
            json!({"id": "a", "created_at": "2026-03-10T19:42:54+02:00"}),
        ),
        (true, part(json!({"type": "verdict", "score": 1}))),
        (true, part(json!({"type": "text", "text": "x", "more": []}))),
        (
            true,
            json!({"id": "a", "messages": [{"role": "critic", "content": []}]}),
        ),
        (false, json!({})),
        (false, json!({"id": 1})),
        (false, json!({"id": "../a"})),
        (false, json!({"id": ""})),
        (false, json!({"id": "a", "messages": {}})),
        (false, json!({"id": "a", "messages": [1]})),
        (false, json!({"id": "a", "usage": {"prompt_tokens": -1}})),
        (false, json!({"id": "a", "usage": {"prompt_tokens": 1.5}})),
        (false, json!({"id": "a", "metadata": {"shared": "yes"}})),
        (false, json!({"id": "a", "created_at": "yesterday"})),
        (false, json!([])),
    ];
    for (expected, document) in rows {
        assert_eq!(validator.is_valid(&document), expected, "{document}");
        let text = document.to_string();
        assert_eq!(
            serde_json::from_str::<Session>(&text).is_ok(),
            expected,
            "{document}"
        );
    }
    // Read as another kind of part, as nothing should make a session unreadable, but not what the format says.
    assert!(!validator.is_valid(&part(json!({"type": "text", "text": 1}))));
}
