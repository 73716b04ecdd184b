//! Cost against size.

use session_benchmarks::growth;
use session_benchmarks::row::Row;

#[test]
fn a_family_gets_an_exponent_for_each_contender_that_was_at_three_sizes() {
    let member = |size: f64, ours: u64, rival: Option<u64>| {
        let mut row = Row::unmeasured("load/x", "realistic", "measured".to_owned());
        row.family = Some("load".to_owned());
        row.size = Some(size);
        row.ours_ns = Some(ours);
        row.rivals
            .extend(rival.map(|time| ("rival".to_owned(), time)));
        row
    };
    let rows = [
        member(1.0, 10, Some(1)),
        member(10.0, 100, Some(1)),
        member(100.0, 1_000, None),
    ];
    let fitted = growth::rows(&rows);
    assert_eq!(fitted.len(), 1);
    assert_eq!(fitted[0].name, "growth/load");
    assert!((fitted[0].exponents["ours"] - 1.0).abs() < 1e-9);
    assert!(!fitted[0].exponents.contains_key("rival"));
    assert!(growth::rows(&rows[..2]).is_empty());
}
