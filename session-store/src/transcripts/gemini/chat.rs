//! Owns the log that a chat is: messages that are replaced and rewound. Must not know what a message holds.

use std::collections::HashMap;

use session_model::RawJson;

use super::message;
use crate::transcripts::draft::Draft;
use crate::transcripts::object::Object;

/// The messages of a chat as far as its log was read.
#[derive(Debug, Default)]
pub(super) struct Chat {
    entries: Vec<Entry>,
    /// Where the message of an id is.
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Entry {
    /// Records that came before it.
    before: Vec<RawJson>,
    /// Its earlier forms.
    superseded: Vec<Object>,
    message: Object,
    rewound: bool,
}

impl Chat {
    /// Takes one line of the log.
    pub(super) fn take(&mut self, draft: &mut Draft, record: Object) {
        if let Some(target) = record.text("$rewindTo") {
            self.rewind(&target);
            return draft.keep("$rewindTo", record);
        }
        if let Some(patch) = record.object("$set") {
            self.take_patch(draft, &patch);
            return draft.keep("$set", record);
        }
        if record.has("type") {
            return self.add(draft, record);
        }
        self.take_patch(draft, &record);
        draft.keep("metadata", record);
    }

    /// Learns from what is said of the chat as a whole, which is kept.
    pub(super) fn describe(&mut self, draft: &mut Draft, head: Object) {
        self.take_patch(draft, &head);
        draft.keep("metadata", head);
    }

    fn take_patch(&mut self, draft: &mut Draft, patch: &Object) {
        draft.note_time(patch, "startTime");
        draft.note_time(patch, "lastUpdated");
        draft.id = draft.id.take().or_else(|| patch.text("sessionId"));
        draft.title = patch.text("summary").or(draft.title.take());
        let directories = patch.get("directories");
        let directories = directories.and_then(|raw| raw.parse::<Vec<String>>().ok());
        let directory = directories.and_then(|all| all.into_iter().next());
        draft.directory = draft.directory.take().or(directory);
        // A list of messages stands for what the model is given, which after a compaction is less than what was said. So it
        // adds what is not known yet and takes nothing away.
        let Some(messages) = patch.get("messages") else {
            return;
        };
        for raw in messages.parse::<Vec<RawJson>>().unwrap_or_default() {
            let known = |message: &Object| {
                let id = message.text("id");
                id.is_some_and(|id| self.places.contains_key(&id))
            };
            match Object::of(&raw).filter(|message| !known(message)) {
                Some(message) if message.has("type") => self.add(draft, message),
                _ => {}
            }
        }
    }

    /// Adds a message, or replaces the one of its id.
    pub(super) fn add(&mut self, draft: &mut Draft, message: Object) {
        draft.note_time(&message, "timestamp");
        let id = message.text("id");
        if let Some(place) = id.as_ref().and_then(|id| self.places.get(id)) {
            let entry = &mut self.entries[*place];
            let earlier = std::mem::replace(&mut entry.message, message);
            entry.superseded.push(earlier);
            return;
        }
        if let Some(id) = id {
            self.places.insert(id, self.entries.len());
        }
        self.entries.push(Entry {
            before: draft.take_waiting(),
            superseded: Vec::new(),
            message,
            rewound: false,
        });
    }

    /// Takes the message of an id, and those after it, out of the conversation.
    fn rewind(&mut self, target: &str) {
        let Some(place) = self.places.get(target).copied() else {
            return;
        };
        for entry in &mut self.entries[place..] {
            entry.rewound = true;
        }
        self.places.retain(|_, at| *at < place);
    }

    /// Puts the messages into the draft.
    pub(super) fn finish(self, draft: &mut Draft) {
        let after = draft.take_waiting();
        for entry in self.entries {
            draft.put_waiting(entry.before);
            for earlier in entry.superseded {
                draft.keep("superseded", earlier);
            }
            if entry.rewound {
                draft.keep("rewound", entry.message);
            } else {
                message::push(draft, entry.message);
            }
        }
        draft.put_waiting(after);
    }
}
