//! What a listing found, kept for the next one: rows newest first, in pages that each say whether they are whole.
//!
//! Owns the layout of the file and its verification. Must not know JSON, which rows a query wants, or when a row may be
//! believed: whoever reads compares stamps.
//!
//! The layout is described in `docs/format.md`. Numbers are little-endian, checksums are CRC-32 (IEEE).

mod bytes;
mod header;
mod joined;
mod notes;
mod read;
mod row;
mod write;

pub(crate) use header::Header;
pub(crate) use joined::Joined;
pub(crate) use notes::{Notes, Unlisted};
pub(crate) use read::Catalogue;
pub(crate) use row::{Row, Rows, Shown, encode};
pub(crate) use write::Writer;

/// The catalogue's name among the files of the index.
pub(crate) const NAME: &str = "catalogue";

/// A catalogue that is not whole, or not one of ours. What it said is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;
