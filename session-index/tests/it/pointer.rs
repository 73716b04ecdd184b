//! A pointer is honoured only as it was written and only for its workspace: the layout, and every kind of damage.

use std::path::{Path, PathBuf};

use session_index::testing::MemoryStorage;
use session_index::{Answer, IndexStorage, Pointer, Reason, SidecarIndex, WorkspaceIndex};

use crate::support::{at, find, only_name, pointer, record, sidecar, unknown};

const TEXT: &str = "session-index pointer 2\n\
                    workspace /x/a%20b%25%C3%A9\n\
                    session id-1\n\
                    at 1773171774066971411\n\
                    updated -5\n\
                    hint\n";

fn sealed(text: &str) -> Vec<u8> {
    format!("{text}crc32 {:08x}\n", crc32fast::hash(text.as_bytes())).into_bytes()
}

/// An index with one pointer, the workspace and the name of the pointer.
fn one() -> (SidecarIndex<MemoryStorage>, &'static Path, String) {
    let (index, workspace) = (sidecar(), Path::new("/x/a b%é"));
    record(
        &index,
        Some(workspace),
        &Pointer::new("id-1", 1_773_171_774_066_971_411, -5),
    );
    let name = only_name(&index);
    (index, workspace, name)
}

#[test]
fn layout_is_the_documented_one() {
    let (index, _, name) = one();
    assert_eq!(
        String::from_utf8(index.storage().get(&name).unwrap()).unwrap(),
        String::from_utf8(sealed(TEXT)).unwrap()
    );
    assert!(
        name.len() == 32 + ".pointer".len() && name.ends_with(".pointer"),
        "{name}"
    );

    let index = sidecar();
    let mut change = index.begin().unwrap();
    change.record_none(None);
    change.commit().unwrap();
    assert_eq!(only_name(&index), "all.pointer");
    assert_eq!(
        index.storage().get("all.pointer").unwrap(),
        sealed("session-index pointer 2\nall\nnone\nhint\n")
    );
}

#[test]
fn names_of_pointers_do_not_change() {
    // XXH3-128 of the bytes of the path, by the reference implementation. Another name would orphan every pointer.
    for (path, name) in [
        ("", "99aa06d3014798d86001c324468d497f.pointer"),
        ("/x", "842046dd047508e896a6a1b94791dd48.pointer"),
    ] {
        let index = sidecar();
        record(&index, at(path), &pointer("a", 1));
        assert_eq!(only_name(&index), name, "{path}");
    }
}

#[test]
fn pointer_with_any_byte_changed_is_unknown() {
    let (index, workspace, name) = one();
    let sound = index.storage().get(&name).unwrap();
    for position in 0..sound.len() {
        for byte in 0..=u8::MAX {
            if byte == sound[position] {
                continue;
            }
            let mut damaged = sound.clone();
            damaged[position] = byte;
            index.storage().put(&name, damaged);
            let answer = index.lookup(Some(workspace)).unwrap();
            let fault = matches!(answer, Answer::Unknown(Reason::Damaged | Reason::Version));
            assert!(fault, "byte {position} changed to {byte}: {answer:?}");
        }
    }
    index.storage().put(&name, sound);
    assert!(
        find(&index, Some(workspace)).is_some(),
        "the sound pointer is honoured"
    );
}

#[test]
fn pointer_of_any_other_length_is_unknown() {
    let (index, workspace, name) = one();
    let sound = index.storage().get(&name).unwrap();
    let truncated = (0..sound.len()).map(|length| sound[..length].to_vec());
    let zero_tailed = (0..sound.len()).map(|length| {
        let mut bytes = sound[..length].to_vec();
        bytes.resize(sound.len(), 0);
        bytes
    });
    let beheaded = (1..sound.len()).map(|length| sound[length..].to_vec());
    let long = vec![b'x'; 70_000];
    let suffixes = [&b"\n"[..], b"\0", b" ", &sound, b"crc32 00000000\n", &long];
    let extended = suffixes.map(|suffix| [&sound, suffix].concat());
    for damaged in truncated.chain(zero_tailed).chain(beheaded).chain(extended) {
        index.storage().put(&name, &*damaged);
        assert_eq!(
            index.lookup(Some(workspace)).unwrap(),
            unknown(Reason::Damaged),
            "{} bytes",
            damaged.len()
        );
    }
}

#[test]
fn pointer_in_another_spelling_is_unknown_even_with_a_right_checksum() {
    let (index, workspace, name) = one();
    let replacements = [
        ("at 1", "at +1"),
        ("at 1", "at 01"),
        ("updated -5", "updated -05"),
        ("updated -5", "updated -0"),
        ("updated -5", "updated 1e3"),
        (
            "at 1773171774066971411",
            "at 999999999999999999999999999999999999999999",
        ),
        ("%C3%A9", "%c3%a9"),
        ("%C3%A9", "é"),
        ("%20", " "),
        ("/x", "%2Fx"),
        ("/x", "%"),
        ("/x", "%G0"),
        ("session id-1", "session %FF"),
        ("session id-1", "none"),
        ("session id-1", "id-1"),
        ("session id-1\n", "session id-1\nsession id-2\n"),
        ("updated -5\n", ""),
        ("updated -5\n", "updated -5\nmore 1\n"),
        ("updated -5\n", "updated -5\r\n"),
        ("updated -5\n", "updated -5\n\n"),
        ("workspace /x", "workspace  /x"),
        ("pointer 2\n", "pointer 2 \n"),
        ("pointer 2\n", "pointer \n"),
        ("pointer 2\n", "pointer two\n"),
        ("hint\n", ""),
        ("hint\n", "hint \n"),
        ("hint\n", "epoch 1\n"),
        ("hint\n", "epoch 0123456789ABCDEF0123456789abcdef\n"),
        ("session-index", "Session-index"),
    ];
    for (from, to) in replacements {
        let text = TEXT.replace(from, to);
        assert_ne!(text, TEXT, "{from}");
        index.storage().put(&name, sealed(&text));
        assert_eq!(
            index.lookup(Some(workspace)).unwrap(),
            unknown(Reason::Damaged),
            "{from} written as {to}"
        );
    }
    let upper = String::from_utf8(sealed(TEXT)).unwrap();
    let (body, checksum) = upper.split_at(TEXT.len() + "crc32 ".len());
    let signed = format!("{body}+{}", &checksum[1..]);
    for text in [format!("{body}{}", checksum.to_uppercase()), signed] {
        if text != upper {
            index.storage().put(&name, text);
            assert_eq!(
                index.lookup(Some(workspace)).unwrap(),
                unknown(Reason::Damaged)
            );
        }
    }
}

#[test]
fn pointer_of_another_version_is_unknown_and_says_so() {
    let (index, workspace, name) = one();
    for version in ["0", "1", "10", "02"] {
        let text = TEXT.replace("pointer 2\n", &format!("pointer {version}\n"));
        for bytes in [sealed(&text), text.into_bytes()] {
            index.storage().put(&name, bytes);
            assert_eq!(
                index.lookup(Some(workspace)).unwrap(),
                unknown(Reason::Version),
                "version {version}"
            );
        }
    }
}

#[test]
fn pointer_copied_from_another_workspace_is_unknown() {
    let index = sidecar();
    let workspaces = [at("/a"), at("/b"), at("/a/"), None];
    let mut names = Vec::new();
    for workspace in workspaces {
        record(&index, workspace, &pointer("of another", 1));
        names.push(
            index
                .storage()
                .names()
                .into_iter()
                .find(|name| !names.contains(name))
                .unwrap(),
        );
    }
    let sound = names
        .iter()
        .map(|name| index.storage().get(name).unwrap())
        .collect::<Vec<_>>();
    for (here, workspace) in workspaces.into_iter().enumerate() {
        for there in (0..workspaces.len()).filter(|there| *there != here) {
            index.storage().put(&names[here], &*sound[there]);
            assert_eq!(
                index.lookup(workspace).unwrap(),
                unknown(Reason::OtherWorkspace),
                "{workspace:?}"
            );
        }
    }
}

#[test]
fn pointer_that_does_not_verify_is_repaired_by_the_next_change() {
    let (index, workspace, name) = one();
    let long = vec![b'x'; 100_000];
    for damaged in [&b""[..], b"garbage", &[0; 500], &long] {
        index.storage().put(&name, damaged);
        assert_eq!(
            index.begin().unwrap().lookup(Some(workspace)).unwrap(),
            unknown(Reason::Damaged)
        );
        record(&index, Some(workspace), &pointer("new", 1));
        assert_eq!(find(&index, Some(workspace)), Some(pointer("new", 1)));
        index.storage().put(&name, damaged);
        index.forget(Some(workspace)).unwrap();
        assert_eq!(
            index.storage().get(&name),
            None,
            "forgetting removes what is damaged, too"
        );
    }
}

#[test]
fn what_is_too_long_is_forgotten_and_never_cut() {
    let index = sidecar();
    let limit = PathBuf::from("/".repeat(16 * 1024));
    let beyond = PathBuf::from("/".repeat(16 * 1024 + 1));
    let longest = Pointer::new("\0".repeat(1024), i128::MIN, i128::MIN);
    record(&index, Some(&limit), &longest);
    assert_eq!(
        find(&index, Some(&limit)),
        Some(longest),
        "the longest path and id, every byte escaped, are read back"
    );
    record(&index, Some(&beyond), &pointer("a", 1));
    assert_eq!(
        index.lookup(Some(&beyond)).unwrap(),
        unknown(Reason::Unrecordable)
    );
    index.forget(Some(&beyond)).unwrap();
    record(&index, Some(&limit), &Pointer::new("x".repeat(1025), 1, 1));
    assert_eq!(
        index.lookup(Some(&limit)).unwrap(),
        unknown(Reason::Absent),
        "nothing stale stays behind"
    );
}

#[test]
fn lookup_reads_one_pointer_however_many_there_are() {
    let (index, workspace, _) = one();
    for number in 0..500 {
        record(
            &index,
            at(&format!("/many/{number}")),
            &pointer("a", number),
        );
    }
    let counted = SidecarIndex::new(session_index::testing::FaultStorage::new(index.storage()));
    counted.lookup(Some(workspace)).unwrap();
    let calls =
        session_index::testing::Operation::ALL.map(|operation| counted.storage().calls(operation));
    assert_eq!(calls, [1, 0, 0, 0], "reads, replaces, removes, locks");
    record(&counted, Some(workspace), &pointer("b", 1));
    let calls =
        session_index::testing::Operation::ALL.map(|operation| counted.storage().calls(operation));
    assert_eq!(calls, [1, 1, 0, 1], "reads, replaces, removes, locks");
    assert!(counted.storage().read("all.pointer", 1).unwrap().is_none());
}
