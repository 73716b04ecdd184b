//! Each rule on source that breaks it, and on the nearest that does not.

use super::*;

fn found(path: &str, text: &str) -> Vec<&'static str> {
    let source = Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let mut names: Vec<&str> = check(&source).iter().map(|finding| finding.rule).collect();
    names.dedup();
    names
}

#[test]
fn each_forbidden_call_is_caught() {
    for rule in RULES {
        let path = [
            "session-model/src/a.rs",
            "session-codec/src/a.rs",
            "session-model/tests/it/a.rs",
        ]
        .into_iter()
        .find(|path| {
            (rule.applies)(&Source {
                path: (*path).to_owned(),
                text: String::new(),
            })
        })
        .expect("a rule that applies to no sample is not tested");
        for pattern in rule.patterns {
            let text = format!("//! A.\nfn a() {{ {pattern} x }}\n");
            assert!(found(path, &text).contains(&rule.name), "{path}: {pattern}");
        }
    }
}

#[test]
fn files_are_changed_only_in_the_file_system_modules() {
    let rename = "use std::fs;\nfn a() { fs::rename(b, c); }";
    for (path, text, expected) in [
        ("session-store/src/store.rs", rename, vec!["file-system"]),
        ("session-store/src/fs.rs", rename, vec![]),
        ("session-store/src/fs/os.rs", rename, vec![]),
        ("session-store/src/fsx/os.rs", rename, vec!["file-system"]),
        ("session-index/src/dir_storage.rs", rename, vec![]),
        ("session-index/src/sidecar.rs", rename, vec!["file-system"]),
        ("session-scan/src/testing.rs", rename, vec![]),
        ("session-scan/tests/it/a.rs", rename, vec![]),
        ("session-scan/benches/a.rs", rename, vec![]),
        ("xtask/src/a.rs", rename, vec![]),
        // The names of our own traits are not those of std.
        (
            "session-store/src/store.rs",
            "fn a() { self.fs.rename(b); backend.remove(c) }",
            vec![],
        ),
        (
            "session-store/src/store.rs",
            "use crate::fs::{FileSystem, write};",
            vec![],
        ),
        (
            "session-store/src/store.rs",
            "use std::fs::{File, rename};",
            vec!["file-system"],
        ),
        (
            "session-store/src/store.rs",
            "use std::{io, fs::{File, rename as mv}};",
            vec!["file-system"],
        ),
        (
            "session-store/src/store.rs",
            "fn a(f: File) { f.sync_all()?; }",
            vec!["file-system"],
        ),
        (
            "session-store/src/store.rs",
            "/// fs::rename\nconst A: &str = \"fs::rename\";",
            vec![],
        ),
        (
            "session-store/src/store.rs",
            "#[cfg(test)]\nmod tests { fn a() { fs::write(b, c); } }",
            vec![],
        ),
        (
            "session-scan/src/directory.rs",
            "fn a() { openat(d, n, OFlags::RDONLY | OFlags::NOFOLLOW) }",
            vec![],
        ),
        (
            "session-scan/src/directory.rs",
            "fn a() { openat(d, n, OFlags::CREATE) }",
            vec!["file-system"],
        ),
    ] {
        assert_eq!(found(path, text), expected, "{path}: {text}");
    }
}

#[test]
fn the_other_rules_hold_where_they_apply() {
    for (path, text, expected) in [
        (
            "session-codec/src/lexer.rs",
            "unsafe { a() }",
            vec!["unsafe"],
        ),
        (
            "session-codec/tests/it/a.rs",
            "unsafe { a() }",
            vec!["unsafe"],
        ),
        ("benchmarks/src/allocator.rs", "unsafe { a() }", vec![]),
        (
            "session-codec/src/mapped.rs",
            "#![expect(unsafe_code)] unsafe { a() }",
            vec![],
        ),
        (
            "session-codec/src/a.rs",
            "#![deny(unsafe_code)] /* unsafe */",
            vec![],
        ),
        ("xtask/src/a.rs", "fn a() { todo!() }", vec!["unfinished"]),
        (
            "session-store/src/a.rs",
            "env!(\"X\"); std::env::var(\"X\")",
            vec!["ambient"],
        ),
        (
            "session-store/tests/it/a.rs",
            "std::env::var(\"X\")",
            vec![],
        ),
        (
            "session-model/src/a.rs",
            "use std::{fmt, thread};",
            vec!["model-is-pure"],
        ),
        ("session-store/src/a.rs", "use std::{fmt, thread};", vec![]),
        (
            "session-model/src/a.rs",
            "a.iter().flatten(); #[serde(default)]",
            vec![],
        ),
        (
            "session-model/src/a.rs",
            "#[serde(default, flatten)]",
            vec!["lossless"],
        ),
        (
            "session-model/src/a.rs",
            "#[serde(tag = \"type\")]",
            vec!["lossless"],
        ),
        (
            "session-codec/src/a.rs",
            "path.canonicalize()",
            vec!["codec-sees-no-directory"],
        ),
        (
            "session-store/tests/it/a.rs",
            "thread::sleep(a)",
            vec!["sleep"],
        ),
        ("session-store/src/a.rs", "thread::sleep(a)", vec![]),
    ] {
        assert_eq!(found(path, text), expected, "{path}: {text}");
    }
}

#[test]
fn a_finding_names_file_line_and_reason() {
    let source = Source {
        path: "session-scan/src/a.rs".to_owned(),
        text: "//! A.\n\nfn a() {\n    dbg!(1);\n}\n".to_owned(),
    };
    let shown: Vec<String> = check(&source).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["session-scan/src/a.rs:4: unfinished: `dbg!`: nothing half-done is kept"]
    );
}
