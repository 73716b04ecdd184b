//! Keys and passwords that tools print, kept out of every file: a redactor with a set of patterns.
//!
//! `cargo run --example redact`
//!
//! The patterns are a beginning, not a promise: they know the shapes that providers give their keys, and what is called a
//! password where it stands. What has no shape, no pattern finds.

#![expect(clippy::print_stdout, reason = "an example reports to its reader")]

use std::borrow::Cow;
use std::error::Error;
use std::fs;

use regex::Regex;
use session_store::{Message, Redactor, Session, SessionId, SessionStore};

/// What is written instead; no pattern matches it, so that redacting twice changes nothing more.
const INSTEAD: &str = "${keep}[redacted]";

/// What is taken for a secret. What `keep` matches stays.
const PATTERNS: [&str; 8] = [
    // Key ids of AWS.
    r"(?<keep>)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    // Tokens of GitHub, old and fine-grained.
    r"(?<keep>)\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{22,})",
    // Keys of model providers.
    r"(?<keep>)\bsk-[0-9A-Za-z_-]{20,}",
    // Tokens of Slack.
    r"(?<keep>)\bxox[abeprs]-[0-9A-Za-z-]{10,}",
    // Signed web tokens.
    r"(?<keep>)\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}",
    // Private keys.
    r"(?<keep>)-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    // Headers.
    r"(?<keep>(?i)\bauthorization:\s*(?:bearer|basic|token)\s+)[0-9A-Za-z._~+/=-]{8,}",
    // Assignments, in shells, configuration files and JSON.
    r#"(?<keep>(?i)\b[0-9a-z_.-]*(?:passw(?:or)?d|secret|token|api_?key)["']?\s*[=:]\s*["']?)[^\s"'\[\]{},;&]{6,}"#,
];

#[derive(Debug)]
struct Patterns(Vec<Regex>);

impl Patterns {
    fn new() -> Result<Self, regex::Error> {
        let patterns = PATTERNS.iter().map(|pattern| Regex::new(pattern));
        Ok(Self(patterns.collect::<Result<_, _>>()?))
    }
}

impl Redactor for Patterns {
    fn redact<'t>(&self, path: &[&str], text: &'t str) -> Cow<'t, str> {
        // Pictures are long and hold no words.
        if path == ["messages", "content", "url"] {
            return Cow::Borrowed(text);
        }
        self.0.iter().fold(Cow::Borrowed(text), |text, pattern| {
            match pattern.replace_all(&text, INSTEAD) {
                Cow::Borrowed(_) => text,
                Cow::Owned(changed) => Cow::Owned(changed),
            }
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let patterns = Patterns::new()?;
    let printed = "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nDB_PASSWORD=hunter2hunter2\nDEBUG=1";
    let once = patterns.redact(&["messages", "content", "content"], printed);
    assert_eq!(
        once,
        "AWS_ACCESS_KEY_ID=[redacted]\nDB_PASSWORD=[redacted]\nDEBUG=1"
    );
    assert_eq!(patterns.redact(&["title"], &once), once);

    let scratch = tempfile::tempdir()?;
    let store = SessionStore::builder(scratch.path().join("sessions"))
        .redactor(Patterns::new()?)
        .open()?;
    let mut session = Session::new(SessionId::new("env")?, "/home/me/project");
    session.push(Message::user("What is in my environment?"));
    session.push(Message::tool("call-1", printed));
    store.save(&session)?;

    let file = fs::read_to_string(store.path(&session.id))?;
    assert!(!file.contains("AKIA") && !file.contains("hunter2"));
    assert!(file.contains("DEBUG=1"));
    println!("{file}");
    Ok(())
}
