//! The rarer calls as futures: each does what the call below it does, and a search that is given up loses no hit.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_store::tokio::SessionStore;
use session_store::{Message, Query, Rebind, SearchQuery};

use crate::support::{Scratch, id, session};

fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test)
}

/// Polls a future once, then drops it; gives what it was done with by then.
fn polled<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

async fn filled(scratch: &Scratch, sessions: usize) -> SessionStore {
    let store = SessionStore::from(scratch.store());
    for at in 0..sessions {
        let one = session(&format!("s{at}"), "/old/place", 40, at as u64);
        store.save(one).await.unwrap();
    }
    store
}

#[test]
fn what_was_thrown_away_is_listed_and_brought_back() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, 2).await;
        assert!(store.trash(&id("s0")).await.unwrap());
        assert!(!store.trash(&id("s0")).await.unwrap());
        assert_eq!(store.trashed().await.unwrap().len(), 1);
        assert_eq!(store.list(Query::new()).await.unwrap().rows.len(), 1);
        assert!(store.restore(&id("s0")).await.unwrap());
        assert_eq!(store.list(Query::new()).await.unwrap().rows.len(), 2);
        store.trash(&id("s1")).await.unwrap();
        assert_eq!(store.empty_trash(Duration::ZERO).await.unwrap(), 1);
        assert!(!store.restore(&id("s1")).await.unwrap());
    });
}

#[test]
fn a_session_is_checked_salvaged_and_moved() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, 3).await;
        let path = store.blocking().path(&id("s1"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(!store.check(&id("s1")).await.unwrap().is_sound());
        let mut told = 0;
        let report = store.check_all(move |_| {
            told += 1;
            if told > 3 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(report.await.unwrap().sessions, 3);
        let ended = store.check_all(|_| ControlFlow::Break(())).await;
        assert!(ended.unwrap_err().is_cancelled());
        let s1 = id("s1");
        let ended = store.salvage_watched(&s1, |_| ControlFlow::Break(()));
        assert!(ended.await.unwrap_err().is_cancelled());
        assert!(store.quarantined().await.unwrap().is_empty());
        assert!(store.salvage(&id("s1")).await.unwrap().is_some());
        assert_eq!(store.quarantined().await.unwrap().len(), 1);
        let moved = store.rebind("/old", "/new", Rebind::Apply).await.unwrap();
        assert_eq!(moved.sessions.len(), 3);
        assert!(moved.sessions.iter().all(|one| one.outcome.is_ok()));
    });
}

/// P24 for the rarer changes: one that was given up is made before any later one, whatever it is.
#[test]
fn a_rarer_change_that_was_given_up_is_not_made_after_a_later_one() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, 1).await;
        for round in 0..20 {
            // Never polled, so never begun.
            drop(store.trash(&id("s0")));
            // Each is given up after its first poll, at which a quick thread may already have made it.
            drop(polled(store.trash(&id("s0"))));
            drop(polled(store.restore(&id("s0"))));
            let there = store.change(|store| store.load(&id("s0"))).await;
            // The second had not begun while it waited for its turn; it is made, whole, if the first had ended by then.
            let trashed = store.trashed().await.unwrap().len();
            assert_eq!(there.is_ok(), trashed == 0, "round {round}");
            store.restore(&id("s0")).await.unwrap();
            assert!(store.load(&id("s0")).await.is_ok());
        }
    });
}

const SESSIONS: usize = 30;

/// Takes everything, giving up every call that has to wait once before it is made again.
async fn taken<T>(mut next: impl AsyncFnMut() -> Option<T>) -> Vec<T> {
    let mut taken = Vec::new();
    loop {
        let done = match polled(next()) {
            Some(done) => done,
            None => next().await,
        };
        match done {
            Some(hit) => taken.push(hit),
            None => return taken,
        }
    }
}

#[test]
fn a_search_that_is_given_up_now_and_then_loses_and_doubles_no_hit() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, SESSIONS).await;
        let query = SearchQuery::text("message");
        let expected: Vec<_> = store.blocking().search(&query).unwrap().collect();
        assert_eq!(expected.len(), SESSIONS * 40);
        let mut hits = store.search(query.clone()).await.unwrap();
        let found = taken(async || hits.next().await.unwrap()).await;
        assert_eq!(found, expected);
        assert!(hits.take_skipped().is_empty());
        let collected = store.search(query.clone()).await.unwrap().collect().await;
        assert_eq!(collected.unwrap(), expected);
        let limited = store.search(query.limit(7)).await.unwrap().collect().await;
        assert_eq!(limited.unwrap(), expected[..7]);
    });
}

/// The mutant: a call that takes its hit with it when it is given up.
#[test]
fn a_search_whose_calls_keep_what_they_found_is_caught() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, SESSIONS).await;
        let query = SearchQuery::text("message");
        let hits = store.run(move |store| store.search(&query)).await.unwrap();
        let hits = Arc::new(Mutex::new(hits));
        let losing = async || {
            let hits = Arc::clone(&hits);
            let next = tokio::task::spawn_blocking(move || hits.lock().unwrap().next());
            next.await.unwrap()
        };
        assert!(taken(losing).await.len() < SESSIONS * 40);
    });
}

#[test]
fn a_search_is_stopped_by_whoever_holds_its_stopper_or_drops_it() {
    run(async {
        let scratch = Scratch::new();
        let store = filled(&scratch, SESSIONS).await;
        let mut hits = store.search(SearchQuery::text("message")).await.unwrap();
        assert!(hits.next().await.unwrap().is_some());
        let stopper = hits.stopper();
        stopper.stop();
        while hits.next().await.unwrap().is_some() {}
        let mut dropped = store.search(SearchQuery::text("message")).await.unwrap();
        drop(polled(dropped.next()));
        drop(dropped);
        // Nothing of it is in the way of what comes after.
        let mut one = session("s0", "/work", 1, 99);
        one.push(Message::user("after"));
        store.overwrite(one).await.unwrap();
    });
}
