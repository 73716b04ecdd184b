//! A walk by two threads that take turns: each reads every other piece, and
//! walks over it, still in its cache, when the piece before it is done. Owns
//! the turns; must not know what a walk does.

use std::{
    hint,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{LastPiece, Walk, Walked, fill};
use crate::{
    Error, ReadAt, RevisionHasher,
    buffer::Buffer,
    lexer::{Lexer, Visit},
};

/// Pieces that a document must have for a second thread to be worth its start.
pub(super) const WORTH: u64 = 16;

/// How often a thread looks for its turn before it sleeps: about as long as
/// sleeping and waking would take.
const SPINS: u32 = 2_000;

/// The turn that stands for the end of the walk.
const OVER: u64 = u64::MAX;

/// What the threads share: they hash a piece in one turn and walk over it in
/// another, so that one hashes while the other walks.
#[derive(Debug)]
struct Shared<'v, V> {
    hashing: Turns<RevisionHasher>,
    walking: Turns<State<'v, V>>,
}

impl<V> Shared<'_, V> {
    /// Ends the walk for both threads. The caller holds no lock.
    fn end(&self) {
        let hashing = self.hashing.lock();
        self.hashing.pass(OVER, hashing);
        let walking = self.walking.lock();
        self.walking.pass(OVER, walking);
    }
}

/// Something that is done to one piece after the other.
#[derive(Debug)]
struct Turns<T> {
    /// The piece whose turn it is. Written only under the lock.
    turn: AtomicU64,
    state: Mutex<T>,
    changed: Condvar,
}

impl<T> Turns<T> {
    fn new(state: T) -> Self {
        Self {
            turn: AtomicU64::new(0),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of a piece; `None` when there are no more turns.
    fn wait(&self, index: u64) -> Option<MutexGuard<'_, T>> {
        for _ in 0..SPINS {
            let turn = self.turn.load(Ordering::Acquire);
            if turn == index || turn == OVER {
                break;
            }
            hint::spin_loop();
        }
        let mut state = self.lock();
        loop {
            let turn = self.turn.load(Ordering::Acquire);
            if turn == OVER {
                return None;
            }
            if turn == index {
                return Some(state);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the turn away.
    fn pass(&self, next: u64, state: MutexGuard<'_, T>) {
        self.turn.store(next, Ordering::Release);
        drop(state);
        self.changed.notify_all();
    }

    fn into_inner(self) -> T {
        self.state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct State<'v, V> {
    walk: Walk<'v, V>,
    outcome: Result<LastPiece, Error>,
}

/// Ends the walk for the other thread if this one panics in a listener.
struct EndOnPanic<'t, 'v, V>(&'t Shared<'v, V>);

impl<V> Drop for EndOnPanic<'_, '_, V> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// Walks a whole document, reading ahead by one piece.
pub(super) fn walk<V: Visit + Send, R: ReadAt + ?Sized>(
    lexer: Lexer,
    visit: &mut V,
    piece_bytes: usize,
    source: &R,
) -> Result<Walked, Error> {
    let shared = Shared {
        hashing: Turns::new(RevisionHasher::new()),
        walking: Turns::new(State {
            walk: Walk::new(lexer, visit),
            outcome: Ok(LastPiece::default()),
        }),
    };
    thread::scope(|scope| {
        let other = || every_other(&shared, 1, 2, piece_bytes, source);
        let started = thread::Builder::new()
            .name("session-codec".to_owned())
            .spawn_scoped(scope, other);
        // Where no thread can be had, this one does it all.
        let step = if started.is_ok() { 2 } else { 1 };
        every_other(&shared, 0, step, piece_bytes, source);
    });
    let state = shared.walking.into_inner();
    let last = state.outcome?;
    state.walk.finish(&shared.hashing.into_inner(), last)
}

/// Reads every `step`th piece from the one at `index` on, and takes each in its
/// turns, up to the end of the walk.
fn every_other<V: Visit, R: ReadAt + ?Sized>(
    shared: &Shared<'_, V>,
    mut index: u64,
    step: u64,
    piece_bytes: usize,
    source: &R,
) {
    let _guard = EndOnPanic(shared);
    let mut buffer = Buffer::new(piece_bytes);
    loop {
        let base = index.saturating_mul(piece_bytes as u64);
        let (filled, result) = fill(source, &mut buffer, base);
        let Some(mut hasher) = shared.hashing.wait(index) else {
            return;
        };
        hasher.update(&buffer[..filled]);
        shared.hashing.pass(index + 1, hasher);
        let Some(mut state) = shared.walking.wait(index) else {
            return;
        };
        // What stands before a failure is judged before it.
        let taken = state.walk.take(&buffer[..filled]);
        if let Err(error) = taken.and_then(|()| Ok(result?)) {
            state.outcome = Err(error);
            drop(state);
            return shared.end();
        }
        if filled < buffer.len() {
            buffer.truncate(filled);
            state.outcome = Ok(LastPiece {
                base,
                bytes: buffer,
            });
            drop(state);
            return shared.end();
        }
        shared.walking.pass(index + 1, state);
        index += step;
    }
}
