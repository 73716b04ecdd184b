//! A durable hint from a workspace directory to its newest session, with a proof that it is still true where there can be.
//!
//! A program that keeps one file a session is asked at every start: which was the last one *here*? This crate remembers
//! the answer, in one small file a workspace, and the stamp of the sessions' directory for which it is true. Whatever
//! happens to the index, the caller finds the same session, only slower.
//!
//! # When to use it, and when not
//!
//! Use it where the truth is somewhere else and costs a scan to find, and where several threads and processes record
//! at once. Don't use it as the only place where something is written: it may be deleted at any time, it forgets what it
//! cannot write down, and it never checks that a session exists.
//!
//! # Example
//!
//! ```
//! use std::path::Path;
//!
//! use session_index::{DirStorage, Pointer, SidecarIndex, WorkspaceIndex};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root = tempfile::tempdir()?;
//! # let directory = root.path().join("index");
//! let index = SidecarIndex::new(DirStorage::new(directory));
//! let workspace = Some(Path::new("/home/me/project"));
//! let saved = Pointer::new("session-1", 1_773_171_774_066_971_411, 1_773_171_774_066_971_411);
//!
//! let mut change = index.begin()?;                    // takes the index lock
//! let recorded = change.lookup(workspace)?;
//! if recorded.pointer().is_none_or(|older| *older < saved) {
//!     change.record(workspace, saved.clone());
//! }
//! change.commit()?;                                   // without it nothing is written
//!
//! // Maybe years later, in another process. Verify the id before you use it.
//! assert_eq!(index.lookup(workspace)?.pointer(), Some(&saved));
//! # Ok(())
//! # }
//! ```
//!
//! # Which index
//!
//! | index | keeps | lookup reads | for |
//! |---|---|---|---|
//! | [`SidecarIndex`] | everything | one pointer | the usual case |
//! | [`JsonMapIndex`] | ids of workspaces whose path is UTF-8 | the whole map | a directory shared with codetether-agent |
//! | [`MemoryIndex`] | everything | a map in memory | tests, and stores in memory |
//! | [`NoIndex`] | nothing | nothing | read-only media, and doubts |
//!
//! The first two keep their blobs in an [`IndexStorage`]: [`DirStorage`], or one of your own.
//!
//! # Proof
//!
//! A storage that [watches](Watch) a directory makes a [`SidecarIndex`] or a [`MemoryIndex`] prove its answers. Whoever changes
//! the directory does it in [`Change::step`] and tells the change what it made untrue; whoever has looked at all of it says so
//! with [`Change::walked`]; both record with [`Change::prove`]. An answer is [`Proven`](Proof::Proven) while the directory has
//! the stamp that was recorded last. Anybody else's change gives it another stamp, and all answers are hints again.
//!
//! # Where it sits
//!
//! One of the four independent lower crates of the session-store workspace, and usable without the rest. It knows paths as
//! bytes, ids as unchecked text and times as numbers; it knows no session documents. `session-store` validates ids, reads
//! the sessions it is pointed to, decides which of two wins, and implements [`IndexStorage`] on its own backends.
//!
//! # Features
//!
//! - `testing`: one conformance suite for each trait, a storage in
//!   memory and one that fails on demand. Off by default.
//! - `tracing`: a span around each lookup, begin and commit, with outcome and duration, never a path or an id. Off by
//!   default.
//!
//! # Limitations
//!
//! - [`DirStorage`] watches nothing, so that answers from it are never proven: whoever has a directory to watch has a storage
//!   of its own.
//! - A strange change exactly between the two stamps of a [`step`](Change::step) is not noticed until the next one.
//! - A pointer that was put back from an older copy of itself verifies: it is old, not damaged.
//! - A change that names several workspaces is atomic for each of them, not for all of them together.
//! - Locks are advisory. A program that ignores them, such as the other one that writes the JSON map, can undo an update.
//! - Outside Unix a path that is not Unicode is not recorded, links are followed, and directories are not synced.
//!
//! The minimum supported Rust version is 1.89.

#![forbid(unsafe_code)]

mod answer;
mod dir_storage;
mod epoch;
mod error;
mod gate;
mod index;
mod json_map;
mod key;
mod memory;
mod no_index;
mod pending;
mod pointer_file;
mod proof;
mod rule;
mod seal;
mod sidecar;
mod stamp;
mod state_file;
mod storage;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod turn;

pub use crate::answer::{Answer, Consultation, Pointer, Proof, Reason};
pub use crate::dir_storage::{DirStorage, Durability};
pub use crate::error::Error;
pub use crate::index::{Change, WorkspaceIndex};
pub use crate::json_map::JsonMapIndex;
pub use crate::memory::MemoryIndex;
pub use crate::no_index::NoIndex;
#[doc(hidden)]
pub use crate::rule::{Rule, Rules};
pub use crate::sidecar::SidecarIndex;
pub use crate::stamp::{Stamp, Watch};
pub use crate::state_file::Scope;
pub use crate::storage::{IndexStorage, StorageLock};
pub use crate::turn::Turn;
