//! Transcripts of Claude Code.

use session_store::{ContentPart, RawJson, Role};

use super::{import, oracle, shown};

const TRANSCRIPT: &str = include_str!("../../fixtures/imports/claude-code.jsonl");

#[test]
fn each_line_of_a_speaker_becomes_a_message() {
    let imported = import("claude-code", TRANSCRIPT.as_bytes());
    let expected = [
        "user: text Why do the tests take so long?",
        "assistant: thought A sleep, perhaps.",
        r#"assistant: call toolu_1 Grep {"pattern":"sleep","limit":12345678901234567890123}"#,
        "tool: result toolu_1 tests/it/wait.rs: sleep(5)",
        concat!(
            "user: result toolu_2 not\nfound | text and look here | image data:image/png;base64,AAAA | ",
            r#"other {"type":"document","source":{"type":"text","data":"whole page"}}"#
        ),
        "system: text Conversation compacted",
        "assistant: text It sleeps.",
    ];
    assert_eq!(shown(&imported), expected);
    assert_eq!(imported.report.glued, 1);
}

#[test]
fn the_head_is_that_of_the_transcript_and_an_answer_is_counted_once() {
    let session = import("claude-code", TRANSCRIPT.as_bytes()).session;
    assert_eq!(session.id, "0d9e-claude");
    assert_eq!(session.title.as_deref(), Some("Slow tests"));
    assert_eq!(session.directory(), Some("/home/me/app".as_ref()));
    // Not that of the answer which the program made up itself.
    assert_eq!(session.metadata.model.as_deref(), Some("model-c"));
    let usage = &session.usage;
    // msg_1 stands in two lines: 2 + 100 + 900 and 57 tokens, then msg_2 with 10 and 5.
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (1012, 62));
    assert_eq!(usage.cache_read_tokens, Some(900));
    assert_eq!(usage.cache_write_tokens, Some(100));
}

#[test]
fn what_has_no_place_in_a_message_stays_beside_it() {
    let imported = import("claude-code", TRANSCRIPT.as_bytes());
    let session = &imported.session;
    let member = |at: usize, name: &str| session.messages[at].extra.get(name).map(RawJson::get);
    assert_eq!(member(3, "toolUseResult"), Some(r#"{"numFiles":1}"#));
    assert_eq!(member(6, "isSidechain"), Some("true"));
    let ContentPart::ToolResult { extra, .. } = &session.messages[4].content[0] else {
        panic!("not a result");
    };
    assert_eq!(extra.get("is_error").map(RawJson::get), Some("true"));
    assert_eq!(
        extra.get("blocks").map(RawJson::get),
        Some(r#"[{"type":"text","text":"not"},{"type":"text","text":"found"}]"#)
    );
    assert_eq!(session.messages[3].role, Role::Tool);
    assert_eq!(
        member(3, "message"),
        Some(r#"{"role":"user"}"#),
        "the role it had"
    );
    let kept: Vec<&str> = imported.report.kept.keys().map(String::as_str).collect();
    assert_eq!(
        kept,
        [
            "file-history-snapshot",
            "pr-link",
            "progress",
            "queue-operation",
            "summary"
        ]
    );
    assert_eq!(imported.report.kept_total(), 5);
    oracle::assert_kept(&oracle::objects(TRANSCRIPT).0, session);
}

#[test]
fn a_file_of_an_agent_below_another_gets_an_id_of_its_own() {
    let line = r#"{"sessionId":"s","agentId":"a1","isSidechain":true,"type":"user","message":{"role":"user","content":"go"},"uuid":"u"}"#;
    assert_eq!(
        import("claude-code", line.as_bytes()).session.id,
        "s-agent-a1"
    );
}
