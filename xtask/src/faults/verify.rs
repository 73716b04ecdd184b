//! What is left of a store that was broken, as a process sees it that knows nothing of how.
//!
//! Owns the questions and the right answers; must not know what was done to the store.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use session_store::backend::DirBackend;
use session_store::fs::OsFs;
use session_store::{
    Append, Builder, ContentPart, IndexKind, LastQuery, Message, Query, Session, SessionId,
    SessionStore, Trust, Window,
};

use super::script::{BYSTANDER, SUBJECT, State, WORKSPACE};

/// What is found wrong, in the words of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// An acknowledged change is not there, or a deleted session is.
    Lost,
    /// Something is there that cannot be read.
    Unreadable,
    /// Something is there after opening that should have been removed.
    Leftover,
    /// What follows does not work.
    Stuck,
}

/// Whether the system has been started since the store was broken. That nothing has changed since is proven for one run only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Same,
    Next,
}

impl Run {
    fn builder(self, dir: &Path) -> Result<Builder<Session>> {
        if self == Self::Same {
            return Ok(SessionStore::builder(dir));
        }
        let fs = OsFs::new(dir).restarted();
        let backend = DirBackend::with_file_system(fs, Trust::default()).context("open")?;
        Ok(Builder::on(Arc::new(backend)))
    }

    fn open(self, dir: &Path) -> Result<SessionStore> {
        let builder = self.builder(dir)?.threads(1).reads_in_flight(1);
        builder.open().context("open")
    }
}

/// Looks at everything, then works on.
pub(crate) fn verify(
    dir: &Path,
    run: Run,
    allowed: &[State],
) -> Result<State, (Wrong, anyhow::Error)> {
    whole_files(dir).map_err(|error| (Wrong::Unreadable, error))?;
    let store = run.open(dir).map_err(|error| (Wrong::Unreadable, error))?;
    nothing_left(dir, &store).map_err(|error| (Wrong::Leftover, error))?;
    let state = observe(&store).map_err(|error| (Wrong::Unreadable, error))?;
    if !allowed.contains(&state) {
        let error = anyhow::anyhow!("found {state}, right would be {allowed:?}");
        return Err((Wrong::Lost, error));
    }
    consistent(&store, run, state).map_err(|error| (Wrong::Lost, error))?;
    next(dir, &store, run, state).map_err(|error| (Wrong::Stuck, error))?;
    Ok(state)
}

/// Every file that another program would take for a session is a whole one, whatever this library thinks of it.
fn whole_files(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        let is_session = path.extension().is_some_and(|ending| ending == "json");
        if is_session {
            let bytes = fs::read(&path)?;
            let value: serde_json::Value = serde_json::from_slice(&bytes)
                .with_context(|| format!("parse {} of {} bytes", path.display(), bytes.len()))?;
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            ensure!(
                value.get("id").and_then(|id| id.as_str()) == stem,
                "{}: another session's",
                path.display()
            );
        }
    }
    Ok(())
}

fn nothing_left(dir: &Path, store: &SessionStore) -> Result<()> {
    ensure!(
        store.warnings().is_empty(),
        "warnings {:?}",
        store.warnings()
    );
    for (inside, allows) in [
        (".store/tmp", None),
        (".store/quarantine", None),
        (".store/trash", Some(".json")),
        (".store/journal", Some(".journal")),
    ] {
        let Ok(entries) = fs::read_dir(dir.join(inside)) else {
            continue;
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(
                allows.is_some_and(|ending| name.ends_with(ending)),
                "left over: {inside}/{name}"
            );
        }
    }
    private(dir)
}

/// All files are 0600, all directories 0700.
fn private(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        let stat = fs::symlink_metadata(&path)?;
        let (mode, right) = (
            stat.permissions().mode() & 0o777,
            if stat.is_dir() { 0o700 } else { 0o600 },
        );
        ensure!(mode == right, "{}: mode {mode:o}", path.display());
        if stat.is_dir() {
            private(&path)?;
        }
    }
    Ok(())
}

/// Counts the messages of a session, all of which must be the ones that were put there, in order.
fn count(session: &Session) -> Result<usize> {
    for (n, message) in session.messages.iter().enumerate() {
        let text = match &message.content[..] {
            [ContentPart::Text { text, .. }] => text.as_str(),
            _ => "no text",
        };
        let says = text.get(..8).unwrap_or(text);
        let of = session.messages.len();
        ensure!(
            text.starts_with(&format!("turn {n} ")),
            "message {n} of {of} is another one, {says:?}"
        );
    }
    Ok(session.messages.len())
}

fn observe(store: &SessionStore) -> Result<State> {
    let id = SessionId::new(SUBJECT)?;
    let live = match store.load(&id) {
        Ok(session) => Some(count(&session)?),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error).context("load"),
    };
    let mut trashed = store.trashed()?.into_iter();
    let trashed = match (trashed.next(), trashed.next()) {
        (None, _) => None,
        (Some(one), None) => {
            ensure!(one.id == id, "somebody else's in the trash");
            Some(restorable(store, &id)?)
        }
        (Some(_), Some(_)) => bail!("twice in the trash"),
    };
    let bystander = store.load(&SessionId::new(BYSTANDER)?)?;
    ensure!(count(&bystander)? == 1, "the bystander was changed");
    Ok(State { live, trashed })
}

/// Counts the messages of what is in the trash by reading its file.
fn restorable(store: &SessionStore, id: &SessionId) -> Result<usize> {
    let trash = store.root().join(".store/trash");
    for entry in fs::read_dir(trash)? {
        let bytes = fs::read(entry?.path())?;
        let session: Session = serde_json::from_slice(&bytes).context("parse in the trash")?;
        if session.id == *id {
            return count(&session);
        }
    }
    bail!("not in the trash")
}

/// Every other way to the session tells the same.
fn consistent(store: &SessionStore, run: Run, state: State) -> Result<()> {
    let id = SessionId::new(SUBJECT)?;
    let listing = store.list(&Query::new())?;
    ensure!(
        listing.skipped.is_empty(),
        "listing skipped {:?}",
        listing.skipped
    );
    let listed = listing.rows.iter().any(|row| row.id == id);
    ensure!(listed == state.live.is_some(), "listed: {listed}");
    for query in QUERIES {
        let (found, right) = looked_up(store, run, &query())?;
        ensure!(
            found == right,
            "lookup found {found:?}, newest is {right:?}"
        );
        let is_subject = right.as_ref().is_some_and(|(found, _)| *found == id);
        ensure!(
            !is_subject || right.map(|(_, messages)| messages) == state.live,
            "lookup found another state"
        );
    }
    if let Some(messages) = state.live {
        let tail = store.load_tail(&id, Window::last(1))?;
        let total = tail.messages.len() as u64 + tail.dropped().get("messages");
        ensure!(total == messages as u64, "the window counts {total}");
    }
    Ok(())
}

/// The lookups that are tried.
const QUERIES: [fn() -> LastQuery; 2] = [|| LastQuery::new().workspace(WORKSPACE), LastQuery::new];

/// What a lookup found: a session, and how many messages it has.
type Found = Option<(SessionId, usize)>;

/// Looks the newest session up, by an index that may prove it, and by none.
fn looked_up(store: &SessionStore, run: Run, query: &LastQuery) -> Result<(Found, Found)> {
    let unindexed = run.builder(store.root())?;
    let unindexed = unindexed.index(IndexKind::None).read_only().open()?;
    let look = |store: &SessionStore| -> Result<Found> {
        let found = store.find_last(query)?;
        ensure!(found.skipped.is_empty(), "a lookup skipped something");
        let tail = found.session;
        Ok(tail.map(|tail| (tail.id.clone(), tail.messages.len())))
    };
    Ok((look(store)?, look(&unindexed)?))
}

/// Whether a lookup in this very run of the system would find a session that is not the newest: where the file system has lost
/// what was not synced and is mounted again all the same.
pub(crate) fn is_out_of_date(dir: &Path) -> Result<bool> {
    let store = Run::Same.builder(dir)?.read_only().open()?;
    for query in QUERIES {
        let (found, right) = looked_up(&store, Run::Same, &query())?;
        if found != right {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next calls work, and the one after a deletion finds nothing.
fn next(dir: &Path, store: &SessionStore, run: Run, state: State) -> Result<()> {
    let id = SessionId::new(SUBJECT)?;
    let mut messages = state.live.unwrap_or(0);
    let text = |n: usize| Message::user(format!("turn {n} "));
    if state.live.is_some() {
        store
            .append(&id, &Append::new().message(&text(messages))?)
            .context("append")?;
        messages += 1;
    }
    let mut session = match store.load(&id) {
        Ok(session) => session,
        Err(error) if error.is_not_found() => Session::new(id.clone(), WORKSPACE),
        Err(error) => return Err(error).context("load again"),
    };
    ensure!(count(&session)? == messages, "the append is not there");
    session.push(text(messages));
    store.save(&session).context("save")?;
    store.checkpoint(&id).context("checkpoint")?;
    ensure!(
        count(&store.load(&id)?)? == messages + 1,
        "the save is not there"
    );
    ensure!(store.delete(&id).context("delete")?, "nothing to delete");
    let again = run.open(dir)?;
    ensure!(
        again.load(&id).is_err_and(|error| error.is_not_found()),
        "deleted and still there"
    );
    nothing_left(dir, &again)
}
