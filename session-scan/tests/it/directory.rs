//! A directory full of hostile names and kinds: what is no candidate is reported, nothing is followed, nothing hangs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use session_scan::testing::Counting;
use session_scan::{
    Corpus, Directory, Entry, FileKind, Newest, OpenError, Reason, SearchBuffer, Searcher,
};
use tempfile::TempDir;

fn accept(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn temporary() -> (TempDir, Directory) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let corpus = Directory::new(directory.path(), accept);
    (directory, corpus)
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("makes a named pipe");
}

fn names(corpus: &Directory) -> Vec<String> {
    let mut names: Vec<String> = corpus
        .list()
        .expect("lists")
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    names.sort();
    names
}

/// A word for a reason, so that tables can name it.
fn word(reason: &Reason) -> String {
    match reason {
        Reason::NotAFile(kind) => format!("{kind:?}"),
        Reason::Name => "Name".to_owned(),
        Reason::Io(error) => format!("{:?}", error.kind()),
        other => format!("{other:?}"),
    }
}

#[test]
fn only_regular_files_with_accepted_names_are_candidates_and_the_rest_is_reported() {
    let (directory, corpus) = temporary();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("good.json"), "{}").expect("writes");
    fs::write(path("a_b-9.json"), "").expect("writes");
    for ignored in [
        ".hidden.json",
        ".json",
        "notes.txt",
        "good.json.tmp",
        "json",
        "x.JSON",
        ".tmp.x",
    ] {
        fs::write(path(ignored), "{}").expect("writes");
    }
    fs::create_dir(path(".store")).expect("creates");
    fs::create_dir(path("plain-directory")).expect("creates");
    fs::write(path("bad name.json"), "{}").expect("writes");
    fs::write(path("é.json"), "{}").expect("writes");
    fs::write(path("new\nline.json"), "{}").expect("writes");
    fs::write(directory.path().join(OsStr::from_bytes(b"\xff.json")), "{}").expect("writes");
    fs::create_dir(path("directory.json")).expect("creates");
    fifo(&path("pipe.json"));
    symlink(path("good.json"), path("link.json")).expect("links");
    symlink("/nowhere", path("dangling.json")).expect("links");
    symlink("/dev/zero", path("zero.json")).expect("links");
    symlink("loop.json", path("loop.json")).expect("links");
    let _socket = UnixListener::bind(path("socket.json")).expect("binds");

    assert_eq!(names(&corpus), ["a_b-9", "good"]);
    let rejected: BTreeMap<OsString, String> = corpus
        .list()
        .expect("lists")
        .rejected
        .into_iter()
        .map(|rejected| (rejected.name, word(&rejected.reason)))
        .collect();
    let expected: BTreeMap<OsString, String> = [
        (&b"bad name.json"[..], "Name"),
        ("é.json".as_bytes(), "Name"),
        (b"new\nline.json", "Name"),
        (b"\xff.json", "Name"),
        (b"directory.json", "Directory"),
        (b"pipe.json", "Fifo"),
        (b"link.json", "Symlink"),
        (b"dangling.json", "Symlink"),
        (b"zero.json", "Symlink"),
        (b"loop.json", "Symlink"),
        (b"socket.json", "Socket"),
    ]
    .into_iter()
    .map(|(name, reason)| (OsStr::from_bytes(name).to_owned(), reason.to_owned()))
    .collect();
    assert_eq!(rejected, expected);
}

#[test]
fn an_entry_has_the_stamp_that_the_system_has() {
    let (directory, corpus) = temporary();
    let path = directory.path().join("x.json");
    fs::write(&path, "12345").expect("writes");
    let metadata = fs::metadata(&path).expect("is there");
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let listed = corpus.list().expect("lists").entries.remove(0);
    let expected = Entry::new("x", 5, nanoseconds(metadata.mtime(), metadata.mtime_nsec()))
        .changed(nanoseconds(metadata.ctime(), metadata.ctime_nsec()))
        .identity(metadata.dev(), metadata.ino());
    assert_eq!(listed, expected);
    assert_eq!(corpus.entry("x").expect("looks up"), Some(expected));
    assert_eq!(corpus.entry("y").expect("looks up"), None);
    fifo(&directory.path().join("pipe.json"));
    for other in ["pipe", "", ".", "..", "../x", "a/b", "x\0", "bad name"] {
        assert_eq!(corpus.entry(other).expect("looks up"), None, "{other:?}");
    }
}

#[test]
fn a_missing_directory_is_empty_until_it_appears_and_after_it_goes() {
    let outer = tempfile::tempdir().expect("a temporary directory");
    let path = outer.path().join("sessions");
    let corpus = Directory::new(&path, accept);
    assert_eq!(names(&corpus), [""; 0]);
    assert!(matches!(
        corpus.open(&Entry::new("x", 0, 0)),
        Err(OpenError::Vanished)
    ));
    fs::create_dir(&path).expect("creates");
    fs::write(path.join("x.json"), "{}").expect("writes");
    assert!(corpus.open(&Entry::new("x", 0, 0)).is_ok());
    assert_eq!(names(&corpus), ["x"]);
    fs::remove_dir_all(&path).expect("removes");
    assert!(matches!(
        corpus.open(&Entry::new("x", 0, 0)),
        Err(OpenError::Vanished)
    ));
    assert_eq!(names(&corpus), [""; 0]);
    fs::create_dir(&path).expect("creates");
    fs::write(path.join("y.json"), "{}").expect("writes");
    assert_eq!(
        corpus.entry("y").expect("looks up").map(|entry| entry.size),
        Some(2)
    );
    assert!(corpus.open(&Entry::new("y", 0, 0)).is_ok());
}

#[test]
fn a_path_through_a_link_is_the_directory_and_a_file_is_an_error() {
    let (directory, _) = temporary();
    fs::write(directory.path().join("x.json"), "{}").expect("writes");
    let link = directory.path().join("link");
    symlink(directory.path(), &link).expect("links");
    assert_eq!(names(&Directory::new(&link, accept)), ["x"]);
    assert!(
        Directory::new(directory.path().join("x.json"), accept)
            .list()
            .is_err()
    );
    let pipe = directory.path().join("pipe");
    fifo(&pipe);
    assert!(
        Directory::new(&pipe, accept).list().is_err(),
        "and nothing waits for a writer"
    );
}

#[test]
fn a_file_swapped_after_the_listing_is_refused_or_a_miss_and_never_waited_for() {
    type Swap = fn(&Path);
    let swaps: [(&str, Swap); 6] = [
        ("Vanished", |_| {}),
        ("Fifo", fifo),
        ("Directory", |path| fs::create_dir(path).expect("creates")),
        ("Symlink", |path| symlink("/dev/zero", path).expect("links")),
        ("Socket", |path| {
            drop(UnixListener::bind(path).expect("binds"));
        }),
        ("opened", |path| fs::write(path, "new").expect("writes")),
    ];
    for (expected, swap) in swaps {
        let (directory, corpus) = temporary();
        let path = directory.path().join("x.json");
        fs::write(&path, "old").expect("writes");
        let entry = corpus.list().expect("lists").entries.remove(0);
        fs::remove_file(&path).expect("removes");
        swap(&path);
        let outcome = match corpus.open(&entry) {
            Ok(_) => "opened".to_owned(),
            Err(OpenError::Rejected(reason)) => word(&reason),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(outcome, expected);
    }
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let (directory, _) = temporary();
    let inside = directory.path().join("inside");
    fs::create_dir(&inside).expect("creates");
    fs::write(directory.path().join("x.json"), "{}").expect("writes");
    fs::write(inside.join(".dot.json"), "{}").expect("writes");
    let corpus = Directory::new(&inside, |_| true);
    let absolute = directory.path().join("x");
    let names = [
        "../x",
        "./../x",
        "",
        ".",
        "..",
        ".dot",
        "a/../../x",
        "x\0y",
        "/etc/x",
    ];
    for name in names.into_iter().chain(absolute.to_str()) {
        let opened = corpus.open(&Entry::new(name, 0, 0));
        assert!(
            matches!(opened, Err(OpenError::Rejected(Reason::Name))),
            "{name:?}"
        );
    }
    let long = "x".repeat(300);
    let opened = corpus.open(&Entry::new(long, 0, 0));
    assert!(
        matches!(opened, Err(OpenError::Rejected(Reason::Io(_)))),
        "{opened:?}"
    );
}

#[test]
fn a_file_without_permission_is_listed_and_refused_on_opening() {
    let (directory, corpus) = temporary();
    let path = directory.path().join("x.json");
    fs::write(&path, "{}").expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("changes the mode");
    assert_eq!(names(&corpus), ["x"]);
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may read everything");
        return;
    }
    match corpus.open(&Entry::new("x", 0, 0)) {
        Err(OpenError::Rejected(reason)) => assert_eq!(word(&reason), "PermissionDenied"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_shrinks_under_the_reader_ends_early() {
    let (directory, corpus) = temporary();
    let path = directory.path().join("x.json");
    fs::write(
        &path,
        [b"word".repeat(100), vec![b' '; 600_000], b"word".to_vec()].concat(),
    )
    .expect("writes");
    let file = corpus.open(&Entry::new("x", 0, 0)).expect("opens");
    let searcher = Searcher::new(["word"]).block_bytes(1_000);
    let mut found = Vec::new();
    let bytes = searcher.search_file(&corpus, &file, &mut SearchBuffer::new(), |hit| {
        if found.is_empty() {
            fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .expect("opens")
                .set_len(2_000)
                .expect("cuts");
        }
        found.push(hit.offset);
        ControlFlow::Continue(())
    });
    assert_eq!(bytes.expect("no error"), 2_000);
    assert_eq!(found.len(), 100);
}

/// Looks at nothing but the size, which is enough to walk a real directory.
struct Sized;

struct Newer(i128, String);

impl session_scan::Ranked for Newer {
    type Rank = (i128, String);

    fn rank(&self) -> Self::Rank {
        (self.0, self.1.clone())
    }

    fn at(&self) -> i128 {
        self.0
    }
}

impl<F> session_scan::Probe<F> for Sized {
    type Hit = Newer;

    fn probe(&self, entry: &Entry, _: &F) -> session_scan::Look<Newer> {
        if entry.size == 0 {
            return session_scan::Look::Miss;
        }
        session_scan::Look::Hit(Newer(entry.modified, entry.name.clone()))
    }
}

#[test]
fn a_walk_over_a_directory_keeps_few_files_open_and_survives_deletions() {
    let (directory, corpus) = temporary();
    for index in 0..300 {
        let text = if index % 3 == 0 { "" } else { "x" };
        fs::write(directory.path().join(format!("f{index}.json")), text).expect("writes");
    }
    let corpus = Counting::new(corpus);
    let entries = corpus.list().expect("lists").entries;
    for index in 0..100 {
        fs::remove_file(directory.path().join(format!("f{index}.json"))).expect("removes");
    }
    for threads in [1, 4] {
        let mut newest = Newest::new(&corpus, entries.clone(), &Sized).threads(threads);
        assert_eq!(newest.by_ref().count(), 134);
        assert!(newest.unreadable().is_empty(), "what vanished is a miss");
        assert!(corpus.open_most() <= 4);
    }
    let kind = FileKind::Fifo;
    assert_eq!(
        Reason::NotAFile(kind).to_string(),
        "not a regular file but a named pipe"
    );
}
