//! One message added to a session by writing the document again: what an append costs without a journal, and what a
//! save of the whole session after each turn costs.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};
use session_model::{Message, Session};
use session_store::{Append, Durability, SessionStore, Window};

use super::save::head_of;
use super::tail::approximate;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::document::{Document, ID, Size, Spec};
use crate::data::scratch::copy;
use crate::method::{Contender, Role};
use crate::reference;
use crate::rivals::{jsonl, redb, sqlite, sqlite_write};

const TIME: &str = "2026-01-21T12:00:00Z";

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let sizes: &[u64] = match scale {
        Scale::Quick => &[100_000, 1_000_000, 3_000_000, 10_000_000],
        Scale::Full => &[100_000, 1_000_000, 10_000_000, 100_000_000],
    };
    let mut cases = Vec::new();
    for (name, durability) in [("full", Durability::Full), ("process", Durability::Process)] {
        for &bytes in sizes {
            let spec = Spec::realistic(bytes);
            let build = move |bench: &Bench| setup(bench, &spec, durability);
            let family = format!("append/rewrite/{name}");
            let case = Case::built(
                format!("{family}/{}", Size(bytes)),
                "one message of 2 KB",
                build,
            );
            cases.push(case.grows(family, approximate(bytes)));
        }
    }
    cases
}

pub(super) fn turn() -> Message {
    Message::assistant(
        "One line of an answer that is about as long as lines are.\n".repeat(2_048 / 58),
    )
}

/// How often everybody has run: each run adds a message, and everybody must have as many more.
fn grown(document: &Document, now: u64, runs: &Cell<u64>, last: &Message) -> Result<Answer> {
    let before = document.messages() as u64;
    let added = now - before;
    anyhow::ensure!(
        added == runs.get(),
        "{added} messages were added in {} runs",
        runs.get()
    );
    Ok(Answer::new().digest("last", std::slice::from_ref(last))?)
}

/// A contender that adds a message, and what a reader then finds: how many there are, and the last.
pub(super) fn adding(
    name: &'static str,
    role: Role,
    document: &Rc<Document>,
    mut add: impl FnMut() -> Result<()> + 'static,
    mut find: impl FnMut() -> Result<(u64, Message)> + 'static,
) -> Contender {
    let (document, runs) = (Rc::clone(document), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&runs);
    let work = move || {
        counted.set(counted.get() + 1);
        add()
    };
    Contender::new(name, role, work, move |()| {
        let (now, last) = find()?;
        grown(&document, now, &runs, &last)
    })
}

pub(super) fn last_of(messages: &[Message]) -> Result<Message> {
    messages.last().cloned().context("find the last message")
}

fn read(path: &Path) -> Result<(u64, Message)> {
    let session: Session = serde_json::from_slice(&std::fs::read(path)?)?;
    Ok((session.messages.len() as u64, last_of(&session.messages)?))
}

fn setup(bench: &Bench, spec: &Spec, durability: Durability) -> Result<Setup> {
    let document = Rc::new(bench.data.document(spec)?);
    let scratch = bench.data.scratch()?;
    let at = |name: &str| scratch.path().join(name);
    std::fs::create_dir(at("ours"))?;
    copy(&document.path, &at("ours").join(format!("{ID}.json")))?;
    let store = SessionStore::builder(at("ours"))
        .durability(durability)
        .open()?;
    let (id, reader) = (document.id(), store.clone());
    let same = id.clone();
    let ours = move || {
        store.append(&same, &Append::new().message(&turn())?)?;
        Ok(store.checkpoint(&same).map(drop)?)
    };
    let find = move || {
        let tail = reader.load_tail(&id, Window::last(1))?;
        Ok((tail.dropped().get("messages") + 1, last_of(&tail.messages)?))
    };
    let mut contenders = vec![adding("ours", Role::Ours, &document, ours, find)];
    if bench.field == Field::All {
        std::fs::create_dir(at("reference"))?;
        contenders.push(reference(&document, &at("reference"))?);
        contenders.extend(engines(&document, scratch.path(), durability)?);
    }
    let note = "the reference holds the session in memory and saves it, never synced; every run adds its message";
    Ok(Setup::of(contenders).keeping(scratch).note(note))
}

fn reference(document: &Rc<Document>, directory: &Path) -> Result<Contender> {
    let mut session = reference::load::load(&document.path)?;
    let message: reference::types::Message = serde_json::from_value(serde_json::to_value(turn())?)?;
    let (sessions, path) = (directory.to_owned(), directory.join(format!("{ID}.json")));
    let add = move || {
        session.messages.push(message.clone());
        reference::save::save(&sessions, &session)
    };
    Ok(adding(
        "reference",
        Role::Reference,
        document,
        add,
        move || read(&path),
    ))
}

fn engines(
    document: &Rc<Document>,
    scratch: &Path,
    durability: Durability,
) -> Result<Vec<Contender>> {
    let durable = durability == Durability::Full;
    let file = scratch.join("sessions.sqlite");
    let mut filled = sqlite::create(&file)?;
    sqlite::import(&mut filled, &document.path, sqlite::Rows::All)?;
    drop(filled);
    let (level, name) = if durable {
        (sqlite::Synchronous::Full, "sqlite-full")
    } else {
        (sqlite::Synchronous::Normal, "sqlite-normal")
    };
    let mut kept = sqlite::open(&file, level)?;
    let sqlite = move || sqlite_write::append(&mut kept, ID, &turn(), TIME);
    let path = file.clone();
    let find = move || {
        let part = sqlite::tail(&sqlite::open_for_reading(&path)?, ID, 1)?;
        Ok((part.dropped + 1, last_of(&part.session.messages)?))
    };
    let sqlite = adding(name, Role::Rival, document, sqlite, find);

    let database = Rc::new(redb::open(&scratch.join("sessions.redb"))?);
    redb::import(&database, &document.path)?;
    let written = Rc::clone(&database);
    let (level, name) = if durable {
        (redb::SYNCED, "redb-synced")
    } else {
        (redb::UNSYNCED, "redb-unsynced")
    };
    let redb = move || redb::append(&written, ID, &turn(), level);
    let find = move || {
        let part = redb::tail(&*database, ID, 1)?;
        Ok((part.dropped + 1, last_of(&part.session.messages)?))
    };
    let redb = adding(name, Role::Rival, document, redb, find);

    let session: Session = serde_json::from_slice(&std::fs::read(&document.path)?)?;
    let (sync, name) = if durable {
        (jsonl::Sync::Data, "jsonl-synced")
    } else {
        (jsonl::Sync::No, "jsonl")
    };
    let lines = scratch.join("session.jsonl");
    jsonl::save(&lines, &session, &head_of(&session)?, jsonl::Sync::No)?;
    let out = File::options().append(true).open(&lines)?;
    out.sync_all()?;
    let jsonl = move || jsonl::append(&out, &turn(), sync).map(drop);
    let find = move || jsonl::count_and_last(&lines);
    let jsonl = adding(name, Role::Rival, document, jsonl, find);

    let path = scratch.join("floor");
    let mut out = File::options().append(true).create(true).open(&path)?;
    let bytes = serde_json::to_vec(&turn())?;
    let write = move || {
        out.write_all(&bytes)?;
        if durable {
            Ok(out.sync_data()?)
        } else {
            Ok(())
        }
    };
    let name = if durable { "write+fdatasync" } else { "write" };
    let answer = Answer::new().digest("last", &[turn()])?;
    let floor = Contender::new(name, Role::Floor, write, move |()| Ok(answer.clone()));
    Ok(vec![sqlite, redb, jsonl, floor])
}
