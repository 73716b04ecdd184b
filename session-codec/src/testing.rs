//! What implementers and tests of other crates need: a seeded generator of JSON
//! documents, valid and broken, and the suites that every [`ReadAt`] and every
//! [`Parser`] must pass. Owns no behaviour of the codec.
//!
//! [`ReadAt`]: crate::ReadAt
//! [`Parser`]: crate::Parser

pub mod checks;
mod conformance;
mod documents;

pub use conformance::{parser_conformance, read_at_conformance};
pub use documents::{documents, sessions};
