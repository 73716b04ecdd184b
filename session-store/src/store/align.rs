//! Windows that do not start on the result of a tool call which they leave out.
//!
//! Owns where an aligned window starts. Everything is decided on decoded records of one open document, so it holds for
//! every layout, and for what a journal adds; must not know any of them.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use session_model::{SessionId, SessionRecord, ToolLink};

use super::SessionStore;
use crate::corpus::Document;
use crate::{Alignment, Error, Tail, Window};

/// How many elements before the window are loaded with it, to look for calls: most are in the element before.
const MARGIN: usize = 16;

impl<S: SessionRecord> SessionStore<S> {
    /// Loads a window whose start is aligned; `limit` is that of the window, `array` the paired one.
    pub(super) fn aligned(
        &self,
        document: &Document<'_>,
        id: &SessionId,
        window: Window,
        array: &'static str,
        limit: usize,
    ) -> Result<Tail<S>, Error> {
        let load = |keep| self.tail_of(document, id, &window.cap_but(S::CAPPED, array, keep));
        let extends = window.alignment() == Alignment::Extend;
        let mut keep = limit.saturating_add(if extends && limit > 0 { MARGIN } else { 0 });
        loop {
            let mut tail = load(keep)?;
            let dropped = tail.dropped().get(array);
            let plain = tail.paired().saturating_sub(limit);
            let start = if extends {
                extended(&*tail, plain, dropped == 0)
            } else {
                Some(trimmed(&*tail, plain, dropped == 0))
            };
            let Some(start) = start else {
                keep = keep.saturating_mul(2);
                continue;
            };
            if start > 0 && !tail.drop_front(array, start) {
                tail = load(tail.paired() - start)?;
            }
            return Ok(tail);
        }
    }
}

/// The calls which an element answers and does not make itself, before it answers them.
fn answered<S: SessionRecord>(record: &S, element: usize) -> HashSet<String> {
    let (mut made, mut answered) = (HashSet::new(), HashSet::new());
    record.tool_links(element, &mut |link| match link {
        ToolLink::Call(id) => {
            made.insert(id.to_owned());
        }
        ToolLink::Answer(id) if !made.contains(id) => {
            answered.insert(id.to_owned());
        }
        ToolLink::Answer(_) => {}
    });
    answered
}

/// Where each call before an element is made, in order.
fn calls<S: SessionRecord>(record: &S, before: usize) -> HashMap<String, Vec<usize>> {
    let mut calls: HashMap<String, Vec<usize>> = HashMap::new();
    for element in 0..before.min(record.paired()) {
        record.tool_links(element, &mut |link| {
            if let ToolLink::Call(id) = link {
                calls.entry(id.to_owned()).or_default().push(element);
            }
        });
    }
    calls
}

/// The last start from `start` on back which answers no call before it that is there; `None` if a call may be in what
/// was not loaded.
fn extended<S: SessionRecord>(record: &S, start: usize, is_all: bool) -> Option<usize> {
    // Most windows start on no answer, and never ask.
    let calls = LazyCell::new(|| calls(record, start));
    let mut start = start;
    while start < record.paired() {
        let mut earliest = start;
        for wanted in answered(record, start) {
            let made = calls.get(&wanted).map_or(&[][..], Vec::as_slice);
            let before = made.partition_point(|element| *element < start);
            match before.checked_sub(1) {
                Some(last) => earliest = earliest.min(made[last]),
                None if !is_all => return None,
                None => {}
            }
        }
        if earliest == start {
            break;
        }
        start = earliest;
    }
    Some(start)
}

/// The first start from `start` on which answers no call before it.
fn trimmed<S: SessionRecord>(record: &S, start: usize, is_all: bool) -> usize {
    // Nothing is left out, so no call is.
    if start == 0 && is_all {
        return 0;
    }
    (start..record.paired())
        .find(|element| answered(record, *element).is_empty())
        .unwrap_or(record.paired())
}
