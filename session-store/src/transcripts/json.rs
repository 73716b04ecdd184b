//! Owns a session as one JSON document. Adds nothing to what the model writes.

use std::io::{self, Write};

use session_model::Session;

use super::Exporter;

/// A session as one JSON document: the text that a store keeps, without the footer.
///
/// It holds all of the session, and importing it gives an equal one. As a file `<id>.json` it is a session of any store, and
/// of codetether-agent.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct JsonDocument {
    pretty: bool,
}

impl JsonDocument {
    /// Writes in one line.
    pub const fn new() -> Self {
        Self { pretty: false }
    }

    /// Writes in many lines, indented by two spaces.
    pub const fn pretty() -> Self {
        Self { pretty: true }
    }
}

impl Exporter for JsonDocument {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, session: &Session, out: &mut dyn Write) -> io::Result<()> {
        let written = if self.pretty {
            serde_json::to_writer_pretty(&mut *out, session)
        } else {
            serde_json::to_writer(&mut *out, session)
        };
        written.map_err(|error| {
            let kind = error.io_error_kind().unwrap_or(io::ErrorKind::InvalidData);
            // The message of a serialisation error may quote a value, so only its kind goes on.
            io::Error::from(kind)
        })?;
        out.write_all(b"\n")
    }
}
