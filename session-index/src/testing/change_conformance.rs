//! The part of the index suite that is about [`Change`]: who sees an update when. Knows the traits and what kinds of index
//! keep.

use std::path::Path;

use super::index_conformance::Keeps;
use super::steps::{begin, find, must, record};
use crate::Pointer;
use crate::index::{Change, WorkspaceIndex};

pub(super) fn writes_nothing_without_commit(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let (kept, other) = (Some(Path::new("/kept")), Some(Path::new("/other")));
    let pointer = Pointer::new("a", 1, 1);
    record(index, kept, &pointer);
    let mut change = begin(index);
    change.record(other, Pointer::new("b", 2, 2));
    change.record_none(None);
    change.remove(kept);
    drop(change);
    keeps.check(
        index,
        kept,
        Some(&pointer),
        "a dropped change removes nothing",
    );
    keeps.check(index, other, None, "a dropped change records nothing");
    assert!(
        find(index, None).is_unknown(),
        "a dropped change records nothing"
    );
    must(begin(index).commit(), "a dropped change releases the lock");
}

pub(super) fn shows_a_change_to_itself_only(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let workspace = Some(Path::new("/x"));
    let (older, newer) = (Pointer::new("older", 1, 1), Pointer::new("newer", 2, 2));
    record(index, workspace, &older);
    let mut change = begin(index);
    assert_eq!(
        seen(&*change, workspace),
        keeps.kept(workspace, &older),
        "a change sees what is recorded"
    );
    change.record(workspace, newer.clone());
    assert_eq!(
        seen(&*change, workspace),
        keeps.kept(workspace, &newer),
        "a change sees its own updates"
    );
    keeps.check(
        index,
        workspace,
        Some(&older),
        "nobody else sees an update before the commit, nor waits for it",
    );
    change.remove(workspace);
    assert_eq!(
        seen(&*change, workspace),
        None,
        "a change sees its own removals"
    );
    keeps.check(
        index,
        workspace,
        Some(&older),
        "nobody else sees a removal before the commit",
    );
    must(change.commit(), "commit");
    keeps.check(
        index,
        workspace,
        None,
        "everybody sees the change after the commit",
    );
}

pub(super) fn last_word_in_a_change_counts(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let [a, b, c] = ["/a", "/b", "/c"].map(|path| Some(Path::new(path)));
    let [first, second] = ["first", "second"].map(|id| Pointer::new(id, 1, 1));
    let mut change = begin(index);
    change.record(a, first.clone());
    change.remove(a);
    change.remove(b);
    change.record(b, second.clone());
    change.record(c, first);
    change.record(c, second.clone());
    must(change.commit(), "commit");
    keeps.check(index, a, None, "removed last");
    keeps.check(index, b, Some(&second), "recorded last");
    keeps.check(index, c, Some(&second), "recorded twice");
}

fn seen(change: &dyn Change, workspace: Option<&Path>) -> Option<Pointer> {
    let answer = change.lookup(workspace);
    answer
        .unwrap_or_else(|error| panic!("a lookup in a change works: {error}"))
        .into_pointer()
}
