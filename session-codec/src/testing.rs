//! What implementers and tests of other crates need: a seeded generator of JSON
//! documents, valid and broken, and the suites that every [`ReadAt`] and every
//! [`Parser`] must pass. Owns no behaviour of the codec.
//!
//! [`ReadAt`]: crate::ReadAt
//! [`Parser`]: crate::Parser

pub mod checks;
mod conformance;
mod documents;

pub use crate::block::Instructions;
pub use conformance::{parser_conformance, read_at_conformance};
pub use documents::{documents, sessions};

/// Counts the elements of one array with chosen instructions, by structure
/// alone and from memory: the inner loop of a tail without reading or hashing,
/// for benchmarks.
///
/// # Errors
///
/// As [`Codec::count`](crate::Codec::count).
pub fn skim(
    instructions: Instructions,
    document: &[u8],
    array: &str,
) -> Result<Option<u64>, crate::Error> {
    crate::count::count_slice(instructions, document, array)
}
