//! What a scan without an index costs, in calls and bytes, and that its quick look answers as the slow one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use session_store::backend::DirBackend;
use session_store::fs::{FaultFs, FileSystem, FsCall, OsFs};
use session_store::{Builder, IndexKind, LastQuery, Session, SessionStore, Trust, Window};

use crate::support::{Scratch, moment};

/// A session file of an older or newer layout with `bytes` of messages.
fn document(id: &str, directory: &Path, older: bool, bytes: usize) -> String {
    let text = "x".repeat(bytes);
    let directory = directory.display();
    let messages = format!(r#"[{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}]"#);
    let metadata = format!(r#""metadata":{{"directory":"{directory}","shared":false}}"#);
    let head = format!(
        r#""id":"{id}","title":null,"created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z""#
    );
    if older {
        format!(
            r#"{{{head},"messages":{messages},"tool_uses":[],"usage":{{}},"agent":"build",{metadata}}}"#
        )
    } else {
        format!(
            r#"{{{head},{metadata},"agent":"build","messages":{messages},"tool_uses":[],"usage":{{}}}}"#
        )
    }
}

/// Looks for a directory that no session of `files` belongs to, and gives what that cost.
fn cost(older: bool, files: u64) -> ([u64; 4], u64) {
    let scratch = Scratch::new();
    let asked = scratch.workspace("asked");
    for n in 0..files {
        let other = scratch.workspace(&format!("other-{}", n % 3));
        let name = format!("s{n}");
        scratch.write(
            &format!("{name}.json"),
            document(&name, &other, older, 20_000),
        );
        scratch.touch(&format!("{name}.json"), moment(n));
    }
    let counting = FaultFs::new(Arc::new(OsFs::new(scratch.sessions())));
    let backend = DirBackend::with_file_system(counting.clone(), Trust::strict()).unwrap();
    let store: SessionStore = Builder::on(Arc::new(backend))
        .index(IndexKind::None)
        .threads(1)
        .reads_in_flight(1)
        .open()
        .unwrap();
    let kinds = [FsCall::List, FsCall::Open, FsCall::Read, FsCall::Stat];
    let before = kinds.map(|kind| counting.calls(kind));
    let found = store
        .find_last(&LastQuery::new().workspace(&asked))
        .unwrap();
    assert!(found.session.is_none() && found.skipped.is_empty());
    let after = kinds.map(|kind| counting.calls(kind));
    (
        std::array::from_fn(|at| after[at] - before[at]),
        found.bytes_read,
    )
}

#[test]
fn a_miss_costs_one_open_and_one_short_read_and_no_stat() {
    // The second listing is that of the journals.
    assert_eq!(cost(false, 40), ([2, 40, 40, 0], 40 * 1024));
}

#[test]
fn a_miss_in_the_older_layout_costs_one_more_short_read() {
    assert_eq!(cost(true, 40), ([2, 40, 80, 0], 40 * 2047));
}

/// What a full parse says of a file: the directory it names, if it is a session of that name and names one.
fn parsed(name: &str, bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<Session>(bytes).ok()?;
    let value: Value = serde_json::from_slice(bytes).ok()?;
    (value["id"] == name).then_some(())?;
    value["metadata"]["directory"].as_str().map(str::to_owned)
}

#[test]
fn heads_of_every_shape_are_answered_as_a_full_parse_answers() {
    let scratch = Scratch::new();
    let here = scratch.workspace("here");
    let there = scratch.workspace("there");
    let (h, t) = (here.to_str().unwrap(), there.to_str().unwrap());
    let escaped = h.replace('/', "\\/");
    let long = "y".repeat(5_000);
    let shapes = [
        format!(r#"{{"id":"ID","metadata":{{"directory":"{h}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"directory":"{t}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"directory":"{escaped}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"d\u0069rectory":"{h}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","m\u0065tadata":{{"directory":"{h}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"directory":"{t}/../here"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"directory":"{h}/"}}}}"#),
        format!(r#"{{"id":"ID","messages":[],"metadata":{{"directory":"{h}"}}}}"#),
        format!(r#"{{"id":"ID","messages":[],"metadata":{{"directory":"{t}"}}}}"#),
        format!(r#"{{"id":"ID","title":"{long}","metadata":{{"directory":"{h}"}},"messages":[]}}"#),
        format!(
            r#"{{"id":"ID","title":"\"metadata\":{{\"directory\":\"{h}\"}}","metadata":{{"directory":"{t}"}}}}"#
        ),
        format!(
            r#"{{"id":"ID","messages":[{{"role":"user","content":[{{"type":"text","text":"{long}"}}]}}],"metadata":{{"directory":"{h}"}},"pages":[],"more":"{long}"}}"#
        ),
        format!(
            r#"{{"id":"ID","messages":[{{"role":"user","content":[{{"type":"text","text":"{long}"}}]}}],"metadata":{{"directory":"{t}"}},"pages":[],"more":"{long}"}}"#
        ),
        format!(r#"{{"id":"other","metadata":{{"directory":"{h}"}},"messages":[]}}"#),
        format!(r#"{{"id":"ID","metadata":{{"directory":"{h}"}},"messages":["#),
        r#"{"id":"ID","metadata":{"directory":null},"messages":[]}"#.to_owned(),
        r#"{"id":"ID","metadata":{},"messages":[]}"#.to_owned(),
        r#"{"id":"ID","messages":[]}"#.to_owned(),
        format!(
            r#"{{"id":"ID","metadata":{{"directory":"{h}"}},"metadata":{{"directory":"{t}"}},"messages":[]}}"#
        ),
    ];
    for (at, shape) in shapes.iter().enumerate() {
        let name = format!("s{at}");
        scratch.write(&format!("{name}.json"), shape.replace("ID", &name));
        scratch.touch(&format!("{name}.json"), moment(at as u64));
    }
    for asked in [&here, &there] {
        // Taking away what was found shows the next, until there is none.
        let mut left: BTreeSet<usize> = (0..shapes.len()).collect();
        loop {
            let store = scratch.store_with(IndexKind::None);
            let found = store
                .find_last(&LastQuery::new().workspace(asked).window(Window::all()))
                .unwrap();
            let expected = left.iter().rev().copied().find(|at| {
                let bytes = fs::read(scratch.file(&format!("s{at}.json"))).unwrap();
                let directory = parsed(&format!("s{at}"), &bytes);
                directory
                    .is_some_and(|dir| Path::new(&dir).canonicalize().ok().as_ref() == Some(asked))
            });
            let found = found.session.map(|session| session.id.to_string());
            assert_eq!(
                found,
                expected.map(|at| format!("s{at}")),
                "asked for {}",
                asked.display()
            );
            let Some(at) = expected else { break };
            left.remove(&at);
            scratch.touch(&format!("s{at}.json"), moment(0));
            fs::rename(
                scratch.file(&format!("s{at}.json")),
                scratch.path().join(format!("s{at}")),
            )
            .unwrap();
        }
        for at in 0..shapes.len() {
            let _ = fs::rename(
                scratch.path().join(format!("s{at}")),
                scratch.file(&format!("s{at}.json")),
            );
            scratch.touch(&format!("s{at}.json"), moment(at as u64));
        }
    }
}

#[test]
fn a_listing_is_the_same_for_every_number_of_looks_at_once() {
    let scratch = Scratch::new();
    scratch.write("first.json", "{}");
    let names: BTreeSet<String> = (0..700).map(|n| format!("n{n}.json")).collect();
    for (n, name) in names.iter().enumerate() {
        scratch.write(name, "x".repeat(n));
    }
    let expected: BTreeSet<(String, u64)> = names
        .iter()
        .map(|name| {
            (
                name.clone(),
                fs::metadata(scratch.file(name)).unwrap().len(),
            )
        })
        .collect();
    for threads in [1, 2, 7] {
        let fs = OsFs::new(scratch.sessions())
            .threads(threads)
            .looks_in_flight(9);
        let found = fs
            .list("", &mut |name| name != "first.json")
            .unwrap()
            .unwrap();
        assert_eq!(found.len(), expected.len(), "each name once");
        let found: BTreeSet<(String, u64)> = found
            .into_iter()
            .map(|entry| {
                (
                    entry.name.into_string().unwrap(),
                    entry.stat.unwrap().blob.size,
                )
            })
            .collect();
        assert_eq!(found, expected, "{threads} threads");
    }
}

#[test]
fn what_was_a_file_when_it_was_listed_is_refused_when_it_is_kept() {
    let scratch = Scratch::new();
    scratch.write("file.json", "{}");
    fs::create_dir(scratch.file("dir.json")).unwrap();
    std::os::unix::fs::symlink(scratch.file("file.json"), scratch.file("link.json")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        scratch.file("fifo.json"),
        rustix::fs::Mode::RUSR,
    )
    .unwrap();
    let fs = OsFs::new(scratch.sessions());
    for name in ["dir.json", "fifo.json"] {
        let opened = fs.open_listed(name).unwrap();
        let refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::InvalidInput;
        assert!(opened.stat().is_err_and(refused), "{name}");
        assert!(opened.size().is_err_and(refused), "{name}");
        assert!(opened.read_at(&mut [0; 8], 0).is_err(), "{name}");
    }
    assert!(fs.open_listed("link.json").is_err());
    assert_eq!(fs.open_listed("file.json").unwrap().size().unwrap(), 2);
}
