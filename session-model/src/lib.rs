//! Types of an AI coding agent's session, lossless for members they do not know.
//!
//! A session is one JSON object: the messages of a conversation with an agent, the tools it ran,
//! tokens spent, settings. This crate has the types of that object and of its parts. What they do
//! not know survives reading and writing: unknown members at every level, unknown roles and part
//! types, integers of any size, members that were missing or `null`, other spellings of a time.
//!
//! # When to use it, and when not
//!
//! Use it to read, change and write session documents without harm to what another program, or a
//! newer version of one's own, has put there. It reads the documents of codetether-agent, in the
//! compact layout and in the older one.
//!
//! It is only data. To read part of a large document, use `session-codec`; to keep sessions in a
//! directory safely, use `session-store`, which re-exports these types. If the members you need are
//! not these, implement [`SessionRecord`] for a struct of your own.
//!
//! # Example
//!
//! ```
//! use session_model::{Message, Role, Session};
//!
//! let json = r#"{"id":"s1","agent":"build","messages":[{"role":"critic","content":[
//!     {"type":"verdict","score":18446744073709551616}]}],"pages":[1]}"#;
//!
//! let mut session: Session = serde_json::from_str(json)?;
//! assert_eq!(session.messages[0].role, Role::from("critic"));
//! session.push(Message::user("thanks"));
//!
//! let written = serde_json::to_string(&session)?;
//! assert_eq!(
//!     written,
//!     concat!(
//!         r#"{"id":"s1","agent":"build","messages":[{"role":"critic","content":["#,
//!         r#"{"type":"verdict","score":18446744073709551616}]},"#,
//!         r#"{"role":"user","content":[{"type":"text","text":"thanks"}]}],"pages":[1]}"#,
//!     )
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Where it sits
//!
//! It is one of four crates below `session-store` and imports none of the others. It does no I/O,
//! starts no thread and reads no clock.
//!
//! # Features
//!
//! - `testing`: the module `testing`, a seeded generator of realistic sessions of any size.
//!
//! # Limitations
//!
//! - Losslessness is of values: white space, the order of members and the spelling of strings in
//!   known members are those of this crate. A key that stands twice is an error if it is known, and
//!   kept twice if not.
//! - A number with a fraction or beyond 64 bits where a content part of a known type has a string, or
//!   in place of a whole part, is refused, because it could not be kept exactly.
//! - Values of unknown members may be nested 127 deep.
//! - All of this is claimed for `serde_json`. Through another deserialiser unknown numbers are as
//!   exact as it gives them, and inside `#[serde(flatten)]` or an untagged enum as exact as serde's
//!   buffer.
//! - Errors of `serde_json` may quote the value that had the wrong type.
//! - Outside Unix a directory that is not Unicode is kept as its lossy text only.
//!
//! The minimum supported Rust version is 1.89.

mod directory;
mod extra;
mod header;
mod id;
mod lazy;
mod lazy_session;
mod link;
mod message;
mod metadata;
mod object;
mod part;
mod raw;
mod record;
mod role;
mod session;
mod summary;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod tool_use;
mod usage;

#[doc(inline)]
pub use crate::extra::Extra;
#[doc(inline)]
pub use crate::header::SessionHeader;
#[doc(inline)]
pub use crate::id::{InvalidId, SessionId};
#[doc(inline)]
pub use crate::lazy::Lazy;
#[doc(inline)]
pub use crate::lazy_session::LazySession;
#[doc(inline)]
pub use crate::link::ToolLink;
#[doc(inline)]
pub use crate::message::Message;
#[doc(inline)]
pub use crate::metadata::SessionMetadata;
#[doc(inline)]
pub use crate::part::ContentPart;
#[doc(inline)]
pub use crate::raw::RawJson;
pub use crate::record::SessionRecord;
#[doc(inline)]
pub use crate::role::Role;
#[doc(inline)]
pub use crate::session::Session;
#[doc(inline)]
pub use crate::summary::SessionSummary;
#[doc(inline)]
pub use crate::tool_use::ToolUse;
#[doc(inline)]
pub use crate::usage::Usage;
