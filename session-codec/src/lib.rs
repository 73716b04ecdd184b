//! Encodes and decodes session documents: large JSON objects whose bulk is a few
//! long arrays, of which mostly the end is wanted.
//!
//! **Use it** when transcripts, logs of events or other append-mostly documents
//! are kept as plain JSON and must be resumed from their last elements without
//! the cost, in memory, of all of them; when a few members of many documents
//! are to be listed; when elements are added to a document without decoding it;
//! or when documents come from strangers and need limits.
//!
//! **Don't use it** for JSON lines (there is nothing to skip in one line), for
//! arrays nested deeper than the document's own members, or where `serde_json`
//! on a small document is all that is needed.
//!
//! # Example
//!
//! ```
//! use serde::Deserialize;
//! use session_codec::{Codec, TailCap};
//!
//! #[derive(Deserialize)]
//! struct Transcript {
//!     id: String,
//!     messages: Vec<String>,
//! }
//!
//! let document = br#"{"id": "a", "messages": ["one", "two", "three"]}"#;
//! let tail = Codec::new().tail::<Transcript, _>(document, &TailCap::new().cap("messages", 2))?;
//! assert_eq!(tail.value.messages, ["two", "three"]);
//! assert_eq!(tail.dropped, [("messages".to_owned(), 1)]);
//! assert_eq!(tail.value.id, "a");
//! # Ok::<(), session_codec::Error>(())
//! ```
//!
//! # The operations
//!
//! | call | reads | memory |
//! |---|---|---|
//! | [`Codec::encode`], [`Codec::encode_part`] | – | one buffer |
//! | [`Codec::decode`] | bytes given whole | the value |
//! | [`Codec::load`], [`Codec::load_split`] | all once | one read, the longest string, and the value |
//! | [`Codec::tail`], [`Codec::prune`] | all once, kept bytes twice | kept bytes and the value |
//! | [`Codec::tail_from_read`] | all once | twice the window, and the value |
//! | [`Codec::header`] | a few KiB from either end, rarely all | the members found |
//! | [`Codec::count`], [`Codec::validate`] | all once | one read |
//! | [`Codec::amend`] | all twice | the amendment |
//!
//! Bytes come from anything that implements [`ReadAt`], values from anything
//! that implements [`Parser`].
//!
//! # What is checked
//!
//! The walk over a document accepts and rejects exactly what `serde_json` does
//! for a value it skips (its `IgnoredAny`), plus the [`Limits`]. What is kept is
//! then judged by the asked type. So in elements that a tail drops, in the
//! reserved member, and in all of [`Codec::count`], [`Codec::validate`] and
//! [`Codec::amend`], four things pass that a decode would refuse:
//!
//! - bad UTF-8 inside strings;
//! - lone or broken surrogate escapes;
//! - numbers out of range, such as `1e999`;
//! - whatever else only the type refuses (other kinds of values, repeated
//!   members, members missing).
//!
//! [`Codec::header`] checks what it returns and the part of the document it had
//! to walk over.
//!
//! # Where it sits
//!
//! Below a store of sessions, beside crates for their types, for directories and
//! for an index, none of which it knows. It knows bytes, serde types, and that
//! some members are arrays whose head may be dropped. Nothing here opens,
//! creates or renames a file.
//!
//! # Features
//!
//! - `simd-json`: [`SimdJson`](https://docs.rs/simd-json), a parser that uses
//!   vector instructions and falls back to `serde_json`.
//! - `mmap`: a memory-mapped file as a [`ReadAt`]; read its contract first.
//! - `tracing`: spans with sizes, never content.
//! - `testing`: conformance suites for the traits and a seeded generator of JSON
//!   documents.
//!
//! # Limitations
//!
//! - A tail without a count is not offered: every tail walks over the document,
//!   though without decoding what it drops.
//! - The member named [`RESERVED`] is hidden from every type.
//! - With `simd-json`, `-0` is read as an integer without its sign; a test lists
//!   the differences that were found. Exact accept and reject is claimed for
//!   `serde_json` only.
//! - `serde_json` rounds some floats when it reads them; keep such values as raw
//!   text where that matters.
//! - The limit on depth can be raised, but parsers have their own, 127 levels
//!   for `serde_json`.
//! - A file changed in place while it is read gives errors or a mixture.
//!   Replace files, or read a copy.
//!
//! The minimum supported Rust version is 1.89.

mod amend;
mod cap;
mod codec;
mod count;
mod decode;
mod encode;
mod error;
mod header;
mod lexer;
mod limits;
mod load;
#[cfg(feature = "mmap")]
mod mapped;
mod members;
mod message;
mod parser;
mod read_at;
mod revision;
mod select;
mod spelling;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod validate;
mod walk;

pub use amend::Amendment;
pub use cap::TailCap;
pub use codec::{Codec, RESERVED};
pub use encode::Encoded;
pub use error::{Error, LimitKind, Refusal};
pub use header::{HeaderSpec, HeaderText, Look};
pub use limits::Limits;
pub use load::Loaded;
#[cfg(feature = "mmap")]
pub use mapped::Mapped;
#[cfg(feature = "simd-json")]
pub use parser::SimdJson;
pub use parser::{ParseError, ParseErrorKind, Parser, SerdeJson};
pub use read_at::ReadAt;
pub use revision::{InvalidRevision, Revision, RevisionHasher};
pub use spelling::{key_spellings, text_spellings};
pub use tail::{Pruned, TailDecoded};
pub use validate::Validated;
