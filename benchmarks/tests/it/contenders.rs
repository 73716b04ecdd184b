//! The contenders agree with the store on small data, in every case that exists.

use std::path::Path;

use session_benchmarks::answer::Answer;
use session_benchmarks::data::Data;
use session_benchmarks::data::document::Spec;
use session_benchmarks::data::many;
use session_benchmarks::reference;
use session_benchmarks::rivals::{jsonl, lazy, redb, sqlite};
use session_model::testing::{Layout, Shape};
use session_store::{Query, SessionStore, Window};

fn data() -> (tempfile::TempDir, Data) {
    let scratch = tempfile::tempdir().unwrap();
    let data = Data::under(scratch.path());
    (scratch, data)
}

#[test]
fn every_tail_of_every_shape_is_the_stores() {
    let (_scratch, data) = data();
    for shape in [
        Shape::Realistic,
        Shape::TinyMessages,
        Shape::EscapeDense,
        Shape::Base64Images,
        Shape::Cjk,
    ] {
        let document = data
            .document(&Spec {
                shape,
                layout: Layout::Compact,
                bytes: 60_000,
            })
            .unwrap();
        let at = |name: &str| document.directory.with_file_name(name);
        jsonl::import(&document.path, &at("lines")).unwrap();
        let mut connection = sqlite::create(&at("sqlite")).unwrap();
        sqlite::import(&mut connection, &document.path, sqlite::Rows::All).unwrap();
        let database = redb::open(&at("redb")).unwrap();
        redb::import(&database, &document.path).unwrap();
        let store = SessionStore::open(&document.directory).unwrap();
        for window in [0, 1, 7, document.messages(), document.messages() + 1] {
            let tail = store
                .load_tail(&document.id(), Window::last(window))
                .unwrap();
            let answer = |dropped: u64| Answer::new().fact("dropped", dropped);
            let ours = answer(tail.dropped().total())
                .digest("messages", &tail.messages)
                .unwrap();
            let check = |name: &str, theirs: Answer| {
                assert_eq!(
                    ours.difference(&theirs),
                    None,
                    "{name}, {shape:?}, window {window}"
                );
            };
            let theirs = reference::load::tail(&document.path, window).unwrap();
            check(
                "reference",
                answer(theirs.dropped)
                    .digest("messages", &theirs.session.messages)
                    .unwrap(),
            );
            for (name, part) in [
                ("jsonl", jsonl::tail(&at("lines"), window).unwrap()),
                (
                    "sqlite",
                    sqlite::tail(&connection, "session", window).unwrap(),
                ),
                ("redb", redb::tail(&database, "session", window).unwrap()),
            ] {
                check(
                    name,
                    answer(part.dropped)
                        .digest("messages", &part.session.messages)
                        .unwrap(),
                );
            }
            for (name, part) in [
                (
                    "sonic-rs",
                    lazy::sonic_tail(&document.path, window).unwrap(),
                ),
                (
                    "simd-json",
                    lazy::simd_tail(&document.path, window).unwrap(),
                ),
            ] {
                check(
                    name,
                    answer(part.dropped)
                        .digest("messages", &part.messages)
                        .unwrap(),
                );
            }
        }
    }
}

#[test]
fn the_references_save_and_load_are_the_stores() {
    let (scratch, data) = data();
    let document = data.document(&Spec::realistic(30_000)).unwrap();
    let sessions = scratch.path().join("saved");
    std::fs::create_dir(&sessions).unwrap();
    let session = reference::load::load(&document.path).unwrap();
    reference::save::save(&sessions, &session).unwrap();
    let ours = SessionStore::open(&sessions)
        .unwrap()
        .load(&document.id())
        .unwrap();
    let original = SessionStore::open(&document.directory)
        .unwrap()
        .load(&document.id())
        .unwrap();
    assert_eq!(ours, original);
    let map = reference::index_map::IndexMap::load(&sessions);
    assert_eq!(map.entries.values().collect::<Vec<_>>(), ["session"]);
}

#[test]
fn the_references_last_and_list_are_the_stores_in_both_layouts() {
    let (_scratch, data) = data();
    for layout in [Layout::Compact, Layout::OlderPretty] {
        let many = data.many(10, layout).unwrap();
        let store = SessionStore::open(&many.directory).unwrap();
        for workspace in [
            many::NEWEST,
            many::RANK_7,
            many::NONE,
            many::MENTIONED,
            &many.oldest_workspace(),
        ] {
            std::fs::remove_file(reference::index_map::file(&many.directory)).ok();
            let ours = store
                .last_for_directory_tail(Some(Path::new(workspace)), Window::last(5))
                .unwrap();
            // The second find takes the reference's map.
            for find in 1..=2 {
                let theirs = reference::last::last_for_directory(
                    &many.directory,
                    Path::new(workspace),
                    5,
                    2,
                )
                .unwrap();
                let ours = ours
                    .as_ref()
                    .map(|tail| (tail.id.as_str(), tail.dropped().total()));
                let theirs = theirs
                    .as_ref()
                    .map(|tail| (tail.session.id.as_str(), tail.dropped));
                assert_eq!(ours, theirs, "{workspace}, find {find}");
            }
        }
        let rows = store.list(&Query::new()).unwrap().rows;
        let ours: Vec<_> = rows
            .iter()
            .map(|row| (row.id.as_str(), row.messages))
            .collect();
        let theirs = reference::list::list(&many.directory, 2).unwrap();
        let theirs: Vec<_> = theirs
            .iter()
            .map(|row| (row.id.as_str(), Some(row.messages as u64)))
            .collect();
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 10);
    }
}

#[test]
fn one_body_in_twenty_mentions_the_directory_that_nobody_has() {
    let (_scratch, data) = data();
    let many = data.many(40, Layout::Compact).unwrap();
    let mentions = |rank: &usize| {
        let text = std::fs::read_to_string(many.path(*rank)).unwrap();
        serde_json::from_str::<reference::types::Session>(&text).unwrap();
        text.contains(many::MENTIONED)
    };
    assert_eq!((0..40).filter(mentions).collect::<Vec<_>>(), [19, 39]);
}
