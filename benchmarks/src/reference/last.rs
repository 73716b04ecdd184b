//! The last session of a directory: the map, or else every file mapped and searched before any is looked at.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::index_map::{self, IndexMap};
use super::load::{self, Tail};

/// Finds the last session of a directory and loads its tail, with at most `threads` threads.
///
/// # Errors
///
/// What the file system or serde says.
pub fn last_for_directory(
    sessions: &Path,
    workspace: &Path,
    window: usize,
    threads: usize,
) -> Result<Option<Tail>> {
    let wanted = index_map::key(workspace);
    if let Some(id) = IndexMap::load(sessions).entries.get(&wanted) {
        let tail = load::tail(&sessions.join(format!("{id}.json")), window);
        if let Ok(tail) = tail
            && belongs(tail.session.metadata.directory.as_deref(), &wanted)
        {
            return Ok(Some(tail));
        }
    }
    let files = newest_first(sessions)?;
    let candidates = prefilter(&files, &wanted, threads);
    for (path, _) in files
        .iter()
        .zip(candidates)
        .filter(|(_, candidate)| *candidate)
    {
        let Ok(header) = load::header(path) else {
            continue;
        };
        if belongs(header.metadata.directory.as_deref(), &wanted) {
            let tail = load::tail(path, window)?;
            index_map::upsert(sessions, workspace, &header.id)?;
            return Ok(Some(tail));
        }
    }
    Ok(None)
}

fn belongs(directory: Option<&Path>, wanted: &str) -> bool {
    directory.is_some_and(|directory| index_map::key(directory) == wanted)
}

/// Every `*.json` of the directory, by time of modification, newest first.
///
/// # Errors
///
/// What the file system says.
pub fn newest_first(sessions: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(sessions).with_context(|| format!("list {}", sessions.display()))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let modified = fs::metadata(&path)
                .and_then(|stat| stat.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((modified, path));
        }
    }
    files.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// For each file, whether it contains the directory as `serde_json` would spell it.
fn prefilter(files: &[PathBuf], wanted: &str, threads: usize) -> Vec<bool> {
    if files.len() <= 1 {
        return vec![true; files.len()];
    }
    let quoted = serde_json::to_string(wanted).unwrap_or_default();
    let finder = memchr::memmem::Finder::new(quoted.trim_matches('"').as_bytes());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((path, contains(path, &finder)));
        }
        found
    };
    let mut verdicts: std::collections::HashMap<&PathBuf, bool> = std::collections::HashMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            verdicts.extend(worker.join().unwrap_or_default());
        }
    });
    files
        .iter()
        .map(|path| verdicts.get(path).copied().unwrap_or(false))
        .collect()
}

#[expect(
    unsafe_code,
    reason = "the reference maps files; nobody changes those of the data sets"
)]
fn contains(path: &Path, finder: &memchr::memmem::Finder<'_>) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    // SAFETY: the data sets are not changed while a case runs.
    let map = unsafe { memmap2::Mmap::map(&file) };
    map.is_ok_and(|map| finder.find(&map).is_some())
}
