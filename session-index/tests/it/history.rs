//! Random histories against a map: an index says what the map says, or that it knows nothing, and never anything else.
//!
//! Damage may put a whole old file back (two files exchanged, in two steps). Then an index may say what it was once told,
//! as a hint; it still never says what it was not told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use proptest::prelude::*;
use session_index::testing::MemoryStorage;
use session_index::{
    Answer, JsonMapIndex, MemoryIndex, Pointer, Proof, SidecarIndex, WorkspaceIndex,
};

use crate::support::memory;

type Model = BTreeMap<Option<OsString>, Option<Pointer>>;

/// What an index keeps of an entry.
type Keep = fn(Option<&Path>, Option<&Pointer>) -> Answer;

/// All that an index was ever told, workspace by workspace.
type Past = BTreeMap<Option<OsString>, Vec<Option<Pointer>>>;

#[derive(Clone, Debug)]
enum Update {
    Record(Pointer),
    RecordNone,
    Remove,
}

#[derive(Clone, Debug)]
enum Step {
    Change {
        updates: Vec<(usize, Update)>,
        ends: End,
    },
    Forget(usize),
    Damage(Damage, prop::sample::Index, u8),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Commit,
    Drop,
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Truncate,
    Flip,
    Zero,
    Append,
    Remove,
    Swap,
}

impl Damage {
    fn tampering(self) -> Tampering {
        match self {
            Self::Swap => Tampering::Exchanged,
            _ => Tampering::Damaged,
        }
    }
}

const PATHS: [&str; 7] = ["/a", "/a/", "/b", "/b c%", "/caf\u{e9}", "", "/b/../a"];

fn workspace(number: usize) -> Option<&'static Path> {
    PATHS.get(number).map(Path::new)
}

fn update() -> impl Strategy<Value = Update> {
    let pointer = ("[a-c/.%\n]{0,3}", any::<i128>(), any::<i64>());
    prop_oneof![
        4 => pointer.prop_map(|(id, at, updated)| Update::Record(Pointer::new(id, at, updated.into()))),
        1 => Just(Update::RecordNone),
        1 => Just(Update::Remove),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let workspace = 0..=PATHS.len();
    let damage = prop_oneof![
        Just(Damage::Truncate),
        Just(Damage::Flip),
        Just(Damage::Zero),
        Just(Damage::Append),
        Just(Damage::Remove),
        Just(Damage::Swap)
    ];
    let ends = prop_oneof![3 => Just(End::Commit), 1 => Just(End::Drop)];
    prop_oneof![
        6 => (prop::collection::vec((workspace.clone(), update()), 0..4), ends)
            .prop_map(|(updates, ends)| Step::Change { updates, ends }),
        1 => workspace.prop_map(Step::Forget),
        2 => (damage, any::<prop::sample::Index>(), any::<u8>()).prop_map(|(damage, place, byte)| Step::Damage(damage, place, byte)),
    ]
}

fn key(number: usize) -> Option<OsString> {
    workspace(number).map(|path| path.as_os_str().to_owned())
}

fn make(
    index: &dyn WorkspaceIndex,
    (model, past): (&mut Model, &mut Past),
    updates: &[(usize, Update)],
    ends: End,
) {
    let mut change = index.begin().unwrap();
    let mut changed = model.clone();
    for (number, update) in updates {
        match update {
            Update::Record(pointer) => {
                change.record(workspace(*number), pointer.clone());
                changed.insert(key(*number), Some(pointer.clone()));
            }
            Update::RecordNone => {
                change.record_none(workspace(*number));
                changed.insert(key(*number), None);
            }
            Update::Remove => {
                change.remove(workspace(*number));
                changed.remove(&key(*number));
            }
        }
    }
    if let End::Commit = ends {
        change.commit().unwrap();
        *model = changed;
        for (key, entry) in model {
            past.entry(key.clone()).or_default().push(entry.clone());
        }
    }
}

fn damage(storage: &MemoryStorage, damage: Damage, place: prop::sample::Index, byte: u8) {
    let names = storage.names();
    if names.is_empty() {
        return;
    }
    let name = &names[place.index(names.len())];
    let mut bytes = storage.get(name).unwrap();
    let at = place.index(bytes.len().max(1));
    match damage {
        Damage::Truncate => bytes.truncate(at),
        Damage::Flip => bytes
            .get_mut(at)
            .into_iter()
            .for_each(|found| *found ^= byte.max(1)),
        Damage::Zero => bytes.iter_mut().skip(at).for_each(|found| *found = 0),
        Damage::Append => bytes.push(byte),
        Damage::Swap => {
            bytes = storage
                .get(&names[usize::from(byte) % names.len()])
                .unwrap();
        }
        Damage::Remove => {
            session_index::IndexStorage::remove(storage, name).unwrap();
            return;
        }
    }
    storage.put(name, bytes);
}

/// How far the files were tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tampering {
    None,
    /// Files were damaged or lost: what they said may be unknown.
    Damaged,
    /// Whole files took the place of others: what they once said may be back.
    Exchanged,
}

/// Compares every lookup with the map; `keep` gives what an index keeps of an entry.
fn check(
    index: &dyn WorkspaceIndex,
    (model, past): (&Model, &Past),
    tampering: Tampering,
    keep: impl Fn(Option<&Path>, Option<&Pointer>) -> Answer,
) {
    for number in 0..=PATHS.len() {
        let answer = index.lookup(workspace(number)).unwrap();
        let expected = model.get(&key(number)).map_or(Answer::default(), |entry| {
            keep(workspace(number), entry.as_ref())
        });
        let told = || past.get(&key(number)).into_iter().flatten();
        match tampering {
            Tampering::None if expected.is_unknown() => assert!(answer.is_unknown(), "{answer:?}"),
            Tampering::None => assert_eq!(answer, expected, "workspace {number}"),
            _ if answer.is_unknown() => {}
            Tampering::Damaged => assert_eq!(answer, expected, "workspace {number}"),
            Tampering::Exchanged => assert!(
                told().any(|entry| keep(workspace(number), entry.as_ref()) == answer),
                "workspace {number} was invented: {answer:?}"
            ),
        }
    }
}

fn everything(_: Option<&Path>, entry: Option<&Pointer>) -> Answer {
    let mirror = MemoryIndex::new();
    let mut change = mirror.begin().unwrap();
    match entry {
        Some(pointer) => change.record(None, pointer.clone()),
        None => change.record_none(None),
    }
    change.lookup(None).unwrap()
}

fn ids(workspace: Option<&Path>, entry: Option<&Pointer>) -> Answer {
    match (workspace, entry) {
        (Some(_), Some(pointer)) => {
            everything(workspace, Some(&Pointer::unordered(pointer.id.clone())))
        }
        _ => Answer::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn sidecar_says_what_a_map_says_or_nothing(steps in prop::collection::vec(step(), 0..20)) {
        let index = SidecarIndex::new(memory());
        let (mut model, mut past, mut tampering) = (Model::new(), Past::new(), Tampering::None);
        for step in steps {
            match step {
                Step::Change { updates, ends } => {
                    make(&index, (&mut model, &mut past), &updates, ends);
                }
                Step::Forget(number) => {
                    index.forget(workspace(number)).unwrap();
                    model.remove(&key(number));
                }
                Step::Damage(kind, place, byte) => {
                    damage(index.storage(), kind, place, byte);
                    tampering = tampering.max(kind.tampering());
                }
            }
            check(&index, (&model, &past), tampering, everything);
        }
    }

    #[test]
    fn other_indexes_say_what_a_map_says(steps in prop::collection::vec(step(), 0..20)) {
        let (in_memory, in_json) = (MemoryIndex::new(), JsonMapIndex::new(memory()));
        let indexes: [(&dyn WorkspaceIndex, Keep); 2] =
            [(&in_memory, everything), (&in_json, ids)];
        for (index, keep) in indexes {
            let (mut model, mut past) = (Model::new(), Past::new());
            for step in &steps {
                match step {
                    Step::Change { updates, ends } => {
                        make(index, (&mut model, &mut past), updates, *ends);
                    }
                    Step::Forget(number) => {
                        index.forget(workspace(*number)).unwrap();
                        model.remove(&key(*number));
                    }
                    Step::Damage(..) => {}
                }
                check(index, (&model, &past), Tampering::None, keep);
            }
        }
    }
}

#[test]
fn two_exchanges_of_files_put_back_what_was_once_told_as_a_hint() {
    let index = SidecarIndex::new(memory());
    let record = |id: &str| {
        let mut change = index.begin().unwrap();
        change.record(Some(Path::new("/a")), Pointer::new(id, 0, 0));
        change.commit().unwrap();
    };
    record("old");
    let name = (index.storage().names().into_iter())
        .find(|name| {
            index
                .storage()
                .get(name)
                .is_some_and(|bytes| bytes.ends_with(b"\n"))
        })
        .unwrap();
    let old = index.storage().get(&name).unwrap();
    record("new");
    index.storage().put(&name, old);
    let answer = index.lookup(Some(Path::new("/a"))).unwrap();
    assert_eq!(answer.proof(), Proof::Unproven);
    assert_eq!(answer.into_pointer().unwrap().id, "old");
}
