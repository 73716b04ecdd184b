//! Random histories with all rules, and with each rule broken.

use std::sync::Arc;

use proptest::strategy::{Strategy as _, ValueTree as _};
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
fn histories(cases: u32, clock: Clock) -> Result<(), TestError<Vec<Step>>> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        check(&places, Rules::default(), clock, &steps)
    })
}

/// How many histories each clock is tried with: a few seconds, or as many as are asked for.
fn cases() -> u32 {
    let asked = std::env::var("SESSION_PROOF_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

#[test]
fn lookups_equal_reading_everything_whatever_happens_in_between() {
    for clock in [Clock::Fine, Clock::Coarse] {
        if let Err(error) = histories(cases(), clock) {
            panic!("{clock:?}: {error}");
        }
    }
}

/// How many histories are tried in search of one that goes wrong.
const SEARCHED: u64 = 60_000;

/// The history of a number, always the same one.
fn history(number: u64) -> Vec<Step> {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).expect("steps").current()
}

/// The first history from a number on that goes wrong, and how.
fn first_wrong(from: u64, rules: Rules, clock: Clock) -> Option<(u64, TestCaseError)> {
    let scratch = Scratch::new();
    let places = Arc::new(Places::new(&scratch));
    (from..SEARCHED).find_map(|number| {
        let wrong = check(&places, rules, clock, &history(number));
        Some((number, wrong.err()?))
    })
}

/// Every rule that histories show to be needed, with the number of the first that goes wrong without it, which only makes this
/// quick: from there on the next one is looked for.
#[test]
fn every_rule_of_the_proof_is_needed() {
    let rules = [
        (Rule::ChangeTime, Clock::Fine, 24),
        (Rule::SameEpoch, Clock::Fine, 0),
        (Rule::FreshEpoch, Clock::Fine, 383),
        (Rule::FirstStat, Clock::Fine, 39),
        (Rule::PointersFirst, Clock::Fine, 6_584),
        (Rule::PointersWritten, Clock::Fine, 6_584),
        (Rule::DamagedIsUnknown, Clock::Fine, 17),
        (Rule::Unchanged, Clock::Fine, 440),
        (Rule::Settled, Clock::Coarse, 9),
        (Rule::KnownBefore, Clock::Fine, 259),
        (Rule::Wins, Clock::Fine, 193),
        (Rule::PointedVerifies, Clock::Fine, 374),
        (Rule::Fallen, Clock::Fine, 924),
        (Rule::Resolved, Clock::Fine, 62),
        (Rule::HintVerifies, Clock::Fine, 2),
        (Rule::Unreadable, Clock::Fine, 283),
    ];
    for (rule, clock, from) in rules {
        let wrong = first_wrong(from, Rules::default().without(rule), clock);
        let (number, why) =
            wrong.unwrap_or_else(|| panic!("nothing shows that {rule:?} is needed"));
        println!("without {rule:?}, history {number}: {why}");
    }
}

fn own(call: Call, meanwhile: Option<(u64, Meanwhile)>) -> Step {
    Step::Own {
        store: 0,
        call,
        meanwhile,
    }
}

fn save(name: usize, updated: u64, meanwhile: Option<(u64, Meanwhile)>) -> Step {
    let call = Call::Save {
        name,
        place: 0,
        updated,
    };
    own(call, meanwhile)
}

fn lookup(place: usize) -> Step {
    own(Call::Lookup { place }, None)
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

#[test]
fn what_was_brought_back_is_recorded_like_what_was_saved() {
    let histories = [vec![
        save(3, 0, None),
        own(Call::Trash { name: 3 }, None),
        lookup(0),
        own(Call::Restore { name: 3 }, None),
    ]];
    assert_eq!(wrong(Rule::Restored, &histories), (0, 1));
}

#[test]
fn two_saves_at_once_do_not_record_each_other_away() {
    let other = |at| {
        let other = Meanwhile::Save {
            name: 0,
            place: 2,
            updated: 0,
        };
        vec![save(0, 0, None), lookup(2), save(1, 0, Some((at, other)))]
    };
    let histories: Vec<_> = (0..40).map(other).collect();
    let (with, without) = wrong(Rule::Locked, &histories);
    assert!(with == 0 && without > 0, "{with} and {without} are wrong");
}

#[test]
fn an_append_that_dies_before_it_tells_the_index_leaves_no_proof_against_itself() {
    let append = |at| {
        let call = Call::Append {
            name: 0,
            updated: 5,
        };
        let append = own(call, Some((at, Meanwhile::Crash)));
        vec![save(0, 1, None), save(1, 2, None), lookup(0), append]
    };
    let histories: Vec<_> = (0..60).map(append).collect();
    let (with, without) = wrong(Rule::Forgotten, &histories);
    assert!(with == 0 && without > 0, "{with} and {without} are wrong");
}
