//! The order is exact, the stop is early, and seeds are believed only while they hold.

use proptest::prelude::*;
use session_scan::testing::Counting;
use session_scan::{Entry, Newest};

use crate::store::{
    Hit, Records, Says, Store, corpus, entries, hits, naive, naive_unreadable, name, walked,
};

/// Every store of up to three files with small times: enough for each rule to matter somewhere.
fn small_stores() -> Vec<Store> {
    let mut files = Vec::new();
    for modified in 0..3 {
        files.push((modified, Says::Miss));
        files.extend((0..4).map(|updated| (modified, Says::Hit(updated))));
    }
    let mut stores = vec![Vec::new()];
    let mut longest = stores.clone();
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|store: &Store| {
                files
                    .iter()
                    .map(|file| store.iter().copied().chain([*file]).collect())
            })
            .collect();
        stores.extend(longest.iter().cloned());
    }
    stores
}

/// The promise: a walk gives what looking at everything and sorting gives. Returns a store that breaks it.
fn counterexample(walk: impl Fn(&Store) -> Vec<String>) -> Option<Store> {
    small_stores()
        .into_iter()
        .find(|store| walk(store) != naive(store))
}

#[derive(Clone, Copy, PartialEq)]
enum Mutant {
    None,
    StopAtEqual,
    NeverWait,
    OrderByMtime,
}

/// A walk in a few lines, with a fault.
fn mutant(store: &Store, mutant: Mutant) -> Vec<String> {
    let mut candidates: Vec<(i128, usize)> = store
        .iter()
        .enumerate()
        .map(|(index, file)| (file.0, index))
        .collect();
    candidates.sort_unstable();
    let mut pending: Vec<(i128, i128, String)> = Vec::new();
    let mut order = Vec::new();
    loop {
        pending.sort();
        let certain = match (pending.last(), candidates.last()) {
            (Some(best), Some((modified, _))) => match mutant {
                Mutant::None | Mutant::OrderByMtime => best.0 > *modified,
                Mutant::StopAtEqual => best.0 >= *modified,
                Mutant::NeverWait => true,
            },
            (Some(_), None) => true,
            (None, _) => false,
        };
        if certain {
            order.extend(pending.pop().map(|best| best.2));
            continue;
        }
        let Some((modified, index)) = candidates.pop() else {
            return order;
        };
        if let Says::Hit(updated) = store[index].1 {
            let at = if mutant == Mutant::OrderByMtime {
                modified
            } else {
                modified.min(updated)
            };
            pending.push((
                at,
                if mutant == Mutant::OrderByMtime {
                    0
                } else {
                    updated
                },
                name(index),
            ));
        }
    }
}

#[test]
fn order_equals_looking_at_everything_on_every_small_store() {
    for threads in [1, 2] {
        assert_eq!(
            counterexample(|store| walked(store, threads)),
            None,
            "{threads} threads"
        );
    }
}

#[test]
fn mutants_of_the_stop_rule_and_the_order_are_caught() {
    assert_eq!(counterexample(|store| mutant(store, Mutant::None)), None);
    for fault in [Mutant::StopAtEqual, Mutant::NeverWait, Mutant::OrderByMtime] {
        assert!(counterexample(|store| mutant(store, fault)).is_some());
    }
}

fn any_store() -> impl Strategy<Value = Store> {
    let says = prop_oneof![
        4 => (0..14_i128).prop_map(Says::Hit),
        4 => Just(Says::Miss),
        1 => Just(Says::Garbage),
        1 => Just(Says::Gone),
        1 => Just(Says::Denied),
    ];
    prop::collection::vec((0..12_i128, says), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn hits_reports_and_looks_are_exact_for_any_store_and_threads(
        store in any_store(),
        threads in 0..5_usize,
        seeded in prop::collection::vec(any::<bool>(), 60),
    ) {
        let corpus = corpus(&store);
        let listed = entries(&corpus);
        let mut newest = Newest::new(&corpus, listed.clone(), &Records).threads(threads);
        let expected = hits(&store);
        let mut unseeded = store.clone();
        for (index, (modified, says)) in store.iter().enumerate() {
            let hit = match says {
                Says::Hit(updated) => Some(Hit(((*modified).min(*updated), *updated, name(index)))),
                Says::Miss => None,
                _ => continue,
            };
            if seeded[index] {
                let entry = listed.iter().find(|entry| entry.name == name(index));
                newest = newest.seed(entry.expect("listed").clone(), hit);
                unseeded[index] = (i128::MIN, Says::Miss);
            }
        }
        for rank in &expected {
            let (entry, hit) = newest.next_hit().expect("as many hits as the oracle has");
            prop_assert_eq!(&entry.name, &rank.2);
            prop_assert_eq!(&hit.0, rank);
            let reported: Vec<String> =
                newest.unreadable().iter().map(|report| report.entry.name.clone()).collect();
            prop_assert_eq!(reported, naive_unreadable(&store, Some(rank.0)));
            let needed = unseeded.iter().filter(|file| file.0 >= rank.0).count();
            if threads < 2 {
                prop_assert_eq!(newest.probed(), needed);
            } else {
                prop_assert!(newest.probed() >= needed);
            }
        }
        prop_assert!(newest.next_hit().is_none());
        prop_assert!(newest.next_hit().is_none(), "stays at the end");
        prop_assert_eq!(newest.unprobed(), 0);
        let reported: Vec<String> =
            newest.take_unreadable().into_iter().map(|report| report.entry.name).collect();
        prop_assert_eq!(reported, naive_unreadable(&store, None));
        prop_assert!(newest.unreadable().is_empty());
    }
}

/// Stores in which hits are rare, so that walks go far.
fn long_store() -> impl Strategy<Value = Store> {
    let says = prop_oneof![
        1 => (0..900_i128).prop_map(Says::Hit),
        300 => Just(Says::Miss),
        2 => Just(Says::Garbage),
        1 => Just(Says::Gone),
        1 => Just(Says::Denied),
    ];
    prop::collection::vec((0..900_i128, says), 0..900)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn far_walks_are_exact_and_look_at_four_times_the_needed_files_at_most(store in long_store()) {
        let corpus = corpus(&store);
        let mut newest = Newest::new(&corpus, entries(&corpus), &Records);
        for rank in hits(&store) {
            let (_, hit) = newest.next_hit().expect("as many hits as the oracle has");
            prop_assert_eq!(&hit.0, &rank);
            let reported: Vec<String> =
                newest.unreadable().iter().map(|report| report.entry.name.clone()).collect();
            prop_assert_eq!(reported, naive_unreadable(&store, Some(rank.0)));
            let needed = store.iter().filter(|file| file.0 >= rank.0).count();
            prop_assert!(newest.probed() >= needed);
            prop_assert!(newest.probed() <= 4 * needed.max(64), "{} of {needed}", newest.probed());
        }
        prop_assert!(newest.next_hit().is_none());
        prop_assert_eq!((newest.probed(), newest.unprobed()), (store.len(), 0));
    }
}

#[test]
fn only_files_that_could_be_newer_are_opened() {
    // Ten thousand files, one a second, all wanted and updated half a second before their mtime.
    let store: Store = (0..10_000)
        .map(|at| (at * 10, Says::Hit(at * 10 - 5)))
        .collect();
    let corpus = Counting::new(corpus(&store));
    let listed = entries(&corpus);
    let mut newest = Newest::new(&corpus, listed, &Records);
    assert_eq!(
        corpus.opens(),
        0,
        "nothing is looked at before a hit is asked for"
    );
    for (yielded, opened) in [(1, 1), (2, 2), (3, 3)] {
        let (entry, _) = newest.next_hit().expect("a hit");
        assert_eq!(entry.name, name(10_000 - yielded));
        assert_eq!(corpus.opens(), opened);
    }
}

#[test]
fn an_update_long_before_the_mtime_makes_the_walk_go_on_to_it() {
    // The newest file by mtime was restored from a backup; the real newest is the third.
    let store = vec![
        (100, Says::Hit(10)),
        (90, Says::Miss),
        (80, Says::Hit(79)),
        (70, Says::Miss),
    ];
    let corpus = Counting::new(corpus(&store));
    let mut newest = Newest::new(&corpus, entries(&corpus), &Records);
    assert_eq!(newest.next_hit().expect("a hit").0.name, name(2));
    assert_eq!(corpus.opens(), 3, "the fourth is older than the answer");
    assert_eq!(newest.next_hit().expect("a hit").0.name, name(0));
    assert_eq!(corpus.opens(), 4);
}

fn seed_case() -> (Store, Vec<Entry>) {
    let store = vec![
        (30, Says::Hit(30)),
        (20, Says::Hit(20)),
        (10, Says::Hit(10)),
    ];
    let listed = entries(&corpus(&store));
    (store, listed)
}

#[test]
fn a_seed_that_still_holds_is_not_looked_at_again() {
    let (store, listed) = seed_case();
    let corpus = Counting::new(corpus(&store));
    let hit = Hit((30, 30, name(0)));
    let mut newest =
        Newest::new(&corpus, listed.clone(), &Records).seed(listed[0].clone(), Some(hit.clone()));
    assert_eq!(newest.next_hit(), Some((listed[0].clone(), hit)));
    assert_eq!(corpus.opens(), 0);
    assert_eq!(newest.next_hit().expect("the next").0.name, name(1));
    let mut newest = Newest::new(&corpus, listed.clone(), &Records).seed(listed[0].clone(), None);
    assert_eq!(
        newest.next_hit().expect("a miss is believed too").0.name,
        name(1)
    );
}

#[test]
fn a_seed_with_another_stamp_is_dropped_and_the_file_looked_at() {
    let (store, listed) = seed_case();
    let stamps: [fn(&mut Entry); 5] = [
        |entry| entry.size += 1,
        |entry| entry.modified -= 1,
        |entry| entry.changed -= 1,
        |entry| entry.device += 1,
        |entry| entry.inode += 1,
    ];
    for alter in stamps {
        let mut stale = listed[2].clone();
        alter(&mut stale);
        let corpus = corpus(&store);
        let newest = Newest::new(&corpus, listed.clone(), &Records)
            .seed(stale, Some(Hit((99, 99, name(2)))));
        let order: Vec<String> = newest.map(|(entry, _)| entry.name).collect();
        assert_eq!(order, naive(&store));
    }
}

#[test]
fn a_seed_outside_the_candidates_takes_part() {
    let (store, listed) = seed_case();
    let corpus = Counting::new(corpus(&store));
    let newer = vec![listed[0].clone()];
    let hit = Hit((20, 20, name(1)));
    let newest = Newest::new(&corpus, newer, &Records).seed(listed[1].clone(), Some(hit));
    let order: Vec<String> = newest.map(|(entry, _)| entry.name).collect();
    assert_eq!(order, [name(0), name(1)]);
    assert_eq!(corpus.opens(), 1);
}
