//! The index's storage in a directory, and the crate's only file-system module. Knows names and bytes; what they mean is
//! not its business.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::gate::WAIT;
use crate::storage::{IndexStorage, StorageLock};

const LOCK: &str = ".index.lock";
const TEMPORARY: &str = ".index.tmp.";
/// The pause between two attempts to take the lock: a change takes well under a millisecond without syncs and a few with
/// them, so waiting starts short and soon stops costing a core.
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(5));

/// What a change to the storage survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Files and the directory are synced: survives a power cut.
    #[default]
    Full,
    /// Nothing is synced: survives the death of the process only. After a power cut entries may be old, or damaged, which
    /// an index tells from sound ones.
    Process,
}

/// Keeps the blobs of an index as files of one directory.
///
/// The directory appears with the first change. It and its missing parents are made with mode 0700, files with 0600.
/// Names that are links, directories or pipes are errors, and never followed nor waited for. The lock is an advisory lock
/// of the whole file `.index.lock`, which is never removed; where the file system has none, changes fail and lookups work.
///
/// Temporary files of processes that died are removed when this value takes the lock for the first time. So a directory
/// must not be written through [`replace`](IndexStorage::replace) by anybody who does not hold the lock.
#[derive(Debug)]
pub struct DirStorage {
    directory: PathBuf,
    wait: Duration,
    durability: Durability,
    swept: AtomicBool,
}

impl DirStorage {
    /// Makes a storage in `directory`, which need not exist, and touches nothing yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self {
            directory,
            wait: WAIT,
            durability: Durability::default(),
            swept: AtomicBool::new(false),
        }
    }

    /// Sets how long [`lock`](IndexStorage::lock) waits for another writer; the default is 10 seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets what a change survives; the default is [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.bytes().all(plain) && !["", ".", ".."].contains(&name) {
            return Ok(self.directory.join(name));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a plain name",
        ))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened as a file, and a rename is as durable as the system makes it.
        if cfg!(unix) && self.durability == Durability::Full {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }

    fn create_directory(&self) -> io::Result<()> {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing = self
            .directory
            .ancestors()
            .take_while(missing)
            .collect::<Vec<_>>();
        for directory in missing.into_iter().rev() {
            match make_directory(directory) {
                // Somebody else was faster, which is what was wanted.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result?,
            }
            let parent = directory
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            self.sync_directory(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }

    /// Removes what died between the creation of a temporary and its rename.
    ///
    /// Under the lock nobody is between the two, so every temporary is an orphan. Failing to remove one is no reason not
    /// to write the index.
    fn sweep(&self) {
        if self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let Ok(listing) = fs::read_dir(&self.directory) else {
            return;
        };
        for entry in listing.flatten() {
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(TEMPORARY))
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn open_lock(&self) -> io::Result<File> {
        let path = self.directory.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        loop {
            match open(&mut options, &path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => return result,
            }
            self.create_directory()?;
            let mut created = options.clone();
            match open(private(created.create_new(true)), &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Ok(file) => {
                    set_private(&file)?;
                    return Ok(file);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl IndexStorage for DirStorage {
    fn read(&self, name: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match open(OpenOptions::new().read(true), &self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(limit);
        // One byte more than the length, so that the end is seen without growing the buffer.
        let mut bytes = Vec::with_capacity(length.saturating_add(1).min(limit));
        file.take(u64::try_from(limit).unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name)?;
        // Dropping it before `persist` removes the file, whatever failed.
        let mut temporary = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .rand_bytes(12)
            .tempfile_in(&self.directory)?;
        set_private(temporary.as_file())?;
        temporary.write_all(bytes)?;
        if self.durability == Durability::Full {
            temporary.as_file().sync_all()?;
        }
        temporary.persist(path).map_err(|refused| refused.error)?;
        self.sync_directory(&self.directory)
    }

    fn remove(&self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            result => result?,
        }
        self.sync_directory(&self.directory)?;
        Ok(true)
    }

    fn lock(&self) -> io::Result<StorageLock<'_>> {
        let started = Instant::now();
        let file = self.open_lock()?;
        let (mut pause, longest) = PAUSES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let left = self.wait.saturating_sub(started.elapsed());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    sleep(pause.min(left));
                    pause = longest.min(pause * 2);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        self.sweep();
        // Closing the file releases the lock.
        Ok(StorageLock::new(file))
    }
}

/// Opens a regular file, and neither follows a link nor waits for the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "not a regular file",
    ))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Gives the mode that the umask may have taken from it.
#[cfg(unix)]
fn set_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn set_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    fs::DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}
