//! A canary that sings nowhere: no file of a store with a redactor has it, and no error says it.

use std::borrow::Cow;
use std::error::Error as _;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use session_store::{
    Append, ContentPart, Durability, Message, Query, RawJson, Redactor, Session, SessionStore,
    ToolUse,
};

use crate::support::{Scratch, id, session};

pub(crate) const CANARY: &str = "canary-7f3a9";
pub(crate) const INSTEAD: &str = "[gone]";

#[derive(Debug)]
pub(crate) struct Cat;

impl Redactor for Cat {
    fn redact<'t>(&self, path: &[&str], text: &'t str) -> Cow<'t, str> {
        assert!(!matches!(
            path,
            ["id" | "updated_at"] | ["metadata", "directory"]
        ));
        if text.contains(CANARY) {
            Cow::Owned(text.replace(CANARY, INSTEAD))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// The files below a directory that hold the canary, however its letters are spelled.
fn singing(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(singing(&path));
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace("\\u0063", "c");
        if text.contains(CANARY) {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}

pub(crate) fn everywhere() -> Session {
    let mut session = session("s", "/home/me/project", 3, 1).with_title(format!("on {CANARY}"));
    CANARY.clone_into(&mut session.agent);
    session.push(Message::user(format!(
        "\"{CANARY}\"\n\t{CANARY} ü {CANARY}"
    )));
    session.push(Message::tool("call", CANARY).with(ContentPart::tool_call(
        "call",
        "run",
        format!(r#"{{"key": "{CANARY}"}}"#),
    )));
    session.push_tool_use(ToolUse::succeeded(
        "u",
        "run",
        CANARY,
        format!("out {CANARY}"),
    ));
    // What the type does not know, at the top and inside, plain and with escapes.
    let raw = format!(
        r#"{{"a": [1, {{"b": "{CANARY}"}}, "\u0063{}", 123456789012345678901234567890]}}"#,
        &CANARY[1..]
    );
    let raw = RawJson::from_text(raw).unwrap();
    session.extra.insert("unknown", raw.clone());
    session.messages[0].extra.insert("more", raw);
    session
}

fn live(store: &SessionStore) {
    let session = everywhere();
    store.save(&session).unwrap();
    store.overwrite(&session).unwrap();
    let say = || {
        Append::new()
            .message(&Message::assistant(format!("it is {CANARY}")))
            .unwrap()
    };
    store.append(&session.id, &say()).unwrap();
    let append = say().member("title", CANARY).unwrap();
    store.append(&session.id, &append).unwrap();
    store.list(&Query::new()).unwrap();
    store.list(&Query::new()).unwrap();
}

#[test]
fn no_file_of_a_store_with_a_redactor_has_what_it_replaces() {
    let places = |redactor: bool| {
        let scratch = Scratch::new();
        let builder = SessionStore::builder(scratch.sessions()).durability(Durability::Process);
        let builder = if redactor {
            builder.redactor(Cat)
        } else {
            builder
        };
        let store = builder.open().unwrap();
        live(&store);
        let mut found = singing(scratch.path());
        let mut writer = store.writer(&id("s")).unwrap();
        let say = Append::new().message(&Message::user(CANARY)).unwrap();
        writer.append_all([&say, &say]).unwrap();
        found.extend(singing(scratch.path()));
        writer.close().unwrap();
        found.extend(singing(scratch.path()));
        store.trash(&id("s")).unwrap();
        found.extend(singing(scratch.path()));
        found
    };
    // Without one, it is in every kind of file: the test would see it. A catalogue has only what a listing reads there.
    let found = places(false);
    for kind in ["s.json", "s.journal", "/trash/"] {
        let has = found.iter().any(|path| path.contains(kind));
        assert!(has, "not in {kind}: {found:?}");
    }
    assert_eq!(places(true), [""; 0]);
}

#[test]
fn what_is_not_replaced_stays_as_it_was_and_a_second_save_changes_nothing() {
    let scratch = Scratch::new();
    let builder = SessionStore::builder(scratch.sessions()).redactor(Cat);
    let store = builder.open().unwrap();
    let session = everywhere();
    store.save(&session).unwrap();
    let once = fs::read(store.path(&session.id)).unwrap();
    let expected = serde_json::to_string(&session).unwrap();
    let expected = expected.replace("\\u0063", "c").replace(CANARY, INSTEAD);
    let expected: Session = serde_json::from_str(&expected).unwrap();
    let loaded = store.load(&session.id).unwrap();
    assert_eq!(loaded, expected);
    store.save(&loaded).unwrap();
    assert_eq!(fs::read(store.path(&session.id)).unwrap(), once);
    // The numbers that only text can hold are as they were.
    assert!(
        String::from_utf8(once)
            .unwrap()
            .contains("123456789012345678901234567890")
    );
}

#[test]
fn errors_do_not_say_what_is_in_a_session() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&everywhere()).unwrap();
    let mut errors = Vec::new();
    let shapes = [
        format!(r#"{{"id": "{CANARY}"}}"#),
        format!(r#"{{"id": "bad", "messages": "{CANARY}"}}"#),
        format!(r#"{{"id": "bad", "messages": [{{"role": "{CANARY}""#),
        format!(r#"{{"id": "bad", "updated_at": "{CANARY}"}}"#),
        format!(r#"{{"id": "bad", "usage": {{"prompt_tokens": "{CANARY}"}}}}"#),
    ];
    for json in shapes {
        scratch.write("bad.json", json);
        errors.extend(store.load(&id("bad")).err());
        let append = Append::new().message(&Message::user(CANARY)).unwrap();
        errors.extend(store.append(&id("bad"), &append).err());
        let listing = store.list(&Query::new()).unwrap();
        let skipped = listing.skipped.iter().map(|skipped| format!("{skipped:?}"));
        skipped.for_each(|skipped| assert!(!skipped.contains(CANARY), "{skipped}"));
    }
    for member in [
        "usage",
        "updated_at",
        "id",
        "messages",
        "metadata",
        "tool_uses",
    ] {
        let append = Append::new().member(member, CANARY).unwrap();
        errors.extend(store.append(&id("s"), &append).err());
    }
    let wrong = Append::new().element("messages", CANARY).unwrap();
    errors.extend(store.append(&id("s"), &wrong).err());
    errors.extend(store.save(&session("s", CANARY, 1, 1)).err());
    assert!(errors.len() > 12, "{} errors", errors.len());
    for error in errors {
        let mut said = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(error) = source {
            write!(said, " {error} {error:?}").unwrap();
            source = error.source();
        }
        assert!(!said.contains(CANARY), "{said}");
    }
}
