//! Which tool calls and results lack each other, one message at a time.

use std::collections::{BTreeSet, HashMap};

use memchr::memmem;
use serde::Deserialize;

use crate::check::Finding;

/// As much of a message as says which tools it calls or answers.
#[derive(Deserialize)]
struct Calls {
    #[serde(default)]
    content: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    tool_call_id: Option<String>,
}

/// Calls that wait for their results, by id, with the message that made them.
#[derive(Default)]
pub(super) struct Pairs {
    message: u64,
    open: HashMap<String, u64>,
    answered: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Pairs {
    pub(super) fn take(&mut self, message: &[u8]) {
        // Most messages have none, and need not be decoded to know it. What is no message of ours has no calls of ours.
        let parts = if may_have_calls(message) {
            serde_json::from_slice::<Calls>(message).map_or_else(|_| Vec::new(), |m| m.content)
        } else {
            Vec::new()
        };
        for part in parts {
            match (part.kind.as_deref(), part.id, part.tool_call_id) {
                (Some("tool_call"), Some(id), _) => {
                    self.open.insert(id, self.message);
                }
                (Some("tool_result"), _, Some(id)) => {
                    let called = self.open.remove(&id).is_some();
                    if !called && !self.answered.contains(&id) {
                        let message = self.message;
                        self.findings.push(Finding::ResultWithoutCall { message });
                    }
                    self.answered.insert(id);
                }
                _ => {}
            }
        }
        self.message += 1;
    }

    pub(super) fn finish(mut self) -> Vec<Finding> {
        let mut open: Vec<u64> = self.open.into_values().collect();
        open.sort_unstable();
        let open = open.into_iter();
        self.findings
            .extend(open.map(|message| Finding::CallWithoutResult { message }));
        self.findings
    }
}

/// Whether a message spells the types of calls and results, plainly or by an escape that any of their letters can have.
fn may_have_calls(message: &[u8]) -> bool {
    memmem::find(message, b"tool_").is_some() || memmem::find(message, b"\\u00").is_some()
}
