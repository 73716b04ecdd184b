//! Hits on their way from several workers to one consumer, in the order of the sessions. Knows no files.
//!
//! Each session has a lane. Lanes are opened in order, filled by whoever searches the session, and emptied from the
//! front. What is held is bounded: whoever is not in front waits when it is much, and the front waits for the consumer.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Chunks held in all before those behind wait.
const HELD: usize = 32;
/// Chunks that the front may hold even then.
const FRONT: usize = 2;

/// The lanes of one search.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    /// The consumer waits for this.
    ready: Condvar,
    /// Workers wait for this.
    room: Condvar,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct State<T> {
    lanes: VecDeque<Lane<T>>,
    opened: u64,
    held: usize,
    closed: bool,
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
            }),
            ready: Condvar::new(),
            room: Condvar::new(),
            stopped: AtomicBool::new(false),
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
                self.room.notify_all();
                return Some(chunk);
            }
            if state.closed && state.lanes.is_empty() {
                return None;
            }
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
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
            state = self
                .queue
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.queue.go_on()?;
        let in_front = state
            .lanes
            .front()
            .is_some_and(|front| front.number == self.number);
        if let Some(lane) = state.lane(self.number) {
            lane.chunks.push_back(chunk);
            state.held += 1;
        }
        drop(state);
        if in_front {
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
        let ready = state
            .lanes
            .front()
            .is_some_and(|front| !front.chunks.is_empty());
        let crowded = state.held >= HELD;
        drop(state);
        if ready {
            self.queue.ready.notify_one();
        }
        if crowded {
            self.queue.room.notify_all();
        }
    }
}

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_by_lane_whoever_is_first() {
        let queue = Queue::default();
        let lanes: Vec<_> = (0..3).map(|_| queue.open()).collect();
        for number in [2, 0, 1, 2, 0] {
            assert!(lanes[number].push(number).is_continue());
        }
        drop(lanes);
        drop(Closing(&queue));
        let taken: Vec<usize> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(taken, [0, 0, 1, 2, 2]);
    }

    #[test]
    fn what_is_held_is_bounded_and_the_front_can_always_go_on() {
        let queue = Queue::default();
        let (front, behind) = (queue.open(), queue.open());
        for _ in 0..HELD {
            assert!(behind.push(()).is_continue());
        }
        let has_room = |lane: &Filling<'_, ()>| queue.state().has_room(lane.number);
        assert!(!has_room(&behind));
        for _ in 0..FRONT {
            assert!(has_room(&front));
            assert!(front.push(()).is_continue());
        }
        assert!(!has_room(&front));
        assert!(queue.take().is_some());
        assert!(has_room(&front) && !has_room(&behind));
        drop(front);
        assert!(queue.take().is_some());
        assert!(!has_room(&behind), "it is in front now, with much to give");
        assert!(queue.take().is_some());
        assert!(has_room(&behind));
    }

    #[test]
    fn whoever_waits_hears_of_a_stop() {
        let queue: Queue<()> = Queue::default();
        std::thread::scope(|scope| {
            let consumer = scope.spawn(|| queue.take());
            let producer = scope.spawn(|| {
                let (_front, behind) = (queue.open(), queue.open());
                (0..=HELD).all(|_| behind.push(()).is_continue())
            });
            queue.stop();
            assert_eq!(consumer.join().ok(), Some(None));
            assert_eq!(producer.join().ok(), Some(false));
        });
    }
}
