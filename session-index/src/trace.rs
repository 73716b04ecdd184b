//! Spans around the three operations, with outcome and duration and never a path or an id. Compiles to the bare call
//! without the feature `tracing`.

#[cfg(feature = "tracing")]
use std::time::Instant;

use crate::index::Change;
use crate::{Answer, Consultation, Error, Proof};

/// Runs a lookup and says how it ended.
pub(crate) fn lookup(
    kind: &'static str,
    run: impl FnOnce() -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    observe("lookup", kind, run, |answer| match answer {
        Answer::Unknown(reason) => reason.as_str(),
        Answer::Hint { .. } => "hint",
        Answer::NoneRecorded { .. } => "none recorded",
    })
}

/// Runs a lookup of several workspaces and says whether all of it was proven.
pub(crate) fn consult(
    kind: &'static str,
    run: impl FnOnce() -> Result<Consultation, Error>,
) -> Result<Consultation, Error> {
    observe("consult", kind, run, |told| {
        let proven = |answer: &Answer| answer.proof() == Proof::Proven;
        if told.answers.iter().all(proven) {
            "proven"
        } else {
            "unproven"
        }
    })
}

/// Runs the start of a change and says whether the lock was had.
pub(crate) fn begin<'a>(
    kind: &'static str,
    run: impl FnOnce() -> Result<Box<dyn Change + 'a>, Error>,
) -> Result<Box<dyn Change + 'a>, Error> {
    observe("begin", kind, run, |_| "locked by us")
}

/// Runs a commit and says whether it was written.
pub(crate) fn commit(
    kind: &'static str,
    run: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    observe("commit", kind, run, |()| "written")
}

#[cfg(feature = "tracing")]
fn observe<T>(
    operation: &'static str,
    kind: &'static str,
    run: impl FnOnce() -> Result<T, Error>,
    outcome: impl FnOnce(&T) -> &'static str,
) -> Result<T, Error> {
    let span = tracing::debug_span!("session_index", operation, kind);
    let _entered = span.enter();
    let started = Instant::now();
    let result = run();
    let microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match &result {
        Ok(value) => tracing::debug!(outcome = outcome(value), microseconds, "{operation} done"),
        Err(Error::Locked) => {
            tracing::debug!(outcome = "locked", microseconds, "{operation} failed");
        }
        Err(Error::TooLarge { limit, .. }) => {
            tracing::debug!(
                outcome = "too large",
                limit,
                microseconds,
                "{operation} failed"
            );
        }
        Err(Error::Io { op, source, .. }) => {
            tracing::debug!(outcome = "io", op, kind = ?source.kind(), microseconds, "{operation} failed");
        }
    }
    result
}

#[cfg(not(feature = "tracing"))]
fn observe<T>(
    _operation: &'static str,
    _kind: &'static str,
    run: impl FnOnce() -> Result<T, Error>,
    _outcome: impl FnOnce(&T) -> &'static str,
) -> Result<T, Error> {
    run()
}
