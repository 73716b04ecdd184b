//! What the tests share: stores in temporary directories, raw files beside them, times, corpora.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use session_store::{Append, Durability, IndexKind, Message, Session, SessionId, SessionStore};
use tempfile::TempDir;

/// A moment far from the present, `seconds` after a fixed one.
pub(crate) fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

pub(crate) fn time(seconds: u64) -> DateTime<Utc> {
    moment(seconds).into()
}

pub(crate) fn id(text: &str) -> SessionId {
    SessionId::new(text).expect("a valid id")
}

/// What an agent adds with its turn of this number, a second after the one before.
pub(crate) fn turn(n: usize) -> Append {
    Append::new()
        .message(&Message::user(format!("turn {n}")))
        .unwrap()
        .updated_at(time(1_000 + n as u64))
        .unwrap()
}

/// A session of a directory with some messages, updated at `seconds`.
pub(crate) fn session(
    name: &str,
    directory: impl AsRef<Path>,
    messages: usize,
    seconds: u64,
) -> Session {
    let mut session = Session::new(id(name), directory.as_ref());
    for n in 0..messages {
        session.push(Message::user(format!("message {n} of {name}")));
    }
    session.touch(time(seconds));
    session
}

/// A directory of sessions that goes with the test.
pub(crate) struct Scratch {
    dir: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// The root of the test, above the sessions.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.dir.path().join("sessions")
    }

    /// A store that skips syncs, which these tests do not observe.
    pub(crate) fn store(&self) -> SessionStore {
        self.store_with(IndexKind::Sidecar)
    }

    pub(crate) fn store_with(&self, index: IndexKind) -> SessionStore {
        let builder = SessionStore::builder(self.sessions())
            .durability(Durability::Process)
            .index(index);
        builder.open().expect("a store")
    }

    /// A directory that exists, as a workspace.
    pub(crate) fn workspace(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(&path).expect("a workspace");
        path.canonicalize().expect("a path without links")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.sessions().join(name)
    }

    /// Puts bytes under a name, as a foreign program would: in place, without temporary, lock or index.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.file(name);
        if !self.sessions().exists() {
            create_private(&self.sessions());
        }
        fs::write(path, bytes).expect("a file");
    }

    /// Puts a session there by the reference's protocol: a temporary beside it, renamed, no index.
    pub(crate) fn write_foreign(&self, session: &Session) {
        let temporary = self.file(&format!("{}.json.tmp", session.id));
        if !self.sessions().exists() {
            create_private(&self.sessions());
        }
        fs::write(
            &temporary,
            serde_json::to_vec_pretty(session).expect("JSON"),
        )
        .expect("a temporary");
        fs::rename(&temporary, self.file(&format!("{}.json", session.id))).expect("a rename");
    }

    pub(crate) fn touch(&self, name: &str, modified: SystemTime) {
        let file = File::options()
            .append(true)
            .open(self.file(name))
            .expect("a file");
        file.set_modified(modified).expect("a time");
    }

    /// The names in the sessions directory, dot files included, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.sessions())
    }
}

/// The names in a directory, sorted; empty where there is none.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn create_private(dir: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(dir)
        .expect("a directory");
}

/// The large corpora, where they are present: `SESSION_CORPORA`, or `shared/corpora` beside the workspace.
pub(crate) fn corpora() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    let dir = std::env::var_os("SESSION_CORPORA").map_or(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    println!(
        "skipped: no corpora at {} (set SESSION_CORPORA)",
        dir.display()
    );
    None
}

/// The fixtures of this crate and every codetether transcript of the corpora, by file name.
pub(crate) fn transcripts() -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    let corpora = corpora().map(|dir| dir.join("sessions/codetether"));
    let mut transcripts = Vec::new();
    for dir in [Some(fixtures), corpora.filter(|dir| dir.is_dir())]
        .into_iter()
        .flatten()
    {
        let names = names(&dir);
        assert!(!names.is_empty(), "no transcripts in {}", dir.display());
        for name in names {
            let bytes = fs::read(dir.join(&name)).expect("a transcript");
            transcripts.push((name, bytes));
        }
    }
    transcripts
}
