//! Which tool calls and results lack each other, one element at a time, by what the record says of them.

use std::collections::{BTreeSet, HashMap};

use session_model::{SessionRecord, ToolLink};

use crate::check::Finding;

/// Calls that wait for their results, by id, with the element that made them.
#[derive(Default)]
pub(super) struct Pairs {
    open: HashMap<String, u64>,
    answered: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Pairs {
    /// Takes the elements that a record has; `first` is the number of the first of them in the whole session.
    pub(super) fn take<S: SessionRecord>(&mut self, record: &S, first: u64) {
        for at in 0..record.paired() {
            record.tool_links(at, &mut |link| self.link(link, first + at as u64));
        }
    }

    fn link(&mut self, link: ToolLink<'_>, message: u64) {
        match link {
            ToolLink::Call(id) => {
                self.open.insert(id.to_owned(), message);
            }
            ToolLink::Answer(id) => {
                let called = self.open.remove(id).is_some();
                if !called && !self.answered.contains(id) {
                    self.findings.push(Finding::ResultWithoutCall { message });
                }
                self.answered.insert(id.to_owned());
            }
        }
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
