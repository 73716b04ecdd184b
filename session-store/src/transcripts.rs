//! Transcripts of other agents in, documents to read or to hand on out.
//!
//! Owns the two traits, [`Importer`] and [`Exporter`], and the formats that come with the crate; must not know the store:
//! what is read becomes a [`Session`](crate::Session), which is saved like any other.
//!
//! | feature | format | what is read |
//! |---|---|---|
//! | `import` | [`Codex`] | rollouts of the Codex CLI, JSON lines |
//! | `import` | [`ClaudeCode`] | transcripts of Claude Code, JSON lines |
//! | `import` | [`Gemini`] | chats of the Gemini CLI, one JSON document or JSON lines |
//! | `import` | [`Codetether`] | sessions of codetether-agent in either layout, and of this crate |
//! | `export` | [`JsonDocument`] | written: one JSON document, which imports without loss |
//! | `export` | [`Markdown`] | written: text to read |
//! | `export` | [`HtmlPage`] | written: one page to read, in which nothing is live |
//!
//! # What an import keeps
//!
//! Everything. A record that says something becomes a [`Message`](crate::Message), and what of it has no place there stays in
//! the message's unknown members. A record that is no message (a progress note, a snapshot, a duplicate for the screen) is
//! kept where it stood: in the unknown member `records_before` of the message it precedes, or in `records_after` of the
//! session. A line that is no JSON is kept as text in the same place. The [`Report`] counts all of it.
//!
//! ```
//! # #[cfg(all(feature = "import", feature = "export"))] {
//! use session_store::transcripts::{self, Exporter, Input, Markdown};
//!
//! let rollout = concat!(
//!     r#"{"timestamp":"2026-03-01T10:00:00Z","type":"session_meta","payload":{"id":"r1","cwd":"/home/me/app"}}"#, "\n",
//!     r#"{"timestamp":"2026-03-01T10:00:05Z","type":"response_item","payload":{"type":"message","role":"user","#,
//!     r#""content":[{"type":"input_text","text":"Why is it slow?"}]}}"#, "\n",
//!     r#"{"timestamp":"2026-03-01T10:00:0"#, "\n", // a crash cut this line short
//! );
//! let imported = transcripts::import(Input::new(rollout.as_bytes()))?;
//! assert_eq!(imported.session.id, "r1");
//! assert_eq!(imported.session.messages.len(), 1);
//! assert_eq!(imported.report.broken[0].line, 3);
//!
//! let mut page = Vec::new();
//! Markdown::new().write(&imported.session, &mut page)?;
//! assert!(String::from_utf8(page)?.contains("> Why is it slow?"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "import")]
mod claude;
#[cfg(feature = "import")]
mod codetether;
#[cfg(feature = "import")]
mod codex;
#[cfg(feature = "import")]
mod draft;
#[cfg(feature = "export")]
mod exporter;
#[cfg(feature = "import")]
mod gemini;
#[cfg(feature = "export")]
mod html;
#[cfg(feature = "import")]
mod importer;
#[cfg(feature = "import")]
mod input;
#[cfg(feature = "export")]
mod json;
#[cfg(feature = "import")]
mod lines;
#[cfg(feature = "export")]
mod markdown;
#[cfg(feature = "import")]
mod object;
#[cfg(feature = "import")]
mod parts;
#[cfg(feature = "export")]
mod plain;
#[cfg(feature = "import")]
mod report;

#[cfg(feature = "import")]
pub use self::claude::ClaudeCode;
#[cfg(feature = "import")]
pub use self::codetether::Codetether;
#[cfg(feature = "import")]
pub use self::codex::Codex;
#[cfg(feature = "export")]
pub use self::exporter::{Exporter, exporters};
#[cfg(feature = "import")]
pub use self::gemini::Gemini;
#[cfg(feature = "export")]
pub use self::html::HtmlPage;
#[cfg(feature = "import")]
pub use self::importer::{ImportError, Imported, Importer, import, importers};
#[cfg(feature = "import")]
pub use self::input::Input;
#[cfg(feature = "export")]
pub use self::json::JsonDocument;
#[cfg(feature = "export")]
pub use self::markdown::Markdown;
#[cfg(feature = "import")]
pub use self::report::{Broken, BrokenReason, Report};
