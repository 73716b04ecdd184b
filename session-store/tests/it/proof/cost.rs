//! What a proven lookup and a save cost in calls, and where nothing is proven.

use std::sync::Arc;

use session_index::{Rule, Rules};
use session_store::fs::FileSystem;
use session_store::{LastQuery, Window};

use super::memory::{Clock, Process, World, act, process, put};
use super::step::{Foreign, Places};
use crate::support::{Scratch, id};

/// All calls of a lookup that the index answers, those included that load the end of the session.
fn calls_of_a_proven_lookup(sessions: usize) -> Vec<&'static str> {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    for number in 0..sessions {
        let mut one = places.session(0, 2, 3);
        one.id = id(&format!("other{number}"));
        put(
            &world.fs,
            &format!("{}.json", one.id),
            &serde_json::to_vec(&one).unwrap(),
            None,
        );
    }
    let Process { store, fs } = &world.processes[0];
    store.save(&places.session(0, 0, 5)).unwrap();
    let asked = places.get(0);
    let window = Window::last(1);
    store
        .last_for_directory_tail(asked, window)
        .unwrap()
        .unwrap();
    fs.take_calls();
    store
        .last_for_directory_tail(asked, window)
        .unwrap()
        .unwrap();
    fs.take_calls()
}

#[test]
fn a_proven_lookup_makes_the_same_few_calls_however_many_sessions_there_are() {
    // The pointer, the state, the directory, the journal that the session does not have, and the session itself, which is
    // opened once for its header and its end.
    let calls = ["open", "open", "stat", "open", "open"];
    for sessions in [0, 100, 1_000] {
        assert_eq!(
            calls_of_a_proven_lookup(sessions),
            calls,
            "{sessions} sessions"
        );
    }
}

/// The calls of a save that the index causes, beside the same save without one.
#[test]
fn a_save_of_the_session_pointed_to_writes_one_file_of_the_index() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    let Process { store, fs } = &world.processes[0];
    for place in [0, 2, 0] {
        store.overwrite(&places.session(0, place, 1)).unwrap();
        store.last_for_directory(places.get(place)).unwrap();
    }
    store.last().unwrap();
    fs.take_calls();
    store.overwrite(&places.session(0, 0, 2)).unwrap();
    let calls = fs.take_calls();
    let count = |call: &str| calls.iter().filter(|called| **called == call).count();
    // Two pointers and the state are read, and the state is written.
    assert_eq!((count("overwrite"), count("list")), (1, 0), "{calls:?}");
    assert_eq!(count("open"), 3, "{calls:?}");
}

#[test]
fn a_file_system_that_others_change_proves_nothing() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    world.fs.make_remote();
    let store = &world.processes[0].store;
    store.save(&places.session(0, 0, 5)).unwrap();
    let query = LastQuery::new().workspace(places.get(0).unwrap());
    for _ in 0..3 {
        let found = store.find_last(&query).unwrap();
        assert_eq!(found.files_listed, 1);
        assert_eq!(found.session.unwrap().id, "s0");
    }
}

#[test]
fn another_start_of_the_system_proves_nothing_of_the_one_before() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    for (rules, stale) in [
        (Rules::default(), false),
        (Rules::default().without(Rule::Boot), true),
    ] {
        let world = World::new(Arc::clone(&places), rules, Clock::Fine);
        let store = &world.processes[0].store;
        store.save(&places.session(0, 0, 3)).unwrap();
        let query = LastQuery::new().workspace(places.get(0).unwrap());
        store.find_last(&query).unwrap();
        assert_eq!(store.find_last(&query).unwrap().files_listed, 0);
        // The clock begins again where it was, and a foreign program's change falls on the very same time.
        let before = world.fs.stat("").unwrap().unwrap().blob;
        world.fs.reboot();
        act(
            &world.fs,
            &places,
            &Foreign::Put {
                name: 1,
                place: 0,
                updated: 4,
                modified: Some(4),
            },
        );
        world.fs.set_clock(before.changed);
        world.fs.set_modified("", before.modified);
        let again = process(&world.fs, rules, 0);
        let found = again.store.find_last(&query).unwrap().session.unwrap();
        assert_eq!(found.id == "s0", stale);
    }
}

#[test]
fn a_coarse_clock_is_found_out_and_waited_for() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Coarse);
    let store = &world.processes[0].store;
    store.save(&places.session(0, 0, 5)).unwrap();
    let query = LastQuery::new().workspace(places.get(0).unwrap());
    let listed = || store.find_last(&query).unwrap().files_listed;
    assert_eq!(
        [listed(), listed()],
        [1, 1],
        "the stamp may be that of a later change"
    );
    world.fs.set_clock(world.fs.now() + 2_000_000_000);
    listed();
    world.fs.set_clock(world.fs.now() + 3_000_000_000);
    listed();
    assert_eq!(listed(), 0, "the stamp is old enough to be trusted");
}
