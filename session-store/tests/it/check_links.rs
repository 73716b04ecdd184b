//! Tool calls and results that `check` misses each other's of: by the record's own links, whatever else is odd.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use session_store::{Finding, Message, Session, SessionId, SessionRecord, SessionStore, ToolLink};

use crate::support::{Scratch, id, session};

/// The findings of a session of these messages, written as another program would.
fn found(messages: &[String]) -> Vec<Finding> {
    let scratch = Scratch::new();
    let messages = messages.join(",");
    scratch.write("s.json", format!(r#"{{"id":"s","messages":[{messages}]}}"#));
    let findings = scratch.store().check(&id("s")).unwrap().findings;
    let is_of_links = |finding: &Finding| {
        !matches!(
            finding,
            Finding::Permissions { .. } | Finding::UselessFooter { .. }
        )
    };
    findings.into_iter().filter(is_of_links).collect()
}

fn message(parts: &[&str]) -> String {
    format!(r#"{{"role":"assistant","content":[{}]}}"#, parts.join(","))
}

const CALL: &str = r#"{"type":"tool_call","id":"1","name":"n","arguments":"{}"}"#;
const ANSWER: &str = r#"{"type":"tool_result","tool_call_id":"1","content":"x"}"#;

/// Parts that are no calls of ours, each of which a reader of calls could stumble over.
const ODD: [&str; 7] = [
    "5",
    "null",
    r#""tool_call""#,
    r#"["tool_result"]"#,
    r#"{"type":7,"id":"tool_"}"#,
    r#"{"type":"tool_call","id":7}"#,
    r#"{"type":"text","text":"tool_","id":{}}"#,
];

#[test]
fn one_odd_part_hides_no_other_parts_link() {
    for odd in ODD {
        for (call, answer) in [([CALL, odd], [odd, ANSWER]), ([odd, CALL], [ANSWER, odd])] {
            assert_eq!(found(&[message(&call), message(&answer)]), [], "{odd}");
            let alone = found(&[message(&call)]);
            assert_eq!(alone, [Finding::CallWithoutResult { message: 0 }], "{odd}");
            let alone = found(&[message(&[odd]), message(&answer)]);
            assert_eq!(alone, [Finding::ResultWithoutCall { message: 1 }], "{odd}");
        }
    }
}

#[test]
fn a_call_and_a_result_with_odd_members_find_each_other() {
    let calls = [
        CALL,
        r#"{"type":"tool_call","id":"1","arguments":{"a":[1.5]}}"#,
    ];
    let answers = [
        ANSWER,
        r#"{"type":"tool_result","tool_call_id":"1","content":[{"type":"text"}]}"#,
    ];
    for call in calls {
        assert_eq!(
            found(&[message(&[call])]),
            [Finding::CallWithoutResult { message: 0 }]
        );
        for answer in answers {
            assert_eq!(
                found(&[message(&[call]), message(&[answer])]),
                [],
                "{call} {answer}"
            );
        }
    }
}

/// A message that the type refuses is an error of its own; those around it are judged all the same.
#[test]
fn a_message_that_is_none_hides_no_other_messages_links() {
    let refused = r#"{"role":"tool","content":5}"#.to_owned();
    let mut messages = vec![message(&[CALL]), refused.clone(), message(&[ANSWER])];
    let unfit = |at| Finding::Unfit {
        element: Some(("messages".to_owned(), at)),
        reason: String::new(),
    };
    let of = |messages: &[String]| -> Vec<Finding> {
        let findings = found(messages).into_iter();
        findings
            .map(|finding| match finding {
                Finding::Unfit { element, .. } => Finding::Unfit {
                    element,
                    reason: String::new(),
                },
                other => other,
            })
            .collect()
    };
    assert_eq!(of(&messages), [unfit(1)]);
    messages.extend([
        refused.clone(),
        message(&[&CALL.replace('1', "2")]),
        refused,
    ]);
    messages.push(message(&[&ANSWER.replace('1', "3")]));
    assert_eq!(
        of(&messages),
        [
            unfit(1),
            Finding::ResultWithoutCall { message: 6 },
            Finding::CallWithoutResult { message: 4 },
        ]
    );
}

/// A record whose calls are in members that no part of a [`Session`] has.
#[derive(Debug, Serialize, Deserialize)]
struct Own {
    id: String,
    turns: Vec<Turn>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Turn {
    asks: Option<String>,
    says: Option<String>,
}

impl SessionRecord for Own {
    const CAPPED: &'static [&'static str] = &["turns"];
    const PAIRED: Option<&'static str> = Some("turns");

    fn id(&self) -> &str {
        &self.id
    }
    fn set_id(&mut self, id: SessionId) {
        self.id = id.into();
    }
    fn directory(&self) -> Option<&Path> {
        None
    }
    fn updated_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    fn paired(&self) -> usize {
        self.turns.len()
    }
    fn tool_links(&self, element: usize, link: &mut dyn FnMut(ToolLink<'_>)) {
        let turn = &self.turns[element];
        turn.asks.iter().for_each(|id| link(ToolLink::Call(id)));
        turn.says.iter().for_each(|id| link(ToolLink::Answer(id)));
    }
}

#[test]
fn a_record_of_ones_own_is_judged_by_its_own_links() {
    let scratch = Scratch::new();
    let store: SessionStore<Own> = SessionStore::open_as(scratch.sessions()).unwrap();
    let turn = |asks: Option<&str>, says: Option<&str>| Turn {
        asks: asks.map(str::to_owned),
        says: says.map(str::to_owned),
    };
    let turns = vec![
        turn(Some("a"), None),
        turn(Some("b"), Some("a")),
        turn(None, Some("c")),
    ];
    let own = Own {
        id: "s".to_owned(),
        turns,
    };
    store.save(&own).unwrap();
    assert_eq!(
        store.check(&id("s")).unwrap().findings,
        [
            Finding::ResultWithoutCall { message: 2 },
            Finding::CallWithoutResult { message: 1 },
        ]
    );
}

/// Elements are taken some at a time: links reach over any number of them.
#[test]
fn links_reach_over_any_number_of_messages() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut long: Session = session("s", "/work", 0, 1);
    long.push(serde_json::from_str(&message(&[CALL])).unwrap());
    for n in 0..2_000 {
        long.push(Message::user(format!("message {n} {}", "text ".repeat(60))));
    }
    long.push(serde_json::from_str(&message(&[&CALL.replace('1', "2")])).unwrap());
    long.push(serde_json::from_str(&message(&[ANSWER])).unwrap());
    store.save(&long).unwrap();
    assert!(fs::metadata(store.path(&long.id)).unwrap().len() > 512 << 10);
    let found = store.check(&long.id).unwrap().findings;
    assert_eq!(found, [Finding::CallWithoutResult { message: 2_001 }]);
}
