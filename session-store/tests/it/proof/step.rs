//! What happens in a history.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use session_store::{Append, IndexKind, Message, Session};

use crate::support::{Scratch, session, time};

/// Sessions, and seconds after the beginning of the history's time at which they may be updated.
pub(super) const NAMES: usize = 4;
pub(super) const TIMES: u64 = 8;

/// Something that a program does which knows nothing of the store: in one step, as a rename or an unlink.
#[derive(Clone, Debug)]
pub(super) enum Foreign {
    /// Renames a session into place; with a modification time of its own where it comes from a backup.
    Put {
        name: usize,
        place: usize,
        updated: u64,
        modified: Option<u64>,
    },
    /// Removes a session.
    Remove { name: usize },
    /// Gives a session a second name.
    Link { from: usize, to: usize },
}

/// What happens in the middle of a call.
#[derive(Clone, Debug)]
pub(super) enum Meanwhile {
    Foreign(Foreign),
    /// Another process saves.
    Save {
        name: usize,
        place: usize,
        updated: u64,
    },
    /// Another process looks up.
    Lookup {
        place: usize,
    },
    /// Another process adds a turn.
    Append {
        name: usize,
        updated: u64,
    },
    /// Another process writes what was added into the document.
    Checkpoint {
        name: usize,
    },
    /// The process dies.
    Crash,
    /// A pointer cannot be written.
    FailPointer,
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    Save {
        name: usize,
        place: usize,
        updated: u64,
    },
    Delete {
        name: usize,
    },
    Trash {
        name: usize,
    },
    Restore {
        name: usize,
    },
    Lookup {
        place: usize,
    },
    List {
        place: usize,
    },
    /// Adds a turn.
    Append {
        name: usize,
        updated: u64,
    },
    /// Adds a turn through the writer that the process holds, or through a new one in its place.
    Turn {
        name: usize,
        updated: u64,
    },
    /// Lets the process's writer go.
    LetGo {
        closes: bool,
    },
    Checkpoint {
        name: usize,
    },
    Rebind {
        from: usize,
        to: usize,
    },
}

/// How many stores there are: three with an index, of which the last gives directories no time to resolve, and one each
/// that keeps the map of the reference, keeps none, and keeps one in memory.
pub(super) const STORES: usize = 6;

/// What index a store of a history keeps.
pub(super) fn index_of(store: usize) -> IndexKind {
    match store {
        3 => IndexKind::JsonMap,
        4 => IndexKind::None,
        5 => IndexKind::Memory,
        _ => IndexKind::Sidecar,
    }
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A call of one of the stores, perhaps with something before its `n`th call of the file system.
    Own {
        store: usize,
        call: Call,
        meanwhile: Option<(u64, Meanwhile)>,
    },
    /// With the modification time of the directory set back afterwards, as a copying program does, or not.
    Foreign { what: Foreign, sets_back: bool },
    /// Loses a file of the index, or overwrites it with nonsense.
    Damage { which: usize, kind: usize },
    /// Sets the clock.
    Clock { to: u64 },
    /// A process ends, and the next begins.
    Reopen { store: usize },
    /// A session cannot be read for a while, or can again.
    Unreadable { name: usize },
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let (name, place) = (0..NAMES, 0..Places::COUNT);
    let modified = prop::option::weighted(0.3, 0..TIMES);
    prop_oneof![
        5 => (name.clone(), place, 0..TIMES, modified).prop_map(|(name, place, updated, modified)| {
            Foreign::Put { name, place, updated, modified }
        }),
        1 => name.clone().prop_map(|name| Foreign::Remove { name }),
        1 => (name.clone(), name).prop_map(|(from, to)| Foreign::Link { from, to }),
    ]
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let (name, place) = (0..NAMES, 0..Places::COUNT);
    prop_oneof![
        4 => foreign().prop_map(Meanwhile::Foreign),
        3 => (name, place.clone(), 0..TIMES)
            .prop_map(|(name, place, updated)| Meanwhile::Save { name, place, updated }),
        1 => place.prop_map(|place| Meanwhile::Lookup { place }),
        2 => (0..NAMES, 0..TIMES).prop_map(|(name, updated)| Meanwhile::Append { name, updated }),
        1 => (0..NAMES).prop_map(|name| Meanwhile::Checkpoint { name }),
        3 => Just(Meanwhile::Crash),
        1 => Just(Meanwhile::FailPointer),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let (name, place) = (0..NAMES, 0..Places::COUNT);
    prop_oneof![
        6 => (name.clone(), place.clone(), 0..TIMES)
            .prop_map(|(name, place, updated)| Call::Save { name, place, updated }),
        8 => place.prop_map(|place| Call::Lookup { place }),
        1 => name.clone().prop_map(|name| Call::Delete { name }),
        1 => name.clone().prop_map(|name| Call::Trash { name }),
        1 => name.clone().prop_map(|name| Call::Restore { name }),
        2 => (name.clone(), 0..TIMES).prop_map(|(name, updated)| Call::Append { name, updated }),
        2 => (name.clone(), 0..TIMES).prop_map(|(name, updated)| Call::Turn { name, updated }),
        1 => any::<bool>().prop_map(|closes| Call::LetGo { closes }),
        1 => name.prop_map(|name| Call::Checkpoint { name }),
        1 => (0..4_usize, 0..4_usize).prop_map(|(from, to)| Call::Rebind { from, to }),
        2 => (0..Places::COUNT).prop_map(|place| Call::List { place }),
    ]
}

fn store() -> impl Strategy<Value = usize> {
    prop_oneof![7 => 0..3_usize, 1 => 3..STORES]
}

/// Histories.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let meanwhile = prop::option::weighted(0.3, (0..40_u64, meanwhile()));
    let step = prop_oneof![
        12 => (store(), call(), meanwhile)
            .prop_map(|(store, call, meanwhile)| Step::Own { store, call, meanwhile }),
        3 => (foreign(), any::<bool>())
            .prop_map(|(what, sets_back)| Step::Foreign { what, sets_back }),
        1 => (0..8_usize, 0..4_usize).prop_map(|(which, kind)| Step::Damage { which, kind }),
        1 => (0..TIMES).prop_map(|to| Step::Clock { to }),
        1 => (0..NAMES).prop_map(|name| Step::Unreadable { name }),
        1 => store().prop_map(|store| Step::Reopen { store }),
    ];
    prop::collection::vec(step, 1..40)
}

/// The directories that sessions name and lookups ask for, some of them by two names.
pub(super) struct Places(Vec<Option<PathBuf>>);

impl Places {
    pub(super) const COUNT: usize = 6;

    pub(super) fn new(scratch: &Scratch) -> Self {
        let (here, there) = (scratch.workspace("here"), scratch.workspace("there"));
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&here, &link).expect("a link");
        Self(vec![
            Some(here),
            Some(link),
            Some(there),
            Some("/no/such/directory".into()),
            Some("relative".into()),
            None,
        ])
    }

    pub(super) fn get(&self, place: usize) -> Option<&Path> {
        self.0[place].as_deref()
    }

    /// Whether a session of one place is found by a lookup for another; the last place asks for all.
    pub(super) fn same(&self, stored: Option<&Path>, asked: usize) -> bool {
        let stored = (0..Self::COUNT).find(|place| self.get(*place) == stored);
        asked == Self::COUNT - 1 || stored == Some(asked) || (asked < 2 && stored < Some(2))
    }

    pub(super) fn session(&self, name: usize, place: usize, updated: u64) -> Session {
        let mut made = session(&format!("s{name}"), "/", 1, updated);
        made.metadata.directory = self.get(place).map(Path::to_owned);
        // One of the times is left out, so that the file's own counts.
        made.updated_at = (updated != TIMES - 1).then(|| seconds(updated));
        made
    }
}

/// A turn that is added; at one of the times without any word of it.
pub(super) fn turn(updated: u64) -> Append {
    let turn = Append::new().message(&Message::user("more")).unwrap();
    match updated {
        updated if updated == TIMES - 1 => turn,
        updated => turn.updated_at(seconds(updated)).unwrap(),
    }
}

fn seconds(updated: u64) -> chrono::DateTime<chrono::Utc> {
    time(updated * 10)
}

/// The same as nanoseconds since the epoch, for clocks and files.
pub(super) fn nanos(updated: u64) -> i128 {
    i128::from(seconds(updated).timestamp()) * 1_000_000_000
}
