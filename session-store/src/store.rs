//! The handle: what it is made of and what its clones share. The calls are in the sub-modules, one a file.

mod align;
mod append;
mod check;
mod checkpoint;
mod delete;
mod find;
mod fit;
mod journaling;
mod journals;
mod list;
mod load;
mod overlaid;
mod point;
mod publish;
mod rebind;
mod recall;
mod recording;
mod salvage;
mod save;
mod search;
mod skeleton;
mod told;
mod trash;
mod write;
mod writer;

pub(crate) use journals::Journals;
pub use writer::Writer;

pub(crate) use recall::Met;

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use session_codec::Codec;
use session_index::{Rules, WorkspaceIndex};
use session_model::{Session, SessionId, SessionRecord};

use crate::backend::{Area, Backend, Blob, Lock, LockName};
use crate::builder::{Access, Builder};
use crate::resolve::Resolver;
use crate::stuck::Stuck;
use crate::view::Views;
use crate::{DefaultParser, Durability, Error, Limits, Redactor, Warning};

/// A directory of sessions.
///
/// One value is one *handle*: threads that share it share what it has seen; a clone shares the directory and the locks
/// but starts having seen nothing, so concurrent editors each take a clone. Calls block; all of them can be made from
/// several threads and processes at once.
///
/// ```
/// use session_store::{Message, Session, SessionId, SessionStore, Window};
///
/// # let scratch = tempfile::tempdir()?;
/// # let dir = scratch.path().join("sessions");
/// let store = SessionStore::open(&dir)?;
/// let mut session = Session::new(SessionId::new("first")?, "/home/me/project");
/// session.push(Message::user("Why does the test fail?"));
/// session.touch(chrono::Utc::now());
/// store.save(&session)?;
///
/// let tail = store.load_tail(&session.id, Window::last(1))?;
/// assert_eq!(tail.messages.len(), 1);
/// assert_eq!(tail.dropped().total(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SessionStore<S: SessionRecord = Session> {
    shared: Arc<Shared>,
    views: Arc<Views>,
    warnings: Arc<[Warning]>,
    record: PhantomData<fn() -> S>,
}

/// What a handle and its clones have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) index: Arc<dyn WorkspaceIndex>,
    /// The index that other stores keep in files, where this one keeps another: its appends are to be known there too.
    pub(crate) others: Option<Arc<dyn WorkspaceIndex>>,
    /// The same index, but busy when its lock is held: for records that a lookup makes in passing.
    pub(crate) hurried_index: Arc<dyn WorkspaceIndex>,
    pub(crate) codec: Codec<DefaultParser>,
    /// As `codec`, but holds no more than a header can sensibly have.
    pub(crate) header_codec: Codec<DefaultParser>,
    /// As `codec`, but what it writes has no footer: for texts that never leave memory.
    pub(crate) plain_codec: Codec<DefaultParser>,
    pub(crate) limits: Limits,
    pub(crate) durability: Durability,
    /// The bytes from which on a journal is folded by itself.
    pub(crate) fold_from: u64,
    pub(crate) redactor: Option<Arc<dyn Redactor>>,
    pub(crate) access: Access,
    pub(crate) lock_wait: Duration,
    pub(crate) resolve_deadline: Duration,
    /// Which mounts threads wait for that do not answer.
    pub(crate) stuck: Arc<Stuck>,
    pub(crate) threads: usize,
    /// The rules of the index's proof; all of them but in tests.
    pub(crate) rules: Rules,
    /// Whether listings keep a catalogue of what they found.
    pub(crate) keeps_catalogue: bool,
    pub(crate) reads_in_flight: usize,
    pub(crate) root: PathBuf,
    /// What was learnt of journals that this store has written to.
    pub(crate) journals: Journals,
}

impl Shared {
    /// The file of a session, for messages.
    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.backend.describe(&Blob::session(id))
    }
}

impl SessionStore<Session> {
    /// Opens the sessions of a directory, which need not exist yet.
    ///
    /// Writes nothing but the removal of temporaries that a crash left behind; directories appear with the first save.
    ///
    /// # Errors
    ///
    /// [`Error::Untrusted`] for a directory that other users can write to or own, [`Error::Io`] for one that cannot be
    /// looked at.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(dir).open()
    }

    /// Starts the configuration of a store over a directory.
    pub fn builder(dir: impl AsRef<Path>) -> Builder<Session> {
        Builder::new(dir.as_ref())
    }
}

impl<S: SessionRecord> SessionStore<S> {
    /// Opens the sessions of a directory as a record type of the caller's own.
    ///
    /// # Errors
    ///
    /// As for [`open`](SessionStore::open).
    pub fn open_as(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder_as(dir).open()
    }

    /// Starts the configuration of a store over a directory, with a record type of the caller's own.
    pub fn builder_as(dir: impl AsRef<Path>) -> Builder<S> {
        Builder::new(dir.as_ref())
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            views: Arc::default(),
            warnings: Arc::default(),
            record: PhantomData,
        }
    }

    /// This very handle again: what one sees, the other has seen.
    fn same_handle(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            views: Arc::clone(&self.views),
            warnings: Arc::clone(&self.warnings),
            record: PhantomData,
        }
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings.into();
        self
    }

    /// What was found when the store was opened that its owner should know, such as a directory its group can write.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The directory that holds the sessions.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// The file of a session, whether it exists or not.
    #[must_use]
    pub fn path(&self, id: &SessionId) -> PathBuf {
        self.shared.path(id)
    }

    /// Refuses a change to a store that was opened read-only.
    fn writable(&self, id: &SessionId) -> Result<(), Error> {
        match self.shared.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Error::ReadOnly {
                path: self.path(id),
            }),
        }
    }

    /// Takes a session's lock for a change.
    fn lock(&self, id: &SessionId) -> Result<Lock, Error> {
        self.writable(id)?;
        self.shared
            .backend
            .lock(LockName::Session(id), self.shared.lock_wait)
    }

    /// Whether the sessions directory exists; changing what is not there must not create it.
    fn is_there(&self) -> Result<bool, Error> {
        Ok(self.shared.backend.stat_area(Area::Sessions)?.is_some())
    }

    fn resolver(&self) -> Resolver {
        Resolver::new(self.shared.resolve_deadline, &self.shared.stuck)
    }
}

impl<S: SessionRecord> Clone for SessionStore<S> {
    /// Makes a new handle on the same store, which has seen nothing yet.
    fn clone(&self) -> Self {
        let warnings = Arc::clone(&self.warnings);
        Self {
            warnings,
            ..Self::from_shared(Arc::clone(&self.shared))
        }
    }
}

impl<S: SessionRecord> fmt::Debug for SessionStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
