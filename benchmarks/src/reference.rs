//! The reference algorithm that every case is compared with: a known implementation of the same job, re-created step by
//! step with its own types.
//!
//! Its steps, good and bad, are the point, so nothing here is improved: saves are not synced, the index is one map that is
//! read and written whole, the tail is found by decoding everything, a scan maps every file before it looks at any.
//! Rival libraries that need a plain serde type borrow its record types.

pub mod index_map;
pub mod last;
pub mod list;
pub mod load;
pub mod save;
pub mod types;
