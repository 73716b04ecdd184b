//! Sessions of AI coding agents as plain JSON files: saved safely, resumed in an instant, never lost.
//!
//! One session is one file that any tool can read. On top of that, this crate gives what a database would: a save that
//! was acknowledged survives a power cut, a crash never leaves half a session, two writers never silently undo each
//! other, the last session of a directory is never stale, and resuming the end of a huge session needs memory
//! for the end only.
//!
//! # When to use it, and when not
//!
//! Use it to keep the transcripts of an agent on a local disk, one directory of sessions a user. Do not use it for sessions
//! that several programs write to at once, on file systems without atomic rename,
//! or where sessions must be queried by content as in a database. Windows is not supported yet.
//!
//! # Example
//!
//! ```
//! use session_store::{Append, Message, Session, SessionId, SessionStore, Window};
//! # use std::path::Path;
//!
//! # let scratch = tempfile::tempdir()?;
//! # let dir = scratch.path().join("sessions");
//! # let cwd = Path::new("/home/me/project");
//! let store = SessionStore::open(&dir)?;
//!
//! // First run: a session of this directory, saved after its first turn.
//! let mut session = Session::new(SessionId::new("2c7e")?, cwd);
//! session.push(Message::user("Why does the test fail?"));
//! session.push(Message::assistant("It asserts a time."));
//! session.touch(chrono::Utc::now());
//! store.save(&session)?;
//!
//! // Next run: resume the newest session of the directory, only its end, and add a turn.
//! let tail = store.last_for_directory_tail(Some(cwd), Window::last(1))?.expect("just saved");
//! assert_eq!(tail.messages.len(), 1);
//! assert_eq!(tail.dropped().total(), 1);
//! let turn = Append::new().based_on(tail.revision()).message(&Message::user("Remove the assertion."))?;
//! store.append(&tail.id, &turn)?;
//!
//! assert_eq!(store.load(&tail.id)?.messages.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where it sits
//!
//! The facade over four crates that know nothing of each other, each useful alone: `session-model` (types),
//! `session-codec` (JSON bytes), `session-scan` (many files) and `session-index` (directory to session). A record type
//! of your own takes part in everything by implementing [`SessionRecord`].
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `cli` | the program `sessions`, for terminals; nothing for users of the library |
//! | `export` | sessions as one JSON document, as Markdown, as a page to read: `transcripts::Exporter` |
//! | `import` | reads the transcripts of other agents: `transcripts::Importer` |
//! | `regex` | searches for regular expressions |
//! | `simd-json` | parses with SIMD, and with `serde_json` again what that refuses |
//! | `testing` | the crash model of [`fs::MemoryFs`], fault injection, and the [`Backend`] conformance suite |
//! | `tokio` | `session_store::tokio`: all calls as futures that can be dropped at any time |
//! | `tracing` | spans over each call, and debug events with ids, sizes and counts; never content |
//!
//! # Limitations
//!
//! - A foreign program that rewrites a file in place, keeping its size and times, is not noticed by `save`.
//! - `save` writes the whole document, whatever has changed. `append` writes what is new; other programs see it after a
//!   [`checkpoint`](SessionStore::checkpoint), and a backup needs that or a copy of `.store/journal/` too.
//! - A journal is read to its end by whoever reads its session; it is folded once it has 1 MiB, or 8 MiB while a writer holds
//!   it, and is longer than five quarters of the document.
//! - File locks need a file system that has them; network file systems often do not.
//!
//! Minimum supported Rust version: 1.89.

mod append;
pub mod backend;
mod builder;
mod catalogue;
mod check;
mod corpus;
mod durability;
mod error;
mod failure;
pub mod fs;
mod index_storage;
mod journal;
mod limits;
mod mounts;
mod order;
mod page;
mod probe;
mod progress;
mod quarantine;
mod query;
mod rebind;
mod redact;
mod repository;
mod resolve;
mod salvage;
mod scope;
mod search;
mod skipped;
mod store;
mod stuck;
mod tail;
#[cfg(feature = "tokio")]
pub mod tokio;
mod trace;
#[cfg(any(feature = "import", feature = "export"))]
pub mod transcripts;
mod trashed;
mod view;
mod whole;
mod window;
mod workspace;

pub use append::{Append, Unencodable};
pub use backend::{Backend, FileKind, LockOwner, MemoryBackend, Trust};
pub use builder::{Builder, IndexKind, Warning};
pub use check::{CheckReport, Checked, Finding, Severity};
pub use durability::Durability;
pub use error::{ConflictReason, Error};
pub use limits::Limits;
pub use page::Page;
pub use progress::Progress;
pub use quarantine::{QuarantineReason, Quarantined};
pub use query::{
    Counts, Cursor, Found, Freshness, InvalidCursor, LastQuery, Listing, Query, Source,
};
pub use rebind::{Rebind, Rebinding, Rebound};
pub use redact::Redactor;
pub use salvage::{LostRange, SalvageReport};
pub use scope::Scope;
#[cfg(feature = "regex")]
pub use search::InvalidPattern;
pub use search::{Fields, Hit, Hits, SearchQuery, Snippet, Stopper};
pub use skipped::{SkipReason, Skipped};
pub use store::{SessionStore, Writer};
pub use tail::{Dropped, Tail};
pub use trashed::Trashed;
pub use whole::Whole;
pub use window::{Alignment, Window};

#[doc(inline)]
pub use session_codec::Case;
#[doc(no_inline)]
pub use session_codec::{FooterFault, FooterUse, Revision};
#[doc(inline)]
pub use session_model::{
    ContentPart, Extra, InvalidId, Lazy, LazySession, Message, RawJson, Role, Session,
    SessionHeader, SessionId, SessionMetadata, SessionRecord, SessionSummary, ToolLink, ToolUse,
    Usage,
};

// The parser that decodes sessions.
#[cfg(not(feature = "simd-json"))]
use session_codec::SerdeJson as DefaultParser;
#[cfg(feature = "simd-json")]
use session_codec::SimdJson as DefaultParser;
