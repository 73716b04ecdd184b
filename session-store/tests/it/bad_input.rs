//! Hostile and broken files: each is a typed error or a skipped entry, and every other session stays visible.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use session_store::{
    Durability, Error, LastQuery, Limits, Query, SessionId, SessionStore, SkipReason, Window,
};

use crate::support::{Scratch, id, session};

/// A store with one good session, to which bad things are added.
fn beside_good() -> (Scratch, SessionStore) {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("good", "/work", 2, 1)).unwrap();
    (scratch, store)
}

/// Whatever else is there, the good session is found, listed and loaded.
fn good_is_visible(store: &SessionStore) {
    assert_eq!(store.load(&id("good")).unwrap().messages.len(), 2);
    let last = store
        .last_for_directory(Some("/work".as_ref()))
        .unwrap()
        .expect("the good session");
    assert_eq!(last.id, "good");
    assert_eq!(
        store
            .last_for_directory_tail(None, Window::last(1))
            .unwrap()
            .expect("it")
            .id,
        "good"
    );
    let listing = store.list(&Query::new()).unwrap();
    assert!(listing.rows.iter().any(|row| row.id == "good"));
}

/// Puts `bytes` there as the newest session and expects every call to say that they are no session.
fn check_corrupt(what: &str, bytes: &[u8]) {
    let (scratch, store) = beside_good();
    scratch.write("bad.json", bytes);
    let error = store.load(&id("bad")).expect_err(what);
    assert!(
        error.is_corrupt() || error.is_too_large(),
        "{what}: {error}"
    );
    good_is_visible(&store);
    let listing = store.list(&Query::new()).unwrap();
    assert_eq!(listing.skipped.len(), 1, "{what}: {:?}", listing.rows);
    assert_eq!(listing.skipped[0].name, "bad.json");
    let found = store.find_last(&LastQuery::new()).unwrap();
    assert_eq!(found.session.expect("the good one").id, "good", "{what}");
    assert_eq!(found.skipped.len(), 1, "{what}");
}

fn document() -> Vec<u8> {
    serde_json::to_vec(&session("bad", "/work", 2, 9)).unwrap()
}

#[test]
fn an_empty_file() {
    check_corrupt("0 bytes", b"");
    check_corrupt("white space", b" \n\t ");
}

#[test]
fn nothing_but_nul() {
    check_corrupt("NUL", &[0; 413]);
}

#[test]
fn a_document_with_a_nul_tail() {
    check_corrupt("NUL tail", &[document(), vec![0; 100]].concat());
}

#[test]
fn a_document_cut_off_at_every_byte() {
    let whole = document();
    for length in 0..whole.len() {
        let (scratch, store) = beside_good();
        scratch.write("bad.json", &whole[..length]);
        assert!(
            store.load(&id("bad")).unwrap_err().is_corrupt(),
            "{length} bytes"
        );
        assert!(
            store
                .load_tail(&id("bad"), Window::last(1))
                .unwrap_err()
                .is_corrupt(),
            "{length} bytes"
        );
        let found = store.find_last(&LastQuery::new()).unwrap();
        assert_eq!(
            found.session.expect("the good one").id,
            "good",
            "{length} bytes"
        );
        assert_eq!(found.skipped.len(), 1, "{length} bytes");
    }
}

#[test]
fn a_document_followed_by_garbage() {
    check_corrupt("garbage", &[document(), b" x".to_vec()].concat());
}

#[test]
fn two_documents_glued_together() {
    check_corrupt("glued", &[document(), document()].concat());
}

#[test]
fn other_encodings() {
    let text = String::from_utf8(document()).unwrap();
    check_corrupt("BOM", format!("\u{feff}{text}").as_bytes());
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check_corrupt("UTF-16", &utf16);
    let text = text.replacen("message 1", "message \u{1}", 1).into_bytes();
    check_corrupt_body("control character", &text);
    let bytes: Vec<u8> = text
        .into_iter()
        .map(|byte| if byte == 1 { 0xff } else { byte })
        .collect();
    check_corrupt_body("bad UTF-8", &bytes);
}

/// A fault in a body: a full load refuses it, and a list that counts only the structure may still show it.
fn check_corrupt_body(what: &str, bytes: &[u8]) {
    let (scratch, store) = beside_good();
    scratch.write("bad.json", bytes);
    assert!(
        store.load(&id("bad")).expect_err(what).is_corrupt(),
        "{what}"
    );
    assert!(
        store
            .load_tail(&id("bad"), Window::all())
            .expect_err(what)
            .is_corrupt(),
        "{what}"
    );
    good_is_visible(&store);
    let found = store.find_last(&LastQuery::new()).unwrap();
    assert_eq!(
        (
            found.session.expect("the good one").id.as_str(),
            found.skipped.len()
        ),
        ("good", 1),
        "{what}"
    );
}

#[test]
fn lone_surrogates() {
    let text = String::from_utf8(document()).unwrap();
    check_corrupt_body(
        "lone surrogate",
        text.replacen("message 1", r"\ud800", 1).as_bytes(),
    );
    check_corrupt_body(
        "split pair",
        text.replacen("message 1", r"\ud83d \ude00", 1).as_bytes(),
    );
}

#[test]
fn nesting_that_would_overflow_a_stack() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check_corrupt("array", deep.as_bytes());
    let text = String::from_utf8(document()).unwrap();
    check_corrupt(
        "unknown member",
        text.replacen('{', &format!(r#"{{"x":{deep},"#), 1)
            .as_bytes(),
    );
    check_corrupt("unclosed", "[".repeat(100_000).as_bytes());
    check_corrupt(
        "in a message",
        text.replacen(r#""messages":["#, &format!(r#""messages":[{deep},"#), 1)
            .as_bytes(),
    );
}

#[test]
fn members_that_stand_twice() {
    let text = String::from_utf8(document()).unwrap();
    for member in [
        r#""agent":"a","#,
        r#""messages":[],"#,
        r#""updated_at":null,"#,
        r#""metadata":{},"#,
    ] {
        check_corrupt_body(
            member,
            text.replacen('{', &format!("{{{member}"), 1).as_bytes(),
        );
    }
}

#[test]
fn a_wrong_type_for_every_member() {
    let value: serde_json::Value = serde_json::from_slice(&document()).unwrap();
    let members = value
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    assert!(members.len() >= 8, "{members:?}");
    for member in members {
        for wrong in [
            serde_json::json!(5),
            serde_json::json!([[]]),
            serde_json::json!({"x": "y"}),
        ] {
            let mut value = value.clone();
            value[&member] = wrong.clone();
            let bytes = serde_json::to_vec(&value).unwrap();
            if serde_json::from_slice::<session_store::Session>(&bytes).is_ok() {
                // An object with unknown members is a metadata and a usage like any other.
                assert!(
                    wrong.is_object() && matches!(member.as_str(), "metadata" | "usage"),
                    "{member}: {wrong}"
                );
                continue;
            }
            let (scratch, store) = beside_good();
            scratch.write("bad.json", &bytes);
            assert!(
                store.load(&id("bad")).unwrap_err().is_corrupt(),
                "{member}: {wrong}"
            );
            good_is_visible_to_lookups(&store);
        }
    }
}

#[test]
fn a_wrong_type_deep_inside() {
    let mut good = session("bad", "/work", 2, 9);
    good.push_tool_use(session_store::ToolUse::succeeded("t", "ls", "{}", "x"));
    let good = serde_json::to_value(&good).unwrap();
    let places = [
        "/metadata/model",
        "/metadata/directory",
        "/metadata/shared",
        "/messages/1/role",
        "/messages/1/content",
        "/tool_uses/0/success",
        "/tool_uses/0/output",
        "/usage/prompt_tokens",
    ];
    for place in places {
        let mut value = good.clone();
        *value
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("no {place}")) = serde_json::json!([1.5]);
        let (scratch, store) = beside_good();
        scratch.write("bad.json", serde_json::to_vec(&value).unwrap());
        assert!(store.load(&id("bad")).unwrap_err().is_corrupt(), "{place}");
        assert!(
            store
                .load_tail(&id("bad"), Window::last(1))
                .unwrap_err()
                .is_corrupt(),
            "{place}"
        );
        let found = store.find_last(&LastQuery::new()).unwrap();
        assert_eq!(found.session.expect("the good one").id, "good", "{place}");
        assert_eq!(found.skipped.len(), 1, "{place}");
    }
}

/// As [`good_is_visible`], where the bad session's directory may be unreadable rather than its document.
fn good_is_visible_to_lookups(store: &SessionStore) {
    assert_eq!(
        store
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .expect("the good session")
            .id,
        "good"
    );
    assert_eq!(store.last().unwrap().expect("the good session").id, "good");
    let listing = store.list(&Query::new()).unwrap();
    assert!(listing.rows.iter().any(|row| row.id == "good"));
}

#[test]
fn an_id_that_is_not_the_files_name() {
    let other = serde_json::to_vec(&session("other", "/work", 1, 9)).unwrap();
    check_corrupt("another id", &other);
    check_corrupt("no id", br#"{"title":"x","messages":[]}"#);
    check_corrupt("traversal", br#"{"id":"../good","messages":[]}"#);
    let (scratch, store) = beside_good();
    scratch.write("bad.json", other);
    assert!(
        store
            .load_tail(&id("bad"), Window::last(1))
            .unwrap_err()
            .is_corrupt()
    );
}

#[test]
fn ids_that_are_none_never_become_a_path() {
    let long = "a".repeat(300);
    let names = [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/x",
        "CON",
        "nul",
        "com1",
        "a\0b",
        &long,
        ".workspace_index",
        "é",
        "-a",
        "a b",
    ];
    for name in names {
        assert!(SessionId::new(name).is_err(), "{name:?}");
    }
    let (scratch, store) = beside_good();
    let mut session = session("x", "/work", 1, 1);
    for name in ["CON", "..", &long] {
        let json = serde_json::json!({ "id": name }).to_string();
        assert!(
            serde_json::from_str::<session_store::Session>(&json).is_err(),
            "{name}"
        );
    }
    session.id = id("fine");
    store.save(&session).unwrap();
    assert_eq!(scratch.names(), [".store", "fine.json", "good.json"]);
}

#[test]
fn names_that_are_no_ids_are_reported_and_dot_files_are_not() {
    let (scratch, store) = beside_good();
    for name in [
        "CON.json",
        "a b.json",
        "x.checkpoint.json",
        ".json",
        ".workspace_index.json",
        ".tmp.x.json",
        "x.json.tmp",
        "notes.txt",
    ] {
        scratch.write(name, document());
    }
    good_is_visible(&store);
    let listing = store.list(&Query::new()).unwrap();
    let mut skipped: Vec<_> = listing
        .skipped
        .iter()
        .map(|skipped| skipped.name.to_str().unwrap())
        .collect();
    skipped.sort_unstable();
    assert_eq!(skipped, ["CON.json", "a b.json", "x.checkpoint.json"]);
    assert!(
        listing
            .skipped
            .iter()
            .all(|skipped| matches!(skipped.reason, SkipReason::InvalidName))
    );
}

#[test]
fn things_that_are_not_files() {
    let (scratch, store) = beside_good();
    let outside = scratch.path().join("outside.json");
    fs::write(
        &outside,
        serde_json::to_vec(&session("link", "/work", 1, 9)).unwrap(),
    )
    .unwrap();
    fs::create_dir(scratch.file("dir.json")).unwrap();
    symlink(&outside, scratch.file("link.json")).unwrap();
    symlink("/dev/zero", scratch.file("zero.json")).unwrap();
    symlink("nowhere", scratch.file("dangling.json")).unwrap();
    let fifo = std::process::Command::new("mkfifo")
        .arg(scratch.file("fifo.json"))
        .status()
        .expect("mkfifo");
    assert!(fifo.success());

    good_is_visible(&store);
    let listing = store.list(&Query::new()).unwrap();
    let mut skipped: Vec<_> = listing
        .skipped
        .iter()
        .map(|skipped| skipped.name.to_str().unwrap())
        .collect();
    skipped.sort_unstable();
    assert_eq!(
        skipped,
        [
            "dangling.json",
            "dir.json",
            "fifo.json",
            "link.json",
            "zero.json"
        ]
    );
    assert!(
        listing
            .skipped
            .iter()
            .all(|skipped| matches!(skipped.reason, SkipReason::NotAFile(_)))
    );
    for name in ["dir", "link", "zero", "fifo", "dangling"] {
        let error = store.load(&id(name)).unwrap_err();
        assert!(!error.is_not_found(), "{name}: {error}");
        assert!(store.overwrite(&session(name, "/work", 1, 1)).is_err() || name != "dir");
    }
    // Nothing was written through a link.
    assert_eq!(
        fs::read(&outside).unwrap(),
        serde_json::to_vec(&session("link", "/work", 1, 9)).unwrap()
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may read everything");
        return;
    }
    let (scratch, store) = beside_good();
    scratch.write("bad.json", document());
    fs::set_permissions(scratch.file("bad.json"), fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(
        store.load(&id("bad")).unwrap_err().io_kind(),
        Some(std::io::ErrorKind::PermissionDenied)
    );
    good_is_visible(&store);
    assert_eq!(store.list(&Query::new()).unwrap().skipped.len(), 1);
}

#[test]
fn a_file_over_the_limit_is_resumed_but_not_loaded_whole() {
    let (scratch, store) = beside_good();
    let large = session("large", "/work", 400, 9);
    store.save(&large).unwrap();
    let limits = Limits::default().document(10_000);
    let limited = SessionStore::builder(scratch.sessions())
        .limits(limits)
        .open()
        .unwrap();
    match limited.load(&large.id) {
        Err(Error::TooLarge { limit: 10_000, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(
        limited
            .load_tail(&large.id, Window::last(3))
            .unwrap()
            .dropped()
            .total(),
        397
    );
    assert_eq!(limited.list(&Query::new()).unwrap().rows.len(), 2);
    let found = limited
        .last_for_directory_tail(Some("/work".as_ref()), Window::last(3))
        .unwrap()
        .unwrap();
    assert_eq!(found.id, "large");
    assert_eq!(
        limited
            .last_for_directory(Some("/work".as_ref()))
            .unwrap()
            .unwrap()
            .id,
        "good"
    );
}

#[test]
fn a_directory_that_others_may_write_to_is_refused_unless_allowed() {
    let scratch = Scratch::new();
    scratch.store().save(&session("s", "/work", 1, 1)).unwrap();
    let set =
        |mode| fs::set_permissions(scratch.sessions(), fs::Permissions::from_mode(mode)).unwrap();
    set(0o770);
    assert_eq!(scratch.store().warnings().len(), 1);
    set(0o777);
    match SessionStore::open(scratch.sessions()) {
        Err(Error::Untrusted { .. }) => {}
        other => panic!("{other:?}"),
    }
    let trust = session_store::Trust::strict().allow_writable_by_others();
    let store = SessionStore::builder(scratch.sessions())
        .trust(trust)
        .open()
        .unwrap();
    assert_eq!(store.load(&id("s")).unwrap().id, "s");
}

#[test]
fn a_full_disk_leaves_the_old_session() {
    // `/dev/full` cannot hold a store; a file size limit is the same refusal by the kernel, in a child that can set it.
    let scratch = Scratch::new();
    let store = scratch.store();
    let old = session("s", "/work", 1, 1);
    store.save(&old).unwrap();
    // Its output goes through pipes, as files would be under the limit too.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "bad_input::child_saves_beyond_the_file_size_limit",
            "--ignored",
        ])
        .env("SESSION_STORE_TEST_DIR", scratch.sessions())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(scratch.store().load(&old.id).unwrap(), old);
    assert_eq!(crate::support::names(&scratch.file(".store/tmp")), [""; 0]);
}

/// Runs in a child process of the test above.
#[test]
#[ignore = "a child process of `a_full_disk_leaves_the_old_session`"]
fn child_saves_beyond_the_file_size_limit() {
    let Some(dir) = std::env::var_os("SESSION_STORE_TEST_DIR") else {
        return;
    };
    let store = SessionStore::builder(dir)
        .durability(Durability::Process)
        .open()
        .unwrap();
    let loaded = store.load(&id("s")).unwrap();
    let mut large = loaded;
    large.push(session_store::Message::user("x".repeat(100_000)));
    let error = store.save(&large).unwrap_err();
    assert_eq!(
        error.io_kind(),
        Some(std::io::ErrorKind::FileTooLarge),
        "{error}"
    );
}
