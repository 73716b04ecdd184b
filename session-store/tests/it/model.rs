//! The protocol of locks and index, modelled: the store's own code, as processes whose every call of the file system is a
//! moment at which another may go on, under a scheduler that tries many orders.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_index::{Rule, Rules};
use session_store::backend::{Backend, LockName};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

mod disk;
mod world;

use disk::Flaw;
use world::{Do, Setting, World};

/// Processes, and what each does.
type Scripts = &'static [&'static [Do]];

const HERE: Do = Do::Look(Some("here"));
const ALL: Do = Do::Look(None);

/// Two save different sessions of one directory, which a third looks for.
const SAVES: Scripts = &[
    &[Do::Save("h1", 4), Do::Save("h1", 4)],
    &[Do::Save("h2", 4), Do::Save("t1", 9)],
    &[HERE, ALL, HERE],
];
/// Two save one session.
const ONE: Scripts = &[
    &[Do::Save("h1", 2), Do::Save("h1", 2)],
    &[Do::Save("h1", 3), HERE, Do::Save("h1", 3)],
    &[HERE, Do::Save("h3", 1), HERE],
];
/// Two add to one session, and a third folds and saves it.
const TURNS: Scripts = &[
    &[Do::Say("h1"), Do::Say("h1")],
    &[Do::Say("h1"), Do::Say("h1")],
    &[Do::Fold("h1"), Do::Say("h1")],
];
/// One appends to the session pointed to and to another, while others save and look.
const APPENDS: Scripts = &[
    &[Do::Write("h2", 10, 30), Do::Append("h1", 50)],
    &[Do::Save("h3", 20), Do::Save("h3", 20)],
    &[Do::Foreign("t9", 1), HERE, ALL, HERE],
];
/// One appends to the session pointed to, while another has to walk and finds a foreign one.
const WALKS: Scripts = &[
    &[Do::Write("h2", 10, 30)],
    &[Do::Foreign("h9", 20), HERE, HERE],
    &[HERE, ALL],
];
/// One deletes the newest.
const DELETES: Scripts = &[
    &[Do::Delete("h2"), HERE],
    &[Do::Save("h1", 1), HERE],
    &[HERE, ALL, Do::Save("t1", 1)],
];
/// A program without locks puts newer sessions there.
const FOREIGN: Scripts = &[
    &[Do::Save("h1", 3), Do::Save("h1", 3)],
    &[Do::Foreign("h8", 5), Do::Foreign("t8", 7)],
    &[HERE, ALL, HERE],
];

const SCENARIOS: [(&str, Scripts); 7] = [
    ("saves", SAVES),
    ("one", ONE),
    ("turns", TURNS),
    ("appends", APPENDS),
    ("walks", WALKS),
    ("deletes", DELETES),
    ("foreign", FOREIGN),
];

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.failure_persistence = FailurePersistence::None;
    config
}

/// Runs processes in many orders, until something is wrong.
fn explore(setting: Setting, scripts: Scripts, scheduler: impl Scheduler + 'static) -> Vec<String> {
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&wrong);
    Runner::new(scheduler, config()).run(move || {
        if !found.lock().unwrap().is_empty() {
            return;
        }
        let world = World::new(setting, scripts);
        let processes: Vec<_> = (scripts.iter().enumerate())
            .map(|(number, script)| {
                let world = world.clone();
                shuttle::thread::spawn(move || world.run(number + 1, script))
            })
            .collect();
        for process in processes {
            process.join().unwrap();
        }
        found.lock().unwrap().extend(world.settle());
    });
    std::mem::take(&mut *wrong.lock().unwrap())
}

/// How many orders are tried, by each scheduler: a second or two in all, or as many as are asked for.
fn orders() -> usize {
    let asked = std::env::var("SESSION_MODEL_ORDERS").ok();
    asked.and_then(|orders| orders.parse().ok()).unwrap_or(60)
}

fn explore_all(setting: Setting, orders: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, scripts) in SCENARIOS {
        let random = RandomScheduler::new_from_seed(7, orders);
        let rare = PctScheduler::new_from_seed(7, 4, orders);
        let found = explore(setting, scripts, random);
        let found = found.into_iter().chain(explore(setting, scripts, rare));
        wrong.extend(found.map(|found| format!("{name}: {found}")));
    }
    wrong
}

#[test]
fn in_every_order_lookups_are_fresh_and_nothing_is_lost() {
    assert_eq!(explore_all(Setting::default(), orders()), [""; 0]);
}

#[test]
fn who_does_not_wait_for_a_lock_is_told_so_and_has_changed_nothing() {
    let setting = Setting {
        is_patient: false,
        ..Setting::default()
    };
    assert_eq!(explore_all(setting, orders()), [""; 0]);
}

/// Whether some order shows that something is wrong with a broken protocol: a few orders of each kind first, as what one
/// scheduler comes to late another often comes to at once.
fn is_caught(setting: Setting, scripts: Scripts) -> bool {
    let begun = std::time::Instant::now();
    for (round, orders) in (7..).zip([60, 300, 1_500, 4_000]) {
        let any = || {
            explore(
                setting,
                scripts,
                RandomScheduler::new_from_seed(round, 5 * orders),
            )
        };
        let rare = |depth| {
            let scheduler = PctScheduler::new_from_seed(round, depth, orders);
            explore(setting, scripts, scheduler)
        };
        let tries: [&dyn Fn() -> Vec<String>; 3] = [&any, &|| rare(2), &|| rare(4)];
        for found in tries.iter().map(|explore| explore()) {
            if !found.is_empty() {
                println!("{setting:?}, {orders}, {:?}: {found:?}", begun.elapsed());
                return true;
            }
        }
    }
    false
}

#[test]
fn every_broken_lock_shows() {
    for (flaw, scripts) in [
        (Flaw::IndexUnheld, SAVES),
        (Flaw::TakenOver, TURNS),
        (Flaw::FreedByLoser, TURNS),
    ] {
        let setting = Setting {
            flaw,
            is_patient: flaw != Flaw::FreedByLoser,
            ..Setting::default()
        };
        assert!(is_caught(setting, scripts), "{flaw:?}");
    }
}

#[test]
fn every_omitted_or_swapped_step_shows() {
    let mut missed = Vec::new();
    for (rule, scripts) in [
        (Rule::PointersFirst, SAVES),
        (Rule::StateFirst, SAVES),
        (Rule::SecondStat, FOREIGN),
        (Rule::FirstStat, FOREIGN),
        (Rule::Unchanged, FOREIGN),
        (Rule::TurnAfter, WALKS),
        (Rule::Reread, WALKS),
        (Rule::Disturbed, APPENDS),
    ] {
        let setting = Setting {
            rules: Rules::default().without(rule),
            // What is done without a lock is done when it was not waited for.
            is_patient: !matches!(rule, Rule::Disturbed | Rule::StateFirst),
            ..Setting::default()
        };
        if !is_caught(setting, scripts) {
            missed.push(rule);
        }
    }
    assert!(
        missed.is_empty(),
        "nothing shows that these are needed: {missed:?}"
    );
}

/// Takes two locks, and has one of two processes take them in the other order.
fn take_both(swapped: bool) {
    let world = World::new(Setting::default(), &[]);
    let processes: Vec<_> = (1..3)
        .map(|number| {
            let backend = world.backend(number);
            shuttle::thread::spawn(move || {
                let mut names = [LockName::Session("h1"), LockName::Index];
                if swapped && number == 2 {
                    names.reverse();
                }
                let _locks = names.map(|name| backend.lock(name, Duration::ZERO).unwrap());
            })
        })
        .collect();
    for process in processes {
        process.join().unwrap();
    }
}

#[test]
fn locks_in_their_order_end_and_in_another_do_not() {
    let run = |swapped| {
        let scheduler = RandomScheduler::new_from_seed(7, 200);
        let run = || Runner::new(scheduler, config()).run(move || take_both(swapped));
        catch_unwind(AssertUnwindSafe(run)).is_ok()
    };
    assert!(run(false));
    assert!(!run(true), "the model does not see a deadlock");
}
