//! Both file systems answer alike, and the real one keeps its promises whatever the umask.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use proptest::prelude::*;
use session_store::Durability;
use session_store::backend::{Backend, Blob, DirBackend, LockName, Trust};
use session_store::fs::{EntryKind, FileSystem, MemoryFs, OsFs};

use crate::backend::put;

/// Set in the processes that a test starts: what to do, and where.
const CHILD: &str = "SESSION_STORE_TEST_CHILD";

/// A step of a history, on few names, so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    MakeDir(usize),
    Create(usize, u8),
    Rename(usize, usize),
    RenameNew(usize, usize),
    Remove(usize),
    SyncDir(usize),
    Look(usize),
    List(usize),
    Lock(usize),
}

const DIRS: [&str; 4] = ["", "d", "d/e", "missing"];
const FILES: [&str; 6] = ["a", "b", "d/a", "d/e/a", "d", "missing/a"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (dir, file) = (0..3_usize, 0..FILES.len());
    let step = prop_oneof![
        dir.clone().prop_map(Step::MakeDir),
        (file.clone(), any::<u8>()).prop_map(|(file, byte)| Step::Create(file, byte)),
        (file.clone(), file.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        (file.clone(), file.clone()).prop_map(|(from, to)| Step::RenameNew(from, to)),
        file.clone().prop_map(Step::Remove),
        (0..DIRS.len()).prop_map(Step::SyncDir),
        file.clone().prop_map(Step::Look),
        (0..DIRS.len()).prop_map(Step::List),
        file.prop_map(Step::Lock),
    ];
    prop::collection::vec(step, 1..40)
}

/// Runs a step and tells what it answered, in words that do not depend on the file system.
fn run(fs: &dyn FileSystem, step: &Step) -> String {
    let kind = |error: io::Error| match error.kind() {
        // A file where a directory should be, and the other way round, are told apart in several ways.
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidInput => {
            "wrong kind".to_owned()
        }
        ErrorKind::PermissionDenied | ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => {
            "in the way".to_owned()
        }
        kind => format!("{kind:?}"),
    };
    let show = |answer: io::Result<String>| answer.unwrap_or_else(kind);
    match *step {
        Step::MakeDir(dir) => show(fs.make_dir(DIRS[dir]).map(|made| format!("made {made}"))),
        Step::Create(file, byte) => show(fs.create_new(FILES[file], 0o600).and_then(|mut file| {
            file.write_all(&vec![byte; usize::from(byte)])?;
            file.sync()?;
            Ok(format!("created {}", file.stat()?.size))
        })),
        Step::Rename(from, to) => show(
            fs.rename(FILES[from], FILES[to])
                .map(|()| "renamed".to_owned()),
        ),
        Step::RenameNew(from, to) => show(
            fs.rename_new(FILES[from], FILES[to])
                .map(|()| "renamed".to_owned()),
        ),
        Step::Remove(file) => show(fs.remove(FILES[file]).map(|was| format!("removed {was}"))),
        Step::SyncDir(dir) => show(fs.sync_dir(DIRS[dir]).map(|()| "synced".to_owned())),
        Step::Look(file) => {
            let stat = fs
                .stat(FILES[file])
                .map(|stat| stat.map(|stat| (stat.kind, stat.mode, stat.owner)));
            let open = fs.open(FILES[file]).and_then(|file| {
                let mut bytes = vec![0; 300];
                let count = file.read_at(&mut bytes, 1)?;
                Ok(format!(
                    "{} bytes, {:?} from 1, stat {}",
                    file.size()?,
                    &bytes[..count],
                    file.stat()?.size
                ))
            });
            format!(
                "{} / {}",
                show(stat.map(|stat| format!("{stat:?}"))),
                show(open)
            )
        }
        Step::List(dir) => show(fs.list(DIRS[dir], &mut |name| name != "b").map(|entries| {
            let entries = entries.map(|entries| {
                let mut all: Vec<_> = entries
                    .into_iter()
                    .map(|e| (e.name, e.stat.map(|stat| stat.kind).ok()))
                    .collect();
                all.sort_by(|one, other| one.0.cmp(&other.0));
                all
            });
            format!("{entries:?}")
        })),
        Step::Lock(file) => show(fs.try_lock(FILES[file]).and_then(|lock| {
            let again = fs.try_lock(FILES[file])?;
            Ok(format!(
                "locked {}, again {}",
                lock.is_some(),
                again.is_some()
            ))
        })),
    }
}

/// Whether a step is one that this file system is never asked for, and that platforms answer differently: renaming or
/// removing a directory, and renaming a file to itself.
fn differs_by_platform(fs: &MemoryFs, step: &Step) -> bool {
    let is_dir = |file: usize| matches!(fs.stat(FILES[file]), Ok(Some(stat)) if stat.kind == EntryKind::DIRECTORY);
    match *step {
        Step::Rename(from, to) | Step::RenameNew(from, to) => {
            from == to || is_dir(from) || is_dir(to)
        }
        Step::Remove(file) => is_dir(file),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_answers_as_the_disk_does(history in steps()) {
        let scratch = tempfile::tempdir().expect("temporary directory");
        let (disk, memory) = (OsFs::new(scratch.path().join("root")), MemoryFs::new());
        for step in &history {
            if differs_by_platform(&memory, step) {
                continue;
            }
            prop_assert_eq!(run(&disk, step), run(&memory, step), "{:?} in {:?}", step, history);
        }
    }
}

#[test]
fn paths_that_leave_the_root_are_refused() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    fs::write(scratch.path().join("outside"), "x").expect("write");
    let fs = OsFs::new(scratch.path().join("root"));
    fs.make_dir("").expect("make the root");
    for path in [
        "../outside",
        "/etc/passwd",
        ".",
        "..",
        "a/../../outside",
        "a//b",
        "a/",
        "x\0y",
    ] {
        assert!(fs.open(path).is_err(), "open {path:?}");
        assert!(fs.create_new(path, 0o600).is_err(), "create {path:?}");
        assert!(
            fs.stat(path).map_or(true, |stat| stat.is_none()),
            "stat {path:?}"
        );
        assert!(
            fs.remove(path).map_or(true, |was_there| !was_there),
            "remove {path:?}"
        );
        assert!(fs.rename("a", path).is_err(), "rename to {path:?}");
    }
    assert!(scratch.path().join("outside").exists());
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    for umask in ["000", "022", "077", "277", "777"] {
        let scratch = tempfile::tempdir().expect("temporary directory");
        let dir = scratch.path().join("above/sessions");
        let status = child("fs::child_saves_one_session", &dir, Some(umask))
            .status()
            .expect("the child starts");
        assert!(status.success(), "umask {umask}");
        let mode =
            |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o7777;
        for made in ["", ".store", ".store/tmp", ".store/locks"] {
            assert_eq!(mode(&dir.join(made)), 0o700, "{made:?} with umask {umask}");
        }
        assert_eq!(mode(&scratch.path().join("above")), 0o700, "umask {umask}");
        for made in ["s.json", ".store/locks/s.lock"] {
            assert_eq!(mode(&dir.join(made)), 0o600, "{made:?} with umask {umask}");
        }
    }
}

#[test]
fn processes_exclude_each_other() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let children: Vec<_> = (0..4)
        .map(|_| {
            child("fs::child_counts_under_the_lock", scratch.path(), None)
                .spawn()
                .expect("the child starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("the child ends").success());
    }
    let count = fs::read_to_string(scratch.path().join("s.json")).expect("the count is there");
    assert_eq!(count, "100", "no update is lost between processes");
}

/// Starts this test binary again to run one test in a process of its own.
fn child(test: &str, dir: &Path, umask: Option<&str>) -> Command {
    let own = std::env::current_exe().expect("the test binary has a path");
    let mut command = Command::new("sh");
    let script = format!(
        "umask {}; exec \"$0\" --exact {test} --quiet",
        umask.unwrap_or("022")
    );
    command
        .arg("-c")
        .arg(script)
        .arg(own)
        .env(CHILD, dir)
        .stdout(std::process::Stdio::null());
    command
}

/// Opens the backend that a child was told to use; `None` in the run of the whole suite.
fn child_backend() -> Option<DirBackend> {
    let dir = std::env::var_os(CHILD)?;
    Some(DirBackend::open(Path::new(&dir), Trust::strict()).expect("open"))
}

#[test]
fn child_saves_one_session() {
    if let Some(backend) = child_backend() {
        put(&backend, &Blob::session("s"), b"{}", Durability::Full).expect("put");
    }
}

#[test]
fn child_counts_under_the_lock() {
    let Some(backend) = child_backend() else {
        return;
    };
    for _ in 0..25 {
        let lock = backend
            .lock(LockName::Session("s"), Duration::from_secs(60))
            .expect("lock");
        let blob = Blob::session("s");
        let count: u32 = crate::backend::read(&backend, &blob).map_or(0, |bytes| {
            String::from_utf8(bytes)
                .expect("text")
                .parse()
                .expect("a number")
        });
        let mut write = |out: &mut dyn io::Write| {
            write!(out, "{}", count + 1)
                .map_err(|error| session_store::Error::io("write", "s".as_ref(), error))
        };
        let mut publish = session_store::backend::publish_now;
        backend
            .replace(&lock, &blob, Durability::Process, &mut write, &mut publish)
            .expect("replace");
    }
}

#[test]
fn a_released_lock_is_free_though_children_are_started_meanwhile() {
    // A child has a copy of every descriptor between its `fork` and its `exec`, and a lock belongs to all copies.
    let scratch = tempfile::tempdir().expect("temporary directory");
    let fs = OsFs::new(scratch.path());
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                assert!(
                    Command::new("true")
                        .status()
                        .expect("the child starts")
                        .success()
                );
            }
            done.store(true, std::sync::atomic::Ordering::Release);
        });
        let mut rounds = 0_u32;
        while !done.load(std::sync::atomic::Ordering::Acquire) || rounds < 100 {
            let lock = fs.try_lock("x.lock").expect("lock");
            assert!(
                lock.is_some(),
                "a lock that was released is free, in round {rounds}"
            );
            rounds += 1;
        }
    });
}

#[test]
fn touching_a_directory_gives_it_another_time_and_changes_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let real = OsFs::new(scratch.path().join("sessions"));
    let memory = MemoryFs::new();
    let systems: [&dyn FileSystem; 2] = [&real, &memory];
    for fs in systems {
        for dir in ["", "d"] {
            fs.make_dir(dir).unwrap();
        }
        let times = || ["", "d"].map(|dir| fs.stat(dir).unwrap().unwrap().blob);
        let before = times();
        for (at, dir) in ["", "d"].into_iter().enumerate() {
            // A clock may be coarse, but not for ever.
            let touched = (0..1_000_000).any(|_| {
                fs.touch_dir(dir).unwrap();
                let now = times()[at];
                now.modified > before[at].modified && now.changed > before[at].changed
            });
            assert!(touched, "{dir:?}");
        }
        assert_eq!(times()[0].inode, before[0].inode);
        assert_eq!(fs.list("d", &mut |_| true).unwrap().unwrap().len(), 0);
        assert_eq!(
            fs.touch_dir("missing").unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
}
