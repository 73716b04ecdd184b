//! The directory: modes, links, pipes, orphans, names, and what a lookup touches.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use session_index::{
    DirStorage, Durability, IndexStorage, JsonMapIndex, SidecarIndex, WorkspaceIndex,
};

use crate::support::{SHORT, at, directory, find, pointer, record};

fn names(path: &Path) -> Vec<String> {
    let mut names = fs::read_dir(path)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn lookups_create_nothing() {
    let root = tempfile::tempdir().unwrap();
    let index = SidecarIndex::new(directory(&root));
    assert!(index.lookup(at("/x")).unwrap().is_unknown());
    assert!(
        JsonMapIndex::new(directory(&root))
            .lookup(at("/x"))
            .unwrap()
            .is_unknown()
    );
    assert_eq!(names(root.path()), [""; 0]);
}

#[test]
fn index_survives_its_value_at_every_durability() {
    for durability in [Durability::Full, Durability::Process] {
        let root = tempfile::tempdir().unwrap();
        let open =
            || SidecarIndex::new(DirStorage::new(root.path().join("a/b/c")).durability(durability));
        record(&open(), at("/x"), &pointer("a", 1));
        assert_eq!(find(&open(), at("/x")), Some(pointer("a", 1)));
        open().forget(at("/x")).unwrap();
        assert_eq!(find(&open(), at("/x")), None);
        assert_eq!(names(&root.path().join("a/b/c")), [".index.lock"]);
    }
}

#[test]
fn relative_directory_works() {
    // Only the name is relative: tests share one current directory and must not change it.
    let storage = DirStorage::new("");
    assert_eq!(storage.directory(), Path::new(""));
    assert!(
        storage
            .read("no-such-blob-in-the-current-directory", 1)
            .unwrap()
            .is_none()
    );
}

#[cfg(unix)]
#[test]
fn modes_are_private_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    // The umask belongs to the process, so another process changes it.
    if let Some(directory) = std::env::var_os("SESSION_INDEX_TEST_MODES") {
        let storage = DirStorage::new(Path::new(&directory).join("a/b"));
        record(&SidecarIndex::new(&storage), at("/x"), &pointer("a", 1));
        record(&JsonMapIndex::new(&storage), at("/x"), &pointer("a", 1));
        return;
    }
    for umask in ["000", "022", "077", "277"] {
        let root = tempfile::tempdir().unwrap();
        let script = format!(
            "umask {umask} && exec \"$0\" --exact dir_storage::modes_are_private_whatever_the_umask"
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env("SESSION_INDEX_TEST_MODES", root.path());
        assert!(shell.output().unwrap().status.success(), "umask {umask}");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let directory = root.path().join("a/b");
        assert_eq!(
            (mode(&root.path().join("a")), mode(&directory)),
            (0o700, 0o700),
            "umask {umask}"
        );
        let files = names(&directory);
        assert_eq!(files.len(), 3, "{files:?}");
        for file in files {
            assert_eq!(mode(&directory.join(&file)), 0o600, "umask {umask}: {file}");
        }
    }
}

/// A kind of file that is not a regular one, and how to make it.
#[cfg(unix)]
type Plant<'a> = (&'a str, &'a dyn Fn(&Path));

#[cfg(unix)]
#[test]
fn links_directories_and_pipes_are_neither_followed_nor_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let map = JsonMapIndex::<DirStorage>::FILE;
    let target = root.path().join("target");
    let plant: [Plant<'_>; 3] = [
        ("link", &|path| {
            std::os::unix::fs::symlink(&target, path).unwrap();
        }),
        ("directory", &|path| fs::create_dir(path).unwrap()),
        ("pipe", &|path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    for (kind, plant) in plant {
        fs::write(&target, r#"{"entries":{"/x":"planted"}}"#).unwrap();
        let directory = root.path().join(kind);
        fs::create_dir(&directory).unwrap();
        plant(&directory.join(map));
        let index = JsonMapIndex::new(DirStorage::new(&directory).wait(SHORT));
        assert!(index.lookup(at("/x")).unwrap_err().is_io(), "{kind}");
        let mut change = index.begin().unwrap();
        change.record(at("/x"), pointer("ours", 1));
        assert!(change.commit().unwrap_err().is_io(), "{kind}");

        fs::remove_file(directory.join(".index.lock")).unwrap();
        plant(&directory.join(".index.lock"));
        assert!(index.begin().unwrap_err().is_io(), "{kind} as lock");

        // A pointer is replaced without being read, so a link there is replaced and its target is not.
        let other = root.path().join(format!("{kind}-pointer"));
        fs::create_dir(&other).unwrap();
        plant(&other.join("all.pointer"));
        let index = SidecarIndex::new(DirStorage::new(&other).wait(SHORT));
        let mut change = index.begin().unwrap();
        change.record(None, pointer("ours", 1));
        assert_eq!(change.commit().is_ok(), kind != "directory", "{kind}");
        assert_eq!(
            fs::read_to_string(&target).unwrap(),
            r#"{"entries":{"/x":"planted"}}"#,
            "{kind}"
        );
        assert!(
            names(&other).iter().all(|name| !name.contains("tmp")),
            "{kind}: no temporary stays behind"
        );
    }
}

#[cfg(unix)]
#[test]
fn directory_that_cannot_be_written_still_answers() {
    let root = tempfile::tempdir().unwrap();
    record(
        &SidecarIndex::new(directory(&root)),
        at("/x"),
        &pointer("a", 1),
    );
    let place = root.path().join("a/index");
    // A file where a directory should be refuses writes to everybody, the superuser included.
    let blocked = SidecarIndex::new(DirStorage::new(place.join(".index.lock/inside")).wait(SHORT));
    assert!(blocked.begin().unwrap_err().is_io());
    assert!(!blocked.begin().unwrap_err().is_locked());
    assert_eq!(
        find(&SidecarIndex::new(DirStorage::new(place)), at("/x")),
        Some(pointer("a", 1))
    );
}

#[test]
fn what_a_dead_writer_left_is_removed_by_the_next_one_and_nothing_else_is() {
    let root = tempfile::tempdir().unwrap();
    let storage = directory(&root);
    let path = storage.directory().to_owned();
    drop(storage.lock().unwrap());
    for name in [".index.tmp", "tmp", ".tmp.other", "a.json", ".index.tmpx"] {
        fs::write(path.join(name), "x").unwrap();
    }
    let fresh = directory(&root);
    assert!(fresh.read("a.json", 9).unwrap().is_some());
    assert_eq!(names(&path).len(), 6, "a reader removes nothing");
    let held = storage.lock().unwrap();
    assert_eq!(fresh.lock().unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(names(&path).len(), 6, "nor does somebody without the lock");
    storage.replace("b", b"whole").unwrap();
    drop(held);
    assert_eq!(
        names(&path),
        [
            ".index.lock",
            ".index.tmpx",
            ".tmp.other",
            "a.json",
            "b",
            "tmp"
        ]
    );
    assert_eq!(fs::read(path.join("b")).unwrap(), b"whole");
}

#[test]
fn overwriting_leaves_exactly_the_new_bytes() {
    for durability in [Durability::Full, Durability::Process] {
        let root = tempfile::tempdir().unwrap();
        let storage = DirStorage::new(root.path().join("index")).durability(durability);
        let _lock = storage.lock().unwrap();
        for bytes in [
            &b"the first"[..],
            b"a longer second",
            b"short",
            b"",
            b"again",
        ] {
            storage.overwrite("a", bytes).unwrap();
            assert_eq!(storage.read("a", 99).unwrap().unwrap(), bytes);
        }
        assert_eq!(names(storage.directory()), [".index.lock", "a"]);
    }
}

#[test]
fn names_that_leave_the_directory_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let storage = directory(&root);
    let _lock = storage.lock().unwrap();
    for name in [
        "", ".", "..", "../x", "/x", "a/b", "a\\b", "a\0", "C:x", "é",
    ] {
        assert_eq!(
            storage.read(name, 1).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{name:?}"
        );
        assert_eq!(
            storage.replace(name, b"x").unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{name:?}"
        );
        assert_eq!(
            storage.remove(name).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{name:?}"
        );
    }
    assert_eq!(names(storage.directory()), [".index.lock"]);
}

#[test]
fn wait_of_zero_refuses_at_once_and_takes_a_free_lock() {
    let root = tempfile::tempdir().unwrap();
    let (held, other) = (directory(&root), directory(&root).wait(Duration::ZERO));
    let lock = held.lock().unwrap();
    assert_eq!(other.lock().unwrap_err().kind(), ErrorKind::TimedOut);
    drop(lock);
    drop(other.lock().unwrap());
}

#[test]
fn one_storage_can_be_shared_by_reference() {
    let root = tempfile::tempdir().unwrap();
    let storage = directory(&root);
    record(&SidecarIndex::new(&storage), None, &pointer("a", 1));
    record(&JsonMapIndex::new(&storage), at("/x"), &pointer("b", 1));
    assert_eq!(
        find(&SidecarIndex::new(&storage), None),
        Some(pointer("a", 1))
    );
}
