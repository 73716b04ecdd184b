//! What hostile or huge files, and a system that gives little, can do to a process: nothing but typed errors (P16, P17, P25).

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use session_codec::{Codec, Mapped};
use session_store::{
    Append, Durability, Error, LastQuery, Message, Query, SearchQuery, SessionStore, Window,
};

use crate::support::{Scratch, id, session};

const DIR: &str = "SESSION_STORE_TEST_DIR";

/// Bytes of each hostile document: many times what a session's header is, and little enough for a test.
const HOSTILE: usize = 4 << 20;

/// Runs an ignored test of this module in a child under limits that the shell sets.
fn child(limits: &str, test: &str, dir: &Path) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("bounded::{test}"), "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .output()
        .unwrap()
}

fn open() -> Option<SessionStore> {
    let dir = std::env::var_os(DIR)?;
    let builder = SessionStore::builder(dir).durability(Durability::Process);
    Some(builder.open().unwrap())
}

/// P17: a program that cuts and rewrites a file in place, as one must not, gives its readers errors and nothing worse.
#[test]
fn a_reader_survives_a_file_that_is_cut_under_it() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let mut whole = session("s", "/work", 1, 1);
    for _ in 0..40 {
        whole.push(Message::user("x".repeat(50_000)));
    }
    store.save(&whole).unwrap();
    let path = scratch.file("s.json");
    let bytes = fs::read(&path).unwrap();
    let rounds = AtomicUsize::new(0);
    let (read, refused) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut read, mut refused) = (0, 0);
            for _ in 0..2_000 {
                let answers = [
                    store.load(&whole.id).map(drop),
                    store.load_tail(&whole.id, Window::last(30)).map(drop),
                ];
                for answer in answers {
                    match answer {
                        Ok(()) => read += 1,
                        Err(Error::Corrupt { .. } | Error::Io { .. }) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                store.list(&Query::new()).unwrap();
                store
                    .search(&SearchQuery::text("xyz"))
                    .unwrap()
                    .for_each(drop);
                rounds.fetch_add(1, Ordering::Relaxed);
                if read > 50 && refused > 50 {
                    break;
                }
            }
            (read, refused)
        });
        // On a busy machine the reader may never meet the one state or the other by itself: every fourth time waits for it.
        let seen = || {
            let last = rounds.load(Ordering::Relaxed) + 2;
            while rounds.load(Ordering::Relaxed) < last && !reader.is_finished() {
                std::thread::yield_now();
            }
        };
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for turn in 0.. {
            if reader.is_finished() {
                break;
            }
            for size in [10, bytes.len() as u64 / 2, 0] {
                file.set_len(size).unwrap();
                if turn % 4 == 0 {
                    seen();
                }
                fs::write(&path, &bytes).unwrap();
                if turn % 4 == 0 {
                    seen();
                }
            }
        }
        reader.join().unwrap()
    });
    assert!(read > 50 && refused > 50, "{read} read, {refused} refused");
}

/// P17's mutant: a shortened file takes the pages away that a map of it shows.
#[test]
fn a_reader_through_a_map_is_caught() {
    let scratch = Scratch::new();
    let mut one = session("s", "/work", 1, 1);
    one.push(Message::user("x".repeat(50_000)));
    scratch.store().save(&one).unwrap();
    let output = child("ulimit -c 0", "child_reads_a_map", &scratch.sessions());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("read ") && !said.contains("survived"),
        "{said}"
    );
    let fatal = rustix::process::Signal::BUS.as_raw();
    assert_eq!(output.status.signal(), Some(fatal), "{output:?}");
}

#[test]
#[ignore = "a child process of `a_reader_through_a_map_is_caught`"]
#[expect(
    unsafe_code,
    reason = "what a map asks for is broken, to see what becomes of its reader"
)]
fn child_reads_a_map() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let path = Path::new(&dir).join("s.json");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    // SAFETY: none. The file is cut while it is mapped, which this process is there to die of.
    let mapped = unsafe { Mapped::new(&file) }.unwrap();
    let revision = || Codec::new().revision(&mapped).unwrap();
    println!("read {}", revision());
    file.set_len(10).unwrap();
    println!("survived {}", revision());
}

/// P25: a walk over many files needs few descriptors, and one that gets too few says so.
#[test]
fn few_descriptors_are_enough_for_many_files() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..300 {
        store
            .save(&session(&format!("s{n}"), "/work", 1, n))
            .unwrap();
    }
    for (limits, test) in [
        ("ulimit -n 32", "child_walks_completely"),
        ("ulimit -n 9", "child_walks_or_says_why_not"),
    ] {
        let output = child(limits, test, &scratch.sessions());
        assert!(output.status.success(), "{limits}: {output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("walked"), "{limits}: {said}");
    }
    assert_eq!(store.list(&Query::new()).unwrap().rows.len(), 300);
}

#[test]
#[ignore = "a child process of `few_descriptors_are_enough_for_many_files`"]
fn child_walks_completely() {
    let Some(store) = open() else { return };
    let listing = store.list(&Query::new()).unwrap();
    assert_eq!((listing.rows.len(), listing.skipped.len()), (300, 0));
    let found = store.find_last(&LastQuery::new().workspace("/elsewhere"));
    assert!(found.unwrap().session.is_none());
    let hits = store.search(&SearchQuery::text("message 0")).unwrap();
    assert_eq!(hits.count(), 300);
    println!("walked");
}

/// P25's mutant: whoever opens every file before the first is read has too few.
#[test]
fn a_walk_that_holds_every_file_open_is_caught() {
    let scratch = Scratch::new();
    for n in 0..300 {
        scratch.write(&format!("s{n}.json"), "{}");
    }
    let output = child(
        "ulimit -n 32",
        "child_holds_every_file",
        &scratch.sessions(),
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("began") && !said.contains("walked"), "{said}");
    assert!(!output.status.success());
}

#[test]
#[ignore = "a child process of `a_walk_that_holds_every_file_open_is_caught`"]
fn child_holds_every_file() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    println!("began");
    let entries = fs::read_dir(dir).unwrap();
    let files: Vec<_> = entries
        .map(|entry| File::open(entry.unwrap().path()).unwrap())
        .collect();
    println!("walked {}", files.len());
}

#[test]
#[ignore = "a child process of `few_descriptors_are_enough_for_many_files`"]
fn child_walks_or_says_why_not() {
    let Some(store) = open() else { return };
    match store.list(&Query::new()) {
        // Whatever could not be looked at is named.
        Ok(listing) => assert_eq!(listing.rows.len() + listing.skipped.len(), 300),
        Err(error) => assert!(error.io_kind().is_some(), "{error}"),
    }
    println!("walked");
}

/// Documents made to cost as much memory as can be, by the name of the trick.
fn hostile() -> Vec<(&'static str, String)> {
    let head = r#"{"id":"s","metadata":{"directory":"/work"},"#;
    let many = |text: &str| {
        let mut list = text.repeat(HOSTILE / text.len());
        list.pop();
        list
    };
    vec![
        (
            "empty objects as messages",
            format!("{head}\"messages\":[{}]}}", many("{},")),
        ),
        (
            "empty parts in one message",
            format!(
                "{head}\"messages\":[{{\"role\":\"user\",\"content\":[{}]}}]}}",
                many("{},")
            ),
        ),
        (
            "an unknown array of small objects",
            format!("{head}\"messages\":[],\"x\":[{}]}}", many("{\"\":0},")),
        ),
        (
            "many unknown members",
            format!("{head}{}\"messages\":[]}}", {
                let members = (0..HOSTILE / 12).map(|n| format!("\"{n:07}\":0,"));
                members.collect::<String>()
            }),
        ),
        (
            "one deep array",
            format!("{head}\"x\":{}", "[".repeat(HOSTILE)),
        ),
        (
            "one long string",
            format!("{head}\"title\":\"{}\"}}", "t".repeat(HOSTILE)),
        ),
        (
            "one long string of escapes",
            format!("{head}\"title\":\"{}\"}}", "\\u0074".repeat(HOSTILE / 6)),
        ),
    ]
}

/// P16, P25: what a document can make of its size in memory is bounded, and figures are printed.
#[test]
#[cfg(target_os = "linux")]
fn hostile_documents_take_a_bounded_multiple_of_their_size() {
    for (what, json) in hostile() {
        let scratch = Scratch::new();
        scratch.write("s.json", &json);
        for (call, most) in [("load", 100), ("tail", 100), ("list", 12), ("search", 60)] {
            let times = measured(&scratch, what, call) / json.len() as u64;
            println!("{what}, {call}: {times} times");
            assert!(times < most, "{what}, {call}: {times} times");
        }
    }
}

/// How much a child process grows by one call.
#[cfg(target_os = "linux")]
fn measured(scratch: &Scratch, what: &str, call: &str) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bounded::child_measures", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(DIR, scratch.sessions())
        .env("SESSION_STORE_TEST_CALL", call)
        .output()
        .unwrap();
    assert!(output.status.success(), "{what}, {call}: {output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    let grown = said.split("grown=").nth(1).expect("a figure");
    grown.lines().next().unwrap().parse().unwrap()
}

/// P25's mutant: a listing that decodes what it lists needs more than one of ours may.
#[test]
#[cfg(target_os = "linux")]
fn a_listing_that_decodes_whole_documents_is_caught() {
    let (what, json) = hostile().swap_remove(2);
    let scratch = Scratch::new();
    scratch.write("s.json", &json);
    let times = measured(&scratch, what, "values") / json.len() as u64;
    println!("{what}, decoded: {times} times");
    assert!(times >= 12, "{times} times");
}

#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes << 10
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "a child process of `hostile_documents_take_a_bounded_multiple_of_their_size`"]
fn child_measures() {
    let Some(store) = open() else { return };
    let before = peak();
    // Answers are held until the peak is read, as a caller would hold them.
    match std::env::var("SESSION_STORE_TEST_CALL").unwrap().as_str() {
        "load" => {
            let session = store.load(&id("s"));
            println!("load {}\ngrown={}", session.is_ok(), peak() - before);
        }
        "tail" => {
            let tail = store.load_tail(&id("s"), Window::last(50));
            println!("tail {}\ngrown={}", tail.is_ok(), peak() - before);
        }
        "list" => {
            let listing = store.list(&Query::new()).unwrap();
            assert_eq!(listing.rows.len() + listing.skipped.len(), 1);
            println!("grown={}", peak() - before);
        }
        "values" => {
            let json = fs::read(store.path(&id("s"))).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
            println!("{}\ngrown={}", value.is_object(), peak() - before);
        }
        _ => {
            let hits: Vec<_> = store.search(&SearchQuery::text("t")).unwrap().collect();
            println!("{} hits\ngrown={}", hits.len(), peak() - before);
        }
    }
}

/// P25: a file larger than all memory that there is costs an error for itself, and hides nobody.
#[test]
#[cfg(target_os = "linux")]
fn a_file_larger_than_memory_hides_no_other() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.save(&session("good", "/work", 1, 1)).unwrap();
    for name in ["zeros", "blanks"] {
        let file = File::create(scratch.file(&format!("{name}.json"))).unwrap();
        file.set_len(2 << 30).unwrap();
    }
    let head = r#"{"id":"blanks","metadata":{"directory":"/work"},"messages":["#;
    let blanks = OpenOptions::new()
        .write(true)
        .open(scratch.file("blanks.json"))
        .unwrap();
    std::os::unix::fs::FileExt::write_all_at(&blanks, head.as_bytes(), 0).unwrap();
    let output = child(
        "ulimit -v 1000000",
        "child_meets_files_larger_than_memory",
        &scratch.sessions(),
    );
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("met"));
}

#[test]
#[ignore = "a child process of `a_file_larger_than_memory_hides_no_other`"]
fn child_meets_files_larger_than_memory() {
    let Some(store) = open() else { return };
    for name in ["zeros", "blanks"] {
        let error = store.load(&id(name)).unwrap_err();
        assert!(!error.is_not_found(), "{error}");
        assert!(store.load_tail(&id(name), Window::last(5)).is_err());
        let appended = store.append(
            &id(name),
            &Append::new().message(&Message::user("x")).unwrap(),
        );
        assert!(appended.is_err());
    }
    let listing = store.list(&Query::new()).unwrap();
    assert!(listing.rows.iter().any(|row| row.id == id("good")));
    let last = store.last_for_directory(Some(Path::new("/work"))).unwrap();
    assert_eq!(last.unwrap().id, id("good"));
    println!("met");
}

/// P16: a journal made to be summed up from every byte is refused, not worked on for hours.
#[test]
fn a_journal_of_nothing_but_beginnings_is_refused() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let saved = session("s", "/work", 1, 1);
    store.save(&saved).unwrap();
    let turn = Append::new().message(&Message::user("turn")).unwrap();
    store.append(&saved.id, &turn).unwrap();
    let path = scratch.file(".store/journal/s.journal");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    // Records 0 and 1 are there, so that these are all the next one, each nearly as long as the rest, and each with a wrong sum.
    let mut room: u32 = 4 << 20;
    while room > 32 {
        room -= 16;
        bytes.extend((room - 32).to_le_bytes());
        bytes.extend(7_u32.to_le_bytes());
        bytes.extend(2_u64.to_le_bytes());
    }
    fs::write(&path, &bytes).unwrap();
    assert!(scratch.store().load(&saved.id).unwrap_err().is_corrupt());
    assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is cut off");
    // One such beginning is what a crash leaves.
    let cut_short = [&whole[..], &bytes[whole.len()..whole.len() + 16]].concat();
    fs::write(&path, cut_short).unwrap();
    assert_eq!(scratch.store().load(&saved.id).unwrap().messages.len(), 2);
}
