//! A session checked, and a damaged one salvaged.

use std::fs::{self, File};
use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use serde::de::IgnoredAny;
use session_store::{Durability, SessionStore};

use super::sizes;
use super::tail::approximate;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::document::{ID, Size, Spec};
use crate::data::scratch::copy;
use crate::floors;
use crate::method::{Contender, Role};

/// What parses from a slice holds all of it.
const LARGEST: u64 = 100_000_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let checked = sizes(scale)
        .iter()
        .copied()
        .filter(|bytes| *bytes <= LARGEST);
    let mut cases = vec![Case::built(
        "salvage/10MB",
        "truncated in the middle",
        salvage,
    )];
    cases.extend(checked.map(|bytes| {
        let name = format!("check/{}", Size(bytes));
        let spec = Spec::realistic(bytes);
        let case = Case::built(name, "realistic", move |bench| check(bench, &spec));
        case.grows("check", approximate(bytes))
    }));
    cases
}

/// How many bytes were found to be sound.
#[expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that contenders take an answer in"
)]
fn sound(bytes: &u64) -> Result<Answer> {
    Ok(Answer::new().fact("sound bytes", bytes))
}

fn check(bench: &Bench, spec: &Spec) -> Result<Setup> {
    let document = bench.data.document(spec)?;
    let store = SessionStore::builder(&document.directory).open()?;
    let all = move || {
        let report = store.check_all(|_| ControlFlow::Continue(()))?;
        ensure!(report.is_sound(), "a sound session is found to be none");
        Ok(report.bytes)
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, all, sound)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let (store, id) = (
        SessionStore::builder(&document.directory).open()?,
        document.id(),
    );
    let one = move || {
        let checked = store.check(&id)?;
        ensure!(checked.is_sound(), "a sound session is found to be none");
        Ok(checked.bytes)
    };
    let path = document.path.clone();
    let ignored = move || {
        let bytes = fs::read(&path)?;
        serde_json::from_slice::<IgnoredAny>(&bytes)?;
        Ok(bytes.len() as u64)
    };
    let path = document.path.clone();
    let mut buffer = floors::Buffer::default();
    let read = move || floors::read_through(&path, &mut buffer);
    contenders.extend([
        Contender::new("ours, with tool calls", Role::Ours, one, sound),
        Contender::new("ignored-any", Role::Rival, ignored, sound),
        Contender::new("read", Role::Floor, read, sound),
    ]);
    Ok(Setup::of(contenders))
}

fn salvage(bench: &Bench) -> Result<Setup> {
    let document = bench.data.document(&Spec::realistic(10_000_000))?;
    let scratch = bench.data.scratch()?;
    let (ours, damaged) = (scratch.path().join("ours"), scratch.path().join("damaged"));
    fs::create_dir(&ours)?;
    copy(&document.path, &damaged)?;
    File::options()
        .write(true)
        .open(&damaged)?
        .set_len(document.bytes / 2)?;
    let cut = fs::read(&damaged)?;
    // What a reader that stops at the first fault has seen: the elements whose ends lie before it.
    let whole = serde_json::from_slice::<IgnoredAny>(&cut);
    ensure!(whole.is_err(), "half a document is well-formed");
    let store = SessionStore::builder(&ours)
        .durability(Durability::Process)
        .open()?;
    let (id, source, target) = (document.id(), damaged.clone(), ours.clone());
    let work = move || {
        let report = store.salvage(&id)?.context("nothing was salvaged")?;
        Ok(report.lost.len())
    };
    let found = |lost: &usize| {
        ensure!(*lost > 0, "half a document lost nothing");
        Ok(Answer::new().fact("damaged", true))
    };
    let prepare = move || {
        fs::remove_dir_all(&target)?;
        fs::create_dir(&target)?;
        copy(&source, &target.join(format!("{ID}.json")))
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, work, found).prepare(prepare)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders).keeping(scratch));
    }
    let ignored = move || {
        let bytes = fs::read(&damaged)?;
        Ok(serde_json::from_slice::<IgnoredAny>(&bytes).is_err())
    };
    let is_damaged = |damaged: &bool| Ok(Answer::new().fact("damaged", damaged));
    contenders.push(Contender::new(
        "ignored-any",
        Role::Rival,
        ignored,
        is_damaged,
    ));
    Ok(Setup::of(contenders).keeping(scratch))
}
