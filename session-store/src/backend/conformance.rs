//! What every [`Backend`] must do, whatever is below it. Panics say which promise was broken.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use super::{Area, Backend, Blob, BlobStat, Lock, LockName, publish_now};
use crate::durability::Durability;
use crate::error::Error;

mod appending;
mod looking;
mod moving;
mod replacing;

/// How long a lock that must come is waited for: far longer than any machine needs.
const LONG: Duration = Duration::from_secs(60);
/// Every area.
const AREAS: [Area; 6] = [
    Area::Sessions,
    Area::Shared,
    Area::Index,
    Area::Journal,
    Area::Trash,
    Area::Quarantine,
];

/// Runs the whole suite; `make` gives a new backend on a medium where nothing exists yet, at every call.
///
/// # Panics
///
/// If a promise of [`Backend`] is broken.
pub fn backend_conformance(make: impl Fn() -> Box<dyn Backend>) {
    looking::nothing_is_there(&*make());
    looking::names_are_checked(&*make());
    looking::listings_are_complete(&*make());
    replacing::content_comes_back(&*make());
    replacing::a_reader_keeps_what_it_opened(&*make());
    replacing::readers_see_whole_blobs(&*make());
    replacing::a_failing_writer_changes_nothing(&*make());
    replacing::publish_decides(&*make());
    replacing::a_sweep_leaves_live_writers_alone(&*make());
    moving::a_transfer_moves(&*make());
    moving::a_transfer_never_replaces(&*make());
    moving::a_removal_removes(&*make());
    moving::locks_exclude(&*make());
    appending::nothing_is_added_to_nothing(&*make());
    appending::what_is_added_stands_at_the_end(&*make());
    appending::a_cut_is_where_the_next_write_goes(&*make());
    appending::an_open_journal_is_not_its_successor(&*make());
    appending::what_is_persisted_stays_as_it_is(&*make());
    appending::a_turn_is_seen_by_who_looked_before(&*make());
}

/// A name that the area takes.
fn name_in(area: Area) -> &'static str {
    if area == Area::Shared {
        ".shared"
    } else {
        "one"
    }
}

fn lock(backend: &dyn Backend) -> Lock {
    backend
        .lock(LockName::Session("one"), LONG)
        .expect("a free lock is taken")
}

/// Writes a blob, checks the stat that comes back, and returns it.
fn put(backend: &dyn Backend, blob: &Blob<'_>, bytes: &[u8]) -> BlobStat {
    let lock = lock(backend);
    let mut write = |out: &mut dyn io::Write| write_all(out, bytes);
    let stat = backend.replace(&lock, blob, Durability::Full, &mut write, &mut publish_now);
    let stat = stat.expect("a good write is taken");
    assert_eq!(
        stat.size,
        bytes.len() as u64,
        "the stat of a new blob has its size"
    );
    assert_eq!(
        backend.stat(blob).expect("stat"),
        Some(stat),
        "the stat that `replace` returns is the blob's"
    );
    stat
}

fn write_all(out: &mut dyn io::Write, bytes: &[u8]) -> Result<(), Error> {
    out.write_all(bytes)
        .map_err(|error| Error::io("write", "blob".as_ref(), error))
}

/// Reads a blob whole, with the stat of what was read.
fn get(backend: &dyn Backend, blob: &Blob<'_>) -> Option<(Vec<u8>, BlobStat)> {
    let file = backend.open(blob).expect("open")?;
    let size = usize::try_from(file.size().expect("size")).expect("blobs of this suite are small");
    let mut bytes = vec![0; size];
    let mut at = 0;
    while at < size {
        let count = file.read_at(&mut bytes[at..], at as u64).expect("read");
        assert!(count > 0, "a blob has as many bytes as its size says");
        at += count;
    }
    assert_eq!(
        file.read_at(&mut [0; 8], size as u64).expect("read"),
        0,
        "a read at the end gives nothing"
    );
    assert_eq!(
        file.read_at(&mut [0; 8], size as u64 + 99).expect("read"),
        0,
        "a read behind the end gives nothing"
    );
    Some((bytes, file.stat().expect("stat")))
}

fn content(backend: &dyn Backend, blob: &Blob<'_>) -> Option<Vec<u8>> {
    get(backend, blob).map(|(bytes, _)| bytes)
}

/// The names of an area, in order.
fn names(backend: &dyn Backend, area: Area) -> Vec<String> {
    let listing = backend.list(area).expect("list");
    assert!(
        listing.rejected.is_empty(),
        "nothing in {area:?} is rejected: {:?}",
        listing.rejected
    );
    let mut names: Vec<String> = listing
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    names.sort();
    let alone = backend.names(area).expect("names");
    assert!(
        alone.rejected.is_empty(),
        "nothing in {area:?} is rejected by name: {:?}",
        alone.rejected
    );
    let mut alone = alone.names;
    alone.sort();
    assert_eq!(alone, names, "names alone are those of the listing");
    names
}

/// A publish step that counts its calls.
fn counted(
    calls: &Cell<u32>,
) -> impl FnMut(&mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error> {
    move |step| {
        calls.set(calls.get() + 1);
        step()
    }
}
