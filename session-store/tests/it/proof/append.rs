//! Appends change no name in the sessions directory, so no stamp tells of them.

use std::sync::Arc;
use std::time::Duration;

use session_index::{Rule, Rules};
use session_store::backend::{DirBackend, Trust};
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Append, Builder, IndexKind, Message, Session};

use super::hooked::Event;
use super::memory::{process, put};
use crate::support::{id, session, time};

/// Who is interrupted, at each of its calls, by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interrupted {
    /// A lookup that has to walk, by an append to the session that is pointed to.
    Lookup,
    /// Such an append, by such a lookup.
    Append,
}

fn is_unlocked(fs: &MemoryFs) -> bool {
    fs.try_lock(".store/locks/.index.lock").unwrap().is_some()
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
    let medium = fs.clone();
    let hooked = match who {
        Interrupted::Lookup => process(&fs, rules, 1),
        Interrupted::Append => writer,
    };
    let event = |mut run: Box<dyn FnMut() + Send>| {
        Event::Own(Box::new(move || {
            // A process waits for the lock; what happens here at once would have to wait for itself.
            if is_unlocked(&medium) {
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

/// Removes every file of the index: nothing in it is needed.
fn forget_index(fs: &MemoryFs) {
    for entry in fs
        .list(".store/index", &mut |_| true)
        .unwrap()
        .unwrap_or_default()
    {
        let name = entry.name.into_string().unwrap();
        assert!(fs.remove(&format!(".store/index/{name}")).unwrap());
    }
}

fn later() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now() + Duration::from_secs(3600)
}

fn turn() -> Append {
    let append = Append::new().message(&Message::user("more")).unwrap();
    append.updated_at(later()).unwrap()
}

fn last_of(fs: &MemoryFs, directory: &str) -> Option<String> {
    let store = process(fs, Rules::default(), 0).store;
    let found = store.last_for_directory(Some(directory.as_ref())).unwrap();
    found.map(|session| session.id.to_string())
}

/// A walk for one directory takes note of all others, and a journal says when its session was changed.
#[test]
fn a_walk_notes_sessions_with_their_journals() {
    let fs = MemoryFs::new();
    let writer = process(&fs, Rules::default(), 0);
    writer.store.save(&session("old", "/work", 1, 1)).unwrap();
    writer.store.save(&session("new", "/work", 1, 5)).unwrap();
    writer.store.append(&id("old"), &turn()).unwrap();
    forget_index(&fs);
    assert_eq!(last_of(&fs, "/elsewhere"), None);
    assert_eq!(last_of(&fs, "/work").as_deref(), Some("old"));
}

/// What a document says of its directory is out of date where its journal says something else.
#[test]
fn a_session_that_an_append_moved_is_found_where_it_is() {
    let fs = MemoryFs::new();
    let writer = process(&fs, Rules::default(), 0);
    writer.store.save(&session("old", "/work", 1, 1)).unwrap();
    let moved = session("old", "/moved", 1, 1).metadata;
    let append = turn().member("metadata", &moved).unwrap();
    writer.store.append(&id("old"), &append).unwrap();
    forget_index(&fs);
    assert_eq!(last_of(&fs, "/moved").as_deref(), Some("old"));
    assert_eq!(last_of(&fs, "/work"), None);
}

/// Another process folds the newest session's journal at each moment of a lookup.
#[test]
fn a_journal_that_is_folded_amid_a_lookup_counts_before_and_after() {
    let mut folded = 0;
    for moment in 0..40 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("old", "/work", 1, 1)).unwrap();
        writer.store.save(&session("new", "/work", 1, 5)).unwrap();
        // So that the order is that of the files alone.
        fs.set_modified("old.json", 1);
        fs.set_modified("new.json", 2);
        writer.store.append(&id("old"), &turn()).unwrap();
        forget_index(&fs);
        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let _ = done.send(writer.store.checkpoint(&id("old")).is_ok());
            })),
        );
        let found = reader.store.last_for_directory(Some("/work".as_ref()));
        reader.fs.settle();
        folded += u32::from(is_done.try_recv() == Ok(true));
        assert_eq!(
            found.unwrap().unwrap().id.as_str(),
            "old",
            "moment {moment}"
        );
    }
    assert!(folded > 5, "only {folded} moments");
}

/// The session that the index names is appended to, of which the index is not told, at each moment of a lookup that finds
/// a foreign one.
#[test]
fn an_append_to_the_session_pointed_to_is_seen_after_a_lookup_that_it_interrupts() {
    interrupt_by_append("/work", "/work");
}

/// The same of a session that names its directory by a link to it.
#[test]
fn an_append_to_a_session_that_names_a_link_is_seen_after_a_lookup_that_it_interrupts() {
    let scratch = crate::support::Scratch::new();
    let real = scratch.workspace("real");
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    interrupt_by_append(link.to_str().unwrap(), real.to_str().unwrap());
}

fn interrupt_by_append(named: &str, asked: &str) {
    let mut appended = 0;
    for moment in 0..80 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("ours", named, 1, 1)).unwrap();
        let foreign = serde_json::to_vec(&session("foreign", asked, 1, 5)).unwrap();
        put(&fs, "foreign.json", &foreign, None);

        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        let medium = fs.clone();
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                // A process waits for the lock; what happens here at once would have to wait for itself.
                if is_unlocked(&medium) {
                    let _ = done.send(writer.store.append(&id("ours"), &turn()).is_ok());
                }
            })),
        );
        let looked_for = if moment % 2 == 0 { asked } else { "/elsewhere" };
        let _ = reader.store.last_for_directory(Some(looked_for.as_ref()));
        reader.fs.settle();
        if is_done.try_recv() == Ok(true) {
            appended += 1;
            let found = last_of(&fs, asked);
            assert_eq!(found.as_deref(), Some("ours"), "moment {moment}");
        }
    }
    assert!(appended > 5, "only {appended} moments");
}

/// Another process saves a session at each moment of an append to the one that the index names.
#[test]
fn a_save_amid_an_append_hides_no_append() {
    let mut saved = 0;
    for moment in 0..80 {
        let fs = MemoryFs::new();
        let writer = process(&fs, Rules::default(), 0);
        writer.store.save(&session("ours", "/work", 1, 1)).unwrap();
        // So that the index proves what it says.
        assert_eq!(last_of(&fs, "/work").as_deref(), Some("ours"));
        let other = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        writer.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let _ = done.send(other.store.save(&session("other", "/work", 1, 5)).is_ok());
            })),
        );
        let appended = writer.store.append(&id("ours"), &turn());
        writer.fs.settle();
        if is_done.try_recv() == Ok(true) && appended.is_ok() {
            saved += 1;
            assert_eq!(
                last_of(&fs, "/work").as_deref(),
                Some("ours"),
                "moment {moment}"
            );
        }
    }
    assert!(saved > 5, "only {saved} moments");
}

/// Where the canonical form of a session's directory is not known, neither is which pointer an append makes untrue.
#[test]
fn an_append_whose_directory_does_not_resolve_leaves_no_proof() {
    let scratch = crate::support::Scratch::new();
    let real = scratch.workspace("real");
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let fs = MemoryFs::new();
    let writer = process(&fs, Rules::default(), 0);
    writer.store.save(&session("linked", &link, 1, 1)).unwrap();
    writer.store.save(&session("real", &real, 1, 5)).unwrap();
    let real = real.to_str().unwrap();
    assert_eq!(last_of(&fs, real).as_deref(), Some("real"));
    // This one gives directories no time to resolve.
    let hurried = process(&fs, Rules::default(), 2);
    hurried.store.append(&id("linked"), &turn()).unwrap();
    assert_eq!(last_of(&fs, real).as_deref(), Some("linked"));
}

/// An append changes no stamp of the directory, so whoever keeps no index in files has to say so in the one that others keep.
#[test]
fn an_append_through_a_store_with_another_index_is_seen() {
    for kind in [IndexKind::None, IndexKind::JsonMap, IndexKind::Memory] {
        let fs = MemoryFs::new();
        let ours = process(&fs, Rules::default(), 0);
        ours.store.save(&session("old", "/work", 1, 1)).unwrap();
        ours.store.save(&session("new", "/work", 1, 5)).unwrap();
        assert_eq!(last_of(&fs, "/work").as_deref(), Some("new"));
        let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
        let other = Builder::<Session>::on(Arc::new(backend))
            .index(kind)
            .open()
            .unwrap();
        other.append(&id("old"), &turn()).unwrap();
        assert_eq!(last_of(&fs, "/work").as_deref(), Some("old"), "{kind:?}");
    }
}
