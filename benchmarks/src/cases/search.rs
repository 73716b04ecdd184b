//! Search: the walk over raw bytes alone, and the store's search with decoded hits.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use memchr::memmem::Finder;
use session_model::Session;
use session_model::testing::Layout;
use session_scan::{Corpus, Directory, Entry, Match, Next, Searcher};
use session_store::{ContentPart, SearchQuery, SessionStore};

use super::counts;
use crate::answer::Answer;
use crate::case::{Bench, Case, Field, Scale, Setup};
use crate::data::many::{self, Many};
use crate::floors;
use crate::method::{Contender, Role};
use crate::rivals::ripgrep;

/// Files of which everything is decoded in a search to compare with.
const DECODED: usize = 1_000;

pub(super) fn cases(scale: Scale) -> Vec<Case> {
    let mut cases = Vec::new();
    for &files in counts(scale) {
        let shape = "files that contain a text";
        for (name, needle) in [("rare", many::MENTIONED), ("absent", many::ABSENT)] {
            let build = move |bench: &Bench| raw(bench, files, needle);
            cases.push(Case::built(
                format!("search-raw/{name}/{files}"),
                shape,
                build,
            ));
        }
        for (name, needle) in [
            ("rare", many::MENTIONED),
            ("common", many::COMMON),
            ("absent", many::ABSENT),
        ] {
            let build = move |bench: &Bench| setup(bench, files, needle);
            cases.push(Case::built(
                format!("search/{name}/{files}"),
                "realistic, texts that contain a text",
                build,
            ));
        }
    }
    cases
}

/// What a search found: in how many files, and in how many texts of them, if it can tell.
#[derive(Debug, Default)]
struct Found {
    files: u64,
    texts: Option<u64>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape that contenders take an answer in"
)]
fn facts(found: &Found) -> Result<Answer> {
    let answer = Answer::new().fact("files", found.files);
    Ok(match found.texts {
        Some(texts) => answer.fact("texts", texts),
        None => answer,
    })
}

fn in_files(files: u64) -> Found {
    Found { files, texts: None }
}

fn setup(bench: &Bench, files: usize, needle: &'static str) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let mut contenders = vec![store("ours", &many, needle, 1)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    contenders.push(store("ours-2-threads", &many, needle, 2));
    let paths: Vec<_> = (0..files).map(|rank| many.path(rank)).collect();
    contenders.extend(mapped(&paths, needle));
    if files <= DECODED {
        let same = paths.clone();
        let work = move || decode_all(&same, needle);
        contenders.push(Contender::new("decode", Role::Rival, work, facts).once());
    }
    finish(contenders, &many, paths, needle, ripgrep::counts_with)
}

fn store(name: &'static str, many: &Many, needle: &'static str, threads: usize) -> Contender {
    let directory = many.directory.clone();
    let work = move || {
        let builder = SessionStore::builder(&directory).threads(threads);
        let mut hits = builder.open()?.search(&SearchQuery::text(needle))?;
        let (mut ids, mut texts) = (HashSet::new(), 0);
        for hit in &mut hits {
            texts += 1;
            if !ids.contains(hit.id()) {
                ids.insert(hit.id().clone());
            }
        }
        let skipped = hits.take_skipped().len();
        anyhow::ensure!(skipped == 0, "{skipped} files were skipped");
        Ok(Found {
            files: ids.len() as u64,
            texts: Some(texts),
        })
    };
    Contender::new(name, Role::Ours, work, facts)
}

/// Decodes every file and looks at every text.
fn decode_all(paths: &[PathBuf], needle: &str) -> Result<Found> {
    let mut found = Found {
        files: 0,
        texts: Some(0),
    };
    let finder = Finder::new(needle);
    for path in paths {
        let json = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let session: Session = serde_json::from_slice(&json)?;
        let parts = session.messages.iter().flat_map(|message| &message.content);
        let texts = parts.flat_map(texts).chain(session.title.as_deref());
        let uses = session.tool_uses.iter();
        let texts = texts.chain(uses.flat_map(|one| [&*one.name, &*one.input, &*one.output]));
        let matching = texts.filter(|text| finder.find(text.as_bytes()).is_some());
        let matching = matching.count() as u64;
        found.files += u64::from(matching > 0);
        found.texts = found.texts.map(|texts| texts + matching);
    }
    Ok(found)
}

fn texts(part: &ContentPart) -> Vec<&str> {
    match part {
        ContentPart::ToolCall {
            name, arguments, ..
        } => vec![name, arguments],
        ContentPart::File { path, .. } => vec![path],
        part => part.as_text().into_iter().collect(),
    }
}

fn raw(bench: &Bench, files: usize, needle: &'static str) -> Result<Setup> {
    let many = bench.data.many(files, Layout::Compact)?;
    let mut contenders = vec![searcher("ours", &many, needle, 1)];
    if bench.field == Field::Ours {
        return Ok(Setup::of(contenders));
    }
    contenders.push(searcher("ours-2-threads", &many, needle, 2));
    let paths: Vec<_> = (0..files).map(|rank| many.path(rank)).collect();
    contenders.extend(mapped(&paths, needle));
    finish(contenders, &many, paths, needle, ripgrep::files_with)
}

fn searcher(name: &'static str, many: &Many, needle: &'static str, threads: usize) -> Contender {
    let path = many.directory.clone();
    let work = move || {
        let directory = Directory::new(&path, |name| !name.is_empty());
        let listing = directory.list()?;
        let searcher = Searcher::new([needle]);
        let count = || Count(0);
        let outcome = searcher.search(&directory, &listing.entries, threads, count);
        let unreadable = outcome.unreadable.len();
        anyhow::ensure!(unreadable == 0, "{unreadable} files were unreadable");
        Ok(in_files(outcome.visitors.iter().map(|count| count.0).sum()))
    };
    Contender::new(name, Role::Ours, work, facts)
}

/// Counts files, each at its first match.
struct Count(u64);

impl<F> session_scan::Visitor<F> for Count {
    fn matched(&mut self, _: &Entry, _: &F, _: Match) -> Next {
        self.0 += 1;
        Next::File
    }
}

/// Adds ripgrep, and what merely reading all files costs.
fn finish(
    mut contenders: Vec<Contender>,
    many: &Many,
    paths: Vec<PathBuf>,
    needle: &'static str,
    rg: fn(&Path, &str, usize) -> Result<u64>,
) -> Result<Setup> {
    let installed = ripgrep::is_installed();
    if installed {
        let directory = many.directory.clone();
        let work = move || Ok(in_files(rg(&directory, needle, 1)?));
        contenders.push(Contender::new("rg", Role::Rival, work, facts));
    }
    let finder = Finder::new(needle);
    let mut expected = 0;
    for path in &paths {
        expected += u64::from(map_contains(path, &finder)?);
    }
    let mut buffer = floors::Buffer::default();
    let read = move || {
        paths
            .iter()
            .try_for_each(|path| floors::read_through(path, &mut buffer).map(drop))?;
        Ok(in_files(expected))
    };
    contenders.push(Contender::new("read", Role::Floor, read, facts));
    let setup = Setup::of(contenders);
    Ok(if installed {
        setup
    } else {
        setup.note("rg is not installed")
    })
}

/// Maps every file, on one thread and on two.
fn mapped(paths: &[PathBuf], needle: &'static str) -> [Contender; 2] {
    let one = paths.to_vec();
    let two = paths.to_vec();
    let count = move |paths: &[PathBuf]| -> Result<u64> {
        let finder = Finder::new(needle);
        paths.iter().try_fold(0, |found, path| {
            Ok(found + u64::from(map_contains(path, &finder)?))
        })
    };
    let halves = move || {
        let (first, second) = two.split_at(two.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| count(second));
            let mine = count(first)?;
            let other = other.join().map_err(|_| anyhow::anyhow!("a thread died"))?;
            Ok(in_files(mine + other?))
        })
    };
    [
        Contender::new(
            "mapped",
            Role::Rival,
            move || Ok(in_files(count(&one)?)),
            facts,
        ),
        Contender::new("mapped-2-threads", Role::Rival, halves, facts),
    ]
}

#[expect(
    unsafe_code,
    reason = "what mapping each file costs is the question; nobody changes the data sets"
)]
fn map_contains(path: &Path, finder: &Finder<'_>) -> Result<bool> {
    // SAFETY: the data sets are not changed while a case runs.
    let map = unsafe { memmap2::Mmap::map(&File::open(path)?)? };
    Ok(finder.find(&map).is_some())
}
