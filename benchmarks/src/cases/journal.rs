//! Appends that write only what is new: through a writer that holds the session, through the store, and a thousand turns.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use session_model::{Message, Session, SessionId};
use session_store::{Append, Durability, SessionStore, Window};

use super::append::{adding, last_of, turn};
use super::tail::{engines, facts};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::document::{Document, ID, Spec};
use crate::data::scratch::copy;
use crate::method::{Contender, Role};
use crate::rivals::{jsonl, sqlite, sqlite_write};

const TIME: &str = "2026-01-21T12:00:00Z";
/// Turns of the life that is measured.
const TURNS: u64 = 1_000;
/// Records in the journal whose tail is measured.
const RECORDS: usize = 100;

/// How ours appends.
#[derive(Clone, Copy)]
enum Through {
    Writer,
    Store,
}

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let sizes: &[(&str, u64)] = match scale {
        Scale::Quick => &[("1MB", 1_000_000), ("10MB", 10_000_000)],
        Scale::Full => &[("1MB", 1_000_000), ("1GB", 1_000_000_000)],
    };
    let mut cases = Vec::new();
    for (level, durability) in [("full", Durability::Full), ("process", Durability::Process)] {
        for &(size, bytes) in sizes {
            for (way, through) in [("writer", Through::Writer), ("journal", Through::Store)] {
                let spec = Spec::realistic(bytes);
                cases.push(Case::built(
                    format!("append/{way}/{level}/{size}"),
                    "one message of 2 KB",
                    move |bench| setup(bench, &spec, durability, through),
                ));
            }
        }
    }
    cases.push(Case::built(
        "append/turns/1000",
        "1,000 turns of 4 KB from empty",
        turns,
    ));
    cases.push(Case::built(
        "tail/journal/200/10MB",
        "100 journal records",
        tail,
    ));
    cases
}

fn setup(bench: &Bench, spec: &Spec, durability: Durability, through: Through) -> Result<Setup> {
    let document = Rc::new(bench.data.document(spec)?);
    let scratch = bench.data.scratch()?;
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("ours"))?;
    copy(&document.path, &at("ours").join(format!("{ID}.json")))?;
    let store = SessionStore::builder(at("ours"))
        .durability(durability)
        .open()?;
    let (id, reader) = (document.id(), store.clone());
    let find = move || {
        let tail = reader.load_tail(&id, Window::last(1))?;
        Ok((tail.dropped().get("messages") + 1, last_of(&tail.messages)?))
    };
    let mut contenders = vec![match through {
        Through::Writer => {
            let mut writer = store.writer(&document.id())?;
            let ours = move || Ok(writer.append(&Append::new().message(&turn())?).map(drop)?);
            adding("ours", Role::Ours, &document, ours, find)
        }
        Through::Store => {
            let id = document.id();
            let ours = move || {
                Ok(store
                    .append(&id, &Append::new().message(&turn())?)
                    .map(drop)?)
            };
            adding("ours", Role::Ours, &document, ours, find)
        }
    }];
    if bench.field == Field::All {
        // An insert costs the database the same at any size, and filling a large one takes minutes.
        if document.bytes < 100_000_000 {
            contenders.push(sqlite(bench, &document, spec, scratch.path(), durability)?);
        }
        contenders.push(floor(scratch.path(), durability, through)?);
    }
    let note = "the floor writes one prebuilt message, and syncs it where ours does";
    Ok(Setup::of(contenders).keeping(scratch).note(note))
}

fn sqlite(
    bench: &Bench,
    document: &Rc<Document>,
    spec: &Spec,
    scratch: &Path,
    durability: Durability,
) -> Result<Contender> {
    let file = scratch.join("sessions.sqlite");
    copy(
        &engines(bench, document, spec)?.join("sessions.sqlite"),
        &file,
    )?;
    let (level, name) = match durability {
        Durability::Full => (sqlite::Synchronous::Full, "sqlite-full"),
        _ => (sqlite::Synchronous::Normal, "sqlite-normal"),
    };
    let mut kept = sqlite::open(&file, level)?;
    let add = move || sqlite_write::append(&mut kept, ID, &turn(), TIME);
    let find = move || {
        let part = sqlite::tail(&sqlite::open_for_reading(&file)?, ID, 1)?;
        Ok((part.dropped + 1, last_of(&part.session.messages)?))
    };
    Ok(adding(name, Role::Rival, document, add, find))
}

/// Writing prebuilt bytes to a file that is kept open, or opened each time as ours is.
fn floor(scratch: &Path, durability: Durability, through: Through) -> Result<Contender> {
    let path = scratch.join("floor");
    let durable = durability == Durability::Full;
    let bytes = serde_json::to_vec(&turn())?;
    let answer = Answer::new().digest("last", &[turn()])?;
    let open = move || File::options().append(true).create(true).open(&path);
    let mut kept = match through {
        Through::Writer => Some(open()?),
        Through::Store => None,
    };
    let write = move || {
        let mut opened;
        let out = if let Some(out) = &mut kept {
            out
        } else {
            opened = open()?;
            &mut opened
        };
        out.write_all(&bytes)?;
        if durable {
            Ok(out.sync_data()?)
        } else {
            Ok(())
        }
    };
    let name = match (through, durable) {
        (Through::Writer, true) => "write+fdatasync",
        (Through::Writer, false) => "write",
        (Through::Store, true) => "open+write+fdatasync+close",
        (Through::Store, false) => "open+write+close",
    };
    Ok(Contender::new(name, Role::Floor, write, move |()| {
        Ok(answer.clone())
    }))
}

fn large_turn() -> Message {
    Message::assistant(
        "One line of an answer that is about as long as lines are.\n".repeat(4_096 / 58),
    )
}

/// A session from its first save to its last turn, durable each time, closed at the end.
fn turns(bench: &Bench) -> Result<Setup> {
    let scratch = bench.data.scratch()?;
    let root = scratch.path().to_owned();
    let empty = || -> Result<Session> { Ok(Session::new(SessionId::new(ID)?, "/home/me/project")) };
    let lived = |messages: u64, last: &Message| -> Result<Answer> {
        let answer = Answer::new().fact("messages", messages);
        Ok(answer.digest("last", std::slice::from_ref(last))?)
    };
    let (ours, path) = (
        root.join("ours"),
        root.join("ours").join(format!("{ID}.json")),
    );
    let clear = ours.clone();
    let live = move || {
        let store = SessionStore::open(&ours)?;
        let session = empty()?;
        store.save(&session)?;
        let mut writer = store.writer(&session.id)?;
        for _ in 0..TURNS {
            writer.append(&Append::new().message(&large_turn())?)?;
        }
        Ok(writer.close()?)
    };
    let mut contenders = vec![
        Contender::new("ours", Role::Ours, live, move |()| {
            let session: Session = serde_json::from_slice(&std::fs::read(&path)?)?;
            lived(session.messages.len() as u64, &last_of(&session.messages)?)
        })
        .prepare(move || remove_all(&clear)),
    ];
    if bench.field == Field::All {
        let (file, clear) = (root.join("sqlite/sessions.sqlite"), root.join("sqlite"));
        let same = file.clone();
        let live = move || {
            let mut connection = sqlite::create(&file)?;
            drop(connection);
            connection = sqlite::open(&file, sqlite::Synchronous::Full)?;
            let session = empty()?;
            sqlite_write::save(&mut connection, &session, &super::save::head_of(&session)?)?;
            for _ in 0..TURNS {
                sqlite_write::append(&mut connection, ID, &large_turn(), TIME)?;
            }
            Ok(())
        };
        let find = move |(): &()| {
            let part = sqlite::tail(&sqlite::open_for_reading(&same)?, ID, 1)?;
            lived(part.dropped + 1, &last_of(&part.session.messages)?)
        };
        contenders.push(
            Contender::new("sqlite-full", Role::Rival, live, find).prepare(move || {
                remove_all(&clear)?;
                Ok(std::fs::create_dir(&clear)?)
            }),
        );
        let (lines, bytes) = (root.join("floor"), serde_json::to_vec(&large_turn())?);
        let live = move || {
            let mut out = File::create(&lines)?;
            for _ in 0..TURNS {
                out.write_all(&bytes)?;
                out.sync_data()?;
            }
            Ok(())
        };
        contenders.push(Contender::new(
            "write+fdatasync",
            Role::Floor,
            live,
            move |()| lived(TURNS, &large_turn()),
        ));
    }
    let note = "ours ends with the whole session in its plain document";
    Ok(Setup::of(contenders).keeping(scratch).note(note))
}

fn remove_all(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

/// The same session with its last hundred messages in the journal, and with all of them in the document.
fn tail(bench: &Bench) -> Result<Setup> {
    let document = bench.data.document(&Spec::realistic(10_000_000))?;
    let scratch = bench.data.scratch()?;
    let make = |name: &str, fold: bool| -> Result<PathBuf> {
        let directory = scratch.path().join(name);
        std::fs::create_dir(&directory)?;
        copy(&document.path, &directory.join(format!("{ID}.json")))?;
        let store = SessionStore::builder(&directory)
            .durability(Durability::Process)
            .open()?;
        for _ in 0..RECORDS {
            let append = Append::new().message(&turn())?.member("updated_at", TIME)?;
            store.append(&document.id(), &append)?;
        }
        if fold {
            store.checkpoint(&document.id())?;
        }
        Ok(directory)
    };
    let contender = |name, role, directory: PathBuf| {
        let id = document.id();
        let work = move || Ok(SessionStore::open(&directory)?.load_tail(&id, Window::last(200))?);
        Contender::new(name, role, work, |tail| facts(tail, tail.dropped().total()))
    };
    let mut contenders = vec![contender("ours", Role::Ours, make("journal", false)?)];
    if bench.field == Field::All {
        contenders.push(contender("folded", Role::Floor, make("folded", true)?));
        let lines = scratch.path().join("session.jsonl");
        let folded = scratch.path().join("folded").join(format!("{ID}.json"));
        jsonl::import(&folded, &lines)?;
        contenders.push(Contender::new(
            "jsonl",
            Role::Rival,
            move || jsonl::tail(&lines, 200),
            super::tail::part_facts,
        ));
    }
    let note = "folded has the same messages, all of them in the document";
    Ok(Setup::of(contenders).keeping(scratch).note(note))
}
