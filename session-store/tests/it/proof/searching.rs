//! A search, and what others do to journals in the middle of it.

use session_index::Rules;
use session_store::fs::MemoryFs;
use session_store::{Append, Message, SearchQuery, SkipReason};

use super::hooked::Event;
use super::memory::{Process, process};
use super::step::nanos;
use crate::support::{id, session, time};

/// More calls than a search of two sessions makes.
const MOMENTS: u64 = 40;

/// A session whose journal is newer than all else, and one that is newer than the other's document; times of sessions are
/// those of the clock.
fn two(fs: &MemoryFs) -> Process {
    let writer = process(fs, Rules::default(), 0);
    for (second, name) in [(1, "appended"), (2, "other")] {
        fs.set_clock(nanos(second));
        let session = session(name, "/work", 1, second * 10);
        writer.store.save(&session).unwrap();
    }
    fs.set_clock(nanos(3));
    append(&writer, "appended", 30);
    writer
}

fn append(writer: &Process, name: &str, seconds: u64) {
    let append = Append::new().message(&Message::user("message more"));
    let append = append.unwrap().updated_at(time(seconds)).unwrap();
    writer.store.append(&id(name), &append).unwrap();
}

/// The sessions of all hits, in the order in which they come, and whether something was skipped.
fn found(reader: &Process) -> (Vec<String>, Vec<SkipReason>) {
    let mut hits = reader.store.search(&SearchQuery::text("message")).unwrap();
    let order = hits.by_ref().map(|hit| hit.id().to_string()).collect();
    let skipped = hits.take_skipped().into_iter();
    (order, skipped.map(|skipped| skipped.reason).collect())
}

/// A journal is listed, or the document that has taken it in: a search that lists documents first puts the session at the
/// time of a document that is no longer there.
#[test]
fn a_fold_amid_a_search_takes_nothing_away_and_moves_nothing() {
    let mut folded = 0;
    for moment in 0..MOMENTS {
        let fs = MemoryFs::new();
        let writer = two(&fs);
        let reader = process(&fs, Rules::default(), 1);
        let (done, is_done) = std::sync::mpsc::channel();
        reader.fs.plan(
            moment,
            Event::Own(Box::new(move || {
                let _ = done.send(writer.store.checkpoint(&id("appended")).unwrap());
            })),
        );
        let (order, skipped) = found(&reader);
        assert_eq!(order, ["appended", "appended", "other"], "moment {moment}");
        assert!(skipped.is_empty(), "moment {moment}: {skipped:?}");
        reader.fs.settle();
        folded += u64::from(is_done.try_recv() == Ok(true));
    }
    assert!(folded > 3, "too few to mean anything");
}

/// An append that comes meanwhile is found or not; what was there before it is, and nothing is reported.
#[test]
fn an_append_amid_a_search_takes_nothing_away() {
    for name in ["appended", "other"] {
        let mut appended = 0;
        for moment in 0..MOMENTS {
            let fs = MemoryFs::new();
            let writer = two(&fs);
            let reader = process(&fs, Rules::default(), 1);
            let (done, is_done) = std::sync::mpsc::channel();
            reader.fs.plan(
                moment,
                Event::Own(Box::new(move || {
                    append(&writer, name, 30);
                    let _ = done.send(());
                })),
            );
            let (order, skipped) = found(&reader);
            let count = |of: &str| order.iter().filter(|found| *found == of).count();
            let at_least = [("appended", 2), ("other", 1)];
            for (of, least) in at_least {
                let most = least + usize::from(of == name);
                let count = count(of);
                assert!(
                    (least..=most).contains(&count),
                    "moment {moment}: {order:?}"
                );
            }
            assert!(skipped.is_empty(), "moment {moment}: {skipped:?}");
            reader.fs.settle();
            appended += u64::from(is_done.try_recv().is_ok());
        }
        assert!(appended > 3, "too few to mean anything");
    }
}

/// The journal of a document that somebody replaced says nothing of when the new one was changed.
#[test]
fn the_time_of_a_displaced_journal_does_not_count() {
    let fs = MemoryFs::new();
    let writer = two(&fs);
    // By another program, older than the other session by its file's time; its own time lies ahead.
    let foreign = session("appended", "/work", 1, 90);
    fs.plant("appended.json", &serde_json::to_vec(&foreign).unwrap());
    assert!(fs.set_modified("appended.json", nanos(1)));
    let (order, _) = found(&writer);
    assert_eq!(order, ["other", "appended"]);
    let rows = writer
        .store
        .list(&session_store::Query::new())
        .unwrap()
        .rows;
    let listed: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(listed, order, "as in a listing");
}
