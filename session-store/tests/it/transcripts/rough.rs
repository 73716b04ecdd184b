//! Input that no program wrote on purpose.

use std::io::{self, BufReader, Read};

use proptest::prelude::*;
use serde_json::Value;
use session_store::Session;
use session_store::transcripts::{self, BrokenReason, ImportError, Input, importers};

use super::oracle;
use crate::support::Scratch;

const SOURCES: [&str; 4] = [
    include_str!("../../fixtures/imports/codex.jsonl"),
    include_str!("../../fixtures/imports/claude-code.jsonl"),
    include_str!("../../fixtures/imports/gemini-cli.json"),
    include_str!("../../fixtures/imports/gemini-cli.jsonl"),
];

#[test]
fn a_record_that_is_too_long_is_reported_and_the_rest_is_read() {
    let long = "x".repeat(1000);
    let line = |text: &str| {
        format!(
            r#"{{"type":"user","sessionId":"s","uuid":"u","message":{{"role":"user","content":"{text}"}}}}"#
        )
    };
    let text = [line("first"), line(&long), line("last")].join("\n");
    let input = Input::new(text.as_bytes()).max_record(500);
    let imported = transcripts::import(input).unwrap();
    assert_eq!(imported.session.messages.len(), 2);
    assert_eq!(imported.report.broken.len(), 1);
    assert_eq!(imported.report.broken[0].line, 2);
    assert_eq!(imported.report.broken[0].reason, BrokenReason::TooLong);
}

#[test]
fn what_is_nested_deeper_than_a_store_takes_is_kept_as_text() {
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let text = format!(
        concat!(
            r#"{{"type":"user","sessionId":"s","uuid":"u","deep":{0},"message":{{"role":"user","content":[{0},1.5,7]}}}}"#,
            "\n",
            r#"{{"type":"progress","sessionId":"s","data":{0}}}"#
        ),
        deep
    );
    let session = transcripts::import(Input::new(text.as_bytes()))
        .unwrap()
        .session;
    let scratch = Scratch::new();
    scratch.store().save(&session).unwrap();
    let loaded = scratch.store().load(&session.id).unwrap();
    let json = serde_json::to_string(&loaded).unwrap();
    assert_eq!(json.matches(&deep).count(), 3);
    assert!(json.contains("1.5"));
}

#[test]
fn what_no_format_knows_is_refused() {
    for text in ["", "\n\n", "[1,2]", "hello", r#"{"a":1}"#, "\u{0}\u{1}"] {
        let error = transcripts::import(Input::new(text.as_bytes())).unwrap_err();
        assert!(matches!(error, ImportError::Unrecognised), "{text:?}");
    }
    // A format that was asked for by name refuses what holds no record.
    for importer in importers() {
        assert!(importer.read(Input::new(&b""[..])).is_err());
        assert!(importer.read(Input::new(&b"hello\n"[..])).is_err());
    }
}

#[test]
fn an_input_that_fails_fails_the_import() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    for importer in importers() {
        let head = BufReader::new(SOURCES[2].as_bytes()[..200].chain(Fails));
        let error = importer.read(Input::new(head)).unwrap_err();
        assert!(matches!(error, ImportError::Io(_)), "{}", importer.name());
    }
}

#[test]
fn a_session_without_an_id_is_named_after_its_file() {
    let line =
        r#"{"type":"response_item","payload":{"type":"message","role":"user","content":"a"}}"#;
    let input = Input::new(line.as_bytes()).named("/tmp/my rollout.jsonl");
    assert_eq!(transcripts::import(input).unwrap().session.id, "my-rollout");
    let input = Input::new(line.as_bytes());
    assert_eq!(transcripts::import(input).unwrap().session.id, "imported");
}

/// One change to a text at a place that is given in thousandths.
#[derive(Clone, Debug)]
enum Change {
    Cut(usize),
    Join(usize),
    Byte(usize, u8),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0..1000_usize;
    prop_oneof![
        place.clone().prop_map(Change::Cut),
        place.clone().prop_map(Change::Join),
        (place.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (place.clone(), place).prop_map(|(at, to)| Change::Repeat(at, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let place = |thousandth: usize, len: usize| thousandth * len / 1000;
    let len = bytes.len();
    match change {
        Change::Cut(at) => bytes.truncate(place(*at, len)),
        Change::Join(at) => {
            let at = place(*at, len);
            if let Some(feed) = bytes[at..].iter().position(|byte| *byte == b'\n') {
                bytes.remove(at + feed);
            }
        }
        Change::Byte(at, byte) => {
            if let Some(old) = bytes.get_mut(place(*at, len)) {
                *old = *byte;
            }
        }
        Change::Repeat(from, to) => {
            let (from, to) = (place(*from, len), place(*to, len));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever happened to the file: what is left of its records is in the session, and the session can be kept.
    #[test]
    fn damage_loses_nothing_that_is_whole(
        source in 0..SOURCES.len(),
        changes in proptest::collection::vec(change(), 1..4),
    ) {
        let mut bytes = SOURCES[source].as_bytes().to_vec();
        for change in &changes {
            apply(&mut bytes, change);
        }
        for importer in importers() {
            let Ok(imported) = importer.read(Input::new(bytes.as_slice())) else {
                continue;
            };
            let session = imported.session;
            let json = serde_json::to_string(&session).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Session>(&json).unwrap(), &session);
            if let (0 | 1 | 3, Ok(text)) = (source, std::str::from_utf8(&bytes)) {
                let lines: Vec<Value> = text
                    .lines()
                    .filter_map(|line| serde_json::from_str(line).ok())
                    .filter(Value::is_object)
                    .collect();
                if importer.name() == session.agent.as_str() {
                    oracle::assert_kept(&lines, &session);
                }
            }
        }
    }
}
