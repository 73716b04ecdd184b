//! Processes that do what they are told on one disk, and what they have found wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use session_index::Rules;
use session_store::backend::{DirBackend, Trust};
use session_store::fs::FileSystem;
use session_store::{
    Append, Builder, Durability, Error, LastQuery, Message, Session, SessionStore, Window,
};

use super::disk::{Disk, Flaw, Seat};
use crate::support::{id, session, time};

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Do {
    /// Loads a session and saves it again with one message more, some seconds younger; makes it where there is none.
    Save(&'static str, u64),
    /// Adds a message, and says that the session was updated then.
    Append(&'static str, u64),
    /// The same twice, through a writer.
    Write(&'static str, u64, u64),
    /// Adds a message at no certain time.
    Say(&'static str),
    Fold(&'static str),
    Delete(&'static str),
    /// Asks for the newest of the directory, or of all.
    Look(Option<&'static str>),
    /// Renames a session into place that a program without locks has written.
    Foreign(&'static str, u64),
}

/// The directory of a session is told by the first letter of its id. None of them resolves.
fn directory(name: &str) -> &'static str {
    if name.starts_with('h') {
        "here"
    } else {
        "there"
    }
}

/// What has certainly happened.
#[derive(Debug, Default)]
struct Facts {
    /// When each session was last updated, as was acknowledged.
    updated: BTreeMap<&'static str, u64>,
    messages: BTreeMap<&'static str, u64>,
    gone: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

/// How a model is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) rules: Rules,
    pub(super) flaw: Flaw,
    /// Whether processes wait for locks until they get them.
    pub(super) is_patient: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            flaw: Flaw::Sound,
            is_patient: true,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct World {
    disk: Arc<Disk>,
    facts: Arc<Mutex<Facts>>,
    setting: Setting,
    has_appends: bool,
}

impl World {
    /// A disk with two sessions of one directory and one of another, about which the index proves all.
    pub(super) fn new(setting: Setting, scripts: &[&[Do]]) -> Self {
        let has_foreign =
            (scripts.iter().copied().flatten()).any(|op| matches!(op, Do::Foreign(..)));
        let appends = |op: &Do| matches!(op, Do::Append(..) | Do::Write(..) | Do::Say(_));
        let world = Self {
            has_appends: scripts.iter().copied().flatten().any(appends),
            disk: Disk::new(setting.flaw, has_foreign),
            facts: Arc::default(),
            setting,
        };
        let store = world.store(0);
        for (name, updated) in [("h1", 1), ("h2", 2), ("t1", 1)] {
            store
                .save(&session(name, directory(name), 1, updated))
                .unwrap();
            let mut facts = world.facts();
            facts.updated.insert(name, updated);
            facts.messages.insert(name, 1);
        }
        world.look(&store, Some("here"));
        world.look(&store, None);
        world
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap()
    }

    fn wrong(&self, what: String) {
        self.facts().wrong.push(what);
    }

    pub(super) fn backend(&self, process: usize) -> DirBackend<Seat> {
        let seat = Seat::new(&self.disk, process, self.setting.is_patient);
        DirBackend::with_file_system(seat, Trust::strict()).unwrap()
    }

    fn store(&self, process: usize) -> SessionStore {
        Builder::on(Arc::new(self.backend(process)))
            .durability(Durability::Process)
            .lock_wait(Duration::ZERO)
            .threads(1)
            .reads_in_flight(1)
            .rules(self.setting.rules)
            .open()
            .unwrap()
    }

    /// Does one thing after the other, as a process of its own.
    pub(super) fn run(&self, process: usize, script: &[Do]) {
        let store = self.store(process);
        for what in script {
            match *what {
                Do::Save(name, by) => self.save(&store, name, by),
                Do::Append(name, at) => {
                    let appended = store.append(&id(name), &turn(Some(at)));
                    self.appended(name, Some(at), appended.map(drop));
                }
                Do::Write(name, first, second) => match store.writer(&id(name)) {
                    Ok(mut writer) => {
                        for at in [first, second] {
                            let appended = writer.append(&turn(Some(at)));
                            self.appended(name, Some(at), appended.map(drop));
                        }
                    }
                    Err(error) => self.appended(name, None, Err(error)),
                },
                Do::Say(name) => {
                    let appended = store.append(&id(name), &turn(None));
                    self.appended(name, None, appended.map(drop));
                }
                Do::Fold(name) => self.allowed("fold", store.checkpoint(&id(name)).map(drop)),
                Do::Delete(name) => {
                    self.facts().updated.remove(name);
                    match store.delete(&id(name)) {
                        Ok(_) => drop(self.facts().gone.insert(name)),
                        Err(error) => self.allowed("delete", Err(error)),
                    }
                }
                Do::Look(asked) => self.look(&store, asked),
                Do::Foreign(name, at) => {
                    let made = session(name, directory(name), 1, at);
                    let json = serde_json::to_vec(&made).unwrap();
                    self.disk.fs.plant("elsewhere/new", &json);
                    self.disk.moment();
                    let path = format!("{name}.json");
                    self.disk.fs.rename("elsewhere/new", &path).unwrap();
                    let mut facts = self.facts();
                    facts.updated.insert(name, at);
                    facts.messages.insert(name, 1);
                }
            }
        }
    }

    /// Whatever may fail fails because somebody holds a lock, and only where that is not waited for.
    fn allowed(&self, what: &str, done: Result<(), Error>) {
        match done {
            Err(error) if !error.is_locked() || self.setting.is_patient => {
                self.wrong(format!("{what}: {error}"));
            }
            _ => {}
        }
    }

    fn save(&self, store: &SessionStore, name: &'static str, by: u64) {
        for _ in 0..3 {
            let mut saved = match store.load(&id(name)) {
                Ok(loaded) => loaded,
                Err(error) if error.is_not_found() => session(name, directory(name), 0, 0),
                Err(error) => return self.wrong(format!("load: {error}")),
            };
            let at = seconds(&saved) + by;
            saved.push(Message::user("saved"));
            saved.touch(time(at));
            match store.save(&saved) {
                Ok(_) => {
                    let mut facts = self.facts();
                    facts.gone.remove(name);
                    let updated = facts.updated.entry(name).or_default();
                    *updated = at.max(*updated);
                    *facts.messages.entry(name).or_default() += 1;
                    return;
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return self.allowed("save", Err(error)),
            }
        }
    }

    fn appended(&self, name: &'static str, at: Option<u64>, done: Result<(), Error>) {
        if done.is_ok() {
            let mut facts = self.facts();
            *facts.messages.entry(name).or_default() += 1;
            match at {
                Some(at) => drop(facts.updated.insert(name, at)),
                None => drop(facts.updated.remove(name)),
            }
        }
        self.allowed("append", done);
    }

    /// A lookup answers nothing that is older than what was certain before it began, and nothing that was gone.
    fn look(&self, store: &SessionStore, asked: Option<&str>) {
        let (before, gone) = {
            let facts = self.facts();
            (facts.updated.clone(), facts.gone.clone())
        };
        let query = LastQuery::new().window(Window::last(1));
        let query = match asked {
            Some(asked) => query.workspace(Path::new(asked)),
            None => query,
        };
        let found = match store.find_last(&query) {
            Ok(found) => found,
            Err(error) => return self.wrong(format!("look: {error}")),
        };
        let found = found
            .session
            .map(|tail| (seconds(&tail), tail.id.to_string()));
        // What somebody began to delete meanwhile counts no more.
        let least = {
            let facts = self.facts();
            let of = |name: &str| asked.is_none_or(|asked| directory(name) == asked);
            let all = before
                .into_iter()
                .filter(|(name, _)| of(name) && facts.updated.contains_key(name));
            all.map(|(name, updated)| (updated, name)).max()
        };
        let is_older = match (&least, &found) {
            (Some((at, name)), Some((updated, id))) => (*updated, id.as_str()) < (*at, *name),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let is_gone = (found.as_ref()).is_some_and(|(_, id)| gone.contains(id.as_str()));
        if is_older || is_gone {
            self.wrong(format!("asked for {asked:?}: {found:?}, not {least:?}"));
        }
        // What was seen once is not unseen, except that an append may be seen before it is acknowledged.
        if let Some((at, id)) = found.filter(|_| !self.has_appends)
            && let Some(updated) = self.facts().updated.get_mut(id.as_str())
        {
            *updated = at.max(*updated);
        }
    }

    /// Looks at everything once nobody does anything any more, twice: what the first look proves the second believes.
    pub(super) fn settle(&self) -> Vec<String> {
        for asked in [Some("here"), Some("there"), None] {
            let store = self.store(0);
            self.look(&store, asked);
            self.look(&store, asked);
        }
        let store = self.store(0);
        let messages = self.facts().messages.clone();
        for (name, expected) in messages {
            let is_gone = self.facts().gone.contains(name);
            match store.load(&id(name)) {
                Ok(loaded) if loaded.messages.len() as u64 == expected => {}
                Err(error) if error.is_not_found() && is_gone => {}
                other => {
                    let found = other.map(|loaded| loaded.messages.len());
                    self.wrong(format!("{name}: {found:?} messages, not {expected}"));
                }
            }
        }
        let unlocked = std::mem::take(&mut *self.disk.unlocked.lock().unwrap());
        if self.setting.flaw == Flaw::Sound && self.setting.rules == Rules::default() {
            for what in unlocked {
                self.wrong(what);
            }
        }
        std::mem::take(&mut self.facts().wrong)
    }
}

fn turn(at: Option<u64>) -> Append {
    let append = Append::new().message(&Message::user("appended")).unwrap();
    match at {
        Some(at) => append.updated_at(time(at)).unwrap(),
        None => append,
    }
}

fn seconds(session: &Session) -> u64 {
    let since = session.updated_at.unwrap() - time(0);
    u64::try_from(since.num_seconds()).unwrap()
}
