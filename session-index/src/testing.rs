//! What tests of an index need: one suite for each trait, a storage in memory and one that fails on demand. The suites
//! panic with what was promised; nothing here is meant for production.

mod change_conformance;
mod fault_storage;
mod index_conformance;
mod memory_storage;
mod steps;
mod storage_conformance;

pub use fault_storage::{FaultStorage, Operation, Repeat};
pub use index_conformance::{Keeps, index_conformance};
pub use memory_storage::MemoryStorage;
pub use storage_conformance::storage_conformance;
