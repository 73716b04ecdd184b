//! Several processes on one store: no torn read, no missing file, no lost or resurrected revision (P8, P9).

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use session_store::{Append, Durability, Message, Query, SessionStore, Window};

use crate::support::{Scratch, id, session};

const DIR: &str = "SESSION_STORE_TEST_DIR";
const SECONDS: u64 = 10;

fn child(test: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            test,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child process")
}

/// The number that a child printed under a name.
fn counted(output: &str, name: &str) -> u64 {
    let (_, number) = output
        .split_once(&format!("{name}="))
        .unwrap_or_else(|| panic!("no {name} in {output}"));
    number
        .lines()
        .next()
        .unwrap_or_default()
        .parse()
        .expect("a number")
}

fn open() -> Option<SessionStore> {
    let dir = std::env::var_os(DIR)?;
    Some(
        SessionStore::builder(dir)
            .durability(Durability::Process)
            .open()
            .expect("a store"),
    )
}

#[test]
fn processes_that_save_and_read_one_session_see_it_whole_and_never_older() {
    let scratch = Scratch::new();
    scratch.store().save(&session("s", "/work", 1, 1)).unwrap();
    let writers = ["processes::child_saves", "processes::child_saves"]
        .map(|test| child(test, &scratch.sessions()));
    let reader = child("processes::child_reads", &scratch.sessions());
    let outputs = writers
        .into_iter()
        .chain([reader])
        .map(|child| child.wait_with_output().unwrap());
    let outputs: Vec<String> = outputs
        .map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    let saves: u64 = outputs[..2]
        .iter()
        .map(|output| counted(output, "saves"))
        .sum();
    let reads = counted(&outputs[2], "reads");
    println!("{saves} saves by two processes, {reads} reads by a third, in {SECONDS} s");
    assert!(saves > 20 && reads > 20, "too few to mean anything");
    // Every acknowledged save is in the history: none was undone by the other process.
    let last = scratch.store().load(&id("s")).unwrap();
    assert_eq!(last.usage.total_tokens, saves);
    assert_eq!(crate::support::names(&scratch.file(".store/tmp")), [""; 0]);
}

/// Counts up by conflict-checked saves, as an editor would that never loses another's work.
#[test]
#[ignore = "a child process of the test above"]
fn child_saves() {
    let Some(store) = open() else { return };
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let (mut saves, mut seen) = (0, 0);
    while Instant::now() < end {
        let mut session = store.load(&id("s")).expect("never torn, never missing");
        assert!(
            session.usage.total_tokens >= seen,
            "an older revision came back"
        );
        seen = session.usage.total_tokens + 1;
        session.usage.total_tokens = seen;
        session.title = Some("x".repeat(usize::try_from(seen % 5_000).unwrap()));
        match store.save(&session) {
            Ok(_) => saves += 1,
            Err(error) if error.is_conflict() => seen -= 1,
            Err(error) => panic!("{error}"),
        }
    }
    println!("saves={saves}");
}

#[test]
#[ignore = "a child process of the test above"]
fn child_reads() {
    let Some(store) = open() else { return };
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let (mut reads, mut seen) = (0, 0);
    while Instant::now() < end {
        let whole = store.load(&id("s")).expect("never torn, never missing");
        let tail = store
            .load_tail(&id("s"), Window::last(1))
            .expect("never torn, never missing");
        let last = store
            .last_for_directory(Some("/work".as_ref()))
            .expect("a lookup")
            .expect("the session");
        for session in [&whole, &*tail, &last] {
            assert!(
                session.usage.total_tokens >= seen,
                "an older revision came back"
            );
            seen = session.usage.total_tokens;
        }
        reads += 3;
    }
    println!("reads={reads}");
}

/// Readers are never kept waiting by who appends and folds, and never see half of it.
#[test]
fn a_process_that_appends_and_folds_is_read_whole_at_every_moment() {
    let scratch = Scratch::new();
    scratch.store().save(&session("s", "/work", 1, 1)).unwrap();
    let tests = ["processes::child_appends", "processes::child_counts"];
    let [appends, counts] = tests
        .map(|test| child(test, &scratch.sessions()))
        .map(|child| child.wait_with_output().unwrap())
        .map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        });
    let (appends, folds) = (counted(&appends, "appends"), counted(&appends, "folds"));
    let (counts, other) = (counted(&counts, "counts"), counted(&counts, "different"));
    println!("{appends} appends, {folds} folds, {counts} looks that saw {other} lengths");
    assert!(folds > 3 && other > 10, "too few to mean anything");
    let last = scratch.store().load(&id("s")).unwrap();
    assert_eq!(last.messages.len() as u64, 1 + appends);
}

#[test]
#[ignore = "a child process of the test above"]
fn child_appends() {
    let Some(store) = open() else { return };
    let end = Instant::now() + Duration::from_secs(SECONDS / 3);
    let (mut appends, mut folds) = (0_u64, 0_u64);
    while Instant::now() < end {
        let mut writer = store.writer(&id("s")).expect("nobody else writes");
        for _ in 0..20 {
            let append = Append::new().message(&Message::user(format!("{appends}")));
            writer.append(&append.unwrap()).expect("an append");
            appends += 1;
        }
        if appends.is_multiple_of(40) {
            writer.close().expect("a fold");
            folds += 1;
        }
    }
    println!("appends={appends}\nfolds={folds}");
}

#[test]
#[ignore = "a child process of the test above"]
fn child_counts() {
    let Some(store) = open() else { return };
    let end = Instant::now() + Duration::from_secs(SECONDS / 3);
    let (mut counts, mut different, mut seen) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let whole = store.load(&id("s")).expect("never torn, never missing");
        let (end_of_it, whole) = (whole.messages.last(), whole.messages.len() as u64);
        // Appends are numbered from the second message on.
        if whole > 1 {
            assert_eq!(end_of_it, Some(&Message::user(format!("{}", whole - 2))));
        }
        let tail = store
            .load_tail(&id("s"), Window::last(1))
            .expect("never torn, never missing");
        let tail = tail.dropped().total() + tail.messages.len() as u64;
        let listed = store.list(&Query::new()).expect("a listing");
        assert!(listed.skipped.is_empty(), "{:?}", listed.skipped);
        let listed = listed.rows[0].messages.expect("a count");
        for length in [whole, tail, listed] {
            assert!(length >= seen, "{length} messages after {seen}");
            different += u64::from(length > seen);
            seen = length;
        }
        counts += 3;
    }
    println!("counts={counts}\ndifferent={different}");
}

/// The mutant of the counting above: savers that overwrite undo each other, and the count shows it.
#[test]
fn the_count_catches_a_saver_that_does_not_check() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.store(), scratch.store());
    a.save(&session("s", "/work", 1, 1)).unwrap();
    let mut saves = 0;
    for _ in 0..3 {
        let mut loaded = [a.load(&id("s")).unwrap(), b.load(&id("s")).unwrap()];
        for (store, session) in [&a, &b].into_iter().zip(&mut loaded) {
            session.usage.total_tokens += 1;
            store.overwrite(session).unwrap();
            saves += 1;
        }
    }
    assert_ne!(a.load(&id("s")).unwrap().usage.total_tokens, saves);
}
