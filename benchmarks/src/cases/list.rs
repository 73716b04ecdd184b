//! Listing: the newest, all, and those of one directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use session_model::testing::{Generator, Layout};
use session_model::{Session, SessionId, SessionSummary};
use session_store::{Counts, Durability, IndexKind, Query, SessionStore};
use tempfile::TempDir;

use super::find;
use super::{approximate_count, cores, counts, growing_counts};
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::many::{self, Many};
use crate::floors::Look;
use crate::method::{Contender, Role};
use crate::reference;
use crate::rivals::sqlite;

/// Where a store keeps the catalogue of its listings.
const CATALOGUE: &str = ".store/index/catalogue";

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Newest50,
    All,
    Workspace,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Newest50 => "50",
            Self::All => "all",
            Self::Workspace => "workspace",
        }
    }

    fn limit(self) -> usize {
        if self == Self::Newest50 {
            50
        } else {
            usize::MAX
        }
    }

    fn workspace(self) -> Option<&'static str> {
        (self == Self::Workspace).then(Many::common_workspace)
    }
}

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for &files in counts(scale) {
        for what in [What::Newest50, What::All, What::Workspace] {
            let name = what.name();
            let build = move |bench: &Bench| setup(bench, files, Layout::Compact, what);
            cases.push(Case::built(
                format!("list/no-catalogue/{name}/{files}"),
                "realistic",
                build,
            ));
            let build = move |bench: &Bench| catalogued(bench, files, what);
            cases.push(Case::built(
                format!("list/catalogue/{name}/{files}"),
                "realistic, nothing changed since",
                build,
            ));
        }
        let build = move |bench: &Bench| setup(bench, files, Layout::OlderPretty, What::All);
        cases.push(Case::built(
            format!("list/foreign/all/{files}"),
            "realistic, older layout",
            build,
        ));
    }
    for &files in counts(scale) {
        let build = move |bench: &Bench| own(bench, files);
        cases.push(Case::built(
            format!("list/own/all/{files}"),
            "16 KB, saved by the store, with footers; no catalogue",
            build,
        ));
    }
    let sizes: &[usize] = match scale {
        Scale::Quick => &[1_000],
        Scale::Full => &[10_000, 50_000],
    };
    for &files in sizes {
        cases.push(Case::built(
            format!("list/rows/{files}"),
            "tiny sessions, nothing changed since",
            move |bench: &Bench| rows(bench, files),
        ));
    }
    let files = counts(scale).last().copied().unwrap_or(1_000);
    let build = move |bench: &Bench| changed(bench, files);
    cases.push(Case::built(
        format!("list/changed/{files}"),
        "1 % of files changed since",
        build,
    ));
    for &files in growing_counts(scale) {
        let build = move |bench: &Bench| growing(bench, files);
        let case = Case::built(
            format!("list-growth/50/{files}"),
            "realistic, no counts",
            build,
        );
        cases.push(case.grows("list/50", approximate_count(files)));
    }
    cases
}

fn query(what: What, counts: Counts) -> Query {
    let mut query = Query::new().counts(counts);
    if let Some(workspace) = what.workspace() {
        query = query.workspace(workspace);
    }
    if what == What::Newest50 {
        query.limit(50)
    } else {
        query
    }
}

fn rows_facts<'a>(ids: impl Iterator<Item = &'a str>, messages: Option<u64>) -> Result<Answer> {
    let ids: Vec<_> = ids.collect();
    let answer = Answer::new()
        .fact("listed", ids.len())
        .digest("rows", &ids)?;
    Ok(match messages {
        Some(messages) => answer.fact("messages", messages),
        None => answer,
    })
}

fn summaries(rows: &[SessionSummary]) -> Result<Answer> {
    rows_facts(
        rows.iter().map(|row| row.id.as_str()),
        rows.iter().map(|row| row.messages).sum(),
    )
}

fn ours(name: &'static str, many: &Many, what: What, counts: Counts, threads: usize) -> Contender {
    ours_with(name, many, what, counts, threads, IndexKind::None)
}

/// Ours with an index or none; with one, listings keep a catalogue.
fn ours_with(
    name: &'static str,
    many: &Many,
    what: What,
    counts: Counts,
    threads: usize,
    index: IndexKind,
) -> Contender {
    let directory = many.directory.clone();
    let work = move || {
        Ok(SessionStore::builder(&directory)
            .threads(threads)
            .index(index)
            .open()?
            .list(&query(what, counts))?)
    };
    Contender::new(name, Role::Ours, work, |listing| {
        anyhow::ensure!(
            listing.skipped.is_empty(),
            "{} files were skipped",
            listing.skipped.len()
        );
        summaries(&listing.rows)
    })
}

fn reference(name: &'static str, role: Role, many: &Many, what: What, threads: usize) -> Contender {
    let directory = many.directory.clone();
    let work = move || {
        let mut rows = reference::list::list(&directory, threads)?;
        if let Some(workspace) = what.workspace() {
            let workspace = PathBuf::from(workspace);
            rows.retain(|row| row.directory.as_ref() == Some(&workspace));
        }
        rows.truncate(what.limit());
        Ok(rows)
    };
    Contender::new(name, role, work, |rows| {
        rows_facts(
            rows.iter().map(|row| row.id.as_str()),
            Some(rows.iter().map(|row| row.messages as u64).sum()),
        )
    })
}

fn setup(bench: &Bench, files: usize, layout: Layout, what: What) -> Result<Setup> {
    let many = bench.data.many(files, layout)?;
    let mut contenders = vec![ours("ours", &many, what, Counts::Exact, 1)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let database = find::database(bench, &many, layout)?;
    let sqlite = move || {
        sqlite::list(
            &sqlite::open_for_reading(&database)?,
            what.workspace(),
            what.limit(),
        )
    };
    contenders.extend([
        ours("ours-no-counts", &many, what, Counts::Skip, 1),
        reference("reference", Role::Reference, &many, what, cores()),
        Contender::new("sqlite-open", Role::Rival, sqlite, |rows| {
            let messages = rows.iter().map(|row| row.4).sum();
            rows_facts(rows.iter().map(|row| row.0.as_str()), Some(messages))
        }),
    ]);
    if what == What::All {
        let directory = many.directory.clone();
        let floor = move || crate::floors::look_at_all(&directory, Look::HeadAndTail);
        let seen = |files: &u64| Ok(Answer::new().fact("listed", files));
        contenders.extend([
            ours("ours-2-threads", &many, what, Counts::Exact, 2),
            Contender::new("two preads a file", Role::Floor, floor, seen),
        ]);
        if layout == Layout::Compact {
            contenders.push(reference("reference-1-thread", Role::Rival, &many, what, 1).once());
        }
    }
    let threads = "ours takes one thread, the reference one a core up to 8";
    Ok(Setup::of(contenders).note(format!(
        "{threads}; ours-no-counts leaves the number of messages out"
    )))
}

/// Sessions that the store has saved, so that their number of messages stands in their footers.
fn saved(bench: &Bench, files: usize) -> Result<Many> {
    let made = bench.data.directory(&format!("own/{files}"), |made| {
        let sessions = made.join("sessions");
        let store = SessionStore::<Session>::builder(&sessions)
            .durability(Durability::Process)
            .index(IndexKind::None)
            .open()?;
        for rank in 0..files {
            let mut json = Vec::new();
            Generator::new(rank as u64)
                .id(SessionId::new(&many::id(rank))?)
                .bytes(16 << 10)
                .directory(many::workspace(rank))
                .updated_at(many::updated_at(rank))
                .write_to(&mut json)?;
            let session: Session = serde_json::from_slice(&json)?;
            store.save(&session)?;
        }
        Ok(())
    })?;
    let directory = made.join("sessions");
    Ok(Many { directory, files })
}

fn own(bench: &Bench, files: usize) -> Result<Setup> {
    let many = saved(bench, files)?;
    let mut contenders = vec![ours("ours", &many, What::All, Counts::Exact, 1)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    let directory = many.directory.clone();
    let floor = move || crate::floors::look_at_all(&directory, Look::HeadAndTail);
    let seen = |files: &u64| Ok(Answer::new().fact("listed", files));
    contenders.extend([
        ours("ours-2-threads", &many, What::All, Counts::Exact, 2),
        ours("ours-no-counts", &many, What::All, Counts::Skip, 1),
        reference("reference", Role::Reference, &many, What::All, cores()),
        Contender::new("two preads a file", Role::Floor, floor, seen),
    ]);
    Ok(Setup::of(contenders))
}

/// A copy of a set of sessions, of links to the same files, in which a store may keep a catalogue.
pub(super) fn copy(many: &Many) -> Result<(TempDir, Many)> {
    let above = many.directory.parent().unwrap_or(&many.directory);
    let scratch = tempfile::tempdir_in(above)?;
    for entry in std::fs::read_dir(&many.directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::hard_link(entry.path(), scratch.path().join(entry.file_name()))?;
        }
    }
    let directory = scratch.path().to_owned();
    let files = many.files;
    Ok((scratch, Many { directory, files }))
}

/// Makes a catalogue that proves itself.
fn catalogue(many: &Many) -> Result<()> {
    let list = || SessionStore::open(&many.directory)?.list(&Query::new());
    // The first listing makes the directory for it. Then the links are older than the coarsest clock's tick.
    list()?;
    std::thread::sleep(Duration::from_millis(2_100));
    list()?;
    Ok(())
}

fn catalogued(bench: &Bench, files: usize, what: What) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let database = find::database(bench, &many, Layout::Compact)?;
    let (scratch, copied) = copy(&many)?;
    catalogue(&copied)?;
    let sqlite = move || {
        sqlite::list(
            &sqlite::open_for_reading(&database)?,
            what.workspace(),
            what.limit(),
        )
    };
    let mut contenders = vec![ours_with(
        "ours",
        &copied,
        what,
        Counts::Exact,
        1,
        IndexKind::Sidecar,
    )];
    if bench.field == Field::All {
        contenders.push(Contender::new("sqlite-open", Role::Rival, sqlite, |rows| {
            let messages = rows.iter().map(|row| row.4).sum();
            rows_facts(rows.iter().map(|row| row.0.as_str()), Some(messages))
        }));
    }
    Ok(Setup::of(contenders)
        .keeping(scratch)
        .note("both open what they read: every process start counts"))
}

/// Lists all of so many sessions that there is nothing to them but their rows.
fn rows(bench: &Bench, files: usize) -> Result<Setup> {
    let directory = super::proven::tiny_sessions(bench, files)?;
    let many = Many { directory, files };
    catalogue(&many)?;
    let (what, index) = (What::All, IndexKind::Sidecar);
    let ours = ours_with("ours", &many, what, Counts::Exact, 1, index);
    Ok(Setup::of(vec![ours]))
}

/// Rewrites one file in a hundred as a foreign program would, with the times they had.
pub(super) fn change(directory: &Path, files: usize) -> Result<()> {
    for rank in (0..files).step_by(100) {
        let path = directory.join(format!("{}.json", many::id(rank)));
        let (written, modified) = (path.with_extension("new"), path.metadata()?.modified()?);
        std::fs::copy(&path, &written)?;
        std::fs::File::options()
            .write(true)
            .open(&written)?
            .set_modified(modified)?;
        std::fs::rename(&written, &path)?;
    }
    Ok(())
}

/// Lists after strangers changed one file in a hundred.
fn changed(bench: &Bench, files: usize) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let (scratch, copied) = copy(&many)?;
    catalogue(&copied)?;
    let kept = std::fs::read(copied.directory.join(CATALOGUE))?;
    // Changed once; before each run the catalogue of before the change is put back.
    change(&copied.directory, files)?;
    let list = |name: &'static str, what: What, counts: Counts| {
        let (directory, kept) = (copied.directory.clone(), kept.clone());
        let before = move || Ok(std::fs::write(directory.join(CATALOGUE), &kept)?);
        ours_with(name, &copied, what, counts, 1, IndexKind::Sidecar).prepare(before)
    };
    let directory = copied.directory.clone();
    let floor = move || crate::floors::look_at_all(&directory, Look::Stat);
    let seen = |files: &u64| Ok(Answer::new().fact("listed", files));
    let contenders = vec![
        list("ours", What::All, Counts::Skip),
        list("ours-counting", What::All, Counts::Exact),
        Contender::new("getdents+statx", Role::Floor, floor, seen),
    ];
    Ok(Setup::of(contenders).keeping(scratch).note(
        "ours-counting counts the messages of each changed document, which has no footer, by walking over it",
    ))
}

fn growing(bench: &Bench, files: usize) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    Ok(Setup::of(vec![ours(
        "ours",
        &many,
        What::Newest50,
        Counts::Skip,
        1,
    )]))
}
