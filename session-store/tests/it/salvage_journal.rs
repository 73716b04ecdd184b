//! Salvage of a session with a journal: what is whole in either file is in the new session, once.

use std::fs;
use std::ops::ControlFlow;

use session_codec::Revision;
use session_store::fs::MemoryFs;
use session_store::{
    Append, Durability, Finding, Limits, LostRange, Message, Session, SessionStore, Severity,
};

use crate::journal_crash;
use crate::support::{Scratch, id, session};

const JOURNAL: &str = ".store/journal/s.journal";
/// The bytes of a journal's first line.
const TITLE: usize = 18;

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

/// A session of one message with so many turns in its journal, what it is as a whole, and where each turn ends in the journal.
fn appended(turns: usize) -> (MemoryFs, Session, Vec<usize>) {
    let fs = MemoryFs::new();
    let store = journal_crash::store(fs.clone(), Durability::Full);
    journal_crash::base(&store);
    let append = |n| {
        store.append(&id("s"), &journal_crash::turn(n)).unwrap();
        fs.content(JOURNAL).unwrap().len()
    };
    let ends = (1..=turns).map(append).collect();
    let whole = store.load(&id("s")).unwrap();
    (fs, whole, ends)
}

/// What is whole behind damage in a journal was acknowledged as what is before it.
#[test]
fn appends_behind_a_damaged_one_are_salvaged() {
    // Damage of the last one is a torn tail.
    for broken in 0..5_usize {
        let (fs, whole, mut ends) = appended(5);
        let mut journal = fs.content(JOURNAL).unwrap();
        ends.insert(0, TITLE);
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

/// Records cut out of the middle, as by a splice: what is whole behind them was acknowledged, and is no torn tail.
#[test]
fn appends_behind_some_that_were_cut_out_are_salvaged() {
    for gap in [0..1, 1..2, 1..4, 3..4] {
        let (fs, whole, ends) = appended(6);
        let mut journal = fs.content(JOURNAL).unwrap();
        journal.drain(ends[gap.start]..ends[gap.end]);
        fs.plant(JOURNAL, &journal);
        let store = journal_crash::store(fs.clone(), Durability::Full);
        assert!(store.load(&id("s")).unwrap_err().is_corrupt(), "{gap:?}");
        assert!(store.append(&id("s"), &journal_crash::turn(9)).is_err());
        let findings = store.check(&id("s")).unwrap().findings;
        let severity = findings.iter().map(Finding::severity).max();
        assert_eq!(severity, Some(Severity::Error), "{gap:?}");
        let report = store.salvage(&id("s")).unwrap().unwrap();
        let mut expected = whole.messages;
        let first = expected.len() - ends.len();
        expected.drain(first + gap.start + 1..=first + gap.end);
        let salvaged = store.load(&report.id).unwrap();
        assert_eq!(salvaged.messages, expected, "{gap:?}");
    }
}

/// A whole record of another journal, such as a disk gives back in the place of what it lost, hides nothing of this one, and no number
/// is too large to be read.
#[test]
fn a_stray_record_between_others_hides_none() {
    for number in [90, u64::from(u32::MAX), u64::MAX] {
        let (fs, whole, ends) = appended(6);
        let mut journal = fs.content(JOURNAL).unwrap();
        let stray = record(
            number,
            &[(b'e', "messages", r#"{"role":"user","content":[]}"#)],
        );
        journal.splice(ends[1]..ends[2], stray.iter().copied().chain([0; 9]));
        fs.plant(JOURNAL, &journal);
        let store = journal_crash::store(fs.clone(), Durability::Full);
        assert!(store.load(&id("s")).unwrap_err().is_corrupt());
        let report = store.salvage(&id("s")).unwrap().unwrap();
        let mut expected = whole.messages;
        expected.remove(3);
        let salvaged = store.load(&report.id).unwrap();
        assert_eq!(salvaged.messages, expected, "{number}");
        let start = ends[1] as u64;
        let lost = start..start + stray.len() as u64 + 9;
        assert_eq!(report.lost, [LostRange::Journal(lost)]);
    }
}

/// What was lost at a journal's end is told as what was lost before it.
#[test]
fn the_end_of_a_journal_that_is_lost_is_reported() {
    let fs = MemoryFs::new();
    let store = journal_crash::store(fs.clone(), Durability::Full);
    journal_crash::base(&store);
    store.append(&id("s"), &journal_crash::turn(1)).unwrap();
    let end = fs.content(JOURNAL).unwrap().len() as u64;
    store.append(&id("s"), &journal_crash::turn(2)).unwrap();
    let mut journal = fs.content(JOURNAL).unwrap();
    let size = journal.len() as u64;
    *journal.last_mut().unwrap() ^= 1;
    fs.plant(JOURNAL, &journal);
    let document = fs.content("s.json").unwrap();
    fs.plant("s.json", &document[..document.len() - 1]);
    let report = store.salvage(&id("s")).unwrap().unwrap();
    assert!(report.lost.contains(&LostRange::Journal(end..size)));
}

/// What stands in the quarantine under the session's name and is too long to be read is nobody's concern.
#[test]
fn a_long_file_in_the_quarantine_hinders_no_salvage() {
    let scratch = Scratch::new();
    let limits = Limits::default().document(10_000);
    let store: SessionStore = SessionStore::builder(scratch.sessions())
        .limits(limits)
        .open()
        .unwrap();
    store.save(&session("s", "/work", 3, 1)).unwrap();
    let bytes = fs::read(store.path(&id("s"))).unwrap();
    fs::write(store.path(&id("s")), &bytes[..bytes.len() - 2]).unwrap();
    let aside = scratch.file(".store/quarantine");
    fs::create_dir_all(&aside).unwrap();
    let name = "s.0000000000001.00000001.journal";
    fs::write(aside.join(name), vec![b'x'; 20_000]).unwrap();
    assert!(store.salvage(&id("s")).unwrap().is_some());
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

/// What a crash leaves between a fold and the end of its journal: a document that has what the journal adds.
#[test]
fn a_turn_that_only_the_journal_has_left_comes_where_it_was() {
    let (fs, _, _) = appended(5);
    let mut records = payloads(&fs.content(JOURNAL).unwrap());
    let store = journal_crash::store(fs.clone(), Durability::Full);
    assert!(store.checkpoint(&id("s")).unwrap());
    let folded = fs.content("s.json").unwrap();
    records.push([&b"R"[..], Revision::of_document(&folded).as_bytes()].concat());
    let mut journal = b"session-journal 1\n".to_vec();
    for (n, payload) in records.iter().enumerate() {
        journal.extend(framed(n as u64, payload));
    }
    for bad in 0..1_u32 << 6 {
        let mut document = folded.clone();
        let is_bad = |n: &usize| bad & 1 << n != 0;
        for n in (0..6).filter(is_bad) {
            let text = format!("message {n} of s");
            let mut texts = document.windows(text.len());
            let place = texts.position(|at| at == text.as_bytes()).unwrap();
            document[place] = 0;
        }
        let fs = MemoryFs::new();
        fs.plant("s.json", &document);
        fs.plant(JOURNAL, &journal);
        let store = journal_crash::store(fs, Durability::Full);
        let Some(report) = store.salvage(&id("s")).unwrap() else {
            assert_eq!(bad, 0);
            continue;
        };
        let expected = (0..6).filter(|n| *n > 0 || !is_bad(n));
        let expected = expected.map(|n| Message::user(format!("message {n} of s")));
        let said = store.load(&report.id).unwrap().messages;
        assert_eq!(said, expected.collect::<Vec<_>>(), "{bad:06b}");
    }
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
