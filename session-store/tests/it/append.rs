//! Appends: equal to loading the whole, adding, and saving, without having loaded it.

use proptest::prelude::*;
use session_store::{Append, ConflictReason, Error, Message, Session, ToolUse, Usage, Window};

use crate::support::{Scratch, id, session, time, transcripts, turn};

/// What the append means, done the slow way.
fn apply(session: &mut Session, n: usize) {
    session.push(Message::user(format!("turn {n}")));
    session.touch(time(1_000 + n as u64));
}

#[test]
fn appending_to_transcripts_equals_editing_them() {
    for (name, json) in transcripts() {
        let mut expected: Session = serde_json::from_slice(&json).unwrap();
        let scratch = Scratch::new();
        let store = scratch.store();
        scratch.write(&format!("{}.json", expected.id), &json);
        let tail = store.load_tail(&expected.id, Window::last(1)).unwrap();
        store
            .append(&tail.id, &turn(1).based_on(tail.revision()))
            .unwrap();
        apply(&mut expected, 1);
        assert_eq!(store.load(&expected.id).unwrap(), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_history_of_appends_and_saves_equals_one_session(turns in proptest::collection::vec(0..4_u8, 1..12)) {
        let scratch = Scratch::new();
        let store = scratch.store();
        let mut expected = session("s", "/work", 1, 1);
        store.save(&expected).unwrap();
        let mut revision = store.load_tail(&expected.id, Window::last(0)).unwrap().revision();
        for (n, kind) in turns.into_iter().enumerate() {
            match kind {
                0 => {
                    apply(&mut expected, n);
                    revision = store.append(&expected.id, &turn(n).based_on(revision)).unwrap();
                }
                1 => {
                    let tool_use = ToolUse::succeeded(format!("call {n}"), "ls", "{}", "nothing");
                    expected.tool_uses.push(tool_use.clone());
                    expected.title = Some(format!("title {n}"));
                    expected.usage = Usage::new(n as u64, 1);
                    expected.touch(time(1_000 + n as u64));
                    let append = Append::new().tool_use(&tool_use).unwrap().usage(&expected.usage).unwrap();
                    let append = append.member("title", &expected.title).unwrap().updated_at(time(1_000 + n as u64)).unwrap();
                    revision = store.append(&expected.id, &append).unwrap();
                }
                2 => {
                    // The handle has followed its own appends, so that it may save.
                    expected = store.load(&expected.id).unwrap();
                    apply(&mut expected, n);
                    revision = store.append(&expected.id, &turn(n)).unwrap();
                    apply(&mut expected, n);
                    revision = { let saved = store.save(&expected).unwrap(); prop_assert_ne!(saved, revision); saved };
                }
                _ => {
                    revision = store.overwrite(&expected).unwrap();
                }
            }
            prop_assert_eq!(&store.load(&expected.id).unwrap(), &expected);
            prop_assert_eq!(store.load_tail(&expected.id, Window::last(1)).unwrap().revision(), revision);
        }
    }
}

#[test]
fn an_append_to_another_revision_is_a_conflict_and_writes_nothing() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    let whole = session("s", "/work", 3, 1);
    a.save(&whole).unwrap();
    let tail = b.load_tail(&whole.id, Window::last(1)).unwrap();
    a.append(&whole.id, &turn(1)).unwrap();
    let on_disk = std::fs::read(a.path(&whole.id)).unwrap();
    match b.append(&whole.id, &turn(2).based_on(tail.revision())) {
        Err(Error::Conflict { reason, .. }) => assert_eq!(reason, ConflictReason::Changed),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(a.path(&whole.id)).unwrap(), on_disk);
    // Without a base it goes on top of what is there.
    b.append(&whole.id, &turn(2)).unwrap();
    assert_eq!(a.load(&whole.id).unwrap().messages.len(), 5);
}

#[test]
fn what_an_append_cannot_add_leaves_the_file_as_it_was() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let whole = session("s", "/work", 3, 1);
    store.save(&whole).unwrap();
    let before = std::fs::read(store.path(&whole.id)).unwrap();
    let unfit = [
        Append::new().element("messages", &5).unwrap(),
        Append::new().member("messages", "no array").unwrap(),
        Append::new().member("id", "other").unwrap(),
        Append::new().element("title", "not an array").unwrap(),
        Append::new().member("session_footer", "reserved").unwrap(),
    ];
    for append in unfit {
        let error = store.append(&whole.id, &append).unwrap_err();
        assert!(error.is_refused(), "{append:?}: {error}");
        assert_eq!(
            std::fs::read(store.path(&whole.id)).unwrap(),
            before,
            "{append:?}"
        );
    }
    let mut deep = serde_json::json!(1);
    for _ in 0..110 {
        deep = serde_json::json!([deep]);
    }
    let error = store
        .append(&whole.id, &Append::new().member("deep", &deep).unwrap())
        .unwrap_err();
    assert!(error.is_too_large(), "{error}");
    // What was wrong before is not the caller's.
    scratch.write("bad.json", r#"{"id":"bad","usage":5,"messages":[]}"#);
    assert!(store.append(&id("bad"), &turn(1)).unwrap_err().is_corrupt());
    assert!(Append::new().member("rate", &f64::NAN).is_err());
    assert!(
        store
            .append(&id("absent"), &turn(1))
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(crate::support::names(&scratch.file(".store/tmp")), [""; 0]);
}

#[test]
fn an_append_makes_its_session_the_newest() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("old", "/work", 1, 1)).unwrap();
    store.save(&session("new", "/work", 1, 2)).unwrap();
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "new"
    );
    // Without a time of its own it gets the present one.
    store
        .append(
            &id("old"),
            &Append::new().message(&Message::user("again")).unwrap(),
        )
        .unwrap();
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "old"
    );
}

/// Several appends as one say what they say one after the other, whatever they add to and set.
#[test]
fn appends_as_one_keep_the_order_of_what_they_add_and_set() {
    let add = |n: u64| Append::new().element("notes", &n).unwrap();
    let set = |notes: &serde_json::Value| Append::new().member("notes", notes).unwrap();
    let both = |n: u64| {
        Append::new()
            .element("notes", &0)
            .unwrap()
            .member("notes", &[7, 8])
            .unwrap()
            .element("notes", &n)
            .unwrap()
    };
    let groups = [
        vec![add(1), set(&serde_json::json!([]))],
        vec![add(1), set(&serde_json::json!([2])), add(3), add(4)],
        vec![set(&serde_json::json!(null)), add(5)],
        vec![add(1), both(6), add(9)],
        vec![set(&serde_json::json!([[1], "]"])), add(2), turn(1), add(3)],
    ];
    for group in groups {
        let scratch = Scratch::new();
        let store = scratch.store();
        for name in ["one", "many"] {
            store.save(&session(name, "/work", 1, 1)).unwrap();
            let first = add(100).updated_at(time(2_000)).unwrap();
            store.append(&id(name), &first).unwrap();
        }
        let timed = |append: &Append| append.clone().updated_at(time(3_000)).unwrap();
        let group: Vec<_> = group.iter().map(timed).collect();
        for append in &group {
            store.append(&id("many"), append).unwrap();
        }
        let mut writer = store.writer(&id("one")).unwrap();
        writer.append_all(&group).unwrap();
        writer.close().unwrap();
        let many = store.load(&id("many")).unwrap();
        let one = store.load(&id("one")).unwrap();
        let notes = |session: &Session| serde_json::to_value(session).unwrap()["notes"].clone();
        assert_eq!(notes(&one), notes(&many), "{group:?}");
        assert_eq!(one.messages.len(), many.messages.len(), "{group:?}");
    }
}
