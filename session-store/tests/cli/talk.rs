//! What reaches a terminal, a pipe, or another program.

use std::process::{Command, Stdio};

use session_store::{Append, Message, SessionId, SessionStore};

use crate::{EVERY, check, filled, sessions};

#[test]
fn nothing_of_a_session_acts_on_the_terminal() {
    let dir = filled();
    for args in [
        &["list", "--all"][..],
        &["show", "one"],
        &["search", "red"],
        &["show", "one", "--json"],
    ] {
        let (out, _) = check(dir.path(), args, 0);
        let acts = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2066}".contains(c));
        assert!(!out.contains(acts), "{args:?}: {out:?}");
        assert!(out.contains("First") || out.contains("red"));
    }
    // What would act is escaped in JSON, not lost.
    let (out, _) = check(dir.path(), &["show", "one", "--json"], 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["session"]["title"], "First\u{1b}[2J\u{202e}");
}

#[test]
fn follow_prints_what_another_handle_appends() {
    let dir = filled();
    let mut child = sessions(
        dir.path(),
        &["follow", "one", "--tail", "1", "--count", "2", "--json"],
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let store = SessionStore::open(dir.path()).unwrap();
    let turn = Append::new().message(&Message::user("news")).unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let (mut old, mut new) = (String::new(), String::new());
    std::io::BufRead::read_line(&mut out, &mut old).unwrap();
    store
        .append(&SessionId::new("one").unwrap(), &turn)
        .unwrap();
    std::io::BufRead::read_line(&mut out, &mut new).unwrap();
    assert!(old.contains("needle") && new.contains("news"), "{old}{new}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn every_command_speaks_json_a_value_a_line() {
    for args in EVERY {
        if args[0] == "follow" || args[0] == "export" {
            continue;
        }
        let dir = filled();
        let output = sessions(dir.path(), args).arg("--json").output().unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let value: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(value.is_ok(), "{args:?}: {line}");
        }
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let dir = filled();
    for args in EVERY {
        if args[0] == "follow" {
            continue;
        }
        let output = sessions(dir.path(), args).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.contains(&0x1b), "{args:?}");
    }
    // Asked for, they are there, and end before the line does.
    let coloured = sessions(dir.path(), &["show", "two"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(coloured.stdout).unwrap();
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("\u{1b}[") && first.contains("two\u{1b}[0m"),
        "{first:?}"
    );
    let plain = sessions(dir.path(), &["show", "two"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(!plain.stdout.contains(&0x1b));
}

#[test]
fn completions_know_every_command() {
    let dir = filled();
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = check(dir.path(), &["completions", shell], 0);
        for args in EVERY {
            assert!(script.contains(args[0]), "{shell}: {}", args[0]);
        }
    }
    check(dir.path(), &["completions", "csh"], 2);
}

#[test]
fn help_teaches_every_command_within_eighty_columns() {
    let dir = filled();
    let (help, _) = check(dir.path(), &["--help"], 0);
    assert!(help.contains("Exit codes"), "{help}");
    for args in EVERY {
        assert!(help.contains(args[0]), "{}", args[0]);
        let (of_command, _) = check(dir.path(), &[args[0], "--help"], 0);
        assert!(of_command.contains("Usage: sessions"), "{of_command}");
    }
}

#[test]
fn a_table_is_eighty_columns_wide_at_most() {
    let dir = filled();
    let (out, _) = check(dir.path(), &["list", "--all"], 0);
    for line in out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(out.lines().next().unwrap().starts_with("ID "), "{out}");
}

#[test]
fn an_interrupt_ends_a_command_that_waits() {
    let dir = filled();
    let mut child: std::process::Child =
        sessions(dir.path(), &["follow", "one", "--tail", "1", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut String::new()).unwrap();
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
