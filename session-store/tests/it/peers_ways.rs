//! Promises of listings, asked of this store and of the ways in which other programs list: those have to be caught.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_store::backend::{DirBackend, Trust};
use session_store::fs::{FaultFs, FsCall, MemoryFs};
use session_store::{Builder, Query, Session, SessionId, SessionRecord, SessionStore};

use crate::support::{Scratch, id, moment, session, time};

/// What a way of listing says of a directory: what is there, and what is there and cannot be used.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    listed: Vec<String>,
    reported: BTreeSet<String>,
}

type Way = fn(&Path) -> Option<Said>;

/// Puts something in the place of a session.
type Plant<'p> = Box<dyn Fn(&Path) + 'p>;

/// A way of listing under its name.
type Named = (&'static str, Way);

fn ours(dir: &Path) -> Option<Said> {
    let listing = SessionStore::open(dir).ok()?.list(&Query::new()).ok()?;
    let skipped = listing.skipped.into_iter();
    Some(Said {
        listed: listing
            .rows
            .into_iter()
            .map(|row| row.id.to_string())
            .collect(),
        reported: skipped
            .map(|one| one.name.to_string_lossy().into_owned())
            .collect(),
    })
}

/// The names in a directory that do not say that they are no sessions, in the order in which the file system has them.
fn names(dir: &Path) -> Option<Vec<String>> {
    let entries = fs::read_dir(dir).ok()?;
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    Some(names.filter(|name| !name.starts_with('.')).collect())
}

fn read(dir: &Path, name: &str) -> Option<Session> {
    let path = dir.join(name);
    // A pipe would be waited for.
    let bytes = fs::symlink_metadata(&path)
        .ok()?
        .is_file()
        .then(|| fs::read(&path))?;
    serde_json::from_slice(&bytes.ok()?).ok()
}

/// The first file that is no session ends it.
fn all_or_none(dir: &Path) -> Option<Said> {
    let sessions: Option<Vec<_>> = names(dir)?.iter().map(|name| read(dir, name)).collect();
    Some(Said {
        listed: sessions?
            .into_iter()
            .map(|one| one.id.to_string())
            .collect(),
        reported: BTreeSet::new(),
    })
}

/// What is no session is passed over.
fn in_silence(dir: &Path) -> Option<Said> {
    let sessions = names(dir)?;
    let sessions = sessions.iter().filter_map(|name| read(dir, name));
    Some(Said {
        listed: sessions.map(|one| one.id.to_string()).collect(),
        reported: BTreeSet::new(),
    })
}

/// P16: beside each of these, the good ones are listed, and it is reported. Gives what is not so.
fn hidden_or_unsaid(way: Way) -> Vec<String> {
    let mut wrong = Vec::new();
    let deep = format!(
        r#"{{"id":"bad","x":{}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let texts = [
        "",
        "\0\0\0\0",
        "{",
        r#"{"id":"other"}"#,
        "\u{feff}{}",
        "[]",
        "5",
        &deep,
    ];
    let mut plants: Vec<(String, Plant<'_>)> = Vec::new();
    for text in texts {
        let what = format!("{text:.20}");
        plants.push((what, Box::new(move |path| fs::write(path, text).unwrap())));
    }
    plants.push((
        "a directory".to_owned(),
        Box::new(|path| fs::create_dir(path).unwrap()),
    ));
    plants.push((
        "a link".to_owned(),
        Box::new(|path| symlink("a.json", path).unwrap()),
    ));
    for (what, plant) in plants {
        let scratch = Scratch::new();
        let store = scratch.store();
        for name in ["a", "c"] {
            store.save(&session(name, "/work", 2, 1)).unwrap();
        }
        plant(&scratch.file("bad.json"));
        let said = way(&scratch.sessions()).map(|mut said| {
            said.listed.sort();
            said
        });
        let expected = Said {
            listed: vec!["a".to_owned(), "c".to_owned()],
            reported: BTreeSet::from(["bad.json".to_owned()]),
        };
        if said != Some(expected) {
            wrong.push(what);
        }
    }
    wrong
}

#[test]
fn hostile_files_hide_nobody_and_ways_that_stop_or_are_silent_are_caught() {
    assert_eq!(hidden_or_unsaid(ours), [""; 0]);
    assert!(!hidden_or_unsaid(all_or_none).is_empty());
    assert!(!hidden_or_unsaid(in_silence).is_empty());
}

/// Lists by a key of the document and of the file's time, greatest first.
fn by<K: Ord>(dir: &Path, key: impl Fn(&str, u64, u64) -> K) -> Option<Said> {
    let mut found = Vec::new();
    for name in names(dir)? {
        let bytes = fs::read(dir.join(&name)).unwrap();
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        let updated: DateTime<Utc> = value["updated_at"].as_str()?.parse().ok()?;
        let modified = fs::metadata(dir.join(&name)).unwrap().modified().unwrap();
        let modified: DateTime<Utc> = modified.into();
        let seconds = |time: DateTime<Utc>| u64::try_from(time.timestamp()).unwrap();
        let session = value["id"].as_str()?.to_owned();
        found.push((key(&session, seconds(updated), seconds(modified)), session));
    }
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    Some(Said {
        listed: found.into_iter().map(|(_, session)| session).collect(),
        reported: BTreeSet::new(),
    })
}

/// P19: the order is the one that is written down, whatever the order in which files came to be there.
fn is_in_order(way: &dyn Fn(&Path) -> Option<Said>) -> bool {
    let times = [0, 5, 9];
    let pairs = times
        .iter()
        .flat_map(|updated| times.map(|modified| (*updated, modified)));
    let pairs: Vec<_> = pairs.collect();
    let mut expected: Vec<_> = pairs
        .iter()
        .enumerate()
        .flat_map(|(at, pair)| ["x", "y"].map(|twin| (format!("{twin}{}", (at * 5) % 9), *pair)))
        .collect();
    let sessions = expected.clone();
    // A copy or a backup moves a file's time, and a clock may be wrong: the smaller counts, then `updated_at`, then the id.
    expected.sort_by_key(|(name, (updated, modified))| {
        std::cmp::Reverse(((*updated).min(*modified), *updated, name.clone()))
    });
    let expected: Vec<_> = expected.into_iter().map(|(name, _)| name).collect();
    let listed = |order: &mut dyn Iterator<Item = &(String, (u64, u64))>| {
        let scratch = Scratch::new();
        for (name, (updated, modified)) in order {
            let one = session(name, "/work", 1, *updated);
            scratch.write(&format!("{name}.json"), serde_json::to_vec(&one).unwrap());
            scratch.touch(&format!("{name}.json"), moment(*modified));
        }
        assert_eq!(time(0), moment(0).into());
        way(&scratch.sessions()).map(|said| said.listed)
    };
    let forth = listed(&mut sessions.iter());
    let back = listed(&mut sessions.iter().rev());
    forth.as_ref() == Some(&expected) && back == forth
}

#[test]
fn newest_is_what_is_written_down_and_every_other_order_is_caught() {
    assert!(is_in_order(&ours));
    // The oracle that is written once more, so that what fails below fails for its order.
    assert!(is_in_order(&|dir| by(dir, |id, updated, modified| {
        (updated.min(modified), updated, id.to_owned())
    })));
    let mutants: [Named; 5] = [
        ("the file's time", |dir| {
            by(dir, |id, _, modified| (modified, id.to_owned()))
        }),
        ("updated_at", |dir| {
            by(dir, |id, updated, _| (updated, id.to_owned()))
        }),
        ("the later of the two", |dir| {
            by(dir, |id, updated, modified| {
                (updated.max(modified), updated, id.to_owned())
            })
        }),
        ("no rule for equal times", |dir| {
            by(dir, |_, updated, modified| updated.min(modified))
        }),
        ("as the directory has them", in_silence),
    ];
    for (what, mutant) in mutants {
        assert!(!is_in_order(&mutant), "{what} must be caught");
    }
}

/// A record whose id is any text.
#[derive(Debug, Serialize, Deserialize)]
struct Own {
    id: String,
}

impl SessionRecord for Own {
    const CAPPED: &'static [&'static str] = &[];
    fn id(&self) -> &str {
        &self.id
    }
    fn set_id(&mut self, id: SessionId) {
        self.id = id.into();
    }
    fn directory(&self) -> Option<&Path> {
        None
    }
    fn updated_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// P20, through a record type whose id is any text: nothing is asked of the disk.
#[test]
fn an_id_that_is_none_is_refused_before_anything_is_touched() {
    let fs = FaultFs::new(MemoryFs::new());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
    let store: SessionStore<Own> = Builder::on(Arc::new(backend)).open().unwrap();
    let calls = || FsCall::ALL.iter().map(|call| fs.calls(*call)).sum::<u64>();
    store
        .save(&Own {
            id: "fine".to_owned(),
        })
        .unwrap();
    assert!(store.load(&id("fine")).is_ok());
    let before = calls();
    let long = "a".repeat(129);
    for name in [
        "", ".", "..", "../x", "/etc/x", "a/b", "CON", "nul", "a\0b", "é", "-a", ".x", &long,
    ] {
        let own = Own {
            id: name.to_owned(),
        };
        assert!(store.save(&own).unwrap_err().is_invalid_id(), "{name:?}");
        assert!(
            store.overwrite(&own).unwrap_err().is_invalid_id(),
            "{name:?}"
        );
    }
    assert_eq!(calls(), before, "asked of the disk");
}
