//! Searching many files on several threads, with one visitor a thread and no locks.
//!
//! Owns the workers of a search. Must not know what a visitor does with a match.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{BLOCK, Match, SearchBuffer, Searcher};
use crate::{Corpus, Entry, OpenError, Reason, Unreadable};

/// A worker is worth starting for this many files, however small.
const FILES_A_WORKER: usize = 4;

/// What a [`Visitor`] wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// The next match, of this file or another.
    Match,
    /// No more of this file.
    File,
    /// Nothing more at all: every worker stops at its next match or block.
    Stop,
}

/// Receives the matches of one worker.
///
/// A closure `FnMut(&Entry, &F, Match) -> Next` is one.
pub trait Visitor<F> {
    /// Takes one match. `file` is open, so that what surrounds the match can be read.
    fn matched(&mut self, entry: &Entry, file: &F, found: Match) -> Next;

    /// Is told that `file` was searched to its end, or as far as the visitor wanted.
    ///
    /// Not called for a file that could not be read to its end.
    fn finished(&mut self, entry: &Entry, file: &F) -> Next {
        let _ = (entry, file);
        Next::Match
    }
}

impl<F, V: FnMut(&Entry, &F, Match) -> Next> Visitor<F> for V {
    fn matched(&mut self, entry: &Entry, file: &F, found: Match) -> Next {
        self(entry, file, found)
    }
}

/// What a search over many files leaves.
#[derive(Debug)]
#[non_exhaustive]
pub struct Searched<V> {
    /// The visitors, one for each worker that ran, with what they gathered.
    pub visitors: Vec<V>,
    /// The files that could not be opened or read to their end, in the order of the entries.
    pub unreadable: Vec<Unreadable>,
    /// Files opened.
    pub files: usize,
    /// Bytes read.
    pub bytes: u64,
}

/// What the workers share.
struct Shared<'a, C> {
    corpus: &'a C,
    entries: &'a [Entry],
    next: AtomicUsize,
    stop: AtomicBool,
}

/// What one worker leaves.
struct Part<V> {
    visitor: V,
    unreadable: Vec<(usize, Reason)>,
    files: usize,
    bytes: u64,
}

impl Searcher {
    /// Searches many files on up to `threads` threads, the calling one among them; few and small files
    /// get fewer threads.
    ///
    /// Files are begun in the order of `entries`; with several threads, matches of different files come in any order.
    /// `make_visitor` is called once for each worker. A file that vanished is passed over in silence.
    ///
    /// # Panics
    ///
    /// A panic in a visitor or the corpus is passed on.
    pub fn search<C, V>(
        &self,
        corpus: &C,
        entries: &[Entry],
        threads: usize,
        make_visitor: impl Fn() -> V,
    ) -> Searched<V>
    where
        C: Corpus,
        V: Visitor<C::File> + Send,
    {
        let next = AtomicUsize::new(0);
        let shared = &Shared {
            corpus,
            entries,
            next,
            stop: AtomicBool::new(false),
        };
        let mut parts = Vec::new();
        thread::scope(|scope| {
            let mut handles = Vec::new();
            for _ in 1..worthwhile(threads, entries) {
                let visitor = make_visitor();
                // A refused thread is no failure: the others do its part.
                handles.extend(
                    thread::Builder::new()
                        .spawn_scoped(scope, move || self.work(shared, visitor))
                        .ok(),
                );
            }
            parts.push(self.work(shared, make_visitor()));
            for handle in handles {
                parts.push(handle.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
        });
        let searched = gather(entries, parts);
        crate::trace::event!(
            files = searched.files,
            bytes = searched.bytes,
            unreadable = searched.unreadable.len(),
            "searched"
        );
        searched
    }

    /// Searches files until there is none left or somebody says stop.
    fn work<C, V>(&self, shared: &Shared<'_, C>, visitor: V) -> Part<V>
    where
        C: Corpus,
        V: Visitor<C::File>,
    {
        let mut part = Part {
            visitor,
            unreadable: Vec::new(),
            files: 0,
            bytes: 0,
        };
        let mut buffer = SearchBuffer::new();
        while !shared.stop.load(Ordering::Relaxed) {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = shared.entries.get(index) else {
                break;
            };
            match shared.corpus.open(entry) {
                Ok(file) => {
                    part.files += 1;
                    if let Err(reason) = self.one(shared, entry, &file, &mut part, &mut buffer) {
                        part.unreadable.push((index, reason));
                    }
                }
                Err(OpenError::Vanished) => {}
                Err(OpenError::Rejected(reason)) => part.unreadable.push((index, reason)),
            }
        }
        part
    }

    /// Searches one file for a worker.
    fn one<C, V>(
        &self,
        shared: &Shared<'_, C>,
        entry: &Entry,
        file: &C::File,
        part: &mut Part<V>,
        buffer: &mut SearchBuffer,
    ) -> Result<(), Reason>
    where
        C: Corpus,
        V: Visitor<C::File>,
    {
        let visitor = &mut part.visitor;
        let stopped = || {
            if shared.stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let visit = |found| {
            stopped()?;
            match visitor.matched(entry, file, found) {
                Next::Match => ControlFlow::Continue(()),
                Next::File => ControlFlow::Break(()),
                Next::Stop => {
                    shared.stop.store(true, Ordering::Relaxed);
                    ControlFlow::Break(())
                }
            }
        };
        part.bytes += self
            .blocks(shared.corpus, file, buffer, visit, stopped)
            .map_err(Reason::Io)?;
        if stopped().is_continue() && part.visitor.finished(entry, file) == Next::Stop {
            shared.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Says how many workers pay: starting one costs as much as searching a block or opening a few files.
fn worthwhile(threads: usize, entries: &[Entry]) -> usize {
    let bytes: u64 = entries
        .iter()
        .fold(0, |sum, entry| sum.saturating_add(entry.size));
    let blocks = usize::try_from(bytes / BLOCK as u64).unwrap_or(usize::MAX);
    let worth = blocks.saturating_add(entries.len() / FILES_A_WORKER);
    threads.min(entries.len()).min(worth).max(1)
}

/// Puts what the workers leave together.
fn gather<V>(entries: &[Entry], parts: Vec<Part<V>>) -> Searched<V> {
    let mut searched = Searched {
        visitors: Vec::new(),
        unreadable: Vec::new(),
        files: 0,
        bytes: 0,
    };
    let mut unreadable = Vec::new();
    for part in parts {
        searched.visitors.push(part.visitor);
        searched.files += part.files;
        searched.bytes += part.bytes;
        unreadable.extend(part.unreadable);
    }
    unreadable.sort_by_key(|(index, _)| *index);
    searched.unreadable = unreadable
        .into_iter()
        .map(|(index, reason)| Unreadable::new(entries[index].clone(), reason))
        .collect();
    searched
}
