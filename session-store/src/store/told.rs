//! What the index is told of an append: documents do not move then, so the index must hear of it from the append itself.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use session_index::{Answer, Change, Proof, Rule, Turn};
use session_model::{SessionId, SessionRecord};

use super::SessionStore;
use super::publish::unlockable;
use crate::Error;
use crate::backend::Blob;
use crate::order::Recency;
use crate::trace::index_unused;
use crate::workspace::Workspace;

/// The file by which an index proves what it says.
const STATE: &str = "state";

/// Whether the index already says what an append makes true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The session was pointed to, under every key, when the index had the turn that it has now.
    Already,
    /// The session is pointed to, under every key, but a change may be under way.
    Perhaps,
    /// It is to be recorded when it is there.
    Later,
}

/// What the index is to know of a session that was appended to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Became<'a> {
    pub(super) directory: Option<&'a Path>,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// The keys of a session that is being appended to.
#[derive(Debug, Default)]
pub(super) struct Keys {
    of: Option<PathBuf>,
    all: Vec<Option<PathBuf>>,
    /// The directory did not resolve in time, so that these are not all.
    is_unanswered: bool,
    /// The index's turn at which the session was pointed to under every key, found under the index lock.
    pointed: Option<Turn>,
}

fn names(answer: &Answer, id: &SessionId) -> bool {
    let pointer = answer.pointer();
    pointer.is_some_and(|pointer| pointer.id == id.as_str())
}

impl<S: SessionRecord> SessionStore<S> {
    /// Takes out of the index what an append makes untrue, before it becomes so.
    pub(super) fn before_append(
        &self,
        id: &SessionId,
        keys: &mut Keys,
        directory: Option<&Path>,
    ) -> Result<Told, Error> {
        self.doubt_others()?;
        self.resolve_keys(keys, directory);
        let index = &self.shared.index;
        if keys.pointed.is_some() && keys.pointed == index.turn() {
            return Ok(Told::Already);
        }
        keys.pointed = None;
        let answers: Vec<Answer> = keys
            .all
            .iter()
            .map(|key| index.lookup(key.as_deref()).unwrap_or_default())
            .collect();
        if answers.iter().all(|answer| names(answer, id)) && !keys.is_unanswered {
            return Ok(Told::Perhaps);
        }
        let is_told_otherwise =
            |answer: &Answer| !matches!(answer, Answer::Unknown(_)) && !names(answer, id);
        if self.shared.rules.hold(Rule::Forgotten)
            && (keys.is_unanswered || answers.iter().any(is_told_otherwise))
        {
            self.forget_keys(keys)?;
        }
        Ok(Told::Later)
    }

    /// Removes pointers. What stays although it is proven would be believed after the append, so that there can be none.
    fn forget_keys(&self, keys: &Keys) -> Result<(), Error> {
        let begun = self.shared.index.begin();
        let mut change = begun.map_err(|error| unlockable(self.index_lock(), error))?;
        let mut stays_proven = keys.is_unanswered;
        if keys.is_unanswered {
            change.doubt();
        }
        for key in &keys.all {
            let known = change.lookup(key.as_deref());
            stays_proven |= (known.as_ref()).map_or(true, |known| known.proof() == Proof::Proven);
            // What it names stays known: a walk that began before that was appended to must not prove something else.
            match known.ok().and_then(|known| known.pointer().cloned()) {
                Some(pointer) => change.record(key.as_deref(), pointer),
                None => change.remove(key.as_deref()),
            }
        }
        match change.commit() {
            Err(error) if stays_proven => Err(Error::io(
                "write",
                &self.shared.root.join(".store/index"),
                io::Error::other(error),
            )),
            Err(error) => {
                index_unused(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Points the index at a session that was appended to.
    ///
    /// Where it was pointed to already, that nobody began a change meanwhile is enough: whoever begins one after the
    /// write finds the append, and whoever began before has shown a new turn before reading anything.
    pub(super) fn after_append(
        &self,
        id: &SessionId,
        told: Told,
        keys: &mut Keys,
        became: Became<'_>,
        modified: i128,
    ) {
        // Somebody may have proved something since.
        if self.doubt_others().is_err() {
            self.disturb();
        }
        let index = &self.shared.index;
        let holds = self.shared.rules.hold(Rule::TurnAfter);
        match told {
            Told::Already if !holds || keys.pointed == index.turn() => return,
            // No index without turns proves anything, so a hint that is overtaken does no harm.
            Told::Perhaps if index.turn().is_none() => return,
            Told::Already | Told::Perhaps | Told::Later => keys.pointed = None,
        }
        let resolver = self.resolver();
        let workspace = became
            .directory
            .map(|directory| Workspace::new(directory, &resolver));
        let Ok(mut change) = index.begin() else {
            self.disturb();
            return;
        };
        let pointed = |change: &dyn Change| {
            let mut all = keys.all.iter().map(|key| change.lookup(key.as_deref()));
            all.all(|answer| answer.is_ok_and(|answer| names(&answer, id)))
        };
        // Nobody else begins a change before this one goes.
        if !keys.is_unanswered && pointed(&*change) {
            keys.pointed = index.turn();
            return;
        }
        change.still();
        let recency = Recency::new(id.clone(), became.updated_at, modified);
        if self
            .point(&mut *change, workspace.as_ref(), &recency)
            .is_none()
        {
            change.doubt();
        }
        let turn = index.turn().filter(|_| pointed(&*change));
        match change.commit() {
            Ok(()) => keys.pointed = turn,
            Err(error) => {
                self.disturb();
                index_unused(&error);
            }
        }
    }

    /// Takes away every proof when the index could not be told of an append that is there, so that the next lookup walks.
    ///
    /// Whoever holds the index lock now, and writes a proof later, does it for a stamp that has passed.
    fn disturb(&self) {
        if self.shared.rules.hold(Rule::Disturbed) {
            // Where that fails, too, the next append tells the index.
            let _untold = self.shared.backend.disturb();
        }
    }

    /// Takes the proof from an index in files that this store does not keep, if there is one.
    fn doubt_others(&self) -> Result<(), Error> {
        let Some(others) = &self.shared.others else {
            return Ok(());
        };
        if self.shared.backend.stat(&Blob::index(STATE))?.is_none() {
            return Ok(());
        }
        let doubt = |change: &mut dyn Change| {
            change.doubt();
            Some(())
        };
        self.change_index(others, || Ok(()), &mut || Ok(()), doubt)
    }

    /// Finds the keys under which a session is looked for, anew only when its directory is another.
    fn resolve_keys(&self, keys: &mut Keys, directory: Option<&Path>) {
        // The same directory is compared as written, which needs no look at its components.
        let is_known = keys.of.as_ref().map(|of| of.as_os_str()) == directory.map(Path::as_os_str);
        if !keys.all.is_empty() && !keys.is_unanswered && is_known {
            return;
        }
        let resolver = self.resolver();
        let workspace = directory.map(|directory| Workspace::new(directory, &resolver));
        let all = workspace.iter().flat_map(Workspace::keys).map(Some);
        *keys = Keys {
            all: all.chain([None]).collect(),
            of: directory.map(Path::to_owned),
            is_unanswered: workspace.as_ref().is_some_and(Workspace::is_unanswered),
            pointed: None,
        };
    }
}
