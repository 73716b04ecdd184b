//! Random histories of a store with several sessions, some calls of which fail once, compared with a plain map after every
//! step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use session_store::backend::{DirBackend, Trust};
use session_store::fs::{Fault, FaultEffect, FaultFs, FsCall, MemoryFs};
use session_store::{
    Append, Builder, Error, Message, Query, Rebind, SearchQuery, Session, SessionStore, Writer,
};

use crate::support::{id, session, time};

const NAMES: [&str; 3] = ["a", "b", "c"];
/// None of them resolves. One is below another.
const PLACES: [&str; 3] = ["/no/such/one", "/no/such/one/below", "/no/such/two"];

#[derive(Clone, Copy, Debug)]
enum Do {
    /// Loads a session and saves it with one message more, or makes it.
    Save {
        name: usize,
        place: usize,
    },
    Append {
        name: usize,
        messages: usize,
    },
    /// Through the writer that is held, or a new one in its place.
    Turn {
        name: usize,
    },
    LetGo {
        closes: bool,
    },
    Checkpoint {
        name: usize,
    },
    Delete {
        name: usize,
    },
    Trash {
        name: usize,
    },
    Restore {
        name: usize,
    },
    Rebind {
        from: usize,
        to: usize,
    },
    List {
        rows: usize,
    },
    Search {
        step: usize,
    },
    Last {
        place: usize,
    },
    Reopen,
}

/// What is done, which call of the file system fails meanwhile, and whether the process ends after that.
type Step = (Do, Option<(Fault, bool)>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (name, place) = (0..NAMES.len(), 0..PLACES.len());
    let what = prop_oneof![
        6 => (name.clone(), place.clone()).prop_map(|(name, place)| Do::Save { name, place }),
        5 => (name.clone(), 1..4_usize).prop_map(|(name, messages)| Do::Append { name, messages }),
        4 => name.clone().prop_map(|name| Do::Turn { name }),
        2 => any::<bool>().prop_map(|closes| Do::LetGo { closes }),
        2 => name.clone().prop_map(|name| Do::Checkpoint { name }),
        1 => name.clone().prop_map(|name| Do::Delete { name }),
        3 => name.clone().prop_map(|name| Do::Trash { name }),
        3 => name.prop_map(|name| Do::Restore { name }),
        1 => (place.clone(), place.clone()).prop_map(|(from, to)| Do::Rebind { from, to }),
        2 => (1..4_usize).prop_map(|rows| Do::List { rows }),
        2 => (0..40_usize).prop_map(|step| Do::Search { step }),
        2 => place.prop_map(|place| Do::Last { place }),
        1 => Just(Do::Reopen),
    ];
    let errors = prop_oneof![Just(5), Just(13), Just(28)]; // EIO, EACCES, ENOSPC
    let call = prop_oneof![
        prop::sample::select(&FsCall::ALL[..]),
        prop::sample::select(&[FsCall::Write, FsCall::SyncFile, FsCall::Rename][..]),
    ];
    let nth = prop_oneof![1..4_u64, 1..12_u64];
    let fault = (call, nth, errors, any::<bool>());
    let fault = fault.prop_map(|(call, nth, errno, is_half)| match call {
        FsCall::Write if is_half => Fault::effect(call, nth, FaultEffect::ShortThenErrno(errno)),
        _ => Fault::errno(call, nth, errno),
    });
    let fault = (fault, any::<bool>());
    prop::collection::vec((what, prop::option::weighted(0.3, fault)), 1..32)
}

/// The store, and what must be in it.
struct World {
    fs: FaultFs<MemoryFs>,
    store: SessionStore,
    writer: Option<(usize, Writer<Session>)>,
    sessions: BTreeMap<&'static str, Session>,
    trash: BTreeMap<&'static str, Vec<Session>>,
    /// Whether a call of the file system may have failed in this step.
    failed: bool,
}

fn open(fs: &FaultFs<MemoryFs>) -> Result<SessionStore, Error> {
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict())?;
    Builder::on(Arc::new(backend))
        .lock_wait(Duration::ZERO)
        .threads(1)
        .open()
}

fn word(step: usize) -> String {
    format!("word{step}x")
}

fn holds(session: &Session, needle: &str) -> bool {
    let json = serde_json::to_string(&session.messages).unwrap();
    json.contains(needle)
}

fn directory(session: &Session) -> Option<&Path> {
    session.metadata.directory.as_deref()
}

impl World {
    fn new() -> Self {
        let fs = FaultFs::new(MemoryFs::new());
        let store = open(&fs).unwrap();
        let (sessions, trash) = <_>::default();
        Self {
            fs,
            store,
            writer: None,
            sessions,
            trash,
            failed: false,
        }
    }

    /// Whether a change is there; one that is not must have a reason.
    fn is_done<T: std::fmt::Debug>(&self, name: usize, done: &Result<T, Error>) -> bool {
        let is_held = self.writer.as_ref().is_some_and(|(held, _)| *held == name);
        match done {
            Ok(_) | Err(Error::NotDurable { .. }) => true,
            Err(error) => {
                let is_locked = is_held && error.is_locked();
                let is_missing = error.is_not_found() && !self.sessions.contains_key(NAMES[name]);
                assert!(self.failed || is_locked || is_missing, "{done:?}");
                assert!(!error.is_corrupt(), "{done:?}");
                false
            }
        }
    }

    fn append(&mut self, n: usize, name: usize, messages: usize, through_writer: bool) {
        let at = time(1_000 + n as u64);
        let added: Vec<_> = (0..messages).map(|_| Message::user(word(n))).collect();
        let append = Append::new().updated_at(at).unwrap();
        let append = added
            .iter()
            .fold(append, |append, message| append.message(message).unwrap());
        let appended = if through_writer {
            let Some((_, writer)) = &mut self.writer else {
                return;
            };
            let appended = writer.append(&append);
            // The writer's own lock is no reason.
            assert!(
                !appended.as_ref().is_err_and(Error::is_locked),
                "{appended:?}"
            );
            appended
        } else {
            self.store.append(&id(NAMES[name]), &append)
        };
        if self.is_done(name, &appended) {
            let expected = self
                .sessions
                .get_mut(NAMES[name])
                .expect("a session that is there");
            for message in added {
                expected.push(message);
            }
            expected.touch(at);
        }
    }

    fn save(&mut self, n: usize, name: usize, place: usize) {
        let mut saved = match self.store.load(&id(NAMES[name])) {
            Ok(loaded) => loaded,
            Err(error) if error.is_not_found() => session(NAMES[name], PLACES[place], 0, 0),
            Err(error) => return assert!(self.failed, "{error}"),
        };
        saved.push(Message::user(word(n)));
        saved.touch(time(1_000 + n as u64));
        let done = self.store.save(&saved);
        if self.is_done(name, &done) {
            self.sessions.insert(NAMES[name], saved);
        }
    }

    /// Something that takes a session away or brings it back: after a fault it has happened or not.
    fn moves(&mut self, name: usize, what: Do) {
        let (store, key) = (&self.store, id(NAMES[name]));
        let done = match what {
            Do::Delete { .. } => store.delete(&key),
            Do::Trash { .. } => store.trash(&key),
            _ => store.restore(&key),
        };
        let injected = self.failed && self.fs.injected() > 0;
        self.fs.disarm();
        let now = match store.load(&key) {
            Ok(now) => Some(now),
            Err(error) => {
                assert!(error.is_not_found(), "{error}");
                None
            }
        };
        let was = self.sessions.get(NAMES[name]).cloned();
        let is_held = self.writer.as_ref().is_some_and(|(held, _)| *held == name);
        let trash = self.trash.entry(NAMES[name]).or_default();
        let is_moved = now != was;
        match (&done, what) {
            (Err(Error::NotDurable { .. }), _) => {}
            (Ok(moved), _) => assert_eq!(*moved, is_moved, "{what:?}"),
            (Err(error), Do::Restore { .. }) if was.is_some() => {
                assert!(
                    injected || error.is_conflict() || (is_held && error.is_locked()),
                    "{error}"
                );
            }
            (Err(error), _) => assert!(injected || (is_held && error.is_locked()), "{error}"),
        }
        if !is_moved {
            return;
        }
        match (was, now) {
            (Some(was), None) => {
                self.sessions.remove(NAMES[name]);
                if let Do::Trash { .. } = what {
                    trash.push(was);
                }
            }
            (None, Some(now)) => {
                let at = trash.iter().position(|trashed| *trashed == now);
                trash.remove(at.expect("what was in the trash"));
                self.sessions.insert(NAMES[name], now);
            }
            other => panic!("{what:?} made another session of one: {other:?}"),
        }
    }

    fn rebind(&mut self, from: usize, to: usize) {
        let (from, to) = (Path::new(PLACES[from]), Path::new(PLACES[to]));
        // What calling again would move once more.
        let is_refused = from != to && to.starts_with(from);
        let Ok(rebinding) = self.store.rebind(from, to, Rebind::Apply) else {
            return assert!(self.failed || is_refused);
        };
        assert!(!is_refused);
        let moved = |session: &Session| directory(session).is_some_and(|of| of.starts_with(from));
        let expected = self
            .sessions
            .values()
            .filter(|session| moved(session))
            .count();
        assert!(self.failed || rebinding.sessions.len() == expected);
        for rebound in rebinding.sessions {
            let name = NAMES.iter().position(|name| rebound.id == **name).unwrap();
            if self.is_done(name, &rebound.outcome) {
                let session = self
                    .sessions
                    .get_mut(NAMES[name])
                    .expect("a session that is there");
                session.metadata.directory = Some(rebound.to);
            }
        }
    }

    fn run(&mut self, n: usize, what: Do) {
        match what {
            Do::Save { name, place } => self.save(n, name, place),
            Do::Append { name, messages } => self.append(n, name, messages, false),
            Do::Turn { name } => {
                if self.writer.as_ref().is_none_or(|(held, _)| *held != name) {
                    self.writer = None;
                    let writer = self.store.writer(&id(NAMES[name]));
                    if self.is_done(name, &writer) {
                        self.writer = writer.ok().map(|writer| (name, writer));
                    }
                }
                self.append(n, name, 1, true);
            }
            Do::LetGo { closes } => match self.writer.take() {
                Some((name, writer)) if closes => {
                    let closed = writer.close();
                    self.is_done(name, &closed);
                }
                other => drop(other),
            },
            Do::Checkpoint { name } => {
                let folded = self.store.checkpoint(&id(NAMES[name]));
                self.is_done(name, &folded);
            }
            Do::Delete { name } | Do::Trash { name } | Do::Restore { name } => {
                self.moves(name, what);
            }
            Do::Rebind { from, to } => self.rebind(from, to),
            Do::Reopen => {
                self.writer = None;
                match open(&self.fs) {
                    Ok(store) => self.store = store,
                    Err(error) => assert!(self.failed, "{error}"),
                }
            }
            // What fails in these leaves no trace, which is looked for after every step.
            Do::List { rows } => drop(self.store.list(&Query::new().limit(rows))),
            Do::Search { step } => {
                let _ = self
                    .store
                    .search(&SearchQuery::text(word(step)))
                    .map(Iterator::count);
            }
            Do::Last { place } => drop(self.store.last_for_directory(Some(PLACES[place].as_ref()))),
        }
    }

    /// Brings back one after the other what is in the trash.
    fn empty_trash(&mut self) {
        self.writer = None;
        for (name, key) in NAMES.into_iter().enumerate() {
            while self
                .trash
                .get(key)
                .is_some_and(|trashed| !trashed.is_empty())
            {
                self.moves(name, Do::Delete { name });
                self.moves(name, Do::Restore { name });
                assert!(self.sessions.contains_key(key), "nothing came back");
            }
        }
        self.check(0);
    }

    /// Everything that a store can be asked, against the map.
    fn check(&self, n: usize) {
        let (store, sessions) = (&self.store, &self.sessions);
        for name in NAMES {
            match store.load(&id(name)) {
                Ok(loaded) => assert_eq!(Some(&loaded), sessions.get(name)),
                Err(error) => assert!(
                    error.is_not_found() && !sessions.contains_key(name),
                    "{error}"
                ),
            }
        }
        let mut ordered: Vec<&Session> = sessions.values().collect();
        ordered.sort_by_key(|session| Reverse((session.updated_at, session.id.to_string())));
        let listing = store.list(&Query::new()).unwrap();
        assert!(listing.skipped.is_empty(), "{:?}", listing.skipped);
        let rows = listing.rows.iter();
        let rows: Vec<_> = rows
            .map(|row| {
                (
                    row.id.as_str(),
                    row.updated_at,
                    row.directory.as_deref(),
                    row.messages,
                )
            })
            .collect();
        let expected: Vec<_> = ordered
            .iter()
            .map(|session| {
                let messages = Some(session.messages.len() as u64);
                (
                    session.id.as_str(),
                    session.updated_at,
                    directory(session),
                    messages,
                )
            })
            .collect();
        assert_eq!(rows, expected);
        for place in PLACES {
            let newest = ordered
                .iter()
                .find(|session| directory(session) == Some(Path::new(place)));
            let found = store.last_for_directory(Some(place.as_ref())).unwrap();
            assert_eq!(found.as_ref(), newest.copied(), "{place}");
        }
        for needle in [word(n), word(n / 2)] {
            let hits = store.search(&SearchQuery::text(needle.as_str())).unwrap();
            let found: BTreeSet<String> = hits.map(|hit| hit.id().to_string()).collect();
            let holding = ordered.iter().filter(|session| holds(session, &needle));
            let expected: BTreeSet<String> =
                holding.map(|session| session.id.to_string()).collect();
            assert_eq!(found, expected, "{needle}");
        }
        let trashed = store.trashed().unwrap();
        let expected: usize = self.trash.values().map(Vec::len).sum();
        assert_eq!(trashed.len(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_history_of_several_sessions_with_faults_equals_a_map(steps in steps()) {
        let mut world = World::new();
        for (n, (what, fault)) in steps.into_iter().enumerate() {
            if let Some((fault, _)) = fault {
                world.fs.arm(fault);
            }
            world.failed = fault.is_some();
            world.run(n, what);
            world.fs.disarm();
            world.failed = false;
            if fault.is_some_and(|(_, ends)| ends) {
                world.run(n, Do::Reopen);
            }
            world.check(n);
        }
        world.empty_trash();
    }
}
