//! Every backend keeps the promises of [`Backend`]; a directory keeps those that only a directory can break.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use session_store::backend::{
    Area, Backend, BackendRejected, Blob, BlobStat, DirBackend, FaultBackend, FileKind, LockName,
    MemoryBackend, RejectReason, Trust, backend_conformance, publish_now,
};
use session_store::fs::{FaultFs, FileSystem, MemoryFs};
use session_store::{Durability, Error};

/// A wait that no healthy machine needs.
const LONG: Duration = Duration::from_secs(60);

pub(crate) fn put(
    backend: &dyn Backend,
    blob: &Blob<'_>,
    bytes: &[u8],
    durability: Durability,
) -> Result<BlobStat, Error> {
    let lock = backend.lock(LockName::Session("s"), LONG)?;
    let mut write = |out: &mut dyn io::Write| {
        out.write_all(bytes)
            .map_err(|e| Error::io("write", "s".as_ref(), e))
    };
    backend.replace(&lock, blob, durability, &mut write, &mut publish_now)
}

pub(crate) fn read(backend: &dyn Backend, blob: &Blob<'_>) -> Option<Vec<u8>> {
    let file = backend.open(blob).expect("open")?;
    let mut bytes = vec![0; usize::try_from(file.size().expect("size")).expect("small")];
    let mut at = 0;
    while at < bytes.len() {
        match file.read_at(&mut bytes[at..], at as u64).expect("read") {
            0 => panic!("short file"),
            count => at += count,
        }
    }
    Some(bytes)
}

fn dir_backend(path: &Path) -> DirBackend {
    DirBackend::open(path, Trust::strict()).expect("open")
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path)
        .expect("it exists")
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn a_directory_conforms() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let count = AtomicUsize::new(0);
    backend_conformance(|| {
        // Two levels are missing, so that both are made.
        let dir = scratch
            .path()
            .join(count.fetch_add(1, Ordering::Relaxed).to_string())
            .join("sessions");
        Box::new(dir_backend(&dir))
    });
}

#[test]
fn memory_conforms() {
    backend_conformance(|| Box::new(MemoryBackend::new()));
}

#[test]
fn wrappers_that_inject_nothing_conform() {
    backend_conformance(|| Box::new(FaultBackend::new(MemoryBackend::new())));
    backend_conformance(|| {
        let fs = FaultFs::new(MemoryFs::new());
        Box::new(DirBackend::with_file_system(fs, Trust::strict()).expect("open"))
    });
}

#[test]
fn the_conformance_suite_catches_a_backend_that_shows_half_a_write() {
    // A mutant: writes go straight into the target.
    let caught = std::panic::catch_unwind(|| {
        backend_conformance(|| Box::new(InPlace(MemoryBackend::new())));
    });
    assert!(
        caught.is_err(),
        "a backend that writes in place must not conform"
    );
}

#[test]
fn looking_creates_nothing() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let dir = scratch.path().join("sessions");
    let backend = dir_backend(&dir);
    assert!(
        backend
            .list(Area::Sessions)
            .expect("list")
            .entries
            .is_empty()
    );
    assert_eq!(backend.sweep().expect("sweep"), 0);
    assert!(backend.open(&Blob::session("x")).expect("open").is_none());
    assert!(!dir.exists());
    fs::create_dir(&dir).expect("mkdir");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("chmod");
    assert_eq!(backend.sweep().expect("sweep"), 0);
    assert_eq!(
        fs::read_dir(&dir).expect("read").count(),
        0,
        "a sweep creates no `.store`"
    );
}

#[test]
fn everything_is_private_from_the_first_byte() {
    all_is_private(&|dir| Box::new(dir_backend(dir)));
}

/// P21, of whatever opens a directory.
pub(crate) fn all_is_private(open: &dyn Fn(&Path) -> Box<dyn Backend>) {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let dir = scratch.path().join("a/b/sessions");
    let backend = open(&dir);
    let lock = backend.lock(LockName::Session("s"), LONG).expect("lock");
    let mut write = |out: &mut dyn io::Write| {
        out.write_all(&vec![b'x'; 300_000]).expect("write");
        for temporary in fs::read_dir(dir.join(".store/tmp")).expect("read") {
            assert_eq!(
                mode(&temporary.expect("entry").path()),
                0o600,
                "a temporary is private while it is written"
            );
        }
        Ok(())
    };
    backend
        .replace(
            &lock,
            &Blob::session("s"),
            Durability::Full,
            &mut write,
            &mut publish_now,
        )
        .expect("replace");
    backend
        .transfer(
            &lock,
            &Blob::session("s"),
            &Blob::trash("s.1"),
            Durability::Full,
            &mut publish_now,
        )
        .expect("transfer");
    for made in ["a", "a/b", "a/b/sessions"] {
        assert_eq!(mode(&scratch.path().join(made)), 0o700, "{made}");
    }
    for made in [".store", ".store/tmp", ".store/locks", ".store/trash"] {
        assert_eq!(mode(&dir.join(made)), 0o700, "{made}");
    }
    for made in [".store/locks/s.lock", ".store/trash/s.1"] {
        assert_eq!(mode(&dir.join(made)), 0o600, "{made}");
    }
}

#[test]
fn an_existing_file_becomes_private_and_a_stricter_mode_is_kept() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let backend = dir_backend(scratch.path());
    for (before, after) in [
        (0o644, 0o600),
        (0o666, 0o600),
        (0o600, 0o600),
        (0o400, 0o400),
        (0o755, 0o600),
    ] {
        let path = scratch.path().join("s.json");
        fs::write(&path, "{}").expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).expect("chmod");
        put(&backend, &Blob::session("s"), b"{}", Durability::Process).expect("put");
        assert_eq!(mode(&path), after, "{before:o}");
        fs::remove_file(&path).expect("remove");
    }
}

#[test]
fn a_directory_open_to_others_is_refused_unless_allowed_by_name() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let dir = scratch.path().join("sessions");
    fs::create_dir(&dir).expect("mkdir");
    let open = |trust| DirBackend::open(&dir, trust);
    let set = |mode| fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).expect("chmod");
    for (mode, trust, opens, warns) in [
        (0o700, Trust::strict(), true, false),
        (0o755, Trust::strict(), true, false),
        (0o770, Trust::strict(), true, true),
        (0o777, Trust::strict(), false, false),
        (0o702, Trust::strict(), false, false),
        (
            0o777,
            Trust::strict().allow_writable_by_others(),
            true,
            true,
        ),
        (0o702, Trust::strict().allow_foreign_owner(), false, false),
    ] {
        set(mode);
        let backend = open(trust);
        assert_eq!(backend.is_ok(), opens, "{mode:o}");
        match backend {
            Ok(backend) => assert_eq!(backend.warning().is_some(), warns, "{mode:o}"),
            Err(error) => assert!(matches!(error, Error::Untrusted { .. }), "{error}"),
        }
    }
    set(0o700);
    let link = scratch.path().join("link");
    symlink(&dir, &link).expect("symlink");
    assert!(
        matches!(
            DirBackend::open(&link, Trust::strict()),
            Err(Error::Untrusted { .. })
        ),
        "a link is refused"
    );
    let followed =
        DirBackend::open(&link, Trust::strict().allow_symbolic_link()).expect("allowed by name");
    put(&followed, &Blob::session("s"), b"1", Durability::Full).expect("put");
    assert_eq!(fs::read(dir.join("s.json")).expect("read"), b"1");
    let file = scratch.path().join("file");
    fs::write(&file, "").expect("write");
    assert!(
        matches!(
            DirBackend::open(&file, Trust::strict()),
            Err(Error::Untrusted { .. })
        ),
        "a file is refused"
    );
    if rustix_is_root() {
        std::os::unix::fs::chown(&dir, Some(12_345), None).expect("chown");
        assert!(
            matches!(open(Trust::strict()), Err(Error::Untrusted { .. })),
            "another user's directory is refused"
        );
        open(Trust::strict().allow_foreign_owner()).expect("allowed by name");
    }
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn a_directory_that_appears_later_is_judged_then() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let dir = scratch.path().join("sessions");
    let backend = dir_backend(&dir);
    fs::create_dir(&dir).expect("mkdir");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).expect("chmod");
    let refused = |answer: Option<Error>| {
        assert!(
            matches!(answer, Some(Error::Untrusted { .. })),
            "{answer:?}"
        );
    };
    refused(backend.list(Area::Sessions).err());
    refused(backend.open(&Blob::session("s")).err());
    refused(backend.stat(&Blob::session("s")).err());
    refused(backend.sweep().err());
    refused(put(&backend, &Blob::session("s"), b"1", Durability::Full).err());
    assert_eq!(
        fs::read_dir(&dir).expect("read").count(),
        0,
        "nothing is written into it"
    );
}

#[test]
fn hostile_entries_are_reported_and_hide_nothing() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let (dir, outside) = (
        scratch.path().join("sessions"),
        scratch.path().join("outside"),
    );
    let backend = dir_backend(&dir);
    put(&backend, &Blob::session("good"), b"{}", Durability::Full).expect("put");
    fs::write(&outside, "secret").expect("write");
    fs::create_dir(dir.join("dir.json")).expect("mkdir");
    symlink(&outside, dir.join("link.json")).expect("symlink");
    symlink("nowhere", dir.join("dangling.json")).expect("symlink");
    let made = std::process::Command::new("mkfifo")
        .arg(dir.join("fifo.json"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket.json")).expect("bind");
    for ignored in [
        "notes.txt",
        ".workspace_index.json",
        "good.json.tmp",
        ".hidden.json",
    ] {
        fs::write(dir.join(ignored), "").expect("write");
    }
    fs::write(dir.join("bad name.json"), "").expect("write");
    fs::write(dir.join(".json"), "").expect("write");
    fs::write(dir.join("CON.json"), "").expect("write");
    let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff.json");
    fs::write(dir.join(not_utf8), "").expect("write");

    let listing = backend.list(Area::Sessions).expect("list");
    assert_eq!(
        listing
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect::<Vec<_>>(),
        ["good"]
    );
    let reasons = |rejected: &[BackendRejected]| {
        let reason = |entry: &BackendRejected| {
            let name = entry.name.to_string_lossy().into_owned();
            (name, format!("{:?}", entry.reason))
        };
        let mut rejected: Vec<(String, String)> = rejected.iter().map(reason).collect();
        rejected.sort();
        rejected
    };
    let expected = [
        ("CON.json", "Name"),
        ("bad name.json", "Name"),
        ("dangling.json", "Kind(Symlink)"),
        ("dir.json", "Kind(Directory)"),
        ("fifo.json", "Kind(Fifo)"),
        ("link.json", "Kind(Symlink)"),
        ("socket.json", "Kind(Socket)"),
        ("\u{fffd}.json", "Name"),
    ];
    let expected = expected.map(|(name, why)| (name.to_owned(), why.to_owned()));
    assert_eq!(reasons(&listing.rejected), expected);
    let names = backend.names(Area::Sessions).expect("names");
    assert_eq!(names.names, ["good"]);
    assert_eq!(reasons(&names.rejected), expected);
    assert_eq!(
        RejectReason::Kind(FileKind::Fifo).to_string(),
        "is a named pipe, not a file"
    );

    for id in ["dir", "link", "dangling", "fifo", "socket"] {
        let blob = Blob::session(id);
        assert!(
            backend.open(&blob).is_err_and(|error| error.is_corrupt()),
            "open {id}"
        );
        assert!(
            backend.stat(&blob).is_err_and(|error| error.is_corrupt()),
            "stat {id}"
        );
        assert!(
            put(&backend, &blob, b"{}", Durability::Full).is_err_and(|error| error.is_corrupt()),
            "replace {id}"
        );
        let lock = backend.lock(LockName::Session(id), LONG).expect("lock");
        assert!(
            backend
                .remove(&lock, &blob, Durability::Full)
                .is_err_and(|error| error.is_corrupt()),
            "remove {id}"
        );
    }
    assert_eq!(
        fs::read(&outside).expect("read"),
        b"secret",
        "no link was followed"
    );
    assert_eq!(
        read(&backend, &Blob::session("good")).as_deref(),
        Some(&b"{}"[..])
    );
}

#[test]
fn planted_links_are_never_followed_on_write() {
    no_link_is_followed(&|dir| Box::new(dir_backend(dir)));
}

/// P21, of whatever opens a directory.
pub(crate) fn no_link_is_followed(open: &dyn Fn(&Path) -> Box<dyn Backend>) {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let outside = scratch.path().join("outside");
    fs::create_dir(&outside).expect("mkdir");
    fs::write(outside.join("victim"), "untouched").expect("write");
    for planted in [".store", ".store/tmp", ".store/locks"] {
        let dir = scratch.path().join(planted.replace(['.', '/'], "_"));
        fs::create_dir_all(dir.join(planted).parent().expect("parent")).expect("mkdir");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("chmod");
        symlink(&outside, dir.join(planted)).expect("symlink");
        let backend = open(&dir);
        let answer = put(&*backend, &Blob::session("s"), b"1", Durability::Full);
        assert!(answer.is_err(), "{planted}");
        assert!(!dir.join("s.json").exists());
    }
    let dir = scratch.path().join("lock");
    let backend = open(&dir);
    put(&*backend, &Blob::session("first"), b"1", Durability::Full).expect("put");
    symlink(outside.join("victim"), dir.join(".store/locks/x.lock")).expect("symlink");
    assert!(
        backend
            .lock(LockName::Session("x"), Duration::ZERO)
            .is_err_and(|error| !error.is_locked())
    );
    assert_eq!(
        fs::read(outside.join("victim")).expect("read"),
        b"untouched"
    );
    assert_eq!(
        fs::read_dir(&outside).expect("read").count(),
        1,
        "nothing was created behind a link"
    );
}

/// P7: `sweep` says how many orphans of the directory it has removed.
fn orphans_go_and_nothing_else(sweep: &dyn Fn(&DirBackend, &Path) -> u64) {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let backend = dir_backend(scratch.path());
    put(&backend, &Blob::session("s"), b"1", Durability::Full).expect("put");
    let tmp = scratch.path().join(".store/tmp");
    let orphans = [
        "s.0123456789abcdef",
        "other-id.ffffffffffffffff",
        ".index.0000000000000000",
        "s.0000000000000001",
    ];
    let strangers = [
        "s",
        "s.123",
        "notes.txt",
        "a b.0123456789abcdef",
        "s.0123456789abcdeg",
    ];
    for name in orphans.iter().chain(&strangers) {
        fs::write(tmp.join(name), "half").expect("write");
    }
    fs::create_dir(tmp.join("d.0123456789abcdef")).expect("mkdir");
    // Another process: another handle, whose locks conflict.
    let other = dir_backend(scratch.path());
    let held = other
        .lock(LockName::Session("other-id"), LONG)
        .expect("lock");
    assert_eq!(sweep(&backend, &tmp), 3, "the one under a held lock stays");
    assert!(tmp.join("other-id.ffffffffffffffff").exists());
    drop(held);
    assert_eq!(sweep(&backend, &tmp), 1);
    assert_eq!(sweep(&backend, &tmp), 0);
    let mut left: Vec<String> = fs::read_dir(&tmp)
        .expect("read")
        .map(|e| e.expect("entry").file_name().into_string().expect("text"))
        .collect();
    left.sort();
    let mut expected: Vec<String> = strangers.iter().map(|name| (*name).to_owned()).collect();
    expected.push("d.0123456789abcdef".to_owned());
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(
        read(&backend, &Blob::session("s")).as_deref(),
        Some(&b"1"[..])
    );
}

#[test]
fn a_sweep_removes_orphans_and_nothing_else() {
    orphans_go_and_nothing_else(&|backend, _| backend.sweep().expect("sweep"));
}

/// Removes every temporary of that name, whoever is writing it.
fn sweep_by_name(tmp: &Path, is_ours: impl Fn(&str) -> bool) -> u64 {
    let names = fs::read_dir(tmp).expect("read");
    let names = names.map(|entry| entry.expect("entry").path());
    let swept = names.filter(|path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        path.is_file() && is_ours(&name) && fs::remove_file(path).is_ok()
    });
    swept.count() as u64
}

#[test]
fn sweeps_that_leave_or_take_too_much_are_caught() {
    let is_ours = |name: &str| {
        name.rsplit_once('.').is_some_and(|(lock, mark)| {
            let is_mark = mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_mark && !lock.contains(' ')
        })
    };
    let leaves_all = |_: &DirBackend, _: &Path| 0;
    let asks_no_lock = move |_: &DirBackend, tmp: &Path| sweep_by_name(tmp, is_ours);
    let takes_all = |backend: &DirBackend, tmp: &Path| {
        let swept = backend.sweep().expect("sweep");
        sweep_by_name(tmp, |name| !name.starts_with("other-id"));
        swept
    };
    caught("a sweep that leaves all", || {
        orphans_go_and_nothing_else(&leaves_all);
    });
    caught("a sweep that asks for no lock", || {
        orphans_go_and_nothing_else(&asks_no_lock);
    });
    caught("a sweep that takes strangers", || {
        orphans_go_and_nothing_else(&takes_all);
    });
}

/// Runs a promise's test on something that breaks the promise: it has to fail.
#[track_caller]
pub(crate) fn caught(what: &str, test: impl FnOnce()) {
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
    assert!(answer.is_err(), "{what} must be caught");
}

#[test]
fn two_handles_exclude_each_other() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let (one, two) = (dir_backend(scratch.path()), dir_backend(scratch.path()));
    let fs = MemoryFs::new();
    let memory = (
        MemoryBackend::with_file_system(fs.clone()),
        MemoryBackend::with_file_system(fs),
    );
    let pairs: [(&dyn Backend, &dyn Backend); 2] = [(&one, &two), (&memory.0, &memory.1)];
    for (one, two) in pairs {
        for name in [LockName::Session("s"), LockName::Index] {
            let held = one.lock(name, LONG).expect("lock");
            assert!(
                two.lock(name, Duration::from_millis(5))
                    .is_err_and(|error| error.is_locked())
            );
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| two.lock(name, LONG).map(drop));
                drop(held);
                waiter.join().expect("no panic").expect("the lock comes");
            });
            one.lock(name, LONG).map(drop).expect("and goes back");
        }
    }
}

#[test]
fn a_directory_that_is_removed_and_made_again_is_found_again() {
    let scratch = tempfile::tempdir().expect("temporary directory");
    let dir = scratch.path().join("sessions");
    let backend = dir_backend(&dir);
    for round in [b"1", b"2", b"3"] {
        put(&backend, &Blob::session("s"), round, Durability::Full).expect("put");
        assert_eq!(fs::read(dir.join("s.json")).expect("read"), round);
        assert_eq!(backend.list(Area::Sessions).expect("list").entries.len(), 1);
        if round == b"2" {
            fs::remove_dir_all(dir.join(".store")).expect("remove");
        } else {
            fs::remove_dir_all(&dir).expect("remove");
            assert!(
                backend
                    .list(Area::Sessions)
                    .expect("list")
                    .entries
                    .is_empty()
            );
            assert_eq!(backend.stat(&Blob::session("s")).expect("stat"), None);
            assert_eq!(backend.stat_area(Area::Sessions).expect("stat"), None);
        }
    }
    // By somebody else, with other content.
    fs::create_dir(&dir).expect("mkdir");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("chmod");
    fs::write(dir.join("foreign.json"), "{}").expect("write");
    assert_eq!(
        read(&backend, &Blob::session("foreign")).as_deref(),
        Some(&b"{}"[..])
    );
}

/// A mutant: no temporary; what is written is seen at once.
#[derive(Debug)]
struct InPlace(MemoryBackend);

impl Backend for InPlace {
    fn list(&self, area: Area) -> Result<session_store::backend::BackendListing, Error> {
        self.0.list(area)
    }
    fn stat_area(&self, area: Area) -> Result<Option<BlobStat>, Error> {
        self.0.stat_area(area)
    }
    fn stat(&self, blob: &Blob<'_>) -> Result<Option<BlobStat>, Error> {
        self.0.stat(blob)
    }
    fn open(
        &self,
        blob: &Blob<'_>,
    ) -> Result<Option<Box<dyn session_store::backend::OpenBlob>>, Error> {
        Backend::open(&self.0, blob)
    }
    fn replace(
        &self,
        lock: &session_store::backend::Lock,
        blob: &Blob<'_>,
        durability: Durability,
        write: &mut session_store::backend::WriteStep<'_>,
        publish: &mut session_store::backend::PublishStep<'_>,
    ) -> Result<BlobStat, Error> {
        if blob.area != Area::Sessions || self.0.stat(blob)?.is_none() {
            return self.0.replace(lock, blob, durability, write, publish);
        }
        let path = format!("{}.json", blob.name);
        let mut file = self
            .0
            .file_system()
            .open_truncated(&path)
            .expect("it is there");
        write(&mut file)?;
        file.flush().expect("flush");
        publish(&mut || Ok(()))?;
        Ok(self
            .0
            .file_system()
            .stat(&path)
            .expect("stat")
            .expect("it is there")
            .blob)
    }
    fn append(
        &self,
        lock: &session_store::backend::Lock,
        blob: &Blob<'_>,
    ) -> Result<Option<Box<dyn session_store::backend::AppendFile>>, Error> {
        self.0.append(lock, blob)
    }
    fn persist(&self, lock: &session_store::backend::Lock, blob: &Blob<'_>) -> Result<(), Error> {
        self.0.persist(lock, blob)
    }
    fn transfer(
        &self,
        lock: &session_store::backend::Lock,
        from: &Blob<'_>,
        to: &Blob<'_>,
        durability: Durability,
        publish: &mut session_store::backend::PublishStep<'_>,
    ) -> Result<bool, Error> {
        self.0.transfer(lock, from, to, durability, publish)
    }
    fn remove(
        &self,
        lock: &session_store::backend::Lock,
        blob: &Blob<'_>,
        durability: Durability,
    ) -> Result<bool, Error> {
        self.0.remove(lock, blob, durability)
    }
    fn lock(
        &self,
        name: LockName<'_>,
        wait: Duration,
    ) -> Result<session_store::backend::Lock, Error> {
        self.0.lock(name, wait)
    }
    fn sweep(&self) -> Result<u64, Error> {
        self.0.sweep()
    }
    fn describe(&self, blob: &Blob<'_>) -> std::path::PathBuf {
        self.0.describe(blob)
    }
}
