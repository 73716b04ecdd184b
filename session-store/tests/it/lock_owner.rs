//! Who holds a lock: what `Locked` says of it, and that nothing is decided on it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use session_store::backend::{Backend, DirBackend, LockName};
use session_store::fs::MemoryFs;
use session_store::{Append, Error, LockOwner, MemoryBackend, Message, SessionStore, Trust};

use crate::support::{Scratch, id, session};

const DIR: &str = "SESSION_STORE_TEST_DIR";
const S: LockName<'_> = LockName::Session("s");
/// The bytes of a line, as the format says.
const WIDTH: u64 = 33;

fn owner(locked: Result<impl Sized, Error>) -> Option<LockOwner> {
    match locked.err().expect("somebody holds it") {
        Error::Locked { owner, .. } => owner,
        other => panic!("{other}"),
    }
}

fn impatient(scratch: &Scratch) -> SessionStore {
    let builder = SessionStore::builder(scratch.sessions());
    builder.lock_wait(Duration::ZERO).open().unwrap()
}

/// Holds a writer until its input ends.
#[test]
#[ignore = "a child process of the test below"]
fn child_holds() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let store: SessionStore = SessionStore::open(dir).unwrap();
    let writer = store.writer(&id("s")).unwrap();
    println!("held");
    std::io::stdout().flush().unwrap();
    std::io::stdin().lines().for_each(drop);
    drop(writer);
}

#[test]
fn a_process_is_told_which_other_one_holds_a_session_and_a_dead_one_holds_none() {
    let scratch = Scratch::new();
    let store = impatient(&scratch);
    store.save(&session("s", "/work", 1, 1)).unwrap();
    let before = Utc::now() - Duration::from_millis(1);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "lock_owner::child_holds",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR, scratch.sessions())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let held = lines.map(Result::unwrap).any(|line| line.contains("held"));
    assert!(held, "the child ended early");
    let turn = Append::new().message(&Message::user("more")).unwrap();
    let refused = store.append(&id("s"), &turn).unwrap_err();
    let text = refused.to_string();
    let other = owner(Err::<(), _>(refused)).expect("it said who it is");
    assert_eq!(other.pid, child.id());
    assert!(before <= other.since && other.since <= Utc::now());
    let expected = format!(
        "s.lock: held by another writer, process {} since 20",
        child.id()
    );
    assert!(text.contains(&expected), "{text}");
    // Killed, so that it takes nothing back: what it wrote stays, and hinders nobody.
    child.kill().unwrap();
    child.wait().unwrap();
    let line = scratch.file(".store/locks/s.lock");
    let named = format!("{:010}", child.id());
    assert!(fs::read_to_string(&line).unwrap().contains(&named));
    store.append(&id("s"), &turn).unwrap();
    let named = format!("{:010}", std::process::id());
    assert!(fs::read_to_string(&line).unwrap().contains(&named));
}

#[test]
fn handles_on_disk_and_in_memory_name_the_holder_but_of_the_index_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let disk = || DirBackend::open(dir.path(), Trust::default()).unwrap();
    let fs = MemoryFs::new();
    let memory = || MemoryBackend::with_file_system(fs.clone());
    let pairs: [(&dyn Backend, &dyn Backend); 2] = [(&disk(), &disk()), (&memory(), &memory())];
    for (one, two) in pairs {
        let held = one.lock(S, Duration::ZERO).unwrap();
        for asking in [one, two] {
            let holder = owner(asking.lock(S, Duration::ZERO)).expect("it says who it is");
            assert_eq!(holder.pid, std::process::id());
        }
        drop(held);
        let held = one.lock(LockName::Index, Duration::ZERO).unwrap();
        held.turn().unwrap();
        assert_eq!(owner(two.lock(LockName::Index, Duration::ZERO)), None);
    }
    let index = fs::metadata(dir.path().join(".store/locks/.index.lock")).unwrap();
    assert_eq!(index.len(), 1, "its length is the count of turns");
    let session = fs::metadata(dir.path().join(".store/locks/s.lock")).unwrap();
    assert_eq!(session.len(), WIDTH);
}

#[test]
fn a_lock_file_that_holds_something_else_locks_as_well_and_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let backend = || DirBackend::open(dir.path(), Trust::default()).unwrap();
    drop(backend().lock(S, Duration::ZERO).unwrap());
    let path = dir.path().join(".store/locks/s.lock");
    let long = vec![b'7'; 100_000];
    for planted in [&b"lock 1 0000000001"[..], &long, &[b'9'; 34]] {
        fs::write(&path, planted).unwrap();
        let held = backend().lock(S, Duration::ZERO).unwrap();
        assert_eq!(owner(backend().lock(S, Duration::ZERO)), None);
        assert_eq!(fs::read(&path).unwrap(), planted);
        drop(held);
    }
    // Of the right length, but no line: as torn as a crash can leave it. The next holder writes its own.
    fs::write(&path, [0; 33]).unwrap();
    let held = backend().lock(S, Duration::ZERO).unwrap();
    assert!(owner(backend().lock(S, Duration::ZERO)).is_some());
    fs::write(&path, [0; 33]).unwrap();
    assert_eq!(owner(backend().lock(S, Duration::ZERO)), None);
    drop(held);
}

/// A second name of a file of the very length: what stands in it belongs to whoever gave it the other name.
#[test]
fn a_lock_file_with_a_second_name_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let backend = DirBackend::open(dir.path(), Trust::default()).unwrap();
    drop(backend.lock(S, Duration::ZERO).unwrap());
    let (path, other) = (
        dir.path().join(".store/locks/s.lock"),
        dir.path().join("other"),
    );
    fs::remove_file(&path).unwrap();
    fs::write(&other, [b'x'; 33]).unwrap();
    fs::hard_link(&other, &path).unwrap();
    let _held = backend.lock(S, Duration::ZERO).unwrap();
    assert_eq!(fs::read(&other).unwrap(), [b'x'; 33]);
}
