//! One macro that is a `tracing` event with the feature and nothing without it.
//!
//! Owns the optional dependency. Events carry counts and durations, never names of files or their content.

/// Emits a debug event, or evaluates nothing.
#[cfg(feature = "tracing")]
macro_rules! event {
    ($($part:tt)*) => { tracing::debug!(target: "session_scan", $($part)*) };
}

/// Emits nothing; the arguments are not even evaluated.
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($($part:tt)*) => {};
}

pub(crate) use event;
