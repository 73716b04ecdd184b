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
    Error, ReadAt,
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

/// What the threads share.
#[derive(Debug)]
struct Turns<'v, V> {
    /// The piece whose turn it is. Written only under the lock.
    turn: AtomicU64,
    state: Mutex<State<'v, V>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<'v, V> {
    walk: Walk<'v, V>,
    outcome: Result<LastPiece, Error>,
}

/// Ends the walk for the other thread if this one panics in a listener.
struct EndOnPanic<'t, 'v, V>(&'t Turns<'v, V>);

impl<V> Drop for EndOnPanic<'_, '_, V> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _state = self.0.lock();
            self.0.pass(OVER);
        }
    }
}

impl<'v, V> Turns<'v, V> {
    fn lock(&self) -> MutexGuard<'_, State<'v, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn away; the caller holds the lock.
    fn pass(&self, next: u64) {
        self.turn.store(next, Ordering::Release);
        self.changed.notify_all();
    }
}

/// Walks a whole document, reading ahead by one piece.
pub(super) fn walk<V: Visit + Send, R: ReadAt + ?Sized>(
    lexer: Lexer,
    visit: &mut V,
    piece_bytes: usize,
    source: &R,
) -> Result<Walked, Error> {
    let turns = Turns {
        turn: AtomicU64::new(0),
        state: Mutex::new(State {
            walk: Walk::new(lexer, visit),
            outcome: Ok(LastPiece::default()),
        }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        let other = || every_other(&turns, 1, 2, piece_bytes, source);
        let started = thread::Builder::new()
            .name("session-codec".to_owned())
            .spawn_scoped(scope, other);
        // Where no thread can be had, this one does it all.
        let step = if started.is_ok() { 2 } else { 1 };
        every_other(&turns, 0, step, piece_bytes, source);
    });
    let state = turns
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    state.walk.finish(state.outcome?)
}

/// Reads every `step`th piece from the one at `index` on, and takes each in its
/// turn, up to the end of the walk.
fn every_other<V: Visit, R: ReadAt + ?Sized>(
    turns: &Turns<'_, V>,
    mut index: u64,
    step: u64,
    piece_bytes: usize,
    source: &R,
) {
    let _guard = EndOnPanic(turns);
    let mut buffer = Buffer::new(piece_bytes);
    loop {
        let base = index.saturating_mul(piece_bytes as u64);
        let (filled, result) = fill(source, &mut buffer, base);
        for _ in 0..SPINS {
            let turn = turns.turn.load(Ordering::Acquire);
            if turn == index || turn == OVER {
                break;
            }
            hint::spin_loop();
        }
        let mut state = turns.lock();
        loop {
            let turn = turns.turn.load(Ordering::Acquire);
            if turn == OVER {
                return;
            }
            if turn == index {
                break;
            }
            state = turns
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // What stands before a failure is judged before it.
        let taken = state.walk.take(&buffer[..filled]);
        if let Err(error) = taken.and_then(|()| Ok(result?)) {
            state.outcome = Err(error);
            turns.pass(OVER);
            return;
        }
        if filled < buffer.len() {
            buffer.truncate(filled);
            state.outcome = Ok(LastPiece {
                base,
                bytes: buffer,
            });
            turns.pass(OVER);
            return;
        }
        turns.pass(index + 1);
        drop(state);
        index += step;
    }
}
