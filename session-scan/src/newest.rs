//! The walk over candidates, newest first, that stops as soon as the next answer is certain.
//!
//! Owns the stop rule and the order of what is yielded. Must not know what a probe looks for.

use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::ops::ControlFlow;

use crate::{Corpus, Entry, Probe, Ranked as _, Unreadable};

mod batch;
mod pace;
mod queue;

use batch::{Extent, Looks, Outcome, look_at_all};
use pace::Pace;
use queue::{Candidates, FIRST, Pending};

/// The first batch, the largest, and how batches grow in between.
const BATCH: usize = 64;
const LARGEST_BATCH: usize = 16 * 1024;
const GROWTH: usize = 4;
/// The largest batch where hits are given as they are found: whoever gets them also watches how far the walk is.
const LARGEST_BATCH_AS_FOUND: usize = 1024;

/// When a hit is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// When nothing unseen can be greater.
    Ranked,
    /// When it is found.
    Found,
}

/// Yields the hits of a probe in exact rank order, greatest first, looking at about as few files as that takes.
///
/// Candidates are looked at by mtime, newest first. Because the first component of a hit's rank is never above its
/// file's mtime ([`Ranked`](crate::Ranked)), the best hit so far is certain as soon as its first component is *strictly*
/// greater than the mtime of the next candidate. Only then is it yielded, and only when the next hit is asked for does
/// the walk go on.
///
/// Hits and [`unreadable`](Self::unreadable) are the same for every number of [`threads`](Self::threads) and of
/// [`reads_in_flight`](Self::reads_in_flight).
///
/// # Panics
///
/// A panic in the probe or the corpus is passed on.
///
/// # Complexity
///
/// Linear in the candidates to start. The 64 newest are looked at one after the other, in the order of their times. While there
/// is no hit by then, the next 64, 256 and so on are looked at in the order of the listing, in which the system finds files
/// faster. So at most four times the needed files are looked at before the first hit, and after it exactly the needed ones, or
/// with several threads a few more. Memory is that of the entries and of the hits not yielded yet; at most as many files as
/// threads, or as reads in flight if that is more, are open at any time.
#[must_use = "nothing is looked at until a hit is asked for"]
pub struct Newest<'a, C, P>
where
    C: Corpus,
    P: Probe<C::File>,
{
    looks: Looks<'a, C, P>,
    pace: Pace,
    batch: usize,
    /// Seeds that came since the last call of `prepare`.
    seeds: HashMap<String, (Entry, Option<P::Hit>)>,
    candidates: Candidates,
    turn: Turn,
    pending: BinaryHeap<Pending<P::Hit>>,
    /// Hits that were found and are given in no order.
    found: VecDeque<(Entry, P::Hit)>,
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
            looks: Looks::new(corpus, probe),
            pace: Pace::new(),
            batch: BATCH,
            seeds: HashMap::new(),
            candidates: Candidates::new(entries),
            turn: Turn::Ranked,
            pending: BinaryHeap::new(),
            found: VecDeque::new(),
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

    /// Looks at files on up to this many threads; 0 and 1 mean on the calling thread only, which is the default.
    ///
    /// The first few candidates are always looked at on the calling thread.
    pub fn threads(mut self, threads: usize) -> Self {
        self.pace.threads = threads.max(1);
        self
    }

    /// Has up to this many files open at once while looks turn out to wait for a disk or a network; by default no more than
    /// there are threads.
    ///
    /// Whether they wait is found out by timing some of the looks on the calling thread. With everything in memory this
    /// changes nothing; where reads have to wait, waiting for many at once takes hardly longer than waiting for one.
    pub fn reads_in_flight(mut self, reads: usize) -> Self {
        self.pace.in_flight = reads.max(1);
        self
    }

    /// Gives hits as they are found, in no promised order: for whoever wants all of them and sorts them anyway. What the entries
    /// say of times then matters to the order of [`unreadable`](Self::unreadable) alone.
    ///
    /// No hit then waits for others, and on several threads none makes a look at another file needless. Reports of
    /// [`unreadable`](Self::unreadable) files all come at the end.
    pub fn in_any_order(mut self) -> Self {
        self.turn = Turn::Found;
        self
    }

    /// Asks after each look, on the thread that looked, whether to go on. Once the answer is to break, no file is opened any more,
    /// and the walk yields nothing more.
    pub fn pause(mut self, pause: &'a (dyn Fn() -> ControlFlow<()> + Sync + 'a)) -> Self {
        self.looks.pause = Some(pause);
        self
    }

    /// Yields the next hit with its entry, or `None` when there is none left.
    pub fn next_hit(&mut self) -> Option<(Entry, P::Hit)> {
        self.prepare();
        if self.turn == Turn::Found {
            return self.next_found();
        }
        while !self.looks.are_over() && !self.is_decided() {
            self.look_further();
        }
        if self.looks.are_over() {
            return None;
        }
        let best = self.pending.pop();
        self.release(best.as_ref().map(|best| best.at));
        crate::trace::event!(probed = self.probed, hit = best.is_some(), "newest");
        best.map(|best| (best.entry, best.hit))
    }

    fn next_found(&mut self) -> Option<(Entry, P::Hit)> {
        // From seeds.
        let pending = &mut self.pending;
        self.found
            .extend(pending.drain().map(|pending| (pending.entry, pending.hit)));
        while !self.looks.are_over() && self.found.is_empty() && self.candidates.len() > 0 {
            self.look_further();
        }
        if self.looks.are_over() {
            return None;
        }
        let next = self.found.pop_front();
        if next.is_none() {
            self.release(None);
        }
        next
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

    /// Counts the candidates looked at so far, of which some may have been looked at in vain.
    #[must_use]
    pub fn probed(&self) -> usize {
        self.probed
    }

    /// Counts the candidates not looked at so far.
    #[must_use]
    pub fn unprobed(&self) -> usize {
        self.candidates.len()
    }

    /// Takes in the seeds.
    fn prepare(&mut self) {
        if self.seeds.is_empty() {
            return;
        }
        let pending = &mut self.pending;
        let seeds = &mut self.seeds;
        self.candidates
            .retain(|listed| match seeds.remove(&listed.name) {
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

    /// Says whether nothing unseen can be greater than the best hit.
    fn is_decided(&mut self) -> bool {
        let Some(best) = self.pending.peek() else {
            return self.candidates.len() == 0;
        };
        (self.candidates.peek()).is_none_or(|next| best.at > next.modified)
    }

    fn look_further(&mut self) {
        let workers = self.pace.workers(self.candidates.len());
        if workers > 1 {
            self.look_with(workers);
        } else if self.turn == Turn::Ranked && (self.probed < FIRST || !self.pending.is_empty()) {
            self.look_at_newest();
        } else {
            self.look_as_listed();
        }
    }

    fn look_at_newest(&mut self) {
        if let Some(taken) = self.candidates.pop() {
            let entry = self.candidates.entry(taken);
            let outcome = self.pace.look(|| self.looks.at(entry));
            // Not while the look is timed: what the caller does with it is no look.
            self.looks.ask();
            self.keep(taken, outcome);
        }
    }

    /// Looks at a batch in the order in which they were listed: of the newest where the order of hits matters, and from the first
    /// hit on only at those that are not older than it.
    fn look_as_listed(&mut self) {
        let is_ranked = self.turn == Turn::Ranked;
        let (batch, largest) = if is_ranked {
            (self.candidates.pop_as_listed(self.batch), LARGEST_BATCH)
        } else {
            (self.candidates.pop_any(self.batch), LARGEST_BATCH_AS_FOUND)
        };
        self.batch = (self.batch * GROWTH).min(largest);
        let mut best = None;
        let mut left = Vec::new();
        let all = batch.len();
        for (place, taken) in batch.into_iter().enumerate() {
            let entry = self.candidates.entry(taken);
            // Looks that turn out to wait are for others to go on with, if there will be any.
            let unprobed = self.candidates.len() + left.len() + all - place;
            if self.pace.hands_on(unprobed) || best.is_some_and(|at| entry.modified < at) {
                left.push(taken);
                continue;
            }
            let outcome = self.pace.look(|| self.looks.at(entry));
            // Not while the look is timed: what the caller does with it is no look.
            self.looks.ask();
            if let Outcome::Hit(hit) = &outcome
                && is_ranked
            {
                best = best.max(Some(hit.at()));
            }
            self.keep(taken, outcome);
        }
        self.candidates.put_back(&left);
    }

    /// Looks at a batch with several workers: of the newest where the order of hits matters.
    fn look_with(&mut self, workers: usize) {
        let at = self.pending.peek().map(|best| best.at);
        let batch = match self.turn {
            Turn::Ranked => self.candidates.newest(self.batch, at),
            Turn::Found => self.candidates.any(self.batch),
        };
        // Between two hits there may be less left than all candidates deserve.
        let workers = batch.len().clamp(1, workers);
        let (extent, largest) = match self.turn {
            Turn::Ranked => (Extent::Needed, LARGEST_BATCH),
            Turn::Found => (Extent::All, LARGEST_BATCH_AS_FOUND),
        };
        self.batch = (self.batch * GROWTH).min(largest);
        let outcomes = self.pace.batch(|| {
            let outcomes = look_at_all(&self.looks, &batch, workers, extent);
            (outcomes.made(), outcomes)
        });
        let mut found = outcomes.found;
        found.sort_unstable_by_key(|(place, _)| *place);
        let mut found = found.into_iter().peekable();
        let places = (0..outcomes.looked.len()).filter(|place| outcomes.looked[*place]);
        for (taken, place) in self
            .candidates
            .take(&outcomes.looked)
            .into_iter()
            .zip(places)
        {
            let outcome = found.next_if(|(of, _)| *of == place);
            self.keep(taken, outcome.map_or(Outcome::Miss, |(_, outcome)| outcome));
        }
    }

    fn keep(&mut self, taken: usize, outcome: Outcome<P::Hit>) {
        self.probed += 1;
        let entry = self.candidates.take_entry(taken);
        match outcome {
            Outcome::Hit(hit) if self.turn == Turn::Found => self.found.push_back((entry, hit)),
            Outcome::Hit(hit) => self.pending.push(Pending::new(entry, hit)),
            Outcome::Miss => {}
            Outcome::Unreadable(reason) => self.held.push(Unreadable::new(entry, reason)),
        }
    }

    /// Publishes the reports that belong to a hit yielded with this first component, or all of them at the end.
    ///
    /// Candidates that are older than the hit may have been looked at too, and what was met there must not show before its
    /// turn, or the reports would depend on luck.
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
            .field("threads", &self.pace.threads)
            .field("unprobed", &self.unprobed())
            .field("probed", &self.probed)
            .field("pending", &self.pending.len())
            .field("unreadable", &self.unreadable.len())
            .finish_non_exhaustive()
    }
}
