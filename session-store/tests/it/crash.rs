//! Power cuts at every step of every backend operation, in memory (promises P1, P2 and P26), and the mutants that must
//! be caught.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use session_store::backend::{
    Area, Backend, Blob, DirBackend, LockName, MemoryBackend, Trust, publish_now,
};
use session_store::fs::{
    AppendFile, CrashReport, CrashState, DirEntry, FileLock, FileStat, FileSystem, MemoryFs,
    OpenBlob, WriteFile,
};
use session_store::{Durability, Error};

use crate::backend::{put, read};

const DOCUMENT: &str = "s.json";

/// Version `n` of the document: long enough to be written in parts, and telling whether it is whole.
fn version(n: u64) -> Vec<u8> {
    let mut bytes = format!("{n:08}").into_bytes();
    bytes.resize(
        64 + usize::try_from(n % 7).expect("small"),
        b'0' + u8::try_from(n % 10).expect("small"),
    );
    bytes.push(b'.');
    bytes
}

/// Reads a version back: `None` if it is not whole.
fn parse(bytes: &[u8]) -> Option<u64> {
    let n = std::str::from_utf8(bytes.get(..8)?).ok()?.parse().ok()?;
    (version(n) == bytes).then_some(n)
}

/// The greatest number that a note of this kind acknowledged before the cut.
fn acknowledged(state: &CrashState, kind: &str) -> Option<u64> {
    state
        .notes()
        .iter()
        .filter_map(|note| note.strip_prefix(kind)?.parse().ok())
        .max()
}

/// Runs `saves` of one document, noting each acknowledgement.
fn saves(
    fs: &MemoryFs,
    backend: &dyn Backend,
    numbers: std::ops::Range<u64>,
    durability: Durability,
) {
    for n in numbers {
        put(backend, &Blob::session("s"), &version(n), durability).expect("put");
        fs.mark(format!("saved {n}"));
    }
}

/// P1 and P2: whole, and not older than what was acknowledged.
fn not_lost(state: &CrashState) -> Result<(), String> {
    let acknowledged = acknowledged(state, "saved ");
    whole(state)?;
    let found = state.content(DOCUMENT).and_then(parse);
    if found < acknowledged {
        return Err(format!(
            "{acknowledged:?} was acknowledged, {found:?} is there"
        ));
    }
    Ok(())
}

/// P2 alone: whole, or not there.
fn whole(state: &CrashState) -> Result<(), String> {
    match state.content(DOCUMENT) {
        Some(bytes) if parse(bytes).is_none() => Err(format!("unreadable, {} bytes", bytes.len())),
        _ => Ok(()),
    }
}

/// What the next process can do with what is left: sweep, list, read, save.
fn recovers(state: &CrashState) -> Result<(), String> {
    not_lost(state)?;
    let backend = MemoryBackend::with_file_system(state.file_system());
    let before = read(&backend, &Blob::session("s"));
    backend.sweep().map_err(|error| error.to_string())?;
    if backend
        .file_system()
        .paths()
        .iter()
        .any(|path| path.starts_with(".store/tmp/"))
    {
        return Err("a temporary outlived the sweep".to_owned());
    }
    let listing = backend
        .list(Area::Sessions)
        .map_err(|error| error.to_string())?;
    if read(&backend, &Blob::session("s")) != before
        || listing.entries.len() != usize::from(before.is_some())
    {
        return Err("the sweep changed a document".to_owned());
    }
    put(
        &backend,
        &Blob::session("s"),
        &version(99),
        Durability::Full,
    )
    .map_err(|error| error.to_string())?;
    if read(&backend, &Blob::session("s")) != Some(version(99)) {
        return Err("a save after the crash is not there".to_owned());
    }
    Ok(())
}

/// Runs some saves on a wrapped file system, from nothing and over an old document, and explores the crashes.
fn explore<F: FileSystem>(
    wrap: impl Fn(MemoryFs) -> F,
    durability: Durability,
    check: fn(&CrashState) -> Result<(), String>,
) -> CrashReport {
    let fs = MemoryFs::new();
    fs.record();
    let backend = DirBackend::with_file_system(wrap(fs.clone()), Trust::strict()).expect("open");
    saves(&fs, &backend, 1..5, durability);
    let log = fs.recorded();
    assert!(!log.is_empty(), "something was recorded");
    log.explore(check)
}

#[expect(clippy::print_stdout, reason = "a run says how much it tried")]
#[track_caller]
fn clean(what: &str, report: &CrashReport) {
    println!("crash model, {what}: {report}");
    assert!(
        report.distinct > 10,
        "{what}: too few states were tried to mean anything: {report}"
    );
    assert_eq!(report.violations, 0, "{what}: {:#?}", report.examples);
}

#[expect(clippy::print_stdout, reason = "a run says how much it tried")]
#[track_caller]
fn caught(what: &str, report: &CrashReport) {
    println!("crash model, mutant {what}: {report}");
    assert!(report.violations > 0, "the mutant {what} must be caught");
}

#[test]
fn a_full_save_loses_nothing_in_any_crash() {
    clean(
        "save at full",
        &explore(|fs| fs, Durability::Full, recovers),
    );
}

#[test]
fn an_ordered_save_is_always_readable_but_may_be_older() {
    clean(
        "save at ordered",
        &explore(|fs| fs, Durability::Ordered, whole),
    );
    caught(
        "ordered judged as full",
        &explore(|fs| fs, Durability::Ordered, not_lost),
    );
}

#[test]
fn a_save_without_sync_may_be_unreadable() {
    caught(
        "process judged as ordered",
        &explore(|fs| fs, Durability::Process, whole),
    );
}

#[test]
fn mutants_of_the_save_protocol_are_caught() {
    let mutant = |kind| move |inner| Mutant { inner, kind };
    caught(
        "no sync",
        &explore(mutant(Kind::NoSync), Durability::Full, whole),
    );
    caught(
        "no file sync",
        &explore(mutant(Kind::NoFileSync), Durability::Full, whole),
    );
    caught(
        "no directory sync",
        &explore(mutant(Kind::NoDirectorySync), Durability::Full, not_lost),
    );
    caught(
        "no sync of the root's entry",
        &explore(mutant(Kind::NoRootSync), Durability::Full, not_lost),
    );
    caught(
        "remove before rename",
        &explore(mutant(Kind::RemoveBeforeRename), Durability::Full, not_lost),
    );
}

#[test]
fn setting_directories_aside_makes_fewer_states_and_misses_no_mutant() {
    for (kind, is_caught) in [
        (Kind::None, false),
        (Kind::NoFileSync, true),
        (Kind::NoDirectorySync, true),
        (Kind::RemoveBeforeRename, true),
    ] {
        let fs = MemoryFs::new();
        fs.record();
        let mutant = Mutant {
            inner: fs.clone(),
            kind,
        };
        let backend = DirBackend::with_file_system(mutant, Trust::strict()).expect("open");
        saves(&fs, &backend, 1..5, Durability::Full);
        let all = fs.recorded().explore(not_lost);
        let log = fs.recorded().setting_aside(".store/tmp");
        let some = log.setting_aside(".store/locks").explore(not_lost);
        assert!(some.distinct < all.distinct, "{kind:?}: {some} of {all}");
        assert_eq!(some.violations > 0, is_caught, "{kind:?}: {some}");
        assert_eq!(all.violations > 0, is_caught, "{kind:?}: {all}");
    }
}

#[test]
fn two_savers_that_slip_past_the_lock_do_not_mix() {
    // Locks that do not work, as on some network file systems: what is left of safety is the unique temporary.
    let unique = interleaved(Kind::NoLocks);
    clean("two interleaved savers", &unique.explore(whole));
    caught(
        "fixed temporary name",
        &interleaved(Kind::FixedTemporary).explore(whole),
    );
}

/// One saver runs in the middle of another one's write.
fn interleaved(kind: Kind) -> session_store::fs::CrashLog {
    let fs = MemoryFs::new();
    let open = || {
        DirBackend::with_file_system(
            Mutant {
                inner: fs.clone(),
                kind,
            },
            Trust::strict(),
        )
        .expect("open")
    };
    let (outer, inner) = (open(), open());
    saves(&fs, &outer, 1..2, Durability::Full);
    fs.record();
    let lock = outer
        .lock(LockName::Session("s"), Duration::ZERO)
        .expect("lock");
    let bytes = version(2);
    let mut write = |out: &mut dyn io::Write| {
        // More than the buffer, so that a part is written before the other saver comes.
        out.write_all(&bytes[..10])
            .and_then(|()| out.flush())
            .expect("write");
        put(&inner, &Blob::session("s"), &version(3), Durability::Full)?;
        out.write_all(&bytes[10..])
            .map_err(|error| Error::io("write", "s".as_ref(), error))
    };
    // A mutant may fail here; what counts is what it leaves.
    let _ = outer.replace(
        &lock,
        &Blob::session("s"),
        Durability::Full,
        &mut write,
        &mut publish_now,
    );
    fs.recorded()
}

#[test]
fn a_failed_sync_is_never_taken_for_a_success_later() {
    for (kind, is_caught) in [(Kind::None, false), (Kind::SyncTwice, true)] {
        let fs = MemoryFs::new();
        fs.record();
        let backend = DirBackend::with_file_system(
            Mutant {
                inner: fs.clone(),
                kind,
            },
            Trust::strict(),
        )
        .expect("open");
        saves(&fs, &backend, 1..2, Durability::Full);
        fs.fail_syncs(1);
        let answer = put(&backend, &Blob::session("s"), &version(2), Durability::Full);
        assert_eq!(answer.is_ok(), is_caught, "{kind:?}");
        if answer.is_ok() {
            fs.mark("saved 2");
        }
        saves(&fs, &backend, 3..4, Durability::Full);
        let report = fs.recorded().explore(not_lost);
        if is_caught {
            caught("sync again after a failure", &report);
        } else {
            clean("failing sync", &report);
        }
    }
}

#[test]
fn a_move_is_whole_or_none_in_any_crash() {
    let run = |kind| {
        let fs = MemoryFs::new();
        let backend = DirBackend::with_file_system(
            Mutant {
                inner: fs.clone(),
                kind,
            },
            Trust::strict(),
        )
        .expect("open");
        put(&backend, &Blob::session("s"), &version(1), Durability::Full).expect("put");
        fs.record();
        let lock = backend
            .lock(LockName::Session("s"), Duration::ZERO)
            .expect("lock");
        let (session, trash) = (Blob::session("s"), Blob::trash("s.1"));
        assert!(
            backend
                .transfer(&lock, &session, &trash, Durability::Full, &mut publish_now)
                .expect("trash")
        );
        fs.mark("deleted 1");
        assert!(
            backend
                .transfer(&lock, &trash, &session, Durability::Full, &mut publish_now)
                .expect("restore")
        );
        fs.mark("restored 2");
        assert!(
            backend
                .transfer(&lock, &session, &trash, Durability::Full, &mut publish_now)
                .expect("trash")
        );
        fs.mark("deleted 3");
        assert!(
            backend
                .remove(&lock, &trash, Durability::Full)
                .expect("remove")
        );
        fs.mark("erased 4");
        fs.recorded()
    };
    let check = |state: &CrashState| {
        whole(state)?;
        let (here, trashed) = (
            state.content(DOCUMENT).is_some(),
            state.content(".store/trash/s.1").is_some(),
        );
        let asked_for = state
            .notes()
            .last()
            .map_or("", |note| note.split(' ').next().unwrap_or(""));
        match asked_for {
            // The next step may be under way, but nothing gets lost before it is erased.
            "" | "restored" if !here && !trashed => {
                Err("lost before anything was acknowledged as deleted".to_owned())
            }
            "deleted" if state.notes().len() == 1 && !here && !trashed => {
                Err("deleted, but not in the trash".to_owned())
            }
            "deleted" if state.notes().len() == 3 && here => {
                Err("resurrected after the deletion".to_owned())
            }
            "erased" if here || trashed => Err("resurrected after it was erased".to_owned()),
            _ => Ok(()),
        }
    };
    clean("trash, restore, erase", &run(Kind::None).explore(check));
    caught(
        "no directory sync in a move",
        &run(Kind::NoDirectorySync).explore(check),
    );
}

#[test]
fn a_crash_in_the_recovery_from_a_crash_loses_nothing_either() {
    let fs = MemoryFs::new();
    fs.record();
    let backend = MemoryBackend::with_file_system(fs.clone());
    saves(&fs, &backend, 1..3, Durability::Full);
    let (mut states, mut second) = (0, 0);
    let report = fs.recorded().explore(|state| {
        states += 1;
        let survivor = state.file_system();
        survivor.record();
        let backend = MemoryBackend::with_file_system(survivor.clone());
        let least = acknowledged(state, "saved ");
        backend.sweep().map_err(|error| error.to_string())?;
        saves(&survivor, &backend, 5..6, Durability::Full);
        let report = survivor.recorded().explore(|state| {
            not_lost(state)?;
            let found = state.content(DOCUMENT).and_then(parse);
            if found < least {
                Err(format!(
                    "{least:?} before the first crash, {found:?} after the second"
                ))
            } else {
                Ok(())
            }
        });
        second += report.distinct;
        report
            .examples
            .first()
            .map_or(Ok(()), |wrong| Err(wrong.clone()))
    });
    println!("crash model, crash in recovery: {states} first states, {second} second states");
    assert!(second > states);
    clean("crash in recovery", &report);
}

/// A broken file system, or rather a broken user of a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    None,
    NoSync,
    NoFileSync,
    NoDirectorySync,
    NoRootSync,
    RemoveBeforeRename,
    NoLocks,
    FixedTemporary,
    SyncTwice,
    NoCut,
    JournalFirst,
    NoAnnouncement,
    NoPersist,
}

#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) inner: MemoryFs,
    pub(crate) kind: Kind,
}

impl Mutant {
    /// The name that a mutant uses for a temporary.
    fn name<'a>(&self, path: &'a str) -> &'a str {
        let fixed = self.kind == Kind::FixedTemporary && path.starts_with(".store/tmp/");
        if fixed { ".store/tmp/s.tmp" } else { path }
    }
}

impl FileSystem for Mutant {
    fn root(&self) -> &Path {
        self.inner.root()
    }
    fn stat(&self, path: &str) -> io::Result<Option<FileStat>> {
        self.inner.stat(path)
    }
    fn list(
        &self,
        dir: &str,
        wanted: &mut dyn FnMut(&OsStr) -> bool,
    ) -> io::Result<Option<Vec<DirEntry>>> {
        self.inner.list(dir, wanted)
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn OpenBlob>> {
        self.inner.open(path)
    }
    fn create_new(&self, path: &str, mode: u32) -> io::Result<Box<dyn WriteFile>> {
        let inner = if self.kind == Kind::FixedTemporary {
            self.inner.open_truncated(self.name(path))?
        } else {
            self.inner.create_new(path, mode)?
        };
        Ok(Box::new(MutantFile {
            inner,
            kind: self.kind,
        }))
    }
    fn open_append(&self, path: &str) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(MutantAppender {
            inner: self.inner.open_append(path)?,
            kind: self.kind,
        }))
    }
    fn sync_file(&self, path: &str) -> io::Result<()> {
        match self.kind {
            Kind::NoSync | Kind::NoFileSync | Kind::NoPersist => Ok(()),
            _ => self.inner.sync_file(path),
        }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.kind == Kind::RemoveBeforeRename {
            self.inner.remove(to)?;
        }
        if self.kind == Kind::JournalFirst && to == "s.json" {
            self.inner.remove(".store/journal/s.journal")?;
        }
        self.inner.rename(self.name(from), to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename_new(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<bool> {
        self.inner.remove(self.name(path))
    }
    fn make_dir(&self, dir: &str) -> io::Result<bool> {
        self.inner.make_dir(dir)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        if matches!(self.kind, Kind::NoSync | Kind::NoDirectorySync) {
            Ok(())
        } else {
            self.inner.sync_dir(dir)
        }
    }
    fn sync_root_entry(&self) -> io::Result<()> {
        if matches!(self.kind, Kind::NoSync | Kind::NoRootSync) {
            Ok(())
        } else {
            self.inner.sync_root_entry()
        }
    }
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn FileLock>>> {
        if matches!(self.kind, Kind::NoLocks | Kind::FixedTemporary) {
            self.inner
                .stat(".store/locks")?
                .ok_or(io::ErrorKind::NotFound)?;
            return Ok(Some(Box::new(Unlocked)));
        }
        self.inner.try_lock(path)
    }
}

/// A lock that locks nothing.
#[derive(Debug)]
struct Unlocked;

impl FileLock for Unlocked {}

#[derive(Debug)]
struct MutantFile {
    inner: Box<dyn WriteFile>,
    kind: Kind,
}

impl io::Write for MutantFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl WriteFile for MutantFile {
    fn sync(&mut self) -> io::Result<()> {
        match self.kind {
            Kind::NoSync | Kind::NoFileSync => Ok(()),
            Kind::SyncTwice => self.inner.sync().or_else(|_| self.inner.sync()),
            _ => self.inner.sync(),
        }
    }
    fn stat(&self) -> io::Result<session_store::backend::BlobStat> {
        self.inner.stat()
    }
}

#[derive(Debug)]
struct MutantAppender {
    inner: Box<dyn AppendFile>,
    kind: Kind,
}

impl io::Write for MutantAppender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The kind of a record is behind its frame.
        if self.kind == Kind::NoAnnouncement && bytes.get(16) == Some(&b'R') {
            return Ok(bytes.len());
        }
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AppendFile for MutantAppender {
    fn commit(&mut self) -> io::Result<()> {
        match self.kind {
            Kind::NoSync | Kind::NoFileSync => Ok(()),
            Kind::SyncTwice => self.inner.commit().or_else(|_| self.inner.commit()),
            _ => self.inner.commit(),
        }
    }
    fn truncate(&mut self, size: u64) -> io::Result<()> {
        if self.kind == Kind::NoCut {
            return Ok(());
        }
        self.inner.truncate(size)
    }
    fn stat(&self) -> io::Result<session_store::backend::BlobStat> {
        self.inner.stat()
    }
}
