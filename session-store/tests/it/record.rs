//! A record type of the user's own gets every capability.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use session_store::{
    Append, Durability, Error, Query, SessionId, SessionRecord, SessionStore, Window,
};

use crate::support::{Scratch, id, time};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Chat {
    turns: Vec<Turn>,
    costs: Vec<f64>,
    id: String,
    cwd: PathBuf,
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Turn {
    who: char,
    said: String,
}

impl SessionRecord for Chat {
    const CAPPED: &'static [&'static str] = &["turns", "costs"];
    const DIRECTORY: &'static [&'static str] = &["cwd"];

    fn id(&self) -> &str {
        &self.id
    }

    fn set_id(&mut self, id: SessionId) {
        self.id = id.into();
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.cwd)
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.updated_at
    }
}

fn chat(name: &str, turns: usize) -> Chat {
    let turns = (0..turns)
        .map(|n| Turn {
            who: 'u',
            said: format!("turn {n}"),
        })
        .collect::<Vec<_>>();
    let costs = vec![0.5; turns.len()];
    Chat {
        turns,
        costs,
        id: name.into(),
        cwd: "/work".into(),
        updated_at: Some(time(1)),
    }
}

fn store(scratch: &Scratch) -> SessionStore<Chat> {
    SessionStore::builder_as(scratch.sessions())
        .durability(Durability::Process)
        .open()
        .unwrap()
}

#[test]
fn a_record_of_ones_own_is_saved_found_listed_and_resumed() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let mut whole = chat("c", 300);
    store.save(&whole).unwrap();
    assert_eq!(store.load(&id("c")).unwrap(), whole);

    let tail = store
        .last_for_directory_tail(Some("/work".as_ref()), Window::last(2))
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            tail.turns.len(),
            tail.dropped().get("turns"),
            tail.dropped().total()
        ),
        (2, 298, 596)
    );
    let turn = Turn {
        who: 'a',
        said: "yes".into(),
    };
    let append = Append::new()
        .element("turns", &turn)
        .unwrap()
        .element("costs", &1.5)
        .unwrap();
    let append = append
        .based_on(tail.revision())
        .updated_at(time(2))
        .unwrap();
    store.append(&id("c"), &append).unwrap();
    whole.turns.push(turn);
    whole.costs.push(1.5);
    whole.updated_at = Some(time(2));
    assert_eq!(store.load(&id("c")).unwrap(), whole);
    let row = store
        .list(&Query::new().workspace("/work"))
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(
        (row.messages, row.directory),
        (Some(301), Some("/work".into()))
    );
    assert_eq!(
        store
            .load_tail(&id("c"), Window::last(1))
            .unwrap()
            .into_fork(id("d"))
            .id,
        "d"
    );
}

#[test]
fn numbers_that_json_cannot_say_are_refused_before_the_file_is_touched() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let good = chat("c", 2);
    store.save(&good).unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut bad = good.clone();
        bad.costs.push(number);
        assert!(store.save(&bad).unwrap_err().is_refused(), "{number}");
        assert_eq!(store.load(&id("c")).unwrap(), good);
    }
}

#[test]
fn every_finite_number_comes_back_as_it_was() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let mut numbers = chat("c", 0);
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        numbers.costs.push(f64::from_bits(bits));
    }
    numbers.costs.retain(|number| number.is_finite());
    assert!(numbers.costs.len() > 1_000);
    store.save(&numbers).unwrap();
    assert_eq!(store.load(&id("c")).unwrap(), numbers);
}

/// A record whose accessors and JSON disagree; it would be saved where nothing finds it.
#[derive(Debug, Serialize, Deserialize)]
struct Liar {
    id: String,
    claimed: String,
}

#[expect(clippy::misnamed_getters, reason = "that is what is wrong with it")]
impl SessionRecord for Liar {
    const CAPPED: &'static [&'static str] = &[];

    fn id(&self) -> &str {
        &self.claimed
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

#[test]
fn a_record_that_contradicts_its_json_is_refused() {
    let scratch = Scratch::new();
    let store = SessionStore::<Liar>::open_as(scratch.sessions()).unwrap();
    match store.save(&Liar {
        id: "a".into(),
        claimed: "b".into(),
    }) {
        Err(Error::Refused { reason, .. }) => assert!(reason.contains("id"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(crate::support::names(&scratch.sessions()), [""; 0]);
    store
        .save(&Liar {
            id: "a".into(),
            claimed: "a".into(),
        })
        .unwrap();
}

#[test]
fn a_lazy_session_is_a_record_like_any_other() {
    use session_store::{LazySession, Message, Session, SessionId, SessionStore, Window};

    let dir = tempfile::tempdir().unwrap();
    let id = SessionId::new("lazy").unwrap();
    let mut session = Session::new(id.clone(), "/app");
    for n in 0..5 {
        session.push(Message::user(format!("message {n}")));
    }
    SessionStore::open(dir.path())
        .unwrap()
        .save(&session)
        .unwrap();

    let store = SessionStore::<LazySession>::open_as(dir.path()).unwrap();
    let tail = store.load_tail(&id, Window::last(2)).unwrap();
    assert_eq!(tail.dropped().total(), 3);
    let kept: Vec<_> = tail.messages.iter().map(|m| m.get().unwrap()).collect();
    assert_eq!(kept, session.messages[3..]);

    let whole = store.load(&id).unwrap();
    store.save(&whole).unwrap();
    let again = SessionStore::open(dir.path()).unwrap().load(&id).unwrap();
    assert_eq!(again, session);
}
