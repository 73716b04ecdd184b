//! Real transcripts, where they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use session_store::transcripts::{BrokenReason, Exporter, HtmlPage, JsonDocument, Markdown};
use session_store::{Session, Window};

use super::{import, oracle};
use crate::support::{Scratch, corpora};

fn files(name: &str) -> Vec<PathBuf> {
    let Some(corpora) = corpora() else {
        return Vec::new();
    };
    let entries = fs::read_dir(corpora.join("sessions").join(name)).unwrap();
    let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    files
}

/// Saves a session and reads it back, whole and in part, and passes it through every export.
fn check_session(session: &Session, path: &Path) {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(session).unwrap();
    assert_eq!(
        &store.load(&session.id).unwrap(),
        session,
        "{}",
        path.display()
    );
    let tail = store.load_tail(&session.id, Window::last(3)).unwrap();
    let last = session.messages.len().saturating_sub(3);
    assert_eq!(
        tail.messages,
        session.messages[last..],
        "{}",
        path.display()
    );

    for json in [JsonDocument::new(), JsonDocument::pretty()] {
        let mut written = Vec::new();
        json.write(session, &mut written).unwrap();
        let back = import("codetether", &written);
        assert_eq!(&back.session, session, "{}", path.display());
    }
    let mut page = Vec::new();
    HtmlPage::new().write(session, &mut page).unwrap();
    super::html::assert_inert(&String::from_utf8(page).unwrap(), session);
    let mut text = Vec::new();
    Markdown::new().write(session, &mut text).unwrap();
    let headings = String::from_utf8(text).unwrap();
    let headings = headings.lines().filter(|line| line.starts_with("## "));
    // Code blocks may hold lines like headings, so there are at least as many.
    assert!(
        headings.count() >= session.messages.len(),
        "{}",
        path.display()
    );
}

fn check_lines(format: &str, count: fn(&[Value]) -> usize) {
    for path in files(format) {
        let text = fs::read_to_string(&path).unwrap();
        let (objects, broken) = oracle::objects(&text);
        let imported = import(format, text.as_bytes());
        let report = &imported.report;
        assert_eq!(report.records, objects.len() as u64, "{}", path.display());
        assert_eq!(
            report.messages,
            count(&objects) as u64,
            "{}",
            path.display()
        );
        assert_eq!(report.broken.len(), broken, "{}", path.display());
        oracle::assert_kept(&objects, &imported.session);
        check_session(&imported.session, &path);
    }
}

#[test]
fn every_rollout_of_codex_is_read_whole() {
    check_lines("codex", oracle::codex);
}

#[test]
fn every_transcript_of_claude_code_is_read_whole() {
    check_lines("claude-code", oracle::claude);
}

#[test]
fn every_chat_of_gemini_is_read_whole() {
    for path in files("gemini-cli") {
        let text = fs::read_to_string(&path).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let messages = document["messages"].as_array().unwrap();
        let imported = import("gemini-cli", text.as_bytes());
        assert_eq!(
            imported.session.messages.len(),
            oracle::gemini(messages),
            "{}",
            path.display()
        );
        oracle::assert_kept(std::slice::from_ref(&document), &imported.session);
        check_session(&imported.session, &path);

        // Cut anywhere, it is read up to there.
        for eighth in 2..8 {
            let mut end = text.len() * eighth / 8;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let cut = import("gemini-cli", &text.as_bytes()[..end]);
            assert_eq!(cut.report.broken[0].reason, BrokenReason::Truncated);
            assert!(cut.session.messages.len() < imported.session.messages.len());
        }
    }
}

#[test]
fn every_session_of_codetether_is_read_equal() {
    for path in files("codetether") {
        let bytes = fs::read(&path).unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        // The older layout as it is, and the compact one.
        let compact = serde_json::to_vec(&serde_json::from_slice::<Session>(&bytes).unwrap());
        for layout in [bytes, compact.unwrap()] {
            let imported = import("codetether", &layout);
            let messages = document["messages"].as_array().unwrap().len();
            assert_eq!(
                imported.session.messages.len(),
                messages,
                "{}",
                path.display()
            );
            let value = serde_json::to_value(&imported.session).unwrap();
            assert_eq!(value, document, "{}", path.display());
            check_session(&imported.session, &path);
        }
    }
}
