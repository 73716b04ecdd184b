//! Long calls that are watched and ended: wherever that is, nothing is half done, and it is said what was.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use session_store::fs::{FsCall, MemoryFs};
use session_store::{
    Append, Counts, IndexKind, LastQuery, Message, Progress, Query, Rebind, Scope, SearchQuery,
    SessionStore,
};

use crate::catalogue::counted;
use crate::support::{Scratch, id, moment, session};

/// What a call told of itself.
type Told = Arc<Mutex<Vec<Progress>>>;

/// A function that ends a call when it is asked for the `last` time, and notes what it was told.
fn ending(
    last: usize,
    told: &Told,
) -> impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static {
    let notes = Arc::clone(told);
    move |progress: &Progress| {
        let mut notes = notes.lock().unwrap();
        notes.push(*progress);
        // Only once: what was ended stays ended.
        if notes.len() == last {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Every file of the store but locks and indexes, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(dir).into_iter().flatten();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            let is_hint = path.ends_with("index") || path.ends_with("locks");
            found.extend(if is_hint {
                BTreeMap::new()
            } else {
                files(&path)
            });
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn is_monotone(told: &[Progress]) -> bool {
    let grows = |pair: &[Progress]| {
        pair[0].files <= pair[1].files
            && pair[0].of <= pair[1].of
            && pair[0].bytes_read <= pair[1].bytes_read
    };
    told.windows(2).all(grows) && told.iter().all(|one| one.files <= one.of)
}

/// Five sessions of a directory, one of them with a journal, and one of another.
fn filled() -> (Scratch, SessionStore) {
    let scratch = Scratch::new();
    let store = scratch.store();
    for at in 0..5 {
        let one = session(&format!("s{at}"), "/old/place", 3, at);
        store.save(&one).unwrap();
    }
    store.save(&session("other", "/other", 3, 9)).unwrap();
    let append = Append::new().message(&Message::user("late")).unwrap();
    store.append(&id("s2"), &append).unwrap();
    (scratch, store)
}

#[test]
fn a_rebind_that_is_ended_says_what_was_moved_and_moves_nothing_else() {
    let mut seen_partial = 0;
    for last in 1.. {
        let (_scratch, store) = filled();
        let before = files(store.root());
        let told = Told::default();
        let observe = ending(last, &told);
        let done = store.rebind_watched("/old", "/new", Rebind::Apply, observe);
        let told = told.lock().unwrap();
        assert!(is_monotone(&told), "{told:?}");
        let moved: Vec<String> = match &done {
            Ok(done) => {
                assert_eq!(done.sessions.len(), 5);
                let is_moved = |one: &&session_store::Rebound| match &one.outcome {
                    Ok(revision) => revision.is_some(),
                    Err(error) => {
                        assert!(error.is_cancelled(), "{error}");
                        false
                    }
                };
                let moved = done.sessions.iter().filter(is_moved);
                moved.map(|one| one.id.to_string()).collect()
            }
            Err(error) => {
                assert!(error.is_cancelled(), "{error}");
                assert_eq!(files(store.root()), before);
                Vec::new()
            }
        };
        for row in store.list(&Query::new()).unwrap().rows {
            let expected = match row.id.as_str() {
                "other" => "/other",
                name if moved.iter().any(|moved| moved == name) => "/new/place",
                _ => "/old/place",
            };
            assert_eq!(row.directory.as_deref(), Some(Path::new(expected)));
            assert_eq!(
                store.load(&row.id).unwrap().directory(),
                Some(Path::new(expected))
            );
        }
        seen_partial += usize::from((1..5).contains(&moved.len()));
        // Whoever asks again has the rest moved.
        let rest = store.rebind("/old", "/new", Rebind::Apply).unwrap();
        assert_eq!(rest.sessions.len(), 5 - moved.len());
        if told.len() < last {
            assert_eq!(moved.len(), 5);
            let end = told.last().unwrap();
            assert_eq!(end.files, end.of);
            break;
        }
    }
    assert_eq!(seen_partial, 4, "ended before each of the sessions");
}

#[test]
fn a_salvage_that_is_ended_has_changed_nothing() {
    let mut endings = 0;
    for last in 1.. {
        let (_scratch, store) = filled();
        let path = store.path(&id("s2"));
        let mut bytes = fs::read(&path).unwrap();
        // Two messages that the type refuses, so that what is left is tried by halves, and a document that is cut.
        let text = String::from_utf8(bytes).unwrap();
        bytes = text.replacen("\"user\"", "5", 2).into_bytes();
        bytes.truncate(bytes.len() - 9);
        fs::write(&path, &bytes).unwrap();
        let before = files(store.root());
        let told = Told::default();
        let observe = ending(last, &told);
        let done = store.salvage_watched(&id("s2"), observe);
        let told = told.lock().unwrap();
        assert!(is_monotone(&told), "{told:?}");
        if told.len() < last {
            let report = done.unwrap().unwrap();
            assert!(store.load(&report.id).is_ok());
            assert_ne!(files(store.root()), before);
            break;
        }
        assert!(done.unwrap_err().is_cancelled());
        assert_eq!(files(store.root()), before);
        endings += 1;
    }
    assert!(endings > 8, "asked {endings} times");
}

#[test]
fn a_check_that_is_ended_has_changed_nothing_and_says_so() {
    let (_scratch, store) = filled();
    let before = files(store.root());
    for last in 1..=6 {
        let told = Told::default();
        let observe = ending(last, &told);
        assert!(store.check_all(observe).unwrap_err().is_cancelled());
        assert!(is_monotone(&told.lock().unwrap()));
        assert_eq!(files(store.root()), before);
    }
    let told = Told::default();
    let observe = ending(usize::MAX, &told);
    assert_eq!(store.check_all(observe).unwrap().sessions, 6);
    assert_eq!(told.lock().unwrap().len(), 6);
}

/// Half of these files cannot be read; messages of the others are counted once their headers were read.
#[test]
fn a_listing_tells_of_every_file_and_ends_where_it_is_told_to() {
    for threads in [1, 3] {
        let scratch = Scratch::new();
        for n in 0..30 {
            scratch.write(&format!("broken{n}.json"), "{");
            let foreign = serde_json::to_vec(&session(&format!("s{n}"), "/work", 1, n)).unwrap();
            scratch.write(&format!("s{n}.json"), foreign);
        }
        let store = SessionStore::builder(scratch.sessions()).threads(threads);
        let store = store.reads_in_flight(1).index(IndexKind::None);
        let store: SessionStore = store.open().unwrap();
        for last in [1, 2, 29, 60, 61, 75, 89, 90, 91] {
            let told = Told::default();
            let listing = store.list(&Query::new().on_progress(ending(last, &told)));
            let told = told.lock().unwrap();
            assert!(is_monotone(&told), "{told:?}");
            match listing {
                Ok(listing) => {
                    assert_eq!((listing.rows.len(), listing.skipped.len()), (30, 30));
                    let end = told.last().unwrap();
                    assert_eq!((told.len(), end.files, end.of), (90, 90, 90));
                    assert_eq!(last, 91);
                }
                Err(error) => {
                    assert!(error.is_cancelled() && last <= 90, "{error}");
                    assert_eq!(told.len(), last);
                }
            }
        }
    }
}

/// None of these files is of the asked workspace, so all of them are one step to whoever waits for a hit.
#[test]
fn a_search_that_is_ended_opens_no_more_files() {
    let (backend, store) = counted(MemoryFs::new());
    let opens = || backend.file_system().calls(FsCall::Open);
    for n in 0..300 {
        store
            .save(&session(&format!("s{n}"), "/elsewhere", 1, n))
            .unwrap();
    }
    for last in [1, 40, 250] {
        let told = Told::default();
        let query = SearchQuery::text("message").workspace("/work");
        let before = opens();
        let hits = store
            .search(&query.on_progress(ending(last, &told)))
            .unwrap();
        assert_eq!(hits.count(), 0);
        assert_eq!(
            opens() - before,
            last as u64,
            "one for each that was told of"
        );
        assert!(is_monotone(&told.lock().unwrap()));
    }
}

/// One session in the middle is of the asked workspace, so that those that are newer are looked at.
#[test]
fn a_lookup_tells_of_every_file_it_looks_at_and_ends_where_it_is_told_to() {
    for threads in [1, 3] {
        let scratch = Scratch::new();
        for n in 0..100 {
            let place = if n == 30 { "/work" } else { "/elsewhere" };
            scratch.write_foreign(&session(&format!("s{n}"), place, 1, n));
            scratch.touch(&format!("s{n}.json"), moment(n));
        }
        let store = SessionStore::builder(scratch.sessions()).threads(threads);
        let store = store.reads_in_flight(1).index(IndexKind::None);
        let store: SessionStore = store.open().unwrap();
        let mut endings = 0;
        for last in [1, 2, 8, 9, 40, 69, 200] {
            let told = Told::default();
            let query = LastQuery::new().workspace("/work");
            let found = store.find_last(&query.on_progress(ending(last, &told)));
            let told = told.lock().unwrap();
            assert!(is_monotone(&told), "{told:?}");
            assert!(told.iter().all(|one| one.of == 100), "{told:?}");
            match found {
                Ok(found) => {
                    assert_eq!(found.session.unwrap().id, "s30");
                    let files = told.last().unwrap().files;
                    assert!(files >= 70 && files == told.len() as u64, "{files} files");
                }
                Err(error) => {
                    assert!(error.is_cancelled(), "{error}");
                    assert_eq!(told.len(), last);
                    endings += 1;
                }
            }
        }
        assert_eq!(endings, 6);
    }
}

#[test]
fn a_lookup_that_is_ended_opens_no_more_files() {
    let (backend, store) = counted(MemoryFs::new());
    let opens = || backend.file_system().calls(FsCall::Open);
    for n in 0..300 {
        let one = session(&format!("s{n}"), "/elsewhere", 1, n);
        store.save(&one).unwrap();
    }
    let query = LastQuery::new().workspace("/work").scope(Scope::Below);
    for last in [1, 40, 250] {
        let told = Told::default();
        let before = opens();
        let query = query.clone().on_progress(ending(last, &told));
        assert!(store.find_last(&query).unwrap_err().is_cancelled());
        let told = told.lock().unwrap().len();
        let opened = opens() - before;
        // The index is asked first.
        let most = last as u64 + 2;
        assert!(told == last && opened <= most, "{opened} files for {last}");
    }
}

/// A walk that was ended has not seen all, so that it proves nothing; and by a proof nothing is looked at.
#[test]
fn a_lookup_that_is_ended_proves_nothing() {
    let fs = MemoryFs::new();
    let (_, store) = counted(fs.clone());
    store.save(&session("own", "/elsewhere", 1, 1)).unwrap();
    for n in 0..20 {
        let place = if n == 3 { "/work" } else { "/elsewhere" };
        let foreign = serde_json::to_vec(&session(&format!("s{n}"), place, 1, n)).unwrap();
        fs.plant(&format!("s{n}.json"), &foreign);
    }
    let query = LastQuery::new().workspace("/work");
    for last in [1, 5, 16] {
        let ended = query.clone().on_progress(ending(last, &Told::default()));
        assert!(store.find_last(&ended).unwrap_err().is_cancelled());
    }
    let told = Told::default();
    let watched = query.on_progress(ending(usize::MAX, &told));
    let mut looked = Vec::new();
    for listed in [21, 0] {
        let found = store.find_last(&watched).unwrap();
        assert_eq!(
            (&*found.session.unwrap().id, found.files_listed),
            ("s3", listed)
        );
        looked.push(told.lock().unwrap().len());
    }
    assert!(looked[0] >= 17 && looked[0] == looked[1], "{looked:?}");
}

#[test]
fn a_long_document_that_is_counted_is_left_between_two_reads() {
    const MIB: u64 = 1 << 20;
    for threads in [1, 3] {
        let scratch = Scratch::new();
        let mut one = session("s", "/work", 0, 1);
        (0..11).for_each(|_| one.push(Message::user("x".repeat(1 << 19))));
        scratch.write_foreign(&one);
        let store = SessionStore::builder(scratch.sessions()).threads(threads);
        let store: SessionStore = store.index(IndexKind::None).open().unwrap();
        for last in 2..9 {
            let told = Told::default();
            let listing = store.list(&Query::new().on_progress(ending(last, &told)));
            let told = told.lock().unwrap();
            assert!(is_monotone(&told), "{told:?}");
            if last == 8 {
                assert_eq!(listing.unwrap().rows[0].messages, Some(11));
                // The header, five times a MiB, and the end.
                let files: Vec<_> = told.iter().map(|one| one.files).collect();
                assert_eq!(files, [1, 1, 1, 1, 1, 1, 2]);
                break;
            }
            assert!(listing.unwrap_err().is_cancelled());
            assert_eq!(told.len(), last);
            let ended = told.last().unwrap();
            assert!(ended.bytes_read < last as u64 * MIB, "{ended:?}");
        }
    }
}

#[test]
fn a_listing_out_of_the_catalogue_says_at_once_how_much_there_is_to_count() {
    let fs = MemoryFs::new();
    let (_, store) = counted(fs.clone());
    for n in 0..10 {
        let foreign = serde_json::to_vec(&session(&format!("s{n}"), "/work", 1, n)).unwrap();
        fs.plant(&format!("s{n}.json"), &foreign);
    }
    // The first makes the directory for the catalogue.
    for _ in 0..2 {
        store.list(&Query::new().counts(Counts::Skip)).unwrap();
    }
    let told = Told::default();
    let query = Query::new().on_progress(ending(usize::MAX, &told));
    assert_eq!(store.list(&query).unwrap().rows.len(), 10);
    let told = told.lock().unwrap();
    let told: Vec<_> = told.iter().map(|one| (one.files, one.of)).collect();
    assert_eq!(told, (1..=10).map(|n| (n, 10)).collect::<Vec<_>>());
}
