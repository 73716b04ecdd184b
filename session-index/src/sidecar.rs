//! The index of one pointer a workspace. Owns which pointer is read and written when; the layout of a pointer is in
//! `pointer_file`, the place where it is kept behind [`IndexStorage`].

use std::cell::OnceCell;
use std::path::Path;

use crate::answer::{Entry, Proof, Reason};
use crate::epoch::Epoch;
use crate::index::{Change, WorkspaceIndex};
use crate::key::Key;
use crate::pending::{Pending, Update};
use crate::pointer_file::{LIMIT, decode, encode};
use crate::proof::{self, Basis, Ground};
use crate::rule::{Rule, Rules};
use crate::stamp::Stamp;
use crate::state_file::{self, Scope, State};
use crate::storage::{IndexStorage, StorageLock};
use crate::sweep;
use crate::trace;
use crate::turn::Turn;
use crate::{Answer, Consultation, Error, Pointer};

/// How often a file is read that does not verify: whoever overwrites it is done by then.
const READS: u32 = 3;

/// Keeps one small pointer for each workspace, and one for all of them.
///
/// A pointer is a text of a few lines under a name made of a hash of the path (`all.pointer` for all workspaces), with
/// the whole path inside and a checksum at the end. Whatever does not verify is unknown, with the reason in the answer.
/// A path over 16 KiB or an id over 1 KiB is not recorded.
///
/// # Layout
///
/// A pointer is named by the XXH3-128 of the path's bytes, as 32 lower-case hexadecimal digits and `.pointer`. It is a few
/// lines of ASCII, each ended by one line feed:
///
/// ```text
/// session-index pointer 2
/// workspace /home/me/caf%C3%A9
/// session 2f1c0d9e-53b6-4b0e-a8a5-0c6b5d0a7f10
/// at 1773171774066971411
/// updated 1773171774066971411
/// epoch 5e0c3a62f1d84b7790a3c8e21b6f4d05
/// crc32 8d3f19c2
/// ```
///
/// 1. `session-index pointer` and the version of the layout.
/// 2. `workspace` and the path, or the single word `all` in the pointer of all workspaces.
/// 3. `session` and the id, followed by the lines `at` and `updated` with the session's place in the order, in decimal
///    nanoseconds since the Unix epoch; or, instead of the three, the single word `none`: there is no session.
/// 4. `epoch` and 32 lower-case hexadecimal digits: the pointer is true while the state names this epoch and the watched
///    directory has the state's stamp; or the single word `hint`.
/// 5. `crc32` and the checksum (IEEE) of all bytes before this line, as eight lower-case hexadecimal digits.
///
/// The state is one more file, `state`, in the same frame, with the lines `boot`, `device`, `inode`, `modified`, `changed`,
/// `epoch` and `scope` (`some`, or `all` where every workspace has a pointer). One that does not verify is none.
///
/// Pointers and state are overwritten in place, because they carry checksums; a reader that meets half of one reads again.
///
/// In a path and an id every byte that is not a visible ASCII character, and `%` itself, is written as `%` and two
/// upper-case hexadecimal digits. There is one spelling for each content, and only that is honoured. A pointer of another
/// version or workspace, or longer than 64 KiB, means *unknown*, like a missing one, never *none*.
///
/// # Complexity
///
/// A lookup reads one pointer and the state, and takes one stamp. A change writes one pointer for each workspace it names,
/// and the state, however many the index holds. Only a sweep looks at all of them.
#[derive(Clone, Debug, Default)]
pub struct SidecarIndex<S> {
    storage: S,
    rules: Rules,
}

impl<S: IndexStorage> SidecarIndex<S> {
    /// Makes an index over `storage`, which may be empty, and reads nothing yet.
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            rules: Rules::default(),
        }
    }

    /// Breaks rules of the proof, for tests of tests.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Returns the storage.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Reads one file until it verifies, a few times at most; an unlucky reader meets a writer.
    fn verified<T>(
        &self,
        name: &str,
        limit: usize,
        verify: impl Fn(&[u8]) -> Result<T, Reason>,
    ) -> Result<Result<T, Reason>, Error> {
        let mut reason = Reason::Absent;
        for _ in 0..READS {
            // One byte more than is accepted, so that an oversized file is not taken for its first part.
            let bytes = self
                .storage
                .read(name, limit + 1)
                .map_err(|source| Error::io("read", name, source))?;
            let Some(bytes) = bytes else {
                return Ok(Err(Reason::Absent));
            };
            reason = match verify(&bytes) {
                Err(Reason::Damaged) => Reason::Damaged,
                answer => return Ok(answer),
            };
        }
        Ok(Err(reason))
    }

    fn read(&self, workspace: Option<&Path>) -> Result<Result<Entry, Reason>, Error> {
        let Some(key) = Key::of(workspace) else {
            return Ok(Err(Reason::Unrecordable));
        };
        self.verified(&key.name(), LIMIT, |bytes| decode(&key, bytes))
    }

    /// Reads the state; one that cannot be read is none, as it only ever adds a proof.
    fn state(&self) -> Option<State> {
        let decode = |bytes: &[u8]| state_file::decode(bytes).ok_or(Reason::Damaged);
        self.verified(state_file::NAME, state_file::LIMIT, decode)
            .ok()?
            .ok()
    }

    fn answer(
        &self,
        read: Result<Entry, Reason>,
        judge: impl FnOnce(Option<Epoch>) -> Proof,
    ) -> Answer {
        match read {
            Ok(entry) => entry.recorded.answer(judge(entry.epoch)),
            Err(Reason::Damaged) if !self.rules.hold(Rule::DamagedIsUnknown) => {
                Answer::NoneRecorded {
                    proof: Proof::Proven,
                }
            }
            Err(reason) => Answer::Unknown(reason),
        }
    }

    fn write(
        &self,
        workspace: Option<&Path>,
        update: &Update,
        ground: &Ground,
    ) -> Result<(), Error> {
        // What has no key was never recorded, so there is nothing to forget.
        let Some(key) = Key::of(workspace) else {
            return Ok(());
        };
        let known = || matches!(self.read(workspace), Ok(Ok(_)));
        let Ok(entry) = update.entry(ground, known) else {
            return Ok(());
        };
        let name = key.name();
        match entry.and_then(|entry| encode(&key, &entry)) {
            Some(bytes) => self
                .storage
                .overwrite(&name, &bytes)
                .map_err(|source| Error::io("replace", &name, source)),
            None => self
                .storage
                .remove(&name)
                .map(drop)
                .map_err(|source| Error::io("remove", &name, source)),
        }
    }

    fn remove_state(&self) -> Result<(), Error> {
        self.storage
            .remove(state_file::NAME)
            .map(drop)
            .map_err(|source| Error::io("remove", state_file::NAME, source))
    }

    fn write_state(&self, state: &State) -> Result<(), Error> {
        self.storage
            .overwrite(state_file::NAME, &state_file::encode(state))
            .map_err(|source| Error::io("replace", state_file::NAME, source))
    }
}

impl<S: IndexStorage> WorkspaceIndex for SidecarIndex<S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        trace::lookup("sidecar", || {
            let read = self.read(workspace)?;
            Ok(self.answer(read, |epoch| {
                // A hint needs neither state nor stamp.
                if epoch.is_none() {
                    return Proof::Unproven;
                }
                let state = self.state();
                let stamp = self.storage.stamp().ok().flatten();
                proof::judge(epoch, state.as_ref(), stamp.as_ref(), self.rules)
            }))
        })
    }

    fn consult(&self, workspaces: &[Option<&Path>]) -> Result<Consultation, Error> {
        trace::consult("sidecar", || {
            // As pointers are written before the state, they are read after it: one that was replaced since would be judged by
            // a state that is not about it. The stamp comes last: what was read before is judged by a directory that is no older.
            let first = self.rules.hold(Rule::StateFirst).then(|| self.state());
            let read = workspaces
                .iter()
                .map(|workspace| self.read(*workspace))
                .collect::<Result<Vec<_>, _>>()?;
            let state = first.unwrap_or_else(|| self.state());
            let stamp = self.storage.stamp().ok().flatten();
            let judge = |epoch| proof::judge(epoch, state.as_ref(), stamp.as_ref(), self.rules);
            let answers = read.into_iter().map(|read| self.answer(read, judge));
            let scope = state
                .filter(|state| proof::covers(state, stamp.as_ref(), self.rules))
                .map_or(Scope::Some, |state| state.scope);
            Ok(Consultation::new(answers.collect(), stamp, scope))
        })
    }

    fn turn(&self) -> Option<Turn> {
        self.storage.turn()
    }

    fn size(&self) -> Result<usize, Error> {
        Ok(sweep::pointers(&self.storage)?.len())
    }

    fn begin(&self) -> Result<Box<dyn Change + '_>, Error> {
        trace::begin("sidecar", || {
            let lock = self.storage.lock().map_err(Error::lock)?;
            Ok(Box::new(SidecarChange {
                index: self,
                basis: Basis::Nothing,
                doubts: false,
                most: None,
                state: OnceCell::new(),
                pending: Pending::default(),
                _lock: lock,
            }) as Box<dyn Change>)
        })
    }
}

#[derive(Debug)]
struct SidecarChange<'a, S> {
    index: &'a SidecarIndex<S>,
    basis: Basis,
    /// Nothing is to be proven after this.
    doubts: bool,
    /// All is to be swept but so many pointers.
    most: Option<usize>,
    /// The state as it was when this change first asked for it; under the lock nobody else writes it.
    state: OnceCell<Option<State>>,
    pending: Pending,
    _lock: StorageLock<'a>,
}

impl<S: IndexStorage> SidecarChange<'_, S> {
    fn state(&self) -> Option<&State> {
        self.state.get_or_init(|| self.index.state()).as_ref()
    }

    fn stamp(&self) -> Option<Stamp> {
        self.index.storage.stamp().ok().flatten()
    }

    /// Whether nothing can be proven any more by what was seen before this change.
    fn is_elsewhere(&self) -> bool {
        let stepped = match &self.basis {
            Basis::Step { before, after } => before != after,
            Basis::Nothing | Basis::Walk { .. } => false,
        };
        stepped || !self.index.rules.hold(Rule::Swept)
    }
}

impl<S: IndexStorage> Change for SidecarChange<'_, S> {
    fn lookup(&self, workspace: Option<&Path>) -> Result<Answer, Error> {
        if let Some(update) = self.pending.get(workspace) {
            return Ok(update.answer());
        }
        let read = self.index.read(workspace)?;
        Ok(self.index.answer(read, |epoch| {
            if epoch.is_none() {
                return Proof::Unproven;
            }
            // True before the step is what counts: whether it still is, the caller decides.
            let stamp = match self.basis {
                Basis::Step { before, .. } if self.index.rules.hold(Rule::FirstStat) => before,
                Basis::Step { .. } => self.state().map(|state| state.stamp),
                Basis::Nothing | Basis::Walk { .. } => self.stamp(),
            };
            proof::judge(epoch, self.state(), stamp.as_ref(), self.index.rules)
        }))
    }

    fn step(&mut self, step: &mut dyn FnMut()) {
        let before = self.stamp();
        step();
        let after = self.stamp();
        self.basis = Basis::Step { before, after };
    }

    fn still(&mut self) {
        // One stamp, so that nothing comes between two.
        let now = self.stamp();
        self.basis = Basis::Step {
            before: now,
            after: now,
        };
    }

    fn walked(&mut self, since: &Stamp, scope: Scope) {
        self.basis = Basis::Walk {
            since: *since,
            scope,
        };
    }

    fn doubt(&mut self) {
        self.doubts = true;
    }

    fn prove(&mut self, workspace: Option<&Path>, newest: Option<Pointer>) {
        self.pending.set(workspace, Update::prove(newest));
    }

    fn record(&mut self, workspace: Option<&Path>, pointer: Pointer) {
        self.pending.set(workspace, Update::record(Some(pointer)));
    }

    fn record_none(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::record(None));
    }

    fn remove(&mut self, workspace: Option<&Path>) {
        self.pending.set(workspace, Update::Remove);
    }

    fn sweep(&mut self, most: usize) {
        self.most = Some(most);
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        trace::commit("sidecar", || {
            let index = self.index;
            let most = self.most.filter(|_| self.is_elsewhere());
            // Read before it goes.
            let epoch = most.and_then(|_| self.state()).map(|state| state.epoch);
            let doubts = self.doubts || most.is_some();
            if doubts {
                index.remove_state()?;
            }
            let ground = if doubts || matches!(self.basis, Basis::Nothing) {
                Ground::Hints
            } else {
                proof::ground(&self.basis, self.state(), &index.storage, index.rules)
                    .map_err(|source| Error::io("stamp", "index", source))?
            };
            let next = match &ground {
                Ground::Epoch(_, Some(next)) => Some(next),
                _ => None,
            };
            if let Some(next) = next.filter(|_| !index.rules.hold(Rule::PointersFirst)) {
                index.write_state(next)?;
            }
            let mut first = Ok(());
            for (workspace, update) in self.pending.iter() {
                first = first.and(index.write(workspace, update, &ground));
            }
            if let Some(most) = most {
                first = first.and(sweep::sweep(&index.storage, epoch, most));
            }
            match next {
                Some(next) if first.is_ok() || !index.rules.hold(Rule::PointersWritten) => {
                    first.and(index.write_state(next))
                }
                _ => first,
            }
        })
    }
}
