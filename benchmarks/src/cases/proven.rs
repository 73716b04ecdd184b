//! "Last session of this directory" where the index proves its answer, and after strangers have changed a few files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use session_model::testing::{Generator, Layout};
use session_model::{Session, SessionId};
use session_store::{Found, LastQuery, SessionStore, Window};

use super::{counts, list};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::many;
use crate::floors::{self, Look};
use crate::method::{Contender, Role};
use crate::reference::index_map;

/// Where a store keeps its index, below its directory.
const INDEX: &str = ".store/index";

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let sizes: &[usize] = match scale {
        Scale::Quick => &[1_000],
        Scale::Full => &[1_000, 50_000],
    };
    let mut cases: Vec<_> = sizes
        .iter()
        .map(|&files| {
            let build = move |bench: &Bench| proven(bench, files);
            Case::built(format!("index/proven/{files}"), "tiny sessions", build)
        })
        .collect();
    let files = counts(scale).last().copied().unwrap_or(1_000);
    let build = move |bench: &Bench| after_foreign(bench, files);
    let shape = "1 % of files changed by strangers since";
    cases.push(Case::built(
        format!("index/after-foreign/{files}"),
        shape,
        build,
    ));
    cases
}

/// A lookup that loads no messages of what it finds.
fn find(store: &SessionStore, workspace: &Path) -> Result<Found<Session>> {
    let query = LastQuery::new()
        .workspace(workspace)
        .window(Window::last(0));
    Ok(store.find_last(&query)?)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape that contenders give an answer in"
)]
fn id_fact(id: Option<&str>) -> Result<Answer> {
    Ok(Answer::new().fact("id", id.unwrap_or("none")))
}

fn answer(found: &Found<Session>) -> Result<Answer> {
    id_fact(found.session.as_ref().map(|tail| tail.id.as_str()))
}

/// Asks until the index answers with a proof: right after a change the clock of the directory may not have ticked yet.
fn prove(store: &SessionStore, workspace: &Path) -> Result<()> {
    for _ in 0..50 {
        if find(store, workspace)?.files_listed == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("prove the last session of {}", workspace.display())
}

fn tiny(rank: usize) -> Result<Generator> {
    Ok(Generator::new(rank as u64)
        .id(SessionId::new(&many::id(rank))?)
        .bytes(1_500)
        .directory(many::workspace(rank))
        .updated_at(many::updated_at(rank)))
}

/// A directory of so many sessions, each little more than its header.
pub(super) fn tiny_sessions(bench: &Bench, files: usize) -> Result<PathBuf> {
    let name = format!("engines/tiny-{files}");
    bench.data.directory(&name, |made| {
        for rank in 0..files {
            let mut json = Vec::new();
            tiny(rank)?.layout(Layout::Compact).write_to(&mut json)?;
            fs::write(made.join(format!("{}.json", many::id(rank))), json)?;
        }
        Ok(())
    })
}

fn proven(bench: &Bench, files: usize) -> Result<Setup> {
    let directory = tiny_sessions(bench, files)?;
    let store = SessionStore::open(&directory)?;
    store.overwrite(&store.load(&SessionId::new(&many::id(0))?)?)?;
    let workspace = PathBuf::from(many::NEWEST);
    prove(&store, &workspace)?;
    let asked = workspace.clone();
    let ours = move || {
        let found = find(&store, &asked)?;
        anyhow::ensure!(found.files_listed == 0, "the index proved nothing");
        Ok(found)
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, answer)];
    if bench.field == Field::All {
        let (place, asked) = (directory.clone(), workspace.clone());
        let opened = move || find(&SessionStore::open(&place)?, &asked);
        contenders.push(Contender::new("ours-opened", Role::Ours, opened, answer));
        let path = directory.join(format!("{}.json", many::id(0)));
        let floor = move || fs::read(&path).context("read the session");
        contenders.push(Contender::new(
            "read the session",
            Role::Floor,
            floor,
            |bytes| {
                id_fact(
                    serde_json::from_slice::<Session>(bytes)
                        .ok()
                        .as_ref()
                        .map(|found| found.id.as_str()),
                )
            },
        ));
    }
    Ok(Setup::of(contenders)
        .note("loads no messages; ours is a store that is kept, ours-opened opens it"))
}

fn after_foreign(bench: &Bench, files: usize) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let (scratch, copied) = list::copy(&many)?;
    let directory = copied.directory.clone();
    let workspace = PathBuf::from(many::NEWEST);
    {
        let store = SessionStore::open(&directory)?;
        store.overwrite(&store.load(&SessionId::new(&many::id(0))?)?)?;
        prove(&store, &workspace)?;
    }
    let index = directory.join(INDEX);
    let kept = contents(&index)?;
    list::change(&directory, files)?;
    let (before, asked) = (index.clone(), workspace.clone());
    let place = directory.clone();
    let ours = move || find(&SessionStore::open(&place)?, &asked);
    let ours =
        Contender::new("ours", Role::Ours, ours, answer).prepare(move || put_back(&before, &kept));
    let mut contenders = vec![ours];
    if bench.field == Field::All {
        let same = |_: &u64| id_fact(Some(&many::id(0)));
        let (place, floor) = (directory.clone(), directory.clone());
        let listed = move || floors::look_at_all(&floor, Look::Stat);
        contenders.push(Contender::new("getdents+statx", Role::Floor, listed, same));
        index_map::upsert(&directory, &workspace, &many::id(0))?;
        let reference = move || {
            Ok(index_map::IndexMap::load(&place)
                .entries
                .remove(&index_map::key(&workspace)))
        };
        let said = |id: &Option<String>| id_fact(id.as_deref());
        contenders.push(Contender::new(
            "reference",
            Role::Reference,
            reference,
            said,
        ));
    }
    Ok(Setup::of(contenders).keeping(scratch).note(
        "before each run the index is as it was before the change; the reference says what its map says, newest or not",
    ))
}

/// The files below a directory with what is in them.
fn contents(directory: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contents(&path)?);
        } else {
            let bytes = fs::read(&path)?;
            found.push((path, bytes));
        }
    }
    Ok(found)
}

/// Makes a directory's files those that were kept.
fn put_back(directory: &Path, kept: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    for (path, _) in contents(directory)? {
        if !kept.iter().any(|(known, _)| *known == path) {
            fs::remove_file(&path)?;
        }
    }
    for (path, bytes) in kept {
        fs::write(path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
