//! Salvage: what lies wholly before the damage is in the new session, and nothing that was not in the old one.

use std::fs;

use proptest::prelude::*;
use session_store::{Finding, Message, QuarantineReason, RawJson, Session, SessionStore};

use crate::support::{Scratch, id, session};

/// Damages a session of 20 messages; says which messages end before `from`.
fn salvaged(change: impl FnOnce(&mut Vec<u8>) -> usize) -> (Scratch, SessionStore, Session, usize) {
    let scratch = Scratch::new();
    let store = scratch.store();
    let one = session("s", "/work", 20, 1);
    store.save(&one).unwrap();
    let path = store.path(&one.id);
    let mut bytes = fs::read(&path).unwrap();
    // The naive oracle: a message is one line of text here, and ends with its own closing brackets.
    let ends: Vec<usize> = (0..20)
        .map(|n| {
            let text = format!("message {n} of s\"}}]}}");
            let at = bytes
                .windows(text.len())
                .position(|part| part == text.as_bytes());
            at.unwrap() + text.len()
        })
        .collect();
    let from = change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let before = ends.iter().filter(|end| **end < from).count();
    (scratch, store, one, before)
}

#[test]
fn a_truncated_session_keeps_every_whole_message() {
    let (_scratch, store, one, before) = salvaged(|bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes.len()
    });
    let damaged = fs::read(store.path(&one.id)).unwrap();
    let report = store.salvage(&one.id).unwrap().unwrap();
    let new = store.load(&report.id).unwrap();
    assert_eq!(new.messages, one.messages[..before]);
    assert!(before > 3);
    assert_eq!(new.metadata.directory, one.metadata.directory);
    assert_eq!(report.lost.len(), 1);
    assert!(store.load(&one.id).unwrap_err().is_not_found());
    let aside = store.quarantined().unwrap().remove(0);
    assert_eq!(
        (&aside.id, aside.reason),
        (&one.id, QuarantineReason::SalvagedDocument)
    );
    let kept = store.root().join(".store/quarantine").join(aside.name);
    assert_eq!(fs::read(kept).unwrap(), damaged);
}

#[test]
fn zeroes_in_the_middle_cost_only_what_they_cover() {
    let (_scratch, store, one, before) = salvaged(|bytes| {
        let at = bytes
            .windows(9)
            .position(|text| text == b"message 7")
            .unwrap();
        bytes[at..at + 4].fill(0);
        at
    });
    let report = store.salvage(&one.id).unwrap().unwrap();
    let mut expected = one.messages.clone();
    expected.remove(before);
    assert_eq!(store.load(&report.id).unwrap().messages, expected);
}

#[test]
fn garbage_behind_a_session_costs_nothing() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        bytes.extend(b"\0\0}garbage");
        bytes.len()
    });
    let report = store.salvage(&one.id).unwrap().unwrap();
    assert_eq!(store.load(&report.id).unwrap().messages, one.messages);
}

#[test]
fn a_sound_session_is_left_alone_and_an_empty_file_too() {
    let (_scratch, store, one, _) = salvaged(|_| 0);
    assert_eq!(store.salvage(&one.id).unwrap(), None);
    fs::write(store.path(&one.id), b"").unwrap();
    assert!(store.salvage(&one.id).is_err());
    assert_eq!(fs::read(store.path(&one.id)).unwrap(), b"");
    assert_eq!(store.quarantined().unwrap(), []);
}

#[test]
fn a_second_try_finishes_the_first() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        bytes.truncate(bytes.len() / 2);
        0
    });
    let damaged = fs::read(store.path(&one.id)).unwrap();
    let first = store.salvage(&one.id).unwrap().unwrap();
    // A crash after the new session, before the move.
    fs::write(store.path(&one.id), damaged).unwrap();
    assert_eq!(store.salvage(&one.id).unwrap().unwrap(), first);
}

#[test]
fn what_loads_is_left_alone() {
    for (from, to) in [("message 7", "massage 7"), (r#""id":"s""#, r#""id":"t""#)] {
        let (_scratch, store, one, _) = salvaged(|bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replacen(from, to, 1).into_bytes();
            0
        });
        let before = fs::read(store.path(&one.id)).unwrap();
        assert!(!store.check(&one.id).unwrap().findings.is_empty());
        assert_eq!(store.salvage(&one.id).unwrap(), None);
        assert_eq!(fs::read(store.path(&one.id)).unwrap(), before);
        assert_eq!(store.quarantined().unwrap(), []);
    }
}

#[test]
fn a_record_that_does_not_fit_is_salvaged_without_what_does_not() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let other = text.replacen(r#""role":"user""#, r#""role":["user"]"#, 1);
        *bytes = other.into_bytes();
        0
    });
    let report = store.salvage(&one.id).unwrap().unwrap();
    assert_eq!(report.refused, ["messages[0]"]);
    assert_eq!(store.load(&report.id).unwrap().messages, one.messages[1..]);
}

/// What mirrors the messages one by one would say it of others, were one of them missing.
#[test]
fn what_mirrors_messages_that_are_lost_is_refused() {
    for is_damaged in [true, false] {
        let scratch = Scratch::new();
        let store = scratch.store();
        let mut one = session("s", "/work", 6, 1);
        let pages = RawJson::from_value(&[0, 1, 2, 3, 4, 5]).unwrap();
        one.extra.insert("pages", pages.clone());
        store.save(&one).unwrap();
        let path = store.path(&one.id);
        let mut bytes = fs::read(&path).unwrap();
        let at = if is_damaged {
            let text = String::from_utf8(bytes.clone()).unwrap();
            text.find("message 2").unwrap() - 5
        } else {
            bytes.len() - 1
        };
        bytes[at] = 0;
        fs::write(&path, bytes).unwrap();
        let report = store.salvage(&one.id).unwrap().unwrap();
        let loaded = store.load(&report.id).unwrap();
        assert_eq!(loaded.messages.len(), if is_damaged { 5 } else { 6 });
        let expected = (!is_damaged).then_some(&pages);
        assert_eq!(loaded.extra.get("pages"), expected);
        assert_eq!(report.refused.contains(&"pages".to_owned()), is_damaged);
    }
}

/// A new session that a crash left empty is no salvage: it is written again.
#[test]
fn a_second_try_writes_what_the_first_left_broken() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        bytes.truncate(bytes.len() / 2);
        0
    });
    let damaged = fs::read(store.path(&one.id)).unwrap();
    let first = store.salvage(&one.id).unwrap().unwrap();
    let whole = store.load(&first.id).unwrap();
    fs::write(store.path(&one.id), damaged).unwrap();
    fs::write(store.path(&first.id), "").unwrap();
    assert_eq!(store.salvage(&one.id).unwrap().unwrap(), first);
    assert_eq!(store.load(&first.id).unwrap(), whole);
}

/// A value that is nested deeper than any may be is damage as any other: the rest is saved.
#[test]
fn an_element_that_is_too_deep_costs_only_itself() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let deep = format!("\"deep\":{}{},\"role\":", "[".repeat(200), "]".repeat(200));
        *bytes = text.replacen("\"role\":", &deep, 1).into_bytes();
        0
    });
    assert!(store.load(&one.id).is_err());
    let report = store.salvage(&one.id).unwrap().unwrap();
    assert_eq!(store.load(&report.id).unwrap().messages, one.messages[1..]);
}

/// Two documents put together in one, as by a splice.
#[test]
fn an_array_that_stands_twice_goes_on_where_the_first_ended() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let one = session("s", "/work", 4, 1);
    store.save(&one).unwrap();
    let text = serde_json::to_string(&one).unwrap();
    let messages = serde_json::to_string(&one.messages[..2]).unwrap();
    let twice = format!("{{\"messages\":{messages},{}", &text[1..]);
    fs::write(store.path(&one.id), twice).unwrap();
    let report = store.salvage(&one.id).unwrap().unwrap();
    let new = store.load(&report.id).unwrap();
    let expected: Vec<_> = one.messages[..2].iter().chain(&one.messages).collect();
    assert_eq!(new.messages.iter().collect::<Vec<_>>(), expected);
}

/// What takes a look at everything for each member, or for each element, does not come back from this.
#[test]
fn many_members_and_many_elements_that_do_not_fit_are_told_apart_soon() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    let members: Vec<String> = (0..60_000).map(|n| format!("\"member {n}\":{n}")).collect();
    let good = serde_json::to_string(&Message::user("whole")).unwrap();
    let elements: Vec<&str> = (0..20_000)
        .map(|n| if n % 100 == 0 { "7" } else { &good })
        .collect();
    let text = format!(
        "{{\"id\":\"s\",\"title\":5,\"agent\":5,{},\"messages\":[{}]}}",
        members.join(","),
        elements.join(",")
    );
    fs::write(store.path(&id("s")), text).unwrap();
    let report = store.salvage(&id("s")).unwrap().unwrap();
    let new = store.load(&report.id).unwrap();
    assert_eq!(new.messages.len(), 19_800);
    assert!(
        new.messages
            .iter()
            .all(|one| *one == Message::user("whole"))
    );
}

/// Two blocks of zeros and a cut, as of a disk that lost some: what lies between them is there.
#[test]
fn what_lies_between_faults_is_salvaged() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        for message in ["message 3", "message 11"] {
            let found = bytes
                .windows(message.len())
                .position(|part| part == message.as_bytes());
            let at = found.unwrap();
            bytes[at..at + 4].fill(0);
        }
        let cut = bytes
            .windows(10)
            .position(|part| part == b"message 17")
            .unwrap();
        bytes.truncate(cut);
        cut
    });
    let report = store.salvage(&one.id).unwrap().unwrap();
    let kept = (0..17).filter(|n| ![3, 11].contains(n));
    let expected: Vec<_> = kept.map(|n| one.messages[n].clone()).collect();
    assert_eq!(store.load(&report.id).unwrap().messages, expected);
    assert_eq!(report.lost.len(), 3);
}

/// Nothing can be renamed to what the document does not say.
#[test]
fn a_document_without_an_id_gets_one() {
    let (_scratch, store, one, _) = salvaged(|bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replacen(r#""id":"s","#, "", 1).into_bytes();
        0
    });
    assert!(store.load(&one.id).unwrap_err().is_corrupt());
    let findings = store.check(&one.id).unwrap().findings;
    assert!(findings.contains(&Finding::Nameless), "{findings:?}");
    let report = store.salvage(&one.id).unwrap().unwrap();
    assert_eq!(store.load(&report.id).unwrap().messages, one.messages);
    assert_eq!(report.lost, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_damaged_nothing_before_it_is_lost_and_nothing_is_invented(
        place in 0..1000_usize, length in 1..200_usize, kind in 0..4
    ) {
        let (_scratch, store, one, before) = salvaged(|bytes| {
            let at = (bytes.len() - 1) * place / 1000;
            let to = (at + length).min(bytes.len());
            match kind {
                0 => bytes.truncate(at),
                1 => bytes[at..to].fill(0),
                2 => drop(bytes.drain(at..to)),
                _ => bytes[at] ^= 0x80,
            }
            at
        });
        let Ok(Some(report)) = store.salvage(&one.id) else {
            prop_assert!(before == 0 || store.load(&one.id).is_ok());
            return Ok(());
        };
        let new = store.load(&report.id).unwrap().messages;
        prop_assert!(new.len() >= before && new[..before] == one.messages[..before]);
        if kind != 2 {
            prop_assert!(new.iter().all(|message| one.messages.contains(message)));
        }
    }
}
