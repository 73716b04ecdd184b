//! Counting messages on several threads: the same answer, each file opened for it once, and ended when the caller says so.

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use session_store::backend::DirBackend;
use session_store::fs::{FaultFs, FsCall, OsFs};
use session_store::{Builder, Cursor, IndexKind, Query, SessionStore, Trust};

use crate::list::{document, facts, reported};
use crate::support::{Scratch, moment, session};

/// Sessions that somebody else wrote, so that nothing but a walk says how many messages they have; the body of every seventh
/// is broken.
fn foreign(sessions: usize) -> Scratch {
    let scratch = Scratch::new();
    for n in 0..sessions {
        let session = document(n, n % 5, n as u64);
        let mut json = serde_json::to_vec(&session).unwrap();
        if n % 7 == 3 {
            let broken = json.len() - 2;
            json[broken] = b'#';
        }
        let name = format!("{}.json", session.id);
        scratch.write(&name, json);
        scratch.touch(&name, moment(n as u64));
    }
    scratch
}

fn store(scratch: &Scratch, threads: usize) -> (SessionStore, FaultFs<Arc<OsFs>>) {
    let counting = FaultFs::new(Arc::new(OsFs::new(scratch.sessions())));
    let backend = DirBackend::with_file_system(counting.clone(), Trust::strict()).unwrap();
    let store = Builder::on(Arc::new(backend))
        .index(IndexKind::None)
        .threads(threads)
        .reads_in_flight(1)
        .open()
        .unwrap();
    (store, counting)
}

#[test]
fn every_page_is_the_same_on_any_number_of_threads() {
    let scratch = foreign(40);
    let pages = |threads: usize| {
        let (store, _) = store(&scratch, threads);
        let (mut pages, mut after) = (Vec::new(), None::<Cursor>);
        loop {
            let mut query = Query::new().limit(6);
            if let Some(cursor) = after {
                query = query.after(cursor);
            }
            let page = store.list(&query).unwrap();
            pages.push((facts(&page), reported(&page)));
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    };
    let alone = pages(1);
    assert!(alone.len() > 4 && alone.iter().any(|(_, reported)| !reported.is_empty()));
    for threads in [2, 5] {
        assert_eq!(pages(threads), alone, "{threads} threads");
    }
}

#[test]
fn what_is_counted_is_what_the_page_shows_and_once() {
    let scratch = foreign(40);
    let opens = |threads: usize| {
        let (store, fs) = store(&scratch, threads);
        let first = store.list(&Query::new().limit(6)).unwrap();
        let before = fs.calls(FsCall::Open);
        let second = Query::new().limit(6).after(first.next.unwrap());
        assert_eq!(store.list(&second).unwrap().rows.len(), 6);
        fs.calls(FsCall::Open) - before
    };
    // Forty headers, six bodies, and the broken one among them.
    assert_eq!([opens(1), opens(3)], [47, 47]);
}

#[test]
fn a_caller_ends_counting_on_several_threads() {
    let scratch = foreign(40);
    let (store, _) = store(&scratch, 2);
    let told = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&told);
    // Forty headers were told of before.
    let query = Query::new().on_progress(move |_| {
        if heard.fetch_add(1, Ordering::Relaxed) < 42 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert!(store.list(&query).unwrap_err().is_cancelled());
    assert_eq!(told.load(Ordering::Relaxed), 43);
}

/// No messages at all are none, and once that is known nobody has to look again.
#[test]
fn a_document_without_messages_has_none_and_is_counted_once() {
    for messages in ["", r#""messages":null,"#] {
        let scratch = Scratch::new();
        let pages = vec!["7"; 100_000].join(",");
        scratch.write(
            "s.json",
            format!(r#"{{"id":"s",{messages}"pages":[{pages}]}}"#),
        );
        scratch.touch("s.json", moment(1));
        let read = |store: &SessionStore| {
            let bytes = Arc::new(AtomicU64::new(0));
            let told = Arc::clone(&bytes);
            let query = Query::new().on_progress(move |progress| {
                told.store(progress.bytes_read, Ordering::Relaxed);
                ControlFlow::Continue(())
            });
            let rows = store.list(&query).unwrap().rows;
            assert_eq!(rows[0].messages, Some(0));
            bytes.load(Ordering::Relaxed)
        };
        let store = scratch.store();
        assert!(read(&store) > 200_000);
        assert!(read(&store) < 10_000);
    }
}

/// What plain sessions lack is not looked for in all of them.
#[test]
fn a_session_without_a_time_of_creation_is_not_read_whole() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut one = session("s", "/work", 2_000, 1);
    one.created_at = None;
    store.save(&one).unwrap();
    let bytes = fs::metadata(store.path(&one.id)).unwrap().len();
    let told = Arc::new(AtomicU64::new(0));
    let read = Arc::clone(&told);
    let query = Query::new().on_progress(move |progress| {
        read.store(progress.bytes_read, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    assert_eq!(store.list(&query).unwrap().rows.len(), 1);
    let read = told.load(Ordering::Relaxed);
    assert!(
        read > 0 && read < 40_000 && bytes > 100_000,
        "{read} of {bytes}"
    );
}
