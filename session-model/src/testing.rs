//! A seeded generator of realistic sessions, for tests and benches.
//!
//! Sizes and shapes follow measurements of real transcripts: a few long messages hold most of the
//! bytes, tool calls carry JSON inside a JSON string, tool results carry code, terminal colours and
//! some text that is not ASCII. It is not needed to use the crate, and its output for a seed may
//! change between versions.

mod generator;
mod layout;
mod sizes;
mod stream;
mod text;

pub use self::generator::{Generator, Layout, Shape};
