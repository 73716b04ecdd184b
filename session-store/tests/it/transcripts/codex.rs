//! Rollouts of the Codex CLI.

use session_store::transcripts::BrokenReason;
use session_store::{RawJson, Role};

use super::{import, oracle, shown};

const ROLLOUT: &str = include_str!("../../fixtures/imports/codex.jsonl");

#[test]
fn each_item_becomes_a_message() {
    let imported = import("codex", ROLLOUT.as_bytes());
    let expected = [
        "user: text Why is it slow? | image data:image/png;base64,AAAA",
        "assistant: thought **Looking**",
        r#"assistant: call call_1 shell {"command":["ls"]}"#,
        "tool: result call_1 Cargo.toml\nsrc\n",
        r#"assistant: call call_2 apply_patch {"input":"*** Begin Patch \"quoted\""}"#,
        "tool: result call_2 applied",
        r#"assistant: call  web_search {"type":"search","query":"fast json"}"#,
        // No item says it, so the event does.
        "assistant: text Only the screen was told this.",
        "system: text They asked why it is slow.",
        // It was written into a line that a crash had cut.
        "assistant: text It waits for the disk.",
    ];
    assert_eq!(shown(&imported), expected);
}

#[test]
fn the_head_is_that_of_the_rollout() {
    let session = import("codex", ROLLOUT.as_bytes()).session;
    assert_eq!(session.id, "019a-rollout");
    assert_eq!(session.agent, "codex");
    assert_eq!(session.directory(), Some("/home/me/app".as_ref()));
    assert_eq!(session.metadata.model.as_deref(), Some("model-a"));
    assert_eq!(
        session.created_at,
        Some("2026-03-01T09:59:59Z".parse().unwrap())
    );
    assert_eq!(
        session.updated_at,
        Some("2026-03-01T10:00:12Z".parse().unwrap())
    );
    let usage = &session.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (1200, 34));
    assert_eq!(
        (usage.total_tokens, usage.cache_read_tokens),
        (1234, Some(1000))
    );
}

#[test]
fn what_is_no_message_is_kept_where_it_stood_and_counted() {
    let imported = import("codex", ROLLOUT.as_bytes());
    let report = &imported.report;
    let kept: Vec<(&str, u64)> = report
        .kept
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(
        kept,
        [
            ("broken", 3),
            ("event_msg/agent_message", 1),
            ("event_msg/agent_reasoning", 1),
            ("event_msg/token_count", 1),
            ("event_msg/turn_aborted", 1),
            ("event_msg/user_message", 1),
            ("response_item/ghost_snapshot", 1),
            ("session_meta", 1),
            ("turn_context", 1),
        ]
    );
    assert_eq!((report.glued, report.unread_times), (1, 1));
    let broken: Vec<(u64, u64)> = report.broken.iter().map(|b| (b.line, b.offset)).collect();
    assert_eq!(broken, [(15, 0), (16, 0), (18, 0)]);
    assert!(
        report
            .broken
            .iter()
            .all(|b| b.reason == BrokenReason::NotARecord)
    );

    let session = &imported.session;
    let before = |at: usize| session.messages[at].extra.get("records_before");
    let first = before(0).map(RawJson::get).unwrap();
    // To the digit, where a number of JSON's is more than any of ours.
    assert!(first.contains(r#""big":340282366920938463463374607431768211456"#));
    let last = before(9).map(RawJson::get).unwrap();
    assert!(last.contains("ghost_snapshot") && last.contains(r#"{\"type\":\"mess"#));
    let after = session
        .extra
        .get("records_after")
        .map(RawJson::get)
        .unwrap();
    assert!(after.contains("not a record at all"));
    assert!(after.contains("turn_aborted") && after.contains(r#""payl"#));
    oracle::assert_kept(&oracle::objects(ROLLOUT).0, session);
}

#[test]
fn rollouts_of_the_first_months_have_no_envelope() {
    let old = concat!(
        r#"{"id":"old-1","timestamp":"2025-05-07T17:24:21Z","instructions":"be brief"}"#,
        "\n",
        r#"{"record_type":"state"}"#,
        "\n",
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}],"role_note":1}"#,
        "\n",
        r#"{"type":"function_call","name":"shell","arguments":"{}","call_id":"c"}"#,
        "\n",
    );
    let imported = import("codex", old.as_bytes());
    assert_eq!(
        shown(&imported),
        ["user: text hello", "assistant: call c shell {}"]
    );
    assert_eq!(imported.session.id, "old-1");
    assert_eq!(imported.session.messages[0].role, Role::User);
    oracle::assert_kept(&oracle::objects(old).0, &imported.session);
}

#[test]
fn an_id_that_is_none_is_made_one_and_remembered() {
    let line = r#"{"timestamp":"2026-03-01T10:00:00Z","type":"session_meta","payload":{"id":"../../etc/passwd"}}"#;
    let imported = import("codex", line.as_bytes());
    assert_eq!(imported.session.id, "etc-passwd");
    let note = imported.session.extra.get("imported").unwrap();
    assert_eq!(note.get(), r#"{"format":"codex","id":"../../etc/passwd"}"#);
}
