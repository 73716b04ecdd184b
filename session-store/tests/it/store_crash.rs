//! Power cuts at every step of a session's life, in memory: saves, appends, trash, restore, delete, and the index.

use std::sync::Arc;

use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{CrashReport, CrashState, FileSystem, MemoryFs};
use session_store::{
    Append, Builder, Durability, IndexKind, Message, Query, Session, SessionStore, Window,
};

use crate::crash::{Kind, Mutant};
use crate::support::{id, session, time};

/// Relative, so that no lookup asks the real file system about it.
const WORK: &str = "work";

fn store<F: FileSystem>(fs: F, durability: Durability, index: IndexKind) -> SessionStore {
    let backend = DirBackend::with_file_system(fs, Trust::strict()).expect("a backend");
    Builder::on(Arc::new(backend))
        .durability(durability)
        .index(index)
        .open()
        .expect("a store")
}

/// A part of a session's life: what is there before, without crashes, and what is tried with a crash at every step.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    index: IndexKind,
    before: fn(&MemoryFs, &SessionStore),
    then: fn(&MemoryFs, &SessionStore),
}

/// Saves the session of `n` messages; every acknowledgement is noted outside the file system.
fn save(fs: &MemoryFs, store: &SessionStore, n: usize) {
    let mut growing = session("s", WORK, n, 0);
    growing.touch(time(n as u64));
    store.overwrite(&growing).expect("save");
    fs.mark(format!("s {n}"));
}

fn append(fs: &MemoryFs, store: &SessionStore, n: usize) {
    let turn = Append::new()
        .message(&Message::user(format!("message {n}")))
        .expect("a message");
    store
        .append(&id("s"), &turn.updated_at(time(n as u64)).expect("a time"))
        .expect("append");
    fs.mark(format!("s {n}"));
}

fn other(fs: &MemoryFs, store: &SessionStore) {
    store.save(&session("t", WORK, 1, 9)).expect("save");
    fs.mark("t there");
}

const NOTHING: fn(&MemoryFs, &SessionStore) = |_, _| {};

const PARTS: [Part; 5] = [
    Part {
        name: "first saves",
        index: IndexKind::None,
        before: NOTHING,
        then: |fs, store| (1..3).for_each(|n| save(fs, store, n)),
    },
    Part {
        name: "saves with an index",
        index: IndexKind::Sidecar,
        before: |fs, store| save(fs, store, 1),
        then: |fs, store| save(fs, store, 2),
    },
    Part {
        name: "appends",
        index: IndexKind::None,
        before: |fs, store| save(fs, store, 1),
        then: |fs, store| (2..4).for_each(|n| append(fs, store, n)),
    },
    Part {
        name: "trash and restore",
        index: IndexKind::Sidecar,
        before: other,
        then: |fs, store| {
            fs.mark("t there");
            assert!(store.trash(&id("t")).expect("trash"));
            fs.mark("t trashed");
            assert!(store.restore(&id("t")).expect("restore"));
            fs.mark("t restored");
        },
    },
    Part {
        name: "delete",
        index: IndexKind::Sidecar,
        before: other,
        then: |fs, store| {
            fs.mark("t there");
            fs.mark("t deleting");
            assert!(store.delete(&id("t")).expect("delete"));
            fs.mark("t deleted");
        },
    },
];

fn explore<F: FileSystem>(
    part: &Part,
    wrap: impl Fn(MemoryFs) -> F,
    durability: Durability,
    check: fn(&CrashState) -> Result<(), String>,
) -> CrashReport {
    let fs = MemoryFs::new();
    (part.before)(&fs, &store(fs.clone(), Durability::Full, part.index));
    fs.record();
    (part.then)(&fs, &store(wrap(fs.clone()), durability, part.index));
    fs.recorded().explore(check)
}

fn noted(state: &CrashState, note: &str) -> bool {
    state.notes().iter().any(|noted| noted == note)
}

fn reopen(state: &CrashState) -> Result<SessionStore, String> {
    let backend = MemoryBackend::with_file_system(state.file_system());
    let store = Builder::<Session>::on(Arc::new(backend))
        .open()
        .map_err(|error| error.to_string())?;
    match store.warnings() {
        [] => Ok(store),
        warnings => Err(format!("{warnings:?}")),
    }
}

/// P2: whatever is there can be read.
fn readable(state: &CrashState) -> Result<(), String> {
    let listing = reopen(state)?
        .list(&Query::new())
        .map_err(|error| error.to_string())?;
    match listing.skipped.first() {
        Some(skipped) => Err(skipped.to_string()),
        None => Ok(()),
    }
}

/// P1, P2, P10 and P26: nothing acknowledged is lost, nothing is half, nothing deleted comes back, and the index agrees.
fn kept(state: &CrashState) -> Result<(), String> {
    readable(state)?;
    let store = reopen(state)?;
    let acknowledged = state
        .notes()
        .iter()
        .filter_map(|note| note.strip_prefix("s ")?.parse::<usize>().ok())
        .max()
        .unwrap_or(0);
    let found = match store.load(&id("s")) {
        Ok(session) => session.messages.len(),
        Err(error) if error.is_not_found() => 0,
        Err(error) => return Err(error.to_string()),
    };
    if found < acknowledged {
        return Err(format!(
            "{acknowledged} messages were acknowledged, {found} are there"
        ));
    }
    let there = store.load(&id("t")).is_ok();
    let trashed = store.trashed().map_err(|error| error.to_string())?.len();
    if noted(state, "t deleted") && (there || trashed > 0) {
        return Err("what was deleted came back".to_owned());
    }
    if noted(state, "t there") && !noted(state, "t deleting") && !there && trashed == 0 {
        return Err("a trashed session is neither there nor in the trash".to_owned());
    }
    let newest = store
        .list(&Query::new().workspace(WORK))
        .map_err(|error| error.to_string())?;
    let newest = newest.rows.first().map(|row| row.id.clone());
    let last = store.last_for_directory_tail(Some(WORK.as_ref()), Window::last(1));
    let last = last
        .map_err(|error| error.to_string())?
        .map(|tail| tail.id.clone());
    if last != newest {
        return Err(format!(
            "the last session is {last:?}, the newest {newest:?}"
        ));
    }
    // And life goes on.
    store
        .overwrite(&session("s", WORK, 9, 99))
        .map_err(|error| error.to_string())?;
    let after = store.load(&id("s")).map_err(|error| error.to_string())?;
    if after.messages.len() == 9 {
        Ok(())
    } else {
        Err("a save after the crash is not there".to_owned())
    }
}

fn clean(part: &Part, report: &CrashReport) {
    println!("crash model, {}: {report}", part.name);
    assert!(
        report.distinct > 5,
        "{}: too few states to mean anything: {report}",
        part.name
    );
    assert_eq!(
        report.violations, 0,
        "{}: {:#?}",
        part.name, report.examples
    );
}

/// A mutant is caught when any part of a session's life shows it.
fn caught(what: &str, violations: impl Fn(&Part) -> u64) {
    let violations: u64 = PARTS.iter().map(violations).sum();
    println!("crash model, mutant {what}: {violations} violations");
    assert!(violations > 0, "the mutant {what} must be caught");
}

#[test]
fn at_full_no_crash_loses_halves_or_revives_a_session() {
    for part in &PARTS {
        clean(part, &explore(part, |fs| fs, Durability::Full, kept));
    }
}

#[test]
fn at_ordered_no_crash_leaves_a_half_session() {
    for part in &PARTS {
        clean(part, &explore(part, |fs| fs, Durability::Ordered, readable));
    }
    caught("ordered judged as full", |part| {
        explore(part, |fs| fs, Durability::Ordered, kept).violations
    });
}

#[test]
fn mutants_of_the_protocol_are_caught_through_the_whole_store() {
    let mutant = |kind| move |inner| Mutant { inner, kind };
    caught("process judged as ordered", |part| {
        explore(part, |fs| fs, Durability::Process, readable).violations
    });
    caught("no sync", |part| {
        explore(part, mutant(Kind::NoSync), Durability::Full, readable).violations
    });
    let directory = mutant(Kind::NoDirectorySync);
    caught("no directory sync", |part| {
        explore(part, directory, Durability::Full, kept).violations
    });
    let removed = mutant(Kind::RemoveBeforeRename);
    caught("remove before rename", |part| {
        explore(part, removed, Durability::Full, kept).violations
    });
}
