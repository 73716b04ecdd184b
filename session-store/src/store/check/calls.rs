//! Which tool calls and results lack each other, one message at a time.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use serde::Deserialize;
use session_codec::ReadAt as _;
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use crate::Error;
use crate::check::{Checked, Finding};
use crate::corpus::Documents;
use crate::failure::from_codec;

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

impl<S: SessionRecord> SessionStore<S> {
    /// Looks for calls without results, and results without calls, in document and journal.
    pub(super) fn check_calls(&self, id: &SessionId, checked: &mut Checked) -> Result<(), Error> {
        if !S::CAPPED.contains(&"messages") {
            return Ok(());
        }
        let documents = Documents::new(&*self.shared.backend);
        let Some(document) = documents.document(id)? else {
            return Ok(());
        };
        let (mut pairs, path) = (Pairs::default(), self.path(id));
        let (mut buffer, mut failed) = (Vec::new(), None);
        let walked = self
            .shared
            .codec
            .elements(&document, &["messages"], |place| {
                let length = usize::try_from(place.range.end - place.range.start).unwrap_or(0);
                buffer.resize(length, 0);
                if let Err(error) = document.read_exact_at(&mut buffer, place.range.start) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
                pairs.take(&buffer);
                ControlFlow::Continue(())
            });
        walked.map_err(|error| from_codec("read", &path, error))?;
        if let Some(source) = failed {
            return Err(Error::io("read", &path, source));
        }
        if let Some(overlay) = document.overlay() {
            overlay
                .elements("messages")
                .for_each(|json| pairs.take(json.as_bytes()));
        }
        checked.findings.append(&mut pairs.finish());
        Ok(())
    }
}

/// Calls that wait for their results, by id, with the message that made them.
#[derive(Default)]
struct Pairs {
    message: u64,
    open: HashMap<String, u64>,
    answered: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Pairs {
    fn take(&mut self, message: &[u8]) {
        // What is no message of ours has no calls of ours.
        let parts =
            serde_json::from_slice::<Calls>(message).map_or_else(|_| Vec::new(), |m| m.content);
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

    fn finish(mut self) -> Vec<Finding> {
        let mut open: Vec<u64> = self.open.into_values().collect();
        open.sort_unstable();
        let open = open.into_iter();
        self.findings
            .extend(open.map(|message| Finding::CallWithoutResult { message }));
        self.findings
    }
}
