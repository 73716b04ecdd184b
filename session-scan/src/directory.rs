//! A directory of the file system as a corpus: regular `*.json` files, nothing followed, nothing waited for.
//!
//! Owns every system call of this crate, all of them reads. Must not know what names mean beyond the suffix, and must
//! not look into files.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fd::{AsFd, OwnedFd};
use rustix::ffi::CStr;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::{Corpus, Entry, FileKind, Listing, OpenError, Reason, Rejected};

mod names;
mod stat;

use stat::{Stamp, other_kind};

/// What the names of candidates end with.
const SUFFIX: &str = ".json";

/// The regular files of one directory whose names are `<accepted>.json`.
///
/// Names that start with a dot or do not end in `.json` are none of its business and are ignored. Every other name that
/// is not a candidate is reported in [`Listing::rejected`]: links, directories, named pipes, names that the predicate
/// refuses, names that are not UTF-8, files whose stamp can't be read. Sub-directories are not entered.
///
/// Opening never follows a link and never blocks on a named pipe, also when a file is swapped for one after the listing.
/// The path of the directory itself may lead through links. A directory that does not exist is an empty one, also when
/// it appears later: every listing and every [`entry`](Self::entry) opens the path anew, and files are opened in the
/// directory that the last of these saw. One file handle is held for that.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    accept: Accept,
    /// The directory as it was last opened by its path, so that its files are opened in the same one.
    opened: RwLock<Option<Arc<OwnedFd>>>,
}

struct Accept(Box<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accept")
    }
}

impl Directory {
    /// Describes the directory at `path`; `accept` gets a file name without `.json` and says whether it is a candidate.
    ///
    /// Nothing is opened yet. A relative path is resolved by the system at each listing; give an absolute one if the
    /// program changes its current directory.
    #[must_use]
    pub fn new(
        path: impl Into<PathBuf>,
        accept: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            path: path.into(),
            accept: Accept(Box::new(accept)),
            opened: RwLock::new(None),
        }
    }

    /// Gives the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks one name up without listing; `None` where there is no candidate of that name.
    ///
    /// The entry is the one a listing would give, so it can be compared with one.
    ///
    /// # Errors
    ///
    /// Whatever the system says, other than that there is no such file.
    pub fn entry(&self, name: &str) -> io::Result<Option<Entry>> {
        if !self.is_candidate(name) {
            return Ok(None);
        }
        let Some(directory) = self.reopen()? else {
            return Ok(None);
        };
        let Ok(file_name) = std::ffi::CString::new(format!("{name}{SUFFIX}")) else {
            return Ok(None);
        };
        match retry_on_intr(|| Stamp::of_name(&*directory, &file_name)) {
            Ok(stamp) if stamp.kind().is_none() => Ok(Some(stamp.entry(name))),
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Says whether a name may be joined to the directory at all: `accept` is the caller's, and a mistake there must not
    /// lead out of the directory.
    fn is_candidate(&self, name: &str) -> bool {
        !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\0'])
            && (self.accept.0)(name)
    }

    /// Gives the directory as it was last opened, or opens it.
    fn directory(&self) -> io::Result<Option<Arc<OwnedFd>>> {
        let opened = self
            .opened
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if opened.is_some() {
            Ok(opened)
        } else {
            self.reopen()
        }
    }

    /// Opens the directory and remembers it.
    fn reopen(&self) -> io::Result<Option<Arc<OwnedFd>>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = match retry_on_intr(|| rustix::fs::open(&self.path, flags, Mode::empty())) {
            Ok(directory) => Some(Arc::new(directory)),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error.into()),
        };
        self.opened
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&opened);
        Ok(opened)
    }

    /// Judges one name of the directory.
    fn judge(
        &self,
        directory: &OwnedFd,
        file_name: &CStr,
        kind: FileType,
    ) -> Option<Result<Entry, Rejected>> {
        let bytes = file_name.to_bytes();
        if bytes.starts_with(b".") {
            return None;
        }
        let stem = bytes.strip_suffix(SUFFIX.as_bytes())?;
        let rejected = |reason| Some(Err(Rejected::new(OsStr::from_bytes(bytes), reason)));
        let Some(name) = std::str::from_utf8(stem)
            .ok()
            .filter(|name| self.is_candidate(name))
        else {
            return rejected(Reason::Name);
        };
        // The directory usually tells the kind, which saves asking about what is no file anyway.
        if kind != FileType::Unknown
            && let Some(kind) = other_kind(kind)
        {
            return rejected(Reason::NotAFile(kind));
        }
        match retry_on_intr(|| Stamp::of_name(directory, file_name)) {
            Ok(stamp) => match stamp.kind() {
                None => Some(Ok(stamp.entry(name))),
                Some(kind) => rejected(Reason::NotAFile(kind)),
            },
            Err(Errno::NOENT) => None,
            Err(error) => rejected(Reason::Io(error.into())),
        }
    }
}

impl Corpus for Directory {
    type File = File;

    fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        // A listing reads from its own handle: a shared one would share the position too.
        let Some(directory) = self.reopen()? else {
            return Ok(listing);
        };
        let named = names::for_each(&directory, |name, kind| {
            match self.judge(&directory, name, kind) {
                Some(Ok(entry)) => listing.entries.push(entry),
                Some(Err(rejected)) => listing.rejected.push(rejected),
                None => {}
            }
        });
        match named {
            // The directory was removed while it was read, and only an empty one can be.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        crate::trace::event!(
            entries = listing.entries.len(),
            rejected = listing.rejected.len(),
            "listed"
        );
        Ok(listing)
    }

    fn open(&self, entry: &Entry) -> Result<File, OpenError> {
        let failed = |error: Errno| match error {
            Errno::NOENT => OpenError::Vanished,
            // What `NOFOLLOW` says about a link, and what opening a socket gives.
            Errno::LOOP => OpenError::Rejected(Reason::NotAFile(FileKind::Symlink)),
            Errno::NXIO => OpenError::Rejected(Reason::NotAFile(FileKind::Socket)),
            error => OpenError::Rejected(Reason::Io(error.into())),
        };
        if !self.is_candidate(&entry.name) {
            return Err(OpenError::Rejected(Reason::Name));
        }
        let directory = match self.directory() {
            Ok(Some(directory)) => directory,
            Ok(None) => return Err(OpenError::Vanished),
            Err(error) => return Err(OpenError::Rejected(Reason::Io(error))),
        };
        let name = format!("{}{SUFFIX}", entry.name);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || {
            retry_on_intr(|| {
                rustix::fs::openat(directory.as_fd(), name.as_str(), flags, Mode::empty())
            })
        };
        // A network file system that lost track of a file finds it again when asked once more.
        let file = match open() {
            Err(Errno::STALE) => open(),
            opened => opened,
        }
        .map_err(failed)?;
        match Stamp::of_file(&file).map_err(failed)?.kind() {
            None => Ok(File::from(file)),
            Some(kind) => Err(OpenError::Rejected(Reason::NotAFile(kind))),
        }
    }

    fn read_at(&self, file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match file.read_at(buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
