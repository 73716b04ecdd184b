//! Histories in a real directory, with foreign programs as they are: no step falls into another one here.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use session_store::{Durability, Error, LastQuery, Query, Rebind, SessionStore};

use super::naive::{File as Seen, all, oracle, told, with_journal};
use super::step::{Call, Foreign, Places, STORES, Step, index_of, nanos, steps, turn};
use crate::support::{Scratch, id, names};

fn moment(nanoseconds: i128) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanoseconds).unwrap())
}

fn open(scratch: &Scratch) -> SessionStore {
    open_number(scratch, 0)
}

fn open_number(scratch: &Scratch, number: usize) -> SessionStore {
    let builder = SessionStore::builder(scratch.sessions())
        .durability(Durability::Process)
        .lock_wait(Duration::ZERO);
    builder.index(index_of(number)).open().unwrap()
}

fn files(sessions: &Path) -> Vec<Seen> {
    let plain = SessionStore::builder(sessions).index(index_of(4)).open();
    let plain = plain.unwrap();
    let modified = |path: &Path| {
        let modified = fs::metadata(path).ok()?.modified().ok()?;
        let modified = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i128::try_from(modified.as_nanos()).ok()
    };
    let file = |name: String| {
        let stem = name.strip_suffix(".json")?;
        let journal = modified(&sessions.join(format!(".store/journal/{stem}.journal")));
        let path = sessions.join(&name);
        let file = (name.clone(), modified(&path)?, fs::read(path).ok()?);
        with_journal(&plain, file, journal)
    };
    names(sessions).into_iter().filter_map(file).collect()
}

fn act(scratch: &Scratch, places: &Places, what: &Foreign) {
    let path = |name: usize| scratch.file(&format!("s{name}.json"));
    match *what {
        Foreign::Put {
            name,
            place,
            updated,
            modified,
        } => {
            let temporary = scratch.path().join("new");
            let json = serde_json::to_vec(&places.session(name, place, updated)).unwrap();
            fs::write(&temporary, json).unwrap();
            if let Some(modified) = modified {
                let file = File::options().append(true).open(&temporary).unwrap();
                file.set_modified(moment(nanos(modified))).unwrap();
            }
            fs::rename(temporary, path(name)).unwrap();
        }
        Foreign::Remove { name } => drop(fs::remove_file(path(name))),
        Foreign::Link { from, to } => {
            // Neither name may be there, or there already.
            let _ = fs::hard_link(path(from), path(to));
        }
    }
}

fn lookup(store: &SessionStore, places: &Places, place: usize) -> u64 {
    let asked = places.get(place);
    let query = match asked {
        Some(asked) => LastQuery::new().workspace(asked),
        None => LastQuery::new(),
    };
    let found = store.find_last(&query).unwrap();
    let answer = found.session.map(|tail| tail.id.to_string());
    assert_eq!(
        answer,
        oracle(&files(store.root()), places, place),
        "asked for {asked:?}"
    );
    found.files_listed
}

fn list(store: &SessionStore, places: &Places, place: usize) {
    let asked = places.get(place);
    let query = asked.map_or_else(Query::new, |asked| Query::new().workspace(asked));
    let listed = told(store.list(&query).unwrap(), None);
    let expected = all(&files(store.root()), places, place);
    assert_eq!(listed, expected, "list {asked:?}");
}

fn run(steps: &[Step]) {
    let scratch = Scratch::new();
    let places = Places::new(&scratch);
    let mut stores: Vec<_> = (0..STORES)
        .map(|number| open_number(&scratch, number))
        .collect();
    let mut writers: Vec<_> = (0..STORES).map(|_| None).collect();
    stores[1] = stores[0].clone();
    stores[0].save(&places.session(0, 0, 0)).unwrap();
    for step in steps {
        match step {
            Step::Own { store, call, .. } => {
                let (store, writer) = (&stores[*store], &mut writers[*store]);
                let named = |name: usize| id(&format!("s{name}"));
                match *call {
                    Call::Save {
                        name,
                        place,
                        updated,
                    } => {
                        let saved = store.overwrite(&places.session(name, place, updated));
                        // A writer may have the session.
                        assert!(
                            saved.as_ref().err().is_none_or(Error::is_locked),
                            "{saved:?}"
                        );
                    }
                    Call::Delete { name } => drop(store.delete(&named(name))),
                    Call::Trash { name } => drop(store.trash(&named(name))),
                    Call::Restore { name } => drop(store.restore(&named(name))),
                    Call::Append { name, updated } => {
                        drop(store.append(&named(name), &turn(updated)));
                    }
                    Call::Turn { name, updated } => {
                        *writer = None;
                        *writer = store.writer(&named(name)).ok();
                        if let Some(writer) = writer {
                            let _ = writer.append(&turn(updated));
                        }
                    }
                    Call::LetGo { closes } => match writer.take() {
                        Some(writer) if closes => drop(writer.close()),
                        other => drop(other),
                    },
                    Call::Checkpoint { name } => drop(store.checkpoint(&named(name))),
                    Call::Rebind { from, to } => {
                        if let (Some(from), Some(to)) = (places.get(from), places.get(to)) {
                            let _ = store.rebind(from, to, Rebind::Apply);
                        }
                    }
                    Call::List { place } => list(store, &places, place),
                    Call::Lookup { place } => {
                        lookup(store, &places, place);
                    }
                }
            }
            Step::Foreign { what, sets_back } => {
                let directory = File::open(scratch.sessions()).unwrap();
                let before = directory.metadata().unwrap().modified().unwrap();
                act(&scratch, &places, what);
                if *sets_back {
                    directory.set_modified(before).unwrap();
                }
            }
            Step::Damage { which, kind } => damage(&scratch, *which, *kind),
            Step::Reopen { store } => {
                writers[*store] = None;
                stores[*store] = open_number(&scratch, *store);
            }
            Step::Clock { .. } | Step::Unreadable { .. } => {}
        }
    }
    for place in 0..Places::COUNT {
        lookup(&stores[0], &places, place);
        lookup(&open(&scratch), &places, place);
        list(&stores[0], &places, place);
        list(&open(&scratch), &places, place);
    }
}

fn damage(scratch: &Scratch, which: usize, kind: usize) {
    let index = scratch.file(".store/index");
    let files = names(&index);
    let Some(name) = files.get(which % files.len().max(1)) else {
        return;
    };
    let path = index.join(name);
    match kind {
        0 => fs::remove_file(path).unwrap(),
        1 => fs::write(path, "garbage").unwrap(),
        _ => {
            let bytes = fs::read(&path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lookups_in_a_real_directory_equal_reading_everything(steps in steps()) {
        run(&steps);
    }
}

#[test]
fn a_lookup_after_a_lookup_lists_nothing_until_something_changes() {
    let scratch = Scratch::new();
    let places = Places::new(&scratch);
    let store = open(&scratch);
    store.save(&places.session(0, 0, 0)).unwrap();
    lookup(&store, &places, 0);
    if lookup(&store, &places, 0) > 0 {
        println!("skipped: the file system of the temporary directory proves nothing");
        return;
    }
    // What this store or another one does keeps the proof; so do other workspaces, which a whole pass recorded.
    store.overwrite(&places.session(0, 0, 3)).unwrap();
    assert_eq!(lookup(&open(&scratch), &places, 0), 0);
    open(&scratch).save(&places.session(1, 0, 5)).unwrap();
    assert_eq!(lookup(&store, &places, 0), 0);
    assert!(
        lookup(&store, &places, 1) > 0,
        "the first lookup by another name"
    );
    assert_eq!(lookup(&store, &places, 1), 0);
    // "None" is proven, too, and a first session of a workspace for which it was.
    assert!(lookup(&store, &places, 2) > 0);
    assert_eq!(lookup(&store, &places, 2), 0);
    store.save(&places.session(2, 2, 1)).unwrap();
    assert_eq!(lookup(&store, &places, 2), 0);
    store.delete(&id("s2")).unwrap();
    assert!(
        lookup(&store, &places, 2) > 0,
        "the next newest is not known"
    );
    assert_eq!(lookup(&store, &places, 0), 0, "others are");
    // A foreign change takes every proof away, and one lookup brings it back.
    act(
        &scratch,
        &places,
        &Foreign::Put {
            name: 3,
            place: 2,
            updated: 1,
            modified: Some(0),
        },
    );
    assert!(lookup(&store, &places, 0) > 0);
    assert_eq!(lookup(&store, &places, 0), 0);
}
