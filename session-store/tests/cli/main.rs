//! Runs `sessions` as a user would: what it prints, and how it ends.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod broken;
mod talk;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use session_store::{ContentPart, Message, Role, Session, SessionId, SessionStore};

fn sessions(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessions"));
    command
        .arg("--dir")
        .arg(dir)
        .args(args)
        .env_remove("SESSIONS_DIR");
    command
}

#[track_caller]
fn check(dir: &Path, args: &[&str], code: i32) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = sessions(dir, args).output().unwrap();
    let (out, err) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    assert_eq!(status.code(), Some(code), "{args:?}\n{out}\n{err}");
    assert!(
        !err.contains("panicked") && !err.contains("backtrace"),
        "{err}"
    );
    (out, err)
}

fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = SessionStore::open(dir.path()).unwrap();
    let mut session =
        Session::new(SessionId::new("one").unwrap(), "/p/a").with_title("First\u{1b}[2J\u{202e}");
    session.push(Message::user("why \u{1b}[31mred\u{9b}2J\u{2066}?"));
    let call = ContentPart::tool_call("c1", "grep", "{\"x\":1}");
    session.push(Message::new(Role::Assistant, vec![call]));
    session.push(Message::tool("c1", "needle in here"));
    store.save(&session).unwrap();
    store
        .save(&Session::new(SessionId::new("two").unwrap(), "/p/b"))
        .unwrap();
    dir
}

const EVERY: [&[&str]; 17] = [
    &["list", "--all"],
    &["last"],
    &["show", "one"],
    &["search", "x"],
    &["follow", "one"],
    &["stats"],
    &["check"],
    &["check", "one"],
    &["salvage", "one"],
    &["checkpoint"],
    &["delete", "one"],
    &["delete", "one", "--erase"],
    &["restore", "one"],
    &["trash"],
    &["rebind", "/a", "/b"],
    &["prune", "--keep", "1"],
    &["export", "one"],
];

#[test]
fn without_a_store_each_command_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for args in EVERY {
        let (out, err) = check(&dir.path().join("none"), args, 3);
        assert!(out.is_empty() && err.contains("no sessions there"), "{err}");
    }
    assert!(!dir.path().join("none").exists());
}

#[test]
fn in_an_empty_store_only_what_names_a_session_fails() {
    let dir = tempfile::tempdir().unwrap();
    for args in EVERY {
        let names = args.get(1) == Some(&"one") || args[0] == "last";
        check(dir.path(), args, if names { 3 } else { 0 });
    }
}

#[test]
fn what_is_no_directory_or_no_id_is_refused() {
    let dir = filled();
    let file = dir.path().join("one.json");
    for args in EVERY {
        check(&file, args, 1);
    }
    check(dir.path(), &["show", "../one"], 2);
    check(dir.path(), &["show", "one", "--page", "3..1"], 2);
    check(dir.path(), &["list", "--after", "x"], 2);
    check(dir.path(), &["prune"], 2);
    check(dir.path(), &["export", "one", "--as", "pdf"], 2);
    check(dir.path(), &["search", "-e", "("], 2);
}

#[test]
fn a_session_is_shown_whole_by_its_end_and_by_a_page() {
    let dir = filled();
    let (all, _) = check(dir.path(), &["show", "one"], 0);
    assert!(
        all.contains("messages 0..3 of 3")
            && all.contains("→ grep {\"x\":1}")
            && all.contains("← 14 B: needle")
    );
    let (tail, _) = check(dir.path(), &["show", "one", "--tail", "1"], 0);
    assert!(
        tail.contains("messages 2..3 of 3") && !tail.contains("grep"),
        "{tail}"
    );
    let (page, _) = check(dir.path(), &["show", "one", "--page", "0..1"], 0);
    assert!(
        page.contains("messages 0..1 of 3") && !page.contains("needle"),
        "{page}"
    );
}

#[test]
fn lists_go_on_at_their_cursor() {
    let dir = filled();
    let (first, err) = check(dir.path(), &["list", "--all", "--limit", "1", "--json"], 0);
    let cursor = err.split("--after ").nth(1).unwrap().trim();
    let (rest, _) = check(
        dir.path(),
        &["list", "--all", "--json", "--after", cursor],
        0,
    );
    let mut ids: Vec<String> = (first + &rest)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .collect();
    ids.sort();
    assert_eq!(ids, ["\"one\"", "\"two\""]);
}

#[test]
fn the_trash_gives_back_until_it_is_emptied() {
    let dir = filled();
    check(dir.path(), &["delete", "one"], 0);
    check(dir.path(), &["show", "one"], 3);
    check(dir.path(), &["restore", "one"], 0);
    check(dir.path(), &["show", "one"], 0);
    check(dir.path(), &["delete", "one"], 0);
    let (out, _) = check(
        dir.path(),
        &["trash", "empty", "--older-than", "0s", "--json"],
        0,
    );
    assert_eq!(out, "{\"erased\":1}\n");
    check(dir.path(), &["restore", "one"], 3);
}

#[test]
fn rebinding_waits_for_apply_and_codetethers_directory_for_write() {
    let dir = filled();
    check(dir.path(), &["rebind", "/p/a", "/q"], 0);
    let (out, _) = check(dir.path(), &["list", "--workspace", "/q", "--json"], 0);
    assert_eq!(out, "");
    check(dir.path(), &["rebind", "/p/a", "/q", "--apply"], 0);
    let (out, _) = check(dir.path(), &["list", "--workspace", "/q", "--json"], 0);
    assert_eq!(out.lines().count(), 1);
    check(dir.path(), &["--format", "codetether", "delete", "one"], 1);
    check(
        dir.path(),
        &["--format", "codetether", "--write", "delete", "one"],
        0,
    );
}

#[test]
fn exports_import_again() {
    let (dir, other) = (filled(), tempfile::tempdir().unwrap());
    let (json, _) = check(dir.path(), &["export", "one", "--as", "json"], 0);
    let file = other.path().join("in");
    std::fs::File::create(&file)
        .unwrap()
        .write_all(json.as_bytes())
        .unwrap();
    let (store, file) = (other.path().join("store"), file.to_str().unwrap());
    check(&store, &["import", file], 0);
    check(&store, &["import", file], 5);
    check(&store, &["import", file, "--overwrite"], 0);
    assert_eq!(check(&store, &["export", "one", "--as", "json"], 0).0, json);
    check(&store, &["import", "/nowhere"], 1);
}
