//! The index: what it answers, what a record costs, and a find that it speeds up.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use session_index::{DirStorage, Durability, Pointer, SidecarIndex, WorkspaceIndex};
use session_model::SessionId;
use session_model::testing::Layout;
use session_store::{IndexKind, SessionStore};

use super::find::{self, Map};
use super::{approximate_count, cores, counts};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::many::{self, Many};
use crate::floors::Look;
use crate::method::{Contender, Role};
use crate::reference::index_map::{self, IndexMap};
use crate::rivals::{redb, sqlite, sqlite_write};

/// The layout of the index's own files; what was cached in another one would be answered by nobody.
const LAYOUT: &str = "pointers-2";
const WORKSPACES: [usize; 3] = [100, 1_000, 10_000];
/// The workspace that is asked for and recorded; it is among all of them.
const ASKED: &str = "/home/bench/index/w50";
const TIME: &str = "2026-01-21T12:00:00Z";

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for (operation, name) in [(Operation::Lookup, "lookup"), (Operation::Record, "record")] {
        for workspaces in WORKSPACES {
            let build = move |bench: &Bench| setup(bench, workspaces, operation);
            let case = Case::built(format!("index/{name}/{workspaces}"), "workspaces", build);
            cases.push(case.grows(format!("index/{name}"), approximate_count(workspaces)));
        }
    }
    for &files in counts(scale) {
        let shape = "unproven hint, checked by enumeration";
        cases.push(Case::built(
            format!("index/hit/{files}"),
            shape,
            move |bench| hit(bench, files),
        ));
    }
    cases
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Lookup,
    Record,
}

fn workspace(number: usize) -> String {
    format!("/home/bench/index/w{number}")
}

fn storage(directory: &Path) -> DirStorage {
    // The reference and SQLite at NORMAL do not sync either.
    DirStorage::new(directory).durability(Durability::Process)
}

/// The same workspaces in every index; cases change only the one that is asked for, and always to the same.
struct Filled {
    root: PathBuf,
}

impl Filled {
    fn of(bench: &Bench, workspaces: usize) -> Result<Self> {
        let root = bench
            .data
            .directory(&format!("engines/index-{LAYOUT}-{workspaces}"), |made| {
                fill(made, workspaces)
            })?;
        Ok(Self { root })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

fn fill(root: &Path, workspaces: usize) -> Result<()> {
    let names: Vec<(String, String)> = (0..workspaces)
        .map(|number| (workspace(number), many::id(number)))
        .collect();
    let sidecar = SidecarIndex::new(storage(&root.join("sidecar")));
    let mut change = sidecar.begin()?;
    for (name, id) in &names {
        change.record(Some(Path::new(name)), Pointer::new(id, 1, 1));
    }
    change.commit()?;
    fs::create_dir(root.join("map"))?;
    IndexMap {
        entries: names.iter().cloned().collect(),
    }
    .store(&root.join("map"))?;
    let mut connection = sqlite::create(&root.join("index.sqlite"))?;
    let transaction = connection.transaction()?;
    for (name, id) in &names {
        sqlite_write::record(&transaction, name, id, TIME)?;
    }
    transaction.commit()?;
    redb::record_all(&redb::open(&root.join("index.redb"))?, &names, TIME)
}

fn setup(bench: &Bench, workspaces: usize, operation: Operation) -> Result<Setup> {
    let filled = Filled::of(bench, workspaces)?;
    let contenders = match operation {
        Operation::Lookup => lookups(bench, &filled)?,
        Operation::Record => records(bench, &filled)?,
    };
    Ok(Setup::of(contenders).note("nobody syncs; sidecar, map and databases are opened or read for each operation unless kept"))
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::ref_option,
    reason = "the shape that contenders take an answer in"
)]
fn id_fact(id: &Option<String>) -> Result<Answer> {
    Ok(Answer::new().fact("id", id.as_deref().unwrap_or("none")))
}

fn lookups(bench: &Bench, filled: &Filled) -> Result<Vec<Contender>> {
    let directory = filled.at("sidecar");
    let ours = move || {
        let index = SidecarIndex::new(storage(&directory));
        Ok(index
            .lookup(Some(Path::new(ASKED)))?
            .into_pointer()
            .map(|pointer| pointer.id))
    };
    let mut contenders = vec![Contender::new("ours", Role::Ours, ours, id_fact)];
    if bench.field == Field::Ours {
        return Ok(contenders);
    }
    let directory = filled.at("map");
    let reference = move || {
        Ok(IndexMap::load(&directory)
            .entries
            .remove(&index_map::key(Path::new(ASKED))))
    };
    let file = filled.at("index.sqlite");
    let kept = sqlite::open_for_reading(&file)?;
    let sqlite_open = move || sqlite::newest(&sqlite::open_for_reading(&file)?, ASKED);
    let sqlite_kept = move || sqlite::newest(&kept, ASKED);
    let database = redb::open_for_reading(&filled.at("index.redb"))?;
    let redb_kept = move || redb::newest(&database, ASKED);
    contenders.extend([
        Contender::new("reference", Role::Reference, reference, id_fact),
        Contender::new("sqlite-open", Role::Rival, sqlite_open, id_fact),
        Contender::new("sqlite-kept", Role::Rival, sqlite_kept, id_fact),
        Contender::new("redb-kept", Role::Rival, redb_kept, id_fact),
    ]);
    let path = filled.at("floor");
    fs::write(&path, many::id(50))?;
    let floor = move || Ok(Some(fs::read_to_string(&path)?));
    contenders.push(Contender::new(
        "read one small file",
        Role::Floor,
        floor,
        id_fact,
    ));
    Ok(contenders)
}

fn record(index: &SidecarIndex<DirStorage>, id: &str) -> Result<()> {
    let mut change = index.begin()?;
    change.record(Some(Path::new(ASKED)), Pointer::new(id, 2, 2));
    Ok(change.commit()?)
}

/// A contender that has just done the same once, untimed: what stands between two of its turns, above all a map of every
/// workspace, is no part of what a record costs. Not for what replaces a file by a rename: a file system may write the new
/// file's blocks out when that happens twice in a row, which would be no part of it either.
fn warm(
    name: &'static str,
    role: Role,
    work: impl Fn() -> Result<()> + 'static,
    answer: impl FnMut(&()) -> Result<Answer> + 'static,
) -> Contender {
    let work = Rc::new(work);
    let first = Rc::clone(&work);
    Contender::new(name, role, move || work(), answer).prepare(move || first())
}

fn records(bench: &Bench, filled: &Filled) -> Result<Vec<Contender>> {
    let id = many::id(50);
    // A program that saves keeps its index; its first change also looks for what a crash left behind.
    let kept = SidecarIndex::new(storage(&filled.at("sidecar")));
    let (directory, recorded) = (filled.at("sidecar"), id.clone());
    let opened = move || record(&SidecarIndex::new(storage(&directory)), &recorded);
    let recorded = id.clone();
    let work = move || record(&kept, &recorded);
    let answer = |directory: PathBuf| {
        move |(): &()| {
            let answer = SidecarIndex::new(storage(&directory)).lookup(Some(Path::new(ASKED)))?;
            id_fact(&answer.into_pointer().map(|pointer| pointer.id))
        }
    };
    let mut contenders = vec![
        warm("ours", Role::Ours, work, answer(filled.at("sidecar"))),
        warm(
            "ours-opened",
            Role::Ours,
            opened,
            answer(filled.at("sidecar")),
        ),
    ];
    if bench.field == Field::Ours {
        return Ok(contenders);
    }
    let (directory, recorded) = (filled.at("map"), id.clone());
    let reference = move || index_map::upsert(&directory, Path::new(ASKED), &recorded);
    let directory = filled.at("map");
    contenders.push(warm("reference", Role::Reference, reference, move |()| {
        id_fact(&IndexMap::load(&directory).entries.remove(ASKED))
    }));
    let connection = sqlite::open(&filled.at("index.sqlite"), sqlite::Synchronous::Normal)?;
    let recorded = id.clone();
    let sqlite = move || sqlite_write::record(&connection, ASKED, &recorded, TIME);
    let file = filled.at("index.sqlite");
    contenders.push(warm("sqlite-normal", Role::Rival, sqlite, move |()| {
        id_fact(&sqlite::newest(&sqlite::open_for_reading(&file)?, ASKED)?)
    }));
    let database = Rc::new(redb::open(&filled.at("index.redb"))?);
    let (same, recorded) = (Rc::clone(&database), id.clone());
    let redb = move || redb::record(&same, ASKED, &recorded, TIME, redb::UNSYNCED);
    contenders.push(warm("redb-unsynced", Role::Rival, redb, move |()| {
        id_fact(&redb::newest(&*database, ASKED)?)
    }));
    let directory = filled.root.clone();
    let bytes = id.clone();
    let floor = move || {
        let temporary = directory.join("floor.tmp");
        fs::write(&temporary, &bytes)?;
        fs::rename(&temporary, directory.join("floor")).context("rename floor")
    };
    contenders.push(warm("write+rename", Role::Floor, floor, move |()| {
        id_fact(&Some(id.clone()))
    }));
    Ok(contenders)
}

/// A find that an index helps: the newest session was saved by the store, the others were there before.
fn hit(bench: &Bench, files: usize) -> Result<Setup> {
    let pool = bench.data.many(files, Layout::Compact)?;
    let scratch = bench.data.scratch()?;
    for rank in 0..files {
        let path = pool.path(rank);
        fs::hard_link(
            &path,
            scratch
                .path()
                .join(path.file_name().context("name of a session")?),
        )?;
    }
    let many = Many {
        directory: scratch.path().to_owned(),
        files,
    };
    let store = SessionStore::open(scratch.path())?;
    store.save(&store.load(&SessionId::new(&many::id(0))?)?)?;
    let mut contenders = vec![find::ours(
        "ours",
        &many,
        many::NEWEST,
        1,
        IndexKind::Sidecar,
    )];
    if bench.field == Field::All {
        index_map::upsert(scratch.path(), Path::new(many::NEWEST), &many::id(0))?;
        let expected = find::expected(Some(0));
        contenders.extend([
            find::reference(
                "reference",
                Role::Reference,
                &many,
                many::NEWEST,
                cores(),
                Map::Kept,
            ),
            find::sqlite(find::database(bench, &pool, Layout::Compact)?, many::NEWEST),
            find::floor("getdents+statx", &many, Look::Stat, expected.clone()),
            find::floor("open+pread 4 KB", &many, Look::Head, expected),
        ]);
    }
    let note = "the reference returns what its map says, newest or not; ours looks for newer files";
    Ok(Setup::of(contenders).keeping(scratch).note(note))
}
