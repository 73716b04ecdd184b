//! Owns what a format to write must be able to do. Knows none of them by content.

use std::io::{self, Write};

use session_model::Session;

use super::{HtmlPage, JsonDocument, Markdown};

/// A format that sessions can be written in.
pub trait Exporter: Send + Sync {
    /// The format's name, in lower case with hyphens.
    fn name(&self) -> &'static str;

    /// What names of its files end in, without the dot.
    fn extension(&self) -> &'static str;

    /// Writes a session. Output is in small pieces, so give it a buffered writer.
    ///
    /// # Errors
    ///
    /// What the writer says, and, of kind [`io::ErrorKind::InvalidData`], a session that its format cannot say.
    fn write(&self, session: &Session, out: &mut dyn Write) -> io::Result<()>;
}

/// Returns the formats of this crate with their usual settings.
#[must_use]
pub fn exporters() -> [&'static dyn Exporter; 3] {
    const JSON: JsonDocument = JsonDocument::new();
    const MARKDOWN: Markdown = Markdown::new();
    const HTML: HtmlPage = HtmlPage::new();
    [&JSON, &MARKDOWN, &HTML]
}
