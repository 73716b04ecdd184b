//! Owns a session while it is made of records. Knows no format.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use session_model::{ContentPart, Extra, Message, RawJson, Role, Session, SessionId, Usage};

use super::importer::{ImportError, Imported};
use super::object::{self, Object};
use super::report::Report;

/// Where records are kept that are no messages.
const BEFORE: &str = "records_before";
const AFTER: &str = "records_after";
/// How long an id may be.
const MAX_ID: usize = 128;

/// A session in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) report: Report,
    pub(super) messages: Vec<Message>,
    /// Records since the last message that are none.
    waiting: Vec<RawJson>,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) model: Option<String>,
    pub(super) usage: Usage,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

impl Draft {
    pub(super) fn new(format: &'static str) -> Self {
        Self {
            report: Report::new(format),
            messages: Vec::new(),
            waiting: Vec::new(),
            id: None,
            title: None,
            directory: None,
            model: None,
            usage: Usage::default(),
            first: None,
            last: None,
        }
    }

    /// Adds a message, with the records that came before it.
    pub(super) fn push(&mut self, role: Role, content: Vec<ContentPart>, mut extra: Extra) {
        if let Some(records) = array(&std::mem::take(&mut self.waiting)) {
            extra.insert(BEFORE, records);
        }
        let mut message = Message::new(role, content);
        message.extra = extra;
        self.messages.push(message);
    }

    /// Takes out the records that wait for a message.
    pub(super) fn take_waiting(&mut self) -> Vec<RawJson> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn put_waiting(&mut self, records: Vec<RawJson>) {
        self.waiting.extend(records);
    }

    /// Keeps a record that is no message.
    pub(super) fn keep(&mut self, kind: &str, record: Object) {
        self.report.count_kept(kind);
        self.waiting.extend(record.into_raw());
    }

    /// Keeps a text that is no record.
    pub(super) fn keep_text(&mut self, kind: &str, text: &str) {
        self.report.count_kept(kind);
        self.waiting.extend(object::quoted(text));
    }

    /// Notes the time of a record, which stays with the record.
    pub(super) fn note_time(&mut self, record: &Object, member: &str) {
        let Some(text) = record.text(member) else {
            return;
        };
        let Ok(at) = DateTime::parse_from_rfc3339(&text) else {
            self.report.unread_times += 1;
            return;
        };
        let at = at.with_timezone(&Utc);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Makes the session.
    ///
    /// # Errors
    ///
    /// [`ImportError::Unrecognised`] if there was no record at all.
    pub(super) fn finish(mut self, file: Option<&str>) -> Result<Imported, ImportError> {
        if self.report.records == 0 {
            return Err(ImportError::Unrecognised);
        }
        let stated = self.id.as_deref().or(file);
        let id = stated.and_then(to_id).or_else(|| to_id("imported"));
        let Some(id) = id else {
            return Err(ImportError::Unrecognised);
        };
        self.report.messages = u64::try_from(self.messages.len()).unwrap_or(u64::MAX);
        let mut imported = Object::default();
        let mut note = |name: &str, text: &str| {
            if let Some(text) = object::quoted(text) {
                imported.put(name, text);
            }
        };
        note("format", self.report.format);
        if let Some(stated) = self.id.as_deref().filter(|stated| *stated != id.as_str()) {
            note("id", stated);
        }
        let mut session = Session::without_directory(id).with_agent(self.report.format);
        session.title = self.title;
        session.created_at = self.first;
        session.updated_at = self.last;
        session.metadata.directory = self.directory.map(PathBuf::from);
        session.metadata.model = self.model;
        session.messages = self.messages;
        session.usage = self.usage;
        if let Some(imported) = imported.into_raw() {
            session.extra.insert("imported", imported);
        }
        if let Some(records) = array(&self.waiting) {
            session.extra.insert(AFTER, records);
        }
        Ok(Imported::new(session, self.report))
    }
}

fn array(records: &[RawJson]) -> Option<RawJson> {
    (!records.is_empty())
        .then(|| RawJson::from_value(records).ok())
        .flatten()
}

/// Makes an id of a text by replacing what an id may not hold.
fn to_id(text: &str) -> Option<SessionId> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let text: String = text
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(MAX_ID)
        .collect();
    let text = text.trim_start_matches(['-', '_']);
    SessionId::new(text)
        .or_else(|_| SessionId::new(&format!("session-{text}")))
        .ok()
}
