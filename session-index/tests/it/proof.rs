//! When an answer is proven: only while the watched directory has the recorded stamp, and only in the recorded epoch.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use session_index::testing::{FaultStorage, MemoryStorage, Operation, Repeat};
use session_index::{Answer, MemoryIndex, Proof, Scope, SidecarIndex, Stamp, WorkspaceIndex};

use crate::support::{at, memory, pointer};

fn stamp(number: i128) -> Stamp {
    Stamp::new(1, 2, 3, number, number)
}

fn proof(index: &dyn WorkspaceIndex, workspace: Option<&Path>) -> Proof {
    let answer = index.lookup(workspace).unwrap();
    let told = index.consult(&[workspace]).unwrap();
    assert_eq!(
        told.answers,
        std::slice::from_ref(&answer),
        "both ways of asking say the same"
    );
    answer.proof()
}

/// Records what a walk found that began at the present stamp.
fn walk(index: &dyn WorkspaceIndex, workspace: Option<&Path>, id: Option<&str>) {
    let since = index.consult(&[workspace]).unwrap().stamp.unwrap();
    let mut change = index.begin().unwrap();
    change.walked(&since, Scope::Some);
    change.prove(workspace, id.map(|id| pointer(id, 1)));
    change.commit().unwrap();
}

/// Makes a step of its own, which moves the stamp, and tells of one workspace.
fn step(storage: &MemoryStorage, index: &dyn WorkspaceIndex, to: i128, workspace: Option<&Path>) {
    let mut change = index.begin().unwrap();
    change.step(&mut || storage.set_stamp(Some(stamp(to))));
    change.prove(workspace, Some(pointer("stepped", 2)));
    change.commit().unwrap();
}

fn check(make: impl Fn(Arc<MemoryStorage>) -> Box<dyn WorkspaceIndex>) {
    let storage = Arc::new(memory());
    let index = make(Arc::clone(&storage));
    let (here, there) = (at("/here"), at("/there"));

    storage.set_stamp(Some(stamp(1)));
    walk(&*index, here, Some("a"));
    walk(&*index, there, None);
    assert_eq!(
        [proof(&*index, here), proof(&*index, there)],
        [Proof::Proven; 2],
        "walks at one stamp share an epoch"
    );
    let none = Answer::NoneRecorded {
        proof: Proof::Proven,
    };
    assert_eq!(index.lookup(there).unwrap(), none, "none is proven, too");
    assert_eq!(
        proof(&*index, at("/other")),
        Proof::Unproven,
        "what is not recorded is not known"
    );

    step(&storage, &*index, 2, here);
    assert_eq!(
        [proof(&*index, here), proof(&*index, there)],
        [Proof::Proven; 2],
        "a step of ours keeps all proofs"
    );

    for moved in [
        Stamp::new(9, 2, 3, 2, 2),
        Stamp::new(1, 9, 3, 2, 2),
        Stamp::new(1, 2, 9, 2, 2),
        Stamp::new(1, 2, 3, 9, 2),
        Stamp::new(1, 2, 3, 2, 9),
    ] {
        storage.set_stamp(Some(moved));
        assert_eq!(proof(&*index, here), Proof::Unproven, "{moved:?}");
    }
    storage.set_stamp(None);
    assert_eq!(proof(&*index, here), Proof::Unproven, "nothing is watched");

    // A strange change, then one of ours: nothing is known of the time before.
    storage.set_stamp(Some(stamp(3)));
    step(&storage, &*index, 4, here);
    assert_eq!(
        [proof(&*index, here), proof(&*index, there)],
        [Proof::Unproven; 2],
        "a step from another stamp"
    );

    walk(&*index, here, Some("b"));
    assert_eq!(
        [proof(&*index, here), proof(&*index, there)],
        [Proof::Proven, Proof::Unproven],
        "a new epoch"
    );

    // A walk during which something changed.
    let since = index.consult(&[there]).unwrap().stamp.unwrap();
    storage.set_stamp(Some(stamp(5)));
    let mut change = index.begin().unwrap();
    change.walked(&since, Scope::All);
    change.prove(there, Some(pointer("c", 3)));
    change.prove(at("/third"), None);
    change.commit().unwrap();
    assert_eq!(proof(&*index, there), Proof::Unproven);
    assert!(
        index.lookup(at("/third")).unwrap().is_unknown(),
        "an unproven none is worth nothing"
    );
    let mut change = index.begin().unwrap();
    change.record(here, pointer("hint", 9));
    change.commit().unwrap();
    assert_eq!(proof(&*index, here), Proof::Unproven, "a hint");
}

#[test]
fn sidecar_proves_while_the_stamp_is_the_recorded_one() {
    check(|storage| Box::new(SidecarIndex::new(storage)));
}

#[test]
fn memory_proves_while_the_stamp_is_the_recorded_one() {
    check(|storage| Box::new(MemoryIndex::watching(storage)));
}

#[test]
fn state_is_left_alone_when_a_pointer_cannot_be_written() {
    let storage = FaultStorage::new(memory());
    storage.inner().set_stamp(Some(stamp(1)));
    let index = SidecarIndex::new(&storage);
    walk(&index, at("/here"), Some("a"));
    storage.fail(Operation::Replace, 1, ErrorKind::StorageFull, Repeat::Once);
    let mut change = index.begin().unwrap();
    change.step(&mut || storage.inner().set_stamp(Some(stamp(2))));
    change.prove(at("/here"), Some(pointer("b", 2)));
    change.commit().unwrap_err();
    assert_eq!(proof(&index, at("/here")), Proof::Unproven);
}

#[test]
fn change_that_is_dropped_after_its_step_leaves_nothing_proven() {
    let storage = memory();
    storage.set_stamp(Some(stamp(1)));
    let index = SidecarIndex::new(&storage);
    walk(&index, at("/here"), Some("a"));
    let mut change = index.begin().unwrap();
    change.step(&mut || storage.set_stamp(Some(stamp(2))));
    drop(change);
    assert_eq!(proof(&index, at("/here")), Proof::Unproven);
}

#[test]
fn state_with_any_byte_changed_proves_nothing() {
    let storage = memory();
    storage.set_stamp(Some(stamp(1)));
    let index = SidecarIndex::new(&storage);
    walk(&index, at("/here"), Some("a"));
    let sound = storage.get("state").unwrap();
    for position in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[position] ^= 1;
        storage.put("state", damaged);
        assert_eq!(
            proof(&index, at("/here")),
            Proof::Unproven,
            "byte {position}"
        );
        storage.put("state", &sound[..position]);
        assert_eq!(
            proof(&index, at("/here")),
            Proof::Unproven,
            "{position} bytes"
        );
    }
    storage.put("state", sound);
    assert_eq!(proof(&index, at("/here")), Proof::Proven);
}

#[test]
fn a_sweep_leaves_sessions_that_are_known_and_no_proof_and_nothing_goes_before_the_stamp_does() {
    let storage = Arc::new(memory());
    let index = SidecarIndex::new(Arc::clone(&storage));
    let workspaces = [at("/here"), at("/none"), at("/hint"), at("/old"), None];
    let sweep = |to: i128, most: usize| {
        let mut change = index.begin().unwrap();
        change.step(&mut || storage.set_stamp(Some(stamp(to))));
        change.sweep(most);
        change.commit().unwrap();
        let known = |workspace: Option<&Path>| {
            !matches!(index.lookup(workspace).unwrap(), Answer::Unknown(_))
        };
        let known = workspaces.into_iter().map(known).collect::<Vec<_>>();
        (known, index.size().unwrap())
    };
    storage.set_stamp(Some(stamp(1)));
    walk(&index, at("/old"), Some("a"));
    storage.set_stamp(Some(stamp(2)));
    walk(&index, at("/here"), Some("a"));
    walk(&index, at("/none"), None);
    walk(&index, None, Some("a"));
    let mut change = index.begin().unwrap();
    change.record(at("/hint"), pointer("a", 1));
    change.commit().unwrap();

    // The same stamp: whoever walks may still prove what it finds.
    assert_eq!(sweep(2, 0), (vec![true; 5], 4));
    assert_eq!(proof(&index, at("/here")), Proof::Proven);
    assert_eq!(sweep(3, 1), (vec![true, false, false, false, true], 1));
    assert_eq!(proof(&index, at("/here")), Proof::Unproven);
    // Without a state nothing is known to be worth more than the rest.
    assert_eq!(sweep(4, 1), (vec![false, false, false, false, true], 0));
    walk(&index, at("/here"), Some("a"));
    walk(&index, at("/there"), Some("b"));
    assert_eq!(sweep(5, 1).1, 0, "no more than what may stay");
}
