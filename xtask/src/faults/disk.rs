//! A disk that remembers: every write, every flush, and what was acknowledged to whom in between.
//!
//! Owns the model of a cache that a power cut empties: what was written before a flush is there, of what came after it any
//! part may be. Must not know file systems.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::script::Event;

/// What is written or lost as one. Sectors of 512 bytes would be, too, but file systems are made for pages.
const PAGE: usize = 4096;

/// The largest disk, and the longest request.
pub(crate) const SIZE_LIMIT: u64 = 1 << 30;

/// The pages of a disk that are not all zero.
pub(crate) type Pages = BTreeMap<u64, Arc<[u8; PAGE]>>;

/// What happened, in order.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// Whole pages, as they were afterwards.
    Write(Vec<(u64, Arc<[u8; PAGE]>)>),
    Flush,
    Told(Event),
}

/// When writes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    Never,
    /// The write after so many more, and that one alone.
    Once(usize),
    /// The write that is so many more away, and all writes and flushes from then on; `0` is for good.
    FromThenOn(usize),
}

/// A disk in memory.
#[derive(Debug)]
pub(crate) struct Disk {
    size: u64,
    pages: Pages,
    log: Vec<Entry>,
    failing: Failing,
    failed: usize,
    /// Where the last write ended.
    end: u64,
}

impl Disk {
    /// Starts with what a file holds, and nothing remembered.
    pub(crate) fn load(image: &Path) -> io::Result<Self> {
        let mut file = File::open(image)?;
        let size = file.metadata()?.len();
        let mut pages = Pages::new();
        let mut buffer = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            for (n, chunk) in buffer[..count].chunks(PAGE).enumerate() {
                if chunk.iter().any(|byte| *byte != 0) {
                    let mut page = [0; PAGE];
                    page[..chunk.len()].copy_from_slice(chunk);
                    pages.insert(at / PAGE as u64 + n as u64, Arc::new(page));
                }
            }
            at += count as u64;
        }
        Ok(Self {
            size,
            pages,
            log: Vec::new(),
            failing: Failing::Never,
            failed: 0,
            end: u64::MAX,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Remembers what the store has said up to here.
    pub(crate) fn told(&mut self, event: Event) {
        self.log.push(Entry::Told(event));
    }

    pub(crate) fn fail(&mut self, failing: Failing) {
        self.failing = failing;
    }

    /// How many requests were refused.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    pub(crate) fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.log)
    }

    pub(super) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let mut done = 0;
        while done < length {
            let (page, start) = place(offset + done as u64);
            let count = (PAGE - start).min(length - done);
            if let Some(page) = self.pages.get(&page) {
                bytes[done..done + count].copy_from_slice(&page[start..start + count]);
            }
            done += count;
        }
        bytes
    }

    /// Takes a write, or refuses it.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> bool {
        // A write that goes on where the last one ended may be the rest of one that was cut in two on its way here. A loop
        // device takes half a write for a whole one, so only beginnings are refused.
        let goes_on = offset == self.end;
        self.end = offset + bytes.len() as u64;
        if self.refuses(goes_on) {
            self.failed += 1;
            return false;
        }
        let mut written = Vec::new();
        let mut done = 0;
        while done < bytes.len() {
            let (number, start) = place(offset + done as u64);
            let count = (PAGE - start).min(bytes.len() - done);
            let mut page = self.pages.get(&number).map_or([0; PAGE], |page| **page);
            page[start..start + count].copy_from_slice(&bytes[done..done + count]);
            let page = Arc::new(page);
            self.pages.insert(number, Arc::clone(&page));
            written.push((number, page));
            done += count;
        }
        self.log.push(Entry::Write(written));
        true
    }

    pub(super) fn flush(&mut self) -> bool {
        if self.failing == Failing::FromThenOn(0) {
            self.failed += 1;
            return false;
        }
        self.log.push(Entry::Flush);
        true
    }

    fn refuses(&mut self, goes_on: bool) -> bool {
        let (failing, refuses) = match self.failing {
            Failing::Once(0) if goes_on => (Failing::Once(0), false),
            Failing::FromThenOn(1) if goes_on => (Failing::FromThenOn(1), false),
            Failing::Once(0) => (Failing::Never, true),
            Failing::Once(more) => (Failing::Once(more - 1), false),
            Failing::FromThenOn(0 | 1) => (Failing::FromThenOn(0), true),
            Failing::FromThenOn(more) => (Failing::FromThenOn(more - 1), false),
            Failing::Never => (Failing::Never, false),
        };
        self.failing = failing;
        refuses
    }
}

fn place(offset: u64) -> (u64, usize) {
    let page = PAGE as u64;
    let inside = usize::try_from(offset % page).unwrap_or(0);
    (offset / page, inside)
}

/// Writes pages into an empty file of a size.
pub(crate) fn store(pages: &Pages, size: u64, image: &Path) -> io::Result<()> {
    let file = File::create(image)?;
    file.set_len(size)?;
    for (number, page) in pages {
        file.write_all_at(&page[..], number * PAGE as u64)?;
    }
    Ok(())
}

/// One disk as a power cut may leave it, with what had been told by then.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) pages: Pages,
    pub(crate) told: Vec<Event>,
    /// After how many entries of the log, and with what of the cache.
    pub(crate) place: String,
}

/// Among how many writes of a log a cut is made, at least: a long row of them is one file's content.
const CUTS: usize = 60;

/// Goes through the cuts of a log: after writes, before each flush, and after each thing told, with all of the cache, nothing
/// of it, and a part of it that is drawn by chance.
pub(crate) fn cuts(
    base: Pages,
    log: &[Entry],
    seed: u64,
    mut look: impl FnMut(Cut) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut durable, mut told) = (base, Vec::new());
    let mut cached: Vec<(u64, Arc<[u8; PAGE]>)> = Vec::new();
    let apart = log.len().div_ceil(CUTS);
    for (n, entry) in log.iter().enumerate() {
        match entry {
            Entry::Write(pages) => {
                cached.extend(pages.iter().cloned());
                let is_last = !matches!(log.get(n + 1), Some(Entry::Write(_)));
                if !is_last && n % apart != 0 {
                    continue;
                }
            }
            Entry::Flush => {
                durable.extend(cached.drain(..));
                continue;
            }
            Entry::Told(event) => told.push(*event),
        }
        // Equal to an earlier one where nothing is cached; what was told since is what is asked for then.
        let parts: &[&str] = match (cached.len(), entry) {
            (0, _) => &["all"],
            (_, Entry::Told(_)) => &["all", "nothing", "a part"],
            (_, _) => &["all", "a part"],
        };
        for part in parts {
            let mut pages = durable.clone();
            let kept: BTreeSet<usize> = (0..cached.len())
                .filter(|_| match *part {
                    "all" => true,
                    "nothing" => false,
                    _ => random.bool(),
                })
                .collect();
            pages.extend(kept.iter().map(|at| cached[*at].clone()));
            look(Cut {
                pages,
                told: told.clone(),
                place: format!(
                    "after entry {n} of {}, {} of {} cached pages",
                    log.len(),
                    kept.len(),
                    cached.len()
                ),
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::script::State;

    fn disk() -> Disk {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(16 * PAGE as u64).unwrap();
        image.as_file().write_all_at(b"base", 0).unwrap();
        Disk::load(image.path()).unwrap()
    }

    #[test]
    fn what_was_flushed_is_in_every_cut_and_what_was_not_in_some() {
        let mut disk = disk();
        let base = disk.pages().clone();
        assert!(disk.write(PAGE as u64 - 2, b"flushed"));
        assert!(disk.flush());
        assert!(disk.write(3 * PAGE as u64, b"cached"));
        disk.told(Event::Ack(State::default()));
        assert_eq!(disk.read(PAGE as u64 - 2, 7), b"flushed");
        let (mut with, mut without) = (0, 0);
        let log = disk.take_log();
        cuts(base, &log, 1, |cut| {
            let flushed = cut
                .pages
                .get(&1)
                .is_some_and(|page| page.starts_with(b"ushed"));
            if cut.pages.contains_key(&3) {
                with += 1;
                assert!(flushed);
            } else if !cut.told.is_empty() {
                without += 1;
                assert!(flushed);
            }
            Ok(())
        })
        .unwrap();
        assert!(with > 0 && without > 0);
    }

    #[test]
    fn a_disk_fails_once_or_from_then_on() {
        let mut disk = disk();
        disk.fail(Failing::Once(1));
        let taken: Vec<bool> = (0..4).map(|_| disk.write(0, b"x")).collect();
        assert_eq!(taken, [true, false, true, true]);
        disk.fail(Failing::FromThenOn(2));
        assert!(disk.write(0, b"x"));
        assert!(disk.flush());
        assert!(!disk.write(0, b"y") && !disk.flush());
        assert_eq!(disk.read(0, 1), b"x");
        assert_eq!(disk.failed(), 3);
    }

    #[test]
    fn the_rest_of_a_write_is_not_refused_on_its_own() {
        let mut disk = disk();
        assert!(disk.write(0, &[1; PAGE]));
        disk.fail(Failing::Once(0));
        assert!(disk.write(PAGE as u64, b"the rest"));
        assert!(!disk.write(9 * PAGE as u64, b"another"));
    }
}
