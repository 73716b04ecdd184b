//! Processes on a file system in memory, where everything can happen at every moment.

use std::sync::Arc;
use std::time::Duration;

use proptest::test_runner::TestCaseError;
use session_index::Rules;
use session_store::backend::{DirBackend, Trust};
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{
    Builder, Durability, LastQuery, Query, Rebind, Session, SessionStore, Window, Writer,
};

use super::hooked::{Event, Hooked};
use super::naive::{File, Told, all, oracle, told, with_journal};
use super::step::{Call, Foreign, Meanwhile, Places, STORES, Step, index_of, nanos, turn};
use crate::support::id;

/// How coarse the clock of a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Fine,
    /// As kernels have it that stamp files by the tick.
    Coarse,
}

/// One process on the file system.
pub(super) struct Process {
    pub(super) store: SessionStore,
    pub(super) fs: Hooked,
}

pub(super) struct World {
    pub(super) fs: MemoryFs,
    places: Arc<Places>,
    pub(super) processes: Vec<Process>,
    /// Which session each process holds open, and how.
    writers: Vec<Option<(usize, Writer<Session>)>>,
    /// Reads everything from the files, for the oracle.
    plain: SessionStore,
    rules: Rules,
    clock: Clock,
    /// Makes every setting of the clock another one.
    sets: i128,
    unreadable: Option<String>,
}

/// Opens the store of this number as a process does.
pub(super) fn process(fs: &MemoryFs, rules: Rules, number: usize) -> Process {
    let fs = Hooked::new(fs.clone());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
    let deadline = if number == 2 { 0 } else { 60 };
    let store = Builder::on(Arc::new(backend))
        .durability(Durability::Process)
        .lock_wait(Duration::ZERO)
        .resolve_deadline(Duration::from_secs(deadline))
        .threads(1)
        .index(index_of(number))
        .rules(rules)
        .open()
        .unwrap();
    Process { store, fs }
}

fn files(fs: &MemoryFs, plain: &SessionStore, unreadable: Option<&str>) -> Vec<File> {
    let listed = fs.list("", &mut |_| true).unwrap().unwrap_or_default();
    let modified = |path: &str| Some(fs.stat(path).ok()??.blob.modified);
    let file = |name: String| {
        let stem = name.strip_suffix(".json")?;
        let journal = modified(&format!(".store/journal/{stem}.journal"));
        let file = (name.clone(), modified(&name)?, fs.content(&name)?);
        with_journal(plain, file, journal)
    };
    listed
        .into_iter()
        .map(|entry| entry.name.into_string().unwrap())
        .filter(|name| Some(name.as_str()) != unreadable)
        .filter_map(file)
        .collect()
}

/// Does what a foreign program does, in one step of the sessions directory.
pub(super) fn act(fs: &MemoryFs, places: &Places, what: &Foreign) {
    match *what {
        Foreign::Put {
            name,
            place,
            updated,
            modified,
        } => {
            let json = serde_json::to_vec(&places.session(name, place, updated)).unwrap();
            put(fs, &format!("s{name}.json"), &json, modified.map(nanos));
        }
        Foreign::Remove { name } => drop(fs.remove(&format!("s{name}.json"))),
        Foreign::Link { from, to } => {
            if let Some(json) = fs.content(&format!("s{from}.json")) {
                put(fs, &format!("s{to}.json"), &json, None);
            }
        }
    }
}

pub(super) fn put(fs: &MemoryFs, name: &str, json: &[u8], modified: Option<i128>) {
    fs.make_dir("").unwrap();
    fs.plant("elsewhere/new", json);
    if let Some(modified) = modified {
        fs.set_modified("elsewhere/new", modified);
    }
    fs.rename("elsewhere/new", name).unwrap();
}

impl World {
    pub(super) fn new(places: Arc<Places>, rules: Rules, clock: Clock) -> Self {
        let fs = MemoryFs::new();
        fs.set_clock(nanos(4));
        if clock == Clock::Coarse {
            fs.set_grain(4_000_000);
        }
        fs.make_dir("").unwrap();
        let open = |number| process(&fs, rules, number);
        Self {
            processes: (0..STORES).map(open).collect(),
            writers: (0..STORES).map(|_| None).collect(),
            plain: process(&fs, rules, 4).store,
            fs,
            places,
            rules,
            clock,
            sets: 0,
            unreadable: None,
        }
    }

    fn files(&self) -> Vec<File> {
        files(&self.fs, &self.plain, self.unreadable.as_deref())
    }

    pub(super) fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Own {
                store,
                call,
                meanwhile,
            } => self.own(*store, call, meanwhile.as_ref())?,
            Step::Foreign { what, sets_back } => {
                let before = self.fs.stat("").unwrap().unwrap().blob.modified;
                act(&self.fs, &self.places, what);
                if *sets_back {
                    self.fs.set_modified("", before);
                }
            }
            Step::Damage { which, kind } => self.damage(*which, *kind),
            Step::Clock { to } => {
                // Two settings never give the same time again, as no real clock does.
                self.sets += 1;
                let to = nanos(*to) + self.sets * 7_919 * 1_000_000_007 % 1_000_000_000;
                // Where it is coarse, a clock that goes back is a known gap.
                if self.clock == Clock::Fine || to > self.fs.now() {
                    self.fs.set_clock(to);
                }
            }
            Step::Reopen { store } => self.reopen(*store),
            Step::Unreadable { name } => {
                let path = format!("s{name}.json");
                self.unreadable = match self.unreadable.take() {
                    Some(_) => None,
                    None => Some(path),
                };
                for process in &self.processes {
                    process.fs.set_unreadable(self.unreadable.clone());
                }
            }
        }
        Ok(())
    }

    fn event(&self, meanwhile: &Meanwhile) -> Event {
        let (fs, places) = (self.fs.clone(), Arc::clone(&self.places));
        let other = process(&self.fs, self.rules, 0);
        other.fs.set_unreadable(self.unreadable.clone());
        match meanwhile.clone() {
            Meanwhile::Foreign(what) => Event::Foreign(Box::new(move || act(&fs, &places, &what))),
            Meanwhile::Save {
                name,
                place,
                updated,
            } => Event::Own(Box::new(move || {
                // A lock may be held: then nothing happens.
                let _ = other.store.overwrite(&places.session(name, place, updated));
            })),
            Meanwhile::Lookup { place } => Event::Own(Box::new(move || {
                let _ = other.store.last_for_directory(places.get(place));
            })),
            Meanwhile::Append { name, updated } => Event::Own(Box::new(move || {
                let _ = other.store.append(&id(&format!("s{name}")), &turn(updated));
            })),
            Meanwhile::Checkpoint { name } => Event::Own(Box::new(move || {
                let _ = other.store.checkpoint(&id(&format!("s{name}")));
            })),
            Meanwhile::Crash => Event::Crash,
            Meanwhile::FailPointer => Event::FailPointer,
        }
    }

    fn own(
        &mut self,
        number: usize,
        call: &Call,
        meanwhile: Option<&(u64, Meanwhile)>,
    ) -> Result<(), TestCaseError> {
        if let Some((calls, meanwhile)) = meanwhile {
            self.processes[number]
                .fs
                .plan(*calls, self.event(meanwhile));
        }
        let store = &self.processes[number].store;
        let named = |name: usize| id(&format!("s{name}"));
        match *call {
            Call::Save {
                name,
                place,
                updated,
            } => {
                let _ = store.overwrite(&self.places.session(name, place, updated));
            }
            Call::Delete { name } => drop(store.delete(&named(name))),
            Call::Trash { name } => drop(store.trash(&named(name))),
            Call::Restore { name } => drop(store.restore(&named(name))),
            Call::Append { name, updated } => drop(store.append(&named(name), &turn(updated))),
            Call::Turn { name, updated } => {
                let held = &mut self.writers[number];
                if held.as_ref().is_none_or(|(held, _)| *held != name) {
                    // The one before goes first: it may be of the same lock.
                    *held = None;
                    let writer = store.writer(&named(name)).ok();
                    *held = writer.map(|writer| (name, writer));
                }
                if let Some((_, writer)) = held {
                    let _ = writer.append(&turn(updated));
                }
            }
            Call::LetGo { closes } => match self.writers[number].take() {
                Some((_, writer)) if closes => drop(writer.close()),
                other => drop(other),
            },
            Call::Checkpoint { name } => drop(store.checkpoint(&named(name))),
            Call::Rebind { from, to } => {
                if let (Some(from), Some(to)) = (self.places.get(from), self.places.get(to)) {
                    drop(store.rebind(from, to, Rebind::Apply));
                }
            }
            Call::Lookup { place } => self.lookup(number, place)?,
            Call::List { place } => self.list(number, place)?,
        }
        if self.processes[number].fs.settle() {
            self.reopen(number);
        }
        Ok(())
    }

    fn reopen(&mut self, number: usize) {
        self.writers[number] = None;
        self.processes[number] = process(&self.fs, self.rules, number);
        let unreadable = self.unreadable.clone();
        self.processes[number].fs.set_unreadable(unreadable);
    }

    /// A listing tells of each session what was true before it or is after it, and of all of them in their order.
    fn list(&self, number: usize, place: usize) -> Result<(), TestCaseError> {
        let asked = self.places.get(place);
        // Of a clock that is coarse, only the lookups' is one that a test can set.
        let is_answered = number != 2 || asked.is_none_or(std::path::Path::is_relative);
        if self.clock == Clock::Coarse || !is_answered {
            return Ok(());
        }
        let unreadable = self.unreadable.as_deref();
        let unreadable = unreadable.and_then(|path| path.strip_suffix(".json"));
        let before = all(&self.files(), &self.places, place);
        let query = asked.map_or_else(Query::new, |asked| Query::new().workspace(asked));
        let listing = self.processes[number].store.list(&query);
        let after = all(&self.files(), &self.places, place);
        let Ok(listing) = listing else { return Ok(()) };
        if self.processes[number].fs.has_crashed() {
            return Ok(());
        }
        let is_sound = listing.skipped.is_empty();
        let listed = told(listing, unreadable);
        let is_true = |row: &Told| before.contains(row) || after.contains(row);
        let is_there = |row: &Told| !after.contains(row) || listed.contains(row);
        let is_right = if before == after {
            listed == before
        } else {
            listed.iter().all(is_true) && (!is_sound || before.iter().all(is_there))
        };
        if is_right {
            return Ok(());
        }
        Err(TestCaseError::fail(format!(
            "store {number} lists {asked:?}: {listed:?}, where {before:?} were and {after:?} are"
        )))
    }

    /// A lookup answers what was true before it or is after it.
    fn lookup(&self, number: usize, place: usize) -> Result<(), TestCaseError> {
        let asked = self.places.get(place);
        // Without time to resolve, absolute directories cannot be answered for.
        if number == 2 && asked.is_some_and(std::path::Path::is_absolute) {
            return Ok(());
        }
        let before = oracle(&self.files(), &self.places, place);
        let query = match asked {
            Some(asked) => LastQuery::new().workspace(asked),
            None => LastQuery::new(),
        };
        // What was seen in part is not saved again by who saw it.
        let query = query.window(if number < 2 {
            Window::all()
        } else {
            Window::last(1)
        });
        let Ok(found) = self.processes[number].store.find_last(&query) else {
            return Ok(());
        };
        if self.processes[number].fs.has_crashed() {
            // What the dead say counts for nothing.
            return Ok(());
        }
        let answer = found.session.map(|tail| tail.id.to_string());
        let after = oracle(&self.files(), &self.places, place);
        // A session that was read with a header and gone when it was to be loaded may be passed over.
        if answer == before || answer == after || (before != after && !found.skipped.is_empty()) {
            return Ok(());
        }
        Err(TestCaseError::fail(format!(
            "asked for {asked:?}: {answer:?}, where {before:?} was and {after:?} is the newest"
        )))
    }

    fn damage(&self, which: usize, kind: usize) {
        let index: Vec<String> = self.fs.paths();
        let index: Vec<&String> = index
            .iter()
            .filter(|path| path.starts_with(".store/index/"))
            .collect();
        if index.is_empty() {
            return;
        }
        let path = index[which % index.len()];
        let bytes = self.fs.content(path).unwrap();
        match kind {
            0 => drop(self.fs.remove(path)),
            1 => self.fs.plant(path, b"garbage"),
            2 => self.fs.plant(path, &bytes[..bytes.len() / 2]),
            _ => self.fs.plant(path, &[]),
        }
    }

    pub(super) fn check_all(&self) -> Result<(), TestCaseError> {
        for number in [0, 1, 0] {
            for place in 0..Places::COUNT {
                self.lookup(number, place)?;
                self.list(number, place)?;
            }
        }
        Ok(())
    }
}
