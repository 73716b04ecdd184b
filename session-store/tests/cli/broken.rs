//! Damaged sessions, directories that are none, disks that are full.

use std::process::Output;

use crate::{check, filled, sessions};

const HALF: &str = "{\"id\":\"bad\",\"messages\":[{\"role\":\"user\",\"content\":[]},{";

#[test]
fn broken_sessions_are_named_and_never_pruned() {
    let dir = filled();
    std::fs::write(
        dir.path().join("bad.json"),
        "{\"id\":\"bad\",\"messages\":[{",
    )
    .unwrap();
    check(dir.path(), &["show", "bad"], 4);
    let (_, err) = check(dir.path(), &["list", "--all"], 0);
    assert!(err.contains("bad.json"), "{err}");
    check(dir.path(), &["prune", "--keep", "0"], 0);
    assert!(
        dir.path().join("one.json").exists(),
        "a plan changes nothing"
    );
    check(
        dir.path(),
        &["prune", "--keep", "0", "--pin", "one", "--apply"],
        0,
    );
    let there = ["bad.json", "one.json", "two.json"].map(|name| dir.path().join(name).exists());
    assert_eq!(there, [true, true, false]);
}

#[test]
fn damage_is_found_and_what_is_whole_is_rescued() {
    let dir = filled();
    let (sound, _) = check(dir.path(), &["check"], 0);
    assert_eq!(
        sound.lines().last().map(|line| line.ends_with("0 damaged")),
        Some(true),
        "{sound}"
    );
    std::fs::write(dir.path().join("bad.json"), HALF).unwrap();
    let (out, err) = check(dir.path(), &["check", "bad"], 4);
    assert!(
        out.contains("bad error") && out.ends_with("1 damaged\n"),
        "{out}"
    );
    assert!(err.contains("sessions salvage"), "{err}");
    let (found, _) = check(dir.path(), &["check", "--json"], 4);
    let first: serde_json::Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["id"], &first["severity"]),
        (&"bad".into(), &"error".into())
    );

    let (out, _) = check(dir.path(), &["salvage", "bad", "--json"], 0);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["kept"]["messages"], 1, "{report}");
    assert_eq!(report["lost"][0]["file"], "document", "{report}");
    let (shown, _) = check(dir.path(), &["show", report["id"].as_str().unwrap()], 0);
    assert!(shown.contains("messages 0..1 of 1"), "{shown}");
    assert!(!dir.path().join("bad.json").exists());
    check(dir.path(), &["check"], 0);
    let (out, _) = check(dir.path(), &["salvage", "one"], 0);
    assert!(out.contains("nothing was done"), "{out}");
}

#[test]
fn a_broken_session_ends_each_command_that_names_it_with_its_own_code() {
    for args in [
        &["show", "bad"][..],
        &["show", "bad", "--tail", "1"],
        &["show", "bad", "--raw"],
        &["export", "bad"],
        &["check", "bad"],
        &["follow", "bad"],
    ] {
        let dir = filled();
        std::fs::write(dir.path().join("bad.json"), HALF).unwrap();
        let (_, err) = check(dir.path(), args, 4);
        assert!(!err.contains("needle"), "{err}");
    }
}

#[test]
fn one_unreadable_name_hides_no_other_session() {
    let dir = filled();
    std::fs::create_dir(dir.path().join("dir.json")).unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.path().join("link.json")).unwrap();
    for args in [
        &["list", "--all"][..],
        &["search", "needle"],
        &["stats"],
        &["prune", "--keep", "9"],
    ] {
        let (_, err) = check(dir.path(), args, 0);
        assert!(err.contains("dir.json"), "{args:?}: {err}");
    }
    let (out, _) = check(dir.path(), &["list", "--all", "--json"], 0);
    assert_eq!(out.lines().count(), 2);
    check(dir.path(), &["show", "dir"], 4);
}

#[test]
fn a_disk_that_takes_no_more_leaves_everything_as_it_was() {
    let dir = filled();
    let before = std::fs::read(dir.path().join("one.json")).unwrap();
    let (json, _) = check(dir.path(), &["export", "one", "--as", "json"], 0);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json.replace("needle", &"needle ".repeat(1000))).unwrap();
    // A file may not grow over half a kilobyte, and nobody is killed for trying.
    let Output { status, stderr, .. } = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_sessions"))
        .arg("--dir")
        .arg(dir.path())
        .args(["import", "--overwrite"])
        .arg(file.path())
        .output()
        .unwrap();
    let err = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(!err.contains("panicked") && err.contains("one"), "{err}");
    assert_eq!(std::fs::read(dir.path().join("one.json")).unwrap(), before);
}

#[test]
fn every_command_that_prints_says_that_standard_output_is_full() {
    for args in [
        &["list", "--all"][..],
        &["show", "one"],
        &["show", "one", "--raw"],
        &["search", "x"],
        &["stats"],
        &["check"],
        &["check", "one"],
        &["salvage", "one"],
        &["checkpoint", "one"],
        &["delete", "one"],
        &["prune", "--keep", "1"],
        &["rebind", "/p", "/q"],
        &["export", "one"],
        &["completions", "bash"],
    ] {
        let dir = filled();
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let full = sessions(dir.path(), args).stdout(full).output().unwrap();
        let err = String::from_utf8(full.stderr).unwrap();
        assert_eq!(full.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains("write standard output"), "{args:?}: {err}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let dir = filled();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = sessions(dir.path(), &["show", "one"])
        .stdout(writer)
        .output()
        .unwrap();
    assert!(
        closed.status.success() && closed.stderr.is_empty(),
        "{closed:?}"
    );
}
