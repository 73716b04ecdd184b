//! Four processes upsert into one directory at once, and every entry is kept.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use session_index::{
    DirStorage, Durability, IndexStorage, JsonMapIndex, SidecarIndex, WorkspaceIndex,
};

use crate::support::{at, find, pointer, record};

const DIRECTORY: &str = "SESSION_INDEX_TEST_DIRECTORY";
const PROCESS: &str = "SESSION_INDEX_TEST_PROCESS";
const EACH: usize = 100;

/// Both kinds of index in one directory, behind one lock.
fn indexes(directory: &Path) -> [Box<dyn WorkspaceIndex>; 2] {
    let storage = || DirStorage::new(directory).durability(Durability::Process);
    [
        Box::new(SidecarIndex::new(storage())),
        Box::new(JsonMapIndex::new(storage())),
    ]
}

/// Is the body of each process; does nothing when it runs as an ordinary test.
#[test]
fn child_upserts() {
    let (Some(directory), Ok(process)) = (env::var_os(DIRECTORY), env::var(PROCESS)) else {
        return;
    };
    let indexes = indexes(Path::new(&directory));
    for number in 0..EACH {
        let path = format!("/{process}/{number}");
        for index in &indexes {
            record(&**index, at(&path), &pointer(&path, 1));
        }
    }
}

#[test]
fn every_upsert_of_four_processes_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("index");
    let children = (0..4).map(|process| {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "processes::child_upserts"])
            .env(DIRECTORY, &directory)
            .env(PROCESS, process.to_string());
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    });
    for mut child in children.collect::<Vec<_>>() {
        assert!(child.wait().unwrap().success());
    }
    for index in indexes(&directory) {
        let all =
            (0..4).flat_map(|process| (0..EACH).map(move |number| format!("/{process}/{number}")));
        let kept =
            all.filter(|path| find(&*index, at(path)).is_some_and(|pointer| pointer.id == *path));
        assert_eq!(kept.count(), 4 * EACH);
    }
    let temporary = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().contains("tmp");
    assert_eq!(
        std::fs::read_dir(&directory)
            .unwrap()
            .flatten()
            .filter(temporary)
            .count(),
        0
    );
}

/// Is the body of a process that dies with the lock in its hands.
#[test]
fn child_dies_with_the_lock() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let storage = DirStorage::new(PathBuf::from(directory));
    let _lock = storage.lock().unwrap();
    std::process::abort();
}

#[test]
fn lock_of_a_process_that_died_is_free() {
    let root = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "processes::child_dies_with_the_lock"])
        .env(DIRECTORY, root.path());
    let output = command.output().unwrap();
    assert!(!output.status.success(), "the child was to die");
    assert!(
        root.path().join(".index.lock").exists(),
        "the child had the lock"
    );
    let storage = DirStorage::new(root.path()).wait(crate::support::SHORT);
    drop(storage.lock().unwrap());
}
