//! When a pointer is proven, and what a change may claim. Owns the rules; knows no storage and no bytes.
//!
//! # The argument
//!
//! The state says: *while the watched directory has this stamp, every pointer of this epoch is true*. A pointer is true
//! when no session of its workspace comes after the one it names, that one aside.
//!
//! - A change that holds the lock takes a stamp, makes its step, and takes another. If the first is the recorded one,
//!   nothing happened between the recorded moment and the step, so that the pointers it leaves alone are as true as they
//!   were, and those it writes are true if its caller says so. Then the second stamp is recorded for the same epoch.
//! - A walk over the directory proves what it found if a stamp from before it is still there under the lock. If that stamp
//!   is recorded, its pointers join the epoch; otherwise a new epoch begins, which makes all older pointers hints.
//! - Pointers are written before the state. A crash in between leaves pointers of an epoch that never begins, or a state
//!   whose stamp has passed.

use std::io;

use crate::answer::Proof;
use crate::epoch::Epoch;
use crate::rule::{Rule, Rules};
use crate::stamp::{Stamp, Watch};
use crate::state_file::{Scope, State};

/// What a change is made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Nothing was watched.
    #[default]
    Nothing,
    /// A step with a stamp on either side.
    Step {
        before: Option<Stamp>,
        after: Option<Stamp>,
    },
    /// A walk that began after this stamp was taken, and how far it went.
    Walk { since: Stamp, scope: Scope },
}

/// What a change may claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Nothing: what it records are hints.
    Hints,
    /// Nothing, and what was found may be out of date by now: it is a hint at most where nothing else is known.
    Moved,
    /// Its pointers belong to this epoch, and this state is written after them, if any.
    Epoch(Epoch, Option<State>),
}

/// Whether the state is about this stamp.
pub(crate) fn covers(state: &State, stamp: Option<&Stamp>, rules: Rules) -> bool {
    let Some(stamp) = stamp else { return false };
    let mut recorded = state.stamp;
    if !rules.hold(Rule::ChangeTime) {
        recorded.changed = stamp.changed;
    }
    if !rules.hold(Rule::Boot) {
        recorded.boot = stamp.boot;
    }
    recorded == *stamp
}

/// Whether a pointer of `epoch` is true while the directory has `stamp`.
pub(crate) fn judge(
    epoch: Option<Epoch>,
    state: Option<&State>,
    stamp: Option<&Stamp>,
    rules: Rules,
) -> Proof {
    let proven = state.is_some_and(|state| {
        let same = epoch == Some(state.epoch);
        covers(state, stamp, rules) && (same || !rules.hold(Rule::SameEpoch))
    });
    if proven {
        Proof::Proven
    } else {
        Proof::Unproven
    }
}

/// Says what a change may claim; the caller holds the lock.
pub(crate) fn ground(
    basis: &Basis,
    state: Option<&State>,
    watch: &dyn Watch,
    rules: Rules,
) -> io::Result<Ground> {
    let settles = |stamp: &Stamp| !rules.hold(Rule::Settled) || watch.settles(stamp);
    Ok(match *basis {
        Basis::Nothing => Ground::Hints,
        Basis::Step { before, after } => match (state, after) {
            (Some(state), Some(after))
                if covers(state, before.as_ref(), rules)
                    || (before.is_some() && !rules.hold(Rule::FirstStat)) =>
            {
                let late = (!rules.hold(Rule::SecondStat)).then(|| watch.stamp());
                let after = late.transpose()?.flatten().unwrap_or(after);
                if settles(&after) {
                    let next = State {
                        stamp: after,
                        ..*state
                    };
                    Ground::Epoch(state.epoch, (next != *state).then_some(next))
                } else {
                    Ground::Hints
                }
            }
            _ => Ground::Hints,
        },
        Basis::Walk { since, scope } => {
            let now = match watch.stamp()? {
                Some(now) if now == since => now,
                Some(now) if !rules.hold(Rule::Unchanged) => now,
                _ => return Ok(Ground::Moved),
            };
            let joined = state.filter(|state| covers(state, Some(&now), rules));
            match joined {
                Some(state) => {
                    let next = State {
                        scope: if scope == Scope::All {
                            scope
                        } else {
                            state.scope
                        },
                        ..*state
                    };
                    Ground::Epoch(state.epoch, (next != *state).then_some(next))
                }
                None if settles(&now) => {
                    let epoch = if rules.hold(Rule::FreshEpoch) {
                        Epoch::fresh()
                    } else {
                        Epoch::after(state.map(|state| state.epoch))
                    };
                    let next = State {
                        stamp: now,
                        epoch,
                        scope,
                    };
                    Ground::Epoch(epoch, Some(next))
                }
                None => Ground::Hints,
            }
        }
    })
}
