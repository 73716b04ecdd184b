//! The suite that every [`IndexStorage`] passes. Knows the trait only.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::storage::IndexStorage;

/// Checks everything that [`IndexStorage`] promises and that can be seen without cutting the power.
///
/// `make` gives a new and empty storage each time; its wait for the lock should be short, because the suite waits for a
/// lock that is held.
///
/// # Panics
///
/// Panics with the promise that was broken.
pub fn storage_conformance(mut make: impl FnMut() -> Box<dyn IndexStorage>) {
    keeps_what_it_was_given(&*make());
    reads_no_more_than_the_limit(&*make());
    removes_one_blob(&*make());
    lock_excludes_and_is_released(&*make());
    readers_see_old_or_new(&*make());
}

fn keeps_what_it_was_given(storage: &dyn IndexStorage) {
    assert_eq!(
        storage.read("a.pointer", 10).unwrap_or_default(),
        None,
        "an empty storage has no blobs"
    );
    let _lock = lock(storage);
    let binary = (0..=255).collect::<Vec<u8>>();
    let large = vec![7; 100_000];
    for bytes in [&b"one"[..], b"", &binary, b"\xff\0\n", &large] {
        replace(storage, "a.pointer", bytes);
        assert_eq!(
            read(storage, "a.pointer").as_deref(),
            Some(bytes),
            "a blob is read as it was written"
        );
    }
    replace(storage, ".b_B-0", b"other");
    assert_eq!(
        read(storage, "a.pointer").map(|bytes| bytes.len()),
        Some(100_000),
        "blobs do not disturb each other"
    );
    let names = storage.names().unwrap_or_default();
    let is_named = |name: &str| names.iter().any(|known| known == name);
    assert!(
        names.is_empty() || is_named("a.pointer") && is_named(".b_B-0"),
        "names are told of all blobs, or of none"
    );
    assert_eq!(
        read(storage, ".b_B-0").as_deref(),
        Some(&b"other"[..]),
        "every plain name works"
    );
}

fn reads_no_more_than_the_limit(storage: &dyn IndexStorage) {
    let _lock = lock(storage);
    replace(storage, "a", b"0123456789");
    for (limit, expected) in [
        (0, &b""[..]),
        (1, b"0"),
        (9, b"012345678"),
        (10, b"0123456789"),
        (usize::MAX, b"0123456789"),
    ] {
        let bytes = storage
            .read("a", limit)
            .unwrap_or_else(|error| panic!("read up to {limit} bytes: {error}"));
        assert_eq!(
            bytes.as_deref(),
            Some(expected),
            "a read gives the first {limit} bytes"
        );
    }
}

fn removes_one_blob(storage: &dyn IndexStorage) {
    let _lock = lock(storage);
    assert!(!remove(storage, "a"), "removing nothing says so");
    replace(storage, "a", b"1");
    replace(storage, "b", b"2");
    assert!(remove(storage, "a"), "removing a blob says so");
    assert_eq!(read(storage, "a"), None, "a removed blob is gone");
    assert_eq!(
        read(storage, "b").as_deref(),
        Some(&b"2"[..]),
        "the other blob stays"
    );
    assert!(!remove(storage, "a"), "a blob is removed once");
}

fn lock_excludes_and_is_released(storage: &dyn IndexStorage) {
    let held = lock(storage);
    let elsewhere = thread::scope(|scope| scope.spawn(|| storage.lock().map(drop)).join());
    let refused = elsewhere.unwrap_or_else(|_| panic!("taking a held lock panicked"));
    let kind = refused.err().map(|error| error.kind());
    assert!(
        matches!(kind, Some(ErrorKind::TimedOut | ErrorKind::WouldBlock)),
        "a held lock is refused: {kind:?}"
    );
    replace(storage, "a", b"1");
    drop(held);
    drop(lock(storage));
    assert_eq!(
        read(storage, "a").as_deref(),
        Some(&b"1"[..]),
        "taking the lock changes nothing"
    );
}

fn readers_see_old_or_new(storage: &dyn IndexStorage) {
    let _lock = lock(storage);
    let versions = [vec![b'a'; 3_000], vec![b'b'; 9_000]];
    replace(storage, "a", &versions[0]);
    let written = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !written.load(Ordering::Acquire) {
                if read(storage, "a").is_none_or(|bytes| !versions.contains(&bytes)) {
                    return false;
                }
            }
            true
        });
        for round in 0..100 {
            replace(storage, "a", &versions[round % 2]);
        }
        written.store(true, Ordering::Release);
        assert!(
            matches!(reader.join(), Ok(true)),
            "a reader sees the old bytes or the new ones, always"
        );
    });
}

fn lock(storage: &dyn IndexStorage) -> crate::StorageLock<'_> {
    storage
        .lock()
        .unwrap_or_else(|error| panic!("a free lock can be taken: {error}"))
}

fn read(storage: &dyn IndexStorage, name: &str) -> Option<Vec<u8>> {
    storage
        .read(name, usize::MAX)
        .unwrap_or_else(|error| panic!("read {name}: {error}"))
}

fn replace(storage: &dyn IndexStorage, name: &str, bytes: &[u8]) {
    storage
        .replace(name, bytes)
        .unwrap_or_else(|error| panic!("replace {name}: {error}"));
}

fn remove(storage: &dyn IndexStorage, name: &str) -> bool {
    storage
        .remove(name)
        .unwrap_or_else(|error| panic!("remove {name}: {error}"))
}
