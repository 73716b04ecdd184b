//! Medians, spreads, exponents.

use std::time::Duration;

use session_benchmarks::stats::{Summary, exponent, quantile};

#[test]
fn the_median_is_the_middle_and_the_spread_the_distance_of_the_quartiles() {
    let samples = [10, 40, 20, 30, 1_000].map(Duration::from_nanos);
    let summary = Summary::of(&samples).unwrap();
    assert!((summary.median - 30.0).abs() < 1e-6);
    assert!((summary.spread - 20.0 / 30.0).abs() < 1e-6);
    assert_eq!(summary.samples, 5);
    assert_eq!(Summary::of(&[]), None);
}

#[test]
fn quantiles_lie_between_neighbours() {
    let check = |share: f64, expected: f64| {
        assert!(
            (quantile(&[1.0, 2.0, 4.0], share).unwrap() - expected).abs() < 1e-9,
            "at {share}"
        );
    };
    check(0.0, 1.0);
    check(0.5, 2.0);
    check(0.75, 3.0);
    check(1.0, 4.0);
}

#[test]
fn the_exponent_of_a_power_law_is_found() {
    let law = |power: f64| {
        let points: Vec<_> = [1e3_f64, 1e4, 1e6, 1e9]
            .iter()
            .map(|x| (*x, 5.0 * x.powf(power)))
            .collect();
        exponent(&points).unwrap()
    };
    for power in [0.0, 0.5, 1.0, 2.0] {
        assert!((law(power) - power).abs() < 1e-9, "power {power}");
    }
    assert_eq!(exponent(&[(1.0, 1.0)]), None);
    assert_eq!(exponent(&[(1.0, 1.0), (1.0, 2.0)]), None);
    assert_eq!(exponent(&[(0.0, 1.0), (1.0, 2.0)]), None);
}
