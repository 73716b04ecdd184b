//! What tests of this crate and of its users share: an in-memory corpus, a counting one, and conformance suites.
//!
//! Owns nothing that runs in production. Behind feature `testing`.

mod conformance;
mod counting;
mod memory;

pub use conformance::{Fixture, corpus_conformance, probe_conformance};
pub use counting::{Counting, CountingFile};
pub use memory::{MemoryCorpus, MemoryFile};
