//! Random histories with all rules, and with each rule broken.

use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use session_index::{Rule, Rules};

use super::memory::{Clock, World};
use super::step::{Places, Step, steps};
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
