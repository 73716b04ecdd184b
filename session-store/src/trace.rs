//! One place where the `tracing` feature is switched: with it off, every event compiles to nothing.

/// Emits a debug event with ids, sizes and counts. Callers pass no transcript content.
macro_rules! event {
    ($($field:tt)*) => {
        #[cfg(feature = "tracing")]
        tracing::debug!(target: "session_store", $($field)*);
    };
}

pub(crate) use event;

/// Says that the index was of no use to a change that succeeded all the same.
pub(crate) fn index_unused(error: &session_index::Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "session_store", %error, "index not used");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
