//! A whole session written, at each durability.

use std::path::Path;
use std::rc::Rc;

use anyhow::Result;
use session_model::Session;
use session_store::{Durability, SessionStore};

use super::tail::{approximate, facts};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup, Trait};
use crate::data::document::{ID, Size, Spec};
use crate::floors::{self, Reach};
use crate::method::{Contender, Role};
use crate::reference;
use crate::rivals::{jsonl, redb, sqlite, sqlite_write};

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let sizes: &[u64] = match scale {
        Scale::Quick => &[100_000, 1_000_000, 3_000_000, 10_000_000],
        Scale::Full => &[100_000, 1_000_000, 10_000_000, 100_000_000],
    };
    let mut cases = Vec::new();
    for (name, durability) in [
        ("full", Durability::Full),
        ("ordered", Durability::Ordered),
        ("process", Durability::Process),
    ] {
        for &bytes in sizes {
            let spec = Spec::realistic(bytes);
            let build = move |bench: &Bench| setup(bench, &spec, durability);
            let family = format!("save/{name}");
            let needs = if (bytes, name) == (1_000_000, "process") {
                Trait::Kernel
            } else {
                Trait::Ordinary
            };
            let case = Case::built(format!("{family}/{}", Size(bytes)), "realistic", build);
            cases.push(case.grows(family, approximate(bytes)).needs(needs));
        }
    }
    cases
}

/// What is on disk after a save, decoded.
fn saved(path: &Path) -> Result<Answer> {
    facts(
        &serde_json::from_slice::<Session>(&std::fs::read(path)?)?,
        0,
    )
}

/// The session without its messages, which engines store apart.
pub(super) fn head_of(session: &Session) -> Result<String> {
    let mut head = session.clone();
    head.messages.clear();
    Ok(serde_json::to_string(&head)?)
}

fn setup(bench: &Bench, spec: &Spec, durability: Durability) -> Result<Setup> {
    let document = bench.data.document(spec)?;
    let session: Rc<Session> = Rc::new(serde_json::from_slice(&std::fs::read(&document.path)?)?);
    let scratch = bench.data.scratch()?;
    let at = |name: &str| scratch.path().join(name);
    let store = SessionStore::builder(at("ours"))
        .durability(durability)
        .open()?;
    let (same, path) = (Rc::clone(&session), at("ours").join(format!("{ID}.json")));
    let ours = move || Ok(store.save(&*same)?);
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, move |_| {
        saved(&path)
    })];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders).keeping(scratch));
    }

    let plain = reference::load::load(&document.path)?;
    std::fs::create_dir(at("reference"))?;
    let (directory, path) = (at("reference"), at("reference").join(format!("{ID}.json")));
    let reference = move || reference::save::save(&directory, &plain);
    contenders.push(Contender::new(
        "reference",
        Role::Reference,
        reference,
        move |()| saved(&path),
    ));

    let head = head_of(&session)?;
    let (level, name) = match durability {
        Durability::Full => (sqlite::Synchronous::Full, "sqlite-full"),
        _ => (sqlite::Synchronous::Normal, "sqlite-normal"),
    };
    let file = at("sessions.sqlite");
    drop(sqlite::create(&file)?);
    let mut connection = sqlite::open(&file, level)?;
    let (same, texts) = (Rc::clone(&session), head.clone());
    let sqlite = move || sqlite_write::save(&mut connection, &same, &texts);
    contenders.push(Contender::new(name, Role::Rival, sqlite, move |()| {
        let part = sqlite::tail(&sqlite::open_for_reading(&file)?, ID, usize::MAX)?;
        facts(&part.session, part.dropped)
    }));

    let database = Rc::new(redb::open(&at("sessions.redb"))?);
    let (same, texts, written) = (Rc::clone(&session), head.clone(), Rc::clone(&database));
    let (level, name) = if durability == Durability::Process {
        (redb::UNSYNCED, "redb-unsynced")
    } else {
        (redb::SYNCED, "redb-synced")
    };
    let redb = move || redb::save(&written, &same, &texts, level);
    contenders.push(Contender::new(name, Role::Rival, redb, move |()| {
        let part = redb::tail(&*database, ID, usize::MAX)?;
        facts(&part.session, part.dropped)
    }));

    let (sync, name) = match durability {
        Durability::Process => (jsonl::Sync::No, "jsonl-rewrite"),
        _ => (jsonl::Sync::Data, "jsonl-rewrite-synced"),
    };
    let (lines, same) = (at("session.jsonl"), Rc::clone(&session));
    let path = lines.clone();
    let jsonl = move || jsonl::save(&lines, &same, &head, sync);
    contenders.push(Contender::new(name, Role::Rival, jsonl, move |()| {
        let part = jsonl::tail(&path, usize::MAX - 2)?;
        facts(&part.session, part.dropped)
    }));
    contenders.extend(floors(
        scratch.path(),
        &document.path,
        &session,
        durability,
    )?);
    Ok(Setup::of(contenders).keeping(scratch))
}

/// Serialising and writing with the same syncs; then writing bytes that are there already.
fn floors(
    scratch: &Path,
    document: &Path,
    session: &Rc<Session>,
    durability: Durability,
) -> Result<Vec<Contender>> {
    let bytes = std::fs::read(document)?;
    let (reach, serialised, prebuilt) = match durability {
        Durability::Full => (
            Reach::Name,
            "serialise+write+fsync+rename+dirsync",
            "write+fsync+rename+dirsync",
        ),
        Durability::Ordered => (
            Reach::Medium,
            "serialise+write+fdatasync",
            "write+fdatasync",
        ),
        _ => (Reach::Cache, "serialise+write", "write"),
    };
    let answer = facts(session, 0)?;
    let same = answer.clone();
    let (directory, session) = (scratch.to_owned(), Rc::clone(session));
    let first = move || floors::write(&directory, &serde_json::to_vec(&*session)?, reach);
    let directory = scratch.to_owned();
    let second = move || floors::write(&directory, &bytes, reach);
    Ok(vec![
        Contender::new(serialised, Role::Floor, first, move |()| Ok(answer.clone())),
        Contender::new(prebuilt, Role::Floor, second, move |()| Ok(same.clone())),
    ])
}
