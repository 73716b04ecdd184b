//! Power cuts and failing calls at every step of a salvage: what was damaged is somewhere, byte for byte, what was whole
//! is in one new session, and the next try finishes.

use std::sync::Arc;

use session_store::backend::{DirBackend, MemoryBackend, Trust};
use session_store::fs::{CrashReport, CrashState, Fault, FaultFs, FileSystem, FsCall, MemoryFs};
use session_store::{Builder, Durability, Error, IndexKind, Message, SessionStore};

use crate::crash::{Kind, Mutant};
use crate::journal_crash::{WORK, turn};
use crate::support::{id, session};

const DOCUMENT: &str = "s.json";
const JOURNAL: &str = ".store/journal/s.journal";

/// What is damaged: a session of four messages, and a fifth and a sixth in its journal, or one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// Two messages and the journal stay whole.
    Document,
    /// All but one message of the journal stays whole.
    Journal,
}

impl Damage {
    /// Which messages can be recovered.
    fn left(self) -> Vec<Message> {
        let numbers: &[usize] = match self {
            Self::Document => &[0, 1, 4, 5],
            Self::Journal => &[0, 1, 2, 3, 4, 6],
        };
        let message = |n: &usize| Message::user(format!("message {n} of s"));
        numbers.iter().map(message).collect()
    }
}

fn store<F: FileSystem>(fs: F, durability: Durability) -> SessionStore {
    let backend = DirBackend::with_file_system(fs, Trust::strict()).expect("a backend");
    Builder::on(Arc::new(backend))
        .durability(durability)
        .index(IndexKind::Sidecar)
        .open()
        .expect("a store")
}

/// Leaves a damaged session; tells the bytes of its document and its journal.
fn damaged(fs: &MemoryFs, damage: Damage) -> [Vec<u8>; 2] {
    let store = store(fs.clone(), Durability::Full);
    store.save(&session("s", WORK, 4, 0)).expect("save");
    for n in 4..6 {
        store.append(&id("s"), &turn(n)).expect("append");
    }
    let mut document = fs.content(DOCUMENT).expect("a document");
    let mut journal = fs.content(JOURNAL).expect("a journal");
    let place = |bytes: &[u8], text: &str| {
        let found = bytes.windows(text.len());
        found.into_iter().position(|part| part == text.as_bytes())
    };
    match damage {
        Damage::Document => {
            let at = place(&document, "message 2 of s").expect("the third message");
            document.truncate(at);
            fs.plant(DOCUMENT, &document);
        }
        Damage::Journal => {
            // Something whole has to follow, or it is a torn tail.
            store.append(&id("s"), &turn(6)).expect("append");
            journal = fs.content(JOURNAL).expect("a journal");
            let at = place(&journal, "message 5 of s").expect("the sixth message");
            journal[at] ^= 1;
            fs.plant(JOURNAL, &journal);
        }
    }
    [document, journal]
}

/// Nothing is deleted, and the next try leaves one new session with all that can be recovered.
fn finished(fs: &MemoryFs, store: &SessionStore, damage: Damage) -> Result<(), String> {
    let said = |error: Error| error.to_string();
    let is_done = match store.salvage(&id("s")) {
        Ok(report) => report.is_none(),
        Err(error) if error.is_not_found() => true,
        Err(error) => return Err(said(error)),
    };
    let mut new = Vec::new();
    for path in fs.paths() {
        if path.starts_with("s-salvaged-") {
            new.push(path);
        }
    }
    let [path] = &new[..] else {
        return Err(format!("{} new sessions", new.len()));
    };
    let name = path.trim_end_matches(".json");
    let messages = store.load(&id(name)).map_err(said)?.messages;
    if messages != damage.left() {
        return Err(format!("{} messages were recovered", messages.len()));
    }
    // A document that is sound without its journal stays, if it is alone by now.
    let stays = is_done && damage == Damage::Journal && fs.content(DOCUMENT).is_some();
    // Of a rename that a power cut tore, both names may be there, and the next try moves the old one as well.
    let aside = store.quarantined().map_err(said)?.len();
    if !(2..=4).contains(&(aside + usize::from(stays))) {
        return Err(format!("{aside} files in quarantine"));
    }
    Ok(())
}

fn nothing_deleted(fs: &MemoryFs, bytes: &[Vec<u8>; 2]) -> Result<(), String> {
    let there: Vec<_> = fs.paths().iter().map(|path| fs.content(path)).collect();
    let is_there = |bytes: &Vec<u8>| there.iter().flatten().any(|there| there == bytes);
    if bytes.iter().all(is_there) {
        Ok(())
    } else {
        Err("damaged bytes were deleted".to_owned())
    }
}

fn explore<F: FileSystem>(
    damage: Damage,
    wrap: impl Fn(MemoryFs) -> F,
    durability: Durability,
) -> CrashReport {
    let fs = MemoryFs::new();
    let bytes = damaged(&fs, damage);
    fs.record();
    let store = store(wrap(fs.clone()), durability);
    let report = store.salvage(&id("s")).expect("salvage");
    assert!(report.is_some());
    fs.mark("salvaged");
    fs.recorded().explore(|state: &CrashState| {
        let fs = state.file_system();
        nothing_deleted(&fs, &bytes)?;
        let backend = MemoryBackend::with_file_system(fs.clone());
        let store = Builder::on(Arc::new(backend))
            .open()
            .map_err(|error| error.to_string())?;
        let is_acknowledged = state.notes().iter().any(|note| note == "salvaged");
        if is_acknowledged && fs.content(DOCUMENT).is_some() {
            return Err("what was salvaged is damaged again".to_owned());
        }
        finished(&fs, &store, damage)?;
        nothing_deleted(&fs, &bytes)
    })
}

#[test]
fn no_crash_loses_what_was_whole_or_deletes_what_was_damaged() {
    for damage in [Damage::Document, Damage::Journal] {
        let report = explore(damage, |fs| fs, Durability::Full);
        println!("crash model, salvage of a {damage:?}: {report}");
        assert!(report.distinct > 5, "{report}");
        assert_eq!(report.violations, 0, "{:#?}", report.examples);
    }
}

#[test]
fn a_salvage_that_does_not_sync_is_caught() {
    for kind in [Kind::NoSync, Kind::NoDirectorySync] {
        let mutant = |inner| Mutant { inner, kind };
        let report = explore(Damage::Document, mutant, Durability::Full);
        assert!(report.violations > 0, "{kind:?}");
    }
}

#[test]
fn a_fault_in_any_call_deletes_nothing_and_the_next_try_finishes() {
    for damage in [Damage::Document, Damage::Journal] {
        let mut reached = 0;
        for call in FsCall::ALL {
            for nth in 1.. {
                let memory = MemoryFs::new();
                let bytes = damaged(&memory, damage);
                let fs = FaultFs::new(memory.clone());
                let store = store(fs.clone(), Durability::Full);
                let before = fs.injected();
                fs.arm(Fault::errno(call, nth, 5));
                let result = store.salvage(&id("s"));
                let is_reached = fs.injected() > before;
                fs.disarm();
                if !is_reached {
                    break;
                }
                let what = format!("{damage:?}, {call:?} {nth}: {result:?}");
                nothing_deleted(&memory, &bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
                finished(&memory, &store, damage).unwrap_or_else(|error| panic!("{what}: {error}"));
                reached += 1;
            }
        }
        assert!(reached > 10, "only {reached} places were reached");
    }
}
