//! What decoding a message costs in allocations: one for each string it keeps, one for its list of
//! parts, and nothing besides.

use allocation_counter::measure;
use session_model::{LazySession, Message, Session, ToolUse};

/// Returns how many allocations decoding takes, beyond those of the deserialiser itself.
fn count<T: serde::de::DeserializeOwned>(json: &str) -> u64 {
    let taken = measure(|| {
        serde_json::from_str::<T>(json).expect("a value");
    });
    taken.count_total
}

#[test]
fn a_message_costs_its_strings_and_its_list() {
    for (parts, strings) in [
        (r#"{"type":"text","text":"hi"}"#, 1),
        (r#"{"type":"thinking","text":"hm","signature":"s"}"#, 2),
        (
            r#"{"type":"tool_call","id":"1","name":"run","arguments":"{}"}"#,
            3,
        ),
        (
            r#"{"type":"tool_result","tool_call_id":"1","content":"done"}"#,
            2,
        ),
        (r#"{"type":"image","url":"u","mime_type":"image/png"}"#, 2),
    ] {
        let json = format!(r#"{{"role":"user","content":[{parts}]}}"#);
        let found = count::<Message>(&json);
        assert_eq!(found, strings + 1, "{json}");
    }
    let tool_use = r#"{"id":"1","name":"run","input":"a","output":"b","success":true}"#;
    assert_eq!(count::<ToolUse>(tool_use), 4);
}

#[test]
fn a_session_costs_what_its_messages_do() {
    let message = r#"{"role":"assistant","content":[{"type":"text","text":"hi"}]}"#;
    let session = |count| {
        format!(
            r#"{{"id":"a","messages":[{}]}}"#,
            vec![message; count].join(",")
        )
    };
    let many = count::<Session>(&session(1024)) - count::<Session>(&session(512));
    assert_eq!(
        many,
        512 * 2 + 1,
        "each its text and its list; and the messages' list grew once"
    );
    let lazy = count::<LazySession>(&session(1024)) - count::<LazySession>(&session(512));
    assert_eq!(lazy, 512 + 1, "each its text");
}
