//! The suite that every [`WorkspaceIndex`] passes. Knows the traits and what kinds of index keep.

use std::path::{Path, PathBuf};
use std::thread;

use super::change_conformance::{
    last_word_in_a_change_counts, shows_a_change_to_itself_only, writes_nothing_without_commit,
};
use super::steps::{begin, find, must, record, workspaces};
use crate::index::WorkspaceIndex;
use crate::{Answer, Pointer};

/// What an index has a way to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeps {
    /// Every workspace, all of them together, the order, and that there is no session.
    Everything,
    /// The ids of workspaces whose path is UTF-8.
    Ids,
    /// Nothing at all, not even the lock.
    Nothing,
}

/// Checks everything that [`WorkspaceIndex`] and [`Change`](crate::Change) promise.
///
/// `make` gives a new and empty index each time; its wait for the lock should be short, because the suite waits for a
/// lock that is held.
///
/// # Panics
///
/// Panics with the promise that was broken.
pub fn index_conformance(keeps: Keeps, mut make: impl FnMut() -> Box<dyn WorkspaceIndex>) {
    starts_empty(&*make());
    gives_back_what_was_recorded(keeps, &*make());
    tells_paths_apart_by_their_bytes(keeps, &*make());
    replaces_and_forgets(keeps, &*make());
    remembers_that_there_is_none(keeps, &*make());
    writes_nothing_without_commit(keeps, &*make());
    shows_a_change_to_itself_only(keeps, &*make());
    last_word_in_a_change_counts(keeps, &*make());
    one_change_at_a_time(keeps, &*make());
    loses_nothing_to_other_threads(keeps, &*make());
}

impl Keeps {
    /// What a lookup gives after `pointer` was recorded for `workspace`.
    pub(super) fn kept(self, workspace: Option<&Path>, pointer: &Pointer) -> Option<Pointer> {
        match self {
            Self::Everything => Some(pointer.clone()),
            Self::Ids => workspace?
                .to_str()
                .map(|_| Pointer::unordered(pointer.id.clone())),
            Self::Nothing => None,
        }
    }

    pub(super) fn check(
        self,
        index: &dyn WorkspaceIndex,
        workspace: Option<&Path>,
        recorded: Option<&Pointer>,
        promise: &str,
    ) {
        let expected = recorded.and_then(|pointer| self.kept(workspace, pointer));
        assert_eq!(
            find(index, workspace).into_pointer(),
            expected,
            "{promise} ({workspace:?})"
        );
    }
}

fn starts_empty(index: &dyn WorkspaceIndex) {
    for workspace in workspaces() {
        assert!(
            find(index, workspace.as_deref()).is_unknown(),
            "an empty index knows nothing, and never says none"
        );
    }
    must(
        index.forget(Some(Path::new("/x"))),
        "forgetting what is not there",
    );
}

fn gives_back_what_was_recorded(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let ids = [
        "a",
        "",
        "../../etc/passwd",
        "/abs",
        "\0",
        "a b\n%0A",
        "none",
        "caf\u{e9}\u{1f980}",
        "\"\\",
        "CON",
    ];
    let orders = [
        (0, 0),
        (-1, 1),
        (1_773_171_774_066_971_411, 1_773_171_774_066_971_412),
        (i128::MAX, 0),
        (0, i128::MIN),
    ];
    let workspace = Some(Path::new("/x"));
    for id in ids {
        for (at, updated) in orders {
            let pointer = Pointer::new(id, at, updated);
            record(index, workspace, &pointer);
            keeps.check(
                index,
                workspace,
                Some(&pointer),
                "ids are texts and come back unchecked, with their order",
            );
        }
    }
    let pointer = Pointer::new("x".repeat(1_000), 1, 1);
    record(index, workspace, &pointer);
    keeps.check(
        index,
        workspace,
        Some(&pointer),
        "an id of 1,000 bytes is kept",
    );
}

fn tells_paths_apart_by_their_bytes(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let workspaces = workspaces();
    let pointers = (0..).map(|number| Pointer::new(format!("id-{number}"), number, -number));
    let all = workspaces
        .iter()
        .map(Option::as_deref)
        .zip(pointers)
        .collect::<Vec<_>>();
    for (workspace, pointer) in &all {
        record(index, *workspace, pointer);
    }
    for (workspace, pointer) in &all {
        keeps.check(
            index,
            *workspace,
            Some(pointer),
            "a path is one workspace, by its bytes",
        );
    }
    for (forgotten, (workspace, _)) in all.iter().enumerate() {
        must(index.forget(*workspace), "forget");
        for (position, (workspace, pointer)) in all.iter().enumerate() {
            let left = (position > forgotten).then_some(pointer);
            keeps.check(
                index,
                *workspace,
                left,
                "forgetting one workspace touches no other",
            );
        }
    }
}

fn replaces_and_forgets(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let workspace = Some(Path::new("/x"));
    let (older, newer) = (Pointer::new("older", 1, 1), Pointer::new("newer", 2, 2));
    for pointer in [&older, &newer, &older] {
        record(index, workspace, pointer);
        keeps.check(
            index,
            workspace,
            Some(pointer),
            "what was recorded last is what counts, wherever it is in the order",
        );
    }
    must(index.forget(workspace), "forget");
    assert!(
        find(index, workspace).is_unknown(),
        "what was forgotten is unknown, not none"
    );
    record(index, workspace, &newer);
    keeps.check(
        index,
        workspace,
        Some(&newer),
        "what was forgotten can be recorded again",
    );
}

fn remembers_that_there_is_none(keeps: Keeps, index: &dyn WorkspaceIndex) {
    for workspace in [Some(Path::new("/x")), None] {
        record(index, workspace, &Pointer::new("a", 1, 1));
        let mut change = begin(index);
        change.record_none(workspace);
        must(change.commit(), "commit");
        let answer = find(index, workspace);
        match keeps {
            Keeps::Everything => assert!(
                matches!(answer, Answer::NoneRecorded { .. }),
                "none is an answer: {answer:?}"
            ),
            Keeps::Ids | Keeps::Nothing => assert!(
                answer.is_unknown(),
                "none that cannot be kept is unknown: {answer:?}"
            ),
        }
    }
}

fn one_change_at_a_time(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let mut change = begin(index);
    change.record(Some(Path::new("/x")), Pointer::new("a", 1, 1));
    let second = thread::scope(|scope| scope.spawn(|| index.begin().map(drop)).join());
    let second = second.unwrap_or_else(|_| panic!("a second change panicked"));
    match keeps {
        Keeps::Nothing => must(second, "an index that keeps nothing has nothing to lock"),
        Keeps::Everything | Keeps::Ids => {
            assert!(
                second.is_err_and(|error| error.is_locked()),
                "a second change waits, then is refused as locked"
            );
        }
    }
    must(change.commit(), "the first change is not disturbed");
    must(begin(index).commit(), "a commit releases the lock");
}

fn loses_nothing_to_other_threads(keeps: Keeps, index: &dyn WorkspaceIndex) {
    let name = |thread: i128, round: i128| PathBuf::from(format!("/{thread}/{round}"));
    let pointer = |thread, round| Pointer::new(format!("{thread}-{round}"), thread, round);
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for round in 0..10 {
                    let workspace = name(thread, round);
                    record(index, Some(&workspace), &pointer(thread, round));
                    keeps.check(
                        index,
                        Some(&workspace),
                        Some(&pointer(thread, round)),
                        "an update is seen at once",
                    );
                }
            });
        }
    });
    for thread in 0..4 {
        for round in 0..10 {
            let promise = "every update of every thread is kept";
            keeps.check(
                index,
                Some(&name(thread, round)),
                Some(&pointer(thread, round)),
                promise,
            );
        }
    }
}
