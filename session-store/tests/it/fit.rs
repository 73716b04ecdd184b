//! What is appended is judged by what is new alone, once its kind is known: with the same answers as by all of the record.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_store::{
    Append, Error, Limits, Message, Session, SessionId, SessionRecord, SessionStore, ToolUse,
};

use crate::support::{Scratch, id, session, time};

const DEPTH: u32 = 12;
const ELEMENT: u64 = 600;

fn limited<S: SessionRecord>(scratch: &Scratch) -> SessionStore<S> {
    SessionStore::<S>::builder_as(scratch.sessions())
        .durability(session_store::Durability::Process)
        .limits(Limits::default().depth(DEPTH).element(ELEMENT))
        .open()
        .expect("a store")
}

/// What came of an append, without the name of the session that it was for, and without the byte at which a fault stands: each
/// append is stamped with its own time, which is a few digits shorter where it ends in zeros.
fn outcome(answer: Result<session_store::Revision, Error>, of: &str) -> Result<(), String> {
    let told = |error: Error| {
        let text = format!("{error:?} {error}").replace(&format!("{of}.json"), "it");
        let mut parts = text.split("at byte ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + "at byte " + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
        })
    };
    answer.map(drop).map_err(told)
}

/// A record whose members say how much its elements may be in all, so that no element can be judged alone.
macro_rules! budget {
    ($record:ident, $independent:literal) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = "Plain")]
        struct $record {
            id: SessionId,
            most: u64,
            items: Vec<u64>,
        }

        impl TryFrom<Plain> for $record {
            type Error = &'static str;

            fn try_from(plain: Plain) -> Result<Self, Self::Error> {
                let Plain { id, most, items } = plain;
                if items.iter().any(|item| *item > most) {
                    return Err("more than the most");
                }
                Ok(Self { id, most, items })
            }
        }

        impl SessionRecord for $record {
            const CAPPED: &'static [&'static str] = &["items"];
            const INDEPENDENT: bool = $independent;
            fn id(&self) -> &str {
                &self.id
            }
            fn set_id(&mut self, id: SessionId) {
                self.id = id;
            }
            fn directory(&self) -> Option<&Path> {
                None
            }
            fn updated_at(&self) -> Option<DateTime<Utc>> {
                None
            }
        }
    };
}

#[derive(Deserialize)]
struct Plain {
    id: SessionId,
    #[serde(default = "unbounded")]
    most: u64,
    items: Vec<u64>,
}

fn unbounded() -> u64 {
    u64::MAX
}

budget!(Budget, false);
// The same, which says of itself what is not so.
budget!(Careless, true);

fn element() -> impl Strategy<Value = Value> {
    let messages = prop_oneof![
        any::<String>().prop_map(|text| serde_json::to_value(Message::user(text)).expect("JSON")),
        Just(json!({"role": "user"})),
        Just(json!({"role": 7, "content": []})),
        Just(json!({"role": "user", "content": 5})),
        Just(json!({"role": "user", "content": [{"type": "text"}], "more": 1.5e300})),
        Just(json!({"role": "robot", "content": [{"type": "new", "x": [1]}, 3]})),
        Just(json!({"id": "x", "name": "n", "input": "i", "output": "o", "success": true})),
        Just(json!({"id": "x", "name": "n", "input": "i", "output": "o", "success": 1})),
    ];
    let deep = (1..15_u32).prop_map(|levels| (0..levels).fold(json!(1), |deep, _| json!([deep])));
    let deep_member = (1..15_u32).prop_map(|levels| {
        let deep = (0..levels).fold(json!(1), |deep, _| json!([deep]));
        json!({"role": "user", "content": [], "deep": deep})
    });
    let long = (500..700_usize).prop_map(|length| json!("x".repeat(length)));
    let long_message = (450..650_usize)
        .prop_map(|length| serde_json::to_value(Message::user("y".repeat(length))).expect("JSON"));
    prop_oneof![
        4 => messages,
        1 => Just(json!(null)),
        1 => any::<i64>().prop_map(|n| json!(n)),
        1 => deep,
        1 => deep_member,
        1 => long,
        1 => long_message,
    ]
}

/// Appends to one session through a store that knows its kinds, and to another through stores that know nothing.
fn alike<S: SessionRecord + Clone>(
    scratch: &Scratch,
    make: impl Fn(&str) -> S,
    appends: &[Append],
) -> Vec<Result<(), String>> {
    let knowing = limited::<S>(scratch);
    for name in ["knowing", "unaware"] {
        knowing.overwrite(&make(name)).expect("save");
    }
    let mut outcomes = Vec::new();
    for append in appends {
        let known = outcome(knowing.append(&id("knowing"), append), "knowing");
        let naive = limited::<S>(scratch).append(&id("unaware"), append);
        assert_eq!(known, outcome(naive, "unaware"), "{append:?}");
        outcomes.push(known);
    }
    let plain = |name: &str| {
        let mut whole = knowing.load(&id(name)).expect("what was accepted loads");
        whole.set_id(id("same"));
        let mut plain = serde_json::to_value(whole).expect("JSON");
        // The two are stamped one after the other.
        if let Some(members) = plain.as_object_mut() {
            members.remove("updated_at");
        }
        // What was there before tells whose it is.
        plain.to_string().replace(name, "it")
    };
    assert_eq!(plain("knowing"), plain("unaware"));
    outcomes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// P15: what is accepted loads, and what would not load is refused as before, whatever came before it.
    #[test]
    fn an_append_of_a_known_kind_is_judged_as_by_the_whole_record(
        elements in proptest::collection::vec(
            (proptest::sample::select(vec!["messages", "tool_uses", "others"]), element()),
            1..12,
        ),
        dated in any::<bool>(),
        set in 0..8_usize,
    ) {
        let scratch = Scratch::new();
        let mut appends = vec![
            Append::new().message(&Message::user("first")).expect("a message"),
            Append::new().tool_use(&ToolUse::succeeded("t", "n", "i", "o")).expect("a tool use"),
        ];
        for pair in elements.chunks(2) {
            let add = |append: Append, (array, element): &(&str, Value)| {
                append.element(array, element).expect("JSON")
            };
            appends.push(pair.iter().fold(Append::new(), add));
        }
        if let Some(append) = appends.get_mut(set) {
            *append = append.clone().updated_at(time(5_000)).expect("a time");
        }
        let make = |name: &str| {
            let mut session = session(name, "/work", 1, 1);
            // Without a time, appends are not stamped either.
            session.updated_at = session.updated_at.filter(|_| dated);
            session
        };
        alike::<Session>(&scratch, make, &appends);
    }

    #[test]
    fn a_record_that_compares_its_members_is_never_judged_by_a_part(
        items in proptest::collection::vec(0..20_u64, 1..8),
    ) {
        let scratch = Scratch::new();
        let make = |name: &str| Budget { id: id(name), most: 9, items: vec![1] };
        let appends: Vec<Append> = std::iter::once(&1).chain(&items)
            .map(|item| Append::new().element("items", item).expect("JSON"))
            .collect();
        let outcomes = alike::<Budget>(&scratch, make, &appends);
        for (item, outcome) in std::iter::once(&1).chain(&items).zip(outcomes) {
            prop_assert_eq!(*item <= 9, outcome.is_ok());
        }
    }
}

/// The mutant of the test above: a record that wrongly says that its elements are judged alone is found out by it.
#[test]
fn a_record_that_says_wrongly_that_its_elements_stand_alone_is_found_out() {
    let scratch = Scratch::new();
    let store = limited::<Careless>(&scratch);
    let careless = Careless {
        id: id("s"),
        most: 9,
        items: Vec::new(),
    };
    store.save(&careless).expect("save");
    let add = |item: u64| Append::new().element("items", &item).expect("JSON");
    store
        .append(&id("s"), &add(12))
        .expect_err("the first of its kind is judged by all");
    store.append(&id("s"), &add(2)).expect("append");
    store.append(&id("s"), &add(12)).expect("as it said so");
    assert!(store.load(&id("s")).is_err());
}

/// What was learnt of a record holds no longer when a member is set.
#[test]
fn a_member_that_changes_what_fits_is_heeded_by_the_next_append() {
    let scratch = Scratch::new();
    let store = limited::<Budget>(&scratch);
    let budget = Budget {
        id: id("s"),
        most: 9,
        items: Vec::new(),
    };
    store.save(&budget).expect("save");
    let add = |item: u64| Append::new().element("items", &item).expect("JSON");
    store.append(&id("s"), &add(8)).expect("append");
    store.append(&id("s"), &add(9)).expect("append");
    let raised = Append::new().member("most", &20).expect("JSON");
    store.append(&id("s"), &raised).expect("append");
    store.append(&id("s"), &add(15)).expect("it fits now");
    store.append(&id("s"), &add(21)).expect_err("it does not");
    assert_eq!(store.load(&id("s")).expect("load").items, [8, 9, 15]);
}
