//! A journal's end, read in steps of any size, against reading it whole.

use fastrand::Rng;
use session_codec::TailCap;

use super::super::record::{added, announcement, frame};
use super::*;
use crate::backend::BlobStat;

const ARRAYS: [&str; 3] = ["messages", "tools", "notes"];

/// A journal with elements of three arrays, members and announced documents, in an order that is drawn.
fn journal(draw: &mut Rng) -> Vec<u8> {
    let begin = Begin {
        stat: BlobStat::new(1, 2, 3, 4, 5),
        revision: Revision::of(b"a document"),
        kept: b"{}".to_vec(),
        counts: vec![("messages".to_owned(), Some(3))],
    };
    let mut bytes = TITLE.to_vec();
    bytes.extend(frame(0, &begin.payload()).unwrap());
    let is_rare = draw.usize(..2) == 0;
    for number in 1..=draw.usize(..60) as u64 {
        if draw.usize(..9) == 0 {
            let announced = announcement(Revision::of(&number.to_le_bytes()));
            bytes.extend(frame(number, &announced).unwrap());
            continue;
        }
        let mut elements = Vec::new();
        for at in 0..draw.usize(..4) {
            let array = match draw.usize(..if is_rare { 40 } else { 6 }) {
                0 => "tools",
                1 => "notes",
                _ => "messages",
            };
            let text = format!("\"{number}.{at}{}\"", "é".repeat(draw.usize(..40)));
            elements.push((array, text));
        }
        let members = ["title", "usage"].map(|name| (name, format!("{number}")));
        let members = &members[..draw.usize(..3)];
        let elements = elements.iter().map(|(name, json)| (*name, json.as_str()));
        let members = members.iter().map(|(name, json)| (*name, json.as_str()));
        bytes.extend(added(elements, members, 0).framed(number).unwrap());
    }
    bytes
}

/// All that a journal says to those who want its end only.
fn said(journal: &Journal, cap: &TailCap) -> String {
    let elements = |array: &str| {
        let all = journal.additions(0);
        let all = all.filter(|part| part.kind == AdditionKind::Element && part.name == array);
        let all: Vec<_> = all.map(|part| part.json()).collect();
        let count = journal.let_go(array) + all.len() as u64;
        let wanted = cap.keep(array).unwrap_or(usize::MAX).min(all.len());
        format!("{array} {count} {:?}", &all[all.len() - wanted..])
    };
    let mut members: Vec<(&str, &str)> = journal.let_go_members().collect();
    for part in journal
        .additions(0)
        .filter(|part| part.kind == AdditionKind::Member)
    {
        members.retain(|(name, _)| *name != part.name);
        members.push((part.name, part.json()));
    }
    members.sort_unstable();
    let (end, next, appends) = (journal.end(), journal.next(), journal.appends());
    let (torn, replaced) = (journal.torn(), &journal.replaced);
    let (elements, revision) = (ARRAYS.map(elements), journal.hasher().finish());
    format!("{elements:?} {members:?} {end} {next} {appends} {torn} {replaced:?} {revision}")
}

#[test]
fn the_end_says_what_the_whole_says_for_steps_of_any_size() {
    let mut draw = Rng::with_seed(1);
    let (mut partial, mut carried, mut damaged, mut left) = (0, 0, 0, 0);
    for round in 0..600 {
        let mut bytes = journal(&mut draw);
        match round % 6 {
            0 => bytes.truncate(draw.usize(..bytes.len())),
            1 => {
                let at = draw.usize(..bytes.len());
                bytes[at] ^= 1 << draw.usize(..8);
            }
            2 => bytes.extend(vec![0; draw.usize(..300)]),
            _ => {}
        }
        let whole = Journal::parse(bytes.clone());
        for _ in 0..6 {
            let steps = Steps {
                piece: 1 + draw.usize(..900),
                held: draw.usize(..2_000),
            };
            let cap = TailCap::new().cap("messages", draw.usize(..9));
            let cap = match draw.usize(..3) {
                0 => cap,
                1 => cap.cap("tools", draw.usize(..4)),
                _ => cap
                    .cap("tools", draw.usize(..4))
                    .cap("notes", draw.usize(..9)),
            };
            // A file may have grown or shrunk since somebody asked how long it is.
            let size = (bytes.len() + draw.usize(..3) * 40).saturating_sub(40) as u64;
            let end = Journal::end_in(&bytes, size, &cap, steps).unwrap();
            match (&whole, end) {
                (Ok(whole), Some(end)) => {
                    assert_eq!(said(&end, &cap), said(whole, &cap), "{round} {steps:?}");
                    partial += usize::from(!end.is_whole());
                    carried += end.let_go.carried.len();
                }
                (Err(_), None) => damaged += 1,
                (Ok(_), None) => left += 1,
                (Err(damage), Some(_)) => panic!("{round}: {damage:?} was not seen"),
            }
        }
    }
    println!(
        "{partial} in part, {carried} elements carried, {damaged} damaged, {left} left to the whole"
    );
    assert!(partial > 1_000 && carried > 300 && damaged > 300);
    // Only what was cut short or has something behind it is left to those who read all.
    assert!(left < 600, "{left}");
}

fn begun(count: u64) -> Vec<u8> {
    let begin = Begin {
        stat: BlobStat::new(1, 2, 300, 4, 5),
        revision: Revision::of(b"a document"),
        kept: b"{}".to_vec(),
        counts: vec![("messages".to_owned(), Some(count))],
    };
    let mut bytes = TITLE.to_vec();
    bytes.extend(frame(0, &begin.payload()).unwrap());
    bytes
}

#[test]
fn a_count_above_the_documents_bytes_is_damage() {
    assert!(Journal::parse(begun(300)).is_ok());
    for count in [301, u64::MAX - 1] {
        assert!(Journal::parse(begun(count)).is_err(), "{count}");
    }
}

#[test]
fn names_without_end_are_damage_and_take_no_time() {
    let with = |names: usize| {
        let mut bytes = begun(3);
        let names: Vec<String> = (0..names).map(|n| format!("n{n}")).collect();
        for (number, names) in names.chunks(100).enumerate() {
            let members = names.iter().map(|name| (name.as_str(), "1"));
            let mut record = added(std::iter::empty(), members, 0);
            bytes.extend(record.framed(number as u64 + 1).unwrap());
        }
        Journal::parse(bytes)
    };
    assert!(with(MOST_NAMES).is_ok());
    assert!(with(MOST_NAMES + 1).is_err());
}
