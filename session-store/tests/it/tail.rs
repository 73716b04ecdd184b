//! Windows: equal to decoding everything and keeping the end, for every window and layout.

use proptest::prelude::*;
use session_model::testing::{Generator, Layout, Shape};
use session_store::{
    Append, Error, FooterUse, Message, RawJson, Session, SessionStore, ToolUse, Window,
};

use crate::support::{Scratch, id, session, transcripts};

/// Decodes everything, then keeps the last `n` elements of each capped array.
fn naive(json: &[u8], n: usize) -> (Session, u64, u64) {
    let mut session: Session = serde_json::from_slice(json).expect("a session");
    let messages = session.messages.len().saturating_sub(n);
    let tool_uses = session.tool_uses.len().saturating_sub(n);
    session.messages.drain(..messages);
    session.tool_uses.drain(..tool_uses);
    (session, messages as u64, tool_uses as u64)
}

fn check(json: &[u8], windows: impl IntoIterator<Item = usize>) {
    let whole: Session = serde_json::from_slice(json).expect("a session");
    let scratch = Scratch::new();
    let store = scratch.store();
    scratch.write(&format!("{}.json", whole.id), json);
    for n in windows {
        let tail = store.load_tail(&whole.id, Window::last(n)).expect("a tail");
        let (expected, messages, tool_uses) = naive(json, n);
        assert_eq!(*tail, expected, "window of {n}");
        assert_eq!(tail.dropped().get("messages"), messages, "window of {n}");
        assert_eq!(tail.dropped().get("tool_uses"), tool_uses, "window of {n}");
        assert_eq!(
            tail.dropped().total(),
            messages + tool_uses,
            "window of {n}"
        );
        assert_eq!(tail.file_bytes(), json.len() as u64);
    }
    assert_eq!(
        *store.load_tail(&whole.id, Window::all()).expect("a tail"),
        whole
    );
}

#[test]
fn every_window_of_every_transcript_equals_the_end_of_the_whole() {
    for (_, json) in transcripts() {
        let messages = serde_json::from_slice::<Session>(&json)
            .unwrap()
            .messages
            .len();
        // Every window of short sessions; of long ones, both ends and some between.
        let step = (messages / 12).max(1);
        let windows = (0..=messages + 1).filter(|n| n % step == 0 || *n < 3 || *n + 3 > messages);
        check(&json, windows);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        check(
            &serde_json::to_vec(&value).unwrap(),
            [0, 1, messages / 2, messages, messages + 1],
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_window_of_generated_sessions_equals_the_end_of_the_whole(
        seed in any::<u64>(),
        bytes in 1_000..60_000_u64,
        pretty in any::<bool>(),
        shape in 0..5_usize,
    ) {
        let shape = [Shape::Realistic, Shape::TinyMessages, Shape::EscapeDense, Shape::Base64Images, Shape::Cjk][shape];
        let layout = if pretty { Layout::OlderPretty } else { Layout::Compact };
        let mut json = Vec::new();
        Generator::new(seed).bytes(bytes).shape(shape).layout(layout).write_to(&mut json).unwrap();
        let messages = serde_json::from_slice::<Session>(&json).unwrap().messages.len();
        let step = (messages / 16).max(1);
        check(&json, (0..=messages + 1).filter(|n| n % step == 0 || *n + 2 > messages));
    }
}

#[test]
fn a_fork_is_a_session_of_its_own_without_mirrors_that_do_not_fit() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut history = session("s", "/work", 5, 1);
    history.extra.insert(
        "pages",
        RawJson::from_text("[1,2,3,4,5]".to_owned()).unwrap(),
    );
    history
        .extra
        .insert("other", RawJson::from_text("[1]".to_owned()).unwrap());
    store.save(&history).unwrap();

    let whole = store
        .load_tail(&history.id, Window::last(5))
        .unwrap()
        .into_fork(id("whole"));
    assert!(whole.extra.get("pages").is_some());
    let fork = store
        .load_tail(&history.id, Window::last(2))
        .unwrap()
        .into_fork(id("fork"));
    assert_eq!((fork.id.as_str(), fork.messages.len()), ("fork", 2));
    assert!(fork.extra.get("pages").is_none() && fork.extra.get("other").is_some());
    store.save(&fork).unwrap();
    assert_eq!(store.load(&fork.id).unwrap(), fork);
    assert_eq!(store.load(&history.id).unwrap(), history);
}

#[test]
fn a_damaged_element_outside_the_window_does_not_stop_a_resume() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let text = serde_json::to_string(&session("s", "/work", 5, 1)).unwrap();
    scratch.write(
        "s.json",
        text.replacen(r#""role":"user""#, r#""role":5"#, 1),
    );
    assert!(store.load(&id("s")).unwrap_err().is_corrupt());
    let tail = store.load_tail(&id("s"), Window::last(2)).unwrap();
    assert_eq!(tail.dropped().total(), 3);
    store
        .append(
            &tail.id,
            &Append::new()
                .based_on(tail.revision())
                .message(&Message::user("on"))
                .unwrap(),
        )
        .unwrap();
    assert_eq!(
        store.load_tail(&id("s"), Window::last(1)).unwrap().messages,
        [Message::user("on")]
    );
}

#[test]
fn windows_and_pages_of_saved_sessions_are_read_by_their_footer() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let history = session("s", "/work", 300, 1);
    let revision = store.save(&history).unwrap();
    let tail = store.load_tail(&history.id, Window::last(3)).unwrap();
    assert_eq!(
        (tail.footer(), tail.revision()),
        (FooterUse::Used, revision)
    );
    assert_eq!(tail.messages, history.messages[297..]);
    let page = store.load_page(&history.id, "messages", 100..110).unwrap();
    assert_eq!(page.messages, history.messages[100..110]);
    assert_eq!((page.range(), page.count()), (100..110, 300));
    assert_eq!(
        (page.footer(), page.revision()),
        (FooterUse::Used, revision)
    );
    let past = store.load_page(&history.id, "messages", 295..999).unwrap();
    assert_eq!((past.range(), past.messages.len()), (295..300, 5));
    assert!(
        store
            .load_page(&history.id, "usage", 0..1)
            .unwrap_err()
            .is_refused()
    );
    // A footer goes with the document it describes: appended to, it has a new one.
    let turn = Append::new().message(&Message::user("on")).unwrap();
    let appended = store.append(&history.id, &turn).unwrap();
    let tail = store.load_tail(&history.id, Window::last(200)).unwrap();
    assert_eq!(
        (tail.footer(), tail.revision()),
        (FooterUse::Used, appended)
    );
    let page = store.load_page(&history.id, "messages", 299..999).unwrap();
    assert_eq!((page.range(), page.revision()), (299..301, appended));
    assert!(store.checkpoint(&history.id).unwrap());
    let tail = store.load_tail(&history.id, Window::last(1)).unwrap();
    assert_eq!(tail.footer(), FooterUse::Used);
    assert_eq!(tail.messages, [Message::user("on")]);
    assert_eq!(store.load(&history.id).unwrap().messages.len(), 301);
}

#[test]
fn a_page_is_never_seen_and_never_saved_over_the_whole() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let history = session("s", "/work", 20, 1);
    store.save(&history).unwrap();
    let on_disk = std::fs::read(store.path(&history.id)).unwrap();
    for range in [0..5, 0..20] {
        let other = store.clone();
        let page = other.load_page(&history.id, "messages", range).unwrap();
        let clone = Session::clone(&page);
        assert!(other.save(&clone).unwrap_err().is_conflict());
        assert!(other.overwrite(&clone).unwrap_err().is_partial());
        assert_eq!(std::fs::read(store.path(&history.id)).unwrap(), on_disk);
    }
    // Also after the whole was seen.
    let page = store.load_page(&history.id, "messages", 0..5).unwrap();
    assert!(store.save(&Session::clone(&page)).unwrap_err().is_partial());
    assert!(store.save(&history).is_ok());
}

#[test]
fn a_store_without_footers_writes_none_and_answers_the_same() {
    let scratch = Scratch::new();
    let store = SessionStore::builder(scratch.sessions())
        .durability(session_store::Durability::Process)
        .without_footers()
        .open()
        .unwrap();
    let history = session("s", "/work", 30, 1);
    store.save(&history).unwrap();
    let on_disk = std::fs::read(store.path(&history.id)).unwrap();
    assert_eq!(on_disk, serde_json::to_vec(&history).unwrap());
    let tail = store.load_tail(&history.id, Window::last(2)).unwrap();
    assert_eq!(tail.footer(), FooterUse::Absent);
    let page = store.load_page(&history.id, "messages", 3..5).unwrap();
    assert_eq!(page.messages, history.messages[3..5]);
    assert_eq!(page.footer(), FooterUse::Absent);
}

#[test]
fn an_edit_of_equal_length_is_a_conflict_whatever_the_footer_says() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut history = session("s", "/work", 5, 1);
    store.save(&history).unwrap();
    let text = std::fs::read_to_string(store.path(&history.id)).unwrap();
    scratch.write("s.json", text.replacen("message 0", "MESSAGE 0", 1));
    history.push(Message::user("more"));
    assert!(store.save(&history).unwrap_err().is_conflict());
}

#[test]
fn a_strict_store_refuses_a_tail_of_what_a_load_refuses() {
    let scratch = Scratch::new();
    let json =
        r#"{"id":"s","messages":[{"role":"user","content":nothing},{"role":"user","content":[]}]}"#;
    scratch.write("s.json", json);
    let loose = scratch.store();
    let window = Window::last(1);
    assert_eq!(loose.load_tail(&id("s"), window).unwrap().messages.len(), 1);
    let strict = SessionStore::builder(scratch.sessions())
        .strict()
        .open()
        .unwrap();
    let refused = strict.load_tail(&id("s"), window).unwrap_err();
    assert!(matches!(refused, Error::Corrupt { .. }), "{refused}");
    let loaded = loose.load(&id("s")).unwrap_err();
    assert!(matches!(loaded, Error::Corrupt { .. }), "{loaded}");
}

/// A page of a session that has a journal is that of the two as one, and reads no more of the document than lies behind it.
#[test]
fn pages_of_a_session_with_a_journal_equal_those_of_the_whole() {
    for footers in [true, false] {
        let scratch = Scratch::new();
        let builder = SessionStore::builder(scratch.sessions());
        let store = if footers {
            builder.open().unwrap()
        } else {
            builder.without_footers().open().unwrap()
        };
        let mut history = session("s", "/work", 0, 1);
        for n in 0..300 {
            history.push(Message::user(format!(
                "message {n} {}",
                "text ".repeat(200)
            )));
        }
        store.save(&history).unwrap();
        for n in 0..4 {
            let tool_use = ToolUse::succeeded(format!("call {n}"), "ls", "{}", "nothing");
            let turn = Append::new()
                .message(&Message::user(format!("turn {n}")))
                .unwrap()
                .member("title", &format!("title {n}"))
                .unwrap();
            store
                .append(&history.id, &turn.tool_use(&tool_use).unwrap())
                .unwrap();
        }
        let path = store.path(&history.id);
        let size = std::fs::metadata(&path).unwrap().len();
        for is_copied in [false, true] {
            if is_copied {
                // Another file of the same content: the journal still extends it.
                let bytes = std::fs::read(&path).unwrap();
                std::fs::write(&path, bytes).unwrap();
            }
            let whole = store.load(&history.id).unwrap();
            for (start, end) in [
                (0, 0),
                (0, 2),
                (150, 153),
                (299, 300),
                (298, 302),
                (300, 301),
                (301, 304),
                (303, 999),
                (0, 304),
                (304, 305),
                (999, 1_000),
            ] {
                let page = store
                    .load_page(&history.id, "messages", start..end)
                    .unwrap();
                let (from, to) = (start.min(304), end.min(304));
                let at = |n: u64| usize::try_from(n).unwrap();
                let expected = &whole.messages[at(from)..at(to)];
                assert_eq!(page.messages, *expected, "{start}..{end}");
                assert_eq!((page.range(), page.count()), (from..to, 304));
                assert_eq!(page.title, whole.title);
                assert_eq!(page.tool_uses, [], "{start}..{end}");
                assert_eq!(page.file_bytes(), size);
                let tail = store.load_tail(&history.id, Window::last(1)).unwrap();
                assert_eq!(page.revision(), tail.revision());
                assert_eq!(page.file_bytes(), tail.file_bytes());
                if footers && !is_copied && start >= 298 {
                    assert!(page.bytes_read() < size / 3, "{}", page.bytes_read());
                }
            }
            let uses = store.load_page(&history.id, "tool_uses", 1..3).unwrap();
            assert_eq!(uses.tool_uses, whole.tool_uses[1..3]);
            assert_eq!((uses.count(), uses.messages.len()), (4, 0));
        }
    }
}
