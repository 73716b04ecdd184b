//! Hits on their way from several workers to one consumer, in the order of the sessions. Knows no files.
//!
//! Each session has a lane. Lanes are opened in order, filled by whoever searches the session, and emptied from the
//! front. What is held is bounded: whoever is not in front waits when it is much, and the front waits for the consumer.
//!
//! To wake a thread takes a system call of one and an interrupt of the other, which is dear for one chunk a session. So
//! nobody is woken who does not wait, and a consumer that has had something dozes before it sleeps: it looks again by
//! itself after a moment, and until then what comes is left for it.
//!
//! No wake-up is lost. Whoever waits says so in the state, under the lock that it gives up only by waiting, and after a look
//! that found nothing for it. What it waits for is changed under the same lock, and whoever changes it sees there who
//! waits, and wakes it: a consumer that sleeps, when the front has a chunk or all is over; workers, when a chunk is taken or
//! another lane is in front. Who was woken counts as up, so that it is woken once, and looks at everything before it waits
//! anew. A doze ends by itself, but what must not wait for that ends it in the same way: the end of the search, and a part of
//! what may be held, so that whoever has to wait for room finds that the consumer is up, or has nothing that it could take.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Chunks held in all before those behind wait.
const HELD: usize = 32;
/// Chunks that the front may hold even then.
const FRONT: usize = 2;
/// Chunks held that end a doze: few, so that a consumer that gets a processor late is up before there is no room.
const MANY: usize = HELD / 4;
/// How long a consumer dozes, and so how late a hit may be: nothing to a reader, several files to a worker.
const DOZE: Duration = Duration::from_millis(1);

/// The lanes of one search, and their one consumer.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    /// The consumer waits for this.
    ready: Condvar,
    /// Workers wait for this.
    room: Condvar,
    stopped: AtomicBool,
    doze: Duration,
}

#[derive(Debug)]
struct State<T> {
    lanes: VecDeque<Lane<T>>,
    opened: u64,
    held: usize,
    closed: bool,
    consumer: Consumer,
    /// Whether it took something since it last waited.
    is_fed: bool,
    /// Whether workers wait for room and were not woken yet.
    is_crowded: bool,
    #[cfg(test)]
    woken: usize,
}

/// What the consumer is doing, as far as others have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consumer {
    /// It looks at the lanes before it waits.
    Up,
    /// It looks again by itself, soon.
    Dozes,
    /// It looks again when it is woken.
    Sleeps,
}

#[derive(Debug)]
struct Lane<T> {
    number: u64,
    chunks: VecDeque<T>,
    finished: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                lanes: VecDeque::new(),
                opened: 0,
                held: 0,
                closed: false,
                consumer: Consumer::Up,
                is_fed: false,
                is_crowded: false,
                #[cfg(test)]
                woken: 0,
            }),
            ready: Condvar::new(),
            room: Condvar::new(),
            stopped: AtomicBool::new(false),
            doze: DOZE,
        }
    }
}

/// The right to fill a lane, which ends when it is dropped.
#[derive(Debug)]
#[must_use = "a lane that is dropped is finished"]
pub(crate) struct Filling<'q, T> {
    queue: &'q Queue<T>,
    number: u64,
}

/// Says, when it is dropped, that no lane will be opened any more.
#[derive(Debug)]
pub(crate) struct Closing<'q, T>(pub(crate) &'q Queue<T>);

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the next lane.
    pub(crate) fn open(&self) -> Filling<'_, T> {
        let mut state = self.state();
        let number = state.opened;
        state.opened += 1;
        state.lanes.push_back(Lane {
            number,
            chunks: VecDeque::new(),
            finished: false,
        });
        Filling {
            queue: self,
            number,
        }
    }

    /// Takes the next chunk, waiting for it; `None` when there will be none.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if self.is_stopped() {
                return None;
            }
            if let Some(chunk) = state.pop() {
                state.is_fed = true;
                let crowded = mem::take(&mut state.is_crowded);
                drop(state);
                if crowded {
                    self.room.notify_all();
                }
                return Some(chunk);
            }
            if state.closed && state.lanes.is_empty() {
                return None;
            }
            state = self.rest(state);
        }
    }

    /// Lets the consumer wait until there may be something for it.
    fn rest<'q>(&'q self, mut state: MutexGuard<'q, State<T>>) -> MutexGuard<'q, State<T>> {
        if mem::take(&mut state.is_fed) {
            state.consumer = Consumer::Dozes;
            let waited = self.ready.wait_timeout(state, self.doze);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        } else {
            state.consumer = Consumer::Sleeps;
            let waited = self.ready.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.consumer = Consumer::Up;
        state
    }

    /// Makes everybody stop: workers at their next look, the consumer now.
    pub(crate) fn stop(&self) {
        // Under the lock, so that nobody who is about to wait misses it.
        let state = self.state();
        self.stopped.store(true, Ordering::Relaxed);
        drop(state);
        self.ready.notify_all();
        self.room.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The same, as a step of a loop.
    pub(crate) fn go_on(&self) -> ControlFlow<()> {
        if self.is_stopped() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl<T> State<T> {
    /// Takes the first chunk of the front, past lanes that have nothing more to give.
    fn pop(&mut self) -> Option<T> {
        self.trim();
        let chunk = self.lanes.front_mut()?.chunks.pop_front()?;
        self.held -= 1;
        self.trim();
        Some(chunk)
    }

    fn trim(&mut self) {
        while let Some(front) = self.lanes.front()
            && front.finished
            && front.chunks.is_empty()
        {
            self.lanes.pop_front();
        }
    }

    /// Whether there is something for the consumer, if only that there will be nothing more.
    fn is_ready(&self) -> bool {
        let front = self.lanes.front();
        front.map_or(self.closed, |front| !front.chunks.is_empty())
    }

    /// Whether the consumer waits and must not wait longer. Whoever is told so wakes it.
    fn wakes_consumer(&mut self) -> bool {
        let wakes = match self.consumer {
            Consumer::Up => false,
            Consumer::Dozes => self.held >= MANY || self.closed,
            Consumer::Sleeps => true,
        };
        let wakes = wakes && self.is_ready();
        if wakes {
            self.consumer = Consumer::Up;
            #[cfg(test)]
            {
                self.woken += 1;
            }
        }
        wakes
    }

    fn has_room(&self, number: u64) -> bool {
        let front = self.lanes.front();
        self.held < HELD
            || front.is_some_and(|front| front.number == number && front.chunks.len() < FRONT)
    }

    fn lane(&mut self, number: u64) -> Option<&mut Lane<T>> {
        let first = self.lanes.front()?.number;
        let at = usize::try_from(number.checked_sub(first)?).ok()?;
        self.lanes.get_mut(at)
    }
}

impl<T> Filling<'_, T> {
    /// Adds a chunk, waiting for room; breaks if nobody wants it any more.
    pub(crate) fn push(&self, chunk: T) -> ControlFlow<()> {
        let mut state = self.queue.state();
        while !self.queue.is_stopped() && !state.has_room(self.number) {
            state.is_crowded = true;
            let waited = self.queue.room.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        self.queue.go_on()?;
        if let Some(lane) = state.lane(self.number) {
            lane.chunks.push_back(chunk);
            state.held += 1;
        }
        let wakes = state.wakes_consumer();
        drop(state);
        if wakes {
            self.queue.ready.notify_one();
        }
        ControlFlow::Continue(())
    }
}

impl<T> Drop for Filling<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        if let Some(lane) = state.lane(self.number) {
            lane.finished = true;
        }
        state.trim();
        let wakes = state.wakes_consumer();
        // Another lane may be in front now.
        let crowded = mem::take(&mut state.is_crowded);
        drop(state);
        if wakes {
            self.queue.ready.notify_one();
        }
        if crowded {
            self.queue.room.notify_all();
        }
    }
}

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        let wakes = state.wakes_consumer();
        drop(state);
        if wakes {
            self.0.ready.notify_one();
        }
    }
}
