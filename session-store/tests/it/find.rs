//! The newest session of a directory: equal to reading everything and taking the greatest, whatever the index says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use proptest::prelude::*;
use session_store::{IndexKind, LastQuery, Session, SessionStore, Source, Window};

use crate::support::{Scratch, id, moment, session, time};

/// The order of `docs/format.md`, computed the slow way.
fn rank(path: &Path, session: &Session) -> (SystemTime, SystemTime, String) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let updated = session.updated_at.map_or(modified, SystemTime::from);
    (updated.min(modified), updated, session.id.to_string())
}

fn same(stored: Option<&Path>, asked: &Path) -> bool {
    let Some(stored) = stored else { return false };
    let canonical = asked.canonicalize().ok();
    stored == asked
        || Some(stored) == canonical.as_deref()
        || (stored.is_absolute() && canonical.is_some() && stored.canonicalize().ok() == canonical)
}

/// Parses every file and takes the greatest: what every lookup must answer.
fn naive(sessions: &Path, asked: Option<&Path>) -> Option<String> {
    let mut best = None;
    for name in crate::support::names(sessions) {
        let path = sessions.join(&name);
        let Some(stem) = name
            .strip_suffix(".json")
            .filter(|stem| !stem.starts_with('.'))
        else {
            continue;
        };
        let Ok(session) = serde_json::from_slice::<Session>(&fs::read(&path).unwrap()) else {
            continue;
        };
        if session.id != *stem
            || asked.is_some_and(|asked| !same(session.metadata.directory.as_deref(), asked))
        {
            continue;
        }
        best = best.max(Some(rank(&path, &session)));
    }
    best.map(|(_, _, id)| id)
}

fn check(store: &SessionStore, asked: Option<&Path>) -> Option<String> {
    let expected = naive(store.root(), asked);
    let whole = store
        .last_for_directory(asked)
        .unwrap()
        .map(|session| session.id.to_string());
    assert_eq!(whole, expected, "whole, asked for {asked:?}");
    let tail = store
        .last_for_directory_tail(asked, Window::last(1))
        .unwrap()
        .map(|tail| tail.id.to_string());
    assert_eq!(tail, expected, "tail, asked for {asked:?}");
    expected
}

/// Workspaces that are easily taken for one another.
struct Places {
    stored: Vec<Option<PathBuf>>,
    asked: Vec<PathBuf>,
}

fn places(scratch: &Scratch) -> Places {
    let plain = scratch.workspace("x/foo");
    let longer = scratch.workspace("x/foo2");
    let nested = scratch.workspace("x/foo/nested");
    let link = plain.with_file_name("link");
    if !link.exists() {
        symlink(&plain, &link).unwrap();
    }
    let dotted = plain.join("nested/..");
    let slash = PathBuf::from(format!("{}/", plain.display()));
    let gone = plain.with_file_name("gone");
    let dashes = [PathBuf::from("/a-b/c"), PathBuf::from("/a/b/c")];
    let mut asked = vec![plain, longer, nested, link, dotted, slash, gone];
    asked.extend(dashes);
    let stored = asked
        .iter()
        .cloned()
        .map(Some)
        .chain([None, Some("relative/path".into())])
        .collect();
    Places { stored, asked }
}

#[derive(Clone, Debug)]
enum Step {
    /// Save through the store.
    Own {
        name: usize,
        place: usize,
        updated: u64,
    },
    /// Write as the reference does: renamed into place, no index.
    Foreign {
        name: usize,
        place: usize,
        updated: u64,
    },
    /// Put a file with another mtime in a file's place, as a backup or a copy does.
    Touch {
        name: usize,
        modified: u64,
    },
    Delete {
        name: usize,
    },
    /// Lose the index, or plant nonsense in it.
    Damage {
        kind: usize,
    },
    Lookup {
        place: usize,
    },
    All,
}

fn step() -> impl Strategy<Value = Step> {
    let (name, place, seconds) = (0..5_usize, 0..11_usize, 0..6_u64);
    prop_oneof![
        4 => (name.clone(), place.clone(), seconds.clone()).prop_map(|(name, place, updated)| Step::Own { name, place, updated }),
        3 => (name.clone(), place.clone(), seconds.clone()).prop_map(|(name, place, updated)| Step::Foreign { name, place, updated }),
        3 => (name.clone(), seconds).prop_map(|(name, modified)| Step::Touch { name, modified }),
        1 => name.prop_map(|name| Step::Delete { name }),
        1 => (0..3_usize).prop_map(|kind| Step::Damage { kind }),
        6 => place.prop_map(|place| Step::Lookup { place }),
        1 => Just(Step::All),
    ]
}

/// Half of the times are far in the future, where `updated_at` lies or the clock was moved.
fn odd_time(n: u64) -> u64 {
    if n.is_multiple_of(2) {
        n
    } else {
        10_000_000_000 + n
    }
}

fn run(index: IndexKind, steps: &[Step]) {
    let scratch = Scratch::new();
    let places = places(&scratch);
    let store = scratch.store_with(index);
    for step in steps {
        match *step {
            Step::Own {
                name,
                place,
                updated,
            }
            | Step::Foreign {
                name,
                place,
                updated,
            } => {
                let mut written = session(&format!("s{name}"), "/", 1, odd_time(updated));
                written.metadata.directory.clone_from(&places.stored[place]);
                if updated == 5 {
                    written.updated_at = None;
                }
                if matches!(step, Step::Own { .. }) {
                    store.overwrite(&written).unwrap();
                } else {
                    scratch.write_foreign(&written);
                }
            }
            Step::Touch { name, modified } => {
                let file = format!("s{name}.json");
                if scratch.file(&file).exists() {
                    // A time that is changed in place is one of the known gaps.
                    fs::copy(scratch.file(&file), scratch.file("copy")).unwrap();
                    scratch.touch("copy", moment(odd_time(modified)));
                    fs::rename(scratch.file("copy"), scratch.file(&file)).unwrap();
                }
            }
            Step::Delete { name } => {
                store.delete(&id(&format!("s{name}"))).unwrap();
            }
            Step::Damage { kind } => damage(&scratch, kind),
            Step::Lookup { place } => {
                if let Some(asked) = places.asked.get(place) {
                    check(&store, Some(asked));
                }
            }
            Step::All => {
                check(&store, None);
            }
        }
    }
    for asked in &places.asked {
        check(&store, Some(asked));
    }
    check(&store, None);
}

fn damage(scratch: &Scratch, kind: usize) {
    let dir = scratch.file(".store/index");
    for name in crate::support::names(&dir) {
        let path = dir.join(name);
        match kind {
            0 => fs::remove_file(path).unwrap(),
            1 => fs::write(path, "garbage").unwrap(),
            _ => {
                // A pointer that is whole, but to something that must never be opened.
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, text.replace("session s", "session ../s")).unwrap();
            }
        }
    }
    let map = scratch.file(".workspace_index.json");
    if map.exists() {
        fs::write(
            map,
            r#"{"entries": {"/a/b/c": "../../etc/passwd", "/a-b/c": "s1"}}"#,
        )
        .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lookups_equal_reading_everything(steps in proptest::collection::vec(step(), 1..24), kind in 0..4_usize) {
        let index = [IndexKind::Sidecar, IndexKind::JsonMap, IndexKind::Memory, IndexKind::None][kind];
        run(index, &steps);
    }
}

#[test]
fn the_number_of_files_does_not_change_the_rules() {
    for (files, index) in [
        (1, IndexKind::None),
        (2, IndexKind::None),
        (2, IndexKind::Sidecar),
        (300, IndexKind::None),
        (300, IndexKind::Sidecar),
        (300, IndexKind::JsonMap),
    ] {
        let scratch = Scratch::new();
        let places = places(&scratch);
        let store = scratch.store_with(index);
        for n in 0..files {
            let mut written = session(&format!("n{n}"), "/", 1, odd_time(n as u64 * 7 % 300));
            written
                .metadata
                .directory
                .clone_from(&places.stored[n % places.stored.len()]);
            store.save(&written).unwrap();
            scratch.touch(&format!("n{n}.json"), moment(n as u64 * 13 % 300));
        }
        for asked in &places.asked {
            check(&store, Some(asked));
        }
        check(&store, None).expect("a session");
    }
}

#[test]
fn what_cannot_be_looked_at_is_reported_by_lookups_too() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    symlink("s.json", scratch.file("newer.json")).unwrap();
    let found = store.find_last(&LastQuery::new()).unwrap();
    assert_eq!(found.session.unwrap().id, "s");
    assert_eq!(found.skipped.len(), 1);
    assert_eq!(found.skipped[0].name, "newer.json");
}

#[test]
fn a_directory_that_does_not_resolve_in_time_is_reported_and_not_guessed() {
    let scratch = Scratch::new();
    let (here, there) = (scratch.workspace("here"), scratch.workspace("there"));
    let store = scratch.store();
    store.save(&session("here", &here, 1, 1)).unwrap();
    store.save(&session("there", &there, 1, 2)).unwrap();
    // No answer can come in no time.
    let builder = SessionStore::builder(scratch.sessions()).index(IndexKind::None);
    let hurried = builder
        .resolve_deadline(std::time::Duration::ZERO)
        .open()
        .unwrap();
    let found = hurried
        .find_last(&LastQuery::new().workspace(&here))
        .unwrap();
    assert_eq!(found.session.unwrap().id, "here");
    assert_eq!(found.skipped.len(), 1);
    assert!(matches!(
        found.skipped[0].reason,
        session_store::SkipReason::Unresolved { .. }
    ));
}

#[test]
fn a_member_that_is_missing_is_looked_for_by_its_own_key_only() {
    let scratch = Scratch::new();
    let store = scratch.store_with(IndexKind::None);
    let mut timeless = session("timeless", "/other", 2_000, 1);
    timeless.updated_at = None;
    store.save(&timeless).unwrap();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    let bytes = fs::metadata(scratch.file("timeless.json")).unwrap().len();
    let found = store
        .find_last(&LastQuery::new().workspace("/work").window(Window::last(1)))
        .unwrap();
    assert_eq!(found.session.unwrap().id, "s");
    // One search for a key that is not there, and no walk after it.
    assert!(
        found.bytes_read < bytes + 32 * 1024,
        "{} of {bytes}",
        found.bytes_read
    );
}

#[test]
fn look_alike_directories_are_told_apart() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("long", "/x/foo2", 1, 2)).unwrap();
    store.save(&session("short", "/x/foo", 1, 1)).unwrap();
    assert_eq!(check(&store, Some("/x/foo".as_ref())), Some("short".into()));
    assert_eq!(check(&store, Some("/x/foo2".as_ref())), Some("long".into()));
    assert_eq!(check(&store, Some("/x".as_ref())), None);
}

#[test]
fn a_path_inside_a_message_is_not_a_workspace() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut talk = session("talk", "/elsewhere", 0, 9);
    talk.push(session_store::Message::user(
        r#"{"metadata":{"directory":"/work"}} "directory":"/work""#,
    ));
    store.save(&talk).unwrap();
    assert_eq!(check(&store, Some("/work".as_ref())), None);
    store.save(&session("real", "/work", 1, 1)).unwrap();
    assert_eq!(check(&store, Some("/work".as_ref())), Some("real".into()));
}

#[test]
fn directories_that_are_not_utf8_are_compared_by_their_bytes() {
    use std::os::unix::ffi::OsStringExt;
    let path = |bytes: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()));
    let (one, two) = (path(b"/work/\xff"), path(b"/work/\xfe"));
    for index in [IndexKind::Sidecar, IndexKind::JsonMap] {
        let scratch = Scratch::new();
        let store = scratch.store_with(index);
        store.save(&session("one", &one, 1, 1)).unwrap();
        store.save(&session("two", &two, 1, 2)).unwrap();
        assert_eq!(check(&store, Some(&one)), Some("one".into()));
        assert_eq!(check(&store, Some(&two)), Some("two".into()));
        assert_eq!(check(&store, Some("/work/\u{fffd}".as_ref())), None);
    }
}

#[test]
fn the_index_answers_once_it_knows_and_never_with_an_older_session() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let query = LastQuery::new().workspace("/work").window(Window::last(1));
    scratch.write_foreign(&session("old", "/work", 1, 1));
    assert_eq!(store.find_last(&query).unwrap().source, Source::Scan);
    assert_eq!(store.find_last(&query).unwrap().source, Source::Index);
    scratch.write_foreign(&session("new", "/work", 1, 2));
    let found = store.find_last(&query).unwrap();
    assert_eq!(
        (found.session.unwrap().id.as_str(), found.source),
        ("new", Source::Scan)
    );
    let found = store.find_last(&query).unwrap();
    assert_eq!(
        (found.session.unwrap().id.as_str(), found.source),
        ("new", Source::Index)
    );
}

#[test]
fn a_lookup_with_a_hint_reads_few_of_many_files() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..200 {
        let directory = format!("/work/{n}");
        store
            .save(&session(&format!("s{n}"), directory, 50, n))
            .unwrap();
        // Their times are as old as they say, as after a day of work.
        scratch.touch(&format!("s{n}.json"), moment(n));
    }
    let query = LastQuery::new()
        .workspace("/work/199")
        .window(Window::last(1));
    let found = store.find_last(&query).unwrap();
    assert_eq!(found.source, Source::Index);
    let one = fs::metadata(scratch.file("s199.json")).unwrap().len();
    assert!(
        found.bytes_read < 4 * one + 64 * 1024,
        "{} bytes read of files of {one}",
        found.bytes_read
    );
}

#[test]
fn a_newest_session_that_cannot_be_loaded_is_reported_and_the_next_is_taken() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("good", "/work", 1, 1)).unwrap();
    let mut broken = serde_json::to_vec(&session("broken", "/work", 3, 2)).unwrap();
    broken.truncate(broken.len() - 40);
    scratch.write("broken.json", broken);
    let found = store
        .find_last(&LastQuery::new().workspace("/work"))
        .unwrap();
    assert_eq!(found.session.unwrap().id, "good");
    assert_eq!(found.skipped.len(), 1);
    assert_eq!(found.skipped[0].name, "broken.json");
}

#[test]
fn a_lookup_of_a_read_only_store_writes_nothing() {
    let scratch = Scratch::new();
    scratch.write_foreign(&session("s", "/work", 1, 1));
    let store = SessionStore::builder(scratch.sessions())
        .read_only()
        .open()
        .unwrap();
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap()
            .updated_at,
        Some(time(1))
    );
    assert_eq!(scratch.names(), ["s.json"]);
    assert!(
        store
            .save(&session("t", "/work", 1, 1))
            .unwrap_err()
            .is_read_only()
    );
    assert!(store.delete(&id("s")).unwrap_err().is_read_only());
    assert_eq!(scratch.names(), ["s.json"]);
}

/// The reference's rule: the index's session if its directory matches, without looking for a newer one.
fn reference_lookup(scratch: &Scratch, asked: &Path) -> Option<String> {
    let map = fs::read(scratch.file(".workspace_index.json")).ok()?;
    let map: serde_json::Value = serde_json::from_slice(&map).ok()?;
    Some(map["entries"][asked.to_str()?].as_str()?.to_owned())
}

#[test]
fn the_oracle_catches_an_index_that_is_believed() {
    let scratch = Scratch::new();
    let store = scratch.store_with(IndexKind::JsonMap);
    store.save(&session("old", "/work", 1, 1)).unwrap();
    scratch.write_foreign(&session("new", "/work", 1, 2));
    assert_ne!(
        reference_lookup(&scratch, "/work".as_ref()),
        naive(store.root(), Some("/work".as_ref()))
    );
    assert_eq!(check(&store, Some("/work".as_ref())), Some("new".into()));
}
