//! What users of other stores lost sessions to, each as a test; the rest of that list is in `bad_input` and `find`.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use session_model::testing::{Generator, Layout};
use session_store::{IndexKind, LastQuery, Message, Query, SessionStore, Source, Window};

use crate::support::{Scratch, id, moment, session, time};

#[test]
fn one_message_of_12_mb() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut long = session("s", "/work", 3, 1);
    long.messages
        .insert(1, Message::user("\u{1b}[31m\"x\"\\\n".repeat(1 << 20)));
    store.save(&long).unwrap();
    assert_eq!(store.load(&id("s")).unwrap(), long);
    let tail = store.load_tail(&id("s"), Window::last(1)).unwrap();
    assert_eq!((tail.messages.len(), tail.dropped().total()), (1, 3));
    assert_eq!(store.list(&Query::new()).unwrap().rows[0].messages, Some(4));
}

#[test]
fn a_header_that_comes_after_the_messages() {
    let scratch = Scratch::new();
    let store = scratch.store_with(IndexKind::None);
    for n in 0..3_u64 {
        let mut json = Vec::new();
        let generator = Generator::new(n)
            .id(id(&format!("s{n}")))
            .bytes(300_000)
            .layout(Layout::OlderPretty);
        generator
            .directory(format!("/work/{n}"))
            .updated_at(time(n))
            .write_to(&mut json)
            .unwrap();
        scratch.write(&format!("s{n}.json"), json);
        scratch.touch(&format!("s{n}.json"), moment(10));
    }
    for n in 0..3 {
        let query = LastQuery::new()
            .workspace(format!("/work/{n}"))
            .window(Window::last(1));
        let found = store.find_last(&query).unwrap();
        assert_eq!(found.session.unwrap().id.as_str(), format!("s{n}"));
        // Three bounded looks and one pass over the session itself with its window.
        assert!(found.bytes_read < 500_000, "{} bytes", found.bytes_read);
    }
}

#[test]
fn a_first_prompt_larger_than_any_head() {
    let scratch = Scratch::new();
    let store = scratch.store_with(IndexKind::None);
    let mut prompted = session("s", "/work", 0, 1);
    prompted.title = Some("t".repeat(100_000));
    prompted.push(Message::user("p".repeat(100_000)));
    store.save(&prompted).unwrap();
    assert_eq!(
        store.last_for_directory(Some("/work".as_ref())).unwrap(),
        Some(prompted)
    );
}

#[test]
fn a_path_of_thousands_of_bytes_and_paths_a_slug_would_confuse() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let long = PathBuf::from(format!("/{}", "directory/".repeat(300)));
    for (name, path) in [
        ("long", long.clone()),
        ("dash", "/a-b/c".into()),
        ("slash", "/a/b/c".into()),
    ] {
        store.save(&session(name, &path, 1, 1)).unwrap();
        assert_eq!(
            store.last_for_directory(Some(&path)).unwrap().unwrap().id,
            name
        );
    }
    assert_eq!(
        store
            .last_for_directory(Some("/a-b/c".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "dash"
    );
}

#[test]
fn a_directory_spelled_in_every_way_json_allows() {
    for spelling in [r"\/work\/caf\u00e9", r"/w\u006frk/café", r"/work/caf\u00E9"] {
        let scratch = Scratch::new();
        let json = format!(
            r#"{{"id":"s","messages":[],"met\u0061data":{{"d\u0069rectory":"{spelling}"}}}}"#
        );
        scratch.write("s.json", json);
        for index in [IndexKind::None, IndexKind::Sidecar] {
            let found = scratch
                .store_with(index)
                .last_for_directory(Some("/work/café".as_ref()))
                .unwrap();
            assert_eq!(found.unwrap().id, "s", "{spelling}");
        }
    }
}

#[test]
fn a_header_hidden_between_large_arrays() {
    let scratch = Scratch::new();
    let filler = format!("[{}0]", "0,".repeat(200_000));
    let hidden = r#""metadata":{"directory":"/work"},"updated_at":"2026-01-01T00:00:00Z""#;
    scratch.write(
        "s.json",
        format!(r#"{{"id":"s","pages":{filler},{hidden},"more":{filler}}}"#),
    );
    let found = scratch
        .store_with(IndexKind::None)
        .last_for_directory(Some("/work".as_ref()))
        .unwrap()
        .unwrap();
    assert_eq!(found.id, "s");
    assert!(found.updated_at.is_some());
}

#[test]
fn files_larger_than_64_mib_are_found_and_resumed() {
    large("files_larger_than_64_mib", 65 << 20);
}

#[test]
fn files_larger_than_512_mib_are_found_and_resumed() {
    if std::env::var_os("SESSION_STORE_LONG_TESTS").is_none() {
        println!("skipped: set SESSION_STORE_LONG_TESTS=1 for a session of 600 MB");
        return;
    }
    large("files_larger_than_512_mib", 600 << 20);
}

fn large(what: &str, bytes: u64) {
    let scratch = Scratch::new();
    scratch.write(
        "small.json",
        serde_json::to_vec(&session("small", "/other", 1, 1)).unwrap(),
    );
    let mut file = BufWriter::new(File::create(scratch.file("large.json")).unwrap());
    let generator = Generator::new(7)
        .id(id("large"))
        .bytes(bytes)
        .directory("/work");
    generator.write_to(&mut file).unwrap();
    file.flush().unwrap();
    let store = scratch.store_with(IndexKind::None);
    let tail = store
        .last_for_directory_tail(Some("/work".as_ref()), Window::last(5))
        .unwrap()
        .unwrap();
    assert_eq!(
        (tail.id.as_str(), tail.messages.len()),
        ("large", 5),
        "{what}"
    );
    assert!(
        tail.file_bytes() > bytes / 2 && tail.dropped().total() > 100,
        "{what}"
    );
}

#[test]
fn files_restored_behind_the_indexs_back_are_found() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("kept", "/work", 1, 1)).unwrap();
    let query = LastQuery::new().workspace("/work");
    assert_eq!(store.find_last(&query).unwrap().source, Source::Index);
    // A backup comes back with its old time, which is still newer.
    scratch.write(
        "restored.json",
        serde_json::to_vec(&session("restored", "/work", 1, 5)).unwrap(),
    );
    scratch.touch("restored.json", moment(6));
    assert_eq!(
        store.find_last(&query).unwrap().session.unwrap().id,
        "restored"
    );
    assert_eq!(
        store
            .list(&Query::new().workspace("/work"))
            .unwrap()
            .rows
            .len(),
        2
    );
}

#[test]
fn an_index_that_points_to_a_deleted_or_moved_session_is_no_obstacle() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("old", "/work", 1, 1)).unwrap();
    store.save(&session("new", "/work", 1, 2)).unwrap();
    fs::remove_file(scratch.file("new.json")).unwrap();
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "old"
    );
    scratch.write_foreign(&session("old", "/elsewhere", 1, 3));
    assert!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store
            .last_for_directory(Some("/elsewhere".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "old"
    );
}

#[test]
fn nothing_but_the_owner_can_read_anything() {
    fn check(dir: &std::path::Path) -> usize {
        let mode = |path: &std::path::Path| {
            fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
        let entries = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .map(|path| {
                if path.is_dir() {
                    return check(&path);
                }
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                1
            })
            .sum()
    }
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("s", "/work", 1, 1)).unwrap();
    store.save(&session("t", "/work", 1, 1)).unwrap();
    store.trash(&id("t")).unwrap();
    // A document, one in the trash, three locks, two pointers at least.
    let files = check(&scratch.sessions());
    assert!(files >= 5, "only {files} files");
}

#[test]
fn a_store_on_a_clone_of_a_sessions_directory_shares_it_with_codetether() {
    // Both programs read and write `.workspace_index.json`, each trusting it as far as its own rules go.
    let scratch = Scratch::new();
    let store = scratch.store_with(IndexKind::JsonMap);
    let workspace = scratch.workspace("project");
    store.save(&session("s", &workspace, 1, 1)).unwrap();
    let map: serde_json::Value =
        serde_json::from_slice(&fs::read(scratch.file(".workspace_index.json")).unwrap()).unwrap();
    assert_eq!(
        map,
        serde_json::json!({"entries": {workspace.to_str().unwrap(): "s"}})
    );
    fs::write(scratch.file(".workspace_index.json"), "{").unwrap();
    assert_eq!(
        store
            .last_for_directory(Some(&workspace))
            .unwrap()
            .unwrap()
            .id,
        "s"
    );
}

#[test]
fn errors_and_reports_never_repeat_what_a_transcript_says() {
    const CANARY: &str = "canary-c0ffee";
    let mut good = session("s", "/work", 2, 1);
    good.push(Message::user(CANARY));
    let text = serde_json::to_string(&good).unwrap();
    let spoiled = [
        text.replacen(
            r#""role":"user""#,
            &format!(r#""role":{{"{CANARY}":1}}"#),
            1,
        ),
        text.replacen(r#""messages":["#, &format!(r#""messages":["{CANARY}","#), 1),
        text.replacen(
            r#""usage":{"#,
            &format!(r#""usage":{{"prompt_tokens":"{CANARY}","#),
            1,
        ),
        text.replacen(r#""agent":""#, &format!(r#""agent":5,"x":"{CANARY}"#), 1),
        text.replacen(r#""id":"s""#, &format!(r#""id":"{CANARY} {CANARY}""#), 1),
        text[..text.find(CANARY).unwrap() + CANARY.len()].to_owned(),
        text.replacen(CANARY, &format!("{CANARY}\u{1}"), 1),
        format!("{text}{CANARY}"),
    ];
    for (n, json) in spoiled.iter().enumerate() {
        let scratch = Scratch::new();
        scratch.write("s.json", json);
        let store: SessionStore = scratch.store();
        let errors = [
            store.load(&id("s")).map(drop),
            store.load_tail(&id("s"), Window::last(9)).map(drop),
        ];
        for error in errors.map(|result| result.expect_err("spoiled")) {
            let mut said = format!("{error} {error:?}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                said.push_str(&error.to_string());
                cause = error.source();
            }
            assert!(!said.contains("c0ffee"), "{n}: {said}");
        }
        let listing = store.list(&Query::new()).unwrap();
        assert!(!format!("{:?}", listing.skipped).contains("c0ffee"), "{n}");
    }
}
