//! Aligned windows: equal to loading everything and moving the start, for every layout, and for records of other types.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use session_store::{
    Alignment, Append, ContentPart, LazySession, Message, Role, Session, SessionId, SessionRecord,
    SessionStore, ToolLink, ToolUse, Window,
};

use crate::support::{Scratch, id};

/// A record that tells its links but not how to drop elements.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Bare(Session);

impl SessionRecord for Bare {
    const CAPPED: &'static [&'static str] = Session::CAPPED;
    const PAIRED: Option<&'static str> = Session::PAIRED;

    fn id(&self) -> &str {
        SessionRecord::id(&self.0)
    }
    fn set_id(&mut self, id: SessionId) {
        self.0.id = id;
    }
    fn directory(&self) -> Option<&Path> {
        self.0.directory()
    }
    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.0.updated_at
    }
    fn paired(&self) -> usize {
        self.0.messages.len()
    }
    fn tool_links(&self, element: usize, link: &mut dyn FnMut(ToolLink<'_>)) {
        self.0.messages[element].tool_links(link);
    }
}

/// The calls that a message makes and answers, told by its parts alone.
fn calls(message: &Message) -> Vec<(bool, &str)> {
    let parts = message.content.iter();
    parts
        .filter_map(|part| match part {
            ContentPart::ToolCall { id, .. } => Some((true, id.as_str())),
            ContentPart::ToolResult { tool_call_id, .. } => Some((false, tool_call_id.as_str())),
            _ => None,
        })
        .collect()
}

/// The ids that a message answers without having made the call itself.
fn answers(message: &Message) -> Vec<&str> {
    let calls = calls(message);
    let own = |at: usize, id: &str| calls[..at].contains(&(true, id));
    let all = calls.iter().enumerate();
    all.filter(|(at, (makes, id))| !makes && !own(*at, id))
        .map(|(_, (_, id))| *id)
        .collect()
}

/// Where a window of the last `n` messages starts, with everything at hand.
fn start(messages: &[Message], n: usize, alignment: Alignment) -> usize {
    let mut start = messages.len().saturating_sub(n);
    match alignment {
        Alignment::Extend => loop {
            let Some(first) = messages.get(start) else {
                return start;
            };
            // Each call that is answered, where it was last made before.
            let made = answers(first).into_iter().filter_map(|id| {
                let before = messages[..start].iter();
                before
                    .enumerate()
                    .rev()
                    .find(|(_, message)| calls(message).contains(&(true, id)))
                    .map(|(at, _)| at)
            });
            match made.min() {
                Some(earlier) => start = earlier,
                None => return start,
            }
        },
        Alignment::Trim => {
            if start > 0 {
                while messages.get(start).is_some_and(|m| !answers(m).is_empty()) {
                    start += 1;
                }
            }
            start
        }
        _ => start,
    }
}

fn check<S: SessionRecord>(dir: &Path, whole: &Session, n: usize, same: impl Fn(&S, &Session)) {
    let store = SessionStore::<S>::open_as(dir).unwrap();
    for alignment in [Alignment::None, Alignment::Extend, Alignment::Trim] {
        let start = start(&whole.messages, n, alignment);
        let tools = whole.tool_uses.len().saturating_sub(n);
        let mut expected = whole.clone();
        expected.messages.drain(..start);
        expected.tool_uses.drain(..tools);
        let window = Window::last(n).align(alignment);
        let tail = store.load_tail(&whole.id, window).unwrap();
        same(&tail, &expected);
        let dropped = (start as u64, tools as u64);
        let counts = tail.dropped();
        assert_eq!(
            (counts.get("messages"), counts.get("tool_uses")),
            dropped,
            "{alignment:?} {n}"
        );
        let last = store
            .last_for_directory_tail(None, window)
            .unwrap()
            .unwrap();
        same(&last, &expected);
        assert_eq!(last.dropped(), counts);
    }
}

/// How a session is kept.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Footer,
    NoFooter,
    Pretty,
    /// With so many of its last messages in the journal.
    Journal(usize),
}

fn keep(scratch: &Scratch, session: &Session, how: Kept) {
    let builder = SessionStore::builder(scratch.sessions());
    let builder = builder.durability(session_store::Durability::Process);
    match how {
        Kept::Footer => drop(builder.open().unwrap().save(session).unwrap()),
        Kept::NoFooter => {
            let store = builder.without_footers().open().unwrap();
            store.save(session).unwrap();
        }
        Kept::Pretty => scratch.write_foreign(session),
        Kept::Journal(last) => {
            let store = builder.open().unwrap();
            let at = session.messages.len().saturating_sub(last);
            let mut first = session.clone();
            let rest = first.messages.split_off(at);
            store.save(&first).unwrap();
            for message in &rest {
                let append = Append::new().message(message).unwrap();
                // The time stays as it is, so that one session is expected of all layouts.
                let append = append.updated_at(session.updated_at.unwrap()).unwrap();
                store.append(&session.id, &append).unwrap();
            }
        }
    }
}

fn check_all(session: &Session, how: Kept, n: usize) {
    let scratch = Scratch::new();
    keep(&scratch, session, how);
    let dir = scratch.sessions();
    check::<Session>(&dir, session, n, |a, b| assert_eq!(a, b));
    check::<Bare>(&dir, session, n, |a, b| assert_eq!(&a.0, b));
    check::<LazySession>(&dir, session, n, |a, b| {
        assert_eq!(&a.clone().decode().unwrap(), b);
    });
}

fn message(links: &[(bool, u8)]) -> Message {
    let parts = links.iter().map(|(makes, id)| {
        if *makes {
            ContentPart::tool_call(id.to_string(), "run", "{}")
        } else {
            ContentPart::tool_result(id.to_string(), "done")
        }
    });
    Message::new(Role::Assistant, parts.collect()).with(ContentPart::text("and so on"))
}

fn session_of(messages: impl IntoIterator<Item = Message>) -> Session {
    let mut session = Session::new(id("s"), "/home/me/project");
    session.messages = messages.into_iter().collect();
    for n in 0..session.messages.len() / 2 {
        session.push_tool_use(ToolUse::succeeded(n.to_string(), "run", "in", "out"));
    }
    session.touch(crate::support::time(1));
    session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn an_aligned_window_equals_loading_everything_and_moving_the_start(
        links in prop::collection::vec(prop::collection::vec((any::<bool>(), 0..6_u8), 0..3), 0..48),
        n in 0..20_usize,
        how in prop_oneof![
            Just(Kept::Footer),
            Just(Kept::NoFooter),
            Just(Kept::Pretty),
            (0..30_usize).prop_map(Kept::Journal),
        ],
    ) {
        let session = session_of(links.iter().map(|links| message(links)));
        check_all(&session, how, n);
    }
}

#[test]
fn a_call_far_before_the_window_is_found_and_one_that_is_nowhere_is_no_reason_to_start_earlier() {
    let text = || Message::user("more");
    let far = || {
        let mut messages = vec![text(), message(&[(true, 1)])];
        messages.extend((0..200).map(|_| text()));
        messages
    };
    for (answered, expected) in [(1, 1), (2, 202)] {
        let mut messages = far();
        messages.push(message(&[(false, answered)]));
        messages.extend((0..4).map(|_| text()));
        assert_eq!(start(&messages, 5, Alignment::Extend), expected);
        for how in [
            Kept::Footer,
            Kept::NoFooter,
            Kept::Journal(3),
            Kept::Journal(100),
        ] {
            check_all(&session_of(messages.clone()), how, 5);
        }
    }
}

#[test]
fn calls_that_are_answered_one_by_one_stay_together() {
    let messages = [
        message(&[]),
        message(&[(true, 1), (true, 2)]),
        message(&[(false, 1)]),
        message(&[(false, 2)]),
        message(&[]),
    ];
    let starts = |alignment| [2, 3].map(|n| start(&messages, n, alignment));
    assert_eq!(starts(Alignment::Extend), [1, 1]);
    assert_eq!(starts(Alignment::Trim), [4, 4]);
    for n in 0..6 {
        check_all(&session_of(messages.clone()), Kept::Footer, n);
    }
}
