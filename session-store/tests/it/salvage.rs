//! Salvage: what lies wholly before the damage is in the new session, and nothing that was not in the old one.

use std::fs;
use std::ops::ControlFlow;

use proptest::prelude::*;
use session_codec::Revision;
use session_store::fs::MemoryFs;
use session_store::{
    Append, Durability, Finding, LostRange, Message, QuarantineReason, Session, SessionStore,
    Severity,
};

use crate::journal_crash;
use crate::support::{Scratch, id, session};

const JOURNAL: &str = ".store/journal/s.journal";
/// The bytes of a journal's first line.
const TITLE: usize = 18;

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

#[test]
fn appends_are_salvaged_with_their_document() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let one = session("s", "/work", 3, 1);
    store.save(&one).unwrap();
    let turn = Message::user("appended");
    store
        .append(&one.id, &Append::new().message(&turn).unwrap())
        .unwrap();
    let mut bytes = fs::read(store.path(&one.id)).unwrap();
    let at = bytes
        .windows(9)
        .position(|text| text == b"message 1")
        .unwrap();
    bytes.truncate(at);
    fs::write(store.path(&id("s")), bytes).unwrap();
    let report = store.salvage(&one.id).unwrap().unwrap();
    let new = store.load(&report.id).unwrap();
    assert_eq!(new.messages, [one.messages[0].clone(), turn]);
    assert_eq!(store.quarantined().unwrap().len(), 2);
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

/// Whoever fails to go on with a damaged session leaves all of it to who mends it.
#[test]
fn a_journal_stays_beside_a_document_that_cannot_be_appended_to() {
    let fs = MemoryFs::new();
    let first = journal_crash::store(fs.clone(), Durability::Full);
    journal_crash::base(&first);
    for n in 1..4 {
        first.append(&id("s"), &journal_crash::turn(n)).unwrap();
    }
    let whole = fs.content("s.json").unwrap();
    fs.plant("s.json", &whole[..whole.len() - 3]);
    for store in [first, journal_crash::store(fs.clone(), Durability::Full)] {
        let append = journal_crash::turn(4);
        assert!(store.append(&id("s"), &append).unwrap_err().is_corrupt());
        assert!(store.writer(&id("s")).unwrap_err().is_corrupt());
        assert!(fs.content(JOURNAL).is_some());
    }
    let store = journal_crash::store(fs, Durability::Full);
    let report = store.salvage(&id("s")).unwrap().unwrap();
    assert_eq!(store.load(&report.id).unwrap().messages.len(), 4);
}

/// What is whole behind damage in a journal was acknowledged as what is before it.
#[test]
fn appends_behind_a_damaged_one_are_salvaged() {
    // Damage of the last one is a torn tail.
    for broken in 0..5_usize {
        let fs = MemoryFs::new();
        let store = journal_crash::store(fs.clone(), Durability::Full);
        journal_crash::base(&store);
        let mut ends = vec![TITLE];
        for n in 1..6 {
            store.append(&id("s"), &journal_crash::turn(n)).unwrap();
            ends.push(fs.content(JOURNAL).unwrap().len());
        }
        let whole = store.load(&id("s")).unwrap();
        let mut journal = fs.content(JOURNAL).unwrap();
        // The first record is the one that says what the journal extends, with the first append behind it.
        let length = u32::from_le_bytes(journal[TITLE..TITLE + 4].try_into().unwrap());
        ends.insert(1, TITLE + 16 + length as usize);
        journal[ends[broken] + 20] ^= 1;
        fs.plant(JOURNAL, &journal);
        let store = journal_crash::store(fs, Durability::Full);
        let report = store.salvage(&id("s")).unwrap().unwrap();
        let mut expected = whole.messages;
        if broken > 0 {
            expected.remove(broken);
        }
        assert_eq!(
            store.load(&report.id).unwrap().messages,
            expected,
            "{broken}"
        );
        let lost = ends[broken] as u64..ends[broken + 1] as u64;
        assert_eq!(report.lost, [LostRange::Journal(lost)], "{broken}");
    }
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

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_le_bytes()
}

/// A whole record of a journal, whatever it says.
fn framed(number: u64, payload: &[u8]) -> Vec<u8> {
    let (length, number) = (length(payload), number.to_le_bytes());
    let sum = crc32fast::hash(&[&length[..], &number, payload].concat());
    [&length[..], &sum.to_le_bytes(), &number, payload].concat()
}

/// A whole record of a journal that sets members and adds elements, whatever their texts are.
fn record(number: u64, parts: &[(u8, &str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&length(text.as_bytes())[..], text.as_bytes()].concat();
    let mut payload = b"A".to_vec();
    for (kind, name, json) in parts {
        payload.push(*kind);
        payload.extend([text(name), text(json)].concat());
    }
    framed(number, &payload)
}

/// The payloads of a journal's records.
fn payloads(journal: &[u8]) -> Vec<Vec<u8>> {
    let (mut at, mut all) = (TITLE, Vec::new());
    while at < journal.len() {
        let length = u32::from_le_bytes(journal[at..at + 4].try_into().unwrap()) as usize;
        all.push(journal[at + 16..at + 16 + length].to_vec());
        at += 16 + length;
    }
    all
}

/// A crash may leave a document that has some of what its journal adds. Whatever is damaged then, in the one or the other: what is
/// whole is there, once.
#[test]
fn what_a_document_may_have_of_its_journal_is_salvaged_once() {
    let fs = MemoryFs::new();
    let store = journal_crash::store(fs.clone(), Durability::Full);
    journal_crash::base(&store);
    let before = fs.content("s.json").unwrap();
    for n in 1..4 {
        store.append(&id("s"), &journal_crash::turn(n)).unwrap();
    }
    let mut records = payloads(&fs.content(JOURNAL).unwrap());
    assert!(store.checkpoint(&id("s")).unwrap());
    let folded = fs.content("s.json").unwrap();
    records.push([&b"R"[..], Revision::of_document(&folded).as_bytes()].concat());
    store.append(&id("s"), &journal_crash::turn(4)).unwrap();
    records.extend(payloads(&fs.content(JOURNAL).unwrap()).pop());
    let mut tried = 0;
    for bad in 0..1_u32 << records.len() {
        let is_bad = |n: usize| bad & 1 << n != 0;
        let mut journal = b"session-journal 1\n".to_vec();
        for (n, payload) in records.iter().enumerate() {
            journal.extend(framed(n as u64, payload));
            *journal.last_mut().unwrap() ^= u8::from(is_bad(n));
        }
        let place = |text: &str| {
            folded
                .windows(text.len())
                .position(|at| at == text.as_bytes())
        };
        let cut = place("message 3").unwrap();
        for (document, has) in [
            (&before[..], 0),
            (&before[..before.len() - 1], 0),
            (&folded, 3),
            (&folded[..folded.len() - 1], 3),
            (&folded[..cut], 2),
        ] {
            let fs = MemoryFs::new();
            fs.plant("s.json", document);
            fs.plant(JOURNAL, &journal);
            let store = journal_crash::store(fs, Durability::Full);
            let Ok(Some(report)) = store.salvage(&id("s")) else {
                continue;
            };
            // The appends are records 1 to 3, and 5 behind the announcement.
            let is_there = |n: &usize| *n <= has || !is_bad(if *n == 4 { 5 } else { *n });
            let expected: Vec<_> = (0..5).filter(is_there).collect();
            let said = store.load(&report.id).unwrap().messages;
            let number =
                |one: &Message| (0..5).find(|n| *one == Message::user(format!("message {n} of s")));
            let mut said: Vec<_> = said.iter().filter_map(number).collect();
            // Where nothing says what the document had before, what it has of a journal of which more is lost may be there twice.
            if is_bad(0) && bad.count_ones() > 1 {
                said.sort_unstable();
                said.dedup();
            }
            assert_eq!(
                said,
                expected,
                "{bad:06b} of a journal, {} of {}",
                document.len(),
                folded.len()
            );
            tried += 1;
        }
    }
    assert!(tried > 250, "{tried}");
}

/// Records that are whole and say what no document can have: everybody who reads says so, a check finds it, and the rest is saved.
#[test]
fn what_a_journal_adds_and_no_document_can_have_is_found_and_left_out() {
    for wrong in [
        (b'm', "title", "{"),
        (b'm', "title", r#"1,"agent":"other""#),
        (b'm', "messages", "[]"),
        (b'e', "messages", "nonsense"),
        (b'e', "messages", "{},{"),
    ] {
        let fs = MemoryFs::new();
        let store = journal_crash::store(fs.clone(), Durability::Full);
        journal_crash::base(&store);
        store.append(&id("s"), &journal_crash::turn(1)).unwrap();
        let mut journal = fs.content(JOURNAL).unwrap();
        journal.extend(record(2, &[wrong]));
        fs.plant(JOURNAL, &journal);
        let store = journal_crash::store(fs, Durability::Full);
        let error = store.load(&id("s")).unwrap_err();
        assert!(error.is_corrupt(), "{wrong:?}: {error}");
        let checked = store.check(&id("s")).unwrap();
        assert_eq!(checked.worst(), Some(Severity::Error), "{wrong:?}");
        let all = store.check_all(|_| ControlFlow::Continue(())).unwrap();
        assert!(!all.is_sound(), "{wrong:?}");
        let report = store.salvage(&id("s")).unwrap().unwrap();
        let saved = store.load(&report.id).unwrap();
        assert!(saved.messages.len() >= 2 || wrong.2 == "[]", "{wrong:?}");
        assert_ne!(saved.agent, "other");
    }
}
