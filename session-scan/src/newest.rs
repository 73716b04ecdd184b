//! The walk over candidates, newest first, that stops as soon as the next answer is certain.
//!
//! Owns the stop rule and the order of what is yielded. Must not know what a probe looks for.

use std::collections::{BinaryHeap, HashMap};
use std::fmt;

use crate::{Corpus, Entry, Probe, Unreadable};

mod batch;
mod queue;

use batch::{Outcome, look, look_at_all};
use queue::{Candidate, Pending};

/// How many candidates are looked at on the calling thread before workers are started: the wanted file is usually among
/// the newest, and starting a thread costs as much as several looks.
const ALONE: usize = 8;
/// The first batch for workers, and the largest; batches double in between.
const BATCH: usize = 64;
const LARGEST_BATCH: usize = 4096;
/// A worker is worth starting for this many looks.
const LOOKS_A_WORKER: usize = 4;

/// Yields the hits of a probe in exact rank order, greatest first, looking at as few files as that takes.
///
/// Candidates are looked at by mtime, newest first. Because the first component of a hit's rank is never above its
/// file's mtime ([`Ranked`](crate::Ranked)), the best hit so far is certain as soon as its first component is *strictly*
/// greater than the mtime of the next candidate. Only then is it yielded, and only when the next hit is asked for does
/// the walk go on.
///
/// Hits and [`unreadable`](Self::unreadable) are the same for every number of threads.
///
/// # Panics
///
/// A panic in the probe or the corpus is passed on.
///
/// # Complexity
///
/// Linear in the candidates to start, a logarithm for each look. Memory is that of the entries and of the hits not
/// yielded yet; at most as many files as threads are open at any time.
#[must_use = "nothing is looked at until a hit is asked for"]
pub struct Newest<'a, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    corpus: &'a C,
    probe: &'a P,
    threads: usize,
    batch: usize,
    /// Candidates and seeds that came since the last call of `prepare`.
    unsorted: Vec<Entry>,
    seeds: HashMap<String, (Entry, Option<P::Hit>)>,
    candidates: BinaryHeap<Candidate>,
    pending: BinaryHeap<Pending<P::Hit>>,
    /// Reports from files that the hits yielded so far did not depend on.
    held: Vec<Unreadable>,
    unreadable: Vec<Unreadable>,
    probed: usize,
}

impl<'a, C, P> Newest<'a, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    /// Prepares a walk over `entries`, in whatever order they are.
    pub fn new(corpus: &'a C, entries: Vec<Entry>, probe: &'a P) -> Self {
        Self {
            corpus,
            probe,
            threads: 1,
            batch: BATCH,
            unsorted: entries,
            seeds: HashMap::new(),
            candidates: BinaryHeap::new(),
            pending: BinaryHeap::new(),
            held: Vec::new(),
            unreadable: Vec::new(),
            probed: 0,
        }
    }

    /// Tells the walk what a look at `entry` already gave: a hit, or `None` for a miss.
    ///
    /// If the same entry with the same stamp is among the candidates, it is not looked at again. If it is there with
    /// another stamp, the seed is out of date: it is dropped and the candidate looked at. If it is not there at all, a
    /// hit still takes part. Of two seeds with one name the later counts. Seeds belong before the first hit is asked
    /// for.
    pub fn seed(mut self, entry: Entry, hit: Option<P::Hit>) -> Self {
        self.seeds.insert(entry.name.clone(), (entry, hit));
        self
    }

    /// Looks at up to this many files at once; 0 and 1 mean on the calling thread only, which is the default.
    ///
    /// More threads than processors pay where reads wait for a disk or a network. The first few candidates are always
    /// looked at on the calling thread.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Yields the next hit with its entry, or `None` when there is none left.
    pub fn next_hit(&mut self) -> Option<(Entry, P::Hit)> {
        self.prepare();
        while !self.is_decided() {
            self.look_further();
        }
        let best = self.pending.pop();
        self.release(best.as_ref().map(|best| best.at));
        crate::trace::event!(probed = self.probed, hit = best.is_some(), "newest");
        best.map(|best| (best.entry, best.hit))
    }

    /// Gives the candidates that could not be opened or understood, newest first.
    ///
    /// After a hit, these are the ones that might have been greater than it; after the last, all there are.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Takes the reports out, so that the next call gives only what came since.
    #[must_use = "the reports are gone from the walk"]
    pub fn take_unreadable(&mut self) -> Vec<Unreadable> {
        std::mem::take(&mut self.unreadable)
    }

    /// Counts the candidates looked at so far. With several threads a few may be looked at in vain.
    #[must_use]
    pub fn probed(&self) -> usize {
        self.probed
    }

    /// Counts the candidates not looked at so far.
    #[must_use]
    pub fn unprobed(&self) -> usize {
        self.candidates.len() + self.unsorted.len()
    }

    /// Sorts in what the builder collected.
    fn prepare(&mut self) {
        if self.unsorted.is_empty() && self.seeds.is_empty() {
            return;
        }
        let mut entries = std::mem::take(&mut self.candidates).into_vec();
        entries.extend(self.unsorted.drain(..).map(Candidate));
        if !self.seeds.is_empty() {
            let pending = &mut self.pending;
            let seeds = &mut self.seeds;
            entries.retain(|Candidate(listed)| match seeds.remove(&listed.name) {
                Some((seen, hit)) if seen == *listed => {
                    pending.extend(hit.map(|hit| Pending::new(seen, hit)));
                    false
                }
                _ => true,
            });
            pending.extend(
                seeds
                    .drain()
                    .filter_map(|(_, (seen, hit))| Some(Pending::new(seen, hit?))),
            );
        }
        self.candidates = BinaryHeap::from(entries);
    }

    /// Says whether nothing unseen can be greater than the best hit.
    fn is_decided(&self) -> bool {
        match (self.candidates.peek(), self.pending.peek()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(Candidate(next)), Some(best)) => best.at > next.modified,
        }
    }

    fn look_further(&mut self) {
        if self.threads == 1 || self.probed < ALONE || self.candidates.len() < 2 * LOOKS_A_WORKER {
            if let Some(Candidate(entry)) = self.candidates.pop() {
                let outcome = look(self.corpus, self.probe, &entry);
                self.keep(entry, outcome);
            }
            return;
        }
        let mut batch = Vec::with_capacity(self.batch.min(self.candidates.len()));
        while batch.len() < self.batch && !self.is_decided() {
            let Some(Candidate(entry)) = self.candidates.pop() else {
                break;
            };
            batch.push(entry);
        }
        self.batch = (self.batch * 2).min(LARGEST_BATCH);
        let workers = self.threads.min(batch.len().div_ceil(LOOKS_A_WORKER));
        let outcomes = look_at_all(self.corpus, self.probe, &batch, workers);
        for (entry, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Some(outcome) => self.keep(entry, outcome),
                None => self.candidates.push(Candidate(entry)),
            }
        }
    }

    fn keep(&mut self, entry: Entry, outcome: Outcome<P::Hit>) {
        self.probed += 1;
        match outcome {
            Outcome::Hit(hit) => self.pending.push(Pending::new(entry, hit)),
            Outcome::Miss => {}
            Outcome::Unreadable(reason) => self.held.push(Unreadable::new(entry, reason)),
        }
    }

    /// Publishes the reports that belong to a hit yielded with this first component, or all of them at the end.
    ///
    /// One thread looks at exactly the candidates that are not older than the hit; several may have gone further, and
    /// what they met there must not show before its turn, or the reports would depend on luck.
    fn release(&mut self, at: Option<i128>) {
        if self.held.is_empty() {
            return;
        }
        self.held.sort_by(|a, b| {
            (b.entry.modified.cmp(&a.entry.modified)).then_with(|| a.entry.name.cmp(&b.entry.name))
        });
        let due = at.map_or(self.held.len(), |at| {
            self.held
                .partition_point(|report| report.entry.modified >= at)
        });
        self.unreadable.extend(self.held.drain(..due));
    }
}

impl<C, P> Iterator for Newest<'_, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    type Item = (Entry, P::Hit);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_hit()
    }
}

impl<C, P> fmt::Debug for Newest<'_, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Newest")
            .field("threads", &self.threads)
            .field("unprobed", &self.unprobed())
            .field("probed", &self.probed)
            .field("pending", &self.pending.len())
            .field("unreadable", &self.unreadable.len())
            .finish_non_exhaustive()
    }
}
