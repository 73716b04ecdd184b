//! Promises about replacing.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{content, counted, get, lock, name_in, names, put, write_all};
use crate::backend::{Area, Backend, Blob, LockName, publish_now};
use crate::durability::Durability;
use crate::error::Error;

const BLOB: Blob<'static> = Blob {
    area: Area::Sessions,
    name: "one",
};

pub(super) fn content_comes_back(backend: &dyn Backend) {
    let sizes = [0, 1, 4095, 262_143, 262_144, 262_145, 1_000_003];
    for (round, size) in sizes.into_iter().enumerate() {
        let bytes: Vec<u8> = (0..size)
            .map(|at| (at * 31 + round).to_le_bytes()[0])
            .collect();
        let before = backend.stat(&BLOB).expect("stat");
        let after = put(backend, &BLOB, &bytes);
        assert_ne!(before, Some(after), "a replaced blob has another stat");
        assert_eq!(get(backend, &BLOB), Some((bytes, after)));
    }
    for durability in [Durability::Full, Durability::Ordered, Durability::Process] {
        let lock = lock(backend);
        let mut pieces =
            |out: &mut dyn io::Write| (0..10_000).try_for_each(|_| write_all(out, b"piece "));
        let stat = backend
            .replace(&lock, &BLOB, durability, &mut pieces, &mut publish_now)
            .expect("replace");
        assert_eq!(stat.size, 60_000);
        assert_eq!(
            content(backend, &BLOB),
            Some(b"piece ".repeat(10_000)),
            "at {durability:?}"
        );
    }
    let area = backend
        .stat_area(Area::Sessions)
        .expect("stat")
        .expect("the area exists now");
    put(backend, &Blob::session("two"), b"2");
    let after = backend
        .stat_area(Area::Sessions)
        .expect("stat")
        .expect("the area exists");
    assert_eq!(
        (area.device, area.inode),
        (after.device, after.inode),
        "the area is the same one"
    );
}

pub(super) fn a_reader_keeps_what_it_opened(backend: &dyn Backend) {
    let old = put(backend, &BLOB, b"the old content");
    let reader = backend.open(&BLOB).expect("open").expect("it is there");
    let new = put(backend, &BLOB, b"new");
    assert_ne!(
        (old.device, old.inode),
        (new.device, new.inode),
        "a replacement is another file"
    );
    let mut bytes = [0; 15];
    assert_eq!(reader.read_at(&mut bytes, 0).expect("read"), 15);
    assert_eq!(
        &bytes, b"the old content",
        "an open blob is not changed under its reader"
    );
    assert_eq!(reader.stat().expect("stat").inode, old.inode);
    assert_eq!(content(backend, &BLOB).as_deref(), Some(&b"new"[..]));
}

pub(super) fn readers_see_whole_blobs(backend: &dyn Backend) {
    const SIZE: usize = 20_000;
    put(backend, &BLOB, &vec![b'a'; SIZE]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let bytes =
                        content(backend, &BLOB).expect("a blob that is replaced is never missing");
                    assert_eq!(bytes.len(), SIZE, "a blob is never seen half written");
                    assert!(
                        bytes.iter().all(|&byte| byte == bytes[0]),
                        "two versions are never mixed"
                    );
                }
            });
        }
        let writer = |first: u8| {
            for round in 0..20 {
                let lock = lock(backend);
                let byte = first + round;
                let mut write = |out: &mut dyn io::Write| {
                    (0..SIZE / 100).try_for_each(|_| write_all(out, &[byte; 100]))
                };
                backend
                    .replace(
                        &lock,
                        &BLOB,
                        Durability::Process,
                        &mut write,
                        &mut publish_now,
                    )
                    .expect("replace");
            }
        };
        let other = scope.spawn(move || writer(b'A'));
        writer(b'a');
        let joined = other.join();
        done.store(true, Ordering::Release);
        joined.expect("the other writer succeeds too");
    });
}

pub(super) fn a_failing_writer_changes_nothing(backend: &dyn Backend) {
    let refuse = |out: &mut dyn io::Write| {
        write_all(out, &vec![b'x'; 300_000])?;
        Err(Error::Refused {
            path: "one".into(),
            reason: "on purpose".to_owned(),
        })
    };
    let held = lock(backend);
    let calls = Cell::new(0);
    let answer = backend.replace(
        &held,
        &BLOB,
        Durability::Full,
        &mut { refuse },
        &mut counted(&calls),
    );
    assert!(
        answer.is_err_and(|error| error.is_refused()),
        "the writer's error comes back"
    );
    assert_eq!(
        backend.stat(&BLOB).expect("stat"),
        None,
        "a first write that fails leaves nothing"
    );
    drop(held);
    let stat = put(backend, &BLOB, b"good");
    let held = lock(backend);
    let answer = backend.replace(
        &held,
        &BLOB,
        Durability::Full,
        &mut { refuse },
        &mut counted(&calls),
    );
    assert!(answer.is_err_and(|error| error.is_refused()));
    assert_eq!(calls.get(), 0, "what was not written is not published");
    assert_eq!(
        get(backend, &BLOB),
        Some((b"good".to_vec(), stat)),
        "a failing write leaves the old blob alone"
    );
    assert_eq!(names(backend, Area::Sessions), ["one"]);
    drop(held);
    assert_eq!(
        backend.sweep().expect("sweep"),
        0,
        "a failing write leaves no temporary"
    );
}

pub(super) fn publish_decides(backend: &dyn Backend) {
    let stat = put(backend, &BLOB, b"old");
    let held = lock(backend);
    let error = || Error::Refused {
        path: "one".into(),
        reason: "on purpose".to_owned(),
    };

    let answer = backend.replace(
        &held,
        &BLOB,
        Durability::Full,
        &mut |o| write_all(o, b"new"),
        &mut |_| Err(error()),
    );
    assert!(
        answer.is_err_and(|error| error.is_refused()),
        "the error of `publish` comes back"
    );
    let answer = backend.replace(
        &held,
        &BLOB,
        Durability::Full,
        &mut |out| write_all(out, b"new"),
        &mut |_| Ok(()),
    );
    assert!(
        answer.is_err(),
        "a write that is never published is not acknowledged"
    );
    assert_eq!(
        get(backend, &BLOB),
        Some((b"old".to_vec(), stat)),
        "what is not published is not seen"
    );

    let mut twice = |step: &mut dyn FnMut() -> Result<(), Error>| {
        assert_eq!(
            content(backend, &BLOB).as_deref(),
            Some(&b"old"[..]),
            "it is not visible before"
        );
        step()?;
        assert_eq!(
            content(backend, &BLOB).as_deref(),
            Some(&b"new"[..]),
            "it is visible after"
        );
        assert!(step().is_err(), "publishing twice is refused");
        Err(error())
    };
    let answer = backend.replace(
        &held,
        &BLOB,
        Durability::Full,
        &mut |out| write_all(out, b"new"),
        &mut twice,
    );
    assert!(answer.is_err_and(|error| error.is_refused()));
    assert_eq!(
        content(backend, &BLOB).as_deref(),
        Some(&b"new"[..]),
        "an error after publishing undoes nothing"
    );
    drop(held);
    assert_eq!(backend.sweep().expect("sweep"), 0, "no temporary is left");
    assert_eq!(names(backend, Area::Sessions), [name_in(Area::Sessions)]);
}

pub(super) fn a_sweep_leaves_live_writers_alone(backend: &dyn Backend) {
    let held = lock(backend);
    let other = backend
        .lock(LockName::Index, super::LONG)
        .expect("another lock is free");
    let mut write = |out: &mut dyn io::Write| {
        write_all(out, b"half ")?;
        assert_eq!(
            backend.sweep().expect("sweep"),
            0,
            "a temporary under a held lock is not swept"
        );
        let index = Blob::index("pointer");
        backend.replace(
            &other,
            &index,
            Durability::Full,
            &mut |out| write_all(out, b"p"),
            &mut publish_now,
        )?;
        write_all(out, b"whole")
    };
    backend
        .replace(&held, &BLOB, Durability::Full, &mut write, &mut publish_now)
        .expect("replace");
    assert_eq!(content(backend, &BLOB).as_deref(), Some(&b"half whole"[..]));
}
