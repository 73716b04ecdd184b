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
        let rest = head.trim_ascii_start().strip_prefix(b"{");
        let first = rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"id\""));
        // Members of a session that stand before its messages in one layout or the other.
        let has = |name: &str| memchr::memmem::find(head, name.as_bytes()).is_some();
        first
            && ["\"messages\"", "\"metadata\"", "\"created_at\""]
                .into_iter()
                .any(has)
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
