//! Promises about moving, removing and locking.

use std::cell::Cell;
use std::io::ErrorKind;
use std::sync::mpsc;
use std::time::Duration;

use super::{LONG, content, counted, lock, names, put};
use crate::backend::{Area, Backend, Blob, LockName, publish_now};
use crate::durability::Durability;

pub(super) fn a_transfer_moves(backend: &dyn Backend) {
    let (session, trash) = (Blob::session("one"), Blob::trash("one.0001"));
    let stat = put(backend, &session, b"content");
    let held = lock(backend);
    let calls = Cell::new(0);
    for durability in [Durability::Full, Durability::Ordered, Durability::Process] {
        assert!(
            backend
                .transfer(&held, &session, &trash, durability, &mut counted(&calls))
                .expect("transfer")
        );
        assert_eq!(content(backend, &session), None, "it is gone from there");
        assert_eq!(
            content(backend, &trash).as_deref(),
            Some(&b"content"[..]),
            "it is here"
        );
        assert_eq!(names(backend, Area::Sessions), Vec::<String>::new());
        assert_eq!(names(backend, Area::Trash), ["one.0001"]);
        assert!(
            backend
                .transfer(&held, &trash, &session, durability, &mut counted(&calls))
                .expect("transfer")
        );
    }
    assert_eq!(calls.get(), 6, "each move is published once");
    let after = backend.stat(&session).expect("stat").expect("it is back");
    assert_eq!(
        (after.device, after.inode, after.size),
        (stat.device, stat.inode, stat.size),
        "the file is the same"
    );
}

pub(super) fn a_transfer_never_replaces(backend: &dyn Backend) {
    let (session, trash) = (Blob::session("one"), Blob::trash("one"));
    put(backend, &session, b"living");
    put(backend, &trash, b"dead");
    let held = lock(backend);
    for (from, to) in [(&session, &trash), (&trash, &session)] {
        let answer = backend.transfer(&held, from, to, Durability::Full, &mut publish_now);
        let kind = answer.err().and_then(|error| error.io_kind());
        assert_eq!(
            kind,
            Some(ErrorKind::AlreadyExists),
            "a taken name is refused"
        );
    }
    let answer = backend.transfer(
        &held,
        &session,
        &Blob::trash("two"),
        Durability::Full,
        &mut |_| Ok(()),
    );
    assert!(
        answer.is_err(),
        "a move that is never published is not acknowledged"
    );
    assert_eq!(content(backend, &session).as_deref(), Some(&b"living"[..]));
    assert_eq!(content(backend, &trash).as_deref(), Some(&b"dead"[..]));
    assert_eq!(names(backend, Area::Trash), ["one"]);
}

pub(super) fn a_removal_removes(backend: &dyn Backend) {
    for durability in [Durability::Full, Durability::Ordered, Durability::Process] {
        put(backend, &Blob::session("one"), b"1");
        put(backend, &Blob::session("two"), b"2");
        let held = lock(backend);
        assert!(
            backend
                .remove(&held, &Blob::session("one"), durability)
                .expect("remove")
        );
        assert!(
            !backend
                .remove(&held, &Blob::session("one"), durability)
                .expect("remove"),
            "once"
        );
        assert_eq!(names(backend, Area::Sessions), ["two"], "only that one");
    }
}

pub(super) fn locks_exclude(backend: &dyn Backend) {
    let one = lock(backend);
    let two = backend
        .lock(LockName::Session("two"), Duration::ZERO)
        .expect("another session's lock is free");
    let index = backend
        .lock(LockName::Index, Duration::ZERO)
        .expect("the index's lock is free");
    assert_eq!((one.name(), two.name()), ("one", "two"));
    for name in [
        LockName::Session("one"),
        LockName::Session("two"),
        LockName::Index,
    ] {
        for wait in [Duration::ZERO, Duration::from_millis(3)] {
            let answer = backend.lock(name, wait);
            assert!(
                answer.is_err_and(|error| error.is_locked()),
                "a held lock is not given twice: {name:?}"
            );
        }
    }
    drop((two, index));
    let _again = backend
        .lock(LockName::Session("two"), Duration::ZERO)
        .expect("a dropped lock is free");
    let _index = backend
        .lock(LockName::Index, Duration::ZERO)
        .expect("a dropped lock is free");
    std::thread::scope(|scope| {
        let (started, has_started) = mpsc::channel();
        let waiter = scope.spawn(move || {
            started.send(()).expect("the other side listens");
            backend.lock(LockName::Session("one"), LONG).map(drop)
        });
        has_started.recv().expect("the other side sends");
        drop(one);
        waiter
            .join()
            .expect("no panic")
            .expect("a waiter gets the lock when it is free");
    });
    // Exclusion itself: an unguarded read-then-write under the lock loses nothing.
    let counter = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let held = backend.lock(LockName::Session("one"), LONG).expect("lock");
                    let seen = counter.load(std::sync::atomic::Ordering::Relaxed);
                    std::thread::yield_now();
                    counter.store(seen + 1, std::sync::atomic::Ordering::Relaxed);
                    drop(held);
                }
            });
        }
    });
    assert_eq!(counter.into_inner(), 100, "two threads never hold one lock");
}
