//! Power cuts and faults at every step of appends and of what ends a journal, and what appends cost in calls and bytes.

use std::sync::Arc;

use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{
    CrashReport, CrashState, Fault, FaultEffect, FaultFs, FileSystem, FsCall, MemoryFs,
};
use session_store::{
    Append, Builder, Durability, Error, IndexKind, LastQuery, Message, Query, Session,
    SessionStore, Window,
};

use crate::crash::{Kind, Mutant};
use crate::support::{id, session, time};

const WORK: &str = "work";

fn store<F: FileSystem>(fs: F, durability: Durability) -> SessionStore {
    let backend = DirBackend::with_file_system(fs, Trust::strict()).expect("a backend");
    Builder::on(Arc::new(backend))
        .durability(durability)
        .index(IndexKind::None)
        .open()
        .expect("a store")
}

fn turn(n: usize) -> Append {
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

fn base(store: &SessionStore) {
    store.save(&session("s", WORK, 1, 0)).expect("save");
}

#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    before: fn(&MemoryFs, &SessionStore),
    then: fn(&MemoryFs, &SessionStore),
}

const PARTS: [Part; 7] = [
    Part {
        name: "first appends",
        before: |_, store| base(store),
        then: |fs, store| (1..4).for_each(|n| append(fs, store, n)),
    },
    Part {
        name: "appends to a document that was never synced",
        before: |_, _| {},
        then: |fs, store| {
            let careless = self::store(fs.clone(), Durability::Process);
            base(&careless);
            append(fs, store, 1);
            append(fs, store, 2);
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
fn messages(store: &SessionStore) -> Result<Option<usize>, String> {
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

/// P3, P4, P12, P14: every call of every step fails, once and for good; what was acknowledged is there, once, and so is what
/// comes after.
#[test]
fn a_fault_in_any_call_of_an_append_or_a_fold_loses_and_doubles_nothing() {
    type Operation = (&'static str, fn(&SessionStore) -> Result<usize, Error>);
    let operations: [Operation; 4] = [
        ("append", |store| {
            store.append(&id("s"), &turn(3)).map(|_| 1)
        }),
        ("writer", |store| {
            let mut writer = store.writer(&id("s"))?;
            writer.append(&turn(3)).map(|_| 1)
        }),
        ("fold", |store| store.checkpoint(&id("s")).map(|_| 0)),
        ("overwrite", |store| {
            let same = session("s", WORK, 3, 0);
            store.overwrite(&same).map(|_| 0)
        }),
    ];
    let mut injected = 0;
    for (name, operation) in operations {
        for from_a_fresh_store in [false, true] {
            for call in FsCall::ALL {
                for nth in 1.. {
                    let mut any = false;
                    let effects = [
                        FaultEffect::Errno(5),
                        FaultEffect::Errno(28),
                        FaultEffect::ErrnoAfter(5),
                        FaultEffect::ShortThenErrno(28),
                    ];
                    for effect in effects {
                        for for_good in [false, true] {
                            let fault = Fault::effect(call, nth, effect);
                            let fault = if for_good {
                                fault.from_then_on()
                            } else {
                                fault
                            };
                            let what = format!("{name}, {fault:?}");
                            any |= try_fault(operation, fault, from_a_fresh_store, &what);
                            injected += u64::from(any);
                        }
                    }
                    if !any {
                        break;
                    }
                }
            }
        }
    }
    println!("{injected} faults injected into appends and folds");
    assert!(injected > 200);
}

fn try_fault(
    operation: fn(&SessionStore) -> Result<usize, Error>,
    fault: Fault,
    from_a_fresh_store: bool,
    what: &str,
) -> bool {
    let fs = FaultFs::new(MemoryFs::new());
    let first = store(fs.clone(), Durability::Full);
    base(&first);
    (1..3).for_each(|n| drop(first.append(&id("s"), &turn(n)).expect("append")));
    let store = if from_a_fresh_store {
        self::store(fs.clone(), Durability::Full)
    } else {
        first
    };
    fs.arm(fault);
    let answer = operation(&store);
    let reached = fs.injected() > 0;
    fs.disarm();
    if let Err(error) = &answer {
        assert!(
            !error.is_corrupt() && !error.is_conflict(),
            "{what}: {error}"
        );
    }
    let now = messages(&store).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
    let now = now.unwrap_or_else(|| panic!("{what}: gone"));
    match &answer {
        Ok(added) => assert_eq!(now, 3 + added, "{what}"),
        Err(Error::NotDurable { .. }) => assert!((3..=4).contains(&now), "{what}: {now}"),
        Err(_) => assert_eq!(now, 3, "{what}: {answer:?}"),
    }
    // And life goes on, from this store and from another.
    store
        .append(&id("s"), &turn(now))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let other = self::store(fs.inner().clone(), Durability::Full);
    other
        .append(&id("s"), &turn(now + 1))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(messages(&store), Ok(Some(now + 2)), "{what}");
    other
        .checkpoint(&id("s"))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(messages(&store), Ok(Some(now + 2)), "{what}");
    let aside = fs.inner().paths();
    assert!(
        !aside.iter().any(|path| path.contains("quarantine/")),
        "{what}: {aside:?}"
    );
    reached
}

/// P4: a journal that failed to sync is begun anew in another file.
#[test]
fn a_journal_that_failed_to_sync_is_never_relied_upon_again() {
    let fs = MemoryFs::new();
    let store = store(fs.clone(), Durability::Full);
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
    assert!(store.append(&id("s"), &turn(2)).is_err());
    store.append(&id("s"), &turn(2)).expect("append");
    fs.mark("s 3");
    assert_ne!(inode(&fs), before);
    let report = fs.recorded().explore(kept_once);
    assert_eq!(report.violations, 0, "{:#?}", report.examples);
}

#[test]
fn an_append_costs_one_write_and_one_sync_whatever_the_session_holds() {
    let mut costs = Vec::new();
    for messages in [200, 20_000] {
        let fs = FaultFs::new(MemoryFs::new());
        let store = store(fs.clone(), Durability::Full);
        let mut large = session("s", WORK, messages, 1);
        large
            .messages
            .iter_mut()
            .for_each(|message| *message = Message::user("x".repeat(3_000)));
        store.save(&large).expect("save");
        store
            .append(&id("s"), &turn(1))
            .expect("the append that begins the journal");
        let never = Fault::errno(FsCall::Write, u64::MAX, 5);
        fs.arm(never);
        fs.inner().record();
        store.append(&id("s"), &turn(2)).expect("append");
        let calls = |call| fs.calls(call);
        assert_eq!(calls(FsCall::Write), 1);
        assert_eq!(calls(FsCall::SyncFile), 1);
        assert_eq!(calls(FsCall::SyncDir), 0);
        assert_eq!(calls(FsCall::Read), 0);
        assert_eq!(calls(FsCall::Create), 0);
        let before = fs
            .inner()
            .content(".store/journal/s.journal")
            .expect("a journal")
            .len();
        let mut writer = store.writer(&id("s")).expect("writer");
        fs.arm(never);
        writer.append(&turn(3)).expect("append");
        assert_eq!(
            [
                calls(FsCall::Write),
                calls(FsCall::SyncFile),
                calls(FsCall::SyncDir)
            ],
            [1, 1, 0]
        );
        assert_eq!(
            [
                calls(FsCall::Read),
                calls(FsCall::Open),
                calls(FsCall::Lock)
            ],
            [0, 0, 0]
        );
        let after = fs
            .inner()
            .content(".store/journal/s.journal")
            .expect("a journal")
            .len();
        costs.push(after - before);
        drop(writer);
        // A tail inside the journal reads no byte of the document.
        let tail = store
            .find_last(&LastQuery::new().window(Window::last(2)))
            .expect("a tail");
        assert_eq!(tail.session.expect("a session").messages.len(), 2);
        assert!(
            tail.bytes_read < 10_000,
            "{} bytes were read",
            tail.bytes_read
        );
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0] < 400, "{costs:?}");
}

#[test]
fn a_session_is_written_less_than_three_times_what_was_appended() {
    let fs = FaultFs::new(MemoryFs::new());
    let store = store(fs.clone(), Durability::Process);
    fs.inner().record();
    base(&store);
    let text = "y".repeat(16_000);
    let mut written = 0_u64;
    let mut sizes = std::collections::BTreeMap::new();
    for n in 0..600 {
        let append = Append::new()
            .message(&Message::user(&text))
            .expect("a message");
        store.append(&id("s"), &append).expect("append");
        for path in ["s.json", ".store/journal/s.journal"] {
            // Each file is known by its number: one that is new was written whole, another has grown.
            let Some(stat) = fs.inner().stat(path).expect("stat") else {
                continue;
            };
            let before = sizes.insert(stat.blob.inode, stat.blob.size).unwrap_or(0);
            written += stat.blob.size - before;
        }
        assert!(n < 200 || fs.inner().content("s.json").expect("a document").len() > 1 << 20);
    }
    let appended = 600 * 16_000;
    let ratio = written as f64 / f64::from(appended);
    println!("{ratio:.2} bytes were written for each that was appended");
    assert!(ratio < 3.0 && ratio > 1.5, "{ratio}");
    assert_eq!(store.load(&id("s")).expect("load").messages.len(), 601);
}
