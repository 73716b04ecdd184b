//! A session erased.

use std::fs::{self, File};

use anyhow::Result;
use session_store::{Durability, SessionStore};

use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Setup};
use crate::data::document::{ID, Spec};
use crate::data::scratch::copy;
use crate::method::{Contender, Role};
use crate::rivals::{sqlite, sqlite_write};

pub(super) fn cases() -> Vec<Case> {
    let levels = [("full", Durability::Full), ("process", Durability::Process)];
    levels
        .map(|(name, level)| {
            Case::built(format!("delete/{name}/1MB"), "realistic", move |bench| {
                setup(bench, level)
            })
        })
        .into()
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that contenders take an answer in"
)]
fn gone(gone: &bool) -> Result<Answer> {
    Ok(Answer::new().fact("gone", gone))
}

fn setup(bench: &Bench, durability: Durability) -> Result<Setup> {
    let document = bench.data.document(&Spec::realistic(1_000_000))?;
    let scratch = bench.data.scratch()?;
    let (ours, floor) = (scratch.path().join("ours"), scratch.path().join("floor"));
    fs::create_dir(&ours)?;
    fs::create_dir(&floor)?;
    let store = SessionStore::builder(&ours).durability(durability).open()?;
    let (id, file, source) = (
        document.id(),
        ours.join(format!("{ID}.json")),
        document.path.clone(),
    );
    let work = move || Ok(store.delete(&id)?);
    let mut contenders =
        vec![Contender::new("ours", Role::Ours, work, gone).prepare(move || copy(&source, &file))];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders).keeping(scratch));
    }
    let (level, name) = match durability {
        Durability::Full => (sqlite::Synchronous::Full, "sqlite-full"),
        _ => (sqlite::Synchronous::Normal, "sqlite-normal"),
    };
    let path = scratch.path().join("sessions.sqlite");
    let mut filling = sqlite::create(&path)?;
    let mut kept = sqlite::open(&path, level)?;
    let source = document.path.clone();
    let work = move || sqlite_write::delete(&mut kept, ID);
    contenders.push(
        Contender::new(name, Role::Rival, work, gone)
            .prepare(move || sqlite::import(&mut filling, &source, sqlite::Rows::All)),
    );
    let (file, source) = (floor.join("floor"), document.path);
    let target = file.clone();
    let work = move || {
        fs::remove_file(&file)?;
        if durability == Durability::Full {
            File::open(&floor)?.sync_all()?;
        }
        Ok(true)
    };
    let name = if durability == Durability::Full {
        "unlink+dirsync"
    } else {
        "unlink"
    };
    contenders.push(
        Contender::new(name, Role::Floor, work, gone).prepare(move || copy(&source, &target)),
    );
    Ok(Setup::of(contenders).keeping(scratch))
}
