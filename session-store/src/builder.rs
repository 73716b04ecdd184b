//! How a store is configured before it is opened.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use session_codec::Codec;
use session_index::{JsonMapIndex, MemoryIndex, NoIndex, Rules, SidecarIndex, WorkspaceIndex};
use session_model::SessionRecord;

use crate::backend::{Area, Backend, Blob, DirBackend, Trust};
use crate::fs::OsFs;
use crate::index_storage::BackendStorage;
use crate::store::{Journals, SessionStore, Shared};
use crate::{DefaultParser, Durability, Error, Limits, Redactor};

/// How long a write waits for a lock that somebody else holds, unless told otherwise.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long a lookup waits for another session's directory to resolve, unless told otherwise.
const RESOLVE_DEADLINE: Duration = Duration::from_millis(500);
/// How many reads wait at once where they have to wait: the time of a disk that is given more at once hardly falls.
const READS_IN_FLIGHT: usize = 16;

/// A journal below this size, in bytes, is not folded unless told otherwise, however small its document: reading a MiB more costs
/// a resume a third of a millisecond, writing one to a disk and syncing it costs several.
const FOLD_FROM: u64 = 1 << 20;

/// The longest header that is read, in bytes: far above any title, far below what would hurt.
const HEADER_BYTES: u64 = 16 << 20;

/// Bytes that are copied at once where a text is in memory already: no more than what comes without asking the system.
const READ_OF_MEMORY: usize = 16 << 10;

/// Whether a store may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Which index a store keeps. None of them changes an answer.
///
/// With one that is kept in files, listings keep a catalogue of what they found, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexKind {
    /// One small file a workspace, in `.store/index/`.
    #[default]
    Sidecar,
    /// The map in `.workspace_index.json` that codetether-agent keeps, so that both programs can share a directory.
    JsonMap,
    /// A map in memory, gone with the store. It proves nothing, as what other stores append changes no name that it could
    /// watch.
    Memory,
    /// None: every lookup looks at the sessions.
    None,
}

/// Something about a store that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Members of the directory's group can plant, change and remove sessions.
    GroupWritable {
        /// The sessions directory.
        path: PathBuf,
    },
    /// Temporaries that a crash left behind could not be removed.
    NotSwept {
        /// The sessions directory.
        path: PathBuf,
        /// What stood in the way.
        reason: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupWritable { path } => {
                write!(f, "{} is writable by its group", path.display())
            }
            Self::NotSwept { path, reason } => write!(f, "sweep {}: {reason}", path.display()),
        }
    }
}

enum Medium {
    Directory(PathBuf, Trust),
    Given(Arc<dyn Backend>),
}

/// Whether documents end with a footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Footers {
    Written,
    LeftOut,
}

/// Configures a store; see [`SessionStore::builder`].
#[must_use = "a builder does nothing until `open`"]
pub struct Builder<S> {
    medium: Medium,
    access: Access,
    durability: Durability,
    fold_from: u64,
    limits: Limits,
    index: IndexKind,
    lock_wait: Duration,
    resolve_deadline: Duration,
    threads: usize,
    footers: Footers,
    strict: bool,
    redactor: Option<Arc<dyn Redactor>>,
    rules: Rules,
    reads_in_flight: usize,
    record: PhantomData<fn() -> S>,
}

impl<S: SessionRecord> Builder<S> {
    pub(crate) fn new(dir: &Path) -> Self {
        Self::over(Medium::Directory(dir.to_owned(), Trust::default()))
    }

    /// Starts the configuration of a store on a backend of the caller's own, such as
    /// [`MemoryBackend`](crate::MemoryBackend).
    pub fn on(backend: Arc<dyn Backend>) -> Self {
        Self::over(Medium::Given(backend))
    }

    fn over(medium: Medium) -> Self {
        Self {
            medium,
            access: Access::ReadWrite,
            durability: Durability::default(),
            fold_from: FOLD_FROM,
            limits: Limits::default(),
            index: IndexKind::default(),
            lock_wait: LOCK_WAIT,
            resolve_deadline: RESOLVE_DEADLINE,
            threads: processors().min(8),
            footers: Footers::Written,
            strict: false,
            redactor: None,
            rules: Rules::default(),
            reads_in_flight: READS_IN_FLIGHT,
            record: PhantomData,
        }
    }

    /// Sets what an acknowledged write survives.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets from which size on, in bytes, a journal is folded into its document by the append that made it so long: 1 MiB unless
    /// told, and never below five quarters of the document. A [`Writer`](crate::Writer), which folds when it is closed, waits for
    /// eight times as much.
    ///
    /// With less, programs that know no journals see what was appended sooner, and a resume reads less; with more, less is
    /// written in all.
    pub fn fold_from(mut self, bytes: u64) -> Self {
        self.fold_from = bytes;
        self
    }

    /// Shows every text to this before it is written; there is none unless told. See [`Redactor`] for what it is shown.
    ///
    /// A save then encodes and decodes the session once more, in memory.
    pub fn redactor(mut self, redactor: impl Redactor) -> Self {
        self.redactor = Some(Arc::new(redactor));
        self
    }

    /// Sets how large sessions may be.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Opens without writing anything, ever: no lock, no index, no clean-up. Every write is [`Error::ReadOnly`].
    pub fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// Chooses the index.
    pub fn index(mut self, index: IndexKind) -> Self {
        self.index = index;
        self
    }

    /// Sets how long a write waits for a lock before it answers [`Error::Locked`].
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Sets how long a query waits for the directory of some other session to resolve, or for a git repository to be read: 500 ms
    /// unless told. Sessions for which that is too short are reported as skipped.
    ///
    /// What the kernel has in its cache is never waited for. Of the rest, a mount that has not answered in time is asked nothing
    /// more, by any query of this store, until it has; one that answers late is waited for three times a query. A query that
    /// has waited in vain for four mounts asks nothing more, so that all its waiting together is below twelve deadlines; nor does any
    /// query while threads of this store are stuck on eight mounts. Where mounts cannot be told apart, as outside Linux, all count
    /// as one that is waited for three times a query, and eight times by a store while none of those has been answered.
    pub fn resolve_deadline(mut self, deadline: Duration) -> Self {
        self.resolve_deadline = deadline;
        self
    }

    /// Sets how many files a walk has open at once at most while it turns out to wait for a disk or a network; 16 unless told,
    /// and no more than there are threads with 1.
    ///
    /// With everything in memory no thread is started for this.
    pub fn reads_in_flight(mut self, reads: usize) -> Self {
        self.reads_in_flight = reads.max(1);
        self
    }

    /// Sets how many threads a walk over many files uses at most while nothing has to be waited for, or a load of one that is
    /// large.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Writes documents without a footer: as small as can be, and resumed by walking over all of them.
    ///
    /// Footers that are there are honoured all the same.
    pub fn without_footers(mut self) -> Self {
        self.footers = Footers::LeftOut;
        self
    }

    /// Makes tails validate every byte of a document as a load does, with footers passed by: a tail then costs what reading
    /// all of the document does.
    ///
    /// Off unless told: a tail validates what it returns and the structure of what it walks over.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Breaks rules of the index's proof, for tests of tests.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Says which owners and modes of an existing sessions directory are accepted.
    pub fn trust(mut self, trust: Trust) -> Self {
        if let Medium::Directory(_, accepted) = &mut self.medium {
            *accepted = trust;
        }
        self
    }

    /// Opens the store.
    ///
    /// Writes nothing but the removal of what a crash left behind, and that only in a `.store/` that exists; failing at
    /// that is a [`Warning`]. A relative directory is resolved here, once, against the current one.
    ///
    /// # Errors
    ///
    /// As for [`SessionStore::open`].
    pub fn open(self) -> Result<SessionStore<S>, Error> {
        let mut warnings = Vec::new();
        let backend: Arc<dyn Backend> = match self.medium {
            Medium::Directory(dir, trust) => {
                let path =
                    std::path::absolute(&dir).map_err(|source| Error::io("open", &dir, source))?;
                let fs = OsFs::new(&path)
                    .threads(self.threads)
                    .looks_in_flight(self.reads_in_flight);
                let backend = DirBackend::on_disk(fs, trust)?;
                if backend.warning().is_some() {
                    warnings.push(Warning::GroupWritable { path });
                }
                Arc::new(backend)
            }
            Medium::Given(backend) => backend,
        };
        // The one path that every backend can tell is that of a blob.
        let root = backend
            .describe(&Blob::session("session"))
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let codec = session_codec::Limits::default()
            .element_bytes(self.limits.element_bytes())
            .depth(self.limits.depth_levels());
        let marks: &[&str] = match self.footers {
            Footers::Written => S::CAPPED,
            Footers::LeftOut => &[],
        };
        let index = open_index(self.index, &backend, self.lock_wait, self.rules);
        let others = (self.index != IndexKind::Sidecar)
            .then(|| open_index(IndexKind::Sidecar, &backend, self.lock_wait, self.rules));
        let hurried_index = match self.index {
            // There is only one of it, and nobody holds its lock for long.
            IndexKind::Memory => Arc::clone(&index),
            kind => open_index(kind, &backend, Duration::ZERO, self.rules),
        };
        let store = SessionStore::from_shared(Arc::new(Shared {
            index,
            others,
            hurried_index,
            codec: Codec::with_parser(DefaultParser)
                .limits(codec)
                .marks(marks)
                .strict(self.strict)
                .threads(self.threads),
            plain_codec: Codec::with_parser(DefaultParser)
                .limits(codec)
                .read_size(READ_OF_MEMORY)
                .strict(self.strict)
                .threads(self.threads),
            header_codec: Codec::with_parser(DefaultParser).limits(codec.kept_bytes(HEADER_BYTES)),
            stuck: Arc::default(),
            backend,
            limits: self.limits,
            durability: self.durability,
            fold_from: self.fold_from,
            redactor: self.redactor,
            access: self.access,
            lock_wait: self.lock_wait,
            resolve_deadline: self.resolve_deadline,
            threads: self.threads,
            rules: self.rules,
            keeps_catalogue: matches!(self.index, IndexKind::Sidecar | IndexKind::JsonMap),
            reads_in_flight: self.reads_in_flight,
            root,
            journals: Journals::default(),
        }));
        if self.access == Access::ReadWrite
            && let Err(error) = store.sweep()
        {
            warnings.push(Warning::NotSwept {
                path: store.root().to_owned(),
                reason: error.to_string(),
            });
        }
        Ok(store.with_warnings(warnings))
    }
}

/// How many processors this process may use.
///
/// The standard library also reads the files of control groups, which costs more than all else that opening a store does;
/// a thread more than a quota allows costs nothing.
fn processors() -> usize {
    #[cfg(target_os = "linux")]
    if let Ok(allowed) = rustix::thread::sched_getaffinity(None) {
        return usize::try_from(allowed.count()).unwrap_or(1).max(1);
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn open_index(
    kind: IndexKind,
    backend: &Arc<dyn Backend>,
    wait: Duration,
    rules: Rules,
) -> Arc<dyn WorkspaceIndex> {
    let storage = |area| BackendStorage::new(Arc::clone(backend), area, wait);
    match kind {
        IndexKind::Sidecar => Arc::new(sidecar(storage(Area::Index), rules)),
        IndexKind::JsonMap => Arc::new(JsonMapIndex::new(storage(Area::Shared))),
        IndexKind::Memory => Arc::new(MemoryIndex::new()),
        IndexKind::None => Arc::new(NoIndex),
    }
}

#[cfg(feature = "testing")]
fn sidecar(storage: BackendStorage, rules: Rules) -> SidecarIndex<BackendStorage> {
    SidecarIndex::new(storage).rules(rules)
}

#[cfg(not(feature = "testing"))]
fn sidecar(storage: BackendStorage, _all: Rules) -> SidecarIndex<BackendStorage> {
    SidecarIndex::new(storage)
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("durability", &self.durability)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
