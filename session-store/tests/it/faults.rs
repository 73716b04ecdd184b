//! Every call below the backend fails, once and for good, with every error a disk gives (promises P3, P4 and P5).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use session_store::backend::{
    Area, Backend, BackendCall, Blob, DirBackend, FaultBackend, LockName, MemoryBackend,
};
use session_store::backend::{Trust, publish_now};
use session_store::fs::{
    AppendFile, DirEntry, Fault, FaultEffect, FaultFs, FaultSpan, FileLock, FileStat, FileSystem,
    FsCall, MemoryFs, OpenBlob, OsFs, WriteFile,
};
use session_store::{Durability, Error};

use crate::backend::{caught, put, read};

const EIO: i32 = 5;
const EACCES: i32 = 13;
const EXDEV: i32 = 18;
const EMFILE: i32 = 24;
const EFBIG: i32 = 27;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;
const ERRNOS: [i32; 8] = [ENOSPC, EIO, EDQUOT, EROFS, EACCES, EXDEV, EMFILE, EFBIG];

/// What a backend has: every name of every area, with the beginning of its content and its length.
fn everything(backend: &dyn Backend) -> BTreeMap<String, (String, usize)> {
    let mut all = BTreeMap::new();
    for area in [Area::Sessions, Area::Index, Area::Trash] {
        for entry in backend.list(area).expect("list").entries {
            let content =
                read(backend, &Blob::new(area, &entry.name)).expect("a listed blob is there");
            let beginning = String::from_utf8_lossy(&content[..content.len().min(16)]).into_owned();
            all.insert(
                format!("{area:?}/{}", entry.name),
                (beginning, content.len()),
            );
        }
    }
    all
}

/// An operation under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    ReplaceOld,
    ReplaceNew,
    Trash,
    Remove,
    Append,
}

impl Operation {
    const ALL: [Self; 5] = [
        Self::ReplaceOld,
        Self::ReplaceNew,
        Self::Trash,
        Self::Remove,
        Self::Append,
    ];

    fn run(self, backend: &dyn Backend) -> Result<(), Error> {
        let bytes = vec![b'n'; 300_000];
        let lock = backend.lock(LockName::Session("s"), Duration::ZERO)?;
        let mut write = |out: &mut dyn io::Write| {
            bytes
                .chunks(100_000)
                .try_for_each(|piece| out.write_all(piece))
                .map_err(|e| Error::io("write", "s".as_ref(), e))
        };
        let (old, new) = (Blob::session("old"), Blob::session("new"));
        match self {
            Self::ReplaceOld => backend
                .replace(&lock, &old, Durability::Full, &mut write, &mut publish_now)
                .map(drop),
            Self::ReplaceNew => backend
                .replace(&lock, &new, Durability::Full, &mut write, &mut publish_now)
                .map(drop),
            Self::Trash => backend
                .transfer(
                    &lock,
                    &old,
                    &Blob::trash("old.1"),
                    Durability::Full,
                    &mut publish_now,
                )
                .map(drop),
            Self::Remove => backend.remove(&lock, &old, Durability::Full).map(drop),
            Self::Append => {
                let mut file = backend.append(&lock, &old)?.expect("it is there");
                let size = backend.stat(&old)?.expect("it is there").size;
                let added = io::Write::write_all(&mut file, b"more");
                added.and_then(|()| file.commit()).map_err(|error| {
                    file.truncate(size).expect("what is not acknowledged goes");
                    Error::io("write", "s".as_ref(), error)
                })
            }
        }
    }
}

/// Runs one operation under one fault. Returns whether the fault came.
fn try_fault<F: FileSystem + Clone>(
    fs: &FaultFs<F>,
    temporaries: &dyn Fn() -> usize,
    operation: Operation,
    fault: Fault,
) -> bool {
    let what = format!("{operation:?} with {fault:?}");
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
    // Everything exists before, and every directory is known to be durable, so that each fault hits the operation.
    put(
        &backend,
        &Blob::session("old"),
        b"old content",
        Durability::Full,
    )
    .expect("put");
    put(&backend, &Blob::trash("x"), b"x", Durability::Full).expect("put");
    put(
        &backend,
        &Blob::session("other"),
        b"other content",
        Durability::Process,
    )
    .expect("put");
    put(&backend, &Blob::index("x"), b"x", Durability::Process).expect("put");
    let before = everything(&backend);

    fs.arm(fault);
    let answer = operation.run(&backend);
    let injected = fs.injected();
    // A file that cannot be removed while the disk is broken is an orphan; else nothing may be left.
    let orphans = temporaries();
    fs.disarm();

    let after = everything(&backend);
    match answer {
        Ok(()) => {
            let harmless = matches!(fault.effect, FaultEffect::Short)
                || matches!(fault.call, FsCall::Stat | FsCall::Remove);
            assert!(
                injected == 0 || harmless,
                "{what}: acknowledged in spite of the fault"
            );
            assert_ne!(after, before, "{what}: acknowledged without doing anything");
        }
        Err(error) if error.is_not_durable() => {
            assert_eq!(fault.call, FsCall::SyncDir, "{what}: {error}");
            assert_ne!(after, before, "{what}: not durable means visible");
        }
        Err(error) => {
            assert!(injected > 0, "{what}: {error}");
            assert!(matches!(error, Error::Io { .. }), "{what}: {error}");
            assert_eq!(after, before, "{what}: a failed operation changes nothing");
        }
    }
    if fault.call != FsCall::Remove {
        assert_eq!(orphans, 0, "{what}: a temporary is left");
    }
    backend.sweep().expect("sweep");
    assert_eq!(temporaries(), 0, "{what}: the sweep leaves nothing");
    // The next operation works, with the same handle and without waiting for a lock.
    put(
        &backend,
        &Blob::session("old"),
        b"next",
        Durability::Process,
    )
    .expect("the next save works");
    assert_eq!(
        read(&backend, &Blob::session("old")).as_deref(),
        Some(&b"next"[..]),
        "{what}"
    );
    let lock = backend
        .lock(LockName::Session("s"), Duration::ZERO)
        .expect("the lock was given back");
    for (area, name) in [(Area::Sessions, "new"), (Area::Trash, "old.1")] {
        backend
            .remove(&lock, &Blob::new(area, name), Durability::Process)
            .expect("remove");
    }
    injected > 0
}

/// Tries every fault of every kind at every place, until a place is beyond the operation.
fn try_all<F: FileSystem + Clone>(
    fs: &FaultFs<F>,
    temporaries: &dyn Fn() -> usize,
    errnos: &[i32],
) -> BTreeMap<FsCall, u64> {
    let mut injected = BTreeMap::new();
    for operation in Operation::ALL {
        for call in FsCall::ALL {
            let effects = errnos.iter().flat_map(|&errno| match call {
                FsCall::Write => vec![
                    FaultEffect::Errno(errno),
                    FaultEffect::ShortThenErrno(errno),
                    FaultEffect::Short,
                ],
                _ => vec![FaultEffect::Errno(errno)],
            });
            for effect in effects {
                for span in [FaultSpan::Once, FaultSpan::FromThenOn] {
                    for nth in 1.. {
                        assert!(nth < 100, "an operation makes few calls");
                        let mut fault = Fault::effect(call, nth, effect);
                        if span == FaultSpan::FromThenOn {
                            fault = fault.from_then_on();
                        }
                        if !try_fault(fs, temporaries, operation, fault) {
                            break;
                        }
                        *injected.entry(call).or_default() += 1;
                    }
                }
            }
        }
    }
    injected
}

#[expect(clippy::print_stdout, reason = "a run says how much it tried")]
fn assert_injected(what: &str, injected: &BTreeMap<FsCall, u64>) {
    println!(
        "fault matrix, {what}: {} faults injected: {injected:?}",
        injected.values().sum::<u64>()
    );
    // Cuts are tried where they are made, with journals.
    let never = [
        FsCall::List,
        FsCall::Names,
        FsCall::Open,
        FsCall::Read,
        FsCall::Truncate,
    ];
    for call in FsCall::ALL.into_iter().filter(|call| !never.contains(call)) {
        assert!(
            injected.get(&call).is_some_and(|&count| count > 0),
            "no fault was injected into {call:?}"
        );
    }
}

#[test]
fn a_failed_operation_changes_nothing_in_memory() {
    let memory = MemoryFs::new();
    let fs = FaultFs::new(memory.clone());
    let temporaries = move || {
        memory
            .paths()
            .iter()
            .filter(|path| path.starts_with(".store/tmp/"))
            .count()
    };
    assert_injected("memory", &try_all(&fs, &temporaries, &ERRNOS));
}

#[test]
fn a_failed_operation_changes_nothing_on_disk() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let tmp = scratch.path().join(".store/tmp");
    let fs = FaultFs::new(std::sync::Arc::new(OsFs::new(scratch.path())));
    let temporaries = move || std::fs::read_dir(&tmp).expect("read").count();
    assert_injected("disk", &try_all(&fs, &temporaries, &[ENOSPC]));
}

#[test]
fn the_fault_matrix_catches_a_saver_that_removes_the_target() {
    // The reference's fallback: if the rename fails, remove the target and try again.
    let caught = std::panic::catch_unwind(|| {
        let fs = FaultFs::new(MemoryFs::new());
        let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
        put(
            &backend,
            &Blob::session("old"),
            b"old content",
            Durability::Full,
        )
        .expect("put");
        let before = everything(&backend);
        fs.arm(Fault::errno(FsCall::Rename, 1, EACCES).from_then_on());
        if Operation::ReplaceOld.run(&backend).is_err() {
            fs.remove("old.json").expect("remove");
            Operation::ReplaceOld
                .run(&backend)
                .expect_err("the rename fails again");
        }
        fs.disarm();
        assert_eq!(everything(&backend), before);
    });
    assert!(caught.is_err(), "the mutant must be caught");
}

#[test]
fn a_failing_directory_sync_is_reported_as_visible_but_not_durable() {
    not_durable_is_said(|fs| fs);
}

/// P5, of a user of a file system whose directory syncs fail.
fn not_durable_is_said<F: FileSystem>(user: impl Fn(FaultFs<MemoryFs>) -> F) {
    let fs = FaultFs::new(MemoryFs::new());
    let backend = DirBackend::with_file_system(user(fs.clone()), Trust::strict()).expect("open");
    put(&backend, &Blob::session("s"), b"old", Durability::Full).expect("put");
    fs.arm(Fault::errno(FsCall::SyncDir, 1, EIO));
    let error =
        put(&backend, &Blob::session("s"), b"new", Durability::Full).expect_err("not durable");
    assert!(error.is_not_durable());
    assert_eq!(fs.injected(), 1);
    assert_eq!(
        read(&backend, &Blob::session("s")).as_deref(),
        Some(&b"new"[..])
    );
    // Where no directory is synced, none can fail.
    for durability in [Durability::Ordered, Durability::Process] {
        fs.arm(Fault::errno(FsCall::SyncDir, 1, EIO).from_then_on());
        put(&backend, &Blob::session("s"), b"newer", durability).expect("put");
        assert_eq!(fs.injected(), 0, "{durability:?}");
    }
}

/// What becomes of a directory sync that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Sound,
    /// It is passed over.
    Swallowed,
    /// It is tried again until it answers otherwise.
    Repeated,
}

/// A careless user of a file system.
#[derive(Debug)]
struct Careless(FaultFs<MemoryFs>, Flaw);

impl FileSystem for Careless {
    fn root(&self) -> &Path {
        self.0.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        self.0.stat(path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.0.list(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        self.0.open(path)
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        self.0.create_new(path, mode)
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        self.0.open_append(path)
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        self.0.sync_file(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        self.0.remove(path)
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        self.0.make_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let synced = self.0.sync_dir(dir);
        match self.1 {
            Flaw::Sound => synced,
            Flaw::Swallowed => Ok(()),
            Flaw::Repeated => synced.or_else(|_| self.0.sync_dir(dir)),
        }
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        self.0.sync_root_entry()
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        self.0.try_lock(path)
    }
}

#[test]
fn directory_syncs_whose_failure_is_passed_over_or_tried_away_are_caught() {
    not_durable_is_said(|fs| Careless(fs, Flaw::Sound));
    for flaw in [Flaw::Swallowed, Flaw::Repeated] {
        caught(&format!("{flaw:?}"), || {
            not_durable_is_said(|fs| Careless(fs, flaw));
        });
    }
}

#[test]
fn a_file_is_synced_once_and_never_again_after_a_failure() {
    let fs = FaultFs::new(MemoryFs::new());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
    let old = put(&backend, &Blob::session("s"), b"old", Durability::Full).expect("put");
    fs.arm(Fault::errno(FsCall::SyncFile, 1, EIO));
    let error =
        put(&backend, &Blob::session("s"), b"new", Durability::Full).expect_err("the sync fails");
    assert!(!error.is_not_durable(), "nothing is visible");
    assert_eq!(
        (fs.calls(FsCall::SyncFile), fs.calls(FsCall::Rename)),
        (1, 0),
        "no second sync, no rename"
    );
    let new = put(&backend, &Blob::session("s"), b"new", Durability::Full)
        .expect("the next save is a new file");
    assert_ne!(old.inode, new.inode);
}

#[test]
fn each_level_syncs_what_it_promises() {
    for (durability, files, dirs) in [
        (Durability::Full, 1, 1),
        (Durability::Ordered, 1, 0),
        (Durability::Process, 0, 0),
    ] {
        let fs = FaultFs::new(MemoryFs::new());
        let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
        put(&backend, &Blob::session("s"), b"first", Durability::Full).expect("put");
        // Arming counts anew; this fault never comes.
        fs.arm(Fault::errno(FsCall::Read, u64::MAX, EIO));
        put(&backend, &Blob::session("s"), b"second", durability).expect("put");
        assert_eq!(
            (fs.calls(FsCall::SyncFile), fs.calls(FsCall::SyncDir)),
            (files, dirs),
            "{durability:?}"
        );
        assert_eq!(
            (fs.calls(FsCall::Create), fs.calls(FsCall::Rename)),
            (1, 1),
            "{durability:?}"
        );
    }
}

#[test]
fn the_first_save_fails_cleanly_wherever_it_fails() {
    let mut injected = 0;
    for call in FsCall::ALL {
        for nth in 1..100 {
            let fs = FaultFs::new(MemoryFs::new());
            let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
            fs.arm(Fault::errno(call, nth, ENOSPC));
            let answer = put(&backend, &Blob::session("s"), b"first", Durability::Full);
            let came = fs.injected() > 0;
            fs.disarm();
            if !came {
                answer.expect("nothing failed");
                break;
            }
            injected += 1;
            let visible = read(&backend, &Blob::session("s")).is_some();
            match answer {
                Ok(_) => assert!(visible && call == FsCall::Stat, "{call:?} {nth}"),
                Err(error) => {
                    assert_eq!(error.is_not_durable(), visible, "{call:?} {nth}: {error}");
                }
            }
            put(&backend, &Blob::session("s"), b"second", Durability::Full)
                .expect("the next save works");
        }
    }
    println!("first save: {injected} faults injected");
    assert!(injected > 10);
}

#[test]
fn a_short_read_is_not_an_end() {
    let fs = FaultFs::new(MemoryFs::new());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).expect("open");
    let bytes: Vec<u8> = (0..=255).collect();
    put(&backend, &Blob::session("s"), &bytes, Durability::Full).expect("put");
    fs.arm(Fault::effect(FsCall::Read, 1, FaultEffect::Short).from_then_on());
    assert_eq!(read(&backend, &Blob::session("s")), Some(bytes));
    assert!(fs.injected() > 1);
    fs.arm(Fault::errno(FsCall::Read, 1, EIO));
    let file = backend
        .open(&Blob::session("s"))
        .expect("open")
        .expect("it is there");
    assert_eq!(
        file.read_at(&mut [0; 4], 0)
            .expect_err("it fails")
            .raw_os_error(),
        Some(EIO)
    );
}

#[test]
fn a_fault_backend_fails_the_call_it_is_told_to() {
    let backend = FaultBackend::new(MemoryBackend::new());
    put(&backend, &Blob::session("old"), b"old", Durability::Full).expect("put");
    let before = everything(&backend);
    let mut injected = 0;
    for span in [FaultSpan::Once, FaultSpan::FromThenOn] {
        for nth in 1.. {
            backend.arm(None, nth, span, EIO);
            let answer = Operation::ReplaceOld.run(&backend);
            if backend.injected() == 0 {
                answer.expect("nothing failed");
                assert_eq!(backend.total_calls(), 3, "lock, replace, publish");
                backend.disarm();
                put(&backend, &Blob::session("old"), b"old", Durability::Full).expect("put");
                break;
            }
            injected += backend.injected();
            assert_eq!(
                answer.expect_err("it fails").io_kind(),
                Some(io::Error::from_raw_os_error(EIO).kind())
            );
            backend.disarm();
            assert_eq!(everything(&backend), before);
        }
    }
    assert_eq!(injected, 6);
    backend.arm(Some(BackendCall::Open), 2, FaultSpan::Once, EIO);
    assert!(backend.open(&Blob::session("old")).is_ok());
    assert!(backend.open(&Blob::session("old")).is_err());
    assert!(backend.open(&Blob::session("old")).is_ok());
    assert_eq!(
        (backend.calls(BackendCall::Open), backend.injected()),
        (3, 1)
    );
}
