//! What a search promises beyond its answer: limits, bounds, reports, an end.

use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use session_store::backend::DirBackend;
use session_store::fs::{FaultFs, FsCall, OsFs};
use session_store::{
    Builder, ContentPart, Durability, Fields, Hit, Message, SearchQuery, SessionStore, SkipReason,
    Snippet, Trust,
};

use crate::support::{Scratch, session};

#[test]
fn limits_cut_the_same_answer() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..7 {
        store
            .save(&session(&format!("s{n}"), "/work", 5, n))
            .unwrap();
    }
    let query = SearchQuery::text("message");
    let all: Vec<Hit> = store.search(&query).unwrap().collect();
    assert_eq!(all.len(), 35);
    for limit in [0, 1, 4, 5, 6, 34, 35, 36] {
        let cut: Vec<Hit> = store.search(&query.clone().limit(limit)).unwrap().collect();
        assert_eq!(cut, all[..limit.min(35)]);
    }
    let two: Vec<Hit> = store
        .search(&query.clone().per_session(2).limit(9))
        .unwrap()
        .collect();
    let expected: Vec<Hit> = all
        .chunks(5)
        .flat_map(|of_one| of_one[..2].to_vec())
        .take(9)
        .collect();
    assert_eq!(two, expected);
    assert_eq!(store.search(&query.per_session(0)).unwrap().count(), 0);
}

#[test]
fn a_search_says_how_far_it_has_come_and_stops_where_it_is_told_to() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..40 {
        store
            .save(&session(&format!("s{n}"), "/work", 5, n))
            .unwrap();
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let query = SearchQuery::text("message").on_progress(move |progress| {
        log.lock().unwrap().push(*progress);
        ControlFlow::Continue(())
    });
    assert_eq!(store.search(&query).unwrap().count(), 200);
    let log = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(log.len(), 81, "each header, each session, and the end");
    assert!(log.iter().all(|told| told.of == 40 && told.files <= 40));
    let last = log.last().unwrap();
    assert!(last.files == 40 && last.bytes_read > 0, "{last:?}");

    let log = Arc::clone(&told);
    let stop = query.on_progress(move |progress| {
        log.lock().unwrap().push(*progress);
        ControlFlow::Break(())
    });
    let hits = store.search(&stop).unwrap().count();
    assert!(hits < 200, "{hits}");
    assert!(told.lock().unwrap().len() < 40);
}

#[test]
fn a_workspace_bounds_a_search() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let (here, there) = (scratch.workspace("here"), scratch.workspace("there"));
    store.save(&session("a", &here, 1, 1)).unwrap();
    store.save(&session("b", &there, 1, 2)).unwrap();
    let mut hits = store
        .search(&SearchQuery::text("message").workspace(&here))
        .unwrap();
    assert_eq!(
        hits.next().map(|hit| hit.id().to_string()).as_deref(),
        Some("a")
    );
    assert!(hits.next().is_none());
    assert_eq!(
        (hits.sessions(), hits.take_skipped().len()),
        (1, 0),
        "the other is not searched"
    );
}

#[test]
fn a_store_that_does_not_exist_has_no_hits() {
    let scratch = Scratch::new();
    assert_eq!(
        scratch
            .store()
            .search(&SearchQuery::text("x"))
            .unwrap()
            .count(),
        0
    );
    assert!(!scratch.sessions().exists());
}

#[test]
fn roles_and_types_are_no_text_unless_asked_for() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut written = session("s", "/work", 0, 1);
    written.push(Message::user("hello"));
    written.push(Message::user("").with(ContentPart::image("data:image/png;base64,hello")));
    store.save(&written).unwrap();
    let count = |fields, needle: &str| {
        store
            .search(&SearchQuery::text(needle).fields(fields))
            .unwrap()
            .count()
    };
    assert_eq!(
        (count(Fields::Text, "hello"), count(Fields::All, "hello")),
        (1, 2)
    );
    assert_eq!(
        (count(Fields::Text, "user"), count(Fields::All, "user")),
        (0, 2)
    );
    assert_eq!(
        (count(Fields::Text, "text"), count(Fields::All, "content")),
        (0, 0),
        "names of members are never text"
    );
    assert_eq!(count(Fields::All, ""), 0);
}

#[test]
fn what_is_broken_is_reported_and_what_stands_before_it_is_found() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let good = session("good", "/work", 1, 1);
    store.save(&good).unwrap();
    let message =
        |text: &str| format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}"#);
    let head = |name: &str| {
        format!(
            r#"{{"id":"{name}","updated_at":"2020-01-01T00:00:00Z","metadata":{{}},"messages":["#
        )
    };
    let broken = [
        (
            "cut",
            format!(
                "{}{},{}",
                head("cut"),
                message("message 1"),
                &message("message 2")[..60]
            ),
        ),
        (
            "bad",
            format!(
                "{}{},{}]}}",
                head("bad"),
                message("message \\ud800"),
                message("message 2")
            ),
        ),
        (
            "quiet",
            format!("{}{}, oops", head("quiet"), message("nothing")),
        ),
        ("header", "[\"message\"]".to_owned()),
    ];
    for (name, json) in &broken {
        scratch.write(&format!("{name}.json"), json);
    }
    let deep = format!(
        "{}{{\"text\":\"message\",\"x\":{}",
        head("deep"),
        "[".repeat(100_000)
    );
    scratch.write("deep.json", deep);
    scratch.write("not an id.json", "{}");
    let mut hits = store.search(&SearchQuery::text("message")).unwrap();
    let mut found: Vec<(String, Option<u64>)> = hits
        .by_ref()
        .map(|hit| (hit.id().to_string(), hit.element))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("bad".to_owned(), Some(1)),
            ("cut".to_owned(), Some(0)),
            ("good".to_owned(), Some(0))
        ]
    );
    let mut skipped = hits.take_skipped();
    skipped.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = skipped
        .iter()
        .map(|skipped| skipped.name.to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "bad.json",
            "cut.json",
            "deep.json",
            "header.json",
            "not an id.json"
        ]
    );
    for skipped in &skipped {
        let text = format!("{skipped} {skipped:?}");
        assert!(
            !text.contains("message 1") && !text.contains("ud800"),
            "{text}"
        );
    }
    let failed = |index: usize| matches!(&skipped[index].reason, SkipReason::Failed(_));
    assert!((0..4).all(failed) && matches!(skipped[4].reason, SkipReason::InvalidName));
}

#[test]
fn a_search_that_is_stopped_or_dropped_ends() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..40 {
        store
            .save(&session(&format!("s{n}"), "/work", 200, n))
            .unwrap();
    }
    // More hits than are held: the threads wait for a consumer that never comes.
    let mut hits = store.search(&SearchQuery::text("message")).unwrap();
    assert!(hits.next().is_some());
    assert!(hits.sessions() < 40, "the answer is not held as a whole");
    drop(hits);
    let mut hits = store.search(&SearchQuery::text("message")).unwrap();
    let stopper = hits.stopper();
    std::thread::spawn(move || stopper.stop()).join().unwrap();
    assert!(hits.next().is_none() && hits.next().is_none());
}

#[test]
fn sessions_that_go_away_are_no_fault() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..4 {
        store
            .save(&session(&format!("s{n}"), "/work", 1, n))
            .unwrap();
    }
    let mut hits = store
        .search(&SearchQuery::text("message").limit(100))
        .unwrap();
    fs::remove_dir_all(scratch.sessions()).unwrap();
    assert!(hits.by_ref().count() <= 4);
    assert!(hits.take_skipped().is_empty());
}

#[test]
fn nothing_is_written() {
    let scratch = Scratch::new();
    let store = SessionStore::builder(scratch.sessions())
        .durability(Durability::Process)
        .open()
        .unwrap();
    store.save(&session("s", "/work", 3, 1)).unwrap();
    let before = fs::metadata(scratch.sessions())
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(
        store.search(&SearchQuery::text("message")).unwrap().count(),
        3
    );
    assert_eq!(
        fs::metadata(scratch.sessions())
            .unwrap()
            .modified()
            .unwrap(),
        before
    );
}

#[test]
fn snippets_are_cut_between_characters_and_show_the_matches_inside() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut written = session("s", "/work", 0, 1);
    written.push(Message::user("日本語 needle, needle and a needle 日本語"));
    store.save(&written).unwrap();
    let hit = |context| {
        store
            .search(&SearchQuery::text("needle").context(context))
            .unwrap()
            .next()
            .unwrap()
    };
    let shown = |snippet: &Snippet| {
        snippet
            .matches
            .iter()
            .map(|found| snippet.text[found.clone()].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (hit(0).snippet.text.as_str(), hit(0).matches),
        ("needle", 3)
    );
    assert_eq!(
        (hit(3).snippet.text.as_str(), hit(3).snippet.before),
        (" needle, n", 9)
    );
    assert_eq!(hit(9).snippet.text, "本語 needle, needle ");
    assert_eq!(shown(&hit(9).snippet), ["needle"; 2]);
    assert_eq!(shown(&hit(1000).snippet), ["needle"; 3]);
    assert_eq!((hit(1000).snippet.before, hit(1000).snippet.after), (0, 0));
    assert!(
        !format!("{:?}", hit(9)).contains("needle"),
        "debug texts hold no content"
    );
}

#[test]
fn a_mutant_that_searches_the_bytes_as_they_are_is_caught() {
    let scratch = Scratch::new();
    let bytes = r#"{"id":"s","messages":[{"role":"user","content":[{"type":"text","text":"a\/b\u0063"}]}]}"#;
    scratch.write("s.json", bytes);
    assert_eq!(
        scratch
            .store()
            .search(&SearchQuery::text("a/bc"))
            .unwrap()
            .count(),
        1
    );
    assert!(!bytes.contains("a/bc"));
}

/// How often files are opened in a search of so many sessions, all of the same time, so that every header comes first.
fn opens(sessions: usize, threads: usize) -> u64 {
    let scratch = Scratch::new();
    for n in 0..sessions {
        let name = format!("s{n}");
        let json = serde_json::to_vec(&session(&name, "/work", 1, 1)).unwrap();
        scratch.write(&format!("{name}.json"), json);
    }
    let counting = FaultFs::new(Arc::new(OsFs::new(scratch.sessions())));
    let backend = DirBackend::with_file_system(counting.clone(), Trust::strict()).unwrap();
    let store: SessionStore = Builder::on(Arc::new(backend))
        .threads(threads)
        .open()
        .unwrap();
    let before = counting.calls(FsCall::Open);
    let hits = store.search(&SearchQuery::text("message")).unwrap();
    assert_eq!(hits.count(), sessions);
    counting.calls(FsCall::Open) - before
}

#[test]
fn a_file_is_opened_once_for_its_header_and_its_body() {
    for threads in [1, 3] {
        assert_eq!(opens(8, threads), 8, "{threads} threads");
    }
}

#[test]
fn no_more_than_a_few_files_wait_open_for_their_search() {
    // Of a hundred whose headers have to be known before the first is searched, eight wait open.
    assert_eq!(opens(100, 1), 192);
}
