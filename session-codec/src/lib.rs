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
//! | [`Codec::tail`], [`Codec::prune`], [`Codec::page`], with a footer | what is kept and a little more | kept bytes and the value |
//! | the same without | all once, kept bytes of large documents twice | kept bytes, or a small document, and the value |
//! | [`Codec::tail_from_read`] | all once | twice the window, and the value |
//! | [`Codec::header`] | a few KiB from either end, rarely all | the members found |
//! | [`Codec::count`] with a footer | the members around the arrays | one read and the footer |
//! | [`Codec::count`] without, [`Codec::elements`], [`Codec::validate`], [`Codec::check_footer`], [`Codec::revision`] | all once | one read |
//! | [`Codec::strings`], [`Needle`] | bytes given whole | – |
//! | [`Codec::amend`] | all twice | the amendment |
//!
//! Bytes come from anything that implements [`ReadAt`], values from anything
//! that implements [`Parser`].
//!
//! # What is checked
//!
//! What is kept is judged by the asked type through the parser, every byte of
//! it. What is walked over but not kept is judged in one of three ways.
//!
//! **By structure**: elements that [`Codec::tail`], [`Codec::tail_from_read`] and
//! [`Codec::prune`] drop, and all elements in [`Codec::count`] and [`Codec::elements`]. Checked are that
//! every string and bracket ends; that each element begins like a value, and one
//! that is an object or array ends with its own kind of bracket and is followed
//! by a separator; that no separator lacks an element; that no backslash stands
//! outside strings; and the limit on depth. So inside such elements these pass,
//! which a decode would refuse:
//!
//! - bad UTF-8, control characters and invalid escapes in strings, lone
//!   surrogates among them;
//! - invalid words and numbers, and numbers out of range;
//! - brackets closed by the other kind below the element's own;
//! - commas, colons, names and values that are missing or too many, and any
//!   other bytes outside strings, as long as brackets balance;
//! - after an element that is no container, more bytes up to the separator.
//!
//! **By grammar**: everything else that is walked over, the reserved member, and
//! all of [`Codec::validate`] and [`Codec::amend`]. It is accepted and rejected
//! exactly as `serde_json` does for a value it skips (its `IgnoredAny`), plus the
//! [`Limits`]. Four things pass there that a decode would refuse: bad UTF-8
//! inside strings; lone or broken surrogate escapes; numbers out of range, such
//! as `1e999`; and whatever else only the type refuses.
//!
//! **As a decode**: in windowed decodes by a codec that is
//! [`strict`](Codec::strict), everything: grammar, UTF-8, surrogates and the
//! range of numbers, as `serde_json` decodes a `Value`.
//!
//! A test holds these lists against `serde_json`.
//!
//! Where a footer is used, which [`FooterUse`] tells, elements that are dropped are
//! not read at all. What is read has its checksum compared, and everything that
//! is kept is judged as ever; a count keeps nothing, so checksums are all that it
//! compares. [`Codec::marks`] makes documents that have one.
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
//! - `mmap`: a memory-mapped file as a [`ReadAt`]; read its contract first. The
//!   session store never maps.
//! - `tracing`: spans with sizes, never content.
//! - `testing`: conformance suites for the traits and a seeded generator of JSON
//!   documents.
//!
//! # Limitations
//!
//! - A tail without a count is not offered: without a footer every tail walks over
//!   the document, though without decoding what it drops.
//! - By a footer, an edit of equal length in bytes that a tail does not read is not
//!   seen; [`Codec::check_footer`] sees it.
//! - The search for structure uses AVX-512, AVX2, SSE2 or NEON where the machine
//!   has them. What was run here is AVX2, SSE2 and the portable form; the other
//!   two share all code but their few instructions.
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
mod block;
mod buffer;
mod cap;
mod codec;
mod count;
mod decode;
mod elements;
mod encode;
mod error;
mod footer;
mod glance;
mod header;
mod lexer;
mod limits;
mod load;
#[cfg(feature = "mmap")]
mod mapped;
mod members;
mod message;
mod needle;
mod page;
mod parser;
mod plain;
mod read_at;
mod revision;
mod salvage;
mod select;
mod spelling;
mod strings;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod validate;
mod walk;

pub use amend::Amendment;
pub use cap::TailCap;
pub use codec::{Codec, RESERVED};
pub use count::CountBuffer;
pub use elements::Place;
pub use encode::Encoded;
pub use error::{Error, LimitKind, Refusal};
pub use footer::{Footer, FooterFault, FooterReport, FooterUse};
pub use glance::{Glance, Inner, plain_text};
pub use header::{HeaderSpec, HeaderText, Look};
pub use limits::Limits;
pub use load::Loaded;
#[cfg(feature = "mmap")]
pub use mapped::Mapped;
pub use needle::{Candidates, Case, Needle};
pub use page::PageDecoded;
#[cfg(feature = "simd-json")]
pub use parser::SimdJson;
pub use parser::{ParseError, ParseErrorKind, Parser, SerdeJson};
pub use read_at::ReadAt;
pub use revision::{InvalidRevision, Revision, RevisionHasher};
pub use salvage::{Salvaged, SalvagedMember};
pub use spelling::{key_spellings, text_spellings};
pub use strings::{Spelled, Step};
pub use tail::{Pruned, TailDecoded};
pub use validate::Validated;
