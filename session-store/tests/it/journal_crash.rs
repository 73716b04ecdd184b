//! Power cuts at every step of appends and of what ends a journal, and at every step of the recovery from them.

use std::sync::Arc;

use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{CrashReport, CrashState, FileSystem, MemoryFs};
use session_store::{
    Append, Builder, Durability, IndexKind, Message, Query, Session, SessionStore,
};

use crate::crash::{Kind, Mutant};
use crate::support::{id, session, time};

pub(crate) const WORK: &str = "work";

pub(crate) fn store<F: FileSystem>(fs: F, durability: Durability) -> SessionStore {
    let backend = DirBackend::with_file_system(fs, Trust::strict()).expect("a backend");
    Builder::on(Arc::new(backend))
        .durability(durability)
        .index(IndexKind::None)
        .open()
        .expect("a store")
}

pub(crate) fn turn(n: usize) -> Append {
    Append::new()
        .message(&Message::user(format!("message {n} of s")))
        .expect("a message")
        .updated_at(time(n as u64))
        .expect("a time")
}

/// Appends message `n`, counted from 0, and notes how many are acknowledged.
fn append(fs: &MemoryFs, store: &SessionStore, n: usize) {
    store.append(&id("s"), &turn(n)).expect("append");
    fs.mark(format!("s {}", n + 1));
}

/// Appends after another store, which began the journal, makes less of it certain and acknowledges nothing to this test.
fn after_careless(fs: &MemoryFs, store: &SessionStore, durability: Durability) {
    fs.mark("careless");
    let careless = self::store(fs.clone(), durability);
    careless.append(&id("s"), &turn(1)).expect("append");
    append(fs, store, 2);
    append(fs, store, 3);
}

pub(crate) fn base(store: &SessionStore) {
    store.save(&session("s", WORK, 1, 0)).expect("save");
}

#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    before: fn(&MemoryFs, &SessionStore),
    then: fn(&MemoryFs, &SessionStore),
}

const PARTS: [Part; 11] = [
    Part {
        name: "first appends",
        before: |_, store| base(store),
        then: |fs, store| (1..4).for_each(|n| append(fs, store, n)),
    },
    Part {
        name: "appends to a document that was never synced",
        before: |_, _| {},
        then: |fs, store| {
            fs.mark("careless");
            let careless = self::store(fs.clone(), Durability::Process);
            base(&careless);
            append(fs, store, 1);
            append(fs, store, 2);
        },
    },
    Part {
        name: "appends to another store's document that was never synced",
        before: |_, _| {},
        then: |fs, store| {
            fs.mark("careless");
            base(&self::store(fs.clone(), Durability::Process));
            append(fs, store, 1);
            append(fs, store, 2);
        },
    },
    Part {
        name: "appends to a journal that was never synced",
        before: |_, store| base(store),
        then: |fs, store| after_careless(fs, store, Durability::Process),
    },
    Part {
        name: "appends to a journal whose name was never synced",
        before: |_, store| base(store),
        then: |fs, store| after_careless(fs, store, Durability::Ordered),
    },
    Part {
        name: "appends to a document and a journal that were never synced",
        before: |_, _| {},
        then: |fs, store| {
            fs.mark("careless");
            base(&self::store(fs.clone(), Durability::Process));
            after_careless(fs, store, Durability::Process);
        },
    },
    Part {
        name: "fold",
        before: |fs, store| {
            base(store);
            (1..3).for_each(|n| append(fs, store, n));
        },
        then: |fs, store| {
            fs.mark("s 3");
            assert!(store.checkpoint(&id("s")).expect("fold"));
            append(fs, store, 3);
            assert!(store.checkpoint(&id("s")).expect("fold"));
        },
    },
    Part {
        name: "save over a journal",
        before: |fs, store| {
            base(store);
            append(fs, store, 1);
        },
        then: |fs, store| {
            fs.mark("s 2");
            let mut whole = store.load(&id("s")).expect("load");
            whole.push(Message::user("message 2 of s"));
            store.save(&whole).expect("save");
            fs.mark("s 3");
            append(fs, store, 3);
        },
    },
    Part {
        name: "trash and restore",
        before: |fs, store| {
            base(store);
            append(fs, store, 1);
        },
        then: |fs, store| {
            fs.mark("s 2");
            fs.mark("moving");
            assert!(store.trash(&id("s")).expect("trash"));
            assert!(store.restore(&id("s")).expect("restore"));
            fs.mark("restored");
        },
    },
    Part {
        name: "delete",
        before: |fs, store| {
            base(store);
            append(fs, store, 1);
        },
        then: |fs, store| {
            fs.mark("s 2");
            fs.mark("deleting");
            assert!(store.delete(&id("s")).expect("delete"));
            fs.mark("deleted");
        },
    },
    Part {
        name: "a tail that was torn",
        before: |fs, store| {
            base(store);
            append(fs, store, 1);
            let path = ".store/journal/s.journal";
            let torn = [&fs.content(path).expect("a journal")[..], b"half a record"].concat();
            fs.plant(path, &torn);
        },
        then: |fs, store| {
            fs.mark("s 2");
            append(fs, store, 2);
            append(fs, store, 3);
        },
    },
];

fn noted(state: &CrashState, note: &str) -> bool {
    state.notes().iter().any(|noted| noted == note)
}

fn acknowledged(state: &CrashState) -> usize {
    let notes = state.notes().iter();
    let counts = notes.filter_map(|note| note.strip_prefix("s ")?.parse().ok());
    counts.max().unwrap_or(0)
}

/// The messages of the session, which must be the first so many, each once and in order.
pub(crate) fn messages(store: &SessionStore) -> Result<Option<usize>, String> {
    let found = match store.load(&id("s")) {
        Ok(found) => found,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    for (n, message) in found.messages.iter().enumerate() {
        if *message != Message::user(format!("message {n} of s")) {
            return Err(format!("message {n} is not in its place"));
        }
    }
    Ok(Some(found.messages.len()))
}

fn judge(state: &CrashState, store: &SessionStore) -> Result<usize, String> {
    if noted(state, "careless") && acknowledged(state) == 0 {
        return Ok(0);
    }
    let listing = store
        .list(&Query::new())
        .map_err(|error| error.to_string())?;
    if let Some(skipped) = listing.skipped.first() {
        return Err(skipped.to_string());
    }
    let found = messages(store)?;
    if noted(state, "deleted") && found.is_some() {
        return Err("what was deleted came back".to_owned());
    }
    let gone = noted(state, "deleting") || noted(state, "moving") && !noted(state, "restored");
    match found {
        None if gone => Ok(0),
        Some(found) if found >= acknowledged(state) => Ok(found),
        None if acknowledged(state) == 0 => Ok(0),
        found => Err(format!(
            "{} were acknowledged, {found:?} are there",
            acknowledged(state)
        )),
    }
}

/// Nothing acknowledged is lost, nothing is there twice, and it stays so when the recovery is cut short as well.
fn kept(state: &CrashState) -> Result<(), String> {
    let fs = state.file_system();
    let first = store(fs.clone(), Durability::Full);
    let found = judge(state, &first)?;
    if found == 0 {
        return Ok(());
    }
    fs.record();
    let mut recovered = found;
    // Recovery: the next append cuts what is torn and goes on; the next fold ends the journal.
    first
        .append(&id("s"), &turn(found))
        .map_err(|error| error.to_string())?;
    recovered += 1;
    fs.mark(format!("s {recovered}"));
    first
        .checkpoint(&id("s"))
        .map_err(|error| error.to_string())?;
    if messages(&first)? != Some(recovered) {
        return Err("an append after the crash is not there once".to_owned());
    }
    if fs
        .paths()
        .iter()
        .any(|path| path.starts_with(".store/quarantine/"))
    {
        return Err("a journal of ours was put aside".to_owned());
    }
    // And that cut short.
    let mut again = fs
        .recorded()
        .setting_aside(".store/tmp")
        .setting_aside(".store/locks")
        .explore(|state| {
            let store = Builder::<Session>::on(Arc::new(MemoryBackend::with_file_system(
                state.file_system(),
            )))
            .index(IndexKind::None)
            .open()
            .map_err(|error| error.to_string())?;
            let least = acknowledged(state).max(found);
            match messages(&store)? {
                Some(now) if now >= least && now <= recovered => Ok(()),
                now => Err(format!(
                    "after recovery {least} should be there, {now:?} are"
                )),
            }
        });
    again.examples.truncate(1);
    again.examples.pop().map_or(Ok(()), Err)
}

/// The same without the second crash, which mutants need not wait for.
fn kept_once(state: &CrashState) -> Result<(), String> {
    judge(state, &store(state.file_system(), Durability::Full)).map(drop)
}

fn explore<F: FileSystem>(
    part: &Part,
    wrap: impl Fn(MemoryFs) -> F,
    durability: Durability,
    check: fn(&CrashState) -> Result<(), String>,
) -> CrashReport {
    let fs = MemoryFs::new();
    (part.before)(&fs, &store(fs.clone(), Durability::Full));
    fs.record();
    (part.then)(&fs, &store(wrap(fs.clone()), durability));
    fs.recorded().explore(check)
}

#[test]
fn no_crash_loses_or_doubles_an_append_even_when_recovery_crashes_too() {
    for part in &PARTS {
        let report = explore(part, |fs| fs, Durability::Full, kept);
        println!("crash model, {}: {report}", part.name);
        assert!(report.distinct > 5, "{}: {report}", part.name);
        assert_eq!(
            report.violations, 0,
            "{}: {:#?}",
            part.name, report.examples
        );
    }
}

#[test]
fn at_ordered_no_crash_leaves_a_session_that_cannot_be_read() {
    let readable =
        |state: &CrashState| messages(&store(state.file_system(), Durability::Full)).map(drop);
    for part in PARTS
        .iter()
        .filter(|part| !part.name.contains("never synced"))
    {
        let report = explore(part, |fs| fs, Durability::Ordered, readable);
        assert_eq!(
            report.violations, 0,
            "{}: {:#?}",
            part.name, report.examples
        );
    }
}

/// What the protocol must not do, as faults of the file system below it; all but the first part are tried for each.
#[test]
fn mutants_of_the_journal_protocol_are_caught() {
    for (what, kind) in [
        ("no sync", Kind::NoSync),
        ("no file sync", Kind::NoFileSync),
        ("no directory sync", Kind::NoDirectorySync),
        (
            "journal removed before the document is there",
            Kind::JournalFirst,
        ),
        ("no announcement", Kind::NoAnnouncement),
        ("a document taken for durable", Kind::NoPersist),
    ] {
        let violations: u64 = PARTS
            .iter()
            .map(|part| {
                let wrap = |inner| Mutant { inner, kind };
                explore(part, wrap, Durability::Full, kept_once).violations
            })
            .sum();
        println!("crash model, mutant {what}: {violations} violations");
        assert!(violations > 0, "the mutant {what} must be caught");
    }
}

/// P4: a journal that failed to sync is begun anew in another file.
#[test]
fn a_journal_that_failed_to_sync_is_never_relied_upon_again() {
    for (kind, is_caught) in [(Kind::None, false), (Kind::SyncTwice, true)] {
        let fs = MemoryFs::new();
        let inner = fs.clone();
        let store = store(Mutant { inner, kind }, Durability::Full);
        base(&store);
        store.append(&id("s"), &turn(1)).expect("append");
        let journal = ".store/journal/s.journal";
        let inode = |fs: &MemoryFs| {
            fs.stat(journal)
                .expect("stat")
                .expect("a journal")
                .blob
                .inode
        };
        let before = inode(&fs);
        fs.record();
        fs.fail_syncs(1);
        let answer = store.append(&id("s"), &turn(2));
        assert_eq!(answer.is_ok(), is_caught, "{kind:?}");
        if answer.is_err() {
            store.append(&id("s"), &turn(2)).expect("append");
            assert_ne!(inode(&fs), before);
        }
        fs.mark("s 3");
        let report = fs.recorded().explore(kept_once);
        assert_eq!(report.violations > 0, is_caught, "{:#?}", report.examples);
    }
}

/// P4: nor is it written on to by what ends it, as that too says what must not be lost.
#[test]
fn a_journal_that_failed_to_sync_is_begun_anew_before_it_ends() {
    type End = fn(&SessionStore);
    let ends: [(&str, End); 3] = [
        ("fold", |store| {
            assert!(store.checkpoint(&id("s")).expect("fold"));
        }),
        ("save", |store| {
            let mut whole = store.load(&id("s")).expect("load");
            whole.push(Message::user("message 2 of s"));
            store.save(&whole).expect("save");
        }),
        ("trash", |store| {
            assert!(store.trash(&id("s")).expect("trash"));
            assert!(store.restore(&id("s")).expect("restore"));
        }),
    ];
    for (name, end) in ends {
        let fs = MemoryFs::new();
        let store = store(fs.clone(), Durability::Full);
        base(&store);
        store.append(&id("s"), &turn(1)).expect("append");
        fs.fail_syncs(1);
        assert!(store.append(&id("s"), &turn(2)).is_err());
        let journal = fs.stat(".store/journal/s.journal").expect("stat");
        let unsound = journal.expect("a journal").blob.inode;
        fs.record();
        end(&store);
        let written = fs.recorded().written_to(unsound);
        assert_eq!(written, 0, "{name}: bytes put into the journal that failed");
    }
}
