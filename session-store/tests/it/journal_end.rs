//! Windows, headers and counts read a journal's end only. They say what reading all of it says, however long it is and whatever is
//! wrong with it.

use std::fs;

use fastrand::Rng;
use session_store::{
    Append, Durability, Error, IndexKind, Message, Query, Session, SessionStore, ToolUse, Window,
};

use crate::support::{Scratch, id, session, time};

/// A session beside whose document a journal of some size stands: appends to each array, to one that is not capped, and to members, in an order
/// that the seed draws.
fn journaled(scratch: &Scratch, bytes: u64, seed: u64) -> SessionStore {
    let store = SessionStore::builder(scratch.sessions())
        .durability(Durability::Process)
        .index(IndexKind::None)
        .fold_from(u64::MAX)
        .open()
        .unwrap();
    store.save(&session("s", "/work", 3, 1)).unwrap();
    let mut writer = store.writer(&id("s")).unwrap();
    let mut draw = Rng::with_seed(seed);
    let mut n = 0;
    while writer.unfolded() < bytes {
        let text = format!("{n} {}", "of a \"turn\"\n".repeat(draw.usize(..900)));
        let mut append = Append::new();
        for _ in 0..draw.u64(..4) {
            append = append.message(&Message::assistant(&text)).unwrap();
        }
        if draw.u64(..5) == 0 {
            let tool = ToolUse::succeeded(format!("call-{n}"), "run", &*text, &*text);
            append = append.tool_use(&tool).unwrap();
        }
        if draw.u64(..40) == 0 {
            append = append.member("title", &format!("title {n}")).unwrap();
        }
        if seed % 3 == 2 && draw.u64(..60) == 0 {
            append = append.element("notes", &n).unwrap();
        }
        writer
            .append(&append.updated_at(time(1_000 + n)).unwrap())
            .unwrap();
        n += 1;
    }
    if seed.is_multiple_of(2) {
        // So much without an element that whoever reads piece by piece has to have all that is wanted before the last one.
        let title = "a title ".repeat(80_000);
        let append = Append::new().member("title", &title).unwrap();
        writer.append(&append).unwrap();
    }
    drop(writer);
    store
}

/// A window by way of everything.
fn window_of(mut whole: Session, keep: usize) -> (Session, [u64; 2]) {
    let dropped = |length: usize| length.saturating_sub(keep);
    let (messages, tools) = (
        dropped(whole.messages.len()),
        dropped(whole.tool_uses.len()),
    );
    whole.messages.drain(..messages);
    whole.tool_uses.drain(..tools);
    (whole, [messages as u64, tools as u64])
}

#[test]
fn a_window_beside_a_journal_of_any_length_is_that_of_the_whole_session() {
    for (bytes, seed) in [
        (9_000, 0),
        (300_000, 1),
        (700_000, 2),
        (2_000_000, 3),
        (1_500_000, 4),
        (1_200_000, 5),
    ] {
        let scratch = Scratch::new();
        let store = journaled(&scratch, bytes, seed);
        let whole = store.load(&id("s")).unwrap();
        let revision = store
            .load_page(&id("s"), "messages", 0..1)
            .unwrap()
            .revision();
        for keep in [0, 1, 2, 17, 120, 400, 100_000] {
            let tail = store.load_tail(&id("s"), Window::last(keep)).unwrap();
            let (expected, dropped) = window_of(whole.clone(), keep);
            assert_eq!(*tail, expected, "{seed}: {keep}");
            let said = ["messages", "tool_uses"].map(|array| tail.dropped().get(array));
            assert_eq!(said, dropped, "{seed}: {keep}");
            assert_eq!(tail.revision(), revision, "{seed}: {keep}");
        }
        assert_eq!(*store.load_tail(&id("s"), Window::all()).unwrap(), whole);
        let row = store.list(&Query::new()).unwrap().rows.remove(0);
        assert_eq!(row.messages, Some(whole.messages.len() as u64));
        assert_eq!(
            (row.title, row.updated_at),
            (whole.title.clone(), whole.updated_at)
        );
        // What a window says can be appended to.
        let append = Append::new().message(&Message::user("more")).unwrap();
        store.append(&id("s"), &append.based_on(revision)).unwrap();
    }
}

/// Every fault is as much of one to a reader of the end, and stands in the same place.
#[test]
fn a_damaged_journal_is_judged_alike_by_its_end_and_as_a_whole() {
    let scratch = Scratch::new();
    let store = journaled(&scratch, 900_000, 3);
    let path = scratch.file(".store/journal/s.journal");
    let sound = fs::read(&path).unwrap();
    let mut draw = Rng::with_seed(7);
    let (mut corrupt, mut torn) = (0, 0);
    for n in 0..160 {
        let mut bytes = sound.clone();
        let at = draw.usize(..sound.len());
        match n % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << draw.u64(..8),
            2 => {
                let from = at.saturating_sub(20_000);
                bytes[from..at].fill(0);
            }
            // The end of what was written, with what another append left behind it.
            _ => bytes.extend_from_slice(&sound[at..]),
        }
        fs::write(&path, &bytes).unwrap();
        let whole = store.load(&id("s"));
        for keep in [0, 30] {
            match (&whole, store.load_tail(&id("s"), Window::last(keep))) {
                (Ok(whole), Ok(tail)) => {
                    torn += 1;
                    assert_eq!(*tail, window_of(whole.clone(), keep).0);
                }
                (
                    Err(Error::Corrupt { offset, reason, .. }),
                    Err(Error::Corrupt {
                        offset: at,
                        reason: why,
                        ..
                    }),
                ) => {
                    corrupt += 1;
                    assert_eq!((offset, reason), (&at, &why));
                }
                (whole, tail) => panic!("{n} at {at}: {whole:?} and {tail:?}"),
            }
        }
    }
    assert!(corrupt > 40 && torn > 40, "{corrupt} corrupt, {torn} torn");
}
