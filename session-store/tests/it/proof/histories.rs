//! Random histories with all rules, and with each rule broken.

use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use session_index::{Rule, Rules};

use super::memory::{Clock, World};
use super::step::{Call, Foreign, Meanwhile, Places, Step, steps};
use crate::support::Scratch;

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
    if std::env::var_os("SESSION_STORE_LONG_TESTS").is_none() {
        println!("skipped: set SESSION_STORE_LONG_TESTS=1 to break every rule of the proof once");
        return;
    }
    let rules = [
        (Rule::ChangeTime, Clock::Fine),
        (Rule::SameEpoch, Clock::Fine),
        (Rule::FreshEpoch, Clock::Fine),
        (Rule::FirstStat, Clock::Fine),
        (Rule::PointersFirst, Clock::Fine),
        (Rule::PointersWritten, Clock::Fine),
        (Rule::DamagedIsUnknown, Clock::Fine),
        (Rule::Unchanged, Clock::Fine),
        (Rule::Settled, Clock::Coarse),
        (Rule::KnownBefore, Clock::Fine),
        (Rule::Wins, Clock::Fine),
        (Rule::PointedVerifies, Clock::Fine),
        (Rule::Fallen, Clock::Fine),
        (Rule::Resolved, Clock::Fine),
        (Rule::HintVerifies, Clock::Fine),
        (Rule::Unreadable, Clock::Fine),
        (Rule::Restored, Clock::Fine),
        (Rule::Locked, Clock::Fine),
    ];
    let mut missed = Vec::new();
    for (rule, clock) in rules {
        match histories(60_000, Rules::default().without(rule), clock) {
            Err(TestError::Fail(why, _)) => println!("without {rule:?}: {why}"),
            other => missed.push((rule, other)),
        }
    }
    assert!(
        missed.is_empty(),
        "nothing shows that these are needed: {missed:?}"
    );
}

fn save(name: usize, updated: u64, meanwhile: Option<(u64, Meanwhile)>) -> Step {
    let call = Call::Save {
        name,
        place: 0,
        updated,
    };
    Step::Own {
        store: 0,
        call,
        meanwhile,
    }
}

fn lookup(place: usize) -> Step {
    let (store, call) = (0, Call::Lookup { place });
    Step::Own {
        store,
        call,
        meanwhile: None,
    }
}

/// How many of some histories go wrong with all rules, and without one.
fn wrong(rule: Rule, histories: &[Vec<Step>]) -> (usize, usize) {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    let wrong = |rules| {
        let failed = |steps: &&Vec<Step>| check(&places, rules, Clock::Fine, steps).is_err();
        histories.iter().filter(failed).count()
    };
    (
        wrong(Rules::default()),
        wrong(Rules::default().without(rule)),
    )
}

#[test]
fn a_foreign_rename_at_any_moment_of_a_save_is_noticed() {
    let foreign = |at| {
        let put = Foreign::Put {
            name: 1,
            place: 0,
            updated: 4,
            modified: None,
        };
        let meanwhile = Some((at, Meanwhile::Foreign(put)));
        vec![save(0, 1, None), lookup(0), save(0, 2, meanwhile)]
    };
    let histories: Vec<_> = (0..40).map(foreign).collect();
    let (with, without) = wrong(Rule::SecondStat, &histories);
    assert!(with == 0 && without > 0, "{with} and {without} are wrong");
}

#[test]
fn a_session_that_rose_and_fell_again_does_not_hide_what_was_saved_meanwhile() {
    let histories = [vec![
        save(3, 0, None),
        lookup(0),
        save(3, 2, None),
        save(0, 1, None),
        save(3, 0, None),
    ]];
    assert_eq!(wrong(Rule::Raised, &histories), (0, 1));
}

#[test]
fn one_proven_name_of_a_directory_is_not_enough() {
    let damaged = |which| {
        let mut steps = vec![save(0, 1, None), lookup(1), save(1, 2, None)];
        steps.push(Step::Damage { which, kind: 0 });
        steps.push(lookup(1));
        steps
    };
    let histories: Vec<_> = (0..8).map(damaged).collect();
    let (with, without) = wrong(Rule::EveryKey, &histories);
    assert!(with == 0 && without > 0, "{with} and {without} are wrong");
}
