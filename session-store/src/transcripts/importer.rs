//! Owns what a format of transcripts must be able to do, and the choice among formats. Knows none of them by content.

use std::io;

use session_model::Session;

use super::{ClaudeCode, Codetether, Codex, Gemini, Input, Report};

/// A format of transcripts that can be read.
///
/// Implement it for a format of your own; [`import`] chooses among the formats of this crate only, so ask your own first.
pub trait Importer: Send + Sync {
    /// The format's name, in lower case with hyphens.
    fn name(&self) -> &'static str;

    /// Says whether a file that begins with `head` is of this format.
    ///
    /// `head` is the whole file, or as much of it as [`Input::head`] gives.
    fn recognise(&self, head: &[u8]) -> bool;

    /// Reads a transcript.
    ///
    /// # Errors
    ///
    /// [`ImportError::Io`] where the input cannot be read, and [`ImportError::Unrecognised`] or [`ImportError::Malformed`]
    /// where nothing of it can be used. What is damaged in part is read as far as it goes, and the report says so.
    fn read(&self, input: Input<'_>) -> Result<Imported, ImportError>;
}

/// A transcript that was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The session, ready to be saved.
    pub session: Session,
    /// What was found and where it went.
    pub report: Report,
}

impl Imported {
    /// Puts a session and its report together.
    #[must_use]
    pub fn new(session: Session, report: Report) -> Self {
        Self { session, report }
    }
}

/// Why a transcript could not be read. Messages hold nothing of its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The input could not be read.
    #[error("read transcript")]
    Io(#[from] io::Error),
    /// The input is of no format that was asked for, or holds no record of it.
    #[error("read transcript: no record of a known format")]
    Unrecognised,
    /// The input is one document, and it is damaged or no session.
    #[error("read transcript: malformed at line {line} column {column}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
    },
}

/// Returns the formats of this crate, in the order in which they are asked.
#[must_use]
pub fn importers() -> [&'static dyn Importer; 4] {
    // A session of ours first: it may hold records of all the others.
    [&Codetether, &Codex, &ClaudeCode, &Gemini]
}

/// Reads a transcript of any format of this crate.
///
/// # Errors
///
/// [`ImportError::Unrecognised`] if no format takes it; otherwise as [`Importer::read`].
pub fn import(mut input: Input<'_>) -> Result<Imported, ImportError> {
    let chosen = {
        let head = input.head()?;
        importers()
            .into_iter()
            .find(|format| format.recognise(head))
    };
    chosen.ok_or(ImportError::Unrecognised)?.read(input)
}
