//! Pointers are ordered as sessions are, answers default to knowing nothing, errors are told apart by predicates.

use std::error::Error as _;

use session_index::testing::{FaultStorage, MemoryStorage, Operation, Repeat};
use session_index::{Answer, Error, Pointer, Proof, Reason, SidecarIndex, WorkspaceIndex};

use crate::support::at;

#[test]
fn pointers_are_ordered_by_time_then_update_then_id() {
    let ascending = [
        Pointer::unordered("z"),
        Pointer::new("z", -1, 9),
        Pointer::new("a", 5, 0),
        Pointer::new("z", 5, 0),
        Pointer::new("a", 5, 1),
        Pointer::new("A", 6, 0),
    ];
    assert!(ascending.is_sorted());
    assert!(!ascending[0].is_ordered() && ascending[1..].iter().all(Pointer::is_ordered));
}

#[test]
fn answer_that_is_not_a_session_has_no_pointer_and_no_proof() {
    let answer = Answer::default();
    assert!(answer.is_unknown());
    assert_eq!((answer.pointer(), answer.proof()), (None, Proof::Unproven));
    let none = Answer::NoneRecorded {
        proof: Proof::Proven,
    };
    assert!(!none.is_unknown());
    assert_eq!((none.pointer(), none.proof()), (None, Proof::Proven));
    let hint = Answer::Hint {
        pointer: Pointer::unordered("a"),
        proof: Proof::Proven,
    };
    assert_eq!(
        (hint.pointer().map(|pointer| &*pointer.id), hint.proof()),
        (Some("a"), Proof::Proven)
    );
}

#[test]
fn only_what_is_there_and_unusable_is_a_fault() {
    let faults = [Reason::Damaged, Reason::Version, Reason::OtherWorkspace];
    assert!(faults.iter().all(|reason| reason.is_fault()));
    assert!(
        ![Reason::Absent, Reason::Unrecordable]
            .iter()
            .any(|reason| reason.is_fault())
    );
}

#[test]
fn errors_have_predicates_and_a_text_without_what_was_recorded() {
    let storage = FaultStorage::new(MemoryStorage::new());
    storage.fail(
        Operation::Replace,
        1,
        std::io::ErrorKind::StorageFull,
        Repeat::Once,
    );
    let index = SidecarIndex::new(storage);
    let mut change = index.begin().unwrap();
    change.record(at("/secret-directory"), Pointer::unordered("secret-id"));
    let error = change.commit().unwrap_err();
    assert!(error.is_io() && !error.is_locked() && !error.is_too_large());
    assert!(error.source().is_some());
    let text = format!("{error} {error:?}");
    assert!(
        text.starts_with("replace ") && !text.contains("secret"),
        "{text}"
    );
    assert!(Error::Locked.is_locked() && !Error::Locked.is_io());
}
