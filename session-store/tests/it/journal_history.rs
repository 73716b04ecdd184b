//! Random histories of a session with a journal, compared with a plain struct after every step.

use std::fs;

use proptest::prelude::*;
use session_store::{Append, Message, Query, ToolUse, Window};

use crate::support::{Scratch, names, session, time};

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Tool,
    Title,
    Save,
    Tail(u8),
    Checkpoint,
    Reopen,
    Trash,
    Delete,
    Tear(u8),
    Copy,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..4_u8).prop_map(Step::Append),
        2 => Just(Step::Tool),
        2 => Just(Step::Title),
        2 => Just(Step::Save),
        3 => (0..6_u8).prop_map(Step::Tail),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Reopen),
        1 => Just(Step::Trash),
        1 => Just(Step::Delete),
        2 => (1..40_u8).prop_map(Step::Tear),
        1 => Just(Step::Copy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// P12: whatever happens between appends, the session is what a plain struct would be.
    #[test]
    fn a_history_with_a_journal_equals_one_session(steps in proptest::collection::vec(step(), 1..30)) {
        let scratch = Scratch::new();
        let mut store = scratch.store();
        let mut expected = session("s", "/work", 1, 1);
        store.save(&expected).unwrap();
        for (n, step) in steps.into_iter().enumerate() {
            let at = time(1_000 + n as u64);
            match step {
                Step::Append(count) => {
                    let mut append = Append::new().updated_at(at).unwrap();
                    for k in 0..count {
                        let message = Message::user(format!("{n} {k}"));
                        append = append.message(&message).unwrap();
                        expected.push(message);
                    }
                    expected.touch(at);
                    store.append(&expected.id, &append).unwrap();
                }
                Step::Tool => {
                    let tool_use = ToolUse::succeeded(format!("call {n}"), "ls", "{}", "nothing");
                    store.append(&expected.id, &Append::new().tool_use(&tool_use).unwrap().updated_at(at).unwrap()).unwrap();
                    expected.tool_uses.push(tool_use);
                    expected.touch(at);
                }
                Step::Title => {
                    expected.title = Some(format!("title {n}"));
                    expected.touch(at);
                    store.append(&expected.id, &Append::new().member("title", &expected.title).unwrap().updated_at(at).unwrap()).unwrap();
                }
                Step::Save => {
                    let mut loaded = store.load(&expected.id).unwrap();
                    loaded.push(Message::user(format!("saved {n}")));
                    loaded.touch(at);
                    store.save(&loaded).unwrap();
                    expected = loaded;
                }
                Step::Tail(keep) => {
                    let tail = store.load_tail(&expected.id, Window::last(keep.into())).unwrap();
                    let from = expected.messages.len().saturating_sub(keep.into());
                    let tools = expected.tool_uses.len().saturating_sub(keep.into());
                    prop_assert_eq!(&tail.messages, &expected.messages[from..]);
                    prop_assert_eq!(&tail.tool_uses, &expected.tool_uses[tools..]);
                    prop_assert_eq!(tail.dropped().total(), (from + tools) as u64);
                    // The revision is that of the next call.
                    store.append(&expected.id, &Append::new().based_on(tail.revision())).unwrap();
                }
                Step::Checkpoint => drop(store.checkpoint(&expected.id).unwrap()),
                Step::Reopen => store = scratch.store(),
                Step::Trash => {
                    prop_assert!(store.trash(&expected.id).unwrap());
                    prop_assert!(store.restore(&expected.id).unwrap());
                }
                Step::Delete => {
                    prop_assert!(store.delete(&expected.id).unwrap());
                    expected = session("s", "/work", 1, n as u64);
                    store.save(&expected).unwrap();
                }
                Step::Tear(bytes) => {
                    // What a crash leaves of an append that was not acknowledged.
                    let path = scratch.file(".store/journal/s.journal");
                    if let Ok(mut whole) = fs::read(&path) {
                        whole.extend(std::iter::repeat_n(bytes, bytes.into()));
                        fs::write(&path, whole).unwrap();
                    }
                }
                Step::Copy => {
                    let bytes = fs::read(scratch.file("s.json")).unwrap();
                    fs::remove_file(scratch.file("s.json")).unwrap();
                    scratch.write("s.json", bytes);
                }
            }
            prop_assert_eq!(&store.load(&expected.id).unwrap(), &expected);
            let row = store.list(&Query::new()).unwrap().rows.remove(0);
            prop_assert_eq!(row.messages, Some(expected.messages.len() as u64));
            prop_assert_eq!(row.updated_at, expected.updated_at);
        }
        prop_assert_eq!(names(&scratch.file(".store/quarantine")), [""; 0]);
    }
}
