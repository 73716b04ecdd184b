//! Checks: each kind of damage is a finding of its own, and a sound store has none.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use session_store::{Append, Finding, Message, Severity};

use crate::support::{Scratch, id, session};

fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> Vec<Finding> {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 20, 1)).unwrap();
    let mut bytes = fs::read(store.path(&id("s"))).unwrap();
    change(&mut bytes);
    fs::write(store.path(&id("s")), bytes).unwrap();
    store.check(&id("s")).unwrap().findings
}

fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from));
    *bytes = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn a_sound_session_has_no_findings() {
    assert_eq!(damaged(|_| {}), []);
}

#[test]
fn every_byte_is_judged() {
    let cut = damaged(|bytes| bytes.truncate(bytes.len() / 2));
    assert!(matches!(cut[..], [Finding::Malformed { offset, .. }] if offset > 100));
    let at = std::cell::Cell::new(0);
    let utf8 = damaged(|bytes| {
        at.set(
            bytes
                .windows(9)
                .position(|text| text == b"message 7")
                .unwrap(),
        );
        bytes[at.get()] = 0xff;
    });
    assert!(matches!(utf8[..], [Finding::Malformed { offset, .. }] if offset == at.get() as u64));
    let lone = damaged(|bytes| replace(bytes, "message 7", r"\ud800 7"));
    assert!(matches!(lone[..], [Finding::Malformed { .. }]), "{lone:?}");
}

#[test]
fn a_footer_that_lies_and_a_foreign_id_are_found() {
    let changed = damaged(|bytes| replace(bytes, "message 7", "massage 7"));
    assert!(
        matches!(changed[..], [Finding::FalseFooter { .. }]),
        "{changed:?}"
    );
    assert_eq!(changed[0].severity(), Severity::Warning);
    let misnamed = damaged(|bytes| replace(bytes, r#""id":"s""#, r#""id":"t""#));
    assert!(misnamed.contains(&Finding::Misnamed), "{misnamed:?}");
}

#[test]
fn journals_are_judged() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let one = session("s", "/work", 2, 1);
    store.save(&one).unwrap();
    for n in 0..3 {
        let append = Append::new()
            .message(&Message::user(format!("turn {n}")))
            .unwrap();
        store.append(&one.id, &append).unwrap();
    }
    let path = scratch.file(".store/journal/s.journal");
    let whole = fs::read(&path).unwrap();
    let found = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        store.check(&one.id).unwrap().findings
    };
    assert_eq!(found(&whole), []);
    let torn = found(&whole[..whole.len() - 3]);
    assert!(
        matches!(torn[..], [Finding::TornJournal { .. }]),
        "{torn:?}"
    );
    let mut flipped = whole.clone();
    let at = whole.windows(6).position(|text| text == b"turn 1").unwrap();
    flipped[at] ^= 1;
    let middle = found(&flipped);
    assert!(
        matches!(middle[..], [Finding::DamagedJournal { .. }]),
        "{middle:?}"
    );
    assert_eq!(found(b""), [Finding::EmptyJournal]);
    assert_eq!(store.load(&one.id).unwrap(), one);
    fs::remove_file(store.path(&one.id)).unwrap();
    assert!(found(&whole).contains(&Finding::OrphanedJournal));
}

#[test]
fn check_all_finds_the_one_among_many_and_can_be_stopped() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for name in ["a", "b", "c"] {
        store.save(&session(name, "/work", 2, 1)).unwrap();
    }
    fs::write(store.path(&id("b")), b"{").unwrap();
    fs::set_permissions(store.path(&id("c")), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(scratch.file(".store/tmp/a.0123456789abcdef"), b"").unwrap();
    let report = store.check_all(|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.sessions, 3);
    assert!(!report.is_sound());
    let found: Vec<_> = report
        .found
        .iter()
        .map(|one| (one.id.as_str(), one.worst()))
        .collect();
    assert_eq!(
        found,
        [("b", Some(Severity::Error)), ("c", Some(Severity::Warning))]
    );
    assert!(matches!(report.leftovers[..], [Finding::Temporary { .. }]));
    assert!(store.check_all(|_| ControlFlow::Break(())).is_err());
}

#[test]
fn members_that_are_there_twice_are_found() {
    let twice = damaged(|bytes| {
        bytes.splice(1..1, br#""future":1,"future":2,"#.iter().copied());
    });
    assert!(
        twice.contains(&Finding::DuplicateMember { count: 1 }),
        "{twice:?}"
    );
    let array = damaged(|bytes| {
        bytes.splice(1..1, br#""messages":[],"#.iter().copied());
    });
    assert!(
        array
            .iter()
            .any(|one| matches!(one, Finding::Header { .. })),
        "{array:?}"
    );
}

#[test]
fn directories_that_others_may_use_and_locks_of_nobody_are_found() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for name in ["a", "b", "c"] {
        store.save(&session(name, "/work", 2, 1)).unwrap();
    }
    let report = || store.check_all(|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report().leftovers, []);
    store.delete(&id("b")).unwrap();
    assert_eq!(report().leftovers, [Finding::StaleLocks { count: 1 }]);
    let open = fs::Permissions::from_mode(0o750);
    fs::set_permissions(scratch.file(".store/trash"), open).unwrap();
    let expected = Finding::Directory {
        name: ".store/trash".to_owned(),
        mode: 0o750,
        foreign: false,
    };
    assert_eq!(
        report().leftovers,
        [expected, Finding::StaleLocks { count: 1 }]
    );
}

#[test]
fn tool_calls_and_results_without_each_other_are_found() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let call = r#"{"role":"assistant","content":[{"type":"tool_call","id":"ID","name":"n","arguments":"{}"}]}"#;
    let result =
        r#"{"role":"tool","content":[{"type":"tool_result","tool_call_id":"ID","content":"x"}]}"#;
    let messages = [
        call.replace("ID", "one"),
        result.replace("ID", "one"),
        call.replace("ID", "two"),
        result.replace("ID", "three"),
    ];
    let mut whole = session("s", "/work", 0, 1);
    for message in messages {
        whole.push(serde_json::from_str(&message).unwrap());
    }
    store.save(&whole).unwrap();
    // Of what is appended, too.
    let last: Message = serde_json::from_str(&result.replace("ID", "four")).unwrap();
    store
        .append(&whole.id, &Append::new().message(&last).unwrap())
        .unwrap();
    assert_eq!(
        store.check(&whole.id).unwrap().findings,
        [
            Finding::ResultWithoutCall { message: 3 },
            Finding::ResultWithoutCall { message: 4 },
            Finding::CallWithoutResult { message: 2 },
        ]
    );
}

/// What is JSON but of another type is found, wherever a load would refuse it, and nowhere else.
#[test]
fn what_the_type_does_not_take_is_found() {
    let place = |findings: Vec<Finding>| {
        findings.into_iter().find_map(|one| match one {
            Finding::Unfit {
                element: Some((array, at)),
                ..
            } => Some(format!("{array}[{at}]")),
            Finding::Unfit { .. } | Finding::Header { .. } => Some("session".to_owned()),
            _ => None,
        })
    };
    let wrong = [
        (
            r#""messages":"#,
            r#""messages":"none","future":"#,
            Some("session"),
        ),
        (r#""agent":""#, r#""agent":5,"future":""#, Some("session")),
        (
            r#"[{"type":"text","text":"message 7"#,
            r#"5,"future":[{"type":"text","text":"message 7"#,
            Some("messages[7]"),
        ),
        (
            r#"[{"type":"text","text":"message 19"#,
            r#"5,"future":[{"type":"text","text":"message 19"#,
            Some("messages[19]"),
        ),
        (
            r#"[{"type":"text","text":"message 0"#,
            r#"5,"future":[{"type":"text","text":"message 0"#,
            Some("messages[0]"),
        ),
        (
            r#""tool_uses":[]"#,
            r#""tool_uses":[5]"#,
            Some("tool_uses[0]"),
        ),
        (
            r#""text":"message 7"#,
            r#""future":5,"text":"message 7"#,
            None,
        ),
    ];
    for (from, to, expected) in wrong {
        let scratch = Scratch::new();
        let store = scratch.store();
        store.save(&session("s", "/work", 20, 1)).unwrap();
        let path = store.path(&id("s"));
        let mut bytes = fs::read(&path).unwrap();
        replace(&mut bytes, from, to);
        fs::write(&path, &bytes).unwrap();
        let found = place(store.check(&id("s")).unwrap().findings);
        assert_eq!(found.as_deref(), expected, "{to}");
        assert_eq!(store.load(&id("s")).is_err(), expected.is_some(), "{to}");
    }
}

/// Elements are judged some at a time: which of them is wrong is told exactly, in document and journal.
#[test]
fn a_wrong_element_is_told_by_its_place_however_many_there_are() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut long = session("s", "/work", 0, 1);
    for n in 0..2_000 {
        long.push(Message::user(format!("message {n} {}", "text ".repeat(60))));
    }
    store.save(&long).unwrap();
    assert_eq!(store.check(&long.id).unwrap().findings, []);
    let append = Append::new().message(&Message::user("journal")).unwrap();
    store.append(&long.id, &append).unwrap();
    assert_eq!(store.check(&long.id).unwrap().findings, []);
    let path = store.path(&long.id);
    let sound = fs::read(&path).unwrap();
    store.checkpoint(&long.id).unwrap();
    for wrong in [0, 1, 700, 1_023, 1_999] {
        let mut bytes = sound.clone();
        replace(
            &mut bytes,
            &format!("[{{\"type\":\"text\",\"text\":\"message {wrong} "),
            &format!("5,\"x\":[{{\"type\":\"text\",\"text\":\"message {wrong} "),
        );
        fs::write(&path, &bytes).unwrap();
        let findings = store.check(&long.id).unwrap().findings;
        let unfit: Vec<_> = findings
            .iter()
            .filter_map(|one| match one {
                Finding::Unfit { element, .. } => element.clone(),
                _ => None,
            })
            .collect();
        assert_eq!(unfit, [("messages".to_owned(), wrong)], "{findings:?}");
        assert!(findings.iter().any(|one| one.severity() == Severity::Error));
    }
}

#[test]
fn what_cannot_be_looked_into_hides_nothing_else() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("a", "/work", 2, 1)).unwrap();
    fs::write(store.path(&id("a")), b"{").unwrap();
    let outside = scratch.file("outside");
    fs::create_dir(&outside).unwrap();
    for planted in ["journal", "quarantine"] {
        let place = scratch.file(&format!(".store/{planted}"));
        let _ = fs::remove_dir(&place);
        symlink(&outside, place).unwrap();
    }
    let report = store.check_all(|_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.found.len(), 1);
    let unreadable = report.leftovers.iter();
    let unreadable = unreadable.filter(|one| matches!(one, Finding::Unreadable { .. }));
    assert_eq!(unreadable.count(), 2);
}
