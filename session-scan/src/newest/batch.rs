//! Probing: one file on this thread, or a batch of them on several.
//!
//! Owns the workers of a scan and how they stop early. Must not know the order in which hits are yielded.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crossbeam::channel;

use crate::{Corpus, Entry, Look, OpenError, Probe, Ranked, Reason};

/// A worker takes this many candidates at a time at most, so that workers do not get in each other's way.
const TAKEN: usize = 8;

/// What came of one candidate.
pub(crate) enum Outcome<H> {
    Hit(H),
    Miss,
    Unreadable(Reason),
}

/// What came of a batch.
pub(crate) struct Outcomes<H> {
    /// Which candidates were looked at; a hit makes older ones needless.
    pub(crate) looked: Vec<bool>,
    /// Everything but misses, by place in the batch, in no order.
    pub(crate) found: Vec<(usize, Outcome<H>)>,
}

impl<H> Outcomes<H> {
    /// How many looks were made; those that a hit called off are none.
    pub(crate) fn made(&self) -> usize {
        self.looked.iter().filter(|looked| **looked).count()
    }
}

/// How many of a batch are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As many as it takes to know the greatest.
    Needed,
    All,
}

/// Is asked after each look, on the thread that looked, whether to go on.
pub(crate) type Pause<'a> = dyn Fn() -> ControlFlow<()> + Sync + 'a;

/// What is looked into, and how.
pub(crate) struct Looks<'a, C, P> {
    corpus: &'a C,
    probe: &'a P,
    pub(crate) pause: Option<&'a Pause<'a>>,
    /// Whether nothing more is to be looked at.
    over: AtomicBool,
}

impl<'a, C, P> Looks<'a, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    pub(crate) fn new(corpus: &'a C, probe: &'a P) -> Self {
        Self {
            corpus,
            probe,
            pause: None,
            over: AtomicBool::new(false),
        }
    }

    pub(crate) fn are_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Asks whether to go on after a look.
    pub(crate) fn ask(&self) {
        if !self.are_over() && self.pause.is_some_and(|pause| pause().is_break()) {
            self.over.store(true, Ordering::Relaxed);
        }
    }

    /// Opens one candidate, looks at it and closes it; does nothing once looks are over.
    pub(crate) fn at(&self, entry: &Entry) -> Outcome<P::Hit> {
        if self.are_over() {
            return Outcome::Miss;
        }
        let file = match self.corpus.open(entry) {
            Ok(file) => file,
            Err(OpenError::Vanished) => return Outcome::Miss,
            Err(OpenError::Rejected(reason)) => return Outcome::Unreadable(reason),
        };
        match self.probe.probe(entry, &file) {
            Look::Hit(hit) => Outcome::Hit(hit),
            Look::Miss => Outcome::Miss,
            Look::Unreadable(reason) => Outcome::Unreadable(Reason::Other(reason)),
        }
    }
}

/// Looks at `batch`, which is sorted newest first unless all of it is wanted, on several threads, the calling one among them.
///
/// The workers take candidates in order. When there is a hit, the candidates older than its `at` are called off; those
/// before them are all looked at, so no hit that could be greater is missed. None is called off where all are wanted.
pub(crate) fn look_at_all<C, P>(
    looks: &Looks<'_, C, P>,
    batch: &[&Entry],
    workers: usize,
    extent: Extent,
) -> Outcomes<P::Hit>
where
    C: Corpus,
    P: Probe<C::File>,
{
    let looked: Vec<AtomicBool> = batch.iter().map(|_| AtomicBool::new(false)).collect();
    let next = AtomicUsize::new(0);
    let limit = AtomicUsize::new(batch.len());
    let taken = (batch.len() / (workers * TAKEN)).clamp(1, TAKEN);
    let work = |deliver: &mut dyn FnMut(usize, Outcome<P::Hit>)| {
        loop {
            let first = next.fetch_add(taken, Ordering::Relaxed);
            if first >= limit.load(Ordering::Relaxed) {
                return;
            }
            for index in first..first + taken {
                if index >= limit.load(Ordering::Relaxed) {
                    return;
                }
                looked[index].store(true, Ordering::Relaxed);
                let outcome = looks.at(batch[index]);
                looks.ask();
                if let Outcome::Hit(hit) = &outcome
                    && extent == Extent::Needed
                {
                    let at = hit.at();
                    let needed = batch.partition_point(|entry| entry.modified >= at);
                    limit.fetch_min(needed, Ordering::Relaxed);
                }
                if !matches!(outcome, Outcome::Miss) {
                    deliver(index, outcome);
                }
            }
        }
    };
    let mut found = Vec::new();
    let (sender, receiver) = channel::unbounded();
    thread::scope(|scope| {
        for _ in 1..workers {
            let sender = sender.clone();
            let work = &work;
            // A refused thread is no failure: the others do its part.
            let _ = thread::Builder::new().spawn_scoped(scope, move || {
                work(&mut |index, outcome| {
                    // The receiver outlives the workers, so sending only fails while unwinding.
                    let _ = sender.send((index, outcome));
                });
            });
        }
        drop(sender);
        work(&mut |index, outcome| found.push((index, outcome)));
        found.extend(receiver);
    });
    Outcomes {
        looked: looked.into_iter().map(AtomicBool::into_inner).collect(),
        found,
    }
}
