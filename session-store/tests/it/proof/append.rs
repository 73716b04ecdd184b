//! Appends change no name in the sessions directory, so no stamp tells of them.

use std::time::Duration;

use session_index::{Rule, Rules};
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Append, Message};

use super::hooked::Event;
use super::memory::process;
use crate::support::{id, session, time};

/// Who is interrupted, at each of its calls, by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interrupted {
    /// A lookup that has to walk, by an append to the session that is pointed to.
    Lookup,
    /// Such an append, by such a lookup.
    Append,
}

/// Interrupts at one moment; `None` if that did not come, else whether the next lookup found what was appended.
fn interrupt(rules: Rules, who: Interrupted, moment: u64) -> Option<bool> {
    let fs = MemoryFs::new();
    let writer = process(&fs, rules, 0);
    writer
        .store
        .save(&session("pointed", "/work", 1, 1))
        .unwrap();
    let mut held = writer.store.writer(&id("pointed")).unwrap();
    let say = |at| {
        let append = Append::new().message(&Message::user("more")).unwrap();
        append.updated_at(at).unwrap()
    };
    // So that the writer knows from now on that its session is pointed to.
    held.append(&say(time(2))).unwrap();
    let foreign = serde_json::to_vec(&session("foreign", "/work", 1, 5)).unwrap();
    fs.plant("foreign.json", &foreign);

    let reader = process(&fs, rules, 1);
    let look = move || drop(reader.store.last_for_directory(Some("/work".as_ref())));
    let now = chrono::Utc::now() + Duration::from_secs(3600);
    let append = move || assert!(held.append(&say(now)).is_ok());
    let (done, is_done) = std::sync::mpsc::channel();
    // A process waits for the lock; what happens here at once would have to wait for itself.
    let medium = fs.clone();
    let unlocked = move || {
        medium
            .try_lock(".store/locks/.index.lock")
            .unwrap()
            .is_some()
    };
    let hooked = match who {
        Interrupted::Lookup => process(&fs, rules, 1),
        Interrupted::Append => writer,
    };
    let event = |mut run: Box<dyn FnMut() + Send>| {
        Event::Own(Box::new(move || {
            if unlocked() {
                run();
                let _ = done.send(());
            }
        }))
    };
    match who {
        Interrupted::Lookup => {
            hooked.fs.plan(moment, event(Box::new(append)));
            drop(hooked.store.last_for_directory(Some("/work".as_ref())));
        }
        Interrupted::Append => {
            let mut append = append;
            hooked.fs.plan(moment, event(Box::new(look)));
            append();
        }
    }
    hooked.fs.settle();
    is_done.try_recv().ok()?;
    let last = process(&fs, rules, 0).store;
    let found = last.last_for_directory(Some("/work".as_ref())).unwrap();
    Some(found.unwrap().id.as_str() == "pointed")
}

#[test]
fn appends_to_the_session_pointed_to_and_lookups_miss_no_change_of_each_other() {
    for (who, rule) in [
        (Interrupted::Lookup, Rule::Reread),
        (Interrupted::Append, Rule::TurnAfter),
    ] {
        let found = |rules| {
            (0..80)
                .filter_map(|moment| interrupt(rules, who, moment))
                .collect()
        };
        let all: Vec<bool> = found(Rules::default());
        assert!(
            !all.is_empty() && all.iter().all(|found| *found),
            "{who:?}: {all:?}"
        );
        let mutant: Vec<bool> = found(Rules::default().without(rule));
        assert!(
            mutant.contains(&false),
            "{who:?} without {rule:?}: {mutant:?}"
        );
    }
}

/// Another process appends to the older session at each moment of a lookup that has to walk.
#[test]
fn an_append_amid_a_lookup_is_seen_by_the_next() {
    let mut appended = 0;
    for moment in 0..80 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("old", "/work", 1, 1)).unwrap();
        writer.store.save(&session("new", "/work", 1, 5)).unwrap();
        // Something foreign, so that the index proves nothing and every workspace is recorded again.
        let foreign = serde_json::to_vec(&session("foreign", "/elsewhere", 1, 1)).unwrap();
        fs.plant("foreign.json", &foreign);

        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        let now = chrono::Utc::now() + Duration::from_secs(3600);
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let append = Append::new().message(&Message::user("more")).unwrap();
                let append = append.updated_at(now).unwrap();
                let _ = done.send(writer.store.append(&id("old"), &append).is_ok());
            })),
        );
        let asked = if moment % 2 == 0 {
            "/work"
        } else {
            "/elsewhere"
        };
        let _ = reader.store.last_for_directory(Some(asked.as_ref()));
        reader.fs.settle();
        if is_done.try_recv() != Ok(true) {
            continue;
        }
        appended += 1;
        let last = process(&fs, Rules::default(), 0).store;
        let expected = last.load(&id("old")).unwrap();
        assert_eq!(expected.messages.len(), 2, "moment {moment}");
        let found = last.last_for_directory(Some("/work".as_ref())).unwrap();
        let fresh = fs.stat("old.json").unwrap().is_some();
        assert!(
            fresh && found.unwrap().id.as_str() == "old",
            "moment {moment}"
        );
    }
    assert!(appended > 5, "only {appended} moments");
}
