//! Histories in memory, where everything can happen at every moment.

use std::sync::Arc;
use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use session_index::{Rule, Rules};
use session_store::backend::{DirBackend, Trust};
use session_store::fs::{FileSystem, MemoryFs};
use session_store::{Builder, Durability, LastQuery, SessionStore, Window};

use super::hooked::{Event, Hooked};
use super::step::{Call, File, Foreign, Meanwhile, Places, Step, nanos, oracle, steps};
use crate::support::{Scratch, id};

/// How coarse the clock of a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Fine,
    /// As kernels have it that stamp files by the tick.
    Coarse,
}

/// One process on the file system.
struct Process {
    store: SessionStore,
    fs: Hooked,
}

struct World {
    fs: MemoryFs,
    places: Arc<Places>,
    processes: Vec<Process>,
    rules: Rules,
    clock: Clock,
    /// Makes every setting of the clock another one.
    sets: i128,
    unreadable: Option<String>,
}

/// Opens a store as a process does; the last of three gives directories no time to resolve.
fn process(fs: &MemoryFs, rules: Rules, number: usize) -> Process {
    let fs = Hooked::new(fs.clone());
    let backend = DirBackend::with_file_system(fs.clone(), Trust::strict()).unwrap();
    let deadline = if number == 2 { 0 } else { 60 };
    let store = Builder::on(Arc::new(backend))
        .durability(Durability::Process)
        .lock_wait(Duration::ZERO)
        .resolve_deadline(Duration::from_secs(deadline))
        .threads(1)
        .rules(rules)
        .open()
        .unwrap();
    Process { store, fs }
}

fn files(fs: &MemoryFs, unreadable: Option<&str>) -> Vec<File> {
    let listed = fs.list("", &mut |_| true).unwrap().unwrap_or_default();
    let file = |name: String| {
        let stat = fs.stat(&name).unwrap()?;
        Some((name.clone(), stat.blob.modified, fs.content(&name)?))
    };
    listed
        .into_iter()
        .map(|entry| entry.name.into_string().unwrap())
        .filter(|name| Some(name.as_str()) != unreadable)
        .filter_map(file)
        .collect()
}

/// Does what a foreign program does, in one step of the sessions directory.
fn act(fs: &MemoryFs, places: &Places, what: &Foreign) {
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

fn put(fs: &MemoryFs, name: &str, json: &[u8], modified: Option<i128>) {
    fs.make_dir("").unwrap();
    fs.plant("elsewhere/new", json);
    if let Some(modified) = modified {
        fs.set_modified("elsewhere/new", modified);
    }
    fs.rename("elsewhere/new", name).unwrap();
}

impl World {
    fn new(places: Arc<Places>, rules: Rules, clock: Clock) -> Self {
        let fs = MemoryFs::new();
        fs.set_clock(nanos(4));
        if clock == Clock::Coarse {
            fs.set_grain(4_000_000);
        }
        fs.make_dir("").unwrap();
        let processes = (0..3).map(|number| process(&fs, rules, number)).collect();
        Self {
            fs,
            places,
            processes,
            rules,
            clock,
            sets: 0,
            unreadable: None,
        }
    }

    fn files(&self) -> Vec<File> {
        files(&self.fs, self.unreadable.as_deref())
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
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
        match *call {
            Call::Save {
                name,
                place,
                updated,
            } => {
                let _ = store.overwrite(&self.places.session(name, place, updated));
            }
            Call::Delete { name } => drop(store.delete(&id(&format!("s{name}")))),
            Call::Trash { name } => drop(store.trash(&id(&format!("s{name}")))),
            Call::Restore { name } => drop(store.restore(&id(&format!("s{name}")))),
            Call::Lookup { place } => self.lookup(number, place)?,
        }
        if self.processes[number].fs.settle() {
            self.processes[number] = process(&self.fs, self.rules, number);
            let unreadable = self.unreadable.clone();
            self.processes[number].fs.set_unreadable(unreadable);
        }
        Ok(())
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
        let query = query.window(Window::last(1));
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

    fn check_all(&self) -> Result<(), TestCaseError> {
        for number in [0, 1, 0] {
            for place in 0..Places::COUNT {
                self.lookup(number, place)?;
            }
        }
        Ok(())
    }
}

fn check(
    places: &Arc<Places>,
    rules: Rules,
    clock: Clock,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let mut world = World::new(Arc::clone(places), rules, clock);
    for step in steps {
        world.run(step)?;
    }
    world.check_all()
}

/// Runs histories, always the same ones, until one fails.
fn histories(cases: u32, rules: Rules, clock: Clock) -> Result<(), TestError<Vec<Step>>> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: if rules == Rules::default() { 20_000 } else { 0 },
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    TestRunner::new_with_rng(config, rng)
        .run(&steps(), |steps| check(&places, rules, clock, &steps))
}

/// How many histories each clock is tried with: a few seconds, or as many as are asked for.
fn cases() -> u32 {
    let asked = std::env::var("SESSION_PROOF_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

#[test]
fn lookups_equal_reading_everything_whatever_happens_in_between() {
    for clock in [Clock::Fine, Clock::Coarse] {
        if let Err(error) = histories(cases(), Rules::default(), clock) {
            panic!("{clock:?}: {error}");
        }
    }
}

#[test]
fn every_rule_of_the_proof_is_needed() {
    let rules = [
        (Rule::ChangeTime, Clock::Fine),
        (Rule::SameEpoch, Clock::Fine),
        (Rule::FreshEpoch, Clock::Fine),
        (Rule::FirstStat, Clock::Fine),
        (Rule::SecondStat, Clock::Fine),
        (Rule::PointersFirst, Clock::Fine),
        (Rule::PointersWritten, Clock::Fine),
        (Rule::DamagedIsUnknown, Clock::Fine),
        (Rule::Unchanged, Clock::Fine),
        (Rule::Settled, Clock::Coarse),
        (Rule::KnownBefore, Clock::Fine),
        (Rule::Wins, Clock::Fine),
        (Rule::PointedVerifies, Clock::Fine),
        (Rule::Fallen, Clock::Fine),
        (Rule::Raised, Clock::Fine),
        (Rule::Resolved, Clock::Fine),
        (Rule::HintVerifies, Clock::Fine),
        (Rule::EveryKey, Clock::Fine),
        (Rule::Unreadable, Clock::Fine),
        (Rule::Restored, Clock::Fine),
        (Rule::Locked, Clock::Fine),
    ];
    let mut missed = Vec::new();
    for (rule, clock) in rules {
        let started = std::time::Instant::now();
        match histories(60_000, Rules::default().without(rule), clock) {
            Err(TestError::Fail(why, steps)) => println!(
                "without {rule:?}: {why} {} {:?}",
                steps.len(),
                started.elapsed()
            ),
            other => missed.push((rule, other)),
        }
    }
    assert!(
        missed.is_empty(),
        "nothing shows that these are needed: {missed:?}"
    );
}

/// The calls of a lookup that the index answers, less those that load the session.
fn calls_of_a_proven_lookup(sessions: usize) -> Vec<&'static str> {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    for number in 0..sessions {
        let mut one = places.session(0, 2, 3);
        one.id = id(&format!("other{number}"));
        put(
            &world.fs,
            &format!("{}.json", one.id),
            &serde_json::to_vec(&one).unwrap(),
            None,
        );
    }
    let Process { store, fs } = &world.processes[0];
    store.save(&places.session(0, 0, 5)).unwrap();
    let asked = places.get(0);
    let window = Window::last(1);
    store
        .last_for_directory_tail(asked, window)
        .unwrap()
        .unwrap();
    fs.take_calls();
    store.load_tail(&id("s0"), window).unwrap();
    let loading = fs.take_calls().len();
    store
        .last_for_directory_tail(asked, window)
        .unwrap()
        .unwrap();
    let mut calls = fs.take_calls();
    calls.truncate(calls.len() - loading);
    calls
}

#[test]
fn a_proven_lookup_makes_the_same_few_calls_however_many_sessions_there_are() {
    // The pointer, the state, the directory, and the header of the session itself. On a real system an open file costs four
    // calls, a stat one, and the directory asked for three: seventeen.
    let calls = ["open", "open", "stat", "open"];
    for sessions in [0, 100, 1_000] {
        assert_eq!(
            calls_of_a_proven_lookup(sessions),
            calls,
            "{sessions} sessions"
        );
    }
}

/// The calls of a save that the index causes, beside the same save without one.
#[test]
fn a_save_of_the_session_pointed_to_writes_one_file_of_the_index() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    let Process { store, fs } = &world.processes[0];
    for place in [0, 2, 0] {
        store.overwrite(&places.session(0, place, 1)).unwrap();
        store.last_for_directory(places.get(place)).unwrap();
    }
    store.last().unwrap();
    fs.take_calls();
    store.overwrite(&places.session(0, 0, 2)).unwrap();
    let calls = fs.take_calls();
    let count = |call: &str| calls.iter().filter(|called| **called == call).count();
    // Two pointers and the state are read, and the state is written.
    assert_eq!((count("overwrite"), count("list")), (1, 0), "{calls:?}");
    assert_eq!(count("open"), 3, "{calls:?}");
}

#[test]
fn a_file_system_that_others_change_proves_nothing() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Fine);
    world.fs.make_remote();
    let store = &world.processes[0].store;
    store.save(&places.session(0, 0, 5)).unwrap();
    let query = LastQuery::new().workspace(places.get(0).unwrap());
    for _ in 0..3 {
        let found = store.find_last(&query).unwrap();
        assert_eq!(found.files_listed, 1);
        assert_eq!(found.session.unwrap().id, "s0");
    }
}

#[test]
fn another_start_of_the_system_proves_nothing_of_the_one_before() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    for (rules, stale) in [
        (Rules::default(), false),
        (Rules::default().without(Rule::Boot), true),
    ] {
        let world = World::new(Arc::clone(&places), rules, Clock::Fine);
        let store = &world.processes[0].store;
        store.save(&places.session(0, 0, 3)).unwrap();
        let query = LastQuery::new().workspace(places.get(0).unwrap());
        store.find_last(&query).unwrap();
        assert_eq!(store.find_last(&query).unwrap().files_listed, 0);
        // The clock begins again where it was, and a foreign program's change falls on the very same time.
        let before = world.fs.stat("").unwrap().unwrap().blob;
        world.fs.reboot();
        act(
            &world.fs,
            &places,
            &Foreign::Put {
                name: 1,
                place: 0,
                updated: 4,
                modified: Some(4),
            },
        );
        world.fs.set_clock(before.changed);
        world.fs.set_modified("", before.modified);
        let again = process(&world.fs, rules, 0);
        let found = again.store.find_last(&query).unwrap().session.unwrap();
        assert_eq!(found.id == "s0", stale);
    }
}

#[test]
fn a_coarse_clock_is_found_out_and_waited_for() {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let world = World::new(Arc::clone(&places), Rules::default(), Clock::Coarse);
    let store = &world.processes[0].store;
    store.save(&places.session(0, 0, 5)).unwrap();
    let query = LastQuery::new().workspace(places.get(0).unwrap());
    let listed = || store.find_last(&query).unwrap().files_listed;
    assert_eq!(
        [listed(), listed()],
        [1, 1],
        "the stamp may be that of a later change"
    );
    world.fs.set_clock(world.fs.now() + 2_000_000_000);
    listed();
    world.fs.set_clock(world.fs.now() + 3_000_000_000);
    listed();
    assert_eq!(listed(), 0, "the stamp is old enough to be trusted");
}
