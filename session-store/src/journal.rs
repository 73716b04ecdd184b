//! The journal of a session: what was appended to a document since it was last written whole.
//!
//! Owns the bytes of a journal, what they mean, and which document they belong to. Must not know locks, the index, or the
//! order in which journal and document are written: that is the store's.
//!
//! A journal is a file of records behind one line of title. The first record says which document the journal extends;
//! each one after it either adds to the session, or announces that the document is about to be replaced by one that has
//! everything so far. So whoever finds document and journal together knows from the document's revision which records
//! it lacks, wherever a crash came between the two.

mod overlay;
mod parse;
mod reading;
mod record;
mod search;
mod whole;

pub(crate) use overlay::{Overlay, begin_hash};
pub(crate) use parse::{Addition, Journal};
pub(crate) use record::{AdditionKind, Begin, TITLE, added, announcement, frame};
pub(crate) use whole::Whole;

/// The longest payload of a record: above the largest append that a store takes, below what would let a damaged length
/// ask for all memory.
pub(crate) const LONGEST: usize = 1 << 30;
/// The most arrays and members that a journal names: far more than records have, and few enough to be looked through for each.
pub(crate) const MOST_NAMES: usize = 1 << 10;
