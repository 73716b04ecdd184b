//! Probing: one file on this thread, or a batch of them on several.
//!
//! Owns the workers of a scan and how they stop early. Must not know the order in which hits are yielded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam::channel;

use crate::{Corpus, Entry, Look, OpenError, Probe, Ranked, Reason};

/// What came of one candidate.
pub(crate) enum Outcome<H> {
    Hit(H),
    Miss,
    Unreadable(Reason),
}

/// Opens one candidate, looks at it and closes it.
pub(crate) fn look<C, P>(corpus: &C, probe: &P, entry: &Entry) -> Outcome<P::Hit>
where
    C: Corpus,
    P: Probe<C::File>,
{
    let file = match corpus.open(entry) {
        Ok(file) => file,
        Err(OpenError::Vanished) => return Outcome::Miss,
        Err(OpenError::Rejected(reason)) => return Outcome::Unreadable(reason),
    };
    match probe.probe(entry, &file) {
        Look::Hit(hit) => Outcome::Hit(hit),
        Look::Miss => Outcome::Miss,
        Look::Unreadable(reason) => Outcome::Unreadable(Reason::Other(reason)),
    }
}

/// Looks at `batch`, which is sorted newest first, on several threads, and gives one outcome for each candidate that was
/// looked at; `None` stands for those that a hit made needless.
///
/// The workers take candidates in order. When a hit arrives, the candidates older than its `at` are called off; those
/// before them are all looked at, so no hit that could be greater is missed.
pub(crate) fn look_at_all<C, P>(
    corpus: &C,
    probe: &P,
    batch: &[Entry],
    threads: usize,
) -> Vec<Option<Outcome<P::Hit>>>
where
    C: Corpus,
    P: Probe<C::File>,
{
    let mut outcomes: Vec<_> = batch.iter().map(|_| None).collect();
    let next = AtomicUsize::new(0);
    let limit = AtomicUsize::new(batch.len());
    let work = |deliver: &mut dyn FnMut(usize, Outcome<P::Hit>)| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= limit.load(Ordering::Relaxed) {
                break;
            }
            deliver(index, look(corpus, probe, &batch[index]));
        }
    };
    let mut receive = |index: usize, outcome: Outcome<P::Hit>| {
        if let Outcome::Hit(hit) = &outcome {
            let at = hit.at();
            let needed = batch.partition_point(|entry| entry.modified >= at);
            limit.fetch_min(needed, Ordering::Relaxed);
        }
        outcomes[index] = Some(outcome);
    };
    let (sender, receiver) = channel::unbounded();
    thread::scope(|scope| {
        let mut workers = 0;
        for _ in 0..threads {
            let sender = sender.clone();
            let work = &work;
            // A refused thread is no failure: the others do its part.
            let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                work(&mut |index, outcome| {
                    // The receiver outlives the workers, so sending only fails while unwinding.
                    let _ = sender.send((index, outcome));
                });
            });
            workers += usize::from(spawned.is_ok());
        }
        drop(sender);
        if workers == 0 {
            work(&mut receive);
        }
        for (index, outcome) in receiver {
            receive(index, outcome);
        }
    });
    outcomes
}
