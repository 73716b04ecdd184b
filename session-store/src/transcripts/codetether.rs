//! Owns sessions of codetether-agent and of this crate as an import format. Knows nothing of their members beyond the model.

use std::io;

use session_model::Session;

use super::importer::{ImportError, Imported, Importer};
use super::input::Input;
use super::report::Report;

const NAME: &str = "codetether";
/// The member of a document that belongs to its file, not to its session.
const FOOTER: &str = "session_footer";

/// Sessions of codetether-agent, in the compact layout and the older one, and of this crate: one JSON document.
///
/// The session is the one that was read, unknown members and all; nothing is added to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codetether;

impl Importer for Codetether {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let mut names = Names(head);
        match names.next() {
            // Other programs have an id too, and then other members.
            Some(b"id") => names.next().is_none_or(is_member),
            Some(name) => is_member(name),
            None => false,
        }
    }

    fn read(&self, input: Input<'_>) -> Result<Imported, ImportError> {
        let mut session: Session = serde_json::from_reader(input).map_err(|error| {
            if error.is_io() {
                return ImportError::Io(io::Error::from(error));
            }
            let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            ImportError::Malformed {
                line: number(error.line()),
                column: number(error.column()),
            }
        })?;
        session.extra.remove(FOOTER);
        let mut report = Report::new(NAME);
        report.messages = u64::try_from(session.messages.len()).unwrap_or(u64::MAX);
        report.records = report.messages;
        Ok(Imported::new(session, report))
    }
}

fn is_member(name: &[u8]) -> bool {
    matches!(
        name,
        b"title"
            | b"created_at"
            | b"updated_at"
            | b"metadata"
            | b"agent"
            | b"messages"
            | b"tool_uses"
            | b"usage"
    )
}

/// Names of the first members of an object, as long as their values are strings.
struct Names<'a>(&'a [u8]);

impl<'a> Names<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.trim_ascii_start();
        let rest = rest.strip_prefix(b"{").or(rest.strip_prefix(b","))?;
        let (name, rest) = string(rest.trim_ascii_start())?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        self.0 = string(rest.trim_ascii_start()).map_or(&[], |(_, rest)| rest);
        Some(name)
    }
}

/// Cuts a string off that has no escapes.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text[end] == b'"').then(|| (&text[..end], &text[end + 1..]))
}
