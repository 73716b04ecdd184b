//! The order of runs, and that a wrong answer has no time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use session_benchmarks::answer::{Answer, WrongAnswer};
use session_benchmarks::case::{Bench, Case, Field, Scale, Setup};
use session_benchmarks::data::Data;
use session_benchmarks::method::{Contender, Effort, Role, measure};
use session_benchmarks::progress::Progress;
use session_benchmarks::suite::{self, Count, Options};

const EFFORT: Effort = Effort {
    budget: Duration::ZERO,
    least: 3,
    most: 3,
};

fn says(name: &'static str, role: Role, value: u64) -> Contender {
    Contender::new(
        name,
        role,
        move || Ok(value),
        |value| Ok(Answer::new().fact("count", value)),
    )
}

fn wrong_in(contenders: &mut [Contender]) -> WrongAnswer {
    let error =
        measure("case", contenders, EFFORT).expect_err("a wrong contender must fail the case");
    error
        .downcast::<WrongAnswer>()
        .expect("the error that names the contender")
}

#[test]
fn contenders_that_agree_are_timed() {
    let mut contenders = [
        says("ours", Role::Ours, 7),
        says("reference", Role::Reference, 7),
        says("b", Role::Rival, 7),
    ];
    let timings = measure("case", &mut contenders, EFFORT).unwrap();
    let names: Vec<_> = timings
        .iter()
        .map(|timing| (timing.name, timing.time.samples))
        .collect();
    assert_eq!(names, [("ours", 3), ("reference", 3), ("b", 3)]);
}

#[test]
fn a_wrong_contender_fails_the_case_by_name() {
    for role in [Role::Ours, Role::Rival, Role::Floor] {
        let mut contenders = [
            says("right", Role::Rival, 7),
            says("reference", Role::Reference, 7),
            says("wrong", role, 8),
        ];
        let wrong = wrong_in(&mut contenders);
        assert_eq!(
            (wrong.contender.as_str(), wrong.judge.as_str(), wrong.fact),
            ("wrong", "reference", "count")
        );
        assert_eq!(
            wrong.to_string(),
            "compare answers of case: wrong has count = 8, reference has 7"
        );
    }
}

#[test]
fn a_contender_that_says_nothing_comparable_is_wrong() {
    let silent = Contender::new(
        "silent",
        Role::Rival,
        || Ok(()),
        |()| Ok(Answer::new().fact("other", 7)),
    );
    let wrong = wrong_in(&mut [says("ours", Role::Ours, 7), silent]);
    assert_eq!(
        (wrong.contender.as_str(), wrong.fact),
        ("silent", "common facts")
    );
}

#[test]
fn a_contender_that_becomes_wrong_later_is_caught_by_the_last_round() {
    let mut runs = 0;
    let work = move || {
        runs += 1;
        Ok(if runs < 4 { 7 } else { 8 })
    };
    let late = Contender::new("late", Role::Rival, work, |value| {
        Ok(Answer::new().fact("count", value))
    });
    assert_eq!(
        wrong_in(&mut [says("ours", Role::Ours, 7), late]).contender,
        "late"
    );
}

#[test]
fn a_wrong_contender_makes_the_whole_run_fail() {
    let scratch = tempfile::tempdir().unwrap();
    let bench = Bench {
        data: Data::under(scratch.path()),
        field: Field::All,
    };
    let options = Options {
        scale: Scale::Quick,
        count: Count::Nothing,
        target: scratch.path().to_owned(),
    };
    let case = |theirs: u64| {
        Case::built("tail/plain/200/1MB", "realistic", move |_| {
            Ok(Setup::of(vec![
                says("ours", Role::Ours, 7),
                says("reference", Role::Reference, theirs),
            ]))
        })
    };
    let run = |theirs| suite::run(&bench, &[case(theirs)], &options, &Progress::hidden());
    assert!(run(7).unwrap()[0].is_measured());
    let error = run(8).expect_err("the run must fail");
    assert!(error.downcast_ref::<WrongAnswer>().is_some(), "{error:#}");
    assert!(
        error.to_string().contains("tail/plain/200/1MB"),
        "{error:#}"
    );
}

#[test]
fn contenders_take_turns() {
    let order = Rc::new(RefCell::new(String::new()));
    let contender = |name: &'static str| {
        let order = Rc::clone(&order);
        let work = move || {
            order.borrow_mut().push_str(name);
            Ok(0)
        };
        Contender::new(name, Role::Rival, work, |value| {
            Ok(Answer::new().fact("count", value))
        })
    };
    measure(
        "case",
        &mut [contender("A"), contender("B"), contender("C")],
        EFFORT,
    )
    .unwrap();
    assert_eq!(*order.borrow(), "ABC".repeat(5));
}

#[test]
fn allocations_and_their_peak_are_counted() {
    let work = || Ok(vec![1_u8; 100_000].len() + vec![2_u8; 50_000].len());
    let mut contenders = [Contender::new("ours", Role::Ours, work, |n| {
        Ok(Answer::new().fact("bytes", n))
    })];
    let timings = measure("case", &mut contenders, EFFORT).unwrap();
    // Other tests of this process may allocate meanwhile, so these are lower bounds.
    assert!(timings[0].allocated.calls >= 2);
    assert!(
        timings[0].allocated.peak >= 90_000,
        "{:?}",
        timings[0].allocated
    );
}
