//! Salvage of records whose types ask for more than an id: what they need is given to each attempt, and what does not fit is found
//! beside it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use session_store::{Durability, SessionId, SessionRecord, SessionStore};

use crate::support::{Scratch, id};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chat {
    id: String,
    cwd: PathBuf,
    turns: Vec<String>,
    costs: Vec<u64>,
    #[serde(default)]
    a: Option<u64>,
    #[serde(default)]
    b: Option<u64>,
}

impl SessionRecord for Chat {
    const CAPPED: &'static [&'static str] = &["turns", "costs"];
    const DIRECTORY: &'static [&'static str] = &["cwd"];

    fn id(&self) -> &str {
        &self.id
    }

    fn set_id(&mut self, id: SessionId) {
        self.id = id.into();
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.cwd)
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// What is salvaged of a document.
fn salvaged(json: &str) -> (Chat, Vec<String>) {
    let scratch = Scratch::new();
    let store: SessionStore<Chat> = SessionStore::builder_as(scratch.sessions())
        .durability(Durability::Process)
        .open()
        .unwrap();
    std::fs::create_dir_all(scratch.sessions()).unwrap();
    std::fs::write(scratch.file("s.json"), json).unwrap();
    let report = store.salvage(&id("s")).unwrap().unwrap();
    let mut chat = store.load(&report.id).unwrap();
    assert_eq!(chat.id, report.id.as_str());
    "s".clone_into(&mut chat.id);
    (chat, report.refused)
}

fn chat(turns: &[&str], costs: &[u64], [a, b]: [Option<u64>; 2]) -> Chat {
    Chat {
        id: "s".to_owned(),
        cwd: "/w".into(),
        turns: turns.iter().map(|turn| (*turn).to_owned()).collect(),
        costs: costs.to_vec(),
        a,
        b,
    }
}

#[test]
fn elements_are_told_apart_where_the_record_needs_its_arrays() {
    let json = r#"{"id":"s","cwd":"/w","turns":["one",7,"two",[],"three"],"costs":[1,"x"]}"#;
    let (found, refused) = salvaged(json);
    assert_eq!(found, chat(&["one", "two", "three"], &[1], [None; 2]));
    assert_eq!(refused, ["turns[1]", "turns[3]", "costs[1]"]);
}

#[test]
fn an_array_that_is_gone_is_empty_where_the_record_needs_it() {
    for json in [
        r#"{"id":"s","cwd":"/w","turns":["one"],"co"#,
        r#"{"id":"s","cwd":"/w","turns":["one"],"costs":7}"#,
    ] {
        let (found, _) = salvaged(json);
        assert_eq!(found, chat(&["one"], &[], [None; 2]));
    }
    assert_eq!(
        salvaged(r#"{"id":"s","cwd":"/w","#).0,
        chat(&[], &[], [None; 2])
    );
}

#[test]
fn several_members_that_do_not_fit_are_found_among_some_that_are_needed() {
    let json = r#"{"a":"x","id":"s","b":[1],"cwd":"/w","turns":["one",2],"costs":[]}"#;
    let (found, refused) = salvaged(json);
    assert_eq!(found, chat(&["one"], &[], [None; 2]));
    assert_eq!(refused, ["a", "b", "turns[1]"]);
    let json = r#"{"a":"x","id":"s","b":1,"cwd":"/w","turns":["one",2],"costs":[]}"#;
    let (found, refused) = salvaged(json);
    assert_eq!(found, chat(&["one"], &[], [None, Some(1)]));
    assert_eq!(refused, ["a", "turns[1]"]);
}
