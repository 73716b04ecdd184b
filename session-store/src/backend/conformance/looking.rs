//! Promises about looking: empty areas, names, listings.

use std::cell::Cell;

use super::{AREAS, content, counted, get, lock, name_in, names, put, write_all};
use crate::backend::{Area, Backend, Blob, LockName, publish_now};
use crate::durability::Durability;

pub(super) fn nothing_is_there(backend: &dyn Backend) {
    assert_eq!(
        backend.sweep().expect("sweep"),
        0,
        "there is nothing to sweep"
    );
    for area in AREAS {
        let blob = Blob::new(area, name_in(area));
        assert_eq!(
            names(backend, area),
            Vec::<String>::new(),
            "an area that does not exist is empty"
        );
        assert_eq!(
            backend.stat_area(area).expect("stat"),
            None,
            "looking creates nothing"
        );
        assert_eq!(backend.stat(&blob).expect("stat"), None);
        assert!(backend.open(&blob).expect("open").is_none());
    }
    let lock = lock(backend);
    for area in AREAS {
        let blob = Blob::new(area, name_in(area));
        assert!(
            !backend
                .remove(&lock, &blob, Durability::Full)
                .expect("remove"),
            "nothing is removed"
        );
        let calls = Cell::new(0);
        let moved = backend.transfer(
            &lock,
            &blob,
            &Blob::trash("two"),
            Durability::Full,
            &mut counted(&calls),
        );
        assert!(!moved.expect("transfer"), "nothing is moved");
        assert_eq!(calls.get(), 0, "what is not there is not published");
    }
}

pub(super) fn names_are_checked(backend: &dyn Backend) {
    let long = "x".repeat(300);
    let bad = [
        "",
        ".",
        "..",
        "../one",
        "a/b",
        "/etc/passwd",
        "a\0b",
        "a b",
        "a\\b",
        "\u{e9}",
        "a\n",
        &long,
    ];
    let lock = lock(backend);
    for area in AREAS {
        for name in bad {
            let blob = Blob::new(area, name);
            let refused = [
                backend.stat(&blob).err(),
                backend.open(&blob).err(),
                backend.remove(&lock, &blob, Durability::Full).err(),
                backend
                    .transfer(
                        &lock,
                        &blob,
                        &Blob::trash("x"),
                        Durability::Full,
                        &mut publish_now,
                    )
                    .err(),
                backend
                    .transfer(
                        &lock,
                        &Blob::trash("x"),
                        &blob,
                        Durability::Full,
                        &mut publish_now,
                    )
                    .err(),
                backend
                    .replace(
                        &lock,
                        &blob,
                        Durability::Full,
                        &mut |out| write_all(out, b"bad"),
                        &mut publish_now,
                    )
                    .err(),
            ];
            for error in refused {
                let error = error.unwrap_or_else(|| panic!("{name:?} is no name in {area:?}"));
                assert_eq!(
                    error.is_invalid_id(),
                    matches!(area, Area::Sessions | Area::Journal),
                    "{name:?}: {error}"
                );
            }
            let shown = backend.describe(&blob);
            assert!(
                !shown.to_string_lossy().contains(".."),
                "a bad name is not made part of a path: {}",
                shown.display()
            );
        }
        assert_eq!(
            names(backend, area),
            Vec::<String>::new(),
            "refused names leave nothing behind in {area:?}"
        );
    }
    for name in bad {
        assert!(
            backend
                .lock(LockName::Session(name), std::time::Duration::ZERO)
                .is_err_and(|e| e.is_invalid_id())
        );
    }
    for (area, name) in [
        (Area::Shared, "visible"),
        (Area::Shared, ".store"),
        (Area::Index, ".hidden"),
    ] {
        assert!(
            backend.stat(&Blob::new(area, name)).is_err(),
            "{name:?} is no name in {area:?}"
        );
    }
}

pub(super) fn listings_are_complete(backend: &dyn Backend) {
    let mut expected: Vec<String> = (0..50)
        .map(|number| format!("session-{number}_X"))
        .collect();
    expected.sort();
    for (number, id) in expected.iter().enumerate() {
        put(backend, &Blob::session(id), &vec![b'x'; number]);
    }
    assert_eq!(
        names(backend, Area::Sessions),
        expected,
        "a listing has every blob once"
    );
    for entry in backend.list(Area::Sessions).expect("list").entries {
        let (bytes, stat) =
            get(backend, &Blob::session(&entry.name)).expect("a listed blob is there");
        assert_eq!(entry.stat, stat, "a listing's stat is the blob's");
        assert_eq!(bytes.len() as u64, entry.stat.size);
    }
    // The same name in two areas is two blobs.
    for area in AREAS {
        put(
            backend,
            &Blob::new(area, name_in(area)),
            format!("{area:?}").as_bytes(),
        );
    }
    for area in AREAS {
        let blob = Blob::new(area, name_in(area));
        assert_eq!(
            content(backend, &blob),
            Some(format!("{area:?}").into_bytes()),
            "areas are apart"
        );
        assert!(names(backend, area).contains(&name_in(area).to_owned()));
        assert!(backend.stat_area(area).expect("stat").is_some());
    }
    assert_eq!(
        names(backend, Area::Sessions).len(),
        expected.len() + 1,
        "other areas are not sessions"
    );
}
