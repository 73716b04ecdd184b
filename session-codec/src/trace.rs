//! Spans for the operations, with sizes. Owns the one place that knows whether
//! the feature `tracing` is on; must never be given content.

/// Enters a span that lasts as long as the value returned.
#[cfg(feature = "tracing")]
pub(crate) fn span(operation: &'static str, bytes: u64) -> tracing::span::EnteredSpan {
    tracing::debug_span!("session_codec", operation, bytes).entered()
}

/// Does nothing.
#[cfg(not(feature = "tracing"))]
pub(crate) fn span(_operation: &'static str, _bytes: u64) -> Silent {
    Silent
}

/// Stands for a span that is not there.
#[cfg(not(feature = "tracing"))]
#[derive(Debug)]
#[must_use]
pub(crate) struct Silent;

/// Records what a walk has read.
pub(crate) fn walked(operation: &'static str, bytes: u64, kept: u64) {
    #[cfg(feature = "tracing")]
    tracing::debug!(operation, bytes, kept, "walked");
    #[cfg(not(feature = "tracing"))]
    let _ = (operation, bytes, kept);
}
