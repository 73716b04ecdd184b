//! The integration tests: one binary, whose modules mirror `src/`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test fails and reports as the test does"
)]

mod align;
mod append;
mod backend;
mod backend_append;
mod backend_mutants;
mod bad_input;
mod beside;
mod bounded;
mod cancel;
mod catalogue;
mod check;
mod check_links;
mod collections;
mod crash;
mod faults;
mod find;
mod fit;
mod fs;
mod golden;
#[cfg(target_os = "linux")]
mod hung;
mod journal;
mod journal_costs;
mod journal_crash;
mod journal_end;
mod journal_faults;
mod journal_foreign;
mod journal_history;
mod list;
mod list_count;
mod lock_owner;
mod model;
mod peers;
mod peers_ways;
mod processes;
mod proof;
mod rebind;
mod record;
mod redact;
mod redact_later;
mod salvage;
mod salvage_crash;
mod salvage_journal;
mod salvage_record;
mod save_load;
mod scan;
mod schema;
mod scope;
mod search;
mod store_crash;
mod store_faults;
mod store_history;
mod support;
mod tail;
#[cfg(feature = "tokio")]
mod tokio_calls;
#[cfg(feature = "tokio")]
mod tokio_store;
#[cfg(all(feature = "import", feature = "export"))]
mod transcripts;
