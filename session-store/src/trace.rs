//! One place where the `tracing` feature is switched: with it off, every event compiles to nothing.

/// Emits a debug event with ids, sizes and counts. Callers pass no transcript content.
macro_rules! event {
    ($($field:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::debug!(target: "session_store", $($field)*);
    };
}

/// Opens a span over the rest of the enclosing block, so that a subscriber can tell how long a call took.
macro_rules! span {
    ($($field:tt)*) => {
        #[cfg(feature = "tracing")]
        let _span = tracing::debug_span!(target: "session_store", $($field)*).entered();
    };
}

pub(crate) use event;
pub(crate) use span;

/// Says that the index was of no use to a change that succeeded all the same.
pub(crate) fn index_unused(error: &session_index::Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "session_store", %error, "index not used");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
