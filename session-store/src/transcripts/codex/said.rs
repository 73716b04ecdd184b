//! Owns the comparison of what a rollout's messages say with what the screen was told. Must not know other records.

use std::collections::HashSet;

use session_model::{ContentPart, Message, Role};

use crate::transcripts::draft::Draft;
use crate::transcripts::object::Object;

/// What messages say, and what the screen was told, to find what only the screen was told.
#[derive(Debug, Default)]
pub(super) struct Said {
    messages: HashSet<(&'static str, String)>,
    /// Where in the messages an event stood, and what it said.
    heard: Vec<(usize, &'static str, String)>,
}

const THOUGHT: &str = "thought";

impl Said {
    pub(super) fn say(&mut self, role: &Role, text: &str) {
        let role = if *role == Role::Assistant {
            "assistant"
        } else {
            "user"
        };
        self.messages.insert((role, text.trim().to_owned()));
    }

    pub(super) fn hear_thought(&mut self, text: &str) {
        self.messages.insert((THOUGHT, text.trim().to_owned()));
    }

    pub(super) fn hear(&mut self, draft: &Draft, kind: &str, payload: &Object) {
        let (role, member) = match kind {
            "user_message" => ("user", "message"),
            "agent_message" => ("assistant", "message"),
            "agent_reasoning" | "agent_reasoning_raw_content" => (THOUGHT, "text"),
            _ => return,
        };
        if let Some(text) = payload.text(member) {
            self.heard.push((draft.messages.len(), role, text));
        }
    }

    /// Makes messages of what no message says, where it was said.
    pub(super) fn add_missing(self, draft: &mut Draft) {
        let missing = |(_, role, text): &(usize, &'static str, String)| {
            let text = text.trim();
            !text.is_empty() && !self.messages.contains(&(*role, text.to_owned()))
        };
        let mut heard = self.heard.iter().filter(|heard| missing(heard)).peekable();
        if heard.peek().is_none() {
            return;
        }
        let messages = std::mem::take(&mut draft.messages);
        let count = messages.len();
        let mut messages = messages.into_iter();
        for at in 0..=count {
            while let Some((_, role, text)) = heard.next_if(|(stood, ..)| *stood == at) {
                draft.messages.push(match *role {
                    "user" => Message::user(text.as_str()),
                    "assistant" => Message::assistant(text.as_str()),
                    _ => Message::new(Role::Assistant, vec![ContentPart::thinking(text.as_str())]),
                });
            }
            draft.messages.extend(messages.next());
        }
    }
}
