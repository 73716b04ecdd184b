//! Lookups of directories without sessions leave a bounded number of pointers, and what takes them away hides nothing.

use std::time::Duration;

use session_index::{Rule, Rules};
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Append, Message};

use super::hooked::Event;
use super::memory::process;
use crate::support::{id, session};

/// How many pointers there may be for two sessions, and the one of all workspaces.
const MOST: usize = 2 * 2 + 64 + 1;

fn pointers(fs: &MemoryFs) -> Vec<String> {
    let mut paths = fs.paths();
    paths.retain(|path| path.ends_with(".pointer"));
    paths
}

fn last_of(fs: &MemoryFs, directory: &str) -> Option<String> {
    let store = process(fs, Rules::default(), 0).store;
    let found = store.last_for_directory(Some(directory.as_ref())).unwrap();
    found.map(|session| session.id.to_string())
}

/// Two sessions of a directory, recorded with all that there is, and as many pointers as may stay.
fn full() -> MemoryFs {
    let fs = MemoryFs::new();
    let store = process(&fs, Rules::default(), 0).store;
    store.save(&session("old", "/work", 1, 1)).unwrap();
    store.save(&session("new", "/work", 1, 5)).unwrap();
    assert_eq!(last_of(&fs, "/empty"), None);
    for n in pointers(&fs).len()..MOST {
        fs.plant(&format!(".store/index/{n:032x}.pointer"), b"damaged");
    }
    fs
}

/// Appends to the older of the two, which is the newest from then on.
fn append(fs: &MemoryFs, rules: Rules) -> bool {
    let later = chrono::Utc::now() + Duration::from_secs(3600);
    let append = Append::new().message(&Message::user("more")).unwrap();
    let append = append.updated_at(later).unwrap();
    process(fs, rules, 0)
        .store
        .append(&id("old"), &append)
        .is_ok()
}

fn is_unlocked(fs: &MemoryFs) -> bool {
    fs.try_lock(".store/locks/.index.lock").unwrap().is_some()
}

#[test]
fn however_many_directories_are_asked_for_the_index_has_a_bounded_number_of_files() {
    let fs = MemoryFs::new();
    let store = process(&fs, Rules::default(), 0).store;
    store.save(&session("old", "/work", 1, 1)).unwrap();
    store.save(&session("new", "/work", 1, 5)).unwrap();
    let (mut before, mut sweeps) = (0, 0);
    for n in 0..500 {
        assert_eq!(last_of(&fs, &format!("/empty/{n}")), None);
        let now = pointers(&fs).len();
        assert!(now <= MOST, "{now} pointers after {n} lookups");
        sweeps += u32::from(now < before);
        before = now;
    }
    // Seldom, and what is known of sessions is not looked for again.
    assert!((1..=10).contains(&sweeps), "{sweeps} sweeps");
    assert_eq!(last_of(&fs, "/work").as_deref(), Some("new"));
    for _ in 0..2 {
        assert_eq!(last_of(&fs, "/empty/499"), None);
    }
}

#[test]
fn pointers_of_directories_that_sessions_have_left_go_with_the_others() {
    let fs = MemoryFs::new();
    let store = process(&fs, Rules::default(), 0).store;
    for n in 0..500 {
        let left = session("moving", format!("/left/{n}"), 1, n);
        store.overwrite(&left).unwrap();
        assert_eq!(
            last_of(&fs, &format!("/left/{n}")).as_deref(),
            Some("moving")
        );
    }
    assert_eq!(last_of(&fs, "/empty"), None);
    assert!(pointers(&fs).len() <= MOST);
    assert_eq!(last_of(&fs, "/left/499").as_deref(), Some("moving"));
    assert_eq!(last_of(&fs, "/left/0"), None);
}

/// A session is appended to and the index swept at each moment of a lookup that has to walk: `None` where that did not come, else
/// whether the next lookup found what was appended.
fn sweep_amid_a_lookup(rules: Rules, moment: u64) -> Option<bool> {
    let fs = full();
    // So that nothing is known of the directory, as if it had never been recorded.
    for path in pointers(&fs) {
        let content = String::from_utf8(fs.content(&path).unwrap()).unwrap();
        if content.contains("workspace /work\n") {
            assert!(fs.remove(&path).unwrap());
            fs.plant(&format!("{path}.pointer"), b"damaged");
        }
    }
    let reader = process(&fs, rules, 1);
    let (done, is_done) = std::sync::mpsc::channel();
    let medium = fs.clone();
    let event = move || {
        // A process waits for the lock; what happens here at once would have to wait for itself.
        if is_unlocked(&medium) {
            let appended = append(&medium, rules);
            let other = process(&medium, rules, 0).store;
            let _ = other.last_for_directory(Some("/another".as_ref()));
            let is_swept = pointers(&medium).len() < MOST / 2;
            let _ = done.send(appended && is_swept);
        }
    };
    reader.fs.plan(moment, Event::Own(Box::new(event)));
    let _ = reader.store.last_for_directory(Some("/work".as_ref()));
    reader.fs.settle();
    let happened = is_done.try_recv() == Ok(true);
    happened.then(|| last_of(&fs, "/work").as_deref() == Some("old"))
}

#[test]
fn what_was_recorded_and_swept_amid_a_lookup_is_not_taken_for_never_recorded() {
    let found = |rules| -> Vec<bool> {
        let moments = 0..60;
        moments
            .filter_map(|moment| sweep_amid_a_lookup(rules, moment))
            .collect()
    };
    let all = found(Rules::default());
    assert!(all.len() > 5 && all.iter().all(|found| *found), "{all:?}");
    let mutant = found(Rules::default().without(Rule::Swept));
    assert!(mutant.contains(&false), "{mutant:?}");
}

#[test]
fn an_append_at_any_moment_of_a_sweep_is_found() {
    let mut appended = 0;
    for moment in 0..400 {
        let fs = full();
        let sweeper = process(&fs, Rules::default(), 0);
        let (done, is_done) = std::sync::mpsc::channel();
        let medium = fs.clone();
        let event = move || {
            if is_unlocked(&medium) {
                let _ = done.send(append(&medium, Rules::default()));
            }
        };
        sweeper.fs.plan(moment, Event::Own(Box::new(event)));
        let _ = sweeper.store.last_for_directory(Some("/another".as_ref()));
        sweeper.fs.settle();
        if is_done.try_recv() == Ok(true) {
            appended += 1;
            let found = last_of(&fs, "/work");
            assert_eq!(found.as_deref(), Some("old"), "moment {moment}");
        }
    }
    assert!(appended > 5, "only {appended} moments");
}

#[test]
fn a_sweep_that_ends_at_any_step_leaves_an_index_that_is_right_and_is_swept_again() {
    let mut partly = 0;
    for moment in 0..400 {
        let fs = full();
        let sweeper = process(&fs, Rules::default(), 0);
        sweeper.fs.plan(moment, Event::Crash);
        let _ = sweeper.store.last_for_directory(Some("/another".as_ref()));
        let crashed = sweeper.fs.has_crashed();
        sweeper.fs.settle();
        drop(sweeper);
        partly += u32::from(crashed && (10..MOST).contains(&pointers(&fs).len()));
        for (directory, newest) in [("/work", Some("new")), ("/another", None), ("/empty", None)] {
            let found = last_of(&fs, directory);
            assert_eq!(found.as_deref(), newest, "moment {moment}");
        }
        assert!(append(&fs, Rules::default()));
        assert_eq!(last_of(&fs, "/work").as_deref(), Some("old"));
        assert_eq!(last_of(&fs, "/yet-another"), None);
        assert!(pointers(&fs).len() <= MOST, "moment {moment}");
    }
    assert!(partly > 5, "only {partly} sweeps were cut short");
}
