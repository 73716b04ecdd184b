//! Chats of the Gemini CLI.

use serde_json::Value;
use session_store::RawJson;
use session_store::transcripts::BrokenReason;

use super::{import, oracle, shown};

const DOCUMENT: &str = include_str!("../../fixtures/imports/gemini-cli.json");
const LOG: &str = include_str!("../../fixtures/imports/gemini-cli.jsonl");

#[test]
fn an_answer_becomes_a_message_and_its_results_another() {
    let imported = import("gemini-cli", DOCUMENT.as_bytes());
    let expected = [
        "user: text Write a poem | image data:image/png;base64,AAAA",
        r#"assistant: thought It should rhyme. | text I will. | call w1 write_file {"file_path":"poem.md"}"#,
        "tool: result w1 written",
        "info: text An update is there.",
        "assistant: text Done. | call r1 read_file {}",
        r#"tool: result r1 [{"functionResponse":{"id":"r1","name":"read_file","response":{"error":"denied"}}}]"#,
    ];
    assert_eq!(shown(&imported), expected);
    let session = &imported.session;
    assert_eq!(session.id, "f763-gemini");
    assert_eq!(session.metadata.model.as_deref(), Some("model-g"));
    let usage = &session.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (210, 27));
    assert_eq!(
        (usage.total_tokens, usage.cache_read_tokens),
        (237, Some(150))
    );
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    oracle::assert_kept(&[document], session);
}

#[test]
fn a_document_that_is_cut_is_read_up_to_there() {
    let end = DOCUMENT.find(r#"{"id": "m4""#).unwrap() + 40;
    let imported = import("gemini-cli", &DOCUMENT.as_bytes()[..end]);
    assert_eq!(imported.session.messages.len(), 4);
    assert_eq!(imported.report.broken.len(), 1);
    assert_eq!(imported.report.broken[0].reason, BrokenReason::Truncated);
    assert_eq!(imported.report.broken[0].line, 10);
    assert!(!imported.report.is_complete());
}

#[test]
fn a_log_is_replayed_and_keeps_what_it_took_back() {
    let imported = import("gemini-cli", LOG.as_bytes());
    let expected = [
        "user: text Write a poem",
        "gemini: text I will.",
        "user: text Only in the patch",
        "gemini: text Roses",
        "user: text Thanks",
    ]
    .map(|line| line.replace("gemini:", "assistant:"));
    assert_eq!(shown(&imported), expected);
    let report = &imported.report;
    let kept: Vec<(&str, u64)> = report
        .kept
        .iter()
        .map(|(kind, count)| (kind.as_str(), *count))
        .collect();
    assert_eq!(
        kept,
        [
            ("$rewindTo", 1),
            ("$set", 1),
            ("broken", 1),
            ("metadata", 1),
            ("rewound", 1),
            ("superseded", 1)
        ]
    );
    assert_eq!((report.glued, report.broken[0].line), (1, 9));
    let session = &imported.session;
    assert_eq!(session.title.as_deref(), Some("Poems"));
    assert_eq!(session.directory(), Some("/home/me/poems".as_ref()));
    let before = session.messages[2].extra.get("records_before");
    assert!(before.map(RawJson::get).unwrap().contains("No, a novel"));
    oracle::assert_kept(&oracle::objects(LOG).0, session);
}
