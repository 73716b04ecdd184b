//! Tests of `session-scan` through its public face; the modules mirror `src/`.

mod conformance;
#[cfg(unix)]
mod directory;
mod newest;
mod newest_parallel;
mod searcher;
mod searcher_parallel;
mod sieve;
mod store;

/// Every public type can be moved to and shared with another thread, and printed.
#[test]
fn public_types_are_debug_send_and_sync() {
    fn check<T: std::fmt::Debug + Send + Sync>() {}
    check::<session_scan::Entry>();
    check::<session_scan::Listing>();
    check::<session_scan::Reason>();
    check::<session_scan::OpenError>();
    check::<session_scan::Unreadable>();
    check::<session_scan::Searcher>();
    check::<session_scan::SearchBuffer>();
    check::<session_scan::Sifted>();
    check::<session_scan::Searched<()>>();
    check::<session_scan::Newest<'_, session_scan::testing::MemoryCorpus, store::Records>>();
    #[cfg(unix)]
    check::<session_scan::Directory>();
}
