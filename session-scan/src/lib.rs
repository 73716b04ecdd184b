//! Walks a set of files newest first and looks into them, with a parallel substring searcher.
//!
//! # When to use it
//!
//! For a directory of files in which the newest one with some property is wanted, again and again, without a database:
//! the last session of a workspace, the last result of a job. The property is yours ([`Probe`]), the order is yours
//! ([`Ranked`]), and files are opened only as long as they could change the answer. Also for searching all of them for
//! byte patterns ([`Searcher`]), or for whatever a cheap test of yours suspects ([`Sieve`]).
//!
//! Not for trees of directories, for regular expressions, for watching changes, or where the newest file by mtime is all
//! you want: sorting a listing does that.
//!
//! # Example
//!
//! ```
//! # #[cfg(unix)] {
//! use std::fs::{self, File};
//! use session_scan::{Corpus, Directory, Entry, Look, Newest, Probe, Ranked};
//!
//! /// Wants files that begin with an `h`, and ranks them by mtime.
//! struct BeginsWithH<'a>(&'a Directory);
//! struct Hit(i128);
//!
//! impl Ranked for Hit {
//!     type Rank = i128;
//!     fn rank(&self) -> i128 { self.0 }
//!     fn at(&self) -> i128 { self.0 }
//! }
//!
//! impl Probe<File> for BeginsWithH<'_> {
//!     type Hit = Hit;
//!     fn probe(&self, entry: &Entry, file: &File) -> Look<Hit> {
//!         let mut first = [0];
//!         match self.0.read_at(file, &mut first, 0) {
//!             Ok(1) if first == *b"h" => Look::Hit(Hit(entry.modified)),
//!             Ok(_) => Look::Miss,
//!             Err(error) => Look::Unreadable(error.into()),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! fs::write(directory.path().join("a.json"), "hello")?;
//! fs::write(directory.path().join("b.json"), "good-bye")?;
//! fs::create_dir(directory.path().join("c.json"))?;
//!
//! let corpus = Directory::new(directory.path(), |name| name.len() < 9);
//! let listing = corpus.list()?;
//! assert_eq!(listing.rejected.len(), 1, "a directory is not skipped in silence");
//!
//! let probe = BeginsWithH(&corpus);
//! let mut newest = Newest::new(&corpus, listing.entries, &probe);
//! let (entry, _) = newest.next_hit().ok_or("there is one")?;
//! assert_eq!(entry.name, "a");
//! assert!(newest.next_hit().is_none());
//! # Ok(()) }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Where it sits
//!
//! A lower crate of `session-store`, beside `session-model`, `session-codec` and `session-index`; it depends on none of
//! them and knows neither JSON nor sessions. The store brings the probe that understands session files, and may bring a
//! [`Corpus`] over something else than a directory.
//!
//! What it promises:
//!
//! - **Exact and early.** [`Newest`] yields what looking at every file and sorting would, for every number of threads.
//! - **Nothing in silence.** What can't be listed, opened, read or understood is reported with a [`Reason`]. Only files
//!   that went away meanwhile are passed over.
//! - **Nothing harmful.** No link is followed, no named pipe waited for, nothing mapped, nothing written. At most one
//!   file a thread or read in flight is open, besides the directory.
//!
//! # Features
//!
//! - `testing`: `testing::MemoryCorpus`, a counting corpus, and the suites `testing::corpus_conformance` and
//!   `testing::probe_conformance`.
//! - `tracing`: debug events with counts when a directory was listed, a hit found, a search ended; never names or content.
//!
//! # Limitations
//!
//! - [`Directory`] is for Unix; the rest works anywhere with another [`Corpus`].
//! - A listing is a snapshot: a file that appears later is not seen, and one that is replaced later is looked at with its
//!   old times.
//! - mtimes are believed. A file whose content changed without its mtime changing is taken at the old place in the order.
//! - Patterns are bytes: spellings, case and encodings are the caller's. Each pattern is searched for separately, which
//!   suits a handful, not thousands.
//!
//! # MSRV
//!
//! Rust 1.89.

mod corpus;
#[cfg(unix)]
mod directory;
mod entry;
mod newest;
mod patience;
mod probe;
mod reason;
mod searcher;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;

pub use corpus::Corpus;
#[cfg(unix)]
pub use directory::Directory;
pub use entry::{Entry, Listing};
pub use newest::Newest;
pub use patience::Patience;
pub use probe::{Look, Probe, Ranked};
pub use reason::{FileKind, OpenError, Reason, Rejected, Unreadable};
pub use searcher::{
    CandidateFinder, Match, Next, SearchBuffer, Searched, Searcher, Sieve, Sifted, Visitor,
};
