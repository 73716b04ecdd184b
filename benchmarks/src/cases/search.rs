//! Search: so far only the walk over raw bytes that will find candidates.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use session_model::testing::Layout;
use session_scan::{Corpus, Directory, Entry, Match, Next, Searcher};

use super::counts;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::many::{self, Many};
use crate::floors;
use crate::method::{Contender, Role};
use crate::rivals::ripgrep;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for &files in counts(scale) {
        for (name, needle) in [("rare", many::MENTIONED), ("absent", many::ABSENT)] {
            let build = move |bench: &Bench| setup(bench, files, needle);
            cases.push(Case::built(
                format!("search-raw/{name}/{files}"),
                "files that contain a text",
                build,
            ));
        }
        for name in ["rare", "common", "absent"] {
            cases.push(Case::not_built(
                format!("search/{name}/{files}"),
                "realistic",
                5,
            ));
        }
    }
    cases
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that contenders take an answer in"
)]
fn files_fact(files: &u64) -> Result<Answer> {
    Ok(Answer::new().fact("files", files))
}

fn ours(name: &'static str, many: &Many, needle: &'static str, threads: usize) -> Contender {
    let path = many.directory.clone();
    let work = move || {
        let directory = Directory::new(&path, |name| !name.is_empty());
        let listing = directory.list()?;
        let searcher = Searcher::new([needle]);
        let count = || Count(0);
        let outcome = searcher.search(&directory, &listing.entries, threads, count);
        anyhow::ensure!(
            outcome.unreadable.is_empty(),
            "{} files were unreadable",
            outcome.unreadable.len()
        );
        Ok(outcome.visitors.iter().map(|count| count.0).sum())
    };
    Contender::new(name, Role::Ours, work, files_fact)
}

/// Counts files, each at its first match.
struct Count(u64);

impl<F> session_scan::Visitor<F> for Count {
    fn matched(&mut self, _: &Entry, _: &F, _: Match) -> Next {
        self.0 += 1;
        Next::File
    }
}

fn setup(bench: &Bench, files: usize, needle: &'static str) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let mut contenders = vec![ours("ours", &many, needle, 1)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    contenders.push(ours("ours-2-threads", &many, needle, 2));
    let paths: Vec<_> = (0..files).map(|rank| many.path(rank)).collect();
    let same = paths.clone();
    let mapped = move || {
        let finder = memchr::memmem::Finder::new(needle);
        same.iter().try_fold(0, |found, path| {
            Ok(found + u64::from(map_contains(path, &finder)?))
        })
    };
    contenders.push(Contender::new("mapped", Role::Rival, mapped, files_fact));
    if ripgrep::is_installed() {
        let directory = many.directory.clone();
        let rg = move || ripgrep::files_with(&directory, needle, 1);
        contenders.push(Contender::new("rg", Role::Rival, rg, files_fact));
    }
    let mut buffer = Vec::new();
    let read = move || {
        paths
            .iter()
            .try_for_each(|path| floors::read_through(path, &mut buffer).map(drop))?;
        Ok(())
    };
    let expected = if needle == many::ABSENT {
        0
    } else {
        files as u64 / 20
    };
    contenders.push(Contender::new("read", Role::Floor, read, move |()| {
        files_fact(&expected)
    }));
    let setup = Setup::of(contenders);
    Ok(if ripgrep::is_installed() {
        setup
    } else {
        setup.note("rg is not installed")
    })
}

#[expect(
    unsafe_code,
    reason = "what mapping each file costs is the question; nobody changes the data sets"
)]
fn map_contains(path: &Path, finder: &memchr::memmem::Finder<'_>) -> Result<bool> {
    // SAFETY: the data sets are not changed while a case runs.
    let map = unsafe { memmap2::Mmap::map(&File::open(path)?)? };
    Ok(finder.find(&map).is_some())
}
